//! Each anomaly beside a history that is almost the same and has none; and small random histories against trying every serial order.

mod levels;
mod oracle;
mod random;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::check::history::{NIL, PENDING};
use crate::check::transactions::graph::{Cycle, Edge, Graph, How, Why};
use crate::check::transactions::levels::Kind;
use crate::check::transactions::report::Report;

/// A history from a line for each transaction: `w x 1, r y -` of registers, `a x 1, l x 1 2` of lists; `!` before what was aborted, `?`
/// before what nobody knows. Places count from 1.
fn history(lines: &[&str]) -> Transactions {
    let mut history = Transactions::default();
    for (place, line) in (1..).zip(lines) {
        let completion = match line.chars().next() {
            Some('!') => Completion::Aborted,
            Some('?') => Completion::Unknown,
            _ => Completion::Committed,
        };
        let mut actions = Vec::new();
        for action in
            line.trim_start_matches(['!', '?']).split(',').filter(|action| !action.trim().is_empty())
        {
            let words: Vec<&str> = action.split_whitespace().collect();
            let number = |word: &str| word.parse().unwrap_or(NIL);
            let key = history.keys.iter().position(|key| key == words[1]).unwrap_or_else(|| {
                history.keys.push(words[1].to_owned());
                history.keys.len() - 1
            });
            let what = match words[0] {
                "w" => What::Write(number(words[2])),
                "r" => What::Read(number(words[2])),
                "a" => What::Append(number(words[2])),
                _ => {
                    let seen: Vec<i64> = words[2..].iter().map(|word| number(word)).collect();
                    What::List(history.see(key as u32, &seen))
                }
            };
            actions.push(Action { key: key as u32, what });
        }
        history.transactions.push(transaction(place, completion, actions));
    }
    history
}

/// Each of another process, one after the other.
fn transaction(place: usize, completion: Completion, actions: Vec<Action>) -> Transaction {
    let (process, invoked) = (place as u64, 2 * place as u64);
    let returned = if completion == Completion::Committed { invoked + 1 } else { PENDING };
    Transaction { process, place, invoked, returned, completion, actions }
}

fn kinds(lines: &[&str]) -> Vec<Kind> {
    let report = check(&history(lines), None);
    assert_eq!(report.unknown, None);
    report.kinds()
}

#[test]
fn each_anomaly_of_lists_is_told_from_its_good_counterpart() {
    let table: &[(&[Kind], &[&str], &[&str])] = &[
        (
            &[Kind::G0],
            &["a x 1, a y 1", "a x 2, a y 2", "l x 1 2, l y 2 1"],
            &["a x 1, a y 1", "a x 2, a y 2", "l x 1 2, l y 1 2"],
        ),
        (&[Kind::G1a], &["!a x 1", "l x 1"], &["!a x 1", "l x"]),
        (&[Kind::G1a], &["!a x 1, a x 3", "a x 2", "l x 1 2"], &["!a x 1, a x 3", "a x 2", "l x 2"]),
        (&[Kind::G1b, Kind::GSingle], &["a x 1, a x 2", "l x 1", "l x 1 2"], &["a x 1, a x 2", "l x 1 2"]),
        (&[Kind::G1c], &["a x 1, l y 1", "a y 1, l x 1"], &["a x 1, l y", "a y 1, l x 1"]),
        (
            &[Kind::GSingle],
            &["l x, l y 1", "a x 1, a y 1", "l x 1, l y 1"],
            &["l x, l y", "a x 1, a y 1", "l x 1, l y 1"],
        ),
        (
            &[Kind::G2Item],
            &["l x, a y 1", "l y, a x 1", "l x 1, l y 1"],
            &["l x, a y 1", "l y 1, a x 1", "l x 1, l y 1"],
        ),
        (
            &[Kind::GNonadjacent],
            &["l x, l w 1", "a x 1, a z 1", "l z 1, l y", "a y 1, a w 1"],
            &["l x 1, l w 1", "a x 1, a z 1", "l z 1, l y", "a y 1, a w 1"],
        ),
        (&[Kind::NoOrder], &["a x 1", "a x 2", "l x 1 2", "l x 2"], &["a x 1", "a x 2", "l x 1 2", "l x 1"]),
        (&[Kind::Nowhere], &["l x 1"], &["a x 1", "l x 1"]),
        (&[Kind::Internal], &["a x 1, l x"], &["a x 1, l x 1"]),
        (&[Kind::Internal], &["a x 1, a x 2, l x 1"], &["a x 1, a x 2, l x 1 2"]),
        (&[Kind::Future], &["l x 1, a x 1"], &["l x, a x 1"]),
        (&[Kind::NonRepeatable, Kind::GSingle], &["a x 1", "l x, l x 1"], &["a x 1", "l x 1, l x 1"]),
        (
            &[Kind::NonRepeatable, Kind::GSingle],
            &["a x 1", "l x, a x 2, l x 1 2"],
            &["a x 1", "l x 1, a x 2, l x 1 2"],
        ),
        (&[Kind::NoOrder], &["a x 1, a x 2", "l x 2 1"], &["a x 1, a x 2", "l x 1 2"]),
        // Nobody reads later, so the order of the two appends is not known; either loses one.
        (
            &[Kind::LostUpdate, Kind::G2Item],
            &["a x 0", "l x 0, a x 1", "l x 0, a x 2"],
            &["a x 0", "l x 0, a x 1", "a x 2"],
        ),
    ];
    for (expected, bad, good) in table {
        assert_eq!(kinds(bad), *expected, "{bad:?}");
        assert_eq!(kinds(good), [], "{good:?}");
    }
}

