//! Each policy beside a naive model, and the counts of published traces.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

/// A cache of unit-sized entries: the bare use of a policy.
struct Bare {
    policy: Policy,
    index: HashMap<i64, u32>,
    keys: Vec<i64>,
    free: Vec<u32>,
    capacity: usize,
}

impl Bare {
    fn new(word: &str, capacity: usize) -> Self {
        let policy = Policy::of(word).expect("a policy");
        Bare { policy, index: HashMap::new(), keys: Vec::new(), free: Vec::new(), capacity }
    }

    /// Asks for a key and caches it. True for a hit.
    fn ask(&mut self, key: i64) -> bool {
        if let Some(slot) = self.index.get(&key) {
            self.policy.hit(*slot);
            return true;
        }
        if self.index.len() == self.capacity {
            let victim = self.policy.victim().expect("a full cache has a victim");
            self.index.remove(&self.keys[victim as usize]).expect("victims are cached");
            self.free.push(victim);
        }
        let slot = self.free.pop().unwrap_or_else(|| {
            self.keys.push(0);
            self.keys.len() as u32 - 1
        });
        self.keys[slot as usize] = key;
        self.index.insert(key, slot);
        self.policy.insert(slot);
        false
    }

    fn drop(&mut self, key: i64) {
        if let Some(slot) = self.index.remove(&key) {
            self.policy.remove(slot);
            self.free.push(slot);
        }
    }

    fn contents(&self) -> Vec<i64> {
        let mut keys: Vec<i64> = self.index.keys().copied().collect();
        keys.sort_unstable();
        keys
    }
}

/// The same by definition: one list, searched. Oldest, or next to leave, first.
struct Naive {
    word: &'static str,
    capacity: usize,
    list: Vec<(i64, u64)>,
    hand: usize,
}

impl Naive {
    fn ask(&mut self, key: i64) -> bool {
        if let Some(place) = self.list.iter().position(|entry| entry.0 == key) {
            self.hit(place);
            return true;
        }
        if self.list.len() == self.capacity {
            self.evict();
        }
        let place = if self.word == "clock" { self.hand } else { self.list.len() };
        self.list.insert(place, (key, u64::from(self.word == "lfu")));
        if self.word == "clock" && self.list.len() > 1 {
            self.hand += 1;
        }
        false
    }

    fn hit(&mut self, place: usize) {
        match self.word {
            "lru" => {
                let entry = self.list.remove(place);
                self.list.push(entry);
            }
            "lfu" => {
                let entry = self.list.remove(place);
                self.list.push((entry.0, entry.1 + 1));
            }
            "clock" | "sieve" => self.list[place].1 = 1,
            _ => {}
        }
    }

    fn evict(&mut self) {
        let place = match self.word {
            "lfu" => {
                let least = self.list.iter().map(|entry| entry.1).min().expect("full");
                self.list.iter().position(|entry| entry.1 == least).expect("there")
            }
            "clock" | "sieve" => {
                self.hand %= self.list.len();
                while self.list[self.hand].1 == 1 {
                    self.list[self.hand].1 = 0;
                    self.hand = (self.hand + 1) % self.list.len();
                }
                self.hand
            }
            _ => 0,
        };
        self.list.remove(place);
        self.settle();
    }

    /// SIEVE's hand that has passed the newest entry begins again at the oldest; CLOCK's goes round.
    fn settle(&mut self) {
        if self.word == "sieve" && self.hand >= self.list.len() {
            self.hand = 0;
        }
    }

    fn drop(&mut self, key: i64) {
        let Some(place) = self.list.iter().position(|entry| entry.0 == key) else { return };
        self.list.remove(place);
        if place < self.hand {
            self.hand -= 1;
        }
        if self.word == "clock" && self.hand >= self.list.len() {
            self.hand = 0;
        }
        self.settle();
    }

    fn contents(&self) -> Vec<i64> {
        let mut keys: Vec<i64> = self.list.iter().map(|entry| entry.0).collect();
        keys.sort_unstable();
        keys
    }
}

proptest! {
    #[test]
    fn every_policy_does_what_its_definition_says(
        word in prop::sample::select(Policy::WORDS),
        capacity in 1usize..9,
        steps in prop::collection::vec((0i64..14, 0u8..10), 1..300),
    ) {
        let mut bare = Bare::new(word, capacity);
        let mut naive = Naive { word, capacity, list: Vec::new(), hand: 0 };
        for (key, what) in steps {
            if what == 0 {
                bare.drop(key);
                naive.drop(key);
            } else {
                prop_assert_eq!(bare.ask(key), naive.ask(key));
            }
            prop_assert_eq!(bare.contents(), naive.contents(), "{} after {}", word, key);
        }
    }
}

fn hits(word: &str, capacity: usize, trace: &[i64]) -> usize {
    let mut bare = Bare::new(word, capacity);
    trace.iter().filter(|key| bare.ask(**key)).count()
}

/// One entry too small, and LRU never hits.
#[test]
fn lru_falls_off_a_cliff_on_a_loop() {
    let trace: Vec<i64> = (0..505_500).map(|i| i % 1011).collect();
    assert_eq!(hits("lru", 1000, &trace), 0);
    assert_eq!(hits("lru", 1011, &trace), 504_489);
}

/// LRU under independent draws by a Zipf distribution over 10,000 keys (Che 2002).
#[test]
fn lru_meets_the_che_approximation() {
    use crate::base::rng::{Bits, Draws};
    let reference = [(0.8, [0.1566, 0.4367]), (1.0, [0.3905, 0.6756]), (1.2, [0.6563, 0.8614])];
    for (alpha, expected) in reference {
        let mut total = 0.0;
        let cumulative: Vec<f64> = (1..=10_000)
            .map(|rank| {
                total += libm::pow(f64::from(rank), -alpha);
                total
            })
            .collect();
        let mut draws = Draws::new(7);
        let draw = || {
            let share = draws.open01() * total;
            cumulative.partition_point(|up_to| *up_to < share) as i64
        };
        let trace: Vec<i64> = std::iter::repeat_with(draw).take(400_000).collect();
        for (capacity, expected) in [100, 1000].into_iter().zip(expected) {
            let mut bare = Bare::new("lru", capacity);
            let (warm, cold) = trace.split_at(100_000);
            warm.iter().for_each(|key| {
                bare.ask(*key);
            });
            let ratio = cold.iter().filter(|key| bare.ask(**key)).count() as f64 / 300_000.0;
            assert!((ratio - expected).abs() < 0.005, "alpha {alpha}, {capacity} entries: {ratio}");
        }
    }
}
