//! The history of a run as a file: `history.jsonl.gz`, one JSON object a line, or the same as EDN, as Jepsen writes it. Written as the run
//! goes on, so that no history is too large for the memory; `splitbrain history` reads it.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::{Args, ValueEnum};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::base::problem::nearest;
use crate::base::quantity::{Quantity, Unit};
use crate::base::time::Time;
use crate::check::kinds::PART;
use crate::experiment::cell::Cell;
use crate::experiment::export::{Event, Kind, Said, Teller};
use crate::experiment::setup::Setup;
use crate::experiment::telling::Happening;
use crate::experiment::{Experiment, run};
use crate::faults::plan::Occurrence;

/// What is recorded of the first run.
#[derive(Debug, Default, Args)]
pub struct Recording {
    /// Record the history of the first run, of the first variant and point unless `--variant` and `--set` choose: `history.jsonl.gz`
    #[arg(long)]
    pub history: bool,
    /// How it is written
    #[arg(long, value_enum, default_value_t = Written::Jsonl, requires = "history", value_name = "FORMAT")]
    pub history_format: Written,
    /// Do not compress it
    #[arg(long, requires = "history")]
    pub history_plain: bool,
    /// Only operations on this store, table or row: `kv`, `kv.balance`, `kv.balance[17]`; may be given again
    #[arg(long, requires = "history", value_name = "TABLE")]
    pub history_table: Vec<String>,
    /// Only operations of this program; may be given again. Such a part is for reading: it does not show what others wrote
    #[arg(long, requires = "history", value_name = "PROGRAM")]
    pub history_program: Vec<String>,
    /// Only operations that begin in this stretch of the run, `20s..40s`. Such a part is for reading, too
    #[arg(long, requires = "history", value_name = "FROM..TO")]
    pub history_window: Option<String>,
}

/// How a history is written down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Written {
    /// A JSON object a line
    #[default]
    Jsonl,
    /// As Jepsen writes it
    Edn,
}

/// What of a history is kept.
#[derive(Debug, Default)]
struct Filter {
    tables: Vec<String>,
    programs: Vec<String>,
    /// Nanoseconds: from, and to where it ends.
    window: Option<(u64, u64)>,
    /// Who does something that is kept.
    busy: BTreeSet<u64>,
}

impl Recording {
    /// Says what is wrong with what was asked, before anything runs.
    ///
    /// # Errors
    /// What it is, and what would be right.
    pub fn check(&self, experiment: &Experiment) -> Result<(), String> {
        match experiment.cells.first() {
            Some(cell) if self.history => self.filter(&cell.setup).map(drop),
            _ => Ok(()),
        }
    }

    fn filter(&self, setup: &Setup) -> Result<Filter, String> {
        let design = &setup.design;
        let mut tables: Vec<String> = Vec::new();
        for (part, names) in design.names.iter().zip(&design.naming.tables) {
            if !names.is_empty() {
                tables.push(part.name.clone());
                tables.extend(names.iter().map(|table| format!("{}.{table}", part.name)));
            }
        }
        for asked in &self.history_table {
            let table = asked.split_once('[').map_or(asked.as_str(), |(table, _)| table);
            known("table", table, &tables)?;
        }
        let programs: Vec<String> = design.programs.0.iter().map(|program| program.name.clone()).collect();
        for asked in &self.history_program {
            known("program", asked, &programs)?;
        }
        let window = self.history_window.as_deref().map(window).transpose()?;
        let (tables, programs) = (self.history_table.clone(), self.history_program.clone());
        Ok(Filter { tables, programs, window, busy: BTreeSet::new() })
    }

    /// Writes the history of the first run of a cell into a folder; false if it was interrupted.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(
        &self,
        experiment: &Experiment,
        cell: &Cell,
        folder: &Path,
        cancelled: &AtomicBool,
    ) -> io::Result<bool> {
        let mut filter = self.filter(&cell.setup).map_err(io::Error::other)?;
        let ending = match self.history_format {
            Written::Jsonl => "jsonl",
            Written::Edn => "edn",
        };
        let packed = if self.history_plain { "" } else { ".gz" };
        let file = BufWriter::new(File::create(folder.join(format!("history.{ending}{packed}")))?);
        let mut out = Out::new(file, self.history_plain);
        if let Some(part) = filter.part() {
            out.write(part_event(self.history_format, &part).as_bytes())?;
        }
        let mut teller = Teller::new(&cell.setup);
        let mut failed = None;
        let question = &experiment.question;
        let ended = run::stream(cell, question.warmup, question.seed, &mut |happens| {
            let mut lines = String::new();
            match happens {
                Happening::Moments(moments) => {
                    let events = moments.iter().map(|moment| teller.tell(moment));
                    for event in events.filter(|event| filter.keeps(event)) {
                        lines += &match self.history_format {
                            Written::Jsonl => in_json(&event),
                            Written::Edn => in_edn(&event),
                        };
                    }
                }
                Happening::Fault(at, begins, planned) => {
                    lines += &nemesis_event(self.history_format, at, begins, planned);
                }
            }
            if let Err(why) = out.write(lines.as_bytes()) {
                failed = Some(why);
                return false;
            }
            !cancelled.load(Ordering::Relaxed)
        });
        match failed {
            Some(why) => Err(why),
            None => out.finish().map(|()| ended),
        }
    }
}

