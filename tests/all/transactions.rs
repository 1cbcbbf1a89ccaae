//! `tx` from the program to the disk: locks that are waited for, deadlocks, retries, connections, crashes, money.

use splitbrain::experiment::Overrides;
use splitbrain::experiment::results::Results;

use crate::support::{bytes, experiment, run};

/// Servers a millisecond away from a store whose disk takes two.
fn results(more: &str, programs: &str) -> Results {
    let text = format!(
        r#"
length = "20s"
net    = {{ latency = "1ms" }}
server.app = {{ cores = "unlimited", threads = "unlimited" }}
policy.again = {{ retry = "expo(base=4ms, max=100ms, times=300, jitter=full)" }}
policy.patient = {{ timeout = "1h" }}
{more}
[on.app]
{programs}
"#
    );
    run(&experiment("tests/transactions.toml", &text, &Overrides::default()), 1)
}

const SHOP: &str = "db.shop = { read = \"1ms\", write = \"1ms\", disk = \"2ms\", start = { stock = \"each(100, keys=10)\" } }";

fn measure(results: &Results, name: &str) -> f64 {
    let measures = &results.cells[0].measures;
    let known = measures.get(name).unwrap_or_else(|| panic!("{name} is not among {:?}", measures.keys()));
    known.mean.unwrap_or_else(|| panic!("{name} is undefined: {:?}", known.note))
}

/// A round trip each for the request, begin, read, write and commit; a millisecond for the read and the write, the disk for the commit.
#[test]
fn a_transaction_takes_its_round_trips_and_one_sync() {
    let results = results(
        &format!(
            "{SHOP}\nworkload.buyers = {{ do = \"buy()\", arrive = \"even(10/s)\" }}\nmeasures = [\"max(buy)\", \"mean(buy, cause=disk)\", \"shop.commits\", \"shop.syncs\", \"count(buy)\"]"
        ),
        "buy = \"tx shop { n = read shop.stock[1]; write shop.stock[1] = n - 1 }\"",
    );
    assert!((measure(&results, "max(buy)") - 0.014).abs() < 1e-9, "{}", measure(&results, "max(buy)"));
    assert!((measure(&results, "mean(buy, cause=disk)") - 0.002).abs() < 1e-9);
    let buyers = measure(&results, "count(buy)");
    assert_eq!((measure(&results, "shop.commits"), measure(&results, "shop.syncs")), (buyers, buyers));
}

/// Ten buyers at once lock one row. Each holds it from its read's end to its commit's: an answer, a write with its round trip, the way of
/// the commit and a sync, 1 + 3 + 1 + 2 = 7 ms; then the next has it.
#[test]
fn who_wants_a_locked_row_waits_in_line() {
    let results = results(
        &format!(
            "{SHOP}\nworkload.buyers = {{ do = \"buy()\", arrive = \"once(10)\", with = \"patient\" }}\nmeasures = [\"max(buy)\", \"max(buy, cause=lock)\", \"max(shop.lock_waits)\", \"shop.lock_waits\", \"count(order)\"]"
        ),
        "buy = \"tx shop { n = read shop.stock[1] for update; write shop.stock[1] = n - 1 }; tally order\"",
    );
    let lock = measure(&results, "max(buy, cause=lock)");
    assert!((lock - 9.0 * 0.007).abs() < 1e-9, "the last waits for nine: {lock}");
    assert!((measure(&results, "max(buy)") - (lock + 0.014)).abs() < 1e-9);
    assert_eq!((measure(&results, "max(shop.lock_waits)"), measure(&results, "shop.lock_waits")), (9.0, 0.0));
    assert_eq!(measure(&results, "count(order)"), 10.0);
}

