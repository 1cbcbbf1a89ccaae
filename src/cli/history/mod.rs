//! `splitbrain history`: judges recorded histories without a simulation.

mod diagram;
mod faults;
mod input;
pub mod unpack;

use std::path::Path;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};

use crate::base::plain::plain;
use crate::check::Verdict;
use crate::check::consistency::Consistency;
use crate::check::kinds::auto::guess;
use crate::check::kinds::{ALL, Asked, Judged, Kind, Nil, Refused};
use crate::check::read::attempts::Attempts;
use crate::check::read::events::Events;
use crate::check::read::{Format, Malformed, written};
use crate::check::search::Budget;
use crate::check::transactions::Level;
use crate::cli::status::{AS_EXPECTED, BAD_INPUT, NOT_AS_EXPECTED, UNDECIDED, complain, print};
use input::Input;

/// Let the model be guessed.
const AUTO: &str = "auto";

/// Its arguments.
#[derive(Debug, Args)]
pub struct History {
    /// Recorded histories, also compressed by gzip or zstd: files, folders of Jepsen's store, `-` for standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<String>,
    /// What the history is judged against; `auto` goes by the names of its operations, and says what it took
    #[arg(long, value_parser = models(), default_value = AUTO)]
    pub model: String,
    /// How well transactions must be kept apart [default: serializable]
    #[arg(long, value_parser = levels())]
    pub isolation: Option<String>,
    /// How it is written down
    #[arg(long, value_enum, default_value_t = Written::Auto)]
    pub format: Written,
    /// What is asked of it; of transactions the same as `--isolation` [default: linearizable]
    #[arg(long, value_parser = consistencies())]
    pub consistency: Option<String>,
    /// Where to draw what shows a violation: an SVG, a Mermaid sequence diagram (`.mmd`) or an ITF trace (`.itf.json`); of several
    /// files the last that has one
    #[arg(long, value_name = "FILE")]
    pub diagram: Option<String>,
    /// What is expected: then the exit status is 0 if all files are judged so
    #[arg(long, value_enum)]
    pub expect: Option<Expected>,
    /// The value of each key before the first operation, as EDN; `nil` for none; of a bank the sum [default: by model and format]
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    pub initial: Option<String>,
    /// What a read of nil says: that there was no value, that it saw the initial one, or nothing [default: by model and format]
    #[arg(long, value_parser = Nil::ALL.map(|(name, _, _)| name))]
    pub nil: Option<String>,
    /// A history without a single operation is judged too; else it is undecided, unless it is `[]`
    #[arg(long)]
    pub allow_empty: bool,
    /// Configurations that a search may look at, for each key
    #[arg(long, default_value_t = Budget::default().nodes)]
    pub nodes: u64,
    /// Memory that a search may take, MiB
    #[arg(long, value_name = "MIB", default_value_t = Budget::default().bytes >> 20)]
    pub memory: u64,
}

/// How a history is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Written {
    /// By its first line
    Auto,
    /// Jepsen's EDN
    Edn,
    /// Jepsen's log, or its history.txt
    JepsenLog,
    /// JSON objects, one after the other or in an array, with the same names as in EDN
    #[value(alias = "json")]
    Jsonl,
}

/// What a verdict is expected to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Expected {
    /// What is asked holds
    Ok,
    /// It does not
    Violation,
}

fn models() -> clap::builder::PossibleValuesParser {
    let of = |kind: &Kind| PossibleValue::new(kind.name).help(kind.about);
    let auto = PossibleValue::new(AUTO).help("what the names of its operations tell");
    std::iter::once(auto).chain(ALL.iter().map(of)).collect::<Vec<_>>().into()
}

fn level((name, level): &(&'static str, Level)) -> PossibleValue {
    PossibleValue::new(*name).aliases(level.aliases().iter().copied())
}

fn levels() -> clap::builder::PossibleValuesParser {
    Level::ALL.iter().map(level).collect::<Vec<_>>().into()
}

fn consistencies() -> clap::builder::PossibleValuesParser {
    let names: Vec<&str> = Consistency::all().iter().map(|(name, _)| *name).collect();
    let others = Level::ALL.iter().filter(|(name, _)| !names.contains(name)).map(level);
    names.iter().map(|name| PossibleValue::new(*name)).chain(others).collect::<Vec<_>>().into()
}

/// Judges them, one line each, and a summary if there are several.
pub fn history(arguments: &History) -> u8 {
    let (mut worst, mut lines) = (AS_EXPECTED, Vec::new());
    for file in &arguments.files {
        let (status, what) = match one(file, arguments) {
            Ok(judged) => {
                let (status, line, what) = told(&judged, arguments);
                match print(&plain(&format!("{file}: {line}\n"))) {
                    AS_EXPECTED => {}
                    failed => return failed,
                }
                (status, what)
            }
            Err(why) => (complain(&why), "not read".to_owned()),
        };
        lines.push(what);
        // Bad input tells more than a violation, and that more than something undecided.
        let rank = |status: u8| {
            [AS_EXPECTED, UNDECIDED, NOT_AS_EXPECTED, BAD_INPUT].iter().position(|s| *s == status)
        };
        if rank(status) > rank(worst) {
            worst = status;
        }
    }
    match print(&if lines.len() > 1 { summary(&lines) } else { String::new() }) {
        AS_EXPECTED => worst,
        failed => failed,
    }
}

/// How many files there are of each verdict, in the order in which they came.
fn summary(verdicts: &[String]) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for verdict in verdicts {
        match counts.iter_mut().find(|(what, _)| what == verdict) {
            Some((_, count)) => *count += 1,
            None => counts.push((verdict, 1)),
        }
    }
    let counts: Vec<String> = counts.iter().map(|(what, count)| format!("{count} {what}")).collect();
    format!("{} files: {}\n", verdicts.len(), counts.join(", "))
}

