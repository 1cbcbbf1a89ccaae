//! Recorded histories of transactions, of a bank, of a set.
//!
//! A transaction is one operation `:txn` whose value lists its actions, `[[:append 1 2] [:r 1 nil]]` or `[[:w 1 2] [:r 1 nil]]`; its
//! completion fills in what was read. A bank has `:transfer`s and `:read`s of a map of balances, a set `:add`s and `:read`s of a
//! list.

use std::collections::BTreeMap;

use crate::check::history::{NIL, PENDING, Texts};
use crate::check::read::{Datum, Event, Format, Kind, Malformed, events, malformed, number};
use crate::check::transactions::bank::Balances;
use crate::check::transactions::set::{Addition, Sight};
use crate::check::transactions::{Action, Fate, Transaction, Transactions, What};

/// What such a history is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Model {
    /// Transactions on lists that are appended to.
    ListAppend,
    /// Transactions on registers.
    RwRegister,
    /// Accounts.
    Bank,
    /// A set that is added to.
    Set,
}

impl Model {
    /// All, with their names.
    pub const ALL: [(&str, Model); 4] = [
        ("list-append", Model::ListAppend),
        ("rw-register", Model::RwRegister),
        ("bank", Model::Bank),
        ("set", Model::Set),
    ];
}

/// A history, ready to be judged.
#[derive(Clone, Debug)]
pub enum Recorded {
    /// Of lists or registers.
    Transactions(Transactions),
    /// Of a bank: the reads, and how many operations there were.
    Bank(Vec<Balances>, usize),
    /// Of a set.
    Set {
        /// What may have been added.
        additions: Vec<Addition>,
        /// What was seen.
        sights: Vec<Sight>,
        /// What elements mean.
        texts: Texts,
        /// Operations in all.
        operations: usize,
    },
}

/// Reads a history.
///
/// # Errors
/// The first line that makes no sense.
pub fn read(text: &str, format: Format, model: Model) -> Result<Recorded, Malformed> {
    let events = events(text, format)?;
    let operations = operations(&events);
    match model {
        Model::ListAppend | Model::RwRegister => transactions(&operations, model).map(Recorded::Transactions),
        Model::Bank => bank(&operations),
        Model::Set => set(&operations),
    }
}

/// An operation: its invocation, or its completion where only that was recorded, and what became of it.
struct Operation<'a> {
    process: u64,
    invoke: &'a Event,
    began: u64,
    /// The completion and where it stands in the order of all events.
    end: Option<(&'a Event, u64)>,
}

impl Operation<'_> {
    fn kind(&self) -> Kind {
        self.end.map_or(Kind::Info, |(end, _)| end.kind)
    }

    /// What it returned, if it succeeded.
    fn result(&self) -> Option<&Datum> {
        self.end.filter(|(end, _)| end.kind == Kind::Ok).map(|(end, _)| &end.value)
    }

    fn returned(&self) -> u64 {
        self.end.filter(|(end, _)| end.kind == Kind::Ok).map_or(PENDING, |(_, place)| place)
    }
}

/// Invocations with their completions, in the order of the invocations.
fn operations(events: &[Event]) -> Vec<Operation<'_>> {
    let mut operations: Vec<Operation<'_>> = Vec::new();
    let mut open: BTreeMap<&str, usize> = BTreeMap::new();
    let mut processes: BTreeMap<String, u64> = BTreeMap::new();
    for (order, event) in (0u64..).zip(events) {
        let name = event.process.as_str();
        let opened = if event.kind == Kind::Invoke { None } else { open.remove(name) };
        let place = opened.unwrap_or_else(|| {
            let process = number(&mut processes, name);
            operations.push(Operation { process, invoke: event, began: order, end: None });
            operations.len() - 1
        });
        if event.kind == Kind::Invoke {
            open.insert(name, place);
            continue;
        }
        operations[place].end = Some((event, order));
        if event.kind == Kind::Info {
            processes.remove(name); // the name may come again, but it is somebody else's
        }
    }
    operations
}

fn wrong<T>(event: &Event, model: &str) -> Result<T, Malformed> {
    Err(malformed(event.line, format!("a {model} has no operation `{}`", event.f)))
}

fn value(texts: &mut Texts, datum: &Datum, line: usize) -> Result<i64, Malformed> {
    match datum {
        Datum::Nil => Ok(NIL),
        Datum::Number(number) if number.unsigned_abs() < 1 << 62 => Ok(*number),
        Datum::Text(text) => Ok(texts.value(text)),
        _ => Err(malformed(line, "this value is neither a number nor a text")),
    }
}

/// A datum as somebody would write it.
fn name(datum: &Datum) -> String {
    match datum {
        Datum::Nil => "nil".to_owned(),
        Datum::Number(number) => number.to_string(),
        Datum::Text(text) => text.clone(),
        other => format!("{other:?}"),
    }
}

/// Reads transactions one by one.
struct Reader {
    model: Model,
    history: Transactions,
    numbers: BTreeMap<String, u32>,
}

