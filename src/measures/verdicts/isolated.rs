//! How well transactions were kept apart: what clients saw, with the order in which the store had the versions, as the checker of
//! transactions judges it. Steps outside of any transaction are transactions of one step.

use std::collections::BTreeMap;

use crate::base::op::{Op, Outcome, Value};
use crate::base::time::Time;
use crate::check::history::{NIL, PENDING};
use crate::check::transactions::{Action, Fate, Level, Orders, Transaction, Transactions, What, check};
use crate::check::{Verdict, Witness};
use crate::measures::asked::Whose;
use crate::measures::verdicts::lineage::Lineage;
use crate::measures::verdicts::seen::version;
use crate::measures::verdicts::words::{instant, row};
use crate::measures::verdicts::{Finding, Merging, Run, Told};
use crate::record::history::Step;

/// Whether transactions were isolated as a level promises.
pub(super) fn isolated(level: Level, whose: &Whose, run: &Run<'_>) -> Finding {
    let tables = whose.tables();
    if tables.iter().any(|(store, _)| run.facts.merging(*store) != Merging::Replaces) {
        let why = format!("in the store of `{}` concurrent writes do not replace each other", whose.name());
        return Finding::unknown(why);
    }
    let told = Gathered::of(whose, run);
    if told.history.transactions.is_empty() {
        return Finding::unknown(format!("nobody used `{}`", whose.name()));
    }
    let known = Lineage::of(&tables, run).orders(run);
    let orders: Orders = known.into_iter().map(|(row, versions)| (row as u32, versions)).collect();
    match check(&told.history, Some(&orders)).verdict(level) {
        Verdict::Holds => Finding::of(1.0, None),
        Verdict::Unknown(why) => Finding::unknown(why),
        Verdict::Violated(witness) => Finding::of(0.0, Some(told.retold(&witness, run))),
    }
}

/// The transactions of a run as the checker reads them, and the steps of each.
struct Gathered {
    history: Transactions,
    steps: Vec<Vec<usize>>,
    /// What each version is, as a number.
    numbers: BTreeMap<i64, i64>,
}

impl Gathered {
    fn of(whose: &Whose, run: &Run<'_>) -> Gathered {
        let keys = run.history.rows().iter().map(|name| row(*name, run.facts)).collect();
        let history = Transactions::on(keys);
        let mut gathered = Gathered { history, steps: Vec::new(), numbers: BTreeMap::new() };
        let tables = whose.tables();
        let wanted = run.history.steps().iter().map(|step| run.name(step));
        let wanted: Vec<bool> = wanted.map(|name| tables.contains(&(name.store, name.table))).collect();
        for (place, step) in run.history.steps().iter().enumerate() {
            if step.transaction == 0 && wanted[place] {
                gathered.single(place, step, run);
            }
        }
        for transaction in run.history.transactions() {
            let kept = transaction.steps.iter().filter(|(place, _)| wanted[*place as usize]);
            let kept: Vec<(usize, Value)> = kept.map(|(place, value)| (*place as usize, *value)).collect();
            gathered.several(&kept, transaction.outcome, run);
        }
        gathered
    }

    fn single(&mut self, place: usize, step: &Step, run: &Run<'_>) {
        let value = match step.outcome {
            Outcome::Ok(value) | Outcome::Renew(value) => value,
            // What the simulation knows of a write that nobody was told of.
            Outcome::Unknown(_) => match step.found {
                Some(parent) => Value { n: 0, version: step.attempt, parent },
                None => return,
            },
            Outcome::Fail(_) => return,
        };
        let actions = self.actions(step, value);
        self.add(step.session, Fate::Committed, actions, vec![place], run);
    }

