//! A run on its way: a world, its faults at their times, looks at its copies, properties watched; and what it shows at its end.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::base::ids::ProbeId;
use crate::base::time::{Span, Time};
use crate::design::limits::EVENTS_MAX;
use crate::experiment::cell::Cell;
use crate::experiment::course;
use crate::experiment::decision::{Decided, at_end, sides};
use crate::experiment::excess::told;
use crate::experiment::leads::Leads;
use crate::experiment::meters::SLOWEST;
use crate::experiment::question::{PropertyKind, Warmup};
use crate::experiment::snapshots::Snapshots;
use crate::experiment::telling::{Happening, Sink};
use crate::experiment::timetable::times;
use crate::experiment::trial::{Failed, Trial};
use crate::faults::plan::TIMES_MAX;
use crate::faults::schedule::Schedule;
use crate::measures::asked::Instant as Named;
use crate::measures::evaluation::Evaluation;
use crate::measures::expression::During;
use crate::record::history::{History, HistoryPlan};
use crate::record::recorder::{RecordPlan, Recorder};
use crate::record::series::Window;
use crate::record::sums::Which;
use crate::sim::run::{Stop, World};

/// Events between two looks at whether somebody wants to stop: a fraction of a second.
const LOOK_EVERY: u64 = 1 << 20;

/// Why a run ends before its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Somebody asked for it.
    Cancelled,
    /// It had too much of something: what, where, and what would help.
    TooMuch(String),
}

/// A run of a cell under a seed, on its way.
pub struct Running<'a> {
    cell: &'a Cell,
    seed: u64,
    /// The world.
    pub world: World,
    /// Whether its processes have begun.
    begun: bool,
    /// When it is over.
    pub end: Time,
    seen: Vec<Option<Decided>>,
    /// The faults.
    pub schedule: Schedule,
    /// The looks at copies.
    pub looks: Snapshots,
    /// Who leads whom, where it is asked for.
    pub leads: Option<Leads>,
    /// Who takes what happens, where it is streamed.
    pub sink: Option<Sink<'a>>,
    /// How much of what its faults do has been handed on.
    told: usize,
    /// Why it ended before its end.
    pub cut_short: Option<Cut>,
    /// No more requests arrive: it goes on until the last has ended.
    draining: bool,
}

impl<'a> Running<'a> {
    /// A run whose windows are those of faults that only a run tells is made twice: the same happens both times, and the
    /// second time it is known when.
    pub fn new(
        cell: &'a Cell,
        warmup: Warmup,
        seed: u64,
        history: &HistoryPlan,
        cancelled: &AtomicBool,
    ) -> Self {
        let named = |during: &During| match during {
            During::Fault(name) | During::After(name, _) => !cell.faults.is_known_before(name),
            During::Run | During::Whole | During::Between(..) => false,
        };
        let known = times(&cell.faults.known_before(seed, cell.length));
        let asked = cell.asked.iter().flat_map(|asked| [&asked.before, &asked.at]);
        let told_by_run =
            |moment: &Named| moment.fault().is_some_and(|fault| !cell.faults.is_known_before(fault));
        if !cell.windows.iter().any(named) && !asked.into_iter().any(told_by_run) {
            return Running::with(cell, warmup, seed, &known, history);
        }
        let mut first = Running::with(cell, warmup, seed, &known, &HistoryPlan::default());
        first.go(cancelled);
        Running::with(cell, warmup, seed, &times(&first.schedule.plan_so_far()), history)
    }

    /// A run of whose faults these times are known.
    pub fn with(
        cell: &'a Cell,
        warmup: Warmup,
        seed: u64,
        faults: &[(String, Time, Time)],
        history: &HistoryPlan,
    ) -> Self {
        let steady = match warmup {
            Warmup::Span(_) => Vec::new(),
            Warmup::Auto => cell.setup.called().into_iter().collect(),
        };
        let windows = windows(cell, warmup, faults);
        let record = RecordPlan { windows, steady, history: history.clone(), ..cell.record.clone() };
        let mut world = cell.setup.world(seed, &record);
        if record.history == cell.record.history {
            make_room(&mut world, cell);
        }
        Running {
            cell,
            seed,
            world,
            begun: false,
            end: Time::ZERO + cell.length,
            seen: vec![None; cell.judged.len()],
            looks: Snapshots::new(cell, faults),
            schedule: cell.faults.schedule(seed, cell.length),
            leads: None,
            sink: None,
            told: 0,
            cut_short: None,
            draining: false,
        }
    }

