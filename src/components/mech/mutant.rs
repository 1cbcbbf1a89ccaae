//! Mutants: protocols with one rule broken, each of which a checker must catch. All of them are here. A design names one (`mutant = "votes_twice"`
//! of a `db`) only where the kinds of parts are those of tests (`Kinds::with_mutants`); no table of
//! parameters shows that, and where nobody breaks a rule it costs a comparison.

macro_rules! mutants {
    ($($(#[$doc:meta])* $name:ident = $word:literal, of $of:literal, fails $fails:literal;)+) => {
        /// A rule to break, for tests.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        pub enum Mutant {
            /// None: this is the protocol.
            #[default]
            Sound,
            $($(#[$doc])* $name,)+
        }

        impl Mutant {
            /// Their words.
            #[cfg(feature = "internals")]
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// All but the sound one: its word, the copies that have the rule, and a property that fails without it.
            pub const ALL: &'static [(Mutant, &'static str, &'static str, &'static str)] =
                &[$((Mutant::$name, $word, $of, $fails)),+];
        }
    };
}

mutants! {
    /// A store acknowledges what its disk does not have yet.
    AcksEarly = "acks_early", of "any copies", fails "lost(pay) == 0 after a crash";
    /// A leader counts copies of entries of older terms, and has no empty entry that would hide it (Ongaro 2014, section 3.6.2, figure 3.7).
    CountsOldTerms = "counts_old_terms", of "raft", fails "linearizable(kv)";
    /// A vote is not kept on disk (section 3.8).
    ForgetsVote = "forgets_vote", of "raft", fails "linearizable(kv)";
    /// A leader answers reads of the primary without asking whether it still leads (section 6.4).
    ReadsWhenDeposed = "reads_when_deposed", of "raft", fails "linearizable(kv)";
    /// A leader that hears of another goes on leading (section 3.3).
    KeepsOldLeader = "keeps_old_leader", of "async, sync, raft", fails "converged(kv)";
    /// A copy answers reads `at session` whatever it has applied.
    IgnoresSessions = "ignores_sessions", of "async, sync, raft", fails "read_your_writes(kv)";
    /// A leader of several sends what is not confirmed only once.
    NeverAgain = "never_again", of "multi_leader", fails "converged(kv) after a cut";
    /// A transaction gives its locks back as soon as the row is written.
    GivesLocksBack = "gives_locks_back", of "isolation = snapshot", fails "snapshot(kv)";
    /// Whoever commits last wins.
    LetsLastWin = "lets_last_win", of "isolation = snapshot", fails "snapshot(kv)";
    /// A transaction may be the middle of a dangerous structure (Cahill, Röhm, Fekete, SIGMOD 2008).
    IgnoresFlags = "ignores_flags", of "isolation = serializable", fails "serializable(kv)";
}

impl Mutant {
    /// From its word.
    pub fn of(word: &str) -> Mutant {
        Mutant::ALL.iter().find(|(_, known, ..)| *known == word).map_or(Mutant::Sound, |(mutant, ..)| *mutant)
    }
}
