//! Invocations with what became of them, as they become known.

use std::collections::VecDeque;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use crate::check::history::PENDING;
use crate::check::read::datum::Datum;
use crate::check::read::events::{Event, Events, Own};
use crate::check::read::format::Format;
use crate::check::read::kind::Kind;
use crate::check::read::malformed::Malformed;

/// Faults that are kept for pictures, at most.
const FAULTS_MAX: usize = 10_000;
/// Processes that are no whole numbers are numbered from here on.
const NAMED: u64 = 1 << 48;

/// An operation: its invocation, and its completion if it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Whose: a number for each process, another one after an `:info`, for then nobody knows whether it has ended.
    pub process: u64,
    /// The line of its invocation; of its completion, if only that was recorded.
    pub line: usize,
    /// Its invocation's place in the order of all events.
    pub began: u64,
    /// What it does.
    pub f: Rc<str>,
    /// `:key` of its invocation.
    pub key: Option<Datum>,
    /// The value of its invocation; of its completion, if only that was recorded.
    pub argument: Datum,
    /// Its completion; none if it was pending when the history ended.
    pub end: Option<End>,
    /// Whether only its completion was recorded.
    pub is_alone: bool,
}

/// A completion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// How.
    pub kind: Kind,
    /// Its line.
    pub line: usize,
    /// Its place in the order of all events.
    pub order: u64,
    /// `:key`
    pub key: Option<Datum>,
    /// `:value`
    pub value: Datum,
    /// What only our own histories have.
    pub own: Own,
}

impl Attempt {
    /// How it ended; `Info` if nobody knows, or if it has not.
    pub fn kind(&self) -> Kind {
        self.end.as_ref().map_or(Kind::Info, |end| end.kind)
    }

    /// What it returned, if it succeeded.
    pub fn result(&self) -> Option<&Datum> {
        self.end.as_ref().filter(|end| end.kind == Kind::Ok).map(|end| &end.value)
    }

    /// The place of its completion in the order of all events, [`PENDING`] if nobody knows how it ended.
    pub fn returned(&self) -> u64 {
        let known = self.end.as_ref().filter(|end| matches!(end.kind, Kind::Ok | Kind::Fail));
        known.map_or(PENDING, |end| end.order)
    }
}

/// What a nemesis did: a fault began or ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Its line.
    pub line: usize,
    /// Its place in the order of all events.
    pub order: u64,
    /// `start`, `kill`, …
    pub f: Rc<str>,
}

/// What of a history is no operation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Passed {
    /// Events of the nemesis.
    pub faults: u64,
    /// `:info`s of whoever had begun nothing.
    pub remarks: u64,
    /// Lines of a log that a logger wrote beside the operations.
    pub chatter: u64,
}

impl Passed {
    /// In words; `None` if there was nothing.
    pub fn told(&self) -> Option<String> {
        let parts = [
            (self.faults, "of the nemesis"),
            (self.remarks, "of :info about nothing begun"),
            (self.chatter, "of other loggers"),
        ];
        let parts: Vec<String> = parts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

/// Pairs events. What is pending at the end comes last.
pub struct Attempts<'r> {
    events: Events<'r>,
    /// What has begun, by process.
    open: FxHashMap<u64, Event>,
    /// What has begun of whom nobody names.
    nameless: Option<Event>,
    /// The numbers of processes by name: of those that are no whole numbers, and of those that came back after an `:info`.
    numbers: FxHashMap<Datum, u64>,
    /// The names of those that have one.
    names: Vec<(u64, Datum)>,
    /// How many have another number than their name.
    numbered: u64,
    passed: Passed,
    faults: Vec<Fault>,
    /// What never ended; once all has been read.
    left: Option<VecDeque<(u64, Event)>>,
    /// What was looked at ahead.
    ahead: VecDeque<Attempt>,
}

impl<'r> Attempts<'r> {
    /// Of these events.
    pub fn new(events: Events<'r>) -> Self {
        Attempts {
            events,
            open: FxHashMap::default(),
            nameless: None,
            numbers: FxHashMap::default(),
            names: Vec::new(),
            numbered: 0,
            passed: Passed::default(),
            faults: Vec::new(),
            left: None,
            ahead: VecDeque::new(),
        }
    }

    /// The first so many attempts that have not been taken, or all there are.
    ///
    /// # Errors
    /// The first line that makes no sense.
    pub fn ahead(&mut self, count: usize) -> Result<&VecDeque<Attempt>, Malformed> {
        while self.ahead.len() < count {
            match self.following() {
                Some(attempt) => self.ahead.push_back(attempt?),
                None => break,
            }
        }
        Ok(&self.ahead)
    }

    /// Says that an attempt is none: the `:info` of somebody who had begun nothing.
    pub fn pass(&mut self) {
        self.passed.remarks += 1;
    }

    /// How the history is written.
    pub fn format(&self) -> Format {
        self.events.format()
    }

    /// What was no operation, as far as it has been read.
    pub fn passed(&self) -> Passed {
        Passed { chatter: self.events.chatter(), ..self.passed.clone() }
    }

    /// Whether a history without an operation says just that: it is `[]`, or what is in it is the nemesis alone. Once all has been read.
    pub fn is_plainly_empty(&self) -> bool {
        let passed = self.passed();
        self.events.is_empty_list() || passed.faults > 0 && passed.remarks == 0 && passed.chatter == 0
    }

