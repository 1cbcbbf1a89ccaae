//! Who answers a read, and what copies that do not lead show.

use splitbrain::experiment::Overrides;
use splitbrain::experiment::results::{Cell, Results};

use crate::support::{experiment, run};

fn results(text: &str) -> Results {
    run(&experiment("tests/replicas.toml", text, &Overrides::default()), 2)
}

fn cell<'r>(results: &'r Results, variant: &str) -> &'r Cell {
    results.cells.iter().find(|cell| cell.variant == variant).unwrap_or_else(|| panic!("no {variant}"))
}

fn value(results: &Results, variant: &str, measure: &str) -> f64 {
    let known = &cell(results, variant).measures[measure];
    known.mean.unwrap_or_else(|| panic!("{measure} of {variant} is undefined: {:?}", known.note))
}

/// One-way latency of each copy to the readers, ms. Copies are no way apart.
const AWAY: [f64; 5] = [16.0, 1.0, 2.0, 4.0, 8.0];

/// Readers of a row that was written once; with a leader the other copies never get to apply it, so that whoever sees it was answered by the
/// leader.
fn readers(copies: usize, copy: &str) -> String {
    let names: Vec<String> = (0..copies).map(|copy| format!("z{copy}")).collect();
    let zones: String = names.iter().map(|name| format!(", {name} = {{ users = \"0%\" }}")).collect();
    let links: Vec<String> = names
        .iter()
        .zip(AWAY)
        .map(|(name, ms)| format!("\"here {name}\" = {{ latency = \"{ms}ms\" }}"))
        .collect();
    // Without an order of all writes nobody can tell what a customer has seen: `at session` is refused.
    let words = ["primary", "replica", "nearest", "any", "copy[0]", "copy[1]", "session"];
    let words = &words[..if copy == "multi_leader" { 6 } else { 7 }];
    let word = |word: &str| word.replace(['[', ']'], "");
    let variants: String = words
        .iter()
        .map(|name| format!("variant.{0} = {{ workload.readers.do = \"look_{0}()\" }}\n", word(name)))
        .collect();
    let programs: String = words
        .iter()
        .map(|name| {
            format!(
                "look_{} = \"x = read kv.item[1] at {name}; if x == 1 {{ tally led }} else {{ tally followed }}\"\n",
                word(name)
            )
        })
        .collect();
    format!(
        "length = \"40s\"\nwarmup = \"0s\"\nnet = {{ latency = \"0ms\" }}\nzone = {{ here = {{ users = \"100%\" }}{zones} }}\n\
         link = {{ {} }}\nserver.app = {{ at = \"here\", threads = \"unlimited\" }}\n\
         db.kv = {{ at = {names:?}, copy = \"{copy}\", read = \"0ms\", write = \"0ms\" }}\n\
         workload.writer = {{ do = \"save()\", arrive = \"once(1)\" }}\n\
         workload.readers = {{ do = \"look_any()\", arrive = \"even(200/s)\", from = \"1s\", to = \"39s\" }}\n\
         measures = [\"count(led)\", \"count(followed)\", \"mean(readers)\", \"success(readers)\"]\n{variants}\
         [on.app]\nsave = \"write kv.item[1] = 1\"\n{programs}",
        links.join(", ")
    )
}

/// The mean time there and back to some copies, s.
fn there_and_back(copies: &[usize]) -> f64 {
    copies.iter().map(|copy| 2e-3 * AWAY[*copy]).sum::<f64>() / copies.len() as f64
}

