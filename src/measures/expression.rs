//! Expressions over measures: `pages.fills / pages.expired`, `p99(product, during=split) < 300ms`. Compiled once,
//! with units checked; evaluated for each run.

use crate::base::cause::Cause;
use crate::base::ids::{PartId, ProbeId, SeriesId, TallyId, TierId};
use crate::base::op::{REASONS, Reason};
use crate::base::series::Series;
use crate::base::time::Span;
use crate::measures::Dimension;
use crate::measures::asked::{Locks, Query, QueryKind, Stat};
use crate::measures::compile::Compiler;
use crate::measures::evaluation::Evaluation;
use crate::measures::functions::{Choice, Function, Target, Undefined};
use crate::program::syntax::{BinaryOp, Expr, Spanned, SyntaxError};
use crate::record::series::SeriesName;

/// What names in an expression mean; the experiment answers.
pub trait Names {
    /// The requests of a program or a workload.
    fn probe(&self, name: &str) -> Option<ProbeId>;
    /// A series, `pages.hits`, or a member's, `pages[0].hits`, and what is declared of it.
    fn series(&self, name: &str) -> Option<(SeriesName, Series)>;
    /// Whether a series is a level.
    fn is_level(&self, series: SeriesId) -> bool;
    /// What a reason is called by that name: of those that parts know, and of names of `fail` steps.
    fn reasons(&self, name: &str) -> Vec<Reason> {
        REASONS.iter().filter(|(known, ..)| *known == name).map(|(_, reason, _)| *reason).collect()
    }
    /// Names of reasons.
    fn all_reasons(&self) -> Vec<String> {
        REASONS.iter().map(|(name, ..)| (*name).to_owned()).collect()
    }
    /// A part by its name, where requests may fail.
    fn part(&self, _name: &str) -> Option<TierId> {
        None
    }
    /// A tally.
    fn tally(&self, name: &str) -> Option<TallyId>;
    /// All cores of a part, `app`, or of a member, `app[0]`, and the series of the busy ones.
    fn cores(&self, part: &str) -> Option<(f64, SeriesName)>;
    /// What to do about a name with a member in it that stands for nothing, if that is known.
    fn no_such_member(&self, _name: &str) -> Option<String> {
        None
    }
    /// The value of a key at the start.
    fn initial(&self, db: &str, table: &str, key: i64) -> Option<f64>;
    /// Whether there is a fault of that name.
    fn fault(&self, name: &str) -> bool;
    /// A program, and the tables of stores that it reads or writes.
    fn program(&self, _name: &str) -> Option<(ProbeId, Vec<(TierId, u16)>)> {
        None
    }
    /// A table of a store.
    fn table(&self, _store: &str, _table: &str) -> Option<(TierId, u16)> {
        None
    }
    /// A lock.
    fn lock(&self, _name: &str) -> Option<PartId> {
        None
    }
    /// A store and its tables.
    fn store(&self, _name: &str) -> Option<(TierId, Vec<u16>)> {
        None
    }
    /// Stores, and their tables as `kv.balance`.
    fn stores(&self) -> Vec<String> {
        Vec::new()
    }
    /// Every name that can stand in an expression.
    fn all(&self) -> Vec<String>;
}

/// A stretch of the run as an expression names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum During {
    /// After the warm-up.
    Run,
    /// From time 0, the warm-up included: what is compared with the state of a store.
    Whole,
    /// While a fault is active, from its first beginning to its last end.
    Fault(String),
    /// For so long after a fault has ended.
    After(String, Span),
    /// Between two instants.
    Between(Span, Span),
}

/// A compiled expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    node: Node,
    /// The unit of its value.
    pub dimension: Dimension,
    /// Whether its value is a truth.
    pub is_condition: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Number(f64),
    Measure { function: Function, target: Target, choice: Choice, during: During },
    Query(Box<Query>),
    Negate(Box<Node>),
    Not(Box<Node>),
    Binary(BinaryOp, Box<Node>, Box<Node>),
}

/// What expressions need to be recorded.
#[derive(Clone, Debug, Default)]
pub struct Needs {
    /// Probes whose samples are needed.
    pub samples: Vec<ProbeId>,
    /// Probes whose longest time without a success is.
    pub gaps: Vec<ProbeId>,
    /// Causes needed sample by sample.
    pub causes: Vec<(ProbeId, Cause)>,
    /// Windows.
    pub windows: Vec<During>,
    /// Series, tallies and probes that it depends on.
    pub targets: Vec<Target>,
    /// Tallies whose sums by key are needed.
    pub keyed: Vec<TallyId>,
    /// Questions to the history.
    pub asked: Vec<Query>,
}

impl Expression {
    /// Compiles an expression.
    ///
    /// # Errors
    /// With a place in the text.
    pub fn compile(expr: &Spanned<Expr>, names: &dyn Names) -> Result<Expression, SyntaxError> {
        let compiler = Compiler { names };
        let (mut node, dimension, is_condition) = compiler.node(expr)?;
        compiler.counts_like_state(&mut node);
        Ok(Expression { node, dimension, is_condition })
    }

