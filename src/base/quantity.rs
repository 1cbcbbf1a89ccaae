//! Numbers with units, as they stand in TOML and in programs: `20ms 500/s 64KiB 10Gb/s 80% 200ppm $0.17/h 2x 50k
//! 3m10s`.

use std::fmt;

use winnow::ascii::digit1;
use winnow::combinator::{alt, opt};
use winnow::error::ContextError;
use winnow::prelude::*;
use winnow::token::{one_of, take_while};

/// What a number measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// A bare number: `8`, `50_000`, `10k`, `2M`.
    Count,
    /// Time: stored in nanoseconds.
    Span,
    /// Per second.
    Rate,
    /// Bytes.
    Bytes,
    /// Bits per second.
    BitsPerSecond,
    /// A share: stored as a fraction (`80%` is 0.8, `200ppm` is 0.0002).
    Share,
    /// A factor: `2x`.
    Factor,
    /// Dollars.
    Dollars,
    /// Dollars per hour.
    DollarsPerHour,
}

impl Unit {
    /// A word for messages, with an example.
    pub const fn example(self) -> &'static str {
        match self {
            Unit::Count => "a count, `8` or `10k`",
            Unit::Span => "a span, `20ms`",
            Unit::Rate => "a rate, `500/s`",
            Unit::Bytes => "a size, `64KiB`",
            Unit::BitsPerSecond => "a bandwidth, `10Gb/s`",
            Unit::Share => "a share, `80%`",
            Unit::Factor => "a factor, `2x`",
            Unit::Dollars => "an amount, `$5`",
            Unit::DollarsPerHour => "a price, `$0.17/h`",
        }
    }
}

/// A number with its unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantity {
    /// In the base of its unit.
    pub value: f64,
    /// The same as an integer when it is one exactly (counts, nanoseconds, bytes).
    pub exact: Option<i64>,
    /// What it measures.
    pub unit: Unit,
}

/// Units by their letters: what they measure, and the factor to its base as numerator and denominator.
const UNITS: &[(&str, Unit, u64)] = &[
    ("ns", Unit::Span, 1),
    ("us", Unit::Span, 1_000),
    ("µs", Unit::Span, 1_000),
    ("ms", Unit::Span, 1_000_000),
    ("s", Unit::Span, 1_000_000_000),
    ("m", Unit::Span, 60_000_000_000),
    ("min", Unit::Span, 60_000_000_000),
    ("h", Unit::Span, 3_600_000_000_000),
    ("d", Unit::Span, 86_400_000_000_000),
    ("k", Unit::Count, 1_000),
    ("M", Unit::Count, 1_000_000),
    ("G", Unit::Count, 1_000_000_000),
    ("x", Unit::Factor, 1),
    ("B", Unit::Bytes, 1),
    ("KB", Unit::Bytes, 1_000),
    ("kB", Unit::Bytes, 1_000),
    ("MB", Unit::Bytes, 1_000_000),
    ("GB", Unit::Bytes, 1_000_000_000),
    ("KiB", Unit::Bytes, 1 << 10),
    ("MiB", Unit::Bytes, 1 << 20),
    ("GiB", Unit::Bytes, 1 << 30),
    ("b/s", Unit::BitsPerSecond, 1),
    ("kb/s", Unit::BitsPerSecond, 1_000),
    ("Kb/s", Unit::BitsPerSecond, 1_000),
    ("Mb/s", Unit::BitsPerSecond, 1_000_000),
    ("Gb/s", Unit::BitsPerSecond, 1_000_000_000),
    // Rates by the minute and the hour stand in `SLOW`.
    ("/s", Unit::Rate, 1),
    ("k/s", Unit::Rate, 1_000),
    ("M/s", Unit::Rate, 1_000_000),
];

/// Rates with more than a second in their unit, and how many seconds.
const SLOW: [(&str, f64); 2] = [("/min", 60.0), ("/h", 3_600.0)];

/// Why a number could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadNumber {
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub help: String,
}

/// Digits before and after the point.
struct Digits<'a> {
    whole: &'a str,
    fraction: &'a str,
}

fn digits<'a>(input: &mut &'a str) -> winnow::ModalResult<Digits<'a>, ContextError> {
    let whole = (one_of('0'..='9'), take_while(0.., ('0'..='9', '_'))).take().parse_next(input)?;
    let before = *input;
    let fraction = match (opt('.').parse_next(input)?, input.chars().next()) {
        (Some(_), Some('0'..='9')) => digit1.parse_next(input)?,
        _ => {
            *input = before; // the point belongs to something else: a range, a field
            ""
        }
    };
    Ok(Digits { whole, fraction })
}

