//! Whom a call means, and which argument goes where.

use crate::base::ids::{PartId, PolicyId, ProgramId, ZoneId};
use crate::base::op::ARGS_MAX;
use crate::base::problem::nearest;
use crate::program::compile::compiler::Compiler;
use crate::program::compile::scope::{PartRole, Scope};
use crate::program::instr::{CallSite, Instr};
use crate::program::syntax::{Arg, ArgKey, Expr, Spanned, Step, SyntaxError};

/// Whom a call means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The part called: a load balancer when it is named.
    pub to: PartId,
    /// The program there.
    pub program: Option<ProgramId>,
    /// Its parameters.
    pub parameters: Vec<String>,
}

/// Whom `PART.PROGRAM`, `PROGRAM` or `PART` means.
///
/// # Errors
/// When it means nothing, or two things; both are listed then.
pub fn target(scope: &dyn Scope, path: &[Spanned<String>]) -> Result<Target, SyntaxError> {
    let error = |name: &Spanned<String>, message: String, help: String| {
        Err(SyntaxError { at: name.at.clone(), message, help: Some(help) })
    };
    match path {
        [name] => match (scope.part(&name.value), scope.program(None, &name.value)) {
            (Some((part, role)), _) if replies(scope, part, role) => {
                Ok(Target { to: part, program: None, parameters: Vec::new() })
            }
            (_, Ok((part, program, parameters))) => {
                Ok(Target { to: part, program: Some(program), parameters })
            }
            (_, Err(parts)) if parts.len() > 1 => {
                let all: Vec<String> = parts.iter().map(|part| format!("`{part}.{}`", name.value)).collect();
                error(
                    name,
                    format!("`{}` could mean {}", name.value, all.join(" or ")),
                    "name the part".to_owned(),
                )
            }
            (Some(_), _) => {
                let help = format!("write `{}.PROGRAM(…)`", name.value);
                error(name, format!("which program of `{}`?", name.value), help)
            }
            (None, Err(_)) => {
                let known = [scope.program_names(None), scope.part_names()].concat();
                let help = near_or(&name.value, &known, "write `PART.PROGRAM(args)`");
                error(name, format!("no part and no program is called `{}`", name.value), help)
            }
        },
        [part, name] => {
            let Some((id, role)) = scope.part(&part.value) else {
                let known = scope.part_names();
                let help = near_or(&part.value, &known, &format!("parts: {}", known.join(", ")));
                return error(part, format!("unknown part `{}`", part.value), help);
            };
            if replies(scope, id, role) {
                let message =
                    format!("`{}` is a dependency that we do not own: it has no programs", part.value);
                return error(name, message, format!("write `call {}`", part.value));
            }
            let behind = scope.behind(id).map(|(behind, _)| behind);
            let runs = if role == PartRole::Balances { behind } else { Some(id) };
            match scope.program(runs, &name.value) {
                Ok((_, program, parameters)) => Ok(Target { to: id, program: Some(program), parameters }),
                Err(_) => {
                    let known = scope.program_names(runs);
                    let help =
                        near_or(&name.value, &known, &format!("define it under `[on.{}]`", part.value));
                    error(name, format!("`{}` has no program `{}`", part.value, name.value), help)
                }
            }
        }
        _ => error(
            &path[0],
            "a call names a part and a program".to_owned(),
            "write `call app.page(item=1)`".to_owned(),
        ),
    }
}

/// Whether a part is called without a program: a dependency that we do not own, or a load balancer in front of one.
fn replies(scope: &dyn Scope, part: PartId, role: PartRole) -> bool {
    let behind = || scope.behind(part).map(|(_, role)| role);
    role == PartRole::Replies || role == PartRole::Balances && behind() == Some(PartRole::Replies)
}

/// The nearest known word, or what else helps.
fn near_or(word: &str, known: &[String], other: &str) -> String {
    nearest(word, known.iter().map(String::as_str))
        .map_or(other.to_owned(), |near| format!("did you mean `{near}`?"))
}

/// What is said of an argument that a program has no parameter for.
pub const NO_PARAMETER: &str = "no such parameter";

