//! The events of a history, one after the other as they are read. Nothing of what was read is kept.

use std::io::Read;
use std::rc::Rc;

use crate::base::op::When;
use crate::check::read::datum::Datum;
use crate::check::read::edn::Edn;
use crate::check::read::format::Format;
use crate::check::read::json::Json;
use crate::check::read::kind::Kind;
use crate::check::read::log;
use crate::check::read::malformed::Malformed;
use crate::check::read::record::{Record, Syntax, record};
use crate::check::read::scan::Stop;
use crate::check::read::source::Source;

/// An operation begins or ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its line, from 1; of one that stands on several, the first.
    pub line: usize,
    /// Its place among all events, from 0.
    pub order: u64,
    /// Whose; not everybody writes it.
    pub process: Option<Datum>,
    /// Begins or ends, and how.
    pub kind: Kind,
    /// What it does, without a colon; empty if nobody wrote it.
    pub f: Rc<str>,
    /// `:key`
    pub key: Option<Datum>,
    /// `:value`
    pub value: Datum,
    /// What only our own histories have.
    pub own: Own,
}

/// What is recorded by `splitbrain run --history` alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Own {
    /// The number behind a version.
    pub n: Option<i64>,
    /// A condition on numbers that did not hold, and the number of the first version.
    pub failed: Option<(When, i64, i64)>,
    /// Whether it is marked as one of the last, when nothing is under way any more (`:final?`).
    pub is_final: bool,
}

/// Where in a file of operations.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the first of them.
    Start,
    /// Among them.
    Bare,
    /// In a list of them that this closes, before or behind the first.
    Within { close: u8, first: bool },
    /// Behind it.
    Over,
}

/// Reads events.
pub struct Events<'r> {
    source: Source<'r>,
    format: Format,
    place: Place,
    count: u64,
    /// Lines that a logger wrote beside the operations.
    chatter: u64,
    /// Whether the last line was one of them.
    was_chatter: bool,
    /// All there are: few, and each is an allocation once.
    names: Vec<Rc<str>>,
}

impl<'r> Events<'r> {
    /// Of bytes in a format, or in whichever they look like.
    ///
    /// # Errors
    /// When they look like none.
    pub fn new(from: impl Read + 'r, format: Option<Format>) -> Result<Self, Malformed> {
        let source = Source::new(Box::new(from))?;
        let format = match format.map_or_else(|| Format::of(source.rest()), Ok) {
            Ok(format) => format,
            Err(line) => {
                let why = "this is none of the formats of histories: Jepsen's EDN or log, JSON";
                return Err(Malformed::new(
                    line,
                    why,
                    "`--format` says how it is written, docs/history.md what is read",
                ));
            }
        };
        let (place, names) = (Place::Start, Vec::new());
        Ok(Events { source, format, place, count: 0, chatter: 0, was_chatter: false, names })
    }

    /// How it is written.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Lines of a log that were passed, being no operations.
    pub fn chatter(&self) -> u64 {
        self.chatter
    }

    /// Whether all there was, once it has been read, is `[]`.
    pub fn is_empty_list(&self) -> bool {
        self.count == 0 && self.place == Place::Over
    }

    fn of_log(&mut self) -> Result<Option<Event>, Malformed> {
        loop {
            let line = self.source.line();
            let Some(bytes) = self.source.next_line()? else { return Ok(None) };
            let Ok(text) = std::str::from_utf8(bytes) else {
                return Err(Malformed::line(line, "this is not UTF-8"));
            };
            if text.trim().is_empty() {
                continue;
            }
            match log::line(text) {
                log::Line::Operation { process, kind, f, value } => {
                    self.was_chatter = false;
                    let f = named(&mut self.names, f.as_bytes()).unwrap_or_default();
                    let own = Own::default();
                    let (order, process) = (self.count, Some(process));
                    self.count += 1;
                    return Ok(Some(Event { line, order, process, kind, f, key: None, value, own }));
                }
                log::Line::Chatter => self.was_chatter = true,
                // What a logger writes may have several lines.
                log::Line::Unknown if self.was_chatter => {}
                log::Line::Unknown => return Err(Malformed::line(line, "this is no line of a Jepsen log")),
                log::Line::Wrong(why) => return Err(Malformed::line(line, why)),
            }
            self.chatter += 1;
        }
    }

