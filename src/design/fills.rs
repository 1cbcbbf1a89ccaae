//! Caches and the programs that make their values: what a `fill` means, and what a cache without one is good for.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::base::ids::{PartId, ProgramId};
use crate::base::op::{ARGS_MAX, Args};
use crate::base::parameter::{Parameters, Setting};
use crate::base::problem::Problems;
use crate::base::quantity::{Quantity, Unit};
use crate::components::part::DOES_NOT_FIT;
use crate::design::names::Written;
use crate::design::programs::{DesignScope, told};
use crate::design::text::Text;
use crate::program::compile;
use crate::program::compile::scope::PartRole;
use crate::program::instr::{Instr, Programs};
use crate::program::syntax::{self, Does, Expr, Step, SyntaxError};

/// What fills a cache: a program with its arguments, one of which is the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fill {
    /// The part that the program belongs to.
    pub part: PartId,
    /// The program.
    pub program: ProgramId,
    /// Its arguments; that of the key is 0 here.
    pub args: Args,
    /// Which argument is the key.
    pub key: Option<usize>,
}

/// Resolves what fills the caches.
pub(super) fn fills(
    parameters: &[Option<Parameters>],
    scope: &DesignScope<'_>,
    problems: &mut Problems,
) -> BTreeMap<PartId, Fill> {
    let mut fills = BTreeMap::new();
    for (index, parameters) in parameters.iter().enumerate() {
        if let Some(Setting::Text(call, place)) =
            parameters.as_ref().and_then(|parameters| parameters.get("fill"))
        {
            // The text stands in the file as it is here unless it was escaped, and then the place is coarse.
            let exact = place.bytes.len() == call.len();
            let text = if exact {
                Text::verbatim(call, place.file, place.bytes.start)
            } else {
                Text::all_at(call, place)
            };
            match fill(call, scope) {
                Ok(fill) => {
                    fills.insert(PartId(u16::try_from(index).expect("parts are limited")), fill);
                }
                Err(errors) => told(&text, CALL.len(), errors, problems),
            }
        }
    }
    fills
}

/// A fill is a call without its first word, so that one grammar serves both.
const CALL: &str = "call ";

/// `build_page(item=key)`: which program, and which argument is the key.
fn fill(call: &str, scope: &DesignScope<'_>) -> Result<Fill, Vec<SyntaxError>> {
    let wrong = |at: Range<usize>, message: &str| {
        vec![SyntaxError {
            at,
            message: message.to_owned(),
            help: Some("write `build_page(item=key)`".to_owned()),
        }]
    };
    let whole = CALL.len()..CALL.len() + call.len();
    let steps = syntax::steps(&format!("{CALL}{call}"))?;
    let [
        Step {
            does: Does::Call { to: None, path, args, with: None, from: None, size: None },
            otherwise: None,
            ..
        },
    ] = &steps[..]
    else {
        return Err(wrong(whole, "a cache is filled by one call of a program"));
    };
    let target = compile::target(scope, path).map_err(|error| vec![error])?;
    let Some(program) = target.program else { return Err(wrong(whole, "a cache is filled by a program")) };
    let (name, _, role) = &scope.known.parts[scope.naming.programs[program.index()].part.index()];
    if *role != PartRole::Runs {
        let message =
            format!("a fill runs at whoever reads the cache, and the programs of `{name}` run at `{name}`");
        let help = format!("fill by a program of a server, which may `call {name}.PROGRAM(…)`");
        return Err(vec![SyntaxError { at: whole, message, help: Some(help) }]);
    }
    let ordered = compile::order_arguments(args, &target.parameters, &whole)?;
    let mut fill =
        Fill { part: scope.naming.programs[program.index()].part, program, args: [0; ARGS_MAX], key: None };
    for (index, arg) in ordered.into_iter().enumerate() {
        match arg.map(|arg| (&arg.value, arg)) {
            None => {}
            Some((Expr::Name(name), _)) if name == "key" && fill.key.is_none() => fill.key = Some(index),
            Some((Expr::Number(Quantity { exact: Some(number), unit: Unit::Count, .. }), _)) => {
                fill.args[index] = *number
            }
            Some((_, arg)) => {
                return Err(wrong(arg.at.clone(), "an argument of a fill is `key`, once, or a whole number"));
            }
        }
    }
    Ok(fill)
}

/// A cache without `fill` has what programs put: somebody must, and guards that rebuild in the background cannot be.
pub(super) fn unfilled(
    written: &[Written<'_>],
    programs: &Programs,
    parameters: &[Option<Parameters>],
    problems: &mut Problems,
) {
    let code = || programs.0.iter().flat_map(|program| &program.code);
    let put: BTreeSet<PartId> = code()
        .filter_map(|instr| match instr {
            Instr::PutValue { cache, .. } => Some(*cache),
            _ => None,
        })
        .collect();
    let read = |part: PartId| code().any(|instr| matches!(instr, Instr::Get { cache, .. } if *cache == part));
    for (part, (cache, of)) in (0u16..).map(PartId).zip(written.iter().zip(parameters)) {
        let Some(of) =
            of.as_ref().filter(|of| cache.kind.role == PartRole::Caches && of.get("fill").is_none())
        else {
            continue;
        };
        let name = &cache.entry.key;
        if let Some(Setting::Constructor(guard @ ("stale" | "refresh_ahead"), _)) = of.get("guard") {
            let place = of.place("guard").unwrap_or(&cache.entry.key_place).clone();
            let message =
                format!("`{guard}` rebuilds in the background, and '{name}' has no `fill` to do it by");
            let help = "write `fill = \"build(item=key)\"`, a program that returns the value";
            problems.at(DOES_NOT_FIT, place, message).help(help);
        } else if read(part) && !put.contains(&part) {
            let message = format!("nothing ever puts a value into '{name}': each `get` of it misses");
            let help = format!(
                "write `get {name}[k] else {{ … put {name}[k] = value }}`, or give it `fill = \"build(item=key)\"`"
            );
            problems.at(DOES_NOT_FIT, cache.entry.key_place.clone(), message).help(help);
        }
    }
}
