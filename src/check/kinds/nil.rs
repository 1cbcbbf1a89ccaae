//! What a read of nil says: a property of the format and the model.

use crate::check::model::Model;
use crate::check::read::Format;

/// What a read of nil says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nil {
    /// There was no value: the key had never been written, or it had been deleted.
    Absent,
    /// The value was the initial one.
    Initial,
    /// Nothing.
    Unknown,
}

impl Nil {
    /// All, with their names and what they say.
    pub const ALL: [(&str, Nil, &str); 3] = [
        ("absent", Nil::Absent, "there was no value"),
        ("initial", Nil::Initial, "the initial value was seen"),
        ("unknown", Nil::Unknown, "nothing is known"),
    ];

    /// The table. Jepsen's logs write nil for the value of a register that was not set; its EDN histories of compare-and-set registers
    /// begin at a number, and nil is what a client made of a read that told it nothing. A key of a store is there or not.
    pub fn of(format: Format, model: Model, has_initial: bool) -> Nil {
        match (model, format) {
            (Model::Kv, _) => Nil::Absent,
            (Model::Register | Model::CasRegister, Format::JepsenLog) => Nil::Initial,
            (Model::Register | Model::CasRegister, _) if has_initial => Nil::Unknown,
            (Model::Register | Model::CasRegister, _) => Nil::Initial,
            (Model::Counter | Model::Mutex | Model::Store, _) => Nil::Unknown,
        }
    }

    /// What it says, in words.
    pub fn told(self) -> &'static str {
        Self::ALL[self as usize].2
    }
}
