//! The syntax tree of expressions and steps.

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

/// Steps in order.
pub type Steps = Vec<Step>;

/// One step of a program.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What it does.
    pub does: Does,
    /// Where it stands.
    pub at: Range<usize>,
    /// What happens instead when it fails.
    pub otherwise: Option<Steps>,
}

/// `DB.table[key]`, `CACHE[key]`, `NAME[key]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// The names before the bracket.
    pub path: Vec<Spanned<String>>,
    /// The key; `None` when there is no bracket.
    pub key: Option<Spanned<Expr>>,
}

/// What a step does.
#[allow(missing_docs)] // each field is a word of the form in the sentence of its variant
#[derive(Clone, Debug, PartialEq)]
pub enum Does {
    /// `cpu DIST [* EXPR]`
    Cpu { distribution: Spanned<Expr>, times: Option<Spanned<Expr>> },
    /// `wait DIST [* EXPR]`
    Wait { distribution: Spanned<Expr>, times: Option<Spanned<Expr>> },
    /// `x = EXPR`
    Assign { to: Spanned<String>, value: Spanned<Expr> },
    /// `[x =] call PART.PROGRAM(args) [with POLICY] [from ZONE] [size BYTES]`
    Call {
        to: Option<Spanned<String>>,
        path: Vec<Spanned<String>>,
        args: Vec<Arg>,
        with: Option<Spanned<String>>,
        from: Option<Spanned<String>>,
        size: Option<Spanned<Expr>>,
    },
    /// `[x =] get CACHE[key]`
    Get { to: Option<Spanned<String>>, place: Place },
    /// `put CACHE[key]`
    Put { place: Place, value: Option<Spanned<Expr>> },
    /// `drop CACHE[key]`
    Drop { place: Place },
    /// `x = read DB.table[key] [at WHERE] [for update] [taking DIST]`
    Read {
        to: Option<Spanned<String>>,
        place: Place,
        whence: Option<Spanned<Expr>>,
        for_update: bool,
        taking: Option<Spanned<Expr>>,
    },
    /// `write DB.table[key] = EXPR`
    Write { place: Place, value: Spanned<Expr> },
    /// `update DB.table[key] -= EXPR [when >= EXPR]`
    Update {
        to: Option<Spanned<String>>,
        place: Place,
        minus: bool,
        by: Spanned<Expr>,
        when: Option<(BinaryOp, Spanned<Expr>)>,
    },
    /// `send QUEUE.PROGRAM(args)`
    Send { path: Vec<Spanned<String>>, args: Vec<Arg> },
    /// `tally NAME[key] [+= EXPR]`
    Tally { place: Place, by: Option<Spanned<Expr>> },
    /// `fail NAME`
    Fail { name: Spanned<String> },
    /// `return EXPR [size BYTES]`
    Return { value: Option<Spanned<Expr>>, size: Option<Spanned<Expr>> },
    /// `each N [as i] { … }`
    Each { count: Spanned<Expr>, name: Option<Spanned<String>>, body: Steps },
    /// `par { a; b }`
    Par { branches: Steps },
    /// `par each N [as i] { … }`
    ParEach { count: Spanned<Expr>, name: Option<Spanned<String>>, body: Steps },
    /// `race { a; b }`
    Race { branches: Steps },
    /// `if COND { … } else { … }`
    If { condition: Spanned<Expr>, then: Steps, or_else: Steps },
    /// `hold LOCK[key] { … }`
    Hold { place: Place, body: Steps },
    /// `tx DB [with POLICY] { … }`
    Tx { db: Spanned<String>, with: Option<Spanned<String>>, body: Steps },
    /// `{ … }`: several steps as one, for a branch.
    Block { body: Steps },
}
