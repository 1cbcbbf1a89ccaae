//! From timetables and moments to plans.

use super::*;
use crate::faults::plan::{Occurrence, TIMES_MAX};
use crate::faults::schedule::Schedule;
use crate::faults::target::Pick;
use crate::faults::trigger::Trigger;

fn entry(name: &str, at: Option<u64>, every: Option<u64>, lasts: Option<u64>) -> FaultEntry {
    let distribution = |s: Option<u64>| s.map(|s| Dist::Constant(s as f64 * 1e9));
    let all = Pick { words: "any(app, 1)".into(), of: app(&[0, 1, 2, 3]), role: None, n: Some(1) };
    FaultEntry {
        name: name.to_string(),
        at: distribution(at).map(When::Distribution),
        every: distribution(every),
        lasts: distribution(lasts),
        chance: 1.0,
        momentary: false,
        action: Action::Pause(Target { picks: vec![all], ..Target::default() }),
    }
}

/// The whole plan of these faults, roles aside.
fn expand(entries: &[FaultEntry], horizon: Time, key: u64) -> Vec<Occurrence> {
    let mut entries = entries.to_vec();
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    let mut schedule = Schedule::new(entries.into(), horizon, key);
    while schedule.next().is_some() {
        schedule.step(None);
    }
    schedule.plan_so_far()
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
        assert!(target.picks.is_empty() && target.pids.len() == 1);
    }
    assert!(plan[0].describe(&who()).starts_with("5.000000000 s to 8.000000000 s b: pause app["));
}

#[test]
fn another_fault_more_moves_no_draw_of_the_others() {
    let random = |name: &str| FaultEntry {
        every: Some(Dist::Exponential { mean: 3e9 }),
        ..entry(name, Some(1), None, Some(1))
    };
    let alone = expand(&[random("x")], at(100), 9);
    let both = expand(&[random("w"), random("x")], at(100), 9);
    let of_x: Vec<Occurrence> = both.into_iter().filter(|planned| planned.fault == "x").collect();
    assert!(alone.len() > 10);
    assert_eq!(alone, of_x);
    assert_ne!(alone, expand(&[random("x")], at(100), 10));
}

#[test]
fn a_chance_is_drawn_for_each_time_and_a_timetable_has_an_end() {
    let rare = FaultEntry { chance: 0.25, ..entry("x", None, Some(1), Some(1)) };
    let plan = expand(&[rare], at(4001), 3);
    assert!((850..1150).contains(&plan.len()), "{}", plan.len());
    let without_end = entry("x", Some(0), Some(0), None);
    assert_eq!(expand(std::slice::from_ref(&without_end), at(1), 3).len(), TIMES_MAX);
    let overdone = |entries: &[FaultEntry]| {
        let mut schedule = Schedule::new(entries.into(), at(10), 3);
        while schedule.next().is_some() {
            schedule.step(None);
        }
        schedule.overdone().map(str::to_owned)
    };
    assert_eq!(overdone(&[without_end]), Some("x".to_string()));
    let x = entry("x", Some(1), None, Some(1));
    assert_eq!(overdone(&[x.clone(), waiting("y", during("x"), Some(0), None)]), Some("y".to_string()));
    assert_eq!(overdone(&[x.clone(), waiting("y", during("x"), Some(1), None)]), None);
    let all = FaultEntry { every: Some(Dist::Constant(1e5)), ..entry("x", Some(0), None, None) };
    assert_eq!(overdone(&[all]), None, "just as many as there may be");
}

fn waiting(name: &str, when: When, every: Option<u64>, lasts: Option<u64>) -> FaultEntry {
    FaultEntry { at: Some(when), ..entry(name, None, every, lasts) }
}

fn during(fault: &str) -> When {
    When::During(Trigger::Fault(fault.to_string()))
}

/// From when to when each fault is on, in seconds; up to the end is 0.
fn stretches(entries: &[FaultEntry], horizon: u64) -> Vec<(String, u64, u64)> {
    let seconds = |time: Time| if time == Time::NEVER { 0 } else { time.as_ns() / 1_000_000_000 };
    let plan = expand(entries, at(horizon), 7);
    plan.into_iter().map(|planned| (planned.fault, seconds(planned.at), seconds(planned.until))).collect()
}

