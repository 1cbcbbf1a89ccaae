//! What a process may do: its window on the kernel.

use crate::base::cause::{Cause, Causes};
use crate::base::dist::Dist;
use crate::base::ids::{CallId, Pid, SyncId, TierId, TimerId, ZoneId};
use crate::base::op::{Op, Outcome};
use crate::base::rng::{Draws, Identity, Stream, mix};
use crate::base::session::CausalContext;
use crate::base::slab::Key;
use crate::base::time::{ClockTime, Span, Time};
use crate::record::recorder::Recorder;
use crate::sim::disk::Drive;
use crate::sim::event::{Kind, pack};
use crate::sim::keepalive::Keepalive;
use crate::sim::kernel::Kernel;
use crate::sim::payload::{Payload, Word};
use crate::sim::process::Process;
use crate::sim::request::{CallContext, Request};
use crate::sim::side::Side;

/// How many messages a member has sent, by purpose.
pub(super) type Sent<P> = <<P as Process>::Message as Payload>::Sent;

/// What a tier keeps beside its members.
pub(super) type SideOf<P> = Side<<P as Process>::Message, <P as Process>::Record, <P as Process>::Snapshot>;

/// A process's window on the world.
pub struct Context<'a, P: Process> {
    kernel: &'a mut Kernel,
    side: &'a mut SideOf<P>,
    sent: &'a mut Sent<P>,
    plan: &'a P::Plan,
    me: Pid,
    members: usize,
}

impl<'a, P: Process> Context<'a, P> {
    pub(super) fn new(
        kernel: &'a mut Kernel,
        side: &'a mut SideOf<P>,
        sent: &'a mut Sent<P>,
        plan: &'a P::Plan,
        me: Pid,
        members: usize,
    ) -> Self {
        Context { kernel, side, sent, plan, me, members }
    }

    /// The process itself.
    #[inline]
    pub fn me(&self) -> Pid {
        self.me
    }

    /// Where it stands.
    #[inline]
    pub fn zone(&self) -> ZoneId {
        self.kernel.tier_nodes(self.me).zone(self.me.member)
    }

