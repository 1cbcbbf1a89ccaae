//! The rows of a store and the machine that changes them. It knows no time, no disk and no client: an operation goes
//! in, an outcome comes out. What is at the start is not materialised: a row exists once it has been written.

use crate::base::ids::OpId;
use crate::base::op::{Op, Outcome, Reason, Value, When};
use crate::components::mech::keyed::Keyed;
use crate::components::storage::fences::Fences;
use crate::components::storage::lock_table::{Aside, LockTable};
use crate::components::storage::machine::{EntryContext, Machine};

/// A row on the wire or on disk, with its header, bytes.
const ROW_BYTES: u64 = 128;

/// A row's name: table and key.
pub type RowName = (u16, i64);

/// What a table holds at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Initial {
    /// The value of each key.
    pub n: i64,
    /// Keys up to this one, from 0: choosers may count from 0 or from 1.
    pub keys: i64,
}

impl Initial {
    /// The value of a row that was never written.
    pub fn value(tables: &[Initial], (table, key): RowName) -> Value {
        let n = match tables.get(table as usize) {
            Some(table) if (0..=table.keys).contains(&key) => table.n,
            _ => 0,
        };
        Value { n, ..Value::default() }
    }
}

/// The rows that were written.
pub type Rows = Keyed<RowName, Value>;

/// Applies one operation to the current value of its row: the outcome, and the value to be written if there is one.
pub fn apply(op: &Op, current: Value, version: OpId) -> (Outcome, Option<Value>) {
    let write = |value: Value| (Outcome::Ok(value), Some(value));
    match *op {
        Op::Read { .. } => (Outcome::Ok(current), None),
        Op::Write { n, parent, .. } => write(Value { n, version, parent }),
        Op::Update { when, delta, bound, .. } => {
            if !when.holds(current.n, bound) {
                return (Outcome::Fail(Reason::Condition), None);
            }
            match current.n.checked_add(delta) {
                Some(n) => write(Value { n, version, parent: current.version }),
                None => (Outcome::Fail(Reason::Arithmetic), None),
            }
        }
        Op::Cas { from, to, .. } if current.n == from => {
            write(Value { n: to, version, parent: current.version })
        }
        Op::Cas { .. } => (Outcome::Fail(Reason::Condition), None),
        _ => (Outcome::Fail(Reason::Error), None), // no program can say this to a store
    }
}

/// The tables as a state machine: what a replicated store is.
#[derive(Clone, Debug, Default, Hash)]
pub struct Tables {
    rows: Rows,
    fences: Fences,
    locks: LockTable,
}

impl Machine for Tables {
    type Plan = Vec<Initial>;

    fn new(_: &Vec<Initial>) -> Self {
        Tables::default()
    }

    fn apply(
        &mut self,
        start: &Vec<Initial>,
        op: &Op,
        attempt: OpId,
        told: EntryContext,
    ) -> (Outcome, Aside) {
        let Some(row) = op.row() else {
            let EntryContext::Clocks(clocks) = told else {
                return (Outcome::Fail(Reason::Error), Aside::default());
            };
            return self.locks.apply(op, clocks);
        };
        if let EntryContext::Token(token) = told
            && !self.fences.lets(row, token)
        {
            return (Outcome::Fail(Reason::Fenced), Aside::default());
        }
        let (outcome, written) = apply(op, self.value(start, row), attempt);
        if let Some(value) = written {
            self.rows.insert(row, value);
        }
        (outcome, Aside::default())
    }

    fn look(&self, start: &Vec<Initial>, op: &Op) -> Outcome {
        match (op, op.row()) {
            (Op::Read { .. }, Some(row)) => Outcome::Ok(self.value(start, row)),
            _ => Outcome::Fail(Reason::Error),
        }
    }

    fn is_read(op: &Op) -> bool {
        matches!(op, Op::Read { .. })
    }

    fn row(&self, start: &Vec<Initial>, op: &Op) -> Option<(RowName, Value)> {
        op.row().map(|row| (row, self.value(start, row)))
    }

    fn unconditional(op: &Op) -> Option<Op> {
        match *op {
            Op::Update { table, key, delta, .. } => {
                Some(Op::Update { table, when: When::Always, key, delta, bound: 0 })
            }
            _ => None,
        }
    }

    fn locks(&mut self) -> Option<&mut LockTable> {
        Some(&mut self.locks)
    }

    fn size_bytes(&self) -> u64 {
        (self.rows.len() + self.locks.len()) as u64 * ROW_BYTES
    }
}

impl Tables {
    /// The value of a row.
    pub fn value(&self, start: &[Initial], row: RowName) -> Value {
        self.rows.get(&row).copied().unwrap_or_else(|| Initial::value(start, row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::op::At;

    #[test]
    fn rows_start_as_the_design_says_and_others_at_zero() {
        let tables = [Initial { n: 500, keys: 10 }];
        let n = |row| Initial::value(&tables, row).n;
        assert_eq!([n((0, 0)), n((0, 10)), n((0, 11)), n((0, -1)), n((1, 1))], [500, 500, 0, 0, 0]);
    }

    #[test]
    fn an_update_derives_its_value_from_the_one_before() {
        let current = Value { n: 5, version: OpId(7), parent: OpId(3) };
        let update = |when, bound, delta| Op::Update { table: 0, when, key: 1, delta, bound };
        let (outcome, written) = apply(&update(When::AtLeast, 5, -2), current, OpId(9));
        let new = Value { n: 3, version: OpId(9), parent: OpId(7) };
        assert_eq!((outcome, written), (Outcome::Ok(new), Some(new)));
        let fails = |op, reason| assert_eq!(apply(&op, current, OpId(9)), (Outcome::Fail(reason), None));
        fails(update(When::Above, 5, 1), Reason::Condition);
        fails(update(When::Always, 0, i64::MAX), Reason::Arithmetic);
        fails(Op::Cas { table: 0, key: 1, from: 4, to: 1 }, Reason::Condition);
    }

    #[test]
    fn equal_logs_give_equal_tables() {
        let start = vec![Initial { n: 5, keys: 10 }];
        let update = |key, delta| Op::Update { table: 0, when: When::AtLeast, key, delta, bound: 2 };
        let (mut a, mut b) = (Tables::new(&start), Tables::new(&start));
        for (place, op) in [update(1, -4), update(1, -4), update(2, 3)].into_iter().enumerate() {
            let attempt = OpId(place as u64 + 1);
            let told = EntryContext::Nothing;
            assert_eq!(a.apply(&start, &op, attempt, told), b.apply(&start, &op, attempt, told));
        }
        assert_eq!(a.value(&start, (0, 1)).n, 1, "the second found less than it asked for");
        let seen = a.look(&start, &Op::Read { table: 0, key: 2, taking: None, at: At::Primary });
        assert_eq!(seen, b.look(&start, &Op::Read { table: 0, key: 2, taking: None, at: At::Primary }));
        assert_eq!(a.look(&start, &update(1, 1)), Outcome::Fail(Reason::Error));
    }

    #[test]
    fn a_blind_write_keeps_the_parent_that_its_writer_names() {
        let write = Op::Write { table: 0, key: 1, n: 8, parent: OpId(2) };
        let current = Value { n: 5, version: OpId(7), parent: OpId(3) };
        assert_eq!(
            apply(&write, current, OpId(9)).1,
            Some(Value { n: 8, version: OpId(9), parent: OpId(2) })
        );
    }
}
