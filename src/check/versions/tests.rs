//! What is lost, what has diverged and when copies agreed, against the definitions taken literally.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::convergence::{converged, differing, diverged};
use super::{Dag, Held, INITIAL, Install, Version, Write, held, lost};
use crate::check::history::PENDING;

fn write(version: Version, blind: bool, invoked: u64, returned: u64) -> Write {
    Write { version, key: 1, blind, place: version as usize, invoked, accepted: invoked + 1, returned }
}

fn holds(copy: u8, version: Version) -> Held {
    Held { key: 1, copy, version }
}

fn chain(versions: &[Version]) -> Dag {
    let mut dag = Dag::default();
    for pair in versions.windows(2) {
        dag.add(pair[1], &[pair[0]]);
    }
    dag
}

#[test]
fn copies_that_hold_the_same_are_not_asked_why() {
    let held = [holds(0, 2), holds(1, 2), Held { key: 2, ..holds(1, 3) }, Held { key: 2, ..holds(0, 2) }];
    assert_eq!(differing(held.to_vec(), 2), [Held { key: 2, ..holds(0, 2) }, Held { key: 2, ..holds(1, 3) }]);
    assert_eq!(differing(held.to_vec(), 3).len(), 4, "the third has nothing");
}

#[test]
fn what_the_converged_value_was_made_of_is_not_lost() {
    let dag = chain(&[0, 1, 2, 3]);
    let writes = [write(1, false, 0, 10), write(2, true, 20, 30), write(3, false, 40, 50)];
    assert_eq!(lost(&dag, &writes, &[holds(0, 3), holds(1, 3)]), [0; 0]);
    assert_eq!(lost(&dag, &writes, &[holds(0, 2), holds(1, 2)]), [2], "the tail was cut off");
    assert!(dag.is_in(1, 3) && !dag.is_in(3, 1) && dag.is_in(2, 2));
}

#[test]
fn an_update_that_a_merge_threw_away_is_lost_and_one_never_acknowledged_is_not() {
    let mut dag = chain(&[0, 1, 2]);
    dag.add(3, &[1]);
    let writes = [write(1, false, 0, 10), write(2, false, 20, 30), write(3, false, 20, PENDING)];
    assert_eq!(lost(&dag, &writes, &[holds(0, 3)]), [1]);
    assert_eq!(lost(&dag, &writes, &[holds(0, 2)]), [0; 0]);
    dag.add(4, &[2, 3]);
    assert_eq!(lost(&dag, &writes, &[holds(0, 4)]), [0; 0], "a merge of both");
}

#[test]
fn a_blind_write_takes_the_place_of_what_came_before_it_and_of_nothing_later() {
    let mut dag = Dag::default();
    for version in [1, 2] {
        dag.add(version, &[INITIAL]);
    }
    let of = |first: (u64, u64), second: (u64, u64), blind: bool| {
        let writes = [write(1, true, first.0, first.1), write(2, blind, second.0, second.1)];
        lost(&dag, &writes, &[holds(0, 2), holds(1, 2)])
    };
    assert_eq!(of((0, 10), (20, 30), true), [0; 0], "it came later");
    assert_eq!(of((0, 10), (20, 30), false), [0], "what is derived takes no place");
    assert_eq!(of((20, 30), (0, 25), true), [0; 0], "they overlapped");
    assert_eq!(of((20, 30), (0, 10), true), [0], "an older write won, by a clock that runs ahead");
    // The older one timed out, but the store had it at 1.
    assert_eq!(of((20, 30), (0, PENDING), true), [0]);
}

#[test]
fn of_blind_writes_that_go_down_together_the_last_is_lost() {
    let dag = chain(&[0, 1, 2, 3]);
    let writes = [write(1, true, 0, 10), write(2, true, 20, 30), write(3, true, 40, 50)];
    assert_eq!(lost(&dag, &writes, &[holds(0, INITIAL)]), [2]);
    let overlapping = [write(1, true, 0, 10), write(2, true, 20, 45), write(3, true, 40, 50)];
    assert_eq!(lost(&dag, &overlapping, &[holds(0, INITIAL)]), [1, 2]);
}

#[test]
fn copies_have_diverged_while_one_lacks_what_another_has() {
    let dag = chain(&[0, 1, 2]);
    let writes = [write(1, false, 0, 10), write(2, false, 20, 30)];
    let at = |first, second, before| diverged(&dag, &writes, 2, &[holds(0, first), holds(1, second)], before);
    assert_eq!(at(2, 2, 100), [0; 0]);
    assert_eq!(at(2, 1, 100), [1]);
    assert_eq!(at(2, 1, 21), [0; 0], "the second was accepted at 21, not before");
    assert_eq!(at(1, 1, 100), [0; 0], "nobody has the second: it is lost, not diverged");
    assert_eq!(diverged(&dag, &writes, 3, &[holds(0, 2), holds(1, 2)], 100), [1], "the third has nothing");
}

