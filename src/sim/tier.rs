//! A tier: N like processes, held fully typed. The main loop sees one virtual call per event; within the tier
//! everything is static: no boxing, no downcast, no allocation per event.

use std::sync::Arc;

use crate::base::ids::{CallId, Pid, ProbeId, TierId};
use crate::base::op::{Reason, Reply};
use crate::base::slab::Key;
use crate::base::time::Time;
use crate::engine::pending::Scheduled;
use crate::sim::context::{Context, Sent, SideOf};
use crate::sim::event::{Event, Kind, unpack};
use crate::sim::impairments::Admission;
use crate::sim::kernel::Kernel;
use crate::sim::order::Order;
use crate::sim::payload::{Payload, Word};
use crate::sim::process::Process;
use crate::sim::side::Side;

/// What the main loop knows of a tier.
pub trait AnyTier: Send {
    /// Something happens to a member.
    fn dispatch(&mut self, event: Event, kernel: &mut Kernel);
    /// A call of a member ends without an answer from the callee.
    fn expire(&mut self, member: u32, call: CallId, tag: u64, reply: Reply, kernel: &mut Kernel);
    /// A member starts, at time zero or after a crash, as a fresh process with what its disk kept.
    fn start(&mut self, member: u32, kernel: &mut Kernel);
    /// A member crashes: its memory and what was not synced is lost.
    fn crash(&mut self, member: u32, kernel: &mut Kernel);
    /// An order from outside.
    fn order(&mut self, member: u32, order: Order, kernel: &mut Kernel);
    /// Whether a member believes that it leads.
    fn is_leader(&self, member: u32) -> bool;
    /// Tells of each request that a member has recorded as started and not as ended.
    fn under_way(&self, tell: &mut dyn FnMut(ProbeId, Time));
    /// Loads the members of these events, so that their cache misses overlap.
    fn prefetch(&self, upcoming: &[Scheduled<Event>]);
    /// A copy, for continuing a world twice.
    fn boxed_clone(&self) -> Box<dyn AnyTier>;
    /// For tests that look inside: the tier as `Any`.
    fn as_any(&self) -> &dyn std::any::Any;
}

/// N like processes.
pub struct Tier<P: Process> {
    id: TierId,
    plan: Arc<P::Plan>,
    members: Vec<Seat<P>>,
    side: SideOf<P>,
}

/// A member, with what outlives its crashes and is wanted whenever it is.
#[derive(Clone)]
struct Seat<P: Process> {
    process: P,
    sent: Sent<P>,
}

impl<P: Process> Tier<P> {
    /// `count` fresh members.
    pub fn new(id: TierId, plan: Arc<P::Plan>, count: u32) -> Self {
        let seat = |member| Seat { process: P::build(&plan, member), sent: Sent::<P>::default() };
        let members = (0..count).map(seat).collect();
        Tier { id, plan, members, side: Side::default() }
    }

    /// The members.
    pub fn members(&self) -> Vec<&P> {
        self.members.iter().map(|seat| &seat.process).collect()
    }

    #[inline]
    fn with<R>(
        &mut self,
        member: u32,
        kernel: &mut Kernel,
        act: impl FnOnce(&mut P, &mut Context<P>) -> R,
    ) -> R {
        let me = Pid { tier: self.id, member };
        let members = self.members.len();
        let Seat { process, sent } = &mut self.members[member as usize];
        act(process, &mut Context::<P>::new(kernel, &mut self.side, sent, &self.plan, me, members))
    }

    fn request(&mut self, event: Event, kernel: &mut Kernel) {
        let call = CallId::from_word(event.word);
        if let Some(op) = kernel.request_arrives(call)
            && !kernel.answers_ping(call, op)
        {
            self.with(event.member(), kernel, |process, ctx| process.on_call(call, op, ctx));
        }
    }

    fn answer(&mut self, event: Event, kernel: &mut Kernel) {
        let call = CallId::from_word(event.word);
        match kernel.answer_arrives(call) {
            Some(Ok((tag, reply))) => {
                self.with(event.member(), kernel, |p, ctx| p.on_reply(call, tag, reply, ctx))
            }
            Some(Err((tag, op))) => self.with(event.member(), kernel, |p, ctx| p.on_late(call, tag, op, ctx)),
            None => {}
        }
    }

    fn message(&mut self, event: Event, kernel: &mut Kernel) {
        let (from, message) = if event.kind() == Kind::LargeMessage {
            let Some(stored) = self.side.large_messages.remove(Key::from_word(event.word)) else { return };
            stored
        } else {
            let (from, bits) = unpack(event.word);
            (from, P::Message::from_inline(bits))
        };
        if kernel.admits_datagram(from, event.target()) {
            self.with(event.member(), kernel, |process, ctx| process.on_message(from, message, ctx));
        }
    }

