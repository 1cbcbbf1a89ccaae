//! What a part records of itself while it runs, declared once: name, kind, unit and a sentence. The list that users
//! see, the places that the code counts at and the checks of measures are all this one table.

use crate::base::ids::SeriesId;

/// What sort of thing a series is: which measures it has, and how it may be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SeriesKind {
    /// Events, counted.
    Counter,
    /// How many there are at an instant.
    Level,
    /// Time, summed up; recorded in nanoseconds, told in seconds.
    Time,
}

impl SeriesKind {
    /// As in the reference.
    pub const fn name(self) -> &'static str {
        match self {
            SeriesKind::Counter => "counter",
            SeriesKind::Level => "level",
            SeriesKind::Time => "time",
        }
    }

    /// As it stands in a sentence: "is a counter".
    pub const fn with_article(self) -> &'static str {
        match self {
            SeriesKind::Counter => "a counter",
            SeriesKind::Level => "a level",
            SeriesKind::Time => "a sum of time",
        }
    }
}

/// One series of a kind of part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Series {
    /// Its name, after the part's: `hits`.
    pub name: &'static str,
    /// What sort of thing it is.
    pub kind: SeriesKind,
    /// What one of it is: `reads`, `cores`; of times `s`.
    pub unit: &'static str,
    /// What is recorded, one sentence.
    pub doc: &'static str,
    /// It is of the part as a whole: others than its members record it, or all of them together. Members have no such series of their own.
    pub of_whole: bool,
}

/// What each of these is.
#[cfg(test)]
pub fn kinds(series: &[Series]) -> Vec<SeriesKind> {
    series.iter().map(|series| series.kind).collect()
}

/// A series of a part by its place in the part's table.
pub const fn series_id(first: SeriesId, place: usize) -> SeriesId {
    SeriesId(first.0 + place as u16)
}

/// The series of a part, as an enum and as a table that cannot differ from it. `whole` behind one says that it is of the whole part.
macro_rules! series {
    (@of_whole) => { false };
    (@of_whole whole) => { true };
    ($(#[$meta:meta])* $visible:vis enum $enum:ident {
        $($variant:ident: $kind:ident $name:literal, $unit:literal, $doc:literal $(, $whole:ident)?;)+
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        $visible enum $enum {
            $(#[doc = $doc] $variant,)+
        }

        impl $enum {
            /// All of them, in the order in which users see them.
            pub const ALL: &'static [$crate::base::series::Series] = &[
                $($crate::base::series::Series {
                    name: $name,
                    kind: $crate::base::series::SeriesKind::$kind,
                    unit: $unit,
                    doc: $doc,
                    of_whole: $crate::base::series::series!(@of_whole $($whole)?),
                },)+
            ];

            /// The id of this one, for a part whose series begin at `first`.
            #[inline]
            pub const fn id(self, first: $crate::base::ids::SeriesId) -> $crate::base::ids::SeriesId {
                $crate::base::series::series_id(first, self as usize)
            }
        }
    };
}
pub(crate) use series;
