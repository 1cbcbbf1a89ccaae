//! The grammar of steps. A mistake ends its step, not the reading: the rest of the text is read on, so that all
//! mistakes are found at once.

use std::ops::Range;

use winnow::combinator::opt;
use winnow::prelude::*;
use winnow::stream::Stream;

use crate::base::problem::nearest;
use crate::program::syntax::cursor::{
    Input, Parsed, ahead, close, deeper, describe, expected, mark, mistake, name, report, word,
};
use crate::program::syntax::expression::{self, OPERATOR_WORDS, either, power};
use crate::program::syntax::tokens::{Kind, Token};
use crate::program::syntax::tree::{Action, BinaryOp, Copy, Expr, Place, Spanned, Step, Steps, Target};

/// The words that begin a step; none of them can be assigned to.
pub const STEP_WORDS: [&str; 20] = [
    "cpu", "wait", "call", "get", "put", "drop", "read", "write", "update", "send", "tally", "fail",
    "return", "each", "par", "race", "if", "hold", "tx", "else",
];

/// Steps up to `}` or the end of the text.
pub fn steps(input: &mut Input<'_>) -> Steps {
    let mut steps = Vec::new();
    loop {
        while matches!(ahead(input).kind, Kind::Newline | Kind::Mark(";")) {
            input.next_token();
        }
        if matches!(ahead(input).kind, Kind::End | Kind::Mark("}")) {
            return Steps(steps);
        }
        let result = step(input).and_then(|step| match ahead(input).kind {
            Kind::Newline | Kind::Mark(";" | "}") | Kind::End => Ok(step),
            _ => unfinished(input),
        });
        match result {
            Ok(step) => steps.push(step),
            Err(failure) => {
                report(input, failure);
                skip_step(input);
            }
        }
    }
}

/// Something follows a step that does not belong to it.
fn unfinished(input: &Input<'_>) -> Parsed<Spanned<Step>> {
    let help = match ahead(input).kind {
        Kind::Mark("+" | "-") => "put what is multiplied in round brackets: cpu 2ms * (n + 1)",
        _ => "one step per line, or `;` between them",
    };
    expected(input, "the end of the step", Some(help))
}

/// Goes to the end of a step that could not be read, over whole blocks.
fn skip_step(input: &mut Input<'_>) {
    let mut open = 0u32;
    loop {
        match ahead(input).kind {
            Kind::End => return,
            Kind::Newline | Kind::Mark(";") if open == 0 => return,
            Kind::Mark("}") if open == 0 => return,
            Kind::Mark("{") => open += 1,
            Kind::Mark("}") => open -= 1,
            _ => {}
        }
        input.next_token();
    }
}

/// `{ … }`
fn block(input: &mut Input<'_>) -> Parsed<Steps> {
    newlines(input);
    let Ok(open) = mark("{").parse_next(input) else {
        return expected(input, "`{`", Some("the steps of a block stand in curly brackets"));
    };
    deeper(input, |input| {
        let body = steps(input);
        close(input, "}", open)?;
        Ok(body)
    })
}

fn newlines(input: &mut Input<'_>) {
    while ahead(input).kind == Kind::Newline {
        input.next_token();
    }
}

