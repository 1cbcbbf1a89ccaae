//! The parts. One file each, and one line each in [`KINDS`]; the order of the list is the order that users see.
//! They know no command line, no TOML: they get checked parameters and a directory.
//!
//! The layers, from the ground up; each imports only those before it: [`mech`] what parts are made of · [`directory`] who is where and how it is
//! asked, with the clients' half of a [`guard`] and of [`lock_client`] · [`part`] what the loader must know of one · [`storage`] what every copy of a
//! store has · [`replication`] how copies agree · [`runtime`] what runs programs · the parts, which do not know each other:
//! [`balancer`] [`cache`] [`db`] [`external`] [`locks`] [`server`], and the [`client`] that a workload is.

pub mod balancer;
pub mod cache;
pub mod client;
pub mod db;
pub mod directory;
pub mod external;
pub mod guard;
pub mod lock_client;
pub mod locks;
pub mod mech;
pub mod nobody;
pub mod part;
pub mod replication;
pub mod runtime;
#[cfg(test)]
pub mod script;
pub mod server;
pub mod storage;

use std::sync::Arc;

use crate::components::part::{Kind, OfKind};

/// Every kind of part that splitbrain has.
pub const KINDS: &[Kind] =
    &[server::KIND, balancer::LB, cache::CACHE, db::DB, locks::LOCK, external::EXTERNAL];

/// The kinds of parts that a design may have.
#[derive(Clone)]
pub struct Kinds(Arc<[Kind]>);

impl Kinds {
    /// Those that splitbrain has.
    pub fn builtin() -> Kinds {
        Kinds(KINDS.into())
    }

    /// These and one more. A design names it as it does the others: `[NAME.x]`.
    ///
    /// # Panics
    /// When there is a kind of that name.
    #[must_use]
    pub fn with<P: OfKind>(self) -> Kinds {
        let name = P::KIND.name;
        assert!(self.iter().all(|kind| kind.name != name), "there is a kind `{name}` already");
        Kinds(self.iter().copied().chain([P::KIND]).collect())
    }
}

#[cfg(test)]
impl Kinds {
    /// No others than these.
    pub fn of(kinds: &[Kind]) -> Kinds {
        Kinds(kinds.into())
    }
}

/// Those of tests: a `db` may break a rule of its protocol (`mutant = "acks_early"`).
#[cfg(feature = "internals")]
impl Kinds {
    /// Those that splitbrain has, with rules to break.
    pub fn with_mutants() -> Kinds {
        let breakable = |kind: &Kind| if kind.name == db::DB.name { db::BREAKABLE_DB } else { *kind };
        Kinds(KINDS.iter().map(breakable).collect())
    }
}

impl Default for Kinds {
    fn default() -> Kinds {
        Kinds::builtin()
    }
}

impl std::fmt::Debug for Kinds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter().map(|kind| kind.name)).finish()
    }
}

impl std::ops::Deref for Kinds {
    type Target = [Kind];

    fn deref(&self) -> &[Kind] {
        &self.0
    }
}
