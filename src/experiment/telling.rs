//! What a run hands on while it goes on, for whoever writes it down.

use crate::base::time::Time;
use crate::experiment::running::{Cut, Running};
use crate::faults::plan::Occurrence;
use crate::record::history::HistoryEvent;

/// What a run tells while it goes on.
#[derive(Clone, Copy, Debug)]
pub enum Happening<'a> {
    /// Operations on stores begin and end.
    Moments(&'a [HistoryEvent]),
    /// A fault begins (true) or ends.
    Fault(Time, bool, &'a Occurrence),
}

/// Takes what happens in a run, in order; false: it wants no more, and the run ends.
pub type Sink<'a> = &'a mut (dyn FnMut(Happening<'_>) -> bool + Send);

impl Running<'_> {
    /// Hands on what has happened.
    pub fn hand_on(&mut self) {
        let Some(sink) = &mut self.sink else { return };
        if !sink(Happening::Moments(&self.world.recorder_mut().history.take_moments())) {
            self.cut_short.get_or_insert(Cut::Cancelled);
        }
    }

    /// Hands on what faults have done, after all that had happened before.
    pub(super) fn hand_on_faults(&mut self) {
        let Some(sink) = &mut self.sink else { return };
        for (at, begins, planned) in self.schedule.done_since(self.told) {
            self.told += 1;
            if !sink(Happening::Fault(at, begins, planned)) {
                self.cut_short.get_or_insert(Cut::Cancelled);
            }
        }
    }
}
