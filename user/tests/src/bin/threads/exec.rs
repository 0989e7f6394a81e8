//! exec in a process with threads.

use crate::shared::*;
use alloc::ffi::CString;
use alloc::format;
use core::ffi::CStr;
use core::sync::atomic::{AtomicI32, AtomicU32, Ordering::SeqCst};
use weft::abi::signal::SIGKILL;
use weft::check::{Test, until, until_asleep};
use weft::process::Ended;
use weft::{Errno, check, file, process, tests, thread};

pub const TESTS: &[Test] = tests![
    exec_in_another_thread_takes_the_id,
    exec_in_the_first_thread_ends_the_others,
    exec_of_two_at_once_one_wins,
    exec_while_peers_clone,
    exec_that_fails_harms_nobody,
    exec_that_fails_late_harms_nobody,
    exec_during_a_kill,
    exec_while_peers_sleep,
    exec_while_a_peer_joins,
    exec_in_a_thread_of_the_space_only,
    exec_closes_marked_files_only,
];

/// Turns the process into this program as a helper: `role`, and the process id
/// that it should have.
pub fn become_helper(role: &CStr, pid: i32) -> Errno {
    let path = own_path();
    let pid = CString::new(format!("{pid}")).unwrap();
    process::exec(&path, &[&path, c"--as", role, &pid])
}

fn own_path() -> CString {
    let name = weft::args().next().unwrap_or(c"threads");
    match name.to_bytes().contains(&b'/') {
        true => name.into(),
        false => CString::new([b"/tests/", name.to_bytes()].concat()).unwrap(),
    }
}

/// If this run is a helper's: what it found, as an exit code.
pub fn helper() -> Option<i32> {
    let mut args = weft::args().skip(1);
    if args.next() != Some(c"--as") {
        return None;
    }
    let role = args.next().unwrap_or(c"");
    let pid = args
        .next()
        .and_then(|pid| pid.to_str().ok()?.parse().ok())
        .unwrap_or(0);
    Some(match role.to_bytes() {
        b"alone" => !is_alone(pid) as i32,
        b"files" => {
            let open = |fd| file::fstat(fd).is_ok();
            (!open(50) || open(51) || !open(52) || open(53)) as i32
        }
        _ => 2,
    })
}

/// One thread, with the id of the process, and a heap that works.
fn is_alone(pid: i32) -> bool {
    let members = check::list()
        .iter()
        .filter(|info| info.tgid == pid as u32)
        .count();
    let works = thread::spawn(|| 5).and_then(thread::JoinHandle::join);
    process::id() == pid && thread::id() == pid && members == 1 && works == Ok(Some(5))
}

/// Runs `body` in a child, which is to become a helper that finds all well.
fn becomes_helper(body: impl FnOnce()) {
    let (read, write) = file::pipe().unwrap();
    let ended = check::in_child(|| {
        file::close(read).unwrap();
        body();
        panic!("exec did not happen");
    });
    assert_eq!(ended, Ended::Exited(0));
    // No thread of the old program holds its descriptors.
    file::close(write).unwrap();
    assert_eq!(file::read(read, &mut [0]), Ok(0));
    file::close(read).unwrap();
}

fn exec_in_another_thread_takes_the_id() {
    for hard in [true, false] {
        becomes_helper(|| {
            let pid = process::id();
            let body = || panic!("exec: {}", become_helper(c"alone", pid));
            bare(GROUP, &body).unwrap();
            if hard { spin_hard() } else { sleep_for_ever() }
        });
    }
}

fn exec_in_the_first_thread_ends_the_others() {
    becomes_helper(|| {
        for i in 0..6 {
            if i % 2 == 0 {
                bare(GROUP, &|| spin_hard()).unwrap();
            } else {
                bare(GROUP, &|| sleep_for_ever()).unwrap();
            }
        }
        panic!("exec: {}", become_helper(c"alone", process::id()));
    });
}

