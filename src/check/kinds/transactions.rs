//! Transactions on several keys.
//!
//! A transaction is one operation `:txn` whose value lists its actions, `[[:append 1 2] [:r 1 nil]]` or `[[:w 1 2] [:r 1 nil]]`; its
//! completion fills in what was read. A history of completions alone is one too, without `:f` and `:process`, as Elle's are.

use rustc_hash::FxHashMap;

use crate::check::history::{NIL, PENDING};
use crate::check::kinds::kind::{Asked, Judged, Kind, Refused, knows, promised, value};
use crate::check::read::attempts::{Attempt, Attempts};
use crate::check::read::datum::Datum;
use crate::check::read::{self, Malformed};
use crate::check::transactions::{Action, Completion, Level, Transaction, Transactions, What, decide};

pub(super) const LIST_APPEND: Kind = Kind {
    name: "list-append",
    about: "transactions on lists that are appended to",
    operations: &["txn"],
    judge: |_, attempts, asked| judge(attempts, Of::Lists, asked),
};
pub(super) const RW_REGISTER: Kind = Kind {
    name: "rw-register",
    about: "transactions on registers",
    operations: &["txn"],
    judge: |_, attempts, asked| judge(attempts, Of::Registers, asked),
};

/// After so many transactions it is looked at how much memory they take.
const LOOK_EVERY: usize = 1 << 14;

/// What the keys are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// Lists that are appended to.
    Lists,
    /// Registers that are written.
    Registers,
}

impl Of {
    fn name(self) -> &'static str {
        match self {
            Of::Lists => LIST_APPEND.name,
            Of::Registers => RW_REGISTER.name,
        }
    }
}

fn judge(attempts: &mut Attempts<'_>, of: Of, asked: &Asked) -> Result<Judged, Refused> {
    let level = level(of, asked)?;
    knows(of.name(), "initial", asked.initial.is_some(), "a key begins with nil, and a list empty")?;
    let history = within(attempts, of, asked.budget.bytes)?;
    let verdict = decide(&history, level, asked.budget);
    let count = (history.transactions.len(), "transactions");
    Ok(Judged { count, ..Judged::new(verdict, 0, promised(level.name())) })
}

/// The level that is asked for: by `--isolation`, or by `--consistency`, which is then the name of one.
fn level(of: Of, asked: &Asked) -> Result<Level, Refused> {
    let all = || Level::ALL.map(|(name, _)| name).join(", ");
    let word = match (&asked.isolation, &asked.consistency) {
        (Some(one), Some(other)) if one != other => {
            let why = format!("`--isolation {one}` and `--consistency {other}` are two levels");
            return Err(Refused::Asked(why, "ask for one of them at a time".to_owned()));
        }
        (Some(word), _) | (None, Some(word)) => word,
        (None, None) => return Ok(Level::Serializable),
    };
    Level::named(word).ok_or_else(|| {
        let why = format!("`{word}` is not asked of transactions ({})", of.name());
        Refused::Asked(why, format!("the levels are {}", all()))
    })
}

/// Reads a history of transactions that takes so many bytes at most.
///
/// # Errors
/// The first line that makes no sense, or how many transactions fitted.
fn within(attempts: &mut Attempts<'_>, of: Of, bytes: u64) -> Result<Transactions, Refused> {
    let mut reader = Reader { of, history: Transactions::default(), numbers: FxHashMap::default() };
    let full = |history: &Transactions| match history.bytes() > bytes {
        true => Err(Refused::Full(history.transactions.len())),
        false => Ok(()),
    };
    while let Some(attempt) = attempts.next() {
        match reader.transaction(&attempt?)? {
            Some(transaction) => reader.history.transactions.push(transaction),
            None => attempts.pass(),
        }
        if reader.history.transactions.len().is_multiple_of(LOOK_EVERY) {
            full(&reader.history)?;
        }
    }
    full(&reader.history)?;
    reader.history.transactions.sort_by_key(|transaction| transaction.invoked);
    Ok(reader.history)
}

