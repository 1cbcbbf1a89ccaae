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

use crate::components::part::Kind;

/// Every kind of part.
pub const KINDS: &[Kind] =
    &[server::KIND, balancer::LB, cache::CACHE, db::DB, locks::LOCK, external::EXTERNAL];
