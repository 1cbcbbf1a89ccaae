//! The claims: whether transactions were serializable is decided for what a test of a database records, in less than 10 s and 1 GB for 10,000
//! transactions of 20 clients on registers whose values differ, on 1,000 keys, though the order of versions is nowhere to be seen, and
//! in less than 3 s and 500 MB for 100,000 on lists. Where keys are few or some are hot it may end undecided, and says how far it came.
//!
//! `cargo bench --bench transactions`; a number runs one line alone, for its memory to be measured.

use std::time::Instant;

use splitbrain::base::rng::{Bits, Stream};
use splitbrain::check::Verdict;
use splitbrain::check::history::NIL;
use splitbrain::check::search::Budget;
use splitbrain::check::transactions::{Action, Completion, Level, Transaction, Transactions, What, decide};

/// Names all of the histories.
const SEED: u64 = 15;

/// What goes wrong in a history that is serializable otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Skew {
    None,
    /// Two read both of two keys, and each then writes one of them.
    Seen,
    /// Each of two reads one of two keys and writes the other.
    Blind,
}

#[derive(Clone, Copy, Debug)]
struct Workload {
    transactions: usize,
    clients: u64,
    keys: u64,
    /// Keys are drawn by Zipf's distribution with exponent 1, and not uniformly.
    zipf: bool,
    lists: bool,
    skew: Skew,
}

/// Transactions that take effect at one instant each, somewhere between their ends; four operations, half reads, every value once.
fn run(workload: Workload) -> Transactions {
    let Workload { transactions, clients, keys, zipf, lists, skew } = workload;
    let mut stream = Stream::new(SEED, transactions as u64);
    let mut free = vec![0u64; clients as usize];
    let mut spans: Vec<(u64, u64, u64, u64)> = Vec::with_capacity(transactions);
    for number in 0..transactions as u64 {
        let client = number % clients;
        let invoked = free[client as usize] + 1 + stream.below(100);
        let point = invoked + 1 + stream.below(1_000);
        let returned = point + 1 + stream.below(1_000);
        free[client as usize] = returned;
        spans.push((point, invoked, returned, client));
    }
    spans.sort_unstable();
    let weights: Vec<f64> = (1..=keys).map(|rank| 1.0 / rank as f64).collect();
    let all: f64 = weights.iter().sum();
    let key = |stream: &mut Stream| {
        if !zipf {
            return stream.below(keys) as u32;
        }
        let mut left = stream.open01() * all;
        let found = weights.iter().position(|weight| {
            left -= weight;
            left < 0.0
        });
        found.unwrap_or(0) as u32
    };
    let mut state: Vec<Vec<i64>> = vec![Vec::new(); keys as usize];
    let mut history = Transactions::on((0..keys).map(|key| key.to_string()).collect());
    let mut fresh = 0;
    for (place, (_, invoked, returned, process)) in (1..).zip(spans) {
        let first = place == transactions / 2;
        let second = place == transactions / 2 + 1;
        // The second of the two sees what was there before the first; of the others nobody is between.
        let plan: Vec<(bool, u32)> = match skew {
            Skew::Seen if first || second => vec![(true, 0), (true, 1), (false, u32::from(second))],
            Skew::Blind if first || second => vec![(true, u32::from(second)), (false, u32::from(first))],
            _ => (0..4).map(|_| (stream.below(2) == 0, key(&mut stream))).collect(),
        };
        let mut actions = Vec::with_capacity(4);
        for (reads, key) in plan {
            let versions = &mut state[key as usize];
            let what = match (reads, lists) {
                (true, true) => What::List(history.see(key, versions)),
                (true, false) => {
                    // The first one's write of the key that the second reads is the last there is.
                    let hidden = usize::from(
                        second && skew == Skew::Blind || second && skew == Skew::Seen && key == 0,
                    );
                    let before = versions.len().checked_sub(hidden + 1).map(|at| versions[at]);
                    What::Read(before.unwrap_or(NIL))
                }
                (false, _) => {
                    fresh += 1;
                    versions.push(fresh);
                    if lists { What::Append(fresh) } else { What::Write(fresh) }
                }
            };
            actions.push(Action { key, what });
        }
        let completion = Completion::Committed;
        history.transactions.push(Transaction { process, place, invoked, returned, completion, actions });
    }
    history
}

fn main() {
    let hundred = Workload {
        transactions: 10_000,
        clients: 20,
        keys: 1_000,
        zipf: false,
        lists: false,
        skew: Skew::None,
    };
    let lines = [
        (hundred, Level::Serializable),
        (Workload { skew: Skew::Seen, ..hundred }, Level::Serializable),
        (Workload { skew: Skew::Blind, ..hundred }, Level::Serializable),
        (hundred, Level::StrictSerializable),
        (Workload { skew: Skew::Blind, ..hundred }, Level::StrictSerializable),
        (hundred, Level::Snapshot),
        (Workload { skew: Skew::Blind, ..hundred }, Level::Snapshot),
        (hundred, Level::ParallelSnapshot),
        (hundred, Level::Causal),
        (hundred, Level::ReadAtomic),
        (Workload { transactions: 100_000, lists: true, ..hundred }, Level::Serializable),
        (Workload { transactions: 100_000, lists: true, ..hundred }, Level::Snapshot),
        (Workload { transactions: 100_000, lists: true, ..hundred }, Level::StrictSerializable),
        (Workload { transactions: 100_000, lists: true, ..hundred }, Level::Causal),
        (Workload { transactions: 2_000, keys: 50, ..hundred }, Level::Serializable),
        (Workload { keys: 50, ..hundred }, Level::Serializable),
        (Workload { zipf: true, ..hundred }, Level::Serializable),
    ];
    // `cargo bench` passes `--bench`.
    let alone = std::env::args().skip(1).find_map(|word| word.parse::<usize>().ok());
    for (number, (workload, level)) in lines.into_iter().enumerate() {
        if alone.is_some_and(|alone| alone != number) {
            continue;
        }
        let history = run(workload);
        let begun = Instant::now();
        let verdict = decide(&history, level, Budget::default());
        let took = begun.elapsed().as_secs_f64();
        let told = match verdict {
            Verdict::Holds => "proved".to_owned(),
            Verdict::Violated(witness) => format!("violated: {}", witness.sentence),
            Verdict::Unknown(why) => format!("undecided: {why}"),
        };
        let Workload { transactions, clients, keys, zipf, lists, skew } = workload;
        let model = if lists { "lists" } else { "registers" };
        let distribution = if zipf { "zipf" } else { "uniform" };
        println!(
            "{number:>2} {transactions:>7} {model:<9} {clients} clients {keys:>5} keys {distribution}, skew {skew:?}, {}: {took:.2} s, {told}",
            level.name()
        );
    }
}