impl Filter {
    /// Whether an operation begins or ends that is kept.
    fn keeps(&mut self, event: &Event) -> bool {
        if event.kind != Kind::Invoke {
            return self.busy.remove(&event.process);
        }
        let is_of = |table: &String| {
            event
                .key
                .strip_prefix(table.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        let table = self.tables.is_empty() || self.tables.iter().any(is_of);
        let program = self.programs.is_empty() || self.programs.contains(&event.program);
        let within = self.window.is_none_or(|(from, to)| (from..to).contains(&event.time_ns));
        let keeps = table && program && within;
        if keeps {
            self.busy.insert(event.process);
        }
        keeps
    }

    /// What is said of a history that lacks operations on rows that are in it.
    fn part(&self) -> Option<String> {
        let mut parts: Vec<String> = self.programs.iter().map(|name| format!("program {name}")).collect();
        parts.extend(self.window.map(|(from, to)| format!("from {from} ns to {to} ns")));
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

/// That a name is one of those there are.
fn known(what: &str, name: &str, names: &[String]) -> Result<(), String> {
    if names.iter().any(|known| known == name) {
        return Ok(());
    }
    let near = nearest(name, names.iter().map(String::as_str));
    let help = near.map_or_else(|| names.join(", "), |near| format!("did you mean `{near}`?"));
    Err(format!("no {what} is called `{name}`\nhelp: {help}"))
}

/// `20s..40s`, nanoseconds.
fn window(text: &str) -> Result<(u64, u64), String> {
    let wrong = || format!("`{text}` is no stretch of time\nhelp: write `--history-window 20s..40s`");
    let (from, to) = text.split_once("..").ok_or_else(wrong)?;
    let instant = |text: &str| {
        let quantity = Quantity::parse(text).ok().filter(|quantity| quantity.unit == Unit::Span)?;
        quantity.exact.and_then(|ns| u64::try_from(ns).ok())
    };
    match (instant(from), instant(to)) {
        (Some(from), Some(to)) if from < to => Ok((from, to)),
        _ => Err(wrong()),
    }
}

/// Where it is written to.
enum Out {
    Plain(BufWriter<File>),
    Packed(GzEncoder<BufWriter<File>>),
}

impl Out {
    fn new(file: BufWriter<File>, is_plain: bool) -> Out {
        if is_plain { Out::Plain(file) } else { Out::Packed(GzEncoder::new(file, Compression::default())) }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Out::Plain(file) => file.write_all(bytes),
            Out::Packed(file) => file.write_all(bytes),
        }
    }

    fn finish(self) -> io::Result<()> {
        match self {
            Out::Plain(mut file) => file.flush(),
            Out::Packed(file) => file.finish()?.flush(),
        }
    }
}

/// A remark, as a reader of histories passes it, that this is a part of one.
fn part_event(format: Written, part: &str) -> String {
    match format {
        Written::Jsonl => {
            format!(
                "{{\"process\":\"splitbrain\",\"type\":\"info\",\"f\":\"{PART}\",\"value\":\"{part}\"}}\n"
            )
        }
        Written::Edn => format!("{{:process \"splitbrain\", :type :info, :f :{PART}, :value \"{part}\"}}\n"),
    }
}

/// What goes wrong, as Jepsen's nemesis writes it: `start-split` and `stop-split`, and the name alone of what happens at an instant.
fn nemesis_event(format: Written, at: Time, begins: bool, planned: &Occurrence) -> String {
    let f = match (planned.until > planned.at, begins) {
        (false, true) => planned.fault.clone(),
        (false, false) => return String::new(),
        (true, true) => format!("start-{}", planned.fault),
        (true, false) => format!("stop-{}", planned.fault),
    };
    let at = at.as_ns();
    match format {
        Written::Jsonl => format!(
            "{{\"process\":\"nemesis\",\"type\":\"info\",\"f\":\"{f}\",\"value\":null,\"time\":{at}}}\n"
        ),
        Written::Edn => format!("{{:process :nemesis, :type :info, :f :{f}, :value nil, :time {at}}}\n"),
    }
}

fn in_json(event: &Event) -> String {
    let value = match event.value {
        Said::Nothing => "null".to_owned(),
        Said::One(value) => value.to_string(),
        Said::Two(first, second) => format!("[{first},{second}]"),
    };
    let mut line = format!(
        "{{\"process\":{},\"type\":\"{}\",\"f\":\"{}\",\"key\":\"{}\",\"value\":{value},\"time\":{}",
        event.process,
        event.kind.name(),
        event.f,
        event.key,
        event.time_ns
    );
    if let Some(n) = event.n {
        line += &format!(",\"n\":{n}");
    }
    if let Some((when, bound, start)) = event.failed {
        line += &format!(",\"when\":\"{}\",\"bound\":{bound},\"start\":{start}", when.sign());
    }
    if !event.program.is_empty() {
        line += &format!(",\"program\":\"{}\"", event.program);
    }
    line + "}\n"
}

fn in_edn(event: &Event) -> String {
    let value = match event.value {
        Said::Nothing => "nil".to_owned(),
        Said::One(value) => value.to_string(),
        Said::Two(first, second) => format!("[{first} {second}]"),
    };
    let mut line = format!(
        "{{:process {}, :type :{}, :f :{}, :key \"{}\", :value {value}, :time {}",
        event.process,
        event.kind.name(),
        event.f,
        event.key,
        event.time_ns
    );
    if let Some(n) = event.n {
        line += &format!(", :n {n}");
    }
    if let Some((when, bound, start)) = event.failed {
        line += &format!(", :when \"{}\", :bound {bound}, :start {start}", when.sign());
    }
    if !event.program.is_empty() {
        line += &format!(", :program \"{}\"", event.program);
    }
    line + "}\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::op::When;

    #[test]
    fn events_are_written_as_others_read_them() {
        let event = Event {
            process: 7,
            kind: Kind::Ok,
            f: "update",
            key: "kv.balance[17]".to_owned(),
            value: Said::Two(0, 812),
            n: Some(90),
            failed: None,
            time_ns: 61_000,
            program: "pay".to_owned(),
        };
        assert_eq!(
            in_json(&event),
            "{\"process\":7,\"type\":\"ok\",\"f\":\"update\",\"key\":\"kv.balance[17]\",\"value\":[0,812],\"time\":61000,\
             \"n\":90,\"program\":\"pay\"}\n"
        );
        let failed = Event {
            kind: Kind::Fail,
            value: Said::Nothing,
            n: None,
            failed: Some((When::AtLeast, 10, 100)),
            ..event
        };
        assert_eq!(
            in_edn(&failed),
            "{:process 7, :type :fail, :f :update, :key \"kv.balance[17]\", :value nil, :time 61000, :when \">=\", :bound 10, \
             :start 100, :program \"pay\"}\n"
        );
    }

    #[test]
    fn a_filter_keeps_operations_whole() {
        let mut filter =
            Filter { tables: vec!["kv.b".to_owned()], window: window("1us..2us").ok(), ..Filter::default() };
        let event = |process, kind, key: &str, time_ns| Event {
            process,
            kind,
            f: "read",
            key: key.to_owned(),
            value: Said::Nothing,
            n: None,
            failed: None,
            time_ns,
            program: "see".to_owned(),
        };
        let mut keeps = |process, kind, key, time_ns| filter.keeps(&event(process, kind, key, time_ns));
        assert!(keeps(1, Kind::Invoke, "kv.b[3]", 1_500));
        assert!(!keeps(2, Kind::Invoke, "kv.balance[3]", 1_500), "another table");
        assert!(!keeps(3, Kind::Invoke, "kv.b[3]", 2_000), "too late");
        assert!(keeps(1, Kind::Ok, "kv.b[3]", 2_500), "it had begun");
        assert!(!keeps(2, Kind::Ok, "kv.balance[3]", 2_500));
        assert_eq!(filter.part().as_deref(), Some("from 1000 ns to 2000 ns"));
        for wrong in ["1s", "2s..1s", "a..b", "1..2", "1s..1s"] {
            assert!(window(wrong).is_err(), "{wrong}");
        }
    }
}
