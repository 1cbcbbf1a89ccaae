//! What a condition that did not hold tells of a register: its value was one of those that fail it.

use crate::base::op::When;
use crate::check::history::Call;

/// A value that nobody ever sets.
const NOWHERE: i64 = i64::MAX;

/// What whoever was told that `value WHEN bound` does not hold has seen. `values` are all that the register ever had, each with
/// the number that the condition is about, where that is known. Just one that fails it, or may, was seen; none: the answer came from
/// nowhere; of several nobody knows which, and nothing is told.
pub fn observed(when: When, bound: i64, values: &[(i64, Option<i64>)]) -> Option<Call> {
    let mut failing =
        values.iter().filter(|(_, number)| number.is_none_or(|number| !when.holds(number, bound)));
    match (failing.next(), failing.next()) {
        (Some((value, _)), None) => Some(Call::Read(*value)),
        (None, _) => Some(Call::Read(NOWHERE)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_condition_is_a_read_of_the_one_value_that_fails_it() {
        let told = |values: &[(i64, Option<i64>)]| observed(When::AtLeast, 10, values);
        assert_eq!(told(&[(1, Some(100)), (2, Some(5))]), Some(Call::Read(2)));
        assert_eq!(told(&[(1, Some(100)), (2, Some(5)), (3, Some(0))]), None, "2 or 3");
        assert_eq!(told(&[(1, Some(100)), (2, Some(5)), (3, None)]), None, "3 may fail it too");
        assert_eq!(told(&[(1, Some(100)), (3, None)]), Some(Call::Read(3)));
        assert_eq!(told(&[(1, Some(100)), (2, Some(10))]), Some(Call::Read(NOWHERE)), "it always held");
    }
}
