//! How a store's copies agree: the knobs, and what they make of a plan.

use crate::base::dist::Dist;
use crate::base::knob::{Form, Knob, Knobs, Preset, Setting, Takes};
use crate::base::problem::Problems;
use crate::base::time::Span;
use crate::components::quorum::cell::{COPIES_MAX, Merge};
use crate::components::quorum::{self, Legs, Twin};
use crate::components::store::Plan;
use crate::components::{DOES_NOT_FIT, Names};

/// How many copies.
pub const COPIES: Knob = Knob {
    name: "copies",
    takes: Takes::Count { min: 1, max: COPIES_MAX as u64 },
    default: Preset::Absent,
    doc: "How many copies of the data, 1 to 9, one in each zone of `at` in turn; without it as many as `at` has zones.",
};

/// How they agree.
pub const COPY: Knob = Knob {
    name: "copy",
    takes: Takes::Form(FORMS),
    default: Preset::Absent,
    doc: "How several copies agree; it must be given when there are several.",
};

/// What becomes of concurrent writes.
pub const MERGE: Knob = Knob {
    name: "merge",
    takes: Takes::Word(&["last_write", "siblings", "counter"]),
    default: Preset::Is { text: "last_write", source: "Cassandra" },
    doc: "What becomes of concurrent writes of a quorum: the newer clock wins, both stay until somebody replaces them, \
          additions add up.",
};

/// What messages between copies take.
pub const LEGS: Knob = Knob {
    name: "legs",
    takes: Takes::Table(&Takes::Law),
    default: Preset::Is { text: "{}", source: "the network's latency is all there is" },
    doc: "What messages between a coordinator and the copies take on top of the network, by kind: \
          `{ write = …, ack = …, read = …, reply = … }`.",
};

/// How long clients avoid a member.
pub const AVOID: Knob = Knob {
    name: "avoid",
    takes: Takes::Span { min: Span::ZERO, max: Span::MAX },
    default: Preset::Is { text: "5s", source: "a few times the patience of one request" },
    doc: "How long a client that had no answer from one of several members asks the next nearest instead.",
};

const FORMS: &[Form] = &[Form {
    name: "quorum",
    knobs: &[
        Knob {
            name: "r",
            takes: Takes::Count { min: 1, max: COPIES_MAX as u64 },
            default: Preset::Required,
            doc: "How many copies must answer a read.",
        },
        Knob {
            name: "w",
            takes: Takes::Count { min: 1, max: COPIES_MAX as u64 },
            default: Preset::Required,
            doc: "How many copies must have a write safe.",
        },
        Knob {
            name: "repair",
            takes: Takes::Switch,
            default: Preset::Is { text: "true", source: "Dynamo, section 5: read repair" },
            doc: "Whether copies that answer a read with old values are brought up to date.",
        },
        Knob {
            name: "hints",
            takes: Takes::Span { min: Span::ZERO, max: Span::MAX },
            default: Preset::Is { text: "10s", source: "Cassandra: hints are dispatched every 10 s" },
            doc: "How often writes that a copy has not confirmed are sent to it again; 0s for never.",
        },
    ],
    doc: "No leader: whoever is asked asks all copies at once and waits for R or W of them.",
}];

/// How a store's copies agree.
#[derive(Clone, Debug)]
pub enum Copies {
    /// There is one.
    One(Plan),
    /// By quorums.
    Quorum(quorum::Plan),
}

/// From checked knobs; says what does not fit together.
pub fn copies(
    knobs: &Knobs,
    names: &Names,
    plan: Plan,
    patience: Span,
    problems: &mut Problems,
) -> Option<Copies> {
    let count = names.parts[names.me.index()].count;
    let wrong = |knob: &str, message: String, help: &str, problems: &mut Problems| {
        let problem = match knobs.place(knob).or(knobs.place("copies")).or(knobs.place("at")) {
            Some(place) => problems.at(DOES_NOT_FIT, place.clone(), message),
            None => problems.overall(DOES_NOT_FIT, message),
        };
        problem.help(help);
    };
    let Some(Setting::Form(_, quorum)) = knobs.get("copy") else {
        if count > 1 {
            let message = format!("'{}' has {count} copies, and nothing says how they agree", names.name);
            wrong("copies", message, "write `copy = \"quorum(r=2, w=2)\"`, or `copies = 1`", problems);
            return None;
        }
        return Some(Copies::One(plan));
    };
    if count as usize > COPIES_MAX {
        wrong("copies", format!("{count} copies: at most {COPIES_MAX}"), "write `copies = 3`", problems);
        return None;
    }
    let member = |knob: &str| u8::try_from(quorum.count(knob)).unwrap_or(u8::MAX);
    for knob in ["r", "w"] {
        if u32::from(member(knob)) > count {
            let message = format!("`{knob}={}` of '{}', which has {count} copies", member(knob), names.name);
            wrong("copy", message, "a quorum has at most as many members as there are copies", problems);
            return None;
        }
    }
    let merge = match knobs.word("merge") {
        "siblings" => Merge::Siblings,
        "counter" => Merge::Counter,
        _ => Merge::LastWrite,
    };
    let hints = Some(quorum.span("hints")).filter(|every| *every > Span::ZERO);
    Some(Copies::Quorum(quorum::Plan {
        store: plan,
        copies: u8::try_from(count).unwrap_or(u8::MAX),
        r: member("r"),
        w: member("w"),
        merge,
        repair: quorum.switch("repair"),
        hints,
        patience,
        legs: legs(knobs, problems)?,
        twin: Twin::Sound,
    }))
}

fn legs(knobs: &Knobs, problems: &mut Problems) -> Option<Legs> {
    let Some(Setting::Table(table)) = knobs.get("legs") else { return Some(Legs::default()) };
    let known = ["write", "ack", "read", "reply"];
    if let Some(other) = table.keys().find(|key| !known.contains(&key.as_str())) {
        let message = format!("there is no leg '{other}'");
        let problem = match knobs.place("legs") {
            Some(place) => problems.at(DOES_NOT_FIT, place.clone(), message),
            None => problems.overall(DOES_NOT_FIT, message),
        };
        problem.help("the legs are `write`, `ack`, `read` and `reply`");
        return None;
    }
    let law = |leg: &str| -> Option<Dist> {
        match table.get(leg) {
            Some(Setting::Law(law)) => Some(law.clone()),
            _ => None,
        }
    };
    Some(Legs { write: law("write"), ack: law("ack"), read: law("read"), reply: law("reply") })
}
