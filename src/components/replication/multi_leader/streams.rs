//! How the changes of a member reach the others: an ordered stream to each, over datagrams that may be lost, doubled and overtaken.

use crate::base::dist::Dist;
use crate::base::ids::Pid;
use crate::base::time::{ClockTime, Span};
use crate::components::mech::mutant::Mutant;
use crate::components::replication::multi_leader::member::{Ctx, Early, Member, TURN};
use crate::components::replication::multi_leader::messages::{Change, Message, Timer};
use crate::components::replication::multi_leader::plan::AGAIN_FIRST;
use crate::components::storage::front;
use crate::components::storage::series::StoreSeries;

/// Changes that may be on their way to a member, unconfirmed.
const WINDOW: u64 = 4096;
/// Changes of a message at most.
const BATCH_MAX: usize = 256;
/// Messages that are kept until those before them come: what a window can hold, if each has one change.
const EARLY_MAX: usize = 4096;
/// Changes that are kept for members that have not confirmed them.
const LOG_KEPT: usize = 1 << 16;
/// Size of a message without changes, bytes.
const HEADER_BYTES: u32 = 128;

/// What we have sent to another member.
#[derive(Clone, Copy, Debug, Hash)]
pub struct Peer {
    /// Up to which number.
    sent: u64,
    /// Up to which number its disk has them.
    has: u64,
    /// When what it has not confirmed is sent again, and the wait before that; whether a timer is set.
    due: ClockTime,
    wait: Span,
    armed: bool,
}

impl Peer {
    /// One that has everything up to a number, as far as we know.
    pub(super) fn at(number: u64) -> Self {
        Peer { sent: number, has: number, due: ClockTime::ZERO, wait: AGAIN_FIRST, armed: false }
    }
}

/// What has come from another member.
#[derive(Clone, Debug, Default, Hash)]
pub struct Stream {
    /// Up to which number it came.
    came: u64,
    /// Up to which number our disk has it, and what we have said of that.
    safe: u64,
    said: u64,
    early: Early,
}

impl Stream {
    /// Our disk has it up to a number, from the start.
    pub(super) fn is_at(&mut self, number: u64) {
        (self.came, self.safe, self.said) = (number, number, number);
    }

    /// Our disk has it up to a number now.
    pub(super) fn is_safe(&mut self, number: u64) {
        self.safe = number;
    }

    /// Up to which number our disk has it.
    pub(super) fn safe(&self) -> u64 {
        self.safe
    }
}

impl Member {
    /// Sends everybody what is safe here and has not been sent yet, as far as the window goes.
    pub(super) fn ship(&mut self, ctx: Ctx) {
        self.forget(ctx);
        match &ctx.plan().send {
            None => self.released = self.safe,
            Some(distribution) if self.safe > self.released && !self.sending => {
                self.sending = true;
                let skip = self.released.saturating_sub(self.base) as usize;
                let first = self.log.get(skip).and_then(Change::identity);
                let span = front::drawn(distribution, TURN, first, ctx);
                ctx.wake(span, Timer::Send);
            }
            Some(_) => {}
        }
        self.ship_to_all(ctx);
    }

    /// The sender has its turn: all that there is leaves.
    pub(super) fn sends(&mut self, ctx: Ctx) {
        self.sending = false;
        self.released = self.safe;
        self.ship_to_all(ctx);
    }

    fn ship_to_all(&mut self, ctx: Ctx) {
        let me = ctx.me().member;
        for to in (0..ctx.members()).filter(|member| *member != me) {
            self.ship_to(to, ctx);
        }
    }

    /// Forgets changes that all have confirmed, and those of which there are too many.
    fn forget(&mut self, ctx: Ctx) {
        let me = ctx.me().member as usize;
        let others = self.peers.iter().enumerate().filter(|(member, _)| *member != me);
        let confirmed = others.map(|(_, peer)| peer.has).min().unwrap_or(self.safe);
        let first = confirmed.max(self.safe.saturating_sub(LOG_KEPT as u64)).max(self.base);
        self.log.drain(..(first - self.base) as usize);
        self.base = first;
    }

    fn ship_to(&mut self, to: u32, ctx: Ctx) {
        loop {
            let peer = &mut self.peers[to as usize];
            let end = self.released.min(peer.has + WINDOW);
            if peer.sent >= end {
                return;
            }
            if peer.sent == peer.has {
                peer.due = ctx.monotonic() + peer.wait;
            }
            let message = if peer.sent < self.base {
                peer.sent = self.safe;
                front::count(ctx, StoreSeries::Snapshots);
                let rows = self.rows.in_order().into_iter();
                let rows = rows
                    .map(|(row, cell)| Change {
                        row: *row,
                        cell: cell.clone(),
                        at: ClockTime::ZERO,
                        substream: 0,
                    })
                    .collect();
                Message::Whole { up_to: self.safe, rows }
            } else {
                let (after, skip) = (peer.sent, (peer.sent - self.base) as usize);
                let most = BATCH_MAX.min((end - peer.sent) as usize);
                peer.sent += most as u64;
                Message::Changes { after, changes: self.log.iter().skip(skip).take(most).cloned().collect() }
            };
            send(to, message, &ctx.plan().legs.write, ctx);
            self.arm(to, ctx);
        }
    }

