//! Leases and the two clocks of a node: they hold as long as all clocks run at about one rate, whatever rate that is and whatever time
//! the wall clocks show.

use super::*;

/// A lease of 145 ms, and nobody who has heard a leader stands or votes before 150 ms: clocks may differ by 3 %. Two draws that
/// are less apart than a message takes (2 ms) split the vote of the two who are left, so the range is many times that (Ongaro 2014, section 9.3).
fn leased() -> LeaderPlan<Tables> {
    let election = Election::Drawn(Dist::Uniform { low: 150e6, high: 200e6, step: None });
    LeaderPlan { lease: Some(Span::from_ms(145)), ..plan(Rule::Majority, election) }
}

/// Of ten runs a lease is broken in some, if it can be: how long the others wait before they stand is drawn.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=10;

/// The leader is cut off at 500 ms, with clients on both sides. Whether it shows an old value after its successor has acknowledged a new
/// one, and how many reads it answered after the cut.
fn lies(seed: u64, rates_percent: [u64; 3], jumps_s: [i64; 3]) -> (bool, usize) {
    let later: Vec<u64> = (500..1_500).step_by(5).collect();
    let mut script = vec![write(100, 0, 1)];
    script.extend(later.iter().map(|ms| write(*ms, 1, 2)));
    script.extend(later.iter().map(|ms| read(*ms, 0)));
    let lines = script.len();
    let mut world = world(seed, script, leased(), 3);
    let drift = |percent: u64| (percent as i64 - 100) * 10_000_000;
    (0..3).for_each(|member| _ = world.skew(copy(member as u32), 0, drift(rates_percent[member])));
    until(&mut world, 500);
    let effects = cut(&mut world, &[0], 3);
    (0..3).for_each(|member| _ = world.skew(copy(member as u32), jumps_s[member] * 1_000_000_000, 0));
    until(&mut world, 1_600);
    heal(&mut world, effects);
    until(&mut world, 4_000);
    let told = told(&world, lines);
    assert_eq!(told[0].map(|told| told.1), Some(Ok(1)));
    let (writes, reads) = told[1..].split_at(later.len());
    let acknowledged = writes.iter().flatten().filter(|told| told.1.is_ok()).map(|told| told.0).min();
    let acknowledged = acknowledged.expect("somebody leads the others");
    assert!(acknowledged < 1_500, "{acknowledged}");
    let asked = later.iter().zip(reads).filter_map(|(ms, told)| Some((*ms, (*told)?)));
    let shown: Vec<u64> = asked.filter(|(_, told)| told.1 == Ok(1)).map(|(ms, _)| ms).collect();
    (shown.iter().any(|ms| *ms > acknowledged), shown.len())
}

#[test]
fn equal_drift_breaks_no_lease() {
    for percent in [50, 80, 100, 130, 200] {
        let (lies, shown) = lies(1, [percent; 3], [0; 3]);
        assert!(!lies && shown > 5, "all clocks at {percent} %: {shown} reads by the lease");
    }
}

#[test]
fn relative_drift_beyond_the_margin_breaks_a_lease_from_either_side() {
    for (leader, others, breaks) in [
        (50, 100, true),
        (100, 200, true),
        (75, 150, true),
        (99, 101, false),
        (200, 100, false),
        (100, 50, false),
    ] {
        let broken = SEEDS.filter(|seed| lies(*seed, [leader, others, others], [0; 3]).0).count();
        assert_eq!(
            broken > 0,
            breaks,
            "the leader's clock at {leader} %, the others' at {others} %: {broken} of 10 runs"
        );
    }
    assert!(
        SEEDS.into_iter().all(|seed| !lies(seed, [50, 100, 50], [0; 3]).0),
        "a majority needs the vote of one whose clock is as slow"
    );
}

#[test]
fn a_step_of_the_wall_clock_breaks_no_lease() {
    let undisturbed = lies(1, [100; 3], [0; 3]);
    for jumps_s in [[-5, 0, 0], [5, 0, 0], [0, 5, 5], [0, -5, -5], [-3_600, 3_600, 0]] {
        assert_eq!(lies(1, [100; 3], jumps_s), undisturbed, "{jumps_s:?}");
    }
}
