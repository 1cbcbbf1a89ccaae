//! Reports: the table in the terminal, `results.json`, `runs.csv`, plots and one self-contained page. It draws what
//! [`input`] holds and knows neither designs nor runs.

pub mod csv;
pub mod graph;
pub mod input;
pub mod json;
pub mod plots;
#[cfg(test)]
mod samples;
pub mod table;
pub mod text;
