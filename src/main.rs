//! The command line of splitbrain.
fn main() {}
