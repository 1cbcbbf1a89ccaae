//! What a run hands on while it goes on, for whoever writes it down.

use crate::base::time::Time;
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
