//! Fencing tokens (M. Kleppmann, "How to do distributed locking", 2016): a row remembers the newest token that it was asked with and refuses
//! whoever comes with an older one. Registered on writes alone it still loses updates: an older writer comes between a newer holder's
//! read and its write. So reads may register too.

use crate::components::mech::keyed::Keyed;

/// The newest token of each row, by table and key, that was asked with one.
#[derive(Clone, Debug, Default, Hash)]
pub struct Fences(Keyed<(u16, i64), u64>);

impl Fences {
    /// Whether whoever has this token may go on; from now on nobody with an older one may.
    pub fn lets(&mut self, row: (u16, i64), token: u64) -> bool {
        match self.0.get_mut(&row) {
            Some(newest) if *newest > token => return false,
            Some(newest) => *newest = token,
            None => _ = self.0.insert(row, token),
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_token_is_refused_by_the_row_that_has_seen_a_newer_one() {
        let mut fences = Fences::default();
        assert!(fences.lets((0, 1), 33) && fences.lets((0, 1), 34) && fences.lets((0, 1), 34));
        assert!(!fences.lets((0, 1), 33), "its holder was overtaken");
        assert!(fences.lets((0, 2), 33), "another row");
    }
}
