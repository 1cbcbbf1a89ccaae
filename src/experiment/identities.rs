//! Common random numbers, shown by a log of every keyed draw: names are nobody else's, and stay what they are whatever else is there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;

use crate::base::rng::log::{self, Drawn, Log};
use crate::base::rng::{Bits, Draws};
use crate::design::file::{ReadError, Reader};
use crate::design::render::render;
use crate::experiment::{Overrides, load, run};

struct Text(String);

impl Reader for Text {
    fn read(&self, _: &str) -> Result<Vec<u8>, ReadError> {
        Ok(self.0.clone().into_bytes())
    }
}

/// What the first run of each variant draws.
fn logs(text: &str) -> Vec<Log> {
    let experiment = load(&Text(text.to_owned()), "x.toml", &Overrides::default())
        .unwrap_or_else(|(sources, problems)| panic!("{}", render(&sources, &problems, false)));
    let (warmup, seed) = (experiment.question.warmup, experiment.question.seed);
    let run = |cell| {
        let never = AtomicBool::new(false);
        log::of(|| assert!(run::run(cell, warmup, seed, false, &never).is_some()))
    };
    experiment.cells.iter().map(run).collect()
}

fn log_of(text: &str) -> Log {
    logs(text).pop().expect("a variant")
}

/// Names that were used twice, with the places in the source that did.
fn collisions(log: &Log) -> Vec<String> {
    let mut seen: BTreeMap<(u64, u64), &Drawn> = BTreeMap::new();
    let mut twice = BTreeMap::new();
    for drawn in log.drawn.iter().filter(|drawn| !drawn.is_property) {
        if let Some(before) = seen.insert((drawn.key, drawn.counter), drawn) {
            *twice.entry((before.made.to_string(), drawn.made.to_string())).or_insert(0) += 1;
        }
    }
    twice.into_iter().map(|((a, b), times)| format!("{times} times: {a} and {b}")).collect()
}

#[test]
fn a_name_that_is_used_twice_is_told() {
    let twice = log::of(|| (0..2).for_each(|_| _ = Draws::new(1).bits()));
    assert_eq!(collisions(&twice).len(), 1);
    let once = log::of(|| (0..2).for_each(|key| _ = Draws::new(key).bits()));
    assert!(collisions(&once).is_empty() && once.drawn.len() == 2);
}

fn is_free_of_collisions(text: &str, least: usize) {
    for (place, log) in logs(text).iter().enumerate() {
        assert!(log.drawn.len() > least, "variant {place} draws {} times", log.drawn.len());
        assert_eq!(collisions(log), Vec::<String>::new(), "variant {place}, {} draws", log.drawn.len());
    }
}

#[test]
fn no_two_draws_of_a_run_have_one_name_where_every_part_is() {
    is_free_of_collisions(include_str!("../../tests/golden/spine.toml"), 10_000);
}

#[test]
fn no_two_draws_of_a_run_have_one_name_where_every_way_to_draw_is() {
    is_free_of_collisions(include_str!("../../tests/designs/good/whatever_draws.toml"), 50_000);
}

/// One caller of parts that it shares with a second one: balancers, members that are picked, a dependency that fails, a store that
/// asks its copies, retries with jitter.
const SHARED: &str = r#"
length = "20s"
warmup = "0s"
runs   = 1
zone.a = {}
zone.b = {}
net           = { latency = "lognormal(p50=0.4ms, p99=3ms)" }
lb.edge       = { to = "app", pick = "power_of(2)" }
server.app    = { count = 3, cores = "unlimited", threads = "unlimited", at = ["a", "b"] }
server.depot  = { count = 3, cores = "unlimited", threads = "unlimited" }
db.rows       = { copies = 3, copy = "quorum(r=2, w=2, repair=false, hints=0s)", read = "exp(0.2ms)", write = "exp(0.3ms)", cores = 64, legs = { write = "exp(0.5ms)", ack = "exp(0.5ms)" } }
cache.kept    = { count = 2, serve = "exp(0.1ms)", cores = 64 }
external.bank = { reply = "exp(5ms)", errors = "30%" }
policy.ours   = { retry = "expo(base=5ms, max=50ms, times=3, jitter=full)" }
policy.theirs = { retry = "none" }
workload.ours = { do = "buy(item=uniform(20))", arrive = "poisson(50/s)", to = "18s", with = "ours" }
[on.app]
buy = "cpu exp(1ms); call depot.fetch(item=item); write rows.items[item] = 1; drop kept[item]; call bank with ours"
their = "cpu exp(1ms); call depot.fetch(item=item); write rows.items[item] = 1; drop kept[item]; call bank with theirs"
hedged = "race { call depot.fetch(item=item); wait 3ms; call depot.fetch(item=item) }"
[on.depot]
fetch = "cpu exp(1ms); n = read rows.items[item]; return n"
"#;

