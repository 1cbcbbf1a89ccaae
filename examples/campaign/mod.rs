//! Numbered cases, on all cores: none may end in a panic or take too long.

use std::panic::{RefUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Marsaglia's xorshift: what is drawn here decides nothing of what the program says.
pub struct Draws(u64);

impl Draws {
    /// One of so many.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound.max(1) as u64) as usize
    }
}

/// As many cases as the first argument says, of the seed that the second says, from the number on that the third says: how many came to what, and
/// how long the slowest took. A case that ends in a panic or takes longer than `most` is told, and ends the program.
///
/// # Panics
/// When of a thousand cases or more none came to one of the `N` ends.
pub fn campaign<const N: usize, C: RefUnwindSafe>(
    most: Duration,
    case: impl Fn(&mut Draws) -> C + Sync,
    came_to: impl Fn(&C) -> usize + RefUnwindSafe + Sync,
    tell: impl Fn(&C) + Sync,
) -> (u64, [u64; N], Duration) {
    let mut arguments = std::env::args().skip(1).map(|word| word.parse::<u64>().expect("a number"));
    let count = arguments.next().unwrap_or(10_000);
    let seed = arguments.next().unwrap_or(1);
    let from = arguments.next().unwrap_or(0);
    let one = |number: u64| {
        // Each by its number, so that one that fails can be made alone.
        let mut draws = Draws((seed << 32 | number).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        draws.below(1);
        let case = case(&mut draws);
        let begun = Instant::now();
        let came = catch_unwind(|| came_to(&case));
        let took = begun.elapsed();
        let (Ok(came), true) = (came, took <= most) else {
            eprintln!("case {number} of seed {seed} after {took:?}:");
            tell(&case);
            std::process::exit(1);
        };
        let mut counts = [0u64; N];
        counts[came] = 1;
        (counts, took)
    };
    // Threads, and no pool of them: whoever waits in a pool does somebody else's case meanwhile, and is timed for it.
    let next = AtomicU64::new(from);
    let some = || {
        let mut sum = ([0u64; N], Duration::ZERO);
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= from + count {
                return sum;
            }
            let (counts, took) = one(number);
            sum = (std::array::from_fn(|end| sum.0[end] + counts[end]), sum.1.max(took));
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let (counts, slowest) = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(some)).collect();
        let sums = threads.into_iter().map(|thread| thread.join().expect("a case's panic is caught"));
        sums.fold(([0u64; N], Duration::ZERO), |(a, a_took), (b, b_took)| {
            (std::array::from_fn(|end| a[end] + b[end]), a_took.max(b_took))
        })
    });
    assert!(count < 1_000 || counts.iter().all(|count| *count > 0), "all of them occur");
    (count, counts, slowest)
}
