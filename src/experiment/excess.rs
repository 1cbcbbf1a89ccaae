//! What a run had too much of.

use crate::experiment::cell::Cell;
use crate::sim::limits::{Exceeded, Excess};

/// What a run had too much of, for people.
pub fn told(excess: &Excess, cell: &Cell) -> String {
    let Excess { what, limit, at, tiers } = excess;
    let names: Vec<String> = tiers.iter().map(|tier| format!("`{}`", cell.setup.tier_name(*tier))).collect();
    let names = names.join(", ");
    let bound = "bound the queue (`queue`, `threads`), lower the rate, or allow more with `--max-inflight`";
    let (what, help) = match what {
        Exceeded::Calls => (format!("more than {limit} calls in flight, most of them to {names}"), bound),
        Exceeded::Coroutines => {
            (format!("more than {limit} coroutines of programs, the last at {names}"), bound)
        }
        Exceeded::Requests => (format!("more than {limit} requests of {names} under way"), bound),
        Exceeded::Events => (
            format!(
                "time stands still: more than {limit} events at one instant, the last of them at {names}"
            ),
            "give something in this cycle time: a latency, `cpu`, `think`, a retry's wait",
        ),
    };
    format!("{what}, at {at}\nhelp: {help}")
}
