//! prctl: names, signals at a parent's end, orphans that an ancestor adopts, and
//! what is only kept (prctl(2)).

use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering::SeqCst;
use weft::abi::prctl::*;
use weft::abi::signal::SIGUSR1;
use weft::check::{Test, until};
use weft::process::Ended;
use weft::{Errno, call, check, process, tests, thread, wild};

pub const TESTS: &[Test] = tests![
    names_are_each_threads,
    names_are_cut_and_inherited,
    children_are_told_of_their_parents_end,
    orphans_go_to_an_ancestor_that_asked,
    what_prctl_keeps,
    prctl_refuses,
];

fn prctl(option: usize, word: usize) -> Result<usize, Errno> {
    wild::call(call::PRCTL, [option, word, 0, 0, 0])
}

fn set_name(name: &[u8]) {
    assert_eq!(prctl(PR_SET_NAME, name.as_ptr() as usize), Ok(0));
}

fn name() -> [u8; TASK_COMM_LEN] {
    let mut name = [b'x'; TASK_COMM_LEN];
    let at = name.as_mut_ptr() as usize;
    assert_eq!(prctl(PR_GET_NAME, at), Ok(0));
    name
}

fn get(option: usize) -> u32 {
    let mut value = u32::MAX;
    assert_eq!(prctl(option, &raw mut value as usize), Ok(0));
    value
}

/// What the list of threads says.
fn listed(tid: i32) -> [u8; 15] {
    let infos = check::list();
    let found = infos.iter().find(|info| info.tid == tid as u32);
    found.expect("it is alive").name
}

fn names_are_each_threads() {
    set_name(b"first\0");
    let seen = AtomicU32::new(0);
    thread::scope(|scope| {
        let body = || {
            assert_eq!(&name()[..6], b"first\0");
            set_name(b"second\0");
            assert_eq!(&name()[..7], b"second\0");
            assert_eq!(&listed(thread::id())[..7], b"second\0");
            seen.store(1, SeqCst);
        };
        scope.spawn(body).unwrap();
    });
    assert_eq!(seen.load(SeqCst), 1);
    assert_eq!(&name()[..6], b"first\0");
    assert_eq!(&listed(thread::id())[..6], b"first\0");
}

fn names_are_cut_and_inherited() {
    set_name(b"0123456789abcdefghi\0");
    assert_eq!(&name(), b"0123456789abcde\0");
    // Any bytes, and only those up to the zero are read.
    let page = wild::map(1 << 12);
    wild::bytes(page + 4090, 6).copy_from_slice(b"\xff\n a\x01\0");
    assert_eq!(prctl(PR_SET_NAME, page + 4090), Ok(0));
    let expected = b"\xff\n a\x01\0\0\0\0\0\0\0\0\0\0\0";
    assert_eq!(&name(), expected);
    let ended = check::in_child(|| assert_eq!(&name(), expected));
    assert_eq!(ended, Ended::Exited(0));
    set_name(b"\0");
    assert_eq!(name(), [0; TASK_COMM_LEN]);
}

fn children_are_told_of_their_parents_end() {
    let page = crate::shared_futex::map_shared();
    let ready = wild::word(page);
    let pid = wild::word(page + 4);
    prctl(PR_SET_CHILD_SUBREAPER, 1).unwrap();
    let parent = check::start_child(|| {
        check::start_child(|| {
            assert_eq!(get(PR_GET_PDEATHSIG), 0);
            assert_eq!(prctl(PR_SET_PDEATHSIG, SIGUSR1 as usize), Ok(0));
            assert_eq!(get(PR_GET_PDEATHSIG), SIGUSR1);
            // A child of its own has not asked.
            let ended = check::in_child(|| assert_eq!(get(PR_GET_PDEATHSIG), 0));
            assert_eq!(ended, Ended::Exited(0));
            pid.store(process::id() as u32, SeqCst);
            ready.store(1, SeqCst);
            loop {
                let _ = wild::call(call::PAUSE, []);
            }
        });
        until(|| ready.load(SeqCst) == 1);
    });
    assert_eq!(check::wait_for(parent), Ended::Exited(0));
    let orphan = pid.load(SeqCst) as i32;
    assert_eq!(check::wait_for(orphan), Ended::Signaled(SIGUSR1 as u8));
}

