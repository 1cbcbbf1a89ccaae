//! `splitbrain explain`: every knob in force with its source, the topology, the compiled programs; or what a code of
//! a problem means.

use std::io::Write;

use clap::Args;

use crate::cli::files::find;
use crate::cli::{BAD_INPUT, Colour, complain, print};
use crate::design::codes;
use crate::design::render::render;
use crate::experiment::load::Cell;
use crate::experiment::{Overrides, load};

/// Its arguments.
#[derive(Debug, Args)]
pub struct Explain {
    /// A file, a shipped experiment, or a code such as SB0102
    #[arg(value_name = "FILE")]
    pub file: String,
    /// The variant to explain; the first by name without it
    #[arg(long)]
    pub variant: Option<String>,
}

/// Explains it.
pub fn explain(arguments: &Explain, colour: Colour) -> u8 {
    let code = arguments.file.to_uppercase();
    if code.starts_with("SB") && code.len() == 6 && code[2..].chars().all(|c| c.is_ascii_digit()) {
        return match codes::explain(&code) {
            Some(known) => print(&format!("{}: {}\n\n{}\n", known.code, known.title, known.text)),
            None => complain(&format!("no problem has the code {code}")),
        };
    }
    let (reader, path) = match find(&arguments.file) {
        Ok(found) => found,
        Err(why) => return complain(&why),
    };
    let overrides =
        Overrides { variants: arguments.variant.iter().cloned().collect(), ..Overrides::default() };
    match load(reader.as_ref(), &path, &overrides) {
        Ok(experiment) => print(&experiment.cells.first().map_or(String::new(), of_cell)),
        Err((sources, problems)) => {
            let _ = std::io::stderr().write_all(render(&sources, &problems, colour.on_stderr()).as_bytes());
            BAD_INPUT
        }
    }
}

fn of_cell(cell: &Cell) -> String {
    let design = &cell.setup.design;
    let mut text = format!("variant {}\n\nparts\n", cell.variant);
    for (index, name) in design.names.iter().enumerate() {
        let built = if cell.setup.reaches(crate::base::ids::PartId(index as u16)) {
            ""
        } else {
            " (no workload reaches it: not built)"
        };
        text += &format!("  {} {} × {}{built}\n", name.kind, name.name, name.count);
    }
    text += "\ndefaults in force, and why\n";
    for (path, used) in &design.defaults {
        text += &format!("  {path} = {}    # {}\n", used.value, used.source);
    }
    text += "\nprograms\n";
    for program in &design.programs.0 {
        let part = &design.names[program.part.index()].name;
        text += &format!("  {part}.{}({})\n", program.name, program.parameters.join(", "));
        for (place, instr) in program.code.iter().enumerate() {
            text += &format!("    {place:>4}  {instr:?}\n");
        }
    }
    text += "\nseries\n";
    for series in &design.series {
        text += &format!("  {series}\n");
    }
    text
}
