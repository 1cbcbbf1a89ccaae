//! What nobody in a run knows and users ask: how far copies are behind those whose logs they follow, and how often readers were shown
//! what was lost later. It changes nothing.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::base::ids::{OpId, TierId};
use crate::base::time::{Span, Time};

/// Entries of which it is known when they were made: for older ones a copy counts as behind for as long as for the oldest of these.
const KNOWN_MAX: usize = 1 << 16;

/// How far copies are behind, by store and by who writes the log: 0 where one leads, each member where all do.
#[derive(Clone, Debug, Default)]
pub struct Replicas {
    lines: BTreeMap<(TierId, u32), Line>,
    /// What has been shown, by store.
    shown: BTreeMap<TierId, Shown>,
}

/// A log and how far copies have applied it.
#[derive(Clone, Debug, Default)]
struct Line {
    /// The latest term in which somebody has written it, and who that was.
    epoch: u64,
    writer: u32,
    last: u64,
    /// When its last entries were made.
    made: VecDeque<Time>,
    applied: Vec<u64>,
}

impl Line {
    fn reach(&mut self, copy: u32) -> &mut u64 {
        if self.applied.len() <= copy as usize {
            self.applied.resize(copy as usize + 1, 0);
        }
        &mut self.applied[copy as usize]
    }

    /// Entries that copies lack, the writer's own aside.
    fn behind(&self) -> i64 {
        let others = self.applied.iter().zip(0..).filter(|(_, copy)| *copy != self.writer);
        others.map(|(applied, _)| self.last.saturating_sub(*applied) as i64).sum()
    }

    /// When an entry was made.
    fn made_at(&self, index: u64) -> Option<Time> {
        let back = usize::try_from(self.last.checked_sub(index)?).ok()?;
        self.made
            .len()
            .checked_sub(back + 1)
            .and_then(|place| self.made.get(place))
            .or(self.made.front())
            .copied()
    }
}

/// What a copy's applying has changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// More entries that copies lack, or fewer.
    pub behind: i64,
    /// Entries that it has applied.
    pub applied: u64,
    /// How long ago each of them was made, summed up.
    pub lagged: Span,
}

/// What readers of a store were shown of entries that may be lost yet.
#[derive(Clone, Debug, Default)]
struct Shown {
    /// By place and version: how many reads.
    open: BTreeMap<(u64, u64, OpId), u64>,
    places: BTreeMap<OpId, (u64, u64)>,
    lost: BTreeSet<OpId>,
}

impl Replicas {
    /// An entry was made, of a log that so many copies follow: how many more entries copies lack.
    pub fn made(
        &mut self,
        log: (TierId, u32),
        (epoch, writer): (u64, u32),
        index: u64,
        copies: u32,
        now: Time,
    ) -> i64 {
        let line = self.lines.entry(log).or_default();
        line.reach(copies - 1);
        if epoch < line.epoch {
            return 0; // of a leader that was deposed and does not know
        }
        let before = line.behind();
        if index <= line.last {
            line.made.truncate(line.made.len().saturating_sub((line.last + 1 - index) as usize));
        }
        (line.epoch, line.writer, line.last) = (epoch, writer, index);
        if line.made.len() >= KNOWN_MAX {
            line.made.pop_front();
        }
        line.made.push_back(now);
        line.behind() - before
    }

    /// A copy has applied a log up to here.
    pub fn applied(&mut self, log: (TierId, u32), copy: u32, up_to: u64, now: Time) -> Progress {
        let line = self.lines.entry(log).or_default();
        let (before, from) = (line.behind(), *line.reach(copy));
        let mut progress = Progress::default();
        if copy != line.writer {
            for at in (from + 1..=up_to).filter_map(|index| line.made_at(index)) {
                progress.applied += 1;
                progress.lagged += now - at;
            }
        }
        *line.reach(copy) = up_to;
        progress.behind = line.behind() - before;
        progress
    }

    /// An entry that a failover may lose yet writes a version.
    pub fn opens(&mut self, store: TierId, (index, term): (u64, u64), version: OpId) {
        let shown = self.shown.entry(store).or_default();
        shown.lost.remove(&version);
        shown.places.insert(version, (index, term));
        shown.open.insert((index, term, version), 0);
    }

    /// Somebody was shown a version. True if it was lost already.
    pub fn shown(&mut self, store: TierId, version: OpId) -> bool {
        let Some(shown) = self.shown.get_mut(&store) else { return false };
        if let Some((index, term)) = shown.places.get(&version)
            && let Some(reads) = shown.open.get_mut(&(*index, *term, version))
        {
            *reads += 1;
        }
        shown.lost.contains(&version)
    }

    /// No later leader lacks a leader's log up to here; what is not in its log is lost. How many reads were shown that.
    pub fn settles(&mut self, store: TierId, up_to: u64, has: impl Fn(u64, u64) -> bool) -> u64 {
        let Some(shown) = self.shown.get_mut(&store) else { return 0 };
        let mut reads = 0;
        let Shown { open, places, lost } = shown;
        open.retain(|(index, term, version), seen| {
            let kept = has(*index, *term);
            let stays = kept && *index > up_to;
            if !stays {
                places.remove(version);
            }
            if !kept {
                lost.insert(*version);
                reads += *seen;
            }
            stays
        });
        reads
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Time {
        Time::ZERO + Span::from_ms(ms)
    }

    #[test]
    fn copies_are_behind_by_what_their_leader_has_more() {
        let (mut replicas, log) = (Replicas::default(), (TierId(1), 0));
        assert_eq!(replicas.made(log, (1, 0), 1, 3, ms(0)), 2);
        assert_eq!(replicas.made(log, (1, 0), 2, 3, ms(10)), 2);
        assert_eq!(replicas.applied(log, 0, 2, ms(10)), Progress::default(), "the leader follows nobody");
        let progress = Progress { behind: -2, applied: 2, lagged: Span::from_ms(30 + 20) };
        assert_eq!(replicas.applied(log, 1, 2, ms(30)), progress);
        // Another leader, whose log is shorter: of the copies that lack its entry one is the old leader.
        assert_eq!(replicas.made(log, (2, 1), 3, 3, ms(40)), 3 + 1 - 2);
        assert_eq!(replicas.made(log, (1, 0), 3, 3, ms(50)), 0, "the old one does not count any more");
        assert_eq!(replicas.applied(log, 2, 3, ms(60)).lagged, Span::from_ms(60 + 50 + 20));
    }

    #[test]
    fn reads_of_what_is_lost_are_counted_once_it_is() {
        let (mut replicas, store) = (Replicas::default(), TierId(1));
        for (index, term, id) in [(1, 1, 7), (2, 1, 8), (3, 1, 9)] {
            replicas.opens(store, (index, term), OpId(id));
        }
        for id in [7, 8, 9, 9] {
            assert!(!replicas.shown(store, OpId(id)));
        }
        assert_eq!(replicas.settles(store, 1, |_, _| true), 0);
        assert_eq!(replicas.settles(store, 1, |index, _| index < 3), 2, "the third entry was shown twice");
        assert!(replicas.shown(store, OpId(9)), "somebody who does not know is shown it still");
        assert_eq!(replicas.settles(store, 9, |_, _| false), 1, "the second, which nobody had yet");
    }
}
