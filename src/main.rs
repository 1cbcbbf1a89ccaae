//! splitbrain: parse the command line, carry it out, exit with what came of it.

use std::process::ExitCode;

use clap::Parser;
use splitbrain::cli::{Arguments, carry_out};

fn main() -> ExitCode {
    carry_out(&Arguments::parse())
}
