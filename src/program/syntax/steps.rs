//! Programs: one step per line or `;`, blocks in braces, `else` after any step that can fail.

use crate::program::syntax::expression::Parser;
use crate::program::syntax::limits::ERRORS_MAX;
use crate::program::syntax::tokens::{Token, tokens};
use crate::program::syntax::{BinaryOp, Does, Expr, Place, Spanned, Step, Steps, SyntaxError};

/// The words that begin a step, for "did you mean".
pub const WORDS: [&str; 22] = [
    "cpu", "wait", "call", "get", "put", "drop", "read", "write", "update", "send", "tally", "fail",
    "return", "each", "par", "race", "if", "hold", "tx", "else", "with", "taking",
];

/// Parses a program: the whole text. All errors, one per step that has one.
///
/// # Errors
/// When there is any; in text order, the first [`ERRORS_MAX`].
pub fn steps(text: &str) -> Result<Steps, Vec<SyntaxError>> {
    let (placed, mut errors) = tokens(text);
    let mut parser = Parser::new(text, &placed);
    let steps = parser.several();
    if parser.peek().is_some() {
        let help = "every `}` needs its `{`".to_owned();
        let message = "this `}` closes nothing".to_owned();
        parser.errors.push(SyntaxError { at: parser.here(), message, help: Some(help) });
    }
    errors.append(&mut parser.errors);
    errors.sort_by_key(|error| error.at.start);
    errors.truncate(ERRORS_MAX);
    if errors.is_empty() { Ok(steps) } else { Err(errors) }
}

type Parsed<T> = Result<T, SyntaxError>;

