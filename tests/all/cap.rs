//! The share of likes that each way to copy accepts while the leader's zone is cut off, against what was predicted by hand.
//!
//! 40 % of the customers stand in the leader's zone, 60 % beyond the cut. A request belongs to the cut by the instant at which it was meant
//! to be sent and may end 250 ms later, so 250 ms of likes may be accepted beyond the prediction.

use splitbrain::experiment::Overrides;

use crate::support::{experiment, run};

const TEXT: &str = include_str!("../designs/good/cap.toml");
const RUNS: f64 = 4.0;
/// Likes per second: as many as in the design, without the reads, at a tenth of its payments.
const LIKES: f64 = 200.0;
/// How long customers wait, s.
const TIMEOUT: f64 = 0.25;

/// The least and the greatest share that a mode may accept in a cut of `t` seconds, but for chance.
fn predicted(mode: &str, t: f64) -> (f64, f64) {
    let edge = TIMEOUT / t;
    let after = |seconds: f64| 1.0 - seconds.min(t) / t;
    match mode {
        // Nobody beyond the cut is served until the copies there have given the leader up, which they last heard a heartbeat (50 ms) ago at
        // most, and elected another, which takes two round trips of 60 ms and less than two of its heartbeats.
        "async" => (0.4 + 0.6 * after(5.0 + 0.12 + 0.1), 0.4 + 0.6 * (after(5.0 - 0.05) + edge)),
        "sync" => (0.0, edge),
        "q11" => (1.0, 1.0),
        "q22" => (0.6, 0.6 + 0.4 * edge),
        // An election takes 150 ms and two round trips at least, and where candidates split the votes several times as long.
        "raft" => (0.6 * after(1.0), 0.6 * (after(0.150 - 0.05 + 0.12) + edge)),
        other => panic!("no prediction for {other}"),
    }
}

#[test]
fn each_way_to_copy_accepts_the_share_of_likes_that_was_predicted() {
    let shorter = TEXT
        .replace("length = \"5m\"", "length = \"50s\"\nwarmup = \"0s\"")
        .replace("at = \"1m\"", "at = \"5s\"")
        .replace(
            "plot.map",
            "measures = [\"success(like, during=split)\", \"success(feed, during=split)\"]\nplot.map",
        )
        .replace("[\"1s\", \"10s\", \"43s\", \"120s\"]", "[\"1s\", \"10s\", \"43s\"]")
        .replace(
            "mix(10%=like(post=zipf(n=1k, s=1)), 90%=feed(post=zipf(n=1k, s=1)))",
            "mix(90%=like(post=zipf(n=1k, s=1)), 10%=feed(post=zipf(n=1k, s=1)))",
        )
        .replace("poisson(2000/s)", &format!("poisson({}/s)", LIKES / 0.9))
        .replace("poisson(200/s)", "poisson(20/s)");
    let overrides = Overrides { runs: Some(RUNS as u32), ..Overrides::default() };
    let results = run(&experiment("tests/cap.toml", &shorter, &overrides), 2);
    assert_eq!(results.cells.len(), 15);
    for cell in &results.cells {
        let t = [1.0, 10.0, 43.0][results
            .cells
            .iter()
            .filter(|other| other.variant == cell.variant)
            .position(|other| std::ptr::eq(other, cell))
            .expect("it is one of them")];
        let of = |measure: &str| cell.measures[measure].mean.expect("requests were sent");
        let (low, high) = predicted(&cell.variant, t);
        let accepted = of("success(like, during=split)");
        let chance = 3.5 * (0.25 / (LIKES * t * RUNS)).sqrt();
        println!("{} in {t} s: {accepted:.4}, predicted {low:.4} to {high:.4} ± {chance:.4}", cell.variant);
        assert!(
            accepted >= low - chance && accepted <= high + chance,
            "{} in a cut of {t} s: {accepted} of the likes, predicted {low} to {high} ± {chance}",
            cell.variant
        );
        assert_eq!(
            of("success(feed, during=split)"),
            1.0,
            "{}: a copy is at hand in each zone",
            cell.variant
        );
    }
}
