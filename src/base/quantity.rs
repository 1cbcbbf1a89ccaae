//! Numbers with units, as they stand in TOML and in programs: `20ms 500/s 64KiB 10Gb/s 80% $0.17/h 2x 50k`.
//! Whole numbers stay exact; what does not fit is refused, never rounded or wrapped.

use std::fmt;
use std::str::FromStr;

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
    /// A share: stored as a fraction (`80%` is 0.8).
    Share,
    /// A factor: `2x`.
    Factor,
    /// Dollars.
    Dollars,
    /// Dollars per hour.
    DollarsPerHour,
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

/// Why a text is no quantity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuantityError {
    /// What is wrong, without a full stop.
    pub message: String,
    /// What would be right.
    pub help: Option<String>,
}

/// Units of time, longest first, in nanoseconds. `m` is always minutes.
const TIMES: [(&str, u128); 9] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("min", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("µs", 1_000),
    ("ns", 1),
];
/// Units of bytes, in the order in which printing tries them.
const BYTES: [(&str, u128); 9] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];
/// Units of bits (per second), largest first.
const BITS: [(&str, u128); 5] =
    [("Tb", 1_000_000_000_000), ("Gb", 1_000_000_000), ("Mb", 1_000_000), ("kb", 1_000), ("b", 1)];
/// What `/` may be followed by in a rate, in seconds as a fraction (factor, divisor).
const PER: [(&str, u128, u128); 7] = [
    ("s", 1, 1),
    ("ms", 1_000, 1),
    ("us", 1_000_000, 1),
    ("m", 1, 60),
    ("min", 1, 60),
    ("h", 1, 3_600),
    ("d", 1, 86_400),
];
/// No quantity is this large, whatever its unit; so every printed one has few enough digits to be read again.
const VALUE_LIMIT: f64 = 1e30;
/// Powers of ten beyond this are refused: no measure needs them.
const EXPONENT_LIMIT: i32 = 30;

impl Unit {
    /// What it is called in messages: `a span`.
    pub const fn name(self) -> &'static str {
        match self {
            Unit::Count => "a bare number",
            Unit::Span => "a span of time",
            Unit::Rate => "a rate",
            Unit::Bytes => "a size in bytes",
            Unit::BitsPerSecond => "a bandwidth",
            Unit::Share => "a share",
            Unit::Factor => "a factor",
            Unit::Dollars => "an amount of money",
            Unit::DollarsPerHour => "a price per hour",
        }
    }

    /// A correct example.
    pub const fn example(self) -> &'static str {
        match self {
            Unit::Count => "8",
            Unit::Span => "20ms",
            Unit::Rate => "500/s",
            Unit::Bytes => "64KiB",
            Unit::BitsPerSecond => "10Gb/s",
            Unit::Share => "80%",
            Unit::Factor => "2x",
            Unit::Dollars => "$5",
            Unit::DollarsPerHour => "$0.17/h",
        }
    }
}

impl Quantity {
    /// A bare whole number.
    pub const fn count(n: i64) -> Quantity {
        Quantity { value: n as f64, exact: Some(n), unit: Unit::Count }
    }
}

/// Reads a quantity: the whole text, without blanks around it.
pub fn parse(text: &str) -> Result<Quantity, QuantityError> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let quantity = match digits.strip_prefix('$') {
        Some(rest) => dollars(text, rest)?,
        None => plain(text, digits)?,
    };
    if !negative {
        return Ok(quantity);
    }
    Ok(Quantity { value: -quantity.value, exact: quantity.exact.map(|n| -n), ..quantity })
}

impl FromStr for Quantity {
    type Err = QuantityError;
    fn from_str(text: &str) -> Result<Quantity, QuantityError> {
        parse(text)
    }
}

/// How many bytes at the start of `text`, which begins with a digit or `$`, belong to one quantity, right or wrong.
/// A `/` belongs to it when what follows makes it a rate: `500/s`, but not `500/n` nor `5ms/s`.
pub fn scan(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut end = usize::from(text.starts_with('$'));
    let mut unit;
    loop {
        end += number_length(&text[end..]);
        let start = end;
        while let Some(letter) = text[end..].chars().next().filter(|c| c.is_alphabetic() || *c == '%') {
            end += letter.len_utf8();
        }
        unit = &text[start..end];
        if unit.is_empty() || !bytes.get(end).is_some_and(u8::is_ascii_digit) {
            break;
        }
    }
    let may_be_rate = !unit.ends_with(['%', 'x']) && TIMES.iter().all(|(name, _)| *name != unit);
    if may_be_rate && text[end..].starts_with('/') {
        let per: &str =
            text[end + 1..].split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("");
        if PER.iter().any(|(name, ..)| *name == per) {
            end += 1 + per.len();
        }
    }
    end
}

