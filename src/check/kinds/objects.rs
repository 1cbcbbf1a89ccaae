//! Objects that are read and changed one at a time, by key or not: registers, counters, locks, stores.
//!
//! A key is `:key`, or the first of a pair as value: always for `kv`, and for registers where the history says so, as `jepsen.independent`
//! writes it (see `is_keyed`).

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::base::op::When;
use crate::check::Verdict;
use crate::check::consistency::{Consistency, check};
use crate::check::history::{ByKey, Call, NIL, Operation, Texts};
use crate::check::kinds::kind::{Asked, Judged, Kind, PART, Refused, Shown, knows, named, nearest};
use crate::check::kinds::mutex;
use crate::check::kinds::nil::Nil;
use crate::check::model::Model;
use crate::check::observed::observed;
use crate::check::read::attempts::{Attempt, Attempts};
use crate::check::read::datum::Datum;
use crate::check::read::{self, Format, Malformed};

/// Operations that are looked at to see whether values are pairs of a key and a value.
const LOOKED_AT: usize = 4_096;

/// A history of objects, ready to be judged.
#[derive(Clone, Debug)]
pub struct Objects {
    /// The operations, by key.
    pub keys: ByKey,
    /// What their values mean.
    pub texts: Texts,
    /// The value of a key before the first operation.
    pub initial: i64,
    /// Operations in all.
    pub operations: usize,
    /// What a read of nil says, and how many there were.
    pub nil: (Nil, usize),
    /// What is left of a whole history, if it says that it is a part of one.
    pub part: Option<String>,
}

/// What a key takes: its name and number, and a list of operations, which has room for four from the first on.
const KEY_BYTES: usize = 128 + 4 * size_of::<Operation>();

pub(super) const fn of(model: Model, about: &'static str) -> Kind {
    let (name, operations): (_, &[&str]) = match model {
        Model::Register => ("register", &["read", "write"]),
        Model::CasRegister => ("cas-register", &["read", "write", "cas"]),
        Model::Kv => ("kv", &["get", "put", "append", "delete"]),
        Model::Counter => ("counter", &["add", "read"]),
        Model::Mutex => ("mutex", &["acquire", "release"]),
        Model::Store => ("store", &["read", "write", "update", "add"]),
    };
    Kind { name, about, operations, judge }
}

fn judge(kind: &Kind, attempts: &mut Attempts<'_>, asked: &Asked) -> Result<Judged, Refused> {
    let model =
        Model::ALL.iter().find(|(name, _)| *name == kind.name).map_or(Model::Register, |(_, model)| *model);
    knows(
        kind.name,
        "isolation",
        asked.isolation.is_some(),
        "it is of one object at a time: ask for a `--consistency`",
    )?;
    let consistency = consistency(kind, model, asked)?;
    let mut objects = objects(attempts, model, asked)?;
    let Objects { keys, texts, initial, operations, nil, part } = &mut objects;
    let mut verdict = check(keys, *initial, texts, consistency, asked.budget);
    if let (Verdict::Violated(witness), Model::Mutex) = (&mut verdict, model) {
        mutex::speak(witness, keys, texts);
    }
    if let Some(part) = part {
        let why = format!("it is a part of a history ({part}), and may lack what would explain the rest");
        verdict = Verdict::Unknown(why);
    }
    let mut judged = Judged::new(verdict, *operations, consistency.told());
    if nil.1 > 0 {
        let reads = if nil.1 == 1 { "a read".to_owned() } else { format!("{} reads", nil.1) };
        judged.notes.push(format!("{reads} of nil: {}", nil.0.told()));
    }
    if let Verdict::Violated(witness) = &judged.verdict {
        let is_named = |operation: &Operation| named(witness, operation.place);
        let of_its_keys = keys.values().filter(|operations| operations.iter().any(is_named));
        let all: Vec<&Operation> = of_its_keys.flatten().collect();
        let span = |operation: &&Operation| (operation.invoked, operation.ended(), is_named(operation));
        let near = nearest(&all.iter().map(span).collect::<Vec<_>>());
        judged.shown = near.into_iter().map(|place| shown(all[place], texts)).collect();
    }
    Ok(judged)
}

fn shown(operation: &Operation, texts: &Texts) -> Shown {
    let Operation { process, place: line, invoked, returned, call } = *operation;
    Shown { process: texts.process(process), line, invoked, returned, text: texts.describe(call) }
}

