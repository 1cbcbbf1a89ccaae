//! What is said of a line that is none of a history.

/// A line that is none of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// Which, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: String,
    /// What would be right.
    pub help: &'static str,
}

impl Malformed {
    /// With what would be right.
    pub fn new(line: usize, why: impl Into<String>, help: &'static str) -> Self {
        Malformed { line, why: why.into(), help }
    }

    /// Of a line that is not what the format or the model says.
    pub fn line(line: usize, why: impl Into<String>) -> Self {
        Self::new(line, why, "docs/history.md says what is read; `--format` and `--model` say what this is")
    }
}
