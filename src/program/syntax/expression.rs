//! The grammar of expressions and function strings, by precedence climbing.
//!
//! ```text
//! value   = "[" value, … "]" | text | either [".." either]      arguments, indices, whole texts
//! either  = operands joined by, loosest first: or, and, comparisons, + -, * / mod
//! operand = "not" either | "-" operand | primary { "." name | "[" value "]" }
//! primary = number | name [ "(" [key "="] value, … ")" ] | "(" either ")"
//! ```

use winnow::combinator::{opt, separated};
use winnow::prelude::*;
use winnow::stream::Stream;

use crate::program::syntax::cursor::{
    Failure, HEIGHT_MAX, Input, Parsed, ahead, close, deeper, expected, mark, mistake, name,
};
use crate::program::syntax::tokens::{Kind, Token};
use crate::program::syntax::tree::{Arg, ArgKey, BinaryOp, Expr, Function, Spanned, UnaryOp};

/// An expression and its height, which is limited.
pub type Tall = (Spanned<Expr>, u32);

/// How tightly operators bind, loosest first.
pub mod power {
    #![allow(missing_docs)]
    pub const OR: u8 = 1;
    pub const AND: u8 = 2;
    pub const NOT: u8 = 3;
    pub const COMPARE: u8 = 4;
    pub const ADD: u8 = 5;
    pub const MULTIPLY: u8 = 6;
    pub const MINUS: u8 = 7;
    pub const PRIMARY: u8 = 8;
}

/// What an expression may not be called: these join expressions.
pub const OPERATOR_WORDS: [&str; 4] = ["and", "or", "not", "mod"];

impl BinaryOp {
    /// How tightly it binds (see [`power`]).
    pub const fn power(self) -> u8 {
        match self {
            BinaryOp::Or => power::OR,
            BinaryOp::And => power::AND,
            BinaryOp::Add | BinaryOp::Subtract => power::ADD,
            BinaryOp::Multiply | BinaryOp::Divide | BinaryOp::Remainder => power::MULTIPLY,
            _ => power::COMPARE,
        }
    }

    /// As it is written.
    pub const fn text(self) -> &'static str {
        match self {
            BinaryOp::Or => "or",
            BinaryOp::And => "and",
            BinaryOp::Equal => "==",
            BinaryOp::Differs => "!=",
            BinaryOp::Below => "<",
            BinaryOp::AtMost => "<=",
            BinaryOp::Above => ">",
            BinaryOp::AtLeast => ">=",
            BinaryOp::Add => "+",
            BinaryOp::Subtract => "-",
            BinaryOp::Multiply => "*",
            BinaryOp::Divide => "/",
            BinaryOp::Remainder => "mod",
        }
    }

    /// Every operator.
    pub const ALL: [BinaryOp; 13] = [
        BinaryOp::Or,
        BinaryOp::And,
        BinaryOp::Equal,
        BinaryOp::Differs,
        BinaryOp::Below,
        BinaryOp::AtMost,
        BinaryOp::Above,
        BinaryOp::AtLeast,
        BinaryOp::Add,
        BinaryOp::Subtract,
        BinaryOp::Multiply,
        BinaryOp::Divide,
        BinaryOp::Remainder,
    ];

    /// The operator that `token` is.
    pub fn of(token: &Token<'_>) -> Option<BinaryOp> {
        let (Kind::Mark(text) | Kind::Word(text)) = token.kind else { return None };
        BinaryOp::ALL.into_iter().find(|operator| operator.text() == text)
    }
}

/// Gives `expr` a height one more than its tallest child, or refuses it.
fn tall(expr: Expr, at: std::ops::Range<usize>, below: u32) -> Parsed<Tall> {
    if below >= HEIGHT_MAX {
        let message = format!("this expression joins more than {HEIGHT_MAX} things");
        return mistake(at, message, Some("split it up"));
    }
    Ok((Spanned::new(expr, at), below + 1))
}

/// An argument, an index, or a whole text.
pub fn value(input: &mut Input<'_>) -> Parsed<Tall> {
    let token = ahead(input);
    match token.kind {
        Kind::Text(text) => {
            input.next_token();
            tall(Expr::Text(text.to_owned()), token.at.clone(), 0)
        }
        Kind::Mark("[") => deeper(input, list),
        _ => range(input),
    }
}

fn list(input: &mut Input<'_>) -> Parsed<Tall> {
    let open = mark("[").parse_next(input)?;
    let items: Vec<Tall> = if ahead(input).kind == Kind::Mark("]") {
        Vec::new()
    } else {
        separated(1.., value, mark(",")).parse_next(input)?
    };
    let end = close(input, "]", open.clone())?.end;
    let below = items.iter().map(|(_, height)| *height).max().unwrap_or(0);
    tall(Expr::List(items.into_iter().map(|(item, _)| item).collect()), open.start..end, below)
}

fn range(input: &mut Input<'_>) -> Parsed<Tall> {
    let (from, height) = either(input, power::OR)?;
    if opt(mark("..")).parse_next(input)?.is_none() {
        return Ok((from, height));
    }
    let (to, other) = either(input, power::OR)?;
    let at = from.at.start..to.at.end;
    tall(Expr::Range(Box::new(from), Box::new(to)), at, height.max(other))
}

