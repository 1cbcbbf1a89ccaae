//! From the text of a measure or a property to an [`super::expression::Expression`], with units checked.

mod asked;

use crate::base::cause::Cause;
use crate::base::ids::TierId;
use crate::base::op::Reason;
use crate::base::problem::{known_words, nearest};
use crate::base::quantity::Unit;
use crate::base::series::SeriesKind;
use crate::measures::asked::{QueryKind, Stat};
use crate::measures::expression::{During, Names, Node};
use crate::measures::fits::{Thing, fit};
use crate::measures::functions::{Choice, Function, Target, Why};
use crate::measures::{ALL, Dimension, Domain, Source};
use crate::program::syntax::{Arg, ArgKey, BinaryOp, Expr, Spanned, SyntaxError, UnaryOp};
use crate::record::sums::Which;

/// Compiles an expression with what names mean.
pub(super) struct Compiler<'a> {
    /// What names mean.
    pub names: &'a dyn Names,
}

type Compiled = Result<(Node, Dimension, bool), SyntaxError>;

fn error<T>(
    at: &std::ops::Range<usize>,
    message: impl Into<String>,
    help: impl Into<String>,
) -> Result<T, SyntaxError> {
    Err(SyntaxError { at: at.clone(), message: message.into(), help: Some(help.into()) })
}

