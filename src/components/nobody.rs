//! Stands in for a part that has no members: nobody is there to be called.

use std::convert::Infallible;

use crate::base::ids::CallId;
use crate::base::op::Op;
use crate::sim::context::Context;
use crate::sim::process::Process;

/// A member that there never is.
#[derive(Clone, Hash)]
pub struct Nobody;

impl Process for Nobody {
    type Plan = ();
    type Message = Infallible;
    type Timer = ();
    type Record = ();
    type Snapshot = ();

    fn build((): &(), _: u32) -> Self {
        Nobody
    }

    fn on_call(&mut self, _: CallId, _: Op, _: &mut Context<Self>) {}
}
