//! From a file to an experiment that can be run: every cell resolved, every expression compiled, every limit checked.
//! All problems come back at once.

use crate::base::problem::{Problem, Problems};
use crate::base::time::{Span, Time};
use crate::components::Kinds;
use crate::components::mech::arrivals::Arrivals;
use crate::design::codes;
use crate::design::entries::asked_once;
use crate::design::file::{self, Data, Reader};
use crate::design::limits::{CELLS_MAX, TRIALS_MAX};
use crate::design::patch::{Change, set};
use crate::design::prune::all_problems;
use crate::design::resolve::{Tables, resolve};
use crate::design::shape;
use crate::design::source::Sources;
use crate::design::text::Text;
use crate::design::tree::Table;
use crate::experiment::advice;
use crate::experiment::budget;
use crate::experiment::cell::{Cell, Drain, Experiment, Room};
use crate::experiment::cells::{Point, count, patched, points, variants};
use crate::experiment::clashes;
use crate::experiment::compiled::{Judged, Named};
use crate::experiment::course;
use crate::experiment::meters::meters;
use crate::experiment::overrides::{Overrides, chosen, command_line, overridden};
use crate::experiment::question::{self, Length, Property, PropertyKind, Question, Runs, TheoryEntry};
use crate::experiment::recording::record;
use crate::experiment::setup::Setup;
use crate::experiment::swept::pinned;
use crate::experiment::theory::evaluate;
use crate::experiment::timetable::timetable;
use crate::experiment::workload::add;
use crate::measures::Dimension;
use crate::measures::expression::Expression;
use crate::program::syntax::expression;

/// What could not be loaded.
pub type Failure = (Sources, Problems);

/// Loads an experiment.
///
/// # Errors
/// All problems, with the texts that they point into.
pub fn load(reader: &dyn Reader, path: &str, overrides: &Overrides) -> Result<Experiment, Failure> {
    let loaded = file::load(reader, path)?;
    let (mut sources, mut tree) = (loaded.sources, loaded.tree);
    let mut problems = Problems::default();
    let changes = command_line(&overrides.set, &mut sources, &mut problems);
    // What is asked once (`length`, an objective) is changed before any variant, what is designed after it.
    let (asked, designed): (Vec<Change>, Vec<Change>) =
        changes.into_iter().partition(|change| asked_once(&change.path.0[0]));
    for change in &asked {
        set(&mut tree, change, &overrides.kinds, &mut problems);
    }
    let notes = pinned(&mut tree, &designed);
    let data = Data { reader, sources: &sources };
    let whole = all_problems(&tree, &designed, &mut problems, |tree, changes, problems| {
        whole(tree, changes, overrides, data, problems)
    });
    let Some(Whole { all, points, question, cells }) = whole.filter(|_| problems.is_empty()) else {
        return Err((sources, problems));
    };
    if overrides.variants.is_empty() {
        // a variant that was left out may do otherwise
        let shortened = asked.iter().any(|change| change.path.0[0] == "length");
        advice::advise(&tree, &question, &cells, shortened, &mut problems);
    }
    let warnings = problems.warnings();
    let substream = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".toml");
    let substream = if substream == "-" { "stdin" } else { substream }.to_owned();
    Ok(Experiment {
        name: substream,
        path: path.to_owned(),
        question,
        variants: all,
        points,
        cells,
        sources,
        warnings,
        notes,
    })
}

/// An experiment as far as its tree tells.
struct Whole {
    all: Vec<String>,
    points: Vec<Point>,
    question: Question,
    cells: Vec<Cell>,
}