/// Operands joined by operators that bind at least as tightly as `loosest`.
pub fn either(input: &mut Input<'_>, loosest: u8) -> Parsed<Tall> {
    let (mut left, mut height) = operand(input)?;
    let mut compared = false;
    loop {
        let token = ahead(input);
        let Some(operator) = BinaryOp::of(token).filter(|operator| operator.power() >= loosest) else {
            return Ok((left, height));
        };
        let compares = operator.power() == power::COMPARE;
        if compares && compared {
            let help = "write `a < b and b < c`";
            return mistake(token.at.clone(), "comparisons do not chain", Some(help));
        }
        compared = compares || (compared && operator.power() > power::COMPARE);
        input.next_token();
        let (right, other) = either(input, operator.power() + 1)?;
        let at = left.at.start..right.at.end;
        (left, height) =
            tall(Expr::Binary(operator, Box::new(left), Box::new(right)), at, height.max(other))?;
    }
}

fn operand(input: &mut Input<'_>) -> Parsed<Tall> {
    let token = ahead(input);
    let (operator, inner) = match token.kind {
        Kind::Mark("-") => (UnaryOp::Minus, operand as fn(&mut Input<'_>) -> Parsed<Tall>),
        Kind::Word("not") => {
            (UnaryOp::Not, (|input| either(input, power::COMPARE)) as fn(&mut Input<'_>) -> Parsed<Tall>)
        }
        _ => return postfix(input),
    };
    input.next_token();
    let (expr, height) = deeper(input, inner)?;
    let at = token.at.start..expr.at.end;
    tall(Expr::Unary(operator, Box::new(expr)), at, height)
}

/// A primary with its fields and indices.
pub fn postfix(input: &mut Input<'_>) -> Parsed<Tall> {
    let (mut expr, mut height) = primary(input)?;
    loop {
        let token = ahead(input);
        let (Kind::Mark(found @ ("." | "["))) = token.kind else { return Ok((expr, height)) };
        if matches!(expr.value, Expr::Number(_) | Expr::Binary(..) | Expr::Unary(..)) {
            return mistake(token.at.clone(), "only names have fields and indices", None);
        }
        input.next_token();
        if found == "[" {
            let (index, other) = deeper(input, value)?;
            let end = close(input, "]", token.at.clone())?.end;
            let at = expr.at.start..end;
            (expr, height) = tall(Expr::Index(Box::new(expr), Box::new(index)), at, height.max(other))?;
            continue;
        }
        let Ok(field) = name.parse_next(input) else { return expected(input, "a name after `.`", None) };
        let at = expr.at.start..field.at.end;
        if ahead(input).kind == Kind::Mark("(") {
            let Some(mut called) = dotted(&expr.value) else {
                return mistake(
                    ahead(input).at.clone(),
                    "only names can be called",
                    Some("write PART.PROGRAM(…)"),
                );
            };
            called.push('.');
            called.push_str(&field.value);
            (expr, height) = call(input, Spanned::new(called, at))?;
        } else {
            (expr, height) = tall(Expr::Field(Box::new(expr), field), at, height)?;
        }
    }
}

/// `a.b.c` as one text, if it is names all the way.
pub fn dotted(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Name(name) => Some(name.clone()),
        Expr::Field(inner, field) => Some(format!("{}.{}", dotted(&inner.value)?, field.value)),
        _ => None,
    }
}

fn primary(input: &mut Input<'_>) -> Parsed<Tall> {
    let token = ahead(input);
    match token.kind {
        Kind::Number(quantity) => {
            input.next_token();
            tall(Expr::Number(quantity), token.at.clone(), 0)
        }
        Kind::Word(word) if !OPERATOR_WORDS.contains(&word) => {
            input.next_token();
            let called = Spanned::new(word.to_owned(), token.at.clone());
            if ahead(input).kind == Kind::Mark("(") {
                return call(input, called);
            }
            tall(Expr::Name(called.value), called.at, 0)
        }
        Kind::Mark("(") => {
            input.next_token();
            let (inner, height) = deeper(input, |input| either(input, power::OR))?;
            close(input, ")", token.at.clone())?;
            Ok((inner, height))
        }
        Kind::Text(_) => mistake(token.at.clone(), "a text stands only as an argument", None),
        _ => expected(input, "a value", None),
    }
}

/// The arguments after a name.
pub fn call(input: &mut Input<'_>, called: Spanned<String>) -> Parsed<Tall> {
    let open = mark("(").parse_next(input)?;
    let args: Vec<(Arg, u32)> = if ahead(input).kind == Kind::Mark(")") {
        Vec::new()
    } else {
        deeper(input, |input| separated(1.., argument, mark(",")).parse_next(input))?
    };
    let end = close(input, ")", open)?.end;
    let below = args.iter().map(|(_, height)| *height).max().unwrap_or(0);
    let at = called.at.start..end;
    let args = args.into_iter().map(|(arg, _)| arg).collect();
    tall(Expr::Call(Function { name: called, args }), at, below)
}

fn argument(input: &mut Input<'_>) -> Result<(Arg, u32), Failure> {
    let tokens: &[Token<'_>] = &input.input;
    let key = match tokens {
        [Token { kind: Kind::Word(word), at }, Token { kind: Kind::Mark("="), .. }, ..] => {
            Some(Spanned::new(ArgKey::Name((*word).to_owned()), at.clone()))
        }
        [Token { kind: Kind::Number(quantity), at }, Token { kind: Kind::Mark("="), .. }, ..] => {
            Some(Spanned::new(ArgKey::Number(*quantity), at.clone()))
        }
        _ => None,
    };
    if key.is_some() {
        input.next_token();
        input.next_token();
    }
    let (value, height) = value(input)?;
    Ok((Arg { key, value }, height))
}