fn exec_of_two_at_once_one_wins() {
    for _ in 0..check::rounds(8, 500) {
        becomes_helper(|| {
            let pid = process::id();
            let start = Flag::new();
            let body = || {
                start.wait();
                panic!("exec: {}", become_helper(c"alone", pid));
            };
            for _ in 0..4 {
                bare(GROUP, &body).unwrap();
            }
            start.set();
            body();
        });
    }
}

fn exec_while_peers_clone() {
    for _ in 0..check::rounds(8, 500) {
        becomes_helper(|| {
            let made = AtomicU32::new(0);
            let maker = || loop {
                if let Ok(peer) = bare(GROUP, &|| ()) {
                    made.fetch_add(1, SeqCst);
                    peer.join();
                }
            };
            for _ in 0..3 {
                bare(GROUP, &maker).unwrap();
            }
            until(|| made.load(SeqCst) > 20);
            panic!("exec: {}", become_helper(c"alone", process::id()));
        });
    }
}

fn exec_that_fails_harms_nobody() {
    let (stop, count) = (Flag::new(), AtomicU32::new(0));
    let body = || {
        while !stop.is_set() {
            count.fetch_add(1, SeqCst);
            weft::time::give_way();
        }
    };
    let peers: [_; 3] = core::array::from_fn(|_| bare(GROUP, &body).unwrap());
    let broken = c"/broken";
    let try_all = || {
        for (path, error) in [
            (c"/nosuch", Errno::ENOENT),
            (c"/", Errno::EACCES),
            (c"/dev/null", Errno::EACCES),
            (c"", Errno::ENOENT),
            (broken, Errno::ENOEXEC),
        ] {
            assert_eq!(process::exec(path, &[path]), error, "{path:?}");
        }
    };
    let mut image = [0u8; 200];
    image[..4].copy_from_slice(b"\x7fELF");
    let fd = file::open(broken, weft::abi::file::O_WRONLY | weft::abi::file::O_CREAT).unwrap();
    file::write_all(fd, &image).unwrap();
    file::close(fd).unwrap();
    make_executable(broken);
    try_all();
    // From a thread that is not the first, too.
    bare(GROUP, &try_all).unwrap().join();
    for peer in peers {
        let seen = count.load(SeqCst);
        until(|| count.load(SeqCst) > seen);
        assert_eq!(thread::kill(process::id(), peer.id, 0), Ok(()));
    }
    stop.set();
    peers.into_iter().for_each(Bare::join);
    file::unlink(broken).unwrap();
}

/// An image whose second segment wants more memory than there is: the first one
/// has been loaded by then.
fn exec_that_fails_late_harms_nobody() {
    let mut image = [0u8; 4096];
    let good = own_path();
    let fd = file::open(&good, weft::abi::file::O_RDONLY).unwrap();
    assert_eq!(file::read_full(fd, &mut image), Ok(image.len()));
    file::close(fd).unwrap();
    // The table of segments right after the header: 4096 bytes of the file at
    // 4 MiB, and 64 TiB of zeros at 1 GiB.
    let header = |flags: u32, at: u64, in_file: u64, size: u64| {
        let words = [0, at, at, in_file, size, 4096].map(u64::to_le_bytes);
        [
            &1u32.to_le_bytes()[..],
            &flags.to_le_bytes(),
            words.as_flattened(),
        ]
        .concat()
    };
    image[24..32].copy_from_slice(&0x40_1000u64.to_le_bytes());
    image[32..40].copy_from_slice(&64u64.to_le_bytes());
    image[56..58].copy_from_slice(&2u16.to_le_bytes());
    image[64..120].copy_from_slice(&header(5, 0x40_0000, 4096, 4096));
    image[120..176].copy_from_slice(&header(6, 1 << 30, 0, 1 << 46));
    let path = c"/late";
    let fd = file::open(path, weft::abi::file::O_WRONLY | weft::abi::file::O_CREAT).unwrap();
    file::write_all(fd, &image).unwrap();
    file::close(fd).unwrap();
    make_executable(path);
    let (stop, running) = (Flag::new(), Flag::new());
    let body = || {
        running.set();
        stop.wait();
    };
    let peer = bare(GROUP, &body).unwrap();
    running.wait();
    let memory = alloc::vec![5u8; 20_000];
    for _ in 0..20 {
        let error = process::exec(path, &[path]);
        assert!(matches!(error, Errno::ENOMEM | Errno::ENOEXEC), "{error:?}");
    }
    assert!(memory.iter().all(|byte| *byte == 5));
    stop.set();
    peer.join();
    file::unlink(path).unwrap();
}

