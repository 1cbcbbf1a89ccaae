//! JSON (RFC 8259): operations as objects, one after the other or in an array, with the same names as in EDN.

use std::borrow::Cow;

use crate::check::read::datum::Datum;
use crate::check::read::record::Syntax;
use crate::check::read::scan::{DEPTH_MAX, Scan, Scanned, Stop, number, string};

/// The syntax.
pub(super) struct Json;

/// Whether another element comes in what `close` closes; then the place is at it, else behind the bracket.
fn another(scan: &mut Scan<'_>, close: u8, first: bool) -> Scanned<bool> {
    Json::space(scan)?;
    let byte = scan.some()?;
    if byte == close {
        scan.at += 1;
        return Ok(false);
    }
    if !first {
        if byte != b',' {
            return Err(scan.wrong(format!("this is no JSON: a comma or `{}` was due", char::from(close))));
        }
        scan.at += 1;
        Json::space(scan)?;
    }
    Ok(true)
}

fn name<'a>(scan: &mut Scan<'a>) -> Scanned<Cow<'a, [u8]>> {
    if scan.some()? != b'"' {
        return Err(scan.wrong("this is no JSON: a name in quotes was due"));
    }
    let name = string(scan)?;
    Json::space(scan)?;
    if scan.some()? != b':' {
        return Err(scan.wrong("this is no JSON: a colon was due"));
    }
    scan.at += 1;
    Json::space(scan)?;
    Ok(name)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')
}

fn datum(scan: &mut Scan<'_>, depth: u32) -> Scanned<Datum> {
    if depth > DEPTH_MAX {
        return Err(scan.wrong(format!("nested more than {DEPTH_MAX} deep")));
    }
    match scan.some()? {
        b'[' => {
            scan.at += 1;
            let mut elements = Vec::new();
            while another(scan, b']', elements.is_empty())? {
                elements.push(datum(scan, depth + 1)?);
            }
            Ok(Datum::List(elements))
        }
        b'{' => {
            scan.at += 1;
            let mut entries = Vec::new();
            while another(scan, b'}', entries.is_empty())? {
                let name = name(scan)?;
                let name =
                    String::from_utf8(name.into_owned()).map_err(|_| scan.wrong("this is not UTF-8"))?;
                let name = Datum::Text(name.into());
                entries.push((name, datum(scan, depth + 1)?));
            }
            Datum::map(entries).ok_or_else(|| scan.wrong("a key is twice in this map"))
        }
        b'"' => scan.string().map(|text| Datum::Text(text.into())),
        _ => {
            if let Some(number) = scan.short(is_word) {
                return Ok(Datum::Number(number));
            }
            let start = scan.at;
            let word = scan.run(is_word)?;
            let word = scan.text(word)?;
            let datum = match word {
                "null" => Some(Datum::Nil),
                "true" => Some(Datum::Bool(true)),
                "false" => Some(Datum::Bool(false)),
                // Not JSON, but written all the same, by Python and Go.
                "NaN" => Some(Datum::float(f64::NAN)),
                "Infinity" => Some(Datum::float(f64::INFINITY)),
                "-Infinity" => Some(Datum::float(f64::NEG_INFINITY)),
                word if word.starts_with('+') => None,
                word => number(word),
            };
            datum.ok_or_else(|| Stop::Wrong(start, "this is no JSON".into()))
        }
    }
}

impl Syntax for Json {
    fn space(scan: &mut Scan<'_>) -> Scanned<()> {
        let is_blank = |byte| matches!(byte, b' ' | b'\n' | b'\t' | b'\r');
        match scan.peek()?.is_some_and(is_blank) {
            true => scan.run(is_blank).map(|_| ()),
            false => Ok(()),
        }
    }

    fn open(scan: &mut Scan<'_>) -> Scanned<bool> {
        scan.takes(b"{")
    }

    fn field<'a>(scan: &mut Scan<'a>, first: bool) -> Scanned<Option<Cow<'a, [u8]>>> {
        if another(scan, b'}', first)? { name(scan).map(Some) } else { Ok(None) }
    }

    fn word<'a>(scan: &mut Scan<'a>) -> Scanned<Option<Cow<'a, [u8]>>> {
        match scan.some()? {
            b'"' => string(scan).map(Some),
            _ => datum(scan, 1).map(|_| None),
        }
    }

    fn datum(scan: &mut Scan<'_>) -> Scanned<Datum> {
        datum(scan, 1)
    }

    const WRONG: &'static str = "this is no JSON";
}
