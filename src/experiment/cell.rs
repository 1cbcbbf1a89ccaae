//! An experiment that can be run: its cells, each a variant at a sweep point.

use std::sync::atomic::AtomicUsize;

use crate::base::ids::{ProbeId, ZoneId};
use crate::base::problem::Problem;
use crate::base::quantity::{Quantity, Unit};
use crate::base::time::{Span, Time};
use crate::design::patch::{Path, get};
use crate::design::source::Sources;
use crate::design::tree::Table;
use crate::experiment::cells::{Point, mean_time, number, only_time};
use crate::experiment::compiled::{Judged, Named};
use crate::experiment::course;
use crate::experiment::meters::Meter;
use crate::experiment::question::Question;
use crate::experiment::setup::Setup;
use crate::experiment::theory::Numbers;
use crate::experiment::timetable::Timetable;
use crate::measures::asked::Query;
use crate::measures::expression::During;
use crate::record::recorder::RecordPlan;

/// An experiment, ready to run.
pub struct Experiment {
    /// Its name: the file's stem.
    pub name: String,
    /// As it was named on the command line.
    pub path: String,
    /// What it asks.
    pub question: Question,
    /// Variants, in file order.
    pub variants: Vec<String>,
    /// Sweep points.
    pub points: Vec<Point>,
    /// Cells by variant (in order of name) and point.
    pub cells: Vec<Cell>,
    /// Its texts.
    pub sources: Sources,
    /// What is unwise about it, each once, in order of place.
    pub warnings: Vec<Problem>,
    /// What the command line changes that its user may not expect.
    pub notes: Vec<String>,
}

/// One cell, ready to run.
pub struct Cell {
    /// The variant.
    pub variant: String,
    /// Which sweep point.
    pub point: usize,
    /// Its tree: for parameters by path.
    pub tree: Table,
    /// Its world.
    pub setup: Setup,
    /// What happens to it.
    pub faults: Timetable,
    /// What is measured.
    pub measures: Vec<Named>,
    /// What is judged.
    pub judged: Vec<Judged>,
    /// What is kept, but for the windows of faults.
    pub record: RecordPlan,
    /// What each window is; window 0 is the run after its warm-up, window 1 the whole run.
    pub windows: Vec<During>,
    /// What is asked of the history.
    pub asked: Vec<Query>,
    /// How long it runs, at most.
    pub length: Span,
    /// Where it is over when the last request has ended.
    pub drain: Option<Drain>,
    /// The measures, by place, that only a picture over time asks for and that are levels: of those there is nothing to be said at the end.
    pub unlisted: Vec<usize>,
    /// What pictures show of its runs over time.
    pub courses: Vec<course::Asked>,
    /// What tells how busy its parts are.
    pub meters: Vec<Meter>,
    /// How much a run of it has recorded so far at most: the next makes as much room at once. It changes no result.
    pub room: Room,
}

/// What a run waits for that ends with its last request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drain {
    /// When the last arrives.
    pub last: Time,
    /// Whose requests.
    pub probes: Vec<ProbeId>,
    /// How long after the last arrival it waits, at most.
    pub patience: Span,
}

/// Operations, and versions that copies took in.
#[derive(Debug, Default)]
pub struct Room {
    /// Operations.
    pub steps: AtomicUsize,
    /// Versions.
    pub taken: AtomicUsize,
}

impl Numbers for Cell {
    /// What is written there, the mean of a distribution of times, or of the only time that a program (`on.app.page`) takes.
    fn parameter(&self, path: &str) -> Option<Quantity> {
        let shown = get(&self.tree, &Path::parse(path)?, &self.setup.design.kinds)?.show();
        number(&shown).or_else(|| mean_time(&shown)).or_else(|| only_time(&shown))
    }

    fn latency(&self, from: &str, to: &str) -> Option<Quantity> {
        let design = &self.setup.design;
        let zone = |name: &str| design.known.zones.iter().position(|known| known == name);
        let (from, to) = (ZoneId(zone(from)? as u8), ZoneId(zone(to)? as u8));
        let mean = design.places.path(from, to).latency.mean()?;
        Some(Quantity { value: mean, exact: None, unit: Unit::Span })
    }
}
