//! Randomness. What customers bring and what machinery draws for them is a function of names and counters ([`Draws`], [`Identity`]);
//! what serves no request comes from sequential ChaCha8 streams ([`Stream`]).

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// A source of 64 random bits at a time.
pub trait Bits {
    /// The next 64 bits.
    fn bits(&mut self) -> u64;

    /// Uniform in (0, 1): never 0, never 1, the middles of 2^52 equal cells.
    #[inline]
    fn open01(&mut self) -> f64 {
        // 52 bits and not 53: 2^53 - 1 + 0.5 is no float and would round up to 2^53, that is, to 1. The bits become the
        // fraction of a float in [1, 2); taking 1 less half a cell from it is exact.
        const ONE: u64 = 1f64.to_bits();
        f64::from_bits(ONE | self.bits() >> 12) - (1.0 - f64::EPSILON / 2.0)
    }

    /// Uniform in `0..n` (Lemire, "Fast random integer generation in an interval", 2019; unbiased). One multiplication;
    /// it divides only in the n / 2^64 of cases in which it might have to draw again.
    ///
    /// # Panics
    /// When `n` is 0.
    #[inline]
    fn below(&mut self, n: u64) -> u64 {
        assert!(n > 0, "a choice needs something to choose from");
        let mut wide = self.bits() as u128 * n as u128;
        if (wide as u64) < n {
            let threshold = n.wrapping_neg() % n;
            while (wide as u64) < threshold {
                wide = self.bits() as u128 * n as u128;
            }
        }
        (wide >> 64) as u64
    }
}

/// Mixes two words into one; good avalanche, no state. The order of the words matters.
///
/// Two rounds of a folded product of 64 by 64 bits: `wyhash64` of wyhash, final version 4, by Wang Yi (github.com/wangyi-fudan/wyhash, public
/// domain). Two multiplications in a chain: a draw for each datagram is a good part of what a datagram costs. It is no bijection
/// of either word, as a random function is none.
#[inline]
pub const fn mix(a: u64, b: u64) -> u64 {
    const SECRET: [u64; 2] = [0x2D35_8DCC_AA6C_78A5, 0x8BB8_4B93_962E_ACC9];
    let product = (a ^ SECRET[0]) as u128 * (b ^ SECRET[1]) as u128;
    let (low, high) = (product as u64, (product >> 64) as u64);
    let product = (low ^ SECRET[0]) as u128 * (high ^ SECRET[1]) as u128;
    product as u64 ^ (product >> 64) as u64
}

/// A stable 64-bit hash of a name: the same on every machine and in every version.
pub fn name_hash(name: &str) -> u64 {
    xxhash_rust::xxh3::xxh3_64(name.as_bytes())
}

/// Counter-based draws: a function of (key, counter) and nothing else. No state per entity; a draw costs a [`mix`].
#[derive(Clone, Copy, Debug)]
pub struct Draws {
    key: u64,
    counter: u64,
    #[cfg(test)]
    made: &'static std::panic::Location<'static>,
    #[cfg(test)]
    is_property: bool,
}

impl Draws {
    /// Draws named by `key`; make keys with [`mix`].
    #[inline]
    #[cfg_attr(test, track_caller)]
    pub const fn new(key: u64) -> Self {
        Draws::from(key, 0)
    }

    /// The same draws from the `number`-th on, counted from 0: for who counts them himself.
    #[inline]
    #[cfg_attr(test, track_caller)]
    pub const fn from(key: u64, number: u64) -> Self {
        Draws {
            key,
            counter: number,
            #[cfg(test)]
            made: std::panic::Location::caller(),
            #[cfg(test)]
            is_property: false,
        }
    }

    /// What is drawn is a property of what it is named by, and not of an occasion: whoever asks again gets the same again.
    #[inline]
    pub const fn of_property(self) -> Self {
        Draws {
            #[cfg(test)]
            is_property: true,
            ..self
        }
    }
}

impl Bits for Draws {
    #[inline]
    fn bits(&mut self) -> u64 {
        self.counter = self.counter.wrapping_add(1);
        #[cfg(test)]
        log::note(log::Drawn {
            key: self.key,
            counter: self.counter,
            is_property: self.is_property,
            made: self.made,
        });
        mix(self.key, self.counter)
    }
}

/// An occasion on which something is drawn, by names that stay what they are whatever else happens in a run: *who* draws (parts,
/// members, a direction) and *what for* (a call, or the sender's own count). Each purpose has draws of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    who: u64,
    what: u64,
}

/// Odd numbers (rounded fractions of irrational numbers) that set apart what is added up in a name.
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;
const SPREAD_FROM: u64 = 0xC2B2_AE3D_27D4_EB4F;
const SPREAD_TO: u64 = 0xD6E8_FEB8_6659_FD93;
const SPREAD_AGAIN: u64 = 0xA076_1D64_78BD_642F;
/// Draws that a distribution may make on one occasion, as a power of two, before it would meet those of the next one that is counted.
const DRAWS_LOG2: u32 = 16;

