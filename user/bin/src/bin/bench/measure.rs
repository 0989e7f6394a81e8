//! Timing and printing.

use alloc::vec::Vec;
use weft::{Errno, time};

/// What a measurement gives: nanoseconds for all its rounds.
pub type Measured = Result<u64, Errno>;

pub struct Bench {
    quick: bool,
    names: Vec<&'static str>,
    /// What a round of an empty loop costs, in picoseconds.
    empty: u64,
}

const BATCHES: usize = 5;

impl Bench {
    pub fn new(quick: bool, names: Vec<&'static str>) -> Bench {
        let rounds = 10_000;
        let best = (0..BATCHES)
            .map(|_| timed(rounds, || Ok(())).unwrap_or(0))
            .min();
        Bench {
            quick,
            names,
            empty: best.unwrap_or(0) * 1000 / rounds as u64,
        }
    }

    fn wants(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|part| name.contains(part))
    }

    fn rounds(&self, rounds: usize) -> usize {
        if self.quick {
            (rounds / 10).max(2)
        } else {
            rounds
        }
    }

    /// Measures `operation`, `rounds` times in a batch.
    pub fn each(
        &self,
        name: &str,
        rounds: usize,
        mut operation: impl FnMut() -> Result<(), Errno>,
    ) {
        self.batch(name, rounds, |rounds| {
            let total = timed(rounds, &mut operation)?;
            Ok(total.saturating_sub(self.empty * rounds as u64 / 1000))
        });
    }

    /// Measures a batch that times itself: given the rounds, the nanoseconds
    /// for all of them.
    pub fn batch(&self, name: &str, rounds: usize, mut batch: impl FnMut(usize) -> Measured) {
        if !self.wants(name) {
            return;
        }
        let rounds = self.rounds(rounds);
        match self.best(|| batch(rounds)) {
            Ok(best) => weft::println!("{name} {}", (best + rounds as u64 / 2) / rounds as u64),
            Err(error) => weft::eprintln!("bench: {name}: {error}"),
        }
    }

    /// Measures a transfer of `bytes` and prints MB/s.
    pub fn bandwidth(&self, name: &str, bytes: usize, mut transfer: impl FnMut() -> Measured) {
        if !self.wants(name) {
            return;
        }
        match self.best(&mut transfer) {
            Ok(best) => weft::println!("{name} {}", bytes as u64 * 1000 / best.max(1)),
            Err(error) => weft::eprintln!("bench: {name}: {error}"),
        }
    }

    /// The first batch warms up and does not count.
    fn best(&self, mut batch: impl FnMut() -> Measured) -> Measured {
        batch()?;
        let batches = if self.quick { 2 } else { BATCHES };
        (0..batches).try_fold(u64::MAX, |best, _| Ok(best.min(batch()?)))
    }
}

/// The nanoseconds that `rounds` of `operation` take.
pub fn timed(rounds: usize, mut operation: impl FnMut() -> Result<(), Errno>) -> Measured {
    let began = time::now();
    for _ in 0..rounds {
        core::hint::black_box(&mut operation)()?;
    }
    Ok(time::now() - began)
}
