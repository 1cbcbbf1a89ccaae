//! What a slip or an attacker may write: runs that take all memory or never end, folders that hold other people's files, texts that do
//! something to a terminal.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::AtomicBool;

use splitbrain::base::plain::is_hidden;
use splitbrain::experiment::{Overrides, Stopped, execute};

use crate::support::{Folder, experiment};

const SMALL: &str = r#"
length = "2s"
server.app = { cores = 2 }
workload.users = { do = "page()", arrive = "poisson(120/s)" }
slo.fast = "p99(page) < 1s"
[on.app]
page = "cpu exp(5ms)"
"#;

/// What there was too much of.
fn too_much(text: &str, in_flight: u64, at_instant: u64) -> String {
    let mut experiment = experiment("x.toml", text, &Overrides::default());
    for cell in &mut experiment.cells {
        (cell.setup.limits.in_flight, cell.setup.limits.at_instant) = (in_flight, at_instant);
    }
    match execute(&experiment, 2, &|_| {}, &AtomicBool::new(false)) {
        Err(Stopped::TooMuch(why)) => why,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it came to an end"),
    }
}

#[test]
fn what_runs_away_ends_with_its_place_and_a_remedy() {
    let fan = SMALL.replace("cpu exp(5ms)", "par each 10000 { par each 10000 { cpu 1ms } }");
    let queue = SMALL
        .replace("cores = 2", "cores = 1, threads = \"unlimited\", queue = \"unlimited\"")
        .replace("120/s", "1M/s")
        .replace("cpu exp(5ms)", "cpu 1000s");
    let two = "workload.more = { do = \"page()\", arrive = \"poisson(1M/s)\" }\nworkload.users";
    let calls = queue.replace("threads = \"unlimited\"", "threads = 1").replace("workload.users", two);
    for (text, what) in [
        (&fan, "more than 20000 coroutines of programs, the last at `app`, at "),
        (&queue, "more than 20000 requests of `users` under way, at "),
        (&calls, "more than 20000 calls in flight, most of them to `app`, at "),
    ] {
        let why = too_much(text, 20_000, u64::MAX);
        assert!(why.starts_with("variant base, seed 1: ") && why.contains(what), "{why}");
        assert!(why.contains("\nhelp: ") && why.contains("--max-inflight"), "{why}");
    }
    // the same limit by the command line, and by it alone
    let folder = Folder::with("small.toml", SMALL);
    let words = ["run", "small.toml", "--quiet", "--runs", "2", "--max-inflight"];
    let (status, _, err) = folder.run(&[&words[..], &["1"]].concat());
    assert!(status == 3 && err.contains("nothing can be concluded"), "{err}");
    assert!(!folder.path("out").exists());
    assert_eq!(folder.run(&[&words[..], &["1000"]].concat()).0, 0);
}

/// What is granted a run before it starts is enough: where it is not, there is a word of it and no abort.
#[cfg(target_os = "linux")]
#[test]
fn members_that_do_not_fit_into_memory_are_refused_before_they_take_it() {
    let many = SMALL.replace("cores = 2", "cores = 2, count = 1_000_000");
    let folder = Folder::with("many.toml", &many);
    let words = ["-c", "ulimit -v 1100000 && exec \"$0\" run many.toml --quiet --runs 1"];
    let mut command = std::process::Command::new("sh");
    command.args(words).arg(env!("CARGO_BIN_EXE_splitbrain")).current_dir(folder.path(""));
    let ended = command.output().expect("there is a shell");
    let err = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.code() == Some(2) && err.contains("GB of memory, and"), "{:?} {err}", ended.status);
}

#[test]
fn the_first_run_of_all_that_ran_away_is_told_for_any_number_of_jobs() {
    let text = SMALL.replace("120/s", "1k/s");
    let why = too_much(&text, 200, u64::MAX);
    assert!((0..3).all(|_| too_much(&text, 200, u64::MAX) == why));
}

#[test]
fn time_that_stands_still_is_told_with_its_place() {
    let still = r#"
length = "2s"
net = { latency = "0s" }
server.app = { cores = 2 }
workload.users = { do = "page()", arrive = "users(3, think=0s)" }
workload.others = { do = "slow()", arrive = "poisson(10/s)" }
[on.app]
page = ""
slow = "cpu 1ms"
"#;
    let why = too_much(still, 1_000_000, 100_000);
    assert!(why.contains("time stands still: more than 100000 events at one instant"), "{why}");
    assert!(why.contains("the last of them at `app`, `users`, at 0.000000000 s\nhelp: "), "{why}");
}

#[test]
fn a_fault_without_end_and_a_measure_without_value_decide_nothing() {
    let every = format!("fault.f = {{ every = \"1ns\", for = \"1ns\", do = \"pause(app)\" }}\n{SMALL}");
    let folder = Folder::with("every.toml", &every);
    let (status, _, err) = folder.run(&["run", "every.toml", "--quiet", "--runs", "1"]);
    assert!(status == 3 && err.contains("fault 'f' happens more than 100000 times\nhelp: "), "{err}");
    let until = format!("runs = \"until(ci=1%, on=p99(never), max=10000)\"\n{SMALL}never = \"cpu 1ms\"\n");
    let why = too_much(&until, u64::MAX, u64::MAX);
    assert!(
        why.contains("`until` waits for p99(never), which had no value in ") && why.contains("help: "),
        "{why}"
    );
}

