//! The faults that are on. A set: each adds its own and takes only its own away.

use std::collections::BTreeMap;

use crate::base::ids::Pid;
use crate::base::rng::{mix, name_hash};
use crate::faults::action::Action;
use crate::faults::plan::Occurrence;
use crate::sim::cluster::{ClockImpairmentId, Cluster, EffectId, Order};

/// The faults that are on, by their index in the plan.
#[derive(Clone, Debug, Default)]
pub struct Active {
    crashes: BTreeMap<Pid, Vec<usize>>,
    pauses: BTreeMap<Pid, Vec<usize>>,
    sets: BTreeMap<(Pid, &'static str), Vec<(usize, f64)>>,
    clocks: BTreeMap<usize, Vec<(Pid, ClockImpairmentId)>>,
    effects: BTreeMap<usize, Vec<EffectId>>,
}

impl Active {
    /// Fault `index` of the plan begins.
    pub fn begin(&mut self, index: usize, planned: &Occurrence, cluster: &mut dyn Cluster) {
        match &planned.action {
            Action::Flush(target) => {
                target.pids.iter().for_each(|pid| cluster.order(*pid, Order::Flush));
            }
            Action::Crash(target, how) => {
                for pid in &target.pids {
                    let crashes = self.crashes.entry(*pid).or_default();
                    if crashes.is_empty() {
                        cluster.crash(*pid, *how);
                        self.pauses.remove(pid); // what is not there does not stand still
                    }
                    crashes.push(index);
                }
            }
            Action::Pause(target) => {
                for pid in target.pids.iter().filter(|pid| !self.crashes.contains_key(pid)) {
                    self.pauses.entry(*pid).or_default().push(index);
                    cluster.pause(*pid);
                }
            }
            Action::Drain(target) => target.pids.iter().for_each(|pid| cluster.drain(*pid)),
            Action::Clock { of, jump_ns, drift_ppb } => {
                let wrong = of.pids.iter().map(|pid| (*pid, cluster.skew(*pid, *jump_ns, *drift_ppb)));
                self.clocks.insert(index, wrong.collect());
            }
            Action::Set { of, parameter, value, .. } => {
                for pid in &of.pids {
                    self.sets.entry((*pid, parameter)).or_default().push((index, *value));
                    cluster.order(*pid, Order::Set { parameter, value: *value });
                }
            }
            Action::Network { .. } => {
                let name = mix(name_hash(&planned.fault), planned.at.as_ns());
                let effects = (0..).zip(planned.action.effects());
                let ids = effects.map(|(way, effect)| cluster.impairment(mix(name, way), effect)).collect();
                self.effects.insert(index, ids);
            }
        }
    }

    /// Fault `index` of the plan ends.
    pub fn end(&mut self, index: usize, planned: &Occurrence, cluster: &mut dyn Cluster) {
        match &planned.action {
            Action::Flush(_) => {}
            Action::Crash(target, _) => {
                for pid in &target.pids {
                    if take(&mut self.crashes, pid, |of| *of == index) == Some(0) {
                        cluster.restart(*pid);
                        self.set_again(*pid, cluster);
                    }
                }
            }
            Action::Pause(target) => {
                for pid in &target.pids {
                    if take(&mut self.pauses, pid, |of| *of == index).is_some() {
                        cluster.resume(*pid);
                    }
                }
            }
            Action::Drain(target) => target.pids.iter().for_each(|pid| cluster.undrain(*pid)),
            Action::Clock { .. } => {
                let wrong = self.clocks.remove(&index).unwrap_or_default();
                wrong.into_iter().for_each(|(pid, id)| cluster.clear(pid, id));
            }
            Action::Set { of, parameter, design, .. } => {
                for pid in &of.pids {
                    take(&mut self.sets, &(*pid, parameter), |(of, _)| *of == index);
                    let latest = self.sets.get(&(*pid, parameter)).and_then(|sets| sets.last());
                    let order = match (latest, design) {
                        (Some((_, value)), _) | (None, Some(value)) => {
                            Order::Set { parameter, value: *value }
                        }
                        (None, None) => Order::Reset { parameter },
                    };
                    cluster.order(*pid, order);
                }
            }
            Action::Network { .. } => {
                let effects = self.effects.remove(&index).unwrap_or_default();
                effects.into_iter().for_each(|effect| cluster.lift(effect));
            }
        }
    }

    /// The same with other indices: the plan is another one.
    pub fn renumbered(&self, index: impl Fn(usize) -> usize) -> Active {
        let all = |of: &BTreeMap<Pid, Vec<usize>>| {
            of.iter().map(|(pid, on)| (*pid, on.iter().map(|at| index(*at)).collect())).collect()
        };
        let set = |(key, sets): (&(Pid, &'static str), &Vec<(usize, f64)>)| {
            (*key, sets.iter().map(|(at, value)| (index(*at), *value)).collect())
        };
        Active {
            crashes: all(&self.crashes),
            pauses: all(&self.pauses),
            sets: self.sets.iter().map(set).collect(),
            clocks: self.clocks.iter().map(|(at, wrong)| (index(*at), wrong.clone())).collect(),
            effects: self.effects.iter().map(|(at, ids)| (index(*at), ids.clone())).collect(),
        }
    }

    /// A process that starts again starts as designed; what is set still is.
    fn set_again(&self, pid: Pid, cluster: &mut dyn Cluster) {
        for ((of, parameter), sets) in &self.sets {
            if let (true, Some((_, value))) = (*of == pid, sets.last()) {
                cluster.order(pid, Order::Set { parameter, value: *value });
            }
        }
    }
}

/// Takes one out of a list that stays only while it is not empty: how many are left, if it was there.
fn take<K: Ord, V>(of: &mut BTreeMap<K, Vec<V>>, key: &K, is: impl Fn(&V) -> bool) -> Option<usize> {
    let list = of.get_mut(key)?;
    let place = list.iter().position(is)?;
    list.remove(place);
    let left = list.len();
    if left == 0 {
        of.remove(key);
    }
    Some(left)
}
