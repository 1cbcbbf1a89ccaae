//! Histories: operations with the order of their invocations and returns. Times do not matter, only what came before
//! what; an operation without a return may or may not have happened, up to the end.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::check::read::datum::Datum;

/// The return of an operation that never returned.
pub const PENDING: u64 = u64::MAX;
/// The value of a key that was never set.
pub const NIL: i64 = i64::MIN;
/// Values from here on stand for what is no number, and for numbers that are larger: the place in [`Texts`].
const TEXT: i64 = 1 << 62;

/// One operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Operation {
    /// Whose: operations of one process do not overlap, but for one that is pending.
    pub process: u64,
    /// Where its invocation stands in the recorded history (a line), from 1.
    pub place: usize,
    /// Where its invocation stands in the order of all invocations and returns.
    pub invoked: u64,
    /// Where its return does, or [`PENDING`].
    pub returned: u64,
    /// What it did.
    pub call: Call,
}

impl Operation {
    /// Whether it never returned.
    pub fn is_pending(&self) -> bool {
        self.returned == PENDING
    }

    /// When it ended, or began if it never did.
    pub fn ended(&self) -> u64 {
        if self.is_pending() { self.invoked } else { self.returned }
    }
}

/// The operations of each key.
pub type ByKey = BTreeMap<i64, Vec<Operation>>;

/// What an operation did, with what it saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// Saw this value.
    Read(i64),
    /// Set this value.
    Write(i64),
    /// Found the one and set the other.
    Cas(i64, i64),
    /// Found something other than this.
    Differs(i64),
    /// Added; what it saw afterwards, if it was told.
    Add(i64, Option<i64>),
    /// Put this text at the end.
    Append(i64),
    /// Took the lock.
    Acquire,
    /// Gave the lock back.
    Release,
}

/// What values stand for that are no numbers, and processes.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    /// Texts as they are, other values as EDN.
    all: Vec<Arc<str>>,
    texts: FxHashMap<Arc<str>, i64>,
    others: FxHashMap<Arc<str>, i64>,
    processes: FxHashMap<u64, Arc<str>>,
    named: FxHashMap<i64, i64>,
    /// What stands for a value that is not there, unless the history itself writes it down.
    absent: Option<i64>,
    bytes: u64,
}

impl Texts {
    /// The value that stands for a text.
    pub fn value(&mut self, text: &str) -> i64 {
        kept(&mut self.all, &mut self.texts, &mut self.bytes, text)
    }

    /// The value that stands for anything: a number stands for itself, and nil is [`NIL`].
    pub fn of(&mut self, datum: &Datum) -> i64 {
        match datum {
            Datum::Nil => NIL,
            Datum::Number(number) if number.unsigned_abs() < TEXT as u64 => *number,
            Datum::Text(text) => {
                let value = self.value(text);
                self.absent = self.absent.filter(|absent| *absent != value);
                value
            }
            other => kept(&mut self.all, &mut self.others, &mut self.bytes, &other.to_string()),
        }
    }

    /// The value that stands for one text followed by another.
    pub fn joined(&mut self, first: i64, second: i64) -> i64 {
        let joined = format!("{}{}", self.text(first).unwrap_or(""), self.text(second).unwrap_or(""));
        self.value(&joined)
    }

    /// The text that a value stands for; of what is none, as EDN.
    pub fn text(&self, value: i64) -> Option<&str> {
        value.checked_sub(TEXT).and_then(|place| self.all.get(place as usize)).map(|text| &**text)
    }

    /// The value that stands for a text, if there is one already.
    pub fn known(&self, text: &str) -> Option<i64> {
        self.texts.get(text).copied()
    }

    /// What all texts take, bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Says which number readers know for one that stands for it, as a version does.
    pub fn name_value(&mut self, value: i64, number: i64) {
        self.named.insert(value, number);
    }

    /// Says which value stands for none: readers know it as nil, unless the history has it in so many words.
    pub fn name_absent(&mut self, value: i64) {
        self.absent = Some(value);
    }

    /// A value as a reader wrote it.
    pub fn show(&self, value: i64) -> String {
        if let Some(number) = self.named.get(&value) {
            return number.to_string();
        }
        match self.text(value) {
            _ if value == NIL || self.absent == Some(value) => "nil".to_owned(),
            Some(text) if self.texts.get(text) == Some(&value) => format!("{text:?}"),
            Some(other) => other.to_owned(),
            None => value.to_string(),
        }
    }

    /// Says what a process is called.
    pub fn name_process(&mut self, number: u64, name: &str) {
        self.processes.insert(number, name.into());
    }

    /// What a process is called.
    pub fn process(&self, number: u64) -> String {
        self.processes.get(&number).map_or_else(|| number.to_string(), |name| (**name).to_owned())
    }

    /// A call in words: `read 3`.
    pub fn describe(&self, call: Call) -> String {
        match call {
            Call::Read(value) => format!("read {}", self.show(value)),
            Call::Write(value) => format!("write {}", self.show(value)),
            Call::Cas(from, to) => format!("cas {} to {}", self.show(from), self.show(to)),
            Call::Differs(from) => format!("failed cas from {}", self.show(from)),
            Call::Add(by, Some(new)) => format!("add {by} giving {new}"),
            Call::Add(by, None) => format!("add {by}"),
            Call::Append(value) => format!("append {}", self.show(value)),
            Call::Acquire => "acquire".to_owned(),
            Call::Release => "release".to_owned(),
        }
    }
}

/// What a text takes besides its bytes: counts, two places that point to it, and its number.
const TEXT_BYTES: u64 = 72;

fn kept(all: &mut Vec<Arc<str>>, numbers: &mut FxHashMap<Arc<str>, i64>, bytes: &mut u64, text: &str) -> i64 {
    if let Some(number) = numbers.get(text) {
        return *number;
    }
    *bytes += text.len() as u64 + TEXT_BYTES;
    let (number, text) = (TEXT + all.len() as i64, Arc::<str>::from(text));
    all.push(text.clone());
    numbers.insert(text, number);
    number
}
