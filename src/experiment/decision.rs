//! What one run shows of a property, while it goes on and at its end.

use crate::experiment::compiled::Judged;
use crate::experiment::question::PropertyKind;
use crate::measures::evaluation::{Evaluation, Purpose};
use crate::measures::functions::Undefined;
use crate::record::observed::Open;

/// What one run shows of a property.
#[derive(Clone, Debug, PartialEq)]
pub struct Decided {
    /// Whether the condition held; `None`: undefined, or it hangs on what becomes of requests that are open at the end.
    pub holds: Option<bool>,
    /// Left side minus right side of a comparison, for intervals of objectives: if those that are open at the end fail, and if they
    /// succeed.
    pub margins: Option<[f64; 2]>,
    /// A sentence.
    pub witness: String,
}

/// Both sides of a condition, as text.
pub(super) fn sides(judged: &Judged, evaluation: &mut Evaluation<'_>) -> String {
    let Some(condition) = &judged.condition else { return String::new() };
    match condition.expression.comparison() {
        Some((_, left, right)) => {
            let mut shown = |side: &crate::measures::expression::Expression| match side.value(evaluation) {
                Ok(value) if value.is_infinite() => "more than any bound".to_owned(),
                Ok(value) => format!(
                    "{value} {}",
                    if side.dimension.unit() == "1" { "" } else { side.dimension.unit() }
                ),
                Err(Undefined(why)) => format!("undefined ({why})"),
            };
            let (left, right) = (shown(&left), shown(&right));
            format!("{}: {} against {}", condition.name, left.trim_end(), right.trim_end())
        }
        None => condition.name.clone(),
    }
}

/// A property at the end of a run: judged twice, since requests that are open may fail or succeed. What differs is not known.
pub(super) fn at_end<'r>(
    judged: &Judged,
    seed: u64,
    evaluation: &mut Evaluation<'r>,
    whole: &mut Evaluation<'r>,
) -> Option<Decided> {
    judged.condition.as_ref()?;
    let evaluation = if judged.property.kind == PropertyKind::Slo { evaluation } else { whole };
    let [failing, succeeding] = [Open::Fail, Open::Succeed].map(|open| {
        evaluation.set_purpose(Purpose::Judged(open));
        one_way(judged, seed, evaluation)
    });
    evaluation.set_purpose(Purpose::Shown);
    let margins = failing.margin.zip(succeeding.margin).map(|(failing, succeeding)| [failing, succeeding]);
    if failing.holds == succeeding.holds {
        return Some(Decided { holds: failing.holds, margins, witness: failing.witness });
    }
    let witness = match (&failing.holds, &succeeding.holds) {
        (None, _) => failing.witness,
        (_, None) => succeeding.witness,
        _ => format!(
            "it hangs on requests that are open at the end: if they fail, {}; if they succeed, {}",
            failing.witness, succeeding.witness
        ),
    };
    Some(Decided { holds: None, margins, witness })
}

/// A property at the end of a run, if open requests come to one end.
struct OneWay {
    holds: Option<bool>,
    margin: Option<f64>,
    witness: String,
}

fn one_way(judged: &Judged, seed: u64, evaluation: &mut Evaluation<'_>) -> OneWay {
    let Some(condition) = &judged.condition else {
        return OneWay { holds: None, margin: None, witness: String::new() };
    };
    evaluation.take_witnesses();
    let value = condition.expression.value(evaluation);
    let shown = evaluation.take_witnesses();
    let margin = condition
        .expression
        .comparison()
        .and_then(|(_, left, right)| Some(left.value(evaluation).ok()? - right.value(evaluation).ok()?));
    let witness = match &value {
        Ok(_) => match shown.first() {
            Some(told) => format!("in seed {seed}, {}: {}", sides(judged, evaluation), told.sentence),
            None => sides(judged, evaluation),
        },
        Err(Undefined(why)) => format!("{} is undefined: {why}", condition.name),
    };
    OneWay { holds: value.ok().map(|value| value != 0.0), margin, witness }
}
