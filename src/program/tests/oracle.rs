//! A naive interpreter that walks the tree, as an oracle for the compiled code: on random programs both must ask for
//! the same effects in the same order and end the same way.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{Names, given_back, programs, shown};
use crate::base::ids::ProgramId;
use crate::base::op::{Reason, Value};
use crate::base::rng::mix;
use crate::program::compile::parameters;
use crate::program::compile::scope::Scope;
use crate::program::instr::{Effect, Ending, Input};
use crate::program::interpret::Frames;
use crate::program::syntax::{BinaryOp, Does, Expr, Place, Spanned, Step, Steps, UnaryOp, steps};

/// Effects beyond this are not looked at: random programs may be long.
const EFFECTS_MAX: usize = 200;

/// What the draws of the activation are derived from.
const SUBSTREAM: u64 = 77;
/// The site that `programs` gives.
const SITE: u64 = 1;

/// What the host answers to its n-th question: now and then a failure.
fn answer(n: usize) -> Result<i64, Reason> {
    if n % 4 == 3 { Err(Reason::Error) } else { Ok(n as i64 % 5 - 1) }
}

/// Why a walk stopped.
enum Stop {
    Failed(Reason),
    /// The store has failed within a transaction.
    Over(Reason),
    Returned(i64),
    Enough,
}

struct Walk {
    names: BTreeMap<String, i64>,
    /// Numbers of the steps that draw, by their place in the text.
    sites: BTreeMap<usize, u64>,
    /// What the repetitions around us are named by.
    round: u64,
    seen: Vec<String>,
    /// Whether we are in a transaction, and where its commit draws.
    within: bool,
}

type Walked<T> = Result<T, Stop>;

fn overflow<T>(value: Option<T>) -> Walked<T> {
    value.ok_or(Stop::Failed(Reason::Arithmetic))
}

impl Walk {
    fn value(&self, expr: &Spanned<Expr>) -> Walked<i64> {
        Ok(match &expr.value {
            Expr::Number(quantity) => quantity.exact.expect("programs here have whole numbers"),
            Expr::Name(name) => self.names.get(name).copied().unwrap_or(0),
            Expr::Unary(UnaryOp::Minus, of) => overflow(self.value(of)?.checked_neg())?,
            Expr::Unary(UnaryOp::Not, of) => i64::from(self.value(of)? == 0),
            Expr::Binary(BinaryOp::And, a, b) => i64::from(self.value(a)? != 0 && self.value(b)? != 0),
            Expr::Binary(BinaryOp::Or, a, b) => i64::from(self.value(a)? != 0 || self.value(b)? != 0),
            Expr::Binary(op, a, b) => {
                let (a, b) = (self.value(a)?, self.value(b)?);
                match op {
                    BinaryOp::Add => overflow(a.checked_add(b))?,
                    BinaryOp::Subtract => overflow(a.checked_sub(b))?,
                    BinaryOp::Multiply => overflow(a.checked_mul(b))?,
                    BinaryOp::Divide => overflow(a.checked_div(b))?,
                    BinaryOp::Remainder => overflow(a.checked_rem(b))?,
                    BinaryOp::Equal => i64::from(a == b),
                    BinaryOp::Differs => i64::from(a != b),
                    BinaryOp::Below => i64::from(a < b),
                    BinaryOp::AtMost => i64::from(a <= b),
                    BinaryOp::Above => i64::from(a > b),
                    _ => i64::from(a >= b),
                }
            }
            other => unreachable!("{other} is not generated"),
        })
    }

    fn key(&self, place: &Place) -> Walked<i64> {
        place.key.as_ref().map_or(Ok(0), |key| self.value(key))
    }

    /// Asks the host, with a draw of its own for each step and repetition.
    fn draw(&mut self, step: &Step, effect: String) -> Walked<i64> {
        let draw = mix(mix(SUBSTREAM, mix(SITE, self.sites[&step.at.start])), self.round);
        self.ask(format!("{effect} {draw:x}"))
    }

    /// A step on the store: within a transaction its failure is the end of that.
    fn store(&mut self, step: &Step, effect: String) -> Walked<i64> {
        let within = self.within;
        self.draw(step, effect).map_err(|stop| match stop {
            Stop::Failed(reason) if within => Stop::Over(reason),
            other => other,
        })
    }

