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

/// The body of a program or block: its steps in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Steps(pub Vec<Spanned<Step>>);

/// One step, and what is done instead when it fails.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What it does.
    pub action: Action,
    /// `else …`: after it the program goes on.
    pub otherwise: Option<Steps>,
}

/// A key of a cache, a table or a lock: `pages[item]`, `shop.stock[item]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// The part.
    pub part: Spanned<String>,
    /// The table, for a db.
    pub table: Option<Spanned<String>>,
    /// The key.
    pub key: Spanned<Expr>,
}

/// Whom a `call` or `send` names.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// `app` of `app.buy`, when it is given; a single name may be a part or a program.
    pub part: Option<Spanned<String>>,
    /// The last name.
    pub name: Spanned<String>,
    /// The arguments; `None` when there are no brackets.
    pub args: Option<Vec<Arg>>,
}

/// Which copy a `read` asks.
#[derive(Clone, Debug, PartialEq)]
pub enum Copy {
    /// The one that takes writes.
    Primary,
    /// One that does not.
    Replica,
    /// The nearest.
    Nearest,
    /// One that has seen what this session has seen.
    Session,
    /// Any of them.
    Any,
    /// `copy[i]`.
    Numbered(Spanned<Expr>),
}

/// What a step does.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)] // the fields are the words of the step's form
pub enum Action {
    /// `cpu DIST [* EXPR]`
    Cpu { law: Spanned<Expr>, times: Option<Spanned<Expr>> },
    /// `wait DIST [* EXPR]`
    Wait { law: Spanned<Expr>, times: Option<Spanned<Expr>> },
    /// `x = EXPR`
    Assign { to: Spanned<String>, value: Spanned<Expr> },
    /// `[x =] call PART.PROGRAM(args) [with POLICY] [from ZONE] [size BYTES]`
    Call {
        to: Option<Spanned<String>>,
        target: Target,
        with: Option<Spanned<String>>,
        from: Option<Spanned<String>>,
        size: Option<Spanned<Expr>>,
    },
    /// `[x =] get CACHE[key]`
    Get { to: Option<Spanned<String>>, place: Place },
    /// `put CACHE[key]`
    Put { place: Place },
    /// `drop CACHE[key]`
    Drop { place: Place },
    /// `[x =] read DB.table[key] [at COPY] [for update] [taking DIST]`
    Read {
        to: Option<Spanned<String>>,
        place: Place,
        copy: Option<Spanned<Copy>>,
        /// Where `for update` stands.
        locking: Option<Range<usize>>,
        taking: Option<Spanned<Expr>>,
    },
    /// `write DB.table[key] = EXPR`
    Write { place: Place, value: Spanned<Expr> },
    /// `[x =] update DB.table[key] += EXPR [when >= EXPR]`
    Update {
        to: Option<Spanned<String>>,
        place: Place,
        /// `-=` instead of `+=`.
        less: bool,
        by: Spanned<Expr>,
        when: Option<(BinaryOp, Spanned<Expr>)>,
    },
    /// `send QUEUE.PROGRAM(args)`
    Send { target: Target },
    /// `tally NAME[key] [+= EXPR]`
    Tally { name: Spanned<String>, key: Option<Spanned<Expr>>, by: Option<Spanned<Expr>> },
    /// `fail NAME`
    Fail { name: Spanned<String> },
    /// `return EXPR [size BYTES]`
    Return { value: Option<Spanned<Expr>>, size: Option<Spanned<Expr>> },
    /// `[par] each N [as i] { … }`
    Each { at_once: bool, times: Spanned<Expr>, index: Option<Spanned<String>>, body: Steps },
    /// `par { a; b }`: each step is a branch
    Par { branches: Steps },
    /// `race { a; b }`: each step is a branch
    Race { branches: Steps },
    /// `if COND { … } else { … }`
    If { condition: Spanned<Expr>, then: Steps, otherwise: Option<Steps> },
    /// `hold LOCK[key] { … }`
    Hold { place: Place, body: Steps },
    /// `tx DB [with POLICY] { … }`
    Tx { db: Spanned<String>, with: Option<Spanned<String>>, body: Steps },
    /// `{ … }`: several steps as one, for branches
    Block { body: Steps },
}