/// Length of the digits, fraction and exponent at the start of `text`.
fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit() || **b == b'_').count();
    let mut end = digits(0);
    if bytes.get(end) == Some(&b'.') && bytes.get(end + 1).is_some_and(u8::is_ascii_digit) {
        end += 1;
        end += digits(end);
    }
    if end > 0 && matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let power =
            bytes[(end + 1 + sign).min(bytes.len())..].iter().take_while(|b| b.is_ascii_digit()).count();
        if power > 0 {
            end += 1 + sign + power;
        }
    }
    end
}

fn wrong(message: String, help: &str) -> QuantityError {
    QuantityError { message, help: Some(help.to_owned()) }
}

fn too_large(text: &str) -> QuantityError {
    let help = "counts, nanoseconds and bytes go up to 9223372036854775807";
    wrong(format!("`{text}` overflows: it is larger than any number here can be"), help)
}

/// A decimal number: `digits` × 10^-`scale`.
#[derive(Clone, Copy)]
struct Decimal {
    digits: u128,
    scale: i32,
}

/// Splits the number off the front of `text` (`whole` is for messages).
fn decimal<'a>(whole: &str, text: &'a str) -> Result<(Decimal, &'a str), QuantityError> {
    let (number, rest) = text.split_at(number_length(text));
    let (number, power) = match number.split_once(['e', 'E']) {
        Some((number, power)) => (number, power.parse::<i32>().map_err(|_| too_large(whole))?),
        None => (number, 0),
    };
    if power.abs() > EXPONENT_LIMIT {
        return Err(too_large(whole));
    }
    if number.is_empty() || number.ends_with('_') || number.starts_with('_') || number.contains("__") {
        return Err(wrong(
            format!("`{whole}` is not a number"),
            "numbers look like 8, 1.5, 50_000, 20ms or 500/s",
        ));
    }
    let (ones, fraction) = number.split_once('.').unwrap_or((number, ""));
    let fraction = fraction.trim_end_matches('0');
    let mut digits = 0u128;
    let mut scale = -power;
    for (place, digit) in ones.bytes().chain(fraction.bytes()).enumerate() {
        if digit != b'_' {
            let grown = digits.checked_mul(10).and_then(|d| d.checked_add(u128::from(digit - b'0')));
            digits = grown.ok_or_else(|| too_large(whole))?;
            scale += i32::from(place >= ones.len());
        }
    }
    while scale < 0 {
        digits = digits.checked_mul(10).ok_or_else(|| too_large(whole))?;
        scale += 1;
    }
    Ok((Decimal { digits, scale }, rest))
}

/// `decimal` × `factor` / `divisor`, in `unit`. Exact where it is whole.
fn scaled(
    text: &str,
    decimal: Decimal,
    factor: u128,
    divisor: u128,
    unit: Unit,
) -> Result<Quantity, QuantityError> {
    let digits = decimal.digits.checked_mul(factor).ok_or_else(|| too_large(text))?;
    let below = 10u128.checked_pow(decimal.scale as u32).and_then(|tens| tens.checked_mul(divisor));
    let whole = match below {
        Some(below) if digits % below == 0 => Some(digits / below),
        _ => (digits == 0).then_some(0),
    };
    let exact = whole.and_then(|whole| i64::try_from(whole).ok());
    let value = match exact {
        Some(n) => n as f64,
        // The decimal is handed to the one correctly rounded conversion there is.
        None => {
            format!("{digits}e-{}", decimal.scale).parse::<f64>().expect("digits and a power of ten")
                / divisor as f64
        }
    };
    let must_fit = matches!(unit, Unit::Count | Unit::Span | Unit::Bytes);
    if value >= VALUE_LIMIT || (must_fit && exact.is_none() && value >= i64::MAX as f64) {
        return Err(too_large(text));
    }
    if exact.is_none() && unit != Unit::Share && value.fract() == 0.0 && value < i64::MAX as f64 {
        return Err(wrong(format!("`{text}` has more digits than can be kept"), "write fewer digits"));
    }
    if unit == Unit::Bytes && exact.is_none() {
        return Err(wrong(
            format!("`{text}` is not a whole number of bytes"),
            "bytes look like 512B, 64KiB or 1.5MB",
        ));
    }
    Ok(Quantity { value, exact, unit })
}

