//! Jepsen's logs: `INFO  jepsen.util - PROCESS`, kind, operation and value, with tabs between them. Other lines are
//! other people's.

use crate::check::read::{Datum, Event, Kind, Malformed, edn, kind, malformed};

pub(super) fn events(text: &str) -> Result<Vec<Event>, Malformed> {
    let mut events = Vec::new();
    for (place, content) in text.lines().enumerate() {
        let line = place + 1;
        let mut columns = content.split('\t');
        let (Some(head), Some(word), Some(f), Some(value)) =
            (columns.next(), columns.next(), columns.next(), columns.next())
        else {
            continue;
        };
        let Some((_, process)) = head.rsplit_once(" - ") else { continue };
        let process = process.trim();
        if process.parse::<i64>().is_err() {
            continue;
        }
        let kind = kind(word.trim(), line)?;
        // What follows `:info` and `:fail` may be a reason and not a value.
        let value = match edn::datum(value.trim()) {
            Some(Datum::Text(_)) if kind != Kind::Invoke => Datum::Nil,
            Some(value) => value,
            None if kind == Kind::Info => Datum::Nil,
            None => return Err(malformed(line, "this value is no EDN")),
        };
        let f = f.trim().trim_start_matches(':').to_owned();
        let process = process.to_owned();
        events.push(Event { line, process, kind, f, key: None, value, n: None, failed: None });
    }
    Ok(events)
}
