//! The fast check against the search, and histories to accept and to reject.

use proptest::prelude::*;

use crate::check::history::{Call, NIL, Operation, PENDING, Texts};
use crate::check::kinds::objects::objects;
use crate::check::kinds::{Asked, Refused};
use crate::check::model::Model;
use crate::check::read::attempts::Attempts;
use crate::check::read::events::Events;
use crate::check::samples::{is_linearizable, overlapping};
use crate::check::search::{Budget, search};
use crate::check::{Verdict, judge, register};

fn op(process: u64, invoked: u64, returned: u64, call: Call) -> Operation {
    Operation { process, place: invoked as usize, invoked, returned, call }
}

fn both(operations: &[Operation]) -> bool {
    let mut texts = Texts::default();
    let fast = register::check(operations, 0, &texts).expect("all values differ");
    let slow = search(operations, 0, &mut texts, Budget::default());
    let holds = |verdict: &Verdict| match verdict {
        Verdict::Holds => true,
        Verdict::Violated(_) => false,
        Verdict::Unknown(why) => panic!("{why}"),
    };
    assert_eq!(holds(&fast), holds(&slow), "{fast:?} against {slow:?} of {operations:#?}");
    holds(&fast)
}

#[test]
fn a_read_may_see_what_is_being_written_and_nothing_older_afterwards() {
    let write = op(0, 0, 10, Call::Write(1));
    assert!(both(&[write, op(1, 1, 2, Call::Read(0)), op(1, 3, 4, Call::Read(1))]));
    assert!(!both(&[write, op(1, 1, 2, Call::Read(1)), op(2, 3, 4, Call::Read(0))]));
    assert!(!both(&[op(1, 1, 2, Call::Read(7))]), "from nowhere");
    assert!(!both(&[op(1, 1, 2, Call::Read(1)), op(0, 3, 4, Call::Write(1))]), "from the future");
}

#[test]
fn two_who_find_one_value_cannot_both_replace_it() {
    assert!(!both(&[op(0, 0, 5, Call::Cas(0, 1)), op(1, 1, 4, Call::Cas(0, 2))]));
    assert!(both(&[op(0, 0, 5, Call::Cas(0, 1)), op(1, 1, 4, Call::Cas(1, 2))]));
    assert!(!both(&[op(0, 0, 1, Call::Cas(1, 2)), op(1, 2, 4, Call::Cas(0, 1))]), "out of order");
    assert!(!both(&[op(0, 0, 9, Call::Cas(1, 2)), op(1, 1, 8, Call::Cas(2, 1))]), "a cycle");
}

#[test]
fn what_is_pending_may_have_happened() {
    let write = op(0, 0, PENDING, Call::Write(1));
    assert!(both(&[write, op(1, 5, 6, Call::Read(0))]));
    assert!(both(&[write, op(1, 5, 6, Call::Read(0)), op(1, 7, 8, Call::Read(1))]));
    assert!(!both(&[write, op(1, 5, 6, Call::Read(1)), op(1, 7, 8, Call::Read(0))]));
    let chain = [op(0, 0, PENDING, Call::Cas(0, 1)), op(2, 1, 9, Call::Cas(1, 2))];
    assert!(both(&chain), "somebody found what the pending one set");
}

/// Small histories: a register is walked through, with true intervals around each step; then some of what was seen
/// is changed and some returns are taken away.
fn histories() -> impl Strategy<Value = Vec<Operation>> {
    let step = (0u64..4, 0u8..3, 0u64..6, 0u64..6, 0u8..10, 0i64..8);
    prop::collection::vec(step, 1..12).prop_map(|steps| {
        let mut operations: Vec<Operation> = Vec::new();
        let (mut state, mut fresh) = (0i64, 0i64);
        let mut free = [0u64; 4];
        for (place, (process, what, before, after, completion, other)) in steps.into_iter().enumerate() {
            // Instants are spread so that all are different: even ones invoke, odd ones return.
            let point = 1000 + 100 * place as u64;
            let invoked = (point - 60 * before).max(free[process as usize]) + 2 * place as u64;
            let returned = point + 60 * after + 2 * place as u64 + 1;
            if invoked >= returned {
                continue;
            }
            free[process as usize] = returned + 1;
            let seen = if completion == 0 { other } else { state };
            let call = match what {
                0 => Call::Read(seen),
                1 => {
                    fresh += 1;
                    state = fresh;
                    Call::Write(fresh)
                }
                _ => {
                    fresh += 1;
                    state = fresh;
                    Call::Cas(seen, fresh)
                }
            };
            let pending = completion == 1;
            if pending {
                free[process as usize] = u64::MAX / 2;
            }
            operations.push(op(process, invoked, if pending { PENDING } else { returned }, call));
        }
        operations
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, ..ProptestConfig::default() })]
    #[test]
    fn the_fast_check_agrees_with_the_search(operations in histories()) {
        both(&operations);
    }
}

