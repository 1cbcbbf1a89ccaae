//! The claim: histories whose written values differ are judged in O(n log n), a million operations on one key in well
//! under a second, however many clients there are, where a search gives up.
//!
//! `cargo bench --bench history`

use std::time::Instant;

use splitbrain::base::rng::{Bits, Stream};
use splitbrain::check::history::{Call, Operation, Texts};
use splitbrain::check::search::{Budget, search};
use splitbrain::check::{Verdict, register};

/// A register that `clients` use as fast as they can, half reads; each operation happens somewhere between its ends.
fn hot(operations: usize, clients: u64) -> Vec<Operation> {
    let mut stream = Stream::new(1, clients);
    let mut free = vec![0u64; clients as usize];
    let mut spans: Vec<(u64, u64, u64, u64)> = Vec::with_capacity(operations);
    for number in 0..operations as u64 {
        let client = number % clients;
        let invoked = free[client as usize] + 1 + stream.below(100);
        let point = invoked + 1 + stream.below(1_000);
        let returned = point + 1 + stream.below(1_000);
        free[client as usize] = returned;
        spans.push((point, invoked, returned, client));
    }
    spans.sort_unstable();
    let mut value = 0;
    let call = |(number, (_, invoked, returned, process)): (usize, (u64, u64, u64, u64))| {
        let write = stream.below(2) == 0;
        if write {
            value = number as i64 + 1;
        }
        let call = if write { Call::Write(value) } else { Call::Read(value) };
        // Instants collide; an order of all ends is what a history has.
        let spread = |at: u64| at * 2_000_000 + number as u64;
        Operation {
            process,
            place: number,
            invoked: spread(invoked),
            returned: spread(returned) + 1_000_000,
            call,
        }
    };
    spans.into_iter().enumerate().map(call).collect()
}

fn main() {
    let mut texts = Texts::default();
    println!("{:>12} {:>8} {:>14} {:>14}", "operations", "clients", "zones, ms", "search, ms");
    for (operations, clients) in [(1_000, 20), (1_000, 50), (1_000, 100), (1_000_000, 20)] {
        let history = hot(operations, clients);
        let begun = Instant::now();
        assert_eq!(register::check(&history, 0, &texts), Some(Verdict::Holds));
        let zones = begun.elapsed().as_secs_f64() * 1e3;
        let begun = Instant::now();
        let budget = Budget { nodes: 2_000_000, ..Budget::default() };
        let found = match search(&history, 0, &mut texts, budget) {
            Verdict::Holds => format!("{:.2}", begun.elapsed().as_secs_f64() * 1e3),
            Verdict::Unknown(_) => "undecided".to_owned(),
            Verdict::Violated(witness) => panic!("{}", witness.sentence),
        };
        println!("{operations:>12} {clients:>8} {zones:>14.2} {found:>14}");
    }
}
