//! clone3: its arguments in a structure that may be older or newer than the
//! kernel's (clone(2)). Threads made so are tested by programs of C.

use crate::shared::PAGE;
use core::sync::atomic::Ordering::SeqCst;
use weft::abi::clone::*;
use weft::abi::signal::{SIG_DFL, SIG_IGN, SIGCHLD, SIGUSR1, SIGUSR2, SigAction};
use weft::check::Test;
use weft::process::Ended;
use weft::{Errno, call, check, process, tests, wild};

pub const TESTS: &[Test] = tests![
    clone3_forks,
    clone3_writes_ids,
    clone3_clears_handlers,
    clone3_takes_other_sizes,
    clone3_refuses,
];

const SIZE: usize = size_of::<CloneArgs>();

fn clone3(args: &CloneArgs, size: usize) -> Result<usize, Errno> {
    wild::call(call::CLONE3, [args as *const CloneArgs as usize, size])
}

fn fork() -> CloneArgs {
    CloneArgs {
        exit_signal: SIGCHLD.into(),
        ..CloneArgs::default()
    }
}

/// Forks so; how the child that runs `body` ended.
fn in_child(args: &CloneArgs, size: usize, body: impl FnOnce()) -> Ended {
    match clone3(args, size).expect("clone3") {
        0 => {
            body();
            process::exit(0)
        }
        child => check::wait_for(child as i32),
    }
}

fn clone3_forks() {
    assert_eq!(
        in_child(&fork(), SIZE, || process::exit(9)),
        Ended::Exited(9)
    );
}

fn clone3_writes_ids() {
    let page = wild::map(PAGE);
    let flags = CLONE_PARENT_SETTID | CLONE_CHILD_SETTID;
    let args = CloneArgs {
        flags: flags as u64,
        parent_tid: page as u64,
        child_tid: page as u64 + 4,
        ..fork()
    };
    let ended = in_child(&args, SIZE, || {
        let id = wild::call(call::GETTID, []).unwrap() as u32;
        assert_eq!(wild::word(page + 4).load(SeqCst), id);
        process::exit(id as i32 & 0x7f)
    });
    let id = wild::word(page).load(SeqCst);
    assert_eq!(ended, Ended::Exited(id as u8 & 0x7f));
    assert_eq!(wild::word(page + 4).load(SeqCst), 0);
    wild::unmap(page, PAGE).unwrap();
}

fn set_handler(signal: u32, handler: usize) {
    let action = SigAction {
        handler,
        ..SigAction::default()
    };
    let at = &raw const action as usize;
    wild::call(call::RT_SIGACTION, [signal as usize, at, 0, 8]).unwrap();
}

fn handler(signal: u32) -> usize {
    let mut action = SigAction::default();
    let at = &raw mut action as usize;
    wild::call(call::RT_SIGACTION, [signal as usize, 0, at, 8]).unwrap();
    action.handler
}

fn clone3_clears_handlers() {
    let ended = check::in_child(|| {
        set_handler(SIGUSR1, 0x1234_5000);
        set_handler(SIGUSR2, SIG_IGN);
        let args = CloneArgs {
            flags: CLONE_CLEAR_SIGHAND as u64,
            ..fork()
        };
        let ended = in_child(&args, SIZE, || {
            assert_eq!((handler(SIGUSR1), handler(SIGUSR2)), (SIG_DFL, SIG_IGN));
        });
        assert_eq!(ended, Ended::Exited(0));
        assert_eq!(handler(SIGUSR1), 0x1234_5000);
    });
    assert_eq!(ended, Ended::Exited(0));
}

fn clone3_takes_other_sizes() {
    let page = wild::map(2 * PAGE);
    wild::word64(page + 32).store(SIGCHLD.into(), SeqCst);
    let call = |at: usize, size: usize| wild::call(call::CLONE3, [at, size]);
    for size in [CloneArgs::SIZE_FIRST, SIZE - 8, SIZE, SIZE + 8, PAGE] {
        match call(page, size) {
            Ok(0) => process::exit(5),
            Ok(child) => assert_eq!(check::wait_for(child as i32), Ended::Exited(5)),
            Err(error) => panic!("{size}: {error}"),
        }
    }
    for size in [0, 63] {
        assert_eq!(call(page, size), Err(Errno::EINVAL));
    }
    assert_eq!(call(page, PAGE + 1), Err(Errno::E2BIG));
    // Something that this kernel does not know.
    wild::store(page + SIZE + 3, 1);
    assert_eq!(call(page, SIZE + 8), Err(Errno::E2BIG));
    assert_eq!(call(8, SIZE), Err(Errno::EFAULT));
    wild::unmap(page + PAGE, PAGE).unwrap();
    assert_eq!(call(page + PAGE - 80, SIZE), Err(Errno::EFAULT));
    wild::unmap(page, PAGE).unwrap();
}

fn clone3_refuses() {
    let stack = |stack, stack_size| CloneArgs {
        stack,
        stack_size,
        ..fork()
    };
    let flags = |flags: usize| CloneArgs {
        flags: flags as u64,
        ..fork()
    };
    for args in [
        stack(0x10_0000, 0),
        stack(0, 0x1000),
        stack(u64::MAX, 2),
        stack(1 << 63, 0x1000),
        flags(CLONE_THREAD),
        flags(CLONE_DETACHED),
        flags(SIGCHLD as usize),
        flags(1 << 40),
        CloneArgs {
            exit_signal: 65,
            ..fork()
        },
        CloneArgs {
            set_tid: 0x10_0000,
            set_tid_size: 1,
            ..fork()
        },
    ] {
        assert_eq!(clone3(&args, SIZE), Err(Errno::EINVAL), "{args:?}");
    }
}
