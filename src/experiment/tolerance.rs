//! How near simulation and theory must be.

/// How near simulation and theory must be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Within {
    /// Relative to the theory's value.
    Relative(f64),
    /// In the measure's own unit (percentage points are 0.01 each).
    Absolute(f64),
}

impl Within {
    /// The same relative to a reference; infinite for an absolute one beside 0.
    pub fn relative_to(self, reference: f64) -> f64 {
        match self {
            Within::Relative(share) => share,
            Within::Absolute(0.0) => 0.0,
            Within::Absolute(difference) => difference / reference.abs(),
        }
    }

    /// The same in the reference's unit.
    pub fn absolute_to(self, reference: f64) -> f64 {
        match self {
            Within::Relative(share) => share * reference.abs(),
            Within::Absolute(difference) => difference,
        }
    }
}
