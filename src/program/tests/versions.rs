//! Which version a value has that a program puts into a cache.

use super::{programs, shown};
use crate::base::ids::{OpId, ProgramId};
use crate::base::op::Value;
use crate::program::instr::{Effect, Input};
use crate::program::interpret::Frames;

/// What a program puts: each answer is 5, and answers and writes have the versions 1, 2, ….
fn put(text: &str) -> Vec<String> {
    let programs = programs(text);
    let mut frames = Frames::default();
    let coroutine = frames.begin(&programs, ProgramId(0), [0; 3], 99, 0);
    let (mut input, mut version, mut seen) = (Input::Go, 0, Vec::new());
    loop {
        let effect = frames.resume(&programs, coroutine, input);
        input = match effect {
            Effect::Read { .. } | Effect::Get { .. } | Effect::Update { .. } => {
                version += 1;
                Input::Value(Value { n: 5, version: OpId(version), ..Value::default() })
            }
            Effect::Write { .. } => {
                version += 1;
                Input::Written(OpId(version))
            }
            Effect::PutValue { .. } => {
                seen.push(shown(effect));
                Input::Go
            }
            _ => return seen,
        };
    }
}

#[test]
fn a_variable_has_the_version_of_the_answer_that_it_was_taken_from() {
    assert_eq!(put("x = read shop.stock[1]; put pages[1] = x"), ["put[1] = 5@1"]);
    assert_eq!(put("x = read shop.stock[1]; y = read shop.other[1]; put pages[1] = x"), ["put[1] = 5@1"]);
    assert_eq!(put("x = read shop.stock[1]; n = x; y = get pages[2]; put pages[1] = n"), ["put[1] = 5@1"]);
    assert_eq!(
        put("y = read shop.other[1]; n = update shop.stock[1] -= 1; put pages[1] = n"),
        ["put[1] = 5@2"]
    );
    let both = "x = read shop.stock[1]; y = read shop.other[1]; put pages[1] = x; put pages[2] = y";
    assert_eq!(put(both), ["put[1] = 5@1", "put[2] = 5@2"]);
}

#[test]
fn a_variable_that_is_written_has_the_version_of_the_write() {
    let text = "x = read shop.stock[1]; n = x - 1; write shop.stock[1] = n; z = read shop.other[1]; put pages[1] = n";
    assert_eq!(put(text), ["put[1] = 4@2"]);
    assert_eq!(put("x = read shop.stock[1]; write shop.stock[1] = 7; put pages[1] = 7"), ["put[1] = 7@2"]);
}

#[test]
fn what_is_computed_has_the_version_that_was_seen_last() {
    assert_eq!(put("put pages[1] = 7"), ["put[1] = 7@0"]);
    assert_eq!(
        put("x = read shop.stock[1]; y = read shop.other[1]; put pages[1] = x + y"),
        ["put[1] = 10@2"]
    );
    assert_eq!(
        put("x = read shop.stock[1]; n = x * 2; y = read shop.other[1]; put pages[1] = n"),
        ["put[1] = 10@1"]
    );
}
