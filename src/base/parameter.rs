//! Parameters: the one source of the loader's checks, `explain`, the JSON Schema and docs/language.md.
//! A part, fault, policy, guard or arrival distribution states its parameters as a table; the loader hands it checked [`Parameters`].

use std::collections::{BTreeMap, BTreeSet};

use crate::base::dist::Dist;
use crate::base::ids::{PartId, PolicyId, ZoneId};
use crate::base::problem::Place;
use crate::base::time::Span;

/// One parameter of a table.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// The TOML key or argument name.
    pub name: &'static str,
    /// What it takes.
    pub takes: ParameterType,
    /// What holds when it is not given.
    pub default: Preset,
    /// One sentence: what it does, with unit and range.
    pub doc: &'static str,
}

/// What a parameter takes.
#[derive(Clone, Copy, Debug)]
pub enum ParameterType {
    /// A whole number in a range, `8` or `10k`; `unlimited` when `max` is `u64::MAX`.
    Count {
        /// At least.
        min: u64,
        /// At most.
        max: u64,
    },
    /// A share, `80%`, in a range of fractions.
    Share {
        /// At least.
        min: f64,
        /// At most.
        max: f64,
    },
    /// A factor, `2x`, or a bare number, in a range.
    Factor {
        /// At least.
        min: f64,
        /// At most.
        max: f64,
    },
    /// A span, `20ms`, in a range.
    Span {
        /// At least.
        min: Span,
        /// At most.
        max: Span,
    },
    /// A rate, `500/s`, above 0.
    Rate,
    /// Bytes, `64KiB`.
    Bytes {
        /// At least.
        min: u64,
        /// At most.
        max: u64,
    },
    /// Bits per second, `10Gb/s`.
    Bandwidth,
    /// Dollars, `$5`.
    Dollars,
    /// Dollars per hour, `$0.17/h`.
    DollarsPerHour,
    /// A distribution of spans, `lognormal(p50=4ms, p99=40ms)` or `5ms`.
    Distribution,
    /// A distribution of spans, or one of these forms.
    DistributionOr(&'static [Constructor]),
    /// A distribution of plain numbers.
    NumberDistribution,
    /// `true` or `false`.
    Switch,
    /// One of these words.
    Word(&'static [&'static str]),
    /// One of these forms, `mutex(ttl=3s)`.
    Constructor(&'static [Constructor]),
    /// The name of a part of one of these kinds.
    Part(&'static [&'static str]),
    /// The name of a policy.
    Policy,
    /// A zone, or a list of zones.
    Zones,
    /// A call of a program, `build_page(item=key)`; handed over as text with its place, parsed by `design`.
    Call,
    /// Free text or a file name.
    Text,
    /// A number, a text or a list that its reader looks at more closely (`is` of a theory); handed over as
    /// [`Setting::Text`], written as in the TOML, with its place.
    Any,
    /// A number or a text, likewise.
    NumberOrText,
    /// A list.
    List(&'static ParameterType),
    /// A table of named values of one type.
    Table(&'static ParameterType),
}

/// `name(parameters)`: one of the functions that a parameter takes.
#[derive(Clone, Copy, Debug)]
pub struct Constructor {
    /// Its name.
    pub name: &'static str,
    /// Its arguments. Positional arguments fill them in order.
    pub parameters: &'static [Parameter],
    /// One sentence.
    pub doc: &'static str,
}

/// What holds when a parameter is not given.
#[derive(Clone, Copy, Debug)]
pub enum Preset {
    /// It must be given.
    Required,
    /// It may be left out, and then there is none.
    Absent,
    /// This, as it would stand in the TOML, and why this.
    Is {
        /// As in the TOML.
        text: &'static str,
        /// Where the value is from.
        source: &'static str,
    },
}

/// A checked value.
#[derive(Clone, Debug, PartialEq)]
pub enum Setting {
    /// Counts and bytes; `unlimited` is `u64::MAX`.
    Count(u64),
    /// Shares as fractions, factors, rates per second, bits per second, dollars.
    Number(f64),
    /// A span.
    Span(Span),
    /// A distribution (of spans: in nanoseconds).
    Distribution(Dist),
    /// A switch.
    Switch(bool),
    /// A word of the table.
    Word(&'static str),
    /// A form with its arguments.
    Constructor(&'static str, Parameters),
    /// A part.
    Part(PartId),
    /// A policy.
    Policy(PolicyId),
    /// Zones.
    Zones(Vec<ZoneId>),
    /// Text with its place.
    Text(String, Place),
    /// A list.
    List(Vec<Setting>),
    /// A table, by name.
    Table(BTreeMap<String, Setting>),
}

/// Checked values by parameter name, with the place of each (the entry's own place where a default holds).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parameters {
    /// Values, absent ones left out.
    pub values: BTreeMap<&'static str, (Setting, Option<Place>)>,
    /// Those that a variant, a sweep or the command line gave.
    pub changed: BTreeSet<&'static str>,
}

macro_rules! getter {
    ($(#[$doc:meta])* $name:ident, $variant:ident, $type:ty) => {
        $(#[$doc])*
        ///
        /// # Panics
        /// When the table has no such parameter of this type with a default: our mistake.
        pub fn $name(&self, parameter: &str) -> $type {
            match self.values.get(parameter) {
                Some((Setting::$variant(value), _)) => value.clone(),
                other => panic!("parameter {parameter} is {other:?}, not a {}", stringify!($variant)),
            }
        }
    };
}

impl Parameters {
    getter!(/** A count or bytes. */ count, Count, u64);
    getter!(/** A share, factor, rate, bandwidth or price. */ number, Number, f64);
    getter!(/** A span. */ span, Span, Span);
    getter!(/** A distribution. */ distribution, Distribution, Dist);
    getter!(/** A switch. */ switch, Switch, bool);
    getter!(/** A word. */ word, Word, &'static str);
    getter!(/** A part. */ part, Part, PartId);
    getter!(/** A policy. */ policy, Policy, PolicyId);
    getter!(/** Zones. */ zones, Zones, Vec<ZoneId>);

    /// A form: its name and arguments.
    ///
    /// # Panics
    /// When the table has no such parameter with a default: our mistake.
    pub fn form(&self, parameter: &str) -> (&'static str, &Parameters) {
        match self.values.get(parameter) {
            Some((Setting::Constructor(name, parameters), _)) => (name, parameters),
            other => panic!("parameter {parameter} is {other:?}, not a form"),
        }
    }

    /// The value, when there is one.
    pub fn get(&self, parameter: &str) -> Option<&Setting> {
        self.values.get(parameter).map(|(setting, _)| setting)
    }

    /// Whether one parameter was given for a value of another that a variant, a sweep or the command line has since replaced: what
    /// does not apply to the new value is then left over, and no mistake.
    pub fn is_left_over(&self, parameter: &str, of: &str) -> bool {
        self.changed.contains(of) && !self.changed.contains(parameter)
    }

    /// Where it was given, when it was.
    pub fn place(&self, parameter: &str) -> Option<&Place> {
        self.values.get(parameter).and_then(|(_, place)| place.as_ref())
    }
}
