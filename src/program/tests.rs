//! Programs and the effects that they ask for.

use std::collections::BTreeMap;

use crate::base::cause::{Cause, Causes};
use crate::base::ids::{PartId, PolicyId, ProgramId, TallyId, ZoneId};
use crate::base::op::{Reason, Value};
use crate::base::time::Span;
use crate::program::compile::scope::{PartRole, Scope};
use crate::program::compile::{compile, parameters};
use crate::program::instr::{Effect, Ending, Input, Programs};
use crate::program::interpret::Frames;
use crate::program::interpret::ids::CoroutineId;
use crate::program::interpret::ids::HoldId;
use crate::program::syntax::steps;

/// A small world of names.
struct Names;

impl Scope for Names {
    fn part(&self, name: &str) -> Option<(PartId, PartRole)> {
        Some(match name {
            "app" => (PartId(0), PartRole::Runs),
            "pages" => (PartId(1), PartRole::Caches),
            "shop" => (PartId(2), PartRole::Stores),
            "bank" => (PartId(3), PartRole::Replies),
            "till" => (PartId(4), PartRole::Locks),
            _ => return None,
        })
    }
    fn part_names(&self) -> Vec<String> {
        ["app", "pages", "shop", "bank", "till"].map(str::to_owned).to_vec()
    }
    fn program(
        &self,
        _: Option<PartId>,
        name: &str,
    ) -> Result<(PartId, ProgramId, Vec<String>), Vec<String>> {
        match name {
            "page" => Ok((PartId(0), ProgramId(7), vec!["item".to_owned(), "size".to_owned()])),
            "twice" => Err(vec!["app".to_owned(), "web".to_owned()]),
            _ => Err(Vec::new()),
        }
    }
    fn program_names(&self, _: Option<PartId>) -> Vec<String> {
        ["page", "twice"].map(str::to_owned).to_vec()
    }
    fn table(&mut self, _: PartId, name: &str) -> u16 {
        u16::from(name == "stock")
    }
    fn policy(&self, name: &str) -> Option<PolicyId> {
        (name == "pay").then_some(PolicyId(1))
    }
    fn default_policy(&self) -> PolicyId {
        PolicyId(0)
    }
    fn zone(&self, _: &str) -> Option<ZoneId> {
        None
    }
    fn tally(&mut self, _: &str) -> TallyId {
        TallyId(0)
    }
    fn failure(&mut self, name: &str) -> Reason {
        Reason::Named(name.len() as u16)
    }
}

fn no_files(_: &str) -> Result<String, String> {
    Err("no files".to_owned())
}

fn programs(text: &str) -> Programs {
    let parsed = steps(text).unwrap_or_else(|errors| panic!("{text}: {errors:?}"));
    let program = compile(&parsed, "test", PartId(0), 1, &mut Names, &no_files);
    Programs(vec![program.unwrap_or_else(|errors| panic!("{text}: {errors:?}"))])
}

fn shown(effect: Effect) -> String {
    match effect {
        Effect::Cpu { times, .. } => format!("cpu*{times}"),
        Effect::Wait { times, .. } => format!("wait*{times}"),
        Effect::Call { site, args, .. } => format!("call{site}{args:?}"),
        Effect::Get { key, .. } => format!("get[{key}]"),
        Effect::Put { key, .. } => format!("put[{key}]"),
        Effect::PutValue { key, n, version, .. } => format!("put[{key}] = {n}@{}", version.0),
        Effect::Drop { key, .. } => format!("drop[{key}]"),
        Effect::Read { table, key, .. } => format!("read{table}[{key}]"),
        Effect::Write { key, n, .. } => format!("write[{key}]={n}"),
        Effect::Update { key, delta, bound, when, .. } => format!("update[{key}]+={delta} {when:?} {bound}"),
        Effect::Acquire { key, .. } => format!("acquire[{key}]"),
        Effect::Begin { .. } => "begin".to_owned(),
        Effect::Commit { .. } => "commit".to_owned(),
        Effect::Abort { failure, .. } => format!("abort {:?}", failure.reason),
        Effect::Tally { key, by, .. } => format!("tally[{key}]+={by}"),
        Effect::Forked => "fork".to_owned(),
        Effect::Parked => "park".to_owned(),
        Effect::Joined { failed, .. } => format!("join {:?}", failed.map(|failure| failure.reason)),
        Effect::Done(Ending::Returned { value, .. }) => format!("return {}", value.n),
        Effect::Done(Ending::Failed(failure)) => format!("failed {:?}", failure.reason),
    }
}

