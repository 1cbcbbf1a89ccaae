//! A kind of recorded histories: what is asked of one, what comes out, and what those share that judge them.

use crate::check::history::Texts;
use crate::check::kinds::nil::Nil;
use crate::check::read::attempts::{Attempt, Attempts};
use crate::check::read::datum::Datum;
use crate::check::read::{self, Malformed};
use crate::check::search::Budget;
use crate::check::{Verdict, Witness};

/// A kind of histories.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is of, in a few words.
    pub about: &'static str,
    /// What its operations are called.
    pub operations: &'static [&'static str],
    pub(super) judge: fn(&Kind, &mut Attempts<'_>, &Asked) -> Result<Judged, Refused>,
}

impl Kind {
    /// Judges a history. One that does not fit into memory is undecided.
    ///
    /// # Errors
    /// A line of it makes no sense, or what is asked does not fit this kind.
    pub fn judge(&self, attempts: &mut Attempts<'_>, asked: &Asked) -> Result<Judged, Refused> {
        match (self.judge)(self, attempts, asked) {
            Err(Refused::Full(operations)) => {
                let mib = asked.budget.bytes >> 20;
                let why = format!(
                    "what it is judged by takes more than {mib} MiB of memory after {operations} operations; `--memory` gives more"
                );
                Ok(Judged::new(Verdict::Unknown(why), operations, promised("decided")))
            }
            judged => judged,
        }
    }
}

/// What a remark in a history is called that says that it lacks operations on what is in it: `splitbrain run` leaves out what is not of a
/// program or a stretch of time.
pub const PART: &str = "part";

/// What is asked of a history. What is `None` nobody said.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The consistency, or the level of isolation.
    pub consistency: Option<String>,
    /// The level of isolation.
    pub isolation: Option<String>,
    /// The value of each key before the first operation.
    pub initial: Option<Datum>,
    /// What a read of nil says.
    pub nil: Option<Nil>,
    /// What a search may cost.
    pub budget: Budget,
}

impl Asked {
    /// Nothing but what is usual.
    #[cfg(feature = "internals")]
    pub fn usual() -> Asked {
        Asked { consistency: None, isolation: None, initial: None, nil: None, budget: Budget::default() }
    }
}

/// What came out.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The verdict.
    pub verdict: Verdict,
    /// How many operations there were, and what they are called.
    pub count: (usize, &'static str),
    /// What a history that holds is, and what one that is violated is.
    pub promise: (String, String),
    /// What was taken for granted, to be shown with the verdict.
    pub notes: Vec<String>,
    /// What a picture of a violation is made of: the operations of its witness and of the same objects.
    pub shown: Vec<Shown>,
}

impl Judged {
    /// Of so many operations.
    pub fn new(verdict: Verdict, operations: usize, promise: (String, String)) -> Judged {
        Judged { verdict, count: (operations, "operations"), promise, notes: Vec::new(), shown: Vec::new() }
    }
}

/// An operation as a picture shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Whose.
    pub process: String,
    /// The line of its invocation.
    pub line: usize,
    /// Its place in the order of all invocations and returns.
    pub invoked: u64,
    /// That of its return; [`crate::check::history::PENDING`] if there is none.
    pub returned: u64,
    /// What it did.
    pub text: String,
}

/// Why a history is not judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// A line of it.
    Line(Malformed),
    /// What is asked of it: what is wrong, and what would be right.
    Asked(String, String),
    /// So many of its operations take all memory that there may be; [`Kind::judge`] makes an undecided verdict of it.
    Full(usize),
}

impl From<Malformed> for Refused {
    fn from(line: Malformed) -> Refused {
        Refused::Line(line)
    }
}

/// A history holds or not, in words.
pub(super) fn promised(what: &str) -> (String, String) {
    (what.to_owned(), format!("not {what}"))
}

/// That nothing was asked of a kind that is judged by its own definition alone.
pub(super) fn asks_nothing(kind: &Kind, asked: &Asked) -> Result<(), Refused> {
    let instead = "this model is judged by its own definition, which docs/history.md states";
    knows(kind.name, "isolation", asked.isolation.is_some(), instead)?;
    knows(kind.name, "consistency", asked.consistency.is_some(), instead)?;
    knows(kind.name, "initial", asked.initial.is_some(), instead)
}

/// What a kind keeps of an operation, bytes.
pub(super) type Kept = fn(&Attempt) -> u64;

/// What is kept of an operation beside its values, at most: a place in a map and a few numbers.
pub(super) const OPERATION_BYTES: u64 = 64;

/// A kind keeps what was asked.
pub(super) fn argument(attempt: &Attempt) -> u64 {
    OPERATION_BYTES + attempt.argument.bytes()
}

/// A kind keeps what was asked and what was answered.
pub(super) fn everything(attempt: &Attempt) -> u64 {
    argument(attempt) + attempt.result().map_or(0, Datum::bytes)
}

/// Goes through a history, but for remarks of whoever had begun nothing; gives how many operations there were.
pub(super) fn each(
    attempts: &mut Attempts<'_>,
    asked: &Asked,
    kept: Kept,
    take: &mut dyn FnMut(&Attempt) -> Result<(), Malformed>,
) -> Result<usize, Refused> {
    let (mut count, mut bytes) = (0, 0);
    while let Some(attempt) = attempts.next() {
        let attempt = attempt?;
        if attempt.is_alone && attempt.kind() == read::Kind::Info {
            attempts.pass();
            continue;
        }
        count += 1;
        take(&attempt)?;
        bytes += kept(&attempt);
        if bytes > asked.budget.bytes {
            return Err(Refused::Full(count));
        }
    }
    Ok(count)
}

/// That a kind has no such operation.
pub(super) fn unknown(kind: &Kind, attempt: &Attempt) -> Malformed {
    Malformed::line(attempt.line, format!("a {} has no operation `{}`", kind.name, attempt.f))
}

pub(super) fn violated(sentence: String, operations: Vec<usize>) -> Verdict {
    Verdict::Violated(Witness { sentence, operations })
}

/// That nothing was said of what a kind does not know.
pub(super) fn knows(name: &str, word: &str, given: bool, instead: &str) -> Result<(), Refused> {
    if given {
        return Err(Refused::Asked(format!("`{name}` has no use for `--{word}`"), instead.to_owned()));
    }
    Ok(())
}

/// A value as checkers know it: a number, or a number that stands for it.
pub(super) fn value(texts: &mut Texts, datum: &Datum) -> i64 {
    texts.of(datum)
}

/// The operations that a witness names.
pub(super) fn named(witness: &Witness, line: usize) -> bool {
    witness.operations.contains(&line)
}

/// Operations of a picture at most: more are not readable.
const SHOWN_MAX: usize = 12;

/// The operations of a picture: those that are named, and those nearest to them, by (invoked, ended, whether it is named).
pub(super) fn nearest(spans: &[(u64, u64, bool)]) -> Vec<usize> {
    crate::check::nearest(spans, SHOWN_MAX)
}
