//! A register on three copies, first wrong, then right.
//!
//! A write goes to a majority, and a read asks a majority and believes the newest answer. That looks right and is not: while a write is under
//! way one reader may meet the copy that has it already, and the next reader two that have not; the register goes back in time. The
//! repair is the second half of H. Attiya, A. Bar-Noy and D. Dolev, "Sharing memory robustly in message-passing systems" (1995): what was read
//! is written to a majority before it is answered.
//!
//! `cargo run --example register`; `docs/your-own-protocol.md` explains it line by line.

use std::collections::BTreeMap;
use std::sync::Arc;

use splitbrain::prelude::*;

const COPIES: u32 = 3;
const MAJORITY: u32 = 2;
const CLIENTS: u32 = 4;
const OPERATIONS: usize = 12;
const SEEDS: u64 = 2_000;

/// Orders the values: a number, and who gave it.
type Stamp = (u64, u32);

/// What the copies say to each other, in rounds that the one who asks counts.
#[derive(Clone, Hash)]
enum Message {
    Ask { round: u64 },
    Has { round: u64, stamp: Stamp, value: i64 },
    Store { round: u64, stamp: Stamp, value: i64 },
    Stored { round: u64 },
}

impl Payload for Message {
    type Sent = [u32; 1];
}

/// What a copy does for a client.
#[derive(Clone, Hash)]
struct Round {
    call: CallId,
    /// What is to be written; `None` in a read.
    new: Option<i64>,
    /// It asks first and stores then.
    stores: bool,
    heard: u32,
    newest: (Stamp, i64),
}

#[derive(Clone, Hash)]
struct Copy {
    stamp: Stamp,
    value: i64,
    rounds: BTreeMap<u64, Round>,
    last_round: u64,
}

/// What all copies share.
struct Protocol {
    /// The repair.
    writes_back: bool,
}

impl Copy {
    fn adopt(&mut self, stamp: Stamp, value: i64) {
        if stamp > self.stamp {
            (self.stamp, self.value) = (stamp, value);
        }
    }

    /// A majority has said what it has.
    fn asked(&mut self, number: u64, ctx: &mut Context<Self>) {
        let Some(round) = self.rounds.get_mut(&number) else { return };
        if let Some(new) = round.new {
            // Two writes that we serve at once must not get one stamp: ours may be newer than what the majority had (seed 552).
            let highest = round.newest.0.0.max(self.stamp.0);
            round.newest = ((highest + 1, ctx.me().member), new);
        } else if !ctx.plan().writes_back {
            return self.done(number, ctx);
        }
        (round.stores, round.heard) = (true, 1);
        let (stamp, value) = round.newest;
        self.adopt(stamp, value);
        for other in ctx.others() {
            ctx.send(other, Message::Store { round: number, stamp, value }, 100);
        }
    }

    fn done(&mut self, number: u64, ctx: &mut Context<Self>) {
        if let Some(round) = self.rounds.remove(&number) {
            ctx.answer(round.call, Outcome::ok(round.newest.1));
        }
    }
}

impl Process for Copy {
    type Plan = Protocol;
    type Message = Message;
    type Timer = u64;
    type Record = ();
    type Snapshot = ();

    fn build(_: &Protocol, _: u32) -> Self {
        Copy { stamp: (0, 0), value: 0, rounds: BTreeMap::new(), last_round: 0 }
    }

    fn on_call(&mut self, call: CallId, op: Op, ctx: &mut Context<Self>) {
        let new = match op {
            Op::Write { n, .. } => Some(n),
            _ => None,
        };
        self.last_round += 1;
        let newest = (self.stamp, self.value);
        self.rounds.insert(self.last_round, Round { call, new, stores: false, heard: 1, newest });
        for other in ctx.others() {
            ctx.send(other, Message::Ask { round: self.last_round }, 100);
        }
    }

    fn on_message(&mut self, from: Pid, message: Message, ctx: &mut Context<Self>) {
        match message {
            Message::Ask { round } => {
                let has = Message::Has { round, stamp: self.stamp, value: self.value };
                ctx.send(from, has, 100);
            }
            Message::Has { round: number, stamp, value } => {
                let Some(round) = self.rounds.get_mut(&number).filter(|round| !round.stores) else { return };
                round.newest = round.newest.max((stamp, value));
                round.heard += 1;
                if round.heard == MAJORITY {
                    self.asked(number, ctx);
                }
            }
            Message::Store { round, stamp, value } => {
                self.adopt(stamp, value);
                ctx.send(from, Message::Stored { round }, 100);
            }
            Message::Stored { round: number } => {
                let Some(round) = self.rounds.get_mut(&number).filter(|round| round.stores) else { return };
                round.heard += 1;
                if round.heard == MAJORITY {
                    self.done(number, ctx);
                }
            }
        }
    }
}

