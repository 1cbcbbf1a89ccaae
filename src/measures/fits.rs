//! Which of `count`, `rate`, `peak`, `max` and `mean` there is of what, and what each of them is: one table, checked when
//! an expression is compiled, and printed in the reference.

use crate::base::series::SeriesKind;
use crate::measures::functions::Function;

/// What is measured, as these measures tell things apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thing {
    /// The requests of a program or a workload.
    Requests,
    /// A series.
    Series(SeriesKind),
    /// A tally.
    Tally,
}

impl Thing {
    /// All of them, in the order of the columns of [`FITS`].
    pub const ALL: [Thing; 5] = [
        Thing::Requests,
        Thing::Series(SeriesKind::Counter),
        Thing::Series(SeriesKind::Level),
        Thing::Series(SeriesKind::Time),
        Thing::Tally,
    ];

    /// As it stands in a sentence.
    pub const fn name(self) -> &'static str {
        match self {
            Thing::Requests => "requests",
            Thing::Series(kind) => kind.with_article(),
            Thing::Tally => "a tally",
        }
    }
}

/// What a measure is of each thing, or why there is none and what to write instead.
pub struct Fit {
    /// Its name.
    pub name: &'static str,
    /// The measure.
    pub function: Function,
    /// In the order of [`Thing::ALL`].
    pub of: [Result<&'static str, &'static str>; 5],
}

const COUNTS: &str = "it only grows: write `count`, or per second `rate` or `peak`";

/// The measures that are of several things, in the order in which users see them.
pub const FITS: [Fit; 5] = [
    Fit {
        name: "count",
        function: Function::Count,
        of: [
            Ok("how many ended"),
            Ok("how many"),
            Ok(
                "how many there are: at the end of the run, in `always` and `sometimes` at every instant, in a \
                picture over time on average in each slice",
            ),
            Ok("how long in all, s"),
            Ok("the sum of what was counted"),
        ],
    },
    Fit {
        name: "rate",
        function: Function::Rate,
        of: [
            Ok("how many ended per second, 1/s"),
            Ok("how many per second, 1/s"),
            Err("a level is not counted: its average over time is `mean`"),
            Ok("seconds per second: a plain number, such as the share of the time"),
            Ok("how much was counted per second, 1/s"),
        ],
    },
    Fit {
        name: "peak",
        function: Function::Peak,
        of: [
            Ok("the highest rate over any second, 1/s"),
            Ok("the highest rate over any second, 1/s"),
            Err("a level is not counted: its highest is `max`"),
            Ok("the most seconds of any second, a plain number"),
            Ok("the highest rate over any second, 1/s"),
        ],
    },
    Fit {
        name: "max",
        function: Function::Max,
        of: [
            Ok("the longest latency, s"),
            Err(COUNTS),
            Ok("the highest that it ever was"),
            Err(COUNTS),
            Ok("the largest sum of any key"),
        ],
    },
    Fit {
        name: "mean",
        function: Function::Mean,
        of: [
            Ok("the mean latency, s"),
            Err(COUNTS),
            Ok("its average over time"),
            Err(COUNTS),
            Err("it counts: write `count`, `rate` or `peak`; its largest key is `max`"),
        ],
    },
];

/// What a measure is of a thing; `None` for a measure that is of one sort of thing alone.
pub fn fit(function: Function, thing: Thing) -> Option<Result<&'static str, &'static str>> {
    let fit = FITS.iter().find(|fit| fit.function == function)?;
    let place = Thing::ALL.iter().position(|known| *known == thing)?;
    Some(fit.of[place])
}