/// Calls of a register whose values repeat.
fn repeating() -> impl Strategy<Value = Call> {
    (0u8..5, 0i64..3, 0i64..3).prop_map(|(what, a, b)| match what {
        0 | 1 => Call::Read(a),
        2 => Call::Write(a),
        3 => Call::Cas(a, b),
        _ => Call::Differs(a),
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, ..ProptestConfig::default() })]
    #[test]
    fn the_search_agrees_with_every_order(operations in overlapping(repeating(), 7)) {
        let verdict = search(&operations, 0, &mut Texts::default(), Budget::default());
        prop_assert_eq!(verdict == Verdict::Holds, is_linearizable(&operations, 0), "{:?}", verdict);
    }
}

#[test]
fn a_write_of_the_value_that_is_there_may_be_needed_later() {
    let operations = [op(0, 0, 10, Call::Write(0)), op(1, 1, 4, Call::Write(1)), op(2, 5, 6, Call::Read(0))];
    assert_eq!(search(&operations, 0, &mut Texts::default(), Budget::default()), Verdict::Holds);
}

#[test]
fn histories_of_the_proptest_are_of_both_kinds() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let holds = (0..1000).filter(|_| both(&histories().new_tree(&mut runner).unwrap().current())).count();
    assert!((200..800).contains(&holds), "{holds} of 1000 are linearizable");
}

#[test]
fn a_hot_register_with_a_hundred_clients_is_decided() {
    // 100 writes at once, each read by everybody in one order.
    let mut operations: Vec<Operation> =
        (0..100).map(|n| op(n, n, 1_000 + n, Call::Write(n as i64 + 1))).collect();
    operations.extend((0..900).map(|n| op(200, 2_000 + 2 * n, 2_001 + 2 * n, Call::Read(100))));
    assert_eq!(judge::one(&operations, 0, &mut Texts::default(), Budget::default()), Verdict::Holds);
    operations.push(op(201, 9_000, 9_001, Call::Read(3)));
    assert!(matches!(
        judge::one(&operations, 0, &mut Texts::default(), Budget::default()),
        Verdict::Violated(_)
    ));
}

fn judged(text: &str, model: Model) -> Verdict {
    let mut attempts = Attempts::new(Events::new(text.as_bytes(), None).expect("a format"));
    let mut recorded = objects(&mut attempts, model, &Asked::usual()).expect("it is a history");
    judge::linearizable(&recorded.keys, recorded.initial, &mut recorded.texts, Budget::default())
}

#[test]
fn a_log_is_read_with_what_its_failures_say() {
    let log = |value: &str| {
        format!(
            "INFO  jepsen.util - 0\t:invoke\t:write\t1\nINFO  jepsen.util - 0\t:ok\t:write\t1\nINFO  jepsen.core - other text\n\
             INFO  jepsen.util - 1\t:invoke\t:cas\t[{value} 2]\nINFO  jepsen.util - 1\t:fail\t:cas\t[{value} 2]\n\
             INFO  jepsen.util - 2\t:invoke\t:read\tnil\nINFO  jepsen.util - 2\t:info\t:read\t:timed-out\n"
        )
    };
    assert_eq!(judged(&log("3"), Model::CasRegister), Verdict::Holds);
    assert!(matches!(judged(&log("1"), Model::CasRegister), Verdict::Violated(_)), "1 was there");
}

#[test]
fn edn_is_read_in_all_its_shapes() {
    let body = |seen: &str| {
        format!(
            "{{:process 0, :type :invoke, :f :write, :value 1, :time 5}} ; a comment\n\
             {{:type :ok, :f :write :process 0 :value 1}}\n{{:process :nemesis :type :info :f :start}}\n\
             {{:process 1 :type :invoke :f :read :value nil}}\n{{:process 1 :type :ok :f :read :value {seen}}}"
        )
    };
    for (open, close) in [("[", "]"), ("(", ")"), ("", "")] {
        let text = |seen| format!("{open}{}{close}", body(seen));
        assert_eq!(judged(&text("1"), Model::CasRegister), Verdict::Holds);
        assert_eq!(judged(&text("nil"), Model::CasRegister), Verdict::Holds, "it says nothing");
        assert!(matches!(judged(&text("0"), Model::CasRegister), Verdict::Violated(_)));
    }
}

