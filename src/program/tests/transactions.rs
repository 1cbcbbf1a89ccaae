//! `tx` in programs: what is run again, and when it ends.

use super::{effects, programs};
use crate::base::cause::Cause;
use crate::base::ids::{PartId, ProgramId};
use crate::base::op::Reason;
use crate::base::time::Span;
use crate::program::instr::{Effect, Input};
use crate::program::interpret::Frames;

#[test]
fn a_transaction_is_run_again_as_a_whole_or_comes_to_nothing() {
    let none: &[&str] = &[];
    for (text, failing, expected) in [
        (
            "tx shop { n = read shop.stock[1]; write shop.stock[1] = n - 1 }; tally x",
            none,
            vec!["begin", "read1[1]", "write[1]=4", "commit", "tally[0]+=1", "return 0"],
        ),
        // Variables are as they were; what is left of the first attempt is its time.
        (
            "n = 1; tx shop { n = n + 1; write shop.stock[n] = n; m = n } else tally x; return n",
            &["write[2]=2"],
            vec![
                "begin",
                "write[2]=2",
                "abort Error",
                "begin",
                "write[2]=2",
                "abort Error",
                "tally[0]+=1",
                "return 2",
            ],
        ),
        ("tx shop { cpu 1ms; return 4 }", none, vec!["begin", "cpu*1", "commit", "return 4"]),
        (
            "tx shop { fail odd } else return 5",
            &["abort Named(3)"],
            vec!["begin", "abort Named(3)", "return 5"],
        ),
        ("tx shop { cpu 1ms }", &["begin", "abort Error"], vec!["begin", "abort Error", "failed Error"]),
        (
            "tx shop { cpu 1ms } else return 6",
            &["commit", "abort Error"],
            vec!["begin", "cpu*1", "commit", "abort Error", "return 6"],
        ),
        // Who fails but the store may be excused within; a step on the store that failed has ended the whole.
        (
            "tx shop { call bank else tally x; read shop.stock[1] else tally x }",
            &["call0[0, 0, 0]", "read1[1]", "abort Error"],
            vec!["begin", "call0[0, 0, 0]", "tally[0]+=1", "read1[1]", "abort Error", "failed Error"],
        ),
        (
            "hold till[1] { tx shop { hold till[2] { read shop.stock[1] } } else tally x; cpu 1ms }",
            &["read1[1]", "abort Error"],
            vec![
                "acquire[1]",
                "begin",
                "acquire[2]",
                "read1[1]",
                "release[2]",
                "abort Error",
                "tally[0]+=1",
                "cpu*1",
                "release[1]",
                "return 0",
            ],
        ),
        (
            "each 2 as i { tx shop { write shop.stock[i] = i } }",
            none,
            vec!["begin", "write[0]=0", "commit", "begin", "write[1]=1", "commit", "return 0"],
        ),
    ] {
        assert_eq!(effects(text, [8, 0, 0], failing), expected, "{text}");
    }
}

#[test]
fn a_transaction_whose_branch_is_abandoned_is_cut_off() {
    let programs = programs("race { tx shop { wait 1ms }; cpu 1ms }");
    let mut frames = Frames::default();
    let root = frames.begin(&programs, ProgramId(0), [0; 3], 1, 0);
    assert_eq!(frames.resume(&programs, root, Input::Go), Effect::Forked);
    let (left, right) = (frames.spawned().expect("first"), frames.spawned().expect("second"));
    let Effect::Begin { tx, db: PartId(2), .. } = frames.resume(&programs, left, Input::Go) else { panic!() };
    assert!(matches!(frames.resume(&programs, left, Input::Go), Effect::Wait { .. }));
    assert_eq!(frames.transaction(left), Some((tx, PartId(2))));
    assert_eq!(frames.transaction(right), None);
    assert!(matches!(frames.resume(&programs, right, Input::Go), Effect::Cpu { .. }));
    assert!(matches!(frames.resume(&programs, right, Input::Go), Effect::Joined { .. }));
    assert_eq!((frames.cut_off(), frames.cut_off()), (Some(tx), None));
    assert_eq!(frames.transactions(), 0);
}

#[test]
fn an_attempt_that_came_to_nothing_was_retrying() {
    let programs = programs("cpu 1ms; tx shop { cpu 1ms }");
    let mut frames = Frames::default();
    let root = frames.begin(&programs, ProgramId(0), [0; 3], 1, 0);
    let spends = |frames: &mut Frames, effect: Effect, cause| {
        assert!(
            matches!(effect, Effect::Cpu { .. } | Effect::Begin { .. } | Effect::Commit { .. }),
            "{effect:?}"
        );
        frames.spend(root, cause, Span::from_ms(1));
    };
    for (input, cause) in [(Input::Go, Cause::Cpu), (Input::Go, Cause::Pool), (Input::Go, Cause::Cpu)] {
        let effect = frames.resume(&programs, root, input);
        spends(&mut frames, effect, cause);
    }
    let effect = frames.resume(&programs, root, Input::Go);
    spends(&mut frames, effect, Cause::Disk);
    assert!(matches!(
        frames.resume(&programs, root, Input::Failed(Reason::Conflict.into())),
        Effect::Abort { .. }
    ));
    frames.spend(root, Cause::Retry, Span::from_ms(5));
    assert!(matches!(frames.resume(&programs, root, Input::Again), Effect::Begin { .. }));
    let causes = frames.causes(root);
    assert_eq!((causes.of(Cause::Cpu), causes.of(Cause::Retry)), (Span::from_ms(1), Span::from_ms(8)));
    assert_eq!(causes.total(), Span::from_ms(9));
}
