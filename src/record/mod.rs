//! What a run leaves behind: counters, levels, request samples. It judges nothing and knows no part.

pub mod recorder;
