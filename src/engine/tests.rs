//! The ladder against its oracle, the binary heap, and the engine's rules.

use proptest::prelude::*;

use super::heap::Heap;
use super::*;
use crate::base::dist::Dist;
use crate::base::rng::{Bits, Stream};
use crate::base::time::Span;

/// What the kernel's events weigh; the number tells ties apart.
type Event = (u64, u64);

const _: () = assert!(size_of::<Scheduled<Event>>() == 24, "an entry is at most 24 bytes");

/// How far ahead events are scheduled.
#[derive(Clone, Debug)]
enum Delays {
    Distribution(Dist),
    /// Whole multiples of a step: thousands of ties.
    Grid {
        step: u64,
        steps: u64,
    },
    /// Half at once, half exponential.
    HalfZero {
        mean: f64,
    },
    /// Anything up to the end of time.
    Wild,
}

impl Delays {
    fn draw(&self, now: Time, stream: &mut Stream) -> Time {
        match self {
            Delays::Distribution(distribution) => now + distribution.span(stream),
            Delays::Grid { step, steps } => {
                Time::from_ns((now.as_ns() / step + 1 + stream.below(*steps)) * step)
            }
            Delays::HalfZero { .. } if stream.below(2) == 0 => now,
            Delays::HalfZero { mean } => now + Dist::Exponential { mean: *mean }.span(stream),
            Delays::Wild if stream.below(20) == 0 => Time::NEVER,
            Delays::Wild => now + Span::from_ns(stream.bits() >> stream.below(64)),
        }
    }
}

/// A run: what is done besides popping one event and scheduling another.
#[derive(Clone, Debug)]
struct Plan {
    seed: u64,
    delays: Delays,
    /// Events at the start.
    pending: usize,
    pops: usize,
    /// Once in so many pops, so many events are scheduled at one go.
    burst: (u64, u64),
    /// Once in so many pops nothing is scheduled instead.
    pause: u64,
    /// Once in so many pops about half of all events are cancelled.
    cancel: u64,
    /// Once in so many pops only what is due before now + this is popped, then something is scheduled at once.
    horizon: (u64, u64),
}

/// Two queues under one clock.
struct Both {
    ladder: Engine<Event>,
    heap: Engine<Event, Heap<Event>>,
    scheduled: u64,
}

impl Both {
    fn schedule(&mut self, at: Time, stream: &mut Stream) {
        let event = (self.scheduled, stream.bits());
        self.scheduled += 1;
        self.ladder.schedule(at, event);
        self.heap.schedule(at, event);
    }

    fn pop(&mut self, horizon: Time) -> Option<Event> {
        let now = self.ladder.now();
        let event =
            self.ladder.pop_before(horizon, |upcoming| assert!(upcoming.iter().all(|entry| entry.at >= now)));
        assert_eq!(event, self.heap.pop_before(horizon, |_| ()));
        assert_eq!(self.ladder.now(), self.heap.now());
        assert_eq!(self.ladder.len(), self.heap.len());
        event
    }

    fn cancel_half(&mut self, salt: u64) {
        let keep = |event: &Event| (event.1 ^ salt) >> 17 & 1 == 0;
        self.ladder.retain(keep);
        self.heap.retain(keep);
        assert_eq!(self.ladder.len(), self.heap.len());
    }
}

/// Runs the plan on both queues and requires equal events at every step. Gives how many events left at one instant
/// with the one before.
fn both_agree(plan: &Plan) -> u64 {
    let mut stream = Stream::new(plan.seed, 0);
    let mut both = Both { ladder: Engine::new(), heap: Engine::over(Heap::default()), scheduled: 0 };
    for _ in 0..plan.pending {
        both.schedule(plan.delays.draw(Time::ZERO, &mut stream), &mut stream);
    }
    let mut ties = 0;
    for _ in 0..plan.pops {
        let before = both.ladder.now();
        if stream.below(plan.horizon.0) == 0 {
            both.pop(before + Span::from_ns(plan.horizon.1));
            assert_eq!(both.ladder.pending.peek(), both.heap.pending.peek());
            both.schedule(both.ladder.now(), &mut stream);
        }
        if both.pop(Time::NEVER).is_none() {
            break;
        }
        let now = both.ladder.now();
        ties += u64::from(now == before);
        let mut coming = u64::from(stream.below(plan.pause) != 0);
        if stream.below(plan.burst.0) == 0 {
            coming += plan.burst.1;
        }
        for _ in 0..coming {
            both.schedule(plan.delays.draw(now, &mut stream), &mut stream);
        }
        if stream.below(plan.cancel) == 0 {
            both.cancel_half(stream.bits());
        }
    }
    let mut copy = both.ladder.clone();
    while let Some(event) = both.pop(Time::NEVER) {
        assert_eq!(copy.pop_before(Time::NEVER, |_| ()), Some(event), "a clone goes on as the original does");
    }
    ties
}