/// Where files have permissions (Weft has none yet, and then no such call).
fn make_executable(name: &CStr) {
    const CHMOD: usize = 90;
    let _ = weft::wild::call(CHMOD, [name.as_ptr() as usize, 0o755]);
}

fn exec_during_a_kill() {
    for _ in 0..check::rounds(8, 500) {
        let (read, write) = file::pipe().unwrap();
        let child = check::start_child(|| {
            let pid = process::id();
            let body = || panic!("exec: {}", become_helper(c"alone", pid));
            for _ in 0..2 {
                bare(GROUP, &|| spin_for_ever()).unwrap();
            }
            file::write_all(write, b"x").unwrap();
            bare(GROUP, &body).unwrap();
            sleep_for_ever()
        });
        assert_eq!(file::read(read, &mut [0]), Ok(1));
        process::kill(child, SIGKILL).unwrap();
        // Either way it ends, as the one or as the other.
        let ended = check::wait_for(child);
        assert!(
            matches!(ended, Ended::Exited(0) | Ended::Signaled(9)),
            "{ended:?}"
        );
        file::close(read).unwrap();
        file::close(write).unwrap();
    }
}

fn exec_while_peers_sleep() {
    becomes_helper(|| {
        let (read, write) = file::pipe().unwrap();
        let reader = || {
            let _ = file::read(read, &mut [0]);
        };
        let waiter = || {
            let _ = process::wait();
        };
        check::start_child(|| {
            // Not one of those whose end the test waits for.
            for fd in 3..20 {
                let _ = file::close(fd);
            }
            sleep_for_ever()
        });
        let ids = [
            bare(GROUP, &reader).unwrap().id,
            bare(GROUP, &waiter).unwrap().id,
        ];
        ids.into_iter().for_each(until_asleep);
        let _ = write;
        panic!("exec: {}", become_helper(c"alone", process::id()));
    });
}

fn exec_while_a_peer_joins() {
    becomes_helper(|| {
        let target = bare(GROUP, &|| sleep_for_ever()).unwrap();
        let joiner_body = || {
            let _ = thread::join(target.id);
        };
        let joiner = bare(GROUP, &joiner_body).unwrap();
        until_asleep(joiner.id);
        panic!("exec: {}", become_helper(c"alone", process::id()));
    });
}

/// A thread that shares only the space is a process of its own: it gets a new
/// space, and the others keep the old one.
fn exec_in_a_thread_of_the_space_only() {
    let id = AtomicI32::new(0);
    let memory = alloc::vec![3u8; 50_000];
    let body = || {
        id.store(thread::id(), SeqCst);
        panic!("exec: {}", become_helper(c"alone", thread::id()));
    };
    let peer = bare(SPACE, &body).unwrap();
    until(|| id.load(SeqCst) == peer.id);
    // It can no longer be joined, but waited for.
    let ended = loop {
        match process::wait_for(peer.id) {
            Ok((_, ended)) => break ended,
            Err(error) => assert_eq!(error, Errno::ECHILD),
        }
        weft::time::give_way();
    };
    assert_eq!(ended, Ended::Exited(0));
    assert!(memory.iter().all(|byte| *byte == 3));
}

fn exec_closes_marked_files_only() {
    use weft::abi::file::*;
    let ended = check::in_child(|| {
        let fd = file::open(c"/", O_RDONLY).unwrap();
        for copy in [50, 51, 52] {
            file::dup2(fd, copy).unwrap();
        }
        file::control(51, F_SETFD, FD_CLOEXEC).unwrap();
        file::control(52, F_SETFD, FD_CLOEXEC).unwrap();
        file::control(52, F_SETFD, 0).unwrap();
        panic!("exec: {}", become_helper(c"files", process::id()));
    });
    assert_eq!(ended, Ended::Exited(0));
}