    /// The run of another cell, of which everything before `at` has now happened: until then it would have been this one, and neither
    /// has been looked at.
    pub fn fork(
        &self,
        cell: &'a Cell,
        at: Time,
        windows: &[Window],
        faults: &[(String, Time, Time)],
    ) -> Self {
        let mut world = self.world.clone();
        world.recorder_mut().move_windows(windows);
        make_room(&mut world, cell);
        let mut schedule = cell.faults.schedule(self.seed, cell.length);
        schedule.catch_up(&self.schedule, at);
        Running {
            cell,
            seed: self.seed,
            world,
            begun: self.begun,
            end: self.end,
            seen: self.seen.clone(),
            looks: Snapshots::new(cell, faults),
            schedule,
            leads: None,
            sink: None,
            told: 0,
            cut_short: self.cut_short.clone(),
            draining: self.draining,
        }
    }

    /// To the end.
    pub fn go(&mut self, cancelled: &AtomicBool) {
        if let Some(drain) = &self.cell.drain {
            // as far as requests arrive, then until the last of them has ended
            self.run_until((drain.last + Span::from_ns(1)).min(self.end), cancelled);
            self.world.recorder_mut().watch(&drain.probes);
            self.draining = true;
        }
        self.run_until(self.end, cancelled);
        if self.is_drained() {
            let last = self.cell.drain.as_ref().map_or(self.end, |drain| drain.last);
            self.end = self.world.now().max(last) + Span::from_ns(1);
        }
        self.looks.look_last(self.cell, &self.world);
    }

    /// Hands on what has happened.
    pub fn hand_on(&mut self) {
        let Some(sink) = &mut self.sink else { return };
        if !sink(Happening::Moments(&self.world.recorder_mut().history.take_moments())) {
            self.cut_short.get_or_insert(Cut::Cancelled);
        }
    }

    /// Hands on what faults have done, after all that had happened before.
    fn hand_on_faults(&mut self) {
        let Some(sink) = &mut self.sink else { return };
        for (at, begins, planned) in self.schedule.done_since(self.told) {
            self.told += 1;
            if !sink(Happening::Fault(at, begins, planned)) {
                self.cut_short.get_or_insert(Cut::Cancelled);
            }
        }
    }

    /// Everything before an instant, with the faults at their times, and looks at the copies after the faults of an instant.
    pub fn run_until(&mut self, stop: Time, cancelled: &AtomicBool) {
        self.look_whether(cancelled);
        if !self.begins_before(stop) {
            return;
        }
        self.notice();
        while self.cut_short.is_none() && !self.is_drained() {
            let due = [self.schedule.next(), self.looks.next()].into_iter().flatten().min();
            let due = due.filter(|at| *at < stop);
            if !self.until(due.unwrap_or(stop), cancelled) {
                continue; // something else is due before
            }
            match due {
                None => break,
                Some(at) if self.schedule.next() == Some(at) => {
                    self.world.advance(at);
                    self.hand_on();
                    self.schedule.step(Some(&mut self.world));
                    self.hand_on_faults();
                    self.notice();
                }
                Some(_) => self.looks.look(self.cell, &self.world),
            }
        }
    }

    /// Before anything happens processes begin, and before them clocks are as wrong as they are from the start. Cells that differ in
    /// faults of the first instant have not begun when they part.
    fn begins_before(&mut self, stop: Time) -> bool {
        if !self.begun && stop > Time::ZERO {
            self.begun = true;
            self.schedule.set_clocks(&mut self.world);
            self.world.start();
        }
        self.begun
    }

