//! Levels of isolation, and which anomaly each permits. `docs/levels.md` has the definitions with their sources.

/// What can be wrong with a history of transactions, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Somebody saw a value that nobody wrote.
    Nowhere,
    /// What was seen of a key fits no order of its versions.
    NoOrder,
    /// A transaction did not see its own write.
    Internal,
    /// A transaction saw what it wrote only later.
    Future,
    /// A cycle of writes over writes (P0).
    G0,
    /// A read of what was never committed.
    G1a,
    /// A read of what its writer replaced before it committed.
    G1b,
    /// A cycle of writes and reads.
    G1c,
    /// Two reads of one key in one transaction saw two versions, and it wrote none between (P2).
    NonRepeatable,
    /// Two who read one version and both replaced it (P4); some order of the two makes it a [`Kind::GSingle`].
    LostUpdate,
    /// A cycle with one read of what another overwrote.
    GSingle,
    /// A cycle with several, never two in a row.
    GNonadjacent,
    /// A cycle with several, two of them in a row somewhere.
    G2Item,
}

impl Kind {
    /// All, with their names.
    pub const ALL: [(&str, Kind); 13] = [
        ("value from nowhere", Kind::Nowhere),
        ("no order", Kind::NoOrder),
        ("own write not seen", Kind::Internal),
        ("own write seen too early", Kind::Future),
        ("G0", Kind::G0),
        ("G1a", Kind::G1a),
        ("G1b", Kind::G1b),
        ("G1c", Kind::G1c),
        ("non-repeatable read", Kind::NonRepeatable),
        ("lost update", Kind::LostUpdate),
        ("G-single", Kind::GSingle),
        ("G-nonadjacent", Kind::GNonadjacent),
        ("G2-item", Kind::G2Item),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].0
    }
}

/// How well transactions are kept apart, the weaker before the stronger; not each follows from the next, see `Level::axiom` and
/// [`Level::has_sessions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// PL-1: no dirty writes (Adya 1999).
    ReadUncommitted,
    /// PL-2: no dirty reads either (Adya 1999).
    ReadCommitted,
    /// Read committed, and who reads a key twice sees the same (Bailis et al., VLDB 2014).
    ItemCut,
    /// Who has seen something of a transaction sees all of it from then on (Bailis et al. 2014; Biswas and Enea 2019).
    MonotonicAtomicView,
    /// Who sees something of a transaction sees all of it (Bailis et al. 2016; Cerone et al. 2015).
    ReadAtomic,
    /// What a transaction may depend on is visible to it, and sessions are kept (Biswas and Enea 2019).
    Causal,
    /// Causal, and of two who write one item one sees the other (Sovran et al. 2011; Cerone et al. 2015).
    ParallelSnapshot,
    /// Snapshot isolation: who reads sees one instant, and of two who write one item at once one fails (Cerone et al. 2015).
    Snapshot,
    /// Snapshot isolation, and who reads sees what its session did before (Daudjee and Salem 2006).
    StrongSessionSnapshot,
    /// PL-2.99, which is PL-3 where nobody reads by predicates (Adya 1999).
    RepeatableRead,
    /// PL-3: as if one after the other (Papadimitriou 1979).
    Serializable,
    /// One after the other, each session's in its order (Daudjee and Salem 2004).
    StrongSessionSerializable,
    /// One after the other, and who began after another had returned comes after it (Papadimitriou 1979; Herlihy and Wing 1990).
    StrictSerializable,
}

/// What a level asks of the order of writes, apart from sessions and time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Axiom {
    /// Writes over writes form no cycle.
    Uncommitted,
    /// Writes and reads form none.
    Committed,
    /// Neither do they with "what was seen in part must be seen from then on".
    Monotonic,
    /// Nor with "what is seen in part must be seen".
    Atomic,
    /// Nor with "what can be depended on must be seen".
    Causal,
    /// No cycle has but one read of what was overwritten.
    Parallel,
    /// Each cycle has two of them in a row.
    Snapshot,
    /// There is no cycle.
    Serial,
}

