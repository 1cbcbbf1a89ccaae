//! Clients of replicated stores, in whole experiments: where they stand, whom they ask, what runs their programs, what they have seen.

use splitbrain::design::render::render;
use splitbrain::experiment::results::Results;
use splitbrain::experiment::{Overrides, load};

use crate::support::{Files, experiment, run};

fn results(text: &str) -> Results {
    run(&experiment("tests/hosting.toml", text, &Overrides::default()), 2)
}

fn results_with(text: &str, recorded: &str) -> Results {
    let files = [("tests/hosting.toml", text), ("tests/recorded.csv", recorded)];
    let files = Files(files.into_iter().map(|(path, text)| (path.to_owned(), text.to_owned())).collect());
    let loaded = load(&files, "tests/hosting.toml", &Overrides::default());
    run(&loaded.unwrap_or_else(|(sources, problems)| panic!("{}", render(&sources, &problems, false))), 2)
}

fn value(results: &Results, variant: &str, measure: &str) -> f64 {
    let cell = results.cells.iter().find(|cell| cell.variant == variant).expect("a variant");
    let known = cell.measures.get(measure).unwrap_or_else(|| panic!("{measure}: {:?}", cell.measures.keys()));
    known.mean.unwrap_or_else(|| panic!("{measure} is undefined: {:?}", known.note))
}

fn is_near(results: &Results, variant: &str, measure: &str, reference: f64, within: f64) {
    let value = value(results, variant, measure);
    assert!((value - reference).abs() <= within, "{measure} of {variant}: {value}, not {reference}");
}

/// Three zones, 10, 20 and 30 ms apart; nothing else takes time.
const ZONES: &str = r#"
length = "60s"
warmup = "0s"
net    = { latency = "0ms" }
zone   = { a = { users = "40%" }, b = { users = "40%" }, c = { users = "20%" } }
link   = { "a b" = { latency = "10ms" }, "a c" = { latency = "20ms" }, "b c" = { latency = "30ms" } }
"#;

/// Each request is a customer of its own, who stands somewhere: the quantiles of the way there and back show the shares.
#[test]
fn requests_of_open_loops_come_from_the_zones_in_their_shares() {
    let recorded: String = (0..20_000).map(|n| format!("{}\n", n as f64 / 400.0)).collect();
    let recorded = format!("at\n{recorded}");
    let arrivals = [
        "once(20k)",
        "even(300/s)",
        "poisson(300/s)",
        "rate(0s=0/s, 1m=600/s)",
        "trace(recorded.csv, column=at)",
    ];
    for arrive in arrivals {
        let text = format!(
            "{ZONES}server.app = {{ at = [\"a\"], threads = \"unlimited\" }}\n\
             workload.w = {{ do = \"page()\", arrive = \"{arrive}\", to = \"59s\" }}\n\
             measures = [\"mean(w)\", \"p2(w)\", \"p38(w)\", \"p42(w)\", \"p78(w)\", \"p82(w)\"]\n\
             variant.drawn = {{}}\nvariant.from_c = {{ workload.w.zone = \"c\" }}\n\
             variant.from_b_and_c = {{ workload.w.zone = [\"b\", \"c\"] }}\n[on.app]\npage = \"return 1\"\n"
        );
        let results = results_with(&text, &recorded);
        let quantiles = ["p38(w)", "p42(w)", "p78(w)", "p82(w)"].map(|q| value(&results, "drawn", q));
        assert_eq!(quantiles, [0.0, 0.020, 0.020, 0.040], "{arrive}");
        // 0.4 × 20 + 0.2 × 40 ms; the standard deviation of one is 15 ms, of the mean of 17,700 or more 0.11 ms.
        is_near(&results, "drawn", "mean(w)", 0.016, 0.0004);
        assert_eq!(value(&results, "from_c", "mean(w)"), 0.040, "{arrive}");
        is_near(&results, "from_b_and_c", "mean(w)", 0.030, 0.0003);
        assert_eq!(value(&results, "from_b_and_c", "p2(w)"), 0.020, "{arrive}");
    }
}

