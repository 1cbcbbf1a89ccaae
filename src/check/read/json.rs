//! JSON lines: one operation a line, with the same names as in EDN; or one array of them.

use crate::check::read::{Datum, Event, Malformed, event, malformed};

fn datum(value: serde_json::Value) -> Datum {
    match value {
        serde_json::Value::Null => Datum::Nil,
        serde_json::Value::Bool(truth) => Datum::Number(i64::from(truth)),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(number) => Datum::Number(number),
            None => Datum::Text(number.to_string()),
        },
        serde_json::Value::String(text) => Datum::Text(text.trim_start_matches(':').to_owned()),
        serde_json::Value::Array(items) => Datum::List(items.into_iter().map(datum).collect()),
        serde_json::Value::Object(entries) => {
            Datum::Map(entries.into_iter().map(|(key, value)| (Datum::Text(key), datum(value))).collect())
        }
    }
}

pub(super) fn events(text: &str) -> Result<Vec<Event>, Malformed> {
    let wrong = |line: usize, why: serde_json::Error| malformed(line, format!("this is no JSON: {why}"));
    let mut events = Vec::new();
    if text.trim_start().starts_with('[') {
        let all: Vec<serde_json::Value> = serde_json::from_str(text).map_err(|why| wrong(why.line(), why))?;
        for (place, value) in all.into_iter().enumerate() {
            events.extend(event(place + 1, &datum(value))?);
        }
        return Ok(events);
    }
    for (place, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let value = serde_json::from_str(line).map_err(|why| wrong(place + 1, why))?;
        events.extend(event(place + 1, &datum(value))?);
    }
    Ok(events)
}
