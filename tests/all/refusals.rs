//! Why requests fail and where, and that each part counts what it refuses: the sum of its refusals is what its callers saw.

use std::collections::BTreeMap;

use splitbrain::design::render::render;
use splitbrain::experiment::results::Results;
use splitbrain::experiment::{Overrides, load};

use crate::support::{Files, experiment, run};

/// An `app` whose `work` is called for a second, and time for everything to end.
fn results(design: &str, programs: &str, measures: &str) -> Results {
    let text = format!(
        "length = \"40s\"\nnet = {{ latency = \"0s\" }}\nmeasures = [{measures}]\n\
         server.app = {{ cores = \"unlimited\", threads = \"unlimited\" }}\n\
         workload.callers = {{ do = \"work()\", arrive = \"even(40/s)\", to = \"1s\" }}\n{design}\n[on.app]\n{programs}\n"
    );
    run(&experiment("tests/refusals.toml", &text, &Overrides::default()), 1)
}

fn of(results: &Results, name: &str) -> f64 {
    let known = &results.cells[0].measures;
    let measure = known.get(name).unwrap_or_else(|| panic!("{name} is not among {:?}", known.keys()));
    measure.mean.unwrap_or_else(|| panic!("{name}: {:?}", measure.note))
}

/// Why and where the requests of `work` failed, and how many.
fn seen(results: &Results) -> BTreeMap<(String, String), u64> {
    let rows = results.cells[0].failures.get("work").into_iter().flatten();
    rows.map(|row| ((row.reason.clone(), row.part.clone()), row.requests)).collect()
}

/// What the callers saw is one refusal, and the part has counted each of them.
fn counts(design: &str, programs: &str, series: &str, reason: &str) {
    let results = results(design, programs, &format!("\"{series}\""));
    let part = series.split('.').next().unwrap_or_default();
    let (seen, counted) = (seen(&results), of(&results, series));
    let refused = seen.get(&(reason.to_owned(), part.to_owned())).copied().unwrap_or(0);
    assert!(refused > 0, "{design}: nobody was refused: {seen:?}");
    assert_eq!(seen.len(), 1, "{design}: {seen:?}");
    assert_eq!(counted, refused as f64, "{design}: {series}");
}

const COPIES: [&str; 6] = [
    "none",
    "async",
    "sync(of=2)",
    "raft(election=uniform(150ms, 300ms))",
    "quorum(r=2, w=2)",
    "multi_leader",
];

/// A store of that copy mode.
fn store(copy: &str, parameters: &str) -> String {
    let copies = if copy == "none" { "" } else { "copies = 3, " };
    format!(
        "db.shop = {{ {copies}copy = \"{copy}\", start = {{ rows = \"each(1, keys=1)\" }}, {parameters} }}"
    )
}

const READ: &str = "work = \"n = read shop.rows[1]\"";
const UPDATE: &str = "work = \"update shop.rows[1] += 1\"";

#[test]
fn a_full_pool_counts_what_it_turns_away_whosever_it_is() {
    for copy in COPIES {
        for pool in [
            "pool(n=1, queue=0)",
            "pool(n=1, queue=1, timeout=10ms)",
            "pool(n=1, per=all, queue=0)",
            "pool(n=1, per=all, queue=1, timeout=10ms)",
        ] {
            let design = store(copy, &format!("read = \"50ms\", pool = \"{pool}\""));
            counts(&design, READ, "shop.rejected", "pool");
        }
    }
}

#[test]
fn a_store_without_a_place_for_an_operation_counts_it_as_rejected() {
    for copy in COPIES.into_iter().filter(|copy| !copy.starts_with("quorum")) {
        let design = store(copy, "read = \"50ms\", write = \"50ms\", cores = 1, queue = 0");
        for program in [READ, UPDATE] {
            counts(&design, program, "shop.rejected", "overloaded");
        }
    }
    let beside = "[on.shop]\nserve = \"cpu 50ms\"";
    let programs = format!("work = \"call shop.serve()\"\n{beside}");
    counts(&store("none", "cores = 1, queue = 0"), &programs, "shop.rejected", "overloaded");
}

