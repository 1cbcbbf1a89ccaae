//! What an experiment asks, read from the checked entries of its file: the run, the properties, what is expected, what
//! theory says. Names and order are the file's; results are ordered by name.

use std::collections::BTreeMap;

use crate::base::problem::{Place, Problems};
use crate::base::quantity::Unit;
use crate::base::time::Span;
use crate::design::codes;
use crate::design::limits::RUNS_MAX;
use crate::design::parameters::checker::DefaultUsed;
use crate::design::shape::Entries;
use crate::design::text::Text;
use crate::design::tree::{Entry, Node, Table, Value};
use crate::experiment::cells::{Point, number};
use crate::experiment::plot::{PlotEntry, plots};
use crate::experiment::tolerance::Within;
use crate::experiment::workload::add;
use crate::program::syntax::{ArgKey, Expr, Spanned, expression};

/// Runs that `until` does before it judges for the first time, and those of an experiment that does not say how many
/// but has something to judge by an interval: one from fewer is a guess.
pub const RUNS_MIN: u32 = 5;
/// The first seed where none is given.
const SEED: &str = "1";

/// How many replications.
#[derive(Clone, Debug, PartialEq)]
pub enum Runs {
    /// This many.
    Fixed(u32),
    /// A few to see what happens, or enough for every theory to be judged.
    Quick {
        /// How many without `--full`.
        quick: u32,
        /// How many with it.
        full: u32,
    },
    /// Until the 95 % interval of a measure is this narrow, relative to its mean, in every cell.
    Until {
        /// Half width over mean.
        ci: f64,
        /// The measure.
        on: Text,
        /// At most this many.
        max: u32,
    },
}

/// What is cut off at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Warmup {
    /// By MSER-5, run by run.
    Auto,
    /// This much.
    Span(Span),
}

/// How long a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// This long.
    Span(Span),
    /// Until the last request of a trace has ended, but no longer than this after it was sent.
    Trace {
        /// How long it is waited for.
        patience: Span,
    },
}

/// How long after the last arrival of a trace a run waits for requests to end, unless it says so.
const PATIENCE: Span = Span::from_secs(3600);

/// Of which kind a property is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PropertyKind {
    /// Holds in every run at every instant.
    Always,
    /// Happens in at least one run.
    Sometimes,
    /// A bound, judged with its interval.
    Slo,
    /// All of some properties.
    Verdict,
}

impl PropertyKind {
    /// The word of the language and of results.
    pub const fn name(self) -> &'static str {
        match self {
            PropertyKind::Always => "always",
            PropertyKind::Sometimes => "sometimes",
            PropertyKind::Slo => "slo",
            PropertyKind::Verdict => "verdict",
        }
    }
}

/// A property as written.
#[derive(Clone, Debug)]
pub struct Property {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: PropertyKind,
    /// The condition; none for verdicts.
    pub condition: Option<Text>,
    /// The properties that a verdict takes.
    pub takes: Vec<String>,
}

/// What a variant is meant to show of a property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// `holds`, `violated` or `unknown`.
    Outcome(String),
    /// Anything, for the reason given.
    Either(String),
}

/// `theory.x`.
#[derive(Clone, Debug)]
pub struct TheoryEntry {
    /// Its name.
    pub name: String,
    /// The measure.
    pub of: Text,
    /// What theory says, in sweep order; one for all when there is one.
    pub is: Vec<Text>,
    /// Allowed difference.
    pub within: Within,
    /// Where that is said, or else where the entry is.
    pub within_place: Place,
    /// Whether the measure counts independent events, so that its interval is that of a Poisson distribution.
    pub counts_events: bool,
    /// A published figure that is shown beside what it says, in words of its source.
    pub published: Option<String>,
    /// Where it is from.
    pub source: String,
    /// The variants that it speaks of; all when empty.
    pub variants: Vec<String>,
}

impl TheoryEntry {
    /// What it says of a sweep point.
    pub fn at(&self, point: usize) -> Option<&Text> {
        if self.is.len() == 1 { self.is.first() } else { self.is.get(point) }
    }
}