/// A share is kept as a fraction: 80 % is the float nearest to 0.8.
fn share(text: &str, decimal: Decimal) -> Result<Quantity, QuantityError> {
    let fraction = Decimal { scale: decimal.scale + 2, ..decimal };
    let quantity = scaled(text, fraction, 1, 1, Unit::Share)?;
    Ok(Quantity { exact: None, ..quantity })
}

/// `0.17/h`, `5`, `10k`: what follows the dollar sign.
fn dollars(text: &str, rest: &str) -> Result<Quantity, QuantityError> {
    let (number, suffix) = decimal(text, rest)?;
    let (amount, unit) = match suffix.strip_suffix("/h") {
        Some(amount) => (amount, Unit::DollarsPerHour),
        None => (suffix, Unit::Dollars),
    };
    match thousands(amount) {
        Some(factor) => scaled(text, number, factor, 1, unit),
        None => Err(wrong(format!("`{text}` is no amount of money"), "money looks like $5, $10k or $0.17/h")),
    }
}

/// Everything that does not begin with a dollar sign.
fn plain(text: &str, digits: &str) -> Result<Quantity, QuantityError> {
    let (number, suffix) = decimal(text, digits)?;
    if let Some(factor) = thousands(suffix) {
        return scaled(text, number, factor, 1, Unit::Count);
    }
    let named =
        |units: &[(&str, u128)], name: &str| units.iter().find(|(unit, _)| *unit == name).map(|(_, f)| *f);
    match suffix {
        "%" => return share(text, number),
        "x" => return scaled(text, number, 1, 1, Unit::Factor),
        _ => {}
    }
    if let Some(factor) = named(&TIMES, suffix) {
        return scaled(text, number, factor, 1, Unit::Span);
    }
    if let Some(factor) = named(&BYTES, suffix) {
        return scaled(text, number, factor, 1, Unit::Bytes);
    }
    if let Some((amount, per)) = suffix.split_once('/')
        && let Some((_, factor, divisor)) = PER.iter().find(|(name, ..)| *name == per)
    {
        if let Some(times) = thousands(amount) {
            return scaled(text, number, times * factor, *divisor, Unit::Rate);
        }
        let bits = named(&BITS, amount).or_else(|| named(&BYTES, amount).map(|bytes| bytes * 8));
        if let Some(times) = bits {
            return scaled(text, number, times * factor, *divisor, Unit::BitsPerSecond);
        }
    }
    if suffix.contains(|c: char| c.is_ascii_digit()) {
        return compound(text, digits);
    }
    Err(unknown_unit(text, suffix))
}

/// `3m10s`: whole parts, longer units first.
fn compound(text: &str, digits: &str) -> Result<Quantity, QuantityError> {
    let refused = || {
        wrong(
            format!("`{text}` is not a span of time"),
            "a span in parts has its longer units first: 3m10s, 1h30m",
        )
    };
    let (mut rest, mut total, mut last) = (digits, 0i64, u128::MAX);
    while !rest.is_empty() {
        let (number, after) = decimal(text, rest)?;
        let unit = after.split(|c: char| !c.is_alphabetic()).next().unwrap_or("");
        let factor =
            TIMES.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor).ok_or_else(refused)?;
        let part = scaled(text, number, factor, 1, Unit::Span)?.exact.ok_or_else(refused)?;
        if factor >= last {
            return Err(refused());
        }
        total = total.checked_add(part).ok_or_else(|| too_large(text))?;
        (last, rest) = (factor, &after[unit.len()..]);
    }
    Ok(Quantity { value: total as f64, exact: Some(total), unit: Unit::Span })
}

/// What a suffix of a bare number multiplies it by.
fn thousands(suffix: &str) -> Option<u128> {
    match suffix {
        "" => Some(1),
        "k" => Some(1_000),
        "M" => Some(1_000_000),
        _ => None,
    }
}

fn unknown_unit(text: &str, suffix: &str) -> QuantityError {
    let help = match suffix {
        "K" => "write 10k for ten thousand, 64KiB for bytes",
        "KB" | "kb" | "KiB/s" => "bytes are kB (1000) or KiB (1024); bits per second kb/s",
        "Mb" | "Gb" | "Tb" | "b" => "bandwidth is per second: 10Gb/s; sizes are in bytes: 64KiB, 10MB",
        "sec" | "secs" | "seconds" | "second" => "seconds are s: 1.5s",
        "mins" | "minutes" | "minute" => "minutes are m: 10m",
        "hours" | "hour" | "hr" | "hrs" => "hours are h: 1h",
        "msec" | "millis" => "milliseconds are ms: 20ms",
        _ => {
            "units: ns us ms s m h d, /s, B kB KiB MB MiB GB GiB, kb/s Mb/s Gb/s, %, x, $ and $/h; counts take k and M"
        }
    };
    wrong(format!("`{suffix}` in `{text}` is not a unit"), help)
}

