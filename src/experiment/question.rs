//! What an experiment asks, read from the checked entries of its file: the run, the variants and sweep points, what is
//! expected, what theory says, what is drawn. Names and order are the file's; results are ordered by name.

use std::collections::BTreeMap;

use crate::base::problem::{Place, Problems, nearest};
use crate::base::quantity::Unit;
use crate::base::time::Span;
use crate::design::codes;
use crate::design::text::Text;
use crate::design::tree::{Node, Table, Value};
use crate::program::syntax::{ArgKey, Expr, Spanned, expression};

/// Runs that `until` does before it judges for the first time: an interval from fewer is a guess.
pub const RUNS_MIN: u32 = 5;

/// How many replications.
#[derive(Clone, Debug, PartialEq)]
pub enum Runs {
    /// This many.
    Fixed(u32),
    /// Until the 95 % interval of a measure is this narrow, relative to its mean, in every cell.
    Until {
        /// Half width over mean.
        ci: f64,
        /// The measure.
        on: String,
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
    /// Until the last arrival of the traces is answered.
    Trace,
}

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
pub struct PropertyEntry {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: PropertyKind,
    /// The condition; none for verdicts.
    pub condition: Option<(Text, Spanned<Expr>)>,
    /// The properties that a verdict takes.
    pub takes: Vec<String>,
}

/// What a variant is meant to show of a property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// `holds`, `violated` or `unknown`.
    Outcome(&'static str),
    /// Anything, for the reason given.
    Either(String),
}

/// `theory.x`.
#[derive(Clone, Debug)]
pub struct TheoryEntry {
    /// Its name.
    pub name: String,
    /// The measure.
    pub of: (Text, Spanned<Expr>),
    /// What theory says, in sweep order; one for all when there is one.
    pub is: Vec<(Text, Spanned<Expr>)>,
    /// Allowed difference.
    pub within: Within,
    /// Where it is from.
    pub source: String,
    /// The variants that it speaks of; all when empty.
    pub variants: Vec<String>,
}

/// How near simulation and theory must be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Within {
    /// Relative to the theory's value.
    Relative(f64),
    /// In the measure's own unit (percentage points are 0.01 each).
    Absolute(f64),
}

/// An entry's value that must be one of a few things.
pub struct Reading<'a> {
    /// The joined tree.
    pub tree: &'a Table,
    /// Where mistakes go.
    pub problems: &'a mut Problems,
}