fn letters<'a>(input: &mut &'a str) -> winnow::ModalResult<&'a str, ContextError> {
    let word = |c: char| c.is_ascii_alphabetic() || c == 'µ';
    alt((
        (take_while(0.., word), '/', take_while(1.., word))
            .take()
            .verify(|unit: &str| known(unit).is_some() || slow(unit).is_some()),
        '%'.take(),
        take_while(0.., |c: char| word(c) || c.is_ascii_digit() || c == '_'),
    ))
    .parse_next(input)
}

fn known(letters: &str) -> Option<(Unit, u64)> {
    UNITS.iter().find(|(name, _, _)| *name == letters).map(|(_, unit, factor)| (*unit, *factor))
}

fn slow(letters: &str) -> Option<f64> {
    SLOW.iter().find(|(name, _)| *name == letters).map(|(_, seconds)| *seconds)
}

impl Quantity {
    /// A bare integer.
    pub fn count(n: i64) -> Quantity {
        Quantity { value: n as f64, exact: Some(n), unit: Unit::Count }
    }

    /// Reads a quantity at the start of `text`, which begins with a digit or `$`. Answers with it and its length in
    /// bytes, or with what is wrong and how long the wrong thing is.
    pub fn at_start(text: &str) -> Result<(Quantity, usize), (BadNumber, usize)> {
        let mut rest = text;
        if let Some(after) = rest.strip_prefix('$') {
            rest = after;
            return dollars(text, rest);
        }
        let mut total: Option<Quantity> = None;
        loop {
            let Ok(number) = digits(&mut rest) else { break };
            let unit = span_letters(&mut rest);
            let length = text.len() - rest.len();
            let part = read(&number, unit).map_err(|bad| (bad, length))?;
            total = Some(match total {
                None => part,
                Some(sum) => add(sum, part).map_err(|bad| (bad, length))?,
            });
            let compound = part.unit == Unit::Span && rest.starts_with(|c: char| c.is_ascii_digit());
            if !compound {
                break;
            }
        }
        let length = text.len() - rest.len();
        match total {
            Some(quantity) => Ok((quantity, length)),
            None => Err((bad("a number begins with a digit", "write `0.5`, not `.5`"), 1)),
        }
    }

    /// Reads `text` as one quantity and nothing else.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Quantity, BadNumber> {
        match Quantity::at_start(text) {
            Ok((quantity, length)) if length == text.len() => Ok(quantity),
            Ok(_) => Err(bad(&format!("`{text}` is no number with a unit"), "write `20ms`, `500/s`, `80%`")),
            Err((bad, _)) => Err(bad),
        }
    }
}

/// The letters of a unit; in a compound span (`3m10s`) they end before the next digit.
fn span_letters<'a>(rest: &mut &'a str) -> &'a str {
    let text = *rest;
    let end = text.find(|c: char| !c.is_ascii_alphabetic() && c != 'µ').unwrap_or(text.len());
    if matches!(known(&text[..end]), Some((Unit::Span, _)))
        && text[end..].starts_with(|c: char| c.is_ascii_digit())
    {
        *rest = &text[end..];
        return &text[..end];
    }
    letters(rest).unwrap_or("")
}

fn bad(message: &str, help: &str) -> BadNumber {
    BadNumber { message: message.to_owned(), help: help.to_owned() }
}

fn dollars(text: &str, mut rest: &str) -> Result<(Quantity, usize), (BadNumber, usize)> {
    let Ok(number) = digits(&mut rest) else {
        return Err((bad("a price has a number after `$`", "write `$0.17/h`"), 1));
    };
    let hourly = rest.strip_prefix("/h").filter(|after| !after.starts_with(char::is_alphanumeric));
    let unit = if hourly.is_some() { Unit::DollarsPerHour } else { Unit::Dollars };
    let rest = hourly.unwrap_or(rest);
    let quantity = read(&number, "").map_err(|bad| (bad, text.len() - rest.len()))?;
    Ok((Quantity { unit, exact: None, ..quantity }, text.len() - rest.len()))
}