/// A lock that is given back, by its key.
fn given_back(hold: HoldId, holds: &mut BTreeMap<HoldId, i64>) -> String {
    format!("release[{}]", holds.remove(&hold).expect("it was asked for and not given back"))
}

/// Runs a program with `args`; effects that fail are those whose text is in `failing`; every value is 5.
fn effects(text: &str, args: [i64; 3], failing: &[&str]) -> Vec<String> {
    let programs = programs(text);
    let mut frames = Frames::default();
    let root = frames.begin(&programs, ProgramId(0), args, 99, 0);
    let mut todo: Vec<(CoroutineId, Input)> = vec![(root, Input::Go)];
    let mut seen = Vec::new();
    let mut holds = BTreeMap::new();
    while let Some((coroutine, input)) = todo.pop() {
        let effect = frames.resume(&programs, coroutine, input);
        seen.extend(std::iter::from_fn(|| frames.ended()).map(|hold| given_back(hold, &mut holds)));
        if let Effect::Acquire { key, hold, .. } = effect {
            holds.insert(hold, key);
        }
        let text = shown(effect);
        let input =
            if failing.contains(&text.as_str()) { Input::Failed(Reason::Error.into()) } else { Input::Go };
        match effect {
            Effect::Abort { failure, .. } => {
                let again = input == Input::Go && !seen.contains(&text); // once
                todo.push((coroutine, if again { Input::Again } else { Input::Failed(failure) }));
            }
            Effect::Forked => {
                let mut children: Vec<_> =
                    std::iter::from_fn(|| frames.spawned()).map(|s| (s, Input::Go)).collect();
                children.reverse();
                todo.extend(children);
            }
            Effect::Parked => {}
            Effect::Joined { parent, failed } => {
                while let Some(gone) = frames.abandoned() {
                    todo.retain(|(coroutine, _)| *coroutine != gone);
                }
                todo.push((parent, failed.map_or(Input::Go, Input::Failed)));
            }
            Effect::Done(_) => frames.finish(coroutine),
            Effect::Get { .. } | Effect::Read { .. } | Effect::Call { .. } | Effect::Update { .. } => {
                let value = Value { n: 5, ..Value::default() };
                todo.push((coroutine, if input == Input::Go { Input::Value(value) } else { input }));
            }
            _ => todo.push((coroutine, input)),
        }
        seen.push(text);
    }
    assert!(frames.is_empty(), "every frame is freed");
    assert_eq!(frames.held(), 0, "every lock is given back");
    assert_eq!(frames.transactions(), 0, "every transaction ends");
    seen
}