    /// Runs until then; false if it ended before, since more became due or the run was cut short.
    fn until(&mut self, horizon: Time, cancelled: &AtomicBool) -> bool {
        loop {
            let events = self.world.fingerprint().events();
            match self.world.run(horizon, (events + LOOK_EVERY).min(EVENTS_MAX)) {
                Stop::Horizon => return true,
                Stop::Events => {
                    if events >= EVENTS_MAX {
                        let help = "make the run shorter or the rates lower";
                        self.cut_short =
                            Some(Cut::TooMuch(format!("more than {EVENTS_MAX} events\nhelp: {help}")));
                    }
                    self.look_whether(cancelled);
                    if self.cut_short.is_some() {
                        return false;
                    }
                }
                Stop::Excess => {
                    let told = self.world.excess().map(|excess| told(excess, self.cell));
                    self.cut_short = told.map(Cut::TooMuch);
                    return false;
                }
                Stop::Changed => {
                    self.notice();
                    if self.cut_short.is_some()
                        || self.is_drained()
                        || self.schedule.next().is_some_and(|at| at < horizon)
                    {
                        return false;
                    }
                }
            }
        }
    }

    /// Whether the run is over, since the last request that it waits for has ended.
    fn is_drained(&self) -> bool {
        let open = |probe: &ProbeId| self.world.recorder().probe(*probe).open() > 0;
        self.draining && self.cell.drain.as_ref().is_some_and(|drain| !drain.probes.iter().any(open))
    }

    /// What follows at once from a level or a counter that has changed.
    fn notice(&mut self) {
        if self.world.recorder().history.is_full() {
            self.hand_on();
        }
        self.schedule.notice(self.world.now(), &self.world);
        if let Some(leads) = &mut self.leads {
            leads.notice(&self.world);
        }
        if self.world.recorder_mut().take_changed() {
            self.watch();
        }
    }

    fn look_whether(&mut self, cancelled: &AtomicBool) {
        if cancelled.load(Ordering::Relaxed) {
            self.cut_short.get_or_insert(Cut::Cancelled);
        }
    }

    /// Looks at the properties that can be watched, which have not been decided yet.
    fn watch(&mut self) {
        let now = self.world.now();
        for (judged, seen) in self.cell.judged.iter().zip(&mut self.seen) {
            let Some(condition) = judged.condition.as_ref().filter(|_| seen.is_none()) else { continue };
            let decisive = match judged.property.kind {
                PropertyKind::Always => Some(false),
                PropertyKind::Sometimes => Some(true),
                PropertyKind::Slo | PropertyKind::Verdict => None,
            };
            if decisive.is_none() || !condition.expression.can_be_watched() {
                continue;
            }
            let mut evaluation =
                Evaluation::new(self.world.recorder(), &self.cell.windows).beginning_at_zero();
            let holds = condition.expression.value(&mut evaluation).ok().map(|value| value != 0.0);
            if holds == decisive {
                let witness = format!("at {now} of seed {}: {}", self.seed, sides(judged, &mut evaluation));
                *seen = Some(Decided { holds, margins: None, witness });
            }
        }
    }

