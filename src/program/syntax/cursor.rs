//! What the grammars of expressions and steps are built from: the stream of tokens, its errors, its limits.

use std::ops::Range;

use winnow::error::ParserError;
use winnow::prelude::*;
use winnow::stream::{Stateful, TokenSlice};
use winnow::token::any;

use crate::program::syntax::tokens::{Kind, Token};
use crate::program::syntax::tree::{Spanned, SyntaxError};

/// The most brackets and blocks within each other; deeper texts are refused, so that no text overflows the stack.
pub const NESTING_MAX: u32 = 48;
/// The longest text, bytes: far beyond any program by hand, and read in a blink.
pub const TEXT_MAX: usize = 64 * 1024;
/// The tallest expression (`a + b + c` has height 3): printing, compiling and dropping recurse that deep.
pub const HEIGHT_MAX: u32 = 120;
/// The most errors reported for one text.
pub const ERRORS_MAX: usize = 20;

/// The tokens ahead.
pub type Input<'t> = Stateful<TokenSlice<'t, Token<'t>>, State>;

/// What parsers keep beside the tokens.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// How many brackets and blocks are open.
    pub depth: u32,
    /// What is wrong so far; what stopped a step is added by the block around it.
    pub errors: Vec<SyntaxError>,
}

/// A stream over `tokens`.
pub fn over<'t>(tokens: &'t [Token<'t>]) -> Input<'t> {
    Stateful { input: TokenSlice::new(tokens), state: State::default() }
}

/// Notes what stopped a step; the first [`ERRORS_MAX`] are kept.
pub fn report(input: &mut Input<'_>, failure: Failure) {
    if input.state.errors.len() < ERRORS_MAX {
        input.state.errors.push(failure.into());
    }
}

/// Why a parser stopped: softly (something else may fit) or for good.
#[derive(Clone, Debug, PartialEq)]
pub enum Failure {
    /// The token at these bytes does not begin what was tried.
    Soft(Range<usize>),
    /// A mistake of the user.
    Hard(Box<SyntaxError>),
}

impl<'t> ParserError<Input<'t>> for Failure {
    type Inner = Failure;

    fn from_input(input: &Input<'t>) -> Failure {
        Failure::Soft(ahead(input).at.clone())
    }

    fn is_backtrack(&self) -> bool {
        matches!(self, Failure::Soft(_))
    }

    fn into_inner(self) -> Result<Failure, Failure> {
        Ok(self)
    }
}

impl From<Failure> for SyntaxError {
    fn from(failure: Failure) -> SyntaxError {
        match failure {
            Failure::Hard(error) => *error,
            Failure::Soft(at) => {
                SyntaxError { at, message: "this is not expected here".to_owned(), help: None }
            }
        }
    }
}

/// What parsers here return.
pub type Parsed<T> = Result<T, Failure>;

/// The next token; [`Kind::End`] is never consumed.
pub fn ahead<'t>(input: &Input<'t>) -> &'t Token<'t> {
    let token = input.input.peek_token().expect("the end is never consumed");
    token
}

/// A mistake at a place.
pub fn mistake<T>(at: Range<usize>, message: impl Into<String>, help: Option<&str>) -> Parsed<T> {
    let help = help.map(str::to_owned);
    Err(Failure::Hard(Box::new(SyntaxError { at, message: message.into(), help })))
}

/// Something else was expected.
pub fn expected<T>(input: &Input<'_>, what: &str, help: Option<&str>) -> Parsed<T> {
    let token = ahead(input);
    mistake(token.at.clone(), format!("expected {what}, found {}", describe(token)), help)
}

/// A token for messages.
pub fn describe(token: &Token<'_>) -> String {
    match token.kind {
        Kind::Number(quantity) => format!("`{quantity}`"),
        Kind::Word(word) => format!("`{word}`"),
        Kind::Text(text) => format!("the text `{text}`"),
        Kind::Mark(mark) => format!("`{mark}`"),
        Kind::Newline => "the end of the line".to_owned(),
        Kind::End => "the end".to_owned(),
    }
}

/// The operator or bracket `mark`.
pub fn mark<'t>(mark: &'static str) -> impl Parser<Input<'t>, Range<usize>, Failure> {
    any.verify_map(move |token: &Token<'_>| (token.kind == Kind::Mark(mark)).then(|| token.at.clone()))
}

/// The word `word`.
pub fn word<'t>(word: &'static str) -> impl Parser<Input<'t>, Range<usize>, Failure> {
    any.verify_map(move |token: &Token<'_>| (token.kind == Kind::Word(word)).then(|| token.at.clone()))
}

/// Any word.
pub fn name(input: &mut Input<'_>) -> Parsed<Spanned<String>> {
    any.verify_map(|token: &Token<'_>| match token.kind {
        Kind::Word(word) => Some(Spanned::new(word.to_owned(), token.at.clone())),
        _ => None,
    })
    .parse_next(input)
}

/// `mark`, or a mistake that says what it would close.
pub fn close(input: &mut Input<'_>, closing: &'static str, opened: Range<usize>) -> Parsed<Range<usize>> {
    match mark(closing).parse_next(input) {
        Ok(at) => Ok(at),
        Err(_) if ahead(input).kind == Kind::End => {
            mistake(opened, format!("this bracket is never closed: `{closing}` is missing"), None)
        }
        Err(_) => expected(input, &format!("`{closing}`"), None),
    }
}

/// Runs `parser` one level deeper.
pub fn deeper<'t, T>(input: &mut Input<'t>, parser: impl FnOnce(&mut Input<'t>) -> Parsed<T>) -> Parsed<T> {
    if input.state.depth >= NESTING_MAX {
        let message = format!("brackets and blocks are nested more than {NESTING_MAX} deep");
        return mistake(ahead(input).at.clone(), message, Some("split it into several steps or programs"));
    }
    input.state.depth += 1;
    let result = parser(input);
    input.state.depth -= 1;
    result
}