fn add(a: Quantity, b: Quantity) -> Result<Quantity, BadNumber> {
    if a.unit != Unit::Span || b.unit != Unit::Span {
        return Err(bad("only spans may be written in several parts", "write `3m10s`"));
    }
    let exact = a.exact.zip(b.exact).and_then(|(a, b)| a.checked_add(b));
    let value = exact.map_or(a.value + b.value, |exact| exact as f64);
    if exact.is_none() && value.fract() == 0.0 {
        return Err(bad("this span does not fit into 64 bits of nanoseconds", "spans go up to 292 years"));
    }
    Ok(Quantity { value, exact, unit: Unit::Span })
}

fn read(number: &Digits<'_>, letters: &str) -> Result<Quantity, BadNumber> {
    let (unit, factor) = match letters {
        "" => (Unit::Count, 1),
        "%" | "ppm" => (Unit::Share, 1),
        _ if slow(letters).is_some() => {
            let per_s = read(number, "")?.value / slow(letters).unwrap_or(1.0);
            return Ok(Quantity { value: per_s, exact: None, unit: Unit::Rate });
        }
        _ => known(letters).ok_or_else(|| unknown_unit(number, letters))?,
    };
    let whole: String = number.whole.chars().filter(|c| *c != '_').collect();
    let text =
        if number.fraction.is_empty() { whole.clone() } else { format!("{whole}.{}", number.fraction) };
    let parsed: f64 = text.parse().unwrap_or(f64::INFINITY);
    let whole_share = if letters == "ppm" { 1e6 } else { 100.0 };
    let scale = if unit == Unit::Share { 1.0 / whole_share } else { factor as f64 };
    let exact = exactly(&whole, number.fraction, factor);
    let integral = matches!(unit, Unit::Count | Unit::Span | Unit::Bytes);
    if integral && exact.is_none() && parsed * scale >= 9.2e18 {
        let help = "numbers go up to 9,223,372,036,854,775,807";
        return Err(bad(&format!("`{text}{letters}` does not fit into 64 bits"), help));
    }
    if integral && exact.is_none() && (parsed * scale).fract() == 0.0 {
        let help = "write fewer digits behind the point";
        return Err(bad(&format!("`{text}{letters}` has more digits than can be kept"), help));
    }
    let value = match exact {
        Some(exact) if integral => exact as f64,
        _ if unit == Unit::Share => parsed / whole_share,
        _ => parsed * scale,
    };
    if !value.is_finite() {
        return Err(bad(&format!("`{text}{letters}` is too large"), "write a smaller number"));
    }
    Ok(Quantity { value, exact: if integral { exact } else { None }, unit })
}

/// `whole.fraction × factor` as an integer, if it is one.
fn exactly(whole: &str, fraction: &str, factor: u64) -> Option<i64> {
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > 18 {
        return None;
    }
    let mantissa: i128 = format!("{whole}{fraction}").parse().ok()?;
    let scaled = mantissa.checked_mul(i128::from(factor))?;
    let power = 10i128.pow(fraction.len() as u32);
    if scaled % power == 0 { i64::try_from(scaled / power).ok() } else { None }
}

fn unknown_unit(number: &Digits<'_>, letters: &str) -> BadNumber {
    let near = crate::base::problem::nearest(letters, UNITS.iter().map(|(name, _, _)| *name));
    let shown = number.whole;
    let help = match near {
        Some(near) => format!(
            "did you mean `{shown}{near}`? Units: ns us ms s m h d, /s, %, k M, B KiB MiB, Mb/s Gb/s, x, $"
        ),
        None => "units: ns us ms s m h d, /s, %, k M, B KiB MiB GiB, Mb/s Gb/s, x, $".to_owned(),
    };
    bad(&format!("unknown unit `{letters}`"), &help)
}

impl fmt::Display for Quantity {
    /// As it would be written; parses to the same.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.unit {
            Unit::Count => match self.exact {
                Some(exact) => write!(f, "{exact}"),
                None => write!(f, "{}", self.value),
            },
            Unit::Span if self.exact.is_some() => {
                let ns = self.exact.unwrap_or(0);
                let fitting = [
                    ("h", 3_600_000_000_000),
                    ("m", 60_000_000_000),
                    ("s", 1_000_000_000),
                    ("ms", 1_000_000),
                    ("us", 1_000),
                ];
                match fitting.iter().find(|(_, size)| ns != 0 && ns % size == 0) {
                    Some((name, size)) => write!(f, "{}{name}", ns / size),
                    None => write!(f, "{ns}ns"),
                }
            }
            Unit::Span => write!(f, "{}ns", self.value),
            Unit::Bytes if self.exact.is_some() => write!(f, "{}B", self.exact.unwrap_or(0)),
            Unit::Rate => write!(f, "{}/s", self.value),
            Unit::Bytes => write!(f, "{}B", self.value),
            Unit::BitsPerSecond => write!(f, "{}b/s", self.value),
            Unit::Share => write!(f, "{}%", percent(self.value)),
            Unit::Factor => write!(f, "{}x", self.value),
            Unit::Dollars => write!(f, "${}", self.value),
            Unit::DollarsPerHour => write!(f, "${}/h", self.value),
        }
    }
}