#[test]
fn each_anomaly_of_registers_is_told_from_its_good_counterpart() {
    let table: &[(&[Kind], &[&str], &[&str])] = &[
        (&[Kind::G1a], &["!w x 1", "r x 1"], &["!w x 1", "r x -"]),
        (&[Kind::G1b], &["w x 1, w x 2", "r x 1"], &["w x 1, w x 2", "r x 2"]),
        (&[Kind::G1c], &["w x 1, r y 1", "w y 1, r x 1"], &["w x 1, r y -", "w y 1, r x 1"]),
        (&[Kind::LostUpdate], &["r x -, w x 1", "r x -, w x 2"], &["r x -, w x 1", "r x 1, w x 2"]),
        (&[Kind::GSingle], &["r x -, r y 1", "w x 1, w y 1"], &["r x -, r y -", "w x 1, w y 1"]),
        (&[Kind::G2Item], &["r x -, w y 1", "r y -, w x 1"], &["r x -, w y 1", "r y 1, w x 1"]),
        (&[Kind::Nowhere], &["r x 1"], &["w x 1", "r x 1"]),
        (&[Kind::Internal], &["w x 1, r x -"], &["w x 1, r x 1"]),
        (&[Kind::Future], &["r x 5, w x 5"], &["r x -, w x 5"]),
        (&[Kind::NonRepeatable], &["w x 5", "w x 6", "r x 5, r x 6"], &["w x 5", "w x 6", "r x 5, r x 5"]),
        (
            &[Kind::G1c],
            &["r x -, w x 1, r y 2, w y 3", "r x 1, w x 2, r y -, w y 2"],
            &["r x -, w x 1", "r x 1, w x 2, r y -, w y 2"],
        ),
    ];
    for (expected, bad, good) in table {
        let found = kinds(bad);
        assert!(expected.iter().all(|kind| found.contains(kind)), "{bad:?}: {found:?}");
        assert!(found.len() == expected.len() || bad[0].len() > 20, "{bad:?}: {found:?}");
        assert_eq!(kinds(good), [], "{good:?}");
    }
}

#[test]
fn a_store_s_own_order_shows_what_clients_cannot_see() {
    let lines = ["w x 1, w y 1", "w x 2, w y 2"];
    assert_eq!(kinds(&lines), []);
    let orders = |x: [i64; 2], y: [i64; 2]| Orders::from([(0, x.to_vec()), (1, y.to_vec())]);
    assert_eq!(check(&history(&lines), Some(&orders([1, 2], [2, 1]))).kinds(), [Kind::G0]);
    assert_eq!(check(&history(&lines), Some(&orders([1, 2], [1, 2]))).kinds(), []);
}

