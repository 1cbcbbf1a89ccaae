//! Orders from outside the protocol.

/// An order from outside the protocol: a fault, or an operator.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Order {
    /// Forget what is cached.
    Flush,
    /// The wall clock was set: what is due by it may be so now (Linux: `TFD_TIMER_CANCEL_ON_SET`).
    ClockSet,
    /// Set a parameter (shares and counts as they are, spans in ns).
    Set {
        /// The parameter's name in its kind's table.
        parameter: &'static str,
        /// New value.
        value: f64,
    },
    /// Give a parameter back what the design says.
    Reset {
        /// The parameter's name in its kind's table.
        parameter: &'static str,
    },
    /// A drain of its node has begun, or the last one has ended ([`Context::draining`](crate::sim::context::Context::draining)).
    Drain,
}