impl Compiler<'_> {
    pub(super) fn node(&self, expr: &Spanned<Expr>) -> Compiled {
        match &expr.value {
            Expr::Number(quantity) => {
                let (value, dimension) = match quantity.unit {
                    Unit::Span => (quantity.value / 1e9, Dimension::Seconds),
                    Unit::Rate => (quantity.value, Dimension::PerSecond),
                    Unit::Dollars | Unit::DollarsPerHour => (quantity.value, Dimension::Dollars),
                    _ => (quantity.value, Dimension::One),
                };
                Ok((Node::Number(value), dimension, false))
            }
            Expr::Unary(UnaryOp::Minus, of) => {
                let (node, dimension, _) = self.number(of)?;
                Ok((Node::Negate(Box::new(node)), dimension, false))
            }
            Expr::Unary(UnaryOp::Not, of) => {
                let (node, dimension, _) = self.truth(of)?;
                Ok((Node::Not(Box::new(node)), dimension, true))
            }
            Expr::Binary(op, left, right) => self.binary(expr, *op, left, right),
            Expr::Name(_) | Expr::Field(..) | Expr::Index(..) => {
                let (target, thing) = self.target(expr, Domain::Anything, "count")?;
                Ok(in_its_unit(Function::Count, target, thing, Choice::default(), During::Run))
            }
            Expr::Call(function) => self.measure(function),
            other => error(&expr.at, format!("`{other}` is not measured"), "write a measure, `p99(product)`"),
        }
    }

    fn number(&self, expr: &Spanned<Expr>) -> Compiled {
        match self.node(expr)? {
            (_, _, true) => error(&expr.at, "this is a condition, not a number", "write `rate(y) + 1/s`"),
            number => Ok(number),
        }
    }

    fn truth(&self, expr: &Spanned<Expr>) -> Compiled {
        match self.node(expr)? {
            (_, _, false) => error(&expr.at, "this is a number, not a condition", "write `rate(y) > 5/s`"),
            truth => Ok(truth),
        }
    }

    fn binary(
        &self,
        whole: &Spanned<Expr>,
        op: BinaryOp,
        left: &Spanned<Expr>,
        right: &Spanned<Expr>,
    ) -> Compiled {
        let ((a, unit_a, _), (b, unit_b, _)) = match op {
            BinaryOp::Or | BinaryOp::And => (self.truth(left)?, self.truth(right)?),
            _ => (self.number(left)?, self.number(right)?),
        };
        let same = unit_a == unit_b;
        let node = Node::Binary(op, Box::new(a), Box::new(b));
        let mixed = || {
            let message = format!("this mixes {} and {}", unit_a.unit(), unit_b.unit());
            error(&whole.at, message, "both sides need the same unit: `p99(x) < 300ms`, `rate(y) > 5/s`")
        };
        match op {
            BinaryOp::Or | BinaryOp::And => Ok((node, Dimension::One, true)),
            BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Remainder => {
                if same {
                    Ok((node, unit_a, false))
                } else {
                    mixed()
                }
            }
            BinaryOp::Multiply => match (unit_a, unit_b) {
                (Dimension::One, other) | (other, Dimension::One) => Ok((node, other, false)),
                (Dimension::Seconds, Dimension::PerSecond) | (Dimension::PerSecond, Dimension::Seconds) => {
                    Ok((node, Dimension::One, false))
                }
                _ => mixed(),
            },
            BinaryOp::Divide => match (unit_a, unit_b) {
                _ if same => Ok((node, Dimension::One, false)),
                (other, Dimension::One) => Ok((node, other, false)),
                (Dimension::One, Dimension::Seconds) => Ok((node, Dimension::PerSecond, false)),
                (Dimension::One, Dimension::PerSecond) => Ok((node, Dimension::Seconds, false)),
                _ => mixed(),
            },
            _ => {
                if same {
                    Ok((node, unit_a, true))
                } else {
                    mixed()
                }
            }
        }
    }

    fn measure(&self, call: &crate::program::syntax::Function) -> Compiled {
        let name = call.name.value.as_str();
        let percentile = name.strip_prefix('p').and_then(|digits| digits.parse::<f64>().ok());
        let known =
            ALL.iter().find(|measure| measure.name == name || (measure.name == "pN" && percentile.is_some()));
        let Some(measure) = known else {
            let near = nearest(name, ALL.iter().map(|measure| measure.name));
            let names: Vec<&str> = ALL.iter().map(|measure| measure.name).collect();
            let help = near
                .map_or(format!("measures: {}", names.join(" ")), |near| format!("did you mean `{near}`?"));
            return error(&call.name.at, format!("unknown measure `{name}`"), help);
        };
        if percentile.is_some_and(|percent| !(0.0..=100.0).contains(&percent)) {
            return error(&call.name.at, "percentiles go from p0 to p100", "write `p99.9(product)`");
        }
        let function = match measure.from {
            Source::History(what) => return self.asked(call, measure.of, what),
            Source::Record(function) => percentile.map_or(function, Function::Percentile),
        };
        let stat = match function {
            Function::Percentile(percent) => Some(Stat::Percentile(percent)),
            Function::Mean => Some(Stat::Mean),
            Function::Max => Some(Stat::Max),
            _ => None,
        };
        if let Some(stat) = stat
            && let Some(Expr::Call(inner)) = call.args.first().map(|arg| &arg.value.value)
        {
            return self.figure(call, stat, inner);
        }
        self.of_record(call, function, measure.of)
    }

    /// A function of what was recorded, with its arguments.
    fn of_record(&self, call: &crate::program::syntax::Function, function: Function, of: Domain) -> Compiled {
        let name = call.name.value.as_str();
        let mut found = None;
        let mut options =
            Options { choice: Choice::default(), during: During::Run, reasons: None, part: None };
        for arg in &call.args {
            match arg.key.as_ref().map(|key| &key.value) {
                None if found.is_none() => found = Some((self.target(&arg.value, of, name)?, arg)),
                None => {
                    let message = format!("`{name}` takes one thing");
                    return error(&arg.value.at, message, "write `mean(product)`");
                }
                Some(key) => self.option(&mut options, arg, key)?,
            }
        }
        let Options { choice, during, reasons, part } = options;
        let Some(((target, thing), of)) = found else {
            return error(&call.name.at, format!("`{name}` of what?"), "write `mean(product)`");
        };
        if function == Function::Waited && choice.cause.is_none() {
            return error(&call.name.at, "`waited` needs its cause", "write `waited(product, cause=queue)`");
        }
        let of_some = function.takes_outcome() && matches!(target, Target::Probe(_));
        if choice.cause.is_some() && !of_some {
            return error(
                &call.name.at,
                format!("`{name}` of this has no causes"),
                "pN, mean, max and waited of requests take `cause=`",
            );
        }
        if choice.outcome.is_some() && !of_some {
            return error(
                &call.name.at,
                format!("`{name}` of this is not told apart by outcome"),
                "pN, mean, max and waited of requests take `outcome=`; `goodput` counts those that succeeded, `throughput` all",
            );
        }
        fits(call, function, thing, &of.value, &during)?;
        if reasons.is_some() || part.is_some() {
            if function != Function::Errors {
                let message = format!("`{name}` has no reasons");
                return error(&call.name.at, message, "`errors` takes `reason=` and `part=`");
            }
            return Ok(failed_for(&target, reasons, part, &during));
        }
        Ok(in_its_unit(function, target, thing, choice, during))
    }

    /// What is computed or compared with the state of a store (a value at the start, a level, what became of writes) counts from time 0,
    /// as the state does.
    pub(super) fn counts_like_state(&self, node: &mut Node) {
        match node {
            Node::Not(of) => self.counts_like_state(of),
            Node::Binary(BinaryOp::And | BinaryOp::Or, left, right) => {
                self.counts_like_state(left);
                self.counts_like_state(right);
            }
            _ if self.has_state(node) => self.count_from_zero(node),
            _ => {}
        }
    }

    fn has_state(&self, node: &Node) -> bool {
        match node {
            Node::Number(_) => false,
            Node::Query(asked) => {
                matches!(asked.what, QueryKind::Lost | QueryKind::Unacked | QueryKind::Diverged)
            }
            Node::Negate(of) | Node::Not(of) => self.has_state(of),
            Node::Binary(_, left, right) => self.has_state(left) || self.has_state(right),
            Node::Measure { function: Function::Initial, .. } => true,
            Node::Measure { function: Function::Count, target: Target::Series(series), .. } => {
                self.names.is_level(series.id)
            }
            Node::Measure { .. } => false,
        }
    }

    fn count_from_zero(&self, node: &mut Node) {
        match node {
            Node::Negate(of) | Node::Not(of) => self.count_from_zero(of),
            Node::Binary(_, left, right) => {
                self.count_from_zero(left);
                self.count_from_zero(right);
            }
            Node::Measure { function, target, during, .. } if *during == During::Run => {
                let is_level = matches!(target, Target::Series(series) if self.names.is_level(series.id));
                let counts = *function == Function::Count && !is_level
                    || *function == Function::Max && matches!(target, Target::Tally(_));
                if counts {
                    *during = During::Whole;
                }
            }
            Node::Number(_) | Node::Query(_) | Node::Measure { .. } => {}
        }
    }

    fn option(&self, options: &mut Options, arg: &Arg, key: &ArgKey) -> Result<(), SyntaxError> {
        match key {
            ArgKey::Name(key) if key == "cause" => options.choice.cause = Some(self.cause(arg)?),
            ArgKey::Name(key) if key == "outcome" => options.choice.outcome = Some(outcome(arg)?),
            ArgKey::Name(key) if key == "during" => options.during = self.during(&arg.value)?,
            ArgKey::Name(key) if key == "reason" => options.reasons = Some(self.reasons(arg)?),
            ArgKey::Name(key) if key == "part" => {
                let name = arg.value.value.to_string();
                let Some(part) = self.names.part(&name) else {
                    return error(
                        &arg.value.at,
                        format!("there is no part `{name}`"),
                        "name a part: `part=shop`",
                    );
                };
                options.part = Some(part);
            }
            _ => {
                return error(
                    &arg.value.at,
                    "no such argument",
                    "`cause=queue`, `outcome=any`, `reason=timeout`, `part=shop`, `during=split`, `during=after(split, 30s)`",
                );
            }
        }
        Ok(())
    }

    /// Every reason of that name.
    fn reasons(&self, arg: &Arg) -> Result<Vec<Reason>, SyntaxError> {
        let name = arg.value.value.to_string();
        let reasons = self.names.reasons(&name);
        if !reasons.is_empty() {
            return Ok(reasons);
        }
        let known = self.names.all_reasons();
        let help = known_words(&name, "reasons", known.iter().map(String::as_str));
        error(&arg.value.at, format!("no request fails for the reason `{name}`"), help)
    }

    fn cause(&self, arg: &Arg) -> Result<Cause, SyntaxError> {
        let word = arg.value.value.to_string();
        match Cause::ALL.iter().find(|cause| cause.name() == word) {
            Some(cause) => Ok(*cause),
            None => {
                let names: Vec<&str> = Cause::ALL.iter().map(|cause| cause.name()).collect();
                error(
                    &arg.value.at,
                    format!("unknown cause `{word}`"),
                    format!("causes: {}", names.join(" ")),
                )
            }
        }
    }

    fn during(&self, expr: &Spanned<Expr>) -> Result<During, SyntaxError> {
        let span = asked::span_of;
        match &expr.value {
            Expr::Name(fault) if self.names.fault(fault) => Ok(During::Fault(fault.clone())),
            Expr::Range(from, until) => Ok(During::Between(span(from)?, span(until)?)),
            Expr::Call(call) if call.name.value == "after" && call.args.len() == 2 => {
                match &call.args[0].value.value {
                    Expr::Name(fault) if self.names.fault(fault) => {
                        Ok(During::After(fault.clone(), span(&call.args[1].value)?))
                    }
                    other => error(
                        &call.args[0].value.at,
                        format!("there is no fault `{other}`"),
                        "name a fault of this experiment",
                    ),
                }
            }
            other => error(
                &expr.at,
                format!("`{other}` is no stretch of the run"),
                "write a fault's name, `after(split, 30s)` or `60s..90s`",
            ),
        }
    }

    /// What is measured, and what sort of thing that is where measures differ by it.
    fn target(
        &self,
        expr: &Spanned<Expr>,
        of: Domain,
        name: &str,
    ) -> Result<(Target, Option<Thing>), SyntaxError> {
        let text = expr.value.to_string();
        match of {
            Domain::Cell => {
                if let Expr::Index(path, key) = &expr.value
                    && let Expr::Field(db, table) = &path.value
                    && let Expr::Number(key) = &key.value
                    && let Some(value) =
                        self.names.initial(&db.value.to_string(), &table.value, key.exact.unwrap_or(0))
                {
                    return Ok((Target::Constant(value), None));
                }
                error(&expr.at, format!("`{text}` is no key of a db"), "write `initial(shop.stock[1])`")
            }
            Domain::Part => match self.names.cores(&text) {
                Some((cores, busy)) => Ok((Target::Cores(cores, busy), None)),
                None => {
                    let help = self.names.no_such_member(&text);
                    let message = format!("`{text}` is no part with a limited number of cores");
                    error(
                        &expr.at,
                        message,
                        help.unwrap_or_else(|| "write `util(app)` or `util(app[0])`".to_owned()),
                    )
                }
            },
            Domain::Tables | Domain::Operations | Domain::Lock => {
                unreachable!("questions to the history have targets of their own")
            }
            Domain::Requests | Domain::Anything | Domain::Tally => {
                let Some((target, thing)) = self.thing(&text, of) else { return self.unknown(expr) };
                let wanted = match of {
                    Domain::Requests if thing != Thing::Requests => "requests",
                    Domain::Tally if thing != Thing::Tally => "a tally",
                    _ => return Ok((target, Some(thing))),
                };
                error(
                    &expr.at,
                    format!("`{name}` is of {wanted}, and `{text}` is {}", thing.name()),
                    match wanted {
                        "requests" => "name a program or a workload",
                        _ => "name a tally: `tally NAME[key]` in a program",
                    },
                )
            }
        }
    }

    /// What a name stands for; where it stands for several things, for the one that is wanted.
    fn thing(&self, text: &str, of: Domain) -> Option<(Target, Thing)> {
        let tally = || self.names.tally(text).map(|tally| (Target::Tally(tally), Thing::Tally));
        let probe = || self.names.probe(text).map(|probe| (Target::Probe(probe), Thing::Requests));
        let series = || {
            let (id, series) = self.names.series(text)?;
            Some((Target::Series(id), Thing::Series(series.kind)))
        };
        match of {
            Domain::Tally => tally().or_else(probe).or_else(series),
            _ => probe().or_else(series).or_else(tally),
        }
    }

    fn unknown<T>(&self, expr: &Spanned<Expr>) -> Result<T, SyntaxError> {
        let text = expr.value.to_string();
        let known = self.names.all();
        let near = || nearest(&text, known.iter().map(String::as_str));
        let known_ones = || {
            near().map_or(format!("known: {}", known.join(", ")), |near| format!("did you mean `{near}`?"))
        };
        let help = self.names.no_such_member(&text).unwrap_or_else(known_ones);
        error(&expr.at, format!("nothing to measure is called `{text}`"), help)
    }
}

