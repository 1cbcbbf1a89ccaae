//! One operation as it is written in EDN or JSON: a map with `process`, `type`, `f`, `value` and what else there is.

use std::borrow::Cow;

use crate::base::op::When;
use crate::check::read::datum::Datum;
use crate::check::read::kind::{Kind, kind};
use crate::check::read::scan::{Scan, Scanned, Stop};

/// What EDN and JSON do differently.
pub(super) trait Syntax {
    /// Passes what is blank.
    fn space(scan: &mut Scan<'_>) -> Scanned<()>;
    /// Passes the opening bracket of a map, if there is one.
    fn open(scan: &mut Scan<'_>) -> Scanned<bool>;
    /// The name of the next field of a map, with the place at its value; `None` behind its end.
    fn field<'a>(scan: &mut Scan<'a>, first: bool) -> Scanned<Option<Cow<'a, [u8]>>>;
    /// A value that should be a word.
    fn word<'a>(scan: &mut Scan<'a>) -> Scanned<Option<Cow<'a, [u8]>>>;
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
    pub f: Option<Cow<'a, [u8]>>,
    pub key: Option<Datum>,
    pub value: Option<Datum>,
    /// The number behind a version.
    pub n: Option<i64>,
    /// A condition that did not hold.
    pub when: Option<When>,
    pub bound: Option<i64>,
    pub start: Option<i64>,
    pub is_final: bool,
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
        let field = Field::of(&name);
        if let Some(field) = field {
            if seen & 1 << field as u16 != 0 {
                let name = String::from_utf8_lossy(&name).into_owned();
                return Err(scan.wrong(format!("this operation says twice what its {name} is")));
            }
            seen |= 1 << field as u16;
        }
        let at = scan.at;
        let Some(field) = field else {
            S::datum(scan)?;
            continue;
        };
        match field {
            Field::Type => {
                let word = S::word(scan)?;
                let known = kind(word.as_deref().unwrap_or_default());
                let why = "the type of an operation is one of invoke, ok, fail, info";
                record.kind = Some(known.ok_or_else(|| Stop::Wrong(at, why.into()))?);
            }
            Field::F => record.f = S::word(scan)?,
            Field::Process => {
                let process = S::datum(scan)?;
                if matches!(process, Datum::List(_) | Datum::Set(_) | Datum::Map(_)) {
                    return Err(Stop::Wrong(at, "a process is a number or a name".into()));
                }
                record.process = Some(process).filter(|process| *process != Datum::Nil);
            }
            Field::Value => record.value = Some(S::datum(scan)?),
            Field::Key => record.key = Some(S::datum(scan)?),
            Field::N => record.n = whole(S::datum(scan)?),
            Field::When => {
                record.when = S::word(scan)?.and_then(|sign| When::of_sign(&String::from_utf8_lossy(&sign)))
            }
            Field::Bound => record.bound = whole(S::datum(scan)?),
            Field::Final => record.is_final = S::datum(scan)? == Datum::Bool(true),
            Field::Start => record.start = whole(S::datum(scan)?),
        }
    }
    Ok(record)
}

/// The fields that mean something here.
#[derive(Clone, Copy)]
enum Field {
    Process,
    Type,
    F,
    Value,
    Key,
    N,
    When,
    Bound,
    Start,
    Final,
}

impl Field {
    fn of(name: &[u8]) -> Option<Field> {
        Some(match name.strip_prefix(b":").unwrap_or(name) {
            b"process" => Field::Process,
            b"type" => Field::Type,
            b"f" => Field::F,
            b"value" => Field::Value,
            b"key" => Field::Key,
            b"n" => Field::N,
            b"when" => Field::When,
            b"bound" => Field::Bound,
            b"start" => Field::Start,
            b"final?" => Field::Final,
            _ => return None,
        })
    }
}
