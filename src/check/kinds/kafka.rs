//! Logs by key, as Kafka has them and Maelstrom's `kafka` writes them (`jepsen.tests.kafka`): `[:send key message]` is answered with an offset,
//! `[:poll]` with pairs of an offset and a message by key. An operation (`send`, `poll`, `txn`) is a list of such actions; `assign` and
//! `subscribe` choose keys, `crash` ends a client.
//!
//! What is checked, by the names that Jepsen has for it: **inconsistent offsets** (two messages at one offset), **duplicates** (one message at
//! two offsets), **aborted reads** (a message whose send failed), messages from nowhere, **lost writes** (a message with a known
//! offset that nobody polled, though somebody polled a later one of the key), **nonmonotonic** polls and sends (offsets that do not grow, within
//! an operation or from one to the next of a process) and **poll skips** (a known offset passed over). From one operation to the
//! next they count until the process assigns or subscribes anew; with `subscribe` consumers are moved about, and only what happens within an
//! operation counts. That sends of an operation leave offsets to others is usual. Cycles between transactions are not looked for.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};

use crate::check::Verdict;
use crate::check::kinds::kind::{
    Asked, Judged, Kind, Refused, asks_nothing, each, everything, promised, unknown, violated,
};
use crate::check::read::attempts::{Attempt, Attempts};
use crate::check::read::datum::Datum;
use crate::check::read::{self, Malformed};

pub(super) const KAFKA: Kind = Kind {
    name: "kafka",
    about: "logs by key with offsets: nothing is lost, doubled, skipped or turned round",
    operations: &["send", "poll", "txn", "assign", "subscribe"],
    judge,
};

/// A message at an offset, as somebody was told.
#[derive(Clone)]
struct Told {
    key: Datum,
    offset: i64,
    message: Datum,
}

/// An operation that succeeded, in the order in which operations of its process began.
struct Done {
    began: u64,
    process: u64,
    line: usize,
    polled: Vec<Told>,
    sent: Vec<Told>,
    /// It chooses keys.
    chooses: bool,
}

#[derive(Default)]
struct Logs {
    done: Vec<Done>,
    /// Messages that somebody tried to send, and those whose sends failed.
    tried: FxHashSet<(Datum, Datum)>,
    failed: FxHashSet<(Datum, Datum)>,
    subscribes: bool,
}

fn judge(kind: &Kind, attempts: &mut Attempts<'_>, asked: &Asked) -> Result<Judged, Refused> {
    asks_nothing(kind, asked)?;
    let mut logs = Logs::default();
    let count = each(attempts, asked, everything, &mut |attempt| logs.add(kind, attempt))?;
    logs.done.sort_by_key(|done| (done.process, done.began));
    let verdict = logs.offsets().or_else(|| logs.orders()).unwrap_or(Verdict::Holds);
    Ok(Judged::new(verdict, count, promised("a log")))
}

impl Logs {
    fn add(&mut self, kind: &Kind, attempt: &Attempt) -> Result<(), Malformed> {
        let (line, ok) = (attempt.line, attempt.kind() == read::Kind::Ok);
        let mut done = Done {
            began: attempt.began,
            process: attempt.process,
            line,
            polled: Vec::new(),
            sent: Vec::new(),
            chooses: false,
        };
        match &*attempt.f {
            "crash" | "debug-topic-partitions" => return Ok(()),
            f @ ("assign" | "subscribe") => {
                self.subscribes |= f == "subscribe";
                done.chooses = true;
            }
            "send" | "poll" | "txn" => {
                let wrong = || {
                    Malformed::line(line, "the value is a list of actions: [[:send key message]], [[:poll]]")
                };
                let invoked = attempt.argument.elements().ok_or_else(wrong)?;
                for action in attempt.result().map_or(Some(invoked), Datum::elements).ok_or_else(wrong)? {
                    self.action(action, attempt.kind(), &mut done, line)?;
                }
            }
            _ => return Err(unknown(kind, attempt)),
        }
        if ok || done.chooses {
            self.done.push(done);
        }
        Ok(())
    }

