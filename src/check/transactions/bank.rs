//! Histories of a bank: transfers move money between accounts, reads see all of them. Whatever a read sees adds up to what there was,
//! and no account is below zero; transfers that would overdraw one fail.

use std::collections::BTreeMap;

use crate::check::{Verdict, Witness};

/// A read of all accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balances {
    /// Where it stands in the recorded history (a line), from 1.
    pub place: usize,
    /// By account.
    pub accounts: BTreeMap<String, i64>,
}

/// Judges the reads: they add up to `total`, or to what the first of them saw.
pub fn check(reads: &[Balances], total: Option<i128>) -> Verdict {
    let sum = |read: &Balances| read.accounts.values().map(|balance| i128::from(*balance)).sum::<i128>();
    let Some(first) = reads.first() else { return Verdict::Unknown("nobody read the accounts".to_owned()) };
    let total = total.unwrap_or_else(|| sum(first));
    for read in reads {
        let sum = sum(read);
        if sum != total {
            let sentence = format!(
                "the read of line {} saw {sum} in all, where there is {total}: {} {}",
                read.place,
                (total - sum).abs(),
                if sum < total { "is gone" } else { "has appeared" },
            );
            return Verdict::Violated(Witness { sentence, operations: vec![read.place] });
        }
        if let Some((account, balance)) = read.accounts.iter().find(|(_, balance)| **balance < 0) {
            let sentence = format!("the read of line {} saw {balance} in account {account}", read.place);
            return Verdict::Violated(Witness { sentence, operations: vec![read.place] });
        }
    }
    Verdict::Holds
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(balances: &[&[i64]], total: Option<i128>) -> Verdict {
        let read = |(place, balances): (usize, &&[i64])| Balances {
            place,
            accounts: balances.iter().enumerate().map(|(account, n)| (account.to_string(), *n)).collect(),
        };
        check(&balances.iter().enumerate().map(read).collect::<Vec<_>>(), total)
    }

    #[test]
    fn money_is_moved_and_neither_made_nor_lost() {
        assert_eq!(judged(&[&[10, 10], &[4, 16], &[0, 20]], None), Verdict::Holds);
        assert_eq!(judged(&[&[10, 10]], Some(20)), Verdict::Holds);
        for (balances, total, told) in [
            (&[&[10, 10][..], &[4, 10]][..], None, "14 in all, where there is 20: 6 is gone"),
            (&[&[10, 10][..], &[10, 16]], None, "26 in all, where there is 20: 6 has appeared"),
            (&[&[10, 10][..]], Some(30), "10 is gone"),
            (&[&[10, 10][..], &[-1, 21]], None, "saw -1 in account 0"),
        ] {
            let Verdict::Violated(witness) = judged(balances, total) else { panic!("{balances:?}") };
            assert!(witness.sentence.contains(told), "{}", witness.sentence);
        }
        assert!(matches!(judged(&[], None), Verdict::Unknown(_)));
    }
}
