//! A station: calls that wait for a core, and what each of them wants. What caches, stores and whoever else serves
//! single operations have in common.

use crate::base::ids::CallId;
use crate::base::op::Op;
use crate::base::slab::{Key, Slab};
use crate::base::time::{Span, Time};
use crate::components::mech::cores::{Cores, Submitted};

/// Jobs that wait or are worked on: calls, mostly.
#[derive(Clone, Debug, Hash)]
pub struct Station<J = (CallId, Op)> {
    /// The cores at work.
    pub cores: Cores,
    jobs: Slab<J>,
    busy_told: u32,
    waiting_told: u32,
}

/// A call whose work is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Served {
    /// The call.
    pub call: CallId,
    /// What it wants.
    pub op: Op,
    /// Time for which it waited for a core.
    pub queued: Span,
    /// Time on a core.
    pub served: Span,
}

/// A job whose work is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Worked<J> {
    /// The job.
    pub job: J,
    /// Time for which it waited for a core.
    pub queued: Span,
    /// Time on a core.
    pub served: Span,
}

impl Station {
    /// A call comes that takes `demand`.
    pub fn submit(&mut self, call: CallId, op: Op, demand: Span, now: Time) -> Submitted {
        self.take((call, op), demand, now)
    }

    /// The next call whose work is done by `now`.
    pub fn complete(&mut self, now: Time) -> Option<Served> {
        let Worked { job: (call, op), queued, served } = self.finish(now)?;
        Some(Served { call, op, queued, served })
    }
}

impl<J> Station<J> {
    /// An empty station with these cores.
    pub fn new(cores: Cores) -> Self {
        Station { cores, jobs: Slab::default(), busy_told: 0, waiting_told: 0 }
    }

    /// A job comes that takes `demand`.
    pub fn take(&mut self, job: J, demand: Span, now: Time) -> Submitted {
        let key = self.jobs.insert(job);
        let submitted = self.cores.submit(key.to_word(), demand, now);
        if submitted == Submitted::Refused {
            self.jobs.remove(key);
        }
        submitted
    }

    /// The next job whose work is done by `now`.
    pub fn finish(&mut self, now: Time) -> Option<Worked<J>> {
        let done = self.cores.complete(now)?;
        let job = self.jobs.remove(Key::from_word(done.job)).expect("a job is done once");
        Some(Worked { job, queued: done.queued, served: done.served })
    }

    /// The busy cores and waiting calls that were told last: what is to be taken back when all is lost.
    pub fn told(&self) -> (i64, i64) {
        (i64::from(self.busy_told), i64::from(self.waiting_told))
    }

    /// By how much busy cores and waiting calls have changed since they were last asked for.
    pub fn changes(&mut self) -> (i64, i64) {
        let (busy, waiting) = (self.cores.busy(), self.cores.waiting());
        let changes =
            (i64::from(busy) - i64::from(self.busy_told), i64::from(waiting) - i64::from(self.waiting_told));
        (self.busy_told, self.waiting_told) = (busy, waiting);
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::mech::cores::Discipline;

    #[test]
    fn a_refused_call_leaves_nothing_behind() {
        let mut station = Station::new(Cores::new(1, Discipline::Fifo, 0));
        let call = |slot| CallId { slot, generation: 0 };
        let op = Op::Drop { key: 1 };
        assert_eq!(station.submit(call(1), op, Span::from_ms(1), Time::ZERO), Submitted::Started);
        assert_eq!(station.submit(call(2), op, Span::from_ms(1), Time::ZERO), Submitted::Refused);
        assert_eq!(station.changes(), (1, 0));
        let served = station.complete(Time::from_ns(1_000_000)).expect("done");
        assert_eq!((served.call, served.queued, served.served), (call(1), Span::ZERO, Span::from_ms(1)));
        assert_eq!(station.changes(), (-1, 0));
        assert!(station.jobs.len() == 0);
    }
}