#[test]
fn levels_permit_what_adya_s_table_says() {
    let permitted = |level: Level| -> Vec<&str> {
        Kind::ALL.iter().filter(|(_, kind)| level.permits(*kind)).map(|(name, _)| *name).collect()
    };
    let weak =
        ["G1a", "G1b", "G1c", "non-repeatable read", "lost update", "G-single", "G-nonadjacent", "G2-item"];
    assert_eq!(permitted(Level::ReadUncommitted), weak);
    for level in [Level::ReadCommitted, Level::MonotonicAtomicView] {
        assert_eq!(permitted(level), weak[3..]);
    }
    for level in [Level::ItemCut, Level::ReadAtomic, Level::Causal] {
        assert_eq!(permitted(level), weak[4..]);
    }
    assert_eq!(permitted(Level::ParallelSnapshot), weak[6..]);
    assert_eq!(permitted(Level::Snapshot), weak[7..]);
    assert_eq!(permitted(Level::StrongSessionSnapshot), weak[7..]);
    assert_eq!(permitted(Level::RepeatableRead), [""; 0]);
    assert_eq!(permitted(Level::Serializable), [""; 0]);
    let skew = check(&history(&["l x, a y 1", "l y, a x 1", "l x 1, l y 1"]), None);
    assert_eq!(skew.verdict(Level::Snapshot), Verdict::Holds);
    let Verdict::Violated(witness) = skew.verdict(Level::Serializable) else { panic!("{skew:?}") };
    assert_eq!(
        witness.sentence,
        "G2-item: the transaction of line 1 saw the initial x before the transaction of line 2 wrote x = 1; the \
         transaction of line 2 saw the initial y before the transaction of line 1 wrote y = 1: each must come before the \
         next, and the last before the first"
    );
    assert_eq!(witness.operations, [1, 2]);
}

#[test]
fn what_nobody_knows_counts_once_it_was_seen() {
    assert_eq!(kinds(&["?a x 1, a y 1", "l x 1, l y"]), [Kind::GSingle]);
    assert_eq!(kinds(&["?a x 1, a y 1", "l x, l y"]), []);
    assert_eq!(kinds(&["?w x 1, w y 1", "r x 1, r y -"]), [Kind::GSingle]);
}

/// A long history without anomalies and the same with one, far apart, are decided at once.
#[test]
fn a_hundred_thousand_transactions_take_a_moment() {
    let mut long = Transactions { keys: vec!["x".to_owned(), "y".to_owned()], ..Transactions::default() };
    let act = |key, what| Action { key, what };
    for place in 1..=100_000 {
        let n = place as i64;
        let before = if place == 1 { NIL } else { n - 1 };
        let actions = vec![act(0, What::Read(before)), act(0, What::Write(n))];
        long.transactions.push(transaction(place, Completion::Committed, actions));
    }
    assert_eq!(check(&long, None), Report::default());
    long.transactions[99_999].actions.push(act(1, What::Write(1)));
    long.transactions[0].actions.push(act(1, What::Read(1)));
    assert_eq!(check(&long, None).kinds(), [Kind::G1c, Kind::GSingle]);
}

/// What an action of the random histories does, before anything is known of what it sees.
#[derive(Clone, Copy, Debug)]
struct Plan {
    reads: bool,
    key: u32,
}

/// A history made by running transactions at once on stores of several kinds, badly: some serializable, some not. `order` says who goes
/// next, `snapshots` whether transactions see the state of their beginning and change it at their end.
fn run(plans: &[(Vec<Plan>, u8)], order: &[usize], snapshots: bool, lists: bool) -> (Transactions, Orders) {
    type State = BTreeMap<u32, Vec<i64>>;
    let mut shared = State::new();
    let mut history = Transactions { keys: vec!["x".to_owned(), "y".to_owned()], ..Transactions::default() };
    for (place, (_, completion)) in (1..).zip(plans) {
        let completion = [Completion::Committed, Completion::Aborted, Completion::Unknown]
            [if *completion > 8 { *completion as usize - 8 } else { 0 }];
        history.transactions.push(transaction(place, completion, Vec::new()));
    }
    let mut states: Vec<Option<State>> = vec![None; plans.len()];
    let mut mine: Vec<Vec<(u32, i64)>> = vec![Vec::new(); plans.len()];
    let mut fresh = 0;
    let turns = order.iter().map(|turn| turn % plans.len()).chain((0..plans.len()).flat_map(|one| [one; 4]));
    for one in turns {
        let done = history.transactions[one].actions.len();
        let Some(plan) = plans[one].0.get(done) else { continue };
        if snapshots && states[one].is_none() {
            states[one] = Some(shared.clone());
        }
        let state = states[one].as_mut().unwrap_or(&mut shared);
        let versions = state.entry(plan.key).or_default();
        let what = if plan.reads {
            let last = versions.last().copied().unwrap_or(NIL);
            if lists { What::List(history.see(plan.key, versions)) } else { What::Read(last) }
        } else {
            fresh += 1;
            versions.push(fresh);
            mine[one].push((plan.key, fresh));
            if lists { What::Append(fresh) } else { What::Write(fresh) }
        };
        history.transactions[one].actions.push(Action { key: plan.key, what });
        if snapshots
            && done + 1 == plans[one].0.len()
            && history.transactions[one].completion != Completion::Aborted
        {
            mine[one].iter().for_each(|(key, value)| shared.entry(*key).or_default().push(*value));
        }
    }
    for transaction in history.transactions.iter_mut().filter(|one| one.completion != Completion::Committed) {
        transaction.actions.retain(|action| matches!(action.what, What::Append(_) | What::Write(_)));
    }
    // Only a transaction's last write of a key is a version that the store keeps.
    let mut orders = Orders::new();
    for (key, values) in shared {
        let last = |value: &i64| {
            mine.iter().any(|mine| mine.iter().rev().find(|(of, _)| *of == key) == Some(&(key, *value)))
        };
        orders.insert(key, values.into_iter().filter(last).collect());
    }
    (history, orders)
}

