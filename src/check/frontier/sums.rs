//! Counters: additions are taken together, by their sums.
//!
//! Between two values that somebody saw only the sum of what was added counts. So from a value the next ones are those that an open
//! operation saw, and the ways there are the sets of open additions with that sum; a set with a part that adds up to nothing is not
//! needed, since that part can be taken later. Which sums the rest of the additions can have is a table, so that no
//! set is begun that cannot be ended (R. Bellman's knapsack recursion, 1957). If all additions have one sign, a value that somebody
//! has yet to see is not passed.

use rustc_hash::FxHashMap;

use super::between::Between;
use super::rows::{Row, has, put};
use super::{Frontier, ROW_NODES, never_changes};
use crate::check::Witness;
use crate::check::history::{Call, Operation, Texts};
use crate::check::model::step;
use crate::check::relations::told;

/// The widest range of sums that gets a table, and the longest list of them that stands for one.
const TABLE_MAX: i128 = 1 << 17;
const LIST_MAX: usize = 1 << 12;
/// For each set of additions that is tried so many are looked at.
const SETS: usize = 16;
/// So many words of tables and steps through them cost as much as a configuration.
const WORDS_A_NODE: u64 = 4;

/// The value that an operation must find to be possible; for what only looks the one that it saw.
fn target(call: Call) -> Option<i64> {
    match call {
        Call::Read(value) => Some(value),
        Call::Add(by, Some(value)) => value.checked_sub(by),
        _ => None,
    }
}