#[test]
fn programs_ask_for_their_effects_in_order() {
    let none: &[&str] = &[];
    for (text, failing, expected) in [
        ("cpu exp(1ms) * 3; return 1 + 2 * 3", none, vec!["cpu*3", "return 7"]),
        (
            "n = read shop.stock[item]; write shop.stock[item] = n - 1",
            none,
            vec!["read1[8]", "write[8]=4", "return 0"],
        ),
        (
            "each 3 as i { tally x[i] += i * 2 }",
            none,
            vec!["tally[0]+=0", "tally[1]+=2", "tally[2]+=4", "return 0"],
        ),
        ("if item > 5 { return 1 } else { return 2 }", none, vec!["return 1"]),
        (
            "update shop.stock[1] -= 2 when >= 3 else fail sold_out",
            none,
            vec!["update[1]+=-2 AtLeast 3", "return 0"],
        ),
        ("read shop.stock[1] else fail broke; return 1", &["read1[1]"], vec!["read1[1]", "failed Named(5)"]),
        ("read shop.stock[1]; return 1", &["read1[1]"], vec!["read1[1]", "failed Error"]),
        (
            "call bank with pay else { tally later }; return 3",
            &["call0[0, 0, 0]"],
            vec!["call0[0, 0, 0]", "tally[0]+=1", "return 3"],
        ),
        ("call page(size=2, item=item)", none, vec!["call0[8, 2, 0]", "return 0"]),
        ("x = 1 / 0 else return 9", none, vec!["return 9"]),
        ("x = 9223372036854775807 + 1", none, vec!["failed Arithmetic"]),
        (
            "par { a = get pages[1]; b = get pages[2] }; return a + b",
            none,
            vec!["fork", "get[1]", "park", "get[2]", "join None", "return 10"],
        ),
        (
            "par { get pages[1]; get pages[2] } else return 4",
            &["get[1]"],
            vec!["fork", "get[1]", "park", "get[2]", "join Some(Error)", "return 4"],
        ),
        (
            "race { get pages[1]; get pages[2] }; return 1",
            none,
            vec!["fork", "get[1]", "join None", "return 1"],
        ),
        (
            "race { get pages[1]; get pages[2] }; return 1",
            &["get[1]"],
            vec!["fork", "get[1]", "park", "get[2]", "join None", "return 1"],
        ),
        (
            "par each 2 as i { wait 1ms * i }",
            none,
            vec!["fork", "wait*0", "park", "wait*1", "join None", "return 0"],
        ),
        ("par each 0 { wait 1ms }; return 2", none, vec!["return 2"]),
        (
            "each 2 { par { cpu 1ms; par { wait 1ms; wait 2ms } } }",
            none,
            vec![
                "fork",
                "cpu*1",
                "park",
                "fork",
                "wait*1",
                "park",
                "wait*1",
                "join None",
                "join None",
                "fork",
                "cpu*1",
                "park",
                "fork",
                "wait*1",
                "park",
                "wait*1",
                "join None",
                "join None",
                "return 0",
            ],
        ),
        (
            "par { { get pages[1]; tally a }; { get pages[2]; tally b } }",
            none,
            vec!["fork", "get[1]", "tally[0]+=1", "park", "get[2]", "tally[0]+=1", "join None", "return 0"],
        ),
        ("if item == 1 { cpu 1ms }\nelse if item == 8 { cpu 2ms * 2 }", none, vec!["cpu*2", "return 0"]),
    ] {
        assert_eq!(effects(text, [8, 0, 0], failing), expected, "{text}");
    }
}