#[test]
fn what_a_store_takes_in_it_counts_once_and_what_it_rejects_not_at_all() {
    for copy in COPIES {
        for (program, series) in [(READ, "shop.reads"), (UPDATE, "shop.updates")] {
            let free = results(&store(copy, ""), program, &format!("\"{series}\""));
            assert_eq!((seen(&free).len(), of(&free, series)), (0, 40.0), "{copy}: {series}");
            let full = store(copy, "read = \"50ms\", write = \"50ms\", pool = \"pool(n=1, queue=0)\"");
            let full = results(&full, program, &format!("\"{series}\", \"shop.rejected\""));
            assert_eq!(of(&full, series) + of(&full, "shop.rejected"), 40.0, "{copy}: {series}");
        }
        if !copy.starts_with("quorum") {
            let full = store(copy, "read = \"50ms\", cores = 1, queue = 0");
            let full = results(&full, READ, "\"shop.reads\", \"shop.rejected\"");
            assert_eq!(of(&full, "shop.reads") + of(&full, "shop.rejected"), 40.0, "{copy}");
        }
    }
}

#[test]
fn a_copy_of_a_quorum_that_has_no_place_says_nothing_and_counts_that_apart() {
    // Two coordinators, each in a zone of its own: the core of a copy is busy with what the other one asked.
    let text = "length = \"40s\"\nnet = { latency = \"0s\" }\nmeasures = [\"shop.rejected\", \"shop.dropped\"]\n\
                zone.a = {}\nzone.b = {}\nzone.c = {}\n\
                db.shop = { at = [\"a\", \"b\", \"c\"], copy = \"quorum(r=3, w=2)\", read = \"200ms\", cores = 1, queue = 0, \
                start = { rows = \"each(1, keys=1)\" } }\n\
                server.app = { at = [\"a\", \"b\"], count = 2, threads = \"unlimited\" }\n\
                workload.here = { do = \"work()\", arrive = \"even(4/s)\", to = \"1s\", zone = \"a\" }\n\
                workload.there = { do = \"work()\", arrive = \"even(3/s)\", to = \"1s\", zone = \"b\" }\n\
                [on.app]\nwork = \"n = read shop.rows[1]\"\n";
    let results = run(&experiment("tests/refusals.toml", text, &Overrides::default()), 1);
    let seen = seen(&results);
    let of_shop = |reason: &str| seen.get(&(reason.to_owned(), "shop".to_owned())).copied().unwrap_or(0);
    assert!(of(&results, "shop.dropped") > 0.0 && of_shop("timeout") > 0, "{seen:?}");
    // the coordinator itself had no place for these
    assert_eq!(of(&results, "shop.rejected"), of_shop("overloaded") as f64);
}

#[test]
fn servers_balancers_caches_externals_and_locks_count_what_they_refuse() {
    let back = "server.back = { threads = 1, queue = 0 }";
    let programs = "work = \"call back.serve()\"\n[on.back]\nserve = \"wait 50ms\"";
    counts(back, programs, "back.refused", "overloaded");
    // a balancer refuses nothing itself, and hides nobody
    counts(&format!("{back}\nlb.edge = {{ to = \"back\" }}"), programs, "back.refused", "overloaded");
    let cache = "cache.pages = { serve = \"50ms\", cores = 1, queue = 0 }";
    counts(cache, "work = \"drop pages[1]\"", "pages.rejected", "overloaded");
    let call = "work = \"call bank\"";
    counts("external.bank = { reply = \"5ms\", limit = \"10/s\" }", call, "bank.rejected", "overloaded");
    counts("external.bank = { reply = \"5ms\", errors = \"30%\" }", call, "bank.errors", "error");
    let seat = "lock.seat = { in = \"shop\", patience = \"100ms\" }";
    for copy in ["none", "async", "raft(election=uniform(150ms, 300ms))"] {
        let design = format!("{}\n{seat}", store(copy, ""));
        counts(&design, "work = \"hold seat[1] { wait 50ms }\"", "seat.given_up", "held");
    }
}

#[test]
fn transactions_that_a_store_aborts_are_counted_by_why() {
    let tx =
        "work = \"\"\"tx shop {\n n = read shop.rows[1]\n wait 60ms\n write shop.rows[1] = n + 1\n}\"\"\"";
    for copy in ["none", "async", "raft(election=uniform(150ms, 300ms))"] {
        counts(&store(copy, "isolation = \"snapshot\""), tx, "shop.conflicts", "conflict");
        let locked = "work = \"\"\"tx shop {\n update shop.rows[1] += 1\n wait 60ms\n}\"\"\"";
        counts(&store(copy, "lock_wait = \"20ms\""), locked, "shop.lock_timeouts", "lock_timeout");
    }
}

