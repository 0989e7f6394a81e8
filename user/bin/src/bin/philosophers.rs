//! `philosophers [COUNT [MEALS]]`: they sit around a table with a fork between
//! each two, and need both to eat. Who takes the fork with the smaller number
//! first cannot be part of a circle of waiters.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::vec::Vec;
use weft::sync::TicketLock;
use weft::{Errno, thread, time};

weft::program!(main);

fn main() -> Result<(), Errno> {
    let mut numbers = weft::args()
        .skip(1)
        .filter_map(|word| word.to_str().ok()?.parse().ok());
    let count: usize = numbers.next().unwrap_or(5).clamp(2, 1000);
    let meals: usize = numbers.next().unwrap_or(200);
    // A fork counts how often it was used.
    let forks: Vec<TicketLock<usize>> = (0..count).map(|_| TicketLock::new(0)).collect();
    thread::scope(|scope| {
        for seat in 0..count {
            let forks = &forks;
            let dine = move || {
                let (left, right) = (seat, (seat + 1) % forks.len());
                for _ in 0..meals {
                    let mut first = forks[left.min(right)].lock();
                    let mut second = forks[left.max(right)].lock();
                    *first += 1;
                    *second += 1;
                    time::give_way();
                }
            };
            scope.spawn(dine)?;
        }
        Ok(())
    })?;
    let used: usize = forks.into_iter().map(TicketLock::into_inner).sum();
    if used != 2 * count * meals {
        weft::eprintln!(
            "philosophers: {used} uses of forks instead of {}",
            2 * count * meals
        );
        return Err(Errno::EIO);
    }
    weft::println!("{count} philosophers had {meals} meals each");
    Ok(())
}
