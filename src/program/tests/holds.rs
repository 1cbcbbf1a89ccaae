//! `hold` in programs: given back on every way out.

use super::{effects, programs};
use crate::base::ids::ProgramId;
use crate::program::instr::{Effect, Input};
use crate::program::interpret::Frames;

#[test]
fn a_lock_is_given_back_on_every_way_out() {
    let none: &[&str] = &[];
    for (text, failing, expected) in [
        (
            "hold till[1] { cpu 1ms }; tally x",
            none,
            vec!["acquire[1]", "cpu*1", "release[1]", "tally[0]+=1", "return 0"],
        ),
        ("hold till[1] { return 4 }", none, vec!["acquire[1]", "release[1]", "return 4"]),
        ("hold till[1] { fail odd } else return 5", none, vec!["acquire[1]", "release[1]", "return 5"]),
        ("hold till[1] { cpu 1ms }", &["cpu*1"], vec!["acquire[1]", "cpu*1", "release[1]", "failed Error"]),
        (
            "hold till[1] { cpu 1ms } else tally x",
            &["acquire[1]"],
            vec!["acquire[1]", "tally[0]+=1", "return 0"],
        ),
        (
            "hold till[1] { cpu 1ms else tally x; wait 1ms }",
            &["cpu*1"],
            vec!["acquire[1]", "cpu*1", "tally[0]+=1", "wait*1", "release[1]", "return 0"],
        ),
        (
            "hold till[1] { hold till[2] { read shop.stock[3] } } else return 6",
            &["read1[3]"],
            vec!["acquire[1]", "acquire[2]", "read1[3]", "release[2]", "release[1]", "return 6"],
        ),
        (
            "hold till[1] { hold till[2] { cpu 1ms } else tally x; cpu 2ms }",
            &["acquire[2]"],
            vec!["acquire[1]", "acquire[2]", "tally[0]+=1", "cpu*1", "release[1]", "return 0"],
        ),
        (
            "each 2 as i { hold till[i] { tally x } }",
            none,
            vec![
                "acquire[0]",
                "tally[0]+=1",
                "release[0]",
                "acquire[1]",
                "tally[0]+=1",
                "release[1]",
                "return 0",
            ],
        ),
        (
            "hold till[1] { each 2 { cpu 1ms } } else return 7",
            &["cpu*1"],
            vec!["acquire[1]", "cpu*1", "release[1]", "return 7"],
        ),
        (
            "par { hold till[1] { cpu 1ms }; hold till[2] { wait 1ms } }",
            none,
            vec![
                "fork",
                "acquire[1]",
                "cpu*1",
                "release[1]",
                "park",
                "acquire[2]",
                "wait*1",
                "release[2]",
                "join None",
                "return 0",
            ],
        ),
        (
            "hold till[1] { par { fail odd; cpu 1ms } } else return 8",
            none,
            vec!["acquire[1]", "fork", "park", "cpu*1", "join Some(Named(3))", "release[1]", "return 8"],
        ),
        (
            "race { { hold till[1] { fail odd } }; { hold till[2] { hold till[3] { wait 1ms } } } } else return 9",
            &["wait*1"],
            vec![
                "fork",
                "acquire[1]",
                "release[1]",
                "park",
                "acquire[2]",
                "acquire[3]",
                "wait*1",
                "release[3]",
                "release[2]",
                "join Some(Named(3))",
                "return 9",
            ],
        ),
    ] {
        assert_eq!(effects(text, [8, 0, 0], failing), expected, "{text}");
    }
}

#[test]
fn what_a_race_abandons_gives_its_locks_back_even_those_that_it_still_asks_for() {
    let programs =
        programs("hold till[9] { race { { hold till[1] { hold till[2] { cpu 1ms } } }; cpu 1ms } }");
    let mut frames = Frames::default();
    let root = frames.begin(&programs, ProgramId(0), [0; 3], 1, 0);
    let ask = |frames: &mut Frames, coroutine, input| match frames.resume(&programs, coroutine, input) {
        Effect::Acquire { hold, .. } => Ok(hold),
        other => Err(other),
    };
    let outer = ask(&mut frames, root, Input::Go).expect("a lock");
    assert_eq!(ask(&mut frames, root, Input::Go), Err(Effect::Forked));
    let (left, right) = (frames.spawned().expect("first"), frames.spawned().expect("second"));
    let first = ask(&mut frames, left, Input::Go).expect("a lock");
    let second = ask(&mut frames, left, Input::Go).expect("a lock, of which nobody knows yet");
    assert_eq!(frames.holds(left).collect::<Vec<_>>(), [second, first, outer]);
    assert_eq!(frames.holds(right).collect::<Vec<_>>(), [outer]);
    assert!(matches!(ask(&mut frames, right, Input::Go), Err(Effect::Cpu { .. })));
    assert!(matches!(ask(&mut frames, right, Input::Go), Err(Effect::Joined { .. })));
    assert_eq!(std::iter::from_fn(|| frames.ended()).collect::<Vec<_>>(), [second, first]);
    frames.finish(root); // cancelled half-way
    assert_eq!(std::iter::from_fn(|| frames.ended()).collect::<Vec<_>>(), [outer]);
    assert_eq!(frames.held(), 0);
}
