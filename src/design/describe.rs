//! What parameters take, in words and by example, for messages and the schema.

use crate::base::parameter::{Constructor, ParameterType};

/// What a parameter takes, in words.
pub fn describe(takes: &ParameterType) -> String {
    match takes {
        ParameterType::Count { max: u64::MAX, .. } => "a whole number or `unlimited`".to_owned(),
        ParameterType::Count { .. } => "a whole number".to_owned(),
        ParameterType::Share { .. } => "a share".to_owned(),
        ParameterType::Factor { .. } => "a factor".to_owned(),
        ParameterType::Span { .. } => "a time".to_owned(),
        ParameterType::Rate => "a rate".to_owned(),
        ParameterType::Bytes { .. } => "a size".to_owned(),
        ParameterType::Bandwidth => "a bandwidth".to_owned(),
        ParameterType::Dollars => "a sum of money".to_owned(),
        ParameterType::DollarsPerHour => "a price per hour".to_owned(),
        ParameterType::Distribution => "a time or a distribution of times".to_owned(),
        ParameterType::DistributionOr(forms) => {
            let forms = forms.iter().map(|form| format!("`{}(…)`", form.name)).collect::<Vec<_>>().join(", ");
            format!("a time, a distribution of times, or one of {forms}")
        }
        ParameterType::NumberDistribution => "a number or a distribution of numbers".to_owned(),
        ParameterType::Switch => "`true` or `false`".to_owned(),
        ParameterType::Word(words) => format!("one of {}", words.join(", ")),
        ParameterType::Constructor(forms) => {
            format!("one of {}", forms.iter().map(|form| form.name).collect::<Vec<_>>().join(", "))
        }
        ParameterType::Part(kinds) => format!("the name of a {}", kinds.join(" or ")),
        ParameterType::Policy => "the name of a policy".to_owned(),
        ParameterType::Zones => "a zone or a list of zones".to_owned(),
        ParameterType::Call => "a call of a program".to_owned(),
        ParameterType::Text => "a text".to_owned(),
        ParameterType::Any => "a number, a text or a list".to_owned(),
        ParameterType::NumberOrText => "a number or a text".to_owned(),
        ParameterType::List(inner) => format!("a list, each {}", describe(inner)),
        ParameterType::Table(inner) => format!("a table, each {}", describe(inner)),
    }
}

/// A correct value, as it stands in the TOML.
pub fn example(takes: &ParameterType) -> String {
    let quoted = |text: &str| format!("\"{text}\"");
    match takes {
        ParameterType::Count { min, max } => 8.clamp(*min, *max).to_string(),
        ParameterType::Share { max, .. } => {
            quoted(&if *max < 0.8 { format!("{}%", max * 50.0) } else { "80%".to_owned() })
        }
        ParameterType::Factor { .. } => quoted("2x"),
        ParameterType::Span { .. } => quoted("20ms"),
        ParameterType::Rate => quoted("500/s"),
        ParameterType::Bytes { .. } => quoted("64KiB"),
        ParameterType::Bandwidth => quoted("10Gb/s"),
        ParameterType::Dollars => quoted("$5"),
        ParameterType::DollarsPerHour => quoted("$0.17/h"),
        ParameterType::Distribution => quoted("lognormal(p50=4ms, p99=40ms)"),
        ParameterType::DistributionOr(_) => quoted("1m"),
        ParameterType::NumberDistribution => quoted("uniform(1, 10)"),
        ParameterType::Switch => "true".to_owned(),
        ParameterType::Word(words) => quoted(words.first().unwrap_or(&"")),
        ParameterType::Constructor(forms) => forms.first().map_or(quoted(""), |form| quoted(form.name)),
        ParameterType::Part(_) => quoted("app"),
        ParameterType::Policy => quoted("default"),
        ParameterType::Zones => "[\"a\", \"b\"]".to_owned(),
        ParameterType::Call => quoted("product(item=1)"),
        ParameterType::NumberOrText => quoted("2%"),
        ParameterType::Text | ParameterType::Any => quoted("…"),
        ParameterType::List(inner) => format!("[{}]", example(inner)),
        ParameterType::Table(inner) => format!("{{ name = {} }}", example(inner)),
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
pub(super) fn signature(form: &Constructor) -> String {
    if form.parameters.is_empty() {
        return format!("write `{}`", form.name);
    }
    let arguments =
        form.parameters.iter().map(|parameter| format!("{}=", parameter.name)).collect::<Vec<_>>().join(", ");
    format!("write `{}({arguments})`", form.name)
}
