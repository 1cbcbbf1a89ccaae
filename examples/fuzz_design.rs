//! Mutated designs, experiments, `--set` arguments and data files, loaded and now and then run for a moment: none may end in a panic, an
//! overflow, or take longer than it should.
//!
//! `cargo run --profile checked --example fuzz_design -- COUNT [SEED [FROM]]`. The same count and seed give the same cases; `.ci/full` runs a million.

mod campaign;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use campaign::{Draws, campaign};
use splitbrain::cli::shipped;
use splitbrain::design::file::{ReadError, Reader};
use splitbrain::design::render::render;
use splitbrain::experiment::{Experiment, Overrides, execute, load};

/// How long a case may take at the very most.
const TIME_MAX: Duration = Duration::from_secs(20);
/// One in so many of those that are valid is run.
const RUN_EVERY: usize = 32;

/// Small ones, of every kind of entry.
const SEEDS: &[&str] = &[
    r#"
length = "20s"
warmup = "1s"
runs = "until(ci=5%, on=p99(page), max=6)"
net = { latency = "lognormal(p50=1ms, p99=3ms)", loss = "0.1%", duplicate = "1ppm", bandwidth = "1Gb/s" }
zone.a = { users = "40%" }
zone.b = { users = "60%" }
link."a b" = { latency = "10ms" }
policy.calm = { timeout = "200ms", retry = "expo(base=10ms, times=3)" }
lb.edge = { to = "app", pick = "round_robin" }
server.app = { at = ["a", "b"], count = 4, cores = 2, threads = 8, queue = 20, speed = "80%" }
cache.pages = { guard = "mutex(ttl=3s)", ttl = "2s" }
db.shop = { copies = 3, copy = "raft", start = { stock = "each(500, keys=100k)" }, read = "mix(90%=1ms, 10%=exp(9ms))" }
external.bank = { reply = "quantiles(p0=1ms, p50=20ms, p99=1s, p100=2s)" }
lock.row = { in = "shop", kind = "lease", ttl = "2s" }
workload.people = { do = "mix(90%=page(item=zipf(n=100k, s=1.1)), 10%=pay(item=uniform(9)))", arrive = "poisson(50/s)" }
workload.users = { do = "pay(item=3)", arrive = "users(20, think=exp(2s))", to = "15s" }
fault.split = { at = "8s", every = "uniform(8s, 12s)", for = "3s", do = "cut(shop[0], from=[shop[1], shop[2]])" }
fault.slow = { at = "after(split, 1s)", for = "1s", do = "set(app[0].speed, 25%)" }
sweep = { server.app.cores = [1, 2] }
variant.wide = { server.app.threads = 64 }
variant.narrow = { db.shop.copy = "async" }
measures = ["p99(page)", "rate(pages.hits, during=split)", "linearizable(shop.stock)", "goodput(pay) / 2"]
slo.fast = "p99(page, during=5s..12s) < 300ms"
always.sold = "count(sold) <= 500"
sometimes.busy = "max(app.queued) > 3"
expect.wide = { fast = ["holds", "either: who knows"] }
theory.t = { of = "mean(page)", is = "mm1(rate=20/s, mean=10ms)", within = "20%", source = "a book" }
plot.p = { line = ["p99(page)"], x = "server.app.cores" }
[on.app]
page = """
x = get pages[item] else { cpu exp(5ms); x = read shop.stock[item] at nearest; put pages[item] = x }
if x > 3 { par each 3 as i { call bank } } else { wait 1ms }
"""
pay = "hold row[item] { tx shop { n = read shop.stock[item]; if n < 1 { fail sold_out }; write shop.stock[item] = n - 1 } }; tally sold[item]"
"#,
    r#"
length = "5s"
server.app = {}
workload.jobs = { do = "job(size=trace(sizes.txt, format=text))", arrive = "trace(at.csv, column=at, speed=2x)" }
slo.fast = "p99(job) < 1s"
[on.app]
job = "cpu file(distributions.csv) * size"
"#,
];

/// Data files that belong to them.
const DATA: &[(&str, &str)] = &[
    ("sizes.txt", "1\n2\n3\n"),
    ("at.csv", "id,at\n1,0.5\n2,1.5\n3,1.5\n4,4\n"),
    ("distributions.csv", "latency\n1ms\n2.5ms\n3s\n"),
];

