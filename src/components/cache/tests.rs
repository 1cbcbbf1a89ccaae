//! What each guard makes a node answer, line by line.

use super::*;
use crate::base::cause::Cause;
use crate::base::dist::Dist;
use crate::base::ids::OpId;
use crate::base::ids::SeriesId;
use crate::base::op::{At, GUARD, How, Op, Outcome, Reason, Value};
use crate::base::parameter::Constructor;
use crate::base::problem::FileId;
use crate::base::problem::Place;
use crate::components::cache::plan::{CachePlan, CacheSeries};
use crate::components::guard::{Per, Wait};
use crate::components::script::{Lines, PART, answers, level, told, total, until, world};
use crate::sim::nodes::Crash;
use crate::sim::order::Order;
use crate::sim::run::World;

fn plan(guard: Guard) -> CachePlan {
    CachePlan {
        capacity: Capacity::Unlimited,
        size: None,
        lifetime: Some(Span::from_ms(100)),
        sliding: false,
        jitter: 0.0,
        expires_by_wall: true,
        policy: Policy::of("lru").expect("a policy"),
        guard,
        serve: Dist::Constant(0.0),
        cores: u32::MAX,
        queue: u32::MAX,
        discipline: Discipline::Fifo,
        speed_ppm: 1_000_000,
        first_series: SeriesId(0),
    }
}

fn read(ms: u64) -> (u64, crate::base::ids::Pid, Op) {
    (ms, PART, Op::Read { table: 0, key: 1, taking: None, at: At::Primary })
}

fn put(ms: u64, note: u32, n: i64) -> (u64, crate::base::ids::Pid, Op) {
    (ms, PART, Op::Put { note, key: 1, n, version: OpId(n as u64) })
}

fn drops(ms: u64) -> (u64, crate::base::ids::Pid, Op) {
    (ms, PART, Op::Drop { key: 1 })
}

fn run(script: Lines, plan: CachePlan) -> World {
    let mut world = world::<CacheProcess>(script, plan, 1, CacheSeries::ALL);
    until(&mut world, 10_000);
    world
}

fn outcomes(script: Lines, plan: CachePlan) -> Vec<Outcome> {
    let lines = script.len();
    told(&run(script, plan), lines).into_iter().map(|told| told.1).collect()
}

fn value(n: i64) -> Value {
    Value { n, version: OpId(n as u64), ..Value::default() }
}

const MISS: Outcome = Outcome::Fail(Reason::Miss);
const WAIT: Outcome = Outcome::Fail(Reason::Wait);
const LEASED: Outcome = Outcome::Fail(Reason::Leased);

fn ok(n: i64) -> Outcome {
    Outcome::Ok(value(n))
}

fn renew(n: i64) -> Outcome {
    Outcome::Renew(value(n))
}

fn count(world: &World, series: CacheSeries) -> u64 {
    total(world, series as u16)
}

#[test]
fn a_value_lives_for_its_ttl_and_each_expiry_is_counted_once() {
    let script =
        vec![read(0), put(10, 0, 7), read(20), read(109), read(110), read(120), put(130, 0, 8), read(131)];
    let world = run(script.clone(), plan(Guard::None));
    let expected = [MISS, ok(7), ok(7), ok(7), MISS, MISS, ok(8), ok(8)];
    assert_eq!(told(&world, 8).into_iter().map(|told| told.1).collect::<Vec<_>>(), expected);
    let counts = [
        CacheSeries::Hits,
        CacheSeries::Misses,
        CacheSeries::Expired,
        CacheSeries::Rounds,
        CacheSeries::Fills,
    ];
    assert_eq!(counts.map(|series| count(&world, series)), [3, 3, 1, 1, 2]);
}

#[test]
fn a_hit_renews_a_sliding_lifetime() {
    let sliding = CachePlan { sliding: true, ..plan(Guard::None) };
    let script = vec![put(0, 0, 7), read(90), read(180), read(279), read(379)];
    assert_eq!(outcomes(script, sliding), [ok(7), ok(7), ok(7), ok(7), MISS]);
}