    /// What all members of the tier share. It outlives this borrow of the context.
    #[inline]
    pub fn plan(&self) -> &'a P::Plan {
        self.plan
    }

    /// How many members the tier has.
    #[inline]
    pub fn members(&self) -> u32 {
        self.members as u32
    }

    /// The other members of the tier.
    pub fn others(&self) -> impl Iterator<Item = Pid> + use<P> {
        let (me, members) = (self.me, self.members());
        (0..members).filter(move |member| *member != me.member).map(move |member| Pid::new(me.tier, member))
    }

    /// The node's monotonic clock, which may run too fast or too slow but never jumps: for all that the node times.
    #[inline]
    pub fn monotonic(&self) -> ClockTime {
        self.kernel.monotonic(self.me)
    }

    /// Whether our node is to take in nothing new and finish what it has.
    pub fn draining(&self) -> bool {
        self.kernel.tier_nodes(self.me).node(self.me.member).is_some_and(|node| node.drains > 0)
    }

    /// The node's wall clock, which may also be set wrong: for when something was, in the node's own view.
    #[inline]
    pub fn wall(&self) -> ClockTime {
        self.kernel.wall(self.me)
    }

    /// True time: for records and measures, and for what cores, disks, networks and customers take; never for what a node decides.
    #[inline]
    pub fn now(&self) -> Time {
        self.kernel.now()
    }

    /// The sequential ChaCha8 stream of (part, member, purpose): for what serves no request. Each part numbers its own
    /// purposes.
    ///
    /// # Panics
    /// When `purpose` is 16 or more.
    pub fn stream(&mut self, purpose: u8) -> &mut Stream {
        self.kernel.stream(self.me, purpose)
    }

    /// What we draw for a call, or for anything else that is identified by a substream: a function of our part's name, the purpose and
    /// the substream. Each part numbers its own purposes.
    #[inline]
    #[cfg_attr(test, track_caller)]
    pub fn serving(&self, purpose: u8, substream: u64) -> Draws {
        self.kernel.service_draws(self.me, purpose, substream)
    }

    /// What customers bring that is named by `substream`: a function of the two and nothing else.
    #[inline]
    #[cfg_attr(test, track_caller)]
    pub fn draws(&self, substream: u64) -> Draws {
        Draws::new(mix(self.kernel.demand_key(), substream))
    }

    /// How often our node has crashed.
    pub fn incarnation(&self) -> u16 {
        self.kernel.tier_nodes(self.me).incarnation(self.me.member)
    }

    /// A number that nobody else gets, larger than all before it: for what in life is a UUID.
    pub fn unique(&mut self) -> u64 {
        self.kernel.unique()
    }

    /// Takes a turn among all processes of our tier: how many were taken before. For what customers share, such as a list
    /// that they work through together; what each process does by itself it counts itself.
    pub fn turn(&mut self) -> u64 {
        self.kernel.turn(self.me.tier)
    }

    /// Calls `to`; the answer comes to `on_reply` with `tag`, exactly once.
    pub fn call(&mut self, to: Pid, request: Request, tag: u64) -> CallId {
        self.kernel.call(self.me, to, request, tag)
    }

    /// A request of our own, for no customer: the `number`th of this life, by our own count, for that names what its way costs. 100 bytes, and no
    /// timeout; `Request { timeout: Some(…), ..ctx.request(number, op) }` has one.
    pub fn request(&self, number: u64, op: Op) -> Request {
        Request {
            op,
            substream: self.kernel.request_substream(self.me, number),
            size_bytes: 100,
            timeout: None,
            from: None,
            context: CallContext::default(),
        }
    }

    /// We have `now` coroutines, and had `before`; false if there are too many in the world, and the run is over.
    #[inline]
    pub fn count_coroutines(&mut self, before: usize, now: usize) -> bool {
        self.kernel.count_coroutines(self.me.tier, before, now)
    }

    /// We have so many requests under way.
    #[inline]
    pub fn count_requests(&mut self, requests: usize) {
        self.kernel.count_requests(self.me.tier, requests);
    }

    /// The connection of a call of ours is looked after: a callee that gives no sign of life breaks it.
    pub fn keep_alive(&mut self, call: CallId, how: Keepalive) {
        self.kernel.keep_alive(call, how);
    }

    /// Lets go of a call of ours: no answer will come, a late one is told to `on_late`. True if it was outstanding.
    pub fn abandon(&mut self, call: CallId) -> bool {
        self.kernel.abandon(call)
    }

    /// Who made a call to us.
    ///
    /// # Panics
    /// When the call has been answered, or was never ours.
    pub fn caller(&self, call: CallId) -> Pid {
        self.kernel.calls.get(call).expect("a call that we hold").caller
    }

    /// What identifies a call to us, and the draws that are made for it.
    ///
    /// # Panics
    /// When the call has been answered, or was never ours.
    pub fn substream(&self, call: CallId) -> u64 {
        self.kernel.calls.get(call).expect("a call that we hold").substream
    }

    /// What came with a call to us: for whom it is, and as part of what. To be handed on to whomever we ask for it.
    ///
    /// # Panics
    /// When the call has been answered, or was never ours.
    pub fn context(&self, call: CallId) -> CallContext {
        self.kernel.calls.get(call).expect("a call that we hold").context
    }

    /// What the customer will have seen once it has our answer. Without this it has seen what it had seen before.
    pub fn shows(&mut self, call: CallId, causal: CausalContext) {
        if let Some(call) = self.kernel.calls.get_mut(call) {
            call.context.session.causal.merge(causal);
        }
    }

    /// What a call to us asks.
    ///
    /// # Panics
    /// When the call has been answered, or was never ours.
    pub fn op(&self, call: CallId) -> crate::base::op::Op {
        self.kernel.calls.get(call).expect("a call that we hold").op
    }

    /// Whether the caller still waits. A callee does not know this in life: only for a `deadline` that cancels.
    pub fn awaited(&self, call: CallId) -> bool {
        self.kernel.calls.awaited(call)
    }

    /// When a call to us arrived here.
    ///
    /// # Panics
    /// When the call has been answered, or was never ours.
    pub fn arrived(&self, call: CallId) -> Time {
        self.kernel.calls.get(call).expect("a call that we hold").arrived
    }

    /// Our answer to a call will say that it failed elsewhere: at somebody whom we have asked.
    #[inline]
    pub fn failed_at(&mut self, call: CallId, at: TierId) {
        if let Some(call) = self.kernel.calls.get_mut(call) {
            call.failed_at = Some(at);
        }
    }

    /// Answers a call to us. `causes` must sum to `now − arrived` exactly. `note`: see [`crate::base::op::Reply`].
    pub fn reply(&mut self, call: CallId, outcome: Outcome, note: u32, causes: &Causes, size_bytes: u32) {
        self.kernel.answer(call, outcome, note, causes, size_bytes);
    }

    /// Answers a call to us, in 100 bytes; all the time that we had it counts as our protocol's.
    pub fn answer(&mut self, call: CallId, outcome: Outcome) {
        let causes = Causes::only(Cause::Replication, self.now().since(self.arrived(call)));
        self.reply(call, outcome, 0, &causes, 100);
    }

    /// Sends a datagram of the protocol to a member of our own tier: it may be lost, duplicated, overtaken. What it meets is drawn
    /// by our own count of such messages.
    #[inline]
    pub fn send(&mut self, to: Pid, message: P::Message, size_bytes: u32) {
        self.send_over(None, to, message, size_bytes);
    }

    /// The same for a datagram that spends more on its way by the distribution of a `leg`, besides what the network takes.
    #[inline]
    pub fn send_over(&mut self, leg: Option<&Dist>, to: Pid, message: P::Message, size_bytes: u32) {
        let purpose = message.purpose();
        let sent = &mut self.sent.as_mut()[purpose as usize];
        *sent = sent.wrapping_add(1);
        let number = *sent;
        let identity = self.kernel.message_identity(self.me, to, purpose, number);
        self.datagram(identity, leg, to, message, size_bytes);
    }

    /// The same for a datagram that serves a call: what it meets is drawn by the call's `substream`. One for each substream, receiver and purpose.
    pub fn send_for(
        &mut self,
        substream: u64,
        leg: Option<&Dist>,
        to: Pid,
        message: P::Message,
        size_bytes: u32,
    ) {
        let identity = self.kernel.service_identity(self.me, to, message.purpose(), substream);
        self.datagram(identity, leg, to, message, size_bytes);
    }

    #[inline]
    fn datagram(
        &mut self,
        identity: Identity,
        leg: Option<&Dist>,
        to: Pid,
        message: P::Message,
        size_bytes: u32,
    ) {
        debug_assert_eq!(to.tier, self.me.tier, "the protocol's messages stay within the tier");
        let more = leg
            .map_or(Span::ZERO, |distribution| distribution.span(&mut identity.draws(self.kernel.hop_key())));
        let from = self.me;
        let (side, inline, mut message) = (&mut self.side, message.inline(), Some(message));
        self.kernel.datagram(from, to, size_bytes, more, identity, |is_last| match inline {
            Some(bits) => (Kind::Message, pack(from, bits)),
            None => {
                let mut copy = if is_last { message.take() } else { message.clone() };
                if !is_last {
                    copy.iter_mut().for_each(Payload::doubled);
                }
                let stored = (from, copy.expect("the last copy comes last"));
                (Kind::LargeMessage, side.large_messages.insert(stored).to_word())
            }
        });
    }

    /// Wakes us after `after` by our monotonic clock; can be cancelled.
    pub fn set_timer(&mut self, after: Span, timer: P::Timer) -> TimerId {
        self.kernel.set_cancellable_timer(self.me, after, timer.to_word())
    }

    /// Cancels a timer; true if it had not gone off.
    pub fn cancel_timer(&mut self, timer: TimerId) -> bool {
        self.kernel.cancel_timer(timer)
    }

    /// Wakes us after `after` by our monotonic clock; cannot be cancelled and costs nothing beyond its event.
    #[inline]
    pub fn wake(&mut self, after: Span, timer: P::Timer) {
        let at = self.kernel.now() + self.kernel.takes(self.me, after);
        self.kernel.schedule(at, self.me, Kind::Timer, timer.to_word());
    }

    /// Wakes us after so much true time: when a core is done, a customer has thought, somebody else's service has answered. What a node
    /// times is for [`Context::wake`].
    #[inline]
    pub fn wake_true(&mut self, after: Span, timer: P::Timer) {
        let at = self.kernel.now() + after;
        self.kernel.schedule(at, self.me, Kind::Elapsed, timer.to_word());
    }

    fn drive(&mut self) -> &mut Drive<P::Record, P::Snapshot> {
        if self.side.drives.is_empty() {
            self.side.drives.resize_with(self.members, Drive::default);
        }
        &mut self.side.drives[self.me.member as usize]
    }

    /// Appends to our disk's log (volatile until synced).
    pub fn append(&mut self, record: P::Record) {
        self.drive().append(record);
    }

    /// Makes everything appended so far safe; takes `cost` of the disk's time, after what is queued there.
    /// `on_synced` follows.
    pub fn sync(&mut self, cost: Span) -> SyncId {
        let now = self.kernel.now();
        let (sync, at) = self.drive().sync(now, cost);
        self.kernel.schedule(at, self.me, Kind::Synced, Key { slot: sync.0 as u32, generation: 0 }.to_word());
        sync
    }

    /// Takes a snapshot of all records appended so far: the next sync puts it in their place.
    pub fn snapshot(&mut self, snapshot: P::Snapshot) {
        self.drive().snapshot(snapshot);
    }

    /// Where measures are recorded.
    #[inline]
    pub fn record(&mut self) -> &mut Recorder {
        self.kernel.recorder.by(self.me)
    }
}