    /// What it needs to be recorded.
    pub fn needs(&self, needs: &mut Needs) {
        self.node.needs(needs);
    }

    /// Its value in a run; conditions are 1 or 0.
    ///
    /// # Errors
    /// Why it is undefined.
    pub fn value(&self, evaluation: &mut Evaluation<'_>) -> Result<f64, Undefined> {
        self.node.value(evaluation)
    }

    /// The unit of what [`Expression::value`] gives: of a condition a plain 1 or 0, whatever is compared in it.
    pub fn unit(&self) -> Dimension {
        if self.is_condition { Dimension::One } else { self.dimension }
    }

    /// Both sides of a comparison, for witnesses and intervals: `left OP right`.
    pub fn comparison(&self) -> Option<(BinaryOp, Expression, Expression)> {
        let Node::Binary(op, left, right) = &self.node else { return None };
        let comparing = matches!(
            op,
            BinaryOp::Equal
                | BinaryOp::Differs
                | BinaryOp::Below
                | BinaryOp::AtMost
                | BinaryOp::Above
                | BinaryOp::AtLeast
        );
        let side =
            |node: &Node| Expression { node: node.clone(), dimension: self.dimension, is_condition: false };
        comparing.then(|| (*op, side(left), side(right)))
    }

    /// Whether a percentile is in it: its values spread over orders of magnitude.
    pub fn has_percentile(&self) -> bool {
        self.node.has_percentile()
    }

    /// The share of samples beyond the rarest percentile in it: 0.01 where a 99th is.
    pub fn tail(&self) -> Option<f64> {
        self.node.tail()
    }

    /// Whether its value is a share of a whole: between 0 and 1, whatever happens.
    pub fn is_share(&self) -> bool {
        self.is_condition || self.node.is_share()
    }

    /// Whether it is a quotient of two numbers, which may be a share.
    pub fn is_quotient(&self) -> bool {
        self.unit() == Dimension::One && matches!(self.node, Node::Binary(BinaryOp::Divide, ..))
    }

    /// The series, if it is what one is at the end of the run: of a level that says little.
    pub fn series(&self) -> Option<SeriesId> {
        match &self.node {
            Node::Measure { function: Function::Count, target: Target::Series(series), .. } => {
                Some(series.id)
            }
            _ => None,
        }
    }

    /// What it is if it is a number.
    pub fn constant(&self) -> Option<f64> {
        match self.node {
            Node::Number(number) => Some(number),
            _ => None,
        }
    }

    /// The requests of which it needs the samples one by one.
    pub fn samples(&self) -> Vec<ProbeId> {
        let mut needs = Needs::default();
        self.needs(&mut needs);
        needs.samples
    }

    /// Whether it is one measure, with nothing computed from it.
    pub fn is_measure(&self) -> bool {
        matches!(self.node, Node::Measure { .. })
    }

    /// Whether some of it is counted from time 0, since it is compared with the state of a store.
    pub fn counts_from_zero(&self) -> bool {
        let mut needs = Needs::default();
        self.needs(&mut needs);
        needs.windows.contains(&During::Whole)
    }

    /// Whether it has a mean of requests that does not say of which.
    pub fn has_vague_mean(&self) -> bool {
        self.node.has_vague_mean()
    }

    /// Whether it asks the history of the whole run and nothing else: it holds at every instant if it does at the end.
    pub fn is_of_history(&self) -> bool {
        self.node.is_of_history()
    }

    /// Whether its value at an instant is known while the run goes on: counts, maxima and constants are.
    pub fn can_be_watched(&self) -> bool {
        self.node.can_be_watched()
    }
}

impl Node {
    fn needs(&self, needs: &mut Needs) {
        match self {
            Node::Number(_) => {}
            Node::Negate(of) | Node::Not(of) => of.needs(needs),
            Node::Binary(_, left, right) => {
                left.needs(needs);
                right.needs(needs);
            }
            Node::Query(asked) => {
                needs.windows.push(asked.during.clone());
                needs.asked.push(asked.as_ref().clone());
            }
            Node::Measure { function, target, choice, during } => {
                needs.windows.push(during.clone());
                needs.targets.push(target.clone());
                if let (Target::Probe(probe), Function::Outage) = (target, function) {
                    needs.gaps.push(*probe);
                }
                if let (Target::Tally(tally), Function::Max | Function::Jain) = (target, function) {
                    needs.keyed.push(*tally);
                }
                if let Target::Probe(probe) = target
                    && function.takes_samples()
                {
                    needs.samples.push(*probe);
                    needs.causes.extend(choice.cause.map(|cause| (*probe, cause)));
                }
            }
        }
    }

