//! Recorded histories as files: Jepsen's logs and EDN, JSON lines. All come down to [`Event`]s, and these to operations.

mod edn;
mod json;
mod log;
pub mod transactions;

use std::collections::BTreeMap;

use crate::base::op::When;
use crate::check::history::{Call, NIL, Operation, PENDING, Texts};
use crate::check::judge::ByKey;
use crate::check::model::Model;
use crate::check::observed::observed;

/// How a history is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `INFO  jepsen.util - 0  :invoke  :read  nil`, with tabs between the columns.
    JepsenLog,
    /// `{:process 0, :type :invoke, :f :read, :value nil}`
    Edn,
    /// `{"process": 0, "type": "invoke", "f": "read", "value": null}`
    JsonLines,
}

impl Format {
    /// What a text looks like.
    pub fn of(text: &str) -> Format {
        let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(';'));
        match lines().next() {
            Some(line) if line.contains("\t:") => Format::JepsenLog,
            Some(line) if line.starts_with("{\"") || line.starts_with("[{\"") => Format::JsonLines,
            Some(line) if line.starts_with(['{', '[', '(', '#']) => Format::Edn,
            _ => Format::JepsenLog,
        }
    }
}

/// A value of a recorded history.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Datum {
    Nil,
    Number(i64),
    Text(String),
    List(Vec<Datum>),
    Map(Vec<(Datum, Datum)>),
}

impl Datum {
    /// The entry of a map under a name; names are texts.
    fn get(&self, name: &str) -> Option<&Datum> {
        let Datum::Map(entries) = self else { return None };
        entries.iter().find(|(key, _)| matches!(key, Datum::Text(text) if text == name)).map(|entry| &entry.1)
    }
}

/// What happened to an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Invoke,
    Ok,
    Fail,
    Info,
}

/// One line of a history.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// Its line, from 1.
    line: usize,
    process: String,
    kind: Kind,
    f: String,
    key: Option<Datum>,
    value: Datum,
    /// The number behind a version.
    n: Option<i64>,
    /// A condition on numbers that did not hold, and the number of the first version.
    failed: Option<(When, i64, i64)>,
}

/// A line that is none of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// Which, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: String,
}

fn malformed(line: usize, why: impl Into<String>) -> Malformed {
    Malformed { line, why: why.into() }
}

/// A history, ready to be judged.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The operations, by key.
    pub keys: ByKey,
    /// What their values mean.
    pub texts: Texts,
    /// The value of a key before the first operation.
    pub initial: i64,
    /// Operations in all.
    pub operations: usize,
}

fn events(text: &str, format: Format) -> Result<Vec<Event>, Malformed> {
    match format {
        Format::JepsenLog => log::events(text),
        Format::Edn => edn::events(text),
        Format::JsonLines => json::events(text),
    }
}

/// Reads a history.
///
/// # Errors
/// The first line that makes no sense.
pub fn read(text: &str, format: Format, model: Model, initial: Option<&str>) -> Result<Recorded, Malformed> {
    let events = events(text, format)?;
    let mut texts = Texts::default();
    let initial = match initial {
        Some("nil") => NIL,
        Some(text) => text.parse().unwrap_or_else(|_| texts.value(text)),
        // Jepsen's EDN histories of compare-and-set registers begin at 0, its logs with nothing.
        None if format != Format::JepsenLog && model == Model::CasRegister => 0,
        None => model.initial(&mut texts),
    };
    let failed_cas_observes = format == Format::JepsenLog;
    let mut reader = Reader {
        model,
        initial,
        failed_cas_observes,
        texts,
        keys: ByKey::new(),
        names: BTreeMap::new(),
        numbers: BTreeMap::new(),
        failed: Vec::new(),
    };
    let mut open: BTreeMap<String, (usize, &Event)> = BTreeMap::new();
    let mut processes: BTreeMap<String, u64> = BTreeMap::new();
    let mut operations = 0;
    for (order, event) in events.iter().enumerate() {
        if event.kind == Kind::Invoke {
            operations += 1;
            if let Some((began, invoke)) = open.insert(event.process.clone(), (order, event)) {
                let of = number(&mut processes, &invoke.process);
                reader.add(began, None, invoke, None, of)?;
            }
            continue;
        }
        let Some((began, invoke)) = open.remove(&event.process) else {
            if event.kind == Kind::Info {
                continue; // the nemesis
            }
            return Err(malformed(event.line, format!("process {} returns from nothing", event.process)));
        };
        let of = number(&mut processes, &event.process);
        reader.add(began, Some(order), invoke, Some(event), of)?;
        if event.kind == Kind::Info {
            processes.remove(&event.process); // the name may come again, but it is somebody else's
        }
    }
    for (began, invoke) in open.into_values() {
        let of = number(&mut processes, &invoke.process);
        reader.add(began, None, invoke, None, of)?;
    }
    reader.observe();
    Ok(Recorded { keys: reader.keys, texts: reader.texts, initial, operations })
}