#[test]
fn nothing_that_is_shown_does_something_unseen() {
    let title = r#"title = "\u001b[31mRED\u001b]0;owned\u0007 <script>\u009b2J\u202e ]]>""#;
    let text = format!(
        "{title}\nabout = \"a \\u001b[2J\\u0085 b\"\nplot.p = {{ title = \"\\u001b[31m \\u0001 p\", line = [\"p99(page)\"] }}\n\
         theory.t = {{ of = \"mean(page)\", is = \"6ms\", within = \"25%\", source = \"a\\u009b31m book\" }}\n{SMALL}"
    );
    let folder = Folder::with("escapes.toml", &text);
    let (status, out, err) = folder.run(&["run", "escapes.toml", "--runs", "3"]);
    assert_eq!(status, 0, "{out}{err}");
    let clean = |what: &str, text: &str| {
        let hidden: Vec<char> = text.chars().filter(|c| is_hidden(*c) && *c != '\r').collect();
        assert!(hidden.is_empty(), "{what}: {hidden:?}");
    };
    clean("the terminal", &(out.clone() + &err));
    assert!(out.contains("�[31mRED"), "{out}");
    let files = |folder: &Path| -> Vec<PathBuf> {
        std::fs::read_dir(folder).expect("there").map(|entry| entry.expect("readable").path()).collect()
    };
    let all = [files(&folder.path("out/escapes")), files(&folder.path("out/escapes/plots"))].concat();
    for file in
        all.iter().filter(|file| file.is_file() && file.extension().is_none_or(|ending| ending != "png"))
    {
        clean(&file.display().to_string(), &std::fs::read_to_string(file).expect("text"));
    }
    // mistakes are shown as plainly, names with such characters are refused, and so are histories'
    let (status, _, err) =
        folder.run(&["run", "escapes.toml", "--set", "server.\u{1b}[2J=1", "--out", "\u{9b}x"]);
    assert_eq!(status, 2);
    clean("a mistake", &err);
    std::fs::write(folder.path("key.toml"), format!("slo.\"a\\u001b\" = \"p99(page) < 1s\"\n{SMALL}"))
        .expect("written");
    let (status, _, err) = folder.run(&["validate", "key.toml"]);
    assert!(status == 2 && err.contains("key.toml:1:5"), "{err}");
    let history = "{\"process\":0,\"type\":\"invoke\",\"f\":\"\\u001b[2J\\u009b\",\"value\":null}\n";
    std::fs::write(folder.path("h.jsonl"), history).expect("written");
    let (_, out, err) = folder.run(&["history", "h.jsonl"]);
    clean("a history", &(out + &err));
}

