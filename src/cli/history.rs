//! `splitbrain history`: judges recorded histories without a simulation.

use std::io::Write;

use clap::{Args, ValueEnum};

use crate::check::Verdict;
use crate::check::judge::{Consistency, judge};
use crate::check::model::Model;
use crate::check::read::{Format, read};
use crate::check::search::Budget;
use crate::cli::diagram::diagram;
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
    #[arg(long, value_parser = Model::ALL.map(|(name, _)| name))]
    pub model: String,
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

/// Judges them, one line each.
pub fn history(arguments: &History) -> u8 {
    let mut worst = AS_EXPECTED;
    for file in &arguments.files {
        let status = match one(file, arguments) {
            Ok((verdict, operations)) => {
                let (status, line) = told(&verdict, operations, arguments);
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

/// What is asked, as clap has checked it.
fn asked(arguments: &History) -> Consistency {
    let all = Consistency::all();
    all.iter().find(|(name, _)| *name == arguments.consistency).expect("clap has checked").1
}

fn told(verdict: &Verdict, operations: usize, arguments: &History) -> (u8, String) {
    let (good, bad) = asked(arguments).told();
    let (seen, line) = match verdict {
        Verdict::Holds => (Expected::Ok, format!("{good} ({operations} operations)")),
        Verdict::Violated(witness) => {
            (Expected::Violation, format!("{bad} ({operations} operations): {}", witness.sentence))
        }
        Verdict::Unknown(why) => {
            return (UNDECIDED, format!("undecided ({operations} operations): {why}"));
        }
    };
    let as_expected = arguments.expect.unwrap_or(Expected::Ok) == seen;
    (if as_expected { AS_EXPECTED } else { NOT_AS_EXPECTED }, line)
}

/// Puts a file in the place of an old one, whole or not at all.
fn write(path: &str, text: &str) -> Result<(), String> {
    let part = format!("{path}.part");
    std::fs::write(&part, text).and_then(|()| std::fs::rename(&part, path)).map_err(|why| {
        let _ = std::fs::remove_file(&part);
        format!("{path}: {why}\nhelp: `--diagram` takes the name of a file to write")
    })
}

fn one(file: &str, arguments: &History) -> Result<(Verdict, usize), String> {
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
    let model = Model::ALL.iter().find(|(name, _)| *name == arguments.model).expect("clap has checked").1;
    let mut recorded = read(&text, format, model, arguments.initial.as_deref()).map_err(|wrong| {
        format!("{file}:{}: {}\nhelp: `--format` says how it is written", wrong.line, wrong.why)
    })?;
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
        write(path, &svg(&draw(&plot, &[])))?;
    }
    Ok((verdict, recorded.operations))
}
