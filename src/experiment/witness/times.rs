//! When what a witness shows began and ended.

use crate::base::time::Time;
use crate::record::history::Step;
use crate::record::holds::Hold;

/// When a hold lasted, or was asked for if it never did.
pub(super) fn when(hold: &Hold) -> (Time, Time) {
    let begin = if hold.granted == Time::NEVER { hold.asked } else { hold.granted };
    (begin, if hold.ended == Time::NEVER { begin } else { hold.ended })
}

pub(super) fn end(step: &Step) -> Time {
    if step.returned == Time::NEVER { step.invoked } else { step.returned }
}