    fn several(&mut self, kept: &[(usize, Value)], outcome: Outcome, run: &Run<'_>) {
        let Some((first, _)) = kept.first() else { return };
        let steps = run.history.steps();
        let took_effect = || kept.iter().any(|(place, _)| steps[*place].found.is_some());
        let fate = match outcome {
            Outcome::Ok(_) | Outcome::Renew(_) => Fate::Committed,
            Outcome::Fail(_) => Fate::Aborted,
            Outcome::Unknown(_) if took_effect() => Fate::Committed,
            Outcome::Unknown(_) => Fate::Aborted,
        };
        let mut actions = Vec::new();
        for (place, value) in kept {
            actions.extend(self.actions(&steps[*place], *value));
        }
        let places = kept.iter().map(|(place, _)| *place).collect();
        self.add(steps[*first].session, fate, actions, places, run);
    }

    /// What a step saw and wrote.
    fn actions(&mut self, step: &Step, value: Value) -> Vec<Action> {
        let key = step.row.0;
        let of = |seen| if seen == 0 { NIL } else { seen };
        let (own, seen) = (version(step.attempt), of(version(value.parent)));
        let (read, wrote) = match step.op {
            Op::Read { .. } | Op::ReadForUpdate { .. } => (Some(of(version(value.version))), None),
            Op::Write { .. } => (None, Some(own)),
            _ => (Some(seen), Some(own)),
        };
        self.numbers.insert(version(value.version), value.n);
        let read = read.map(|seen| Action { key, what: What::Read(seen) });
        let wrote = wrote.map(|own| Action { key, what: What::Write(own) });
        read.into_iter().chain(wrote).collect()
    }

    fn add(&mut self, process: u64, fate: Fate, actions: Vec<Action>, steps: Vec<usize>, run: &Run<'_>) {
        let of = |place: &usize| &run.history.steps()[*place];
        let invoked = steps.first().map_or(0, |first| of(first).invoked.as_ns());
        let ended = steps.last().map_or(Time::NEVER, |last| of(last).returned);
        let returned = if fate == Fate::Committed && ended != Time::NEVER { ended.as_ns() } else { PENDING };
        self.steps.push(steps);
        let place = self.steps.len();
        self.history.transactions.push(Transaction { process, place, invoked, returned, fate, actions });
    }

    /// The checker's sentence, with programs and times in the place of lines and numbers in that of versions.
    fn retold(&self, witness: &Witness, run: &Run<'_>) -> Told {
        let mut sentence = witness.sentence.clone();
        let mut steps = Vec::new();
        for place in &witness.operations {
            let own = &self.steps[place - 1];
            let of = |place: &usize| &run.history.steps()[*place];
            let (Some(first), Some(last)) = (own.first().map(of), own.last().map(of)) else { continue };
            let program = run.facts.program(first.program);
            let who = if program.is_empty() { "somebody".to_owned() } else { format!("`{program}`") };
            let end = if last.returned == Time::NEVER { last.invoked } else { last.returned };
            let (began, ended) = (instant(first.invoked), instant(end));
            let until = if began == ended { String::new() } else { format!(" to {ended}") };
            let line = format!("the transaction of line {place}");
            sentence = replaced(&sentence, &line, &format!("{who} of {began}{until}"));
            for action in &self.history.transactions[place - 1].actions {
                let (What::Read(seen) | What::Write(seen)) = action.what else { continue };
                let key = &self.history.keys[action.key as usize];
                if let Some(number) = self.numbers.get(&seen) {
                    sentence = replaced(&sentence, &format!("{key} = {seen}"), &format!("{key} = {number}"));
                }
            }
            steps.extend(own);
        }
        steps.sort_unstable();
        Told { sentence, steps, holds: Vec::new() }
    }
}

/// A text with another in the place of one, wherever no further digit follows.
fn replaced(text: &str, old: &str, new: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(old) {
        let (before, after) = (&rest[..at], &rest[at + old.len()..]);
        out.push_str(before);
        out.push_str(if after.starts_with(|c: char| c.is_ascii_digit()) { old } else { new });
        rest = after;
    }
    out.push_str(rest);
    out
}
