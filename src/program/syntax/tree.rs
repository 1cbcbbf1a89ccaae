//! What a text means before names are looked up: expressions and steps, each with its place.

use std::ops::Range;

use crate::base::quantity::Quantity;

/// Something with its place in the text: bytes from the start of the string.
#[derive(Clone, Debug, PartialEq)]
pub struct Spanned<T> {
    /// The thing.
    pub value: T,
    /// Where it stands.
    pub at: Range<usize>,
}

impl<T> Spanned<T> {
    /// `value` at a place.
    pub const fn new(value: T, at: Range<usize>) -> Spanned<T> {
        Spanned { value, at }
    }
}

/// An expression. Function strings (`mutex(ttl=3s)`), paths (`shop.stock[1]`), measures (`p99(product)`) and
/// arithmetic are all expressions.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// `8`, `20ms`, `80%`, `10k`, `unlimited` is a name.
    Number(Quantity),
    /// `item`, `none`.
    Name(String),
    /// `a.b`, on names and indexed things.
    Field(Box<Spanned<Expr>>, Spanned<String>),
    /// `a[i]`.
    Index(Box<Spanned<Expr>>, Box<Spanned<Expr>>),
    /// `a..b` (in `app[0..2]`, `age=a..b`).
    Range(Box<Spanned<Expr>>, Box<Spanned<Expr>>),
    /// `name(arg, key=value, 60%=value)`.
    Call(Function),
    /// `-a`, `not a`.
    Unary(UnaryOp, Box<Spanned<Expr>>),
    /// `a + b`.
    Binary(BinaryOp, Box<Spanned<Expr>>, Box<Spanned<Expr>>),
    /// A file name or another bare word that is no expression (`data/x.csv`), only as an argument.
    Text(String),
    /// `[a, b]`, only as an argument.
    List(Vec<Spanned<Expr>>),
}

/// `name(arguments)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    /// Its name.
    pub name: Spanned<String>,
    /// Its arguments in order.
    pub args: Vec<Arg>,
}

/// One argument.
#[derive(Clone, Debug, PartialEq)]
pub struct Arg {
    /// What stands before `=`: a name (`ttl`, `p50`), a share (`60%`), a time (`3m10s`).
    pub key: Option<Spanned<ArgKey>>,
    /// The value.
    pub value: Spanned<Expr>,
}

/// What stands before an argument's `=`.
#[derive(Clone, Debug, PartialEq)]
pub enum ArgKey {
    /// `ttl=`
    Name(String),
    /// `60%=`, `3m10s=`
    Number(Quantity),
}

/// Operators of one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOp {
    /// `-`
    Minus,
    /// `not`
    Not,
}

/// Operators of two operands, loosest first: `or`, `and`, comparisons, `+ -`, `* / mod`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOp {
    /// `or`
    Or,
    /// `and`
    And,
    /// `==`
    Equal,
    /// `!=`
    Differs,
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `mod`
    Remainder,
}

/// What is wrong with a text, and where.
#[derive(Clone, Debug, PartialEq)]
pub struct SyntaxError {
    /// Which bytes.
    pub at: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub help: Option<String>,
}
