//! What callers see of a failover: how long nobody is served when a leader falls silent, when its process ends, when it is cut off, stands still or
//! is drained. What callers do about it is the clients' part of a store (`connect`, `keepalive`, `avoid`), and no policy of theirs.

use std::collections::BTreeMap;

use splitbrain::experiment::Overrides;
use splitbrain::experiment::results::Results;

use crate::support::{experiment, run};

/// Three copies in three zones 10 ms apart, a server in each of the first two that writes and reads, and customers in those zones who call
/// programs of the store; the default policy, so everybody would wait for 30 s.
fn store(copy: &str, fault: &str, more: &str) -> String {
    format!(
        r#"
length = "80s"
warmup = "0s"
runs   = 2
zone   = {{ a = {{}}, b = {{}}, c = {{}} }}
net    = {{ latency = "0.5ms" }}
link   = {{ "a b" = {{ latency = "10ms" }}, "a c" = {{ latency = "10ms" }}, "b c" = {{ latency = "10ms" }} }}
db.kv  = {{ at = ["a", "b", "c"], {copy}, read = "0ms", write = "0ms", disk = "1ms" }}
server.near = {{ at = "a", cores = "unlimited", threads = "unlimited" }}
server.far  = {{ at = "b", cores = "unlimited", threads = "unlimited" }}
workload.wa = {{ do = "near.save(k=uniform(100))", arrive = "even(20/s)", to = "70s", zone = "a" }}
workload.ra = {{ do = "near.look(k=uniform(100))", arrive = "even(20/s)", to = "70s", zone = "a" }}
workload.wb = {{ do = "far.keep(k=uniform(100))", arrive = "even(20/s)", to = "70s", zone = "b" }}
workload.da = {{ do = "put_a(k=uniform(100))", arrive = "even(20/s)", to = "70s", zone = "a" }}
workload.db = {{ do = "put_b(k=uniform(100))", arrive = "even(20/s)", to = "70s", zone = "b" }}
fault.trouble = {{ at = "20s", for = "40s", do = "{fault}" }}
measures = ["outage(save, during=1s..70s)", "outage(look, during=1s..70s)", "outage(keep, during=1s..70s)",
            "outage(put_a, during=1s..70s)", "outage(put_b, during=1s..70s)", "kv.elections",
            "success(save, during=1s..70s)", "success(look, during=1s..70s)", "success(keep, during=1s..70s)",
            "success(put_a, during=1s..70s)", "success(put_b, during=1s..70s)", "max(look, during=1s..70s)"]
always.one_truth = "linearizable(kv.t)"
{more}
[on.near]
save = "update kv.t[k] += 1"
look = "x = read kv.t[k]"
[on.far]
keep = "update kv.t[k] += 1"
[on.kv]
put_a = "update kv.t[k] += 1"
put_b = "update kv.t[k] += 1"
"#
    )
}

const RAFT: &str = r#"copy = "raft()""#;

/// The measures of the only cell, by their first words; what did not come as expected ends the test.
fn measures(text: &str) -> BTreeMap<String, f64> {
    let results: Results = run(&experiment("tests/failover.toml", text, &Overrides::default()), 2);
    let cell = &results.cells[0];
    for (name, property) in &cell.properties {
        assert!(property.as_expected, "{name}: {} {}", property.outcome, property.witness);
    }
    let short = |name: &str| name.split([',', ')']).next().unwrap_or(name).to_owned();
    cell.measures.iter().filter_map(|(name, measure)| Some((short(name), measure.mean?))).collect()
}

fn within(measures: &BTreeMap<String, f64>, name: &str, range: std::ops::Range<f64>) {
    let value = measures[name];
    assert!(range.contains(&value), "{name}: {value}, not in {range:?} of {measures:?}");
}

