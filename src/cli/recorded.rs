//! The history of a run as files: `history.jsonl`, one JSON object a line, and `history.edn`, as Jepsen writes them. Written as the run goes
//! on, so that no history is too large for the memory; `splitbrain history --model store` reads both.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::experiment::export::{Event, Said, Teller};
use crate::experiment::load::Cell;
use crate::experiment::{Experiment, trial};

/// Writes the history of the first run of a cell into a folder; false if it was interrupted.
///
/// # Errors
/// When a file cannot be written.
pub fn write(
    experiment: &Experiment,
    cell: &Cell,
    folder: &Path,
    cancelled: &AtomicBool,
) -> io::Result<bool> {
    let create = |name: &str| File::create(folder.join(name)).map(BufWriter::new);
    let (mut json, mut edn) = (create("history.jsonl")?, create("history.edn")?);
    let mut teller = Teller::new(&cell.setup);
    let mut failed = None;
    let question = &experiment.question;
    let ended = trial::stream(cell, question.warmup, question.seed, &mut |moments| {
        for moment in moments {
            let event = teller.tell(moment);
            let written = json.write_all(in_json(&event).as_bytes());
            if let Err(why) = written.and_then(|()| edn.write_all(in_edn(&event).as_bytes())) {
                failed = Some(why);
                return false;
            }
        }
        !cancelled.load(Ordering::Relaxed)
    });
    match failed {
        Some(why) => Err(why),
        None => json.flush().and_then(|()| edn.flush()).map(|()| ended),
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
    use crate::experiment::export::Kind;

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
}