impl fmt::Display for Quantity {
    /// Text that reads as the same quantity: the largest unit that keeps it whole.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.value;
        if value < 0.0 || self.exact.is_some_and(|n| n < 0) {
            let positive = Quantity { value: -value, exact: self.exact.and_then(i64::checked_neg), ..*self };
            return write!(f, "-{positive}");
        }
        if matches!(self.unit, Unit::Dollars | Unit::DollarsPerHour) {
            f.write_str("$")?;
        }
        let mut whole = |units: &[(&str, u128)], suffix: &str| match self.exact {
            Some(0) | None => write!(f, "{value}{}{suffix}", units.last().map_or("", |(name, _)| name)),
            Some(n) => {
                let fits = units.iter().find(|(_, factor)| n as u128 % factor == 0);
                let (name, factor) = fits.expect("the last unit is 1");
                write!(f, "{}{name}{suffix}", n as u128 / factor)
            }
        };
        match self.unit {
            Unit::Span if self.exact == Some(0) => f.write_str("0s"),
            Unit::Span => whole(&TIMES, ""),
            Unit::Bytes => whole(&BYTES, ""),
            Unit::BitsPerSecond => whole(&BITS, "/s"),
            Unit::Count => whole(&[("", 1)], ""),
            Unit::Rate => whole(&[("", 1)], "/s"),
            Unit::Factor => whole(&[("", 1)], "x"),
            Unit::Share => write!(f, "{}%", hundredfold(value)),
            Unit::Dollars => whole(&[("", 1)], ""),
            Unit::DollarsPerHour => whole(&[("", 1)], "/h"),
        }
    }
}

