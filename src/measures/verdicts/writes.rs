//! What became of writes: which are lost, which are there although nobody was told, on which keys copies disagree and for how long.

use std::cell::LazyCell;

use rustc_hash::FxHashMap;

use crate::base::ids::TierId;
use crate::base::op::{Op, Outcome};
use crate::base::time::Time;
use crate::check::history::PENDING;
use crate::check::versions::convergence;
use crate::check::versions::{self, Dag, Held, Version, Write};
use crate::measures::asked::{Instant, Query, Whose};
use crate::measures::functions::Undefined;
use crate::measures::verdicts::lineage::{Lineage, wanted};
use crate::measures::verdicts::{Explanation, Finding, Run, words};
use crate::record::history::{RowId, Step};
use crate::record::survey::Survey;

/// The writes of clients to some tables, each with its place among the operations. What they come from by what their customers had seen
/// is added to `derived`.
fn writes(tables: &[(TierId, u16)], lineage: &Lineage, derived: &mut Dag, run: &Run<'_>) -> Vec<Write> {
    let wanted = wanted(tables, run);
    let mut writes = Vec::new();
    // The versions of a row that a customer's request has seen, where it also writes the row and does not say what that is derived from.
    let of_row = |step: &&Step| wanted[step.row.0 as usize] && step.origin != 0;
    let blind = run.history.steps().iter().filter(of_row).filter(|step| matches!(step.op, Op::Write { .. }));
    let mut seen: FxHashMap<(u64, RowId), Vec<(Time, Version)>> =
        blind.map(|step| ((step.origin, step.row), Vec::new())).collect();
    if !seen.is_empty() {
        for step in run.history.steps().iter().filter(of_row) {
            if let Outcome::Ok(value) = step.outcome
                && let Some(seen) = seen.get_mut(&(step.origin, step.row))
            {
                let version = if step.writes() { step.attempt.0 } else { value.version.0 };
                seen.push((step.returned, version));
            }
        }
    }
    for (place, step) in run.history.steps().iter().enumerate() {
        if !step.writes() || !wanted[step.row.0 as usize] || matches!(step.outcome, Outcome::Fail(_)) {
            continue;
        }
        let known = seen.get(&(step.origin, step.row)).into_iter().flatten();
        let before = known.filter(|(at, _)| *at <= step.invoked).max().map(|(_, version)| *version);
        let is_write = step.is_outright();
        if let Some(before) = before.filter(|_| is_write) {
            derived.add(step.attempt.0, &[before]);
        }
        let named = matches!(step.op, Op::Write { parent, .. } if lineage.accepted.contains_key(&parent.0));
        let returned = if step.outcome.is_ok() { step.returned.as_ns() } else { PENDING };
        writes.push(Write {
            version: step.attempt.0,
            key: i64::from(step.row.0),
            blind: is_write && before.is_none() && !named,
            place,
            invoked: step.invoked.as_ns(),
            accepted: lineage.accepted.get(&step.attempt.0).copied().unwrap_or(PENDING),
            returned,
        });
    }
    writes
}

fn stores(tables: &[(TierId, u16)]) -> Vec<TierId> {
    let mut stores: Vec<TierId> = tables.iter().map(|(store, _)| *store).collect();
    stores.sort_unstable();
    stores.dedup();
    stores
}

/// What all copies come to hold of these tables.
fn settled(tables: &[(TierId, u16)], lineage: &Lineage, run: &Run<'_>) -> Result<Vec<Held>, Undefined> {
    let end = run.time_of(&Instant::End)?;
    let mut held = Vec::new();
    for store in stores(tables) {
        held.extend(lineage.settled(run.survey(store, end)?));
    }
    Ok(held)
}

/// What one asks of writes, with the versions that they are part of.
type Ask = fn(&Dag, &[Write], &[Held]) -> Vec<usize>;

/// The operations behind the writes that something is true of.
fn found(whose: &Whose, ask: Ask, run: &Run<'_>) -> Result<Vec<usize>, Finding> {
    let tables = whose.tables();
    let lineage = Lineage::of(&tables, run);
    let held = settled(&tables, &lineage, run).map_err(|why| Finding { value: Err(why), witness: None })?;
    let mut derived = lineage.derived();
    let writes = writes(&tables, &lineage, &mut derived, run);
    let belongs = |write: &&Write| is_of(whose, &run.history.steps()[write.place]);
    if !writes.iter().any(|write| belongs(&write)) {
        return Err(Finding::unknown(format!("`{}` wrote nothing", whose.name())));
    }
    let places = ask(&derived, &writes, &held).into_iter().map(|index| &writes[index]);
    Ok(places.filter(belongs).map(|write| write.place).collect())
}

fn is_of(whose: &Whose, step: &Step) -> bool {
    match whose {
        Whose::Program { probe, .. } => step.program.0 == probe.0,
        Whose::Table { .. } | Whose::Store { .. } => true,
        Whose::Lock { .. } => false,
    }
}

