//! Which parameters of a store fit together. Each is right by itself by the time they come here; whatever would have no effect, or none
//! that could be meant, is said with what would be right.
//!
//! A variant or a sweep that changes `copy` alone leaves over what was given for the way to copy before: that is no mistake.

use crate::base::parameter::{Parameters, Setting};
use crate::base::problem::Problems;
use crate::components::part::{DOES_NOT_FIT, Names};
use crate::components::replication::leader::plan::Rule;
use crate::components::storage::cell::COPIES_MAX;
use crate::components::storage::pace::PerCopy;

/// A way to copy, as far as the others depend on it.
pub struct Fitting<'a> {
    /// Its form; `none` for a single copy.
    pub form: &'a str,
    /// The form's arguments.
    pub copy: &'a Parameters,
    /// How many copies.
    pub count: u32,
}

/// Says all that does not fit; true if everything does.
pub fn fits(how: &Fitting<'_>, parameters: &Parameters, names: &Names, problems: &mut Problems) -> bool {
    let before = problems.0.len();
    let mut wrong = |parameter: &str, message: String, help: &str| {
        let problem =
            match parameters.place(parameter).or(parameters.place("copies")).or(parameters.place("at")) {
                Some(place) => problems.at(DOES_NOT_FIT, place.clone(), message),
                None => problems.overall(DOES_NOT_FIT, message),
            };
        problem.help(help);
    };
    copies(how, names, &mut wrong);
    failover(how, parameters, &mut wrong);
    merge(how, parameters, &mut wrong);
    legs(how, parameters, &mut wrong);
    problems.0.len() == before
}

type Wrong<'w> = dyn FnMut(&str, String, &str) + 'w;

/// How many there are, and how many are asked of them.
fn copies(how: &Fitting<'_>, names: &Names, wrong: &mut Wrong<'_>) {
    let Fitting { form, copy, count } = how;
    if *form == "none" {
        if *count > 1 {
            let message = format!("'{}' has {count} copies, and nothing says how they agree", names.name);
            wrong("copies", message, "write `copy = \"quorum(r=2, w=2)\"`, or `copies = 1`");
        }
        return;
    }
    if *count as usize > COPIES_MAX {
        wrong("copies", format!("{count} copies: at most {COPIES_MAX}"), "write `copies = 3`");
        return;
    }
    let asked: &[&str] = match *form {
        "quorum" => &["r", "w"],
        "sync" => &["of"],
        _ => &[],
    };
    for parameter in asked.iter().filter(|parameter| copy.count(parameter) > u64::from(*count)) {
        let asked = copy.count(parameter);
        let message = format!("`{parameter}={asked}` of '{}', which has {count} copies", names.name);
        wrong("copy", message, "a quorum has at most as many members as there are copies");
    }
    for parameter in ["apply", "lag"] {
        let distributions = PerCopy::of(copy, parameter).len();
        if distributions > 1 && distributions != *count as usize {
            let message = format!(
                "`{parameter}` has {distributions} distributions, and '{}' has {count} copies",
                names.name
            );
            wrong("copy", message, "write one distribution for all copies, or one for each");
        }
    }
}

/// Whether somebody can lead, and who takes over.
fn failover(how: &Fitting<'_>, parameters: &Parameters, wrong: &mut Wrong<'_>) {
    let given = parameters.get("failover").is_some();
    match how.form {
        "async" | "sync" => {
            if let Some(Setting::Constructor(_, after)) = parameters.get("failover") {
                takes_over(how, after, wrong);
            }
            if !given && how.copy.word("begin") == "election" {
                let message = "`begin=election` without `failover`: nobody would ever lead".to_owned();
                wrong("copy", message, "write `failover = \"after(5s)\"`, or leave `begin` out");
            }
        }
        "raft" if how.copy.distribution("election").most() <= how.copy.span("heartbeat").as_ns() as f64 => {
            let message = format!(
                "members stand for election before the next heartbeat, which comes every {}",
                how.copy.span("heartbeat")
            );
            wrong(
                "copy",
                message,
                "let the election timeout be several heartbeats: `raft(election=uniform(150ms, 300ms), heartbeat=50ms)`",
            );
        }
        _ if !given || parameters.is_left_over("failover", "copy") => {}
        "raft" => wrong(
            "failover",
            "`failover` does not apply to `raft`, which elects its leaders by itself".to_owned(),
            "leave it out; `raft(election=uniform(150ms, 300ms))` says when",
        ),
        form => {
            let why = if form == "none" { "one copy has nobody to take over" } else { "nobody leads" };
            let message = format!("`failover` does not apply to `{form}`: {why}");
            wrong("failover", message, "leave it out, or write `copy = \"async\"`");
        }
    }
}