#[test]
fn each_word_of_a_read_is_answered_by_whom_it_says() {
    let led = ["async(apply=1h)", "sync(of=2, apply=1h)", "raft(apply=1h)"];
    let unled = ["quorum(r=1, w=1)", "multi_leader"];
    for copies in 2..=5 {
        let (all, others): (Vec<usize>, Vec<usize>) = ((0..copies).collect(), (1..copies).collect());
        for copy in led.into_iter().chain(unled) {
            let has_leader = led.contains(&copy);
            let results = results(&readers(copies, copy));
            // The copies that answer, and the leader's share of the answers.
            let expected: [(&str, &[usize], f64); 7] = [
                ("primary", &[1], 1.0), // the nearest is the way in, and asks the leader, who is no way off
                ("replica", if has_leader { &others } else { &all }, 0.0),
                ("nearest", &[1], 0.0),
                ("session", &[1], 0.0),
                ("any", &all, 1.0 / copies as f64),
                ("copy0", &[0], 1.0),
                ("copy1", &[1], 0.0),
            ];
            for (word, who, leader) in expected {
                if (copy, word) == ("multi_leader", "session") {
                    continue;
                }
                let value = |measure| value(&results, word, measure);
                let (mean, reference) = (value("mean(readers)"), there_and_back(who));
                // Of one copy the time is exact; of several it is a mean of 7,600 draws.
                let within = if who.len() == 1 { 1e-9 } else { 0.04 * reference };
                let place = format!("{copies} copies, {copy}, at {word}");
                assert!((mean - reference).abs() <= within, "{place}: {mean} s, not {reference} s");
                assert_eq!(value("success(readers)"), 1.0, "{place}");
                if has_leader {
                    let share = value("count(led)") / (value("count(led)") + value("count(followed)"));
                    let within = if leader == 0.0 || leader == 1.0 { 0.0 } else { 0.03 };
                    assert!((share - leader).abs() <= within, "{place}: {share} by the leader, not {leader}");
                }
            }
        }
    }
}

/// Where there is one copy it is read; where all that do not lead are down, none is.
#[test]
fn no_replica_is_no_answer_but_where_there_is_one_copy() {
    let text = |at: &str, more: &str| {
        format!(
            "length = \"20s\"\nwarmup = \"0s\"\nzone = {{ z = {{}} }}\nserver.app = {{ at = \"z\" }}\n\
             db.kv = {{ at = {at}, {more} timeout = \"100ms\", start = {{ item = \"each(7, keys=1)\" }} }}\n\
             fault.down = {{ at = \"10s\", do = \"crash(kv[1], mode=machine)\" }}\n\
             workload.readers = {{ do = \"look()\", arrive = \"even(20/s)\", to = \"19s\" }}\n\
             measures = [\"count(seen)\", \"success(readers)\"]\n[on.app]\n\
             look = \"x = read kv.item[1] at replica; if x == 7 {{ tally seen }}\"\n"
        )
    };
    let two = results(&text("[\"z\", \"z\"]", "copy = \"async\","));
    assert_eq!(value(&two, "base", "count(seen)"), 200.0, "until the only one that does not lead is down");
    let one = text("[\"z\"]", "").replace("kv[1]", "app[0]").replace("at = \"10s\"", "at = \"19.9s\"");
    assert_eq!(value(&results(&one), "base", "success(readers)"), 1.0);
}

/// The leader is cut off and deposed, and comes back as one that follows: at no time a leader is read as a replica.
#[test]
fn after_a_failover_the_new_leader_is_no_replica_and_the_old_one_is() {
    let text = "length = \"60s\"\nwarmup = \"0s\"\nzone = { z = {} }\nserver.app = { at = \"z\" }\n\
         db.kv = { at = [\"z\", \"z\", \"z\"], copy = \"async(lag=1h)\", failover = \"after(1s)\", read = \"0ms\", write = \"0ms\", timeout = \"200ms\" }\n\
         fault.down = { at = \"10s\", for = \"10s\", do = \"crash(kv[0], mode=machine)\" }\n\
         workload.late = { do = \"save()\", arrive = \"even(1/s)\", from = \"30s\", to = \"59s\" }\n\
         workload.readers = { do = \"look()\", arrive = \"even(100/s)\", from = \"31.5s\", to = \"59s\" }\n\
         measures = [\"count(led)\", \"count(followed)\", \"success(late)\", \"success(readers)\"]\n\
         [on.app]\nsave = \"write kv.item[1] = 1\"\n\
         look = \"x = read kv.item[1] at replica; if x == 1 { tally led } else { tally followed }\"\n";
    let results = results(text);
    let value = |measure| value(&results, "base", measure);
    assert_eq!((value("success(late)"), value("success(readers)")), (1.0, 1.0));
    assert_eq!((value("count(led)"), value("count(followed)")), (0.0, 2750.0));
}

