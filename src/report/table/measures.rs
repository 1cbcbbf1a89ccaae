//! The measures: a row for each cell, a column for each measure; further columns below when the screen is narrow.

use std::collections::{BTreeMap, BTreeSet};

use crate::experiment::results::{Cell, Estimate};
use crate::report::input::ReportInput;
use crate::report::table::sheet::{EMPTY, Page, Paint, padded, pushed, wide};
use crate::report::text::{counted, estimate, place, short_path};

/// Measures in the terminal, unless the file asks for more; the rest stands in `results.json`.
const MEASURES_MAX: usize = 12;
/// A column that has no value in so many of its rows stands in a table of those that have one.
const EMPTY_MAX: f64 = 0.34;
/// Rows in the terminal.
const ROWS_MAX: usize = 60;
/// Between columns.
const GAP: usize = 2;
/// A heading is broken into lines of about this many letters.
const HEADING: usize = 16;

/// The table of all cells: by point, then variants in file order.
pub(super) fn measures(page: &mut Page, paint: Paint, input: &ReportInput) {
    let (names, asked) = input.measures();
    if names.is_empty() {
        return;
    }
    let shown = names.len().min(asked.max(MEASURES_MAX));
    let mut cells = in_order(input);
    cells.truncate(ROWS_MAX);
    let counts = || input.results.cells.iter().map(|cell| cell.runs);
    let (fewest, most) = (counts().min().unwrap_or(0), counts().max().unwrap_or(0));
    let n = if fewest == most { format!("n = {most}") } else { format!("n = {fewest} to {most}") };
    page.gap();
    page.line(paint.bold(&format!("Measures: mean over runs ± half the 95 % interval, {n}")));
    let mut notes = BTreeMap::new();
    let columns: Vec<Column> = names[..shown].iter().map(|name| column(name, &cells, &mut notes)).collect();
    let (alike, columns): (Vec<Column>, Vec<Column>) =
        columns.into_iter().partition(|column| cells.len() > 1 && column.is_alike());
    for (rows, columns) in groups(&columns) {
        table(page, paint, &cells, &rows, &columns);
    }
    for column in alike {
        page.line(format!("  {} {} everywhere", paint.dim(&column.heading.join(" ")), column.texts[0]));
    }
    for column in &columns {
        untold(page, paint, column, &cells);
    }
    let mut notes: Vec<(String, usize)> = notes.into_iter().collect();
    notes.sort_by_key(|(_, number)| *number);
    for (note, number) in notes {
        page.wrapped(2, &format!("[{number}] {note}"), |line| paint.dim(line));
    }
    let more = (names.len() - shown) as u64;
    let unseen = (input.results.cells.len() - cells.len()) as u64;
    let parts = [(more, "measure", " that the file does not ask for"), (unseen, "cell", "")];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(many, ..)| *many > 0)
        .map(|(many, noun, which)| format!("{}{which}", counted(*many, &format!("more {noun}"))))
        .collect();
    if !parts.is_empty() {
        page.wrapped(2, &format!("{} in results.json", parts.join(" and ")), |line| paint.dim(line));
    }
}

/// Columns that have their values in the same rows, with these rows. Few gaps are left where they are.
fn groups(columns: &[Column]) -> Vec<(Vec<usize>, Vec<&Column>)> {
    let mut groups: Vec<(Vec<usize>, Vec<&Column>)> = Vec::new();
    for column in columns {
        let rows = column.rows();
        match groups.iter_mut().find(|(known, _)| *known == rows) {
            Some((_, columns)) => columns.push(column),
            None => groups.push((rows, vec![column])),
        }
    }
    groups
}

/// Says why a column has no value in the rows in which it does not stand.
fn untold(page: &mut Page, paint: Paint, column: &Column, cells: &[&Cell]) {
    let rows = column.rows();
    let mut told: Vec<(&str, Vec<String>)> = Vec::new();
    for (row, text) in column.texts.iter().enumerate().filter(|(row, _)| !rows.contains(row)) {
        let at = place(&cells[row].variant, &cells[row].point);
        match told.iter_mut().find(|(known, _)| *known == text) {
            Some((_, places)) => places.push(at),
            None if text != EMPTY => told.push((text, vec![at])),
            None => {}
        }
    }
    for (text, places) in told {
        let label = format!("  {} {text}: ", paint.dim(&column.heading.join(" ")));
        let indent = 2 + wide(&column.heading.join(" ")) + 1 + wide(text) + 2;
        page.hanging(&label, indent, &places.join("; "), |line| paint.dim(line));
    }
}

/// Some rows of some columns, in as many tables as the width demands.
fn table(page: &mut Page, paint: Paint, cells: &[&Cell], rows: &[usize], columns: &[&Column]) {
    let labels = labels(cells);
    let mut rest = columns;
    while !rest.is_empty() {
        let fixed = 2 + labels.iter().map(|label| label.width + GAP).sum::<usize>();
        let needed = |columns: &[&Column]| columns.iter().map(|one| one.width + GAP).sum::<usize>() + fixed;
        let fits = (1..=rest.len()).rev().find(|n| needed(&rest[..*n]) <= page.width + GAP).unwrap_or(1);
        block(page, paint, (cells, rows), &labels, &rest[..fits]);
        rest = &rest[fits..];
    }
}