/// Two who lock two rows in opposite orders: one is aborted at once, and its retry succeeds. Without a retry it fails.
#[test]
fn a_deadlock_is_told_and_its_victim_may_try_again() {
    let both = |with: &str| {
        results(
            &format!(
                "{SHOP}\nworkload.one = {{ do = \"both(a=1, b=2)\", arrive = \"once(1)\" }}\nworkload.other = {{ do = \"both(a=2, b=1)\", arrive = \"once(1)\" }}\nmeasures = [\"success(one)\", \"success(other)\", \"shop.deadlocks\", \"shop.commits\", \"max(both, cause=lock)\", \"count(odd)\"]"
            ),
            &format!(
                "both = \"tx shop {with} {{ update shop.stock[a] -= 1; update shop.stock[b] -= 1 }} else {{ tally odd; fail sorry }}\""
            ),
        )
    };
    let once = both("");
    assert_eq!(measure(&once, "shop.deadlocks"), 1.0);
    assert_eq!(measure(&once, "success(one)") + measure(&once, "success(other)"), 1.0);
    assert_eq!((measure(&once, "shop.commits"), measure(&once, "count(odd)")), (1.0, 1.0));
    let again = both("with again");
    assert_eq!((measure(&again, "success(one)"), measure(&again, "success(other)")), (1.0, 1.0));
    assert_eq!((measure(&again, "shop.deadlocks"), measure(&again, "shop.commits")), (1.0, 2.0));
}

#[test]
fn who_waits_too_long_for_a_lock_is_aborted() {
    let results = results(
        "db.shop = { read = \"1ms\", lock_wait = \"50ms\", start = { stock = \"each(100, keys=10)\" } }\n\
         workload.slow = { do = \"slow()\", arrive = \"once(1)\" }\n\
         workload.quick = { do = \"quick()\", arrive = \"once(1)\", from = \"10ms\" }\n\
         workload.single = { do = \"single()\", arrive = \"once(1)\", from = \"10ms\" }\n\
         measures = [\"success(slow)\", \"success(quick)\", \"success(single)\", \"max(quick, outcome=failed)\", \"max(quick, cause=lock, outcome=failed)\", \"shop.lock_timeouts\"]",
        "slow = \"tx shop { n = read shop.stock[1] for update; wait 500ms }\"\n\
         quick = \"tx shop { n = read shop.stock[1] for update }\"\n\
         single = \"update shop.stock[1] -= 1\"",
    );
    assert_eq!(measure(&results, "success(slow)"), 1.0);
    assert_eq!((measure(&results, "success(quick)"), measure(&results, "success(single)")), (0.0, 0.0));
    assert_eq!(measure(&results, "max(quick, cause=lock, outcome=failed)"), 0.05);
    assert_eq!(measure(&results, "shop.lock_timeouts"), 1.0, "a single operation is no transaction");
}

/// Two lock two rows in opposite orders. As PostgreSQL finds it both wait for a second and hold their rows, and whose second is over first is
/// the victim; as InnoDB does, nobody waits.
#[test]
fn a_deadlock_lasts_as_long_as_its_preset_says() {
    for (deadlock, waited) in
        [("postgresql()", 1.0), ("after(300ms)", 0.3), ("innodb()", 0.0), ("at_once()", 0.0)]
    {
        let results = results(
            &format!(
                "db.shop = {{ read = \"1ms\", write = \"1ms\", deadlock = \"{deadlock}\", start = {{ stock = \"each(100, keys=10)\" }} }}\n\
                 workload.one = {{ do = \"both(a=1, b=2)\", arrive = \"once(1)\" }}\n\
                 workload.other = {{ do = \"both(a=2, b=1)\", arrive = \"once(1)\" }}\n\
                 workload.third = {{ do = \"third()\", arrive = \"once(1)\", from = \"20ms\" }}\n\
                 measures = [\"shop.deadlocks\", \"shop.commits\", \"max(both, cause=lock)\", \"max(third)\", \"shop.lock_waits\"]"
            ),
            "both = \"tx shop { update shop.stock[a] -= 1; update shop.stock[b] -= 1 }\"\n\
             third = \"update shop.stock[1] -= 1; update shop.stock[2] -= 1\"",
        );
        assert_eq!(
            (measure(&results, "shop.deadlocks"), measure(&results, "shop.commits")),
            (1.0, 1.0),
            "{deadlock}"
        );
        let lock = measure(&results, "max(both, cause=lock)");
        // At once, who is spared waits only for the victim's end; and who comes by 20 ms later finds the rows free.
        assert!((lock - waited).abs() < 0.002 && lock >= waited, "{deadlock}: {lock}");
        let third = measure(&results, "max(third)");
        assert!((third - waited).abs() < 0.03, "{deadlock}: rows were locked for {third} s");
        assert_eq!(measure(&results, "shop.lock_waits"), 0.0);
    }
}

