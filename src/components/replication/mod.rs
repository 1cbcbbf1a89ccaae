//! How the copies of a store agree: one of them alone, a leader whom the others follow, quorums, several leaders.

pub mod leader;
pub mod multi_leader;
pub mod quorum;
pub mod single;
#[cfg(test)]
pub mod tests;
