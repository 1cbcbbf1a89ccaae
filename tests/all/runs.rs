//! How many runs there are, and what their intervals say.

use std::sync::atomic::AtomicBool;

use splitbrain::experiment::results::Results;
use splitbrain::experiment::{Overrides, Stopped, execute};

use crate::support::{experiment, run};

fn text(more: &str) -> String {
    format!(
        "length = \"50s\"\nnet = {{ latency = \"0s\" }}\nserver.desk = {{ cores = 1 }}\n\
         workload.jobs = {{ do = \"job()\", arrive = \"poisson(50/s)\" }}\n{more}\n[on.desk]\njob = \"cpu exp(10ms)\"\n"
    )
}

fn queue(more: &str) -> Results {
    run(&experiment("tests/runs.toml", &text(more), &Overrides::default()), 2)
}

/// Half the 95 % interval of a cell's mean time, over the mean.
fn width(results: &Results, cell: usize) -> f64 {
    let estimate = &results.cells[cell].measures["mean(job)"];
    let [low, high] = estimate.ci95.expect("several runs");
    (high - low) / 2.0 / estimate.mean.expect("defined")
}

/// Who interrupts a campaign of 50,000 runs, which would take minutes, after the first one waits for no other.
#[test]
fn a_cancelled_campaign_begins_no_more_runs() {
    let (told, ended) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let text = text("runs = 50000").replace("length = \"50s\"", "length = \"500s\"");
        let loaded = experiment("tests/runs.toml", &text, &Overrides::default());
        let cancelled = AtomicBool::new(false);
        let stop = |_| cancelled.store(true, std::sync::atomic::Ordering::Relaxed);
        let stopped = execute(&loaded, 2, &stop, &cancelled).err();
        told.send(stopped).expect("somebody waits");
    });
    let patience = std::time::Duration::from_secs(60);
    let stopped = ended.recv_timeout(patience).expect("it goes on although it was cancelled");
    assert!(matches!(stopped, Some(Stopped::Cancelled(progress)) if progress.done <= 2), "{stopped:?}");
}

#[test]
fn until_goes_on_until_every_interval_is_narrow_enough() {
    let rough = queue("runs = \"until(ci=20%, on=mean(job), max=64)\"");
    assert_eq!(rough.cells[0].runs, 5, "five runs are the least, and enough for 20 %");
    let fine = queue(
        "runs = \"until(ci=2%, on=mean(job), max=64)\"\nvariant.light = { workload.jobs.arrive = \"poisson(20/s)\" }\n\
         variant.heavy = {}",
    );
    let runs: Vec<u32> = fine.cells.iter().map(|cell| cell.runs).collect();
    assert!(runs[0] == runs[1] && runs[0] > 5, "{runs:?}: all cells have the same seeds");
    assert!(width(&fine, 0) <= 0.02 && width(&fine, 1) <= 0.02, "or there are 64: {runs:?}");
    let never = queue("runs = \"until(ci=0.01%, on=mean(job), max=8)\"");
    assert_eq!(never.cells[0].runs, 8, "at most `max`");
}

#[test]
fn more_runs_leave_the_first_ones_as_they_were() {
    let fingerprints = |runs: u32| -> Vec<u128> {
        let overrides = Overrides { runs: Some(runs), ..Overrides::default() };
        let experiment = experiment("tests/runs.toml", &text(""), &overrides);
        let outcome = execute(&experiment, 2, &|_| {}, &AtomicBool::new(false)).expect("it ends");
        outcome.cells[0].trials.iter().map(|trial| trial.fingerprint).collect()
    };
    let (few, many) = (fingerprints(3), fingerprints(5));
    assert_eq!((few.len(), many.len()), (3, 5));
    assert_eq!(few, many[..3]);
    assert!(many[0] != many[1], "each has a seed of its own");
}

#[test]
fn what_is_compared_under_the_same_seeds_varies_together() {
    let results = queue("runs = 10\nvariant.a = {}\nvariant.b = { server.desk.speed = \"90%\" }");
    let of = |name: &str| results.comparisons.iter().find(|one| one.measure == name).expect("compared");
    let time = of("mean(job)");
    assert!(time.correlation.expect("they vary") > 0.95, "{time:?}");
    let [low, high] = time.ci95.expect("ten pairs");
    let alone = |cell: usize| {
        width(&results, cell) * results.cells[cell].measures["mean(job)"].mean.expect("defined")
    };
    assert!((high - low) / 2.0 < (alone(0) + alone(1)) / 2.0, "the difference is known better than either");
    assert!(time.p_value.expect("ten pairs") < 0.001);
    assert_eq!(of("throughput(job)").difference.map(|difference| difference.abs() < 0.1), Some(true));
}

#[test]
fn an_automatic_warm_up_cuts_what_a_crowd_at_the_start_makes_too_long() {
    // half busy, M/M/1 takes 20 ms; but a hundred come at once, and the queue takes two seconds to drain
    let crowd = "runs = 20\nworkload.crowd = { do = \"job()\", arrive = \"once(100)\" }\nvariant.v = {}";
    let mean =
        |more: &str| queue(&format!("{crowd}\n{more}")).cells[0].measures["mean(job)"].mean.expect("defined");
    let (whole, cut) = (mean("warmup = \"0s\""), mean("warmup = \"auto\""));
    assert!(whole > 0.04, "the crowd is seen: {whole} s");
    assert!((cut - 0.02).abs() < (whole - 0.02).abs() / 4.0, "whole {whole} s, cut {cut} s");
}

/// Three quick runs cannot tell whether M/M/1's mean is within 5 %; the 60 of `--full` can. What is wrong is wrong with three.
#[test]
fn quick_runs_leave_open_what_only_all_runs_can_tell() {
    let theory = |is: &str| {
        format!(
            "runs = {{ quick = 3, full = 60 }}\n\
             theory.mean = {{ of = \"mean(job)\", is = \"{is}\", within = \"5%\", source = \"Kleinrock\" }}"
        )
    };
    let of = |is: &str, full: bool| {
        let overrides = Overrides { full, ..Overrides::default() };
        run(&experiment("tests/runs.toml", &text(&theory(is)), &overrides), 2)
    };
    let quick = of("20ms", false);
    let row = &quick.theory[0];
    assert_eq!(
        (quick.cells[0].runs, row.agrees, row.undecided, row.needs_full),
        (3, false, true, true),
        "{row:?}"
    );
    assert!(quick.summary.as_expected, "it is not known to be wrong");
    let full = of("20ms", true);
    let row = &full.theory[0];
    assert_eq!((full.cells[0].runs, row.agrees, row.needs_full), (60, true, false), "{row:?}");
    let wrong = of("60ms", false);
    assert!(!wrong.summary.as_expected && !wrong.theory[0].needs_full, "{:?}", wrong.theory[0]);
}