/// Takes `else` if it is next, newlines before it included.
fn takes_else(input: &mut Input<'_>) -> bool {
    let tokens: &[Token<'_>] = &input.input;
    let lines = tokens.iter().take_while(|token| token.kind == Kind::Newline).count();
    if tokens[lines].kind != Kind::Word("else") {
        return false;
    }
    for _ in 0..=lines {
        input.next_token();
    }
    newlines(input);
    true
}

/// What follows `else`: a block or a single step.
fn otherwise(input: &mut Input<'_>) -> Parsed<Option<Steps>> {
    if !takes_else(input) {
        return Ok(None);
    }
    if ahead(input).kind == Kind::Mark("{") {
        return block(input).map(Some);
    }
    deeper(input, |input| Ok(Some(Steps(vec![step(input)?]))))
}

fn step(input: &mut Input<'_>) -> Parsed<Spanned<Step>> {
    let start = ahead(input).at.start;
    let action = action(input)?;
    let end = |input: &Input<'_>| input.input.previous_tokens().next().map_or(start, |token| token.at.end);
    let at = start..end(input);
    let may_fail = !matches!(action, Action::If { .. } | Action::Fail { .. } | Action::Return { .. });
    let otherwise = if may_fail { otherwise(input)? } else { None };
    Ok(Spanned::new(Step { action, otherwise }, at))
}

fn action(input: &mut Input<'_>) -> Parsed<Action> {
    let token = ahead(input);
    if token.kind == Kind::Mark("{") {
        return Ok(Action::Block { body: block(input)? });
    }
    let Kind::Word(first) = token.kind else {
        return expected(input, "a step", Some("steps begin with a word: cpu, call, read, get, if …"));
    };
    let tokens: &[Token<'_>] = &input.input;
    if matches!(tokens, [_, Token { kind: Kind::Mark("="), .. }, ..]) {
        return assignment(input);
    }
    if !STEP_WORDS.contains(&first) || first == "else" {
        return unknown_step(input, first);
    }
    input.next_token();
    worded(input, first, token.at.clone())
}

fn unknown_step(input: &Input<'_>, first: &str) -> Parsed<Action> {
    let at = ahead(input).at.clone();
    let second = input.input.get(1).map(|token| token.kind);
    if first == "else" {
        return mistake(
            at,
            "`else` follows nothing that can fail",
            Some("no `;` before `else`; fail and return take none"),
        );
    }
    let help = match second {
        Some(Kind::Mark("(" | ".")) => Some(format!("to run a program: call {first}(…)")),
        Some(Kind::Mark("+=" | "-=")) => Some(format!("write {first} = {first} + …")),
        _ => nearest(first, STEP_WORDS).map(|word| format!("did you mean `{word}`?")),
    };
    mistake(at, format!("`{first}` is not a step"), help.as_deref())
}

/// `x = …`
fn assignment(input: &mut Input<'_>) -> Parsed<Action> {
    let to = name(input)?;
    if STEP_WORDS.contains(&to.value.as_str())
        || OPERATOR_WORDS.contains(&to.value.as_str())
        || to.value.contains('.')
    {
        return mistake(to.at, format!("`{}` cannot be assigned to", to.value), Some("choose another name"));
    }
    input.next_token(); // the `=` that brought us here
    let Kind::Word(first @ ("call" | "get" | "read" | "update")) = ahead(input).kind else {
        if let Kind::Word(first) = ahead(input).kind
            && STEP_WORDS.contains(&first)
        {
            return mistake(
                ahead(input).at.clone(),
                format!("`{first}` gives no value"),
                Some("call, get, read and update do"),
            );
        }
        return Ok(Action::Assign { to, value: plain(input)? });
    };
    let at = ahead(input).at.clone();
    input.next_token();
    let mut action = worded(input, first, at)?;
    if let Action::Call { to: slot, .. }
    | Action::Get { to: slot, .. }
    | Action::Read { to: slot, .. }
    | Action::Update { to: slot, .. } = &mut action
    {
        *slot = Some(to);
    }
    Ok(action)
}

/// The rest of a step after its first word.
fn worded(input: &mut Input<'_>, first: &str, at: Range<usize>) -> Parsed<Action> {
    Ok(match first {
        "cpu" | "wait" => {
            let law = law(input)?;
            let times = match opt(mark("*")).parse_next(input)? {
                Some(_) => Some(either(input, power::MULTIPLY)?.0),
                None => None,
            };
            if first == "cpu" { Action::Cpu { law, times } } else { Action::Wait { law, times } }
        }
        "call" => call(input)?,
        "get" => Action::Get { to: None, place: place(input, "get pages[item]")? },
        "put" => Action::Put { place: place(input, "put pages[item]")? },
        "drop" => Action::Drop { place: place(input, "drop pages[item]")? },
        "read" => read(input)?,
        "write" => {
            let place = place(input, "write shop.stock[item] = 5")?;
            if mark("=").parse_next(input).is_err() {
                return expected(input, "`=`", Some("write shop.stock[item] = 5; for += and -= use update"));
            }
            Action::Write { place, value: plain(input)? }
        }
        "update" => update(input)?,
        "send" => Action::Send { target: target(input)? },
        "tally" => tally(input)?,
        "fail" => Action::Fail { name: called(input, "the name of the failure: fail sold_out")? },
        "return" => {
            let bare = matches!(
                ahead(input).kind,
                Kind::Newline | Kind::End | Kind::Mark(";" | "}") | Kind::Word("size")
            );
            let value = if bare { None } else { Some(plain(input)?) };
            Action::Return { value, size: size(input)? }
        }
        "each" => each(input, false)?,
        "par" if word("each").parse_next(input).is_ok() => each(input, true)?,
        "par" => Action::Par { branches: block(input)? },
        "race" => Action::Race { branches: block(input)? },
        "if" => {
            let condition = plain(input)?;
            let then = block(input)?;
            Action::If { condition, then, otherwise: otherwise(input)? }
        }
        "hold" => {
            let place = place(input, "hold stock_lock[item] { … }")?;
            Action::Hold { place, body: block(input)? }
        }
        "tx" => {
            let db = called(input, "the name of a db: tx shop { … }")?;
            let with = clause(input, "with", "the name of a policy")?;
            Action::Tx { db, with, body: block(input)? }
        }
        _ => return mistake(at, format!("`{first}` is not a step"), None),
    })
}

/// An expression without lists, texts and ranges.
fn plain(input: &mut Input<'_>) -> Parsed<Spanned<Expr>> {
    Ok(either(input, power::OR)?.0)
}

/// A distribution: a number or a function.
fn law(input: &mut Input<'_>) -> Parsed<Spanned<Expr>> {
    if !matches!(ahead(input).kind, Kind::Number(_) | Kind::Word(_)) {
        return expected(
            input,
            "how long",
            Some("a span or a distribution: 5ms, exp(5ms), lognormal(p50=4ms, p99=40ms)"),
        );
    }
    Ok(expression::postfix(input)?.0)
}

/// A name, or a mistake that says which.
fn called(input: &mut Input<'_>, what: &str) -> Parsed<Spanned<String>> {
    match name(input) {
        Ok(name) => Ok(name),
        Err(_) => expected(input, what, None),
    }
}

/// `WORD NAME`, if it is there.
fn clause(input: &mut Input<'_>, first: &'static str, what: &str) -> Parsed<Option<Spanned<String>>> {
    match opt(word(first)).parse_next(input)? {
        Some(_) => called(input, what).map(Some),
        None => Ok(None),
    }
}

/// `size BYTES`, if it is there.
fn size(input: &mut Input<'_>) -> Parsed<Option<Spanned<Expr>>> {
    match opt(word("size")).parse_next(input)? {
        Some(_) => Ok(Some(expression::postfix(input)?.0)),
        None => Ok(None),
    }
}

/// `part[key]` or `part.table[key]`
fn place(input: &mut Input<'_>, example: &str) -> Parsed<Place> {
    let part = called(input, "the name of a part")?;
    let table = match opt(mark(".")).parse_next(input)? {
        Some(_) => Some(called(input, "the name of a table")?),
        None => None,
    };
    let Ok(open) = mark("[").parse_next(input) else {
        return expected(input, "`[` and a key", Some(example));
    };
    let (key, _) = deeper(input, |input| either(input, power::OR))?;
    close(input, "]", open)?;
    Ok(Place { part, table, key })
}

/// `part.program(args)`, `program(args)` or `part`
fn target(input: &mut Input<'_>) -> Parsed<Target> {
    let first = called(input, "whom to call: call app.product(item=1)")?;
    let (part, name) = match opt(mark(".")).parse_next(input)? {
        Some(_) => (Some(first), called(input, "the name of a program")?),
        None => (None, first),
    };
    if ahead(input).kind != Kind::Mark("(") {
        return Ok(Target { part, name, args: None });
    }
    let (call, _) = expression::call(input, name.clone())?;
    let Expr::Call(function) = call.value else { unreachable!("a call is a call") };
    Ok(Target { part, name, args: Some(function.args) })
}

fn call(input: &mut Input<'_>) -> Parsed<Action> {
    let target = target(input)?;
    let (mut with, mut from, mut bytes) = (None, None, None);
    loop {
        let token = ahead(input);
        match token.kind {
            Kind::Word("with") if with.is_none() => with = clause(input, "with", "the name of a policy")?,
            Kind::Word("from") if from.is_none() => from = clause(input, "from", "the name of a zone")?,
            Kind::Word("size") if bytes.is_none() => bytes = size(input)?,
            Kind::Word("with" | "from" | "size") => {
                return mistake(token.at.clone(), format!("{} stands twice", describe(token)), None);
            }
            _ => return Ok(Action::Call { to: None, target, with, from, size: bytes }),
        }
    }
}

fn read(input: &mut Input<'_>) -> Parsed<Action> {
    let place = place(input, "read shop.stock[item]")?;
    let (mut copy, mut locking, mut taking) = (None, None, None);
    loop {
        let token = ahead(input);
        match token.kind {
            Kind::Word("at") if copy.is_none() => copy = Some(which(input)?),
            Kind::Word("for") if locking.is_none() => {
                input.next_token();
                let Ok(end) = word("update").parse_next(input) else {
                    return expected(input, "`update` after `for`", None);
                };
                locking = Some(token.at.start..end.end);
            }
            Kind::Word("taking") if taking.is_none() => {
                input.next_token();
                taking = Some(law(input)?);
            }
            Kind::Word("at" | "for" | "taking") => {
                return mistake(token.at.clone(), format!("{} stands twice", describe(token)), None);
            }
            _ => return Ok(Action::Read { to: None, place, copy, locking, taking }),
        }
    }
}

/// `at primary`
fn which(input: &mut Input<'_>) -> Parsed<Spanned<Copy>> {
    input.next_token(); // `at`
    let token = ahead(input);
    let copy = match token.kind {
        Kind::Word("primary") => Copy::Primary,
        Kind::Word("replica") => Copy::Replica,
        Kind::Word("nearest") => Copy::Nearest,
        Kind::Word("session") => Copy::Session,
        Kind::Word("any") => Copy::Any,
        Kind::Word("copy") => {
            input.next_token();
            let Ok(open) = mark("[").parse_next(input) else {
                return expected(input, "`[` and a number", Some("read shop.stock[item] at copy[2]"));
            };
            let (number, _) = deeper(input, |input| either(input, power::OR))?;
            let end = close(input, "]", open)?.end;
            return Ok(Spanned::new(Copy::Numbered(number), token.at.start..end));
        }
        _ => {
            return expected(input, "which copy", Some("primary, replica, nearest, session, any or copy[i]"));
        }
    };
    input.next_token();
    Ok(Spanned::new(copy, token.at.clone()))
}

fn update(input: &mut Input<'_>) -> Parsed<Action> {
    let place = place(input, "update shop.stock[item] -= 1")?;
    let less = match ahead(input).kind {
        Kind::Mark("+=") => false,
        Kind::Mark("-=") => true,
        _ => {
            return expected(
                input,
                "`+=` or `-=`",
                Some("update shop.stock[item] -= 1; to set a value use write"),
            );
        }
    };
    input.next_token();
    let by = plain(input)?;
    if opt(word("when")).parse_next(input)?.is_none() {
        return Ok(Action::Update { to: None, place, less, by, when: None });
    }
    let token = ahead(input);
    let comparison = BinaryOp::of(token).filter(|operator| operator.power() == power::COMPARE);
    let Some(comparison) = comparison else {
        return expected(input, "a comparison", Some("the current value is its left side: when >= 1"));
    };
    input.next_token();
    let (bound, _) = either(input, power::ADD)?;
    Ok(Action::Update { to: None, place, less, by, when: Some((comparison, bound)) })
}

fn tally(input: &mut Input<'_>) -> Parsed<Action> {
    let name = called(input, "the name of a tally: tally order")?;
    let key = match opt(mark("[")).parse_next(input)? {
        Some(open) => {
            let (key, _) = deeper(input, |input| either(input, power::OR))?;
            close(input, "]", open)?;
            Some(key)
        }
        None => None,
    };
    let by = match opt(mark("+=")).parse_next(input)? {
        Some(_) => Some(plain(input)?),
        None => None,
    };
    Ok(Action::Tally { name, key, by })
}

fn each(input: &mut Input<'_>, at_once: bool) -> Parsed<Action> {
    let times = plain(input)?;
    let index = clause(input, "as", "a name for the number of the repetition")?;
    Ok(Action::Each { at_once, times, index, body: block(input)? })
}
