//! Names and forms; what there is to fail, and a cluster that writes down what is done to it.

mod overlaps;
mod timetables;

use super::*;
use crate::base::dist::Dist;
use crate::base::ids::{Pid, SeriesId, TierId, ZoneId};
use crate::base::parameter::Setting;
use crate::base::problem::{FileId, Place};
use crate::base::time::{Span, Time};
use crate::faults::action::{Action, Impairment};
use crate::faults::target::{Led, Settable, Target, WhoPart};
use crate::faults::ways::Ways;
use crate::sim::cluster::{ClockImpairmentId, Cluster, Crash, Effect, EffectId, Order};

const APP: TierId = TierId(0);
const PAGES: TierId = TierId(1);
const KV: TierId = TierId(2);
const LED: Led = Led { leaders: SeriesId(0), standing: SeriesId(1) };

fn who() -> Who {
    let speed = Settable {
        parameter: "speed",
        takes: ParameterType::Share { min: 0.001, max: 1000.0 },
        design: Some(1.0),
    };
    let serve = Settable { parameter: "serve", takes: ParameterType::Distribution, design: None };
    let errors = Settable {
        parameter: "errors",
        takes: ParameterType::Share { min: 0.0, max: 1.0 },
        design: Some(0.01),
    };
    let part = |name: &str, kind, tier, count, zones: &[u8], settable: &[Settable]| WhoPart {
        name: name.to_string(),
        kind,
        caches: kind == "cache",
        tier,
        count,
        zones: zones.iter().map(|zone| ZoneId(*zone)).collect(),
        settable: settable.to_vec(),
        led: (kind == "db").then_some(LED),
    };
    Who {
        parts: vec![
            part("app", "server", APP, 4, &[0, 1], &[speed]),
            part("pages", "cache", PAGES, 1, &[0], &[speed, serve]),
            part("kv", "db", KV, 5, &[0, 1, 2], &[speed]),
            part("bank", "external", TierId(3), 1, &[2], &[speed, errors]),
        ],
        zones: vec!["a".into(), "b".into(), "c".into()],
    }
}

fn place() -> Place {
    Place { file: FileId(0), bytes: 0..1 }
}

fn app(members: &[u32]) -> Vec<Pid> {
    members.iter().map(|member| Pid::new(APP, *member)).collect()
}

fn kv(members: &[u32]) -> Vec<Pid> {
    members.iter().map(|member| Pid::new(KV, *member)).collect()
}

fn parameters(pairs: &[(&'static str, Setting)]) -> Parameters {
    Parameters {
        values: pairs.iter().map(|(name, setting)| (*name, (setting.clone(), Some(place())))).collect(),
        ..Parameters::default()
    }
}

fn words(words: &str) -> Setting {
    Setting::Text(words.to_string(), place())
}

/// What `do` of these arguments means, or what is wrong with it.
fn action(form: &'static str, arguments: &[(&'static str, Setting)]) -> Result<Action, String> {
    let mut problems = Problems::default();
    let fault = ALL.iter().find(|fault| fault.form.name == form).expect("a fault");
    match (fault.resolve)(&parameters(arguments), &who(), &mut problems) {
        Some(action) if problems.is_empty() => Ok(action),
        _ => Err(problems.0.into_iter().map(|problem| problem.message).collect::<Vec<_>>().join("; ")),
    }
}

fn pids(target: &str) -> Result<Vec<Pid>, String> {
    match action("pause", &[("who", words(target))])? {
        Action::Pause(target) => Ok(target.pids),
        other => panic!("{other:?}"),
    }
}

