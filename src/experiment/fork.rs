//! Cells that differ in their faults alone are one run until their faults part: there its world is cloned, and each goes its own way.
//! Each shows what it would have shown alone, byte for byte.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::base::time::Time;
use crate::design::tree::Node;
use crate::experiment::budget::family_max;
use crate::experiment::cell::Cell;
use crate::experiment::parallel;
use crate::experiment::question::Warmup;
use crate::experiment::run;
use crate::experiment::running::{Running, windows};
use crate::experiment::snapshots::Snapshots;
use crate::experiment::timetable::times;
use crate::experiment::trial::Trial;
use crate::faults::schedule::Schedule;
use crate::record::series::Window;

/// The cells of an experiment, by place, in families: those of one differ in nothing but faults whose times are known before a run,
/// and are no more than may be under way at once.
pub fn prefix_families(cells: &[Cell]) -> Vec<Vec<usize>> {
    let mut prefix_families: Vec<Vec<usize>> = Vec::new();
    let mut alike: BTreeMap<String, Vec<usize>> = BTreeMap::new(); // families, by what their designs look like
    for (place, cell) in cells.iter().enumerate() {
        if !cell.faults.is_fixed() || cell.drain.is_some() {
            prefix_families.push(vec![place]);
            continue;
        }
        let text = |(key, node): (&str, &Node)| format!("{key} = {}\n", node.show());
        let alike = alike.entry(design(cell).map(text).collect()).or_default();
        let most = family_max(cell);
        let takes = |family: &&usize| {
            let family = &prefix_families[**family];
            family.len() < most && differ_in_faults_alone(&cells[family[0]], cell)
        };
        match alike.iter().find(takes) {
            Some(family) => prefix_families[*family].push(place),
            None => {
                alike.push(prefix_families.len());
                prefix_families.push(vec![place]);
            }
        }
    }
    prefix_families
}

/// What a cell's design says of anything but faults.
fn design(cell: &Cell) -> impl Iterator<Item = (&str, &Node)> {
    let entries = cell.tree.entries().iter();
    entries.map(|entry| (entry.key.as_str(), &entry.node)).filter(|(key, _)| *key != "fault")
}

fn differ_in_faults_alone(a: &Cell, b: &Cell) -> bool {
    design(a).eq(design(b)) && a.record == b.record && a.windows == b.windows && a.length == b.length
}

/// A cell of a family, and what is known of its run before it.
struct FixedSchedule<'a> {
    /// Where it is in its family.
    place: usize,
    cell: &'a Cell,
    schedule: Schedule,
    faults: Vec<(String, Time, Time)>,
    windows: Vec<Window>,
    /// When its copies are first looked at.
    look: Option<Time>,
}

impl<'a> FixedSchedule<'a> {
    fn new(place: usize, cell: &'a Cell, warmup: Warmup, seed: u64) -> Self {
        let schedule = cell.faults.fixed_schedule(seed, cell.length);
        let faults = times(&schedule.plan_so_far());
        let look = Snapshots::new(cell, &faults).next();
        FixedSchedule { place, cell, schedule, windows: windows(cell, warmup, &faults), faults, look }
    }

    /// Before when its run and that of another are one, and nobody has looked into it.
    fn divergence_point(&self, other: &FixedSchedule<'_>) -> Time {
        let edges = self.windows.iter().zip(&other.windows).flat_map(|(mine, theirs)| {
            let differ = |(mine, theirs): (Time, Time)| (mine != theirs).then(|| mine.min(theirs));
            [(mine.from, theirs.from), (mine.until, theirs.until)].map(differ)
        });
        let others = [self.schedule.divergence_point(&other.schedule), self.look, other.look];
        edges.chain(others).flatten().min().unwrap_or(Time::NEVER)
    }
}

/// What all the runs of a family have in common.
struct Common<'a> {
    keep: bool,
    each: &'a (dyn Fn() + Sync),
    cancelled: &'a AtomicBool,
}

/// Runs the cells of a family under a seed, and tells `each` when one is done: their trials, in the order of the cells. Nothing comes
/// out when it is cancelled on the way.
pub fn run(
    family: &[&Cell],
    warmup: Warmup,
    seed: u64,
    keep: bool,
    each: &(dyn Fn() + Sync),
    cancelled: &AtomicBool,
) -> Option<Vec<Trial>> {
    if let [cell] = family {
        let trial = run::run(cell, warmup, seed, keep, cancelled)?;
        each();
        return Some(vec![trial]);
    }
    let fixed_schedule =
        family.iter().enumerate().map(|(place, cell)| FixedSchedule::new(place, cell, warmup, seed));
    let fixed_schedule: Vec<FixedSchedule<'_>> = fixed_schedule.collect();
    let first = fixed_schedule.first()?;
    let running = Running::with(first.cell, warmup, seed, &first.faults, &first.cell.record.history);
    let common = Common { keep, each, cancelled };
    let mut trials = resume(running, fixed_schedule, &common)?;
    trials.sort_by_key(|(place, _)| *place);
    Some(trials.into_iter().map(|(_, trial)| trial).collect())
}

/// Goes on with what is the run of the first and, so far, that of all others: trials, by place in the family.
fn resume<'a>(
    mut running: Running<'a>,
    mut all: Vec<FixedSchedule<'a>>,
    common: &Common<'_>,
) -> Option<Vec<(usize, Trial)>> {
    let first = &all[0];
    let Some(at) = all[1..].iter().map(|other| first.divergence_point(other)).min() else {
        running.go(common.cancelled);
        if common.cancelled.load(Ordering::Relaxed) {
            return None;
        }
        let trial = running.finish(common.keep);
        (common.each)();
        return Some(vec![(first.place, trial)]);
    };
    let (at, end) = (at.min(running.end), running.end);
    running.run_until(at, common.cancelled);
    let others = all.split_off(1);
    let (with_first, without): (Vec<_>, Vec<_>) =
        others.into_iter().partition(|other| at < end && all[0].divergence_point(other) > at);
    let other = &without[0];
    let fork = running.fork(other.cell, at, &other.windows, &other.faults);
    all.extend(with_first);
    let (mut trials, others) =
        parallel::join(|| resume(running, all, common), || resume(fork, without, common));
    trials.as_mut()?.extend(others?);
    trials
}
