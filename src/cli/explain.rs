//! `splitbrain explain`: every parameter in force with its source, the topology, the compiled programs, what goes wrong when;
//! or what a code of a problem means.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::atomic::AtomicBool;

use clap::{Args, ValueEnum};

use crate::base::time::Time;
use crate::cli::files::find;
use crate::cli::status::{BAD_INPUT, Colour, Denying, complain, print};
use crate::components::KINDS;
use crate::components::db::DB;
use crate::design::codes;
use crate::design::render::render;
use crate::design::resolve::Design;
use crate::design::source::Sources;
use crate::design::tree::{Entry, Value};
use crate::experiment::cell::Cell;
use crate::experiment::question::{PropertyKind, Question, Warmup};
use crate::experiment::run;
use crate::experiment::{Experiment, Overrides, load};
use crate::report::graph;

/// Its arguments.
#[derive(Debug, Args)]
pub struct Explain {
    /// A file, a shipped experiment, or a code such as SB0102
    #[arg(value_name = "FILE")]
    pub file: String,
    /// The variant to explain; the first by name without it
    #[arg(long)]
    pub variant: Option<String>,
    /// The faults of this seed; where only the run tells when they begin or whom they strike, it is run
    #[arg(long)]
    pub seed: Option<u64>,
    /// Only the topology, as a drawing
    #[arg(long, value_enum)]
    pub topology: Option<Topology>,
    /// Whether warnings end it
    #[command(flatten)]
    pub denying: Denying,
}

/// How the topology is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Topology {
    /// For Graphviz.
    Dot,
    /// For browsers.
    Svg,
}