fn transactions(operations: &[Operation<'_>], model: Model) -> Result<Transactions, Malformed> {
    let mut reader = Reader { model, history: Transactions::default(), numbers: BTreeMap::new() };
    for operation in operations {
        if !matches!(operation.invoke.f.as_str(), "txn" | "read" | "write" | "append" | "read-write") {
            return wrong(operation.invoke, "history of transactions");
        }
        let fate = match operation.kind() {
            Kind::Ok => Fate::Committed,
            Kind::Fail => Fate::Aborted,
            Kind::Invoke | Kind::Info => Fate::Unknown,
        };
        let (value, line) = match operation.end {
            Some((end, _)) if end.kind == Kind::Ok => (&end.value, end.line),
            _ => (&operation.invoke.value, operation.invoke.line),
        };
        let Datum::List(actions) = value else {
            return Err(malformed(line, "the value of a transaction is a list of actions"));
        };
        let actions = actions.iter().map(|action| reader.action(action, fate, line));
        let actions = actions.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
        let (process, place) = (operation.process, operation.invoke.line);
        reader.history.transactions.push(Transaction { process, place, fate, actions });
    }
    Ok(reader.history)
}

impl Reader {
    /// An action, `[:append 1 2]`; `None` for a read of which nothing is known.
    fn action(&mut self, action: &Datum, fate: Fate, line: usize) -> Result<Option<Action>, Malformed> {
        let example = "an action is a list: [:r 1 nil], [:w 1 2], [:append 1 2]";
        let Datum::List(parts) = action else { return Err(malformed(line, example)) };
        let [Datum::Text(f), key, argument] = &parts[..] else { return Err(malformed(line, example)) };
        let key = self.key(&name(key));
        let texts = &mut self.history.texts;
        let what = match (f.as_str(), self.model) {
            ("r" | "read", _) if fate != Fate::Committed => return Ok(None),
            ("r" | "read", Model::ListAppend) => match argument {
                Datum::Nil => What::List(Vec::new()),
                Datum::List(seen) => {
                    let seen = seen.iter().map(|element| value(texts, element, line));
                    What::List(seen.collect::<Result<_, _>>()?)
                }
                _ => return Err(malformed(line, "a read of a list sees a list")),
            },
            ("r" | "read", _) => What::Read(value(texts, argument, line)?),
            ("w" | "write", Model::RwRegister) => What::Write(value(texts, argument, line)?),
            ("append", Model::ListAppend) => What::Append(value(texts, argument, line)?),
            (other, model) => {
                let model = Model::ALL.iter().find(|(_, known)| *known == model).map_or("", |(name, _)| name);
                return Err(malformed(line, format!("a {model} has no action `{other}`")));
            }
        };
        if matches!(what, What::Write(NIL) | What::Append(NIL)) {
            return Err(malformed(line, "nil is the initial value and cannot be written"));
        }
        Ok(Some(Action { key, what }))
    }

    fn key(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.history.keys.len() as u32;
        self.history.keys.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        number
    }
}

fn bank(operations: &[Operation<'_>]) -> Result<Recorded, Malformed> {
    let mut reads = Vec::new();
    for operation in operations {
        match operation.invoke.f.as_str() {
            "transfer" => {}
            "read" => {
                let Some(seen) = operation.result() else { continue };
                let Datum::Map(entries) = seen else {
                    return Err(malformed(operation.invoke.line, "a read of a bank sees a map of balances"));
                };
                let balance = |(account, balance): &(Datum, Datum)| match balance {
                    Datum::Number(balance) => Ok((name(account), *balance)),
                    _ => Err(malformed(operation.invoke.line, "a balance is a whole number")),
                };
                let accounts = entries.iter().map(balance).collect::<Result<_, _>>()?;
                reads.push(Balances { place: operation.invoke.line, accounts });
            }
            _ => return wrong(operation.invoke, "bank"),
        }
    }
    Ok(Recorded::Bank(reads, operations.len()))
}

fn set(operations: &[Operation<'_>]) -> Result<Recorded, Malformed> {
    let (mut additions, mut sights, mut texts) = (Vec::new(), Vec::new(), Texts::default());
    for operation in operations {
        let (place, invoked, returned) = (operation.invoke.line, operation.began, operation.returned());
        match operation.invoke.f.as_str() {
            "add" if operation.kind() == Kind::Fail => {}
            "add" => {
                let element = value(&mut texts, &operation.invoke.value, place)?;
                additions.push(Addition { element, place, invoked, returned });
            }
            "read" => {
                let elements = match operation.result() {
                    None => continue,
                    Some(Datum::Nil) => Vec::new(),
                    Some(Datum::List(seen)) => {
                        let seen = seen.iter().map(|element| value(&mut texts, element, place));
                        seen.collect::<Result<_, _>>()?
                    }
                    Some(_) => return Err(malformed(place, "a read of a set sees a list")),
                };
                sights.push(Sight { elements, place, invoked, returned });
            }
            _ => return wrong(operation.invoke, "set"),
        }
    }
    Ok(Recorded::Set { additions, sights, texts, operations: operations.len() })
}
