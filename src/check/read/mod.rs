//! Recorded histories as bytes: Jepsen's logs and EDN, JSON.
//!
//! [`events`] makes events of bytes, in one of three syntaxes (`edn`, `json`, `log`) · [`attempts`] pairs
//! invocations with completions and says what was passed. What the operations mean is the business of [`crate::check::kinds`].
//! It is a stream: of what was read nothing stays but what is still open.

pub mod attempts;
pub mod datum;
mod edn;
pub mod events;
mod json;
mod log;
mod record;
mod scan;
mod source;
#[cfg(test)]
mod tests;

use crate::check::read::datum::Datum;

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
    /// What the first bytes of a history look like; the line that looks like nothing if that is so.
    fn of(head: &[u8]) -> Result<Format, usize> {
        let head = String::from_utf8_lossy(head);
        let mut lines = head.lines().zip(1..).filter(|(line, _)| {
            let line = line.trim();
            !line.is_empty() && !line.starts_with(';')
        });
        let Some((first, number)) = lines.next() else { return Ok(Format::Edn) };
        if matches!(log::line(first), log::Line::Operation { .. }) {
            return Ok(Format::JepsenLog);
        }
        let start = head.find(first).unwrap_or(0);
        let body = head[start..].trim_start();
        if body.starts_with(['{', '[', '(', '#']) {
            // The first name of the first operation is a text in JSON.
            let inner = body.trim_start_matches(|c: char| c.is_whitespace() || c == '[').strip_prefix('{');
            let is_json = inner.is_some_and(|inner| inner.trim_start().starts_with('"'));
            return Ok(if is_json { Format::JsonLines } else { Format::Edn });
        }
        match log::line(first) {
            log::Line::Unknown => Err(number),
            _ => Ok(Format::JepsenLog),
        }
    }
}

/// What happened to an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It begins.
    Invoke,
    /// It succeeded.
    Ok,
    /// It certainly had no effect.
    Fail,
    /// Nobody knows.
    Info,
}

fn kind(word: &[u8]) -> Option<Kind> {
    match word.strip_prefix(b":").unwrap_or(word) {
        b"invoke" => Some(Kind::Invoke),
        b"ok" => Some(Kind::Ok),
        b"fail" => Some(Kind::Fail),
        b"info" => Some(Kind::Info),
        _ => None,
    }
}

/// A line that is none of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// Which, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: String,
    /// What would be right.
    pub help: &'static str,
}

impl Malformed {
    /// With what would be right.
    pub fn new(line: usize, why: impl Into<String>, help: &'static str) -> Self {
        Malformed { line, why: why.into(), help }
    }

    /// Of a line that is not what the format or the model says.
    pub fn line(line: usize, why: impl Into<String>) -> Self {
        Self::new(line, why, "docs/history.md says what is read; `--format` and `--model` say what this is")
    }
}

/// A value as somebody writes it on the command line: a single value of EDN, where a bare word is a text.
pub fn written(text: &str) -> Datum {
    match edn::whole(text) {
        Some(Datum::Other(word)) if !word.starts_with(|c: char| c.is_ascii_digit() || "+-\\".contains(c)) => {
            Datum::Text(word)
        }
        Some(datum) => datum,
        None => Datum::Text(text.into()),
    }
}
