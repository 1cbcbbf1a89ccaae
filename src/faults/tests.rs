//! Names, timetables, and what is on when faults overlap.

use super::*;
use crate::base::dist::Dist;
use crate::base::ids::{Pid, TierId, ZoneId};
use crate::base::problem::FileId;
use crate::base::time::{Span, Time};
use crate::faults::active::Active;
use crate::faults::plan::{Edge, Planned, agenda, expand};
use crate::faults::target::{Settable, Target, WhoPart};
use crate::sim::cluster::{Cluster, Crash, Effect, EffectId, Order};

const APP: TierId = TierId(0);
const PAGES: TierId = TierId(1);

fn who() -> Who {
    let speed =
        Settable { knob: "speed", takes: Takes::Share { min: 0.001, max: 1000.0 }, design: Some(1.0) };
    let serve = Settable { knob: "serve", takes: Takes::Law, design: None };
    let part = |name: &str, kind, tier, count, zones: &[u8], settable: &[Settable]| WhoPart {
        name: name.to_string(),
        kind,
        tier,
        count,
        zones: zones.iter().map(|zone| ZoneId(*zone)).collect(),
        settable: settable.to_vec(),
    };
    Who {
        parts: vec![
            part("app", "server", APP, 4, &[0, 1], &[speed]),
            part("pages", "cache", PAGES, 1, &[0], &[speed, serve]),
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

fn knobs(pairs: &[(&'static str, Setting)]) -> Knobs {
    Knobs {
        values: pairs.iter().map(|(name, setting)| (*name, (setting.clone(), Some(place())))).collect(),
        ..Knobs::default()
    }
}

fn words(words: &str) -> Setting {
    Setting::Text(words.to_string(), place())
}

/// What `do` of these arguments means, or what is wrong with it.
fn action(form: &'static str, arguments: &[(&'static str, Setting)]) -> Result<Action, String> {
    let mut problems = Problems::default();
    let fault = ALL.iter().find(|fault| fault.form.name == form).expect("a fault");
    match (fault.resolve)(&knobs(arguments), &who(), &mut problems) {
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
        ("b", app(&[1, 3])),
        ("[b, app[1]]", app(&[1, 3])),
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
        ("leader(app)", "`leader(app)` cannot be told before the run in this version"),
        ("", "unknown part or zone ''"),
    ] {
        assert_eq!(pids(target), Err(expected.to_string()), "{target}");
    }
}

#[test]
fn a_knob_is_set_within_its_range_and_with_its_unit() {
    let set = |knob: &str, to: &str| action("set", &[("knob", words(knob)), ("to", words(to))]);
    let of = Target { pids: app(&[0]), ..Target::default() };
    assert_eq!(
        set("app[0].speed", "25%"),
        Ok(Action::Set { of, knob: "speed", value: 0.25, design: Some(1.0) })
    );
    let of = Target { pids: vec![Pid::new(PAGES, 0)], ..Target::default() };
    assert_eq!(set("pages.serve", "3ms"), Ok(Action::Set { of, knob: "serve", value: 3e6, design: None }));
    for (knob, to, expected) in [
        ("app[0].spead", "25%", "`spead` of 'app' cannot be set during a run"),
        ("app[0].speed", "25ms", "`speed` takes a share, `80%`"),
        ("app[0].speed", "0%", "`0%` is out of the range of `speed`"),
        ("speed", "25%", "`speed` names no knob of a part"),
    ] {
        assert_eq!(set(knob, to), Err(expected.to_string()), "{knob} to {to}");
    }
}

#[test]
fn only_caches_are_flushed() {
    assert!(action("flush", &[("of", words("pages"))]).is_ok());
    assert_eq!(action("flush", &[("of", words("app"))]), Err("only a cache can be flushed".to_string()));
}

#[test]
fn a_cut_without_another_side_is_from_everybody_else() {
    let Ok(Action::Network { with, .. }) = action("cut", &[("of", words("a"))]) else { panic!("a cut") };
    assert_eq!(with.expect("the others").zones, vec![ZoneId(1), ZoneId(2)]);
    let all = action("cut", &[("of", words("[a, b, c]"))]);
    assert_eq!(all, Err("there is nobody to be cut off from".to_string()));
}

fn entry(name: &str, at: Option<u64>, every: Option<u64>, lasts: Option<u64>) -> Entry {
    let law = |s: Option<u64>| s.map(|s| Dist::Constant(s as f64 * 1e9));
    let all = vec![(app(&[0, 1, 2, 3]), 1)];
    Entry {
        name: name.to_string(),
        at: law(at),
        every: law(every),
        lasts: law(lasts),
        chance: 1.0,
        momentary: false,
        action: Action::Pause(Target { any: all, ..Target::default() }),
    }
}

fn at(s: u64) -> Time {
    Time::ZERO + Span::from_secs(s)
}

#[test]
fn a_timetable_becomes_a_plan_in_which_nothing_is_left_to_chance() {
    let plan = expand(&[entry("b", Some(5), Some(10), Some(3)), entry("a", Some(15), None, None)], at(30), 7);
    let times: Vec<_> =
        plan.iter().map(|planned| (planned.fault.as_str(), planned.at, planned.until)).collect();
    let expected =
        [("b", at(5), at(8)), ("a", at(15), Time::NEVER), ("b", at(15), at(18)), ("b", at(25), at(28))];
    assert_eq!(times, expected);
    for planned in &plan {
        let Action::Pause(target) = &planned.action else { panic!("a pause") };
        assert!(target.any.is_empty() && target.pids.len() == 1);
    }
    assert!(plan[0].describe(&who()).starts_with("5.000000000 s to 8.000000000 s b: pause app["));
}

#[test]
fn another_fault_more_moves_no_draw_of_the_others() {
    let random = |name: &str| Entry {
        every: Some(Dist::Exponential { mean: 3e9 }),
        ..entry(name, Some(1), None, Some(1))
    };
    let alone = expand(&[random("x")], at(100), 9);
    let both = expand(&[random("w"), random("x")], at(100), 9);
    let of_x: Vec<Planned> = both.into_iter().filter(|planned| planned.fault == "x").collect();
    assert!(alone.len() > 10);
    assert_eq!(alone, of_x);
    assert_ne!(alone, expand(&[random("x")], at(100), 10));
}

#[test]
fn a_chance_is_drawn_for_each_time_and_a_timetable_has_an_end() {
    let rare = Entry { chance: 0.25, ..entry("x", None, Some(1), Some(1)) };
    let plan = expand(&[rare], at(4001), 3);
    assert!((850..1150).contains(&plan.len()), "{}", plan.len());
    assert_eq!(expand(&[entry("x", Some(0), Some(0), None)], at(1), 3).len(), plan::TIMES_MAX);
}

#[test]
fn an_entry_says_when_and_a_moment_has_no_length() {
    let flush = Setting::Form("flush", knobs(&[("of", words("pages"))]));
    let second = Setting::Law(Dist::Constant(1e9));
    let complaints = |more: &[(&'static str, Setting)]| {
        let mut problems = Problems::default();
        let mut all = vec![("do", flush.clone()), ("chance", Setting::Number(1.0))];
        all.extend_from_slice(more);
        let entry = resolve("x", &knobs(&all), &who(), &mut problems);
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

/// Writes down what is done to it.
#[derive(Default)]
struct Diary(Vec<String>, u32);

impl Cluster for Diary {
    fn crash(&mut self, pid: Pid, how: Crash) {
        self.0.push(format!("crash {} {how:?}", pid.member));
    }
    fn restart(&mut self, pid: Pid) {
        self.0.push(format!("restart {}", pid.member));
    }
    fn pause(&mut self, pid: Pid) {
        self.0.push(format!("pause {}", pid.member));
    }
    fn resume(&mut self, pid: Pid) {
        self.0.push(format!("resume {}", pid.member));
    }
    fn order(&mut self, pid: Pid, order: Order) {
        self.0.push(match order {
            Order::Flush => format!("flush {}", pid.member),
            Order::Set { knob, value } => format!("{knob} {} = {value}", pid.member),
            Order::Reset { knob } => format!("{knob} {} as designed", pid.member),
        });
    }
    fn trouble(&mut self, _: Effect) -> EffectId {
        self.1 += 1;
        self.0.push(format!("trouble {}", self.1));
        EffectId(self.1)
    }
    fn lift(&mut self, effect: EffectId) {
        self.0.push(format!("lift {}", effect.0));
    }
}

/// What is done when these happen from one second to another.
fn diary(planned: &[(u64, u64, Action)]) -> Vec<String> {
    let plan: Vec<Planned> = planned
        .iter()
        .map(|(from, to, action)| Planned {
            fault: "x".into(),
            at: at(*from),
            until: at(*to),
            action: action.clone(),
        })
        .collect();
    let (mut active, mut diary) = (Active::default(), Diary::default());
    for (_, edge, index) in agenda(&plan, at(1000)) {
        match edge {
            Edge::Begin => active.begin(index, &plan[index], &mut diary),
            Edge::End => active.end(index, &plan[index], &mut diary),
        }
    }
    diary.0
}

fn one() -> Target {
    Target { pids: app(&[0]), ..Target::default() }
}

#[test]
fn a_process_that_two_faults_crashed_starts_again_when_both_are_over() {
    let crash = Action::Crash(one(), Crash::Machine);
    assert_eq!(diary(&[(1, 5, crash.clone()), (2, 9, crash.clone())]), ["crash 0 Machine", "restart 0"]);
    assert_eq!(diary(&[(1, 2, crash.clone()), (2, 9, crash)]).len(), 4, "ends come before beginnings");
}

#[test]
fn a_pause_ends_only_itself() {
    let (pause, crash) = (Action::Pause(one()), Action::Crash(one(), Crash::Process));
    assert_eq!(
        diary(&[(1, 7, pause.clone()), (2, 3, crash), (4, 9, pause)]),
        ["pause 0", "crash 0 Process", "restart 0", "pause 0", "resume 0"],
        "the first pause died with the process"
    );
}

#[test]
fn the_latest_set_that_is_on_holds_even_over_a_restart() {
    let set = |value| Action::Set { of: one(), knob: "speed", value, design: Some(1.0) };
    assert_eq!(
        diary(&[(1, 9, set(0.5)), (2, 4, set(0.25)), (5, 6, Action::Crash(one(), Crash::Machine))]),
        [
            "speed 0 = 0.5",
            "speed 0 = 0.25",
            "speed 0 = 0.5",
            "crash 0 Machine",
            "restart 0",
            "speed 0 = 0.5",
            "speed 0 = 1"
        ]
    );
    let law = Action::Set { of: one(), knob: "serve", value: 3.0, design: None };
    assert_eq!(diary(&[(1, 2, law)]), ["serve 0 = 3", "serve 0 as designed"]);
}

#[test]
fn troubles_of_the_network_are_lifted_one_by_one() {
    let cut = |a: u8, b: u8| Action::Network {
        of: Target { zones: vec![ZoneId(a)], ..Target::default() },
        with: Some(Target { zones: vec![ZoneId(b)], ..Target::default() }),
        trouble: plan::Trouble::Cut,
    };
    assert_eq!(
        diary(&[(1, 5, cut(0, 1)), (2, 3, cut(0, 1))]),
        ["trouble 1", "trouble 2", "trouble 3", "trouble 4", "lift 3", "lift 4", "lift 1", "lift 2"]
    );
}