impl Identity {
    /// Of what is done by `who` for a call. `who` is a hash of names; `substream` identifies the call.
    #[inline]
    pub const fn of_call(who: u64, substream: u64) -> Self {
        // A substream is a hash, mostly; where a test counts its calls, the counters must not meet.
        Identity { who, what: substream.wrapping_mul(SPREAD) }
    }

    /// Of what `who` counts: the occasion of that number.
    #[inline]
    pub const fn counted(who: u64, number: u32) -> Self {
        Identity { who, what: (number as u64) << DRAWS_LOG2 }
    }

    /// The same from one member to another.
    #[inline]
    pub const fn between(self, from: u32, to: u32) -> Self {
        let (from, to) = (from as u64 + 1, to as u64 + 1);
        let members = from.wrapping_mul(SPREAD_FROM).wrapping_add(to.wrapping_mul(SPREAD_TO));
        Identity { who: self.who.wrapping_add(members), what: self.what }
    }

    /// The same for the `times`-th time: a retransmission, a second copy. 0 is the first.
    #[inline]
    pub const fn again(self, times: u32) -> Self {
        Identity { who: self.who.wrapping_add((times as u64).wrapping_mul(SPREAD_AGAIN)), what: self.what }
    }

    /// Its draws for a purpose; `purpose` is a hash that the run's seed is part of.
    #[inline]
    #[cfg_attr(test, track_caller)]
    pub const fn draws(self, purpose: u64) -> Draws {
        Draws::from(self.who.wrapping_add(purpose), self.what)
    }
}

/// A sequential ChaCha8 stream, named by (seed, owner, purpose). 304 bytes.
#[derive(Clone, Debug)]
pub struct Stream(ChaCha8Rng);

impl Stream {
    /// The stream of `seed` named `name` (a [`name_hash`], possibly [`mix`]ed with member and purpose).
    ///
    /// The seed becomes ChaCha's key and the name its nonce, so streams of one seed never overlap.
    pub fn new(seed: u64, name: u64) -> Self {
        // Our own expansion of the seed: `seed_from_u64` may change with the crate, and results must not.
        let mut key = [0; 32];
        for (word, number) in key.chunks_exact_mut(8).zip(1..) {
            word.copy_from_slice(&mix(seed, number).to_le_bytes());
        }
        let mut rng = ChaCha8Rng::from_seed(key);
        rng.set_stream(name);
        Stream(rng)
    }
}

impl Bits for Stream {
    #[inline]
    fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }
}

/// Every keyed draw of a thread, by its name, while a test asks for it. There is none of it outside the library's own tests.
#[cfg(test)]
pub mod log {
    use std::cell::RefCell;
    use std::panic::Location;

