//! A request that has ended, as it is recorded.

use crate::base::cause::Causes;
use crate::base::time::Time;

/// How a request ended, for its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ended {
    /// Success.
    Ok,
    /// A program said no, and its design declares that as an answer that is expected: sold out. Nothing failed, and whoever
    /// called has what there is to know.
    Answered,
    /// It certainly failed.
    Failed,
    /// Nobody knows (timeout, reset).
    Unknown,
}

impl Ended {
    /// Whether the caller got an answer that it may expect: a success, or one that is declared as such.
    pub const fn is_answer(self) -> bool {
        matches!(self, Ended::Ok | Ended::Answered)
    }
}

/// A finished request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Finished {
    /// When its sender meant to send it: latency counts from here.
    pub intended: Time,
    /// When it ended.
    pub ended: Time,
    /// How.
    pub how: Ended,
    /// How many attempts it took, at least 1.
    pub attempts: u32,
    /// Where the time went: sums to `ended - intended`.
    pub causes: Causes,
}