/// Explains it.
pub fn explain(arguments: &Explain, colour: Colour) -> u8 {
    let code = arguments.file.to_uppercase();
    if code.starts_with("SB") && code.len() == 6 && code[2..].chars().all(|c| c.is_ascii_digit()) {
        return match codes::explain(&code) {
            Some(known) => {
                let severity = if known.is_warning() { " (a warning)" } else { "" };
                print(&format!("{}{severity}: {}\n\n{}\n", known.code, known.title, known.text))
            }
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
        Ok(experiment) => {
            if arguments.denying.warned(&experiment.sources, &experiment.warnings, colour) {
                return BAD_INPUT;
            }
            let cell = experiment.cells.first();
            print(&cell.map_or(String::new(), |cell| match arguments.topology {
                Some(Topology::Dot) => graph::dot(&cell.setup.graph()),
                Some(Topology::Svg) => graph::svg(&cell.setup.graph()),
                None => of_cell(cell, &experiment) + &faults(cell, &experiment.question, arguments.seed),
            }))
        }
        Err((sources, problems)) => {
            let _ = std::io::stderr().write_all(render(&sources, &problems, colour.on_stderr()).as_bytes());
            BAD_INPUT
        }
    }
}

/// A plan of more lines than these is cut off.
const LINES_MAX: usize = 200;

/// What goes wrong under a seed, and when: as far as it is known before the run, or as the run told.
fn faults(cell: &Cell, question: &Question, seed: Option<u64>) -> String {
    let who = &cell.faults.who;
    let run = seed.filter(|_| cell.faults.is_open());
    let seed = seed.unwrap_or(question.seed);
    let told = run.and_then(|seed| run::run(cell, question.warmup, seed, false, &AtomicBool::new(false)));
    let (plan, open) = match told {
        Some(trial) => (trial.plan, Vec::new()),
        None => (cell.faults.known_before(seed, cell.length), cell.faults.open()),
    };
    if plan.is_empty() && open.is_empty() {
        return String::new();
    }
    let how = if run.is_some() { ", as its run tells" } else { "" };
    let mut text = format!("\nfaults of seed {seed}{how}\n");
    let lines = plan.iter().take(LINES_MAX).map(|planned| planned.describe(who));
    lines.chain(open).for_each(|line| text += &format!("  {line}\n"));
    if plan.len() > LINES_MAX {
        text += &format!("  and {} times more\n", plan.len() - LINES_MAX);
    }
    if run.is_none() && cell.faults.is_open() {
        text += &format!("  (when moments begin and who has a role only the run tells: --seed {seed})\n");
    }
    text
}

/// Kinds of entries besides parts that say how a run goes.
const PLACES: [&str; 10] =
    ["length", "warmup", "runs", "seed", "zone", "net", "link", "policy", "workload", "fault"];

/// The parameters of an entry as the files say them.
fn written(
    path: &str,
    entry: &Entry,
    sources: &Sources,
    parameters: &mut BTreeMap<String, (String, String)>,
) {
    match &entry.node.value {
        Value::Table(table) => {
            for inner in table.entries() {
                written(&format!("{path}.{}", inner.key), inner, sources, parameters);
            }
        }
        _ => {
            let place = &entry.node.place;
            let (line, _) = sources.line_and_column(place.file, place.bytes.start);
            let source = format!("{}:{line}", sources.path(place.file));
            parameters.insert(path.to_owned(), (entry.node.show(), source));
        }
    }
}

/// An instruction with the names of parts in place of their numbers.
fn named(instr: &str, design: &Design) -> String {
    let mut pieces = instr.split("PartId(");
    let mut text = pieces.next().unwrap_or("").to_owned();
    for piece in pieces {
        let (number, rest) = piece.split_once(')').unwrap_or((piece, ""));
        let part = number.parse().ok().and_then(|number: usize| design.names.get(number));
        text += part.map_or(number, |part| &part.name);
        text += rest;
    }
    text
}

/// When a run begins to count and when it ends, and what is measured from when on.
fn windows(cell: &Cell, question: &Question) -> String {
    let end = match &cell.drain {
        None => format!("{}, the end", cell.length),
        Some(drain) => format!(
            "the end of the last request; the last one arrives at {}, and is waited for no longer than {}",
            drain.last.since(Time::ZERO),
            drain.patience
        ),
    };
    let from = match question.warmup {
        Warmup::Span(span) => format!("{span}"),
        Warmup::Auto => "where MSER-5 finds latencies settled".to_owned(),
    };
    let mut text = format!("\nmeasured from {from} to {end}\n");
    if let Some(drain) = &cell.drain {
        text += &format!(
            "  per time (rate, goodput, throughput, inflight, util, peak): up to {}\n",
            drain.last.since(Time::ZERO)
        );
    }
    let conditions = cell.judged.iter().filter_map(|judged| {
        let always = matches!(judged.property.kind, PropertyKind::Always | PropertyKind::Sometimes);
        judged.condition.as_ref().map(|named| (named, always))
    });
    let measures = cell.measures.iter().map(|named| (named, false));
    let mut seen: Vec<&str> = Vec::new();
    for (named, always) in measures.chain(conditions) {
        if (always || named.expression.counts_from_zero()) && !seen.contains(&named.name.as_str()) {
            seen.push(&named.name);
            let why = if always { "watched from the start" } else { "compared with the state of a store" };
            text += &format!("  {}: counts from 0 s, {why}\n", named.name);
        }
    }
    text
}

fn of_cell(cell: &Cell, experiment: &Experiment) -> String {
    let sources = &experiment.sources;
    let design = &cell.setup.design;
    let mut text = format!("variant {}\n\nparts\n", cell.variant);
    for (index, name) in design.names.iter().enumerate() {
        let built = if cell.setup.reaches(crate::base::ids::PartId(index as u16)) {
            ""
        } else {
            " (no workload reaches it: not built)"
        };
        let runs = design.programs.0.iter().any(|program| program.part.index() == index);
        let runs =
            if runs && name.kind == DB.name { ", runs programs at the member that is asked" } else { "" };
        text += &format!("  {} {} × {}{runs}{built}\n", name.kind, name.name, name.count);
    }
    text += "\ntopology (as a drawing: --topology svg)\n";
    let topology = cell.setup.graph();
    for (from, to, what) in &topology.edges {
        let (from, to) = (&topology.nodes[*from].name, &topology.nodes[*to].name);
        text += &format!(
            "  {from} -> {to}{}\n",
            if what.is_empty() { String::new() } else { format!("    # {what}") }
        );
    }
    text += "\nknobs in force, and where each comes from\n";
    let mut parameters: BTreeMap<String, (String, String)> = BTreeMap::new();
    for (path, used) in design.defaults.iter().chain(&experiment.question.defaults) {
        parameters.insert(path.clone(), (used.value.clone(), used.source.clone()));
    }
    for kind in PLACES.iter().copied().chain(KINDS.iter().map(|kind| kind.name)) {
        if let Some(entry) = cell.tree.entry(kind) {
            written(kind, entry, sources, &mut parameters);
        }
    }
    for (path, (value, source)) in &parameters {
        text += &format!("  {path} = {value}    # {source}\n");
    }
    text += &windows(cell, &experiment.question);
    text += "\nprograms\n";
    for program in &design.programs.0 {
        let part = &design.names[program.part.index()].name;
        text += &format!("  {part}.{}({})\n", program.name, program.parameters.join(", "));
        for (place, instr) in program.code.iter().enumerate() {
            text += &format!("    {place:>4}  {}\n", named(&format!("{instr:?}"), design));
        }
    }
    text += "\nseries\n";
    for (name, series) in &design.series {
        text += &format!("  {name}    # {}, {}\n", series.kind.name(), series.unit);
    }
    text
}
