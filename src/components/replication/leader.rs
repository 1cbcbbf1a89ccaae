//! Copies with a leader: one member orders all changes in a log, the others follow it. One protocol, Raft (D. Ongaro,
//! "Consensus: Bridging Theory and Practice", 2014), under three [`plan::Rule`]s of when an entry counts as committed: when the leader's
//! disk has it (`async`), when so many copies have it (`sync`), when a majority has it (`raft`). Terms, votes and the repair of logs
//! are the same for all, so a leader that comes back after a failover truncates what the others never had.
//!
//! [`log`] is the log · [`member`] the process: its state, and how it applies · `handover` how a leader that is drained goes · [`messages`] what members tell each other · `disk`
//! what they keep safe · `applier` when what they have takes effect · `clients` what they do for clients · `sessions` what `read … at session` waits for · `replication` how the
//! leader's log reaches the others · `elections` who leads · [`additions`] what of a lost suffix need not be lost · `lineage` what
//! is recorded of copies.
//!
//! Numbered rules:
//! 1. A vote and an entry are safe on the voter's disk before anybody is told of them.
//! 2. A leader counts copies only of entries of its own term; its first entry is empty, so that it soon has one
//!    (section 3.6.2, figure 3.7).
//! 3. At a leader and under `raft` nothing that is not committed is visible to any read or condition. Under the other rules a copy that
//!    follows shows what it has applied, which it may do once its own disk has it, acknowledged or not; so readers of two copies may see
//!    new, then old, and what they saw may be lost (`dirty_reads`). Where an acknowledgement says `apply`, each copy that has given it shows
//!    the entry from then on for ever, also after a restart. PostgreSQL, synchronous_commit = remote_write, on, remote_apply.
//! 4. Votes needed: a majority, and under `sync(of=k)` at least N − k + 1, so that every election meets a copy of each
//!    acknowledged entry.
//! 5. Under `raft` a read of the primary waits until a majority has answered a message sent after it came (section 6.4);
//!    with a lease until then nobody else can have been elected (section 6.4.1), since whoever has heard a leader votes for nobody
//!    until the least election timeout is over (section 4.2.3). Under the other rules a leader answers at once,
//!    even one that has been deposed and has not heard of it, but not before an entry of its own is committed: until then it may
//!    lack what the one before it has acknowledged.
//! 6. Entries leave when the leader's sender has its turn. What has not left by then nobody else has.
//!
//! **Liveness.** Once troubles are over and a majority can reach each other (under `sync(of=k)` k of them at least), everybody is served
//! again, and the copies are one, within R + n·(E + 4·L + 2·D):
//! * R is what connections wait before they try again: no longer than what held them up has lasted, and 200 ms (the waits double
//!   from there, to 120 s).
//! * E is the longest that a member waits before it stands for election: the greatest election timeout, or with a failover the
//!   greater of its time and 0.1 s for each member, and twice a tenth of it (0.1 s at least) and 0.1 s for each member.
//! * L is the greatest latency and D what the disk takes: a vote is a round trip and a sync at both ends, the first entry another.
//! * n rounds of votes, of which one that is split or disturbed costs a further one: the chance of each is a few percent
//!   (`experiments/raft-election.toml`), so 5 are enough in all but one of a million.

pub mod additions;
mod applier;
mod clients;
mod disk;
mod elections;
mod handover;
mod lineage;
mod locking;
pub mod log;
pub mod member;
mod merge_log;
pub mod messages;
pub mod plan;
mod replication;
mod request;
mod sessions;
#[cfg(test)]
mod tests;
mod transacting;
mod transfer;

pub use lineage::survey;
