//! The command line: one file per subcommand. Results go to stdout, diagnostics and progress to stderr.
//!
//! Exit status: 0 as expected · 1 a property broke its expectation · 2 bad input · 3 undecided · 4 the result
//! cannot be written (a full disk) · 130 interrupted.
//! Warnings change none of them, unless `--deny-warnings` makes them bad input.

pub mod explain;
pub mod files;
pub mod folder;
pub mod history;
pub mod list;
pub mod machine;
pub mod new;
pub mod progress;
pub mod recorded;
pub mod reference;
pub mod report;
pub mod run;
pub mod schema;
pub mod shipped;
pub mod validate;
pub mod validation;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand, ValueEnum};

use crate::base::plain::plain;
use crate::base::problem::Problem;
use crate::design::render::render_warnings;
use crate::design::source::Sources;

/// As expected.
pub const AS_EXPECTED: u8 = 0;
/// A property broke its expectation.
pub const NOT_AS_EXPECTED: u8 = 1;
/// Bad input.
pub const BAD_INPUT: u8 = 2;
/// Undecided within the budget.
pub const UNDECIDED: u8 = 3;
/// What came out cannot be written: a full disk, a stdout that takes nothing.
pub const CANNOT_WRITE: u8 = 4;
/// Interrupted.
pub const INTERRUPTED: u8 = 130;

/// A deterministic distributed-systems simulator: one run gives honest performance numbers and consistency verdicts.
#[derive(Debug, Parser)]
#[command(name = "splitbrain", version, arg_required_else_help = true)]
pub struct Arguments {
    /// Colours in the output.
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto)]
    pub color: Colour,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Shipped experiments and models, one line each
    List,
    /// Copy a shipped experiment and its model, to edit
    New(new::New),
    /// Tell all problems of files; prints nothing when there are none
    Validate(validate::Validate),
    /// Every parameter in force with its source, the topology, the compiled programs; or what a code such as SB0102 means
    Explain(explain::Explain),
    /// Run every variant, sweep point and seed of an experiment; table, plots, report
    Run(run::Run),
    /// Judge recorded histories, Jepsen's and our own, without a simulation
    History(history::History),
    /// Run every shipped experiment and print docs/validation.md
    #[command(hide = true)]
    Validation(validation::Validation),
    /// Print docs/language.md
    #[command(hide = true)]
    Reference,
    /// The JSON Schema of designs and experiments, for editors
    Schema,
    /// Shell completions
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

impl Colour {
    /// Whether to colour what goes to a stream.
    pub fn on(self, terminal: bool) -> bool {
        match self {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        }
    }

    /// Whether to colour stderr.
    pub fn on_stderr(self) -> bool {
        self.on(std::io::stderr().is_terminal())
    }

    /// Whether to colour stdout.
    pub fn on_stdout(self) -> bool {
        self.on(std::io::stdout().is_terminal())
    }
}

/// Carries out a command.
pub fn carry_out(arguments: &Arguments) -> ExitCode {
    let colour = arguments.color;
    let status = match &arguments.command {
        Command::List => list::list(),
        Command::New(new) => new::new(new),
        Command::Validate(validate) => validate::validate(validate, colour),
        Command::Explain(explain) => explain::explain(explain, colour),
        Command::Run(run) => run::run(run, colour),
        Command::History(history) => history::history(history),
        Command::Validation(validation) => validation::validation(validation),
        Command::Reference => print(&reference::reference()),
        Command::Schema => schema(),
        Command::Completions { shell } => completions(*shell),
    };
    ExitCode::from(status)
}

fn schema() -> u8 {
    let schema = schema::schema(&crate::design::resolve::Tables::of(&crate::components::Kinds::builtin()));
    print(&format!("{}\n", serde_json::to_string_pretty(&schema).expect("a schema is JSON")))
}

fn completions(shell: clap_complete::Shell) -> u8 {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "splitbrain", &mut text);
    print(&String::from_utf8_lossy(&text))
}

/// Prints to stdout. A reader that has gone is no failure of ours.
pub fn print(text: &str) -> u8 {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => AS_EXPECTED,
        Err(why) if why.kind() == std::io::ErrorKind::BrokenPipe => AS_EXPECTED,
        Err(why) => {
            complain(&format!("cannot write to stdout: {why}"));
            CANNOT_WRITE
        }
    }
}

/// Whether warnings are to end with exit status 2.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct Denying {
    /// End with exit status 2 if there are warnings
    #[arg(long)]
    pub deny_warnings: bool,
}

impl Denying {
    /// Shows warnings on stderr; whether they end the command.
    pub fn warned(self, sources: &Sources, warnings: &[Problem], colour: Colour) -> bool {
        let shown = render_warnings(sources, warnings, colour.on_stderr());
        let _ = std::io::stderr().write_all(shown.as_bytes());
        let denied = self.deny_warnings && !warnings.is_empty();
        if denied {
            let count = warnings.len();
            let warnings = if count == 1 { "1 warning".to_owned() } else { format!("{count} warnings") };
            complain(&format!("{warnings}, and --deny-warnings"));
        }
        denied
    }
}

/// Says on stderr what is wrong.
pub fn complain(message: &str) -> u8 {
    let _ = writeln!(std::io::stderr(), "error: {}", plain(message));
    BAD_INPUT
}