/// A machine that falls silent: those whose member forwards wait for the election alone (0.15 to 0.3 s and a few round trips); a server whose member
/// it was asks for a sign of life after 2 s and has waited for it for 6 s; a customer has no connection after 2 s. A read is then asked of another.
#[test]
fn a_leader_that_falls_silent_costs_an_election_and_what_it_takes_to_notice() {
    let seen = measures(&store(RAFT, "crash(leader(kv), mode=machine)", ""));
    within(&seen, "kv.elections", 0.9..1.1);
    within(&seen, "outage(keep", 0.15..0.7);
    within(&seen, "outage(put_b", 0.15..0.7);
    within(&seen, "outage(save", 7.9..8.7);
    within(&seen, "outage(look", 7.9..8.7);
    within(&seen, "outage(put_a", 1.9..2.7);
    within(&seen, "success(look", 0.999..1.001);
    within(&seen, "max(look", 7.9..8.7);
    // What was sent in those 8 s, of 69 s, may have happened; nothing else fails.
    within(&seen, "success(save", 1.0 - 8.5 / 69.0..1.0 - 7.5 / 69.0);
    within(&seen, "success(put_a", 0.999..1.001);
    // The same for the 0.2 s or so before the next member knows that nobody leads.
    within(&seen, "success(keep", 1.0 - 0.5 / 69.0..0.9999);
}

/// What is left of a wait for a sign of life follows the waiting node's clock from the instant of its drift on: at twice the speed from 21 s on, the
/// 7 s that were left after the first take 3.5 s. The customer's connection, of nobody's node, waits for 2 s as ever.
#[test]
fn a_drift_that_begins_meanwhile_reaches_a_wait_for_a_sign_of_life() {
    let drift = r#"fault.drift = { at = "21s", for = "40s", do = "drift(near, by=100%)" }"#;
    let seen = measures(&store(RAFT, "crash(leader(kv), mode=machine)", drift));
    within(&seen, "outage(save", 4.4..5.2);
    within(&seen, "outage(look", 4.4..5.2);
    within(&seen, "outage(put_a", 1.9..2.7);
}

/// A process that ends: its machine says so at once, to whoever had asked and to whoever asks.
#[test]
fn a_leader_whose_process_ends_costs_an_election() {
    let seen = measures(&store(RAFT, "crash(leader(kv), mode=process)", ""));
    for name in ["outage(save", "outage(look", "outage(keep", "outage(put_a", "outage(put_b"] {
        within(&seen, name, 0.15..0.7);
    }
    for name in ["success(save", "success(keep", "success(put_a", "success(put_b"] {
        within(&seen, name, 0.999..1.001);
    }
    within(&seen, "success(look", 0.9999..1.001);
}

/// A leader that stands still is there for its machine's part: a server notices by the sign of life that does not come, and each customer anew, who
/// has not the time to ask another without a policy that tries again. So it goes without an election too, for callers of a follower.
#[test]
fn a_member_that_stands_still_is_noticed_by_the_sign_of_life_that_does_not_come() {
    let seen = measures(&store(RAFT, "pause(leader(kv))", ""));
    within(&seen, "outage(keep", 0.15..0.7);
    within(&seen, "outage(save", 7.9..8.7);
    within(&seen, "outage(put_a", 40.0..40.2);
    within(&seen, "success(look", 0.999..1.001);
    let again = "policy.again = { retry = \"fixed(0s)\" }";
    let patient = store(RAFT, "pause(leader(kv))", again);
    let patient =
        patient.replace("\"put_a(k=uniform(100))\",", "\"put_a(k=uniform(100))\", with = \"again\",");
    let seen_again = measures(&patient);
    within(&seen_again, "outage(put_a", 9.9..10.7);
    within(&seen_again, "success(put_a", 0.999..1.001);
    let seen = measures(&store(RAFT, "pause(kv[1])", ""));
    within(&seen, "kv.elections", 0.0..0.1);
    within(&seen, "outage(save", 0.0..0.2);
    within(&seen, "outage(keep", 7.9..8.7);
}

