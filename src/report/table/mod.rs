//! The report in the terminal: the verdict first, then theory beside simulation, then measures, then where the files
//! are and what to try next.

mod failures;
mod measures;
mod parts;
mod sheet;
mod verdicts;

use crate::experiment::results::Results;
use crate::report::input::ReportInput;
use crate::report::table::sheet::{Page, Paint};
use crate::report::text::counted;

/// The report as text of at most `width` columns where words allow it; with ANSI colours if asked.
pub fn table(input: &ReportInput, colour: bool, width: usize) -> String {
    let paint = Paint(colour);
    let results = &input.results;
    let mut page = Page { lines: Vec::new(), width: width.max(40) };
    let named = [results.experiment.as_str(), &results.title];
    page.line(paint.bold(named.join(": ").trim_end_matches(": ")));
    page.wrapped(0, &runs(results), |line| paint.dim(line));
    page.gap();
    verdicts::properties(&mut page, paint, results);
    verdicts::theory(&mut page, paint, results);
    verdicts::findings(&mut page, paint, results);
    parts::bottlenecks(&mut page, paint, input);
    measures::measures(&mut page, paint, input);
    parts::parts(&mut page, paint, input);
    failures::failures(&mut page, paint, input);
    verdicts::comparisons(&mut page, paint, results);
    page.gap();
    if input.files {
        page.line(format!("files  {}/report.html, results.json, runs.csv, plots/", input.out_dir));
    }
    page.line(format!("next   {}", next(input)));
    page.lines.push(String::new());
    page.lines.join("\n")
}

fn runs(results: &Results) -> String {
    let summary = &results.summary;
    let most = results.cells.iter().map(|cell| u64::from(cell.runs)).max().unwrap_or(0);
    let last = results.seed.saturating_add(most.saturating_sub(1));
    let seeds =
        if most > 1 { format!("seeds {}–{last}", results.seed) } else { format!("seed {}", results.seed) };
    format!(
        "{}, {seeds}, {}; {:.2} s of wall time; fingerprint {}",
        counted(summary.trials, "run"),
        counted(summary.events, "event"),
        summary.wall_s,
        results.fingerprint
    )
}

/// A failing run again if there is one, otherwise more runs.
fn next(input: &ReportInput) -> String {
    let base = bare(&input.command);
    let cells = &input.results.cells;
    let failing = |unexpected: bool| {
        cells.iter().find_map(|cell| {
            let wanted = cell.properties.values().filter(|property| property.as_expected != unexpected);
            let mut failing = wanted.filter_map(|property| Some((property, property.failing_seeds.first()?)));
            failing.next().map(|(property, seed)| (cell, property, seed))
        })
    };
    if let Some((cell, property, seed)) = failing(true).or_else(|| failing(false)) {
        if let Some(replay) = &property.replay {
            return replay.clone();
        }
        let variant = if cell.variant == "base" {
            String::new()
        } else {
            format!(" --variant {}", quoted(&cell.variant))
        };
        return format!("{base}{variant} --seed {seed} --runs 1");
    }
    let most = cells.iter().map(|cell| cell.runs).max().unwrap_or(1);
    format!("{base} --runs {}", most.saturating_mul(4).max(4))
}