#[test]
fn targets_are_parts_members_zones_and_lists_of_these() {
    for (target, expected) in [
        ("app[1]", app(&[1])),
        ("app[1..2]", app(&[1, 2])),
        ("app", app(&[0, 1, 2, 3])),
        ("[app[0], app[2..3]]", app(&[0, 2, 3])),
        ("b", [app(&[1, 3]), kv(&[1, 4])].concat()),
        ("[b, app[1]]", [app(&[1, 3]), kv(&[1, 4])].concat()),
    ] {
        assert_eq!(pids(target), Ok(expected), "{target}");
    }
    for (target, expected) in [
        ("ap", "unknown part or zone 'ap'"),
        ("app[4]", "'app' has no member [4]"),
        ("app[2..1]", "'app' has no member [2..1]"),
        ("app[x", "'app' has no member [x]"),
        ("any(app)", "`any` takes a part and how many of its members"),
        ("any(app, 5)", "'app' has 4 members"),
        ("leader(app)", "nobody leads 'app', a server"),
        ("leader(any(kv, 1))", "`leader(any(kv, 1))` names no part that somebody could lead"),
        ("any([app, leader(kv)], 1)", "`[app, leader(kv)]` is too much for `any` to choose from"),
        ("any(leader(kv), 6)", "'leader(kv)' has 5 members"),
        ("leder(kv)", "`leder` is no way to name members"),
        ("", "unknown part or zone ''"),
    ] {
        assert_eq!(pids(target), Err(expected.to_string()), "{target}");
    }
}

#[test]
fn a_parameter_is_set_within_its_range_and_with_its_unit() {
    let set = |parameter: &str, to: &str| action("set", &[("knob", words(parameter)), ("to", words(to))]);
    let of = Target { pids: app(&[0]), ..Target::default() };
    assert_eq!(
        set("app[0].speed", "25%"),
        Ok(Action::Set { of, parameter: "speed", value: 0.25, design: Some(1.0) })
    );
    let of = Target { pids: vec![Pid::new(PAGES, 0)], ..Target::default() };
    assert_eq!(
        set("pages.serve", "3ms"),
        Ok(Action::Set { of, parameter: "serve", value: 3e6, design: None })
    );
    for (parameter, to, expected) in [
        ("app[0].spead", "25%", "`spead` of 'app' cannot be set during a run"),
        ("app[0].speed", "25ms", "`speed` takes a share, `80%`"),
        ("app[0].speed", "0%", "`0%` is out of the range of `speed`"),
        ("speed", "25%", "`speed` names no parameter of a part"),
    ] {
        assert_eq!(set(parameter, to), Err(expected.to_string()), "{parameter} to {to}");
    }
}

#[test]
fn only_caches_are_flushed() {
    assert!(action("flush", &[("of", words("pages"))]).is_ok());
    assert_eq!(action("flush", &[("of", words("app"))]), Err("only a cache can be flushed".to_string()));
}

#[test]
fn a_cut_without_another_side_is_from_everybody_else() {
    let cut = action("cut", &[("of", words("a"))]);
    let Ok(Action::Network { ways: Ways::Between(_, with), .. }) = cut else { panic!("a cut") };
    assert_eq!(with.expect("the others").zones, vec![ZoneId(1), ZoneId(2)]);
    let all = action("cut", &[("of", words("[a, b, c]"))]);
    assert_eq!(all, Err("there is nobody to be cut off from".to_string()));
    let itself = action("cut", &[("of", words("kv[0]")), ("from", words("kv[0]"))]);
    assert_eq!(itself, Err("there is no link between a node and itself".to_string()));
}

/// Who does not hear whom, by number, of members of kv.
fn deaf(seed: u64, form: &'static str, arguments: &[(&'static str, Setting)]) -> Vec<String> {
    let action = action(form, arguments).unwrap_or_else(|why| panic!("{why}"));
    let action = action.draw(&mut crate::base::rng::Draws::new(seed)).resolve(&Diary::default());
    let zone = |member: u32| ZoneId(member as u8 % 3);
    let heard = |from: u32, to: u32| {
        let mut network = crate::sim::cluster::Network::flat(1, Default::default());
        action.effects().into_iter().for_each(|effect| _ = network.add(effect));
        let end = |member: u32| crate::sim::cluster::End { pid: Pid::new(KV, member), zone: zone(member) };
        network.admits(end(from), end(to))
    };
    (0..5u32)
        .map(|to| (0..5).filter(|from| !heard(*from, to)).map(|from| from.to_string()).collect())
        .collect()
}

