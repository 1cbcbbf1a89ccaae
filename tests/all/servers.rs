//! What programs mean on servers: who waits for what, what a call costs that nobody waits for any more, where retries
//! live. The network takes no time and nothing is left to chance, so every number can be computed by hand.

use splitbrain::experiment::Overrides;
use splitbrain::experiment::results::Results;

use crate::support::{experiment, run};

/// `app` in front of `back`, and whatever the case adds.
fn results(design: &str, programs: &str, measures: &str) -> Results {
    let text = format!(
        "length = \"2s\"\nnet = {{ latency = \"0s\" }}\nmeasures = [\"errors(page)\", \"success(page)\", {measures}]\n{design}\n[on.app]\n{programs}\n"
    );
    run(&experiment("tests/servers.toml", &text, &Overrides::default()), 1)
}

fn of(results: &Results, name: &str) -> f64 {
    let known = &results.cells[0].measures;
    let measure = known.get(name).unwrap_or_else(|| panic!("{name} is not among {:?}", known.keys()));
    measure.mean.unwrap_or_else(|| panic!("{name}: {:?}", measure.note))
}

fn near(value: f64, expected: f64) {
    assert!((value - expected).abs() < 1e-9, "{value}, not {expected}");
}

#[test]
fn a_thread_is_held_for_the_whole_program_and_a_core_only_while_it_works() {
    let three = |server: &str| {
        let design = format!(
            "server.app = {{ {server} }}\nworkload.crowd = {{ do = \"page()\", arrive = \"once(3)\" }}"
        );
        let results =
            results(&design, "page = \"cpu 1ms; wait 10ms\"", "\"p0(page)\", \"p50(page)\", \"max(page)\"");
        ["p0(page)", "p50(page)", "max(page)"].map(|name| of(&results, name))
    };
    let [first, second, third] = three("cores = 1, threads = 1");
    near(first, 0.011);
    near(second, 0.022);
    near(third, 0.033);
    let [first, second, third] = three("cores = 1, threads = \"unlimited\"");
    near(first, 0.011);
    near(second, 0.012);
    near(third, 0.013);
}

#[test]
fn what_finds_neither_thread_nor_place_in_the_queue_is_refused() {
    let design = "server.app = { cores = 1, threads = 1, queue = 2 }\nworkload.crowd = { do = \"page()\", arrive = \"once(5)\" }";
    let results = results(design, "page = \"cpu 1ms\"", "\"app.refused\", \"mean(crowd, cause=queue)\"");
    near(of(&results, "success(page)"), 0.6);
    near(of(&results, "app.refused"), 2.0);
    near(of(&results, "mean(crowd, cause=queue)"), 0.003 / 3.0); // of those who got in
}

#[test]
fn a_call_that_was_given_up_runs_to_its_end_and_its_answer_is_late() {
    let design = "server.app = { threads = \"unlimited\" }\nserver.back = { cores = 1, threads = \"unlimited\" }\n\
                  policy.quick = { timeout = \"5ms\" }\nworkload.crowd = { do = \"page()\", arrive = \"once(4)\" }";
    let programs = "page = \"call back.work() with quick else fail gone\"\n[on.back]\nwork = \"cpu 20ms\"";
    let results =
        results(design, programs, "\"late(work)\", \"mean(back.busy)\", \"max(page, outcome=any)\"");
    near(of(&results, "max(page, outcome=any)"), 0.005);
    near(of(&results, "errors(page)"), 1.0);
    near(of(&results, "late(work)"), 4.0);
    // four times 20 ms of two seconds: nobody wanted them, and they were done all the same
    near(of(&results, "mean(back.busy)"), 0.080 / 2.0);
}

#[test]
fn retries_stand_on_the_callers_edge_and_latency_counts_from_the_first_start() {
    let design = "server.app = { threads = \"unlimited\" }\npolicy.again = { timeout = \"10ms\", retry = \"fixed(5ms, times=2)\" }\n\
                  workload.crowd = { do = \"page()\", arrive = \"once(1)\", with = \"again\" }";
    let slow = results(
        design,
        "page = \"tally tried; wait 1s\"",
        "\"count(tried)\", \"mean(crowd, outcome=failed)\", \"mean(crowd, cause=retry, outcome=failed)\"",
    );
    near(of(&slow, "count(tried)"), 3.0);
    near(of(&slow, "mean(crowd, outcome=failed)"), 0.040);
    near(of(&slow, "errors(page)"), 1.0);
    // all but the last attempt is the price of trying again
    near(of(&slow, "mean(crowd, cause=retry, outcome=failed)"), 0.030);
    let once = results(design, "page = \"tally tried; wait 1ms\"", "\"count(tried)\"");
    near(of(&once, "count(tried)"), 1.0);
    // what the request itself brought about is not tried again
    let failing = results(
        design,
        "page = \"tally tried; fail never\"",
        "\"count(tried)\", \"mean(crowd, outcome=any)\"",
    );
    near(of(&failing, "count(tried)"), 1.0);
    near(of(&failing, "mean(crowd, outcome=any)"), 0.0);
}