/// What is put into them.
const PIECES: &[&str] = &[
    "",
    "=",
    "\"",
    "'",
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    "..",
    ".",
    ",",
    ";",
    "\n",
    "%",
    "$",
    "#",
    "ü",
    "\u{0}",
    "\\u0000",
    "\u{1b}",
    "-1",
    "0",
    "1e308",
    "9223372036854775807",
    "99999999999999999999",
    "0.000000001",
    "unlimited",
    "1ns",
    "292y",
    "10000000000s",
    "1M/s",
    "0/s",
    "0%",
    "100%",
    "1000000%",
    "true",
    "nan",
    "inf",
    "all",
    "any",
    "leader(shop)",
    "app[0]",
    "app[9999999999]",
    "shop.stock[item]",
    "each(1, keys=4M)",
    "zipf(n=4000000000, s=0)",
    "users(10M, think=0s)",
    "par each 10000 { ",
    "race { ",
    "} else { ",
    "during=split",
    "p99.99(page)",
    "exp(0s)",
    "normal(0s, sd=1h)",
    "gamma(mean=1s, cv=0%)",
    "pareto(min=1ns, alpha=0.01)",
    "weibull(scale=1h, shape=0.01)",
    "until(ci=0%, on=p99(x))",
    "copy = \"quorum(r=9, w=9)\"",
    "copies = 9",
    "count = 4000000",
    "sweep.server.app.cores = [1, 2, 3]\n",
    "use = [\"x.toml\"]\n",
    "[on.app]\n",
];

/// Paths and values of `--set`.
const PATHS: &[&str] = &[
    "server.app.cores",
    "server.app.speed",
    "db.shop.copy.w",
    "net.latency",
    "length",
    "workload.people.arrive",
    "fault.split.every",
    "slo.fast",
    "link.\"a b\".latency",
    "on.app.page",
    "cache.pages.guard.ttl",
    "a",
    "",
    "..",
    "\"",
    "sweep.server.app.cores",
    "variant.wide.server.app.threads",
];

/// One of several.
fn pick<'a, T: ?Sized>(draws: &mut Draws, of: &[&'a T]) -> &'a T {
    of[draws.below(of.len())]
}

/// The files of a case; what it uses beside them is shipped.
struct Case {
    files: BTreeMap<String, Vec<u8>>,
    path: String,
    overrides: Overrides,
}

impl Reader for Case {
    fn read(&self, path: &str) -> Result<Vec<u8>, ReadError> {
        let given = self.files.get(path).cloned();
        given.or_else(|| Some(shipped::file(path)?.as_bytes().to_vec())).ok_or(ReadError::Missing)
    }
}

fn case(draws: &mut Draws) -> Case {
    let all = shipped::experiments();
    let (path, text) = match draws.below(24) {
        0 => {
            let file = &all[draws.below(all.len())];
            (format!("experiments/{}", file.path), file.text)
        }
        _ => ("x.toml".to_owned(), pick(draws, SEEDS)),
    };
    let mut files: BTreeMap<String, Vec<u8>> =
        DATA.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect();
    files.insert(path.clone(), text.as_bytes().to_vec());
    let mut overrides = Overrides { runs: Some(1), ..Overrides::default() };
    match draws.below(8) {
        0 => {
            for _ in 0..=draws.below(3) {
                let mut value = pick(draws, PIECES).as_bytes().to_vec();
                if draws.below(4) == 0 {
                    torn(&mut value, draws);
                }
                let value = String::from_utf8_lossy(&value).into_owned();
                overrides.set.push(format!("{}={value}", pick(draws, PATHS)));
            }
        }
        1 => {
            let name = DATA[draws.below(DATA.len())].0;
            let data = files.get_mut(name).expect("it is one of them");
            (0..=draws.below(4)).for_each(|_| torn(data, draws));
            files.insert(path.clone(), SEEDS[1].as_bytes().to_vec());
        }
        _ => {
            let gentle = draws.below(4) > 0;
            let text = files.get_mut(&path).expect("just put there");
            (0..=draws.below(4))
                .for_each(|_| if gentle { rewritten(text, draws) } else { torn(text, draws) });
        }
    }
    Case { files, path, overrides }
}

