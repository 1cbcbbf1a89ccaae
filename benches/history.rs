//! The claims: histories whose written values differ are judged in O(n log n), a million operations on one key in well
//! under a second, however many clients there are, where a search gives up; the weaker models take no search either where the order of
//! the store is known; and of recorded histories whose values repeat the search decides 102 logs of etcd in half a second (where
//! they are there).
//!
//! `cargo bench --bench history`

use std::time::Instant;

use splitbrain::base::rng::{Bits, Stream};
use splitbrain::check::history::{Call, Operation, Texts};
use splitbrain::check::kinds::Asked;
use splitbrain::check::kinds::objects::objects;
use splitbrain::check::model::Model;
use splitbrain::check::read::attempts::Attempts;
use splitbrain::check::read::events::Events;
use splitbrain::check::relations::{Access, Orders};
use splitbrain::check::search::{Budget, search};
use splitbrain::check::session::Guarantee;
use splitbrain::check::versions::convergence::converged;
use splitbrain::check::versions::{Dag, Install, Write, held, lost};
use splitbrain::check::{Verdict, causal, counter, judge, register, sequential, session, staleness};

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

fn ms(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1e3
}

fn registers(texts: &mut Texts) {
    println!("{:>12} {:>8} {:>14} {:>14}", "operations", "clients", "zones, ms", "search, ms");
    for (operations, clients) in [(1_000, 20), (1_000, 50), (1_000, 100), (1_000_000, 20)] {
        let history = hot(operations, clients);
        let begun = Instant::now();
        assert_eq!(register::check(&history, 0, texts), Some(Verdict::Holds));
        let zones = ms(begun);
        let begun = Instant::now();
        let budget = Budget { nodes: 2_000_000, ..Budget::default() };
        let found = match search(&history, 0, texts, budget) {
            Verdict::Holds => format!("{:.2}", ms(begun)),
            Verdict::Unknown(_) => "undecided".to_owned(),
            Verdict::Violated(witness) => panic!("{}", witness.sentence),
        };
        println!("{operations:>12} {clients:>8} {zones:>14.2} {found:>14}");
    }
}

/// Many keys, each a register that was written in a known order; a client is a session, and sees what some instant since
/// what it saw last would have shown it, so that all is sequentially consistent and little linearizable.
fn many(operations: usize, clients: u64, keys: i64) -> (Vec<Access>, Orders) {
    let mut stream = Stream::new(2, clients);
    let mut orders = Orders::new();
    // By key: after which operation it had which value. The list is in the order in which they happen.
    let mut values = vec![vec![(0, 0)]; keys as usize];
    let mut seen = vec![0; clients as usize];
    let access = |(now, operation): (u64, Operation)| {
        let key = stream.below(keys as u64) as i64;
        let of_key = &mut values[key as usize];
        let seen = &mut seen[operation.process as usize];
        let call = match operation.call {
            // A session sees what it has written, so who writes often is seldom late.
            Call::Write(new) if stream.below(5) == 0 => {
                of_key.push((now, new));
                orders.entry(key).or_default().push(new);
                *seen = now;
                Call::Write(new)
            }
            _ => {
                *seen += stream.below((now - *seen) / 8 + 1);
                let last = of_key.partition_point(|(at, _)| *at <= *seen);
                Call::Read(of_key[last - 1].1)
            }
        };
        Access { key, session: operation.process, operation: Operation { call, ..operation } }
    };
    let accesses = (1..).zip(hot(operations, clients)).map(access).collect();
    (accesses, orders)
}

