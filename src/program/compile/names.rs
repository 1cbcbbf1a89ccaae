//! Which names a program has: a name that is assigned nowhere is a parameter.

use std::collections::BTreeSet;

use crate::program::syntax::{Action, Arg, Copy, Expr, Place, Spanned, Steps};

/// The names of a program, each where it first stands.
#[derive(Debug, Default)]
pub struct Names {
    /// Never assigned, in order of first use.
    pub parameters: Vec<Spanned<String>>,
    /// Assigned, in order of first assignment.
    pub assigned: Vec<Spanned<String>>,
    /// Those already in `parameters`.
    used: BTreeSet<String>,
    /// Those already in `assigned`.
    known: BTreeSet<String>,
}

/// The parameters of a program: names that it uses and never assigns, in order of first use.
pub fn parameters(body: &Steps) -> Vec<String> {
    names_of(body).parameters.into_iter().map(|name| name.value).collect()
}

/// All names of a program.
pub fn names_of(body: &Steps) -> Names {
    let mut names = Names::default();
    names.steps(body);
    let Names { parameters, known, .. } = &mut names;
    parameters.retain(|name| !known.contains(&name.value));
    names
}

impl Names {
    fn assign(&mut self, name: Option<&Spanned<String>>) {
        if let Some(name) = name
            && self.known.insert(name.value.clone())
        {
            self.assigned.push(name.clone());
        }
    }

    fn expr(&mut self, expr: &Spanned<Expr>) {
        match &expr.value {
            Expr::Name(name) if name != "true" && name != "false" => {
                if self.used.insert(name.clone()) {
                    self.parameters.push(Spanned::new(name.clone(), expr.at.clone()));
                }
            }
            Expr::Unary(_, inner) => self.expr(inner),
            Expr::Binary(_, left, right) => {
                self.expr(left);
                self.expr(right);
            }
            Expr::Call(function) => self.args(&function.args),
            _ => {} // refused when it is compiled
        }
    }

    fn args(&mut self, args: &[Arg]) {
        for arg in args {
            self.expr(&arg.value);
        }
    }

    fn place(&mut self, place: &Place) {
        self.expr(&place.key);
    }

    fn steps(&mut self, steps: &Steps) {
        for step in &steps.0 {
            self.action(&step.value.action);
            if let Some(otherwise) = &step.value.otherwise {
                self.steps(otherwise);
            }
        }
    }

    fn action(&mut self, action: &Action) {
        match action {
            Action::Cpu { times, .. } | Action::Wait { times, .. } => {
                times.iter().for_each(|times| self.expr(times))
            }
            Action::Assign { to, value } => {
                self.expr(value);
                self.assign(Some(to));
            }
            Action::Call { to, target, .. } => {
                target.args.iter().for_each(|args| self.args(args));
                self.assign(to.as_ref());
            }
            Action::Send { target } => target.args.iter().for_each(|args| self.args(args)),
            Action::Get { to, place } => {
                self.place(place);
                self.assign(to.as_ref());
            }
            Action::Put { place } | Action::Drop { place } => self.place(place),
            Action::Read { to, place, copy, .. } => {
                self.place(place);
                if let Some(Spanned { value: Copy::Numbered(number), .. }) = copy {
                    self.expr(number);
                }
                self.assign(to.as_ref());
            }
            Action::Write { place, value } => {
                self.place(place);
                self.expr(value);
            }
            Action::Update { to, place, by, when, .. } => {
                self.place(place);
                self.expr(by);
                when.iter().for_each(|(_, bound)| self.expr(bound));
                self.assign(to.as_ref());
            }
            Action::Tally { key, by, .. } => key.iter().chain(by).for_each(|expr| self.expr(expr)),
            Action::Fail { .. } => {}
            Action::Return { value, .. } => value.iter().for_each(|value| self.expr(value)),
            Action::Each { times, index, body, .. } => {
                self.expr(times);
                self.assign(index.as_ref());
                self.steps(body);
            }
            Action::Par { branches: body } | Action::Race { branches: body } | Action::Block { body } => {
                self.steps(body)
            }
            Action::If { condition, then, otherwise } => {
                self.expr(condition);
                self.steps(then);
                otherwise.iter().for_each(|steps| self.steps(steps));
            }
            Action::Hold { place, body } => {
                self.place(place);
                self.steps(body);
            }
            Action::Tx { body, .. } => self.steps(body),
        }
    }
}
