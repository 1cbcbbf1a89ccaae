//! The order of versions of registers. What clients see of it is little: the initial version came first, and who read a version
//! and then wrote the key replaced it with what it wrote; two who replaced one version have lost an update. Where a store's own order is
//! given, it is known for good.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::check::history::NIL;
use crate::check::transactions::gather::Dependencies;
use crate::check::transactions::graph::How;
use crate::check::transactions::history::{Orders, What};
use crate::check::transactions::levels::Kind;
use crate::check::transactions::tell;
use crate::check::transactions::writes::Write;

/// A version: its key and its value, [`NIL`] for the initial one.
type Version = (u32, i64);

/// What is known of versions that come after a version.
#[derive(Default)]
struct Known {
    /// Who wrote what after it.
    later: FxHashMap<Version, Vec<(u32, i64)>>,
    /// Who read it and then wrote the key.
    replaced_by: FxHashMap<Version, Vec<u32>>,
    /// The node of all who replaced the initial version of a key.
    all: BTreeMap<u32, u32>,
}

/// Adds what can be inferred from registers, or what is known of them.
pub(super) fn depend(dependencies: &mut Dependencies<'_>, orders: Option<&Orders>) {
    let mut known = Known::default();
    if let Some(orders) = orders {
        given(dependencies, orders, &mut known);
    }
    replacements(dependencies, orders.is_none(), &mut known);
    lost(dependencies, &known);
    let history = dependencies.history;
    for (reader, transaction) in (0u32..).zip(&history.transactions) {
        if !dependencies.writes.effective[reader as usize] {
            continue;
        }
        for action in &transaction.actions {
            if let What::Read(value) = action.what {
                read(dependencies, reader, (action.key, value), &known);
            }
        }
    }
}

/// The order in which the store had the versions.
fn given(dependencies: &mut Dependencies<'_>, orders: &Orders, known: &mut Known) {
    for (key, values) in orders {
        let mut before: Option<(u32, i64)> = None;
        for value in values {
            let Some(writer) = dependencies.writer(*key, *value) else { continue };
            let old = before.map_or(NIL, |(_, old)| old);
            if let Some((earlier, old)) = before.replace((writer, *value)) {
                dependencies.depends(earlier, writer, How::Ww, *key, old, *value);
            }
            known.later.entry((*key, old)).or_default().push((writer, *value));
        }
    }
}

/// What transactions show that read a version and replaced it: an order where there is none to go by.
fn replacements(dependencies: &mut Dependencies<'_>, infer: bool, known: &mut Known) {
    let history = dependencies.history;
    let mut newest: FxHashMap<u32, i64> = FxHashMap::default();
    for (by, transaction) in (0u32..).zip(&history.transactions) {
        if !dependencies.writes.effective[by as usize] {
            continue;
        }
        newest.clear();
        for action in &transaction.actions {
            let key = action.key;
            match action.what {
                What::Read(value) => {
                    newest.insert(key, value);
                }
                What::Write(value) => {
                    // Of a version that several wrote nobody knows who replaced whose; and its own are not others' to see.
                    let is_known = |old: &i64| {
                        let others = |write: Write| write.by != by;
                        *old == NIL || dependencies.writes.only(key, *old).is_some_and(others)
                    };
                    let old = newest.insert(key, value).filter(is_known);
                    if let Some(old) = old {
                        known.replaced_by.entry((key, old)).or_default().push(by);
                    }
                    if infer {
                        follows(dependencies, by, (key, value), old, known);
                    }
                }
                What::Append(_) | What::List(_) => {}
            }
        }
    }
}

/// A version comes after the initial one, and after the one that its writer had read.
fn follows(
    dependencies: &mut Dependencies<'_>,
    by: u32,
    (key, value): Version,
    old: Option<i64>,
    known: &mut Known,
) {
    if let Some(old) = old {
        // That it comes after who wrote that one, its read says: at PL-1, where reads say nothing, versions may have any order.
        known.later.entry((key, old)).or_default().push((by, value));
    }
    let all = *known.all.entry(key).or_insert_with(|| dependencies.graph.node());
    dependencies.depends(all, by, How::Ww, key, NIL, value);
}

/// Two transactions that replaced one version.
fn lost(dependencies: &mut Dependencies<'_>, known: &Known) {
    let history = dependencies.history;
    let mut twice: Vec<(Version, u32, u32)> = Vec::new();
    for (version, by) in &known.replaced_by {
        let first = by[0];
        if let Some(other) = by.iter().find(|by| **by != first) {
            twice.push((*version, first, *other));
        }
    }
    if let Some(((key, value), one, other)) = twice.into_iter().min_by_key(|(version, ..)| *version) {
        let sentence = || tell::lost_update(history, one, other, key, value);
        dependencies.anomaly(Kind::LostUpdate, &[one, other], sentence);
    }
}

fn read(dependencies: &mut Dependencies<'_>, reader: u32, version: Version, known: &Known) {
    let (key, value) = version;
    if value != NIL
        && let Some(writer) = dependencies.writer(key, value)
    {
        if writer == reader {
            return; // its own
        }
        dependencies.depends(writer, reader, How::Wr, key, value, value);
    }
    let replacers = known.replaced_by.get(&version).map_or(&[][..], Vec::as_slice);
    if replacers.contains(&reader) && replacers.iter().any(|other| *other != reader) {
        return; // it comes before them and they before it: that has been told as a lost update
    }
    for (writer, after) in known.later.get(&version).into_iter().flatten() {
        dependencies.depends(reader, *writer, How::Rw, key, value, *after);
    }
    if value == NIL
        && let Some(all) = known.all.get(&key)
    {
        dependencies.depends(reader, *all, How::Rw, key, NIL, NIL);
    }
}
