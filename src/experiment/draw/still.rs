//! Bars, timelines, grids.

use crate::design::text::Text;
use crate::experiment::draw::curves::interval_note;
use crate::experiment::draw::data::{above_zero, in_slices, told};
use crate::experiment::draw::{Drawing, Measure, SLICES, Shown, VARIANT, finding};
use crate::experiment::pictures::{Axis, BarGroup, GridLine, Length, Plot, PlotKind, TimelineRow};
use crate::program::syntax::expression;

impl<'a> Drawing<'a> {
    pub(super) fn bars(&self) -> Vec<Plot> {
        let units = self.by_unit();
        let draw = |measures: &Vec<Measure>| {
            let mut groups = Vec::new();
            let mut bounds = Vec::new();
            for measure in measures {
                bounds.extend(self.bounds(measure, ""));
                for (label, group) in self.groups(&[]) {
                    let bar = |(name, cells): (String, Vec<&Shown<'_>>)| {
                        let cell = cells.first()?;
                        let (value, ci95) = cell.mean(&measure.name)?;
                        Some(Length { name, value, ci95, theory: self.theory(cell, measure) })
                    };
                    let bars: Vec<Length> = self.colours(&group).into_iter().filter_map(bar).collect();
                    let of = if measures.len() > 1 { measure.name.as_str() } else { "" };
                    let label = [of, &label]
                        .into_iter()
                        .filter(|text| !text.is_empty())
                        .collect::<Vec<_>>()
                        .join(", ");
                    if !bars.is_empty() {
                        groups.push(BarGroup { label, bars });
                    }
                }
            }
            let names: Vec<&str> = measures.iter().map(|measure| measure.name.as_str()).collect();
            let mut note = interval_note(self.runs());
            if groups.iter().flat_map(|group| &group.bars).any(|bar| bar.theory.is_some()) {
                note += "; ◆ is what theory says";
            }
            Plot {
                name: String::new(),
                title: self.title(
                    &names.join(", "),
                    units.len() == 1,
                    "",
                    finding::bars(&groups, &measures[0].unit),
                ),
                note,
                x: Axis::default(),
                y: self.value_axis(measures, false),
                kind: PlotKind::Bars { groups, bounds },
            }
        };
        units.iter().map(draw).collect()
    }

    /// When faults were at work, and when each measure was above zero.
    pub(super) fn timeline(&self) -> Vec<Plot> {
        let measures = self.measures();
        let picture = |(label, group): (String, Vec<&'a Shown<'a>>)| {
            let mut rows: Vec<TimelineRow> = Vec::new();
            for (name, from, until) in self.faults(&group) {
                let span = (name.clone(), from, until);
                match rows.iter_mut().find(|row| row.name == name) {
                    Some(row) => row.spans.push(span),
                    None => rows.push(TimelineRow { name, spans: vec![span] }),
                }
            }
            for (colour, cells) in self.colours(&group) {
                let Some((cell, recorder)) = cells.first().and_then(|cell| Some((cell, cell.recorder()?)))
                else {
                    continue;
                };
                let sliced = recorder.sliced(SLICES, self.stretch(cell));
                for measure in &measures {
                    let spans = above_zero(&in_slices(cell, measure, &sliced), &sliced);
                    rows.push(TimelineRow { name: format!("{colour}: {}", measure.name), spans });
                }
            }
            Plot {
                name: String::new(),
                title: self.title("what happened when", true, &label, None),
                note: format!("seed {}", self.experiment.question.seed),
                x: Axis { label: "time".to_owned(), unit: "s".to_owned(), log: false },
                y: Axis::default(),
                kind: PlotKind::Timeline { rows },
            }
        };
        self.groups(&[]).into_iter().map(picture).collect()
    }

    pub(super) fn grid(&self) -> Vec<Plot> {
        let [down, across] = &self.entry.axes[..] else { return Vec::new() };
        let (rows, columns) = (self.values(down), self.values(across));
        let find = |row: &str, column: &str| {
            self.cells.iter().find(|cell| cell.at(down) == row && cell.at(across) == column)
        };
        let line = |row: &String| {
            columns
                .iter()
                .map(|column| find(row, column).map_or_else(Vec::new, |cell| self.words(cell)))
                .collect()
        };
        let cells: Vec<Vec<Vec<GridLine>>> = rows.iter().map(line).collect();
        vec![Plot {
            name: String::new(),
            title: self.title(&format!("{down} and {across}"), true, "", finding::grid(&cells)),
            note: interval_note(self.runs()).split(" with").next().unwrap_or("").to_owned(),
            x: Axis { label: across.clone(), ..Axis::default() },
            y: Axis { label: down.clone(), ..Axis::default() },
            kind: PlotKind::Grid { columns, rows, cells },
        }]
    }

    /// The values of a dimension: as the file names the variants that have them, then in the order of the sweep.
    fn values(&self, axis: &str) -> Vec<String> {
        let place = |cell: &&&Shown<'_>| {
            self.experiment.variants.iter().position(|variant| variant == cell.at(VARIANT))
        };
        let mut cells: Vec<&&Shown<'_>> = self.cells.iter().collect();
        cells.sort_by_key(place);
        let mut values: Vec<String> = Vec::new();
        for cell in cells {
            if !values.iter().any(|known| known == cell.at(axis)) {
                values.push(cell.at(axis).to_owned());
            }
        }
        values
    }

    /// What stands in a cell of a grid: a line for each property and measure.
    fn words(&self, cell: &Shown<'_>) -> Vec<GridLine> {
        let measures = self.measures();
        let line = |text: &Text| {
            if let Some(property) = cell.result.properties.get(text.as_str()) {
                let verdict = match property.outcome.as_str() {
                    "holds" => Some(true),
                    "violated" => Some(false),
                    _ => None,
                };
                let (name, value) = (text.as_str().to_owned(), property.outcome.clone());
                return Some(GridLine { name, value, verdict });
            }
            let name = expression(text.as_str()).map_or(String::new(), |expr| expr.value.to_string());
            let measure = cell.result.measures.get(&name)?;
            let unit =
                measures.iter().find(|known| known.name == name).map_or(&measure.unit, |known| &known.unit);
            let value = measure.mean.map_or("undefined".to_owned(), |mean| told(mean, unit));
            Some(GridLine { name, value, verdict: None })
        };
        self.entry.of.iter().filter_map(line).collect()
    }
}