impl Parser<'_> {
    /// Steps up to a `}` or the end. What is wrong with one of them is noted and does not hide the next.
    fn several(&mut self) -> Steps {
        let mut steps = Vec::new();
        loop {
            while self.take(";") {}
            if self.peek().is_none() || self.is("}") {
                return steps;
            }
            match self.step().and_then(|step| self.finished(step)) {
                Ok(step) => steps.push(step),
                Err(error) => {
                    self.errors.push(error);
                    self.skip_step();
                }
            }
        }
    }

    /// Nothing may follow a step but its end.
    fn finished(&self, step: Step) -> Parsed<Step> {
        if self.peek().is_none() || self.is(";") || self.is("}") {
            return Ok(step);
        }
        let message = format!("unexpected {} after the step", self.found());
        self.error(message, "one step per line, or separate steps by `;`")
    }

    /// Goes to the end of a step, over whole blocks.
    fn skip_step(&mut self) {
        let mut open = 0usize;
        while self.peek().is_some() {
            match self.peek() {
                Some(Token::Symbol(";" | "}")) if open == 0 => return,
                Some(Token::Symbol("{")) => open += 1,
                Some(Token::Symbol("}")) => open -= 1,
                _ => {}
            }
            self.next += 1;
        }
    }

    fn step(&mut self) -> Parsed<Step> {
        self.deeper(Self::step_here)
    }

    fn step_here(&mut self) -> Parsed<Step> {
        let start = self.here().start;
        self.links = 0;
        let does = self.does()?;
        let at = start..self.behind();
        let before = self.next;
        while self.take(";") {}
        if self.take_word("else") {
            let otherwise = if self.is("{") { self.block()? } else { vec![self.step()?] };
            return Ok(Step { does, at, otherwise: Some(otherwise) });
        }
        self.next = before;
        Ok(Step { does, at, otherwise: None })
    }

    fn block(&mut self) -> Parsed<Steps> {
        let opened = self.here();
        self.expect("{", "a block stands in braces")?;
        let steps = self.several();
        if self.take("}") {
            return Ok(steps);
        }
        let message = "this `{` is never closed".to_owned();
        Err(SyntaxError { at: opened, message, help: Some("every `{` needs its `}`".to_owned()) })
    }

    fn does(&mut self) -> Parsed<Does> {
        if self.is("{") {
            return Ok(Does::Block { body: self.block()? });
        }
        let Some(Token::Word(word)) = self.peek() else {
            return self.error(
                format!("expected a step, found {}", self.found()),
                "steps begin with a word: `cpu 5ms`",
            );
        };
        if self.peek_after() == Some(&Token::Symbol("=")) {
            return self.assignment();
        }
        match *word {
            "call" => self.call(None),
            "get" => self.get(None),
            "read" => self.read(None),
            "update" => self.update(None),
            "cpu" => self.timed(|distribution, times| Does::Cpu { distribution, times }),
            "wait" => self.timed(|distribution, times| Does::Wait { distribution, times }),
            "put" => self.put(),
            "drop" => self.after_word().place("a cache").map(|place| Does::Drop { place }),
            "write" => self.write(),
            "send" => {
                let path = self.after_word().path("a queue")?;
                Ok(Does::Send { path, args: self.optional_args()? })
            }
            "tally" => self.tally(),
            "fail" => self.after_word().name("the name of a failure").map(|name| Does::Fail { name }),
            "return" => self.returns(),
            "each" => self.each(|count, name, body| Does::Each { count, name, body }),
            "par" => self.par(),
            "race" => self.after_word().block().map(|branches| Does::Race { branches }),
            "if" => self.branch(),
            "hold" => {
                let place = self.after_word().place("a lock")?;
                Ok(Does::Hold { place, body: self.block()? })
            }
            "tx" => self.transaction(),
            "else" => self.error("this `else` follows no step that can fail", "write `STEP else STEP`"),
            other => {
                let near = crate::base::problem::nearest(other, WORDS);
                let help = near
                    .map_or("steps begin with `cpu`, `wait`, `call`, `get`, `read`, …".to_owned(), |near| {
                        format!("did you mean `{near}`?")
                    });
                self.error(format!("`{other}` is no step"), &help)
            }
        }
    }

    fn after_word(&mut self) -> &mut Self {
        self.next += 1;
        self
    }

    fn assignment(&mut self) -> Parsed<Does> {
        let to = self.name("a name")?;
        self.expect("=", "")?;
        match self.peek() {
            Some(Token::Word("call")) => self.call(Some(to)),
            Some(Token::Word("get")) => self.get(Some(to)),
            Some(Token::Word("read")) => self.read(Some(to)),
            Some(Token::Word("update")) => self.update(Some(to)),
            _ => Ok(Does::Assign { to, value: self.expression()? }),
        }
    }

    /// `LAW [* EXPR]`: the distribution is the leftmost factor.
    fn timed(&mut self, make: fn(Spanned<Expr>, Option<Spanned<Expr>>) -> Does) -> Parsed<Does> {
        let mut distribution = self.after_word().expression()?;
        let mut times: Option<Spanned<Expr>> = None;
        while let Expr::Binary(BinaryOp::Multiply, left, right) = distribution.value {
            times = Some(match times {
                None => *right,
                Some(times) => {
                    let at = right.at.start..times.at.end;
                    Spanned { value: Expr::Binary(BinaryOp::Multiply, right, Box::new(times)), at }
                }
            });
            distribution = *left;
        }
        Ok(make(distribution, times))
    }

    fn path(&mut self, what: &str) -> Parsed<Vec<Spanned<String>>> {
        let mut path = vec![self.name(what)?];
        while self.take(".") {
            path.push(self.name("a name after `.`")?);
        }
        Ok(path)
    }

    fn place(&mut self, what: &str) -> Parsed<Place> {
        let path = self.path(what)?;
        let key = if self.take("[") {
            let key = self.expression()?;
            self.expect("]", "every `[` needs its `]`")?;
            Some(key)
        } else {
            None
        };
        Ok(Place { path, key })
    }

    fn optional_args(&mut self) -> Parsed<Vec<crate::program::syntax::Arg>> {
        if self.is("(") { self.args() } else { Ok(Vec::new()) }
    }

    fn call(&mut self, to: Option<Spanned<String>>) -> Parsed<Does> {
        let path = self.after_word().path("a part or a program")?;
        let args = self.optional_args()?;
        let (mut with, mut from, mut size) = (None, None, None);
        loop {
            if self.take_word("with") {
                with = Some(self.name("a policy")?);
            } else if self.take_word("from") {
                from = Some(self.name("a zone")?);
            } else if self.take_word("size") {
                size = Some(self.expression()?);
            } else {
                return Ok(Does::Call { to, path, args, with, from, size });
            }
        }
    }

    fn get(&mut self, to: Option<Spanned<String>>) -> Parsed<Does> {
        let place = self.after_word().place("a cache")?;
        Ok(Does::Get { to, place })
    }

    fn put(&mut self) -> Parsed<Does> {
        let place = self.after_word().place("a cache")?;
        let value = if self.take("=") { Some(self.expression()?) } else { None };
        Ok(Does::Put { place, value })
    }

    fn read(&mut self, to: Option<Spanned<String>>) -> Parsed<Does> {
        let place = self.after_word().place("a db")?;
        let (mut whence, mut for_update, mut taking) = (None, false, None);
        loop {
            if self.take_word("at") {
                whence = Some(self.expression()?);
            } else if self.take_word("for") {
                if !self.take_word("update") {
                    return self.error(
                        "`for` must be followed by `update`",
                        "write `read shop.stock[1] for update`",
                    );
                }
                for_update = true;
            } else if self.take_word("taking") {
                taking = Some(self.expression()?);
            } else {
                return Ok(Does::Read { to, place, whence, for_update, taking });
            }
        }
    }

    fn write(&mut self) -> Parsed<Does> {
        let place = self.after_word().place("a db")?;
        self.expect("=", "write `write shop.stock[1] = n - 1`")?;
        Ok(Does::Write { place, value: self.expression()? })
    }

    fn update(&mut self, to: Option<Spanned<String>>) -> Parsed<Does> {
        let place = self.after_word().place("a db")?;
        let minus = self.is("-=");
        if !self.take("-=") && !self.take("+=") {
            return self.error(
                format!("expected `+=` or `-=`, found {}", self.found()),
                "write `update shop.stock[1] -= 1 when >= 1`",
            );
        }
        let by = self.expression()?;
        let when = if self.take_word("when") { Some(self.condition()?) } else { None };
        Ok(Does::Update { to, place, minus, by, when })
    }

    /// `>= EXPR`: the left side is the current value.
    fn condition(&mut self) -> Parsed<(BinaryOp, Spanned<Expr>)> {
        let comparisons = [
            ("==", BinaryOp::Equal),
            ("!=", BinaryOp::Differs),
            ("<=", BinaryOp::AtMost),
            (">=", BinaryOp::AtLeast),
            ("<", BinaryOp::Below),
            (">", BinaryOp::Above),
        ];
        for (symbol, op) in comparisons {
            if self.take(symbol) {
                return Ok((op, self.expression()?));
            }
        }
        self.error(format!("expected a comparison after `when`, found {}", self.found()), "write `when >= 1`")
    }

    fn tally(&mut self) -> Parsed<Does> {
        let place = self.after_word().place("a tally")?;
        let by = if self.take("+=") { Some(self.expression()?) } else { None };
        Ok(Does::Tally { place, by })
    }

    fn returns(&mut self) -> Parsed<Does> {
        self.next += 1;
        let nothing = self.peek().is_none() || self.is(";") || self.is("}") || self.is_word("size");
        let value = if nothing { None } else { Some(self.expression()?) };
        let size = if self.take_word("size") { Some(self.expression()?) } else { None };
        Ok(Does::Return { value, size })
    }

    fn each(&mut self, make: fn(Spanned<Expr>, Option<Spanned<String>>, Steps) -> Does) -> Parsed<Does> {
        let count = self.after_word().expression()?;
        let name = if self.take_word("as") { Some(self.name("a name")?) } else { None };
        Ok(make(count, name, self.block()?))
    }

    fn par(&mut self) -> Parsed<Does> {
        if self.peek_after() == Some(&Token::Word("each")) {
            self.next += 1;
            return self.each(|count, name, body| Does::ParEach { count, name, body });
        }
        self.after_word().block().map(|branches| Does::Par { branches })
    }

    fn branch(&mut self) -> Parsed<Does> {
        let condition = self.after_word().expression()?;
        let then = self.block()?;
        let before = self.next;
        while self.take(";") {}
        let or_else = if self.take_word("else") {
            if self.is("{") { self.block()? } else { vec![self.step()?] }
        } else {
            self.next = before;
            Vec::new()
        };
        Ok(Does::If { condition, then, or_else })
    }

    fn transaction(&mut self) -> Parsed<Does> {
        let db = self.after_word().name("a db")?;
        let with = if self.take_word("with") { Some(self.name("a policy")?) } else { None };
        Ok(Does::Tx { db, with, body: self.block()? })
    }
}
