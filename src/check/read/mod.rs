//! Recorded histories as bytes: Jepsen's logs and EDN, JSON.
//!
//! [`events`] makes events of bytes, in one of three syntaxes (`edn`, `json`, `log`) · [`attempts`] pairs
//! invocations with completions and says what was passed. What the operations mean is the business of [`crate::check::kinds`].
//! It is a stream: of what was read nothing stays but what is still open.

pub mod attempts;
pub mod datum;
mod edn;
pub mod events;
mod format;
mod json;
mod kind;
mod log;
mod malformed;
mod record;
mod scan;
mod source;
#[cfg(test)]
mod tests;

pub use edn::written;
pub use format::Format;
pub use kind::Kind;
pub use malformed::Malformed;
