//! `splitbrain history`: judges recorded histories without a simulation.

use std::io::Write;
use std::path::Path;

use clap::{Args, ValueEnum};

use crate::check::Verdict;
use crate::check::judge::{Consistency, judge};
use crate::check::model::Model;
use crate::check::read::{Format, Malformed, read, transactions};
use crate::check::search::Budget;
use crate::check::transactions::{Level, bank, check, set};
use crate::cli::diagram::diagram;
use crate::cli::folder;
use crate::cli::{AS_EXPECTED, BAD_INPUT, NOT_AS_EXPECTED, UNDECIDED, complain, print};
use crate::report::plots::{draw, svg};

/// Bytes of a history at most.
const HISTORY_BYTES_MAX: u64 = 2 << 30;

/// Its arguments.
#[derive(Debug, Args)]
pub struct History {
    /// Recorded histories
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<String>,
    /// What the history is judged against
    #[arg(long, value_parser = models())]
    pub model: String,
    /// How well transactions must be kept apart
    #[arg(long, value_parser = Level::ALL.map(|(name, _)| name), default_value = Level::Serializable.name())]
    pub isolation: String,
    /// How it is written down
    #[arg(long, value_enum, default_value_t = Written::Auto)]
    pub format: Written,
    /// What is asked of it
    #[arg(long, value_parser = Consistency::all().iter().map(|(name, _)| *name).collect::<Vec<_>>(), default_value = "linearizable")]
    pub consistency: String,
    /// Where to draw what shows a violation, an SVG; of several files the last that has one
    #[arg(long, value_name = "FILE")]
    pub diagram: Option<String>,
    /// What is expected: then the exit status is 0 if all files are judged so
    #[arg(long, value_enum)]
    pub expect: Option<Expected>,
    /// The value of each key before the first operation; `nil` for none [default: by model and format]
    #[arg(long, value_name = "VALUE")]
    pub initial: Option<String>,
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
    /// Jepsen's log
    JepsenLog,
    /// One JSON object a line, with the same names as in EDN
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
    let names = Model::ALL.iter().map(|(name, _)| *name);
    names.chain(transactions::Model::ALL.iter().map(|(name, _)| *name)).collect::<Vec<_>>().into()
}

/// A file's verdict, the number of its operations, and what it is if what is asked holds and if it does not.
struct Judged {
    verdict: Verdict,
    operations: String,
    promise: (String, String),
}

/// Judges them, one line each.
pub fn history(arguments: &History) -> u8 {
    let mut worst = AS_EXPECTED;
    for file in &arguments.files {
        let status = match one(file, arguments) {
            Ok(judged) => {
                let (status, line) = told(&judged, arguments.expect);
                if print(&format!("{file}: {line}\n")) != AS_EXPECTED {
                    return BAD_INPUT;
                }
                status
            }
            Err(why) => complain(&why),
        };
        // Bad input tells more than a violation, and that more than something undecided.
        let rank = |status: u8| {
            [AS_EXPECTED, UNDECIDED, NOT_AS_EXPECTED, BAD_INPUT].iter().position(|s| *s == status)
        };
        if rank(status) > rank(worst) {
            worst = status;
        }
    }
    let _ = std::io::stdout().flush();
    worst
}

/// What is asked of operations on one object, as clap has checked it.
fn asked(arguments: &History) -> Consistency {
    let all = Consistency::all();
    all.iter().find(|(name, _)| *name == arguments.consistency).expect("clap has checked").1
}

fn told(Judged { verdict, operations, promise }: &Judged, expected: Option<Expected>) -> (u8, String) {
    let (good, bad) = promise;
    let (seen, line) = match verdict {
        Verdict::Holds => (Expected::Ok, format!("{good} ({operations})")),
        Verdict::Violated(witness) => {
            (Expected::Violation, format!("{bad} ({operations}): {}", witness.sentence))
        }
        Verdict::Unknown(why) => return (UNDECIDED, format!("undecided ({operations}): {why}")),
    };
    let as_expected = expected.unwrap_or(Expected::Ok) == seen;
    (if as_expected { AS_EXPECTED } else { NOT_AS_EXPECTED }, line)
}

