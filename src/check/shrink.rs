//! Makes a witness small: leaves out of a history what is not needed to show that it is none of the object's.
//!
//! Not everything may go. Without a write its readers saw a value from nowhere, which would be another violation than the one
//! found. What may always go is a read, and a write or cas whose value nobody who stays observes: if the history had
//! an order with it, it has the same one without. So whatever still violates is a witness of the whole.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::check::history::Call;
use crate::check::relations::{Access, seen, written};

/// A part of the history that is still violated, from which no single operation can go. Larger parts go first, by halves.
/// It ends early once the histories that were tried have `effort` operations together.
pub fn smallest(
    accesses: &[Access],
    effort: usize,
    is_violated: &mut dyn FnMut(&[Access]) -> bool,
) -> Vec<Access> {
    let mut kept = accesses.to_vec();
    kept.sort_by_key(|access| access.operation.invoked);
    let mut piece = kept.len().div_ceil(2);
    let mut tried = 0;
    while piece > 0 {
        let mut went = false;
        // From the end: what comes last depends on what came before, seldom the other way round.
        let mut until = kept.len();
        while until > 0 {
            let from = until.saturating_sub(piece);
            let fewer = without(&kept, from..until);
            if tried > effort {
                return kept;
            }
            if fewer.len() < kept.len() {
                tried += fewer.len();
                if is_violated(&fewer) {
                    kept = fewer;
                    went = true;
                }
            }
            until = from.min(kept.len());
        }
        // Once single operations do not go, nothing does.
        if piece > 1 || !went {
            piece /= 2;
        }
    }
    kept
}

/// The history without those of a range that may go.
fn without(kept: &[Access], range: std::ops::Range<usize>) -> Vec<Access> {
    let mut stays: Vec<bool> = (0..kept.len()).map(|place| !range.contains(&place)).collect();
    // What stays keeps what it saw, and so on.
    let mut writers: FxHashMap<(i64, i64), Vec<usize>> = FxHashMap::default();
    for place in range.clone() {
        if let Some(value) = written(kept[place].operation.call) {
            writers.entry((kept[place].key, value)).or_default().push(place);
        }
    }
    let mut observed: Vec<(i64, i64)> = Vec::new();
    let mut whole: FxHashSet<i64> = FxHashSet::default();
    for (place, access) in kept.iter().enumerate() {
        let may_go = matches!(access.operation.call, Call::Read(_) | Call::Write(_) | Call::Cas(..))
            || matches!(access.operation.call, Call::Differs(_)) && range.contains(&place);
        stays[place] |= !may_go;
        if stays[place] {
            observed.extend(seen(access.operation.call).map(|value| (access.key, value)));
            // A failed cas and an addition observe whatever there is.
            if !may_go {
                whole.insert(access.key);
            }
        }
    }
    while let Some(value) = observed.pop() {
        for place in writers.remove(&value).into_iter().flatten() {
            if !std::mem::replace(&mut stays[place], true) {
                observed.extend(seen(kept[place].operation.call).map(|value| (kept[place].key, value)));
            }
        }
    }
    let stays = |(place, access): (usize, &Access)| {
        let needed = whole.contains(&access.key) && written(access.operation.call).is_some();
        (stays[place] || needed).then_some(*access)
    };
    kept.iter().enumerate().filter_map(stays).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::history::Operation;

    fn access(place: usize, call: Call) -> Access {
        let operation =
            Operation { process: 0, place, invoked: 2 * place as u64, returned: 2 * place as u64 + 1, call };
        Access { key: 1, session: 0, operation }
    }

    fn places(accesses: &[Access]) -> Vec<usize> {
        accesses.iter().map(|access| access.operation.place).collect()
    }

    #[test]
    fn what_is_not_needed_goes_and_what_is_seen_stays() {
        let mut all: Vec<Access> = (0..40).map(|n| access(n, Call::Write(n as i64))).collect();
        all.extend((40..60).map(|n| access(n, Call::Read(n as i64 - 40))));
        // Violated while the read of 7 and the write of 30 are there.
        let mut tries = 0;
        let mut violated = |accesses: &[Access]| {
            tries += 1;
            [30, 47].iter().all(|place| places(accesses).contains(place))
        };
        assert_eq!(places(&smallest(&all, usize::MAX, &mut violated)), [7, 30, 47]);
        assert!(tries < 100, "{tries}");
    }

    #[test]
    fn what_a_failed_cas_did_not_find_stays() {
        let all = [
            access(1, Call::Write(1)),
            access(2, Call::Write(2)),
            access(3, Call::Differs(2)),
            access(4, Call::Read(2)),
        ];
        let mut violated =
            |accesses: &[Access]| places(accesses).contains(&3) && places(accesses).contains(&4);
        assert_eq!(places(&smallest(&all, usize::MAX, &mut violated)), [1, 2, 3, 4]);
    }
}
