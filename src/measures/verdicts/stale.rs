//! How old what reads saw was: in versions, in time, and whether they missed a write of some age.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::base::op::{Op, Outcome};
use crate::base::time::Span;
use crate::check::history::{Call, Operation};
use crate::check::relations::{Access, Orders};
use crate::check::staleness::lags;
use crate::measures::asked::{Query, Stat, Whose};
use crate::measures::functions::Undefined;
use crate::measures::percentile::rank;
use crate::measures::verdicts::lineage::Lineage;
use crate::measures::verdicts::seen::version;
use crate::measures::verdicts::{Explanation, Finding, Merging, Run, words};

/// Reads and acknowledged writes, with the order in which the copies had the versions.
struct Reads {
    accesses: Vec<Access>,
    orders: Orders,
}

impl Reads {
    fn of(whose: &Whose, run: &Run<'_>) -> Result<Reads, Undefined> {
        let tables = whose.tables();
        if let Some((store, _)) =
            tables.iter().find(|(store, _)| run.facts.merging(*store) != Merging::Replaces)
        {
            let name = run.facts.table(*store, 0);
            let store = name.split('.').next().unwrap_or_default();
            return Err(Undefined(format!("versions of `{store}` have no order: its merges keep them all")));
        }
        let mut accesses = Vec::new();
        for (place, step) in run.history.steps().iter().enumerate() {
            let name = run.name(step);
            let Outcome::Ok(value) = step.outcome else { continue };
            if tables.contains(&(name.store, name.table)) {
                let call = match step.op {
                    Op::Read { .. } => Call::Read(version(value.version)),
                    _ => Call::Write(version(step.attempt)),
                };
                let (invoked, returned) = (step.invoked.as_ns(), step.returned.as_ns());
                let operation = Operation { process: step.session, place, invoked, returned, call };
                accesses.push(Access { key: i64::from(step.row.0), session: step.session, operation });
            }
        }
        Ok(Reads { accesses, orders: Lineage::of(&tables, run).orders(run) })
    }

    /// Whether an access is a read that is asked about.
    fn counts(&self, number: usize, asked: &Query, run: &Run<'_>) -> bool {
        let operation = &self.accesses[number].operation;
        let step = &run.history.steps()[operation.place];
        let belongs = match &asked.whose {
            Whose::Program { probe, .. } => step.program.0 == probe.0,
            Whose::Table { .. } | Whose::Store { .. } => true,
            Whose::Lock { .. } => false,
        };
        matches!(operation.call, Call::Read(_)) && belongs && run.window(&asked.during).contains(step.invoked)
    }
}

fn no_reads() -> Undefined {
    Undefined("no read returned in this stretch of the run".to_owned())
}

fn finding(answer: Result<(f64, Option<Explanation>), Undefined>) -> Finding {
    match answer {
        Ok((value, witness)) => Finding { value: Ok(value), witness },
        Err(why) => Finding { value: Err(why), witness: None },
    }
}

/// How long ago what reads missed had been acknowledged, or how many versions that was.
pub(super) fn lag(asked: &Query, stat: Stat, in_time: bool, run: &Run<'_>) -> Finding {
    let ask = || {
        let reads = Reads::of(&asked.whose, run)?;
        let lags = lags(&reads.accesses, 0, &reads.orders);
        let lags: Vec<_> = lags.into_iter().filter(|lag| reads.counts(lag.read, asked, run)).collect();
        let value = |lag: &crate::check::staleness::Lag| if in_time { lag.age } else { lag.versions };
        let mut values: Vec<u64> = lags.iter().map(value).collect();
        values.sort_unstable();
        let unit = if in_time { 1e9 } else { 1.0 };
        let figure = match stat {
            _ if values.is_empty() => return Err(no_reads()),
            Stat::Mean => {
                let sum: u128 = values.iter().map(|value| u128::from(*value)).sum();
                sum as f64 / values.len() as f64 / unit
            }
            Stat::Max => values[values.len() - 1] as f64 / unit,
            Stat::Percentile(percent) => {
                values[rank(percent, values.len() as u64) as usize - 1] as f64 / unit
            }
        };
        let worst = lags
            .iter()
            .filter(|lag| lag.is_stale())
            .max_by_key(|lag| (value(lag), std::cmp::Reverse(lag.read)));
        let told = worst.map(|lag| {
            let place = reads.accesses[lag.read].operation.place;
            let sentence = format!(
                "{} missed {} acknowledged versions, the first of them {:.3} ms old",
                words::told(&run.history.steps()[place], run),
                lag.versions,
                lag.age as f64 / 1e6
            );
            Explanation { sentence, steps: vec![place], holds: Vec::new() }
        });
        Ok((figure, told))
    };
    finding(ask())
}

