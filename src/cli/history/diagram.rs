//! What shows that a recorded history is not what it should be, as a space-time diagram. A recorded history has an order of
//! invocations and returns, and that is what stands across.

use std::path::Path;

use crate::base::plain::plain;
use crate::check::Witness;
use crate::check::history::PENDING;
use crate::check::kinds::Shown;
use crate::check::read::attempts::{Attempt, Attempts, Fault};
use crate::check::read::datum::Datum;
use crate::cli::folder;
use crate::cli::history::faults::stretches;
use crate::experiment::pictures::{Axis, Bar, Plot, PlotKind, SpaceTime};
use crate::report::plots::{draw, svg};
use crate::report::{itf, mermaid};

/// Characters of what an operation did, at most: a transaction may have many.
const TEXT_MAX: usize = 60;

/// Draws what shows a violation and writes it, as what the name of the file says.
///
/// # Errors
/// When it cannot be written.
pub(super) fn write(
    path: &Path,
    title: &str,
    witness: &Witness,
    shown: &[Shown],
    faults: &[Fault],
) -> Result<(), String> {
    let Some(plot) = diagram(title, witness, shown, faults) else { return Ok(()) };
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let PlotKind::SpaceTime(picture) = &plot.kind else { return Ok(()) };
    let text = if name.ends_with(".mmd") || name.ends_with(".mermaid") {
        mermaid::sequence(&plot.title, picture)
    } else if name.ends_with(".json") {
        itf::trace(&plot.title, picture)
    } else {
        svg(&draw(&plot, &[]))
    };
    folder::write(path, &plain(&text)).map_err(|why| {
        format!("{}: {why}\nhelp: `--diagram` takes the name of a file to write", path.display())
    })
}

/// The operations that a witness names, of a history that is read once more.
pub(super) fn named(attempts: Attempts<'_>, witness: &Witness) -> Vec<Shown> {
    let is_named = |attempt: &Attempt| witness.operations.contains(&attempt.line);
    let shown = |attempt: Attempt| Shown {
        process: attempt.process.to_string(),
        line: attempt.line,
        invoked: attempt.began,
        returned: attempt.returned(),
        text: did(&attempt),
    };
    let mut attempts = attempts;
    let mut all: Vec<Shown> = attempts.by_ref().map_while(Result::ok).filter(is_named).map(shown).collect();
    for (number, name) in attempts.names() {
        let number = number.to_string();
        for one in all.iter_mut().filter(|one| one.process == number) {
            one.process = name.name();
        }
    }
    all
}

/// What an operation did: its name and what it was told, or what it asked for.
fn did(attempt: &Attempt) -> String {
    let value = match attempt.result() {
        Some(Datum::Nil) | None => &attempt.argument,
        Some(result) => result,
    };
    let text = match value {
        Datum::Nil => attempt.f.to_string(),
        value => format!("{} {value}", attempt.f),
    };
    match text.char_indices().nth(TEXT_MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

/// The picture; `None` if there is nothing to show.
fn diagram(title: &str, witness: &Witness, shown: &[Shown], faults: &[Fault]) -> Option<Plot> {
    let end = |one: &Shown| if one.returned == PENDING { one.invoked } else { one.returned };
    let first = shown.iter().map(|one| one.invoked).min()? as f64;
    let last = shown.iter().map(end).max()? as f64;
    let mut processes: Vec<&str> = shown.iter().map(|one| one.process.as_str()).collect();
    processes.sort_by_key(|name| (name.parse::<u64>().unwrap_or(u64::MAX), *name));
    processes.dedup();
    let bar = |one: &Shown| Bar {
        lane: processes.iter().position(|name| *name == one.process).unwrap_or(0),
        text: one.text.clone(),
        from: one.invoked as f64,
        to: (one.returned != PENDING).then_some(one.returned as f64),
        marked: witness.operations.contains(&one.line),
    };
    let stretch = (first - 0.5, last + 0.5 + 0.1 * (last - first)); // texts run to the right
    let near = stretches(faults).into_iter().filter(|(_, from, to)| *from < stretch.1 && *to > stretch.0);
    Some(Plot {
        name: "witness".to_owned(),
        title: title.to_owned(),
        note: String::new(),
        x: Axis { label: "place in the order of invocations and returns".to_owned(), ..Axis::default() },
        y: Axis::default(),
        kind: PlotKind::SpaceTime(SpaceTime {
            note: witness.sentence.clone(),
            stretch,
            bars: shown.iter().map(bar).collect(),
            lanes: processes.iter().map(|name| format!("process {name}")).collect(),
            faults: near.map(|(name, from, to)| (name, from.max(stretch.0), to.min(stretch.1))).collect(),
            ..SpaceTime::default()
        }),
    })
}