/// All that is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// One line.
    pub title: String,
    /// What can be learnt.
    pub about: String,
    /// How long a run is.
    pub length: Length,
    /// What is cut off.
    pub warmup: Warmup,
    /// The first seed.
    pub seed: u64,
    /// Replications.
    pub runs: Runs,
    /// Properties, verdicts last.
    pub properties: Vec<Property>,
    /// By variant and property, in sweep order.
    pub expected: BTreeMap<(String, String), Vec<Expected>>,
    /// Theories, in file order.
    pub theories: Vec<TheoryEntry>,
    /// Measures to show.
    pub measures: Vec<Text>,
    /// Pictures.
    pub plots: Vec<PlotEntry>,
    /// What is not said in the file, and holds.
    pub defaults: BTreeMap<String, DefaultUsed>,
}

/// Reads the question of an experiment whose shape has been checked.
pub fn read(entries: &Entries, points: &[Point], problems: &mut Problems) -> Question {
    let paths: Vec<String> =
        points.first().map_or_else(Vec::new, |point| point.shown.keys().cloned().collect());
    let plots = plots(entries, &paths, problems);
    let points = points.len();
    let mut reading = Reading { entries, problems };
    let (length, warmup) = (reading.length(), reading.warmup());
    reading.something_is_left(length, warmup);
    Question {
        title: reading.text("title"),
        about: reading.text("about"),
        length,
        warmup,
        seed: match entries.one("seed").map(|entry| &entry.node.value) {
            Some(Value::Integer(seed)) => *seed as u64,
            _ => SEED.parse().expect("a number"),
        },
        runs: reading.runs(),
        properties: reading.properties(),
        expected: reading.expectations(points),
        theories: reading.theories(points),
        measures: reading.measures(),
        defaults: reading.defaults(),
        plots,
    }
}

struct Reading<'a> {
    entries: &'a Entries,
    problems: &'a mut Problems,
}

fn listed(node: &Node) -> Vec<Node> {
    match &node.value {
        Value::List(list) => list.clone(),
        _ => vec![node.clone()],
    }
}

/// A node as text: numbers as they would be written.
fn as_text(node: &Node) -> Text {
    node.text().cloned().unwrap_or_else(|| Text::all_at(node.show(), &node.place))
}

