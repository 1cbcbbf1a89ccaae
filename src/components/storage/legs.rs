//! What messages between copies take on top of the network, by kind: a distribution for each leg of a request's way.

use std::collections::BTreeMap;

use crate::base::dist::Dist;
use crate::base::parameter::{Parameter, ParameterType, Parameters, Preset, Setting};

/// The parameter.
pub const LEGS: Parameter = Parameter {
    name: "legs",
    takes: ParameterType::Table(&ParameterType::Distribution),
    default: Preset::Is { text: "{}", source: "the network's latency is all there is" },
    doc: "What messages between copies take on top of the network, by kind: `{ write = …, ack = …, read = …, reply = … }`; only a \
          quorum's coordinator reads from other copies.",
};

/// A distribution for each kind of message between copies; `None`: nothing on top of the network.
#[derive(Clone, Debug, Default)]
pub struct WarsDelays {
    /// A write, to a copy.
    pub write: Option<Dist>,
    /// Its acknowledgement.
    pub ack: Option<Dist>,
    /// A read, to a copy.
    pub read: Option<Dist>,
    /// Its answer.
    pub reply: Option<Dist>,
}

impl WarsDelays {
    /// From checked parameters.
    pub fn of(parameters: &Parameters) -> WarsDelays {
        let none = BTreeMap::new();
        let table = match parameters.get("legs") {
            Some(Setting::Table(table)) => table,
            _ => &none,
        };
        let distribution = |leg: &str| match table.get(leg) {
            Some(Setting::Distribution(distribution)) => Some(distribution.clone()),
            _ => None,
        };
        WarsDelays {
            write: distribution("write"),
            ack: distribution("ack"),
            read: distribution("read"),
            reply: distribution("reply"),
        }
    }
}