    /// A draw: its name, and where in the source its draws were named.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub struct Drawn {
        /// The key.
        pub key: u64,
        /// The counter.
        pub counter: u64,
        /// Whether it may be drawn again.
        pub is_property: bool,
        /// Where.
        pub made: &'static Location<'static>,
    }

    /// What was drawn.
    #[derive(Debug, Default)]
    pub struct Log {
        /// By name.
        pub drawn: Vec<Drawn>,
        /// How often a process has asked for one of its streams.
        pub streams: u64,
    }

    thread_local! {
        static LOG: RefCell<Option<Log>> = const { RefCell::new(None) };
    }

    pub(super) fn note(drawn: Drawn) {
        LOG.with_borrow_mut(|log| log.iter_mut().for_each(|log| log.drawn.push(drawn)));
    }

    /// A process draws from a stream.
    pub fn note_stream() {
        LOG.with_borrow_mut(|log| log.iter_mut().for_each(|log| log.streams += 1));
    }

    /// What was drawn while `act` ran.
    pub fn of(act: impl FnOnce()) -> Log {
        LOG.set(Some(Log::default()));
        act();
        LOG.take().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bits that come from a list.
    struct Script(Vec<u64>);

    impl Bits for Script {
        fn bits(&mut self) -> u64 {
            self.0.remove(0)
        }
    }

    #[test]
    fn the_mixer_never_changes() {
        let golden = [
            (0, 0, 0xFA30_3ABC_2B1D_7630),
            (0, 1, 0x08C4_D7A3_914A_DA0D),
            (1, 0, 0x8FD9_0E73_37AB_042D),
            (42, 7, 0xF918_1832_D775_DD1D),
            (u64::MAX, u64::MAX, 0xE506_A490_2FFF_4BC4),
            (0x0123_4567_89AB_CDEF, 0xFEDC_BA98_7654_3210, 0xDEB6_05FC_9B79_C078),
        ];
        for (a, b, mixed) in golden {
            assert_eq!(mix(a, b), mixed, "mix({a:#x}, {b:#x}) is {:#018x}", mix(a, b));
        }
    }

    #[test]
    fn draws_can_be_entered_anywhere() {
        let mut all = Draws::new(7);
        let draws = [all.bits(), all.bits(), all.bits()];
        assert_eq!(draws[1..], [1, 2].map(|number| Draws::from(7, number).bits()));
    }

    /// The values are those of an independent implementation of ChaCha8 and of the mixer.
    #[test]
    fn streams_and_draws_never_change() {
        let first = |bits: &mut dyn FnMut() -> u64| [bits(), bits(), bits()];
        let mut stream = Stream::new(1, 2);
        let golden = [0xF725_BAFE_5140_CD10, 0x167A_BC3C_F7ED_513A, 0x8097_D8C9_1330_869D];
        assert_eq!(first(&mut || stream.bits()), golden);
        let mut stream = Stream::new(u64::MAX, u64::MAX);
        let golden = [0x2135_7468_FE74_D110, 0x0BAB_3CA7_DAAF_6231, 0x91FC_8A8E_8597_02F2];
        assert_eq!(first(&mut || stream.bits()), golden);
        let mut draws = Draws::new(mix(1, 2));
        let golden = [0xC921_3E39_5B5E_3796, 0xAF4B_3656_B8F2_C5AB, 0x9E06_BF1C_B6CA_AE6D];
        assert_eq!(first(&mut || draws.bits()), golden);
        assert_eq!(name_hash("web / arrivals"), 0xA054_4BA6_172B_706D);
    }

    #[test]
    fn streams_of_other_names_or_seeds_are_other_streams() {
        let start = |seed, name| Stream::new(seed, name).bits();
        assert_eq!(start(1, 2), start(1, 2));
        assert_ne!(start(1, 2), start(2, 1));
        assert_ne!(start(1, 2), start(1, 3));
        assert_ne!(start(1, 2), start(2, 2));
    }

    /// How often each bit of the result flips when one bit of an argument flips: all within 5.5 standard deviations
    /// of one half. Arguments are small counters, which is what is mixed and what weak mixers fail on.
    #[test]
    fn every_bit_of_the_mixer_depends_on_every_bit_of_both_words() {
        const SAMPLES: u64 = 4096;
        let bound = 5.5 * (SAMPLES as f64 / 4.0).sqrt();
        for flipped in 0..128 {
            let mut flips = [0u32; 64];
            for sample in 0..SAMPLES {
                let (a, b) = (sample / 64, sample % 64);
                let (x, y) = if flipped < 64 { (a ^ 1 << flipped, b) } else { (a, b ^ 1 << (flipped - 64)) };
                let difference = mix(a, b) ^ mix(x, y);
                for (bit, count) in flips.iter_mut().enumerate() {
                    *count += (difference >> bit & 1) as u32;
                }
            }
            for (bit, count) in flips.into_iter().enumerate() {
                let off = (count as f64 - SAMPLES as f64 / 2.0).abs();
                assert!(off < bound, "input bit {flipped}, output bit {bit}: {count} flips of {SAMPLES}");
            }
        }
    }

    /// Chi-square over 256 cells of the high and of the low byte, for many keys, one counter, and for one key.
    #[test]
    fn draws_fill_their_range_evenly_along_counters_and_along_keys() {
        let along_counters = |i: u64| mix(mix(9, 9), i);
        let along_keys = |i: u64| mix(i, 1);
        let chained = |i: u64| mix(mix(5, i / 100), i % 100);
        for draw in [&along_counters as &dyn Fn(u64) -> u64, &along_keys, &chained] {
            for shift in [0, 28, 56] {
                let mut cells = [0u32; 256];
                for i in 0..256_000 {
                    cells[(draw(i) >> shift & 255) as usize] += 1;
                }
                let chi: f64 = cells.iter().map(|&n| (n as f64 - 1000.0).powi(2) / 1000.0).sum();
                assert!((150.0..400.0).contains(&chi), "chi-square {chi} with 255 degrees of freedom");
            }
        }
    }

    #[test]
    fn uniform_fractions_are_never_zero_and_never_one() {
        let mut extremes = Script(vec![0, u64::MAX]);
        assert_eq!(extremes.open01(), 2f64.powi(-53));
        assert_eq!(extremes.open01(), 1.0 - 2f64.powi(-53));
    }

    #[test]
    fn a_choice_is_below_its_bound_and_unbiased() {
        let mut stream = Stream::new(3, 3);
        let mut counts = [0u32; 6];
        for _ in 0..60_000 {
            counts[stream.below(6) as usize] += 1;
        }
        assert!(counts.iter().all(|&n| (9_500..10_500).contains(&n)), "{counts:?}");
        // 0 * 3 falls into the part of the range that would be one draw too many, and is drawn again.
        assert_eq!(Script(vec![0, u64::MAX]).below(3), 2);
        assert_eq!(Script(vec![u64::MAX]).below(1), 0);
    }
}
