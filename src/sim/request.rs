//! An operation on its way to be called.

use crate::base::ids::ZoneId;
use crate::base::op::Op;
use crate::base::session::CausalContext;
use crate::base::time::Span;

/// An operation to be called.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// What is asked.
    pub op: Op,
    /// Identifies the call among all of a run, whatever else happens in it: a hash of who asks for what, the how-manieth attempt
    /// included. Its latencies and losses are drawn by it, as is what is done for it. The same call passed on keeps it.
    pub substream: u64,
    /// Size on the wire, bytes.
    pub size_bytes: u32,
    /// After this, by its own clock, the caller gets `Unknown(Timeout)`. `None`: never.
    pub timeout: Option<Span>,
    /// As if called from this zone.
    pub from: Option<ZoneId>,
    /// The customer on whose behalf: whoever is called hands it on. 0: nobody's, machinery.
    pub session: u64,
    /// That customer's request of which this is a part, the same for all attempts: for records. 0: none.
    pub origin: u64,
    /// What that customer has seen.
    pub seen: CausalContext,
}