/// What may stand behind what is measured.
struct Options {
    choice: Choice,
    during: During,
    reasons: Option<Vec<Reason>>,
    part: Option<TierId>,
}

/// The share of requests that ended for one of some reasons, at a part.
fn failed_for(
    target: &Target,
    reasons: Option<Vec<Reason>>,
    at: Option<TierId>,
    during: &During,
) -> (Node, Dimension, bool) {
    let reasons = reasons.map_or(vec![None], |reasons| reasons.into_iter().map(Some).collect());
    let shares = reasons.into_iter().map(|reason| {
        let function = Function::FailedFor(Why { reason, at });
        Node::Measure { function, target: target.clone(), choice: Choice::default(), during: during.clone() }
    });
    let sum = |a, b| Node::Binary(BinaryOp::Add, Box::new(a), Box::new(b));
    (shares.reduce(sum).expect("a name that is known has a reason"), Dimension::One, false)
}

/// Whether there is this measure of such a thing.
fn fits(
    call: &crate::program::syntax::Function,
    function: Function,
    thing: Option<Thing>,
    of: &Spanned<Expr>,
    during: &During,
) -> Result<(), SyntaxError> {
    let Some(thing) = thing else { return Ok(()) };
    let name = &call.name.value;
    if let Some(Err(remedy)) = fit(function, thing) {
        let message = format!("`{}` is {}, which has no `{name}`", of.value, thing.name());
        return error(&call.name.at, message, remedy);
    }
    let is_level = thing == Thing::Series(SeriesKind::Level);
    if is_level && function == Function::Count && *during != During::Run {
        let message = format!("`{}` is a level: it is not counted over a stretch of the run", of.value);
        return error(&call.name.at, message, "write `mean` or `max`");
    }
    Ok(())
}

/// A measure; time is recorded in nanoseconds and told in seconds, per second it is a plain number.
fn in_its_unit(
    function: Function,
    target: Target,
    thing: Option<Thing>,
    choice: Choice,
    during: During,
) -> (Node, Dimension, bool) {
    let dimension = function.dimension(&target);
    let measure = Node::Measure { function, target, choice, during };
    if thing != Some(Thing::Series(SeriesKind::Time)) {
        return (measure, dimension, false);
    }
    let seconds = Node::Binary(BinaryOp::Multiply, Box::new(measure), Box::new(Node::Number(1e-9)));
    let dimension = if function == Function::Count { Dimension::Seconds } else { Dimension::One };
    (seconds, dimension, false)
}

fn outcome(arg: &Arg) -> Result<Which, SyntaxError> {
    let word = arg.value.value.to_string();
    let known = Which::ALL.iter().find(|which| which.name() == word);
    known.copied().map_or_else(
        || {
            let names: Vec<&str> = Which::ALL.iter().map(|which| which.name()).collect();
            error(
                &arg.value.at,
                format!("unknown outcome `{word}`"),
                format!("outcomes: {}", names.join(" ")),
            )
        },
        Ok,
    )
}
