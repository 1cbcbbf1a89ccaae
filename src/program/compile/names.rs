//! Which names a program uses and assigns, in text order.

use crate::program::syntax::{Does, Expr, Spanned, Steps};

/// The parameters of a program: names that it uses before it assigns them, in order of first use.
pub fn parameters(steps: &Steps) -> Vec<String> {
    let mut names = Names { assigned: Vec::new(), parameters: Vec::new() };
    names.steps(steps);
    names.parameters
}

/// Walks a program in text order for its names.
struct Names {
    assigned: Vec<String>,
    parameters: Vec<String>,
}

impl Names {
    fn uses(&mut self, expr: &Spanned<Expr>) {
        match &expr.value {
            Expr::Name(name) if !self.assigned.contains(name) && !self.parameters.contains(name) => {
                self.parameters.push(name.clone());
            }
            Expr::Unary(_, of) => self.uses(of),
            Expr::Binary(_, left, right) => {
                self.uses(left);
                self.uses(right);
            }
            _ => {}
        }
    }

    fn assigns(&mut self, name: &Spanned<String>) {
        if !self.assigned.contains(&name.value) && !self.parameters.contains(&name.value) {
            self.assigned.push(name.value.clone());
        }
    }

    fn steps(&mut self, steps: &Steps) {
        for step in steps {
            for expr in operands(&step.does) {
                self.uses(expr);
            }
            if let Some(name) = assigned(&step.does) {
                self.assigns(name);
            }
            for body in bodies(&step.does) {
                self.steps(body);
            }
            if let Some(otherwise) = &step.otherwise {
                self.steps(otherwise);
            }
        }
    }
}

/// The integer expressions of a step itself.
fn operands(does: &Does) -> Vec<&Spanned<Expr>> {
    match does {
        Does::Cpu { times, .. } | Does::Wait { times, .. } => times.iter().collect(),
        Does::Assign { value, .. } => vec![value],
        Does::Call { args, .. } | Does::Send { args, .. } => args.iter().map(|arg| &arg.value).collect(),
        Does::Get { place, .. } | Does::Drop { place } | Does::Read { place, .. } => {
            place.key.iter().collect()
        }
        Does::Put { place, value } => place.key.iter().chain(value).collect(),
        Does::Write { place, value } => place.key.iter().chain([value]).collect(),
        Does::Update { place, by, when, .. } => {
            place.key.iter().chain([by]).chain(when.iter().map(|(_, bound)| bound)).collect()
        }
        Does::Tally { place, by } => place.key.iter().chain(by).collect(),
        Does::Return { value, .. } => value.iter().collect(),
        Does::Each { count, .. } | Does::ParEach { count, .. } => vec![count],
        Does::If { condition, .. } => vec![condition],
        Does::Hold { place, .. } => place.key.iter().collect(),
        Does::Fail { .. } | Does::Par { .. } | Does::Race { .. } | Does::Tx { .. } | Does::Block { .. } => {
            Vec::new()
        }
    }
}

fn assigned(does: &Does) -> Option<&Spanned<String>> {
    match does {
        Does::Assign { to, .. } => Some(to),
        Does::Call { to, .. } | Does::Get { to, .. } | Does::Read { to, .. } | Does::Update { to, .. } => {
            to.as_ref()
        }
        Does::Each { name, .. } | Does::ParEach { name, .. } => name.as_ref(),
        _ => None,
    }
}

pub(super) fn bodies(does: &Does) -> Vec<&Steps> {
    match does {
        Does::Each { body, .. } | Does::ParEach { body, .. } | Does::Hold { body, .. } => vec![body],
        Does::Tx { body, .. } | Does::Block { body } => vec![body],
        Does::Par { branches } | Does::Race { branches } => vec![branches],
        Does::If { then, or_else, .. } => vec![then, or_else],
        _ => Vec::new(),
    }
}