#[test]
fn jitter_spreads_lifetimes_within_its_share() {
    let jittered = CachePlan { jitter: 0.2, ..plan(Guard::None) };
    let mut script = Vec::new();
    for key in 0..400 {
        script.push((0, PART, Op::Put { note: 0, key, n: 1, version: OpId(1) }));
        for ms in [79, 100, 121] {
            script.push((ms, PART, Op::Read { table: 0, key, taking: None, at: At::Primary }));
        }
    }
    let outcomes = outcomes(script, jittered);
    let hits = |which: usize| outcomes.chunks(4).filter(|key| key[which].is_ok()).count();
    assert_eq!((hits(1), hits(3)), (400, 0));
    assert!((160..240).contains(&hits(2)), "{} of 400 outlive the middle", hits(2));
}

#[test]
fn leases_send_all_but_one_away_and_refuse_what_is_out_of_date() {
    let wait = Wait::Fixed(Dist::Constant(1e6));
    let leased = plan(Guard::Lease { ttl: Span::from_ms(50), wait });
    // 1 is given at 0, 2 at 50; the put with 1 is late. 3 is given at 170, and the drop makes it worthless.
    let script = vec![
        read(0),
        read(10),
        read(50),
        put(55, 1, 7),
        put(60, 2, 8),
        read(61),
        read(170),
        drops(175),
        put(180, 3, 9),
        read(181),
        read(220),
    ];
    let world = run(script, leased);
    let refused = Outcome::Fail(Reason::NotHeld);
    let expected =
        [LEASED, WAIT, LEASED, refused, ok(8), ok(8), LEASED, Outcome::ok(1), refused, WAIT, LEASED];
    assert_eq!(told(&world, 11).into_iter().map(|told| told.1).collect::<Vec<_>>(), expected);
    let tokens: Vec<u32> = answers(&world, 11).into_iter().flatten().map(|answer| answer.note).collect();
    assert_eq!(tokens, [1, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4]);
    assert_eq!((count(&world, CacheSeries::Granted), count(&world, CacheSeries::Refused)), (4, 2));
}

#[test]
fn a_flight_keeps_all_but_one_until_the_value_comes() {
    let flight = plan(Guard::SingleFlight { per: Per::All, hold: Span::from_secs(1) });
    let script = vec![read(0), read(10), read(20), put(40, 1, 7), read(41), read(160), put(170, 2, 8)];
    let world = run(script, flight);
    let expected =
        vec![(0, LEASED), (40, ok(7)), (40, ok(7)), (40, ok(7)), (41, ok(7)), (160, LEASED), (170, ok(8))];
    assert_eq!(told(&world, 7), expected);
    let waited = answers(&world, 7)[1].clone().expect("answered");
    assert_eq!(waited.causes.of(Cause::Lock), Span::from_ms(30));
    assert_eq!(waited.causes.total(), Span::from_ms(30));
}

#[test]
fn a_filler_that_fails_is_followed_by_the_last_in_line() {
    let flight = plan(Guard::SingleFlight { per: Per::All, hold: Span::from_ms(500) });
    let world = run(vec![read(0), read(10), read(20), put(900, 2, 7), read(990), read(1010)], flight);
    let expected = vec![(0, LEASED), (900, ok(7)), (500, LEASED), (900, ok(7)), (990, ok(7)), (1010, LEASED)];
    assert_eq!(told(&world, 6), expected);
}

#[test]
fn a_stale_value_is_served_while_one_rebuilds() {
    let stale = plan(Guard::Stale {
        window: Span::from_ms(200),
        rebuild: Span::from_ms(50),
        claim: crate::components::guard::Claim::Get,
    });
    let script = vec![
        put(0, 0, 7),
        read(99),
        read(100),
        read(101),
        read(150),
        read(151),
        put(160, 0, 8),
        read(161),
        read(460),
    ];
    let world = run(script, stale);
    let expected = [ok(7), ok(7), renew(7), ok(7), renew(7), ok(7), ok(8), ok(8), MISS];
    assert_eq!(told(&world, 9).into_iter().map(|told| told.1).collect::<Vec<_>>(), expected);
    let counts = [CacheSeries::Stale, CacheSeries::Renewals, CacheSeries::Rounds, CacheSeries::Expired];
    assert_eq!(
        counts.map(|series| count(&world, series)),
        [4, 2, 2, 2],
        "the miss at the end is a round too"
    );
}

