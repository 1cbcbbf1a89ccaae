//! Prints expressions canonically: what it prints parses to the same tree.

use std::fmt;

use crate::program::syntax::{Arg, ArgKey, BinaryOp, Expr, Function, Spanned, UnaryOp};

impl BinaryOp {
    /// The operator's text, and how tightly it binds.
    pub const fn shown(self) -> (&'static str, u8) {
        match self {
            BinaryOp::Or => ("or", 1),
            BinaryOp::And => ("and", 2),
            BinaryOp::Equal => ("==", 3),
            BinaryOp::Differs => ("!=", 3),
            BinaryOp::Below => ("<", 3),
            BinaryOp::AtMost => ("<=", 3),
            BinaryOp::Above => (">", 3),
            BinaryOp::AtLeast => (">=", 3),
            BinaryOp::Add => ("+", 4),
            BinaryOp::Subtract => ("-", 4),
            BinaryOp::Multiply => ("*", 5),
            BinaryOp::Divide => ("/", 5),
            BinaryOp::Remainder => ("mod", 5),
        }
    }
}

/// An operand, in parentheses where it binds less tightly than its surroundings.
struct Operand<'a>(&'a Spanned<Expr>, u8);

impl fmt::Display for Operand<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Operand(expr, least) = self;
        match &expr.value {
            Expr::Binary(op, _, _) if op.shown().1 < *least => write!(f, "({})", expr.value),
            Expr::Unary(..) if *least > 6 => write!(f, "({})", expr.value),
            value => write!(f, "{value}"),
        }
    }
}

fn listed<T: fmt::Display>(f: &mut fmt::Formatter<'_>, items: &[T]) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        write!(f, "{comma}{item}")?;
    }
    Ok(())
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expr::Number(quantity) => write!(f, "{quantity}"),
            Expr::Name(name) => f.write_str(name),
            Expr::Field(of, field) => write!(f, "{}.{}", Operand(of, 7), field.value),
            Expr::Index(of, index) => write!(f, "{}[{}]", Operand(of, 7), index.value),
            Expr::Range(from, to) => write!(f, "{}..{}", Operand(from, 7), Operand(to, 7)),
            Expr::Call(function) => write!(f, "{function}"),
            Expr::Unary(UnaryOp::Minus, of) => write!(f, "-{}", Operand(of, 6)),
            Expr::Unary(UnaryOp::Not, of) => write!(f, "not {}", Operand(of, 6)),
            Expr::Binary(op, left, right) => {
                let (text, binds) = op.shown();
                write!(f, "{} {text} {}", Operand(left, binds), Operand(right, binds + 1))
            }
            Expr::Text(text) => write!(f, "'{text}'"),
            Expr::List(items) => {
                f.write_str("[")?;
                let shown: Vec<&Expr> = items.iter().map(|item| &item.value).collect();
                listed(f, &shown)?;
                f.write_str("]")
            }
        }
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.name.value)?;
        listed(f, &self.args)?;
        f.write_str(")")
    }
}

impl fmt::Display for Arg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Some(Spanned { value: ArgKey::Name(name), .. }) => write!(f, "{name}=")?,
            Some(Spanned { value: ArgKey::Number(quantity), .. }) => write!(f, "{quantity}=")?,
            None => {}
        }
        write!(f, "{}", self.value.value)
    }
}
