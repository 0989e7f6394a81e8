//! Every host thread is CPU 0 unless it says otherwise.

use std::cell::Cell;

thread_local! {
    static ID: Cell<usize> = const { Cell::new(0) };
}

/// Makes the calling host thread CPU `cpu`.
pub fn become_cpu(cpu: usize) {
    assert!(cpu < crate::cpu::MAX, "no such CPU");
    ID.set(cpu);
}

pub fn id() -> usize {
    ID.get()
}

pub fn count() -> usize {
    1
}

pub fn start_others(_main: fn() -> !) {}

pub fn wait_for_interrupt() {
    std::thread::yield_now();
}

pub fn answer() {
    std::thread::yield_now();
}

pub fn synchronize() {
    std::sync::atomic::fence(std::sync::atomic::Ordering::SeqCst);
}

pub fn kick(_cpu: usize) {}
