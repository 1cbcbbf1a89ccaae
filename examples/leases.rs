//! A leader by lease: two of them after a cut, then one at most; and what a lease trusts.
//!
//! Three nodes give each other their votes for a second at a time, and who has two of them leads. First the leader leads until it is told that
//! another does: cut off from the others it is not told, and when their votes are free again there are two. Then it leads for as long as
//! the lease lasts that it was given, counted by its own clock from the moment *before* it asked, so that it ends before any vote is free
//! (C. Gray and D. Cheriton, "Leases", 1989). That is as good as the clocks are: one that runs a tenth slow brings the second
//! leader back.
//!
//! `cargo run --example leases`

use std::sync::Arc;

use splitbrain::prelude::*;

const NODES: u32 = 3;
const MAJORITY: u32 = 2;
/// How long a vote is given for.
const LEASE: Span = Span::from_secs(1);
/// How often a leader asks again, and whoever has a free vote asks for the first time.
const PERIOD: Span = Span::from_ms(300);

#[derive(Clone, Hash)]
enum Message {
    Ask {
        round: u64,
    },
    Given {
        round: u64,
    },
    /// Somebody else has my vote: whoever leads without it may have been replaced.
    Refused,
}

impl Payload for Message {
    type Sent = [u32; 1];
}

/// What a timer is for.
#[derive(Clone, Copy, PartialEq)]
enum Timer {
    Ask,
    LeaseEnds,
}

impl Word for Timer {
    fn to_word(self) -> u64 {
        self as u64
    }

    fn from_word(word: u64) -> Timer {
        if word == 0 { Timer::Ask } else { Timer::LeaseEnds }
    }
}

#[derive(Clone, Copy)]
struct Protocol {
    /// The repair: the lease ends by itself.
    ends: bool,
}

#[derive(Clone, Hash)]
struct Node {
    /// Who has our vote, and until when by our clock.
    given: Option<(Pid, ClockTime)>,
    round: u64,
    asked: ClockTime,
    votes: u32,
    leads: bool,
    lease: Option<TimerId>,
}

impl Node {
    /// Gives our vote, if it is free or his already.
    fn vote(&mut self, to: Pid, ctx: &Context<Self>) -> bool {
        let now = ctx.monotonic();
        let is_free = self.given.is_none_or(|(holder, until)| holder == to || until <= now);
        if is_free {
            self.given = Some((to, now + LEASE));
        }
        is_free
    }

    fn ask(&mut self, ctx: &mut Context<Self>) {
        self.round += 1;
        (self.asked, self.votes) = (ctx.monotonic(), u32::from(self.vote(ctx.me(), ctx)));
        if self.votes == 0 {
            return;
        }
        for other in ctx.others() {
            ctx.send(other, Message::Ask { round: self.round }, 100);
        }
    }

    /// We have the votes of a majority.
    fn leads(&mut self, ctx: &mut Context<Self>) {
        self.leads = true;
        if ctx.plan().ends {
            if let Some(lease) = self.lease.take() {
                ctx.cancel_timer(lease);
            }
            let gone = ctx.monotonic().since(self.asked);
            self.lease = Some(ctx.set_timer(LEASE.saturating_sub(gone), Timer::LeaseEnds));
        }
    }
}

impl Process for Node {
    type Plan = Protocol;
    type Message = Message;
    type Timer = Timer;
    type Record = ();
    type Snapshot = ();

    fn build(_: &Protocol, _: u32) -> Self {
        Node { given: None, round: 0, asked: ClockTime::ZERO, votes: 0, leads: false, lease: None }
    }

    fn start(&mut self, _: &Disk<(), ()>, ctx: &mut Context<Self>) {
        // Not all at once, or they give their votes to themselves for ever.
        let first = PERIOD.scale(ctx.stream(0).open01());
        ctx.wake(first, Timer::Ask);
    }

    fn on_call(&mut self, _: CallId, _: Op, _: &mut Context<Self>) {}

    fn on_timer(&mut self, timer: Timer, ctx: &mut Context<Self>) {
        if timer == Timer::LeaseEnds {
            self.leads = false;
            return;
        }
        self.ask(ctx);
        let next = PERIOD.scale(0.5 + ctx.stream(0).open01());
        ctx.wake(next, Timer::Ask);
    }

    fn on_message(&mut self, from: Pid, message: Message, ctx: &mut Context<Self>) {
        match message {
            Message::Ask { round } => {
                let answer = if self.vote(from, ctx) { Message::Given { round } } else { Message::Refused };
                ctx.send(from, answer, 100);
            }
            Message::Given { round } if round == self.round => {
                self.votes += 1;
                if self.votes == MAJORITY {
                    self.leads(ctx);
                }
            }
            Message::Given { .. } => {}
            Message::Refused if ctx.plan().ends => {}
            Message::Refused => self.leads = false,
        }
    }

    fn is_leader(&self) -> bool {
        self.leads
    }
}

/// The most leaders at one time, when the first is cut off from the others for ten seconds; its clock runs so many parts per billion fast.
fn most_leaders(seed: u64, protocol: Protocol, drift_ppb: i64) -> usize {
    let path = Path { latency: Dist::Exponential { mean: 2e6 }, ..Path::default() };
    let mut world = World::new(seed, Network::flat(seed, path), Recorder::default());
    let tier = world.add::<Node>("node", Arc::new(protocol), NODES, &[ZoneId(0)], false);
    world.start();
    let nodes = || (0..NODES).map(move |member| Pid::new(tier, member));
    let mut cut = Vec::new();
    let mut most = 0;
    for ms in (0..20_000).step_by(5) {
        world.until(Time::from_ms(ms));
        let leaders: Vec<Pid> = nodes().filter(|node| world.is_leader(*node)).collect();
        most = most.max(leaders.len());
        match (ms, &leaders[..]) {
            (5_000.., [leader]) if cut.is_empty() && ms < 10_000 => {
                let alone = || NodeSet::pids(vec![*leader]);
                let others = || NodeSet::pids(nodes().filter(|node| node != leader).collect());
                let ways = [(alone(), others()), (others(), alone())];
                cut = ways.map(|(from, to)| world.network().add(Effect::Cut { from, to })).to_vec();
                world.skew(*leader, 0, drift_ppb);
            }
            (15_000, _) => cut.drain(..).for_each(|effect| world.network().lift(effect)),
            _ => {}
        }
    }
    most
}

fn main() {
    for (what, ends, drift_ppb) in [
        ("until it is told of another", false, 0),
        ("while its lease lasts", true, 0),
        ("while its lease lasts, by a clock that is 10 % slow", true, -100_000_000),
    ] {
        let most = (1..=50).map(|seed| most_leaders(seed, Protocol { ends }, drift_ppb)).max();
        println!("a leader leads {what}: {} at a time at most, of 50 seeds", most.unwrap_or(0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn most(ends: bool, drift_ppb: i64) -> usize {
        (1..=50).map(|seed| most_leaders(seed, Protocol { ends }, drift_ppb)).max().expect("fifty")
    }

    #[test]
    fn a_leader_that_waits_to_be_told_is_one_of_two() {
        assert_eq!(most(false, 0), 2);
    }

    #[test]
    fn a_lease_ends_before_the_next_one_begins() {
        assert_eq!(most(true, 0), 1);
        assert_eq!(most(true, 100_000_000), 1, "a fast clock ends it sooner");
    }

    #[test]
    fn a_lease_trusts_its_clock() {
        assert_eq!(most(true, -100_000_000), 2);
    }
}
