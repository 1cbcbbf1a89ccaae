//! One grammar for expressions, steps and function strings, with byte spans into the text. It is built on `winnow`:
//! [`tokens`] cuts the text up, [`expression`](mod@expression) and [`steps`](mod@steps) read the tokens.

pub mod expression;
pub mod limits;
pub mod print;
pub mod steps;
#[cfg(test)]
mod tests;
pub mod tokens;
mod tree;

pub use expression::expression;
pub use steps::steps;
pub use tree::*;
