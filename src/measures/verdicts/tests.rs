//! Verdicts over small histories that are known by hand.

use super::*;
use crate::base::ids::{CallId, OpId, Pid, ProbeId, TierId};
use crate::base::op::{At, Op, Outcome, Reason, Value, When};
use crate::base::time::Span;
use crate::measures::asked::{Stat, Whose};
use crate::record::history::{HistoryPlan, RowId, Sent, Taken};
use crate::record::survey::Holdings;

const KV: TierId = TierId(1);
const ROW: RowName = RowName { store: KV, table: 0, key: 7 };
const PAY: ProgramId = ProgramId(0);

/// A store of two copies, rows of which begin at 100.
struct Shop(Merging);

impl Facts for Shop {
    fn table(&self, _: TierId, _: u16) -> String {
        "kv.balance".to_owned()
    }
    fn program(&self, _: ProgramId) -> String {
        "pay".to_owned()
    }
    fn member(&self, member: Pid) -> String {
        format!("app[{}]", member.member)
    }
    fn initial(&self, _: RowName) -> i64 {
        100
    }
    fn merging(&self, _: TierId) -> Merging {
        self.0
    }
    fn copies(&self, _: TierId) -> u8 {
        2
    }
}

fn ms(ms: u64) -> Time {
    Time::from_ns(ms * 1_000_000)
}

/// QueryKind happens to one row, told step by step.
struct Story {
    history: History,
    merging: Merging,
    held: [Value; 2],
}

/// The version that operation `slot` writes.
fn version(slot: u32) -> OpId {
    crate::record::history::attempt(CallId { slot, generation: 0 })
}

fn update(delta: i64, when: When, bound: i64) -> Op {
    Op::Update { table: 0, when, key: 7, delta, bound }
}

const READ: Op = Op::Read { table: 0, key: 7, taking: None, at: At::Primary };

impl Story {
    fn of(merging: Merging) -> Story {
        let plan = HistoryPlan { all: true, ..HistoryPlan::default() };
        Story { history: History::new(&plan), merging, held: [Value::default(); 2] }
    }

    /// An operation of a customer's request, from and until when, and what came of it.
    fn asks(&mut self, slot: u32, origin: u64, from: u64, until: u64, op: Op, outcome: Outcome) {
        let call = CallId { slot, generation: 0 };
        let by = Pid::new(KV, 0);
        let sent =
            Sent { store: KV, op, program: PAY, by, session: origin, branch: 0, origin, transaction: 0 };
        self.history.sent(call, ms(from), sent);
        self.history.returned(call, ms(until), outcome);
    }

    /// A copy takes a version in, which was derived from another and replaces what the copy held.
    fn takes(&mut self, copy: u32, at: u64, n: i64, made: OpId, parent: OpId) {
        let over = self.held[copy as usize].version;
        let value = Value { n, version: made, parent };
        let taken = Taken { at: ms(at), row: RowId(0), copy, value, over, also: OpId(0) };
        self.history.took(ROW, taken);
        self.held[copy as usize] = value;
    }

    /// QueryKind comes too late is dropped in favour of what the copy holds.
    fn drops(&mut self, copy: u32, at: u64, late: OpId) {
        let value = self.held[copy as usize];
        let taken = Taken { at: ms(at), row: RowId(0), copy, value, over: late, also: OpId(0) };
        self.history.took(ROW, taken);
    }

    fn answer(&self, what: QueryKind) -> Finding {
        self.answer_of(what, Whose::Table { store: KV, table: 0, name: "kv.balance".to_owned() })
    }

