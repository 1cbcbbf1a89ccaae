//! What a cell's runs must record: what its measures and properties ask for, and no more.

use std::collections::BTreeSet;

use crate::base::ids::{ProbeId, SeriesId};
use crate::base::time::{Span, Time};
use crate::experiment::compiled::{Judged, Named};
use crate::experiment::facts::is_written_outright;
use crate::experiment::meters::Meter;
use crate::experiment::question::PropertyKind;
use crate::experiment::setup::Setup;
use crate::measures::asked::{Operations, Query, Whose};
use crate::measures::expression::{During, Needs};
use crate::measures::functions::Target;
use crate::record::history::HistoryPlan;
use crate::record::recorder::RecordPlan;
use crate::record::series::{SeriesName, Window};

/// What must be kept for the measures and properties of a cell.
pub(super) fn record(
    setup: &Setup,
    length: Span,
    measures: &[Named],
    judged: &[Judged],
    meters: &[Meter],
) -> (RecordPlan, Vec<During>, Vec<Query>) {
    let mut needs = Needs::default();
    for named in measures.iter().chain(judged.iter().filter_map(|judged| judged.condition.as_ref())) {
        named.expression.needs(&mut needs);
    }
    let mut plan = setup.record_plan(length);
    for probe in needs.samples.iter().copied().chain(setup.called()) {
        plan.probes[probe.index()].samples = true;
    }
    let mut probes = setup.called();
    probes.extend(needs.targets.iter().filter_map(Target::probe));
    for (probe, plan) in plan.probes.iter_mut().enumerate() {
        plan.unasked = !probes.contains(&ProbeId(probe as u16));
    }
    let named: BTreeSet<SeriesName> = needs.targets.iter().filter_map(Target::series).collect();
    plan.members = named.iter().filter_map(|name| Some((name.id, name.member?))).collect();
    let mut series: BTreeSet<SeriesId> = named.iter().map(|name| name.id).collect();
    series.extend(meters.iter().flat_map(Meter::series));
    setup.called().iter().for_each(|probe| plan.probes[probe.index()].tails = true);
    let all = (0..plan.series.len() as u16).map(SeriesId);
    plan.unasked = all.filter(|one| !series.contains(one)).collect();
    for probe in &needs.gaps {
        plan.probes[probe.index()].gaps = true;
    }
    plan.keyed = needs.keyed;
    for (probe, cause) in needs.causes {
        let causes = &mut plan.probes[probe.index()].causes;
        if !causes.contains(&cause) {
            causes.push(cause);
        }
    }
    let mut windows = vec![During::Run, During::Whole];
    for during in needs.windows {
        if !windows.contains(&during) {
            windows.push(during);
        }
    }
    plan.windows = vec![Window { from: Time::ZERO, until: Time::ZERO + length }; windows.len()];
    watch(judged, &mut plan);
    let mut asked: Vec<Query> = Vec::new();
    for question in needs.asked {
        if !asked.contains(&question) {
            asked.push(question);
        }
    }
    plan.history = history(setup, &asked);
    (plan, windows, asked)
}

/// The counters whose changes tell whether conditions hold that must always hold, or once.
fn watch(judged: &[Judged], plan: &mut RecordPlan) {
    let watched = judged.iter().filter(|judged| {
        matches!(judged.property.kind, PropertyKind::Always | PropertyKind::Sometimes)
            && judged.condition.as_ref().is_some_and(|named| named.expression.can_be_watched())
    });
    let mut needs = Needs::default();
    for named in watched.filter_map(|judged| judged.condition.as_ref()) {
        named.expression.needs(&mut needs);
    }
    for target in needs.targets {
        match target {
            Target::Series(series) | Target::Cores(_, series) => plan.watched_series.push(series.id),
            Target::Tally(tally) => plan.watched_tallies.push(tally),
            Target::Probe(probe) => plan.watched_probes.push(probe),
            Target::Constant(_) => {}
        }
    }
}

/// What must be kept of the history to answer these questions.
fn history(setup: &Setup, asked: &[Query]) -> HistoryPlan {
    let mut plan = HistoryPlan::default();
    for asked in asked {
        let (operations, versions) = asked.what.needs();
        for table in asked.whose.tables() {
            match operations {
                Operations::Writes if !is_written_outright(setup, table) => plan.writes.push(table),
                Operations::Writes | Operations::All => plan.operations.push(table),
                Operations::None => {}
            }
        }
        if versions {
            plan.versions.extend(asked.whose.tables());
        }
        plan.locks |= matches!(asked.whose, Whose::Lock { .. });
        if let Whose::Program { probe, .. } = &asked.whose {
            plan.calls.push(*probe);
        }
    }
    plan
}