fn number(processes: &mut BTreeMap<String, u64>, name: &str) -> u64 {
    let next = name.parse().unwrap_or(processes.len() as u64);
    *processes.entry(name.to_owned()).or_insert(next)
}

struct Reader {
    model: Model,
    initial: i64,
    failed_cas_observes: bool,
    texts: Texts,
    keys: ByKey,
    names: BTreeMap<String, i64>,
    /// By key: the versions that were set, each with its number where that is known.
    numbers: BTreeMap<i64, Vec<(i64, Option<i64>)>>,
    /// Operations whose condition did not hold, as reads of something, with their keys.
    failed: Vec<(i64, Operation, (When, i64, i64))>,
}

impl Reader {
    fn add(
        &mut self,
        began: usize,
        ended: Option<usize>,
        invoke: &Event,
        end: Option<&Event>,
        process: u64,
    ) -> Result<(), Malformed> {
        let kind = end.map_or(Kind::Info, |end| end.kind);
        let (key, argument) = self.key(invoke);
        let (_, result) = end.map_or((0, Datum::Nil), |end| self.key(end));
        if let Some((ended, failed)) = ended.zip(end.and_then(|end| end.failed)) {
            let (call, returned) = (Call::Read(self.initial), ended as u64);
            let operation = Operation { process, place: invoke.line, invoked: began as u64, returned, call };
            self.failed.push((key, operation, failed));
        }
        if let Some(end) = end.filter(|_| kind != Kind::Fail && !matches!(result, Datum::Nil)) {
            let set = match &result {
                Datum::List(pair) if pair.len() == 2 => pair[1].clone(),
                other => other.clone(),
            };
            if let ("write" | "update", Datum::Number(version)) = (invoke.f.as_str(), set) {
                let number = if kind == Kind::Ok || invoke.f == "write" { end.n } else { None };
                self.numbers.entry(key).or_default().push((version, number));
            }
        }
        let Some(call) = self.call(invoke, &argument, &result, kind)? else { return Ok(()) };
        if !self.model.has(call) {
            let name = Model::ALL.iter().find(|(_, model)| *model == self.model).map_or("", |(name, _)| name);
            return Err(malformed(invoke.line, format!("a {name} has no operation `{}`", invoke.f)));
        }
        let returned = match (kind, ended) {
            (Kind::Ok | Kind::Fail, Some(ended)) => ended as u64,
            _ => PENDING,
        };
        let operation = Operation { process, place: invoke.line, invoked: began as u64, returned, call };
        self.keys.entry(key).or_default().push(operation);
        Ok(())
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

    /// The key and the value of an event: `:key`, or a pair as value where the model has keys.
    fn key(&mut self, event: &Event) -> (i64, Datum) {
        match (&event.key, &event.value) {
            (Some(key), value) => (self.name(&format!("{key:?}")), value.clone()),
            (None, Datum::List(pair)) if self.model == Model::Kv && pair.len() == 2 => {
                (self.name(&format!("{:?}", pair[0])), pair[1].clone())
            }
            (None, value) => (0, value.clone()),
        }
    }

    fn name(&mut self, key: &str) -> i64 {
        let next = self.names.len() as i64 + 1;
        *self.names.entry(key.to_owned()).or_insert(next)
    }

    fn value(&mut self, datum: &Datum, line: usize) -> Result<i64, Malformed> {
        match datum {
            Datum::Nil => Ok(NIL),
            Datum::Number(number) if number.unsigned_abs() < 1 << 62 => Ok(*number),
            Datum::Text(text) => Ok(self.texts.value(text)),
            _ => Err(malformed(line, "this value is neither a number nor a text")),
        }
    }

    /// What an operation did; `None` where it says nothing.
    fn call(
        &mut self,
        invoke: &Event,
        argument: &Datum,
        result: &Datum,
        kind: Kind,
    ) -> Result<Option<Call>, Malformed> {
        let line = invoke.line;
        let failed = kind == Kind::Fail;
        Ok(match invoke.f.as_str() {
            "read" | "get" | "r" => {
                let value = self.value(result, line)?;
                let says_nothing = value == NIL && self.initial != NIL;
                (kind == Kind::Ok && !says_nothing).then_some(Call::Read(value))
            }
            "write" | "put" | "w" | "set" => {
                let value = self.value(argument, line)?;
                (!failed).then_some(Call::Write(value))
            }
            "cas" => {
                let Datum::List(pair) = argument else {
                    return Err(malformed(line, "a cas needs a pair: [old new]"));
                };
                let [from, to] = &pair[..] else {
                    return Err(malformed(line, "a cas needs a pair: [old new]"));
                };
                let (from, to) = (self.value(from, line)?, self.value(to, line)?);
                match failed {
                    true => self.failed_cas_observes.then_some(Call::Differs(from)),
                    false => Some(Call::Cas(from, to)),
                }
            }
            "update" => match result {
                Datum::List(pair) if pair.len() == 2 && !failed => {
                    Some(Call::Cas(self.value(&pair[0], line)?, self.value(&pair[1], line)?))
                }
                _ if kind == Kind::Ok => {
                    return Err(malformed(line, "an update gives a pair: [found set]"));
                }
                _ => None, // it changed nothing, or nobody can have seen what it did
            },
            "append" => {
                let value = self.value(argument, line)?;
                (!failed).then_some(Call::Append(value))
            }
            "add" | "inc" | "increment" => {
                let by = match argument {
                    Datum::Nil => 1,
                    other => self.value(other, line)?,
                };
                let seen = match result {
                    Datum::List(pair) if pair.len() == 2 => Some(self.value(&pair[1], line)?),
                    _ => None,
                };
                (!failed).then_some(Call::Add(by, seen))
            }
            "decrement" | "dec" => {
                let by = match argument {
                    Datum::Nil => 1,
                    other => self.value(other, line)?,
                };
                (!failed).then_some(Call::Add(-by, None))
            }
            "acquire" | "lock" => (!failed).then_some(Call::Acquire),
            "release" | "unlock" => (!failed).then_some(Call::Release),
            other => return Err(malformed(line, format!("no model has the operation `{other}`"))),
        })
    }
}

fn kind(word: &str, line: usize) -> Result<Kind, Malformed> {
    match word.trim_start_matches(':') {
        "invoke" => Ok(Kind::Invoke),
        "ok" => Ok(Kind::Ok),
        "fail" => Ok(Kind::Fail),
        "info" => Ok(Kind::Info),
        other => Err(malformed(line, format!("`{other}` is none of invoke, ok, fail, info"))),
    }
}

/// The event that a map describes.
fn event(line: usize, map: &Datum) -> Result<Option<Event>, Malformed> {
    let text = |name: &str| match map.get(name) {
        Some(Datum::Text(text)) => Some(text.clone()),
        Some(Datum::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    if !matches!(map, Datum::Map(_)) {
        return Err(malformed(line, "an operation is a map"));
    }
    let Some(process) = text("process") else { return Err(malformed(line, "an operation needs a :process")) };
    let Some(word) = text("type") else { return Err(malformed(line, "an operation needs a :type")) };
    if process.parse::<i64>().is_err() {
        return Ok(None); // the nemesis and other helpers
    }
    let Some(f) = text("f") else { return Err(malformed(line, "an operation needs an :f")) };
    let value = map.get("value").cloned().unwrap_or(Datum::Nil);
    let number = |name: &str| match map.get(name) {
        Some(Datum::Number(number)) => Some(*number),
        _ => None,
    };
    let when = text("when").and_then(|sign| When::of_sign(&sign));
    let failed = match (when, number("bound"), number("start")) {
        (Some(when), Some(bound), Some(start)) => Some((when, bound, start)),
        _ => None,
    };
    let (kind, key, n) = (kind(&word, line)?, map.get("key").cloned(), number("n"));
    Ok(Some(Event { line, process, kind, f, key, value, n, failed }))
}