fn orphans_go_to_an_ancestor_that_asked() {
    let page = crate::shared_futex::map_shared();
    let (told, go) = (wild::word(page), wild::word(page + 4));
    assert_eq!(get(PR_GET_CHILD_SUBREAPER), 0);
    assert_eq!(prctl(PR_SET_CHILD_SUBREAPER, 1), Ok(0));
    assert_eq!(get(PR_GET_CHILD_SUBREAPER), 1);
    let me = process::id();
    let middle = check::start_child(|| {
        // A child does not adopt because its parent does.
        assert_eq!(get(PR_GET_CHILD_SUBREAPER), 0);
        let alive = check::start_child(|| {
            until(|| go.load(SeqCst) == 1);
            assert_eq!(process::parent(), me);
        });
        told.store(alive as u32, SeqCst);
        // And one that has ended before it is adopted.
        check::start_child(|| process::exit(7));
    });
    assert_eq!(check::wait_for(middle), Ended::Exited(0));
    go.store(1, SeqCst);
    let mut ended = [process::wait().unwrap(), process::wait().unwrap()];
    ended.sort_by_key(|(pid, _)| *pid != told.load(SeqCst) as i32);
    assert_eq!(ended[0], (told.load(SeqCst) as i32, Ended::Exited(0)));
    assert_eq!(ended[1].1, Ended::Exited(7));
    assert_eq!(process::wait(), Err(Errno::ECHILD));
    assert_eq!(prctl(PR_SET_CHILD_SUBREAPER, 0), Ok(0));
    assert_eq!(get(PR_GET_CHILD_SUBREAPER), 0);
}

fn what_prctl_keeps() {
    assert_eq!(prctl(PR_GET_DUMPABLE, 0), Ok(1));
    assert_eq!(prctl(PR_SET_DUMPABLE, 0), Ok(0));
    assert_eq!(prctl(PR_GET_NO_NEW_PRIVS, 0), Ok(0));
    assert_eq!(prctl(PR_SET_NO_NEW_PRIVS, 1), Ok(0));
    assert_eq!(prctl(PR_GET_TIMERSLACK, 0), Ok(50_000));
    assert_eq!(prctl(PR_SET_TIMERSLACK, 700), Ok(0));
    let ended = check::in_child(|| {
        assert_eq!(prctl(PR_GET_DUMPABLE, 0), Ok(0));
        assert_eq!(prctl(PR_GET_NO_NEW_PRIVS, 0), Ok(1));
        assert_eq!(prctl(PR_SET_TIMERSLACK, 5), Ok(0));
        assert_eq!(prctl(PR_GET_TIMERSLACK, 0), Ok(5));
        // Its maker's.
        assert_eq!(prctl(PR_SET_TIMERSLACK, 0), Ok(0));
        assert_eq!(prctl(PR_GET_TIMERSLACK, 0), Ok(700));
    });
    assert_eq!(ended, Ended::Exited(0));
    assert_eq!(prctl(PR_SET_TIMERSLACK, 0), Ok(0));
    assert_eq!(prctl(PR_GET_TIMERSLACK, 0), Ok(50_000));
    assert_eq!(prctl(PR_SET_KEEPCAPS, 1), Ok(0));
    assert_eq!(prctl(PR_GET_KEEPCAPS, 0), Ok(1));
    let mut word = 1usize;
    prctl(PR_GET_TID_ADDRESS, &raw mut word as usize).unwrap();
    wild::call(call::SET_TID_ADDRESS, [64]).unwrap();
    prctl(PR_GET_TID_ADDRESS, &raw mut word as usize).unwrap();
    assert_eq!(word, 64);
    assert_eq!(prctl(PR_CAPBSET_READ, 0), Ok(1));
}

fn prctl_refuses() {
    let bad = [
        (0, 0),
        (0x7fff_ffff, 0),
        (PR_SET_PDEATHSIG, 65),
        (PR_SET_PDEATHSIG, usize::MAX),
        (PR_SET_DUMPABLE, 2),
        (PR_SET_KEEPCAPS, 2),
        (PR_SET_TIMING, 1),
        (PR_SET_NO_NEW_PRIVS, 0),
        (PR_SET_NO_NEW_PRIVS, 2),
        (PR_GET_NO_NEW_PRIVS, 1),
        (PR_CAPBSET_READ, CAP_LAST_CAP + 1),
    ];
    for (option, word) in bad {
        assert_eq!(prctl(option, word), Err(Errno::EINVAL), "{option} {word}");
    }
    let further = [PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0];
    assert_eq!(wild::call(call::PRCTL, further), Err(Errno::EINVAL));
    for option in [
        PR_SET_NAME,
        PR_GET_NAME,
        PR_GET_PDEATHSIG,
        PR_GET_CHILD_SUBREAPER,
    ] {
        assert_eq!(prctl(option, 8), Err(Errno::EFAULT), "{option}");
    }
    // A name that ends behind what can be read is none.
    let page = wild::map(1 << 12);
    wild::bytes(page + 4094, 2).copy_from_slice(b"ab");
    let before = name();
    wild::unmap(page + 4096, 4096).unwrap();
    assert_eq!(prctl(PR_SET_NAME, page + 4094), Err(Errno::EFAULT));
    assert_eq!(name(), before);
}