impl Reading<'_> {
    fn wrong(&mut self, place: &Place, message: &str, help: &str) {
        self.problems.at(codes::WRONG_TYPE, place.clone(), message).help(help);
    }

    /// An expression in a text, with its place.
    pub fn expression(&mut self, text: &Text) -> Option<(Text, Spanned<Expr>)> {
        match expression(text.as_str()) {
            Ok(expr) => Some((text.clone(), expr)),
            Err(error) => {
                let problem = self.problems.at(codes::SYNTAX, text.place(error.at), error.message);
                problem.help = error.help;
                None
            }
        }
    }

    /// The text of an entry without a name.
    pub fn text(&mut self, key: &str) -> Option<String> {
        self.tree.get(key).and_then(Node::text).map(|text| text.as_str().to_owned())
    }

    fn quantity(&mut self, key: &str) -> Option<(Place, Spanned<Expr>)> {
        let node = self.tree.get(key)?;
        let text = node.text()?.clone();
        self.expression(&text).map(|(_, expr)| (node.place.clone(), expr))
    }

    /// `length`.
    pub fn length(&mut self) -> Length {
        let Some((place, expr)) = self.quantity("length") else {
            if self.tree.get("length").is_none() {
                self.problems.overall(codes::MISSING, "an experiment needs a length").help("write `length = \"10m\"`");
            }
            return Length::Span(Span::ZERO);
        };
        match expr.value {
            Expr::Number(quantity) if quantity.unit == Unit::Span && quantity.value > 0.0 => {
                Length::Span(Span::from_ns(quantity.exact.unwrap_or(0) as u64))
            }
            Expr::Name(word) if word == "trace" => Length::Trace,
            _ => {
                self.wrong(&place, "`length` is a span or `trace`", "write `length = \"10m\"`");
                Length::Span(Span::ZERO)
            }
        }
    }

    /// `warmup`; nothing is cut off without it.
    pub fn warmup(&mut self) -> Warmup {
        let Some((place, expr)) = self.quantity("warmup") else { return Warmup::Span(Span::ZERO) };
        match expr.value {
            Expr::Number(quantity) if quantity.unit == Unit::Span => {
                Warmup::Span(Span::from_ns(quantity.exact.unwrap_or(0) as u64))
            }
            Expr::Name(word) if word == "auto" => Warmup::Auto,
            _ => {
                self.wrong(&place, "`warmup` is a span or `auto`", "write `warmup = \"30s\"`");
                Warmup::Span(Span::ZERO)
            }
        }
    }

    /// `runs`; one without it.
    pub fn runs(&mut self) -> Runs {
        let Some(node) = self.tree.get("runs") else { return Runs::Fixed(1) };
        let place = node.place.clone();
        match &node.value {
            Value::Integer(runs) if (1..=1_000_000).contains(runs) => return Runs::Fixed(*runs as u32),
            Value::Text(text) => {
                let text = text.clone();
                if let Some((_, expr)) = self.expression(&text)
                    && let Some(runs) = until(&expr.value)
                {
                    return runs;
                }
            }
            _ => {}
        }
        let help = "write `runs = 30` or `runs = \"until(ci=5%, on=p99(product), max=64)\"`";
        self.wrong(&place, "`runs` is a count from 1 to 1,000,000, or `until(...)`", help);
        Runs::Fixed(1)
    }

    /// The entries of a named kind, in file order.
    pub fn named(&self, key: &str) -> Vec<(String, Node)> {
        let table = self.tree.get(key).and_then(Node::table);
        table.map_or(Vec::new(), |table| table.entries.iter().map(|e| (e.key.clone(), e.node.clone())).collect())
    }

    /// All properties, in file order by kind.
    pub fn properties(&mut self) -> Vec<PropertyEntry> {
        let mut properties = Vec::new();
        for kind in [PropertyKind::Always, PropertyKind::Sometimes, PropertyKind::Slo] {
            for (name, node) in self.named(kind.name()) {
                let Some(text) = node.text().cloned() else { continue };
                let condition = self.expression(&text);
                properties.push(PropertyEntry { name, kind, condition, takes: Vec::new() });
            }
        }
        for (name, node) in self.named("verdict") {
            let Value::List(list) = &node.value else { continue };
            let takes = list.iter().filter_map(Node::text).map(|text| text.as_str().to_owned()).collect::<Vec<_>>();
            for (item, taken) in list.iter().zip(&takes) {
                if !properties.iter().any(|property| property.name == *taken) {
                    let known = properties.iter().map(|property| property.name.as_str());
                    let near = nearest(taken, known).map(str::to_owned);
                    let message = format!("unknown property `{taken}`");
                    let problem = self.problems.at(codes::UNKNOWN_NAME, item.place.clone(), message);
                    problem.help = near.map(|near| format!("did you mean `{near}`?"));
                }
            }
            properties.push(PropertyEntry { name, kind: PropertyKind::Verdict, condition: None, takes });
        }
        properties
    }

    /// What each variant is meant to show, in sweep order: (variant, property) to outcomes.
    pub fn expectations(
        &mut self,
        variants: &[String],
        properties: &[PropertyEntry],
        points: usize,
    ) -> BTreeMap<(String, String), Vec<Expected>> {
        let mut expected = BTreeMap::new();
        let Some(table) = self.tree.get("expect").and_then(Node::table).cloned() else { return expected };
        for variant in &table.entries {
            if !variants.contains(&variant.key) {
                self.unknown("variant", &variant.key, &variant.key_place, variants.iter().map(String::as_str));
            }
            let Some(outcomes) = variant.node.table() else { continue };
            for property in &outcomes.entries {
                if !properties.iter().any(|known| known.name == property.key) {
                    let known = properties.iter().map(|known| known.name.as_str());
                    self.unknown("property", &property.key, &property.key_place, known);
                }
                let nodes = match &property.node.value {
                    Value::List(list) => list.clone(),
                    _ => vec![property.node.clone(); points],
                };
                if nodes.len() != points {
                    let message = format!("{} outcomes for {points} sweep points", nodes.len());
                    self.wrong(&property.node.place, &message, "give one outcome for all, or one for each point");
                    continue;
                }
                let list = nodes.iter().map(|node| self.outcome(node)).collect();
                expected.insert((variant.key.clone(), property.key.clone()), list);
            }
        }
        expected
    }

    fn unknown<'a>(&mut self, what: &str, name: &str, place: &Place, known: impl IntoIterator<Item = &'a str>) {
        let near = nearest(name, known).map(|near| format!("did you mean `{near}`?"));
        self.problems.at(codes::UNKNOWN_NAME, place.clone(), format!("unknown {what} `{name}`")).help = near;
    }

    fn outcome(&mut self, node: &Node) -> Expected {
        let text = node.text().map_or("", |text| text.as_str());
        for outcome in ["holds", "violated", "unknown"] {
            if text == outcome {
                return Expected::Outcome(outcome);
            }
        }
        if let Some(why) = text.strip_prefix("either:").map(str::trim)
            && !why.is_empty()
        {
            return Expected::Either(why.to_owned());
        }
        let help = "write `holds`, `violated`, `unknown`, or `either: ` and why";
        self.wrong(&node.place, "this is no outcome", help);
        Expected::Outcome("holds")
    }

    /// All theories, in file order.
    pub fn theories(&mut self, variants: &[String], points: usize) -> Vec<TheoryEntry> {
        let mut theories = Vec::new();
        for (name, node) in self.named("theory") {
            let Some(table) = node.table().cloned() else { continue };
            let of = table.get("of").and_then(Node::text).cloned().and_then(|text| self.expression(&text));
            let is = self.theory_values(&table, points);
            let (Some(of), Some(is)) = (of, is) else { continue };
            let source = table.get("source").and_then(Node::text).map_or(String::new(), |t| t.as_str().to_owned());
            let within = self.within(&table);
            let named = self.theory_variants(&table, variants);
            theories.push(TheoryEntry { name, of, is, within, source, variants: named });
        }
        theories
    }

    fn theory_values(&mut self, table: &Table, points: usize) -> Option<Vec<(Text, Spanned<Expr>)>> {
        let node = table.get("is")?;
        let nodes = match &node.value {
            Value::List(list) => list.clone(),
            _ => vec![node.clone()],
        };
        if nodes.len() != 1 && nodes.len() != points {
            let message = format!("{} values for {points} sweep points", nodes.len());
            self.wrong(&node.place, &message, "give one value for all points, or one for each");
        }
        nodes.iter().map(|node| self.expression(&Text::of(node))).collect()
    }

    fn within(&mut self, table: &Table) -> Within {
        let Some(node) = table.get("within") else { return Within::Relative(0.02) };
        let text = Text::of(node);
        if let Some(points) = text.as_str().strip_suffix("pt")
            && let Ok(points) = points.trim().parse::<f64>()
        {
            return Within::Absolute(points / 100.0);
        }
        match self.expression(&text) {
            Some((_, Spanned { value: Expr::Number(quantity), .. })) if quantity.value >= 0.0 => match quantity.unit {
                Unit::Share => Within::Relative(quantity.value),
                Unit::Span => Within::Absolute(quantity.value / 1e9),
                _ => Within::Absolute(quantity.value),
            },
            _ => {
                let help = "write `2%` (relative), `0.5pt` (percentage points), or a difference such as `0.1ms`";
                self.wrong(&node.place, "this is no tolerance", help);
                Within::Relative(0.02)
            }
        }
    }

    fn theory_variants(&mut self, table: &Table, variants: &[String]) -> Vec<String> {
        let Some(node) = table.get("variant") else { return Vec::new() };
        let nodes = match &node.value {
            Value::List(list) => list.clone(),
            _ => vec![node.clone()],
        };
        let mut named = Vec::new();
        for node in &nodes {
            let Some(text) = node.text() else { continue };
            if !variants.iter().any(|variant| variant == text.as_str()) {
                let known = variants.iter().map(String::as_str);
                self.unknown("variant", text.as_str(), &node.place, known);
            }
            named.push(text.as_str().to_owned());
        }
        named
    }
}

fn until(expr: &Expr) -> Option<Runs> {
    let Expr::Call(function) = expr else { return None };
    if function.name.value != "until" {
        return None;
    }
    let (mut ci, mut on, mut max) = (None, None, 64);
    for arg in &function.args {
        let Some(Spanned { value: ArgKey::Name(key), .. }) = &arg.key else { return None };
        match (key.as_str(), &arg.value.value) {
            ("ci", Expr::Number(quantity)) if quantity.unit == Unit::Share && quantity.value > 0.0 => {
                ci = Some(quantity.value);
            }
            ("on", measure) => on = Some(measure.to_string()),
            ("max", Expr::Number(quantity)) => max = u32::try_from(quantity.exact?).ok()?,
            _ => return None,
        }
    }
    Some(Runs::Until { ci: ci?, on: on?, max: max.max(RUNS_MIN) })
}
