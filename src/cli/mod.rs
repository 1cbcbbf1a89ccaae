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
pub mod status;
pub mod validate;
pub mod validation;

use crate::cli::status::{Colour, print};
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

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
