//! Jepsen's logs: `INFO  jepsen.util - PROCESS`, kind, operation and value, with tabs between them; in a `history.txt` the process comes
//! first. Tabs may have been expanded to columns of eight. What else a logger writes is passed and counted.

use crate::check::read::datum::Datum;
use crate::check::read::edn;
use crate::check::read::kind::{Kind, kind};

/// What a line is.
pub(super) enum Line<'a> {
    Operation {
        process: Datum,
        kind: Kind,
        f: &'a str,
        value: Datum,
    },
    /// Other people's.
    Chatter,
    /// None of a log.
    Unknown,
    /// Wrong, and why.
    Wrong(&'static str),
}

const KINDS: [&str; 4] = [":invoke", ":ok", ":fail", ":info"];
const LEVELS: [&str; 6] = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
const COLUMN: usize = 8;

pub(super) fn line(text: &str) -> Line<'_> {
    let columns: Vec<&str> = text.split('\t').collect();
    if let Some(place) = columns.iter().skip(1).position(|column| KINDS.contains(&column.trim())) {
        let f = columns.get(place + 2).map_or("", |f| f.trim());
        return operation(columns[place], columns[place + 1], f, columns.get(place + 3).unwrap_or(&"nil"));
    }
    match spaced(text) {
        Some(at) => expanded(text, at)
            .unwrap_or(Line::Wrong("the columns of a log are apart by tabs, and these by blanks")),
        None if is_logged(text) => Line::Chatter,
        None => Line::Unknown,
    }
}

/// Where a kind stands that is followed by an operation, with blanks round it.
fn spaced(text: &str) -> Option<usize> {
    let follows = |at: &usize| {
        let mut words = text[*at..].split_ascii_whitespace();
        words.next().is_some_and(|word| KINDS.contains(&word))
            && words.next().is_some_and(|f| f.starts_with(':'))
    };
    text.match_indices(" :").map(|(at, _)| at + 1).find(follows)
}

/// A line whose tabs have become as many blanks as they stand for.
fn expanded(text: &str, at: usize) -> Option<Line<'_>> {
    // Where a column begins that follows one which ends here.
    let next = |end: usize| (end / COLUMN + 1) * COLUMN;
    let end = |from: usize| text[from..].find(' ').map_or(text.len(), |length| from + length);
    let head = text[..at].trim_end();
    let f_at = next(end(at));
    if next(head.len()) != at || text.get(end(at)..f_at)?.trim() != "" || text.get(f_at..)?.starts_with(' ') {
        return None;
    }
    let value_at = next(end(f_at)).min(text.len());
    if text.get(end(f_at)..value_at)?.trim() != "" || text.get(value_at..)?.starts_with(' ') {
        return None;
    }
    Some(operation(head, &text[at..end(at)], &text[f_at..end(f_at)], text.get(value_at..)?))
}

fn operation<'a>(head: &str, word: &str, f: &'a str, value: &str) -> Line<'a> {
    let Some(kind) = kind(word.trim().as_bytes()) else {
        return Line::Wrong("this is none of :invoke, :ok, :fail, :info");
    };
    let name = [" - ", ": "].iter().filter_map(|sign| head.rfind(sign).map(|at| at + sign.len())).max();
    let name = head[name.unwrap_or(0)..].trim();
    if name.is_empty() || f.is_empty() {
        return Line::Wrong("an operation has a process, a kind, a name and a value, with tabs between them");
    }
    let process = match edn::whole(name) {
        Some(scalar @ (Datum::Number(_) | Datum::Float(_) | Datum::Keyword(_) | Datum::Text(_))) => scalar,
        _ => Datum::Text(name.into()),
    };
    let value = match edn::whole(value) {
        // What follows `:info` and `:fail` may be a reason and not a value.
        Some(Datum::Keyword(_) | Datum::Other(_)) | None if matches!(kind, Kind::Info | Kind::Fail) => {
            Datum::Nil
        }
        Some(value) => value,
        None => return Line::Wrong("this value is no EDN"),
    };
    Line::Operation { process, kind, f: f.strip_prefix(':').unwrap_or(f), value }
}

/// Whether a logger wrote it: it begins with a level or a time.
fn is_logged(text: &str) -> bool {
    let Some(word) = text.split([' ', '\t', '{']).next() else { return false };
    let word = word.trim_matches(['[', ']', ':']);
    let is_time = word.len() >= 8
        && word.starts_with(|c: char| c.is_ascii_digit())
        && word.contains(['-', ':', '/'])
        && word.bytes().all(|byte| byte.is_ascii_digit() || b"-:/.,TZ+".contains(&byte));
    LEVELS.contains(&word) || is_time
}