    fn of_records<S: Syntax>(&mut self) -> Result<Option<Event>, Malformed> {
        loop {
            self.source.pass_blanks()?;
            self.source.scan(S::space)?;
            let next = self.source.scan(|scan| scan.peek())?;
            let line = self.source.line();
            match (self.place, next) {
                (Place::Start | Place::Bare | Place::Over, None) => return Ok(None),
                (Place::Within { .. }, None) => {
                    return Err(Malformed::line(line, "the list of operations has no end"));
                }
                (Place::Over, Some(_)) => {
                    return Err(Malformed::line(line, "something follows the end of the list of operations"));
                }
                (Place::Start, Some(open @ (b'[' | b'('))) => {
                    let close = if open == b'[' { b']' } else { b')' };
                    self.place = Place::Within { close, first: true };
                    self.source.consume(1);
                }
                (Place::Within { close, .. }, Some(byte)) if byte == close => {
                    self.place = Place::Over;
                    self.source.consume(1);
                }
                (Place::Within { close, .. }, Some(byte @ (b']' | b')' | b'}'))) => {
                    let (byte, close) = (char::from(byte), char::from(close));
                    let why =
                        format!("`{byte}` closes nothing: `{close}` would close the list of operations");
                    return Err(Malformed::line(line, why));
                }
                (Place::Within { first: false, .. }, Some(byte)) if self.format == Format::JsonLines => {
                    if byte != b',' {
                        return Err(Malformed::line(line, "this is no JSON: a comma was due"));
                    }
                    self.source.consume(1);
                    self.source.scan(S::space)?;
                    return self.record::<S>();
                }
                (_, Some(_)) => return self.record::<S>(),
            }
        }
    }

    fn record<S: Syntax>(&mut self) -> Result<Option<Event>, Malformed> {
        match &mut self.place {
            Place::Within { first, .. } => *first = false,
            place => *place = Place::Bare,
        }
        let (line, order, names) = (self.source.line(), self.count, &mut self.names);
        self.count += 1;
        let event = self.source.scan(|scan| {
            let start = scan.at;
            let Record { process, kind, f, key, value, n, when, bound, start: initial, is_final } =
                record::<S>(scan)?;
            let Some(kind) = kind else {
                return Err(Stop::Wrong(start, "an operation needs a :type".into()));
            };
            let f = f.as_deref().unwrap_or_default();
            let f = named(names, f.strip_prefix(b":").unwrap_or(f));
            let f = f.ok_or_else(|| Stop::Wrong(start, "its :f is not UTF-8".into()))?;
            let failed = when.zip(bound).zip(initial).map(|((when, bound), initial)| (when, bound, initial));
            let value = value.unwrap_or(Datum::Nil);
            Ok(Event { line, order, process, kind, f, key, value, own: Own { n, failed, is_final } })
        });
        event.map(Some)
    }
}

/// A name, as few times as there are different ones; `None` if it is no text.
fn named(names: &mut Vec<Rc<str>>, name: &[u8]) -> Option<Rc<str>> {
    /// Nobody has more; of hostile input not all are remembered.
    const NAMES_MAX: usize = 64;
    if let Some(known) = names.iter().find(|known| known.as_bytes() == name) {
        return Some(known.clone());
    }
    let name: Rc<str> = std::str::from_utf8(name).ok()?.into();
    if names.len() < NAMES_MAX {
        names.push(name.clone());
    }
    Some(name)
}

impl Iterator for Events<'_> {
    type Item = Result<Event, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        let event = match self.format {
            Format::JepsenLog => self.of_log(),
            Format::Edn => self.of_records::<Edn>(),
            Format::JsonLines => self.of_records::<Json>(),
        };
        event.transpose()
    }
}
