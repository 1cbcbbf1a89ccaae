//! One operation as it is written in EDN or JSON: a map with `process`, `type`, `f`, `value` and what else there is.

use std::borrow::Cow;

use crate::base::op::When;
use crate::check::read::datum::Datum;
use crate::check::read::scan::{Scan, Scanned, Stop};
use crate::check::read::{Kind, kind};

/// What EDN and JSON do differently.
pub(super) trait Syntax {
    /// Passes what is blank.
    fn space(scan: &mut Scan<'_>) -> Scanned<()>;
    /// Passes the opening bracket of a map, if there is one.
    fn open(scan: &mut Scan<'_>) -> Scanned<bool>;
    /// The name of the next field of a map, with the place at its value; `None` behind its end.
    fn field<'a>(scan: &mut Scan<'a>, first: bool) -> Scanned<Option<Cow<'a, str>>>;
    /// A value that should be a word.
    fn word<'a>(scan: &mut Scan<'a>) -> Scanned<Option<Cow<'a, str>>>;
    /// Any value.
    fn datum(scan: &mut Scan<'_>) -> Scanned<Datum>;
    /// What is said of what is neither.
    const WRONG: &'static str;
}

/// What a record says.
#[derive(Default)]
pub(super) struct Record<'a> {
    pub process: Option<Datum>,
    pub kind: Option<Kind>,
    pub f: Option<Cow<'a, str>>,
    pub key: Option<Datum>,
    pub value: Option<Datum>,
    /// The number behind a version.
    pub n: Option<i64>,
    /// A condition that did not hold.
    pub when: Option<When>,
    pub bound: Option<i64>,
    pub start: Option<i64>,
}

fn whole(datum: Datum) -> Option<i64> {
    match datum {
        Datum::Number(number) => Some(number),
        _ => None,
    }
}

/// Reads one; the place is at its beginning and then behind its end.
pub(super) fn record<'a, S: Syntax>(scan: &mut Scan<'a>) -> Scanned<Record<'a>> {
    let start = scan.at;
    if !S::open(scan)? {
        return Err(Stop::Wrong(start, format!("{}: an operation is a map", S::WRONG).into()));
    }
    let mut record = Record::default();
    // Which fields there were: what is said twice is not understood.
    let (mut seen, mut first) = (0u16, true);
    while let Some(name) = S::field(scan, first)? {
        first = false;
        let name = name.strip_prefix(':').unwrap_or(&name);
        let place = NAMES.iter().position(|known| *known == name);
        if let Some(place) = place {
            if seen & 1 << place != 0 {
                return Err(scan.wrong(format!("this operation says twice what its {name} is")));
            }
            seen |= 1 << place;
        }
        let at = scan.at;
        match place.map_or("", |place| NAMES[place]) {
            "type" => {
                let word = S::word(scan)?;
                let known = kind(word.as_deref().unwrap_or(""));
                let why = || "the type of an operation is one of invoke, ok, fail, info";
                record.kind = Some(known.ok_or_else(|| Stop::Wrong(at, why().into()))?);
            }
            "f" => record.f = S::word(scan)?,
            "process" => record.process = Some(S::datum(scan)?).filter(|process| *process != Datum::Nil),
            "value" => record.value = Some(S::datum(scan)?),
            "key" => record.key = Some(S::datum(scan)?),
            "n" => record.n = whole(S::datum(scan)?),
            "when" => record.when = S::word(scan)?.and_then(|sign| When::of_sign(&sign)),
            "bound" => record.bound = whole(S::datum(scan)?),
            "start" => record.start = whole(S::datum(scan)?),
            _ => {
                S::datum(scan)?;
            }
        }
    }
    Ok(record)
}

const NAMES: [&str; 9] = ["process", "type", "f", "value", "key", "n", "when", "bound", "start"];