/// Bulk updates of the same rows: in different orders they deadlock, and each deadlock costs PostgreSQL's second; in one order there is none.
#[test]
fn rows_in_one_order_never_deadlock_and_in_different_orders_cost_a_second_each() {
    for (deadlock, least) in [("postgresql()", 1.0), ("innodb()", 0.0)] {
        let measured = |order: &str| {
            let results = results(
                &format!(
                    "db.shop = {{ read = \"1ms\", write = \"1ms\", deadlock = \"{deadlock}\", start = {{ rows = \"each(0, keys=10)\" }} }}\n\
                     workload.people = {{ do = \"{order}(a=uniform(10), b=uniform(10))\", arrive = \"users(8, think=exp(20ms))\", to = \"10s\" }}\n\
                     measures = [\"shop.deadlocks\", \"max(people)\", \"shop.lock_waits\", \"max(people, cause=lock)\"]"
                ),
                "mixed = \"if a == b { fail same }; tx shop with again { update shop.rows[a] += 1; update shop.rows[b] += 1 }\"\n\
                 sorted = \"if a == b { fail same }; x = a; y = b; if a > b { x = b; y = a }; tx shop with again { update shop.rows[x] += 1; update shop.rows[y] += 1 }\"",
            );
            assert_eq!(measure(&results, "shop.lock_waits"), 0.0, "{deadlock}: nobody is left waiting");
            (measure(&results, "shop.deadlocks"), measure(&results, "max(people)"))
        };
        let (deadlocks, longest) = measured("mixed");
        assert!(deadlocks > 0.0 && longest >= least, "{deadlock}: {deadlocks}, {longest} s");
        if least == 0.0 {
            assert!(longest < 0.5, "{deadlock}: {longest} s");
        }
        let (deadlocks, longest) = measured("sorted");
        assert!(deadlocks == 0.0 && longest < 0.5, "{deadlock}: {deadlocks}, {longest} s");
    }
}

/// A wait in vain undoes the transaction at once; as InnoDB has it only the statement, and the rows are free when its client has said so, an answer and
/// a message later.
#[test]
fn a_wait_in_vain_undoes_what_its_parameter_says() {
    let third = |undoes: &str| {
        let results = results(
            &format!(
                "db.shop = {{ read = \"1ms\", write = \"1ms\", lock_wait = \"50ms\", lock_wait_undoes = \"{undoes}\", start = {{ stock = \"each(100, keys=10)\" }} }}\n\
                 workload.slow = {{ do = \"slow()\", arrive = \"once(1)\" }}\n\
                 workload.quick = {{ do = \"quick()\", arrive = \"once(1)\", from = \"10ms\" }}\n\
                 workload.third = {{ do = \"third()\", arrive = \"once(1)\", from = \"40ms\" }}\n\
                 measures = [\"success(quick)\", \"max(third, cause=lock)\", \"shop.lock_timeouts\", \"shop.aborts\", \"shop.lock_waits\", \"count(seen)\"]"
            ),
            "slow = \"tx shop { n = read shop.stock[1] for update; wait 500ms }\"\n\
             quick = \"tx shop { update shop.stock[2] -= 9; n = read shop.stock[1] for update }\"\n\
             third = \"update shop.stock[2] -= 1; n = read shop.stock[2]; tally seen += n\"",
        );
        let of = |name: &str| measure(&results, name);
        assert_eq!((of("success(quick)"), of("shop.lock_timeouts"), of("shop.lock_waits")), (0.0, 1.0, 0.0));
        assert_eq!(of("count(seen)"), 99.0, "what the other wrote has come to nothing");
        (of("max(third, cause=lock)"), of("shop.aborts"))
    };
    let ((at_once, none), (later, one)) = (third("transaction"), third("statement"));
    assert!((later - at_once - 0.002).abs() < 1e-9, "{at_once} and {later}");
    assert_eq!((none, one), (0.0, 1.0));
}

