//! Cuts a text into tokens, each with its place. Spaces and comments fall away; line ends stay, as `;`.

use std::ops::Range;

use winnow::combinator::{alt, opt, preceded};
use winnow::error::ContextError;
use winnow::prelude::*;
use winnow::token::{one_of, take_until, take_while};

use crate::base::quantity::Quantity;
use crate::program::syntax::{SyntaxError, TEXT_BYTES_MAX};

/// A token.
#[derive(Clone, Debug, PartialEq)]
pub enum Token<'a> {
    /// `8`, `20ms`.
    Number(Quantity),
    /// `item`; also `p99.9`.
    Word(&'a str),
    /// `'text'`.
    Quoted(&'a str),
    /// `==`, `(`; `;` also stands for a line end.
    Symbol(&'static str),
}

/// A token and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed<'a> {
    /// The token.
    pub token: Token<'a>,
    /// Where it stands.
    pub at: Range<usize>,
}

/// Longest first.
const SYMBOLS: [&str; 26] = [
    "==", "!=", "<=", ">=", "+=", "-=", "..", "(", ")", "[", "]", "{", "}", ",", ";", "\n", "=", "<", ">",
    "+", "-", "*", "/", ".", "|", "&",
];

type Lex<T> = winnow::ModalResult<T, ContextError>;

fn space(input: &mut &str) -> Lex<()> {
    let blank = take_while(1.., (' ', '\t', '\r')).void();
    let comment = preceded('#', take_while(0.., |c| c != '\n')).void();
    winnow::combinator::repeat(0.., alt((blank, comment))).parse_next(input)
}

fn word<'a>(input: &mut &'a str) -> Lex<Token<'a>> {
    let letter = |c: char| c.is_ascii_alphabetic() || c == '_';
    let percentile = ('p', take_while(1.., '0'..='9'), '.', take_while(1.., '0'..='9')).take();
    let plain = (one_of(letter), take_while(0.., move |c: char| letter(c) || c.is_ascii_digit())).take();
    alt((percentile, plain)).map(Token::Word).parse_next(input)
}

fn quoted<'a>(input: &mut &'a str) -> Lex<Token<'a>> {
    ('\'', take_until(0.., '\''), '\'').map(|(_, text, _)| Token::Quoted(text)).parse_next(input)
}

fn symbol<'a>(input: &mut &'a str) -> Lex<Token<'a>> {
    let found = SYMBOLS.iter().find(|symbol| input.starts_with(**symbol));
    let Some(found) = found else { return Err(winnow::error::ErrMode::Backtrack(ContextError::new())) };
    *input = &input[found.len()..];
    Ok(Token::Symbol(if *found == "\n" { ";" } else { found }))
}

/// All tokens of a text.
///
/// # Errors
/// At the first thing that begins no token.
pub fn tokens(text: &str) -> Result<Vec<Placed<'_>>, SyntaxError> {
    if text.len() > TEXT_BYTES_MAX {
        let message = format!("this text has {} bytes, more than {TEXT_BYTES_MAX}", text.len());
        return Err(SyntaxError {
            at: 0..1,
            message,
            help: Some("split it into several programs".to_owned()),
        });
    }
    let mut rest = text;
    let mut tokens = Vec::new();
    loop {
        let _ = opt(space).parse_next(&mut rest);
        let start = text.len() - rest.len();
        let Some(first) = rest.chars().next() else { return Ok(tokens) };
        let token = if first.is_ascii_digit() || first == '$' {
            let (quantity, length) = Quantity::at_start(rest).map_err(|(bad, length)| SyntaxError {
                at: start..start + length.max(1),
                message: bad.message,
                help: Some(bad.help),
            })?;
            rest = &rest[length..];
            Token::Number(quantity)
        } else {
            alt((word, quoted, symbol)).parse_next(&mut rest).map_err(|_| SyntaxError {
                at: start..start + first.len_utf8(),
                message: format!("`{}` has no meaning here", first.escape_default()),
                help: None,
            })?
        };
        tokens.push(Placed { token, at: start..text.len() - rest.len() });
    }
}