impl Frontier<'_> {
    /// All that can be taken next in a configuration of a counter.
    pub(super) fn sums(&mut self, place: usize, between: &mut Between, texts: &mut Texts) {
        let row = between.queue.get(place).to_vec();
        let state = row[0] as i64;
        let taken = &row[1..=self.slot_words];
        let mut targets: Vec<i64> = Vec::new();
        let mut additions: Vec<u32> = Vec::new();
        let mut single: Vec<u32> = Vec::new();
        for number in &self.open {
            let call = self.call(*number);
            if has(taken, self.slots[*number as usize]) {
                continue;
            }
            match target(call) {
                Some(value) if value != state => targets.push(value),
                Some(_) if !never_changes(call) => single.push(*number),
                None if matches!(call, Call::Add(by, None) if by != 0) => additions.push(*number),
                _ => {}
            }
        }
        if matches!(self.call(between.number), Call::Add(_, None)) {
            single.push(between.number);
        }
        for number in single {
            if let Some(new) = step(state, self.call(number), texts) {
                self.resume(&row, &[number], new, between, texts);
            }
        }
        targets.sort_unstable();
        targets.dedup();
        match self.sign {
            1 => targets.truncate(1),
            -1 => drop(targets.drain(..targets.len().saturating_sub(1))),
            _ => {}
        }
        // What pending additions may add yet.
        if let Some(ceiling) = self.ceilings.get(self.event) {
            let sign = i128::from(self.sign);
            let room = ceiling - self.of_pending(&row) * sign;
            let fits = |number: &u32| {
                !self.operations[*number as usize].is_pending() || self.amount(*number) * sign <= room
            };
            additions.retain(fits);
        }
        additions.sort_by_key(|number| (self.operations[*number as usize].returned, *number));
        let amount = |number: &u32| match self.call(*number) {
            Call::Add(by, _) => by,
            _ => 0,
        };
        let likely: FxHashMap<u32, i64> = self.masks.likelier.iter().copied().collect();
        let likelier = |number: &u32| likely.get(&self.slots[*number as usize]).copied().unwrap_or(0);
        let likelier: Vec<i64> = additions.iter().map(likelier).collect();
        let amounts: Vec<i64> = additions.iter().map(amount).collect();
        for target in targets {
            let mut found: Vec<Found> = Vec::new();
            let sets = Sets::new(&amounts, i128::from(target) - i128::from(state));
            let (steps, is_all) = sets.each(&mut |chosen| {
                let worth = chosen.iter().map(|place| likelier[*place]).sum::<i64>();
                let chosen: Vec<u32> = chosen.iter().map(|place| additions[*place]).collect();
                found.push((self.of_those_pending(&chosen), -worth, chosen));
                found.len() < between.most_sets * SETS
            });
            self.nodes += (sets.words + steps) / WORDS_A_NODE;
            self.left_out |= !is_all || found.len() > between.most_sets;
            self.nodes += ROW_NODES * found.len().min(between.most_sets) as u64;
            for chosen in best(found).into_iter().take(between.most_sets) {
                self.resume(&row, &chosen, target, between, texts);
            }
        }
    }

    /// What pending additions among these add.
    fn of_those_pending(&self, chosen: &[u32]) -> i128 {
        let pending = chosen.iter().filter(|number| self.operations[**number as usize].is_pending());
        pending.map(|number| self.amount(*number)).sum()
    }

    /// Takes these operations, and then what saw the value that they lead to.
    fn resume(&mut self, row: &[u64], chosen: &[u32], new: i64, between: &mut Between, texts: &mut Texts) {
        let mut row = row.to_vec();
        let Some((last, others)) = chosen.split_last() else { return };
        let taken = Row::of(&mut row, self.slot_words).taken;
        others.iter().for_each(|other| put(taken, self.slots[*other as usize], true));
        self.take(&mut row, *last, new, texts);
        if self.is_too_late(&row) || self.is_too_much(&row) {
            return;
        }
        if has(&row[1..], between.slot) {
            self.keep(&row, between.slot);
        } else {
            between.add(&row, false, &self.masks);
        }
    }

    /// What an operation adds.
    pub(super) fn amount(&self, number: u32) -> i128 {
        match self.call(number) {
            Call::Add(by, _) => i128::from(by),
            _ => 0,
        }
    }

    /// What pending additions have added in a configuration: what the others have not.
    pub(super) fn of_pending(&self, row: &[u64]) -> i128 {
        let is_counted = |number: &&u32| {
            !self.operations[**number as usize].is_pending() && has(&row[1..], self.slots[**number as usize])
        };
        let open: i128 = self.open.iter().filter(is_counted).map(|number| self.amount(*number)).sum();
        i128::from(row[0] as i64) - self.over - open
    }

    /// Finds out how much pending additions can have added by each event. What a later read saw includes it, and all that had
    /// returned before that read was invoked.
    pub(super) fn set_ceilings(&mut self, initial: i128) {
        if !self.counts || self.sign == 0 {
            return;
        }
        let sign = i128::from(self.sign);
        let mut ceilings = vec![i128::MAX; self.events.len()];
        let mut over = initial;
        for (event, (number, is_return)) in self.events.iter().enumerate() {
            let operation = self.operations[*number as usize];
            let seen = match operation.call {
                Call::Read(value) => Some(i128::from(value)),
                Call::Add(by, Some(value)) => Some(i128::from(value) - i128::from(by)),
                _ => None,
            };
            if *is_return {
                over += self.amount(*number);
            } else if let Some(seen) = seen.filter(|_| !operation.is_pending()) {
                ceilings[event] = sign * (seen - over);
            }
        }
        for event in (1..ceilings.len()).rev() {
            ceilings[event - 1] = ceilings[event - 1].min(ceilings[event]);
        }
        self.ceilings = ceilings;
    }

    /// Whether pending additions have added more than somebody will see.
    fn is_too_much(&self, row: &[u64]) -> bool {
        let ceiling = self.ceilings.get(self.event);
        ceiling.is_some_and(|ceiling| self.of_pending(row) * i128::from(self.sign) > *ceiling)
    }

    /// Whether the counter has passed a value that somebody has yet to see, and never comes back.
    fn is_too_late(&self, row: &[u64]) -> bool {
        self.sign != 0
            && self.open.iter().any(|number| {
                let passed = target(self.call(*number)).is_some_and(|value| {
                    (i128::from(row[0] as i64) - i128::from(value)) * i128::from(self.sign) > 0
                });
                passed && !has(&row[1..], self.slots[*number as usize])
            })
    }
}

/// Additions with a sum: what those of them that are pending add, how unlikely they are, and which they are.
type Found = (i128, i64, Vec<u32>);

/// The likeliest of each sum of pending additions first, then the next of each: which sum is right shows only later.
fn best(mut found: Vec<Found>) -> Vec<Vec<u32>> {
    found.sort_unstable();
    let of_sums = found.chunk_by(|a, b| a.0 == b.0);
    let mut ranked: Vec<(usize, i64, &Vec<u32>)> = of_sums
        .flat_map(|of_sum| of_sum.iter().enumerate().map(|(rank, (_, worth, chosen))| (rank, *worth, chosen)))
        .collect();
    ranked.sort_unstable();
    ranked.into_iter().map(|(.., chosen)| chosen.clone()).collect()
}