impl Reading<'_> {
    fn wrong(&mut self, place: &Place, message: String, help: &str) {
        self.problems.at(codes::WRONG_TYPE, place.clone(), message).help(help);
    }

    fn text(&mut self, key: &str) -> String {
        self.entries
            .one(key)
            .and_then(|entry| entry.node.text())
            .map_or(String::new(), |text| text.as_str().to_owned())
    }

    fn quantity(&mut self, key: &str) -> Option<(Place, Expr)> {
        let entry = self.entries.one(key)?;
        let text = entry.node.text()?.clone();
        match expression(text.as_str()) {
            Ok(expr) => Some((entry.node.place.clone(), expr.value)),
            Err(error) => {
                add(self.problems, &text, error);
                None
            }
        }
    }

    fn length(&mut self) -> Length {
        if self.entries.one("length").is_none() {
            let help = "write `length = \"10m\"`";
            self.problems.overall(codes::MISSING_KEY, "an experiment needs its `length`").help(help);
        }
        match self.quantity("length") {
            Some((_, Expr::Number(quantity))) if quantity.unit == Unit::Span && quantity.value > 0.0 => {
                Length::Span(Span::from_ns(quantity.value as u64))
            }
            Some((_, Expr::Name(word))) if word == "trace" => Length::Trace { patience: PATIENCE },
            Some((place, expr)) => match patience(&expr) {
                Some(patience) => Length::Trace { patience },
                None => {
                    let help = "write `length = \"10m\"`, `length = \"trace\"` or `length = \"trace(patience=10m)\"`";
                    self.wrong(&place, "`length` is a span or that of a `trace`".to_owned(), help);
                    Length::Span(Span::from_secs(1))
                }
            },
            None => Length::Span(Span::from_secs(1)),
        }
    }

    fn warmup(&mut self) -> Warmup {
        match self.quantity("warmup") {
            Some((_, Expr::Number(quantity))) if quantity.unit == Unit::Span => {
                Warmup::Span(Span::from_ns(quantity.value as u64))
            }
            Some((_, Expr::Name(word))) if word == "auto" => Warmup::Auto,
            Some((place, _)) => {
                self.wrong(&place, "`warmup` is a span or `auto`".to_owned(), "write `warmup = \"30s\"`");
                Warmup::Span(Span::ZERO)
            }
            None => Warmup::Span(Span::ZERO),
        }
    }

    fn something_is_left(&mut self, length: Length, warmup: Warmup) {
        let (Length::Span(length), Warmup::Span(warmup)) = (length, warmup) else { return };
        if warmup >= length
            && let Some(entry) = self.entries.one("warmup")
        {
            let message = format!("a warm-up of {warmup} leaves nothing of a run of {length}");
            let help = "make it shorter, or the run longer: `--set warmup=1s`";
            self.problems.at(codes::DOES_NOT_FIT, entry.node.place.clone(), message).help(help);
        }
    }

    fn runs(&mut self) -> Runs {
        let Some(entry) = self.entries.one("runs") else { return Runs::Fixed(self.runs_unsaid()) };
        match &entry.node.value {
            Value::Integer(runs) if (1..=RUNS_MAX as i64).contains(runs) => return Runs::Fixed(*runs as u32),
            Value::Text(text) => {
                if let Some(runs) = expression(text.as_str()).ok().and_then(|expr| until(&expr.value, text)) {
                    return runs;
                }
            }
            Value::Table(table) => return self.quick_and_full(table),
            _ => {}
        }
        let help = "write `runs = 30` or `runs = \"until(ci=5%, on=p99(product), max=64)\"`";
        let message =
            format!("`runs` is a count from 1 to {RUNS_MAX}, `until(…)`, or `{{ quick = 3, full = 30 }}`");
        self.wrong(&entry.node.place.clone(), message, help);
        Runs::Fixed(1)
    }

    /// Both numbers of a table, whose values have been checked.
    fn quick_and_full(&mut self, table: &Table) -> Runs {
        let runs =
            |key| table.get(key).and_then(|node| number(&node.show())).map_or(1, |many| many.value as u32);
        let (quick, full) = (runs("quick"), runs("full"));
        if let Some(entry) = table.entry("full").filter(|_| quick > full) {
            let message = format!("`full` makes {full} runs, fewer than `quick` with {quick}");
            let help = "write `runs = { quick = 3, full = 30 }`";
            self.problems.at(codes::DOES_NOT_FIT, entry.node.place.clone(), message).help(help);
        }
        Runs::Quick { quick, full }
    }

    /// How many runs there are when the file does not say.
    fn runs_unsaid(&self) -> u32 {
        let judged = ["slo", "theory"].iter().any(|kind| !self.entries.named(kind).is_empty());
        if judged { RUNS_MIN } else { 1 }
    }

    fn defaults(&self) -> BTreeMap<String, DefaultUsed> {
        let runs = self.runs_unsaid().to_string();
        let all = [
            (
                "runs",
                runs.as_str(),
                "one, or enough for an interval where an objective or a theory needs one",
            ),
            ("seed", SEED, "the first"),
            ("warmup", "0s", "nothing is cut off unless asked for"),
        ];
        let unsaid = all.into_iter().filter(|(key, ..)| self.entries.one(key).is_none());
        unsaid
            .map(|(key, value, source)| {
                (key.to_owned(), DefaultUsed { value: value.to_owned(), source: source.to_owned() })
            })
            .collect()
    }

    fn properties(&mut self) -> Vec<Property> {
        let mut properties = Vec::new();
        for kind in [PropertyKind::Always, PropertyKind::Sometimes, PropertyKind::Slo, PropertyKind::Verdict]
        {
            for entry in self.entries.named(kind.name()) {
                let verdict = kind == PropertyKind::Verdict;
                let nodes = listed(&entry.node);
                let takes = nodes.iter().filter_map(Node::text).map(|t| t.as_str().to_owned());
                properties.push(Property {
                    name: entry.key.clone(),
                    kind,
                    condition: if verdict { None } else { entry.node.text().cloned() },
                    takes: if verdict { takes.collect() } else { Vec::new() },
                });
            }
        }
        properties
    }

    fn expectations(&mut self, points: usize) -> BTreeMap<(String, String), Vec<Expected>> {
        let mut expected = BTreeMap::new();
        for variant in self.entries.named("expect") {
            let properties = variant.node.table().map_or(&[][..], Table::entries);
            for property in properties {
                let mut nodes = listed(&property.node);
                if nodes.len() == 1 {
                    nodes = vec![nodes[0].clone(); points];
                }
                if nodes.len() != points {
                    let message = format!("{} outcomes for {points} sweep points", nodes.len());
                    self.wrong(
                        &property.node.place.clone(),
                        message,
                        "give one outcome for all, or one for each point",
                    );
                    continue;
                }
                let outcomes = nodes.iter().map(outcome).collect();
                expected.insert((variant.key.clone(), property.key.clone()), outcomes);
            }
        }
        expected
    }

    fn theories(&mut self, points: usize) -> Vec<TheoryEntry> {
        let entries = self.entries.named("theory").to_vec();
        entries.iter().filter_map(|entry| self.theory(entry, points)).collect()
    }

    fn theory(&mut self, entry: &Entry, points: usize) -> Option<TheoryEntry> {
        let table = entry.node.table()?;
        let is = table.get("is")?;
        let values: Vec<Text> = listed(is).iter().map(as_text).collect();
        if values.len() != 1 && values.len() != points {
            let message = format!("{} values for {points} sweep points", values.len());
            self.wrong(&is.place.clone(), message, "give one value for all points, or one for each");
        }
        let variants = table.get("variant").map_or_else(Vec::new, listed);
        Some(TheoryEntry {
            name: entry.key.clone(),
            of: table.get("of")?.text()?.clone(),
            is: values,
            within: table.get("within").map_or(Within::Relative(0.02), |node| self.within(node)),
            within_place: table.get("within").map_or(&entry.key_place, |node| &node.place).clone(),
            counts_events: table.get("events").is_some(),
            published: table.get("published").map(|node| node.show()),
            source: table.get("source")?.text()?.as_str().to_owned(),
            variants: variants.iter().filter_map(Node::text).map(|text| text.as_str().to_owned()).collect(),
        })
    }

    fn within(&mut self, node: &Node) -> Within {
        if matches!(node.value, Value::List(_)) {
            return Within::Relative(0.02); // which has been told
        }
        let text = as_text(node);
        if let Some(points) =
            text.as_str().strip_suffix("pt").and_then(|points| points.trim().parse::<f64>().ok())
        {
            return Within::Absolute(points / 100.0);
        }
        match expression(text.as_str()).map(|expr| expr.value) {
            Ok(Expr::Number(quantity)) => match quantity.unit {
                Unit::Share => Within::Relative(quantity.value),
                Unit::Span => Within::Absolute(quantity.value / 1e9),
                _ => Within::Absolute(quantity.value),
            },
            _ => {
                let help =
                    "write `2%` (relative), `0.5pt` (percentage points), or a difference such as `0.1ms`";
                self.wrong(&node.place.clone(), "this is no tolerance".to_owned(), help);
                Within::Relative(0.02)
            }
        }
    }

    fn measures(&mut self) -> Vec<Text> {
        let Some(entry) = self.entries.one("measures") else { return Vec::new() };
        listed(&entry.node).iter().filter_map(|node| node.text().cloned()).collect()
    }
}