#[test]
fn a_fault_may_wait_for_another() {
    let x = entry("x", Some(10), Some(20), Some(5));
    for (other, expected) in [
        (waiting("y", during("x"), None, None), vec![(10, 15), (30, 35)]),
        (waiting("y", during("x"), None, Some(8)), vec![(10, 18), (30, 38)]),
        (
            waiting("y", during("x"), Some(2), Some(1)),
            vec![(10, 11), (12, 13), (14, 15), (30, 31), (32, 33), (34, 35)],
        ),
        (waiting("y", When::After("x".into(), Span::ZERO), None, Some(2)), vec![(15, 17), (35, 37)]),
        (waiting("y", When::After("x".into(), Span::from_secs(5)), None, None), vec![(20, 0)]),
        (
            waiting("y", When::After("x".into(), Span::from_secs(1)), Some(10), Some(2)),
            vec![(16, 18), (26, 28), (36, 38)],
        ),
    ] {
        let stretches = stretches(&[x.clone(), other], 40);
        let of_y: Vec<_> =
            stretches.into_iter().filter(|one| one.0 == "y").map(|one| (one.1, one.2)).collect();
        // Beyond 35 s both ends of x repeat it; each instant once.
        assert_eq!(of_y, expected);
    }
}

#[test]
fn what_overlaps_itself_is_one_moment() {
    let x = entry("x", Some(10), Some(4), Some(5)); // on from 10 s on without a gap
    let all = stretches(&[x, waiting("y", during("x"), None, None)], 30);
    assert_eq!(all.iter().filter(|one| one.0 == "y").collect::<Vec<_>>(), [&("y".to_string(), 10, 0)]);
}

#[test]
fn chains_of_faults_are_followed() {
    let all = stretches(
        &[
            entry("a", Some(3), None, Some(2)),
            waiting("b", When::After("a".into(), Span::from_secs(1)), None, Some(4)),
            waiting("c", during("b"), None, None),
        ],
        100,
    );
    assert_eq!(all, [("a".to_string(), 3, 5), ("b".to_string(), 6, 10), ("c".to_string(), 6, 10)]);
}

fn election() -> Trigger {
    Trigger::Election { part: "kv".into(), first: Pid::new(KV, 0), led: LED }
}

#[test]
fn a_moment_begins_when_somebody_stands_or_nobody_leads_and_ends_when_one_leads() {
    let crash = FaultEntry {
        action: Action::Crash(Target { pids: kv(&[4]), ..Target::default() }, Crash::Machine),
        ..waiting("x", When::During(election()), None, None)
    };
    let mut diary = Diary::default();
    let mut schedule = Schedule::new(vec![crash].into(), at(100), 7);
    let mut tell = |s: u64, leaders: &[u32], standing: i64| {
        (diary.leaders, diary.standing) = (leaders.to_vec(), standing);
        schedule.notice(at(s), &diary);
        while schedule.next() == Some(at(s)) {
            schedule.step(Some(&mut diary));
        }
        assert_eq!(schedule.next(), None);
    };
    tell(0, &[1], 0);
    tell(10, &[1], 1); // the leader is cut off, and somebody stands
    tell(11, &[1], 2);
    tell(12, &[1, 2], 0);
    tell(20, &[2], 0);
    tell(30, &[], 0); // the leader is gone
    tell(31, &[], 1);
    tell(32, &[3], 0);
    assert_eq!(diary.lines, ["crash 4 Machine", "restart 4", "crash 4 Machine", "restart 4"]);
    let plan = schedule.plan_so_far();
    let told: Vec<_> = plan.iter().map(|planned| planned.describe(&who())).collect();
    assert_eq!(
        told,
        [
            "10.000000000 s to 12.000000000 s x: crash the machine of kv[4]",
            "30.000000000 s to 32.000000000 s x: crash the machine of kv[4]"
        ]
    );
}