    fn action(
        &mut self,
        action: &Datum,
        kind: read::Kind,
        done: &mut Done,
        line: usize,
    ) -> Result<(), Malformed> {
        let wrong =
            || Malformed::line(line, format!("{action} is neither [:send key message] nor [:poll {{}}]"));
        let parts = action.elements().ok_or_else(wrong)?;
        match (parts.first().and_then(Datum::word), &parts[1..]) {
            (Some("send"), [key, message]) => {
                // A completion gives the offset beside the message.
                let told = message.pair().filter(|_| kind == read::Kind::Ok);
                let message = told.map_or(message, |(_, message)| message);
                let sent = (key.clone(), message.clone());
                if kind == read::Kind::Fail {
                    self.failed.insert(sent);
                } else {
                    self.tried.insert(sent);
                }
                if let Some((Datum::Number(offset), message)) = told {
                    done.sent.push(Told { key: key.clone(), offset: *offset, message: message.clone() });
                }
            }
            (Some("poll"), [Datum::Map(logs)]) if kind == read::Kind::Ok => {
                for (key, messages) in logs {
                    for told in messages.elements().ok_or_else(wrong)? {
                        let Some((Datum::Number(offset), message)) = told.pair() else { return Err(wrong()) };
                        done.polled.push(Told {
                            key: key.clone(),
                            offset: *offset,
                            message: message.clone(),
                        });
                    }
                }
            }
            (Some("poll"), _) => {}
            _ => return Err(wrong()),
        }
        Ok(())
    }

    /// What is wrong with what is where.
    fn offsets(&self) -> Option<Verdict> {
        let mut at: BTreeMap<(&Datum, i64), (&Datum, usize)> = BTreeMap::new();
        let mut of: FxHashMap<(&Datum, &Datum), (i64, usize)> = FxHashMap::default();
        let mut polled: BTreeSet<(&Datum, i64)> = BTreeSet::new();
        for done in &self.done {
            let polls = done.polled.iter().map(|told| (told, true));
            for (told, is_poll) in polls.chain(done.sent.iter().map(|told| (told, false))) {
                let Told { key, offset, message } = told;
                let sent = (key.clone(), message.clone());
                if is_poll && !self.tried.contains(&sent) {
                    let how = if self.failed.contains(&sent) {
                        "whose send had failed"
                    } else {
                        "which nobody sent"
                    };
                    let sentence = format!("line {} polled {message} of {key}, {how}", done.line);
                    return Some(violated(sentence, vec![done.line]));
                }
                let (other, line) = *at.entry((key, *offset)).or_insert((message, done.line));
                if other != message {
                    let sentence = format!(
                        "offset {offset} of {key} is {other} in line {line} and {message} in line {}",
                        done.line
                    );
                    return Some(violated(sentence, vec![line, done.line]));
                }
                let (other, line) = *of.entry((key, message)).or_insert((*offset, done.line));
                if other != *offset {
                    let sentence = format!(
                        "{message} of {key} is at offset {other} in line {line} and at {offset} in line {}",
                        done.line
                    );
                    return Some(violated(sentence, vec![line, done.line]));
                }
                if is_poll {
                    polled.insert((key, *offset));
                }
            }
        }
        // Known, never polled, and a later one of the key was.
        let last: BTreeMap<&Datum, i64> = polled.iter().copied().collect();
        let is_lost = |((key, offset), _): &(&(&Datum, i64), &(&Datum, usize))| {
            !polled.contains(&(*key, *offset)) && last.get(key).is_some_and(|last| last > offset)
        };
        let ((key, offset), (message, line)) = at.iter().find(is_lost)?;
        let sentence = format!(
            "{message} of {key}, which line {line} sent to offset {offset}, was never polled, though offset {} was",
            last[key]
        );
        Some(violated(sentence, vec![*line]))
    }

    /// What is wrong with the order in which processes were told of it.
    fn orders(&self) -> Option<Verdict> {
        let told = self.done.iter().flat_map(|done| done.polled.iter().chain(&done.sent));
        let known: BTreeSet<(&Datum, i64)> = told.map(|told| (&told.key, told.offset)).collect();
        for of_process in self.done.chunk_by(|a, b| a.process == b.process) {
            let mut last: [BTreeMap<&Datum, (i64, usize)>; 2] = Default::default();
            for done in of_process {
                if done.chooses {
                    last[0].clear();
                }
                for (what, told) in [&done.polled, &done.sent].into_iter().enumerate() {
                    for Told { key, offset, .. } in told.iter() {
                        let before = last[what].insert(key, (*offset, done.line));
                        let Some((before, line)) = before else { continue };
                        let is_poll = what == 0;
                        if is_poll && self.subscribes && line != done.line {
                            continue;
                        }
                        let verb = if is_poll { "polled" } else { "sent to" };
                        let first = format!("line {line} {verb} offset {before} of {key}");
                        if *offset <= before {
                            let sentence = format!("{first}, and line {} then offset {offset}", done.line);
                            return Some(violated(sentence, vec![line, done.line]));
                        }
                        let mut between = known.range((key, before + 1)..(key, *offset));
                        if let Some((_, skipped)) = between.next().filter(|_| is_poll) {
                            let sentence = format!(
                                "{first}, and line {} then {offset}: {skipped} was skipped",
                                done.line
                            );
                            return Some(violated(sentence, vec![line, done.line]));
                        }
                    }
                }
            }
        }
        None
    }
}
