//! What objects may do, one operation after the other.

use crate::check::history::{Call, NIL, Texts};

/// An object that recorded histories are judged against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Model {
    /// Reads and writes.
    Register,
    /// Reads, writes and compare-and-set.
    CasRegister,
    /// Many registers by key, whose texts can also be appended to.
    Kv,
    /// Additions and reads.
    Counter,
    /// A lock that one process holds at a time.
    Mutex,
    /// Rows of a store as `splitbrain run --history` records them: versions, or additions where these add up.
    Store,
}

impl Model {
    /// All, with their names.
    pub const ALL: [(&str, Model); 6] = [
        ("register", Model::Register),
        ("cas-register", Model::CasRegister),
        ("kv", Model::Kv),
        ("counter", Model::Counter),
        ("mutex", Model::Mutex),
        ("store", Model::Store),
    ];

    /// Whether the object has such an operation.
    pub fn has(self, call: Call) -> bool {
        match call {
            Call::Read(_) => self != Model::Mutex,
            Call::Write(_) => !matches!(self, Model::Counter | Model::Mutex),
            Call::Cas(..) | Call::Differs(_) => {
                matches!(self, Model::CasRegister | Model::Kv | Model::Store)
            }
            Call::Add(..) => matches!(self, Model::Counter | Model::Store),
            Call::Append(_) => self == Model::Kv,
            Call::Acquire | Call::Release => self == Model::Mutex,
        }
    }

    /// Whether it has values that are written and read.
    pub fn has_values(self) -> bool {
        !matches!(self, Model::Counter | Model::Mutex)
    }

    /// The state before the first operation where nobody says otherwise.
    pub fn initial(self, texts: &mut Texts) -> i64 {
        match self {
            Model::Register | Model::CasRegister => NIL,
            Model::Kv => texts.value(""),
            Model::Counter | Model::Mutex | Model::Store => 0,
        }
    }
}

/// The state after `call` in `state`, if it can have happened there. A call that was told nothing, being pending, can
/// always happen.
pub fn step(state: i64, call: Call, texts: &mut Texts) -> Option<i64> {
    match call {
        Call::Read(value) => (value == state).then_some(state),
        Call::Write(value) => Some(value),
        Call::Cas(from, to) => (from == state).then_some(to),
        Call::Differs(from) => (from != state).then_some(state),
        Call::Add(by, seen) => {
            let new = state.checked_add(by)?;
            seen.is_none_or(|seen| seen == new).then_some(new)
        }
        Call::Append(value) => Some(texts.joined(state, value)),
        Call::Acquire => (state == 0).then_some(1),
        Call::Release => (state == 1).then_some(0),
    }
}

/// Whether a call that leaves a state as it is would leave every state so in which it can happen. A write of the value that
/// is there would not.
pub fn only_looks(call: Call) -> bool {
    !matches!(call, Call::Write(_))
}