/// `trace(patience=10m)`.
fn patience(expr: &Expr) -> Option<Span> {
    let Expr::Call(function) = expr else { return None };
    let [arg] = &function.args[..] else { return None };
    let named = matches!(&arg.key, Some(Spanned { value: ArgKey::Name(key), .. }) if key == "patience");
    match &arg.value.value {
        Expr::Number(quantity) if named && function.name.value == "trace" && quantity.unit == Unit::Span => {
            Some(Span::from_ns(quantity.value as u64))
        }
        _ => None,
    }
}

fn outcome(node: &Node) -> Expected {
    let text = node.text().map_or("", |text| text.as_str()).trim();
    match text.strip_prefix("either") {
        Some(why) => Expected::Either(why.trim_start_matches([':', ' ']).to_owned()),
        None => Expected::Outcome(text.to_owned()),
    }
}

fn until(expr: &Expr, text: &Text) -> Option<Runs> {
    let Expr::Call(function) = expr else { return None };
    let (mut ci, mut on, mut max) = (None, None, 64);
    for arg in &function.args {
        let Some(Spanned { value: ArgKey::Name(key), .. }) = &arg.key else { return None };
        match (key.as_str(), &arg.value.value) {
            ("ci", Expr::Number(quantity)) if quantity.unit == Unit::Share && quantity.value > 0.0 => {
                ci = Some(quantity.value)
            }
            ("on", _) => on = Some(text.slice(arg.value.at.clone())),
            ("max", Expr::Number(quantity)) => max = u32::try_from(quantity.exact?).ok()?,
            _ => return None,
        }
    }
    (function.name.value == "until").then_some(Runs::Until { ci: ci?, on: on?, max: max.max(RUNS_MIN) })
}
