//! What a store records of itself.

use crate::base::series::series;

series! {
    /// The series, in the order in which users see them.
    pub enum StoreSeries {
        Reads: Counter "reads", "operations", "Reads that a member took in; one that was sent on to a leader counts there.";
        Writes: Counter "writes", "operations", "Writes that a member took in; one that was sent on to a leader counts there.";
        Updates: Counter "updates", "operations", "Updates and compare-and-sets that a member took in; one that was sent on to a leader counts there.";
        Rejected: Counter "rejected", "operations", "Operations turned away: no place in a queue, or no connection of a pool, be it the clients' or the store's own.", whole;
        Dropped: Counter "dropped", "requests", "Requests of a quorum's coordinator that a copy had no place for: it does not answer them.";
        Syncs: Counter "syncs", "batches", "Batches of writes made safe.";
        Busy: Level "busy", "operations", "Operations being served.";
        Queue: Level "queue", "operations", "Operations that wait for a core.";
        Connected: Level "connected", "connections", "Connections of pools in use, be they the clients' or the store's own.", whole;
        Repairs: Counter "repairs", "values", "Old values that a quorum's coordinator found in a copy and brought up to date.";
        Hints: Counter "hints", "writes", "Writes that a quorum's coordinator has sent again to a copy that had not confirmed them.";
        Leaders: Level "leaders", "members", "Members that believe they lead.";
        Leaderless: Time "leaderless", "s", "Time during which no member believed that it leads.", whole;
        Elections: Counter "elections", "elections", "Leaders elected.";
        SplitVotes: Counter "split_votes", "candidacies", "Candidates that ran out of time, or gave way to a later term, without having been elected.";
        Truncated: Counter "truncated", "times", "Times that a follower cut off entries of its log which the leader does not have.";
        Snapshots: Counter "snapshots", "copies", "Whole copies sent to followers whose log could not be repaired.";
        Programs: Level "programs", "programs", "Programs under way at its members.";
        Standing: Level "standing", "members", "Members that stand for election, or ask whether they should.";
        Engaged: Level "engaged", "members", "Members that lead or stand for election.";
        Silent: Time "silent", "s", "Time during which no member led or stood for election.", whole;
        Resent: Counter "resent", "times", "Times that a leader of several has sent its changes again to one that had not confirmed them.";
        Merged: Counter "merged", "additions", "Additions of a deposed leader that its successor has added to its own.";
        Commits: Counter "commits", "transactions", "Transactions committed.";
        Aborts: Counter "aborts", "transactions", "Transactions that their clients aborted, or whose clients were not heard of.";
        Conflicts: Counter "conflicts", "transactions", "Transactions aborted because of what others have written or read meanwhile.";
        Deadlocks: Counter "deadlocks", "transactions", "Transactions aborted because they and others waited for each other.";
        LockTimeouts: Counter "lock_timeouts", "transactions", "Transactions aborted because they had waited too long for a lock.";
        LockWaits: Level "lock_waits", "operations", "Operations that wait for the lock of a row.";
        Locks: Counter "locks", "locks", "Locks taken at once; others are handed on.";
        Held: Counter "held", "refusals", "Locks that were not to be had.";
        Lapsed: Counter "lapsed", "locks", "Locks whose holder's time was over when the next one wanted them.";
        ForeignReleases: Counter "foreign_releases", "releases", "Locks given back that somebody else held (`release = \"del\"`).";
        Fenced: Counter "fenced", "operations", "Operations refused because a row had seen a newer fencing token.";
        Behind: Level "behind", "entries", "Entries that copies have not applied and those whose logs they follow have, over all copies.";
        Applied: Counter "applied", "entries", "Entries that copies have applied which others had written, over all copies.";
        Lagged: Time "lagged", "s", "Time from when each of these was written until it was applied: over `applied` it is the mean lag.";
        DirtyReads: Counter "dirty_reads", "reads", "Reads that were shown what a failover has taken back.";
        Up: Level "up", "members", "Members that are up.";
        Outages: Counter "outages", "outages", "Times that a crash left fewer members up than operations need: R or W of a quorum, as many as a commit with a leader, one where each serves by itself.", whole;
        Handovers: Counter "handovers", "handovers", "Times that a leader that was drained has told a copy which had everything to take over.";
        PoolWaits: Level "pool_waits", "operations", "Operations that wait for a connection of a pool, be it the clients' or the store's own.", whole;
    }
}
