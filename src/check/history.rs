//! Histories: operations with the order of their invocations and returns. Times do not matter, only what came before
//! what; an operation without a return may or may not have happened, up to the end.

/// The return of an operation that never returned.
pub const PENDING: u64 = u64::MAX;
/// The value of a key that was never set.
pub const NIL: i64 = i64::MIN;
/// Values from here on stand for texts: the place in [`Texts`].
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
}

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

/// Texts as values.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    texts: Vec<String>,
    numbers: rustc_hash::FxHashMap<String, i64>,
}

impl Texts {
    /// The value that stands for a text.
    pub fn value(&mut self, text: &str) -> i64 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = TEXT + self.texts.len() as i64;
        self.texts.push(text.to_owned());
        self.numbers.insert(text.to_owned(), number);
        number
    }

    /// The value that stands for one text followed by another.
    pub fn joined(&mut self, first: i64, second: i64) -> i64 {
        let joined = format!("{}{}", self.text(first), self.text(second));
        self.value(&joined)
    }

    fn text(&self, value: i64) -> &str {
        value.checked_sub(TEXT).and_then(|place| self.texts.get(place as usize)).map_or("", String::as_str)
    }

    /// A value as a reader wrote it.
    pub fn show(&self, value: i64) -> String {
        match value {
            NIL => "nil".to_owned(),
            TEXT.. => format!("{:?}", self.text(value)),
            number => number.to_string(),
        }
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
