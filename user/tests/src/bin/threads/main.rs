//! `threads`: the thread contract, row by row. A file per subject; see
//! `weft::check` for how tests run and what they print.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

extern crate alloc;

mod clone;
mod clone3;
mod cpu_time;
mod exec;
mod exit;
mod files;
mod fork;
mod hand_off;
mod join;
mod kill;
mod library;
mod locks;
mod memory;
mod prctl;
mod real_time;
mod robust;
mod semaphores;
mod shared;
mod shared_futex;
mod stress;
mod translation;

weft::program!(main);

fn main() -> i32 {
    if let Some(code) = exec::helper() {
        return code;
    }
    weft::check::run(&[
        clone::TESTS,
        clone3::TESTS,
        cpu_time::TESTS,
        join::TESTS,
        kill::TESTS,
        exit::TESTS,
        fork::TESTS,
        exec::TESTS,
        memory::TESTS,
        translation::TESTS,
        files::TESTS,
        semaphores::TESTS,
        library::TESTS,
        locks::TESTS,
        hand_off::TESTS,
        shared_futex::TESTS,
        prctl::TESTS,
        real_time::TESTS,
        robust::TESTS,
        stress::TESTS,
    ])
}