#[test]
fn a_value_is_refreshed_ahead_of_its_expiry_by_one() {
    let ahead = plan(Guard::RefreshAhead { at: 0.8, rebuild: Span::from_ms(50) });
    let script = vec![put(0, 0, 7), read(79), read(80), read(81), put(90, 0, 8), read(169), read(170)];
    let expected = [ok(7), ok(7), renew(7), ok(7), ok(8), ok(8), renew(8)];
    assert_eq!(outcomes(script, ahead), expected);
}

/// The share of readers who rebuild early is exp(-left / (beta delta)).
#[test]
fn xfetch_rebuilds_early_by_its_distribution() {
    let xfetch = CachePlan { lifetime: Some(Span::from_ms(1000)), ..plan(Guard::XFetch { beta: 1.0 }) };
    let mut script = vec![put(0, 500_000, 7)];
    script.extend((0..20_000).map(|_| read(500)));
    let outcomes = outcomes(script, xfetch);
    let early = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Renew(_))).count();
    let expected = libm::exp(-1.0) * 20_000.0;
    assert!((early as f64 - expected).abs() < 200.0, "{early} of 20,000, expected {expected}");
}

#[test]
fn locks_are_apart_from_values_and_expire() {
    let lock = |ms, token| {
        (ms, PART, Op::Acquire { lock: GUARD, how: How::Try, key: 1, owner: token, ttl: Span::from_ms(50) })
    };
    let unlock = |ms, token| (ms, PART, Op::Release { lock: GUARD, compares: true, key: 1, owner: token });
    let script =
        vec![lock(0, 7), lock(10, 8), put(20, 0, 3), lock(50, 8), unlock(60, 7), unlock(61, 8), lock(62, 9)];
    let (held, not_held) = (Outcome::Fail(Reason::Held), Outcome::Fail(Reason::NotHeld));
    let world = run(script, plan(Guard::None));
    let token = Outcome::ok; // each lock has a newer one
    let expected = [token(1), held, ok(3), token(2), not_held, token(1), token(3)];
    assert_eq!(told(&world, 7).into_iter().map(|told| told.1).collect::<Vec<_>>(), expected);
    assert_eq!((count(&world, CacheSeries::Locks), count(&world, CacheSeries::Held)), (3, 1));
}

