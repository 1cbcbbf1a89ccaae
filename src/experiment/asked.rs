//! Which measures a file asks for, in its order: tables show these first, and all of them.

use crate::experiment::question::{Question, Runs};
use crate::program::syntax::{Expr, expression};

/// The names, printed canonically: of `measures`, then what properties, theories and plots speak of, then what `until` waits for.
pub fn asked(question: &Question) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut keep = |text: &str| {
        if let Ok(expr) = expression(text) {
            parts(&expr.value, &mut names);
        }
    };
    question.measures.iter().for_each(|text| keep(text.as_str()));
    question
        .properties
        .iter()
        .filter_map(|property| property.condition.as_ref())
        .for_each(|text| keep(text.as_str()));
    question.theories.iter().for_each(|theory| keep(theory.of.as_str()));
    for plot in &question.plots {
        plot.measures(&question.properties).iter().for_each(|text| keep(text.as_str()));
    }
    if let Runs::Until { on, .. } = &question.runs {
        keep(on.as_str());
    }
    names
}

/// An expression, and what it is computed from: a table shows those of them that are measures of a cell.
fn parts(expr: &Expr, names: &mut Vec<String>) {
    let name = expr.to_string();
    if !names.contains(&name) {
        names.push(name);
    }
    match expr {
        Expr::Unary(_, of) => parts(&of.value, names),
        Expr::Binary(_, left, right) => [left, right].into_iter().for_each(|of| parts(&of.value, names)),
        _ => {}
    }
}