/// Everything, when there are no more cells than may be.
fn whole(
    tree: &Table,
    changes: &[Change],
    overrides: &Overrides,
    data: Data<'_>,
    problems: &mut Problems,
) -> Option<Whole> {
    let entries = shape::entries(tree);
    let all = variants(&entries);
    if all.len().saturating_mul(count(&entries)) > CELLS_MAX {
        let message =
            format!("{} variants × {} points: at most {CELLS_MAX} cells", all.len(), count(&entries));
        problems.overall(codes::LIMIT, message).help("fewer points, or another file for some of them");
        return None;
    }
    let points = points(&entries);
    let chosen = chosen(&all, &overrides.variants, problems);
    let mut question = question::read(&entries, &points, problems);
    overridden(&mut question, overrides);
    let runs = match question.runs {
        Runs::Fixed(runs) | Runs::Quick { quick: runs, .. } => runs,
        Runs::Until { max, .. } => max,
    };
    let trials = (chosen.len() * points.len()) as u64 * u64::from(runs);
    if trials > TRIALS_MAX {
        problems.overall(codes::LIMIT, format!("{trials} runs in all: at most {TRIALS_MAX}"));
    }
    let loading = Loading { tree, question: &question, changes, kinds: &overrides.kinds, data };
    let mut cells = loading.cells(&chosen, &points, problems);
    if let Some(most) = overrides.max_inflight {
        cells.iter_mut().for_each(|cell| cell.setup.limits.in_flight = most);
    }
    Some(Whole { all, points, question, cells })
}

struct Loading<'a> {
    tree: &'a Table,
    question: &'a Question,
    changes: &'a [Change],
    kinds: &'a Kinds,
    data: Data<'a>,
}