#[test]
fn a_flush_and_a_crash_lose_everything() {
    for flush in [true, false] {
        let script = vec![put(0, 0, 7), read(10), read(30), put(40, 0, 8), read(41)];
        let mut world = world::<CacheProcess>(script, plan(Guard::None), 1, CacheSeries::ALL);
        until(&mut world, 20);
        if flush {
            world.order(PART, Order::Flush);
        } else {
            world.crash(PART, Crash::Process);
            world.restart(PART);
        }
        until(&mut world, 100);
        let expected = [ok(7), ok(7), MISS, ok(8), ok(8)];
        assert_eq!(told(&world, 5).into_iter().map(|told| told.1).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn operations_wait_for_a_core_and_the_queue_is_bounded() {
    let busy = CachePlan { serve: Dist::Constant(10e6), cores: 1, queue: 1, ..plan(Guard::None) };
    let mut world = world::<CacheProcess>(vec![read(0), read(1), read(2)], busy, 1, CacheSeries::ALL);
    until(&mut world, 15);
    assert_eq!((level(&world, CacheSeries::Busy as u16), level(&world, CacheSeries::Queue as u16)), (1, 0));
    until(&mut world, 100);
    let overloaded = Outcome::Fail(Reason::Overloaded);
    assert_eq!(told(&world, 3), vec![(10, MISS), (20, MISS), (2, overloaded)]);
    let second = answers(&world, 3)[1].clone().expect("answered");
    assert_eq!(second.causes.of(Cause::Queue), Span::from_ms(9));
    assert_eq!(second.causes.of(Cause::Cpu), Span::from_ms(10));
    assert_eq!(level(&world, CacheSeries::Busy as u16), 0);
}

#[test]
fn a_crash_takes_its_levels_back() {
    let busy = CachePlan { serve: Dist::Constant(10e6), cores: 1, ..plan(Guard::None) };
    let mut world = world::<CacheProcess>(vec![read(0), read(1), read(2)], busy, 1, CacheSeries::ALL);
    until(&mut world, 5);
    assert_eq!((level(&world, CacheSeries::Busy as u16), level(&world, CacheSeries::Queue as u16)), (1, 2));
    world.crash(PART, Crash::Machine);
    assert_eq!((level(&world, CacheSeries::Busy as u16), level(&world, CacheSeries::Queue as u16)), (0, 0));
}

#[test]
fn a_set_parameter_holds_until_it_is_reset() {
    let slow = CachePlan { serve: Dist::Constant(10e6), ..plan(Guard::None) };
    let mut world = world::<CacheProcess>(vec![read(0), read(100), read(200)], slow, 1, CacheSeries::ALL);
    until(&mut world, 50);
    world.order(PART, Order::Set { parameter: "serve", value: 40e6 });
    until(&mut world, 150);
    world.order(PART, Order::Reset { parameter: "serve" });
    world.order(PART, Order::Set { parameter: "speed", value: 0.5 });
    until(&mut world, 400);
    assert_eq!(told(&world, 3), vec![(10, MISS), (140, MISS), (220, MISS)]);
}

// ---- what does not fit together

fn parameters(pairs: &[(&'static str, Setting)]) -> Parameters {
    let none: &Constructor = &GUARDS[0];
    let place = || Some(Place { file: FileId(0), bytes: 0..1 });
    let mut parameters = Parameters::default();
    let mut add = |name, setting| parameters.values.insert(name, (setting, place()));
    add("guard", Setting::Constructor(none.name, Parameters::default()));
    add("jitter", Setting::Number(0.0));
    add("clock", Setting::Word("wall"));
    add("evict", Setting::Word("lru"));
    add("mode", Setting::Word("aside"));
    add("serve", Setting::Distribution(Dist::Constant(0.0)));
    add("discipline", Setting::Word("fifo"));
    add("cores", Setting::Count(u64::MAX));
    add("queue", Setting::Count(u64::MAX));
    add("timeout", Setting::Span(Span::from_secs(1)));
    for (name, setting) in pairs {
        add(name, setting.clone());
    }
    parameters
}

fn complaints(pairs: &[(&'static str, Setting)]) -> Vec<String> {
    let mut problems = Problems::default();
    let names = Names {
        me: crate::base::ids::PartId(0),
        name: "pages",
        first_series: SeriesId(0),
        parts: &[],
        policies: &[],
        zones: &[],
    };
    let resolved = resolve(&parameters(pairs), &names, &mut problems);
    assert_eq!(resolved.is_some(), problems.is_empty());
    problems.0.into_iter().map(|problem| format!("{}: {}", problem.code, problem.message)).collect()
}

#[test]
fn readers_have_the_patience_that_a_flight_takes() {
    let guard = Guard::SingleFlight { per: Per::All, hold: Span::from_secs(10) };
    let given = parameters(&[]);
    assert_eq!(patience(&given, &guard), Span::from_secs(1), "it was asked for");
    let mut defaulted = given;
    defaulted.values.insert("timeout", (Setting::Span(Span::from_secs(1)), None));
    assert_eq!(patience(&defaulted, &guard), Span::from_secs(11));
    assert_eq!(patience(&defaulted, &Guard::None), Span::from_secs(1));
}

#[test]
fn parameters_that_do_not_fit_together_are_refused_all_at_once() {
    let (many, second) = (Setting::Count(100), Setting::Span(Span::from_secs(1)));
    assert!(complaints(&[("entries", many.clone()), ("ttl", second.clone())]).is_empty());
    assert_eq!(
        complaints(&[
            ("entries", many.clone()),
            ("bytes", many),
            ("ttl", second.clone()),
            ("sliding", second)
        ]),
        [
            "SB0123: 'pages' has both `entries` and `bytes`",
            "SB0123: 'pages' has `bytes` but no `size` of an entry",
            "SB0123: 'pages' has both `ttl` and `sliding`",
        ]
    );
    let xfetch = Setting::Constructor(
        "xfetch",
        Parameters { values: [("beta", (Setting::Number(1.0), None))].into(), ..Parameters::default() },
    );
    assert_eq!(
        complaints(&[("guard", xfetch)]),
        ["SB0123: the guard of 'pages' acts on lifetimes, and its entries live for ever"]
    );
}
