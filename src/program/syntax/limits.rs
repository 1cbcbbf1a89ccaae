//! How long and how deep a text may be.

/// The longest text that is parsed, bytes: a program of four hundred lines. Longer ones are mistakes.
pub const TEXT_BYTES_MAX: usize = 16 << 10;

/// How deep expressions and blocks may nest: no reader follows further, and the parser's own stack stays small.
pub const NESTING_MAX: usize = 32;

/// Operators, fields and indices in one step or expression. They make its tree tall without nesting, and printing,
/// compiling and dropping a tree recurse to its height.
pub const LINKS_MAX: usize = 256;

/// The most mistakes told about one text: the first ones matter.
pub const ERRORS_MAX: usize = 20;