    /// Whether an event may happen now to a member of a tier that was ever in trouble. What comes over the network has to
    /// get through first, so that what is cut off neither waits for a member that stands still nor is refused by one that
    /// is gone.
    fn admits(&mut self, event: Event, kernel: &mut Kernel) -> bool {
        let admission = if self.reaches(event, kernel) { kernel.admits(event) } else { Admission::Never };
        if admission == Admission::Never && event.kind() == Kind::LargeMessage {
            self.side.large_messages.free(Key::from_word(event.word));
        }
        admission == Admission::Now
    }

    /// Whether an event that came over the network gets through; others do.
    fn reaches(&self, event: Event, kernel: &mut Kernel) -> bool {
        match event.kind() {
            Kind::Message => kernel.admits_datagram(unpack(event.word).0, event.target()),
            Kind::LargeMessage => {
                let stored = self.side.large_messages.get(Key::from_word(event.word));
                stored.is_some_and(|(from, _)| kernel.admits_datagram(*from, event.target()))
            }
            Kind::Call | Kind::Reply => kernel.admits_segment(event),
            _ => true,
        }
    }

    fn synced(&mut self, event: Event, kernel: &mut Kernel) {
        let Some(drive) = self.side.drives.get_mut(event.member() as usize) else { return };
        if let Some(sync) = drive.synced() {
            self.with(event.member(), kernel, |process, ctx| process.on_synced(sync, ctx));
        }
    }
}

impl<P: Process> Clone for Tier<P> {
    fn clone(&self) -> Self {
        Tier { id: self.id, plan: self.plan.clone(), members: self.members.clone(), side: self.side.clone() }
    }
}

impl<P: Process> AnyTier for Tier<P> {
    #[inline]
    fn dispatch(&mut self, event: Event, kernel: &mut Kernel) {
        if kernel.impaired && kernel.tier_nodes(event.target()).impaired() && !self.admits(event, kernel) {
            return;
        }
        let member = event.member();
        match event.kind() {
            Kind::Message | Kind::LargeMessage => self.message(event, kernel),
            Kind::Timer | Kind::Elapsed => {
                self.with(member, kernel, |p, ctx| p.on_timer(P::Timer::from_word(event.word), ctx))
            }
            Kind::CancellableTimer => {
                if let Some(timer) = kernel.take_timer(event.word) {
                    self.with(member, kernel, |p, ctx| p.on_timer(P::Timer::from_word(timer), ctx));
                }
            }
            Kind::Call => self.request(event, kernel),
            Kind::Reply => self.answer(event, kernel),
            Kind::TimedOut => {
                let call = CallId::from_word(event.word);
                let pinged = kernel.pinged_for(call);
                let mut ended =
                    kernel.expire(call, Reason::Timeout).map(|(_, tag, reply)| (call, tag, reply));
                if let Some(pinged) = pinged {
                    ended = kernel.expire(pinged, Reason::Reset).map(|(_, tag, reply)| (pinged, tag, reply));
                }
                if let Some((call, tag, reply)) = ended {
                    self.expire(member, call, tag, reply, kernel);
                }
            }
            Kind::Synced => self.synced(event, kernel),
            Kind::Start => self.start(member, kernel),
            Kind::Deadline | Kind::Retransmit => unreachable!("the kernel's own events go to no tier"),
        }
    }

    fn expire(&mut self, member: u32, call: CallId, tag: u64, reply: Reply, kernel: &mut Kernel) {
        self.with(member, kernel, |process, ctx| process.on_reply(call, tag, reply, ctx));
    }

    fn start(&mut self, member: u32, kernel: &mut Kernel) {
        // A disk is read by who starts and not copied: it may be large, and members may crash often.
        let kept = self.side.drives.get_mut(member as usize).map(|drive| std::mem::take(&mut drive.safe));
        let kept = kept.unwrap_or_default();
        self.with(member, kernel, |process, ctx| process.start(&kept, ctx));
        if let Some(drive) = self.side.drives.get_mut(member as usize) {
            drive.safe = kept;
        }
    }

    fn crash(&mut self, member: u32, kernel: &mut Kernel) {
        self.with(member, kernel, |process, ctx| process.on_crash(ctx));
        self.members[member as usize].process = P::build(&self.plan, member);
        if let Some(drive) = self.side.drives.get_mut(member as usize) {
            drive.crash();
        }
    }

    fn order(&mut self, member: u32, order: Order, kernel: &mut Kernel) {
        self.with(member, kernel, |process, ctx| process.on_order(order, ctx));
    }

    fn is_leader(&self, member: u32) -> bool {
        self.members[member as usize].process.is_leader()
    }

    fn under_way(&self, tell: &mut dyn FnMut(ProbeId, Time)) {
        self.members.iter().for_each(|seat| seat.process.under_way(&self.plan, tell));
    }

    fn prefetch(&self, upcoming: &[Scheduled<Event>]) {
        let mut sum = 0u64;
        for entry in upcoming {
            if let Some(seat) = self.members.get(entry.event.member() as usize) {
                sum = sum.wrapping_add(seat.process.prefetch());
            }
        }
        std::hint::black_box(sum);
    }

    fn boxed_clone(&self) -> Box<dyn AnyTier> {
        Box::new(self.clone())
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}
