//! Measures that ask the history of a run: `lost(pay)`, `diverged(kv, before=split.end, at=after(split, 30s))`.

use std::ops::Range;

use crate::base::problem::nearest;
use crate::base::quantity::Unit;
use crate::base::time::Span;
use crate::measures::asked::{Instant, Query, QueryKind, Stat, Whose};
use crate::measures::compile::{Compiled, Compiler, error};
use crate::measures::expression::{During, Node};
use crate::measures::{ALL, Domain, Source};
use crate::program::syntax::{Arg, ArgKey, Expr, Function, Spanned, SyntaxError};

/// What a measure asks of the history, if it does.
fn what(name: &str) -> Option<QueryKind> {
    ALL.iter().find(|measure| measure.name == name).and_then(|measure| match measure.from {
        Source::History(what) => Some(what),
        Source::Record(_) => None,
    })
}

impl Compiler<'_> {
    pub(super) fn asked(&self, call: &Function, of: Domain, what: QueryKind) -> Compiled {
        let name = call.name.value.as_str();
        let (mut what, mut whose, mut during) = (what, None, During::Run);
        let (mut before, mut at) = (Instant::End, Instant::End);
        let of_reads = matches!(what, QueryKind::Staleness(_) | QueryKind::KStale(_) | QueryKind::Stale(..));
        for arg in &call.args {
            let key = match arg.key.as_ref().map(|key| &key.value) {
                None if whose.is_none() => {
                    whose = Some(self.whose(&arg.value, of)?);
                    continue;
                }
                Some(ArgKey::Name(key)) => key.as_str(),
                _ => return no_argument(arg, name, what),
            };
            match (key, what) {
                ("before", QueryKind::Diverged) => before = self.moment(&arg.value)?,
                ("at", QueryKind::Diverged) => at = self.moment(&arg.value)?,
                ("age", QueryKind::Stale(..)) => what = ages(&arg.value)?,
                ("during", _) if of_reads => during = self.during(&arg.value)?,
                _ => return no_argument(arg, name, what),
            }
        }
        let Some(whose) = whose else {
            return error(&call.name.at, format!("`{name}` of what?"), example(what));
        };
        let asked = Query { what, whose, before, at, during };
        Ok((Node::Query(Box::new(asked)), what.dimension(), what.is_condition()))
    }

    /// `p99(staleness(feed))`, `max(k_stale(kv))`: another figure of the same values.
    pub(super) fn figure(&self, outer: &Function, stat: Stat, inner: &Function) -> Compiled {
        let what = match what(&inner.name.value) {
            Some(QueryKind::Staleness(_)) => QueryKind::Staleness(stat),
            Some(QueryKind::KStale(_)) => QueryKind::KStale(stat),
            _ => {
                let message = format!("`{}` of this is not measured", outer.name.value);
                return error(
                    &inner.name.at,
                    message,
                    "write `p99(staleness(feed))` or `max(k_stale(feed))`",
                );
            }
        };
        match &outer.args[..] {
            [_] => self.asked(inner, Domain::Operations, what),
            [_, other, ..] => no_argument(other, &outer.name.value, what),
            [] => unreachable!("the inner one is among them"),
        }
    }

    /// A program, a table or a store.
    fn whose(&self, expr: &Spanned<Expr>, of: Domain) -> Result<Whose, SyntaxError> {
        let name = expr.value.to_string();
        if of == Domain::Lock {
            return match self.names.lock(&name) {
                Some(part) => Ok(Whose::Lock { part, name }),
                None => error(&expr.at, format!("`{name}` is no lock"), "name a part of kind `lock`"),
            };
        }
        if let Expr::Field(store, table) = &expr.value
            && let Some((store, table)) = self.names.table(&store.value.to_string(), &table.value)
        {
            return Ok(Whose::Table { store, table, name });
        }
        if of == Domain::Operations
            && let Some((probe, tables)) = self.names.program(&name)
        {
            if tables.is_empty() {
                let message = format!("`{name}` reads and writes no store");
                return error(
                    &expr.at,
                    message,
                    "name a program with steps on a db, or a table: `kv.balance`",
                );
            }
            return Ok(Whose::Program { probe, name, tables });
        }
        if let Some((store, tables)) = self.names.store(&name) {
            return Ok(Whose::Store { store, name, tables });
        }
        let mut known = self.names.stores();
        if of == Domain::Operations {
            known.extend(self.names.all().into_iter().filter(|name| self.names.program(name).is_some()));
        }
        let near = nearest(&name, known.iter().map(String::as_str));
        let help =
            near.map_or(format!("known: {}", known.join(", ")), |near| format!("did you mean `{near}`?"));
        let what =
            if of == Domain::Operations { "no program and no table of a db" } else { "no table of a db" };
        error(&expr.at, format!("{what} is called `{name}`"), help)
    }

    /// `split.start`, `split.end`, `after(split, 30s)`, `70s`.
    fn moment(&self, expr: &Spanned<Expr>) -> Result<Instant, SyntaxError> {
        match &expr.value {
            Expr::Field(fault, edge) if ["start", "end"].contains(&edge.value.as_str()) => {
                let fault = self.fault(&fault.value.to_string(), &fault.at)?;
                Ok(if edge.value == "end" { Instant::Ends(fault) } else { Instant::Begins(fault) })
            }
            Expr::Call(call) if call.name.value == "after" && call.args.len() == 2 => {
                let (of, span) = (&call.args[0].value, &call.args[1].value);
                Ok(Instant::After(self.fault(&of.value.to_string(), &of.at)?, span_of(span)?))
            }
            Expr::Number(_) => Ok(Instant::At(span_of(expr)?)),
            other => error(
                &expr.at,
                format!("`{other}` is no instant of the run"),
                "write `split.end`, `split.start`, `after(split, 30s)` or `70s`",
            ),
        }
    }

    fn fault(&self, name: &str, at: &Range<usize>) -> Result<String, SyntaxError> {
        if self.names.fault(name) {
            return Ok(name.to_owned());
        }
        error(at, format!("there is no fault `{name}`"), "name a fault of this experiment")
    }
}

