//! In which syntax a history is written down, and how its first bytes tell.

use crate::check::read::log;

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
    pub(super) fn of(head: &[u8]) -> Result<Format, usize> {
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