impl Loading<'_> {
    /// All cells; each problem once.
    fn cells(&self, variants: &[String], points: &[Point], problems: &mut Problems) -> Vec<Cell> {
        if points.is_empty() {
            resolve(self.tree, &Tables::of(self.kinds), self.data, problems); // which tells why there are none
        }
        let mut cells = Vec::new();
        for variant in variants {
            for (index, point) in points.iter().enumerate() {
                let before = problems.0.len();
                cells.extend(self.cell(variant, index, point, problems));
                if problems.0.len() > before {
                    break; // the other points would say the same again
                }
            }
        }
        let mut seen: Vec<Problem> = Vec::new();
        problems.0.retain(|problem| {
            let new = !seen.contains(problem);
            seen.push(problem.clone());
            new
        });
        cells
    }

    fn cell(&self, variant: &str, index: usize, point: &Point, problems: &mut Problems) -> Option<Cell> {
        let tree = patched(self.tree, variant, point, self.changes, self.kinds, problems);
        let design = resolve(&tree, &Tables::of(self.kinds), self.data, problems)?;
        let faults = timetable(&design, self.data, problems);
        let setup = Setup::new(design, self.data, problems)?;
        clashes::check(&tree, &setup, problems);
        let faults = faults?;
        let (length, drain) = self.length(&setup, problems);
        let before = problems.0.len();
        let measures = self.measures(&setup, variant, problems);
        let judged = self.judged(&setup, problems);
        if problems.0.len() > before {
            return None;
        }
        let meters = meters(&setup);
        let (mut record, windows, asked) = record(&setup, length, &measures, &judged, &meters);
        record.watched_series.extend(faults.watched());
        record.arrivals = drain.as_ref().map(|drain| drain.last);
        let plots = self.question.plots.iter();
        let plots =
            plots.filter(|plot| plot.variants.is_empty() || plot.variants.iter().any(|name| name == variant));
        let courses = course::asked(plots, &measures, (&faults, self.question.seed, length));
        let variant = variant.to_owned();
        let cell = Cell {
            unlisted: course::unlisted(self.question, &measures, &setup),
            courses,
            meters,
            variant,
            point: index,
            tree,
            setup,
            faults,
            measures,
            judged,
            record,
            windows,
            asked,
            length,
            drain,
            room: Room::default(),
        };
        budget::check(&cell, problems);
        for theory in theories_of(self.question, &cell.variant) {
            expected_by(theory, &cell, problems);
        }
        Some(cell)
    }

    /// How long a run is at most, and whose last request ends it.
    fn length(&self, setup: &Setup, problems: &mut Problems) -> (Span, Option<Drain>) {
        let patience = match self.question.length {
            Length::Span(span) => return (span, None),
            Length::Trace { patience } => patience,
        };
        let mut drain: Option<Drain> = None;
        for plan in setup.workloads.iter().map(|workload| &workload.plan) {
            let Arrivals::Trace(instants) = &plan.arrivals else { continue };
            let sent = |at: &Time| plan.from + at.since(Time::ZERO);
            let Some(last) = instants.iter().map(sent).rfind(|at| *at < plan.to) else { continue };
            let drain = drain.get_or_insert(Drain { last, probes: Vec::new(), patience });
            drain.last = drain.last.max(last);
            drain.probes.push(plan.probe);
        }
        if drain.is_none() {
            let message = "`length` is that of a trace, and no workload's arrivals come from one";
            problems.overall(codes::DOES_NOT_FIT, message).help("write `length = \"10m\"`");
        }
        let length = drain.as_ref().map_or(Span::ZERO, |drain| drain.last.since(Time::ZERO) + drain.patience);
        (length, drain)
    }

    fn compile(&self, text: &Text, setup: &Setup, problems: &mut Problems) -> Option<Named> {
        let compiled = expression(text.as_str()).and_then(|expr| {
            let name = expr.value.to_string();
            Expression::compile(&expr, setup).map(|expression| Named { name, expression })
        });
        compiled.map_err(|error| add(problems, text, error)).ok()
    }

    /// What the file asks to see, what theories and objectives speak of, and what everybody wants to know.
    fn measures(&self, setup: &Setup, variant: &str, problems: &mut Problems) -> Vec<Named> {
        let mut measures: Vec<Named> = Vec::new();
        let mut keep = |named: Named| {
            if !measures.iter().any(|known| known.name == named.name) {
                measures.push(named);
            }
        };
        for text in &self.question.measures {
            self.compile(text, setup, problems).into_iter().for_each(&mut keep);
        }
        for theory in theories_of(self.question, variant) {
            self.compile(&theory.of, setup, problems).into_iter().for_each(&mut keep);
        }
        for plot in &self.question.plots {
            if plot.variants.is_empty() || plot.variants.iter().any(|name| name == variant) {
                for text in plot.measures(&self.question.properties) {
                    self.compile(&text, setup, problems).into_iter().for_each(&mut keep);
                }
            }
        }
        if let Runs::Until { on, .. } = &self.question.runs {
            self.compile(on, setup, problems).into_iter().for_each(&mut keep);
        }
        for probe in setup.called() {
            let name = setup.probe_name(probe);
            for measure in ["mean", "p50", "p99", "success", "goodput", "throughput"] {
                let text = format!("{measure}({name})");
                if let Ok(expr) = expression(&text)
                    && let Ok(expression) = Expression::compile(&expr, setup)
                {
                    keep(Named { name: text, expression });
                }
            }
        }
        measures
    }

    fn judged(&self, setup: &Setup, problems: &mut Problems) -> Vec<Judged> {
        let mut judged = Vec::new();
        for property in &self.question.properties {
            let condition = match &property.condition {
                None => None,
                Some(text) => match self.compile(text, setup, problems) {
                    Some(named) => {
                        self.fitting(property, text, &named, problems);
                        Some(named)
                    }
                    None => continue,
                },
            };
            judged.push(Judged { property: property.clone(), condition });
        }
        judged
    }

    fn fitting(&self, property: &Property, text: &Text, named: &Named, problems: &mut Problems) {
        let whole = text.place(0..text.as_str().len());
        if !named.expression.is_condition {
            let message = format!("`{}` is no condition", named.name);
            problems.at(codes::WRONG_TYPE, whole, message).help("write a comparison: `p99(product) < 300ms`");
        } else if property.kind == PropertyKind::Always
            && !named.expression.can_be_watched()
            && !named.expression.is_of_history()
        {
            let message = "`always` watches counters, tallies and constants, or asks the history alone; this is known only \
                           after the run"
                .to_owned();
            problems.at(codes::WRONG_TYPE, whole, message).help("make it an `slo`");
        } else if property.kind == PropertyKind::Slo && named.expression.has_vague_mean() {
            let message = "an objective on a mean says of which requests: refusals are fast".to_owned();
            problems
                .at(codes::WRONG_TYPE, whole, message)
                .help("write `mean(product, outcome=ok)`, or `outcome=answered`, `failed` or `any`");
        } else if property.kind == PropertyKind::Slo && named.expression.comparison().is_none() {
            let message = "an objective is one comparison".to_owned();
            problems
                .at(codes::WRONG_TYPE, whole, message)
                .help("write `p99(product) < 300ms`, and one `slo` for each");
        }
    }
}

