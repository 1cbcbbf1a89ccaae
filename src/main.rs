//! splitbrain: parse the command line, carry it out, exit with what came of it.

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;
use splitbrain::command::{Arguments, carry_out};

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    carry_out(&Arguments::parse())
}
