//! What copies show, and when.

use super::*;

fn sees(world: &World, lines: usize) -> Vec<Option<Result<i64, Reason>>> {
    told(world, lines).into_iter().map(|told| told.map(|told| told.1)).collect()
}

/// 2 ms there, 1 ms on disk, 2 ms to the copy, 1 ms on its disk, 20 ms to apply, 2 ms back, 2 ms back.
#[test]
fn an_acknowledgement_that_says_applied_is_sent_when_it_is() {
    for (ack, at) in [(Ack::Receive, 109), (Ack::Flush, 110), (Ack::Apply, 130)] {
        let plan = LeaderPlan { ack, apply: PerCopy::all(ms(20.0)), ..synchronous(3) };
        let script = vec![write(100, 0, 7), peek(122, 1), peek(124, 2), peek(128, 0), peek(125, 0)];
        let mut world = world(1, script, plan, 3);
        until(&mut world, 300);
        assert_eq!(told(&world, 1), [Some((at, Ok(7)))], "{ack:?}");
        let seen = told(&world, 5);
        // A copy has it from 126 on, whatever is acknowledged.
        assert_eq!(seen[1..3], [Some((126, Ok(0))), Some((128, Ok(7)))], "{ack:?}");
        // The leader has had the acknowledgements by 128 under `apply`, 20 ms before that under the others.
        let led = if ack == Ack::Apply {
            [Some((132, Ok(7))), Some((129, Ok(0)))]
        } else {
            [Some((132, Ok(7))), Some((129, Ok(7)))]
        };
        assert_eq!(seen[3..], led, "{ack:?}");
    }
}

#[test]
fn a_copy_shows_what_nobody_has_acknowledged_and_the_leader_does_not() {
    let script = vec![write(600, 0, 2), peek(700, 1), read(700, 0), peek(700, 0)];
    for (plan, at_copy) in [(synchronous(3), 2), (raft(), 2)] {
        let mut world = world(1, script.clone(), plan.clone(), 3);
        until(&mut world, 500);
        cut(&mut world, &[2], 3);
        until(&mut world, 900);
        let led = if plan.rule == Rule::Majority { 2 } else { 0 };
        assert_eq!(
            sees(&world, 4)[1..],
            [Some(Ok(at_copy)), Some(Ok(led)), Some(Ok(led))],
            "{:?}",
            plan.rule
        );
    }
    // Under `raft` what a majority lacks is shown by nobody.
    let mut world = world(1, script, raft(), 3);
    until(&mut world, 500);
    cut(&mut world, &[0], 3);
    until(&mut world, 700);
    assert_eq!(sees(&world, 4)[1], None);
}

/// Of five, two have an entry that the other three, who go on without them, never had.
#[test]
fn what_a_copy_has_shown_may_be_lost() {
    let script = vec![write(600, 0, 2), peek(700, 1), write(3_000, 3, 3), peek(5_500, 1)];
    let mut world = world(1, script, synchronous(3), 5);
    until(&mut world, 500);
    let effects = cut(&mut world, &[0, 1], 5);
    until(&mut world, 4_000);
    heal(&mut world, effects);
    until(&mut world, 6_000);
    assert_eq!(sees(&world, 4)[1..], [Some(Ok(2)), Some(Ok(3)), Some(Ok(3))]);
    assert_eq!(values(&world), [3; 5]);
}

/// Under `ack = apply` a copy that restarts is not read before it shows again what it has said that it shows.
#[test]
fn a_copy_that_restarts_shows_what_it_showed() {
    for rule in [Rule::Copies(3), Rule::Leader] {
        let base = LeaderPlan {
            rule,
            ack: if rule == Rule::Leader { Ack::Flush } else { Ack::Apply },
            ..synchronous(3)
        };
        let plan = LeaderPlan { apply: PerCopy::all(ms(20.0)), ..base };
        let mut script: Vec<_> = (0..5).map(|n| write(100 + 100 * n, 0, n as i64 + 1)).collect();
        script.extend([peek(650, 1), peek(750, 1), peek(750, 0), read(750, 0)]);
        let mut world = world(1, script, plan, 3);
        until(&mut world, 700);
        for member in [0, 1] {
            world.crash(copy(member), Crash::Process);
            world.restart(copy(member));
        }
        until(&mut world, 1_000);
        let seen = sees(&world, 9);
        assert_eq!(seen[5..], [Some(Ok(5)); 4], "{rule:?}");
    }
}

/// The last acknowledgement is not yet told to the copies when their leader fails: whoever is next shows what it acknowledged.
#[test]
fn a_new_leader_shows_all_that_the_last_one_acknowledged() {
    let mut script = vec![write(600, 0, 2)];
    script.extend((0..60).map(|n| read(620 + 50 * n, 1 + n as u32 % 2)));
    let lines = script.len();
    let mut world = world(1, script, synchronous(2), 3);
    until(&mut world, 611);
    assert_eq!(sees(&world, 1), [Some(Ok(2))]);
    world.crash(copy(0), Crash::Machine);
    until(&mut world, 6_000);
    let seen: Vec<i64> = sees(&world, lines).into_iter().skip(1).filter_map(|seen| seen?.ok()).collect();
    assert!(seen.len() > 20 && seen.iter().all(|n| *n == 2), "{seen:?}");
}

