//! What copies show, and when.

use super::*;

fn sees(world: &World, lines: usize) -> Vec<Option<Result<i64, Reason>>> {
    told(world, lines).into_iter().map(|told| told.map(|told| told.1)).collect()
}

/// 2 ms there, 1 ms on disk, 2 ms to the copy, 1 ms on its disk, 20 ms to apply, 2 ms back, 2 ms back.
#[test]
fn an_acknowledgement_that_says_applied_is_sent_when_it_is() {
    for (ack, at) in [(Ack::Receive, 109), (Ack::Flush, 110), (Ack::Apply, 130)] {
        let plan = Plan { ack, apply: Some(ms(20.0)), ..synchronous(3) };
        let script = vec![write(100, 0, 7), peek(122, 1), peek(124, 2), peek(128, 0), peek(126, 0)];
        let mut world = world(1, script, plan, 3);
        until(&mut world, 300);
        assert_eq!(told(&world, 1), [Some((at, Ok(7)))], "{ack:?}");
        let seen = told(&world, 5);
        // A copy has it from 126 on, whatever is acknowledged.
        assert_eq!(seen[1..3], [Some((126, Ok(0))), Some((128, Ok(7)))], "{ack:?}");
        // The leader has had the acknowledgements by 128 under `apply`, 20 ms before that under the others.
        let led = if ack == Ack::Apply {
            [Some((132, Ok(7))), Some((130, Ok(0)))]
        } else {
            [Some((132, Ok(7))), Some((130, Ok(7)))]
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
        let base =
            Plan { rule, ack: if rule == Rule::Leader { Ack::Flush } else { Ack::Apply }, ..synchronous(3) };
        let plan = Plan { apply: Some(ms(20.0)), ..base };
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
