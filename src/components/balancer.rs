//! A load balancer, kind `lb`: it passes calls on and answers back. It takes no time itself, runs no programs and does
//! not look into what it carries. A caller that lets go does not cancel what is under way: the backend does not know.

use std::convert::Infallible;
use std::sync::Arc;

use crate::base::cause::{Cause, Causes};
use crate::base::ids::{CallId, PartId, Pid, SeriesId, TierId};
use crate::base::op::{Op, Reply};
use crate::base::parameter::{Constructor, Parameter, ParameterType, Parameters, Preset};
use crate::base::problem::Problems;
use crate::base::rng::Bits;
use crate::base::series::series;
use crate::base::slab::{Key, Slab};
use crate::base::time::Span;
use crate::components::directory::Client;
use crate::components::part::{Kind, Names, PLACED, Part, PartName, Wiring, count_u32};
use crate::program::compile::scope::PartRole;
use crate::sim::context::Context;
use crate::sim::process::Process;
use crate::sim::request::{CallContext, Request};
use crate::sim::run::World;

/// The kind `lb`.
pub const LB: Kind = Kind {
    name: "lb",
    doc: "A load balancer in front of a part's members.",
    common: PLACED,
    parameters: PARAMETERS,
    series: Series::ALL,
    served: &["calls"],
    refused: &["rejected"],
    takes: &[],
    role: PartRole::Balances,
    runs_programs: false,
    resolve,
};

const PICKS: &[Constructor] = &[
    Constructor { name: "random", parameters: &[], doc: "Each member as likely." },
    Constructor { name: "round_robin", parameters: &[], doc: "One after the other." },
    Constructor {
        name: "least_outstanding",
        parameters: &[],
        doc: "The member with the fewest calls under way from this balancer; of several, one at random.",
    },
    Constructor {
        name: "power_of",
        parameters: &[Parameter {
            name: "d",
            takes: ParameterType::Count { min: 1, max: 64 },
            default: Preset::Is { text: "2", source: "Mitzenmacher 2001: most of the gain is in the second" },
            doc: "How many members are drawn, with repetition.",
        }],
        doc: "Of `d` members drawn at random the one with the fewest calls under way.",
    },
];

const PARAMETERS: &[Parameter] = &[
    Parameter {
        name: "to",
        takes: ParameterType::Part(&["server", "external", "lb"]),
        default: Preset::Required,
        doc: "The part whose members get the calls.",
    },
    Parameter {
        name: "pick",
        takes: ParameterType::Constructor(PICKS),
        default: Preset::Is { text: "round_robin", source: "nginx and HAProxy" },
        doc: "How it chooses a member.",
    },
    Parameter {
        name: "timeout",
        takes: ParameterType::Span { min: Span::from_ns(1), max: Span::MAX },
        default: Preset::Is { text: "60s", source: "nginx: proxy_read_timeout" },
        doc: "After this it gives a member up and tells its caller that nobody knows.",
    },
];

series! {
    /// The series, in the order in which users see them.
    pub enum Series {
        Calls: Counter "calls", "calls", "Calls passed on.";
        Busy: Level "busy", "calls", "Calls under way.";
    }
}

/// How a member is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pick {
    /// Each as likely.
    Random,
    /// One after the other.
    RoundRobin,
    /// Fewest calls under way.
    LeastOutstanding,
    /// Fewest calls under way of so many drawn.
    PowerOf(u32),
}

/// What all members share.
#[derive(Clone, Debug)]
pub struct Plan {
    to: TierId,
    backends: u32,
    pick: Pick,
    timeout: Span,
    first_series: SeriesId,
}

struct Balancer {
    plan: Arc<Plan>,
    to: PartId,
}

impl Part for Balancer {
    fn kind(&self) -> &'static str {
        LB.name
    }

    fn client(&self) -> Client {
        Client::Balancer { to: self.to }
    }

    fn settable(&self) -> &'static [&'static str] {
        &[] // it takes no time that could be changed
    }

    fn build(&self, at: &PartName, _wiring: &Wiring, world: &mut World) {
        world.add::<BalancerProcess>(&at.name, self.plan.clone(), at.count, &at.zones, false);
    }
}