#[test]
fn cuts_have_the_shape_that_they_are_named_after() {
    let of = |target: &str| ("of", words(target));
    for (form, arguments, expected) in [
        ("cut", vec![of("kv[0]"), ("from", words("kv[1..2]"))], ["12", "0", "0", "", ""]),
        ("cut", vec![of("b")], ["14", "023", "14", "14", "023"]),
        ("one_way", vec![of("kv[0]"), ("to", words("[kv[1], c]"))], ["", "0", "0", "", ""]),
        ("isolate", vec![("who", words("kv[1..2]"))], ["12", "0234", "0134", "12", "12"]),
        ("partition_bridge", vec![of("kv")], ["34", "34", "", "01", "01"]),
        ("partition_bridge", vec![of("kv[0..3]")], ["3", "3", "", "01", ""]),
        ("partition_bridge", vec![of("kv"), ("over", words("kv[0]"))], ["", "34", "34", "12", "12"]),
        ("partition_bridge", vec![of("kv"), ("over", words("leader(kv)"))], ["34", "", "34", "02", "02"]),
        ("partition_ring", vec![of("kv")], ["23", "34", "04", "01", "12"]),
        ("partition_ring", vec![of("kv[1..4]")], ["", "3", "4", "1", "2"]),
    ] {
        assert_eq!(deaf(1, form, &arguments), expected, "{form} {arguments:?}");
    }
    let drawn: Vec<_> = (0..30).map(|seed| deaf(seed, "partition_ring", &[of("any(kv, 5)")])).collect();
    for drawn in &drawn {
        assert!(drawn.iter().all(|deaf| deaf.len() == 2), "everybody hears a majority: {drawn:?}");
    }
    assert!(drawn.iter().any(|drawn| *drawn != ["23", "34", "04", "01", "12"]), "in another order");
}

#[test]
fn faults_say_what_does_not_fit() {
    let number = Setting::Number;
    for (form, arguments, expected) in [
        ("partition_bridge", vec![("of", words("kv[0..1]"))], "a bridge between halves of 2 members"),
        (
            "partition_bridge",
            vec![("of", words("kv[0..2]")), ("over", words("kv[3]"))],
            "the bridge is one of the members",
        ),
        (
            "partition_bridge",
            vec![("of", words("kv")), ("over", words("kv[0..1]"))],
            "the bridge is one of the members",
        ),
        ("partition_ring", vec![("of", words("kv[0..2]"))], "a ring of 3 members, who are all neighbours"),
        (
            "one_way",
            vec![("of", words("kv[0]")), ("to", words("kv[0]"))],
            "there is no link between a node and itself",
        ),
        ("skew", vec![("who", words("kv")), ("by", words("5/s"))], "a clock jumps by a time, not by `5/s`"),
        (
            "skew",
            vec![("who", words("kv")), ("by", words("900000h"))],
            "`900000h` is too far for a clock: at most 100 years",
        ),
        (
            "error",
            vec![("of", words("app")), ("share", number(0.5))],
            "`errors` of 'app' cannot be set during a run",
        ),
        (
            "set",
            vec![("knob", words("[app, kv].speed")), ("to", words("5%"))],
            "a parameter of 'app' and 'kv' at once",
        ),
    ] {
        assert_eq!(action(form, &arguments), Err(expected.to_string()), "{form} {arguments:?}");
    }
}

#[test]
fn a_plan_says_what_happens() {
    let of = |target: &str| ("of", words(target));
    let who_ = |target: &str| ("who", words(target));
    let half = || ("share", Setting::Number(0.5));
    for (form, arguments, expected) in [
        (
            "crash",
            vec![who_("leader(kv)"), ("mode", Setting::Word("process"))],
            "crash the process leader(kv)",
        ),
        ("pause", vec![who_("any(followers(kv), 2)")], "pause any(followers(kv), 2)"),
        ("drain", vec![who_("app[0]")], "drain app[0]"),
        ("skew", vec![who_("kv[0]"), ("by", words("-2s"))], "set the clock of kv[0] -2.00 s"),
        (
            "drift",
            vec![who_("kv[0]"), ("by", Setting::Number(2e-4))],
            "let the clock of kv[0] drift +200 ppm",
        ),
        ("error", vec![of("bank"), half()], "set errors of bank to 0.5"),
        ("loss", vec![of("a"), half()], "lose 50% of packets between a and everybody"),
        ("cut", vec![of("kv[1]"), ("from", words("kv"))], "cut between kv[1] and kv[0], kv[2], kv[3], kv[4]"),
        ("one_way", vec![of("a"), ("to", words("kv[1]"))], "cut from a to kv[1]"),
        (
            "partition_bridge",
            vec![of("kv")],
            "cut between kv[0], kv[1] and kv[3], kv[4], with kv[2] between them",
        ),
        ("duplicate", vec![of("a"), half()], "duplicate 50% of datagrams between a and everybody"),
        (
            "reorder",
            vec![of("a"), half(), ("window", Setting::Span(Span::from_ms(20)))],
            "hold 50% of datagrams back for up to 20.0 ms between a and everybody",
        ),
    ] {
        assert_eq!(action(form, &arguments).map(|action| action.describe(&who())), Ok(expected.to_string()));
    }
}