#[test]
fn a_user_s_file_and_a_link_are_left_where_they_are() {
    let folder = Folder::with("small.toml", SMALL);
    let words = ["run", "small.toml", "--quiet", "--runs", "2"];
    assert_eq!(folder.run(&words).0, 0);
    let mine = folder.path("out/small/plots/notes.md");
    std::fs::create_dir_all(mine.parent().expect("it has one")).expect("made");
    std::fs::write(&mine, "mine").expect("written");
    let (status, _, err) = folder.run(&words);
    assert!(status == 2 && err.contains("notes.md") && err.contains("help: "), "{err}");
    assert_eq!(std::fs::read_to_string(&mine).expect("it is there"), "mine");
    std::fs::remove_file(&mine).expect("it is there");
    assert_eq!(folder.run(&words).0, 0);
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("elsewhere", folder.path("link")).expect("a link");
        for _ in 0..2 {
            assert_eq!(folder.run(&[&words[..], &["--out", "link"]].concat()).0, 0);
            assert!(folder.path("link").is_symlink() && folder.path("elsewhere/results.json").is_file());
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_stdout_that_is_full_is_an_error() {
    let folder = Folder::with("small.toml", SMALL);
    for words in
        [&["run", "small.toml", "--runs", "2"][..], &["list"], &["schema"], &["explain", "small.toml"]]
    {
        let full = std::fs::File::options().write(true).open("/dev/full").expect("Linux has it");
        let ended = folder.command(words).stdout(full).stderr(Stdio::piped()).output().expect("it runs");
        let err = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(ended.status.code() == Some(4) && err.contains("cannot write to stdout"), "{words:?}: {err}");
    }
}

#[test]
fn an_experiment_may_come_through_a_pipe() {
    let folder = Folder::with("small.toml", SMALL);
    let file = std::fs::File::open(folder.path("small.toml")).expect("it is there");
    let mut command = folder.command(&["run", "-", "--runs", "3", "--format", "json", "--quiet"]);
    let ended = command.stdin(file).output().expect("it runs");
    let results: serde_json::Value = serde_json::from_slice(&ended.stdout).expect("JSON, also under --quiet");
    assert_eq!((ended.status.code(), results["experiment"].as_str()), (Some(0), Some("stdin")));
    assert!(folder.path("out/stdin/results.json").is_file());
}

#[test]
fn a_template_of_ten_lines_runs() {
    let folder = Folder::with("small.toml", SMALL);
    let (status, out, _) = folder.run(&["new", "mine.toml", "--empty"]);
    assert!(status == 0 && out.contains("next: splitbrain run mine.toml"), "{out}");
    assert_eq!(std::fs::read_to_string(folder.path("mine.toml")).expect("it is there").lines().count(), 10);
    let (status, _, err) = folder.run(&["run", "mine.toml", "--quiet", "--deny-warnings"]);
    assert_eq!((status, err.as_str()), (0, ""));
    assert_eq!(folder.run(&["new", "mine.toml", "--empty"]).0, 2, "it is there");
    assert_eq!(folder.run(&["new", "other.toml"]).0, 2, "one of the two is needed");
}

#[test]
fn what_is_set_takes_the_place_of_its_sweep() {
    let text = format!(
        "sweep = {{ server.app.cores = [1, 2, 4] }}\nalways.few = \"count(page) < 10\"\n\
         expect.base = {{ slow = [\"violated\", \"holds\", \"holds\"], few = \"violated\" }}\n\
         theory.t = {{ of = \"mean(page)\", is = [\"8ms\", \"5ms\", \"5ms\"], within = \"90%\", source = \"x\" }}\n\
         slo.slow = \"p50(page) < 6ms\"\n\
         plot.map = {{ grid = [\"variant\", \"server.app.cores\"], cell = [\"slow\"] }}\n\
         plot.mean = {{ line = [\"mean(page)\"], x = \"server.app.cores\" }}\n{SMALL}"
    );
    let folder = Folder::with("swept.toml", &text);
    let run = |set: &str| folder.run(&["run", "swept.toml", "--runs", "3", "--format", "json", "--set", set]);
    let (_, out, err) = run("server.app.cores=1");
    assert!(err.contains("note: `--set server.app.cores=1` takes the place of 3 swept values"), "{err}");
    let results: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(results["cells"].as_array().map(Vec::len), Some(1));
    assert_eq!(results["cells"][0]["point"]["server.app.cores"], "1", "plots and grids find it still");
    let replay = "splitbrain run swept.toml --set server.app.cores=1 --seed 1 --runs 1";
    assert_eq!(results["cells"][0]["properties"]["few"]["replay"], replay, "told once");
    // what the file says of that point holds
    assert_eq!(results["cells"][0]["properties"]["slow"]["expected"], "violated");
    assert_eq!(results["theory"][0]["theory"], 0.008);
    // of another value it says nothing
    let (_, out, err) = run("server.app.cores=3");
    assert!(err.contains("expect.base.slow, theory.t.is say nothing of this value"), "{err}");
    let results: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(results["cells"][0]["properties"]["slow"]["expected"], "holds");
    assert_eq!(results["theory"].as_array().map(Vec::len), Some(0));
}

#[test]
fn what_is_broken_says_how_to_run_it_again() {
    let text = SMALL.replace("slo.fast = \"p99(page) < 1s\"", "always.few = \"count(seen) < 100\"");
    let text = text.replace("cpu exp(5ms)", "cpu exp(5ms); tally seen[1]");
    let text =
        format!("variant.good = {{ workload.users.arrive = \"poisson(5/s)\" }}\nvariant.bad = {{}}\n{text}");
    let folder = Folder::with("broken.toml", &text);
    let (status, out, err) = folder.run(&["run", "broken.toml", "--quiet", "--runs", "2"]);
    let again = "splitbrain run broken.toml --variant bad --seed 1 --runs 1";
    assert_eq!((status, out.as_str()), (1, ""));
    assert_eq!(err, format!("violated few (bad): {again}\n"));
    let results = std::fs::read_to_string(folder.path("out/broken/results.json")).expect("results");
    let results: serde_json::Value = serde_json::from_str(&results).expect("JSON");
    let replays: Vec<&serde_json::Value> = results["cells"]
        .as_array()
        .expect("cells")
        .iter()
        .map(|cell| &cell["properties"]["few"]["replay"])
        .collect();
    assert!(replays.contains(&&serde_json::json!(again)) && replays.iter().any(|replay| replay.is_null()));
    let words: Vec<&str> = again.split(' ').skip(1).chain(["--quiet"]).collect();
    assert_eq!(folder.run(&words).0, 1, "it shows it again");
}

#[test]
fn what_is_set_wrongly_twice_is_told() {
    let folder = Folder::with("small.toml", SMALL);
    let (status, _, err) = folder.run(&["run", "small.toml", "--set", "..=all", "--set", "..=all"]);
    assert!(status == 2 && err.contains("help: "), "{err}");
}
