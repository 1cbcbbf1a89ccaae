//! A path between two zones: one direction, with its distribution of latency and its troubles.

use crate::base::dist::Dist;
use crate::base::time::Span;

/// One direction between two zones (or within one).
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// One-way delay, nanoseconds.
    pub latency: Dist,
    /// Chance that a packet is lost, 0 to 1.
    pub loss: f64,
    /// Chance that a datagram arrives twice, 0 to 1.
    pub duplicate: f64,
    /// Bits per second; packets queue for it in the order in which they are sent. `None`: no limit.
    pub bandwidth: Option<f64>,
    /// How long a connection retransmits into a cut before it breaks.
    pub break_after: Span,
}

impl Default for Path {
    /// Instantaneous and without trouble.
    fn default() -> Self {
        Path {
            latency: Dist::Constant(0.0),
            loss: 0.0,
            duplicate: 0.0,
            bandwidth: None,
            break_after: Span::from_ms(924_600), // Linux, tcp_retries2 = 15
        }
    }
}

impl Path {
    /// Whether every packet takes equally long, so that none can overtake another.
    pub fn is_constant(&self) -> bool {
        matches!(self.latency, Dist::Constant(_))
    }
}
