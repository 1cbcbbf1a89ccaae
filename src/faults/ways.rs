//! Between whom a trouble of the network is: sides, or the members of a part in a shape.

use crate::base::ids::Pid;
use crate::faults::target::{Target, Who};
use crate::sim::cluster::NodeSet;

/// Between whom, and in which direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ways {
    /// Two sides, either way; without the second the first and everybody.
    Between(Target, Option<Target>),
    /// From one side to another.
    OneWay(Target, Target),
    /// Two halves of these members, either way; the second target, or the member in the middle, belongs to both.
    Bridge(Target, Option<Target>),
    /// These members in a ring, in their order, each of them and those that are not near it, either way.
    Ring(Target),
}

impl Ways {
    /// Its sides, for what is done to all of them.
    pub fn targets(&mut self) -> Vec<&mut Target> {
        match self {
            Ways::Between(of, with) | Ways::Bridge(of, with) => std::iter::once(of).chain(with).collect(),
            Ways::OneWay(from, to) => vec![from, to],
            Ways::Ring(of) => vec![of],
        }
    }

    /// Who sends to whom.
    pub fn pairs(&self) -> Vec<(NodeSet, NodeSet)> {
        match self {
            Ways::Between(of, with) => {
                let others = with.as_ref().map_or_else(|| vec![NodeSet::everyone()], Target::sets);
                let there = product(&of.sets(), &others);
                there.into_iter().flat_map(|(a, b)| [(a.clone(), b.clone()), (b, a)]).collect()
            }
            Ways::OneWay(from, to) => product(&from.sets(), &to.sets()),
            Ways::Bridge(of, over) => {
                let (left, right, _) = halves(of, over.as_ref());
                let (left, right) = (NodeSet::pids(left), NodeSet::pids(right));
                vec![(left.clone(), right.clone()), (right, left)]
            }
            Ways::Ring(of) => ring(&of.pids),
        }
    }

    /// As a plan shows it: `between a and b, c`.
    pub fn describe(&self, who: &Who) -> String {
        let names = |pids: &[Pid]| pids.iter().map(|pid| who.name(*pid)).collect::<Vec<_>>().join(", ");
        match self {
            Ways::Between(of, None) => format!("between {} and everybody", of.describe(who)),
            Ways::Between(of, Some(with)) => {
                format!("between {} and {}", beside(of, with).describe(who), beside(with, of).describe(who))
            }
            Ways::OneWay(from, to) => format!("from {} to {}", from.describe(who), to.describe(who)),
            Ways::Bridge(of, over)
                if of.picks.is_empty() && over.as_ref().is_none_or(|over| over.picks.is_empty()) =>
            {
                let (left, right, bridge) = halves(of, over.as_ref());
                let bridge = bridge.map_or_else(|| "nobody".to_string(), |bridge| who.name(bridge));
                format!("between {} and {}, with {bridge} between them", names(&left), names(&right))
            }
            Ways::Bridge(of, _) => {
                format!("between halves of {}, with one member between them", of.describe(who))
            }
            Ways::Ring(of) => {
                format!("between each of {} and all but a majority around it", of.describe(who))
            }
        }
    }
}

/// One side without whom the other side consists of, if that is one process: it has no link to itself.
fn beside(side: &Target, other: &Target) -> Target {
    let mut side = side.clone();
    if let ([alone], [], []) = (&other.pids[..], &other.zones[..], &other.picks[..]) {
        side.pids.retain(|pid| pid != alone);
    }
    side
}

fn product(from: &[NodeSet], to: &[NodeSet]) -> Vec<(NodeSet, NodeSet)> {
    from.iter().flat_map(|a| to.iter().map(move |b| (a.clone(), b.clone()))).collect()
}

/// Those before the bridge, those after it, and the bridge. Half of the members, or one less than half, come before it. As
/// Jepsen's `bridge` (nemesis.clj), whose bridge is the first of the second half.
fn halves(of: &Target, over: Option<&Target>) -> (Vec<Pid>, Vec<Pid>, Option<Pid>) {
    let bridge = match over {
        Some(over) => over.pids.first().copied(),
        None => of.pids.get(of.pids.len() / 2).copied(),
    };
    let mut others: Vec<Pid> = of.pids.iter().copied().filter(|pid| Some(*pid) != bridge).collect();
    let after = others.split_off((of.pids.len() / 2).min(others.len()));
    (others, after, bridge)
}

/// Each member talks to as many before it as after it, so many that with itself they are a majority, and to nobody else:
/// each to another majority. What Jepsen's `majorities-ring` (nemesis.clj) is for an odd majority; for an even one each
/// talks to one more, since a ring that is cut one way only lets nobody talk.
fn ring(members: &[Pid]) -> Vec<(NodeSet, NodeSet)> {
    let count = members.len();
    let near = (count / 2).div_ceil(2); // half of a majority, rounded down: on each side
    let cut_off = |me: usize| -> (NodeSet, NodeSet) {
        let far = (near + 1..count.saturating_sub(near)).map(|ahead| members[(me + ahead) % count]);
        (NodeSet::pids(far.collect()), NodeSet::pids(vec![members[me]]))
    };
    (0..count).map(cut_off).collect()
}
