//! Copies with a leader: one member orders all changes in a log, the others follow it. One protocol, Raft (D. Ongaro,
//! "Consensus: Bridging Theory and Practice", 2014), under three [`Rule`]s of when an entry counts as committed: when the leader's
//! disk has it (`async`), when so many copies have it (`sync`), when a majority has it (`raft`). Terms, votes and the repair of logs
//! are the same for all, so a leader that comes back after a failover truncates what the others never had.
//!
//! [`log`] is the log · [`member`] the process: its state, and how it applies · `handover` how a leader that is drained goes · [`messages`] what members tell each other · `disk`
//! what they keep safe · `applier` when what they have takes effect · `clients` what they do for clients · `sessions` what `read … at session` waits for · `shipping` how the
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
pub mod messages;
mod replication;
mod sessions;
#[cfg(test)]
mod tests;
mod transacting;

use crate::base::dist::Dist;
use crate::base::time::Span;
use crate::components::machine::Machine;
use crate::components::store;
use crate::components::store::legs::WarsDelays;
use crate::components::store::pace::PerCopy;

pub use lineage::survey;

/// When an entry is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// When the leader's disk has it.
    Leader,
    /// When so many copies have it, the leader's included.
    Copies(u8),
    /// When a majority has it.
    Majority,
}

impl Rule {
    /// How many copies must have an entry.
    pub fn copies(self, of: u32) -> u32 {
        match self {
            Rule::Leader => 1,
            Rule::Copies(copies) => u32::from(copies),
            Rule::Majority => of / 2 + 1,
        }
    }

    /// How many votes make a leader.
    pub fn votes(self, of: u32) -> u32 {
        match self {
            Rule::Copies(copies) => (of / 2 + 1).max((of + 1).saturating_sub(u32::from(copies))),
            Rule::Leader | Rule::Majority => of / 2 + 1,
        }
    }
}

/// What a copy has done when it acknowledges an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ack {
    /// Received it.
    Receive,
    /// Made it safe.
    Flush,
    /// Applied it.
    Apply,
}

/// When a member that hears of no leader stands for election.
#[derive(Clone, Debug)]
pub enum Election {
    /// Never.
    Never,
    /// After a time drawn anew each time.
    Drawn(Dist),
    /// After this time and a tenth of a second for each member that comes before it, counted from the last leader on: so
    /// that two do not stand at once. Whoever was not elected stands again after a tenth of the time (0.1 s at least) to twice
    /// that and a tenth of a second for each member, by lot.
    After(Span),
}

/// A rule to break, for tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mutant {
    /// None: this is the protocol.
    #[default]
    Sound,
    /// A leader counts copies of entries of older terms, and has no empty entry that would hide it.
    CountsOldTerms,
    /// A vote is not kept on disk.
    ForgetsVote,
    /// A leader answers reads of the primary without asking whether it still leads.
    ReadsWhenDeposed,
    /// A leader that hears of another goes on leading.
    KeepsOldLeader,
    /// Each member decides alone that it leads now.
    DecidesAlone,
    /// A copy answers reads `at session` whatever it has applied.
    IgnoresSessions,
}

/// What all members share.
#[derive(Clone, Debug)]
pub struct Plan<M: Machine> {
    /// What all stores have in common.
    pub store: store::Plan,
    /// What the machine knows from the start.
    pub machine: M::Plan,
    /// When an entry is committed.
    pub rule: Rule,
    /// What an acknowledgement says.
    pub ack: Ack,
    /// When a member stands for election.
    pub election: Election,
    /// How often a leader with nothing to say tells that it is there.
    pub heartbeat: Span,
    /// Whether a member asks first whether it would be elected.
    pub pre_vote: bool,
    /// How long a majority's answers keep others from being elected; `None`: reads ask each time.
    pub lease: Option<Span>,
    /// What a follower takes to apply an entry.
    pub apply: PerCopy,
    /// How old an entry must be before a follower applies it.
    pub lag: PerCopy,
    /// How long the sender waits for its turn; `None`: it sends at once.
    pub send: Option<Dist>,
    /// Whether member 0 leads from the start; otherwise the first leader is elected.
    pub begins_led: bool,
    /// Whether what a lost suffix of the log has added is added again by the new leader.
    pub merges: bool,
    /// What the messages with entries and their acknowledgements take on top of the network.
    pub legs: WarsDelays,
    /// How long a member keeps an operation for which it knows no leader.
    pub patience: Span,
    /// How long a member waits for what a leader that is no more was asked for, once there is another.
    pub linger: Span,
    /// A rule to break, for tests.
    pub mutant: Mutant,
}