/// Reads transactions one by one.
struct Reader {
    of: Of,
    history: Transactions,
    numbers: FxHashMap<Datum, u32>,
}

impl Reader {
    fn transaction(&mut self, attempt: &Attempt) -> Result<Option<Transaction>, Malformed> {
        let (kind, place) = (attempt.kind(), attempt.line);
        let (value, line) = match &attempt.end {
            Some(end) if kind == read::Kind::Ok => (&end.value, end.line),
            _ => (&attempt.argument, place),
        };
        if attempt.is_alone && kind == read::Kind::Info && !matches!(value, Datum::List(_)) {
            return Ok(None); // somebody's remark
        }
        if !matches!(&*attempt.f, "" | "txn" | "read" | "write" | "append" | "read-write") {
            let why = format!("a history of transactions has no operation `{}`", attempt.f);
            return Err(Malformed::line(place, why));
        }
        let completion = match kind {
            read::Kind::Ok => Completion::Committed,
            read::Kind::Fail => Completion::Aborted,
            read::Kind::Invoke | read::Kind::Info => Completion::Unknown,
        };
        let Datum::List(actions) = value else {
            return Err(Malformed::line(line, "the value of a transaction is a list of actions"));
        };
        let mut done = Vec::with_capacity(actions.len());
        for action in actions {
            done.extend(self.action(action, completion, line)?);
        }
        let (process, invoked) = (attempt.process, attempt.began);
        let returned = if completion == Completion::Committed { attempt.returned() } else { PENDING };
        Ok(Some(Transaction { process, place, invoked, returned, completion, actions: done }))
    }

    /// An action, `[:append 1 2]`; `None` for a read of which nothing is known.
    fn action(
        &mut self,
        action: &Datum,
        completion: Completion,
        line: usize,
    ) -> Result<Option<Action>, Malformed> {
        let wrong =
            || Malformed::line(line, format!("{action} is no action: [:r 1 nil], [:w 1 2], [:append 1 2]"));
        let Datum::List(parts) = action else { return Err(wrong()) };
        let (f, key, argument) = match &parts[..] {
            [f, key, argument] => (f, key, argument),
            // Elle takes what is not there for nil.
            [f, key] => (f, key, &Datum::Nil),
            _ => return Err(wrong()),
        };
        let f = f.word().ok_or_else(wrong)?;
        let key = self.key(key);
        let texts = &mut self.history.texts;
        let what = match (f.strip_prefix(':').unwrap_or(f), self.of) {
            ("r" | "read", _) if completion != Completion::Committed => return Ok(None),
            ("r" | "read", Of::Lists) => match argument {
                Datum::Nil => What::List(self.history.see(key, &[])),
                Datum::List(seen) => {
                    let seen: Vec<i64> = seen.iter().map(|element| value(texts, element)).collect();
                    What::List(self.history.see(key, &seen))
                }
                _ => return Err(Malformed::line(line, "a read of a list sees a list")),
            },
            ("r" | "read", _) => What::Read(value(texts, argument)),
            ("w" | "write", Of::Registers) => What::Write(value(texts, argument)),
            ("append", Of::Lists) => What::Append(value(texts, argument)),
            (other, of) => {
                return Err(Malformed::line(line, format!("a {} has no action `{other}`", of.name())));
            }
        };
        if matches!(what, What::Write(NIL) | What::Append(NIL)) {
            return Err(Malformed::line(line, "nil is the initial value and cannot be written"));
        }
        Ok(Some(Action { key, what }))
    }

    fn key(&mut self, key: &Datum) -> u32 {
        if let Some(number) = self.numbers.get(key) {
            return *number;
        }
        let number = self.history.keys.len() as u32;
        self.history.keys.push(key.name());
        self.numbers.insert(key.clone(), number);
        number
    }
}