#[test]
fn where_a_request_comes_from_does_not_depend_on_the_design_that_it_meets() {
    let text = format!(
        "{ZONES}server.app = {{ at = [\"a\"], threads = \"unlimited\" }}\n\
         workload.w = {{ do = \"page()\", arrive = \"poisson(50/s)\", to = \"59s\" }}\nmeasures = [\"mean(w, cause=network)\"]\n\
         variant.a = {{}}\nvariant.b = {{ server.app.count = 5 }}\n[on.app]\npage = \"cpu exp(3ms)\"\n"
    );
    let more =
        "workload.v = { do = \"page()\", arrive = \"poisson(50/s)\", zone = \"b\", to = \"59s\" }\nvariant.a";
    let (alone, beside) = (results(&text), results(&text.replace("variant.a", more)));
    let network = value(&alone, "a", "mean(w, cause=network)");
    assert_eq!(network, value(&alone, "b", "mean(w, cause=network)"));
    assert_eq!(network, value(&beside, "a", "mean(w, cause=network)"));
}

/// What programs of a store do, and customers in zone b who call them. The leader stands in zone a.
fn store(entries: &str, copy: &str, programs: &str) -> String {
    format!(
        "{ZONES}{entries}\ndb.kv = {{ at = [\"a\", \"b\", \"c\"], copy = \"{copy}\", read = \"0ms\", write = \"0ms\", \
         start = {{ likes = \"each(5, keys=10)\" }} }}\n[on.kv]\n{programs}\n"
    )
}

fn from_b(program: &str) -> String {
    format!(
        "workload.{program} = {{ do = \"{program}()\", arrive = \"even(10/s)\", zone = \"b\", to = \"59s\" }}\n"
    )
}

#[test]
fn a_program_of_a_store_runs_at_the_nearest_member_and_its_steps_go_where_they_must() {
    let programs = r#"
like  = "update kv.likes[1] += 1"
feed  = "read kv.likes[1] at nearest"
both  = "x = read kv.likes[2] at session; update kv.likes[2] += 1; y = read kv.likes[2] at session; if y <= x { fail stale }"
third = "read kv.likes[1] at copy[2]"
mixed = "call app.page(); read kv.likes[1] at nearest""#;
    let called: String = ["like", "feed", "both", "third", "mixed"].map(from_b).concat();
    let text = store(
        &format!(
            "server.app = {{ at = [\"c\"] }}\n{called}measures = [\"success(both)\", \"mean(like)\", \"mean(feed)\", \"mean(third)\", \"mean(mixed)\"]\n"
        ),
        "async",
        &format!("{programs}\n[on.app]\npage = \"return 1\""),
    );
    let results = results(&text.replace("net    = { latency = \"0ms\" }", "net    = { latency = \"1ms\" }"));
    // The member in b is 1 ms away and what runs the program is on its node; the leader is 10 ms away, the third copy and the server 30 ms.
    let means = ["mean(like)", "mean(feed)", "mean(third)", "mean(mixed)"];
    assert_eq!(means.map(|mean| value(&results, "base", mean)), [0.022, 0.002, 0.062, 0.062]);
    assert_eq!(value(&results, "base", "success(both)"), 1.0, "it reads what it wrote");
}

#[test]
fn a_quorum_coordinates_programs_too_and_one_copy_is_found_from_everywhere() {
    let called = format!("{}measures = [\"mean(like)\", \"mean(kv.programs)\"]\n", from_b("like"));
    let like = "like = \"update kv.likes[1] += 1\"";
    let quorum = results(&store(&called, "quorum(r=2, w=2)", like));
    assert_eq!(
        value(&quorum, "base", "mean(like)"),
        0.040,
        "reads of two copies, then writes of two: 20 ms each"
    );
    // Little's law: 10/s for 59 of 60 s.
    is_near(&quorum, "base", "mean(kv.programs)", 10.0 * 0.040 * 59.0 / 60.0, 1e-6);
    let one = store(&called, "none", like).replace("at = [\"a\", \"b\", \"c\"]", "at = [\"a\"]");
    assert_eq!(value(&results(&one), "base", "mean(like)"), 0.020);
}