impl Level {
    /// All, with their names.
    pub const ALL: [(&str, Level); 13] = [
        ("read_uncommitted", Level::ReadUncommitted),
        ("read_committed", Level::ReadCommitted),
        ("item_cut_isolation", Level::ItemCut),
        ("monotonic_atomic_view", Level::MonotonicAtomicView),
        ("read_atomic", Level::ReadAtomic),
        ("causal", Level::Causal),
        ("parallel_snapshot", Level::ParallelSnapshot),
        ("snapshot", Level::Snapshot),
        ("strong_session_snapshot", Level::StrongSessionSnapshot),
        ("repeatable_read", Level::RepeatableRead),
        ("serializable", Level::Serializable),
        ("strong_session_serializable", Level::StrongSessionSerializable),
        ("strict_serializable", Level::StrictSerializable),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].0
    }

    /// Other names that it is known by; Elle's have hyphens.
    pub fn aliases(self) -> &'static [&'static str] {
        match self {
            Level::ReadUncommitted => &["read-uncommitted"],
            Level::ReadCommitted => &["read-committed"],
            Level::ItemCut => &["item-cut-isolation"],
            Level::MonotonicAtomicView => &["monotonic-atomic-view"],
            Level::ReadAtomic => &["read-atomic"],
            Level::Causal | Level::Serializable => &[],
            Level::ParallelSnapshot => {
                &["parallel_snapshot_isolation", "parallel-snapshot", "parallel-snapshot-isolation"]
            }
            Level::Snapshot => &["snapshot_isolation", "snapshot-isolation"],
            Level::StrongSessionSnapshot => &[
                "strong_session_snapshot_isolation",
                "strong-session-snapshot",
                "strong-session-snapshot-isolation",
            ],
            Level::RepeatableRead => &["repeatable-read"],
            Level::StrongSessionSerializable => &["strong-session-serializable"],
            Level::StrictSerializable => {
                &["strict-serializable", "strong_serializable", "strong-serializable"]
            }
        }
    }

    /// The level of a name, or of another one.
    pub fn named(name: &str) -> Option<Level> {
        let mut levels = Self::ALL.iter().map(|(_, level)| *level);
        levels.find(|level| level.name() == name || level.aliases().contains(&name))
    }

    /// What it asks of the order of writes.
    pub(super) fn axiom(self) -> Axiom {
        match self {
            Level::ReadUncommitted => Axiom::Uncommitted,
            Level::ReadCommitted | Level::ItemCut => Axiom::Committed,
            Level::MonotonicAtomicView => Axiom::Monotonic,
            Level::ReadAtomic => Axiom::Atomic,
            Level::Causal => Axiom::Causal,
            Level::ParallelSnapshot => Axiom::Parallel,
            Level::Snapshot | Level::StrongSessionSnapshot => Axiom::Snapshot,
            Level::RepeatableRead
            | Level::Serializable
            | Level::StrongSessionSerializable
            | Level::StrictSerializable => Axiom::Serial,
        }
    }

    /// Whether what a process did before counts.
    pub fn has_sessions(self) -> bool {
        matches!(
            self,
            Level::Causal
                | Level::ParallelSnapshot
                | Level::StrongSessionSnapshot
                | Level::StrongSessionSerializable
                | Level::StrictSerializable
        )
    }

    /// Whether what had returned before counts.
    pub fn has_real_time(self) -> bool {
        self == Level::StrictSerializable
    }

    /// Whether who reads a key twice, and does not write it between, sees the same.
    pub fn repeats_reads(self) -> bool {
        self == Level::ItemCut || self.axiom() >= Axiom::Atomic
    }

    /// Whether a history of this level may show that. What none of these shows, may still be none of this level.
    pub fn permits(self, kind: Kind) -> bool {
        match kind {
            Kind::Nowhere | Kind::NoOrder | Kind::Internal | Kind::Future | Kind::G0 => false,
            Kind::G1a | Kind::G1b | Kind::G1c => self.axiom() < Axiom::Committed,
            Kind::NonRepeatable => !self.repeats_reads(),
            Kind::LostUpdate | Kind::GSingle => self.axiom() < Axiom::Parallel,
            Kind::GNonadjacent => self.axiom() < Axiom::Snapshot,
            Kind::G2Item => self.axiom() < Axiom::Serial,
        }
    }
}
