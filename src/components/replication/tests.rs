//! Campaigns that all stores share: crashes, cuts and pauses by lot ([`trials`]), and the mutant that acknowledges too early.

mod early;
pub mod trials;