/// A pool of two connections, each held for a whole transaction of 100 ms: 20 a second.
#[test]
fn a_transaction_keeps_one_connection_until_it_is_over() {
    for per in ["process", "all"] {
        let shop = format!(
            "db.shop = {{ read = \"0ms\", write = \"0ms\", pool = \"pool(2, per={per})\", start = {{ stock = \"each(9, keys=1k)\" }} }}\n\
             variant.near = {{ net.latency = \"0ms\" }}\n\
             workload.buyers = {{ do = \"buy(item=sequence(1000))\", arrive = \"once(100)\", with = \"patient\" }}\n\
             measures = [\"max(buy)\", \"max(buy, cause=pool)\", \"success(buyers)\", \"shop.connected\"]"
        );
        let buy =
            "buy = \"tx shop { n = read shop.stock[item]; wait 100ms; write shop.stock[item] = n - 1 }\"";
        let results = results(&shop, buy);
        assert!(
            (measure(&results, "max(buy)") - 5.0).abs() < 1e-6,
            "{per}: {}",
            measure(&results, "max(buy)")
        );
        assert!((measure(&results, "max(buy, cause=pool)") - 4.9).abs() < 1e-6, "{per}");
        assert_eq!((measure(&results, "success(buyers)"), measure(&results, "shop.connected")), (1.0, 0.0));
    }
}

/// Whatever ends a transaction gives its locks back: a failure, a branch that is abandoned, a store that crashes, a client that does.
#[test]
fn no_lock_outlives_its_transaction() {
    let results = results(
        "db.shop = { read = \"1ms\", idle = \"3s\", timeout = \"500ms\", start = { stock = \"each(100, keys=10)\" } }\n\
         server.other = { cores = 4 }\n\
         workload.failing = { do = \"failing()\", arrive = \"even(10/s)\", to = \"2s\" }\n\
         workload.racing = { do = \"racing()\", arrive = \"even(10/s)\", to = \"2s\" }\n\
         workload.stuck = { do = \"other.stuck()\", arrive = \"once(1)\", from = \"4s\" }\n\
         fault.client = { at = \"4.5s\", for = \"1s\", do = \"crash(other[0])\" }\n\
         fault.store = { at = \"10s\", for = \"1s\", do = \"crash(shop[0])\" }\n\
         workload.last = { do = \"last()\", arrive = \"even(10/s)\", with = \"patient\" }\n\
         measures = [\"errors(last)\", \"shop.aborts\", \"shop.commits\", \"count(failing)\", \"count(racing)\", \"shop.lock_waits\", \"success(last)\"]",
        "failing = \"tx shop { n = read shop.stock[1] for update; fail odd }\"\n\
         racing = \"race { tx shop { n = read shop.stock[1] for update; wait 1s }; wait 20ms }\"\n\
         last = \"tx shop with again { n = read shop.stock[1] for update }\"\n\
         [on.other]\n\
         stuck = \"tx shop { n = read shop.stock[1] for update; wait 10s }\"",
    );
    let cut = measure(&results, "count(failing)") + measure(&results, "count(racing)");
    assert!(measure(&results, "shop.aborts") >= cut + 1.0, "and the one whose client has crashed");
    assert_eq!(measure(&results, "success(last)"), 1.0, "its retries outlast the trouble");
    assert_eq!(measure(&results, "shop.lock_waits"), 0.0);
}

