//! Verdicts over small histories that are known by hand.
