//! Bad times, signals, flags, and words to wait on.

use crate::bad::{BAD, PAGE};
use weft::abi::file::*;
use weft::abi::time::*;
use weft::check::Test;
use weft::process::Ended;
use weft::{Errno, call, check, file, process, tests, wild};

pub const TESTS: &[Test] = tests![
    bad_wait_arguments,
    bad_times,
    bad_futexes,
    bad_signals,
    bad_flags,
];

fn bad_wait_arguments() {
    let child = check::start_child(|| process::exit(3));
    for pointer in BAD.into_iter().filter(|pointer| *pointer != 0) {
        let result = wild::call(call::WAIT4, [child as usize, pointer, 0, 0]);
        assert_eq!(result, Err(Errno::EFAULT), "{pointer:#x}");
    }
    // Nothing was consumed (on Linux it would have been).
    assert_eq!(process::wait(), Ok((child, Ended::Exited(3))));
    assert_eq!(
        wild::call(call::WAIT4, [usize::MAX, 0, 0x100, 0]),
        Err(Errno::EINVAL)
    );
}

fn bad_times() {
    for pointer in BAD {
        assert_eq!(
            wild::call(call::NANOSLEEP, [pointer, 0]),
            Err(Errno::EFAULT)
        );
        let args = [CLOCK_MONOTONIC, 0, pointer, 0];
        assert_eq!(wild::call(call::CLOCK_NANOSLEEP, args), Err(Errno::EFAULT));
    }
    for time in [
        (0i64, -1i64),
        (0, 1_000_000_000),
        (-1, 0),
        (i64::MIN, i64::MIN),
    ] {
        let at = &raw const time as usize;
        assert_eq!(
            wild::call(call::NANOSLEEP, [at, 0]),
            Err(Errno::EINVAL),
            "{time:?}"
        );
        let args = [CLOCK_MONOTONIC, 0, at, 0];
        assert_eq!(
            wild::call(call::CLOCK_NANOSLEEP, args),
            Err(Errno::EINVAL),
            "{time:?}"
        );
    }
    // A point in time that has passed.
    let past = Timespec::default();
    let args = [CLOCK_MONOTONIC, TIMER_ABSTIME, &raw const past as usize, 0];
    assert_eq!(wild::call(call::CLOCK_NANOSLEEP, args), Ok(0));
    for clock in [99, usize::MAX >> 1, 1 << 31] {
        let room = wild::map(PAGE);
        assert_eq!(
            wild::call(call::CLOCK_GETTIME, [clock, room]),
            Err(Errno::EINVAL)
        );
    }
}

fn bad_futexes() {
    use weft::abi::futex::*;
    let word = wild::map(PAGE);
    for operation in [FUTEX_WAIT, FUTEX_WAIT | FUTEX_PRIVATE_FLAG] {
        for pointer in BAD.into_iter().filter(|pointer| pointer % 4 == 0) {
            let result = wild::call(call::FUTEX, [pointer, operation, 0, 0]);
            assert_eq!(result, Err(Errno::EFAULT), "{pointer:#x}");
        }
        assert_eq!(
            wild::call(call::FUTEX, [word + 1, operation, 0, 0]),
            Err(Errno::EINVAL)
        );
        assert_eq!(
            wild::call(call::FUTEX, [word, operation, 1, 0]),
            Err(Errno::EAGAIN)
        );
        for pointer in BAD.into_iter().filter(|pointer| *pointer != 0) {
            let result = wild::call(call::FUTEX, [word, operation, 0, pointer]);
            assert_eq!(result, Err(Errno::EFAULT), "time-out at {pointer:#x}");
        }
        let short = Timespec { sec: 0, nsec: 1000 };
        let args = [word, operation, 0, &raw const short as usize];
        assert_eq!(wild::call(call::FUTEX, args), Err(Errno::ETIMEDOUT));
        let odd = Timespec { sec: 0, nsec: -1 };
        let args = [word, operation, 0, &raw const odd as usize];
        assert_eq!(wild::call(call::FUTEX, args), Err(Errno::EINVAL));
    }
    let private = FUTEX_PRIVATE_FLAG;
    assert_eq!(
        wild::call(call::FUTEX, [word + 1, FUTEX_WAKE | private, 1]),
        Err(Errno::EINVAL)
    );
    assert_eq!(
        wild::call(call::FUTEX, [word, FUTEX_WAKE | private, 1]),
        Ok(0)
    );
    let no_bits = [word, FUTEX_WAIT_BITSET | private, 0, 0, 0, 0];
    assert_eq!(wild::call(call::FUTEX, no_bits), Err(Errno::EINVAL));
    assert_eq!(
        wild::call(call::FUTEX, [word, 0x7f, 0, 0]),
        Err(Errno::ENOSYS)
    );
}

fn bad_signals() {
    for pointer in BAD.into_iter().filter(|pointer| *pointer != 0) {
        let args = [10, pointer, 0, 8];
        assert_eq!(
            wild::call(call::RT_SIGACTION, args),
            Err(Errno::EFAULT),
            "{pointer:#x}"
        );
        let args = [10, 0, pointer, 8];
        assert_eq!(
            wild::call(call::RT_SIGACTION, args),
            Err(Errno::EFAULT),
            "{pointer:#x}"
        );
        let args = [0, pointer, 0, 8];
        assert_eq!(
            wild::call(call::RT_SIGPROCMASK, args),
            Err(Errno::EFAULT),
            "{pointer:#x}"
        );
    }
    let action = [0usize; 4];
    let at = action.as_ptr() as usize;
    for signal in [0, 65, 1 << 31, usize::MAX] {
        assert_eq!(
            wild::call(call::RT_SIGACTION, [signal, at, 0, 8]),
            Err(Errno::EINVAL)
        );
    }
    for signal in [9, 19] {
        assert_eq!(
            wild::call(call::RT_SIGACTION, [signal, at, 0, 8]),
            Err(Errno::EINVAL)
        );
    }
    assert_eq!(
        wild::call(call::RT_SIGACTION, [10, at, 0, 4]),
        Err(Errno::EINVAL)
    );
}

fn bad_flags() {
    let path = c"/dev/null".as_ptr() as usize;
    assert_eq!(wild::call(call::PIPE2, [path, 1]), Err(Errno::EINVAL));
    assert_eq!(wild::call(call::DUP3, [0, 30, 1]), Err(Errno::EINVAL));
    assert_eq!(wild::call(call::FCNTL, [0, 9999, 0]), Err(Errno::EINVAL));
    assert_eq!(
        wild::call(call::FCNTL, [0, F_DUPFD, usize::MAX >> 1]),
        Err(Errno::EINVAL)
    );
    let null = file::open(c"/dev/null", O_RDONLY).unwrap() as usize;
    assert_eq!(
        wild::call(call::IOCTL, [null, 0x5401, path]),
        Err(Errno::ENOTTY)
    );
    assert_eq!(
        wild::call(call::IOCTL, [null, 0xdead, 0]),
        Err(Errno::ENOTTY)
    );
    assert_eq!(
        wild::call(call::ARCH_PRCTL, [0xdead, 0]),
        Err(Errno::EINVAL)
    );
    let wild_base = wild::call(call::ARCH_PRCTL, [0x1001, 1 << 63]);
    assert_eq!(wild_base, Err(Errno::EPERM));
    assert_eq!(wild::call(call::REBOOT, [1, 2, 3, 4]), Err(Errno::EINVAL));
}