#[test]
fn an_entry_says_when_and_a_moment_has_no_length() {
    let flush = Setting::Constructor("flush", parameters(&[("of", words("pages"))]));
    let second = Setting::Distribution(Dist::Constant(1e9));
    let complaints = |more: &[(&'static str, Setting)]| {
        let mut problems = Problems::default();
        let mut all = vec![("do", flush.clone()), ("chance", Setting::Number(1.0))];
        all.extend_from_slice(more);
        let entry = resolve("x", &parameters(&all), &who(), &mut problems);
        assert_eq!(entry.is_some(), problems.is_empty());
        problems.0.into_iter().map(|problem| problem.message).collect::<Vec<_>>()
    };
    assert!(complaints(&[("at", second.clone())]).is_empty());
    assert_eq!(complaints(&[]), ["'x' never happens"]);
    assert_eq!(
        complaints(&[("at", second.clone()), ("for", second.clone())]),
        ["`flush` is over in a moment and has no `for`"]
    );
}

/// Writes down what is done to it. Member 1 of kv leads until `leaders` says otherwise.
struct Diary {
    lines: Vec<String>,
    effects: u32,
    leaders: Vec<u32>,
    down: Vec<u32>,
    /// How many stand for election.
    standing: i64,
}

impl Default for Diary {
    fn default() -> Self {
        Diary { lines: Vec::new(), effects: 0, leaders: vec![1], down: Vec::new(), standing: 0 }
    }
}

impl Cluster for Diary {
    fn crash(&mut self, pid: Pid, how: Crash) {
        self.lines.push(format!("crash {} {how:?}", pid.member));
    }
    fn restart(&mut self, pid: Pid) {
        self.lines.push(format!("restart {}", pid.member));
    }
    fn pause(&mut self, pid: Pid) {
        self.lines.push(format!("pause {}", pid.member));
    }
    fn resume(&mut self, pid: Pid) {
        self.lines.push(format!("resume {}", pid.member));
    }
    fn drain(&mut self, pid: Pid) {
        self.lines.push(format!("drain {}", pid.member));
    }
    fn undrain(&mut self, pid: Pid) {
        self.lines.push(format!("undrain {}", pid.member));
    }
    fn skew(&mut self, pid: Pid, jump_ns: i64, drift_ppb: i64) -> ClockImpairmentId {
        self.effects += 1;
        self.lines.push(format!("clock {} of {}: {jump_ns} ns, {drift_ppb} ppb", self.effects, pid.member));
        ClockImpairmentId(self.effects)
    }
    fn clear(&mut self, pid: Pid, id: ClockImpairmentId) {
        self.lines.push(format!("clock {} of {} right", id.0, pid.member));
    }
    fn order(&mut self, pid: Pid, order: Order) {
        self.lines.push(match order {
            Order::Flush => format!("flush {}", pid.member),
            Order::ClockSet => unreachable!("no fault orders that"),
            Order::Set { parameter, value } => format!("{parameter} {} = {value}", pid.member),
            Order::Reset { parameter } => format!("{parameter} {} as designed", pid.member),
            Order::Drain => unreachable!("no fault gives it"),
        });
    }
    fn impairment(&mut self, _: u64, _: Effect) -> EffectId {
        self.effects += 1;
        self.lines.push(format!("trouble {}", self.effects));
        EffectId(self.effects)
    }
    fn lift(&mut self, effect: EffectId) {
        self.lines.push(format!("lift {}", effect.0));
    }
    fn is_there(&self, _: Pid) -> bool {
        true
    }
    fn is_up(&self, pid: Pid) -> bool {
        !self.down.contains(&pid.member)
    }
    fn is_leader(&self, pid: Pid) -> bool {
        self.leaders.contains(&pid.member)
    }
    fn level(&self, series: SeriesId) -> i64 {
        if series == LED.leaders { self.leaders.len() as i64 } else { self.standing }
    }
}
