//! What is asked of locks, and the sentence that shows it.

use crate::check::locks;
use crate::measures::asked::{Locks, Whose};
use crate::measures::verdicts::words::{between, instant};
use crate::measures::verdicts::{Explanation, Finding, Run};
use crate::record::holds::Hold;

/// Answers it.
pub(super) fn locks(what: Locks, whose: &Whose, run: &Run<'_>) -> Finding {
    let Whose::Lock { part, name } = whose else { return Finding::unknown("this is asked of a lock") };
    let (holds, part) = (&run.history.holds, *part);
    let hold = |place: u32| &holds.all()[place as usize];
    let both = |two: (u32, u32)| [hold(two.0), hold(two.1)].map(|hold| held(hold, run));
    match what {
        Locks::Exclusive | Locks::Overlaps | Locks::Overlap => {
            let (count, time, first) = locks::overlaps(holds, part, run.end);
            let told = first.map(|two| {
                let [one, other] = both(two);
                told(
                    format!("{} had two holders: {one}, and {other}", key(name, hold(two.0))),
                    vec![two.0, two.1],
                )
            });
            match what {
                Locks::Exclusive => Finding::of(f64::from(u8::from(count == 0)), told),
                Locks::Overlap => Finding::of(time.as_secs_f64(), told),
                _ => Finding::of(count as f64, told),
            }
        }
        Locks::FreshTokens => {
            let old = locks::old_token(holds, part);
            let told = old.map(|two| {
                let [one, other] = both(two);
                told(
                    format!("tokens of {} did not go up: {one}, and later {other}", key(name, hold(two.0))),
                    vec![two.0, two.1],
                )
            });
            Finding::of(f64::from(u8::from(old.is_none())), told)
        }
        Locks::LateEffects => {
            let (count, first) = locks::late_effects(holds, part);
            let told = first.map(|(at, two)| {
                let (at, since) = (instant(at), instant(hold(two.1).granted));
                let by = run.facts.member(hold(two.1).by);
                let [one, _] = both(two);
                let of = key(name, hold(two.0));
                told(
                    format!("a change by who held {of} ({one}) took effect at {at}, and {by} had got it at {since}"),
                    vec![two.0, two.1],
                )
            });
            Finding::of(count as f64, told)
        }
        Locks::Overlapping => defined(locks::overlapping(holds, part, run.end), "got", name),
        Locks::Overtaken => defined(locks::overtaken(holds, part), "asked for", name),
        Locks::Bypassed => defined(locks::bypassed(holds, part).map(|most| most as f64), "asked for", name),
        Locks::ForeignChain => Finding::of(locks::longest_chain(holds, part) as f64, None),
        Locks::Deadlocks => {
            let (count, cycle) = locks::deadlocks(holds, part);
            let each = cycle
                .iter()
                .map(|place| format!("{} since {}", key(name, hold(*place)), instant(hold(*place).asked)));
            let all: Vec<String> = each.collect();
            let told = (!cycle.is_empty())
                .then(|| told(format!("each waits for what the next one holds: {}", all.join("; ")), cycle));
            Finding::of(count as f64, told)
        }
    }
}

fn defined(value: Option<f64>, did: &str, name: &str) -> Finding {
    value.map_or_else(|| Finding::unknown(format!("nobody {did} `{name}`")), |value| Finding::of(value, None))
}

fn told(sentence: String, holds: Vec<u32>) -> Explanation {
    Explanation { sentence, steps: Vec::new(), holds }
}

fn key(name: &str, hold: &Hold) -> String {
    format!("{name}[{}]", hold.lock.1)
}

/// `app[2] from 1.2 s to 1.9 s with token 34`.
fn held(hold: &Hold, run: &Run<'_>) -> String {
    let token = if hold.token == 0 { String::new() } else { format!(" with token {}", hold.token) };
    let when = match hold.ended {
        ended if ended > run.end => format!("from {} to the end", instant(hold.granted)),
        ended => between(hold.granted, ended),
    };
    format!("{} {when}{token}", run.facts.member(hold.by))
}