/// The shortest percentage that reads back as `share`.
fn percent(share: f64) -> String {
    let plain = share * 100.0;
    (0..=15)
        .map(|digits| format!("{plain:.digits$}"))
        .find(|text| text.parse::<f64>().is_ok_and(|value| value / 100.0 == share))
        .unwrap_or_else(|| plain.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_carry_their_units() {
        for (text, value, unit, exact) in [
            ("20ms", 2e7, Unit::Span, Some(20_000_000)),
            ("1.5s", 1.5e9, Unit::Span, Some(1_500_000_000)),
            ("3m10s", 1.9e11, Unit::Span, Some(190_000_000_000)),
            ("10m", 6e11, Unit::Span, Some(600_000_000_000)),
            ("1.1us", 1100.0, Unit::Span, Some(1100)),
            ("2562047h", 2562047.0 * 3.6e12, Unit::Span, Some(2_562_047 * 3_600_000_000_000)),
            ("500/s", 500.0, Unit::Rate, None),
            ("5/min", 5.0 / 60.0, Unit::Rate, None),
            ("36/h", 0.01, Unit::Rate, None),
            ("2k/s", 2000.0, Unit::Rate, None),
            ("64KiB", 65536.0, Unit::Bytes, Some(65536)),
            ("10Gb/s", 1e10, Unit::BitsPerSecond, None),
            ("80%", 0.8, Unit::Share, None),
            ("200ppm", 0.0002, Unit::Share, None),
            ("$0.17/h", 0.17, Unit::DollarsPerHour, None),
            ("2x", 2.0, Unit::Factor, None),
            ("50_000", 5e4, Unit::Count, Some(50_000)),
            ("10k", 1e4, Unit::Count, Some(10_000)),
            ("1.5k", 1500.0, Unit::Count, Some(1500)),
            ("99999999999", 99_999_999_999.0, Unit::Count, Some(99_999_999_999)),
        ] {
            let quantity = Quantity::parse(text).unwrap_or_else(|bad| panic!("{text}: {bad:?}"));
            assert_eq!((quantity.value, quantity.unit, quantity.exact), (value, unit, exact), "{text}");
            assert_eq!(Quantity::parse(&quantity.to_string()), Ok(quantity), "{text} prints as {quantity}");
        }
    }

    #[test]
    fn what_is_no_quantity_is_explained() {
        for (text, message) in [
            ("20msec", "unknown unit `msec`"),
            ("99999999999999999999", "`99999999999999999999` does not fit into 64 bits"),
            ("51173073297132391.5", "`51173073297132391.5` has more digits than can be kept"),
            ("2562047h2562047h", "this span does not fit into 64 bits of nanoseconds"),
            ("20 ms", "`20 ms` is no number with a unit"),
            ("$", "a price has a number after `$`"),
        ] {
            assert_eq!(Quantity::parse(text).expect_err(text).message, message);
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config {
            failure_persistence: None,
            ..proptest::test_runner::Config::default()
        })]
        #[test]
        fn printing_reads_back(n in 0u64..=i64::MAX as u64, unit in 0usize..14, tail in 0usize..16) {
            let suffix =
                ["", "ns", "us", "ms", "s", "h", "B", "KiB", "/s", "/min", "Mb/s", "x", "%", "k"][unit];
            let digits = n.to_string();
            let at = digits.len().saturating_sub(tail).max(1);
            let (whole, fraction) = digits.split_at(at);
            let text = if fraction.is_empty() { format!("{whole}{suffix}") } else { format!("{whole}.{fraction}{suffix}") };
            if let Ok(quantity) = Quantity::parse(&text) {
                proptest::prop_assert_eq!(Quantity::parse(&quantity.to_string()), Ok(quantity), "{}", text);
            }
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,24}", number in "[$]?[0-9._e]{1,8}[a-zA-Zµ%/]{0,4}[0-9smh]{0,6}") {
            let _ = Quantity::parse(&text);
            let _ = Quantity::parse(&number);
        }
    }
}
