//! What a copy holds of a row, and how two copies' cells become one. Merging is commutative, associative and
//! idempotent, so copies that have seen the same writes agree, whatever the order.
//!
//! * `last_write` – the newer stamp wins; stamps are read from the coordinators' clocks, which may be wrong.
//! * `siblings` – concurrent writes all stay, until a writer who has read them replaces them: an observed-remove set of
//!   values under a version vector (Almeida et al., "Scalable and accurate causality tracking for eventually
//!   consistent stores", DAIS 2014; Bieniusa et al., "An optimized conflict-free replicated set", 2012).
//! * `counter` – each coordinator counts its own additions, the value is their sum (a PN-counter: Shapiro et al., RR-7506,
//!   2011).

use crate::base::ids::OpId;
use crate::base::op::Value;
use crate::base::rng::mix;
use crate::base::time::ClockTime;
use crate::components::storage::rows::RowName;

/// The most copies of a store.
pub const COPIES_MAX: usize = 9;

/// How cells are merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Merge {
    /// The newer stamp wins.
    LastWrite,
    /// Concurrent writes all stay.
    Siblings,
    /// Additions add up.
    Counter,
}

/// When a value was written, by its coordinator's wall clock, and by whom: no two writes share a stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp {
    /// What the clock showed.
    pub at: ClockTime,
    /// The coordinator.
    pub member: u8,
    /// Its count of writes, for two in one nanosecond.
    pub count: u32,
}

/// The n-th write that a member coordinated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dot {
    /// The coordinator.
    pub member: u8,
    /// Its count, from 1.
    pub count: u64,
}

/// What one copy holds of one row. Messages carry it and are moved about: what most stores never use stands apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Cell {
    /// `last_write`.
    Last {
        /// When it was written.
        stamp: Stamp,
        /// The value.
        value: Value,
    },
    /// `siblings`.
    Siblings {
        /// The values that nothing replaced, in order of their dots.
        alive: Vec<(Dot, Value)>,
        /// By member: the writes that this cell has seen, alive or replaced.
        seen: Box<[u64; COPIES_MAX]>,
    },
    /// `counter`: by member, the sum of what it added and how often it did.
    Counter(Box<[(i64, u64); COPIES_MAX]>),
}

impl Cell {
    /// A row that nobody has written.
    pub fn empty(merge: Merge) -> Option<Cell> {
        match merge {
            Merge::LastWrite => None,
            Merge::Siblings => Some(Cell::Siblings { alive: Vec::new(), seen: Box::new([0; COPIES_MAX]) }),
            Merge::Counter => Some(Cell::Counter(Box::new([(0, 0); COPIES_MAX]))),
        }
    }

    /// Takes in what another copy holds. True if that changed anything.
    pub fn merge(&mut self, other: &Cell) -> bool {
        match (self, other) {
            (Cell::Last { stamp, value }, Cell::Last { stamp: theirs, value: new }) => {
                let newer = *theirs > *stamp;
                if newer {
                    (*stamp, *value) = (*theirs, *new);
                }
                newer
            }
            (Cell::Siblings { alive, seen }, Cell::Siblings { alive: theirs, seen: they_saw }) => {
                let before = (alive.clone(), seen.clone());
                let known = |dot: Dot, seen: &[u64; COPIES_MAX]| dot.count <= seen[dot.member as usize];
                // Ours stay unless they have seen and dropped them; theirs come unless we have.
                let mut merged: Vec<(Dot, Value)> = alive
                    .iter()
                    .filter(|one| theirs.contains(one) || !known(one.0, they_saw))
                    .copied()
                    .collect();
                let new = theirs.iter().filter(|one| !alive.contains(one) && !known(one.0, seen));
                merged.extend(new.copied().collect::<Vec<_>>());
                merged.sort_by_key(|(dot, _)| *dot);
                *alive = merged;
                seen.iter_mut().zip(they_saw.iter()).for_each(|(ours, theirs)| *ours = (*ours).max(*theirs));
                (&before.0, &before.1) != (&*alive, &*seen)
            }
            (Cell::Counter(ours), Cell::Counter(theirs)) => {
                let mut changed = false;
                for (ours, theirs) in
                    ours.iter_mut().zip(theirs.iter()).filter(|(ours, theirs)| theirs.1 > ours.1)
                {
                    *ours = *theirs;
                    changed = true;
                }
                changed
            }
            (ours, theirs) => unreachable!("one store merges in one way: {ours:?} {theirs:?}"),
        }
    }

