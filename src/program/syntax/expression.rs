//! Expressions and function strings: operator precedence over tokens.

use std::ops::Range;

use crate::program::syntax::limits::{LINKS_MAX, NESTING_MAX};
use crate::program::syntax::tokens::{Placed, Token, tokens};
use crate::program::syntax::{Arg, ArgKey, BinaryOp, Expr, Function, Spanned, SyntaxError, UnaryOp};

/// Parses an expression or function string: the whole text.
///
/// # Errors
/// With the place of the first thing that does not fit.
pub fn expression(text: &str) -> Result<Spanned<Expr>, SyntaxError> {
    let (placed, errors) = tokens(text);
    if let Some(error) = errors.into_iter().next() {
        return Err(error);
    }
    let kept: Vec<_> = placed.into_iter().filter(|placed| placed.token != Token::Symbol(";")).collect();
    let mut parser = Parser::new(text, &kept);
    let expr = parser.expression()?;
    parser.end()?;
    Ok(expr)
}

/// A place in the tokens of a text.
pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    pub(super) tokens: &'a [Placed<'a>],
    pub(super) next: usize,
    pub(super) depth: usize,
    /// Operators, fields and indices of the step so far.
    pub(super) links: usize,
    /// What is wrong with the steps so far.
    pub(super) errors: Vec<SyntaxError>,
}

/// How tightly an operator binds; larger is tighter.
fn operator(token: &Token<'_>) -> Option<(BinaryOp, u8)> {
    Some(match token {
        Token::Word("or") => (BinaryOp::Or, 1),
        Token::Word("and") => (BinaryOp::And, 2),
        Token::Symbol("==") => (BinaryOp::Equal, 3),
        Token::Symbol("!=") => (BinaryOp::Differs, 3),
        Token::Symbol("<") => (BinaryOp::Below, 3),
        Token::Symbol("<=") => (BinaryOp::AtMost, 3),
        Token::Symbol(">") => (BinaryOp::Above, 3),
        Token::Symbol(">=") => (BinaryOp::AtLeast, 3),
        Token::Symbol("+") => (BinaryOp::Add, 4),
        Token::Symbol("-") => (BinaryOp::Subtract, 4),
        Token::Symbol("*") => (BinaryOp::Multiply, 5),
        Token::Symbol("/") => (BinaryOp::Divide, 5),
        Token::Word("mod") => (BinaryOp::Remainder, 5),
        _ => return None,
    })
}

