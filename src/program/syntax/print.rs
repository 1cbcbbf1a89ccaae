//! Canonical text of a tree: parsing it gives the same tree. A measure's key in `results.json` is its expression
//! printed so.

use std::fmt::{self, Display, Formatter};

use crate::program::syntax::expression::power;
use crate::program::syntax::tokens::{TAKES_PATH, in_path};
use crate::program::syntax::tree::{
    Action, Arg, ArgKey, Copy, Expr, Function, Place, Spanned, Step, Steps, Target, UnaryOp,
};

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

impl Display for Steps {
    /// On one line.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (place, step) in self.0.iter().enumerate() {
            let semicolon = if place == 0 { "" } else { "; " };
            write!(f, "{semicolon}{step}")?;
        }
        Ok(())
    }
}

impl Display for Step {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.action.fmt(f)?;
        alternative(self.otherwise.as_ref(), f)
    }
}

fn alternative(otherwise: Option<&Steps>, f: &mut Formatter<'_>) -> fmt::Result {
    match otherwise {
        Some(steps) => write!(f, " else {}", Braces(steps)),
        None => Ok(()),
    }
}

/// Steps as a block.
struct Braces<'a>(&'a Steps);

impl Display for Braces<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.0.0.is_empty() { f.write_str("{ }") } else { write!(f, "{{ {} }}", self.0) }
    }
}

/// ` word thing`, where there is a thing.
struct Clause<'a, T>(&'a str, &'a Option<T>);

impl<T: Display> Display for Clause<'_, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.1 {
            Some(thing) => write!(f, " {} {thing}", self.0),
            None => Ok(()),
        }
    }
}

/// `name = ` before a step that gives a value.
struct Into<'a>(&'a Option<Spanned<String>>);

impl Display for Into<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(name) => write!(f, "{name} = "),
            None => Ok(()),
        }
    }
}

impl Display for Place {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.table {
            Some(table) => write!(f, "{}.{table}[{}]", self.part, self.key),
            None => write!(f, "{}[{}]", self.part, self.key),
        }
    }
}

impl Display for Target {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(part) = &self.part {
            write!(f, "{part}.")?;
        }
        self.name.fmt(f)?;
        let Some(args) = &self.args else { return Ok(()) };
        f.write_str("(")?;
        joined(args, f)?;
        f.write_str(")")
    }
}

impl Display for Copy {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Copy::Primary => "primary",
            Copy::Replica => "replica",
            Copy::Nearest => "nearest",
            Copy::Session => "session",
            Copy::Any => "any",
            Copy::Numbered(number) => return write!(f, "copy[{number}]"),
        })
    }
}

/// The right side of a `*`, in brackets where it would otherwise be read differently.
struct Times<'a>(&'a Option<Spanned<Expr>>);

impl Display for Times<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Some(times) = self.0 else { return Ok(()) };
        f.write_str(" * ")?;
        bound(&times.value, power::MULTIPLY, f)
    }
}

impl Display for Action {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Action::Cpu { law, times } => write!(f, "cpu {law}{}", Times(times)),
            Action::Wait { law, times } => write!(f, "wait {law}{}", Times(times)),
            Action::Assign { to, value } => write!(f, "{to} = {value}"),
            Action::Call { to, target, with, from, size } => {
                let clauses = (Clause("with", with), Clause("from", from), Clause("size", size));
                write!(f, "{}call {target}{}{}{}", Into(to), clauses.0, clauses.1, clauses.2)
            }
            Action::Get { to, place } => write!(f, "{}get {place}", Into(to)),
            Action::Put { place } => write!(f, "put {place}"),
            Action::Drop { place } => write!(f, "drop {place}"),
            Action::Read { to, place, copy, locking, taking } => {
                let locking = if locking.is_some() { " for update" } else { "" };
                write!(
                    f,
                    "{}read {place}{}{locking}{}",
                    Into(to),
                    Clause("at", copy),
                    Clause("taking", taking)
                )
            }
            Action::Write { place, value } => write!(f, "write {place} = {value}"),
            Action::Update { to, place, less, by, when } => {
                write!(f, "{}update {place} {} {by}", Into(to), if *less { "-=" } else { "+=" })?;
                let Some((comparison, right)) = when else { return Ok(()) };
                write!(f, " when {} ", comparison.text())?;
                bound(&right.value, power::ADD, f)
            }
            Action::Send { target } => write!(f, "send {target}"),
            Action::Tally { name, key, by } => {
                write!(f, "tally {name}")?;
                if let Some(key) = key {
                    write!(f, "[{key}]")?;
                }
                write!(f, "{}", Clause("+=", by))
            }
            Action::Fail { name } => write!(f, "fail {name}"),
            Action::Return { value, size } => {
                f.write_str("return")?;
                if let Some(value) = value {
                    write!(f, " {value}")?;
                }
                write!(f, "{}", Clause("size", size))
            }
            Action::Each { at_once, times, index, body } => {
                let par = if *at_once { "par " } else { "" };
                write!(f, "{par}each {times}{} {}", Clause("as", index), Braces(body))
            }
            Action::Par { branches } => write!(f, "par {}", Braces(branches)),
            Action::Race { branches } => write!(f, "race {}", Braces(branches)),
            Action::If { condition, then, otherwise } => {
                write!(f, "if {condition} {}", Braces(then))?;
                alternative(otherwise.as_ref(), f)
            }
            Action::Hold { place, body } => write!(f, "hold {place} {}", Braces(body)),
            Action::Tx { db, with, body } => write!(f, "tx {db}{} {}", Clause("with", with), Braces(body)),
            Action::Block { body } => Braces(body).fmt(f),
        }
    }
}