/// `cpu` steps stand in line with operations for the cores that the store has.
#[test]
fn cpu_steps_of_a_program_take_the_cores_of_its_member() {
    let called: String = ["alone", "twice", "beside"].map(from_b).concat();
    let entries = format!(
        "{}measures = [\"mean(alone)\", \"mean(twice)\", \"mean(beside)\", \"mean(beside, cause=queue)\"]\n\
         variant.one = {{}}\nvariant.two = {{ db.kv.cores = 2 }}\nvariant.fast = {{ db.kv.speed = \"200%\" }}\n",
        called
            .replace("even(10/s)", "once(1)")
            .replace("workload.twice = {", "workload.twice = { from = \"1s\",")
            .replace("workload.beside = {", "workload.beside = { from = \"2s\",")
    );
    let programs = "alone = \"cpu 10ms\"\ntwice = \"par { cpu 10ms; cpu 10ms }\"\nbeside = \"par { cpu 10ms; read kv.likes[1] }\"";
    let text = store(&entries, "none", programs)
        .replace("at = [\"a\", \"b\", \"c\"]", "at = [\"b\"], cores = 1")
        .replace("read = \"0ms\"", "read = \"10ms\"");
    let results = results(&text);
    let means =
        |variant| ["mean(alone)", "mean(twice)", "mean(beside)"].map(|mean| value(&results, variant, mean));
    assert_eq!(means("one"), [0.010, 0.020, 0.020]);
    assert_eq!(means("two"), [0.010, 0.010, 0.010]);
    assert_eq!(means("fast"), [0.005, 0.010, 0.010]);
    assert_eq!(value(&results, "one", "mean(beside, cause=queue)"), 0.010);
}

/// The member in b is down for the second half of a run; customers who try again ask the next nearest, which is 10 ms away.
#[test]
fn who_gets_no_answer_from_a_member_asks_the_next_nearest() {
    let entries = r#"
policy.once  = { timeout = "50ms" }
policy.again = { timeout = "50ms", retry = "fixed(0ms, times=1)" }
fault.down   = { at = "30s", do = "crash(kv[1])" }
workload.open   = { do = "feed()", arrive = "even(10/s)", zone = "b", with = "once", to = "59s" }
workload.again  = { do = "feed()", arrive = "even(10/s)", zone = "b", with = "again", to = "59s" }
workload.closed = { do = "feed()", arrive = "users(1, think=100ms)", zone = "b", with = "again", to = "59s" }
workload.pages  = { do = "page()", arrive = "even(10/s)", zone = "b", to = "59s" }
server.app = { at = ["b"] }
measures = ["success(open, during=down)", "success(again, during=down)", "p50(again, during=down)", "max(again, during=down)", "success(closed, during=down)", "p50(closed, during=down)", "p99(closed, during=down)", "max(closed, during=down)", "success(pages, during=down)", "p50(pages, during=down)", "max(pages, during=down)"]
"#;
    let programs = "feed = \"read kv.likes[1] at nearest\"\n[on.app]\npage = \"call kv.feed() with again\"";
    let results = results(&store(entries, "async", programs));
    let of = |measure: &str| value(&results, "base", measure);
    assert_eq!(of("success(open, during=down)"), 0.0, "each is a new customer, who knows nothing");
    assert_eq!(of("success(again, during=down)"), 1.0);
    assert_eq!([of("p50(again, during=down)"), of("max(again, during=down)")], [0.070, 0.070]);
    // A user remembers for 5 s, a server until the member is there again: one in about forty requests finds out again, or one in all.
    for caller in ["closed", "pages"] {
        assert_eq!(of(&format!("success({caller}, during=down)")), 1.0, "{caller}");
        let (p50, max) =
            (of(&format!("p50({caller}, during=down)")), of(&format!("max({caller}, during=down)")));
        assert_eq!([p50, max], [0.020, 0.070], "{caller}");
    }
    assert_eq!(of("p99(closed, during=down)"), 0.070);
}

