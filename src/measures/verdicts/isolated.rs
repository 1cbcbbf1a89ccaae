//! How well transactions were kept apart: what clients saw, with the order in which the store had the versions, as the checker of
//! transactions judges it. Steps outside of any transaction are transactions of one step.

use crate::base::op::{Op, Outcome, Value};
use crate::base::time::Time;
use crate::check::history::{NIL, PENDING};
use crate::check::transactions::{Action, Completion, Level, Orders, Transaction, Transactions, What, check};
use crate::check::{Verdict, Witness};
use crate::measures::asked::Whose;
use crate::measures::verdicts::lineage::Lineage;
use crate::measures::verdicts::seen::version;
use crate::measures::verdicts::words::{between, name_versions, row};
use crate::measures::verdicts::{Explanation, Finding, Merging, Run};
use crate::record::history::Step;

/// How the checker calls a transaction, before the number of its place.
const LINE: &str = "the transaction of line ";

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
}

impl Gathered {
    fn of(whose: &Whose, run: &Run<'_>) -> Gathered {
        let keys = run.history.rows().iter().map(|name| row(*name, run.facts)).collect();
        let mut history = Transactions::on(keys);
        name_versions(&mut history.texts, 0..run.history.steps().len(), run.history);
        for (place, value) in run.history.transactions().iter().flat_map(|transaction| &transaction.steps) {
            let step = &run.history.steps()[*place as usize];
            if step.writes() {
                history.texts.name_value(version(step.attempt), value.n);
            }
        }
        let mut gathered = Gathered { history, steps: Vec::new() };
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
        self.add(step.session, Completion::Committed, actions, vec![place], run);
    }

    fn several(&mut self, kept: &[(usize, Value)], outcome: Outcome, run: &Run<'_>) {
        let Some((first, _)) = kept.first() else { return };
        let steps = run.history.steps();
        let took_effect = || kept.iter().any(|(place, _)| steps[*place].found.is_some());
        let completion = match outcome {
            Outcome::Ok(_) | Outcome::Renew(_) => Completion::Committed,
            Outcome::Fail(_) => Completion::Aborted,
            Outcome::Unknown(_) if took_effect() => Completion::Committed,
            Outcome::Unknown(_) => Completion::Aborted,
        };
        let mut actions = Vec::new();
        for (place, value) in kept {
            actions.extend(self.actions(&steps[*place], *value));
        }
        let places = kept.iter().map(|(place, _)| *place).collect();
        self.add(steps[*first].session, completion, actions, places, run);
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
        let read = read.map(|seen| Action { key, what: What::Read(seen) });
        let wrote = wrote.map(|own| Action { key, what: What::Write(own) });
        read.into_iter().chain(wrote).collect()
    }

    fn add(
        &mut self,
        process: u64,
        completion: Completion,
        actions: Vec<Action>,
        steps: Vec<usize>,
        run: &Run<'_>,
    ) {
        let of = |place: &usize| &run.history.steps()[*place];
        let invoked = steps.first().map_or(0, |first| of(first).invoked.as_ns());
        let ended = steps.last().map_or(Time::NEVER, |last| of(last).returned);
        let returned =
            if completion == Completion::Committed && ended != Time::NEVER { ended.as_ns() } else { PENDING };
        self.steps.push(steps);
        let place = self.steps.len();
        self.history.transactions.push(Transaction {
            process,
            place,
            invoked,
            returned,
            completion,
            actions,
        });
    }

    /// The checker's sentence, with programs and times in the place of lines.
    fn retold(&self, witness: &Witness, run: &Run<'_>) -> Explanation {
        let mut sentence = String::new();
        let mut rest = witness.sentence.as_str();
        while let Some(at) = rest.find(LINE) {
            let after = &rest[at + LINE.len()..];
            let digits = after.bytes().take_while(u8::is_ascii_digit).count();
            let place = after[..digits].parse::<usize>().unwrap_or(0);
            sentence.push_str(&rest[..at]);
            sentence.push_str(&self.who(place, run));
            rest = &after[digits..];
        }
        sentence.push_str(rest);
        let own = |place: &usize| self.steps.get(place.wrapping_sub(1)).into_iter().flatten().copied();
        let mut steps: Vec<usize> = witness.operations.iter().flat_map(own).collect();
        steps.sort_unstable();
        Explanation { sentence, steps, holds: Vec::new() }
    }

    /// A transaction, by its place: the program, and from when to when.
    fn who(&self, place: usize, run: &Run<'_>) -> String {
        let steps = self.steps.get(place.wrapping_sub(1)).map_or(&[][..], Vec::as_slice);
        let of = |place: &usize| &run.history.steps()[*place];
        let (Some(first), Some(last)) = (steps.first().map(of), steps.last().map(of)) else {
            return "somebody".to_owned();
        };
        let program = run.facts.program(first.program);
        let who = if program.is_empty() { "somebody".to_owned() } else { format!("`{program}`") };
        let end = if last.returned == Time::NEVER { last.invoked } else { last.returned };
        format!("{who} ({})", between(first.invoked, end))
    }
}