fn with(text: &str, more: &str) -> String {
    text.replace("[on.app]", &format!("{more}\n[on.app]"))
}

fn names(log: &Log) -> BTreeSet<(u64, u64)> {
    log.drawn.iter().map(|drawn| (drawn.key, drawn.counter)).collect()
}

/// Whatever is drawn for the only caller is drawn, by the same names, when there is more; and then there is more.
fn keeps_its_draws(alone: &str, more: &str) {
    let (alone, together) = (log_of(alone), log_of(&with(alone, more)));
    assert!(alone.drawn.len() > 5_000, "{} draws", alone.drawn.len());
    let (ours, all) = (names(&alone), names(&together));
    let missing = ours.difference(&all).count();
    assert_eq!(missing, 0, "of {} draws {missing} are not made any more with {more}", ours.len());
    assert!(all.len() > ours.len(), "nothing more is drawn with {more}");
}

const THEIRS: &str =
    "workload.theirs = { do = \"their(item=uniform(20))\", arrive = \"poisson(70/s)\", to = \"18s\" }\n";

#[test]
fn another_caller_of_the_same_parts_leaves_every_draw_of_the_first_as_it_was() {
    keeps_its_draws(SHARED, THEIRS);
}

#[test]
fn another_callers_retries_leave_every_draw_of_the_first_as_it_was() {
    keeps_its_draws(
        &SHARED.replace(
            "policy.theirs = { retry = \"none\" }",
            "policy.theirs = { retry = \"fixed(exp(3ms), times=5)\" }",
        ),
        &THEIRS.replace("to = ", "with = \"theirs\", to = "),
    );
}

#[test]
fn another_callers_hedges_leave_every_draw_of_the_first_as_it_was() {
    keeps_its_draws(SHARED, &THEIRS.replace("their(", "hedged("));
}

#[test]
fn another_part_that_is_called_and_a_fault_of_it_leave_every_draw_of_the_first_as_they_were() {
    let more = "server.aa = { count = 2 }\nworkload.away = { do = \"aa.work()\", arrive = \"poisson(50/s)\" }\n\
                fault.aa = { at = \"3s\", for = \"2s\", do = \"crash(aa[0])\" }\n\
                fault.bb = { at = \"6s\", for = \"2s\", do = \"loss(aa, share=20%)\" }\n\
                fault.cc = { at = \"6s\", for = \"2s\", do = \"delay(aa, add=exp(5ms))\" }\n\
                [on.aa]\nwork = \"cpu exp(1ms)\"\n";
    keeps_its_draws(SHARED, more);
}

/// What is drawn for requests, by names; what serves none, from streams.
#[test]
fn only_what_serves_no_request_draws_from_a_stream() {
    let quiet = log_of(&with(SHARED, THEIRS));
    let starts = 3; // each copy of a quorum draws a number for its life when it starts
    assert_eq!(quiet.streams, starts, "in {} draws", quiet.drawn.len());
    let raft = log_of(&SHARED.replace("quorum(r=2, w=2, repair=false, hints=0s)", "raft"));
    assert!(raft.streams > 0, "elections");
}
