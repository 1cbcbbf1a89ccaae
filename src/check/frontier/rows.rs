//! Configurations as rows of words in one piece of memory, and which of them need not be kept.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::base::rng::mix;

/// Of the rows that agree in what must agree, so many are compared with each other.
pub(super) const COMPARED_MAX: usize = 128;

/// A set of slots.
pub(super) type Slots = Vec<u64>;

pub(super) fn has(slots: &[u64], slot: u32) -> bool {
    slots[slot as usize / 64] >> (slot % 64) & 1 == 1
}

pub(super) fn put(slots: &mut [u64], slot: u32, is_in: bool) {
    let bit = 1 << (slot % 64);
    let word = &mut slots[slot as usize / 64];
    *word = if is_in { *word | bit } else { *word & !bit };
}

/// What open operations are, by slot.
#[derive(Clone, Debug)]
pub(super) struct Masks {
    /// They only look.
    pub looks: Slots,
    /// They must take effect and would do so in any state, or be as good as never done just before a write.
    pub blind: Slots,
    /// They must happen and see something.
    pub exact: Slots,
    /// They need not happen.
    pub pending: Slots,
    /// How much likelier a configuration is in which the operation in a slot is taken, if that matters most.
    pub likelier: Vec<(u32, i64)>,
}

impl Masks {
    pub fn new(words: usize) -> Masks {
        let none = vec![0; words];
        Masks {
            looks: none.clone(),
            blind: none.clone(),
            exact: none.clone(),
            pending: none,
            likelier: Vec::new(),
        }
    }

    /// Nothing is in the slot any more.
    pub fn clear(&mut self, slot: u32) {
        for mask in [&mut self.looks, &mut self.blind, &mut self.exact, &mut self.pending] {
            put(mask, slot, false);
        }
    }

    /// What rows have in common of which one can be as good as another.
    pub fn alike(&self, row: &[u64]) -> u64 {
        let words = self.exact.iter().zip(&row[1..]);
        words.fold(row[0], |key, (exact, taken)| mix(key, taken & exact))
    }

    /// How much is done, and how little of what need not happen; or how likely it is.
    pub fn worth(&self, row: &[u64]) -> i64 {
        let (taken, free) = row[1..].split_at(self.exact.len());
        let pending = (0..taken.len()).map(|word| i64::from((taken[word] & self.pending[word]).count_ones()));
        let pending: i64 = pending.sum();
        if self.likelier.is_empty() {
            let done =
                |word: usize| (taken[word] & !self.pending[word]).count_ones() + 2 * free[word].count_ones();
            return (0..taken.len()).map(|word| i64::from(done(word))).sum::<i64>() - 2 * pending;
        }
        let more = self.likelier.iter().filter(|(slot, _)| has(taken, *slot)).map(|(_, more)| more);
        more.sum()
    }

    /// Whether whatever can come after `worse` can come after `row` as well.
    pub fn is_as_good(&self, row: &[u64], worse: &[u64]) -> bool {
        if row[0] != worse[0] {
            return false;
        }
        let words = self.exact.len();
        let ((taken, free), (taken_worse, free_worse)) =
            (row[1..].split_at(words), worse[1..].split_at(words));
        (0..words).all(|word| {
            let (has, may, other_has, other_may) =
                (taken[word], free[word], taken_worse[word], free_worse[word]);
            let must_agree = (has ^ other_has) & self.exact[word];
            let not_seen = other_has & !has & self.looks[word];
            // What need not happen any more can still be used.
            let used_up = has & !other_has & (self.pending[word] | self.blind[word]);
            let not_done = (other_may & !may | other_has & !(has | may)) & self.blind[word];
            must_agree | not_seen | used_up | not_done == 0
        })
    }
}

/// Configurations: each a state, the open operations that are taken, and those that may count as taken.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    slot_words: usize,
    words: Vec<u64>,
}

