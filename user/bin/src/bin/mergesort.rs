//! `mergesort [COUNT [THREADS]]`: sorts numbers, splitting the work in two
//! threads at each level, and says what it gained over one thread.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::vec::Vec;
use weft::{Errno, thread, time};

weft::program!(main);

fn main() -> Result<(), Errno> {
    let mut numbers = weft::args()
        .skip(1)
        .filter_map(|word| word.to_str().ok()?.parse().ok());
    let count: usize = numbers.next().unwrap_or(200_000);
    let threads: usize = numbers.next().unwrap_or(thread::cpus());
    let original = random(count);
    let mut alone = original.clone();
    let mut together = original;
    let one = timed(|| sort(&mut alone, 1))?;
    let many = timed(|| sort(&mut together, threads))?;
    if alone != together || !together.is_sorted() {
        weft::eprintln!("mergesort: not sorted");
        return Err(Errno::EIO);
    }
    weft::println!(
        "{count} numbers: 1 thread {} us, {threads} threads {} us",
        one / 1000,
        many / 1000
    );
    Ok(())
}

fn timed(action: impl FnOnce() -> Result<(), Errno>) -> Result<u64, Errno> {
    let began = time::now();
    action()?;
    Ok(time::now() - began)
}

fn random(count: usize) -> Vec<u32> {
    let mut state = 1u64;
    let mut next = || {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (state >> 32) as u32
    };
    (0..count).map(|_| next()).collect()
}

/// Sorts with up to `threads` threads: half of them for each half.
fn sort(numbers: &mut [u32], threads: usize) -> Result<(), Errno> {
    if numbers.len() < 2 {
        return Ok(());
    }
    let middle = numbers.len() / 2;
    let (left, right) = numbers.split_at_mut(middle);
    if threads < 2 {
        sort(left, 1)?;
        sort(right, 1)?;
    } else {
        thread::scope(|scope| {
            let peer = scope.spawn(|| sort(left, threads / 2))?;
            sort(right, threads - threads / 2)?;
            peer.join()?.unwrap_or(Err(Errno::EIO))
        })?;
    }
    merge(numbers, middle);
    Ok(())
}

/// Merges the sorted halves: the left one goes aside, then the smaller first
/// number of the two is taken again and again.
fn merge(numbers: &mut [u32], middle: usize) {
    let left = numbers[..middle].to_vec();
    let (mut from_left, mut from_right) = (0, middle);
    for to in 0..numbers.len() {
        let take_left = from_left < left.len()
            && (from_right == numbers.len() || left[from_left] <= numbers[from_right]);
        if take_left {
            numbers[to] = left[from_left];
            from_left += 1;
        } else {
            numbers[to] = numbers[from_right];
            from_right += 1;
        }
    }
}
