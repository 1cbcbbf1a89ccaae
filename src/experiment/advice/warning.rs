//! A warning, and the entry of a file that it points to.

use crate::base::problem::{Place, Problem};
use crate::design::tree::{Entry, Node, Table};

/// A warning in the making.
pub(super) fn warning(code: &'static str, place: &Place, message: String, help: &str) -> Problem {
    Problem { code, message, place: Some(place.clone()), help: Some(help.to_owned()) }
}

/// The entries of `kind.name = …`.
pub(super) fn named<'a>(tree: &'a Table, kind: &str) -> &'a [Entry] {
    tree.get(kind).and_then(Node::table).map_or(&[][..], Table::entries)
}
