//! `results.json`: the contract, pretty-printed.

use std::borrow::Cow;

use serde_json::Value;

use crate::experiment::results::Results;

/// Results as JSON, with a newline at the end.
pub fn json(results: &Results) -> String {
    let results = spelled(results);
    let mut text =
        serde_json::to_string_pretty(&*results).expect("results have string keys and no foreign types");
    text.push('\n');
    text
}

/// Measures under the names that their author gave them.
fn spelled(results: &Results) -> Cow<'_, Results> {
    if results.spelling.is_empty() {
        return Cow::Borrowed(results);
    }
    let mut spelled = results.clone();
    let name = |canonical: &mut String| {
        if let Some(written) = results.spelling.get(canonical) {
            canonical.clone_from(written);
        }
    };
    for cell in &mut spelled.cells {
        let measures = std::mem::take(&mut cell.measures).into_iter().map(|(canonical, mut estimate)| {
            let mut key = canonical.clone();
            name(&mut key);
            estimate.canonical = (key != canonical).then_some(canonical);
            (key, estimate)
        });
        cell.measures = measures.collect();
    }
    spelled.comparisons.iter_mut().for_each(|comparison| name(&mut comparison.measure));
    spelled.theory.iter_mut().for_each(|theory| name(&mut theory.of));
    Cow::Owned(spelled)
}

/// The text of `results.json` with the two fields at zero that may differ between two runs of the same thing
/// (`summary.wall_s`, `summary.events_per_s`): what is left is equal byte for byte. It works on the text, for reading
/// numbers and printing them again could hide a difference in the last digit.
#[cfg(feature = "internals")]
pub fn without_timing(text: &str) -> String {
    let timeless = |line: &str| {
        let field = ["\"wall_s\": ", "\"events_per_s\": "]
            .into_iter()
            .find(|field| line.trim_start().starts_with(field));
        let Some((start, rest)) = field
            .and_then(|field| line.split_once(field).map(|(space, rest)| (format!("{space}{field}"), rest)))
        else {
            return line.to_owned();
        };
        // Whoever calls a measure or a parameter like this has an object or a text here.
        if !rest.starts_with(|c: char| c.is_ascii_digit()) {
            return line.to_owned();
        }
        format!("{start}0{}", if line.trim_end().ends_with(',') { ",\n" } else { "\n" })
    };
    text.split_inclusive('\n').map(timeless).collect()
}

/// Whether a text is a `results.json` of ours.
pub fn is_results(text: &str) -> bool {
    serde_json::from_str::<Value>(text).is_ok_and(|value| value.get("schema").is_some_and(Value::is_u64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::stampede;

    #[test]
    fn runs_of_the_same_thing_differ_only_in_timing() {
        let first = stampede().results;
        let mut second = first.clone();
        second.summary.wall_s = 99.0;
        second.summary.events_per_s = 1.0;
        assert_ne!(json(&first), json(&second));
        assert_eq!(without_timing(&json(&first)), without_timing(&json(&second)));
        second.seed = 2;
        assert_ne!(without_timing(&json(&first)), without_timing(&json(&second)));
        let timeless = without_timing(&json(&first));
        assert!(
            timeless.contains("    \"wall_s\": 0,\n    \"events_per_s\": 0,\n    \"as_expected\""),
            "{timeless}"
        );
        assert!(json(&first).ends_with("}\n"));
        assert!(is_results(&json(&first)));
    }

    #[test]
    fn a_measure_s_key_is_as_its_author_spells_it() {
        let mut results = stampede().results;
        let measure = results.cells[0].measures.keys().next().expect("there are some").clone();
        let written = format!(" {measure} ");
        results.spelling.insert(measure.clone(), written.clone());
        let value: Value = serde_json::from_str(&json(&results)).expect("JSON");
        let measures = &value["cells"][0]["measures"];
        assert_eq!(measures[&written]["canonical"].as_str(), Some(measure.as_str()));
        assert!(measures.get(&measure).is_none());
        let canonical = |estimate: &Value| estimate.get("canonical").is_some();
        assert_eq!(measures.as_object().expect("a table").values().filter(|one| canonical(one)).count(), 1);
        assert!(!is_results("{}"));
    }
}
