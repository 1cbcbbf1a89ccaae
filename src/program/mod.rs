//! The little language of endpoints: text → syntax tree → flat code → effects. It knows no parts and no
//! network: running a program yields *effects* as values, and whoever hosts it carries them out.
//!
//! Data path: [`syntax`] parses, [`compile`] turns a body into [`instr::Program`], [`interpret`] resumes coroutines.

pub mod compile;
pub mod distribution;
pub mod instr;
pub mod interpret;
pub mod syntax;
#[cfg(test)]
mod tests;
