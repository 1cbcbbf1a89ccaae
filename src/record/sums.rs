//! What became of requests, summed up: by the cell of their end, and by the cell of their intended start.

use crate::base::cause::{Cause, Causes};
use crate::base::time::{Span, Time};
use crate::record::ended::{Ended, Finished};

/// Which requests a measure is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Which {
    /// Those that succeeded.
    Ok,
    /// Those that succeeded or got another answer that is declared as expected.
    Answered,
    /// Those that certainly failed, and those of which nobody knows.
    Failed,
    /// All.
    Any,
}

impl Which {
    /// Every one, in the order in which users see them.
    pub const ALL: [Which; 4] = [Which::Ok, Which::Answered, Which::Failed, Which::Any];

    /// The word of the language.
    pub const fn name(self) -> &'static str {
        match self {
            Which::Ok => "ok",
            Which::Answered => "answered",
            Which::Failed => "failed",
            Which::Any => "any",
        }
    }

    /// Whether it takes a request that ended so.
    pub const fn takes(self, how: Ended) -> bool {
        self.takes_class(class(how))
    }

    /// Whether it takes the requests of a class.
    pub const fn takes_class(self, class: usize) -> bool {
        match self {
            Which::Ok => class == OK,
            Which::Answered => class == OK || class == ANSWERED,
            Which::Failed => class == FAILED,
            Which::Any => true,
        }
    }
}

/// Requests are kept apart in so many classes by how they ended.
pub const CLASSES: usize = 3;
const OK: usize = 0;
const ANSWERED: usize = 1;
const FAILED: usize = 2;
/// The class of those that had not ended when the run did.
const OPEN: usize = CLASSES;

/// The class of requests that ended so.
pub const fn class(how: Ended) -> usize {
    match how {
        Ended::Ok => OK,
        Ended::Answered => ANSWERED,
        Ended::Failed | Ended::Unknown => FAILED,
    }
}

/// Requests that ended in some cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ends {
    /// How many.
    pub many: u64,
    /// Their latency, nanoseconds.
    pub latency_ns: u128,
    /// The longest, nanoseconds.
    pub latency_max_ns: u64,
    /// Their time by cause.
    pub causes: Causes,
    /// How many spent any time on a cause, in the order of [`Cause::ALL`].
    pub met: [u64; Cause::ALL.len()],
    /// Their instants, summed up, nanoseconds.
    at_ns: u128,
}

impl Ends {
    fn add(&mut self, request: &Finished, latency: Span) {
        self.many += 1;
        self.latency_ns += u128::from(latency.as_ns());
        self.latency_max_ns = self.latency_max_ns.max(latency.as_ns());
        self.causes.merge(&request.causes);
        for (met, time) in self.met.iter_mut().zip(request.causes.spans()) {
            *met += u64::from(*time > Span::ZERO);
        }
        self.at_ns += u128::from(request.ended.as_ns());
    }

    fn merge(&mut self, other: &Ends) {
        self.many += other.many;
        self.latency_ns += other.latency_ns;
        self.latency_max_ns = self.latency_max_ns.max(other.latency_max_ns);
        self.causes.merge(&other.causes);
        for (mine, theirs) in self.met.iter_mut().zip(other.met) {
            *mine += theirs;
        }
        self.at_ns += other.at_ns;
    }
}

/// Requests that were meant to be sent in some cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Starts {
    many: u64,
    /// Their instants, summed up, nanoseconds.
    at_ns: u128,
}

/// Sums over some cells. What began is known once it has ended, or once the run has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    ends: [Ends; CLASSES],
    starts: [Starts; CLASSES + 1],
    /// Answers that came too late.
    pub late: u64,
}

impl Sums {
    /// A request ended in this cell.
    #[inline]
    pub(super) fn end(&mut self, request: &Finished, latency: Span) {
        self.ends[class(request.how)].add(request, latency);
    }

    /// One that was meant to be sent in this cell ended so, or never (`None`).
    #[inline]
    pub(super) fn sent(&mut self, intended: Time, how: Option<Ended>) {
        let starts = &mut self.starts[how.map_or(OPEN, class)];
        starts.many += 1;
        starts.at_ns += u128::from(intended.as_ns());
    }

    /// Adds others.
    pub(super) fn merge(&mut self, other: &Sums) {
        for (mine, theirs) in self.ends.iter_mut().zip(&other.ends).filter(|(_, theirs)| theirs.many > 0) {
            mine.merge(theirs);
        }
        for (mine, theirs) in self.starts.iter_mut().zip(&other.starts) {
            mine.many += theirs.many;
            mine.at_ns += theirs.at_ns;
        }
        self.late += other.late;
    }

    /// Those that ended here.
    pub fn ended(&self, which: Which) -> Ends {
        let mut sum = Ends::default();
        let taken = self.ends.iter().enumerate().filter(|(class, _)| which.takes_class(*class));
        taken.for_each(|(_, ends)| sum.merge(ends));
        sum
    }

    /// How many ended here.
    pub fn ends(&self) -> u64 {
        self.ends.iter().map(|ends| ends.many).sum()
    }

    /// The longest latency of those that ended here, nanoseconds.
    pub(super) fn longest_ns(&self, which: Which) -> u64 {
        let taken = self.ends.iter().enumerate().filter(|(class, _)| which.takes_class(*class));
        taken.map(|(_, ends)| ends.latency_max_ns).max().unwrap_or(0)
    }

    /// How many of those that were meant to be sent here have ended.
    pub fn sent_ended(&self, which: Which) -> u64 {
        let taken = self.starts[..CLASSES].iter().enumerate().filter(|(class, _)| which.takes_class(*class));
        taken.map(|(_, starts)| starts.many).sum()
    }

    /// How many of those that were meant to be sent here were open when the run ended.
    pub fn sent_open(&self) -> u64 {
        self.starts[OPEN].many
    }
}

/// Requests × time in flight, nanoseconds, by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InFlight([i128; CLASSES + 1]);

impl InFlight {
    /// What was in flight before an instant, of the cells before it: by then each has been in flight from its start to its end,
    /// or until that instant.
    pub(super) fn before(at: Time, cells: &[Sums]) -> InFlight {
        let mut sum = InFlight::default();
        let at = i128::from(at.as_ns());
        for cell in cells {
            for (sum, starts) in sum.0.iter_mut().zip(&cell.starts) {
                *sum += i128::from(starts.many) * at - starts.at_ns as i128;
            }
            for (sum, ends) in sum.0.iter_mut().zip(&cell.ends) {
                *sum -= i128::from(ends.many) * at - ends.at_ns as i128;
            }
        }
        sum
    }

    /// What came since.
    pub(super) fn since(self, earlier: InFlight) -> InFlight {
        let mut since = self;
        for (mine, theirs) in since.0.iter_mut().zip(earlier.0) {
            *mine -= theirs;
        }
        since
    }

    /// Of those that ended so, whenever they did.
    pub fn ended(&self, which: Which) -> i128 {
        let taken = self.0[..CLASSES].iter().enumerate().filter(|(class, _)| which.takes_class(*class));
        taken.map(|(_, area)| area).sum()
    }

    /// Of those that were open when the run ended.
    pub fn open(&self) -> i128 {
        self.0[OPEN]
    }

    /// Of all.
    pub fn all(&self) -> i128 {
        self.0.iter().sum()
    }
}