#[test]
fn branches_run_at_once_and_a_race_is_over_when_one_succeeds() {
    let design = "server.app = { threads = \"unlimited\" }\nserver.back = { cores = \"unlimited\", threads = \"unlimited\" }\n\
                  workload.crowd = { do = \"page()\", arrive = \"once(1)\" }";
    for (page, ms, ok) in [
        ("par { call back.work(30); call back.work(10) }", 30.0, 1.0),
        ("call back.work(30); call back.work(10)", 40.0, 1.0),
        ("race { call back.work(30); call back.work(10) }", 10.0, 1.0),
        ("race { call back.broken(10); call back.work(30) }", 30.0, 1.0),
        ("race { call back.broken(10); call back.broken(30) }", 30.0, 0.0),
        ("par { call back.broken(10); call back.work(30) }", 30.0, 0.0),
        ("par each 5 as i { call back.work(i) }", 4.0, 1.0),
        ("each 5 as i { call back.work(i) }", 10.0, 1.0),
        ("call back.broken(10) else { wait 5ms }", 15.0, 1.0),
    ] {
        let programs = format!(
            "page = \"{page}\"\n[on.back]\nwork = \"wait 1ms * ms\"\nbroken = \"wait 1ms * ms; fail broken\""
        );
        let results = results(design, &programs, "\"mean(crowd, outcome=any)\"");
        let (time, success) = (of(&results, "mean(crowd, outcome=any)"), of(&results, "success(page)"));
        assert!((time - ms / 1e3).abs() < 1e-9 && success == ok, "{page}: {time} s, {success}");
    }
}

#[test]
fn what_runs_on_a_server_that_crashes_is_gone_and_its_callers_learn_of_it() {
    for (mode, ms) in [("process", 5.0), ("machine", 50.0)] {
        let design = format!(
            "server.app = {{ threads = \"unlimited\" }}\npolicy.client = {{ timeout = \"50ms\" }}\n\
             fault.down = {{ at = \"5ms\", for = \"10ms\", do = \"crash(app, mode={mode})\" }}\n\
             workload.before = {{ do = \"page()\", arrive = \"once(2)\", with = \"client\" }}\n\
             workload.after = {{ do = \"page()\", arrive = \"once(2)\", with = \"client\", from = \"20ms\" }}"
        );
        let results = results(
            &design,
            "page = \"wait 20ms\"",
            "\"max(before, outcome=any)\", \"errors(before)\", \"success(after)\"",
        );
        near(of(&results, "max(before, outcome=any)"), ms / 1e3);
        near(of(&results, "errors(before)"), 1.0);
        near(of(&results, "success(after)"), 1.0);
    }
}

#[test]
fn a_failure_of_arithmetic_fails_the_request_and_no_more() {
    let design = "server.app = { threads = \"unlimited\" }\n\
                  workload.crowd = { do = \"page(item=sequence(4))\", arrive = \"even(100/s)\" }";
    // one in four divides by zero; all but one in four are beyond 64 bits
    for (program, errors) in [("x = 12 / (item - 1)", 0.25), ("x = item * 9223372036854775807", 0.75)] {
        let results = results(design, &format!("page = \"{program}\""), "\"count(page)\"");
        near(of(&results, "errors(page)"), errors);
        near(of(&results, "count(page)"), 200.0);
    }
}

/// Members in two zones, 40 ms apart: without a load balancer nobody crosses the ocean unless nobody is nearer, neither for a server nor for a
/// dependency, nor to reach a load balancer; what is behind that may be anywhere.
#[test]
fn who_calls_asks_members_in_the_nearest_zone() {
    let of_design = |more: &str, from: &str| {
        let text = format!(
            r#"
length = "2s"
measures = ["p0(page)", "max(page)"]
zone = {{ a = {{}}, b = {{}}, c = {{}} }}
net = {{ latency = "1ms" }}
link = {{ "a b" = {{ latency = "40ms" }}, "a c" = {{ latency = "60ms" }}, "b c" = {{ latency = "50ms" }} }}
server.app = {{ at = ["a", "b"], count = 4, threads = "unlimited" }}
external.bank = {{ at = ["b", "a"], count = 2, reply = "5ms" }}
workload.crowd = {{ do = "page()", arrive = "once(200)", zone = "{from}" }}
{more}
[on.app]
page = "call bank"
"#
        );
        let results = run(&experiment("tests/servers.toml", &text, &Overrides::default()), 1);
        [of(&results, "p0(page)"), of(&results, "max(page)")]
    };
    for (from, there) in [("a", 0.001), ("b", 0.001), ("c", 0.050)] {
        let [least, most] = of_design("", from);
        near(least, 2.0 * there + 0.007);
        near(most, 2.0 * there + 0.007);
    }
    let [least, most] = of_design("lb.edge = { to = \"app\", at = [\"a\", \"b\"], count = 2 }", "b");
    near(least, 0.002 + 0.002 + 0.007);
    near(most, 0.002 + 0.080 + 0.007);
}

/// One member stands still for half a second of two: it does a quarter less of what both share.
#[test]
fn a_member_has_figures_of_its_own() {
    let design = "server.app = { count = 2, cores = 1, threads = \"unlimited\" }\nlb.front = { to = \"app\", pick = \"round_robin\" }\n\
                  workload.crowd = { do = \"page()\", arrive = \"even(100/s)\" }\nfault.down = { at = \"1s\", do = \"crash(app[1])\" }";
    let asked = [
        "util(app)",
        "util(app[0])",
        "util(app[1])",
        "app.served",
        "app[0].served",
        "app[1].served",
        "mean(app[1].busy)",
        "max(app[1].busy)",
        "rate(app[1].served, during=1s..2s)",
    ];
    let quoted = asked.map(|name| format!("\"{name}\"")).join(", ");
    let results = results(design, "page = \"cpu 1ms\"", &quoted);
    let of = |name: &str| of(&results, name);
    near(of("app.served"), of("app[0].served") + of("app[1].served"));
    near(of("app[1].served"), 50.0); // every other one of the first second's hundred
    near(of("util(app[1])"), 0.05 / 2.0);
    near(of("mean(app[1].busy)"), 0.05 / 2.0);
    near(of("max(app[1].busy)"), 1.0);
    near(of("rate(app[1].served, during=1s..2s)"), 0.0);
    near(of("util(app)"), (of("util(app[0])") + of("util(app[1])")) / 2.0);
}