    fn answer_of(&self, what: QueryKind, whose: Whose) -> Finding {
        let copies = self.held.iter().map(|value| vec![*value]).collect();
        let holdings = Holdings { copies, settled: vec![vec![self.held[0].version]] };
        let survey = Survey { store: KV, at: ms(1000), rows: vec![RowId(0)], holdings };
        let run = Run {
            history: &self.history,
            surveys: &[survey],
            moments: &[(Instant::End, ms(1000))],
            windows: &[(During::Run, Window { from: Time::ZERO, until: ms(1000) })],
            calm: Some(ms(50)),
            facts: &Shop(self.merging),
            end: ms(1000),
        };
        let (before, at) = (Instant::End, Instant::End);
        answer(&Query { what, whose, before, at, during: During::Run }, &run)
    }

    fn value(&self, what: QueryKind) -> f64 {
        self.answer(what).value.unwrap_or_else(|why| panic!("{what:?}: {}", why.0))
    }
}

fn ok(n: i64, version: OpId, parent: OpId) -> Outcome {
    Outcome::Ok(Value { n, version, parent })
}

const NONE: OpId = OpId(0);

/// Two updates one after the other, which both copies take in.
fn chain() -> Story {
    let mut story = Story::of(Merging::Replaces);
    story.asks(1, 11, 0, 10, update(-10, When::AtLeast, 10), ok(90, version(1), NONE));
    story.takes(0, 5, 90, version(1), NONE);
    story.asks(2, 12, 20, 30, update(-10, When::AtLeast, 10), ok(80, version(2), version(1)));
    story.takes(0, 25, 80, version(2), version(1));
    story.takes(1, 60, 80, version(2), version(1));
    story
}

#[test]
fn what_the_value_was_made_of_is_kept_and_what_was_never_there_is_lost() {
    let mut story = chain();
    assert_eq!((story.value(QueryKind::Lost), story.value(QueryKind::Linearizable)), (0.0, 1.0));
    assert_eq!((story.value(QueryKind::Diverged), story.value(QueryKind::Converged)), (0.0, 0.01));
    story.asks(3, 13, 70, 80, update(-10, When::AtLeast, 10), ok(70, version(3), version(2)));
    story.takes(1, 75, 70, version(3), version(2));
    assert_eq!(story.value(QueryKind::Diverged), 1.0, "the other copy lacks it");
    let lost = story.answer(QueryKind::Lost);
    assert_eq!(lost.value, Ok(1.0), "and the store settles on that one's value");
    let told = lost.witness.expect("it is shown");
    assert_eq!(
        told.sentence,
        "`update kv.balance[7] -= 10 when >= 10` of pay (from 0.070 s to 0.080 s, 80 to 70) was acknowledged, and the copies settle \
         on a value without it"
    );
    assert_eq!(told.steps, [2]);
}

#[test]
fn of_a_program_only_what_its_callers_were_told_counts() {
    let mut story = chain();
    let lost = |story: &Story| {
        let whose = Whose::Program { probe: ProbeId(0), name: "pay".to_owned(), tables: vec![(KV, 0)] };
        story
            .answer_of(QueryKind::Lost, whose.clone())
            .value
            .ok()
            .zip(story.answer_of(QueryKind::Unacked, whose).value.ok())
    };
    story.history.asked(ProbeId(0), 11, 11, ms(0));
    assert_eq!(lost(&story), Some((0.0, 1.0)), "of request 11 nobody knows");
    story.history.answered(ProbeId(0), 11, ms(12), Outcome::ok(0));
    assert_eq!(lost(&story), Some((0.0, 0.0)));
    story.history.asked(ProbeId(0), 13, 13, ms(70));
    story.asks(3, 13, 70, 80, update(-10, When::AtLeast, 10), ok(70, version(3), version(2)));
    assert_eq!(lost(&story), Some((0.0, 0.0)), "its caller was never told");
    story.history.answered(ProbeId(0), 13, ms(90), Outcome::ok(0));
    assert_eq!(lost(&story), Some((1.0, 0.0)));
}

