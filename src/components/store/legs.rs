//! What messages between copies take on top of the network, by kind: a law for each leg of a request's way.

use std::collections::BTreeMap;

use crate::base::dist::Dist;
use crate::base::knob::{Knob, Knobs, Preset, Setting, Takes};

/// The knob.
pub const LEGS: Knob = Knob {
    name: "legs",
    takes: Takes::Table(&Takes::Law),
    default: Preset::Is { text: "{}", source: "the network's latency is all there is" },
    doc: "What messages between copies take on top of the network, by kind: `{ write = …, ack = …, read = …, reply = … }`; only a \
          quorum's coordinator reads from other copies.",
};

/// A law for each kind of message between copies; `None`: nothing on top of the network.
#[derive(Clone, Debug, Default)]
pub struct Legs {
    /// A write, to a copy.
    pub write: Option<Dist>,
    /// Its acknowledgement.
    pub ack: Option<Dist>,
    /// A read, to a copy.
    pub read: Option<Dist>,
    /// Its answer.
    pub reply: Option<Dist>,
}

impl Legs {
    /// From checked knobs.
    pub fn of(knobs: &Knobs) -> Legs {
        let none = BTreeMap::new();
        let table = match knobs.get("legs") {
            Some(Setting::Table(table)) => table,
            _ => &none,
        };
        let law = |leg: &str| match table.get(leg) {
            Some(Setting::Law(law)) => Some(law.clone()),
            _ => None,
        };
        Legs { write: law("write"), ack: law("ack"), read: law("read"), reply: law("reply") }
    }
}