fn consistency(kind: &Kind, model: Model, asked: &Asked) -> Result<Consistency, Refused> {
    let all = Consistency::all();
    let word = asked.consistency.as_deref().unwrap_or("linearizable");
    let Some((_, consistency)) = all.iter().find(|(name, _)| *name == word) else {
        let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
        let why = format!("`{word}` is not asked of a {}", kind.name);
        return Err(Refused::Asked(why, format!("it can be {}", names.join(", "))));
    };
    if consistency.is_about_values() && !model.has_values() {
        let why =
            format!("`{word}` is about values that were written and read, and `{}` has none", kind.name);
        return Err(Refused::Asked(why, "ask for `linearizable` or `sequential`".to_owned()));
    }
    Ok(*consistency)
}

/// Reads a history of objects.
///
/// # Errors
/// The first line that makes no sense; operations that don't fit into memory.
pub fn objects(attempts: &mut Attempts<'_>, model: Model, asked: &Asked) -> Result<Objects, Refused> {
    let mut texts = Texts::default();
    let format = attempts.format();
    let is_number = matches!(model, Model::Counter | Model::Mutex | Model::Store);
    let initial = match &asked.initial {
        Some(Datum::Number(number)) if is_number => *number,
        Some(_) if is_number => {
            return Err(Refused::Asked(
                "`--initial` is a whole number here".to_owned(),
                "leave it out for 0".to_owned(),
            ));
        }
        Some(datum) => texts.of(datum),
        // Jepsen's EDN histories of compare-and-set registers begin at 0, its logs with nothing.
        None if format != Format::JepsenLog && model == Model::CasRegister => 0,
        None => model.initial(&mut texts),
    };
    if model == Model::Kv && asked.initial.is_none() {
        texts.name_absent(initial);
    }
    let nil = asked.nil.unwrap_or_else(|| Nil::of(format, model, initial != NIL));
    let mut reader = Reader {
        model,
        initial,
        // A key of a store that begins with nothing begins as an empty text, to which others can be appended.
        absent: if model == Model::Kv && asked.initial.is_none() { initial } else { NIL },
        nil,
        nils: 0,
        failed_cas_observes: format == Format::JepsenLog,
        is_keyed: is_keyed(attempts, model)?,
        texts,
        keys: ByKey::new(),
        names: FxHashMap::default(),
        numbers: BTreeMap::new(),
        failed: Vec::new(),
    };
    let (mut operations, mut part) = (0, None);
    while let Some(attempt) = attempts.next() {
        let attempt = attempt?;
        if attempt.is_alone {
            if attempt.kind() != read::Kind::Info {
                return Err(Malformed::new(
                    attempt.line,
                    "an operation returns that nobody had invoked",
                    "a history of objects has the invocations too: they say what was at the same time",
                )
                .into());
            }
            if *attempt.f == *PART {
                part = Some(attempt.argument.name());
            }
            attempts.pass(); // somebody's remark
            continue;
        }
        operations += 1;
        reader.add(attempt)?;
        let kept = operations * size_of::<Operation>() + reader.keys.len() * KEY_BYTES;
        if kept as u64 + reader.texts.bytes() > asked.budget.bytes {
            return Err(Refused::Full(operations));
        }
    }
    reader.observe();
    for (number, name) in attempts.names() {
        reader.texts.name_process(number, &name.name());
    }
    let Reader { keys, texts, nils, .. } = reader;
    Ok(Objects { keys, texts, initial, operations, nil: (nil, nils), part })
}

/// Whether the values of a history of registers are pairs of a key and a value, as `jepsen.independent` and Maelstrom write them: reads are
/// then invoked with `[key nil]` and not with nil, a compare-and-set with `[key [old new]]`.
fn is_keyed(attempts: &mut Attempts<'_>, model: Model) -> Result<bool, Malformed> {
    if model == Model::Kv {
        return Ok(true);
    }
    if !matches!(model, Model::Register | Model::CasRegister) {
        return Ok(false);
    }
    let says = |attempt: &Attempt| match (&*attempt.f, attempt.argument.pair()) {
        _ if attempt.is_alone => None,
        _ if attempt.key.is_some() => Some(false),
        ("read" | "r" | "get", pair) => Some(pair.is_some()),
        ("cas", Some((_, new))) => Some(new.pair().is_some()),
        ("write" | "w" | "put", None) => Some(false),
        _ => None,
    };
    let ahead = attempts.ahead(1)?;
    let first = ahead.iter().find_map(says);
    if let Some(first) = first {
        return Ok(first);
    }
    Ok(attempts.ahead(LOOKED_AT)?.iter().find_map(says).unwrap_or(false))
}