/// A row is written by one request and looked up by two later ones; a replica needs half a second to show it.
#[test]
fn a_replica_that_lags_misses_always_and_the_leader_never() {
    for at in ["[\"z\", \"z\"]", "[\"z\", \"z\", \"z\"]"] {
        let text = format!(
            "length = \"60s\"\nwarmup = \"0s\"\nnet = {{ latency = \"0.25ms\" }}\nzone = {{ z = {{}} }}\n\
             server.app = {{ at = \"z\" }}\n\
             db.shop = {{ at = {at}, copy = \"async(apply=500ms)\", read = \"1ms\", write = \"1ms\" }}\n\
             workload.posts = {{ do = \"post(k=sequence(1000))\", arrive = \"even(2/s)\", to = \"50s\" }}\n\
             workload.soon = {{ do = \"soon_r(k=sequence(1000))\", arrive = \"even(2/s)\", from = \"126ms\", to = \"50126ms\" }}\n\
             workload.later = {{ do = \"later_r(k=sequence(1000))\", arrive = \"even(2/s)\", from = \"406ms\", to = \"50406ms\" }}\n\
             measures = [\"miss_soon\", \"miss_later\", \"count(soon)\", \"count(later)\"]\nvariant.replica = {{}}\n\
             variant.primary.workload = {{ soon.do = \"soon_p(k=sequence(1000))\", later.do = \"later_p(k=sequence(1000))\" }}\n\
             [on.app]\npost = \"write shop.jobs[k] = 1\"\n\
             soon_r = \"x = read shop.jobs[k] at replica; if x < 1 {{ tally miss_soon }}\"\n\
             later_r = \"x = read shop.jobs[k] at replica; if x < 1 {{ tally miss_later }}\"\n\
             soon_p = \"x = read shop.jobs[k] at primary; if x < 1 {{ tally miss_soon }}\"\n\
             later_p = \"x = read shop.jobs[k] at primary; if x < 1 {{ tally miss_later }}\"\n"
        );
        let results = results(&text);
        for (variant, missed) in [("replica", 100.0), ("primary", 0.0)] {
            let value = |measure| value(&results, variant, measure);
            assert_eq!((value("count(soon)"), value("count(later)")), (100.0, 100.0));
            assert_eq!((value("miss_soon"), value("miss_later")), (missed, missed), "{at}: {variant}");
        }
    }
}

/// Ten milliseconds lie between the leader and its copy, and nothing else takes time.
fn probes(copy: &str, ages: &str, more: &str) -> String {
    let far = if more.contains("far(") { 2 } else { 1 };
    format!(
        "length = \"200s\"\nwarmup = \"0s\"\nnet = {{ latency = \"0ms\" }}\n\
         zone = {{ here = {{ users = \"100%\" }}, p = {{ users = \"0%\" }}, r = {{ users = \"0%\" }}, s = {{ users = \"0%\" }} }}\n\
         link = {{ \"p r\" = {{ latency = \"10ms\" }}, \"p s\" = {{ latency = \"30ms\" }} }}\nserver.app = {{ at = \"here\" }}\n\
         db.kv = {{ at = [\"p\", \"r\"], copy = \"{copy}\", read = \"0ms\", write = \"0ms\" }}\n\
         workload.one = {{ do = \"probe(me=sequence(1000000), after=0)\", arrive = \"poisson(1/s)\", to = \"199s\" }}\n\
         sweep = {{ workload.one.do.after = {ages} }}\nalways.mine = \"read_your_writes(kv.item)\"\n\
         measures = [\"count(stale)\", \"count(fresh)\", \"count(stale_far)\", \"count(fresh_far)\", \"p50(one)\"]\n{more}\
         [on.app]\nprobe = \"\"\"\nwrite kv.item[me] = 1\nwait 1ms * after\nx = read kv.item[me] at copy[1]\n\
         if x == 1 {{ tally fresh }} else {{ tally stale }}\n\"\"\"\n\
         far = \"\"\"\nwrite kv.item[me] = 1\nwait 1ms * after\nx = read kv.item[me] at copy[{far}]\n\
         if x == 1 {{ tally fresh_far }} else {{ tally stale_far }}\n\"\"\"\n"
    )
}