/// The status, the line and the verdict in a few words.
fn told(judged: &Judged, arguments: &History) -> (u8, String, String) {
    let (good, bad) = &judged.promise;
    let (count, unit) = judged.count;
    let notes: String = judged.notes.iter().map(|note| format!("; {note}")).collect();
    let about = format!("({count} {unit}{notes})");
    let (seen, line, what) = match &judged.verdict {
        Verdict::Holds => (Expected::Ok, format!("{good} {about}"), good),
        Verdict::Violated(witness) => {
            (Expected::Violation, format!("{bad} {about}: {}", witness.sentence), bad)
        }
        Verdict::Unknown(why) => {
            return (UNDECIDED, format!("undecided {about}: {why}"), "undecided".to_owned());
        }
    };
    let as_expected = arguments.expect.unwrap_or(Expected::Ok) == seen;
    (if as_expected { AS_EXPECTED } else { NOT_AS_EXPECTED }, line, what.clone())
}

fn asked(arguments: &History) -> Asked {
    let nil = arguments.nil.as_deref().and_then(|name| Nil::ALL.iter().find(|(known, _, _)| *known == name));
    Asked {
        consistency: arguments.consistency.clone(),
        isolation: arguments.isolation.clone(),
        initial: arguments.initial.as_deref().map(written),
        nil: nil.map(|(_, nil, _)| *nil),
        budget: Budget { nodes: arguments.nodes, bytes: arguments.memory.saturating_mul(1 << 20) },
    }
}

fn one(file: &str, arguments: &History) -> Result<Judged, String> {
    let input = Input::named(file, arguments.diagram.is_some())?;
    let malformed = |Malformed { line, why, help }: Malformed| format!("{file}:{line}: {why}\nhelp: {help}");
    let refused = |refused: Refused| match refused {
        Refused::Line(wrong) => malformed(wrong),
        Refused::Asked(why, instead) => format!("{file}: {why}\nhelp: {instead}"),
        Refused::Full(operations) => {
            format!(
                "{file}: {operations} operations are too many for the memory\nhelp: `--memory` gives more"
            )
        }
    };
    let format = match arguments.format {
        Written::Auto => None,
        Written::Edn => Some(Format::Edn),
        Written::JepsenLog => Some(Format::JepsenLog),
        Written::Jsonl => Some(Format::JsonLines),
    };
    let open = || -> Result<Attempts<'_>, String> {
        let bytes =
            input.open().map_err(|why| format!("{file}: {why}\nhelp: it must be a file that can be read"))?;
        Ok(Attempts::new(Events::new(bytes, format).map_err(malformed)?))
    };
    let mut attempts = open()?;
    let kind = kind(&mut attempts, arguments).map_err(malformed)??;
    let mut judged = kind.judge(&mut attempts, &asked(arguments)).map_err(refused)?;
    if arguments.model == AUTO {
        judged.notes.insert(0, format!("taken for {}", kind.name));
    }
    if let Some(passed) = attempts.passed().told() {
        judged.notes.push(format!("passed: {passed}"));
    }
    if judged.count.0 == 0 && !arguments.allow_empty && !attempts.is_plainly_empty() {
        let why =
            "nothing in it is an operation, so nothing has been judged (`--allow-empty` if that is right)";
        judged.verdict = Verdict::Unknown(why.to_owned());
    }
    if let (Some(path), Verdict::Violated(witness)) = (&arguments.diagram, &judged.verdict) {
        let shown = match judged.shown.is_empty() {
            true => diagram::named(open()?, witness),
            false => std::mem::take(&mut judged.shown),
        };
        diagram::write(Path::new(path), file, witness, &shown, attempts.faults())?;
    }
    Ok(judged)
}

/// What the history is of.
fn kind(
    attempts: &mut Attempts<'_>,
    arguments: &History,
) -> Result<Result<&'static Kind, String>, Malformed> {
    if arguments.model != AUTO {
        return Ok(Ok(ALL.iter().find(|kind| kind.name == arguments.model).expect("clap has checked")));
    }
    Ok(guess(attempts)?.map_err(|names| {
        let kinds: Vec<&str> = ALL.iter().map(|kind| kind.name).collect();
        format!(
            "no model has the operations {}\nhelp: `--model` says what it is of: {}",
            names.join(", "),
            kinds.join(", ")
        )
    }))
}
