//! The connections that a server's process keeps to each store: who has one, who waits for one, who is turned away.

use crate::base::cause::Cause;
use crate::base::ids::PartId;
use crate::base::op::{Failure, Reason};
use crate::base::slab::Key;
use crate::components::runtime::host::{Ctx, Server};
use crate::components::runtime::pending_call::{Job, Later, PendingCall};

impl Server {
    /// A step on a db takes a connection of the pool, or waits for one.
    pub(super) fn enter_pool(&mut self, key: Key, part: PartId, ctx: Ctx) {
        let own = ctx.plan().beside == Some(part); // what runs in the store needs no connection to it
        let Some(client) = ctx.plan().directory.store(part).pool.filter(|_| !own) else {
            return self.ask_store(key, ctx);
        };
        let pool = self.pools.entry(part).or_default();
        if pool.busy < client.size {
            pool.busy += 1;
            connections(part, 1, ctx);
            self.connected(key, ctx);
        } else if (pool.waiting.len() as u64) < client.queue {
            pool.waiting.push_back(key);
            waits(part, 1, ctx);
            let timer = self.later.insert(Later::PoolTimeout { pending: key });
            ctx.wake(client.timeout, timer.to_word());
        } else {
            self.turned_away(key, part, ctx);
        }
    }

    /// A pending call has its connection.
    fn connected(&mut self, key: Key, ctx: Ctx) {
        self.charge(key, Cause::Pool, ctx.now());
        if let Some(PendingCall { job: Job::Data { pooled, .. }, .. }) = self.pending_calls.get_mut(key) {
            *pooled = true;
        }
        self.ask_store(key, ctx);
    }

    /// A connection is free: the next pending call that still waits gets it.
    pub(super) fn leave_pool(&mut self, part: PartId, ctx: Ctx) {
        let Some(pool) = self.pools.get_mut(&part) else { return };
        let before = pool.waiting.len();
        let next = loop {
            match pool.waiting.pop_front() {
                Some(key) if self.pending_calls.get(key).is_some() => break Some(key),
                Some(_) => {}
                None => break None,
            }
        };
        waits(part, pool.waiting.len() as i64 - before as i64, ctx);
        match next {
            Some(key) => self.connected(key, ctx),
            None => {
                pool.busy -= 1;
                connections(part, -1, ctx);
            }
        }
    }

    pub(super) fn pool_timeout(&mut self, key: Key, ctx: Ctx) {
        if let Some(PendingCall { job: Job::Data { pooled: false, part, .. }, .. }) =
            self.pending_calls.get(key)
        {
            let part = *part;
            if let Some(pool) = self.pools.get_mut(&part) {
                let before = pool.waiting.len();
                pool.waiting.retain(|waiting| *waiting != key);
                waits(part, pool.waiting.len() as i64 - before as i64, ctx);
            }
            self.charge(key, Cause::Pool, ctx.now());
            self.turned_away(key, part, ctx);
        }
    }

    /// There is no connection to be had: the store counts that as its own refusal, though the pool is here.
    fn turned_away(&mut self, key: Key, part: PartId, ctx: Ctx) {
        let (at, now) = (ctx.plan().directory.target(part).tier, ctx.now());
        if let Some(pool) = ctx.plan().directory.store(part).pool {
            ctx.record().count(pool.rejected, now, 1);
        }
        self.call_failed(key, Failure { reason: Reason::Pool, at: Some(at) });
    }

    /// The process has crashed, and its connections are gone.
    pub(super) fn pools_fall(&self, ctx: Ctx) {
        for (part, pool) in &self.pools {
            connections(*part, -i64::from(pool.busy), ctx);
            waits(*part, -(pool.waiting.len() as i64), ctx);
        }
    }
}

/// Keeps the level of connections in use, which is the store's.
fn connections(part: PartId, change: i64, ctx: Ctx) {
    let now = ctx.now();
    if let Some(pool) = ctx.plan().directory.store(part).pool {
        ctx.record().level(pool.connected, now, change);
    }
}

/// The same of operations that wait for one.
fn waits(part: PartId, change: i64, ctx: Ctx) {
    let now = ctx.now();
    if let Some(pool) = ctx.plan().directory.store(part).pool.filter(|_| change != 0) {
        ctx.record().level(pool.waits, now, change);
    }
}
