//! What may be asked of a history of many keys, and the check of it.

use crate::check::history::{ByKey, Texts};
use crate::check::relations::accesses;
use crate::check::search::Budget;
use crate::check::session::Guarantee;
use crate::check::{Verdict, causal, judge, sequential, session};

/// What is asked of a history, from the strongest on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consistency {
    /// One order of all operations, each between its invocation and its return.
    Linearizable,
    /// One order of all operations that each process agrees with.
    Sequential,
    /// What an operation may depend on is visible to it, and all agree on one order of the writes: causal convergence.
    Causal,
    /// All four session guarantees.
    Session,
    /// One of them.
    Only(Guarantee),
}

impl Consistency {
    /// All, with their names.
    pub fn all() -> Vec<(&'static str, Consistency)> {
        let mut all = vec![
            ("linearizable", Consistency::Linearizable),
            ("sequential", Consistency::Sequential),
            ("causal", Consistency::Causal),
            ("session", Consistency::Session),
        ];
        all.extend(Guarantee::ALL.map(|(name, guarantee)| (name, Consistency::Only(guarantee))));
        all
    }

    /// Whether it is about values that were written and read, so that nothing else can be judged by it.
    pub fn is_about_values(self) -> bool {
        !matches!(self, Consistency::Linearizable | Consistency::Sequential)
    }

    /// What a history that holds is, and what one that is violated is.
    pub fn told(self) -> (String, String) {
        let is = |what: &str| (what.to_owned(), format!("not {what}"));
        match self {
            Consistency::Linearizable => is("linearizable"),
            Consistency::Sequential => is("sequentially consistent"),
            Consistency::Causal => is("causally consistent"),
            Consistency::Session => {
                ("keeps the session guarantees".to_owned(), "breaks the session guarantees".to_owned())
            }
            Consistency::Only(guarantee) => {
                let named = Guarantee::ALL.iter().find(|(_, other)| *other == guarantee);
                let name = named.map_or("", |(name, _)| name);
                (format!("keeps {name}"), format!("breaks {name}"))
            }
        }
    }
}

/// Judges all operations; each process is a session.
pub fn check(keys: &ByKey, initial: i64, texts: &mut Texts, asked: Consistency, budget: Budget) -> Verdict {
    match asked {
        Consistency::Linearizable => judge::linearizable(keys, initial, texts, budget),
        Consistency::Sequential => sequential::check(&accesses(keys), initial, texts, None, budget),
        Consistency::Causal => causal::check(&accesses(keys), initial, texts, budget),
        Consistency::Session => session::check(&accesses(keys), initial, texts, None, &Guarantee::EVERY),
        Consistency::Only(guarantee) => session::check_one(&accesses(keys), initial, texts, None, guarantee),
    }
}
