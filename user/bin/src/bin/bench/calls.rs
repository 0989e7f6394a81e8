//! Calls that do next to nothing.

use crate::measure::Bench;
use core::sync::atomic::AtomicU32;
use weft::abi::file::{O_RDONLY, O_WRONLY};
use weft::sync::{RawLock, RawMutex, RawTicketLock, futex};
use weft::{file, process, time};

pub fn run(bench: &mut Bench) {
    bench.each("empty_call", 10_000, || {
        process::parent();
        Ok(())
    });
    bench.each("clock_gettime", 10_000, || {
        time::now();
        Ok(())
    });
    if let Ok(zero) = file::open(c"/dev/zero", O_RDONLY) {
        bench.each("read_zero_1", 5_000, || {
            file::read(zero, &mut [0]).map(drop_count)
        });
        let _ = file::close(zero);
    }
    if let Ok(null) = file::open(c"/dev/null", O_WRONLY) {
        bench.each("write_null_1", 5_000, || {
            file::write(null, &[0]).map(drop_count)
        });
        let _ = file::close(null);
    }
    let word = AtomicU32::new(1);
    bench.each("futex_wake_nobody", 5_000, || {
        futex::wake(&word, 1, futex::ANY);
        Ok(())
    });
    bench.each("futex_wait_fails", 5_000, || {
        futex::wait(&word, 0, futex::ANY);
        Ok(())
    });
    bench.each("yield_alone", 5_000, || {
        time::give_way();
        Ok(())
    });
    let (mutex, ticket) = (RawMutex::NEW, RawTicketLock::NEW);
    bench.each("mutex_uncontended", 10_000, || {
        mutex.lock();
        mutex.unlock();
        Ok(())
    });
    bench.each("ticket_lock_uncontended", 10_000, || {
        ticket.lock();
        ticket.unlock();
        Ok(())
    });
    bench.each("malloc_free_100", 10_000, || {
        core::hint::black_box(alloc::vec::Vec::<u8>::with_capacity(100));
        Ok(())
    });
}

fn drop_count(_: usize) {}