#[test]
fn a_failure_is_told_with_the_part_where_it_came_about_through_all_calls() {
    let three = "server.mid = {}\nserver.back = {}\nexternal.bank = { reply = \"2s\" }\npolicy.quick = { timeout = \"100ms\" }";
    let programs = |last: &str| {
        format!(
            "work = \"call mid.serve()\"\n[on.mid]\nserve = \"call back.pay()\"\n[on.back]\npay = \"{last}\""
        )
    };
    for (last, reason, part) in [
        ("call bank with quick", "timeout", "bank"),
        ("fail broke", "broke", "back"),
        ("n = 0; m = 1 / n", "arithmetic", "back"),
        ("call bank with quick else fail no_money", "no_money", "back"),
        ("par { wait 1ms; call bank with quick }", "timeout", "bank"),
    ] {
        let results = results(three, &programs(last), "\"errors(work)\", \"errors(pay)\"");
        assert_eq!(seen(&results), BTreeMap::from([((reason.to_owned(), part.to_owned()), 40)]), "{last}");
    }
    let down =
        format!("{three}\nfault.out = {{ at = \"0s\", for = \"10s\", do = \"crash(back, mode=process)\" }}");
    let out = results(&down, &programs("wait 1ms"), "\"errors(work, part=back)\"");
    assert_eq!(seen(&out), BTreeMap::from([(("unreachable".to_owned(), "back".to_owned()), 40)]));
    assert_eq!(of(&out, "errors(work, part=back)"), 1.0);
}

const SALE: &str = "db.shop = { start = { stock = \"each(30, keys=1)\" } }";
const ORDER: &str = "work = \"update shop.stock[1] -= 1 when >= 1 else fail sold_out\"";

#[test]
fn an_expected_answer_is_left_out_of_availability_and_stands_in_the_list() {
    let measures = "\"success(work)\", \"errors(work)\", \"goodput(work) * 40s\", \"errors(work, reason=sold_out)\", \
                    \"errors(work, reason=timeout)\"";
    for (answers, [success, errors], answer) in [("", [0.75, 0.25], false), ("sold_out", [1.0, 0.0], true)] {
        let text = format!(
            "length = \"40s\"\nmeasures = [{measures}]\nserver.app = {{ threads = \"unlimited\" }}\n{SALE}\n\
             {}workload.callers = {{ do = \"work()\", arrive = \"even(40/s)\", to = \"1s\" }}\n[on.app]\n{ORDER}\n",
            if answers.is_empty() { String::new() } else { format!("answers = [\"{answers}\"]\n") }
        );
        let results = run(&experiment("tests/refusals.toml", &text, &Overrides::default()), 1);
        assert_eq!([of(&results, "success(work)"), of(&results, "errors(work)")], [success, errors]);
        assert_eq!(of(&results, "goodput(work) * 40s"), 30.0);
        assert_eq!(of(&results, "errors(work, reason=sold_out)"), 0.25, "declared or not");
        assert_eq!(of(&results, "errors(work, reason=timeout)"), 0.0);
        let rows = &results.cells[0].failures["work"];
        assert_eq!(rows.len(), 1);
        assert_eq!(
            (rows[0].reason.as_str(), rows[0].part.as_str(), rows[0].requests),
            ("sold_out", "app", 10)
        );
        assert_eq!((rows[0].share, rows[0].answer), (0.25, answer));
    }
}

#[test]
fn names_that_no_program_says_are_told_with_the_nearest() {
    let told = |text: &str| {
        let files = Files(BTreeMap::from([("tests/refusals.toml".to_owned(), text.to_owned())]));
        match load(&files, "tests/refusals.toml", &Overrides::default()) {
            Ok(_) => panic!("it loads: {text}"),
            Err((sources, problems)) => render(&sources, &problems, false),
        }
    };
    let design = format!(
        "server.app = {{}}\n{SALE}\nworkload.callers = {{ do = \"work()\", arrive = \"even(40/s)\" }}\n[on.app]\n{ORDER}\n"
    );
    let measured = told(&format!("length = \"1s\"\nmeasures = [\"errors(work, reason=sold_ot)\"]\n{design}"));
    assert!(measured.contains("no request fails for the reason `sold_ot`"), "{measured}");
    assert!(measured.contains("did you mean `sold_out`?") && measured.contains("`timeout`"), "{measured}");
    let declared = told(&format!("length = \"1s\"\nanswers = [\"sold_ot\"]\n{design}"));
    assert!(declared.contains("no program says `fail sold_ot`"), "{declared}");
    assert!(declared.contains("did you mean `sold_out`?"), "{declared}");
}
