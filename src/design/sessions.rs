//! Which stores customers' tokens speak of: those that some program reads `at session` and whose copies follow a log. One copy has seen
//! everything, and a quorum shows what others have seen by asking enough copies. Copies without one order among their
//! changes have no position that a token could hold: reading them `at session` is refused rather than done as if.

use crate::base::ids::PartId;
use crate::base::op::At;
use crate::base::parameter::{Parameters, Setting};
use crate::base::problem::Problems;
use crate::base::session::SESSION_STORES_MAX;
use crate::design::codes;
use crate::design::names::Written;
use crate::program::instr::{Instr, Programs};

/// How copies that agree in some way honour `at session`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Honours {
    /// Without knowing what the customer has seen.
    Anyway,
    /// By the position that its token holds.
    ByToken,
    /// Not at all.
    Not,
}

impl Honours {
    fn of(parameters: Option<&Parameters>) -> Honours {
        match parameters.and_then(|parameters| parameters.get("copy")) {
            Some(Setting::Constructor("async" | "sync" | "raft", _)) => Honours::ByToken,
            Some(Setting::Constructor("none" | "quorum", _)) | None => Honours::Anyway,
            Some(_) => Honours::Not,
        }
    }
}

/// The stores that some program reads `at session`, in order of name.
fn read_at_session(programs: &Programs) -> Vec<PartId> {
    let read = programs.0.iter().flat_map(|program| &program.code).filter_map(|instr| match instr {
        Instr::Read { db, at: At::Session, .. } => Some(*db),
        _ => None,
    });
    let mut stores: Vec<PartId> = read.collect();
    stores.sort_unstable();
    stores.dedup();
    stores
}

/// Those among them that tokens speak of, in the order of their places in tokens.
pub fn sessions<'k>(
    programs: &Programs,
    parameters: impl Fn(PartId) -> Option<&'k Parameters>,
) -> Vec<PartId> {
    let stores = read_at_session(programs).into_iter();
    stores.filter(|store| Honours::of(parameters(*store)) == Honours::ByToken).collect()
}

/// Says which stores cannot be read so, and that there are too many of those that can.
pub(super) fn check(
    written: &[Written<'_>],
    programs: &Programs,
    parameters: &[Option<Parameters>],
    problems: &mut Problems,
) {
    let entry = |store: &PartId| written[store.index()].entry;
    for store in read_at_session(programs) {
        if Honours::of(parameters[store.index()].as_ref()) == Honours::Not {
            let message = format!(
                "'{}' cannot be read `at session`: its copies have no order that says what a customer has seen",
                entry(&store).key
            );
            problems
                .at(codes::LATER, entry(&store).key_place.clone(), message)
                .help("read `at nearest`, or write `copy = \"async\"`");
        }
    }
    let stores = sessions(programs, |part| parameters[part.index()].as_ref());
    if stores.len() > SESSION_STORES_MAX {
        let names: Vec<String> = stores.iter().map(|store| format!("`{}`", entry(store).key)).collect();
        let (many, names) = (stores.len(), names.join(", "));
        let message = format!("{many} stores are read `at session` ({names}): at most {SESSION_STORES_MAX}");
        let last = entry(&stores[stores.len() - 1]).key_place.clone();
        problems
            .at(codes::LIMIT, last, message)
            .help("what a customer has seen of each travels with every call; read the others `at primary`");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_copies_that_follow_a_log_need_a_place_in_tokens_and_an_unknown_way_to_copy_is_refused() {
        let honours = |form: &'static str| {
            let mut parameters = Parameters::default();
            parameters.values.insert("copy", (Setting::Constructor(form, Parameters::default()), None));
            Honours::of(Some(&parameters))
        };
        assert_eq!(["async", "sync", "raft"].map(honours), [Honours::ByToken; 3]);
        assert_eq!(["none", "quorum"].map(honours), [Honours::Anyway; 2]);
        assert_eq!(honours("multi_leader"), Honours::Not);
        assert_eq!(Honours::of(Some(&Parameters::default())), Honours::Anyway, "there is one copy");
    }
}
