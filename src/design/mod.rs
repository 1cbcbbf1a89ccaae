//! From TOML text to checked settings: all problems at once, each with its place.
//!
//! Data path: [`file`](mod@file) loads and joins files into a [`tree`] · [`patch`] changes parameters in it by dotted path
//! (variants, sweeps, `--set`) · [`resolve`] turns it into a [`resolve::Design`], by [`parameters`], [`names`] and
//! [`programs`] · [`render`] shows problems.
//!
//! It opens no file and knows no clock; what an experiment's entries *mean* is for `experiment` to say: here only
//! their shape is checked ([`entries`]).

pub mod codes;
mod copies;
pub mod describe;
pub mod entries;
pub mod file;
pub mod fills;
mod later;
pub mod limits;
mod locks;
pub mod names;
pub mod parameters;
pub mod patch;
pub mod places;
pub mod programs;
pub mod prune;
mod quantities;
pub mod render;
pub mod resolve;
mod retries;
pub mod sessions;
pub mod shape;
pub mod source;
#[cfg(test)]
mod test_kinds;
#[cfg(test)]
mod tests;
pub mod text;
pub mod tree;
