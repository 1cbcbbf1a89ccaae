//! What members tell each other, what their disks keep, and why they wake up.

use crate::components::replication::leader::log::{ENTRY_BYTES, Entry, Log, Place, Terms};
use crate::components::replication::leader::merge_log::{Addition, MergeLog};
use crate::components::storage::front::Wake;
use crate::components::storage::machine::Machine;
use crate::sim::payload::{Payload, Word};

/// Size of a message without entries, bytes.
pub(super) const HEADER_BYTES: u32 = 128;

/// What members tell each other. All carry the sender's term.
#[derive(Clone, Debug, Hash)]
pub enum Message<M> {
    /// The leader's log after a place.
    AppendEntries(AppendEntries),
    /// What a follower has.
    AppendEntriesResponse {
        /// Term.
        term: u64,
        /// Its log is the leader's up to here, and it vouches for it; or, if it is not, where the leader shall go on.
        up_to: u64,
        /// Whether the place was there.
        fits: bool,
        /// The leader's message that this answers.
        round: u64,
    },
    /// The whole of a copy, in place of a log that is no longer there.
    Snapshot {
        /// Term.
        term: u64,
        /// The copy, which is large, and messages are moved often.
        whole: Box<CopySnapshot<M>>,
    },
    /// Elect me.
    RequestVote {
        /// Term in which it would lead.
        term: u64,
        /// Where its log ends.
        last: Place,
        /// Whether it only asks if it would be.
        pre: bool,
        /// Whether the leader of the last term has told it to: nobody need keep faith with that one.
        heir: bool,
    },
    /// Stand for election at once: the leader has told you everything (section 3.10, TimeoutNow).
    TimeoutNow {
        /// Term.
        term: u64,
    },
    /// I am to serve nobody either.
    Declined {
        /// Term.
        term: u64,
    },
    /// The answer to it.
    Vote {
        /// Term.
        term: u64,
        /// Yes or no.
        granted: bool,
        /// Which question it answers.
        pre: bool,
    },
    /// Additions of a suffix that the leader never had.
    Lost {
        /// Term.
        term: u64,
        /// What was added.
        additions: Vec<Addition>,
    },
    /// These have taken effect in the leader's history.
    Taken {
        /// Term.
        term: u64,
        /// By the places of their first entries.
        origins: Vec<Place>,
    },
}

/// The leader's log after a place, or only word that it leads.
#[derive(Clone, Debug, Hash)]
pub struct AppendEntries {
    /// Term.
    pub term: u64,
    /// What must be there already.
    pub after: Place,
    /// What follows.
    pub entries: Vec<Entry>,
    /// How far the leader has committed.
    pub commit_index: u64,
    /// How far a majority has the log, so that no later leader lacks it.
    pub majority_durable_index: u64,
    /// Numbers the leader's messages, so that it can tell which ones were answered.
    pub round: u64,
}

/// A copy as a whole.
#[derive(Clone, Debug, Hash)]
pub struct CopySnapshot<M> {
    /// Up to where the log is applied to it.
    pub at: Place,
    /// The machine there.
    pub machine: M,
    /// Which terms the entries up to there are of.
    pub terms: Terms,
    /// Which additions are in it.
    pub merge_log: MergeLog,
}

impl<M: Machine> Message<M> {
    /// On the wire.
    pub(super) fn size_bytes(&self) -> u32 {
        let many = |count: usize| HEADER_BYTES.saturating_add(ENTRY_BYTES.saturating_mul(count as u32));
        match self {
            Message::AppendEntries(append) => {
                append.entries.iter().map(Entry::size_bytes).fold(HEADER_BYTES, u32::saturating_add)
            }
            Message::Lost { additions, .. } => many(additions.len()),
            Message::Snapshot { whole, .. } => many(whole.merge_log.len())
                .saturating_add(u32::try_from(whole.machine.size_bytes()).unwrap_or(u32::MAX)),
            _ => HEADER_BYTES,
        }
    }
}

/// One more message of one purpose moves nothing that is drawn for those of others: changes, word that somebody leads, answers to
/// these, elections, and what is rare.
impl<M: Machine> Payload for Message<M> {
    type Sent = [u32; 5];

    fn purpose(&self) -> u8 {
        match self {
            Message::AppendEntries(append) if !append.entries.is_empty() => 0,
            Message::AppendEntries(_) => 1,
            Message::AppendEntriesResponse { .. } => 2,
            Message::RequestVote { .. } | Message::Vote { .. } => 3,
            Message::TimeoutNow { .. } | Message::Declined { .. } => 4,
            Message::Snapshot { .. } | Message::Lost { .. } | Message::Taken { .. } => 4,
        }
    }
}

/// What a member's disk keeps in order.
#[derive(Clone, Debug, Hash)]
pub enum Record {
    /// The term, and who has our vote in it.
    Term(u64, Option<u32>),
    /// We lead in this term.
    LeadTerm(u64),
    /// What follows goes after this index.
    Truncate(u64),
    /// The next entry.
    Entry(Entry),
    /// A leader has these of our lost additions.
    Taken(Vec<Place>),
    /// The copy itself has taken in the log up to here.
    Applied(u64),
}

/// What a snapshot keeps.
#[derive(Clone, Debug, Hash)]
pub struct Kept<M> {
    pub(super) term: u64,
    pub(super) voted_for: Option<u32>,
    pub(super) lead_term: u64,
    pub(super) at: Place,
    pub(super) machine: M,
    pub(super) merge_log: MergeLog,
    /// What we have lost and no leader has taken.
    pub(super) lost: Vec<Addition>,
    /// The log after it.
    pub(super) log: Log,
}

/// Why a member wakes up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// For its front.
    Front(Wake),
    /// The time to stand for election may have come.
    RequestVote,
    /// Time to tell the others that we lead.
    Heartbeat,
    /// An entry has been applied.
    Applied,
    /// An entry may be applied.
    Due,
    /// The sender has its turn.
    Send,
    /// Operations for which no leader is known may have waited for too long.
    Patience,
    /// Whoever was told to take over may have taken too long.
    Handover,
    /// What a leader that is no more was asked for is not waited for any longer.
    Linger,
}

impl Word for Timer {
    fn to_word(self) -> u64 {
        match self {
            Timer::Front(wake) => wake.to_word(),
            Timer::RequestVote => 2,
            Timer::Heartbeat => 3,
            Timer::Applied => 4,
            Timer::Patience => 5,
            Timer::Due => 6,
            Timer::Send => 7,
            Timer::Handover => 8,
            Timer::Linger => 9,
        }
    }
    fn from_word(word: u64) -> Self {
        match word {
            2 => Timer::RequestVote,
            3 => Timer::Heartbeat,
            4 => Timer::Applied,
            5 => Timer::Patience,
            6 => Timer::Due,
            7 => Timer::Send,
            8 => Timer::Handover,
            9 => Timer::Linger,
            front => Timer::Front(Wake::from_word(front)),
        }
    }
}