fn weaker(texts: &mut Texts) {
    println!(
        "\n{:>12} {:>8} {:>6} {:>12} {:>12} {:>14} {:>14} {:>12}",
        "operations",
        "sessions",
        "keys",
        "session, ms",
        "causal, ms",
        "sequential, ms",
        "black box, ms",
        "lags, ms"
    );
    for (operations, sessions, keys) in
        [(1_000, 20, 10), (10_000, 20, 10), (100_000, 20, 100), (1_000_000, 20, 1000)]
    {
        let (accesses, orders) = many(operations, sessions, keys);
        let mut times = Vec::new();
        let mut timed = |check: &mut dyn FnMut() -> Verdict| {
            let begun = Instant::now();
            let verdict = check();
            times.push(match verdict {
                Verdict::Holds => format!("{:.1}", ms(begun)),
                Verdict::Unknown(_) => "undecided".to_owned(),
                Verdict::Violated(witness) => panic!("{}", witness.sentence),
            });
        };
        let budget = Budget { nodes: 5_000_000, ..Budget::default() };
        timed(&mut || session::check(&accesses, 0, texts, Some(&orders), &Guarantee::EVERY));
        timed(&mut || causal::check(&accesses, 0, texts, budget));
        timed(&mut || sequential::check(&accesses, 0, texts, Some(&orders), budget));
        timed(&mut || sequential::check(&accesses, 0, texts, None, budget));
        let begun = Instant::now();
        let lags = staleness::lags(&accesses, 0, &orders);
        times.push(format!("{:.1}", ms(begun)));
        let stale = lags.iter().filter(|lag| lag.is_stale()).count();
        // A session is a hundred operations late or so, and a key is written once in ten times as many as there are keys: of a
        // thousand keys one read in a hundred is stale, of fewer more.
        assert!(stale > operations / 200, "{stale} of {} reads are stale", lags.len());
        println!(
            "{operations:>12} {sessions:>8} {keys:>6} {:>12} {:>12} {:>14} {:>14} {:>12}",
            times[0], times[1], times[2], times[3], times[4]
        );
    }
}

fn counters(texts: &Texts) {
    let mut count = 0;
    let history: Vec<Operation> = hot(1_000_000, 20)
        .into_iter()
        .map(|operation| {
            let call = if matches!(operation.call, Call::Write(_)) {
                count += 1;
                Call::Add(1, None)
            } else {
                Call::Read(count)
            };
            Operation { call, ..operation }
        })
        .collect();
    let begun = Instant::now();
    assert_eq!(counter::check(&history, 0, texts), Some(Verdict::Holds));
    println!("\na counter of {} operations: {:.0} ms", history.len(), ms(begun));
}

/// Versions in a row, of which the copies hold the last but a few.
fn stores() {
    let (mut dag, mut writes, mut installs) = (Dag::default(), Vec::new(), Vec::new());
    let (keys, count) = (1_000, 1_000_000u64);
    for version in 1..=count {
        dag.add(version, &[version.saturating_sub(keys)]);
        let (key, invoked) = ((version % keys) as i64, 10 * version);
        let (place, accepted, returned) = (version as usize, invoked + 1, invoked + 5);
        writes.push(Write { version, key, blind: false, place, invoked, accepted, returned });
        if version + 2 * keys < count {
            let install =
                |copy| Install { at: accepted + u64::from(copy), copy, key, version, beside: false };
            installs.extend((0..3).map(install));
        }
    }
    installs.sort_by_key(|install| install.at);
    let begun = Instant::now();
    let now = held(&installs, u64::MAX);
    let lost = lost(&dag, &writes, &now).len();
    println!("{lost} lost of {count} writes, found in {:.0} ms", ms(begun));
    let begun = Instant::now();
    assert_eq!(converged(&dag, &writes, 3, &installs, u64::MAX, 0), Some(installs[installs.len() - 1].at));
    println!("convergence of 3 copies over {} installs: {:.0} ms", installs.len(), ms(begun));
}

/// Jepsen's logs of etcd, where the folder that HISTORIES names has them.
fn recorded() {
    let Some(folder) = std::env::var_os("HISTORIES").map(|folder| std::path::Path::new(&folder).join("etcd"))
    else {
        return;
    };
    let mut times = Vec::new();
    for number in 0..=102 {
        let Ok(text) = std::fs::read_to_string(folder.join(format!("etcd_{number:03}.log"))) else {
            continue;
        };
        let begun = Instant::now();
        let mut attempts = Attempts::new(Events::new(text.as_bytes(), None).expect("a log"));
        let mut log = objects(&mut attempts, Model::CasRegister, &Asked::usual()).expect("a log");
        let verdict = judge::linearizable(&log.keys, log.initial, &mut log.texts, Budget::default());
        assert!(!matches!(verdict, Verdict::Unknown(_)));
        times.push(ms(begun));
    }
    let slowest = times.iter().copied().fold(0.0, f64::max);
    println!(
        "\n{} logs of etcd: {:.0} ms, the slowest {slowest:.0} ms",
        times.len(),
        times.iter().sum::<f64>()
    );
}

fn main() {
    let mut texts = Texts::default();
    registers(&mut texts);
    weaker(&mut texts);
    counters(&texts);
    stores();
    recorded();
}