fn resolve(parameters: &Parameters, names: &Names, _problems: &mut Problems) -> Option<Box<dyn Part>> {
    let (word, arguments) = parameters.form("pick");
    let pick = match word {
        "random" => Pick::Random,
        "round_robin" => Pick::RoundRobin,
        "least_outstanding" => Pick::LeastOutstanding,
        "power_of" => Pick::PowerOf(count_u32(arguments, "d")),
        other => unreachable!("`{other}` is no form of `pick`"),
    };
    let to = &names.parts[parameters.part("to").index()];
    let plan = Plan {
        to: to.tier,
        backends: to.count,
        pick,
        timeout: parameters.span("timeout"),
        first_series: names.first_series,
    };
    Some(Box::new(Balancer { plan: Arc::new(plan), to: parameters.part("to") }))
}

/// A member.
#[derive(Clone, Debug, Hash)]
pub struct BalancerProcess {
    /// Calls under way to each backend.
    outstanding: Vec<u32>,
    carried: Slab<(CallId, u32)>,
    next: u32,
}

/// Purpose of the draws for choosing.
const PICK: u8 = 0;
/// Size of a call as it is passed on, bytes.
const REQUEST_BYTES: u32 = 256;
/// Size of an answer as it is passed back, bytes.
const ANSWER_BYTES: u32 = 1024;

impl Process for BalancerProcess {
    type Plan = Plan;
    type Message = Infallible;
    type Timer = ();
    type Record = ();
    type Snapshot = ();

    fn build(plan: &Plan, member: u32) -> Self {
        let backends = plan.backends as usize;
        // Balancers begin at different members, or they would send their first calls to the same one.
        BalancerProcess {
            outstanding: vec![0; backends],
            carried: Slab::default(),
            next: member % plan.backends,
        }
    }

    fn on_call(&mut self, call: CallId, op: Op, ctx: &mut Context<Self>) {
        let plan = ctx.plan();
        let backend = self.pick(plan.pick, &mut ctx.serving(PICK, ctx.substream(call)));
        self.outstanding[backend as usize] += 1;
        let tag = self.carried.insert((call, backend)).to_word();
        let request = Request {
            op,
            substream: ctx.substream(call),
            size_bytes: REQUEST_BYTES,
            timeout: Some(plan.timeout),
            from: None,
            context: CallContext::of(ctx.context(call).session),
        };
        ctx.call(Pid::new(plan.to, backend), request, tag);
        let now = ctx.now();
        ctx.record().count(Series::Calls.id(plan.first_series), now, 1);
        ctx.record().level(Series::Busy.id(plan.first_series), now, 1);
    }

    fn on_reply(&mut self, _call: CallId, tag: u64, reply: Reply, ctx: &mut Context<Self>) {
        let (call, backend) = self.carried.remove(Key::from_word(tag)).expect("one answer for each call");
        self.outstanding[backend as usize] -= 1;
        let mut causes = reply.causes;
        // Nothing, unless the balancer stood still.
        causes.add(Cause::Queue, (ctx.now() - ctx.arrived(call)) - causes.total());
        pass_back(call, &reply, &causes, ctx);
    }

    fn on_crash(&mut self, ctx: &mut Context<Self>) {
        let (series, now) = (Series::Busy.id(ctx.plan().first_series), ctx.now());
        ctx.record().level(series, now, -(self.carried.len() as i64));
    }

    fn prefetch(&self) -> u64 {
        u64::from(self.next)
    }
}

fn pass_back(call: CallId, reply: &Reply, causes: &Causes, ctx: &mut Context<BalancerProcess>) {
    ctx.shows(call, reply.seen);
    ctx.failed_at(call, reply.at);
    ctx.reply(call, reply.outcome, reply.note, causes, ANSWER_BYTES);
    let (series, now) = (Series::Busy.id(ctx.plan().first_series), ctx.now());
    ctx.record().level(series, now, -1);
}