fn one(file: &str, arguments: &History) -> Result<Judged, String> {
    let about = std::fs::metadata(file).map_err(|why| format!("{file}: {why}"))?;
    if about.is_dir() {
        return Err(format!("{file} is a directory\nhelp: name the files in it, `{file}/*`"));
    }
    if about.len() > HISTORY_BYTES_MAX {
        return Err(format!("{file} has {} bytes: at most {HISTORY_BYTES_MAX}", about.len()));
    }
    let bytes = std::fs::read(file).map_err(|why| format!("{file}: {why}"))?;
    let text = String::from_utf8(bytes).map_err(|why| {
        format!(
            "{file} is not UTF-8 from byte {} on\nhelp: a history is a text",
            why.utf8_error().valid_up_to()
        )
    })?;
    let format = match arguments.format {
        Written::Auto => Format::of(&text),
        Written::Edn => Format::Edn,
        Written::JepsenLog => Format::JepsenLog,
        Written::Jsonl => Format::JsonLines,
    };
    let malformed = |wrong: Malformed| {
        format!("{file}:{}: {}\nhelp: `--format` says how it is written", wrong.line, wrong.why)
    };
    if let Some((_, model)) = transactions::Model::ALL.iter().find(|(name, _)| *name == arguments.model) {
        if arguments.diagram.is_some() {
            return Err(format!(
                "`--diagram` draws operations on one object, and `{}` is of several",
                arguments.model
            ));
        }
        return several(&text, format, *model, arguments).map_err(malformed);
    }
    let model = Model::ALL.iter().find(|(name, _)| *name == arguments.model).expect("clap has checked").1;
    let mut recorded = read(&text, format, model, arguments.initial.as_deref()).map_err(malformed)?;
    let budget = Budget { nodes: arguments.nodes, bytes: arguments.memory.saturating_mul(1 << 20) };
    let consistency = asked(arguments);
    if consistency.is_about_values() && !model.has_values() {
        return Err(format!(
            "`{}` is about values that were written and read, and `{}` has none\nhelp: ask for `linearizable` or `sequential`",
            arguments.consistency, arguments.model
        ));
    }
    let verdict = judge(&recorded.keys, recorded.initial, &mut recorded.texts, consistency, budget);
    if let (Some(path), Verdict::Violated(witness)) = (&arguments.diagram, &verdict)
        && let Some(plot) = diagram(file, witness, &recorded.keys, &recorded.texts)
    {
        folder::write(Path::new(path), &svg(&draw(&plot, &[])))
            .map_err(|why| format!("{path}: {why}\nhelp: `--diagram` takes the name of a file to write"))?;
    }
    let operations = format!("{} operations", recorded.operations);
    Ok(Judged { verdict, operations, promise: consistency.told() })
}

/// Judges a history of operations on several keys at once.
fn several(
    text: &str,
    format: Format,
    model: transactions::Model,
    arguments: &History,
) -> Result<Judged, Malformed> {
    let level = Level::ALL.iter().find(|(name, _)| *name == arguments.isolation).expect("clap has checked").1;
    let promise = |what: &str| (what.to_owned(), format!("not {what}"));
    Ok(match transactions::read(text, format, model)? {
        transactions::Recorded::Transactions(history) => Judged {
            verdict: check(&history, None).verdict(level),
            operations: format!("{} transactions", history.transactions.len()),
            promise: promise(level.name()),
        },
        transactions::Recorded::Bank(reads, operations) => {
            let total = arguments.initial.as_ref().and_then(|total| total.parse().ok());
            let operations = format!("{operations} operations");
            Judged { verdict: bank::check(&reads, total), operations, promise: promise("balanced") }
        }
        transactions::Recorded::Set { additions, sights, texts, operations } => {
            let verdict = set::check(&additions, &sights, &texts);
            Judged {
                verdict,
                operations: format!("{operations} operations"),
                promise: promise("linearizable"),
            }
        }
    })
}