/// How many acknowledged writes are lost. Of a program those count whose caller was told that the call succeeded; where nobody was
/// told, the store's word counts.
pub(super) fn lost(whose: &Whose, run: &Run<'_>) -> Finding {
    let mut places = match found(whose, versions::lost, run) {
        Ok(places) => places,
        Err(finding) => return finding,
    };
    places.retain(|place| is_acknowledged(whose, &run.history.steps()[*place], run));
    let witness = places.first().map(|place| {
        let step = &run.history.steps()[*place];
        let what = words::told(step, run);
        let sentence = format!("{what} was acknowledged, and the copies settle on a value without it");
        Explanation { sentence, steps: vec![*place], holds: Vec::new() }
    });
    Finding::of(places.len() as f64, witness)
}

/// Whether whoever counts was told that a write succeeded.
fn is_acknowledged(whose: &Whose, step: &Step, run: &Run<'_>) -> bool {
    let told = run.history.call_of(step).is_none_or(|call| call.outcome.is_ok());
    step.outcome.is_ok() && (told || !matches!(whose, Whose::Program { .. }))
}

/// How many writes are in effect although whoever counts was not told that they succeeded.
pub(super) fn unacked(whose: &Whose, run: &Run<'_>) -> Finding {
    let survivors: Ask = |dag, writes, held| {
        let survives = versions::survivors(dag, writes, held);
        (0..writes.len()).filter(|index| survives[*index]).collect()
    };
    let mut places = match found(whose, survivors, run) {
        Ok(places) => places,
        Err(finding) => return finding,
    };
    places.retain(|place| {
        let step = &run.history.steps()[*place];
        let call = run.history.call_of(step).filter(|_| matches!(whose, Whose::Program { .. }));
        call.map_or(step.outcome, |call| call.outcome).is_unknown()
    });
    let witness = places.first().map(|place| {
        let what = words::told(&run.history.steps()[*place], run);
        let sentence = format!("nobody was told that {what} succeeded, and it is in effect");
        Explanation { sentence, steps: vec![*place], holds: Vec::new() }
    });
    Finding::of(places.len() as f64, witness)
}

/// On how many keys copies have diverged.
pub(super) fn diverged(asked: &Query, run: &Run<'_>) -> Finding {
    let tables = asked.whose.tables();
    let ask = || -> Result<(usize, Option<Explanation>), Undefined> {
        let (before, at) = (run.time_of(&asked.before)?, run.time_of(&asked.at)?);
        let lineage = Lineage::of(&tables, run);
        let versions = LazyCell::new(|| (lineage.all(), lineage.everything()));
        let (mut many, mut first) = (0, None);
        for store in stores(&tables) {
            let survey = run.survey(store, at)?;
            let copies = run.facts.copies(store);
            let held = convergence::differing(lineage.held(survey), copies);
            if held.is_empty() {
                continue;
            }
            let (all, everything) = &*versions;
            let keys = convergence::diverged(all, everything, copies, &held, before.as_ns());
            many += keys.len();
            first = first
                .or_else(|| keys.first().map(|key| disagreement(RowId(*key as u32), survey, before, run)));
        }
        Ok((many, first))
    };
    match ask() {
        Ok((many, witness)) => Finding::of(many as f64, witness),
        Err(why) => Finding { value: Err(why), witness: None },
    }
}

fn disagreement(row: RowId, survey: &Survey, before: Time, run: &Run<'_>) -> Explanation {
    let place = survey.rows.iter().position(|known| *known == row).unwrap_or_default();
    let copies = survey.holdings.copies.iter().map(|values| values[place].n.to_string());
    let name = words::row(run.history.rows()[row.0 as usize], run.facts);
    let sentence = format!(
        "at {} the copies of {name} hold {}, and one lacks a write that another accepted before {}",
        words::instant(survey.at),
        copies.collect::<Vec<_>>().join(", "),
        words::instant(before),
    );
    Explanation { sentence, ..Explanation::default() }
}

/// How long after the last fault copies came to agree on what had been accepted by then.
pub(super) fn converged(whose: &Whose, run: &Run<'_>) -> Finding {
    let Some(calm) = run.calm else {
        return Finding::unknown("no fault ended in this run, or one goes on to its end");
    };
    let tables = whose.tables();
    let lineage = Lineage::of(&tables, run);
    let (all, everything, before) = (lineage.all(), lineage.everything(), calm.as_ns());
    let mut latest = before;
    for store in stores(&tables) {
        let (copies, installs) = (run.facts.copies(store), lineage.installs(store, run));
        match convergence::converged(&all, &everything, copies, &installs, before, before) {
            Some(at) => latest = latest.max(at),
            None => return Finding::unknown("the copies had not agreed when the run ended"),
        }
    }
    Finding::of((latest - before) as f64 / 1e9, None)
}