/// Whether some serial order of the committed transactions, and of some that nobody knows of, explains all that was seen; with `orders`
/// the versions must have had that order.
fn some_serial_order(history: &Transactions, orders: Option<&Orders>) -> bool {
    fn explains(
        history: &Transactions,
        transaction: &Transaction,
        state: &BTreeMap<u32, Vec<i64>>,
    ) -> Option<BTreeMap<u32, Vec<i64>>> {
        let mut state = state.clone();
        for action in &transaction.actions {
            let versions = state.entry(action.key).or_default();
            match &action.what {
                What::Append(value) | What::Write(value) => versions.push(*value),
                What::List(seen) if history.elements(*seen) == versions.as_slice() => {}
                What::Read(seen) if *seen == versions.last().copied().unwrap_or(NIL) => {}
                What::List(_) | What::Read(_) => return None,
            }
        }
        Some(state)
    }
    fn fits(orders: Option<&Orders>, state: &BTreeMap<u32, Vec<i64>>) -> bool {
        orders.is_none_or(|orders| {
            state.iter().all(|(key, versions)| {
                let order = orders.get(key).map_or(&[][..], Vec::as_slice);
                let kept: Vec<i64> = versions.iter().copied().filter(|value| order.contains(value)).collect();
                let wanted: Vec<i64> = order.iter().copied().filter(|value| kept.contains(value)).collect();
                kept == wanted
            })
        })
    }
    fn go(
        history: &Transactions,
        orders: Option<&Orders>,
        done: u32,
        state: &BTreeMap<u32, Vec<i64>>,
    ) -> bool {
        let left = || (0..history.transactions.len()).filter(|one| done >> one & 1 == 0);
        let completion = |one: usize| history.transactions[one].completion;
        if left().all(|one| completion(one) != Completion::Committed) && fits(orders, state) {
            return true;
        }
        left().filter(|one| completion(*one) != Completion::Aborted).any(|one| {
            explains(history, &history.transactions[one], state)
                .is_some_and(|state| go(history, orders, done | 1 << one, &state))
        })
    }
    go(history, orders, 0, &BTreeMap::new())
}

fn holds(report: &Report) -> bool {
    assert_eq!(report.unknown, None);
    report.anomalies.is_empty()
}

prop_compose! {
    fn plans()(plans in prop::collection::vec(
        (prop::collection::vec((any::<bool>(), 0u32..2).prop_map(|(reads, key)| Plan { reads, key }), 1..4), 0u8..11), 1..5
    )) -> Vec<(Vec<Plan>, u8)> { plans }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    /// Lists show the whole order of their versions: the check and the search of all serial orders agree.
    #[test]
    fn lists_are_serializable_just_if_some_serial_order_explains_them(
        plans in plans(), order in prop::collection::vec(0usize..4, 0..16), snapshots in any::<bool>()
    ) {
        let (history, _) = run(&plans, &order, snapshots, true);
        let report = check(&history, None);
        prop_assert_eq!(holds(&report), some_serial_order(&history, None), "{:?} {:#?}", report, history);
    }

    /// With a store's own order registers are decided as well; without it whatever is found is there.
    #[test]
    fn registers_are_judged_right_with_an_order_and_never_wrongly_without(
        plans in plans(), order in prop::collection::vec(0usize..4, 0..16), snapshots in any::<bool>()
    ) {
        let (history, orders) = run(&plans, &order, snapshots, false);
        let known = check(&history, Some(&orders));
        prop_assert_eq!(holds(&known), some_serial_order(&history, Some(&orders)), "{:?} {:#?}", known, history);
        let inferred = check(&history, None);
        prop_assert!(holds(&inferred) || !some_serial_order(&history, None), "{:?} {:#?}", inferred, history);
    }
}