/// Programs crash with their member, and answer again once it is up.
#[test]
fn programs_go_down_and_come_back_with_their_member() {
    let entries = r#"
policy.once   = { timeout = "1s" }
fault.down    = { at = "20s", for = "10s", do = "crash(kv, mode=process)" }
workload.open = { do = "slow()", arrive = "even(100/s)", zone = "b", with = "once", to = "59s" }
measures = ["success(open, during=down)", "success(open, during=after(down, 30s))", "errors(open)", "max(open)", "count(kv.programs)"]
"#;
    let results = results(&store(entries, "async", "slow = \"wait 500ms; return 1\""));
    // Who is refused by one member asks the next two, 50 ms altogether: five of the thousand come to one that is up again.
    assert_eq!(value(&results, "base", "success(open, during=down)"), 0.005);
    assert_eq!(value(&results, "base", "success(open, during=after(down, 30s))"), 1.0);
    // Those that ran when it went down were reset at once: 50 besides the 995 that were refused.
    is_near(&results, "base", "errors(open)", 1_045.0 / 5_900.0, 1.5 / 5_900.0);
    assert_eq!(value(&results, "base", "max(open)"), 0.58, "20 and 60 ms on the ways, and 500 ms");
    assert_eq!(value(&results, "base", "count(kv.programs)"), 0.0, "those that were lost are not under way");
}

/// One user, two app servers in turn, copies that lag: what the user has seen goes with its session from server to server.
#[test]
fn a_session_sees_what_it_has_seen_through_whatever_server() {
    let text = format!(
        "{ZONES}lb.edge = {{ at = [\"c\"], to = \"app\", pick = \"round_robin\" }}\nserver.app = {{ count = 2, at = [\"c\"] }}\n\
         db.kv = {{ at = [\"a\", \"b\", \"c\"], copy = \"async(apply=exp(30ms))\", read = \"0ms\", write = \"0ms\" }}\n\
         workload.users = {{ do = \"turn()\", arrive = \"users(1, think=exp(20ms))\", zone = \"c\", to = \"59s\" }}\n\
         workload.others = {{ do = \"noise(item=uniform(100))\", arrive = \"poisson(10/s)\", to = \"59s\" }}\n\
         measures = [\"count(stale)\", \"count(turns)\", \"mean(turn)\"]\n\
         variant.session = {{}}\nvariant.nearest = {{ workload.users.do = \"near()\" }}\n\
         variant.quorum = {{ db.kv.copy = \"quorum(r=1, w=1)\" }}\n\
         [on.app]\nturn = \"n = call app.seen(); m = call kv.newest(); if n < m {{ tally stale }}; tally turns; call kv.count()\"\n\
         seen = \"n = read kv.rows[1] at session; return n\"\n\
         near = \"n = read kv.rows[1] at nearest; m = call kv.newest(); if n < m {{ tally stale }}; tally turns; call kv.count()\"\n\
         [on.kv]\nnewest = \"n = read kv.rows[1]; return n\"\ncount = \"update kv.rows[1] += 1\"\nnoise = \"update kv.noise[item] += 1\"\n"
    );
    let results = results(&text);
    let of = |variant, measure| value(&results, variant, measure);
    assert_eq!(of("session", "count(stale)"), 0.0);
    assert_eq!(of("quorum", "count(stale)"), 0.0, "all copies are asked, since W is 1");
    assert!(
        of("nearest", "count(stale)") > 0.5 * of("nearest", "count(turns)"),
        "without a session it shows"
    );
    assert!(of("session", "count(turns)") > 300.0);
    assert!(of("session", "mean(turn)") > of("nearest", "mean(near)").max(0.1), "what it costs is waiting");
}