/// The share of reads that missed a write acknowledged so long before, of those before which there was one.
pub(super) fn stale(asked: &Query, from: Span, until: Span, run: &Run<'_>) -> Finding {
    let ask = || {
        let reads = Reads::of(&asked.whose, run)?;
        let mut keys: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
        for (number, access) in reads.accesses.iter().enumerate() {
            keys.entry(access.key).or_default().push(number);
        }
        let (mut of, mut missed, mut first) = (0u64, 0u64, None);
        for (key, numbers) in keys {
            let order = reads.orders.get(&key).map_or(&[][..], Vec::as_slice);
            let writes =
                Acknowledged::of(order, numbers.iter().map(|number| &reads.accesses[*number].operation));
            for number in numbers.into_iter().filter(|number| reads.counts(*number, asked, run)) {
                let operation = &reads.accesses[number].operation;
                if let Some(misses) = writes.are_missed(operation, from, until) {
                    of += 1;
                    missed += u64::from(misses);
                    first = first.or(misses.then_some(operation.place));
                }
            }
        }
        if of == 0 {
            return Err(Undefined("no read came so long after an acknowledged write".to_owned()));
        }
        let told = first.map(|place| {
            let what = words::told(&run.history.steps()[place], run);
            Explanation {
                sentence: format!("{what} missed a write that old"),
                steps: vec![place],
                holds: Vec::new(),
            }
        });
        Ok((missed as f64 / of as f64, told))
    };
    finding(ask())
}

/// The acknowledged writes of a key, in the order of their acknowledgements.
struct Acknowledged {
    /// By version: its place among all, from 1.
    places: FxHashMap<i64, usize>,
    instants: Vec<u64>,
    /// The latest place of each run of 2^k writes, by k and by its first.
    latest: Vec<Vec<usize>>,
}

impl Acknowledged {
    fn of<'o>(order: &[i64], operations: impl Iterator<Item = &'o Operation>) -> Acknowledged {
        let places: FxHashMap<i64, usize> =
            order.iter().enumerate().map(|(place, value)| (*value, place + 1)).collect();
        let mut writes: Vec<(u64, usize)> = Vec::new();
        for operation in operations.filter(|operation| !operation.is_pending()) {
            if let Call::Write(value) = operation.call {
                writes.extend(places.get(&value).map(|place| (operation.returned, *place)));
            }
        }
        writes.sort_unstable();
        let mut latest = vec![writes.iter().map(|(_, place)| *place).collect::<Vec<_>>()];
        let mut wide = 1;
        while 2 * wide <= writes.len() {
            let below = &latest[latest.len() - 1];
            let next =
                (0..=writes.len() - 2 * wide).map(|first| below[first].max(below[first + wide])).collect();
            latest.push(next);
            wide *= 2;
        }
        Acknowledged { places, instants: writes.into_iter().map(|(at, _)| at).collect(), latest }
    }

    /// Whether a read missed the latest of the writes that were at least so old when it was invoked, and less than so old; `None` if
    /// there was none, or if nobody knows where what it saw stands.
    fn are_missed(&self, read: &Operation, from: Span, until: Span) -> Option<bool> {
        let Call::Read(saw) = read.call else { return None };
        let seen = if saw == 0 { 0 } else { *self.places.get(&saw)? };
        let newest = read.invoked.checked_sub(from.as_ns())?;
        let end = self.instants.partition_point(|at| *at <= newest);
        let oldest = read.invoked.checked_sub(until.as_ns());
        let begin = oldest.map_or(0, |oldest| self.instants.partition_point(|at| *at <= oldest));
        let many = end.checked_sub(begin).filter(|many| *many > 0)?;
        let level = many.ilog2() as usize;
        let of_level = &self.latest[level];
        Some(of_level[begin].max(of_level[end - (1 << level)]) > seen)
    }
}
