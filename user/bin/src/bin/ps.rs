//! `ps`: all threads of the system.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::fmt::Write;
use user_bin::system::threads;
use weft::Errno;
use weft::abi::clone::ThreadInfo;
use weft::io::{Text, Writer};

weft::program!(main);

fn main() -> Result<(), Errno> {
    let mut threads = threads::all()?;
    threads.sort_by_key(|thread| (thread.tgid, thread.tid));
    let mut out = Writer::<4096>::new(1);
    let _ = writeln!(out, "  PID   TID  PPID STATE CPU   TIME(ms) NAME");
    for thread in &threads {
        let ThreadInfo {
            tid,
            tgid,
            parent,
            cpu,
            state,
            time,
            ..
        } = *thread;
        let name = thread.name.split(|byte| *byte == 0).next().unwrap_or(b"");
        let (state, name, time) = (state as char, Text(name), time / 1_000_000);
        let _ = writeln!(
            out,
            "{tgid:5} {tid:5} {parent:5} {state:5} {cpu:3} {time:10} {name}"
        );
    }
    out.flush()
}
