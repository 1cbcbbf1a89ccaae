//! Randomness by rule 3 of the determinism promise. What customers bring is a function of names and counters
//! ([`Draws`]); what machinery draws comes from sequential ChaCha8 streams ([`Stream`]).

/// A source of 64 random bits at a time.
pub trait Bits {
    /// The next 64 bits.
    fn bits(&mut self) -> u64;

    /// Uniform in (0, 1): never 0, never 1, 53 bits.
    fn open01(&mut self) -> f64 {
        ((self.bits() >> 11) as f64 + 0.5) * (1.0 / 9007199254740992.0)
    }

    /// Uniform in `0..n` (Lemire's multiply-and-reject; unbiased).
    ///
    /// # Panics
    /// When `n` is 0.
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

/// Mixes two words into one; good avalanche, no state. (Owner: the engine work replaces the body and tests it.)
pub fn mix(a: u64, b: u64) -> u64 {
    let mut z = a.rotate_left(25) ^ b.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A stable 64-bit hash of a name: the same on every machine and in every version.
pub fn name_hash(name: &str) -> u64 {
    xxhash_rust::xxh3::xxh3_64(name.as_bytes())
}

/// Counter-based draws: a function of (key, counter) and nothing else. 1.4 ns a draw, no state per entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Draws {
    key: u64,
    counter: u64,
}

impl Draws {
    /// Draws named by `key`; make keys with [`mix`].
    pub const fn new(key: u64) -> Self {
        Draws { key, counter: 0 }
    }
}

impl Bits for Draws {
    fn bits(&mut self) -> u64 {
        self.counter += 1;
        mix(self.key, self.counter)
    }
}

/// A sequential ChaCha8 stream, named by (seed, owner, purpose).
#[derive(Clone, Debug)]
pub struct Stream(rand_chacha::ChaCha8Rng);

impl Stream {
    /// The stream of `seed` named `name` (a [`name_hash`], possibly [`mix`]ed with member and purpose).
    pub fn new(seed: u64, name: u64) -> Self {
        use rand_core::SeedableRng;
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(name);
        Stream(rng)
    }
}

impl Bits for Stream {
    fn bits(&mut self) -> u64 {
        use rand_core::Rng;
        self.0.next_u64()
    }
}
