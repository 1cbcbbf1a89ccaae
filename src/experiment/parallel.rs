//! Work that is independent, on several cores where there are threads (`cli`), and one after the other where there are none. What comes out
//! is the same.

#[cfg(feature = "cli")]
mod on_threads {
    use rayon::prelude::*;

    /// `work`, in which [`map`] and [`join`] use so many threads.
    ///
    /// # Errors
    /// There are no threads to be had.
    pub fn with_jobs<R: Send>(jobs: usize, work: impl FnOnce() -> R + Send) -> Result<R, String> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs.max(1)).build();
        Ok(pool.map_err(|why| why.to_string())?.install(work))
    }

    /// Each of them, by its place; in their order.
    pub fn map<T: Sync, R: Send>(all: &[T], each: impl Fn(usize, &T) -> R + Sync + Send) -> Vec<R> {
        all.par_iter().enumerate().map(|(place, one)| each(place, one)).collect()
    }

    /// Both.
    pub fn join<A: Send, B: Send>(
        one: impl FnOnce() -> A + Send,
        other: impl FnOnce() -> B + Send,
    ) -> (A, B) {
        rayon::join(one, other)
    }
}

#[cfg(not(feature = "cli"))]
mod on_one {
    /// `work`.
    ///
    /// # Errors
    /// None.
    pub fn with_jobs<R>(_: usize, work: impl FnOnce() -> R) -> Result<R, String> {
        Ok(work())
    }

    /// Each of them, by its place; in their order.
    pub fn map<T, R>(all: &[T], each: impl Fn(usize, &T) -> R) -> Vec<R> {
        all.iter().enumerate().map(|(place, one)| each(place, one)).collect()
    }

    /// Both.
    pub fn join<A, B>(one: impl FnOnce() -> A, other: impl FnOnce() -> B) -> (A, B) {
        (one(), other())
    }
}

#[cfg(not(feature = "cli"))]
pub(super) use on_one::{join, map, with_jobs};
#[cfg(feature = "cli")]
pub(super) use on_threads::{join, map, with_jobs};
