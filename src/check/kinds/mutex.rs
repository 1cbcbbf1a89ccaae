//! Says of a lock what shows that it was none, in words of locks: who held it at once, who gave back what it did not have.

use rustc_hash::FxHashMap;

use crate::check::Witness;
use crate::check::history::{ByKey, Call, Operation, Texts};

/// From when to when a process certainly holds the lock: from when its call for it has returned to when it begins to give it back.
struct Hold<'a> {
    acquire: &'a Operation,
    until: u64,
}

/// Says a violation anew, if two held the lock at once or one gave back what it did not have; else the words are those of a lock.
pub(super) fn speak(witness: &mut Witness, keys: &ByKey, texts: &Texts) {
    let of =
        keys.values().find(|operations| operations.iter().any(|one| witness.operations.contains(&one.place)));
    let mut operations: Vec<&Operation> = of.into_iter().flatten().collect();
    operations.sort_by_key(|operation| operation.invoked);
    let (sentence, places) = match holds(&operations) {
        Ok(holds) => match overlap(&holds) {
            Some((one, other)) => {
                let who = |hold: &Hold<'_>| {
                    format!("process {} (line {})", texts.process(hold.acquire.process), hold.acquire.place)
                };
                let sentence = format!("{} got the lock while {} held it", who(other), who(one));
                (sentence, vec![one.acquire.place, other.acquire.place])
            }
            None => (in_words_of_locks(&witness.sentence), witness.operations.clone()),
        },
        Err(release) => {
            let who = texts.process(release.process);
            let sentence =
                format!("process {who} (line {}) gave back the lock, which it did not have", release.place);
            let is_violation =
                operations.iter().all(|one| one.call != Call::Acquire || one.invoked > release.returned);
            match is_violation {
                true => (sentence, vec![release.place]),
                false => (in_words_of_locks(&witness.sentence), witness.operations.clone()),
            }
        }
    };
    *witness = Witness { sentence, operations: places };
}

/// What is certainly held, in the order of invocations; a release of a process that has nothing to release.
fn holds<'a>(operations: &[&'a Operation]) -> Result<Vec<Hold<'a>>, &'a Operation> {
    let mut holds: Vec<Hold<'a>> = Vec::new();
    let mut last: FxHashMap<u64, usize> = FxHashMap::default();
    for operation in operations {
        match operation.call {
            Call::Acquire => {
                last.insert(operation.process, holds.len());
                holds.push(Hold { acquire: operation, until: u64::MAX });
            }
            Call::Release => match last.remove(&operation.process) {
                Some(place) => holds[place].until = operation.invoked,
                None => return Err(operation),
            },
            _ => {}
        }
    }
    holds.retain(|hold| !hold.acquire.is_pending());
    holds.sort_by_key(|hold| hold.acquire.returned);
    Ok(holds)
}

/// Two that are certain at one instant, the earlier one first.
fn overlap<'a, 'b>(holds: &'b [Hold<'a>]) -> Option<(&'b Hold<'a>, &'b Hold<'a>)> {
    let mut longest: Option<&Hold<'_>> = None;
    for hold in holds {
        if let Some(before) = longest.filter(|before| hold.acquire.returned < before.until) {
            return Some((before, hold));
        }
        if longest.is_none_or(|before| before.until < hold.until) {
            longest = Some(hold);
        }
    }
    None
}

fn in_words_of_locks(sentence: &str) -> String {
    sentence.replace("the value is 0", "the lock is free").replace("the value is 1", "the lock is held")
}
