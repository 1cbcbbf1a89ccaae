//! Cores: the resource on which work waits and is done. A part that computes holds one; it knows no kernel, and
//! its host asks it when to wake up:
//!
//! ```text
//! cores.submit(job, demand, now);                  // Refused: answer Overloaded
//! on the timer: while let Some(done) = cores.complete(now) { … }
//! after both:   if let Some(at) = cores.arm() { ctx.wake(at - now, timer) }
//! ```
//!
//! The wakes cannot be cancelled and need not be: [`Cores::arm`] remembers which are under way and asks for another
//! only when the next completion comes before all of them. That is at most one wake per job for `fifo` and `lifo`
//! and at most two for `ps`, and a wake that comes too early finds nothing to complete.
//!
//! # Rounding
//! A job ends at the first whole nanosecond at which its work is done. `fifo` and `lifo` are exact; a change of
//! speed rounds each running job up to a whole nanosecond once. `ps` reckons in units of 2⁻³² ns: a job gives back its
//! share at the fraction of a nanosecond at which it is done, and only its host hears of it at the whole one. Each
//! arrival and departure rounds by one such unit, and an end less than `SLACK` units after a whole nanosecond counts
//! as there.

use std::collections::VecDeque;

use crate::base::parameter::{Parameter, ParameterType, Preset};
use crate::base::time::{Span, Time};

/// In what order waiting jobs get a core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Discipline {
    /// First come, first served.
    Fifo,
    /// Last come, first served; a running job is not interrupted.
    Lifo,
    /// Processor sharing: all jobs run at once, each with an equal share of the cores and with at most one whole core.
    Ps,
}

impl Discipline {
    /// The words of the parameter.
    pub const WORDS: &'static [&'static str] = &["fifo", "lifo", "ps"];

    /// From a word of [`Discipline::WORDS`].
    pub fn of(word: &str) -> Discipline {
        match word {
            "lifo" => Discipline::Lifo,
            "ps" => Discipline::Ps,
            _ => Discipline::Fifo,
        }
    }
}

/// The parameter `discipline`, for every kind with cores.
pub const DISCIPLINE: Parameter = Parameter {
    name: "discipline",
    takes: ParameterType::Word(Discipline::WORDS),
    default: Preset::Is { text: "fifo", source: "what a run queue does, but for its time slices" },
    doc: "In what order waiting work gets a core: `fifo`, `lifo`, or `ps` (all at once, in equal shares).",
};

/// `ps`: units of 2⁻³² ns by which an end may miss a whole nanosecond and still be there: 0.00002 ns. Without it the
/// rounding of thirds would cost a whole nanosecond.
const SLACK: u128 = 1 << 16;

/// A speed of 100 %: parts per million.
pub const FULL_SPEED: u32 = 1_000_000;

/// A share as parts per million, at least one.
pub fn share_ppm(share: f64) -> u32 {
    ((share * 1e6 + 0.5) as u32).max(1)
}

/// The number of an order as a count.
pub fn number_u32(value: f64) -> u32 {
    value as u32 // casts of floats saturate
}

/// What became of a submitted job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Submitted {
    /// It runs.
    Started,
    /// It waits for a core.
    Queued,
    /// The queue is full.
    Refused,
}

/// A job that is done. `queued + served` is the time since it was submitted, exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Finished {
    /// The host's name for it.
    pub job: u64,
    /// Waiting for a core; with `ps`, what sharing cost it.
    pub queued: Span,
    /// On a core.
    pub served: Span,
}

/// k cores, their running jobs, and the jobs that wait for them.
#[derive(Clone, Debug, Hash)]
pub struct Cores {
    cores: u32,
    discipline: Discipline,
    queue_max: u32,
    speed_ppm: u32,
    running: Heap,
    waiting: VecDeque<Waiting>,
    /// `ps`: work done by `shared_at` by a job that was always there, in 2⁻³² ns; it stands still while nothing runs.
    shared: u128,
    /// `ps`: in 2⁻³² ns.
    shared_at: u128,
    /// `ps`: done, and the host has not heard of it.
    done: VecDeque<Running>,
    submitted: u32,
    /// Wakes under way, the earliest last: each was set because it came before all others.
    armed: Vec<Time>,
}

#[derive(Clone, Copy, Debug, Hash)]
struct Waiting {
    job: u64,
    demand: Span,
    submitted: Time,
}

impl Cores {
    /// `cores` of them (`u32::MAX`: unlimited), all idle. At most `queue_max` jobs wait (`u32::MAX`: unlimited);
    /// with `ps`, where none waits, at most `cores + queue_max` share the cores.
    ///
    /// # Panics
    /// Without a core.
    pub fn new(cores: u32, discipline: Discipline, queue_max: u32) -> Self {
        assert!(cores > 0, "work needs a core");
        Cores {
            cores,
            discipline,
            queue_max,
            speed_ppm: FULL_SPEED,
            running: Heap::default(),
            waiting: VecDeque::new(),
            shared: 0,
            shared_at: 0,
            done: VecDeque::new(),
            submitted: 0,
            armed: Vec::new(),
        }
    }