/// Arguments in the order of the parameters, padded to [`ARGS_MAX`].
///
/// # Errors
/// When one is missing, unknown, or given twice.
pub fn order_arguments<'a>(
    args: &'a [Arg],
    parameters: &[String],
    whole: &std::ops::Range<usize>,
) -> Result<Vec<Option<&'a Spanned<Expr>>>, Vec<SyntaxError>> {
    let mut ordered: Vec<Option<&Spanned<Expr>>> = vec![None; ARGS_MAX.max(parameters.len())];
    let mut errors = Vec::new();
    let takes = if parameters.is_empty() {
        "it takes none".to_owned()
    } else {
        format!("it takes {}", parameters.join(", "))
    };
    let mut next = 0;
    for arg in args {
        let index = match &arg.key {
            Some(Spanned { value: ArgKey::Name(name), .. }) => {
                parameters.iter().position(|parameter| parameter == name)
            }
            Some(_) => None,
            None => {
                next += 1;
                Some(next - 1).filter(|index| *index < parameters.len())
            }
        };
        let at = arg.key.as_ref().map_or(&arg.value.at, |key| &key.at);
        match index {
            Some(index) if ordered[index].is_none() => ordered[index] = Some(&arg.value),
            Some(index) => errors.push(SyntaxError {
                at: at.clone(),
                message: format!("`{}` is given twice", parameters[index]),
                help: Some(takes.clone()),
            }),
            None => {
                let message = match &arg.key {
                    Some(Spanned { value: ArgKey::Name(name), .. }) => {
                        format!("{NO_PARAMETER}: it uses no `{name}`")
                    }
                    _ => NO_PARAMETER.to_owned(),
                };
                let help =
                    format!("{takes}: a program's parameters are the names that it uses and does not set");
                errors.push(SyntaxError { at: at.clone(), message, help: Some(help) });
            }
        }
    }
    for (parameter, given) in parameters.iter().zip(&ordered) {
        if given.is_none() {
            let message = format!("the argument `{parameter}` is missing");
            errors.push(SyntaxError { at: whole.clone(), message, help: Some(takes.clone()) });
        }
    }
    if errors.is_empty() { Ok(ordered) } else { Err(errors) }
}

impl Compiler<'_> {
    pub(super) fn call(
        &mut self,
        step: &Step,
        path: &[Spanned<String>],
        args: &[Arg],
        with: Option<&Spanned<String>>,
        from: Option<&Spanned<String>>,
        size: Option<&Spanned<Expr>>,
    ) {
        let policy = self.policy(with);
        let zone = from.and_then(|from| self.zone(from));
        let size_bytes = self.size(size);
        let target = target(self.scope, path);
        let site_step = self.site();
        match target {
            Ok(Target { to, program, parameters }) => {
                self.arguments(step, args, &parameters);
                let site = self.program.calls.len() as u16;
                self.program.calls.push(CallSite { to, program, policy, from: zone, size_bytes });
                self.emit(Instr::Call { site, step: site_step });
            }
            Err(error) => self.errors.push(error),
        }
    }

    pub(super) fn policy(&mut self, with: Option<&Spanned<String>>) -> PolicyId {
        let Some(with) = with else { return self.scope.default_policy() };
        self.scope.policy(&with.value).unwrap_or_else(|| {
            self.error(
                &with.at,
                format!("unknown policy `{}`", with.value),
                "define `policy.NAME = { timeout = \"1s\" }`",
            );
            PolicyId(0)
        })
    }

    fn zone(&mut self, from: &Spanned<String>) -> Option<ZoneId> {
        let zone = self.scope.zone(&from.value);
        if zone.is_none() {
            self.error(&from.at, format!("unknown zone `{}`", from.value), "define `zone.NAME = {}`");
        }
        zone
    }

    /// Code that pushes the arguments in the order of the callee's parameters.
    fn arguments(&mut self, step: &Step, args: &[Arg], parameters: &[String]) {
        match order_arguments(args, parameters, &step.at) {
            Ok(ordered) => {
                for arg in ordered {
                    match arg {
                        Some(arg) => self.value(arg),
                        None => {
                            self.emit(Instr::Push(0));
                        }
                    }
                }
            }
            Err(errors) => self.errors.extend(errors),
        }
    }
}