    /// What the nemesis did, as far as it has been read.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// The names of the processes whose numbers are not their names.
    pub fn names(&self) -> impl Iterator<Item = (u64, &Datum)> {
        self.names.iter().map(|(number, name)| (*number, name))
    }

    fn number(&mut self, process: &Datum) -> u64 {
        match process {
            Datum::Number(number @ 0..0x1_0000_0000_0000) if self.numbers.is_empty() => *number as u64,
            name => match self.numbers.get(name) {
                Some(number) => *number,
                None => match name {
                    Datum::Number(number @ 0..0x1_0000_0000_0000) => *number as u64,
                    name => self.fresh(name),
                },
            },
        }
    }

    /// Another number for a name.
    fn fresh(&mut self, name: &Datum) -> u64 {
        let number = NAMED + self.numbered;
        self.numbered += 1;
        self.names.push((number, name.clone()));
        self.numbers.insert(name.clone(), number);
        number
    }

    /// The next attempt that has not been looked at.
    fn following(&mut self) -> Option<Result<Attempt, Malformed>> {
        while self.left.is_none() {
            match self.events.next() {
                Some(Ok(event)) => match self.take(event) {
                    Ok(None) => {}
                    Ok(Some(attempt)) => return Some(Ok(attempt)),
                    Err(wrong) => return Some(Err(wrong)),
                },
                Some(Err(wrong)) => return Some(Err(wrong)),
                None => {
                    let nameless = self.nameless.take().map(|begun| (self.somebody(), begun));
                    let mut left: Vec<(u64, Event)> = self.open.drain().chain(nameless).collect();
                    left.sort_unstable_by_key(|(_, event)| event.order);
                    self.left = Some(left.into());
                }
            }
        }
        let (process, begun) = self.left.as_mut()?.pop_front()?;
        Some(Ok(attempt(process, begun, None)))
    }

    /// The attempt that an event completes or leaves pending.
    fn take(&mut self, event: Event) -> Result<Option<Attempt>, Malformed> {
        let Some(name) = &event.process else { return self.take_nameless(event) };
        if name.word() == Some("nemesis") {
            self.passed.faults += 1;
            if self.faults.len() < FAULTS_MAX {
                self.faults.push(Fault { line: event.line, order: event.order, f: event.f });
            }
            return Ok(None);
        }
        let process = self.number(name);
        if event.kind == Kind::Invoke {
            // A process that invokes once more has left what it had begun.
            return Ok(self.open.insert(process, event).map(|begun| attempt(process, begun, None)));
        }
        let Some(begun) = self.open.remove(&process) else {
            return Ok(Some(alone(process, event)));
        };
        is_its_own(name, &begun, &event)?;
        if event.kind == Kind::Info {
            // The name may come again, but it is somebody else's: this one may still be at it.
            self.fresh(&name.clone());
        }
        Ok(Some(attempt(process, begun, Some(event))))
    }

    /// The same where nobody says whose event it is: plain where one such operation is under way at a time.
    fn take_nameless(&mut self, event: Event) -> Result<Option<Attempt>, Malformed> {
        let begun = self.nameless.take();
        if event.kind != Kind::Invoke {
            let process = self.somebody();
            let Some(begun) = begun else { return Ok(Some(alone(process, event))) };
            is_its_own(&Datum::Nil, &begun, &event)?;
            return Ok(Some(attempt(process, begun, Some(event))));
        }
        if let Some(Event { line, .. }) = begun {
            return Err(Malformed::new(
                event.line,
                format!("an invocation needs a :process, for another without one is under way (line {line})"),
                "without one nobody can tell which completion is its own",
            ));
        }
        self.nameless = Some(event);
        Ok(None)
    }

    /// A number for somebody without a name.
    fn somebody(&mut self) -> u64 {
        let number = NAMED + self.numbered;
        self.numbered += 1;
        self.names.push((number, Datum::Nil));
        number
    }
}

/// That an operation completes as what it was invoked as.
fn is_its_own(process: &Datum, begun: &Event, end: &Event) -> Result<(), Malformed> {
    if end.f.is_empty() || begun.f.is_empty() || begun.f == end.f {
        return Ok(());
    }
    let (name, line) = (process.name(), begun.line);
    Err(Malformed::new(
        end.line,
        format!("process {name} completes `{}`, and had invoked `{}` (line {line})", end.f, begun.f),
        "a process does one thing at a time; each completion follows its own invocation",
    ))
}

fn attempt(process: u64, begun: Event, end: Option<Event>) -> Attempt {
    let Event { line, order: began, f, key, value: argument, .. } = begun;
    let ended = |Event { line, order, kind, key, value, own, .. }| End { kind, line, order, key, value, own };
    let f = end.as_ref().filter(|_| f.is_empty()).map_or(f, |end| end.f.clone());
    Attempt { process, line, began, f, key, argument, end: end.map(ended), is_alone: false }
}

fn alone(process: u64, event: Event) -> Attempt {
    Attempt { is_alone: true, ..attempt(process, event.clone(), Some(event)) }
}

impl Iterator for Attempts<'_> {
    type Item = Result<Attempt, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        self.ahead.pop_front().map(Ok).or_else(|| self.following())
    }
}