    /// A job arrives that takes `demand` of one core at full speed.
    pub fn submit(&mut self, job: u64, demand: Span, now: Time) -> Submitted {
        if self.discipline == Discipline::Ps {
            return self.share(job, demand, now);
        }
        let waiting = Waiting { job, demand, submitted: now };
        if self.running.len() < self.cores as usize {
            self.begin(waiting, now);
            return Submitted::Started;
        }
        if self.waiting.len() >= self.queue_max as usize {
            return Submitted::Refused;
        }
        self.waiting.push_back(waiting);
        Submitted::Queued
    }

    /// Whether a job that comes now has a core to itself.
    pub fn has_free(&self) -> bool {
        self.discipline != Discipline::Ps && self.running.len() < self.cores as usize
    }

    /// The instant at which the next job completes, if nothing changes before.
    pub fn next(&self) -> Option<Time> {
        if self.discipline != Discipline::Ps {
            return self.running.first().map(|first| Time::from_ns(first.end as u64));
        }
        let exact = if self.done.is_empty() { self.next_share()? } else { self.shared_at };
        let ns = exact.saturating_add((1 << 32) - SLACK) >> 32;
        Some(Time::from_ns(u64::try_from(ns).unwrap_or(u64::MAX)))
    }

    /// The next job that is done by `now`, in order of completion. The host asks until there is none.
    pub fn complete(&mut self, now: Time) -> Option<Finished> {
        while self.armed.last().is_some_and(|at| *at <= now) {
            self.armed.pop();
        }
        if self.discipline == Discipline::Ps {
            self.advance(now);
            return self.done.pop_front().map(|done| self.account(done, now));
        }
        self.running.first().filter(|first| first.end <= u128::from(now.as_ns()))?;
        let done = self.running.pop().expect("there is a first one");
        self.begin_next(now);
        Some(self.account(done, now))
    }

    /// When the host should set a further wake, if it should.
    pub fn arm(&mut self) -> Option<Time> {
        let next = self.next()?;
        if self.armed.last().is_some_and(|armed| *armed <= next) {
            return None;
        }
        self.armed.push(next);
        Some(next)
    }

    /// Changes the speed; what is left of each running job takes that much longer or shorter.
    /// Arm again afterwards.
    ///
    /// # Panics
    /// At speed 0: that is a pause, and the kernel's business.
    pub fn set_speed(&mut self, speed_ppm: u32, now: Time) {
        assert!(speed_ppm > 0, "a core that stands still is paused");
        let (old, new) = (u128::from(self.speed_ppm), u128::from(speed_ppm));
        self.advance(now);
        self.speed_ppm = speed_ppm;
        if self.discipline == Discipline::Ps {
            return;
        }
        let now = u128::from(now.as_ns());
        self.running.change(|running| {
            let left = running.end.saturating_sub(now);
            running.end = (now + (left * old).div_ceil(new)).min(u128::from(u64::MAX));
        });
    }

    /// Changes the number of cores; running jobs are not interrupted. Arm again afterwards.
    ///
    /// # Panics
    /// Without a core.
    pub fn set_cores(&mut self, cores: u32, now: Time) {
        assert!(cores > 0, "work needs a core");
        self.advance(now);
        self.cores = cores;
        while !self.waiting.is_empty() && self.running.len() < self.cores as usize {
            self.begin_next(now);
        }
    }

    /// Changes the bound of the queue; what waits already stays.
    pub fn set_queue_max(&mut self, queue_max: u32) {
        self.queue_max = queue_max;
    }

    /// How many cores are busy.
    pub fn busy(&self) -> u32 {
        (self.running.len() as u32).min(self.cores)
    }

    /// How many jobs wait for a core; with `ps`, how many more there are than cores.
    pub fn waiting(&self) -> u32 {
        match self.discipline {
            Discipline::Ps => (self.running.len() as u32).saturating_sub(self.cores),
            Discipline::Fifo | Discipline::Lifo => self.waiting.len() as u32,
        }
    }

    fn begin(&mut self, waiting: Waiting, now: Time) {
        let end = now + self.at_speed(waiting.demand);
        self.running.push(Running {
            end: u128::from(end.as_ns()),
            serial: self.submitted,
            job: waiting.job,
            submitted: waiting.submitted,
            started: now,
            demand: waiting.demand,
        });
        self.submitted = self.submitted.wrapping_add(1);
    }

    fn begin_next(&mut self, now: Time) {
        if self.running.len() >= self.cores as usize {
            return;
        }
        let next = match self.discipline {
            Discipline::Lifo => self.waiting.pop_back(),
            Discipline::Fifo | Discipline::Ps => self.waiting.pop_front(),
        };
        if let Some(waiting) = next {
            self.begin(waiting, now);
        }
    }

