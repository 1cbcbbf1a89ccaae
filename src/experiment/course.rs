//! How measures go over the time of a run, for pictures: taken when a run is over, from all runs, since one alone shows its luck. A run is
//! cut into slices; of a percentile in several ways, since nobody knows yet how many slices have samples enough.

use crate::base::time::{Span, Time};
use crate::experiment::compiled::Named;
use crate::experiment::plot::PlotEntry;
use crate::experiment::question::Question;
use crate::experiment::setup::Setup;
use crate::experiment::timetable::{Timetable, times};
use crate::measures::evaluation::Evaluation;
use crate::measures::expression::Names;
use crate::program::syntax::expression;
use crate::record::recorder::Recorder;
use crate::record::series::Window;

/// Slices, from the finest to the coarsest.
pub const SLICES: [usize; 5] = [100, 50, 25, 12, 6];
/// Samples beyond a percentile that a slice needs: with fewer it would show the maximum.
const BEYOND: f64 = 5.0;
/// A picture grows for the end of a fault that begins in it, to so many times its length.
const GROWS: f64 = 3.0;
/// What is shown after the end of that fault, of the picture's length.
const AFTER: f64 = 0.1;

/// A measure over a stretch of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// By place among the cell's measures.
    pub measure: usize,
    /// Of which stretch.
    pub stretch: Window,
}

/// Middles of slices, and the values there; those in which it is undefined are left out.
pub type Points = Vec<(f64, f64)>;

/// How it went in one run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Course {
    /// By number of slices ([`SLICES`]); what needs no samples has the finest alone.
    pub levels: Vec<Points>,
    /// How many samples there were in the stretch.
    pub samples: u64,
}

impl Course {
    /// The finest number of slices whose samples are enough for what is asked, by place.
    pub fn level(&self, tail: Option<f64>) -> usize {
        let Some(tail) = tail else { return 0 };
        let enough = |slices: usize| self.samples as f64 / slices as f64 * tail >= BEYOND;
        SLICES.iter().position(|slices| enough(*slices)).unwrap_or(SLICES.len() - 1)
    }
}

/// The stretch of a cell's runs that a plot shows: as written, and on to the end of a fault that begins in it.
pub fn stretch(entry: &PlotEntry, faults: &Timetable, seed: u64, length: Span) -> Window {
    let end = Time::ZERO + length;
    let (from, to) = entry.stretch;
    let (from, mut until) = ((Time::ZERO + from).min(end), (Time::ZERO + to.min(length)).min(end));
    let most = from + until.since(from).scale(GROWS);
    for (_, begins, ends) in times(&faults.known_before(seed, length)) {
        let after = ends.min(end) + until.since(from).scale(AFTER);
        if from <= begins && begins < until && ends > until && after <= most {
            until = after.min(end);
        }
    }
    Window { from, until }
}

/// What plots ask of a cell's runs over time.
pub fn asked<'a>(
    plots: impl Iterator<Item = &'a PlotEntry>,
    measures: &[Named],
    (faults, seed, length): (&Timetable, u64, Span),
) -> Vec<Asked> {
    let mut all: Vec<Asked> = Vec::new();
    for entry in plots.filter(|entry| entry.is_over_time()) {
        let stretch = stretch(entry, faults, seed, length);
        for expr in entry.of.iter().filter_map(|text| expression(text.as_str()).ok()) {
            let name = expr.value.to_string();
            let Some(measure) = measures.iter().position(|named| named.name == name) else { continue };
            let one = Asked { measure, stretch };
            if !all.contains(&one) {
                all.push(one);
            }
        }
    }
    all
}

/// The levels that only a picture over time asks for, by place among the measures: at the end of a run they say nothing, and no table has a
/// column for them.
pub fn unlisted(question: &Question, measures: &[Named], setup: &Setup) -> Vec<usize> {
    let asked = |named: &Named| {
        let theories = question.theories.iter().map(|theory| &theory.of);
        let still = question.plots.iter().filter(|plot| !plot.is_over_time()).flat_map(|plot| &plot.of);
        let mut all = question.measures.iter().chain(theories).chain(still);
        all.any(|text| named.text_is(text))
    };
    let is_level = |named: &Named| named.expression.series().is_some_and(|series| setup.is_level(series));
    let measures = measures.iter().enumerate();
    measures.filter(|(_, named)| is_level(named) && !asked(named)).map(|(place, _)| place).collect()
}

/// How it went in a run that is over.
pub fn taken(asked: &[Asked], measures: &[Named], recorder: &Recorder) -> Vec<Course> {
    asked.iter().map(|one| course(one, &measures[one.measure], recorder)).collect()
}

fn course(asked: &Asked, named: &Named, recorder: &Recorder) -> Course {
    let levels = if named.expression.tail().is_some() { &SLICES[..] } else { &SLICES[..1] };
    let mut course = Course::default();
    for slices in levels {
        let sliced = recorder.sliced(*slices, asked.stretch);
        let windows = sliced.windows().iter().enumerate();
        let points = windows.filter_map(|(index, window)| {
            let value = named.expression.value(&mut Evaluation::of_slice(&sliced, index)).ok()?;
            Some((f64::midpoint(window.from.as_secs_f64(), window.until.as_secs_f64()), value))
        });
        course.levels.push(points.collect());
        let ended = |probe| {
            let sums =
                (0..sliced.windows().len()).map(|index| sliced.probe(probe).sums(sliced.range(index)).ends());
            sums.sum::<u64>()
        };
        course.samples = named.expression.samples().into_iter().map(ended).min().unwrap_or(0);
    }
    course
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_of_a_percentile_has_samples_beyond_it() {
        let course = |samples| Course { levels: Vec::new(), samples };
        assert_eq!(course(10).level(None), 0, "a count needs none");
        assert_eq!(SLICES[course(60_000).level(Some(0.01))], 100);
        assert_eq!(SLICES[course(7_000).level(Some(0.01))], 12, "5 of 583 are beyond the 99th");
        assert_eq!(SLICES[course(700).level(Some(0.01))], 6, "no more can be done");
    }
}