/// Only the far side of a cut goes on; this side comes back with the network, or for connections at the next of their retransmissions.
#[test]
fn a_leader_that_is_cut_off_costs_its_own_side_the_cut_and_the_others_an_election() {
    let seen = measures(&store(RAFT, "isolate(leader(kv))", ""));
    within(&seen, "outage(keep", 0.15..0.7);
    within(&seen, "outage(put_b", 0.15..0.7);
    within(&seen, "outage(save", 7.9..8.7);
}

/// A drain of the leader: it hands over, nobody fails, and nobody waits for an election timeout; under `async` with a failover after 5 s neither.
#[test]
fn a_leader_that_is_drained_costs_a_few_round_trips() {
    let modest = r#"copy = "async()", failover = "after(5s)""#;
    let both = r#"copy = "sync(of=2)", failover = "after(5s)""#;
    for copy in [RAFT, modest, both] {
        let more = r#"always.kept = "lost(save) + lost(keep) + lost(put_a) + lost(put_b) == 0""#;
        let seen = measures(&store(copy, "drain(leader(kv))", more));
        within(&seen, "kv.elections", 0.9..1.1);
        for name in ["save", "look", "keep", "put_a", "put_b"] {
            // The last request before, 50 ms earlier, was answered in 2 ms or more. The next waits 10 ms for the heir to be told, 20 ms for its
            // election, 10 ms for word of it, then 10 ms there, 20 ms for what is asked of the others, and 10 ms back; with disks 85 ms.
            within(&seen, &format!("outage({name}"), 0.05..0.135);
            within(&seen, &format!("success({name}"), 0.9999..1.0001);
        }
    }
}

/// A member of a store without a leader coordinates nothing new while it is drained; whoever had asked it asks the next.
#[test]
fn a_drained_member_without_a_leader_costs_nobody_anything() {
    for copy in
        [r#"copy = "quorum(r=2, w=2)", merge = "counter""#, r#"copy = "multi_leader()", merge = "counter""#]
    {
        let text = store(copy, "drain(kv[0])", "").replace(r#"always.one_truth = "linearizable(kv.t)""#, "");
        let seen = measures(&text.replace(r#""kv.elections","#, ""));
        for name in ["save", "look", "keep", "put_a", "put_b"] {
            within(&seen, &format!("outage({name}"), 0.05..0.13);
            within(&seen, &format!("success({name}"), 0.9999..1.0001);
        }
    }
}

/// Whoever holds a lock renews it at whichever member answers: the one that he had asked for it may be gone.
#[test]
fn a_lock_outlives_the_member_that_was_asked_for_it() {
    for fault in ["crash(kv[0], mode=machine)", "drain(kv[0])", "crash(kv[0], mode=process)"] {
        let text = format!(
            r#"
length = "80s"
warmup = "0s"
runs   = 2
zone   = {{ a = {{}}, b = {{}}, c = {{}} }}
net    = {{ latency = "5ms" }}
db.kv  = {{ at = ["a", "b", "c"], copy = "raft()", read = "0ms", write = "0ms", disk = "1ms" }}
lock.l = {{ in = "kv", kind = "lease", ttl = "12s", patience = "5m" }}
policy.patient = {{ timeout = "5m" }}
server.app = {{ at = "a", threads = "unlimited" }}
workload.w = {{ do = "work()", arrive = "users(3, think=1s)", with = "patient" }}
fault.trouble = {{ at = "10s", for = "50s", do = "{fault}" }}
measures = ["count(work)", "l.lost", "kv.lapsed", "overlaps(l)"]
[on.app]
work = "hold l[1] {{ wait 15s }}"
"#
        );
        let seen = measures(&text);
        within(&seen, "l.lost", 0.0..0.1);
        within(&seen, "kv.lapsed", 0.0..0.1);
        within(&seen, "overlaps(l", 0.0..0.1);
        within(&seen, "count(work", 3.9..5.1);
    }
}