/// All entries sit a lag out at once, and a copy's applier takes one after the other: 42 changes a second of 200 ms.
#[test]
fn a_lag_has_no_line_and_a_cost_has_one() {
    let writes = |from: u64| (0..420).map(move |n| write(from + n * 1000 / 42, 0, n as i64 + 1));
    let lines =
        || writes(1_000).chain([peek(6_000, 1), peek(11_300, 1), peek(11_300, 2)]).collect::<Vec<_>>();
    let seen = |plan| {
        let mut world = world(1, lines(), plan, 3);
        until(&mut world, 12_000);
        let behind = total(&world, StoreSeries::Applied as u16);
        let seen: Vec<i64> = sees(&world, 423)[420..].iter().map(|seen| seen.unwrap().unwrap()).collect();
        (seen, behind)
    };
    let lag = PerCopy::all(ms(200.0));
    // At 6.002 s it shows what reached the leader at 5.802 s: 4.8 s of 42 a second, and the first.
    assert_eq!(seen(LeaderPlan { lag: lag.clone(), ..asynchronous() }).0, [202, 420, 420]);
    let (cost, applied) = seen(LeaderPlan { apply: lag, ..asynchronous() });
    assert_eq!((cost, applied), (vec![24, 51, 51], 2 * 55), "five a second of 42");
}

#[test]
fn each_copy_has_a_pace_of_its_own() {
    let parameters = |text: &str| {
        let distributions: Vec<_> = text.split(' ').map(|ns| ms(ns.parse().expect("a number"))).collect();
        PerCopy::each(distributions)
    };
    let script = vec![write(100, 0, 7), peek(200, 1), peek(200, 2), peek(600, 2)];
    for plan in [
        LeaderPlan { lag: parameters("0 0 250"), ..asynchronous() },
        LeaderPlan { apply: parameters("0 0 250"), ..asynchronous() },
    ] {
        let mut world = world(1, script.clone(), plan, 3);
        until(&mut world, 700);
        assert_eq!(sees(&world, 4), [7, 7, 0, 7].map(|n| Some(Ok(n))));
    }
}

/// What its sender had no turn to send dies with the leader; what it had sent is there.
#[test]
fn what_has_not_left_dies_with_its_leader() {
    let mut counts = Vec::new();
    for send in [None, Some(ms(1.0)), Some(ms(100.0))] {
        let script: Lines = (0..1_000).map(|n| write(1_000 + n, 0, n as i64 + 1)).collect();
        let mut lost = 0;
        for seed in 0..20 {
            let plan = LeaderPlan { send: send.clone(), ..asynchronous() };
            let mut world = world(seed, script.clone(), plan, 3);
            until(&mut world, 1_500 + 17 * seed);
            world.crash(copy(0), Crash::Process);
            until(&mut world, 6_000);
            let acknowledged = sees(&world, 1_000).into_iter().flatten().filter(Result::is_ok).count() as i64;
            lost += (acknowledged - values(&world)[1]).max(0);
        }
        counts.push(lost as f64 / 20.0);
    }
    // Of 1000/s: none; up to 2 less those whose answers the crash has overtaken; half of what comes in 100 ms.
    assert_eq!(counts[0], 0.0);
    assert!(counts[1] <= 1.0, "{counts:?}");
    assert!((counts[2] - 48.0).abs() < 12.0, "{counts:?}");
}

/// The leader and a copy show what a failover takes back: who read it there has read what never was.
#[test]
fn reads_of_what_is_lost_are_counted() {
    let mut script = vec![write(600, 0, 2)];
    script.extend((0..4).map(|n| peek(700 + n, 1)));
    script.extend([read(710, 0), peek(720, 2), write(3_000, 3, 3), peek(5_500, 1)]);
    for (plan, dirty) in [(synchronous(3), 4), (asynchronous(), 5)] {
        let mut world = world(1, script.clone(), plan.clone(), 5);
        until(&mut world, 500);
        let effects = cut(&mut world, &[0, 1], 5);
        until(&mut world, 4_000);
        heal(&mut world, effects);
        until(&mut world, 6_000);
        assert_eq!(total(&world, StoreSeries::DirtyReads as u16), dirty, "{:?}", plan.rule);
        assert_eq!(values(&world), [3; 5]);
    }
    // Without a failover nothing is lost.
    let mut world = world(1, script, synchronous(3), 5);
    until(&mut world, 6_000);
    assert_eq!(total(&world, StoreSeries::DirtyReads as u16), 0);
}