/// A crash takes what was not committed, and all of it; what was committed is there as a whole.
#[test]
fn a_crash_leaves_transactions_whole() {
    let results = results(
        "db.shop = { read = \"1ms\", write = \"1ms\", disk = \"4ms\", timeout = \"200ms\", isolation = \"snapshot\", start = { stock = \"each(100, keys=9)\" } }\n\
         workload.movers = { do = \"move(a=uniform(9), b=uniform(9))\", arrive = \"poisson(60/s)\", to = \"18s\" }\n\
         workload.auditors = { do = \"audit()\", arrive = \"even(10/s)\" }\n\
         fault.crash = { at = \"3s\", every = \"3s\", for = \"300ms\", do = \"crash(shop[0])\" }\n\
         measures = [\"count(audits)\", \"shop.commits\", \"success(movers)\"]\n\
         always.whole = \"count(unbalanced) <= 0\"",
        "move = \"if a == b { return 0 }; tx shop with again { update shop.stock[a] -= 1 when >= 1 else fail poor; update shop.stock[b] += 1 }\"\n\
         audit = \"sum = 0; tx shop with again { each 10 as i { n = read shop.stock[i]; sum = sum + n } }; tally audits; if sum != 1000 { tally unbalanced }\"",
    );
    assert!(measure(&results, "count(audits)") > 150.0 && measure(&results, "shop.commits") > 1000.0);
    assert!(measure(&results, "success(movers)") > 0.9);
    assert_eq!(results.cells[0].properties["whole"].outcome, "holds");
}

/// Transfers and audits on several copies, under what happens to leaders.
fn led(copy: &str, movers: &str, more: &str) -> Results {
    results(
        &format!(
            "zone = {{ a = {{ users = \"100%\" }}, b = {{ users = \"0%\" }}, c = {{ users = \"0%\" }} }}\n\
             db.bank = {{ at = [\"a\", \"b\", \"c\"], copy = \"{copy}\", read = \"100us\", write = \"100us\", disk = \"1ms\", timeout = \"2s\", isolation = \"serializable\", start = {{ account = \"each(100, keys=9)\" }} }}\n\
             workload.movers = {{ do = \"move(a=uniform(9), b=uniform(9))\", arrive = \"poisson({movers})\", to = \"15s\" }}\n\
             workload.auditors = {{ do = \"audit()\", arrive = \"even(10/s)\", to = \"15s\" }}\n\
             measures = [\"count(audits)\", \"bank.commits\", \"bank.conflicts\", \"success(movers)\", \"bank.elections\", \"bank.lock_waits\"]\n\
             always.whole = \"count(unbalanced) <= 0\"\n\
             always.one_by_one = \"serializable(bank)\"\n{more}"
        ),
        "move = \"if a == b { return 0 }; tx bank with again { update bank.account[a] -= 1 when >= 1 else fail poor; update bank.account[b] += 1 }\"\n\
         audit = \"sum = 0; tx bank with again { each 10 as i { n = read bank.account[i]; sum = sum + n } }; tally audits; if sum != 1000 { tally unbalanced }\"",
    )
}

/// A commit is one entry of the log, whatever makes it safe: nobody ever sees half of it.
#[test]
fn leaders_keep_transactions_apart() {
    for copy in ["async", "sync(of=2)", "raft"] {
        let results = led(copy, "100/s", "");
        assert!(measure(&results, "bank.commits") > 1400.0, "{copy}: {}", measure(&results, "bank.commits"));
        assert!(measure(&results, "bank.conflicts") > 0.0, "{copy}");
        assert!(
            measure(&results, "success(movers)") > 0.99 && measure(&results, "count(audits)") > 145.0,
            "{copy}"
        );
        for property in ["whole", "one_by_one"] {
            let told = &results.cells[0].properties[property];
            assert_eq!(told.outcome, "holds", "{copy}: {property}: {}", told.witness);
        }
    }
}

