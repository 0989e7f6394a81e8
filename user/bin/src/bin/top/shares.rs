//! Which thread had how much of a CPU between two looks at the system.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;
use user_bin::size::human;
use user_bin::system::threads;
use weft::abi::clone::ThreadInfo;
use weft::io::Text;
use weft::{Errno, process, time};

#[derive(Default)]
pub struct Shares {
    /// CPU time of each thread at the last look, by thread, and when that was.
    last: BTreeMap<u32, u64>,
    at: u64,
}

impl Shares {
    /// Looks, and gives the whole picture as text: before there is a last look,
    /// shares of the time since start.
    pub fn look(&mut self) -> Result<String, Errno> {
        let now = time::now();
        let elapsed = (now - self.at).max(1);
        let system = process::system()?;
        let threads = threads::all()?;
        let mut shares: Vec<(u64, &ThreadInfo)> = threads
            .iter()
            .map(|thread| {
                let before = self.last.get(&thread.tid).copied().unwrap_or(0);
                let used = thread.time.saturating_sub(before);
                // Thousandths of a CPU.
                (used.saturating_mul(1000) / elapsed, thread)
            })
            .collect();
        shares.sort_by_key(|(share, thread)| (core::cmp::Reverse(*share), thread.tid));
        let unit = u64::from(system.mem_unit.max(1));
        let mut text = String::new();
        let running = threads.iter().filter(|thread| thread.state == b'R').count();
        let _ = writeln!(
            text,
            "up {} s, {} threads, {running} running, {} of {} free",
            system.uptime,
            threads.len(),
            human(system.freeram * unit),
            human(system.totalram * unit)
        );
        per_cpu(&mut text, &shares);
        let _ = writeln!(text, "  PID   TID CPU STATE  %CPU   TIME(ms) NAME");
        for (share, thread) in &shares {
            let (tgid, tid, cpu, state) =
                (thread.tgid, thread.tid, thread.cpu, thread.state as char);
            let (whole, tenth, time) = (share / 10, share % 10, thread.time / 1_000_000);
            let name = thread.name.split(|byte| *byte == 0).next().unwrap_or(b"");
            let name = Text(name);
            let _ = writeln!(
                text,
                "{tgid:5} {tid:5} {cpu:3} {state:5} {whole:3}.{tenth} {time:10} {name}"
            );
        }
        self.at = now;
        self.last = threads
            .iter()
            .map(|thread| (thread.tid, thread.time))
            .collect();
        Ok(text)
    }
}

/// A line for each CPU that threads are on: how many, how many of them run,
/// and their share.
fn per_cpu(text: &mut String, shares: &[(u64, &ThreadInfo)]) {
    let mut cpus: BTreeMap<u32, (usize, usize, u64)> = BTreeMap::new();
    for (share, thread) in shares {
        let (count, running, sum) = cpus.entry(thread.cpu).or_default();
        *count += 1;
        *running += usize::from(thread.state == b'R');
        *sum += share;
    }
    for (cpu, (count, running, sum)) in cpus {
        let (whole, tenth) = (sum / 10, sum % 10);
        let _ = writeln!(
            text,
            "cpu {cpu}: {count} threads, {running} running, {whole}.{tenth}% busy"
        );
    }
}