/// Whether it is `part.program`.
fn dotted(expr: &Expr) -> bool {
    matches!(expr, Expr::Field(of, _) if matches!(of.value, Expr::Name(_)))
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str, tokens: &'a [Placed<'a>]) -> Self {
        Parser { text, tokens, next: 0, depth: 0, links: 0, errors: Vec::new() }
    }

    pub(super) fn peek(&self) -> Option<&'a Token<'a>> {
        self.tokens.get(self.next).map(|placed| &placed.token)
    }

    pub(super) fn peek_after(&self) -> Option<&'a Token<'a>> {
        self.tokens.get(self.next + 1).map(|placed| &placed.token)
    }

    /// Where the next token stands; the end of the text when there is none.
    pub(super) fn here(&self) -> Range<usize> {
        self.tokens.get(self.next).map_or(self.text.len()..self.text.len(), |placed| placed.at.clone())
    }

    /// Where the last token taken ended.
    pub(super) fn behind(&self) -> usize {
        self.next.checked_sub(1).map_or(0, |last| self.tokens[last].at.end)
    }

    pub(super) fn error<T>(&self, message: impl Into<String>, help: &str) -> Result<T, SyntaxError> {
        let help = if help.is_empty() { None } else { Some(help.to_owned()) };
        Err(SyntaxError { at: self.here(), message: message.into(), help })
    }

    /// The next token as a user would say it.
    pub(super) fn found(&self) -> String {
        match self.peek() {
            None => "the end".to_owned(),
            Some(Token::Symbol(";")) => "the end of the step".to_owned(),
            Some(_) => format!("`{}`", &self.text[self.here()]),
        }
    }

    pub(super) fn is(&self, symbol: &str) -> bool {
        matches!(self.peek(), Some(Token::Symbol(found)) if *found == symbol)
    }

    pub(super) fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Some(Token::Word(found)) if *found == word)
    }

    pub(super) fn take(&mut self, symbol: &str) -> bool {
        let there = self.is(symbol);
        self.next += usize::from(there);
        there
    }

    pub(super) fn take_word(&mut self, word: &str) -> bool {
        let there = self.is_word(word);
        self.next += usize::from(there);
        there
    }

    pub(super) fn expect(&mut self, symbol: &str, help: &str) -> Result<(), SyntaxError> {
        if self.take(symbol) {
            Ok(())
        } else {
            self.error(format!("expected `{symbol}`, found {}", self.found()), help)
        }
    }

    /// A name.
    pub(super) fn name(&mut self, what: &str) -> Result<Spanned<String>, SyntaxError> {
        let at = self.here();
        match self.peek() {
            Some(Token::Word(word)) => {
                self.next += 1;
                Ok(Spanned { value: (*word).to_owned(), at })
            }
            _ => self.error(format!("expected {what}, found {}", self.found()), ""),
        }
    }

    pub(super) fn end(&self) -> Result<(), SyntaxError> {
        if self.peek().is_none() { Ok(()) } else { self.error(format!("unexpected {}", self.found()), "") }
    }

    /// Runs `parse` one level deeper.
    pub(super) fn deeper<T>(
        &mut self,
        parse: impl FnOnce(&mut Self) -> Result<T, SyntaxError>,
    ) -> Result<T, SyntaxError> {
        if self.depth >= NESTING_MAX {
            return self
                .error(format!("nested more than {NESTING_MAX} deep"), "split it into several programs");
        }
        self.depth += 1;
        let result = parse(self);
        self.depth -= 1;
        result
    }

    /// Counts what makes a tree taller.
    fn link(&mut self) -> Result<(), SyntaxError> {
        self.links += 1;
        if self.links > LINKS_MAX {
            let message = format!("more than {LINKS_MAX} operators in one expression");
            return self.error(message, "split it up");
        }
        Ok(())
    }

    /// An expression.
    pub(super) fn expression(&mut self) -> Result<Spanned<Expr>, SyntaxError> {
        self.deeper(|parser| parser.binary(0))
    }

    /// Operators that bind more tightly than `least`.
    fn binary(&mut self, least: u8) -> Result<Spanned<Expr>, SyntaxError> {
        let mut left = self.unary()?;
        while let Some((op, binds)) = self.peek().and_then(operator) {
            if binds <= least {
                break;
            }
            self.link()?;
            self.next += 1;
            let right = self.deeper(|parser| parser.binary(binds))?;
            let at = left.at.start..right.at.end;
            left = Spanned { value: Expr::Binary(op, Box::new(left), Box::new(right)), at };
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Spanned<Expr>, SyntaxError> {
        let start = self.here().start;
        let op = if self.take("-") {
            UnaryOp::Minus
        } else if self.take_word("not") {
            UnaryOp::Not
        } else {
            return self.postfix();
        };
        let operand = self.deeper(Self::unary)?;
        let at = start..operand.at.end;
        Ok(Spanned { value: Expr::Unary(op, Box::new(operand)), at })
    }

    /// A primary with its `.field`, `[index]` and `..range`.
    fn postfix(&mut self) -> Result<Spanned<Expr>, SyntaxError> {
        let mut left = self.primary()?;
        loop {
            if self.is(".") || self.is("[") || self.is("..") {
                self.link()?;
            }
            let start = left.at.start;
            if self.is(".") && matches!(self.peek_after(), Some(Token::Word(_))) {
                self.next += 1;
                let field = self.name("a name")?;
                let at = start..field.at.end;
                left = Spanned { value: Expr::Field(Box::new(left), field), at };
            } else if self.is("(") && dotted(&left.value) {
                let name = Spanned { value: left.value.to_string(), at: left.at.clone() };
                let args = self.args()?;
                left = Spanned { value: Expr::Call(Function { name, args }), at: start..self.behind() };
            } else if self.take("[") {
                let index = self.expression()?;
                self.expect("]", "")?;
                left =
                    Spanned { value: Expr::Index(Box::new(left), Box::new(index)), at: start..self.behind() };
            } else if self.take("..") {
                let to = self.deeper(Self::primary)?;
                let at = start..to.at.end;
                left = Spanned { value: Expr::Range(Box::new(left), Box::new(to)), at };
            } else {
                return Ok(left);
            }
        }
    }

    fn primary(&mut self) -> Result<Spanned<Expr>, SyntaxError> {
        let at = self.here();
        let value = match self.peek() {
            Some(Token::Number(quantity)) => {
                self.next += 1;
                Expr::Number(*quantity)
            }
            Some(Token::Quoted(text)) => {
                self.next += 1;
                Expr::Text((*text).to_owned())
            }
            Some(Token::Word(_)) => {
                let name = self.name("a name")?;
                if self.is("(") {
                    Expr::Call(Function { name, args: self.args()? })
                } else {
                    Expr::Name(name.value)
                }
            }
            Some(Token::Symbol("(")) => {
                self.next += 1;
                let inner = self.expression()?;
                self.expect(")", "every `(` needs its `)`")?;
                return Ok(Spanned { value: inner.value, at: at.start..self.behind() });
            }
            Some(Token::Symbol("[")) => {
                self.next += 1;
                Expr::List(self.list()?)
            }
            Some(Token::Symbol(".." | "." | "/")) => return self.bare_text(),
            _ => return self.error(format!("expected a value, found {}", self.found()), ""),
        };
        Ok(Spanned { value, at: at.start..self.behind() })
    }

    /// A file name such as `../data/x.csv`: everything up to the next `,` or `)`.
    fn bare_text(&mut self) -> Result<Spanned<Expr>, SyntaxError> {
        let start = self.here().start;
        while self.peek().is_some() && !self.is(",") && !self.is(")") {
            self.next += 1;
        }
        let at = start..self.behind();
        let text = &self.text[at.clone()];
        if text.contains(['\'', '#', '\n']) {
            let message = "a file name without quotes has no `'`, no `#` and no line end".to_owned();
            return Err(SyntaxError {
                at,
                message,
                help: Some("write the whole name in single quotes".to_owned()),
            });
        }
        Ok(Spanned { value: Expr::Text(text.to_owned()), at })
    }

    fn list(&mut self) -> Result<Vec<Spanned<Expr>>, SyntaxError> {
        let mut items = Vec::new();
        while !self.take("]") {
            items.push(self.expression()?);
            if !self.is("]") {
                self.expect(",", "list items are separated by `,`")?;
            }
        }
        Ok(items)
    }

    /// `(arguments)`.
    pub(super) fn args(&mut self) -> Result<Vec<Arg>, SyntaxError> {
        self.expect("(", "")?;
        let mut args = Vec::new();
        while !self.take(")") {
            let key = self.arg_key();
            let value = self.expression()?;
            args.push(Arg { key, value });
            if !self.is(")") {
                self.expect(",", "arguments are separated by `,`, and every `(` needs its `)`")?;
            }
        }
        Ok(args)
    }

    fn arg_key(&mut self) -> Option<Spanned<ArgKey>> {
        if self.peek_after() != Some(&Token::Symbol("=")) {
            return None;
        }
        let at = self.here();
        let key = match self.peek()? {
            Token::Word(word) => ArgKey::Name((*word).to_owned()),
            Token::Number(quantity) => ArgKey::Number(*quantity),
            Token::Quoted(_) | Token::Symbol(_) => return None,
        };
        self.next += 2;
        Some(Spanned { value: key, at })
    }
}
