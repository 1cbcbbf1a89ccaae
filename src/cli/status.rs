//! Exit statuses, and what is told on the terminal.

use crate::base::plain::plain;
use crate::base::problem::Problem;
use crate::design::render::render_warnings;
use crate::design::source::Sources;
use clap::ValueEnum;
use std::io::{IsTerminal, Write};

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