#[test]
fn keys_are_judged_one_by_one_and_texts_appended() {
    let line = |process: u32, kind: &str, f: &str, key: u32, value: &str| {
        format!(
            "{{\"process\":{process},\"type\":\"{kind}\",\"f\":\"{f}\",\"key\":\"k{key}\",\"value\":{value}}}\n"
        )
    };
    let history = |seen: &str| {
        [
            line(0, "invoke", "put", 1, "\"a\""),
            line(0, "ok", "put", 1, "\"a\""),
            line(1, "invoke", "append", 1, "\"b\""),
            line(2, "invoke", "get", 2, "null"),
            line(2, "ok", "get", 2, "\"\""),
            line(1, "ok", "append", 1, "\"b\""),
            line(3, "invoke", "get", 1, "null"),
            line(3, "ok", "get", 1, seen),
        ]
        .concat()
    };
    assert_eq!(judged(&history("\"ab\""), Model::Kv), Verdict::Holds);
    assert!(matches!(judged(&history("\"ba\""), Model::Kv), Verdict::Violated(_)));
}

#[test]
fn a_lock_has_one_holder() {
    let history = |second: &str| {
        format!(
            "{{:process 0 :type :invoke :f :acquire}}\n{{:process 0 :type :ok :f :acquire}}\n\
             {{:process 1 :type :invoke :f :acquire}}\n{{:process 1 :type {second} :f :acquire}}\n\
             {{:process 0 :type :invoke :f :release}}\n{{:process 0 :type :ok :f :release}}"
        )
    };
    assert_eq!(judged(&history(":info"), Model::Mutex), Verdict::Holds);
    assert!(matches!(judged(&history(":ok"), Model::Mutex), Verdict::Violated(_)));
}

#[test]
fn a_counter_counts_what_was_acknowledged() {
    let history = |seen: i64| {
        format!(
            "{{:process 0 :type :invoke :f :add :value 2}}\n{{:process 0 :type :ok :f :add :value 2}}\n\
             {{:process 1 :type :invoke :f :add :value 3}}\n{{:process 1 :type :info :f :add :value 3}}\n\
             {{:process 2 :type :invoke :f :read}}\n{{:process 2 :type :ok :f :read :value {seen}}}"
        )
    };
    assert_eq!(judged(&history(2), Model::Counter), Verdict::Holds);
    assert_eq!(judged(&history(5), Model::Counter), Verdict::Holds);
    assert!(matches!(judged(&history(3), Model::Counter), Verdict::Violated(_)));
}

#[test]
fn what_is_no_history_is_told_with_its_line() {
    let told = |text: &str| {
        let mut attempts = Attempts::new(Events::new(text.as_bytes(), None).expect("a format"));
        match objects(&mut attempts, Model::Register, &Asked::usual()).expect_err("no history") {
            Refused::Line(wrong) => wrong.line,
            refused => panic!("{refused:?}"),
        }
    };
    assert_eq!(told("[{:process 0 :type :invoke :f :read}\n{:process 0 :type"), 2);
    assert_eq!(told("{\"process\":0}\n"), 1);
    assert_eq!(told("[{:process 0 :type :ok :f :read :value 1}]"), 1);
    let deep = "[".repeat(100_000);
    assert_eq!(told(&format!("{{:process 0 :type :invoke :f :write :value {deep}}}")), 1);
}

#[test]
fn a_search_that_takes_too_long_says_so() {
    let operations: Vec<Operation> = (0..40)
        .map(|n| op(n, n, 1_000 + n, Call::Cas(n as i64 % 5, (n as i64 + 1) % 5)))
        .chain([op(99, 2_000, 2_001, Call::Read(77))])
        .collect();
    let budget = Budget { nodes: 1_000, ..Budget::default() };
    let verdict = search(&operations, NIL, &mut Texts::default(), budget);
    assert!(matches!(&verdict, Verdict::Violated(_) | Verdict::Unknown(_)));
    let verdict = search(&operations, 0, &mut Texts::default(), budget);
    let Verdict::Unknown(why) = verdict else { panic!("{verdict:?}") };
    assert_eq!(why, "1000 configurations were not enough (`--nodes`)");
}
