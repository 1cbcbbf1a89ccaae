//! From bytes to tokens, by `winnow`. Errors do not stop it: a bad token is reported and stands in for itself, so
//! that one pass finds all of them.

use std::ops::Range;

use winnow::combinator::{alt, dispatch, fail, not, peek};
use winnow::error::EmptyError;
use winnow::prelude::*;
use winnow::stream::{LocatingSlice, Location};
use winnow::token::{any, literal, one_of, take_till, take_while};

use crate::base::quantity::{self, Quantity};
use crate::program::syntax::tree::SyntaxError;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind<'a> {
    /// `20ms`
    Number(Quantity),
    /// `item`, `and`, `p99.9`
    Word(&'a str),
    /// `'a b.csv'`, or a bare path after `file(` and `trace(`.
    Text(&'a str),
    /// An operator or bracket.
    Mark(&'static str),
    /// End of a line, outside round and square brackets.
    Newline,
    /// End of the text.
    End,
}

/// A token with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Token<'a> {
    /// What it is.
    pub kind: Kind<'a>,
    /// Where it stands.
    pub at: Range<usize>,
}

/// Functions whose first argument is a path and is read as one: `file(data/sizes.csv)`.
pub const TAKES_PATH: [&str; 2] = ["file", "trace"];

type Input<'a> = LocatingSlice<&'a str>;

/// All tokens of a text, [`Kind::End`] last, and what is wrong with them.
pub fn tokens(text: &str) -> (Vec<Token<'_>>, Vec<SyntaxError>) {
    let mut input = LocatingSlice::new(text);
    let mut lexer = Lexer { tokens: Vec::new(), errors: Vec::new(), depth: 0 };
    loop {
        blanks(&mut input);
        if input.is_empty() {
            break;
        }
        lexer.next(&mut input);
    }
    lexer.tokens.push(Token { kind: Kind::End, at: text.len()..text.len() });
    (lexer.tokens, lexer.errors)
}

struct Lexer<'a> {
    tokens: Vec<Token<'a>>,
    errors: Vec<SyntaxError>,
    /// Open round and square brackets: a newline inside them separates nothing.
    depth: u32,
}

impl<'a> Lexer<'a> {
    fn next(&mut self, input: &mut Input<'a>) {
        let start = input.current_token_start();
        let kind =
            if self.at_path() { alt((path, token)).parse_next(input) } else { token.parse_next(input) };
        let Ok(lexeme) = kind else {
            let found: Result<char, EmptyError> = any.parse_next(input);
            let at = start..input.current_token_start();
            let message = format!("`{}` means nothing here", found.unwrap_or(' ').escape_debug());
            self.errors.push(SyntaxError { at, message, help: None });
            return;
        };
        let at = start..input.current_token_start();
        let kind = match lexeme {
            Lexeme::Kind(kind) => kind,
            Lexeme::Number(text) => self.number(text, at.clone()),
            Lexeme::Unclosed(text) => {
                let help = Some("close it with the quote that opened it".to_owned());
                self.errors.push(SyntaxError {
                    at: at.clone(),
                    message: "this text never ends".to_owned(),
                    help,
                });
                Kind::Text(text)
            }
        };
        match kind {
            Kind::Mark("(" | "[") => self.depth += 1,
            Kind::Mark(")" | "]") => self.depth = self.depth.saturating_sub(1),
            Kind::Newline if self.depth > 0 => return,
            _ => {}
        }
        self.tokens.push(Token { kind, at });
    }

    /// Whether the next token may be a bare path.
    fn at_path(&self) -> bool {
        match self.tokens.as_slice() {
            [.., Token { kind: Kind::Word(name), .. }, Token { kind: Kind::Mark("("), .. }] => {
                TAKES_PATH.contains(name)
            }
            _ => false,
        }
    }

    /// A number; a wrong one is reported and stands for 0.
    fn number(&mut self, text: &str, at: Range<usize>) -> Kind<'a> {
        match quantity::parse(text) {
            Ok(quantity) => Kind::Number(quantity),
            Err(error) => {
                self.errors.push(SyntaxError { at, message: error.message, help: error.help });
                Kind::Number(Quantity::count(0))
            }
        }
    }
}

/// A token before its number is read.
#[derive(Clone)]
enum Lexeme<'a> {
    Kind(Kind<'a>),
    Number(&'a str),
    Unclosed(&'a str),
}

/// Skips blanks and comments, not newlines.
fn blanks(input: &mut Input<'_>) {
    let blank = take_while(1.., [' ', '\t', '\r']).void();
    let comment = ('#', take_till(0.., '\n')).void();
    let mut either = alt((blank, comment));
    while Parser::<_, (), EmptyError>::parse_next(&mut either, input).is_ok() {}
}

fn token<'a>(input: &mut Input<'a>) -> Result<Lexeme<'a>, EmptyError> {
    dispatch! {peek(any);
        '\n' => any.value(Lexeme::Kind(Kind::Newline)),
        '0'..='9' | '$' => number,
        '\'' | '"' => quoted,
        c if starts_word(c) => word.map(|name| Lexeme::Kind(Kind::Word(name))),
        _ => mark.map(|mark| Lexeme::Kind(Kind::Mark(mark))),
    }
    .parse_next(input)
}

/// As far as [`quantity::scan`] says.
fn number<'a>(input: &mut Input<'a>) -> Result<Lexeme<'a>, EmptyError> {
    let length = quantity::scan(input);
    Ok(Lexeme::Number(input.next_slice(length)))
}

const fn starts_word(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}

fn in_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// A name; a percentile (`p99.9`) is one too.
fn word<'a>(input: &mut Input<'a>) -> Result<&'a str, EmptyError> {
    let percentile = (
        'p',
        take_while(1.., |c: char| c.is_ascii_digit()),
        '.',
        take_while(1.., |c: char| c.is_ascii_digit()),
        not(one_of(in_word)),
    );
    alt((percentile.take(), take_while(1.., in_word))).parse_next(input)
}

/// `'…'` or `"…"`, on one line; there are no escapes.
fn quoted<'a>(input: &mut Input<'a>) -> Result<Lexeme<'a>, EmptyError> {
    let mut quote: char = any.parse_next(input)?;
    let text = take_till(0.., [quote, '\n']).parse_next(input)?;
    let closed: Result<char, EmptyError> = quote.parse_next(input);
    Ok(if closed.is_ok() { Lexeme::Kind(Kind::Text(text)) } else { Lexeme::Unclosed(text) })
}

/// Whether `c` may stand in a path without quotes.
pub fn in_path(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '~' | '+')
}

/// A bare path: the whole first argument of a function that takes one.
fn path<'a>(input: &mut Input<'a>) -> Result<Lexeme<'a>, EmptyError> {
    let text = take_while(1.., in_path).parse_next(input)?;
    peek(one_of([',', ')', ' ', '\n'])).void().parse_next(input)?;
    Ok(Lexeme::Kind(Kind::Text(text)))
}

fn mark(input: &mut Input<'_>) -> Result<&'static str, EmptyError> {
    // Longer marks first.
    const MARKS: [&str; 25] = [
        "+=", "-=", "==", "!=", "<=", ">=", "..", "(", ")", "[", "]", "{", "}", "<", ">", "=", "+", "-", "*",
        "/", ".", ",", ";", ":", "|",
    ];
    for mark in MARKS {
        let found: Result<&str, EmptyError> = literal(mark).parse_next(input);
        if found.is_ok() {
            return Ok(mark);
        }
    }
    fail.parse_next(input)
}