struct Reader {
    model: Model,
    initial: i64,
    /// The value of a key that is not there.
    absent: i64,
    nil: Nil,
    nils: usize,
    failed_cas_observes: bool,
    is_keyed: bool,
    texts: Texts,
    keys: ByKey,
    names: FxHashMap<Datum, i64>,
    /// By key: the versions that were set, each with its number where that is known.
    numbers: BTreeMap<i64, Vec<(i64, Option<i64>)>>,
    /// Operations whose condition did not hold, as reads of something, with their keys.
    failed: Vec<(i64, Operation, (When, i64, i64))>,
}

impl Reader {
    fn add(&mut self, attempt: Attempt) -> Result<(), Malformed> {
        let (kind, returned) = (attempt.kind(), attempt.returned());
        let Attempt { process, line: place, began: invoked, f, key, argument, end, .. } = attempt;
        let (key, argument) = self.split(place, key, argument)?;
        let ended = end.as_ref().map_or(place, |end| end.line);
        let own = end.as_ref().map(|end| end.own).unwrap_or_default();
        let result = match end {
            Some(end) => self.result(place, &key, end)?,
            None => Datum::Nil,
        };
        let key = key.map_or(0, |key| self.name(key));
        let operation = |call| Operation { process, place, invoked, returned, call };
        if let Some(failed) = own.failed {
            self.failed.push((key, operation(Call::Read(self.initial)), failed));
        }
        if kind != read::Kind::Fail
            && let ("write" | "update", Datum::Number(version)) =
                (&*f, result.pair().map_or(&result, |pair| pair.1))
        {
            let number = if kind == read::Kind::Ok || &*f == "write" { own.n } else { None };
            // Only a store has numbers behind its versions.
            if self.model == Model::Store {
                self.numbers.entry(key).or_default().push((*version, number));
            }
        }
        let Some(call) = self.call(&f, (place, ended), &argument, &result, kind)? else { return Ok(()) };
        if !self.model.has(call) {
            return Err(Malformed::line(place, format!("a {} has no operation `{f}`", self.model_name())));
        }
        self.keys.entry(key).or_default().push(operation(call));
        Ok(())
    }