impl BalancerProcess {
    fn pick(&mut self, pick: Pick, bits: &mut impl Bits) -> u32 {
        let backends = self.outstanding.len() as u32;
        let mut draw = |n: u32| bits.below(u64::from(n)) as u32;
        match pick {
            Pick::Random => draw(backends),
            Pick::RoundRobin => {
                let chosen = self.next;
                self.next = (self.next + 1) % backends;
                chosen
            }
            Pick::LeastOutstanding => {
                let least = self.outstanding.iter().min().expect("there are backends");
                let fewest = || (0..backends).filter(|backend| self.outstanding[*backend as usize] == *least);
                let many = fewest().count() as u32;
                let place = if many == 1 { 0 } else { draw(many) };
                fewest().nth(place as usize).expect("counted")
            }
            Pick::PowerOf(choices) => {
                let mut best = draw(backends);
                for _ in 1..choices {
                    let other = draw(backends);
                    if self.outstanding[other as usize] < self.outstanding[best as usize] {
                        best = other;
                    }
                }
                best
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::op::{Outcome, Reason};
    use crate::base::rng::Draws;
    use crate::components::script::{PART, answers, level, told, total, until, world};

    fn node(outstanding: &[u32]) -> BalancerProcess {
        BalancerProcess { outstanding: outstanding.to_vec(), carried: Slab::default(), next: 1 }
    }

    fn picked(node: &mut BalancerProcess, pick: Pick, times: u32) -> Vec<u32> {
        let mut counts = vec![0; node.outstanding.len()];
        let mut draws = Draws::new(4);
        for _ in 0..times {
            counts[node.pick(pick, &mut draws) as usize] += 1;
        }
        counts
    }

    #[test]
    fn round_robin_takes_one_after_the_other() {
        let mut node = node(&[9, 0, 0]);
        let mut draws = Draws::new(1);
        let order: Vec<u32> = (0..7).map(|_| node.pick(Pick::RoundRobin, &mut draws)).collect();
        assert_eq!(order, vec![1, 2, 0, 1, 2, 0, 1]);
    }

    #[test]
    fn the_least_loaded_share_what_comes() {
        let counts = picked(&mut node(&[3, 1, 2, 1]), Pick::LeastOutstanding, 10_000);
        assert_eq!((counts[0], counts[2]), (0, 0));
        assert!((4_800..5_200).contains(&counts[1]), "{counts:?}");
    }

    /// Of two draws from four, with repetition: member i wins unless a less loaded one is drawn too.
    #[test]
    fn the_power_of_two_choices_prefers_the_less_loaded() {
        let counts = picked(&mut node(&[0, 1, 2, 3]), Pick::PowerOf(2), 160_000);
        for (count, sixteenths) in counts.iter().zip([7, 5, 3, 1]) {
            assert!(count.abs_diff(sixteenths * 10_000) < 500, "{counts:?}");
        }
    }

    #[test]
    fn random_takes_each_as_often() {
        let counts = picked(&mut node(&[0, 100, 0, 5]), Pick::Random, 40_000);
        assert!(counts.iter().all(|count| count.abs_diff(10_000) < 400), "{counts:?}");
    }

    #[test]
    fn calls_go_through_with_their_time_and_an_unanswered_one_is_given_up() {
        let plan = Plan {
            to: TierId(2),
            backends: 2,
            pick: Pick::RoundRobin,
            timeout: Span::from_ms(100),
            first_series: SeriesId(0),
        };
        let lines = vec![(0, PART, Op::Drop { key: 0 }), (1, PART, Op::Drop { key: 0 })];
        let mut world = world::<BalancerProcess>(lines, plan, 1, Series::ALL);
        world.add::<Slow>("slow", Arc::new(()), 2, &[crate::base::ids::ZoneId(0)], false);
        until(&mut world, 50);
        assert_eq!((total(&world, 0), level(&world, 1)), (2, 1));
        until(&mut world, 1000);
        let told = told(&world, 2);
        assert_eq!(told[0], (30, Outcome::ok(5)));
        assert_eq!(told[1], (101, Outcome::Unknown(Reason::Timeout)), "member 1 says nothing");
        let answers = answers(&world, 2);
        let first = answers[0].clone().expect("answered");
        assert_eq!((first.note, first.causes.of(Cause::Wait)), (9, Span::from_ms(30)));
        assert_eq!(level(&world, 1), 0);
    }

    /// Member 0 answers after 30 ms; the others never do.
    #[derive(Clone, Hash)]
    struct Slow(Vec<CallId>);

    impl Process for Slow {
        type Plan = ();
        type Message = Infallible;
        type Timer = ();
        type Record = ();
        type Snapshot = ();
        fn build(_: &(), _: u32) -> Self {
            Slow(Vec::new())
        }
        fn on_call(&mut self, call: CallId, _: Op, ctx: &mut Context<Self>) {
            self.0.push(call);
            if ctx.me().member == 0 {
                ctx.wake(Span::from_ms(30), ());
            }
        }
        fn on_timer(&mut self, (): (), ctx: &mut Context<Self>) {
            let call = self.0.remove(0);
            let causes = Causes::only(Cause::Wait, Span::from_ms(30));
            ctx.reply(call, Outcome::ok(5), 9, &causes, 10);
        }
    }
}