#[test]
fn a_write_by_who_has_read_the_row_takes_nobodys_place() {
    let write = |parent| Op::Write { table: 0, key: 7, n: 1, parent };
    for (reads, lost) in [(false, 0.0), (true, 1.0)] {
        let mut story = Story::of(Merging::Replaces);
        if reads {
            story.asks(9, 2, 0, 5, READ, ok(100, NONE, NONE));
        }
        story.asks(1, 1, 10, 20, write(NONE), ok(1, version(1), NONE));
        story.takes(0, 15, 1, version(1), NONE);
        story.asks(2, 2, 30, 40, write(NONE), ok(1, version(2), NONE));
        story.takes(0, 35, 1, version(2), NONE);
        story.held[1] = story.held[0];
        assert_eq!(story.value(QueryKind::Lost), lost, "it had read the first value: {reads}");
        assert_eq!(story.value(QueryKind::Linearizable), 1.0, "each write by itself is in order");
    }
}

#[test]
fn two_updates_of_one_version_are_no_register() {
    let mut story = chain();
    story.asks(3, 13, 26, 40, update(-20, When::Always, 0), ok(70, version(3), version(1)));
    let found = story.answer(QueryKind::Linearizable);
    assert_eq!(found.value, Ok(0.0));
    let told = found.witness.expect("it is shown");
    assert!(told.sentence.contains("found the same value and each set another"), "{}", told.sentence);
    assert!(!told.sentence.contains("(line"), "{}", told.sentence);
    assert_eq!(told.steps.len(), 2);
    // A version stands for a number, and readers know the number.
    let (mut texts, run) = (crate::check::history::Texts::default(), &story.history);
    words::name_versions(&mut texts, 0..run.steps().len(), run);
    assert_eq!(texts.show(version(3).0 as i64), "70");
}

#[test]
fn a_failed_condition_has_seen_the_one_value_that_fails_it() {
    let mut story = chain();
    // Only 80 is below 85; it was there from 20 on at the earliest.
    story.asks(3, 13, 40, 50, update(-1, When::AtLeast, 85), Outcome::Fail(Reason::Condition));
    assert_eq!(story.value(QueryKind::Linearizable), 1.0);
    story.asks(4, 14, 60, 70, update(1, When::Always, 0), ok(81, version(4), version(2)));
    assert_eq!(story.value(QueryKind::Linearizable), 1.0, "81 fails it too, so nothing is known");
    let mut early = Story::of(Merging::Replaces);
    early.asks(3, 13, 0, 5, update(-1, When::AtLeast, 95), Outcome::Fail(Reason::Condition));
    early.asks(1, 11, 10, 20, update(-10, When::AtLeast, 10), ok(90, version(1), NONE));
    assert_eq!(early.value(QueryKind::Linearizable), 0.0, "90 was not there before 10");
}

#[test]
fn what_nobody_was_told_of_may_have_happened_and_what_it_found_is_known() {
    let mut story = Story::of(Merging::Replaces);
    story.asks(1, 11, 0, 10, update(-10, When::Always, 0), Outcome::Unknown(Reason::Timeout));
    assert_eq!(story.value(QueryKind::Linearizable), 1.0);
    story.takes(0, 20, 90, version(1), NONE);
    story.asks(2, 12, 30, 40, READ, ok(90, version(1), NONE));
    assert_eq!((story.value(QueryKind::Linearizable), story.value(QueryKind::Unacked)), (1.0, 1.0));
    story.asks(3, 13, 50, 60, READ, ok(100, NONE, NONE));
    assert_eq!(story.value(QueryKind::Linearizable), 0.0, "seen and unseen");
}