    /// What a reader is told. Of several siblings the one with the greatest dot, under a version that stands for them
    /// all: a write that names it as its parent replaces them all. The version of a counter stands for who added how often, and for
    /// the row: no two rows share a version.
    pub fn value(&self, (table, key): RowName, initial: Value) -> Value {
        match self {
            Cell::Last { value, .. } => *value,
            Cell::Siblings { alive, .. } => match &alive[..] {
                [] => initial,
                [(_, value)] => *value,
                [.., (_, value)] => Value { version: together(alive), ..*value },
            },
            Cell::Counter(sums) => {
                let n = sums.iter().fold(initial.n, |n, (sum, _)| n.saturating_add(*sum));
                let row = mix(u64::from(table), key as u64);
                let version = sums.iter().fold(row, |version, (_, times)| mix(version, *times));
                let untouched = sums.iter().all(|(_, times)| *times == 0);
                Value { n, version: OpId(if untouched { 0 } else { version | 1 }), parent: OpId(0) }
            }
        }
    }

    /// `last_write` and `siblings`: a new value, derived from what `parent` stands for.
    pub fn write(&mut self, member: u8, value: Value) {
        let Cell::Siblings { alive, seen } = self else { unreachable!("only siblings are added to") };
        let replaced: Vec<Dot> = if together(alive) == value.parent {
            alive.iter().map(|(dot, _)| *dot).collect()
        } else {
            alive.iter().filter(|(_, one)| one.version == value.parent).map(|(dot, _)| *dot).collect()
        };
        alive.retain(|(dot, _)| !replaced.contains(dot));
        seen[member as usize] += 1;
        alive.push((Dot { member, count: seen[member as usize] }, value));
        alive.sort_by_key(|(dot, _)| *dot);
    }

    /// `counter`: an addition by a member.
    pub fn add(&mut self, member: u8, delta: i64) {
        let Cell::Counter(sums) = self else { unreachable!("only counters count") };
        let (sum, times) = &mut sums[member as usize];
        *sum = sum.saturating_add(delta);
        *times += 1;
    }

    /// Size on the wire, bytes: header and row, and again for each further value.
    pub fn size_bytes(&self) -> u32 {
        match self {
            Cell::Last { .. } => 256,
            Cell::Siblings { alive, .. } => 256 + 128 * alive.len().saturating_sub(1) as u32,
            Cell::Counter(_) => 384,
        }
    }
}

