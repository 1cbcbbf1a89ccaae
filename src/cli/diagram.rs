//! What shows that a recorded history is not what it should be, as a space-time diagram. A recorded history has an order of
//! invocations and returns, and that is what stands across.

use crate::check::Witness;
use crate::check::history::{Operation, Texts};
use crate::check::judge::ByKey;
use crate::experiment::pictures::{Axis, Bar, Plot, PlotKind, SpaceTime};
use crate::experiment::witness::nearest;

/// Operations of a diagram at most: more are not readable.
const OPERATIONS_MAX: usize = 12;

/// The operations of a witness, and those of their keys nearest to them. `None` if it names none.
pub fn diagram(title: &str, witness: &Witness, keys: &ByKey, texts: &Texts) -> Option<Plot> {
    let is_named = |operation: &Operation| witness.operations.contains(&operation.place);
    let of_its_keys = keys.values().filter(|operations| operations.iter().any(is_named));
    let all: Vec<&Operation> = of_its_keys.flatten().collect();
    let span = |operation: &&Operation| (operation.invoked, end(operation), is_named(operation));
    let spans: Vec<(u64, u64, bool)> = all.iter().map(span).collect();
    let shown: Vec<&Operation> =
        nearest(&spans, OPERATIONS_MAX).into_iter().map(|index| all[index]).collect();
    let first = shown.iter().map(|operation| operation.invoked).min()?;
    let last = shown.iter().map(|operation| end(operation)).max()?;
    let mut processes: Vec<u64> = shown.iter().map(|operation| operation.process).collect();
    processes.sort_unstable();
    processes.dedup();
    let bar = |operation: &&Operation| Bar {
        lane: processes.binary_search(&operation.process).expect("its process is among them"),
        text: texts.describe(operation.call),
        from: operation.invoked as f64,
        to: (!operation.is_pending()).then_some(operation.returned as f64),
        marked: is_named(operation),
    };
    Some(Plot {
        name: "witness".to_owned(),
        title: title.to_owned(),
        x: Axis { label: "place in the order of invocations and returns".to_owned(), ..Axis::default() },
        y: Axis::default(),
        kind: PlotKind::SpaceTime(SpaceTime {
            note: witness.sentence.clone(),
            stretch: (first as f64 - 0.5, last as f64 + 0.5 + 0.1 * (last - first) as f64), // texts run to the right
            bars: shown.iter().map(bar).collect(),
            lanes: processes.iter().map(|process| format!("process {process}")).collect(),
            ..SpaceTime::default()
        }),
    })
}

/// When an operation ended, or began if it never did.
fn end(operation: &Operation) -> u64 {
    if operation.is_pending() { operation.invoked } else { operation.returned }
}