    fn commit(&mut self) -> Walked<()> {
        let asked = self.ask("commit".to_owned());
        self.within = asked.is_err();
        asked
            .map(|_| ())
            .map_err(|stop| if let Stop::Failed(reason) = stop { Stop::Over(reason) } else { stop })
    }

    /// The steps of a transaction, as often as the host wants.
    fn transaction(&mut self, step: &Step, body: &Steps) -> Walked<()> {
        let (names, round) = (self.names.clone(), self.round);
        for attempt in 1.. {
            self.within = true;
            let begun = self.draw(step, "begin".to_owned());
            let result = begun.and_then(|_| self.steps(body)).and_then(|()| self.commit());
            let (Err(Stop::Failed(reason)) | Err(Stop::Over(reason))) = result else {
                self.round = round;
                return result;
            };
            if self.ask(format!("abort {reason:?}")).is_err() {
                self.within = false;
                self.round = round;
                return Err(if self.seen.len() >= EFFECTS_MAX { Stop::Enough } else { Stop::Failed(reason) });
            }
            self.names = names.clone();
            self.round = mix(round, 0x7478 + attempt);
        }
        unreachable!("the host does not answer for ever")
    }

    /// Asks the host.
    fn ask(&mut self, effect: String) -> Walked<i64> {
        if self.seen.len() >= EFFECTS_MAX {
            return Err(Stop::Enough);
        }
        self.seen.push(effect);
        answer(self.seen.len() - 1).map_err(Stop::Failed)
    }

    fn steps(&mut self, steps: &Steps) -> Walked<()> {
        for step in steps {
            match (self.step(step), &step.otherwise) {
                (Err(Stop::Failed(_)), Some(otherwise)) => self.steps(otherwise)?,
                (result, _) => result?,
            }
        }
        Ok(())
    }

    fn put(&mut self, to: Option<&Spanned<String>>, value: i64) {
        if let Some(to) = to {
            self.names.insert(to.value.clone(), value);
        }
    }

    fn step(&mut self, step: &Step) -> Walked<()> {
        match &step.does {
            Does::Cpu { times, .. } => {
                let times = times.as_ref().map_or(Ok(1), |times| self.value(times))?;
                overflow((times >= 0).then_some(()))?;
                self.draw(step, format!("cpu*{times}"))?;
            }
            Does::Assign { to, value } => {
                let value = self.value(value)?;
                self.put(Some(to), value);
            }
            Does::Get { to, place } => {
                let value = self.draw(step, format!("get[{}]", self.key(place)?))?;
                self.put(to.as_ref(), value);
            }
            Does::Read { to, place, .. } => {
                let value = self.store(step, format!("read1[{}]", self.key(place)?))?;
                self.put(to.as_ref(), value);
            }
            Does::Write { place, value } => {
                let (key, n) = (self.key(place)?, self.value(value)?);
                self.store(step, format!("write[{key}]={n}"))?;
            }
            Does::Tally { place, by } => {
                let key = self.key(place)?;
                let by = by.as_ref().map_or(Ok(1), |by| self.value(by))?;
                self.ask(format!("tally[{key}]+={by}"))?;
            }
            Does::Fail { name } => return Err(Stop::Failed(Names.failure(&name.value))),
            Does::Return { value, .. } => {
                let value = value.as_ref().map_or(Ok(0), |value| self.value(value))?;
                if self.within {
                    self.commit()?;
                }
                return Err(Stop::Returned(value));
            }
            Does::Tx { body, .. } => self.transaction(step, body)?,
            Does::Each { count, name, body } => {
                let outside = self.round;
                for round in 0..self.value(count)? {
                    self.put(name.as_ref(), round);
                    self.round = mix(outside, round as u64 + 1);
                    let result = self.steps(body);
                    self.round = outside;
                    result?;
                }
            }
            Does::If { condition, then, or_else } => {
                let holds = self.value(condition)? != 0;
                self.steps(if holds { then } else { or_else })?;
            }
            Does::Block { body } => self.steps(body)?,
            Does::Hold { place, body } => {
                let key = self.key(place)?;
                self.draw(step, format!("acquire[{key}]"))?;
                let result = self.steps(body);
                if !matches!(result, Err(Stop::Enough)) {
                    self.seen.push(format!("release[{key}]"));
                }
                result?;
            }
            other => unreachable!("{other:?} is not generated"),
        }
        Ok(())
    }
}

