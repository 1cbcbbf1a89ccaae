//! `runs.csv`: one row per run, one column per measure, for people's own statistics.

use std::collections::BTreeSet;

use crate::report::input::TrialRow;

/// The rows, with a heading: variant, the paths of the sweep, seed, fingerprint, the measures in the order in which
/// they first appear. An undefined value is an empty field; floats print shortest-round-trip.
pub fn csv(trials: &[TrialRow]) -> String {
    let paths = in_order(trials.iter().flat_map(|trial| trial.point.iter().map(|(path, _)| path.as_str())));
    let measures =
        in_order(trials.iter().flat_map(|trial| trial.values.iter().map(|(name, _)| name.as_str())));
    let mut writer = csv::Writer::from_writer(Vec::new());
    let heading = ["variant"].into_iter().chain(paths.iter().copied()).chain(["seed", "fingerprint"]);
    writer.write_record(heading.chain(measures.iter().copied())).expect("memory takes all");
    for trial in trials {
        let mut row = vec![trial.variant.clone()];
        row.extend(paths.iter().map(|path| find(&trial.point, path).cloned().unwrap_or_default()));
        row.push(trial.seed.to_string());
        row.push(trial.fingerprint.clone());
        let values = measures.iter().map(|name| find(&trial.values, name).copied().flatten());
        row.extend(values.map(|value| value.map_or_else(String::new, |x| x.to_string())));
        writer.write_record(&row).expect("every row has the columns of the heading");
    }
    let bytes = writer.into_inner().expect("memory takes all");
    String::from_utf8(bytes).expect("it was written from text")
}

fn in_order<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = BTreeSet::new();
    names.filter(|name| seen.insert(*name)).collect()
}

fn find<'a, T>(pairs: &'a [(String, T)], name: &str) -> Option<&'a T> {
    pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::stampede;

    #[test]
    fn it_parses_back() {
        let trials = stampede().trials;
        let text = csv(&trials);
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let heading: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
        assert_eq!(heading[..4], ["variant", "callers.rate", "seed", "fingerprint"]);
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        assert_eq!(rows.len(), trials.len());
        for (row, trial) in rows.iter().zip(&trials) {
            assert_eq!(row[0], trial.variant);
            assert_eq!(row[2].parse::<u64>().unwrap(), trial.seed);
            for (index, (_, value)) in trial.values.iter().enumerate() {
                let field = &row[4 + index];
                assert_eq!((!field.is_empty()).then(|| field.parse::<f64>().unwrap()), *value);
            }
        }
    }
}