    fn model_name(&self) -> &'static str {
        Model::ALL.iter().find(|(_, model)| *model == self.model).map_or("", |(name, _)| name)
    }

    /// What failed conditions tell, once all versions are known.
    fn observe(&mut self) {
        for (key, operation, (when, bound, start)) in std::mem::take(&mut self.failed) {
            let mut values = vec![(self.initial, Some(start))];
            values.extend(self.numbers.get(&key).into_iter().flatten());
            if let Some(call) = observed(when, bound, &values) {
                self.keys.entry(key).or_default().push(Operation { call, ..operation });
            }
        }
    }

    /// The key and the value of an invocation.
    fn split(
        &self,
        line: usize,
        key: Option<Datum>,
        value: Datum,
    ) -> Result<(Option<Datum>, Datum), Malformed> {
        match (key, value) {
            (Some(key), value) => Ok((Some(key), value)),
            (None, Datum::List(mut pair)) if self.is_keyed && pair.len() == 2 => {
                let value = pair.pop().unwrap_or(Datum::Nil);
                Ok((pair.pop(), value))
            }
            (None, value) if self.is_keyed && self.model != Model::Kv => Err(Malformed::new(
                line,
                format!("the values of this history are pairs of a key and a value, and {value} is none"),
                "either all values are pairs, as jepsen.independent writes them, or none is",
            )),
            (None, value) => Ok((None, value)),
        }
    }

    /// What a completion says, without its key.
    fn result(
        &self,
        began: usize,
        key: &Option<Datum>,
        end: read::attempts::End,
    ) -> Result<Datum, Malformed> {
        let read::attempts::End { kind, line, key: of, value, .. } = end;
        let ok = kind == read::Kind::Ok;
        let (of, value) = match (of, value) {
            (Some(of), value) => (Some(of), value),
            (None, Datum::List(mut pair))
                if self.is_keyed && pair.len() == 2 && pair.first() == key.as_ref() =>
            {
                return Ok(pair.pop().unwrap_or(Datum::Nil));
            }
            // The invocation has said which key it is: this may be a value, or a reason.
            (None, value) => (None, value),
        };
        let is_another =
            of.is_some() && of != *key || of.is_none() && ok && self.is_keyed && value.pair().is_some();
        if is_another && key.is_some() && (self.model != Model::Kv || of.is_some()) {
            let why = format!("this completion is of another key than its invocation (line {began})");
            return Err(Malformed::line(line, why));
        }
        Ok(value)
    }

    fn name(&mut self, key: Datum) -> i64 {
        let next = self.names.len() as i64 + 1;
        *self.names.entry(key).or_insert(next)
    }

    fn value(&mut self, datum: &Datum, line: usize) -> Result<i64, Malformed> {
        match (self.model, datum) {
            (Model::Counter | Model::Mutex | Model::Store, Datum::Number(number)) if *number != NIL => {
                Ok(*number)
            }
            (Model::Counter | Model::Mutex | Model::Store, _) => {
                Err(Malformed::line(line, format!("{datum} is no whole number of 64 bits")))
            }
            _ => Ok(self.texts.of(datum)),
        }
    }

    /// What an operation did; `None` where it says nothing. The lines are those of its invocation and of its completion.
    fn call(
        &mut self,
        f: &str,
        (line, ended): (usize, usize),
        argument: &Datum,
        result: &Datum,
        kind: read::Kind,
    ) -> Result<Option<Call>, Malformed> {
        let failed = kind == read::Kind::Fail;
        let example = "a cas needs a pair: [old new]";
        Ok(match f {
            "read" | "get" | "r" if kind != read::Kind::Ok => None,
            "read" | "get" | "r" if *result == Datum::Nil => {
                self.nils += 1;
                match self.nil {
                    Nil::Absent => Some(Call::Read(self.absent)),
                    Nil::Initial => Some(Call::Read(self.initial)),
                    Nil::Unknown => None,
                }
            }
            "read" | "get" | "r" => Some(Call::Read(self.value(result, ended)?)),
            "write" | "put" | "w" | "set" => {
                let value = match argument {
                    Datum::Nil if self.model == Model::Kv => self.absent,
                    // What a store writes has a version once it is written.
                    Datum::Nil if self.model == Model::Store => return Ok(None),
                    _ => self.value(argument, line)?,
                };
                (!failed).then_some(Call::Write(value))
            }
            "delete" | "del" | "remove" => (!failed).then_some(Call::Write(self.absent)),
            "cas" => {
                let (from, to) = argument.pair().ok_or_else(|| Malformed::line(line, example))?;
                let (from, to) = (self.value(from, line)?, self.value(to, line)?);
                match failed {
                    true => self.failed_cas_observes.then_some(Call::Differs(from)),
                    false => Some(Call::Cas(from, to)),
                }
            }
            "update" => match result.pair() {
                Some((found, set)) if !failed => {
                    Some(Call::Cas(self.value(found, ended)?, self.value(set, ended)?))
                }
                _ if kind == read::Kind::Ok => {
                    return Err(Malformed::line(ended, "an update gives a pair: [found set]"));
                }
                _ => None, // it changed nothing, or nobody can have seen what it did
            },
            "append" => {
                let value = self.value(argument, line)?;
                (!failed).then_some(Call::Append(value))
            }
            "add" | "inc" | "increment" | "decrement" | "dec" => {
                let added = self.added(f, (line, ended), argument, result)?;
                (!failed).then_some(added)
            }
            "acquire" | "lock" => (!failed).then_some(Call::Acquire),
            "release" | "unlock" => (!failed).then_some(Call::Release),
            "" => return Err(Malformed::line(line, "an operation needs an :f")),
            other => {
                return Err(Malformed::line(
                    line,
                    format!("a {} has no operation `{other}`", self.model_name()),
                ));
            }
        })
    }

    /// An addition, with what came of it if a store says so.
    fn added(
        &mut self,
        f: &str,
        (line, ended): (usize, usize),
        argument: &Datum,
        result: &Datum,
    ) -> Result<Call, Malformed> {
        let by = match argument {
            Datum::Nil => 1,
            other => self.value(other, line)?,
        };
        let by = if f.starts_with("dec") { -by } else { by };
        let seen = result.pair().map(|(_, seen)| self.value(seen, ended)).transpose()?;
        Ok(Call::Add(by, seen))
    }
}
