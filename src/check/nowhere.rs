//! Reads of values that nobody wrote: a violation of every promise, found in linear time before anything is searched.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::check::Witness;
use crate::check::history::{Call, Operation, Texts};
use crate::check::relations::{seen, told, written};

/// A completed operation that saw what nobody wrote, or what nobody had begun to write when it returned. Of a register whose texts
/// are appended to, one that saw what cannot have come about by putting and appending.
pub fn nowhere(operations: &[Operation], initial: i64, texts: &Texts) -> Option<Witness> {
    let mut first: FxHashMap<i64, u64> = FxHashMap::from_iter([(initial, 0)]);
    let mut appended: FxHashSet<&str> = FxHashSet::default();
    for operation in operations {
        if let Some(value) = written(operation.call) {
            let first = first.entry(value).or_insert(operation.invoked);
            *first = (*first).min(operation.invoked);
        }
        match operation.call {
            Call::Append(value) => appended.extend(texts.text(value)),
            Call::Add(..) | Call::Acquire | Call::Release => return None,
            _ => {}
        }
    }
    let mut made = Made { first: &first, appended: &appended, texts, lengths: Vec::new(), work: 0 };
    made.lengths = appended.iter().map(|text| text.len()).filter(|length| *length > 0).collect();
    made.lengths.sort_unstable();
    made.lengths.dedup();
    let saw = |operation: &Operation| seen(operation.call).filter(|_| !operation.is_pending());
    for operation in operations {
        let Some(value) = saw(operation) else { continue };
        let was = first.get(&value);
        if was.is_some_and(|was| *was < operation.returned) || !appended.is_empty() && made.is_possible(value)
        {
            continue;
        }
        let why = if was.is_some() { "before anybody had begun to write it" } else { "that nobody wrote" };
        let sentence = format!("{} saw a value {why}", told(operation, texts));
        return Some(Witness { sentence, operations: vec![operation.place] });
    }
    None
}

/// What texts can come about.
struct Made<'a> {
    first: &'a FxHashMap<i64, u64>,
    appended: &'a FxHashSet<&'a str>,
    texts: &'a Texts,
    lengths: Vec<usize>,
    /// Bytes looked at.
    work: usize,
}

/// Looking at texts ends after so many bytes; what is left may be possible.
const WORK_MAX: usize = 200_000_000;

impl Made<'_> {
    /// Whether a text may be one that was put, or the initial one, with others appended to it.
    fn is_possible(&mut self, value: i64) -> bool {
        let Some(text) = self.texts.text(value) else { return self.first.contains_key(&value) };
        let is_put = |part: &str| self.texts.known(part).is_some_and(|value| self.first.contains_key(&value));
        // By length: whether the rest of the text from there on was appended piece by piece.
        let mut ends = vec![false; text.len() + 1];
        ends[text.len()] = true;
        for end in (0..=text.len()).rev().filter(|end| text.is_char_boundary(*end)).collect::<Vec<_>>() {
            if !ends[end] {
                continue;
            }
            self.work += end + 1;
            if is_put(&text[..end]) || self.work > WORK_MAX {
                return true;
            }
            for length in self.lengths.iter().take_while(|length| **length <= end) {
                self.work += length;
                if text.get(end - length..end).is_some_and(|piece| self.appended.contains(piece)) {
                    ends[end - length] = true;
                }
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn op(invoked: u64, returned: u64, call: Call) -> Operation {
        Operation { process: invoked, place: invoked as usize, invoked, returned, call }
    }

    fn sentence(operations: &[Operation], texts: &Texts) -> Option<String> {
        nowhere(operations, 0, texts).map(|witness| witness.sentence)
    }

    #[test]
    fn what_nobody_wrote_is_seen_through_however_many_write() {
        // Twenty that write two values at once would cost a search everything that it has.
        let mut all: Vec<Operation> = (0..20).map(|n| op(n, 100 + n, Call::Write(n as i64 % 2))).collect();
        all.push(op(200, 201, Call::Read(1)));
        assert_eq!(sentence(&all, &Texts::default()), None);
        all.push(op(202, 203, Call::Read(7)));
        let told = sentence(&all, &Texts::default());
        assert_eq!(told.as_deref(), Some("`read 7` of process 202 (line 202) saw a value that nobody wrote"));
        all.push(op(300, 301, Call::Write(7)));
        let told = sentence(&all, &Texts::default()).expect("it is from the future");
        assert!(told.ends_with("before anybody had begun to write it"), "{told}");
    }

    #[test]
    fn texts_come_about_by_putting_and_appending() {
        let mut texts = Texts::default();
        let mut all = Vec::new();
        for (number, (put, text)) in (1..).zip([(true, "ab"), (false, "c"), (false, "cd")]) {
            let value = texts.value(text);
            all.push(op(number, number + 10, if put { Call::Write(value) } else { Call::Append(value) }));
        }
        for (text, possible) in
            [("ab", true), ("abccd", true), ("abcdc", true), ("cd", false), ("abd", false)]
        {
            let mut all = all.clone();
            all.push(op(50, 51, Call::Read(texts.value(text))));
            assert_eq!(sentence(&all, &texts).is_none(), possible, "{text}");
        }
    }
}