impl Rows {
    pub fn new(slot_words: usize) -> Rows {
        Rows { slot_words, words: Vec::new() }
    }

    fn width(&self) -> usize {
        1 + 2 * self.slot_words
    }

    pub fn len(&self) -> usize {
        self.words.len() / self.width()
    }

    pub fn get(&self, place: usize) -> &[u64] {
        &self.words[place * self.width()..(place + 1) * self.width()]
    }

    pub fn push(&mut self, row: &[u64]) {
        self.words.extend_from_slice(row);
    }

    pub fn iter(&self) -> impl Iterator<Item = &[u64]> {
        self.words.chunks_exact(self.width())
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = Row<'_>> {
        let (width, slot_words) = (self.width(), self.slot_words);
        self.words.chunks_exact_mut(width).map(move |row| Row::of(row, slot_words))
    }

    /// Leaves out every row that another is at least as good as, and all but `most`: the best of each class in turn. Whether any of these
    /// went.
    pub fn prune(&mut self, masks: &Masks, most: usize, class: &dyn Fn(&[u64]) -> i64) -> bool {
        let mut groups: FxHashMap<u64, Vec<u32>> = FxHashMap::default();
        for (place, row) in (0u32..).zip(self.iter()) {
            groups.entry(masks.alike(row)).or_default().push(place);
        }
        let mut keep: Vec<u32> = Vec::new();
        for group in groups.values_mut() {
            group.sort_by_key(|place| (-masks.worth(self.get(*place as usize)), *place));
            let mut best: Vec<u32> = Vec::new();
            for place in group {
                let row = self.get(*place as usize);
                let compared = &best[..best.len().min(COMPARED_MAX)];
                if !compared.iter().any(|other| masks.is_as_good(self.get(*other as usize), row)) {
                    best.push(*place);
                }
            }
            keep.append(&mut best);
        }
        let too_many = keep.len() > most;
        if too_many {
            keep = self.best(&keep, masks, most, class);
        }
        keep.sort_unstable();
        let mut kept = Vec::with_capacity(keep.len() * self.width());
        keep.iter().for_each(|place| kept.extend_from_slice(self.get(*place as usize)));
        self.words = kept;
        too_many
    }

    fn best(&self, rows: &[u32], masks: &Masks, most: usize, class: &dyn Fn(&[u64]) -> i64) -> Vec<u32> {
        let mut classes: BTreeMap<i64, Vec<(i64, u32)>> = BTreeMap::new();
        for place in rows {
            let row = self.get(*place as usize);
            classes.entry(class(row)).or_default().push((-masks.worth(row), *place));
        }
        let mut ranked: Vec<(usize, i64, u32)> = Vec::with_capacity(rows.len());
        for of_class in classes.values_mut() {
            of_class.sort_unstable();
            ranked.extend(of_class.iter().enumerate().map(|(rank, (worth, place))| (rank, *worth, *place)));
        }
        ranked.sort_unstable();
        ranked.into_iter().take(most).map(|(.., place)| place).collect()
    }
}

/// One of them, to be changed.
pub(super) struct Row<'a> {
    pub state: &'a mut u64,
    pub taken: &'a mut [u64],
    /// Operations that may count as taken just before some write, and may as well be taken later.
    pub free: &'a mut [u64],
}

impl Row<'_> {
    pub fn of(row: &mut [u64], slot_words: usize) -> Row<'_> {
        let (state, slots) = row.split_first_mut().expect("a row has a state");
        let (taken, free) = slots.split_at_mut(slot_words);
        Row { state, taken, free }
    }
}

/// A row in 128 bits.
pub(super) fn fingerprint(row: &[u64], salt: u64) -> u128 {
    let (mut low, mut high) = (mix(1, salt), mix(2, salt));
    for word in row {
        low = mix(low, *word);
        high = mix(high ^ low.rotate_left(32), *word);
    }
    u128::from(low) | u128::from(high) << 64
}