#[test]
fn roles_are_looked_up_when_a_fault_begins_and_stand_in_the_plan() {
    let crash = |target: &str| {
        let who = [("who", words(target)), ("mode", Setting::Word("machine"))];
        FaultEntry { action: action("crash", &who).expect("a crash"), ..entry("x", Some(1), None, Some(1)) }
    };
    for (target, leaders, expected) in [
        ("leader(kv)", &[3][..], &[3][..]),
        ("leader(kv)", &[1, 3], &[1, 3]),
        ("leader(kv)", &[], &[]),
        ("followers(kv)", &[3], &[0, 1, 4]), // 2 is down
        ("followers(kv[1..3])", &[3], &[1]),
        ("any(followers(kv), 2)", &[0, 3], &[1, 4]),
        ("[kv[2], leader(kv)]", &[3], &[2, 3]),
    ] {
        let mut diary = Diary { leaders: leaders.to_vec(), down: vec![2], ..Diary::default() };
        let mut schedule = Schedule::new(vec![crash(target)].into(), at(100), 7);
        schedule.step(Some(&mut diary));
        let Action::Crash(struck, _) = &schedule.plan_so_far()[0].action else { panic!("a crash") };
        let mut members: Vec<u32> = struck.pids.iter().map(|pid| pid.member).collect();
        members.sort_unstable();
        assert_eq!((members.as_slice(), struck.picks.len()), (expected, 0), "{target}");
        if expected.is_empty() {
            let told = schedule.plan_so_far()[0].describe(&who());
            assert_eq!(told, "1.000000000 s to 2.000000000 s x: crash the machine of nobody");
        }
        // a plan that was resolved does the same again, whoever leads then
        let mut again = Diary { leaders: vec![4], ..Diary::default() };
        Schedule::of_plan(schedule.plan_so_far(), at(100)).step(Some(&mut again));
        assert_eq!(again.lines, diary.lines, "{target}");
    }
    let chosen = |seed| {
        let mut diary = Diary::default();
        Schedule::new(vec![crash("any(followers(kv), 1)")].into(), at(100), seed).step(Some(&mut diary));
        diary.lines
    };
    assert!((2..30).any(|seed| chosen(seed) != chosen(1)), "which follower depends on the seed");
}

#[test]
fn what_waits_for_nothing_or_for_itself_is_told() {
    let after = |fault: &str| When::After(fault.to_string(), Span::ZERO);
    let flush = FaultEntry { momentary: true, ..entry("f", Some(1), None, None) };
    for (entries, expected) in [
        (vec![waiting("x", after("y"), None, None)], vec!["unknown fault 'y'"]),
        (vec![waiting("x", during("x"), None, None)], vec!["'x' waits for itself"]),
        (
            vec![waiting("x", after("y"), None, Some(1)), waiting("y", during("x"), None, None)],
            vec!["'x' waits for itself", "'y' waits for itself"],
        ),
        (
            // z waits for a cycle without being of it
            vec![
                waiting("x", during("y"), None, None),
                waiting("y", during("x"), None, None),
                waiting("z", during("x"), None, None),
            ],
            vec!["'x' waits for itself", "'y' waits for itself"],
        ),
        (
            vec![flush.clone(), waiting("x", during("f"), None, None)],
            vec!["'f' is over in a moment: nothing happens during it"],
        ),
        (vec![flush, waiting("x", after("f"), None, None)], vec![]),
        (
            vec![entry("e", Some(1), None, None), waiting("x", after("e"), None, None)],
            vec!["'e' lasts to the end of the run: nothing comes after it"],
        ),
        (vec![entry("e", Some(1), None, None), waiting("x", during("e"), None, None)], vec![]),
    ] {
        let mut problems = Problems::default();
        let places = vec![None; entries.len()];
        plan::check(&entries, &places, &mut problems);
        let told: Vec<_> = problems.0.into_iter().map(|problem| problem.message).collect();
        assert_eq!(told, expected);
    }
}

#[test]
fn a_moment_is_read_or_what_is_wrong_with_it_told() {
    let read = |form: &'static str, words_: &str| {
        let parameters = match form {
            "during" => parameters(&[("moment", words(words_))]),
            _ => parameters(&[("fault", words(words_)), ("span", Setting::Span(Span::from_secs(5)))]),
        };
        let mut problems = Problems::default();
        let at = self::parameters(&[("at", Setting::Constructor(form, parameters))]);
        let when = When::of(&at, &who(), &mut problems);
        when.ok_or_else(|| problems.0.into_iter().map(|problem| problem.message).collect::<String>())
    };
    assert_eq!(read("during", "election(kv)"), Ok(When::During(election())));
    assert_eq!(read("during", "split"), Ok(during("split")));
    assert_eq!(read("after", "split"), Ok(When::After("split".into(), Span::from_secs(5))));
    for (moment, expected) in [
        ("electon(kv)", "there is no moment `electon`"),
        ("election(vk)", "unknown part 'vk'"),
        ("election(app)", "nobody is elected in 'app', a server"),
    ] {
        assert_eq!(read("during", moment), Err(expected.to_string()));
    }
}