#[test]
fn mistakes_of_a_program_are_explained() {
    for (text, message) in [
        ("get page[1]", "unknown part `page`"),
        ("get shop[1]", "`shop` is not a cache"),
        ("read shop[1]", "a table is missing"),
        ("read shop.stock", "a key in brackets is missing"),
        ("call page(item=1)", "the argument `size` is missing"),
        ("call page(item=1, size=2, extra=3)", "no such parameter: it uses no `extra`"),
        ("call twice", "`twice` could mean `app.twice` or `web.twice`"),
        ("call bank with money", "unknown policy `money`"),
        ("cpu 5", "`5` has no unit"),
        ("x = 5ms", "`5ms` is no whole number"),
        ("hold l[1] { cpu 1ms }", "unknown part `l`"),
        ("hold shop[1] { cpu 1ms }", "`shop` is not a lock"),
        ("hold till { cpu 1ms }", "a key in brackets is missing"),
        ("hold till.a[1] { cpu 1ms }", "a lock has no tables"),
        (
            "hold till[1] { hold till[2] { hold till[3] { hold till[4] { hold till[5] { hold till[6] { hold till[7] { hold till[8] { cpu 1ms } } } } } } } }",
            "more than 7 locks held within each other",
        ),
        ("tx l { cpu 1ms }", "unknown part `l`"),
        ("tx pages { cpu 1ms }", "`pages` is not a db"),
        ("tx shop with card { cpu 1ms }", "unknown policy `card`"),
        ("tx shop { tx shop { cpu 1ms } }", "a `tx` cannot stand in a `tx`"),
        (
            "tx shop { par { cpu 1ms; cpu 2ms } }",
            "`par` and `race` cannot stand in a `tx`: its connection does one thing at a time",
        ),
        (
            "tx shop { par each 3 { cpu 1ms } }",
            "`par` and `race` cannot stand in a `tx`: its connection does one thing at a time",
        ),
        ("tx shop { read shop.stock[1] at replica }", "within `tx shop` all reads are at its leader"),
        (
            "read shop.stock[1] for update",
            "`for update` keeps a row until its transaction is over, and there is none around it",
        ),
        ("par { return 1; cpu 1ms }", "`return` cannot stand in a branch of `par` or `race`"),
        ("x = a + b + c + d", "`test` has 4 parameters, more than 3: a, b, c, d"),
        (
            "each 1 { each 1 { each 1 { each 1 { each 1 { each 1 { each 1 { each 1 { cpu 1ms } } } } } } } }",
            "more than 7 loops within each other",
        ),
    ] {
        let parsed = steps(text).unwrap_or_else(|errors| panic!("{text}: {errors:?}"));
        let errors = compile(&parsed, "test", PartId(0), 1, &mut Names, &no_files).expect_err(text);
        assert!(errors.iter().any(|error| error.message == message), "{text}: {errors:?}");
    }
}

#[test]
fn names_used_before_they_are_assigned_are_parameters() {
    let parsed =
        steps("a = get pages[item]; each a as i { tally x[i] += user }; b = 1; return b").expect("parses");
    assert_eq!(parameters(&parsed), ["item", "user"]);
}

#[test]
fn draws_differ_by_step_and_round_and_not_by_chance() {
    let keys = |substream: u64| -> Vec<u64> {
        let programs = programs("each 2 { cpu 1ms; cpu 1ms }; wait 1ms");
        let mut frames = Frames::default();
        let root = frames.begin(&programs, ProgramId(0), [0; 3], substream, 0);
        let mut keys = Vec::new();
        loop {
            match frames.resume(&programs, root, Input::Go) {
                Effect::Cpu { draw, .. } | Effect::Wait { draw, .. } => keys.push(draw),
                _ => return keys,
            }
        }
    };
    let once = keys(1);
    assert_eq!(once, keys(1));
    let mut all: Vec<u64> = once.into_iter().chain(keys(2)).collect();
    assert_eq!(all.len(), 10);
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 10, "no two steps or rounds share a draw");
}

#[test]
fn a_block_costs_what_its_last_branch_costs() {
    let programs = programs("par { wait 1ms; cpu 2ms }");
    let mut frames = Frames::default();
    let root = frames.begin(&programs, ProgramId(0), [0; 3], 1, 0);
    assert_eq!(frames.resume(&programs, root, Input::Go), Effect::Forked);
    let (a, b) = (frames.spawned().expect("first"), frames.spawned().expect("second"));
    frames.resume(&programs, a, Input::Go);
    frames.resume(&programs, b, Input::Go);
    frames.spend(a, Cause::Wait, Span::from_ms(1));
    assert_eq!(frames.resume(&programs, a, Input::Go), Effect::Parked);
    frames.spend(b, Cause::Cpu, Span::from_ms(2));
    assert!(matches!(frames.resume(&programs, b, Input::Go), Effect::Joined { .. }));
    assert_eq!(frames.causes(root), Causes::only(Cause::Cpu, Span::from_ms(2)));
}