fn delays() -> impl Strategy<Value = Delays> {
    let bimodal =
        Dist::mix(&[(0.9, Dist::Exponential { mean: 1e3 }), (0.1, Dist::Exponential { mean: 1e9 })]);
    let distribution = |distribution: Dist| Just(Delays::Distribution(distribution)).boxed();
    prop_oneof![
        distribution(Dist::Exponential { mean: 1e9 }),
        distribution(Dist::Exponential { mean: 20.0 }),
        distribution(Dist::Constant(1e6)),
        distribution(Dist::Constant(0.0)),
        distribution(Dist::Pareto { min: 1e3, alpha: 0.9 }),
        distribution(bimodal.expect("a good distribution")),
        (1u64..1_000_000, 1u64..20).prop_map(|(step, steps)| Delays::Grid { step, steps }),
        Just(Delays::HalfZero { mean: 1e6 }),
        Just(Delays::Wild),
    ]
}

fn plans() -> impl Strategy<Value = Plan> {
    let sizes = prop_oneof![0usize..4, 20usize..80, 100usize..400, 1000usize..6000];
    let often = || prop_oneof![3 => Just(u64::MAX), 2 => 2u64..300];
    let horizon = (often(), 1u64..1_000_000);
    (any::<u64>(), delays(), sizes, 0usize..6000, (often(), 1u64..600), often(), often(), horizon).prop_map(
        |(seed, delays, pending, pops, burst, pause, cancel, horizon)| {
            // A burst must not outgrow the test: on average at most one event more per pop.
            let burst = (burst.0.max(burst.1), burst.1);
            Plan { seed, delays, pending, pops, burst, pause, cancel, horizon }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn the_ladder_gives_the_order_of_the_heap(plan in plans()) {
        both_agree(&plan);
    }
}

fn plan(delays: Delays, pending: usize) -> Plan {
    let never = u64::MAX;
    Plan {
        seed: 1,
        delays,
        pending,
        pops: 60_000,
        burst: (never, 0),
        pause: never,
        cancel: never,
        horizon: (never, 1),
    }
}

#[test]
fn large_queues_give_the_order_of_the_heap_and_ties_do_occur() {
    let exponential = Delays::Distribution(Dist::Exponential { mean: 1e9 });
    both_agree(&plan(exponential, 100_000));
    let grid = Delays::Grid { step: 1_000_000, steps: 10 };
    assert!(both_agree(&plan(grid, 40_000)) > 50_000);
    assert!(both_agree(&plan(Delays::HalfZero { mean: 1e6 }, 5_000)) > 20_000);
    assert!(both_agree(&plan(Delays::Distribution(Dist::Constant(5.0)), 30_000)) > 50_000);
}

#[test]
fn events_of_one_instant_leave_in_the_order_of_scheduling_even_when_scheduled_at_now() {
    let mut engine = Engine::new();
    let at = Time::from_ns(7);
    for number in 0..1000 {
        engine.schedule(at, number);
    }
    for number in 0..5000 {
        assert_eq!(engine.pop_before(Time::NEVER, |_| ()), Some(number));
        engine.schedule(at, 1000 + number);
    }
    assert_eq!(engine.now(), at);
    assert_eq!(engine.len(), 1000);
}

#[test]
fn the_horizon_is_exclusive_and_the_clock_stays_when_nothing_is_due() {
    let mut engine = Engine::new();
    engine.schedule(Time::from_ns(10), 'a');
    engine.schedule(Time::NEVER, 'z');
    assert_eq!(engine.pending.peek(), Some(Time::from_ns(10)));
    assert_eq!(engine.pop_before(Time::from_ns(10), |_| ()), None);
    assert_eq!(engine.now(), Time::ZERO);
    engine.schedule(Time::from_ns(3), 'b');
    assert_eq!(engine.pop_before(Time::from_ns(11), |_| ()), Some('b'));
    assert_eq!(engine.pop_before(Time::from_ns(11), |_| ()), Some('a'));
    assert_eq!(engine.pop_before(Time::NEVER, |_| ()), None);
    assert_eq!((engine.now(), engine.len()), (Time::from_ns(10), 1));
}

#[test]
#[should_panic(expected = "an event is due now or later")]
fn the_past_is_closed() {
    let mut engine = Engine::new();
    engine.schedule(Time::from_ns(10), ());
    engine.pop_before(Time::NEVER, |_| ());
    engine.schedule(Time::from_ns(9), ());
}

#[test]
fn almost_every_event_of_a_large_queue_is_shown_before_it_leaves() {
    let mut engine = Engine::new();
    let mut stream = Stream::new(1, 1);
    let distribution = Dist::Exponential { mean: 1e9 };
    for number in 0..10_000u64 {
        engine.schedule(Time::ZERO + distribution.span(&mut stream), number);
    }
    let mut shown = 0;
    for _ in 0..10_000 {
        let event = engine.pop_before(Time::NEVER, |upcoming| shown += upcoming.len()).expect("pending");
        engine.schedule(engine.now() + distribution.span(&mut stream), event);
    }
    assert!(shown > 9_000, "{shown} of 10000");
}
