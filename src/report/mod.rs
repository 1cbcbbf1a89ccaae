//! Reports: the table in the terminal, `results.json`, `runs.csv`, plots and one self-contained page. It draws what
//! [`input`] holds and knows neither designs nor runs.

pub mod input;
