//! A kind of fault, as the table of faults lists it.

use crate::base::parameter::{Constructor, Parameters};
use crate::base::problem::Problems;
use crate::faults::action::Action;
use crate::faults::target::Who;

/// A kind of fault.
pub struct Fault {
    /// How it is written.
    pub form: Constructor,
    /// Whether it is over the moment it happens.
    pub momentary: bool,
    /// From checked arguments to what it does; says what does not fit together.
    pub resolve: fn(&Parameters, &Who, &mut Problems) -> Option<Action>,
}
