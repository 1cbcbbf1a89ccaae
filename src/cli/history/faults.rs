//! What a nemesis did, as stretches in which faults were at work.

use crate::check::read::attempts::Fault;

/// What ends what: words in the names of a nemesis' operations.
const ENDS: [(&str, &str); 9] = [
    ("start", "stop"),
    ("kill", "start"),
    ("kill", "restart"),
    ("kill", "recover"),
    ("isolate", "recover"),
    ("pause", "resume"),
    ("partition", "heal"),
    ("strobe", "reset"),
    ("bump", "reset"),
];

/// The name of a fault, and from when to when it lasted.
type Stretch = (String, f64, f64);

/// The parts of `start-partition` or `kill`.
fn parts(f: &str) -> (&str, &str) {
    f.split_once(['-', '_']).unwrap_or((f, ""))
}

/// Whether the one begins something that the other ends.
fn is_ended(begin: &str, end: &str) -> bool {
    let ((verb, what), (other, of)) = (parts(begin), parts(end));
    // `stop` without more ends everything that began by `start`.
    let same = what == of || of.is_empty();
    same && ENDS.iter().any(|(first, last)| *first == verb && *last == other)
}

/// Whether it begins something that others end.
fn begins(f: &str, open: &[Stretch]) -> bool {
    let begins = ENDS.iter().any(|(first, _)| *first == parts(f).0);
    // After a `kill`, `start` is its end.
    begins && !open.iter().any(|(name, _, _)| is_ended(name, f))
}

/// Stretches with the names of their faults. A nemesis writes each operation twice, when it begins and when it is done: a fault lasts from
/// when its beginning begins to when its end is done, or to the end of all. What has no end lasts from the one to the other.
pub(super) fn stretches(faults: &[Fault]) -> Vec<Stretch> {
    let (mut open, mut done): (Vec<Stretch>, Vec<Stretch>) = (Vec::new(), Vec::new());
    let mut last: Option<(&str, f64)> = None;
    for fault in faults {
        let (f, at) = (&*fault.f, fault.order as f64);
        // The second line of an operation belongs to what the first one began or ended.
        if let Some((_, begun)) = last.take().filter(|(name, _)| *name == f) {
            for stretch in open.iter_mut().chain(&mut done) {
                let is_instant = stretch.0 == f && stretch.1 == begun && stretch.2 == begun;
                let is_ended = stretch.2 == begun && stretch.1 < begun;
                if is_instant || is_ended {
                    stretch.2 = at;
                }
            }
            continue;
        }
        last = Some((f, at));
        if begins(f, &open) {
            open.push((f.to_owned(), at, f64::INFINITY));
            continue;
        }
        let mut ended = false;
        open.retain(|(name, from, _)| {
            let ends = is_ended(name, f);
            if ends {
                done.push((name.clone(), *from, at));
            }
            ended |= ends;
            !ends
        });
        if !ended {
            done.push((f.to_owned(), at, at));
        }
    }
    done.extend(open);
    done.sort_by(|a, b| a.1.total_cmp(&b.1));
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(names: &[&str]) -> Vec<Stretch> {
        let fault = |(order, f): (u64, &&str)| Fault { line: 1, order, f: (*f).into() };
        stretches(&(0..).zip(names).map(fault).collect::<Vec<_>>())
    }

    #[test]
    fn a_fault_lasts_until_it_is_ended() {
        let named = |name: &str, from, to| (name.to_owned(), from, to);
        assert_eq!(told(&["start", "start", "stop", "stop"]), [named("start", 0.0, 3.0)]);
        assert_eq!(
            told(&["start-partition", "start-partition", "kill", "kill", "stop-partition", "start"]),
            [named("start-partition", 0.0, 4.0), named("kill", 2.0, 5.0)]
        );
        assert_eq!(told(&["pause", "pause"]), [named("pause", 0.0, f64::INFINITY)]);
        assert_eq!(
            told(&["shuffle", "shuffle", "shuffle"]),
            [named("shuffle", 0.0, 1.0), named("shuffle", 2.0, 2.0)]
        );
    }
}