/// Whether some of these amounts add up to a sum; `None` if that would take too long.
pub(in crate::check) fn adds_up(amounts: &[i64], sum: i128) -> Option<bool> {
    let sets = Sets::new(amounts, sum);
    match sets.rest.first() {
        _ if sum == 0 => Some(true),
        None => Some(false),
        Some(rest @ Rest::Between(..)) if rest.has(sets.sum) => None,
        Some(rest) => Some(rest.has(sets.sum)),
    }
}

/// A read of a counter that is impossible by itself: what it saw is not what had certainly been added and a sum of what may have been.
pub(in crate::check) fn impossible(operations: &[Operation], initial: i64, texts: &Texts) -> Option<Witness> {
    let mut additions: Vec<&Operation> = Vec::new();
    let mut reads: Vec<&Operation> = Vec::new();
    for operation in operations {
        match operation.call {
            Call::Add(_, None) => additions.push(operation),
            Call::Read(_) if operation.is_pending() => {}
            Call::Read(_) => reads.push(operation),
            _ => return None,
        }
    }
    additions.sort_by_key(|addition| addition.invoked);
    reads.sort_by_key(|read| read.returned);
    // Of this read and those that return later, the earliest invocation: what had returned by then is certain for all of them.
    let mut earliest: Vec<u64> = reads.iter().map(|read| read.invoked).collect();
    for place in (1..earliest.len()).rev() {
        earliest[place - 1] = earliest[place - 1].min(earliest[place]);
    }
    let amount = |addition: &Operation| if let Call::Add(by, _) = addition.call { by } else { 0 };
    let mut coming = additions.into_iter().peekable();
    let (mut certain, mut open): (i128, Vec<&Operation>) = (i128::from(initial), Vec::new());
    for (read, earliest) in reads.into_iter().zip(earliest) {
        while let Some(addition) = coming.next_if(|addition| addition.invoked < read.returned) {
            open.push(addition);
        }
        open.retain(|addition| {
            let is_over = addition.returned < earliest;
            certain += if is_over { i128::from(amount(addition)) } else { 0 };
            !is_over
        });
        let over = open.iter().filter(|addition| addition.returned < read.invoked);
        let certain = certain + over.map(|addition| i128::from(amount(addition))).sum::<i128>();
        let may = open.iter().filter(|addition| addition.returned > read.invoked);
        let amounts: Vec<i64> = may.map(|addition| amount(addition)).filter(|by| *by != 0).collect();
        let Call::Read(saw) = read.call else { continue };
        if i128::from(saw) != certain && !Sets::new(&amounts, i128::from(saw) - certain).is_any() {
            let sentence = format!(
                "{} is impossible: with what had certainly been added the value is {certain}, and no sum of the other additions \
                 makes up for {}",
                told(read, texts),
                i128::from(saw) - certain,
            );
            return Some(Witness { sentence, operations: vec![read.place] });
        }
    }
    None
}

/// The sets of amounts that have a sum.
struct Sets {
    amounts: Vec<i128>,
    /// Where they stand in the list that was given.
    places: Vec<usize>,
    sum: i128,
    /// By place: the sums of those from there on, as far as they are known.
    rest: Vec<Rest>,
    /// The one before that is as large; of these the first are chosen first.
    like: Vec<Option<usize>>,
    /// Words of the tables.
    words: u64,
}

/// The sums of some amounts.
enum Rest {
    Table { from: i128, bits: Vec<u64> },
    List(Vec<i128>),
    Between(i128, i128),
}

impl Rest {
    fn has(&self, sum: i128) -> bool {
        match self {
            Rest::Between(least, most) => (*least..=*most).contains(&sum),
            Rest::List(sums) => sums.binary_search(&sum).is_ok(),
            Rest::Table { from, bits } => usize::try_from(sum - from)
                .ok()
                .and_then(|bit| bits.get(bit / 64).map(|word| word >> (bit % 64) & 1 == 1))
                .unwrap_or(false),
        }
    }
}

fn divisor(a: i128, b: i128) -> i128 {
    if b == 0 { a.abs() } else { divisor(b, a % b) }
}