    /// What it shows, now that it is over.
    pub fn finish(mut self, keep: bool) -> Trial {
        let end = self.end.max(self.world.now());
        let cell = self.cell;
        let broken = self.world.close(end, &|probe| cell.setup.probe_name(probe)).err();
        self.watch();
        let faults = times(&self.schedule.plan_so_far());
        let findings = self.looks.answers(cell, &faults, &self.world);
        let overdone = self.schedule.overdone().map(|fault| {
            format!(
                "fault '{fault}' happens more than {TIMES_MAX} times\nhelp: a longer `every`, or a shorter run"
            )
        });
        let too_much = match self.cut_short.take() {
            Some(Cut::TooMuch(why)) => Some(why),
            Some(Cut::Cancelled) | None => overdone,
        };
        let recorder = self.world.recorder();
        let mut evaluation = Evaluation::new(recorder, &cell.windows).with(&findings);
        let (mut values, mut remarks) = (Vec::new(), Vec::new());
        for named in &cell.measures {
            values.push(named.expression.value(&mut evaluation));
            remarks.push(evaluation.take_remarks());
        }
        let mut whole = Evaluation::new(recorder, &cell.windows).with(&findings).beginning_at_zero();
        let seen = cell.judged.iter().zip(std::mem::take(&mut self.seen));
        let seed = self.seed;
        let seen = seen
            .map(|(judged, seen)| seen.or_else(|| at_end(judged, seed, &mut evaluation, &mut whole)))
            .collect();
        let called = cell.setup.called();
        let causes = called.iter().map(|probe| {
            let sums = recorder.probe(*probe).sums(recorder.range(0));
            (*probe, sums.ends(), sums.ended(Which::Any).causes)
        });
        let causes = causes.collect();
        let failures = called.iter().map(|probe| failed(*probe, recorder)).collect();
        let slowest = called.iter().map(|probe| recorder.probe(*probe).slowest(SLOWEST)).collect();
        let loads = cell.meters.iter().map(|meter| meter.read(recorder)).collect();
        let all = (0..cell.record.probes.len()).map(|probe| ProbeId(probe as u16));
        let approximate = all.filter(|probe| !recorder.probe(*probe).is_exact()).collect();
        let warmup_note = recorder.warmup_note().map(str::to_owned);
        let (mut recorder, fingerprint) = self.world.into_recorder();
        let (steps, taken) = (recorder.history.steps().len(), recorder.history.taken().len());
        self.cell.room.steps.fetch_max(steps, Ordering::Relaxed);
        self.cell.room.taken.fetch_max(taken, Ordering::Relaxed);
        recorder.history = History::default(); // it is large, and has been judged
        let plan = self.schedule.plan_so_far();
        let courses = course::taken(&self.cell.courses, &self.cell.measures, &recorder);
        Trial {
            courses,
            seed: self.seed,
            fingerprint: fingerprint.value(),
            events: fingerprint.events(),
            values,
            remarks,
            seen,
            causes,
            failures,
            slowest,
            loads,
            recorder: keep.then_some(recorder),
            faults: times(&plan),
            plan,
            broken,
            too_much,
            approximate,
            warmup_note,
        }
    }
}

/// What did not succeed of a probe after the warm-up.
fn failed(probe: ProbeId, recorder: &Recorder) -> Failed {
    let (kept, cells) = (recorder.probe(probe), recorder.range(0));
    let ended = kept.sums(cells.clone()).sent_ended(Which::Any);
    Failed { probe, ended, why: kept.failures(cells) }
}

/// As much as a run of the cell has recorded so far at most.
fn make_room(world: &mut World, cell: &Cell) {
    let [steps, taken] = [&cell.room.steps, &cell.room.taken].map(|room| room.load(Ordering::Relaxed));
    world.recorder_mut().history.reserve(steps, taken);
}

/// The windows of a run: after the warm-up, the whole, and those that measures name.
pub fn windows(cell: &Cell, warmup: Warmup, faults: &[(String, Time, Time)]) -> Vec<Window> {
    let end = Time::ZERO + cell.length;
    let start = match warmup {
        Warmup::Span(span) => (Time::ZERO + span).min(end),
        Warmup::Auto => Time::ZERO, // until it is found
    };
    let of_fault = |name: &str| {
        let times = || faults.iter().filter(|(fault, _, _)| fault == name);
        let from = times().map(|(_, from, _)| *from).min().unwrap_or(end);
        (from, times().map(|(_, _, until)| *until).max().unwrap_or(end).min(end))
    };
    let window = |(index, during): (usize, &During)| match during {
        _ if index == 0 => Window { from: start, until: end },
        During::Run | During::Whole => Window { from: Time::ZERO, until: end },
        During::Between(from, until) => {
            Window { from: Time::ZERO + *from, until: (Time::ZERO + *until).min(end) }
        }
        During::Fault(name) => {
            let (from, until) = of_fault(name);
            Window { from, until }
        }
        During::After(name, span) => {
            let (_, from) = of_fault(name);
            Window { from, until: (from + *span).min(end) }
        }
    };
    cell.windows.iter().enumerate().map(window).collect()
}
