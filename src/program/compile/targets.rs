//! What the names of parts, programs and their arguments stand for.

use crate::base::ids::PartId;
use crate::base::op::ARGS_MAX;
use crate::base::problem::nearest;
use crate::program::compile::{Compiler, PartRole};
use crate::program::instr::{CallSite, Instr};
use crate::program::syntax::{Arg, ArgKey, Place, Spanned, Target};

impl PartRole {
    /// What parts of this role take, for messages.
    const fn steps(self) -> &'static str {
        match self {
            PartRole::Runs => "runs programs: call part.program(…)",
            PartRole::Replies => "only replies: call part",
            PartRole::Caches => "is a cache: get, put, drop",
            PartRole::Stores => "is a db: read, write, update",
            PartRole::Balances => "balances load: call part.program(…)",
        }
    }
}

/// What a call goes to, and the parameters there.
type Callee = (PartId, Option<crate::base::ids::ProgramId>, Vec<String>);

impl Compiler<'_> {
    /// The part `name`, which must have `role`.
    pub fn part(&mut self, name: &Spanned<String>, role: PartRole, step: &str) -> PartId {
        match self.scope.part(&name.value) {
            Some((part, found)) if found == role => return part,
            Some((_, found)) => {
                let message = format!("`{step}` does not go with `{}`", name.value);
                self.wrong(&name.at, message, format!("`{}` {}", name.value, found.steps()));
            }
            None => self.unknown("part", name, &self.scope.part_names()),
        }
        PartId(0)
    }

    /// The cache of a place; code that pushes its key.
    pub fn cached(&mut self, place: &Place, step: &str) -> PartId {
        let cache = self.part(&place.part, PartRole::Caches, step);
        if let Some(table) = &place.table {
            let help = format!("write {step} {}[…]", place.part.value);
            self.wrong(&table.at, "a cache has no tables", help);
        }
        self.value(&place.key);
        cache
    }

    /// The db and table of a place; code that pushes its key.
    pub fn stored(&mut self, place: &Place, step: &str) -> (PartId, u16) {
        let before = self.errors.len();
        let db = self.part(&place.part, PartRole::Stores, step);
        let table = match &place.table {
            Some(table) if self.errors.len() == before => self.scope.table(db, &table.value),
            Some(_) => 0,
            None => {
                let help = format!("write {step} {}.stock[…]", place.part.value);
                self.wrong(&place.part.at, format!("`{step}` needs a table of `{}`", place.part.value), help);
                0
            }
        };
        self.value(&place.key);
        (db, table)
    }

    /// Code that pushes the arguments of a call; the number of the call and of its arguments. The caller's policy,
    /// zone and size are those of `how`.
    pub fn target(&mut self, target: &Target, how: CallSite) -> (u16, u8) {
        let callee = match &target.part {
            Some(part) => self.program_of(part, &target.name),
            None => self.program_somewhere(target),
        };
        let Some((to, program, parameters)) = callee else {
            for arg in target.args.iter().flatten() {
                self.value(&arg.value);
            }
            return (0, 0);
        };
        self.arguments(&target.name, target.args.as_deref().unwrap_or(&[]), &parameters);
        let call = CallSite { to, program, ..how };
        let known = self.program.calls.iter().position(|other| *other == call);
        let place = known.unwrap_or(self.program.calls.len());
        if known.is_none() {
            self.program.calls.push(call);
        }
        (place as u16, parameters.len() as u8)
    }

    /// `part.name`
    fn program_of(&mut self, part: &Spanned<String>, name: &Spanned<String>) -> Option<Callee> {
        let Some((id, role)) = self.scope.part(&part.value) else {
            self.unknown("part", part, &self.scope.part_names());
            return None;
        };
        if let Ok((to, program, parameters)) = self.scope.program(Some(id), &name.value) {
            return Some((to, Some(program), parameters));
        }
        if matches!(role, PartRole::Runs | PartRole::Balances) {
            let known = self.scope.program_names(Some(id));
            let near = nearest(&name.value, known.iter().map(String::as_str));
            let help = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("programs of `{0}` stand under [on.{0}]", part.value),
            };
            self.wrong(&name.at, format!("`{}` has no program `{}`", part.value, name.value), help);
        } else {
            let message = format!("`{}` has no program `{}`", part.value, name.value);
            self.wrong(&part.at, message, format!("`{}` {}", part.value, role.steps()));
        }
        None
    }

    /// A single name: a dependency, or the only program of that name.
    fn program_somewhere(&mut self, target: &Target) -> Option<Callee> {
        let name = &target.name;
        let part = self.scope.part(&name.value);
        match (part, self.scope.program(None, &name.value)) {
            (Some((id, PartRole::Replies)), Err(parts)) if parts.is_empty() => {
                if target.args.as_ref().is_some_and(|args| !args.is_empty()) {
                    self.wrong(
                        &name.at,
                        format!("`{}` takes no arguments", name.value),
                        format!("call {}", name.value),
                    );
                }
                Some((id, None, Vec::new()))
            }
            (None, Ok((to, program, parameters))) => Some((to, Some(program), parameters)),
            (Some((_, PartRole::Replies)), _) => {
                let message = format!("`{0}` is both a part and a program", name.value);
                self.wrong(
                    &name.at,
                    message,
                    format!("for the program, name its part: call PART.{}(…)", name.value),
                );
                None
            }
            (Some((_, role)), Err(parts)) if parts.is_empty() => {
                let message = format!("`{}` is a part, and the step names no program of it", name.value);
                self.wrong(&name.at, message, format!("`{}` {}", name.value, role.steps()));
                None
            }
            (Some(_), Ok((to, program, parameters))) => Some((to, Some(program), parameters)),
            (_, Err(parts)) if !parts.is_empty() => {
                let all: Vec<String> = parts.iter().map(|part| format!("{part}.{}", name.value)).collect();
                let message = format!("`{}` could be {}", name.value, all.join(" or "));
                self.wrong(&name.at, message, format!("name the part: call {}", all[0]));
                None
            }
            _ => {
                let mut known = self.scope.program_names(None);
                known.extend(self.scope.part_names());
                self.unknown("program", name, &known);
                None
            }
        }
    }

    /// Code that pushes one number per parameter.
    fn arguments(&mut self, called: &Spanned<String>, args: &[Arg], parameters: &[String]) {
        let shown = format!("{}({})", called.value, parameters.join(", "));
        let mut given: [Option<&Arg>; ARGS_MAX] = [None; ARGS_MAX];
        for (place, arg) in args.iter().enumerate() {
            let slot = match &arg.key {
                None => Some(place),
                Some(Spanned { value: ArgKey::Name(name), .. }) => {
                    parameters.iter().position(|known| known == name)
                }
                Some(_) => None,
            };
            let at = arg.key.as_ref().map_or(&arg.value.at, |key| &key.at);
            match slot.filter(|slot| *slot < parameters.len().min(ARGS_MAX)) {
                None => self.wrong(
                    at,
                    format!("`{}` takes no such argument", called.value),
                    format!("it is {shown}"),
                ),
                Some(slot) if given[slot].is_some() => {
                    let message = format!("`{}` is given twice", parameters[slot]);
                    self.wrong(at, message, format!("it is {shown}"));
                }
                Some(slot) => given[slot] = Some(arg),
            }
        }
        for (parameter, arg) in parameters.iter().zip(given) {
            match arg {
                Some(arg) => {
                    self.value(&arg.value);
                }
                None => {
                    let message = format!("`{}` needs `{parameter}`", called.value);
                    self.wrong(&called.at, message, format!("it is {shown}"));
                    self.emit(Instr::Push(0));
                }
            }
        }
    }
}