/// The version that stands for all of several values.
fn together(alive: &[(Dot, Value)]) -> OpId {
    match alive {
        [(_, value)] => value.version,
        _ => OpId(alive.iter().fold(0, |all, (_, value)| mix(all, value.version.0)) | 1 << 63),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ROW: RowName = (0, 7);

    fn value(n: i64, version: u64, parent: u64) -> Value {
        Value { n, version: OpId(version), parent: OpId(parent) }
    }

    fn last(at: u64, n: i64) -> Cell {
        let stamp = Stamp { at: ClockTime::from_ns(at), member: (at % 3) as u8, count: at as u32 };
        Cell::Last { stamp, value: value(n, at, 0) }
    }

    fn siblings() -> Cell {
        Cell::empty(Merge::Siblings).expect("it begins empty")
    }

    #[test]
    fn the_newer_stamp_wins_whoever_is_asked() {
        let (mut a, mut b) = (last(5, 1), last(9, 2));
        assert!(a.merge(&b) && !b.merge(&last(5, 1)));
        assert_eq!((a.value(ROW, Value::default()).n, a), (2, b));
    }

    #[test]
    fn concurrent_writes_stay_until_a_reader_of_both_replaces_them() {
        let (mut a, mut b) = (siblings(), siblings());
        a.write(0, value(1, 11, 0));
        b.write(1, value(2, 22, 0));
        a.merge(&b);
        let seen = a.value(ROW, Value::default());
        assert_eq!(seen.n, 2, "the greatest dot's");
        let mut blind = a.clone();
        blind.write(2, value(9, 99, 11));
        let Cell::Siblings { alive, .. } = &blind else { panic!() };
        assert_eq!(alive.len(), 2, "who has read one replaces one");
        a.write(0, value(3, 33, seen.version.0));
        let Cell::Siblings { alive, .. } = &a else { panic!() };
        assert_eq!(alive.iter().map(|(_, value)| value.n).collect::<Vec<_>>(), [3]);
        b.merge(&a);
        assert_eq!(a, b, "what was replaced does not come back");
        assert!(!a.merge(&b));
    }

    #[test]
    fn additions_add_up() {
        let (mut a, mut b) = (Cell::empty(Merge::Counter).unwrap(), Cell::empty(Merge::Counter).unwrap());
        a.add(0, 5);
        b.add(1, -2);
        b.add(1, 1);
        a.merge(&b);
        b.merge(&a);
        assert_eq!((a.value(ROW, value(100, 0, 0)).n, &a), (104, &b));
        assert!(!a.merge(&b));
    }

    /// Else what became of one row's additions would hide what became of another's.
    #[test]
    fn rows_with_the_same_additions_have_versions_of_their_own() {
        let mut cell = Cell::empty(Merge::Counter).unwrap();
        cell.add(0, 1);
        let versions: std::collections::BTreeSet<u64> = (0..3u16)
            .flat_map(|table| (-50..50).map(move |key| (table, key)))
            .map(|row| cell.value(row, Value::default()).version.0)
            .collect();
        assert_eq!(versions.len(), 300);
        assert_eq!(Cell::empty(Merge::Counter).unwrap().value(ROW, Value::default()).version, OpId(0));
    }

    /// Cells as copies of one store could hold them: each member writes to its own copy, copies meet now and then.
    fn histories(merge: Merge) -> impl Strategy<Value = Vec<Cell>> {
        prop::collection::vec((0u8..3, 0u8..3, -5i64..5), 1..30).prop_map(move |steps| {
            let mut copies: Vec<Option<Cell>> = vec![Cell::empty(merge); 3];
            for (place, (member, other, n)) in steps.into_iter().enumerate() {
                let version = place as u64 + 1;
                if member == other {
                    match (merge, &mut copies[member as usize]) {
                        (Merge::LastWrite, copy) => {
                            let stamp =
                                Stamp { at: ClockTime::from_ns(n as u64 % 7), member, count: place as u32 };
                            let new = Cell::Last { stamp, value: value(n, version, 0) };
                            match copy {
                                Some(cell) => _ = cell.merge(&new),
                                None => *copy = Some(new),
                            }
                        }
                        (Merge::Siblings, Some(cell)) => {
                            let parent = if n > 0 { cell.value(ROW, Value::default()).version.0 } else { 0 };
                            cell.write(member, value(n, version, parent));
                        }
                        (Merge::Counter, Some(cell)) => cell.add(member, n),
                        _ => unreachable!("these begin empty"),
                    }
                } else if let Some(theirs) = copies[other as usize].clone() {
                    match &mut copies[member as usize] {
                        Some(cell) => _ = cell.merge(&theirs),
                        copy => *copy = Some(theirs),
                    }
                }
            }
            copies.into_iter().flatten().collect()
        })
    }

    fn merged(cells: &[&Cell]) -> Cell {
        let mut all = cells[0].clone();
        cells[1..].iter().for_each(|cell| _ = all.merge(cell));
        all
    }

    proptest! {
        #[test]
        fn merging_is_commutative_associative_and_idempotent(
            cells in prop_oneof![histories(Merge::LastWrite), histories(Merge::Siblings), histories(Merge::Counter)]
        ) {
            for a in &cells {
                prop_assert_eq!(&merged(&[a, a]), a);
                for b in &cells {
                    prop_assert_eq!(merged(&[a, b]), merged(&[b, a]));
                    for c in &cells {
                        let left = merged(&[&merged(&[a, b]), c]);
                        prop_assert_eq!(left, merged(&[a, &merged(&[b, c])]));
                    }
                }
            }
        }
    }
}