    fn share(&mut self, job: u64, demand: Span, now: Time) -> Submitted {
        if self.running.len() >= (self.cores as usize).saturating_add(self.queue_max as usize) {
            return Submitted::Refused;
        }
        self.advance(now);
        let started = Submitted::Started;
        let submitted = if self.running.len() < self.cores as usize { started } else { Submitted::Queued };
        self.running.push(Running {
            end: self.shared + (u128::from(demand.as_ns()) << 32),
            serial: self.submitted,
            job,
            submitted: now,
            started: now,
            demand,
        });
        self.submitted = self.submitted.wrapping_add(1);
        submitted
    }

    /// `ps`: what each job gets of a core now, as a fraction.
    fn rate(&self) -> (u128, u128) {
        let jobs = (self.running.len() as u128).max(1);
        let cores = u128::from(self.cores).min(jobs);
        (cores * u128::from(self.speed_ppm), jobs * u128::from(FULL_SPEED))
    }

    /// `ps`: the instant, in 2⁻³² ns, at which the next job is done.
    fn next_share(&self) -> Option<u128> {
        let left = self.running.first()?.end.saturating_sub(self.shared);
        let (mine, of) = self.rate();
        Some(self.shared_at.saturating_add(left.saturating_mul(of).div_ceil(mine)))
    }

    /// `ps`: counts the work done until `now`; jobs give back their share the moment they are done.
    fn advance(&mut self, now: Time) {
        if self.discipline != Discipline::Ps {
            return;
        }
        let now = u128::from(now.as_ns()) << 32;
        while let Some(at) = self.next_share().filter(|at| *at <= now + SLACK) {
            let done = self.running.pop().expect("it has a next one");
            self.shared = self.shared.max(done.end);
            self.shared_at = at;
            self.done.push_back(done);
        }
        if self.running.len() > 0 {
            let (mine, of) = self.rate();
            self.shared += now.saturating_sub(self.shared_at).saturating_mul(mine) / of;
        }
        self.shared_at = self.shared_at.max(now);
    }

    fn at_speed(&self, demand: Span) -> Span {
        if self.speed_ppm == FULL_SPEED {
            return demand;
        }
        let ns = (u128::from(demand.as_ns()) * u128::from(FULL_SPEED)).div_ceil(u128::from(self.speed_ppm));
        Span::from_ns(u64::try_from(ns).unwrap_or(u64::MAX))
    }

    fn account(&self, done: Running, now: Time) -> Finished {
        let elapsed = now - done.submitted;
        let served = match self.discipline {
            Discipline::Ps => self.at_speed(done.demand).min(elapsed),
            Discipline::Fifo | Discipline::Lifo => now - done.started,
        };
        Finished { job: done.job, queued: elapsed - served, served }
    }
}

#[derive(Clone, Copy, Debug, Hash)]
struct Running {
    /// When it ends, in ns; with `ps`, the shared work at which it ends.
    end: u128,
    serial: u32,
    job: u64,
    submitted: Time,
    started: Time,
    demand: Span,
}

impl Running {
    /// Equal ends leave in the order in which the jobs began; the difference makes wrapped serials compare right.
    fn before(&self, other: &Running) -> bool {
        self.end < other.end || (self.end == other.end && (self.serial.wrapping_sub(other.serial) as i32) < 0)
    }
}

/// A binary heap, the job that ends first on top. (The standard library's is not `Hash`.)
#[derive(Clone, Debug, Default, Hash)]
struct Heap(Vec<Running>);

impl Heap {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn first(&self) -> Option<&Running> {
        self.0.first()
    }

    fn push(&mut self, running: Running) {
        self.0.push(running);
        self.rise(self.0.len() - 1);
    }

    fn pop(&mut self) -> Option<Running> {
        if self.0.is_empty() {
            return None;
        }
        let first = self.0.swap_remove(0);
        self.sink(0);
        Some(first)
    }

    fn change(&mut self, change: impl FnMut(&mut Running)) {
        self.0.iter_mut().for_each(change);
        for place in (0..self.0.len() / 2).rev() {
            self.sink(place);
        }
    }

    fn rise(&mut self, mut place: usize) {
        while place > 0 && self.0[place].before(&self.0[(place - 1) / 2]) {
            self.0.swap(place, (place - 1) / 2);
            place = (place - 1) / 2;
        }
    }

    fn sink(&mut self, mut place: usize) {
        loop {
            let (left, right) = (2 * place + 1, 2 * place + 2);
            let mut least = place;
            for child in [left, right] {
                if child < self.0.len() && self.0[child].before(&self.0[least]) {
                    least = child;
                }
            }
            if least == place {
                return;
            }
            self.0.swap(place, least);
            place = least;
        }
    }
}

#[cfg(test)]
mod tests;