/// Cells by point, then variants in file order.
pub(super) fn in_order(input: &ReportInput) -> Vec<&Cell> {
    let mut points: Vec<&BTreeMap<String, String>> = Vec::new();
    for cell in &input.results.cells {
        if !points.contains(&&cell.point) {
            points.push(&cell.point);
        }
    }
    let mut cells: Vec<&Cell> = input.results.cells.iter().collect();
    let variant = |cell: &Cell| input.variants_in_order.iter().position(|name| *name == cell.variant);
    cells.sort_by_key(|cell| (points.iter().position(|point| **point == cell.point), variant(cell)));
    cells
}

/// A column: its heading in lines, its texts by row.
struct Column {
    heading: Vec<String>,
    texts: Vec<String>,
    width: usize,
}

impl Column {
    /// Whether every row says the same.
    fn is_alike(&self) -> bool {
        self.texts.iter().all(|text| *text == self.texts[0])
    }

    /// The rows in which it has a value, or nearly all rows.
    fn rows(&self) -> Vec<usize> {
        let of = self.texts.len();
        let defined: Vec<usize> = (0..of).filter(|row| !self.texts[*row].starts_with(EMPTY)).collect();
        let few = (of - defined.len()) as f64 <= EMPTY_MAX * of as f64;
        if few || defined.is_empty() { (0..of).collect() } else { defined }
    }

    fn new(heading: Vec<String>, texts: Vec<String>) -> Column {
        let width = heading.iter().chain(&texts).map(|text| wide(text)).max().unwrap_or(0);
        Column { heading, texts, width }
    }
}

/// The swept paths, then the variant; what is the same everywhere is left out.
fn labels(cells: &[&Cell]) -> Vec<Column> {
    let paths: BTreeSet<&String> = cells.iter().flat_map(|cell| cell.point.keys()).collect();
    let mut columns: Vec<Column> = paths
        .into_iter()
        .map(|path| {
            let texts = cells.iter().map(|cell| cell.point.get(path).cloned().unwrap_or_default());
            Column::new(vec![short_path(path)], texts.collect())
        })
        .collect();
    if columns.is_empty() || cells.iter().any(|cell| cell.variant != cells[0].variant) {
        let texts = cells.iter().map(|cell| cell.variant.clone()).collect();
        columns.push(Column::new(vec!["variant".to_owned()], texts));
    }
    columns
}

fn column(name: &str, cells: &[&Cell], notes: &mut BTreeMap<String, usize>) -> Column {
    let texts = cells.iter().map(|cell| match cell.measures.get(name) {
        Some(estimate) => text(estimate, cell.runs, notes),
        None => EMPTY.to_owned(),
    });
    let texts: Vec<String> = texts.collect();
    let widest = texts.iter().map(|text| wide(text)).max().unwrap_or(0);
    Column::new(broken(name, widest.max(HEADING)), texts)
}

fn text(one: &Estimate, runs: u32, notes: &mut BTreeMap<String, usize>) -> String {
    let mut text = if one.mean.is_some() { estimate(one) } else { EMPTY.to_owned() };
    if one.n < runs && one.mean.is_some() {
        text.push_str(&format!(" (n = {})", one.n));
    }
    if let Some(note) = &one.note {
        let following = notes.len() + 1;
        let number = *notes.entry(note.clone()).or_insert(following);
        text.push_str(&format!(" [{number}]"));
    }
    text
}

/// A heading in lines, broken between words where there are any.
fn broken(name: &str, room: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in name.split(' ') {
        match lines.last_mut().filter(|line| wide(line) + 1 + wide(word) <= room) {
            Some(line) => *line = format!("{line} {word}"),
            None => lines.push(word.to_owned()),
        }
    }
    lines
}

fn block(
    page: &mut Page,
    paint: Paint,
    (cells, rows): (&[&Cell], &[usize]),
    labels: &[Column],
    columns: &[&Column],
) {
    let gap = " ".repeat(GAP);
    let all = || labels.iter().chain(columns.iter().copied());
    let height = all().map(|column| column.heading.len()).max().unwrap_or(0);
    for line in 0..height {
        // Headings stand on their foot.
        let of = |column: &Column| {
            let place = (line + column.heading.len()).checked_sub(height);
            place.map_or_else(String::new, |place| column.heading[place].clone())
        };
        let left = labels.iter().map(|column| padded(&of(column), column.width));
        let right = columns.iter().map(|column| pushed(&of(column), column.width));
        page.line(format!("  {}", paint.dim(left.chain(right).collect::<Vec<_>>().join(&gap).trim_end())));
    }
    let mut before: Option<&Cell> = None;
    let many = rows.iter().any(|row| cells[*row].variant != cells[rows[0]].variant);
    for row in rows {
        let cell = cells[*row];
        let again = before.is_some_and(|before| before.point == cell.point);
        if before.is_some() && !again && many {
            page.gap();
        }
        before = Some(cell);
        let left = labels.iter().map(|column| {
            let is_path = column.heading[0] != "variant";
            padded(if again && is_path { "" } else { &column.texts[*row] }, column.width)
        });
        let right = columns.iter().map(|column| pushed(&column.texts[*row], column.width));
        page.line(format!("  {}", left.chain(right).collect::<Vec<_>>().join(&gap)));
    }
    page.gap();
}
