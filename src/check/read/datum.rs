//! Values as histories write them.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

/// A value of a recorded history. Numbers that are equal are the same, however they are written (1, 1.0, 1N), and so are sets and maps
/// in another order; vectors and lists are one kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Datum {
    /// `nil`, `null`
    Nil,
    /// `true`, `false`
    Bool(bool),
    /// A whole number of 64 bits.
    Number(i64),
    /// Any other number that a double holds.
    Float(Real),
    /// A scalar of another kind, as it is written: a larger number, a ratio, a character, a symbol.
    Other(Box<str>),
    /// `"a"`
    Text(Box<str>),
    /// `:a`, without the colon.
    Keyword(Box<str>),
    /// `[1 2]`, `(1 2)`
    List(Vec<Datum>),
    /// `#{1 2}`, sorted.
    Set(Vec<Datum>),
    /// `{1 2}`, sorted.
    Map(Vec<(Datum, Datum)>),
}

/// A double with a total order: there is one NaN, and it equals itself.
#[derive(Clone, Copy, Debug)]
pub struct Real(f64);

impl PartialEq for Real {
    fn eq(&self, other: &Real) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Real {}

impl PartialOrd for Real {
    fn partial_cmp(&self, other: &Real) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Real {
    fn cmp(&self, other: &Real) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl Hash for Real {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

/// The first double beyond the whole numbers of 64 bits.
const BEYOND: f64 = 9_223_372_036_854_775_808.0;

impl Datum {
    /// A double: a whole number if it is one.
    pub fn float(value: f64) -> Datum {
        if value.is_nan() {
            Datum::Float(Real(f64::NAN))
        } else if value.trunc() == value && (-BEYOND..BEYOND).contains(&value) {
            Datum::Number(value as i64)
        } else {
            Datum::Float(Real(value))
        }
    }

    /// A set.
    pub fn set(mut elements: Vec<Datum>) -> Datum {
        elements.sort_unstable();
        Datum::Set(elements)
    }

    /// A map; `None` if a key is there twice.
    pub fn map(mut entries: Vec<(Datum, Datum)>) -> Option<Datum> {
        entries.sort_unstable();
        let twice = entries.windows(2).any(|two| two[0].0 == two[1].0);
        (!twice).then_some(Datum::Map(entries))
    }

    /// What it takes of memory, bytes.
    pub fn bytes(&self) -> u64 {
        let inside = match self {
            Datum::Other(text) | Datum::Text(text) | Datum::Keyword(text) => text.len() as u64,
            Datum::List(elements) | Datum::Set(elements) => elements.iter().map(Datum::bytes).sum(),
            Datum::Map(entries) => entries.iter().map(|(key, value)| key.bytes() + value.bytes()).sum(),
            _ => 0,
        };
        size_of::<Datum>() as u64 + inside
    }

    /// A text, a keyword or a symbol: what names things.
    pub fn word(&self) -> Option<&str> {
        match self {
            Datum::Text(word) | Datum::Keyword(word) | Datum::Other(word) => Some(word),
            _ => None,
        }
    }

    /// The elements of a vector, a list or a set.
    pub fn elements(&self) -> Option<&[Datum]> {
        match self {
            Datum::List(elements) | Datum::Set(elements) => Some(elements),
            _ => None,
        }
    }

    /// A vector of two.
    pub fn pair(&self) -> Option<(&Datum, &Datum)> {
        match self {
            Datum::List(elements) if elements.len() == 2 => Some((&elements[0], &elements[1])),
            _ => None,
        }
    }

    /// As a name: without a colon or quotes.
    pub fn name(&self) -> String {
        self.word().map_or_else(|| self.to_string(), str::to_owned)
    }
}

/// As EDN; different values look different.
impl fmt::Display for Datum {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |out: &mut fmt::Formatter<'_>, open: &str, elements: &[Datum], close: &str| {
            out.write_str(open)?;
            for (place, element) in elements.iter().enumerate() {
                write!(out, "{}{element}", if place == 0 { "" } else { " " })?;
            }
            out.write_str(close)
        };
        match self {
            Datum::Nil => out.write_str("nil"),
            Datum::Bool(truth) => write!(out, "{truth}"),
            Datum::Number(number) => write!(out, "{number}"),
            Datum::Float(Real(value)) if value.is_nan() => out.write_str("##NaN"),
            Datum::Float(Real(value)) if value.is_infinite() => {
                out.write_str(if *value > 0.0 { "##Inf" } else { "##-Inf" })
            }
            Datum::Float(Real(value)) => write!(out, "{value}"),
            Datum::Other(written) => out.write_str(written),
            Datum::Text(text) => write!(out, "{text:?}"),
            Datum::Keyword(word) => write!(out, ":{word}"),
            Datum::List(elements) => row(out, "[", elements, "]"),
            Datum::Set(elements) => row(out, "#{", elements, "}"),
            Datum::Map(entries) => {
                out.write_str("{")?;
                for (place, (key, value)) in entries.iter().enumerate() {
                    write!(out, "{}{key} {value}", if place == 0 { "" } else { ", " })?;
                }
                out.write_str("}")
            }
        }
    }
}