/// The share of stale reads at each age, and whether writers read their writes at all of them.
fn stale(results: &Results, variant: &str) -> (Vec<f64>, bool) {
    let cells: Vec<&Cell> = results.cells.iter().filter(|cell| cell.variant == variant).collect();
    let count = |cell: &Cell, name: &str| cell.measures[name].mean.unwrap_or(0.0);
    let share = |cell: &&Cell| {
        let stale = count(cell, "count(stale)") + count(cell, "count(stale_far)");
        stale / (stale + count(cell, "count(fresh)") + count(cell, "count(fresh_far)"))
    };
    let holds = |cell: &&Cell| cell.properties.values().all(|property| property.outcome == "holds");
    (cells.iter().map(share).collect(), cells.iter().all(holds))
}

/// What PostgreSQL promises by `synchronous_commit = remote_apply`, and does not by `on`.
#[test]
fn a_copy_that_said_that_it_has_applied_a_write_shows_it() {
    let slow = "variant.slow = { db.kv.copy = \"sync(of=2, ack=apply, apply=200ms)\", link.\"p r\" = { latency = \"0.04ms\" } }\n";
    let more = format!(
        "variant.apply = {{}}\nvariant.flush = {{ db.kv.copy = \"sync(of=2, ack=flush)\" }}\n\
        variant.receive = {{ db.kv.copy = \"sync(of=2, ack=receive)\" }}\nvariant.async = {{ db.kv.copy = \"async\" }}\n\
        variant.flush_slow = {{ db.kv.copy = \"sync(of=2, ack=flush, apply=200ms)\" }}\n{slow}"
    );
    let results = results(&probes("sync(of=2, ack=apply)", "[0, 5, 15, 20, 60]", &more));
    for variant in ["apply", "slow"] {
        assert_eq!(stale(&results, variant), (vec![0.0; 5], true), "{variant}");
    }
    // Applied on receipt, the write is there when its writer hears of it.
    for variant in ["flush", "receive"] {
        assert_eq!(stale(&results, variant), (vec![0.0; 5], true), "{variant}");
    }
    // Its way takes 10 ms from the acknowledgement on.
    assert_eq!(stale(&results, "async"), (vec![1.0, 1.0, 0.0, 0.0, 0.0], false));
    // What is safe at the copy is not shown before it is applied, 200 ms later.
    let (shares, holds) = stale(&results, "flush_slow");
    assert!(shares.iter().all(|share| *share == 1.0) && !holds, "{shares:?}");
}

/// With fewer acknowledgements than copies each write is shown by so many of them, and nobody knows by which.
#[test]
fn what_some_copies_have_applied_the_others_need_not_show() {
    let at = "variant.near = {}\nvariant.far = { workload.one.do = \"far(me=sequence(1000000), after=0)\" }\n\
              variant.all = { db.kv.copy = \"sync(of=3, ack=apply)\", workload.one.do = \"far(me=sequence(1000000), after=0)\" }\n";
    let text =
        probes("sync(of=2, ack=apply)", "[0, 5, 30]", at).replace("[\"p\", \"r\"]", "[\"p\", \"r\", \"s\"]");
    let results = results(&text);
    assert_eq!(stale(&results, "near"), (vec![0.0; 3], true), "the one that is always the first to apply");
    // It is acknowledged after 20 ms, and there after 30.
    assert_eq!(stale(&results, "far"), (vec![1.0, 1.0, 0.0], false));
    assert_eq!(stale(&results, "all"), (vec![0.0; 3], true));
}
