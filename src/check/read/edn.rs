//! EDN, as far as histories use it: maps, vectors, lists, sets, keywords, symbols, strings, numbers, `nil`, comments,
//! tags (whose value counts). A history is a sequence of maps, or one vector or list of them.

use winnow::ascii::{dec_int, float};
use winnow::combinator::{alt, delimited, fail, not, preceded, repeat, terminated};
use winnow::error::ContextError;
use winnow::prelude::*;
use winnow::stream::{LocatingSlice, Location};
use winnow::token::{any, one_of, take_till, take_while};

use crate::check::read::{Datum, Event, Malformed, event, malformed};

type Text<'a> = LocatingSlice<&'a str>;
type Parsed<T> = winnow::ModalResult<T, ContextError>;

/// Nesting beyond this is refused: the reader recurses.
const DEPTH_MAX: u32 = 64;

fn space(input: &mut Text<'_>) -> Parsed<()> {
    let blank = take_while(1.., |c: char| c.is_whitespace() || c == ',').void();
    let comment = preceded(';', take_till(0.., '\n')).void();
    repeat(0.., alt((blank, comment))).parse_next(input)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || ".*+!-_?$%&=<>/:#'".contains(c)
}

fn string(input: &mut Text<'_>) -> Parsed<Datum> {
    let escape = preceded('\\', any).map(|c| match c {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        other => other,
    });
    let character = alt((escape, one_of(|c| c != '"' && c != '\\')));
    delimited('"', repeat(0.., character), '"').map(Datum::Text).parse_next(input)
}

fn number(input: &mut Text<'_>) -> Parsed<Datum> {
    let end = || not(one_of(is_word));
    let whole = terminated(dec_int::<_, i64, _>, end()).map(Datum::Number);
    let decimal = terminated(float::<_, f64, _>, end()).map(|value: f64| Datum::Text(value.to_string()));
    preceded(winnow::combinator::peek(one_of(('0'..='9', '-', '+'))), alt((whole, decimal))).parse_next(input)
}

fn word(input: &mut Text<'_>) -> Parsed<Datum> {
    let word = take_while(1.., is_word).parse_next(input)?;
    Ok(match word {
        "nil" => Datum::Nil,
        keyword => Datum::Text(keyword.trim_start_matches(':').to_owned()),
    })
}

fn value(depth: u32, input: &mut Text<'_>) -> Parsed<Datum> {
    if depth > DEPTH_MAX {
        return fail.parse_next(input);
    }
    let mut item = |input: &mut Text<'_>| {
        preceded(space, |input: &mut Text<'_>| value(depth + 1, input)).parse_next(input)
    };
    preceded(space, winnow::combinator::peek(any)).parse_next(input).and_then(|next| match next {
        '[' => delimited('[', repeat(0.., item), (space, ']')).map(Datum::List).parse_next(input),
        '(' => delimited('(', repeat(0.., item), (space, ')')).map(Datum::List).parse_next(input),
        '{' => {
            let pairs = repeat(0.., |input: &mut Text<'_>| {
                let key = preceded(not((space, '}')), &mut item).parse_next(input)?;
                Ok((key, item(input)?))
            });
            delimited('{', pairs, (space, '}')).map(Datum::Map).parse_next(input)
        }
        '"' => string(input),
        '#' if input.starts_with("#{") => {
            delimited("#{", repeat(0.., item), (space, '}')).map(Datum::List).parse_next(input)
        }
        '#' => preceded(('#', take_while(1.., is_word)), item).parse_next(input),
        _ => alt((number, word)).parse_next(input),
    })
}

/// One value that is all of a text.
pub(super) fn datum(text: &str) -> Option<Datum> {
    let mut input = LocatingSlice::new(text);
    let datum = value(0, &mut input).ok()?;
    space(&mut input).ok()?;
    input.is_empty().then_some(datum)
}

pub(super) fn events(text: &str) -> Result<Vec<Event>, Malformed> {
    let starts: Vec<usize> =
        std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let line = |at: usize| starts.partition_point(|start| *start <= at);
    let mut input = LocatingSlice::new(text);
    let mut events = Vec::new();
    let mut wrapped = None;
    loop {
        space(&mut input).expect("space is never missing");
        let at = input.current_token_start();
        let next = input.chars().next();
        match next {
            None if wrapped.is_none() => return Ok(events),
            None => return Err(malformed(line(at), "the list of operations has no end")),
            Some('[' | '(') if wrapped.is_none() && events.is_empty() => {
                wrapped = next;
                any::<_, ContextError>.parse_next(&mut input).expect("it is there");
            }
            Some(']' | ')') if wrapped.is_some() => return Ok(events),
            Some(_) => {
                let map = value(0, &mut input).map_err(|_| malformed(line(at), "this is no EDN"))?;
                events.extend(event(line(at), &map)?);
            }
        }
    }
}