/// Whether there are votes enough without the leader that is lost, and whether a leader that is there is heard in time.
fn takes_over(how: &Fitting<'_>, after: &Parameters, wrong: &mut Wrong<'_>) {
    let rule = match how.form {
        "sync" => Rule::Copies(u8::try_from(how.copy.count("of")).unwrap_or(u8::MAX)),
        _ => Rule::Leader,
    };
    let (count, votes) = (how.count, rule.votes(how.count));
    if after.word("by") == "majority" && votes >= count {
        let message = match how.form {
            "sync" => format!(
                "with {count} copies and `of={}` a new leader needs {votes} votes, and {} copies are left",
                how.copy.count("of"),
                count - 1
            ),
            _ => format!(
                "a majority of {count} copies is {votes}, and only {} is left without the leader",
                count - 1
            ),
        };
        wrong(
            "failover",
            message,
            "give it three copies or more, or let each decide alone: `after(5s, by=each)`",
        );
    }
    let (span, heartbeat) = (after.span("span"), how.copy.span("heartbeat"));
    if span <= heartbeat {
        let message =
            format!("a leader is given up after {span} without a word, and it says one every {heartbeat}");
        wrong(
            "failover",
            message,
            "wait for several heartbeats: write `after(5s)`, or a shorter `heartbeat=`",
        );
    }
}

/// What concurrent writes are merged by.
fn merge(how: &Fitting<'_>, parameters: &Parameters, wrong: &mut Wrong<'_>) {
    let merge = parameters.word("merge");
    match (how.form, merge) {
        (_, "last_write") | ("quorum" | "multi_leader", _) | ("async", "counter") => {}
        ("async", _) => wrong(
            "merge",
            "`async` has no siblings: one log orders all writes, and of two logs one is dropped".to_owned(),
            "write `merge = \"counter\"` to keep additions, or `merge = \"last_write\"`",
        ),
        _ if parameters.is_left_over("merge", "copy") => {}
        (form, _) => {
            let message =
                format!("`merge = \"{merge}\"` does not apply to `{form}`, which has nothing to merge");
            wrong("merge", message, "leave it out, or write `copy = \"quorum(r=2, w=2)\"`");
        }
    }
}

/// Which messages there are to take time.
fn legs(how: &Fitting<'_>, parameters: &Parameters, wrong: &mut Wrong<'_>) {
    let Some(Setting::Table(table)) = parameters.get("legs") else { return };
    let known: &[&str] = match how.form {
        "quorum" => &["write", "ack", "read", "reply"],
        "none" => &[],
        _ => &["write", "ack"],
    };
    let over = parameters.is_left_over("legs", "copy");
    for leg in table.keys().filter(|leg| !known.contains(&leg.as_str())) {
        let elsewhere = ["write", "ack", "read", "reply"].contains(&leg.as_str());
        if !(elsewhere && over) {
            let (message, help) = match elsewhere {
                true if how.form == "none" => {
                    ("one copy sends nothing to others".to_owned(), "leave `legs` out")
                }
                true => {
                    (format!("`{}` has no leg '{leg}'", how.form), "only a quorum reads from other copies")
                }
                false => {
                    (format!("there is no leg '{leg}'"), "the legs are `write`, `ack`, `read` and `reply`")
                }
            };
            wrong("legs", message, help);
        }
    }
}
