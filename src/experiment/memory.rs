//! What all the runs of an experiment take together, and how many of them may be under way at once.

use crate::experiment::budget::{Budget, budget};
use crate::experiment::cell::Experiment;
use crate::experiment::fork::prefix_families;

/// The memory that the runs of an experiment take, bytes, about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Memory {
    /// What is under way at once, at least: one run, or those that are one at first.
    pub running: f64,
    /// The same if it gets out of hand.
    pub most: f64,
    /// What the first runs leave behind for the pictures.
    pub kept: f64,
}

impl Memory {
    /// How many of them may be under way at once in `free` bytes, of those asked for; none if not even one.
    pub fn jobs(&self, asked: usize, free: f64) -> Option<usize> {
        let left = free - self.kept;
        (self.running <= left).then(|| ((left / self.most.max(1.0)) as usize).clamp(1, asked))
    }
}

/// Reckons it.
pub fn memory(experiment: &Experiment) -> Memory {
    let budgets: Vec<Budget> = experiment.cells.iter().map(budget).collect();
    let prefix_families = prefix_families(&experiment.cells);
    let largest = |of: fn(&Budget) -> f64| {
        let together = |family: &Vec<usize>| family.iter().map(|cell| of(&budgets[*cell])).sum();
        prefix_families.iter().map(together).fold(0.0, f64::max)
    };
    Memory {
        running: largest(|budget| budget.running),
        most: largest(|budget| budget.most),
        kept: budgets.iter().map(|budget| budget.kept).sum(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_memory_decides_whether_runs_start_and_how_many_at_once() {
        let memory = Memory { running: 1e9, most: 2e9, kept: 1e9 };
        let jobs = [(32e9, Some(8)), (9.5e9, Some(4)), (2.5e9, Some(1)), (1.9e9, None)];
        for (free, expected) in jobs {
            assert_eq!(memory.jobs(8, free), expected, "{free}");
        }
        let small = Memory { running: 1e6, most: 1e6, kept: 0.0 };
        assert_eq!(small.jobs(8, 1e9), Some(8), "no more than was asked for");
    }
}
