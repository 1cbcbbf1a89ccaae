//! Cuts a text into tokens, each with its place. Spaces and comments fall away; line ends stay, as `;`.

use std::ops::Range;

use winnow::combinator::{alt, opt, preceded};
use winnow::error::ContextError;
use winnow::prelude::*;
use winnow::token::{one_of, take_until, take_while};

use crate::base::quantity::Quantity;
use crate::program::syntax::SyntaxError;
use crate::program::syntax::limits::TEXT_BYTES_MAX;

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

/// The name of a file that begins with a digit, without quotes: `file(2_pools.txt)`. Numbers are none.
fn file_name<'a>(before: &[Placed<'_>], rest: &'a str) -> Option<&'a str> {
    let [.., Placed { token: Token::Word("file" | "trace"), .. }, Placed { token: Token::Symbol("("), .. }] =
        before
    else {
        return None;
    };
    let name = rest[..rest.find([',', ')', '\n'])?].trim_end();
    let plain = |c: char| c.is_alphanumeric() || "_-./".contains(c);
    let number = matches!(Quantity::at_start(name), Ok((_, length)) if length == name.len());
    (name.starts_with(|c: char| c.is_ascii_digit()) && name.chars().all(plain) && !number).then_some(name)
}

/// All tokens of a text, and what is wrong with them. A wrong number stands for 0 and a wrong character for
/// nothing, so that the mistakes after them are found too.
pub fn tokens(text: &str) -> (Vec<Placed<'_>>, Vec<SyntaxError>) {
    if text.len() > TEXT_BYTES_MAX {
        let message = format!("this text has {} bytes, more than {TEXT_BYTES_MAX}", text.len());
        let help = Some("split it into several programs".to_owned());
        return (Vec::new(), vec![SyntaxError { at: 0..1, message, help }]);
    }
    let mut rest = text;
    let (mut tokens, mut errors) = (Vec::new(), Vec::new());
    loop {
        let _ = opt(space).parse_next(&mut rest);
        let start = text.len() - rest.len();
        let Some(first) = rest.chars().next() else { return (tokens, errors) };
        let token = if let Some(name) = file_name(&tokens, rest) {
            rest = &rest[name.len()..];
            Token::Quoted(name)
        } else if first.is_ascii_digit() || first == '$' {
            let (quantity, length) = Quantity::at_start(rest).unwrap_or_else(|(bad, length)| {
                let length = length.max(1);
                errors.push(SyntaxError {
                    at: start..start + length,
                    message: bad.message,
                    help: Some(bad.help),
                });
                (Quantity::count(0), length)
            });
            rest = &rest[length..];
            Token::Number(quantity)
        } else if let Ok(token) = alt((word, quoted, symbol)).parse_next(&mut rest) {
            token
        } else {
            let at = start..start + first.len_utf8();
            rest = &text[at.end..];
            let message = format!("`{}` has no meaning here", first.escape_default());
            errors.push(SyntaxError { at, message, help: None });
            continue;
        };
        tokens.push(Placed { token, at: start..text.len() - rest.len() });
    }
}