#[test]
fn a_loser_that_comes_late_is_older_than_what_won() {
    let mut story = Story::of(Merging::Replaces);
    let write = Op::Write { table: 0, key: 7, n: 1, parent: NONE };
    story.asks(1, 11, 0, 10, write, ok(1, version(1), NONE));
    story.asks(2, 12, 2, 12, write, ok(1, version(2), NONE));
    story.takes(0, 4, 1, version(2), NONE);
    story.takes(1, 6, 1, version(1), NONE);
    story.drops(0, 8, version(1));
    story.takes(1, 9, 1, version(2), NONE);
    story.asks(3, 13, 100, 101, READ, ok(1, version(2), NONE));
    assert_eq!((story.value(QueryKind::KStale(Stat::Max)), story.value(QueryKind::Diverged)), (0.0, 0.0));
    story.asks(4, 14, 110, 111, READ, ok(1, version(1), NONE));
    assert_eq!(story.value(QueryKind::KStale(Stat::Max)), 1.0);
    assert_eq!(story.value(QueryKind::Staleness(Stat::Max)), 0.110 - 0.012);
    assert_eq!(story.value(QueryKind::Staleness(Stat::Mean)), (0.110 - 0.012) / 2.0);
    let stale =
        |from, until| story.answer(QueryKind::Stale(Span::from_ms(from), Span::from_ms(until))).value.ok();
    assert_eq!(stale(80, 200), Some(0.5), "of two reads after them one missed the newer");
    assert_eq!(
        stale(99, 101),
        Some(0.0),
        "10 + 100 = 110: the one that was acknowledged first is that old, and it was seen"
    );
    assert_eq!(stale(500, 600), None, "no write was that old: nothing is known, not zero");
}

#[test]
fn an_addition_that_two_histories_have_is_judged_by_the_one_that_stays() {
    let mut story = Story::of(Merging::Adds);
    let add = update(1, When::Always, 0);
    // Both copies have 1. The first goes on with 2 and 3, the second, which leads next, with 4.
    story.asks(1, 11, 0, 1, add, ok(101, version(1), NONE));
    story.takes(0, 1, 101, version(1), NONE);
    story.takes(1, 2, 101, version(1), NONE);
    story.asks(2, 12, 10, 11, add, ok(102, version(2), version(1)));
    story.takes(0, 11, 102, version(2), version(1));
    story.asks(3, 13, 12, 13, add, ok(103, version(3), version(2)));
    story.takes(0, 13, 103, version(3), version(2));
    story.asks(4, 14, 20, 21, add, ok(102, version(4), version(1)));
    story.takes(1, 21, 102, version(4), version(1));
    // The first is back and takes the other's copy whole; 3 is handed on and added again, 2 is not.
    story.takes(0, 30, 102, version(4), version(1));
    story.takes(1, 31, 103, version(3), version(4));
    story.takes(0, 32, 103, version(3), version(4));
    let lost = story.answer(QueryKind::Lost);
    assert_eq!(lost.value, Ok(1.0), "3 has been made of 2 once, but not in the history that stayed");
    assert_eq!(lost.witness.expect("it is shown").steps, [1]);
    assert_eq!(story.value(QueryKind::Diverged), 0.0);
}

#[test]
fn an_empty_history_has_no_verdict() {
    let story = Story::of(Merging::Replaces);
    for what in
        [QueryKind::Linearizable, QueryKind::Causal, QueryKind::Lost, QueryKind::Staleness(Stat::Mean)]
    {
        assert!(story.answer(what).value.is_err(), "{what:?}");
    }
}

#[test]
fn sessions_are_promised_less_than_order_and_more_than_nothing() {
    use crate::check::session::Guarantee;
    let mut story = chain();
    let of = |story: &Story| {
        [
            story.value(QueryKind::Keeps(Guarantee::ReadYourWrites)),
            story.value(QueryKind::Keeps(Guarantee::MonotonicReads)),
            story.value(QueryKind::Causal),
            story.value(QueryKind::Sequential),
            story.value(QueryKind::Linearizable),
        ]
    };
    assert_eq!(of(&story), [1.0; 5]);
    story.asks(3, 13, 40, 50, READ, ok(90, version(1), NONE));
    assert_eq!(of(&story), [1.0, 1.0, 1.0, 1.0, 0.0], "a stranger sees an old value");
    story.asks(4, 12, 60, 70, READ, ok(90, version(1), NONE));
    assert_eq!(of(&story), [0.0, 1.0, 0.0, 0.0, 0.0], "its own writer sees an old value");
}
