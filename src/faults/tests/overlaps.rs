//! What is on when faults overlap.

use super::*;
use crate::faults::plan::Occurrence;
use crate::faults::schedule::Schedule;

fn at(s: u64) -> Time {
    Time::ZERO + Span::from_secs(s)
}

/// What is done when these happen from one second to another.
fn diary(planned: &[(u64, u64, Action)]) -> Vec<String> {
    let plan: Vec<Occurrence> = planned
        .iter()
        .map(|(from, to, action)| Occurrence {
            fault: "x".into(),
            at: at(*from),
            until: at(*to),
            action: action.clone(),
        })
        .collect();
    let (mut schedule, mut diary) = (Schedule::of_plan(plan, at(1000)), Diary::default());
    while schedule.next().is_some() {
        schedule.step(Some(&mut diary));
    }
    diary.lines
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
    let set = |value| Action::Set { of: one(), parameter: "speed", value, design: Some(1.0) };
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
    let distribution = Action::Set { of: one(), parameter: "serve", value: 3.0, design: None };
    assert_eq!(diary(&[(1, 2, distribution)]), ["serve 0 = 3", "serve 0 as designed"]);
}

#[test]
fn impairments_of_the_network_are_lifted_one_by_one() {
    let zone = |zone: u8| Target { zones: vec![ZoneId(zone)], ..Target::default() };
    let cut = |a: u8, b: u8| Action::Network {
        ways: Ways::Between(zone(a), Some(zone(b))),
        impairment: Impairment::Cut,
    };
    assert_eq!(
        diary(&[(1, 5, cut(0, 1)), (2, 3, cut(0, 1))]),
        ["trouble 1", "trouble 2", "trouble 3", "trouble 4", "lift 3", "lift 4", "lift 1", "lift 2"]
    );
}

#[test]
fn drains_and_clocks_are_taken_back_one_by_one() {
    let clock = |jump_ns, drift_ppb| Action::Clock { of: one(), jump_ns, drift_ppb };
    assert_eq!(
        diary(&[(1, 5, clock(2, 0)), (2, 9, clock(0, 3)), (3, 4, Action::Drain(one()))]),
        [
            "clock 1 of 0: 2 ns, 0 ppb",
            "clock 2 of 0: 0 ns, 3 ppb",
            "drain 0",
            "undrain 0",
            "clock 1 of 0 right",
            "clock 2 of 0 right"
        ]
    );
}

#[test]
fn a_fault_of_no_length_leaves_nothing_behind() {
    assert_eq!(diary(&[(1, 1, Action::Pause(one()))]), ["pause 0", "resume 0"]);
}