    fn arm(&mut self, to: u32, ctx: Ctx) {
        let peer = &mut self.peers[to as usize];
        if !std::mem::replace(&mut peer.armed, true) {
            ctx.wake(peer.due.since(ctx.monotonic()), Timer::Again(to));
        }
    }

    /// The timer of a member went off: what it has not confirmed is sent again if its time has come.
    pub(super) fn may_send_again(&mut self, to: u32, ctx: Ctx) {
        let (clock, again) = (ctx.monotonic(), ctx.plan().again);
        let peer = &mut self.peers[to as usize];
        peer.armed = false;
        if peer.has >= peer.sent {
            return;
        }
        if clock < peer.due {
            return self.arm(to, ctx);
        }
        if ctx.plan().store.mutant == Mutant::NeverAgain {
            return;
        }
        peer.wait = (peer.wait * 2).min(again);
        peer.sent = peer.has;
        front::count(ctx, StoreSeries::Resent);
        self.ship_to(to, ctx);
    }

    /// A member's disk has our changes up to a number.
    pub(super) fn confirmed(&mut self, from: u32, up_to: u64, ctx: Ctx) {
        let peer = &mut self.peers[from as usize];
        if up_to <= peer.has {
            return;
        }
        peer.has = up_to;
        peer.sent = peer.sent.max(up_to);
        (peer.wait, peer.due) = (AGAIN_FIRST, ctx.monotonic() + AGAIN_FIRST);
        self.forget(ctx);
        self.ship_to(from, ctx);
    }

    /// Changes of another member came.
    pub(super) fn came(&mut self, from: u32, after: u64, changes: Vec<Change>, ctx: Ctx) {
        let stream = &mut self.streams[from as usize];
        if after > stream.came {
            if stream.early.len() < EARLY_MAX {
                stream.early.insert(after, changes);
            }
            return;
        }
        if after + changes.len() as u64 <= stream.came {
            // It does not know that we have them, or that they are on their way to our disk.
            let up_to = stream.safe;
            return send(from, Message::Have { up_to }, &ctx.plan().legs.ack, ctx);
        }
        self.takes(from, after, changes, ctx);
        while let Some((after, changes)) = self.streams[from as usize].early.pop_first() {
            if after > self.streams[from as usize].came {
                self.streams[from as usize].early.insert(after, changes);
                break;
            }
            self.takes(from, after, changes, ctx);
        }
        self.sync(ctx);
    }

    fn takes(&mut self, from: u32, after: u64, changes: Vec<Change>, ctx: Ctx) {
        for (number, change) in (after + 1..).zip(changes) {
            if number > self.streams[from as usize].came {
                self.streams[from as usize].came = number;
                self.keeps(from, Some(number), change, ctx);
            }
        }
    }

    /// All rows of another member came.
    pub(super) fn whole_came(&mut self, from: u32, up_to: u64, rows: Vec<Change>, ctx: Ctx) {
        let stream = &mut self.streams[from as usize];
        if up_to <= stream.came {
            let up_to = stream.safe;
            return send(from, Message::Have { up_to }, &ctx.plan().legs.ack, ctx);
        }
        stream.came = up_to;
        let last = rows.len().saturating_sub(1);
        for (place, change) in rows.into_iter().enumerate() {
            self.keeps(from, Some(up_to).filter(|_| place == last), change, ctx);
        }
        self.sync(ctx);
    }

    /// Tells everybody how far our disk has their changes, if that is news.
    pub(super) fn confirm(&mut self, ctx: Ctx) {
        for from in 0..ctx.members() {
            let stream = &mut self.streams[from as usize];
            if stream.safe > stream.said {
                stream.said = stream.safe;
                let up_to = stream.safe;
                send(from, Message::Have { up_to }, &ctx.plan().legs.ack, ctx);
            }
        }
    }
}

fn send(to: u32, message: Message, leg: &Option<Dist>, ctx: Ctx) {
    let size = match &message {
        Message::Changes { changes, .. } | Message::Whole { rows: changes, .. } => {
            changes.iter().fold(HEADER_BYTES, |size, change| size.saturating_add(change.cell.size_bytes()))
        }
        Message::Have { .. } => HEADER_BYTES,
    };
    ctx.send_over(leg.as_ref(), Pid::new(ctx.me().tier, to), message, size);
}
