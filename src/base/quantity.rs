//! Numbers with units, as they stand in TOML and in programs: `20ms 500/s 64KiB 10Gb/s 80% $0.17/h 2x 50k`.
//! (Owner: the language work. `parse` and its tests live here.)

/// What a number measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// A bare number: `8`, `50_000`, `10k`, `2M`.
    Count,
    /// Time: stored in nanoseconds.
    Span,
    /// Per second.
    Rate,
    /// Bytes.
    Bytes,
    /// Bits per second.
    BitsPerSecond,
    /// A share: stored as a fraction (`80%` is 0.8).
    Share,
    /// A factor: `2x`.
    Factor,
    /// Dollars.
    Dollars,
    /// Dollars per hour.
    DollarsPerHour,
}

/// A number with its unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantity {
    /// In the base of its unit.
    pub value: f64,
    /// The same as an integer when it is one exactly (counts, nanoseconds, bytes).
    pub exact: Option<i64>,
    /// What it measures.
    pub unit: Unit,
}
