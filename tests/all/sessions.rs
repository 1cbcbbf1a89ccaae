//! What sessions are promised, from the store's own order of writes to the verdict.

use splitbrain::experiment::Overrides;

use crate::support::{experiment, run};

/// Each customer writes 1 through one member and 2 through another whose clock is half a second behind, and reads.
fn turns(store: &str, ahead_ms: u64, wait: &str) -> [String; 6] {
    let text = format!(
        r#"
length = "20s"
zone = {{ a = {{}}, b = {{}}, c = {{}} }}
net  = {{ latency = "1ms" }}
db.kv = {{ at = ["a", "b", "c"], {store}, read = "0ms", write = "0ms", start = {{ x = "each(0, keys=1000)" }} }}
server.app = {{ at = "a", cores = "unlimited" }}
workload.turns = {{ do = "turn(k=sequence(1000))", arrive = "even(10/s)", to = "15s", zone = "a" }}
fault.skew = {{ at = "0s", do = "skew(kv[0], by={ahead_ms}ms)" }}
always.ryw = "read_your_writes(kv)"
always.mr  = "monotonic_reads(kv)"
always.mw  = "monotonic_writes(kv)"
always.wfr = "writes_follow_reads(kv)"
always.causal = "causal(kv)"
always.bad = "count(bad) <= 0"
[on.kv]
save = "write kv.x[k] = v"
see = "n = read kv.x[k]; return n"
[on.app]
turn = """
call kv.save(k=k, v=1) from a
{wait}
call kv.save(k=k, v=2) from b
n = call kv.see(k=k) from c
if n < 2 {{ tally bad }}"""
"#
    );
    let results = run(&experiment("tests/sessions.toml", &text, &Overrides::default()), 1);
    let of = |name: &str| results.cells[0].properties[name].outcome.to_string();
    if of("mw") == "violated" {
        let witness = &results.cells[0].properties["mw"].witness;
        assert!(
            witness.contains("the store had `write kv.x[") && witness.contains("= 2` of save"),
            "{witness}"
        );
        assert!(witness.contains("was sent before"), "{witness}");
    }
    ["ryw", "mr", "mw", "wfr", "causal", "bad"].map(of)
}

/// By its timestamps the store had the second write before the first: it broke monotonic writes, and showed nothing older than what it had.
#[test]
fn where_clocks_turn_a_session_s_writes_round_monotonic_writes_are_violated() {
    for store in [
        "copy = \"quorum(r=2, w=2)\", merge = \"last_write\"",
        "copy = \"multi_leader()\", merge = \"last_write\"",
    ] {
        let kept = ["holds"; 6].map(str::to_owned);
        let quorum = store.contains("quorum");
        let apart = turns(store, 500, "");
        assert_eq!(apart[2], "violated", "{store}: {apart:?}");
        if quorum {
            assert_eq!(apart, ["holds", "holds", "violated", "holds", "violated", "violated"]);
            assert_eq!(turns(store, 0, ""), kept, "one clock");
            assert_eq!(turns(store, 500, "wait 1s"), kept, "a second between them");
        }
    }
}