/// Numbers the steps that draw, in text order, from 1.
fn number(steps: &Steps, within: bool, sites: &mut BTreeMap<usize, u64>) {
    for step in steps {
        match &step.does {
            Does::Cpu { .. } | Does::Get { .. } | Does::Read { .. } | Does::Write { .. } => {
                sites.insert(step.at.start, sites.len() as u64 + 1);
            }
            Does::Each { body, .. } | Does::Block { body } => number(body, within, sites),
            Does::Hold { body, .. } | Does::Tx { body, .. } => {
                sites.insert(step.at.start, sites.len() as u64 + 1);
                number(body, within || matches!(step.does, Does::Tx { .. }), sites);
                if let Does::Tx { .. } = step.does {
                    sites.insert(step.at.end, sites.len() as u64 + 1); // its commit
                }
            }
            Does::Return { .. } if within => {
                sites.insert(step.at.start, sites.len() as u64 + 1); // the commit before it
            }
            Does::If { then, or_else, .. } => {
                number(then, within, sites);
                number(or_else, within, sites);
            }
            _ => {}
        }
        if let Some(otherwise) = &step.otherwise {
            number(otherwise, within, sites);
        }
    }
}

/// What the oracle says about a program.
fn walked(text: &str, args: [i64; 3]) -> Vec<String> {
    let parsed = steps(text).unwrap_or_else(|errors| panic!("{text}: {errors:?}"));
    let names = parameters(&parsed).into_iter().zip(args).collect();
    let mut walk = Walk { names, sites: BTreeMap::new(), round: 0, seen: Vec::new(), within: false };
    number(&parsed, false, &mut walk.sites);
    let end = match walk.steps(&parsed) {
        Ok(()) => "return 0".to_owned(),
        Err(Stop::Returned(n)) => format!("return {n}"),
        Err(Stop::Failed(reason) | Stop::Over(reason)) => format!("failed {reason:?}"),
        Err(Stop::Enough) => return walk.seen,
    };
    walk.seen.push(end);
    walk.seen
}

/// What the compiled code does.
fn compiled(text: &str, args: [i64; 3]) -> Vec<String> {
    let programs = programs(text);
    let mut frames = Frames::default();
    let root = frames.begin(&programs, ProgramId(0), args, SUBSTREAM, 0);
    let mut input = Input::Go;
    let mut seen = Vec::new();
    let mut holds = BTreeMap::new();
    loop {
        let effect = frames.resume(&programs, root, input);
        seen.extend(std::iter::from_fn(|| frames.ended()).map(|hold| given_back(hold, &mut holds)));
        if seen.len() >= EFFECTS_MAX && !matches!(effect, Effect::Done(_)) {
            return seen;
        }
        if let Effect::Acquire { key, hold, .. } = effect {
            holds.insert(hold, key);
        }
        seen.push(match effect {
            Effect::Cpu { draw, .. }
            | Effect::Get { draw, .. }
            | Effect::Read { draw, .. }
            | Effect::Write { draw, .. }
            | Effect::Begin { draw, .. }
            | Effect::Acquire { draw, .. } => format!("{} {draw:x}", shown(effect)),
            _ => shown(effect),
        });
        if let Effect::Done(Ending::Returned { .. } | Ending::Failed(_)) = effect {
            assert_eq!(frames.held(), 0, "{text}: every lock is given back");
            assert_eq!(frames.transactions(), 0, "{text}: every transaction ends");
            return seen;
        }
        input = match (answer(seen.len() - 1), effect) {
            (Ok(_), Effect::Begin { .. } | Effect::Commit { .. }) => Input::Go,
            (Ok(_), Effect::Abort { .. }) => Input::Again,
            (Err(_), Effect::Abort { failure, .. }) => Input::Failed(failure),
            (other, _) => told(other),
        };
    }
}

fn told(answer: Result<i64, Reason>) -> Input {
    match answer {
        Ok(n) => Input::Value(Value { n, ..Value::default() }),
        Err(reason) => Input::Failed(reason.into()),
    }
}

