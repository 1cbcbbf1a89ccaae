//! The grid of measures: measures down, variants and points across as far as they fit.

use std::collections::{BTreeMap, BTreeSet};

use super::{Page, Paint, padded, pushed, wide};
use crate::experiment::results::Cell;
use crate::report::input::ReportInput;
use crate::report::text::{estimate, point};

/// Rows in the terminal; the rest stands in `results.json`.
const ROWS_MAX: usize = 12;
/// Between columns.
const GAP: usize = 3;

/// All cells side by side when they fit, else one block per point, cut into pieces when even that is too wide.
pub(super) fn measures(page: &mut Page, paint: Paint, input: &ReportInput) {
    let cells: Vec<&Cell> = input.results.cells.iter().collect();
    let names: BTreeSet<&str> =
        cells.iter().flat_map(|cell| cell.measures.keys().map(String::as_str)).collect();
    if names.is_empty() {
        return;
    }
    let shown: Vec<&str> = names.iter().copied().take(ROWS_MAX).collect();
    let fewest = cells.iter().map(|cell| cell.runs).min().unwrap_or(0);
    let most = cells.iter().map(|cell| cell.runs).max().unwrap_or(0);
    let n = if fewest == most { format!("n = {most}") } else { format!("n = {fewest} to {most}") };
    page.gap();
    page.line(paint.bold(&format!("Measures: mean over runs ± half the 95 % interval, {n}")));
    let grid = Grid { rows: &shown, notes: BTreeMap::new() };
    grid.write(page, paint, &cells);
    if names.len() > shown.len() {
        page.line(paint.dim(&format!("  and {} more in results.json", names.len() - shown.len())));
    }
}

struct Grid<'a> {
    rows: &'a [&'a str],
    /// Notes below, by their text, with their number.
    notes: BTreeMap<String, usize>,
}

impl Grid<'_> {
    fn write(mut self, page: &mut Page, paint: Paint, cells: &[&Cell]) {
        let name = self.rows.iter().map(|row| wide(row)).max().unwrap_or(0).max(4);
        let columns: Vec<Vec<String>> = cells.iter().map(|cell| self.column(cell)).collect();
        let room = page.width;
        let needed = |some: &[usize]| {
            let across =
                |index: &usize| columns[*index].iter().map(|text| wide(text)).max().unwrap_or(0) + GAP;
            2 + name + some.iter().map(across).sum::<usize>()
        };
        let all: Vec<usize> = (0..cells.len()).collect();
        let blocks = if needed(&all) <= room { vec![all] } else { by_point(cells) };
        for (position, block) in blocks.iter().enumerate() {
            let mut rest = block.as_slice();
            while !rest.is_empty() {
                let fits = (1..=rest.len()).rev().find(|n| needed(&rest[..*n]) <= room).unwrap_or(1);
                if position > 0 || rest.len() < block.len() {
                    page.gap();
                }
                self.block(page, paint, name, &rest[..fits], &columns);
                rest = &rest[fits..];
            }
        }
        let mut notes: Vec<(&String, &usize)> = self.notes.iter().collect();
        notes.sort_by_key(|(_, number)| **number);
        for (note, number) in notes {
            page.wrapped(2, &format!("[{number}] {note}"), |line| paint.dim(line));
        }
    }

    /// Variant, point, then a text for each row.
    fn column(&mut self, cell: &Cell) -> Vec<String> {
        let mut texts = vec![cell.variant.clone(), point(&cell.point)];
        for row in self.rows {
            let Some(one) = cell.measures.get(*row) else {
                texts.push("–".to_owned());
                continue;
            };
            let mut text = estimate(one);
            if one.n < cell.runs && one.mean.is_some() {
                text.push_str(&format!(" (n = {})", one.n));
            }
            if let Some(note) = &one.note {
                let following = self.notes.len() + 1;
                let number = *self.notes.entry(note.clone()).or_insert(following);
                text.push_str(&format!(" [{number}]"));
            }
            texts.push(text);
        }
        texts
    }

    fn block(&self, page: &mut Page, paint: Paint, name: usize, block: &[usize], columns: &[Vec<String>]) {
        for line in 0..self.rows.len() + 2 {
            let blank = block.iter().all(|index| columns[*index][line].is_empty());
            if blank {
                continue;
            }
            let heading = if line < 2 { "" } else { self.rows[line - 2] };
            let mut text = padded(heading, name);
            for index in block {
                let width = columns[*index].iter().map(|text| wide(text)).max().unwrap_or(0);
                text.push_str(&" ".repeat(GAP));
                text.push_str(&pushed(&columns[*index][line], width));
            }
            let text = if line < 2 { paint.dim(&text) } else { text };
            page.line(format!("  {text}"));
        }
    }
}

/// Positions of the cells with equal points, in the order in which the points first appear.
fn by_point(cells: &[&Cell]) -> Vec<Vec<usize>> {
    let mut blocks: Vec<Vec<usize>> = Vec::new();
    for (index, cell) in cells.iter().enumerate() {
        match blocks.iter_mut().find(|block| cells[block[0]].point == cell.point) {
            Some(block) => block.push(index),
            None => blocks.push(vec![index]),
        }
    }
    blocks
}