#[test]
fn copies_agree_from_the_last_install_that_mattered() {
    let dag = chain(&[0, 1, 2, 3]);
    let writes = [write(1, false, 0, 10), write(2, false, 20, 30), write(3, false, 100, 110)];
    let install = |at, copy, version| Install { at, copy, key: 1, version, beside: false };
    let installs = [
        install(1, 0, 1),
        install(5, 1, 1),
        install(21, 0, 2),
        install(60, 1, 2),
        install(101, 0, 3),
        install(150, 1, 3),
    ];
    assert_eq!(converged(&dag, &writes, 2, &installs, 50, 40), Some(60));
    assert_eq!(converged(&dag, &writes, 2, &installs, 50, 80), Some(80), "long since");
    assert_eq!(converged(&dag, &writes, 2, &installs, 120, 40), Some(150));
    assert_eq!(converged(&dag, &writes, 2, &installs[..5], 120, 40), None, "not yet");
    assert_eq!(held(&installs, 21), [holds(0, 2), holds(1, 1)]);
}

/// Versions from 1, each made of some earlier ones of the same key; who wrote them; what copies came to hold.
#[derive(Clone, Debug)]
struct Store {
    parents: Vec<Vec<Version>>,
    writes: Vec<Write>,
    installs: Vec<Install>,
}

const COPIES: u8 = 3;

fn stores() -> impl Strategy<Value = Store> {
    let version = (prop::collection::vec(0u64..9, 0..3), any::<bool>(), 0u64..60, 1u64..30, 0u8..4);
    let install = (0u64..3, 0..COPIES, 0u64..9, any::<bool>());
    (prop::collection::vec(version, 1..9), prop::collection::vec(install, 0..16)).prop_map(
        |(versions, installs)| {
            let mut store = Store { parents: vec![Vec::new()], writes: Vec::new(), installs: Vec::new() };
            let last = versions.len() as u64;
            for (number, (parents, blind, invoked, took, completion)) in versions.into_iter().enumerate() {
                let version = number as u64 + 1;
                let key = version as i64 % 2;
                let same = |parent: &u64| *parent < version && *parent as i64 % 2 == key && *parent > 0;
                store.parents.push(parents.into_iter().filter(same).collect());
                let returned = if completion == 0 { PENDING } else { invoked + took };
                let accepted = invoked + 1;
                let place = number;
                store.writes.push(Write { version, key, blind, place, invoked, accepted, returned });
            }
            let mut at = 0;
            for (later, copy, version, beside) in installs {
                at += later;
                let version = version.min(last);
                store.installs.push(Install { at, copy, key: version as i64 % 2, version, beside });
            }
            store
        },
    )
}

impl Store {
    fn dag(&self) -> Dag {
        let mut dag = Dag::default();
        for (version, parents) in self.parents.iter().enumerate().skip(1) {
            dag.add(version as u64, parents);
        }
        dag
    }

    /// A version and all that it was made of.
    fn made_of(&self, version: Version) -> BTreeSet<Version> {
        let mut all: BTreeSet<Version> =
            self.parents[version as usize].iter().flat_map(|parent| self.made_of(*parent)).collect();
        all.insert(version);
        all
    }

    fn has(&self, held: &[Held], key: i64, copy: u8) -> BTreeSet<Version> {
        let heads = held.iter().filter(|held| held.key == key && held.copy == copy);
        heads.flat_map(|held| self.made_of(held.version)).collect()
    }

    fn diverged(&self, held: &[Held], before: u64) -> Vec<i64> {
        let is_diverged = |key: &i64| {
            self.writes.iter().any(|write| {
                let having = (0..COPIES).filter(|copy| self.has(held, *key, *copy).contains(&write.version));
                write.accepted < before && (1..usize::from(COPIES)).contains(&having.count())
            })
        };
        (0..2).filter(is_diverged).collect()
    }

    fn lost(&self, held: &[Held]) -> Vec<usize> {
        let all: BTreeSet<Version> = held.iter().flat_map(|held| self.made_of(held.version)).collect();
        let is_lost = |place: &usize| {
            let write = &self.writes[*place];
            let took_its_place = |other: &Write| {
                let ended = if other.is_acknowledged() { other.returned } else { other.accepted };
                let survives = all.contains(&other.version);
                other.key == write.key
                    && other.blind
                    && (survives && ended > write.invoked
                        || other.is_acknowledged() && other.invoked > write.returned)
            };
            write.is_acknowledged()
                && !all.contains(&write.version)
                && !self.writes.iter().any(took_its_place)
        };
        (0..self.writes.len()).filter(is_lost).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, ..ProptestConfig::default() })]
    #[test]
    fn the_walks_agree_with_the_definitions(store in stores(), before in 0u64..60, from in 0u64..30) {
        let dag = store.dag();
        let now = held(&store.installs, u64::MAX);
        prop_assert_eq!(lost(&dag, &store.writes, &now), store.lost(&now));
        prop_assert_eq!(diverged(&dag, &store.writes, COPIES, &now, before), store.diverged(&now, before));
        let some = differing(now.clone(), COPIES);
        prop_assert_eq!(diverged(&dag, &store.writes, COPIES, &some, before), store.diverged(&now, before));
        // The last instant at which copies had diverged, and the one after it.
        let mut instants: Vec<u64> = store.installs.iter().map(|install| install.at).collect();
        instants.push(from);
        instants.sort_unstable();
        instants.dedup();
        let bad = |at: &u64| !store.diverged(&held(&store.installs, *at), before).is_empty();
        let later: Vec<u64> = instants.into_iter().filter(|at| *at >= from).collect();
        let expected = match later.iter().rposition(bad) {
            None => Some(from),
            Some(last) => later.get(last + 1).copied(),
        };
        prop_assert_eq!(
            converged(&dag, &store.writes, COPIES, &store.installs, before, from),
            expected
        );
    }
}
