//! One grammar for expressions, steps and function strings, with byte spans into the text. Names mean nothing yet.
//!
//! [`tokens`] cuts the text up, [`expression`] builds the tree of [`tree`], [`print`] turns a
//! tree back into text. Hostile texts are refused by length, nesting and height, in linear time.

use winnow::Parser;
use winnow::stream::{Stateful, TokenSlice};

pub mod cursor;
pub mod expression;
pub mod print;
pub mod tokens;
pub mod tree;

pub use cursor::{NESTING_MAX, TEXT_MAX};
pub use tree::{Arg, ArgKey, BinaryOp, Expr, Function, Spanned, SyntaxError, UnaryOp};

use cursor::{Failure, ahead, expected};
use tokens::Kind;

/// Parses an expression or function string: the whole text.
pub fn expression(text: &str) -> Result<Spanned<Expr>, SyntaxError> {
    short_enough(text)?;
    let (tokens, mut errors) = tokens::tokens(text);
    let mut input = Stateful { input: TokenSlice::new(&tokens), state: 0 };
    let whole = |input: &mut cursor::Input<'_>| {
        let (expr, _) = expression::value(input)?;
        if ahead(input).kind == Kind::End {
            Ok(expr)
        } else {
            expected(input, "an operator or the end", None)
        }
    };
    let parsed: Result<_, Failure> = { whole }.parse_next(&mut input);
    if !errors.is_empty() {
        return Err(errors.swap_remove(0));
    }
    Ok(parsed?)
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