fn expressions() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        prop::sample::select(vec!["a", "b", "c", "0", "1", "2", "7", "9223372036854775807"])
            .prop_map(str::to_owned),
        (0i64..20).prop_map(|n| n.to_string()),
    ];
    leaf.prop_recursive(4, 24, 2, |inner| {
        let operators = vec!["+", "-", "*", "/", "mod", "==", "!=", "<", "<=", ">", ">=", "and", "or"];
        prop_oneof![
            (inner.clone(), prop::sample::select(operators), inner.clone())
                .prop_map(|(a, op, b)| format!("({a}) {op} ({b})")),
            inner.clone().prop_map(|a| format!("-({a})")),
            inner.prop_map(|a| format!("not ({a})")),
        ]
    })
}

fn bodies() -> impl Strategy<Value = String> {
    let e = expressions;
    let name = || prop::sample::select(vec!["a", "b", "c"]);
    let leaf = prop_oneof![
        (name(), e()).prop_map(|(x, e)| format!("{x} = {e}")),
        e().prop_map(|e| format!("cpu 1ms * ({e})")),
        (name(), e()).prop_map(|(x, e)| format!("{x} = read shop.stock[{e}]")),
        (name(), e()).prop_map(|(x, e)| format!("{x} = get pages[{e}]")),
        (e(), e()).prop_map(|(k, e)| format!("write shop.stock[{k}] = {e}")),
        (e(), e()).prop_map(|(k, e)| format!("tally t[{k}] += {e}")),
    ];
    let ending = prop_oneof![4 => Just(None), 1 => e().prop_map(|e| Some(format!("; return {e}"))), 1 => Just(Some("; fail odd".to_owned()))];
    leaf.prop_recursive(4, 40, 4, move |inner| {
        prop_oneof![
            3 => prop::collection::vec(inner.clone(), 1..4).prop_map(|steps| steps.join("; ")),
            2 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{{ {a} }} else {{ {b} }}")),
            2 => (expressions(), inner.clone(), inner.clone())
                .prop_map(|(c, a, b)| format!("if {c} {{ {a} }} else {{ {b} }}")),
            1 => (expressions(), inner.clone()).prop_map(|(c, a)| format!("if {c} {{ {a} }}")),
            2 => (0..4, name(), inner.clone()).prop_map(|(n, i, a)| format!("each {n} as {i} {{ {a} }}")),
            1 => (expressions(), inner.clone()).prop_map(|(n, a)| format!("each ({n}) mod 3 {{ {a} }}")),
            2 => (expressions(), inner.clone()).prop_map(|(k, a)| format!("hold till[{k}] {{ {a} }}")),
            1 => (inner.clone(), expressions()).prop_map(|(a, e)| format!("{{ {a}; return {e} }}")),
            1 => inner.prop_map(|a| format!("{{ {a}; fail odd }}")),
        ]
    })
    .prop_flat_map(move |body| {
        ending.clone().prop_map(move |end| format!("{body}{}", end.unwrap_or_default()))
    })
}

/// Programs with and without transactions.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => bodies(),
        1 => (bodies(), bodies()).prop_map(|(a, b)| format!("tx shop {{ {a} }}; {b}")),
        1 => (bodies(), bodies()).prop_map(|(a, b)| format!("tx shop {{ {a} }} else {{ {b} }}")),
        1 => (bodies(), bodies()).prop_map(|(a, b)| format!("{{ {b} }} else {{ cpu 1ms }}; each 2 as i {{ tx shop {{ {a} }} }}")),
        1 => bodies().prop_map(|a| format!("hold till[1] {{ tx shop {{ {a} }} else {{ return a }} }}")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(600) })]

    #[test]
    fn compiled_programs_do_what_their_text_says(text in texts(), args in [-3i64..9, -3i64..9, -3i64..9]) {
        prop_assert_eq!(compiled(&text, args), walked(&text, args), "{}", text);
    }

    #[test]
    fn mutilated_programs_are_refused_or_read_but_never_followed_into_a_panic(
        text in texts(), at in 0usize..400, with in "[ -~\n]{0,3}", cut in 0usize..5,
    ) {
        let start = at.min(text.len());
        let end = (start + cut).min(text.len());
        let mutilated = format!("{}{with}{}", &text[..start], &text[end..]);
        match steps(&mutilated) {
            Ok(parsed) => {
                let _ = crate::program::compile::compile(&parsed, "test", crate::base::ids::PartId(0), 1, &mut Names, &super::no_files);
            }
            Err(errors) => {
                for error in errors {
                    prop_assert!(error.at.end <= mutilated.len() && mutilated.is_char_boundary(error.at.start));
                }
            }
        }
    }
}