#[test]
fn every_program_ends() {
    for text in [
        "each 9000000000000000000 { x = x + 1 }; return x",
        "each 2000 { each 2000 { x = 1 } }",
        "each 200 { par each 9999 { x = 1 } }",
        "par each 10001 { x = 1 }",
    ] {
        let programs = programs(text);
        let mut frames = Frames::default();
        let root = frames.begin(&programs, ProgramId(0), [0; 3], 1, 0);
        let mut todo = vec![(root, Input::Go)];
        let mut last = None;
        while let Some((coroutine, input)) = todo.pop() {
            let effect = frames.resume(&programs, coroutine, input);
            match effect {
                Effect::Forked => {
                    todo.extend(std::iter::from_fn(|| frames.spawned()).map(|s| (s, Input::Go)))
                }
                Effect::Joined { parent, failed } => {
                    todo.push((parent, failed.map_or(Input::Go, Input::Failed)))
                }
                _ => {}
            }
            last = Some(effect);
        }
        assert_eq!(last, Some(Effect::Done(Ending::Failed(Reason::Arithmetic.into()))), "{text}");
    }
}

#[test]
fn a_branch_hands_back_only_what_it_assigned() {
    for (text, returned) in [
        ("x = 1; par { x = 2; if 0 { x = 3 } }; return x", "return 2"),
        ("x = 1; par { x = 2; x = 3 }; return x", "return 3"),
        ("x = 1; par { { par { x = 4; cpu 1ms } }; cpu 1ms }; return x", "return 4"),
        ("x = 1; race { { get pages[1]; x = 2 }; { cpu 1ms; x = 3 } }; return x", "return 3"),
    ] {
        // The last resort of `effects` is a stack, so of two branches that wait the later one goes first.
        assert_eq!(effects(text, [0; 3], &["get[1]"]).last().map(String::as_str), Some(returned), "{text}");
    }
}

#[test]
fn a_settled_condition_looks_no_further() {
    for (text, returned) in [
        ("if item != 0 and 10 / item > 2 { return 1 }; return 2", "return 2"),
        ("if item == 0 or 10 / item > 2 { return 1 }; return 2", "return 1"),
        ("return 3 and 4", "return 1"),
        ("return 0 or 0", "return 0"),
    ] {
        assert_eq!(effects(text, [0; 3], &[]).last().map(String::as_str), Some(returned), "{text}");
    }
}

#[test]
fn loops_one_after_another_share_their_hidden_registers() {
    let text = "each 2 { cpu 1ms }; ".repeat(40);
    assert_eq!(effects(&text, [0; 3], &[]).len(), 81);
}

mod holds;
mod oracle;
mod transactions;
mod versions;

#[test]
fn a_wide_fan_out_of_blocks_takes_no_square_time() {
    let programs = programs("par each 10000 { par { cpu 1ms; cpu 1ms }; par { cpu 1ms; cpu 1ms } }");
    let mut frames = Frames::default();
    let root = frames.begin(&programs, ProgramId(0), [0; 3], 1, 0);
    let mut todo = std::collections::VecDeque::from([(root, Input::Go)]);
    let mut effects = 0;
    while let Some((coroutine, input)) = todo.pop_front() {
        effects += 1;
        match frames.resume(&programs, coroutine, input) {
            Effect::Forked => todo.extend(std::iter::from_fn(|| frames.spawned()).map(|s| (s, Input::Go))),
            Effect::Joined { parent, failed } => {
                todo.push_back((parent, failed.map_or(Input::Go, Input::Failed)))
            }
            Effect::Parked => {}
            Effect::Done(ending) => assert!(matches!(ending, Ending::Returned { .. })),
            _ => todo.push_back((coroutine, Input::Go)),
        }
    }
    assert_eq!(effects, 110_002);
}