impl Sets {
    fn new(amounts: &[i64], sum: i128) -> Sets {
        let all: Vec<i128> = amounts.iter().map(|amount| i128::from(*amount)).collect();
        let (ups, downs) = (all.iter().any(|amount| *amount > 0), all.iter().any(|amount| *amount < 0));
        // With one sign nothing larger than the sum is in it.
        let fits =
            |amount: i128| (ups && downs) || amount.signum() == sum.signum() && amount.abs() <= sum.abs();
        let mut places: Vec<usize> = (0..all.len()).filter(|place| fits(all[*place])).collect();
        let unit = places.iter().fold(0, |unit, place| divisor(all[*place], unit));
        let mut sets = Sets {
            amounts: Vec::new(),
            places: Vec::new(),
            sum,
            rest: Vec::new(),
            like: Vec::new(),
            words: 0,
        };
        if unit == 0 || sum % unit != 0 {
            return sets;
        }
        sets.sum = sum / unit;
        let total = |sign: i128| {
            places.iter().map(|place| all[*place]).filter(|amount| amount.signum() == sign).sum::<i128>()
                / unit
        };
        // Sums beyond these lead nowhere.
        let (least, most) =
            if ups && downs { (total(-1), total(1)) } else { (sets.sum.min(0), sets.sum.max(0)) };
        let has_table = most - least < TABLE_MAX;
        if !has_table {
            places.sort_by_key(|place| (std::cmp::Reverse(all[*place].abs()), all[*place], *place));
        }
        sets.amounts = places.iter().map(|place| all[*place] / unit).collect();
        sets.places = places;
        sets.rest = if has_table { sets.tables(least, most) } else { sets.lists() };
        for (place, amount) in sets.amounts.iter().enumerate() {
            let before = sets.amounts[..place].iter().rposition(|other| other == amount);
            sets.like.push(before);
        }
        sets
    }

    fn tables(&mut self, least: i128, most: i128) -> Vec<Rest> {
        let words = ((most - least) / 64 + 1) as usize;
        self.words = (words * self.amounts.len()) as u64;
        let mut bits = vec![0u64; words];
        let zero = (-least) as usize;
        bits[zero / 64] |= 1 << (zero % 64);
        let mut rest = vec![Rest::Table { from: least, bits: bits.clone() }];
        for amount in self.amounts.iter().rev() {
            let by = amount.unsigned_abs() as usize;
            let (far, near) = (by / 64, by % 64);
            let old = bits.clone();
            let word = |place: Option<usize>| place.and_then(|place| old.get(place)).copied().unwrap_or(0);
            for (place, bits) in bits.iter_mut().enumerate() {
                let (whole, part) = if *amount > 0 {
                    (place.checked_sub(far), place.checked_sub(far + 1))
                } else {
                    (place.checked_add(far), place.checked_add(far + 1))
                };
                *bits |= match (*amount > 0, near) {
                    (_, 0) => word(whole),
                    (true, near) => word(whole) << near | word(part) >> (64 - near),
                    (false, near) => word(whole) >> near | word(part) << (64 - near),
                };
            }
            rest.push(Rest::Table { from: least, bits: bits.clone() });
        }
        rest.reverse();
        rest
    }

    fn lists(&self) -> Vec<Rest> {
        let mut rest = vec![Rest::List(vec![0])];
        let (mut least, mut most) = (0, 0);
        for amount in self.amounts.iter().rev() {
            least += *amount.min(&0);
            most += *amount.max(&0);
            let next = match rest.last() {
                Some(Rest::List(sums)) if sums.len() <= LIST_MAX => {
                    let mut sums: Vec<i128> = sums.iter().flat_map(|sum| [*sum, sum + amount]).collect();
                    sums.sort_unstable();
                    sums.dedup();
                    Rest::List(sums)
                }
                _ => Rest::Between(least, most),
            };
            rest.push(next);
        }
        rest.reverse();
        rest
    }

    /// Whether there may be one.
    fn is_any(&self) -> bool {
        self.rest.first().is_some_and(|rest| rest.has(self.sum))
    }

    /// Every set, until one is not wanted any more; how many steps that took, and whether it was all of them.
    fn each(&self, wants_more: &mut dyn FnMut(&[usize]) -> bool) -> (u64, bool) {
        let mut chosen: Vec<usize> = Vec::new();
        let mut is_in = vec![false; self.amounts.len()];
        let (mut place, mut left, mut steps) = (0, self.sum, 0);
        loop {
            steps += 1;
            let is_done = left == 0 && !chosen.is_empty();
            if is_done {
                let places: Vec<usize> = chosen.iter().map(|place| self.places[*place]).collect();
                if !wants_more(&places) {
                    return (steps, false);
                }
            }
            if !is_done && place < self.amounts.len() && self.rest[place].has(left) {
                if self.like[place].is_none_or(|before| is_in[before]) {
                    is_in[place] = true;
                    chosen.push(place);
                    left -= self.amounts[place];
                }
                place += 1;
                continue;
            }
            let Some(last) = chosen.pop() else { return (steps, true) };
            is_in[last] = false;
            left += self.amounts[last];
            place = last + 1;
        }
    }
}
