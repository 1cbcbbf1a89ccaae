//! What knobs take, in words and by example, for messages and the schema.

use crate::base::knob::{Form, Takes};

/// What a knob takes, in words.
pub fn describe(takes: &Takes) -> String {
    match takes {
        Takes::Count { max: u64::MAX, .. } => "a whole number or `unlimited`".to_owned(),
        Takes::Count { .. } => "a whole number".to_owned(),
        Takes::Share { .. } => "a share".to_owned(),
        Takes::Factor { .. } => "a factor".to_owned(),
        Takes::Span { .. } => "a time".to_owned(),
        Takes::Rate => "a rate".to_owned(),
        Takes::Bytes { .. } => "a size".to_owned(),
        Takes::Bandwidth => "a bandwidth".to_owned(),
        Takes::Dollars => "a sum of money".to_owned(),
        Takes::DollarsPerHour => "a price per hour".to_owned(),
        Takes::Law => "a time or a distribution of times".to_owned(),
        Takes::LawOr(forms) => {
            let forms = forms.iter().map(|form| format!("`{}(…)`", form.name)).collect::<Vec<_>>().join(", ");
            format!("a time, a distribution of times, or one of {forms}")
        }
        Takes::NumberLaw => "a number or a distribution of numbers".to_owned(),
        Takes::Switch => "`true` or `false`".to_owned(),
        Takes::Word(words) => format!("one of {}", words.join(", ")),
        Takes::Form(forms) => {
            format!("one of {}", forms.iter().map(|form| form.name).collect::<Vec<_>>().join(", "))
        }
        Takes::Part(kinds) => format!("the name of a {}", kinds.join(" or ")),
        Takes::Policy => "the name of a policy".to_owned(),
        Takes::Zones => "a zone or a list of zones".to_owned(),
        Takes::Call => "a call of a program".to_owned(),
        Takes::Text => "a text".to_owned(),
        Takes::Any => "a number, a text or a list".to_owned(),
        Takes::NumberOrText => "a number or a text".to_owned(),
        Takes::List(inner) => format!("a list, each {}", describe(inner)),
        Takes::Table(inner) => format!("a table, each {}", describe(inner)),
    }
}

/// A correct value, as it stands in the TOML.
pub fn example(takes: &Takes) -> String {
    let quoted = |text: &str| format!("\"{text}\"");
    match takes {
        Takes::Count { min, max } => 8.clamp(*min, *max).to_string(),
        Takes::Share { max, .. } => {
            quoted(&if *max < 0.8 { format!("{}%", max * 50.0) } else { "80%".to_owned() })
        }
        Takes::Factor { .. } => quoted("2x"),
        Takes::Span { .. } => quoted("20ms"),
        Takes::Rate => quoted("500/s"),
        Takes::Bytes { .. } => quoted("64KiB"),
        Takes::Bandwidth => quoted("10Gb/s"),
        Takes::Dollars => quoted("$5"),
        Takes::DollarsPerHour => quoted("$0.17/h"),
        Takes::Law => quoted("lognormal(p50=4ms, p99=40ms)"),
        Takes::LawOr(_) => quoted("1m"),
        Takes::NumberLaw => quoted("uniform(1, 10)"),
        Takes::Switch => "true".to_owned(),
        Takes::Word(words) => quoted(words.first().unwrap_or(&"")),
        Takes::Form(forms) => forms.first().map_or(quoted(""), |form| quoted(form.name)),
        Takes::Part(_) => quoted("app"),
        Takes::Policy => quoted("default"),
        Takes::Zones => "[\"a\", \"b\"]".to_owned(),
        Takes::Call => quoted("product(item=1)"),
        Takes::NumberOrText => quoted("2%"),
        Takes::Text | Takes::Any => quoted("…"),
        Takes::List(inner) => format!("[{}]", example(inner)),
        Takes::Table(inner) => format!("{{ name = {} }}", example(inner)),
    }
}

pub(super) fn how_many(count: usize) -> String {
    match count {
        0 => "no arguments".to_owned(),
        1 => "one argument".to_owned(),
        count => format!("{count} arguments"),
    }
}

/// `mutex(ttl=, wait=)`: how a form is written.
pub(super) fn signature(form: &Form) -> String {
    if form.knobs.is_empty() {
        return format!("write `{}`", form.name);
    }
    let arguments = form.knobs.iter().map(|knob| format!("{}=", knob.name)).collect::<Vec<_>>().join(", ");
    format!("write `{}({arguments})`", form.name)
}