/// Leaders crash and are cut off. What was committed stays, as a whole; what was not is run again under the next leader.
#[test]
fn transactions_survive_their_leaders_or_never_were() {
    let faults = "fault.crash = { at = \"2s\", every = \"5s\", for = \"1s\", do = \"crash(leader(bank))\" }\n\
                  fault.split = { at = \"4s\", every = \"5s\", for = \"1s\", do = \"isolate(leader(bank))\" }";
    let results = led("raft", "30/s", faults);
    assert!(measure(&results, "bank.elections") >= 4.0, "{}", measure(&results, "bank.elections"));
    assert!(measure(&results, "bank.commits") > 500.0 && measure(&results, "success(movers)") > 0.95);
    assert_eq!(measure(&results, "bank.lock_waits"), 0.0, "nobody waits for the lock of a leader that was");
    for property in ["whole", "one_by_one"] {
        let told = &results.cells[0].properties[property];
        assert_eq!(told.outcome, "holds", "{property}: {}", told.witness);
    }
}

/// The same design and seed give the same bytes, deadlocks and retries included.
#[test]
fn transactions_are_reproduced_to_the_byte() {
    let once = || {
        results(
            "db.bank = { isolation = \"serializable\", start = { account = \"each(100, keys=5)\" } }\n\
             workload.w = { do = \"move(a=uniform(5), b=uniform(5))\", arrive = \"poisson(300/s)\" }\n\
             measures = [\"bank.deadlocks\", \"bank.conflicts\", \"p99(w)\"]",
            "move = \"if a == b { return 0 }; tx bank with again { update bank.account[a] -= 1; update bank.account[b] += 1 }\"",
        )
    };
    let first = once();
    assert!(measure(&first, "bank.deadlocks") > 0.0 && measure(&first, "bank.conflicts") > 0.0);
    assert_eq!(bytes(&first), bytes(&once()));
}

/// For others a transaction changes a row once, however often it does: what it sees of its own writes, and what its last write is made of, is no
/// violation of anything.
#[test]
fn what_a_transaction_does_to_a_row_several_times_is_one_change() {
    for body in [
        "update kv.x[1] += 1; update kv.x[1] += 1",
        "update kv.x[1] += 1; n = read kv.x[1]; update kv.x[1] += 1; m = read kv.x[1]",
        "write kv.x[1] = 5; n = read kv.x[1]; write kv.x[1] = 7",
        "write kv.x[1] = 5; update kv.x[1] += 1",
        "n = read kv.x[1]; write kv.x[1] = n + 1; m = read kv.x[1]; write kv.x[1] = m + 1",
        "n = read kv.x[1] for update; update kv.x[1] += 1; m = read kv.x[1] for update",
    ] {
        for store in ["", "copies = 3, copy = \"raft\", "] {
            let results = results(
                &format!(
                    "db.kv = {{ {store}read = \"0ms\", write = \"0ms\", start = {{ x = \"each(0, keys=10)\" }} }}\n\
                     workload.turns = {{ do = \"turn()\", arrive = \"poisson(50/s)\", to = \"15s\" }}\n\
                     measures = [\"lost(kv)\", \"unacked(kv)\", \"shop.commits\"]\n\
                     always = {{ lin = \"linearizable(kv)\", causal = \"causal(kv)\", ryw = \"read_your_writes(kv)\", mr = \"monotonic_reads(kv)\", \
                     mw = \"monotonic_writes(kv)\", wfr = \"writes_follow_reads(kv)\", ser = \"serializable(kv)\" }}"
                )
                .replace("shop.", "kv."),
                &format!("turn = \"tx kv with again {{ {body} }}; z = read kv.x[1]\""),
            );
            assert!(measure(&results, "kv.commits") > 500.0, "{body}");
            // Two that both read the row first and write it outright lose updates at `read_committed`: that is not serializable.
            let loses = body.starts_with("n = read kv.x[1];");
            assert_eq!(measure(&results, "lost(kv)") > 0.0, loses, "{body}");
            assert_eq!(measure(&results, "unacked(kv)"), 0.0, "{body}");
            for (name, property) in &results.cells[0].properties {
                let expected = if loses && name == "ser" { "violated" } else { "holds" };
                assert_eq!(property.outcome.to_string(), expected, "{name} of {body}: {}", property.witness);
            }
        }
    }
}