/// An operation as a client saw it: what it wrote, or `None` for a read, and what it was answered.
type Seen = Observation<Option<i64>, i64>;

#[derive(Clone, Hash)]
struct Operation {
    new: Option<i64>,
    invoked: u64,
    /// The value, and when.
    answer: Option<(i64, u64)>,
}

/// Reads and writes by turns, as fast as it is answered, and remembers what it saw.
#[derive(Clone, Hash)]
struct Client {
    operations: Vec<Operation>,
}

impl Client {
    fn next(&mut self, ctx: &mut Context<Self>) {
        let number = self.operations.len();
        if number == OPERATIONS {
            return;
        }
        let me = ctx.me().member;
        // Each value is written once.
        let new = (ctx.stream(0).below(2) == 0).then_some((100 * (me as usize + 1) + number) as i64);
        self.operations.push(Operation { new, invoked: ctx.now().as_ns(), answer: None });
        let op = new.map_or(Op::read(0), |new| Op::write(0, new));
        let copy = Pid::new(*ctx.plan(), me % COPIES);
        ctx.call(copy, ctx.request(number as u64, op), 0);
    }
}

impl Process for Client {
    /// Where the copies are.
    type Plan = TierId;
    type Message = ();
    type Timer = u64;
    type Record = ();
    type Snapshot = ();

    fn build(_: &TierId, _: u32) -> Self {
        Client { operations: Vec::new() }
    }

    fn start(&mut self, _: &Disk<(), ()>, ctx: &mut Context<Self>) {
        self.next(ctx);
    }

    fn on_call(&mut self, _: CallId, _: Op, _: &mut Context<Self>) {}

    fn on_reply(&mut self, _: CallId, _: u64, reply: Reply, ctx: &mut Context<Self>) {
        if let (Some(value), Some(last)) = (reply.outcome.value(), self.operations.last_mut()) {
            last.answer = Some((value.n, ctx.now().as_ns()));
        }
        self.next(ctx);
    }
}

/// What the clients of a world saw.
fn history(seed: u64, writes_back: bool) -> Vec<Seen> {
    // About a millisecond, and three times in ten about fifty: so much can come in between.
    let exponential = |ms: f64| Dist::Exponential { mean: ms * 1e6 };
    let latency = Dist::Mix(Arc::new([(0.7, exponential(1.0)), (1.0, exponential(50.0))]));
    let path = Path { latency, ..Path::default() };
    let mut world = World::new(seed, Network::flat(seed, path), Recorder::default());
    let here = [ZoneId(0)];
    let copies = world.add::<Copy>("copy", Arc::new(Protocol { writes_back }), COPIES, &here, false);
    let clients = world.add::<Client>("client", Arc::new(copies), CLIENTS, &here, false);
    world.start();
    world.until(Time::from_secs(60));
    let seen = |one: &Operation| match one.answer {
        Some((value, returned)) => Observation::ok(one.new, value, one.invoked, returned),
        None => Observation::pending(one.new, one.invoked),
    };
    let clients = world.members::<Client>(clients).expect("they are clients");
    clients.iter().flat_map(|client| client.operations.iter().map(seen)).collect()
}

/// What a register may do.
struct Register;

impl SequentialSpec for Register {
    type State = i64;
    type Op = Option<i64>;
    type Ret = i64;

    fn init(&self) -> i64 {
        0
    }

    fn step(&self, state: &i64, op: &Option<i64>, ret: Option<&i64>) -> States<i64> {
        match op {
            Some(new) => States::from([*new]),
            None if ret.is_none_or(|seen| seen == state) => States::from([*state]),
            None => States::new(),
        }
    }
}

/// The first seed whose history no register explains, with the witness.
fn first_wrong(writes_back: bool) -> Option<(u64, Witness)> {
    (1..=SEEDS).find_map(|seed| {
        match linearizable(&Register, &history(seed, writes_back), Budget::default()) {
            Verdict::Violated(witness) => Some((seed, witness)),
            _ => None,
        }
    })
}

fn main() {
    match first_wrong(false) {
        None => println!("without writing back: {SEEDS} seeds, nothing found"),
        Some((seed, witness)) => {
            println!("without writing back: seed {seed}: {}", witness.sentence);
            for place in witness.operations {
                println!("  {:?}", history(seed, false)[place]);
            }
        }
    }
    match first_wrong(true) {
        None => println!("with writing back: {SEEDS} seeds, each linearizable"),
        Some((seed, witness)) => println!("with writing back: seed {seed}: {}", witness.sentence),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_must_be_written_back() {
        assert!(first_wrong(false).is_some());
        assert_eq!(first_wrong(true), None);
    }

    #[test]
    fn a_seed_names_a_run() {
        assert_eq!(history(7, true), history(7, true));
        assert_ne!(history(7, true), history(8, true));
    }
}
