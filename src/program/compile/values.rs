//! Expressions to stack code. A program computes with 64-bit integers; numbers with units have no place there.

use crate::base::quantity::{Quantity, Unit};
use crate::program::compile::Compiler;
use crate::program::instr::{Instr, ROUNDS_MAX};
use crate::program::law::law_of_spans;
use crate::program::syntax::{BinaryOp, Expr, Function, Spanned, UnaryOp};

impl Compiler<'_> {
    /// Code that pushes the value of `expr`; returns the registers it uses, a bit each.
    pub fn value(&mut self, expr: &Spanned<Expr>) -> u16 {
        match &expr.value {
            Expr::Number(quantity) => self.number(quantity, expr),
            Expr::Name(name) => self.name(name, expr),
            Expr::Unary(operator, inner) => {
                let used = self.value(inner);
                self.emit(match operator {
                    UnaryOp::Minus => Instr::Negate,
                    UnaryOp::Not => Instr::Not,
                });
                used
            }
            Expr::Binary(operator @ (BinaryOp::And | BinaryOp::Or), left, right) => {
                let left = self.truth(left);
                let skip = self.hole();
                let right = self.truth(right);
                self.fill(
                    skip,
                    if *operator == BinaryOp::And { Instr::KeepIfZero } else { Instr::KeepUnlessZero },
                );
                left | right
            }
            Expr::Binary(operator, left, right) => {
                let used = self.value(left) | self.value(right);
                self.emit(Instr::Binary(*operator));
                used
            }
            Expr::Call(function) => self.function(function),
            _ => {
                let help = "programs compute with whole numbers, names, + - * / mod, comparisons, and, or, not, min, max";
                self.wrong(&expr.at, format!("`{}` is no number", expr.value), help);
                self.emit(Instr::Push(0));
                0
            }
        }
    }

    fn truth(&mut self, expr: &Spanned<Expr>) -> u16 {
        let used = self.value(expr);
        self.emit(Instr::Truth);
        used
    }

    fn number(&mut self, quantity: &Quantity, expr: &Spanned<Expr>) -> u16 {
        match (quantity.unit, quantity.exact) {
            (Unit::Count, Some(n)) => self.emit(Instr::Push(n)),
            (Unit::Count, None) => {
                self.wrong(
                    &expr.at,
                    format!("`{quantity}` is not a whole number"),
                    "programs compute with whole numbers",
                );
            }
            (unit, _) => {
                let message =
                    format!("`{quantity}` is {}, and programs compute with bare numbers", unit.name());
                self.wrong(
                    &expr.at,
                    message,
                    "spans of time belong to cpu, wait and taking; sizes to `size`",
                );
            }
        }
        0
    }

    fn name(&mut self, name: &str, expr: &Spanned<Expr>) -> u16 {
        if let "true" | "false" = name {
            self.emit(Instr::Push(i64::from(name == "true")));
            return 0;
        }
        if !self.assigned.contains(name) {
            self.wrong(
                &expr.at,
                format!("`{name}` is used before it is assigned"),
                format!("assign it first: {name} = 0"),
            );
        }
        let register = self.register(name);
        self.emit(Instr::Load(register));
        1u16.checked_shl(u32::from(register)).unwrap_or(0)
    }

    /// `min(a, b, …)` and `max(a, b, …)`
    fn function(&mut self, function: &Function) -> u16 {
        let instr = match function.name.value.as_str() {
            "min" => Instr::Least,
            "max" => Instr::Greatest,
            other => {
                let help =
                    format!("in a program there are min and max; to run a program: x = call {other}(…)");
                self.wrong(&function.name.at, format!("`{other}` is no function of numbers"), help);
                self.emit(Instr::Push(0));
                return 0;
            }
        };
        if function.args.is_empty() || function.args.iter().any(|arg| arg.key.is_some()) {
            let message = format!("`{}` takes bare numbers", function.name.value);
            self.wrong(&function.name.at, message, "min(a, b)");
        }
        let mut used = 0;
        for (place, arg) in function.args.iter().enumerate() {
            used |= self.value(&arg.value);
            if place > 0 {
                self.emit(instr);
            }
        }
        used
    }

    /// A law of spans, by its number in the program.
    pub fn law(&mut self, expr: &Spanned<Expr>) -> u16 {
        let law = law_of_spans(expr, &|path| self.scope.read_file(path));
        match law {
            Ok(law) => {
                let known = self.program.laws.iter().position(|other| *other == law);
                let place = known.unwrap_or(self.program.laws.len());
                if known.is_none() {
                    self.program.laws.push(law);
                }
                place as u16
            }
            Err(error) => {
                self.errors.push(error);
                0
            }
        }
    }

    /// How often: a count, literal ones checked against the limit.
    pub fn times(&mut self, expr: &Spanned<Expr>, most: u32) {
        if let Expr::Number(Quantity { exact: Some(n), unit: Unit::Count, .. }) = expr.value
            && n > i64::from(most)
        {
            let help = format!("a program repeats at most {ROUNDS_MAX} times in all");
            self.wrong(&expr.at, format!("`{n}` is more than {most}"), help);
        }
        self.value(expr);
    }

    /// A size in bytes; 0 where none is given.
    pub fn size(&mut self, expr: Option<&Spanned<Expr>>) -> u32 {
        let Some(expr) = expr else { return 0 };
        match &expr.value {
            Expr::Number(Quantity { exact: Some(n), unit: Unit::Bytes, .. }) => match u32::try_from(*n) {
                Ok(bytes) => return bytes,
                Err(_) => self.wrong(&expr.at, "a message is smaller than 4GiB", "size 64KiB"),
            },
            other => self.wrong(&expr.at, format!("`{other}` is no size"), "sizes are bytes: size 64KiB"),
        }
        0
    }
}
