//! Calls with noise for arguments: whatever comes of it, the system goes on.

use weft::abi::file::O_RDWR;
use weft::abi::signal::SIGKILL;
use weft::check::{Test, rounds};
use weft::{call, check, file, process, tests, wild};

pub const TESTS: &[Test] = tests![noise_in_every_call, noise_from_several_threads];

/// All calls but those that end or signal processes, multiply them, or switch
/// the machine off.
const CALLS: [usize; 72] = [
    call::READ,
    call::WRITE,
    call::OPEN,
    call::CLOSE,
    call::STAT,
    call::FSTAT,
    call::LSTAT,
    call::POLL,
    call::LSEEK,
    call::MMAP,
    call::MPROTECT,
    call::MUNMAP,
    call::BRK,
    call::RT_SIGACTION,
    call::RT_SIGPROCMASK,
    call::IOCTL,
    call::PREAD64,
    call::PWRITE64,
    call::READV,
    call::WRITEV,
    call::ACCESS,
    call::PIPE,
    call::SCHED_YIELD,
    call::MADVISE,
    call::DUP,
    call::DUP2,
    call::NANOSLEEP,
    call::EXECVE,
    call::WAIT4,
    call::UNAME,
    call::FCNTL,
    call::FTRUNCATE,
    call::GETCWD,
    call::CHDIR,
    call::RENAME,
    call::MKDIR,
    call::RMDIR,
    call::CREAT,
    call::LINK,
    call::UNLINK,
    call::SYMLINK,
    call::READLINK,
    call::UMASK,
    call::SYSINFO,
    call::SETPGID,
    call::GETPGRP,
    call::SETSID,
    call::SIGALTSTACK,
    call::MKNOD,
    call::ARCH_PRCTL,
    call::FUTEX,
    call::SCHED_SETAFFINITY,
    call::SCHED_GETAFFINITY,
    call::GETDENTS64,
    call::SET_TID_ADDRESS,
    call::CLOCK_GETTIME,
    call::CLOCK_NANOSLEEP,
    call::OPENAT,
    call::NEWFSTATAT,
    call::UNLINKAT,
    call::DUP3,
    call::PIPE2,
    call::GETRANDOM,
    call::THREAD_CLONE,
    call::THREAD_JOIN_ANY,
    call::THREAD_JOIN,
    call::THREAD_DETACH,
    call::SEM_CREATE,
    call::SEM_WAIT,
    call::SEM_POST,
    call::SEM_DESTROY,
    call::THREAD_LIST,
];

struct Noise(u64);

impl Noise {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % limit
    }

    /// Something that a call might trip over.
    fn word(&mut self, page: usize) -> usize {
        let wild = (self.0 >> 11) as usize;
        match self.below(12) {
            0 => 0,
            1 => usize::MAX,
            2 => 1 << self.below(64),
            3 => (1usize << self.below(64)).wrapping_sub(1),
            4 => page,
            5 => page + 4096 - self.below(64),
            6 => page + self.below(4096),
            7 => 0xffff_ffff_8000_0000 + self.below(1 << 24),
            8 => wild,
            _ => self.below(20),
        }
    }

    fn make_calls(&mut self, count: usize) {
        let page = wild::map(4096);
        // Paths there are short and relative; numbers are small.
        wild::bytes(page, 8).copy_from_slice(b"noise\0\0\0");
        for _ in 0..count {
            let number = CALLS[self.below(CALLS.len())];
            let args = core::array::from_fn::<usize, 6, _>(|_| self.word(page));
            let _ = wild::call(number, args);
        }
    }
}

/// Starts a child that makes noise, away from the console and in a folder of
/// its own.
fn start(seed: u64, threads: usize) -> i32 {
    check::start_child(|| {
        let _ = file::mkdir(c"/noise");
        file::chdir(c"/noise").unwrap();
        let null = file::open(c"/dev/null", O_RDWR).unwrap();
        for fd in 0..3 {
            file::dup2(null, fd).unwrap();
        }
        for i in 1..threads as u64 {
            let work = move || Noise(seed * 100 + i).make_calls(rounds(500, 20_000));
            let _ = weft::thread::spawn(work).unwrap().id();
        }
        Noise(seed * 100).make_calls(rounds(500, 20_000));
    })
}

/// A child may end by itself, by a fault, or hang in a call that waits. Then it
/// is ended; that it can be is part of the test.
fn end(child: i32) {
    let members = || {
        let all = check::list();
        all.into_iter()
            .filter(move |info| info.tgid == child as u32)
    };
    check::until(|| members().all(|info| info.state != b'R'));
    // It may have ended by itself.
    let _ = process::kill(child, SIGKILL);
    check::wait_for(child);
}

fn noise_in_every_call() {
    for seed in 0..rounds(30, 2_000) as u64 {
        end(start(seed, 1));
    }
}

fn noise_from_several_threads() {
    for seed in 0..rounds(15, 1_000) as u64 {
        end(start(seed + 1_000_000, 4));
    }
}