    fn value(&self, evaluation: &mut Evaluation<'_>) -> Result<f64, Undefined> {
        Ok(match self {
            Node::Number(number) => *number,
            Node::Negate(of) => -of.value(evaluation)?,
            Node::Not(of) => f64::from(of.value(evaluation)? == 0.0),
            Node::Query(asked) => evaluation.answer(asked)?,
            Node::Measure { function, target, choice, during } => {
                function.of(target, *choice, during, evaluation)?
            }
            Node::Binary(op, left, right) => {
                let (left, right) = (left.value(evaluation)?, right.value(evaluation)?);
                return binary(*op, left, right);
            }
        })
    }

    fn has_percentile(&self) -> bool {
        match self {
            Node::Number(_) => false,
            Node::Negate(of) | Node::Not(of) => of.has_percentile(),
            Node::Binary(_, left, right) => left.has_percentile() || right.has_percentile(),
            Node::Query(asked) => {
                matches!(
                    asked.what,
                    QueryKind::Staleness(Stat::Percentile(_)) | QueryKind::KStale(Stat::Percentile(_))
                )
            }
            Node::Measure { function, .. } => matches!(function, Function::Percentile(_)),
        }
    }

    fn tail(&self) -> Option<f64> {
        let of = |percentile: f64| percentile.min(100.0 - percentile) / 100.0;
        match self {
            Node::Number(_) => None,
            Node::Negate(inner) | Node::Not(inner) => inner.tail(),
            Node::Binary(_, left, right) => {
                [left.tail(), right.tail()].into_iter().flatten().min_by(f64::total_cmp)
            }
            Node::Query(asked) => match asked.what {
                QueryKind::Staleness(Stat::Percentile(percentile))
                | QueryKind::KStale(Stat::Percentile(percentile)) => Some(of(percentile)),
                _ => None,
            },
            Node::Measure { function: Function::Percentile(percentile), .. } => Some(of(*percentile)),
            Node::Measure { .. } => None,
        }
    }

    fn is_share(&self) -> bool {
        match self {
            Node::Measure { function, .. } => matches!(
                function,
                Function::Errors
                    | Function::FailedFor(_)
                    | Function::Success
                    | Function::Util
                    | Function::Jain
            ),
            Node::Query(asked) => {
                matches!(
                    asked.what,
                    QueryKind::Stale(..) | QueryKind::Locks(Locks::Overlapping | Locks::Overtaken)
                )
            }
            // A part of a sum.
            Node::Binary(BinaryOp::Divide, part, whole) => match whole.as_ref() {
                Node::Binary(BinaryOp::Add, one, other) => part == one || part == other,
                _ => false,
            },
            _ => false,
        }
    }

    fn has_vague_mean(&self) -> bool {
        match self {
            Node::Number(_) | Node::Query(_) => false,
            Node::Negate(of) | Node::Not(of) => of.has_vague_mean(),
            Node::Binary(_, left, right) => left.has_vague_mean() || right.has_vague_mean(),
            Node::Measure { function, target, choice, .. } => {
                *function == Function::Mean && matches!(target, Target::Probe(_)) && choice.outcome.is_none()
            }
        }
    }

    fn is_of_history(&self) -> bool {
        match self {
            Node::Number(_) | Node::Query(_) => true,
            Node::Negate(of) | Node::Not(of) => of.is_of_history(),
            Node::Binary(_, left, right) => left.is_of_history() && right.is_of_history(),
            Node::Measure { function, .. } => *function == Function::Initial,
        }
    }

    fn can_be_watched(&self) -> bool {
        match self {
            Node::Number(_) => true,
            Node::Query(_) => false,
            Node::Negate(of) | Node::Not(of) => of.can_be_watched(),
            Node::Binary(_, left, right) => left.can_be_watched() && right.can_be_watched(),
            Node::Measure { function, target, choice, during } => {
                let known = matches!(function, Function::Count | Function::Max | Function::Initial);
                let of_all = matches!(during, During::Run | During::Whole);
                known && !matches!(target, Target::Cores(..)) && choice.cause.is_none() && of_all
            }
        }
    }
}

/// Arithmetic and comparisons on measured values.
fn binary(op: BinaryOp, left: f64, right: f64) -> Result<f64, Undefined> {
    Ok(match op {
        BinaryOp::Or => f64::from(left != 0.0 || right != 0.0),
        BinaryOp::And => f64::from(left != 0.0 && right != 0.0),
        BinaryOp::Equal => f64::from(left == right),
        BinaryOp::Differs => f64::from(left != right),
        BinaryOp::Below => f64::from(left < right),
        BinaryOp::AtMost => f64::from(left <= right),
        BinaryOp::Above => f64::from(left > right),
        BinaryOp::AtLeast => f64::from(left >= right),
        BinaryOp::Add => left + right,
        BinaryOp::Subtract => left - right,
        BinaryOp::Multiply => left * right,
        BinaryOp::Divide if right == 0.0 => return Err(Undefined("it divides by zero".to_owned())),
        BinaryOp::Divide => left / right,
        BinaryOp::Remainder if right == 0.0 => return Err(Undefined("it divides by zero".to_owned())),
        BinaryOp::Remainder => left % right,
    })
}
