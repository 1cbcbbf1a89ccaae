//! Canonical text of a tree: parsing it gives the same tree. A measure's key in `results.json` is its expression
//! printed so.

use std::fmt::{self, Display, Formatter};

use crate::program::syntax::expression::power;
use crate::program::syntax::tokens::{TAKES_PATH, in_path};
use crate::program::syntax::tree::{Arg, ArgKey, Expr, Function, Spanned, UnaryOp};

impl<T: Display> Display for Spanned<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl Expr {
    fn power(&self) -> u8 {
        match self {
            Expr::Binary(operator, ..) => operator.power(),
            Expr::Unary(UnaryOp::Not, _) => power::NOT,
            Expr::Unary(UnaryOp::Minus, _) => power::MINUS,
            Expr::Range(..) => 0,
            _ => power::PRIMARY,
        }
    }
}

/// Prints `expr`, in brackets where it binds more loosely than `needed`.
fn bound(expr: &Expr, needed: u8, f: &mut Formatter<'_>) -> fmt::Result {
    if expr.power() < needed { write!(f, "({expr})") } else { write!(f, "{expr}") }
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Expr::Number(quantity) => quantity.fmt(f),
            Expr::Name(name) => f.write_str(name),
            Expr::Field(inner, field) => {
                bound(&inner.value, power::PRIMARY, f)?;
                write!(f, ".{field}")
            }
            Expr::Index(inner, index) => {
                bound(&inner.value, power::PRIMARY, f)?;
                write!(f, "[{index}]")
            }
            Expr::Range(from, to) => write!(f, "{from}..{to}"),
            Expr::Call(function) => function.fmt(f),
            Expr::Unary(UnaryOp::Minus, inner) => {
                f.write_str("-")?;
                bound(&inner.value, power::MINUS, f)
            }
            Expr::Unary(UnaryOp::Not, inner) => {
                f.write_str("not ")?;
                bound(&inner.value, power::NOT, f)
            }
            Expr::Binary(operator, left, right) => {
                // Comparisons do not chain, so both their sides must bind more tightly.
                let chains = operator.power() != power::COMPARE;
                bound(&left.value, operator.power() + u8::from(!chains), f)?;
                write!(f, " {} ", operator.text())?;
                bound(&right.value, operator.power() + 1, f)
            }
            Expr::Text(text) if text.contains('\'') => write!(f, "\"{text}\""),
            Expr::Text(text) => write!(f, "'{text}'"),
            Expr::List(items) => {
                f.write_str("[")?;
                joined(items, f)?;
                f.write_str("]")
            }
        }
    }
}

fn joined<T: Display>(items: &[T], f: &mut Formatter<'_>) -> fmt::Result {
    for (place, item) in items.iter().enumerate() {
        let comma = if place == 0 { "" } else { ", " };
        write!(f, "{comma}{item}")?;
    }
    Ok(())
}

impl Display for Function {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.name)?;
        let mut rest = self.args.as_slice();
        if let [Arg { key: None, value: Spanned { value: Expr::Text(path), .. } }, others @ ..] = rest
            && TAKES_PATH.contains(&self.name.value.as_str())
            && !path.is_empty()
            && path.chars().all(in_path)
        {
            f.write_str(path)?;
            f.write_str(if others.is_empty() { "" } else { ", " })?;
            rest = others;
        }
        joined(rest, f)?;
        f.write_str(")")
    }
}

impl Display for Arg {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.key {
            Some(Spanned { value: ArgKey::Name(name), .. }) => write!(f, "{name}={}", self.value),
            Some(Spanned { value: ArgKey::Number(quantity), .. }) => write!(f, "{quantity}={}", self.value),
            None => self.value.fmt(f),
        }
    }
}