/// The command without the flags that the next one sets itself.
fn bare(command: &str) -> String {
    let mut kept = Vec::new();
    let mut words = command.split_whitespace();
    while let Some(word) = words.next() {
        match word {
            "--seed" | "--runs" | "--variant" => _ = words.next(),
            _ => kept.push(word),
        }
    }
    kept.join(" ")
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./=".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::stampede;
    use crate::report::table::sheet::wide;

    #[test]
    fn the_table_reads_like_this() {
        let text = table(&stampede(), false, 100);
        if text != include_str!("golden.txt") {
            panic!("another table than golden.txt:\n{text}");
        }
    }

    #[test]
    fn colours_only_when_asked() {
        let input = stampede();
        assert!(!table(&input, false, 80).contains('\x1b'));
        let coloured = table(&input, true, 80);
        assert!(coloured.contains("\x1b[32m✓\x1b[0m") && coloured.contains("\x1b[1;31m✗\x1b[0m"));
    }

    #[test]
    fn measures_fit_the_width() {
        for width in [60, 72, 100, 160] {
            let text = table(&stampede(), false, width);
            let widest = text.lines().skip_while(|line| !line.starts_with("Measures"));
            for line in widest.take_while(|line| !line.starts_with("Under")) {
                assert!(wide(line) <= width, "{width}: {line}");
            }
        }
    }

    #[test]
    fn what_the_file_asks_for_comes_first_and_is_never_left_out() {
        let mut input = stampede();
        input.asked = (0..20).rev().map(|n| format!("asked({n})")).collect();
        for cell in &mut input.results.cells {
            let estimate = cell.measures["goodput"].clone();
            let asked = (0..20).map(|n| {
                let mut estimate = estimate.clone();
                estimate.mean = estimate.mean.map(|mean| mean + f64::from(n));
                (format!("asked({n})"), estimate)
            });
            cell.measures.extend(asked);
        }
        let text = table(&input, false, 100);
        let places: Vec<usize> = (0..20).map(|n| text.find(&format!("asked({n})")).expect("shown")).collect();
        assert!(places.is_sorted_by(|a, b| a > b), "{text}");
        assert!(!text.contains("store.reads"), "{text}");
        assert!(text.contains("4 more measures that the file does not ask for in results.json"), "{text}");
    }

    #[test]
    fn a_measure_of_one_variant_has_no_row_of_dashes() {
        let mut input = stampede();
        for cell in &mut input.results.cells {
            let one = cell.measures["goodput"].clone();
            let (mean, note) = match cell.variant == "plain" {
                true => (one.mean, None),
                false => (None, Some("nobody asked".to_owned())),
            };
            cell.measures
                .insert("of plain".to_owned(), crate::experiment::results::Estimate { mean, note, ..one });
        }
        let text = table(&input, false, 200);
        let of_plain = text.lines().skip_while(|line| !line.ends_with("of plain")).skip(1);
        let rows: Vec<&str> = of_plain.take_while(|line| !line.contains("everywhere")).collect();
        assert_eq!(
            rows.iter().filter(|row| row.contains("plain") && !row.contains('–')).count(),
            2,
            "{text}"
        );
        assert_eq!(rows.iter().filter(|row| row.contains("single flight")).count(), 0, "{text}");
        assert!(text.contains("of plain – [2]: single flight, callers.rate=100/s; single"), "{text}");
    }

    #[test]
    fn lines_end_within_the_width_and_without_spaces() {
        let mut input = stampede();
        input.results.title.clear();
        for cell in &mut input.results.cells {
            cell.point.insert("workload.readers.arrive".to_owned(), "poisson(1000/s)".to_owned());
        }
        let theory = input.results.theory[0].clone();
        input.results.theory.extend(vec![theory; 5]); // six points on one line, where there is room
        for width in [80, 120] {
            for colour in [false, true] {
                for line in table(&input, colour, width).lines() {
                    let plain =
                        line.split('\x1b').map(|piece| piece.split_once('m').map_or(piece, |(_, text)| text));
                    let plain: String = if colour { plain.collect() } else { line.to_owned() };
                    assert_eq!(plain.trim_end(), plain, "{width}");
                    // a command is copied in one piece, and so is the name of a measure
                    let whole = ["next ", "files "].iter().any(|start| plain.starts_with(start));
                    assert!(whole || wide(&plain) <= width, "{width}: {plain}");
                }
            }
        }
        assert!(table(&input, false, 80).starts_with("cache-stampede\n"));
    }

    #[test]
    fn an_empty_experiment_has_a_table() {
        let mut input = stampede();
        input.results.cells.clear();
        input.results.theory.clear();
        input.files = false;
        let text = table(&input, false, 80);
        assert!(!text.contains("report.html"));
        assert!(text.contains("next   splitbrain run cache-stampede --runs 4"));
    }
}