/// A length of time.
pub(super) fn span_of(expr: &Spanned<Expr>) -> Result<Span, SyntaxError> {
    match &expr.value {
        Expr::Number(quantity) if quantity.unit == Unit::Span => Ok(Span::from_ns(quantity.value as u64)),
        _ => error(&expr.at, "this is no span", "write `30s`"),
    }
}

/// `10ms..20ms`, or `10ms` for at least that old.
fn ages(expr: &Spanned<Expr>) -> Result<QueryKind, SyntaxError> {
    match &expr.value {
        Expr::Range(from, until) => Ok(QueryKind::Stale(span_of(from)?, span_of(until)?)),
        _ => Ok(QueryKind::Stale(span_of(expr)?, Span::MAX)),
    }
}

fn no_argument<T>(arg: &Arg, name: &str, what: QueryKind) -> Result<T, SyntaxError> {
    let at = arg.key.as_ref().map_or(&arg.value.at, |key| &key.at);
    let message = match &arg.key {
        Some(_) => format!("`{name}` has no such argument"),
        None => format!("`{name}` takes one thing"),
    };
    error(at, message, example(what))
}

fn example(what: QueryKind) -> &'static str {
    match what {
        QueryKind::Linearizable => "write `linearizable(kv.balance)`",
        QueryKind::Sequential => "write `sequential(kv.balance)`",
        QueryKind::Causal => "write `causal(kv)`",
        QueryKind::Isolated(_) => "write `serializable(bank)`",
        QueryKind::Keeps(_) => "write `read_your_writes(kv.likes)`",
        QueryKind::Staleness(_) => "write `staleness(feed)` or `p99(staleness(feed))`; also `during=split`",
        QueryKind::KStale(_) => "write `k_stale(feed)` or `p99(k_stale(kv.likes))`; also `during=split`",
        QueryKind::Stale(..) => "write `stale(feed, age=10ms..20ms)`; also `during=split`",
        QueryKind::Lost => "write `lost(pay)` or `lost(kv.balance)`",
        QueryKind::Unacked => "write `unacked(pay)` or `unacked(kv.balance)`",
        QueryKind::Diverged => "write `diverged(kv, before=split.end, at=after(split, 30s))`",
        QueryKind::Converged => "write `converged(kv)`",
        QueryKind::Locks(_) => "name one lock: `exclusive(seat)`",
    }
}
