//! Expressions to stack code.

use crate::base::quantity::Unit;
use crate::program::compile::compiler::Compiler;
use crate::program::instr::Instr;
use crate::program::syntax::{BinaryOp, Expr, Spanned, UnaryOp};

impl Compiler<'_> {
    /// Code that pushes the value of an expression.
    pub(super) fn value(&mut self, expr: &Spanned<Expr>) {
        match &expr.value {
            Expr::Number(quantity) if quantity.unit == Unit::Count && quantity.exact.is_some() => {
                self.emit(Instr::Push(quantity.exact.unwrap_or(0)));
            }
            Expr::Number(quantity) => {
                let help = "values in programs are whole numbers; distributions take units";
                self.error(&expr.at, format!("`{quantity}` is no whole number"), help);
            }
            Expr::Name(name) => {
                let register = self.register(name, &expr.at);
                self.emit(Instr::Load(register));
            }
            Expr::Unary(op, of) => {
                self.value(of);
                self.emit(if *op == UnaryOp::Minus { Instr::Negate } else { Instr::Not });
            }
            Expr::Binary(op @ (BinaryOp::And | BinaryOp::Or), left, right) => self.either(*op, left, right),
            Expr::Binary(op, left, right) => {
                self.value(left);
                self.value(right);
                self.emit(Instr::Binary(*op));
            }
            other => {
                let help = "programs compute with whole numbers and names";
                self.error(&expr.at, format!("`{other}` has no value here"), help);
            }
        }
    }

    /// `and` and `or` look at their right side only when the left one does not settle it, so that
    /// `n != 0 and 10 / n > 2` is safe.
    fn either(&mut self, op: BinaryOp, left: &Spanned<Expr>, right: &Spanned<Expr>) {
        self.value(left);
        if op == BinaryOp::Or {
            self.emit(Instr::Not);
        }
        let settled = self.emit(Instr::JumpIfZero(0));
        self.value(right);
        self.emit(Instr::Not);
        self.emit(Instr::Not);
        let over = self.emit(Instr::Jump(0));
        self.program.code[settled] = Instr::JumpIfZero(self.here());
        self.emit(Instr::Push(i64::from(op == BinaryOp::Or)));
        self.program.code[over] = Instr::Jump(self.here());
    }
}
