//! One grammar for expressions, steps and function strings, with byte spans into the text. Names mean nothing yet.
//!
//! [`tokens`] cuts the text up, [`mod@expression`] and [`mod@steps`] build the tree of [`tree`], [`print`] turns a
//! tree back into text. Hostile texts are refused by length, nesting and height, in linear time.

pub mod cursor;
pub mod expression;
pub mod print;
pub mod steps;
pub mod tokens;
pub mod tree;

pub use cursor::{ERRORS_MAX, NESTING_MAX, TEXT_MAX};
pub use tree::{
    Action, Arg, ArgKey, BinaryOp, Copy, Expr, Function, Place, Spanned, Step, Steps, SyntaxError, Target,
    UnaryOp,
};

use cursor::{ahead, expected};
use tokens::Kind;

/// Parses an expression or function string: the whole text.
pub fn expression(text: &str) -> Result<Spanned<Expr>, SyntaxError> {
    short_enough(text)?;
    let (tokens, errors) = tokens::tokens(text);
    if let Some(error) = errors.into_iter().next() {
        return Err(error);
    }
    let mut input = cursor::over(&tokens);
    let (expr, _) = expression::value(&mut input)?;
    if ahead(&input).kind != Kind::End {
        expected::<()>(&input, "an operator or the end", None)?;
    }
    Ok(expr)
}

/// Parses the body of a program: the whole text. Reports every mistake (the first [`ERRORS_MAX`]), in text order.
pub fn steps(text: &str) -> Result<Steps, Vec<SyntaxError>> {
    short_enough(text).map_err(|error| vec![error])?;
    let (tokens, mut errors) = tokens::tokens(text);
    let mut input = cursor::over(&tokens);
    let steps = steps::steps(&mut input);
    if ahead(&input).kind != Kind::End {
        let at = ahead(&input).at.clone();
        let message = "this `}` closes nothing".to_owned();
        input.state.errors.push(SyntaxError { at, message, help: None });
    }
    errors.append(&mut input.state.errors);
    errors.sort_by_key(|error| error.at.start);
    errors.truncate(ERRORS_MAX);
    if errors.is_empty() { Ok(steps) } else { Err(errors) }
}

fn short_enough(text: &str) -> Result<(), SyntaxError> {
    if text.len() <= TEXT_MAX {
        return Ok(());
    }
    let message = format!("this text has {} bytes; the most is {TEXT_MAX}", text.len());
    Err(SyntaxError { at: 0..0, message, help: Some("split it into several programs".to_owned()) })
}

#[cfg(test)]
mod tests;