/// The decimal digits of `value` × 100, moved without arithmetic so that dividing by 100 gives `value` again.
fn hundredfold(value: f64) -> String {
    let text = format!("{value:e}");
    let (mantissa, power) = text.split_once('e').expect("a float in scientific form");
    let power = power.parse::<i32>().expect("a power of ten") + 2;
    let (first, rest) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{first}{rest}");
    let point = 1 + power; // digits before the decimal point
    if point <= 0 {
        return format!("0.{}{digits}", "0".repeat(point.unsigned_abs() as usize));
    }
    let point = point as usize;
    if point >= digits.len() {
        let text = format!("{digits}{}", "0".repeat(point - digits.len()));
        return if digits == "0" { digits } else { text };
    }
    format!("{}.{}", &digits[..point], &digits[point..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quantities_read_in_the_base_of_their_unit() {
        use Unit::*;
        let table: &[(&str, Unit, f64, Option<i64>, &str)] = &[
            ("8", Count, 8.0, Some(8), "8"),
            ("50_000", Count, 5e4, Some(50_000), "50000"),
            ("10k", Count, 1e4, Some(10_000), "10000"),
            ("2M", Count, 2e6, Some(2_000_000), "2000000"),
            ("1.5k", Count, 1500.0, Some(1500), "1500"),
            ("1.1", Count, 1.1, None, "1.1"),
            ("1e-4", Count, 1e-4, None, "0.0001"),
            ("9223372036854775807", Count, i64::MAX as f64, Some(i64::MAX), "9223372036854775807"),
            ("99999999999", Count, 99_999_999_999.0, Some(99_999_999_999), "99999999999"),
            ("20ms", Span, 2e7, Some(20_000_000), "20ms"),
            ("1.5s", Span, 1.5e9, Some(1_500_000_000), "1500ms"),
            ("10m", Span, 6e11, Some(600_000_000_000), "10m"),
            ("3m10s", Span, 1.9e11, Some(190_000_000_000), "190s"),
            ("1h30m", Span, 5.4e12, Some(5_400_000_000_000), "90m"),
            ("1h", Span, 3.6e12, Some(3_600_000_000_000), "1h"),
            ("1d", Span, 8.64e13, Some(86_400_000_000_000), "1d"),
            ("7us", Span, 7e3, Some(7_000), "7us"),
            ("7µs", Span, 7e3, Some(7_000), "7us"),
            ("3ns", Span, 3.0, Some(3), "3ns"),
            ("0.3ns", Span, 0.3, None, "0.3ns"),
            ("0s", Span, 0.0, Some(0), "0s"),
            ("-5ms", Span, -5e6, Some(-5_000_000), "-5ms"),
            ("500/s", Rate, 500.0, Some(500), "500/s"),
            ("10k/s", Rate, 1e4, Some(10_000), "10000/s"),
            ("6000/min", Rate, 100.0, Some(100), "100/s"),
            ("5/min", Rate, 5.0 / 60.0, None, "0.08333333333333333/s"),
            ("64KiB", Bytes, 65536.0, Some(65536), "64KiB"),
            ("1.5MB", Bytes, 1.5e6, Some(1_500_000), "1500kB"),
            ("10Gb/s", BitsPerSecond, 1e10, Some(10_000_000_000), "10Gb/s"),
            ("1MB/s", BitsPerSecond, 8e6, Some(8_000_000), "8Mb/s"),
            ("80%", Share, 0.8, None, "80%"),
            ("99.9%", Share, 0.999, None, "99.9%"),
            ("0.05%", Share, 0.0005, None, "0.05%"),
            ("100%", Share, 1.0, None, "100%"),
            ("0%", Share, 0.0, None, "0%"),
            ("2x", Factor, 2.0, Some(2), "2x"),
            ("0.5x", Factor, 0.5, None, "0.5x"),
            ("$0.17/h", DollarsPerHour, 0.17, None, "$0.17/h"),
            ("$10k", Dollars, 1e4, Some(10_000), "$10000"),
        ];
        for &(text, unit, value, exact, canonical) in table {
            let quantity = parse(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
            assert_eq!(quantity, Quantity { value, exact, unit }, "{text}");
            assert_eq!(quantity.to_string(), canonical, "{text}");
            assert_eq!(parse(canonical), Ok(quantity), "{text} printed");
            let positive = text.trim_start_matches('-');
            assert_eq!(scan(positive), positive.len(), "{text}");
        }
    }

    #[test]
    fn what_is_no_quantity_says_what_would_be() {
        for (text, message) in [
            ("99999999999999999999", "overflows"),
            ("9223372036854775808", "overflows"),
            ("9e99999999999", "overflows"),
            ("1e31", "overflows"),
            ("1000000d", "overflows"),
            ("20msec", "`msec` in `20msec` is not a unit"),
            ("10K", "is not a unit"),
            ("2x8", "not a span"),
            ("10s3m", "not a span"),
            ("3m3m", "not a span"),
            ("1.5B", "whole number of bytes"),
            ("10Gb", "is not a unit"),
            ("$5/s", "no amount of money"),
            ("5_", "not a number"),
            ("_5", "not a number"),
            ("", "not a number"),
            ("ms", "not a number"),
            ("10 k", "is not a unit"),
            ("5ms ", "is not a unit"),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.message.contains(message), "{text}: {error:?}");
            assert!(error.help.is_some(), "{text}");
        }
    }

    #[test]
    fn a_slash_belongs_to_a_rate_only() {
        for (text, length) in [
            ("500/s", 5),
            ("500/n", 3),
            ("500/s_max", 3),
            ("5ms/s", 3),
            ("0..2", 1),
            ("1.5..2", 3),
            ("10 k", 2),
            ("3m10s=", 5),
        ] {
            assert_eq!(scan(text), length, "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn printing_reads_back(n in 0i64.., unit in 0usize..7, tail in 0usize..16) {
            let suffix = ["", "ns", "B", "/s", "b/s", "x", "%"][unit];
            let digits = n.to_string();
            let at = digits.len().saturating_sub(tail).max(1);
            let text = if tail > 0 && unit != 2 && at < digits.len() {
                format!("{}.{}{suffix}", &digits[..at], &digits[at..])
            } else {
                format!("{digits}{suffix}")
            };
            let Ok(quantity) = parse(&text) else {
                prop_assert!(n >= 1 << 53, "only too many digits are refused: {}", text);
                return Ok(());
            };
            prop_assert_eq!(parse(&quantity.to_string()), Ok(quantity));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,24}", numbers in "[$]?[0-9._eE]{1,8}[a-zA-Zµ%/]{0,4}[0-9smh]{0,6}") {
            let _ = parse(&text);
            let _ = parse(&numbers);
            if numbers.starts_with(|c: char| c == '$' || c.is_ascii_digit()) {
                prop_assert!(numbers.is_char_boundary(scan(&numbers)));
            }
        }
    }
}
