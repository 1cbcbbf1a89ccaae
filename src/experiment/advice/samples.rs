//! Objectives on percentiles of too few requests.

use crate::base::problem::Problem;
use crate::base::time::Span;
use crate::design::codes;
use crate::experiment::advice::warning::warning;
use crate::experiment::cell::Cell;
use crate::experiment::question::{PropertyKind, Question, Warmup};
use crate::experiment::workload::expected_requests;
use crate::measures::expression::Names;
use crate::program::syntax::{Expr, Function, Spanned, expression};

/// Finds them: what has fewer requests than its percentile needs, even if none fails.
pub(super) fn few(question: &Question, cell: &Cell, found: &mut Vec<Problem>) {
    for property in question.properties.iter().filter(|property| property.kind == PropertyKind::Slo) {
        let Some(text) = &property.condition else { continue };
        let Ok(expr) = expression(text.as_str()) else { continue };
        for (function, percent) in percentiles(&expr) {
            let [of] = &function.args[..] else { continue }; // of one cause, or of a stretch of the run
            let expected = requests(&of.value.value.to_string(), question, cell);
            let needed = 100.0 / (100.0 - percent);
            if let Some(expected) = expected.filter(|expected| *expected < needed) {
                let message = format!(
                    "`{}({})` of about {expected:.0} requests in a run is nothing but the slowest of them",
                    function.name.value, of.value.value
                );
                let help = "make the run longer, or ask for a lower percentile";
                found.push(warning(codes::FEW_SAMPLES, &text.place(function.name.at.clone()), message, help));
            }
        }
    }
}

/// The percentiles in an expression.
fn percentiles(expr: &Spanned<Expr>) -> Vec<(&Function, f64)> {
    match &expr.value {
        Expr::Call(function) => {
            let percent = function.name.value.strip_prefix('p').and_then(|digits| digits.parse::<f64>().ok());
            percent
                .filter(|percent| *percent < 100.0)
                .map(|percent| (function, percent))
                .into_iter()
                .collect()
        }
        Expr::Unary(_, of) => percentiles(of),
        Expr::Binary(_, left, right) => [percentiles(left), percentiles(right)].concat(),
        _ => Vec::new(),
    }
}

/// How many requests of that name a run brings after its warm-up, if workloads alone make them.
fn requests(name: &str, question: &Question, cell: &Cell) -> Option<f64> {
    let probe = cell.setup.probe(name)?;
    let warmup = if let Warmup::Span(span) = question.warmup { span } else { Span::ZERO };
    let kept = 1.0 - warmup.as_secs_f64() / cell.length.as_secs_f64().max(1e-9);
    let mut expected = None;
    for workload in &cell.setup.workloads {
        let all = expected_requests(&workload.plan, cell.length) * kept;
        let mut before = 0.0;
        for call in &workload.plan.calls {
            if call.probe == probe {
                *expected.get_or_insert(0.0) += all * (call.upto - before);
            }
            before = call.upto;
        }
        if workload.plan.probe == probe {
            *expected.get_or_insert(0.0) += all;
        }
    }
    expected
}