/// What is still TOML, mostly: lines go or come twice, values and names become others.
fn rewritten(bytes: &mut Vec<u8>, draws: &mut Draws) {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    if lines.is_empty() {
        return;
    }
    let (one, other) = (draws.below(lines.len()), draws.below(lines.len()));
    match draws.below(8) {
        0 => drop(lines.remove(one)),
        1 => lines.swap(one, other),
        2 => {
            let donor = pick(draws, SEEDS).split_inclusive('\n').collect::<Vec<_>>();
            lines.insert(one, donor[draws.below(donor.len())].to_owned());
        }
        _ => {
            // a word or a number becomes another of this file, or a piece
            let line = &lines[one];
            let words = words_of(line);
            if !words.is_empty() {
                let at = words[draws.below(words.len())].clone();
                let donor = &lines[other];
                let others = words_of(donor);
                let new = match draws.below(3) {
                    0 if !others.is_empty() => donor[others[draws.below(others.len())].clone()].to_owned(),
                    _ => pick(draws, PIECES).to_owned(),
                };
                lines[one].replace_range(at, &new);
            }
        }
    }
    *bytes = lines.concat().into_bytes();
}

fn words_of(line: &str) -> Vec<std::ops::Range<usize>> {
    let mut words = Vec::new();
    let mut start = None;
    for (at, c) in line.char_indices().chain([(line.len(), ' ')]) {
        match (c.is_ascii_alphanumeric() || c == '_', start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                words.push(from..at);
                start = None;
            }
            _ => {}
        }
    }
    words
}

/// What is seldom TOML: bytes go, change or come from elsewhere.
fn torn(bytes: &mut Vec<u8>, draws: &mut Draws) {
    let (at, other) = (draws.below(bytes.len() + 1), draws.below(bytes.len() + 1));
    let (from, to) = (at.min(other), at.max(other));
    match draws.below(7) {
        0 => drop(bytes.drain(from..to.min(from + 8))),
        1 => bytes.truncate(at),
        2 if at < bytes.len() => bytes[at] ^= 1 << draws.below(8),
        3 => {
            let stretch = bytes[from..to.min(from + 200)].to_vec();
            bytes.splice(other..other, stretch);
        }
        _ => drop(bytes.splice(at..at, pick(draws, PIECES).bytes())),
    }
}

/// What came of it: 0 refused, 1 valid, 2 run.
fn tried(case: &Case, run: bool) -> usize {
    let mut experiment = match load(case, &case.path, &case.overrides) {
        Ok(experiment) => experiment,
        Err((sources, problems)) => {
            assert!(!problems.is_empty() && !render(&sources, &problems, true).is_empty());
            return 0;
        }
    };
    if !run || experiment.cells.len() > 8 {
        return 1;
    }
    for cell in &mut experiment.cells {
        (cell.setup.limits.in_flight, cell.setup.limits.at_instant) = (20_000, 100_000);
    }
    a_moment(&experiment);
    2
}

/// Runs it until it ends or a moment is over.
fn a_moment(experiment: &Experiment) {
    let members: u32 = experiment
        .cells
        .iter()
        .flat_map(|cell| &cell.setup.design.names)
        .map(|part| part.count)
        .max()
        .unwrap_or(0);
    if members > 10_000 {
        return; // it takes its time to begin
    }
    let over = AtomicBool::new(false);
    let (ended, waits) = std::sync::mpsc::channel::<()>();
    std::thread::scope(|scope| {
        let over = &over;
        scope.spawn(move || {
            let _ = waits.recv_timeout(Duration::from_millis(200));
            over.store(true, std::sync::atomic::Ordering::Relaxed);
        });
        let _ = execute(experiment, 1, &|_| {}, over);
        drop(ended);
    });
}

fn main() {
    let case = |draws: &mut Draws| (case(draws), draws.below(RUN_EVERY) == 0);
    let (count, [refused, valid, run], slowest) = campaign(
        TIME_MAX,
        case,
        |(case, run)| tried(case, *run),
        |(case, _)| {
            eprintln!("--set {:?}", case.overrides.set);
            for (name, bytes) in &case.files {
                eprintln!("--- {name}\n{}", String::from_utf8_lossy(bytes));
            }
        },
    );
    println!(
        "{count} cases: {refused} refused, {valid} valid, {run} run for a moment; the slowest took {slowest:?}"
    );
}
