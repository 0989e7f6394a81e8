//! `crash SEED THREADS OPERATIONS TAIL [STRESS]`: what `cargo weft crash` runs while the
//! power fails. Each thread carries out its [`Plan`] on the disk, and writes a
//! [`Promise`] behind the file system, from byte TAIL of the disk on, each time
//! a call has made something durable.
//!
//! The promise goes to the disk after that call has returned: whatever state
//! the disk is left in, if the promise was on its way to the disk by then, all
//! that it promises must be found there.
//!
//! So many processes of `stressfs` as STRESS says work on the disk meanwhile.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

extern crate alloc;

mod carry_out;
mod stress;

use carry_out::Worker;
use core::sync::atomic::{AtomicU64, Ordering};
use stress::Stress;
use weft::abi::file::*;
use weft::{Errno, file, storage, thread};
use workload::{PROMISE, Promise};

weft::program!(main);

const DISK: &core::ffi::CStr = c"/dev/vda";
const MOUNT: &core::ffi::CStr = c"/disk";

/// Where the next promise goes.
struct Tail {
    next: AtomicU64,
}

impl Tail {
    /// Writes a promise through the caller's own open file on the disk.
    fn promise(&self, disk: i32, promise: Promise) -> Result<(), Errno> {
        let at = self.next.fetch_add(PROMISE as u64, Ordering::Relaxed);
        let mut block = [0; PROMISE];
        block[..24].copy_from_slice(&promise.to_bytes());
        file::seek(disk, at as i64, SEEK_SET)?;
        file::write_all(disk, &block)?;
        storage::sync_data(disk)?;
        weft::println!("promise {} {}", promise.thread, promise.operation);
        Ok(())
    }
}

fn main() -> i32 {
    match run() {
        Ok(()) => {
            weft::println!("workload done");
            0
        }
        Err(error) => {
            weft::eprintln!("crash: {error}");
            1
        }
    }
}

fn run() -> Result<(), Errno> {
    let mut numbers = weft::args()
        .skip(1)
        .map(|word| word.to_str().ok()?.parse().ok());
    let mut number = || numbers.next().flatten().ok_or(Errno::EINVAL);
    let (seed, threads, operations): (u64, u64, u64) = (number()?, number()?, number()?);
    let tail = Tail {
        next: AtomicU64::new(number()?),
    };
    let stressers = number().unwrap_or(0);
    let _ = file::mkdir(MOUNT);
    storage::mount(DISK, MOUNT, c"ext4", 0)?;
    file::chdir(MOUNT)?;
    file::mkdir(c"shared")?;
    for thread in 0..threads as usize {
        carry_out::make_folders(thread)?;
    }
    if stressers > 0 {
        Stress::make_folder()?;
    }
    storage::sync();
    let stress = match stressers {
        0 => None,
        _ => Some(Stress::start(stressers)?),
    };
    let run = |thread: u64| -> Result<(), Errno> {
        let mut worker = Worker::new(seed, thread as usize, operations as usize);
        let disk = file::open(DISK, O_RDWR)?;
        while let Some(operation) = worker.step()? {
            tail.promise(
                disk,
                Promise {
                    thread: thread as u32,
                    operation: operation as u32,
                },
            )?;
        }
        file::close(disk)
    };
    let run = &run;
    thread::scope(|scope| {
        for thread in 1..threads {
            scope.spawn(move || run(thread).unwrap_or_else(give_up))?;
        }
        run(0).or_else(give_up)
    })?;
    if let Some(stress) = stress {
        stress.end()?;
    }
    file::chdir(c"/")?;
    storage::unmount(MOUNT)
}

/// The disk has failed: says what can be done with it once what failed was
/// tried again.
fn give_up<T>(error: Errno) -> T {
    weft::eprintln!("crash: {error}");
    let _ = make_and_remove();
    storage::sync();
    match make_and_remove() {
        Ok(()) => weft::eprintln!("crash: then: files can be made"),
        Err(error) => weft::eprintln!("crash: then: {error}"),
    }
    weft::process::exit(1)
}

fn make_and_remove() -> Result<(), Errno> {
    file::close(file::open(c"shared/then", O_CREAT | O_WRONLY)?)?;
    file::unlink(c"shared/then")
}
