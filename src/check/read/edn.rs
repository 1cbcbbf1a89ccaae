//! EDN, as far as histories use it: maps, vectors, lists, sets, keywords, symbols, strings, characters, numbers, `nil`, comments,
//! what is discarded (`#_`), and tags (whose value counts). See github.com/edn-format/edn.

use std::borrow::Cow;

use crate::check::read::datum::Datum;
use crate::check::read::record::Syntax;
use crate::check::read::scan::{DEPTH_MAX, Scan, Scanned, Stop, number, string};

/// The syntax.
pub(super) struct Edn;

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b',' | b'\n' | b'\t' | b'\r' | 0x0b | 0x0c)
}

/// What is part of a word: a keyword, a symbol, a number.
const WORDS: [bool; 256] = {
    let (mut words, others, mut byte) = ([false; 256], b".*+!-_?$%&=<>/:#'|", 0);
    while byte < 256 {
        words[byte] = byte >= 0x80 || (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let mut place = 0;
    while place < others.len() {
        words[others[place] as usize] = true;
        place += 1;
    }
    words
};

fn is_word(byte: u8) -> bool {
    WORDS[usize::from(byte)]
}

/// One element, or `None` at the closing bracket, which is then behind.
fn element(scan: &mut Scan<'_>, close: u8, depth: u32) -> Scanned<Option<Datum>> {
    Edn::space(scan)?;
    match scan.some()? {
        byte if byte == close => {
            scan.at += 1;
            Ok(None)
        }
        b']' | b')' | b'}' => {
            Err(scan.wrong(format!("this bracket closes none: `{}` is open", char::from(close))))
        }
        _ => datum(scan, depth + 1).map(Some),
    }
}

fn elements(scan: &mut Scan<'_>, close: u8, depth: u32) -> Scanned<Vec<Datum>> {
    let mut elements = Vec::new();
    while let Some(element) = element(scan, close, depth)? {
        elements.push(element);
    }
    Ok(elements)
}

fn word(scan: &mut Scan<'_>) -> Scanned<Datum> {
    let start = scan.at;
    let word = scan.run(is_word)?;
    let word = scan.text(word)?;
    let datum = match word {
        "" => None,
        "nil" => Some(Datum::Nil),
        "true" => Some(Datum::Bool(true)),
        "false" => Some(Datum::Bool(false)),
        _ => match word.strip_prefix(':') {
            Some("") => None,
            Some(keyword) => Some(Datum::Keyword(keyword.into())),
            None if is_number(word) => numeric(word),
            None => Some(Datum::Other(word.into())),
        },
    };
    datum.ok_or_else(|| Stop::Wrong(start, "this is no EDN".into()))
}

fn is_number(word: &str) -> bool {
    let digits = word.strip_prefix(['-', '+']).unwrap_or(word);
    digits.bytes().next().is_some_and(|byte| byte.is_ascii_digit())
}

/// `12`, `12N`, `1.5`, `1.5M`, `1/2`
fn numeric(word: &str) -> Option<Datum> {
    if let Some((above, below)) = word.split_once('/') {
        let whole = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let is_ratio = whole(above.strip_prefix(['-', '+']).unwrap_or(above)) && whole(below);
        return is_ratio.then(|| Datum::Other(word.into()));
    }
    number(word.strip_suffix(['N', 'M']).unwrap_or(word))
}

/// What follows a `#`.
fn dispatch(scan: &mut Scan<'_>, depth: u32) -> Scanned<Datum> {
    scan.at += 1;
    match scan.some()? {
        b'{' => {
            scan.at += 1;
            elements(scan, b'}', depth).map(Datum::set)
        }
        b'#' => {
            scan.at += 1;
            let start = scan.at;
            match scan.run(is_word)? {
                b"NaN" => Ok(Datum::float(f64::NAN)),
                b"Inf" => Ok(Datum::float(f64::INFINITY)),
                b"-Inf" => Ok(Datum::float(f64::NEG_INFINITY)),
                _ => Err(Stop::Wrong(start, "after ## comes NaN, Inf or -Inf".into())),
            }
        }
        _ => {
            let start = scan.at;
            if !scan.some()?.is_ascii_alphabetic() {
                return Err(Stop::Wrong(start, "after # comes a tag, a set, ## or _".into()));
            }
            scan.run(is_word)?;
            Edn::space(scan)?;
            datum(scan, depth + 1)
        }
    }
}

/// `\a`, `\newline`, `\u0041`
fn character(scan: &mut Scan<'_>) -> Scanned<Datum> {
    let start = scan.at;
    scan.at += 1;
    let first = scan.some()?;
    let length = match first {
        0..0x80 => 1,
        0x80..0xe0 => 2,
        0xe0..0xf0 => 3,
        _ => 4,
    };
    for _ in 0..length {
        scan.some()?;
        scan.at += 1;
    }
    if is_word(first) {
        scan.run(is_word)?;
    }
    let written = scan.since(start);
    scan.text(written).map(|written| Datum::Other(written.into()))
}

fn datum(scan: &mut Scan<'_>, depth: u32) -> Scanned<Datum> {
    if depth > DEPTH_MAX {
        return Err(scan.wrong(format!("nested more than {DEPTH_MAX} deep")));
    }
    match scan.some()? {
        b'[' => {
            scan.at += 1;
            elements(scan, b']', depth).map(Datum::List)
        }
        b'(' => {
            scan.at += 1;
            elements(scan, b')', depth).map(Datum::List)
        }
        b'{' => {
            scan.at += 1;
            let mut entries = Vec::new();
            while let Some(key) = element(scan, b'}', depth)? {
                Edn::space(scan)?;
                entries.push((key, datum(scan, depth + 1)?));
            }
            Datum::map(entries).ok_or_else(|| scan.wrong("a key is twice in this map"))
        }
        b'"' => scan.string().map(|text| Datum::Text(text.into())),
        b'\\' => character(scan),
        b'#' => dispatch(scan, depth),
        b'-' | b'0'..=b'9' => match scan.short(is_word) {
            Some(number) => Ok(Datum::Number(number)),
            None => word(scan),
        },
        _ => word(scan),
    }
}

impl Syntax for Edn {
    fn space(scan: &mut Scan<'_>) -> Scanned<()> {
        loop {
            if scan.some_at().is_some_and(is_blank) {
                scan.run(is_blank)?;
            }
            match scan.peek()? {
                Some(b';') => {
                    scan.run(|byte| byte != b'\n')?;
                }
                Some(b'#') if scan.takes(b"#_")? => {
                    // What is discarded may be preceded by space, and another such mark.
                    Edn::space(scan)?;
                    datum(scan, DEPTH_MAX / 2)?;
                }
                _ => return Ok(()),
            }
        }
    }

    fn open(scan: &mut Scan<'_>) -> Scanned<bool> {
        // `#jepsen.history.Op{…}`
        if scan.peek()? == Some(b'#') {
            scan.at += 1;
            scan.run(is_word)?;
            Edn::space(scan)?;
        }
        scan.takes(b"{")
    }

    fn field<'a>(scan: &mut Scan<'a>, _: bool) -> Scanned<Option<Cow<'a, [u8]>>> {
        Edn::space(scan)?;
        match scan.some()? {
            b'}' => {
                scan.at += 1;
                return Ok(None);
            }
            b']' | b')' => return Err(scan.wrong("this bracket closes none: `}` is open")),
            _ => {}
        }
        let name = Edn::word(scan)?.unwrap_or_default();
        Edn::space(scan)?;
        Ok(Some(name))
    }

    fn word<'a>(scan: &mut Scan<'a>) -> Scanned<Option<Cow<'a, [u8]>>> {
        match scan.some()? {
            b':' => {
                scan.at += 1;
                scan.run(is_word).map(|word| Some(Cow::Borrowed(word)))
            }
            b'"' => string(scan).map(Some),
            _ => Ok(datum(scan, 1)?.word().map(|word| Cow::Owned(word.as_bytes().to_vec()))),
        }
    }

    fn datum(scan: &mut Scan<'_>) -> Scanned<Datum> {
        datum(scan, 1)
    }

    const WRONG: &'static str = "this is no EDN";
}

/// A value as somebody writes it on the command line: a single value of EDN, where a bare word is a text.
pub fn written(text: &str) -> Datum {
    match whole(text) {
        Some(Datum::Other(word)) if !word.starts_with(|c: char| c.is_ascii_digit() || "+-\\".contains(c)) => {
            Datum::Text(word)
        }
        Some(datum) => datum,
        None => Datum::Text(text.into()),
    }
}

/// One value that is all of a text.
pub(super) fn whole(text: &str) -> Option<Datum> {
    let mut scan = Scan::new(text.as_bytes(), true);
    Edn::space(&mut scan).ok()?;
    let datum = datum(&mut scan, 1).ok()?;
    Edn::space(&mut scan).ok()?;
    (scan.at == text.len()).then_some(datum)
}