#[test]
fn histories_of_the_proptests_are_of_all_kinds() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let all = (plans(), prop::collection::vec(0usize..4, 0..16), any::<bool>());
    let mut found = BTreeSet::new();
    let mut good = 0;
    for _ in 0..2000 {
        let (plans, order, snapshots) = all.new_tree(&mut runner).unwrap().current();
        for lists in [true, false] {
            let report = check(&run(&plans, &order, snapshots, lists).0, None);
            good += u32::from(report.anomalies.is_empty());
            found.extend(report.kinds());
        }
    }
    assert!((1000..3900).contains(&good), "{good} of 4000 hold");
    for kind in [Kind::G0, Kind::G1a, Kind::G1b, Kind::G1c, Kind::LostUpdate, Kind::GSingle, Kind::G2Item] {
        assert!(found.contains(&kind), "{kind:?} is not among {found:?}");
    }
}

/// All cycles that pass no transaction twice, as their dependencies.
fn all_cycles(nodes: u32, edges: &[Edge]) -> Vec<Cycle> {
    fn go(edges: &[Edge], path: &mut Cycle, found: &mut Vec<Cycle>) {
        let (first, last) = (path[0].from, path[path.len() - 1].to);
        for edge in edges.iter().filter(|edge| edge.from == last) {
            if edge.to == first {
                found.push([path.as_slice(), &[*edge]].concat());
            } else if edge.to > first && path.iter().all(|passed| passed.from != edge.to) {
                path.push(*edge);
                go(edges, path, found);
                path.pop();
            }
        }
    }
    let mut found = Vec::new();
    for first in 0..nodes {
        for edge in edges.iter().filter(|edge| edge.from == first && edge.to > first) {
            go(edges, &mut vec![*edge], &mut found);
        }
    }
    found
}

/// What a cycle shows, by its definition.
fn is_of(kind: Kind, cycle: &Cycle) -> bool {
    let how: Vec<How> = cycle.iter().map(|edge| edge.why.how).collect();
    let overwritten = how.iter().filter(|how| **how == How::Rw).count();
    let in_a_row = (0..how.len()).any(|at| how[at] == How::Rw && how[(at + 1) % how.len()] == How::Rw);
    match kind {
        Kind::G0 => how.iter().all(|how| *how == How::Ww),
        Kind::G1c => overwritten == 0 && how.contains(&How::Wr),
        Kind::GSingle => overwritten == 1,
        Kind::GNonadjacent => overwritten > 1 && !in_a_row,
        Kind::G2Item => overwritten > 1 && in_a_row,
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    /// The search finds each kind of cycle just if there is one, and a smallest; but one with several reads of what was overwritten only
    /// for sure where there is none with fewer.
    #[test]
    fn the_smallest_cycle_of_each_kind_is_found(
        edges in prop::collection::vec((0u32..6, 0u32..6, 0u8..3), 1..14)
    ) {
        let how = [How::Ww, How::Wr, How::Rw];
        let edges: Vec<Edge> = edges.into_iter().filter(|(from, to, _)| from != to).map(|(from, to, kind)| {
            Edge { from, to, why: Why { how: how[kind as usize], key: 0, before: 0, after: 0 } }
        }).collect();
        let mut graph = Graph::new(6);
        edges.iter().for_each(|edge| graph.edge(*edge));
        let (found, all) = graph.cycles();
        prop_assert!(all);
        let known = all_cycles(6, &edges);
        let mut worse = false;
        for kind in [Kind::G0, Kind::G1c, Kind::GSingle, Kind::GNonadjacent, Kind::G2Item] {
            let least = known.iter().filter(|cycle| is_of(kind, cycle)).map(Vec::len).min();
            let cycle = found.iter().find(|(of, _)| *of == kind).map(|(_, cycle)| cycle);
            if let Some(cycle) = cycle {
                let closed = (0..cycle.len()).all(|at| cycle[at].to == cycle[(at + 1) % cycle.len()].from);
                prop_assert!(closed && is_of(kind, cycle), "{:?} {:?}", kind, cycle);
            }
            let exact = !worse || kind < Kind::GNonadjacent;
            if exact {
                prop_assert_eq!(cycle.map(Vec::len), least, "{:?} of {:?}", kind, edges);
            }
            worse |= least.is_some();
        }
    }
}