/// The theories that speak of a variant.
pub fn theories_of<'a>(question: &'a Question, variant: &str) -> impl Iterator<Item = &'a TheoryEntry> {
    let speaks = move |theory: &&TheoryEntry| {
        theory.variants.is_empty() || theory.variants.iter().any(|name| name == variant)
    };
    question.theories.iter().filter(speaks)
}

/// Tells of a theory that has no value, or one that could not be compared with its measure.
fn expected_by(theory: &TheoryEntry, cell: &Cell, problems: &mut Problems) {
    let Some(text) = theory.at(cell.point) else { return }; // told as a list of another length
    let known = match expression(text.as_str()).and_then(|expr| evaluate(&expr, cell)) {
        Ok(known) => known,
        Err(error) => return add(problems, text, error),
    };
    let of = cell.measures.iter().find(|named| named.text_is(&theory.of));
    let Some(of) = of.map(|named| named.expression.unit()) else { return };
    if known.dimension != of {
        let unit = |dimension: Dimension| match dimension {
            Dimension::One => "a plain number".to_owned(),
            other => format!("in {}", other.unit()),
        };
        let message =
            format!("this is {}, and what it is compared with is {}", unit(known.dimension), unit(of));
        let help = "write a value of the measure's unit: `3ms`, `20/s`, `80%`";
        problems.at(codes::WRONG_UNIT, text.place(0..text.as_str().len()), message).help(help);
    } else if theory.counts_events && of != Dimension::One {
        let message = format!("`events` are counted, and this is measured in {}", of.unit());
        let whole = theory.of.place(0..theory.of.as_str().len());
        problems
            .at(codes::WRONG_UNIT, whole, message)
            .help("name a counter, such as `kv.outages`, or a `count(…)`");
    } else {
        says_something(theory, known.value, problems);
    }
}

/// The largest tolerance, relative to its reference, that is not warned of.
const TOLERANCE_WIDE: f64 = 0.25;

/// Refuses a tolerance within which nothing at all would agree with its reference, and warns of one that says little.
fn says_something(theory: &TheoryEntry, reference: f64, problems: &mut Problems) {
    if reference == 0.0 {
        return;
    }
    let within = theory.within.relative_to(reference);
    let place = || theory.within_place.clone();
    let share = || format!("{}%", (within * 1000.0).round() / 10.0);
    if within >= 1.0 {
        let message = format!("a tolerance of {} of the reference: 0 would agree with it", share());
        let help = "say how near the two must be, `within = \"5%\"`, and make enough runs to tell; for an upper bound write an `slo`";
        problems.at(codes::OUT_OF_RANGE, place(), message).help(help);
    } else if within > TOLERANCE_WIDE {
        let message = format!("a tolerance of {} of the reference says little", share());
        let help = "make it narrower, and make enough runs to tell";
        problems.warn(codes::WIDE_TOLERANCE, place(), message).help(help);
    }
}
