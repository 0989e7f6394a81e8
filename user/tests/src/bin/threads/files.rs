//! Descriptors among threads: shared, copied, closed under a peer, not leaked.

use crate::shared::*;
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering::SeqCst};
use weft::abi::file::*;
use weft::check::{Test, until_asleep};
use weft::process::Ended;
use weft::{Errno, check, file, process, tests, thread};

pub const TESTS: &[Test] = tests![
    many_threads_leak_nothing,
    close_while_a_peer_reads,
    close_while_peers_use_the_number,
    descriptors_are_handed_out_once,
    offset_is_shared_with_a_copy,
    pipe_ends_when_the_last_table_goes,
    append_by_several_threads,
];

/// Descriptors in use, memory in use, threads known.
fn usage() -> (usize, u64, usize) {
    let open = (0..64).filter(|fd| file::fstat(*fd).is_ok()).count();
    (
        open,
        process::system().unwrap().freeram,
        check::list().len(),
    )
}

/// Memory that caches may hold on to.
const SLACK: u64 = 2 << 20;

fn many_threads_leak_nothing() {
    for flags in [GROUP, SPACE] {
        let stack = weft::wild::map(STACK);
        let body = || ();
        let (entry, word) = check::closure_words(&body);
        let churn = |count| {
            for _ in 0..count {
                let id = weft::wild::clone(entry, (word, 0), (stack, STACK), flags).unwrap();
                thread::join(id).unwrap();
            }
        };
        churn(500);
        let before = usage();
        churn(check::rounds(10_000, 100_000));
        let after = usage();
        assert_eq!(before.0, after.0, "descriptors");
        check::until(|| check::list().len() <= before.2);
        assert!(after.1 + SLACK >= before.1, "memory: {before:?} {after:?}");
    }
}

/// The read goes on with what it holds; the number is free.
fn close_while_a_peer_reads() {
    let (read, write) = file::pipe().unwrap();
    let body = || assert_eq!(file::read(read, &mut [0; 4]), Ok(1));
    let peer = bare(GROUP, &body).unwrap();
    until_asleep(peer.id);
    file::close(read).unwrap();
    assert_eq!(file::read(read, &mut [0]), Err(Errno::EBADF));
    file::write_all(write, b"x").unwrap();
    peer.join();
    file::close(write).unwrap();
}

fn close_while_peers_use_the_number() {
    let stop = Flag::new();
    let body = || {
        while !stop.is_set() {
            for fd in 10..14 {
                match file::write(fd, b"x") {
                    Ok(1) | Err(Errno::EBADF) => {}
                    other => panic!("write: {other:?}"),
                }
            }
        }
    };
    let peers: [_; 3] = core::array::from_fn(|_| bare(GROUP, &body).unwrap());
    let null = file::open(c"/dev/null", O_WRONLY).unwrap();
    for _ in 0..check::rounds(1_000, 50_000) {
        for fd in 10..14 {
            file::dup2(null, fd).unwrap();
        }
        (10..14).for_each(|fd| file::close(fd).unwrap());
    }
    stop.set();
    peers.into_iter().for_each(Bare::join);
}

fn descriptors_are_handed_out_once() {
    static OWNERS: [AtomicU32; 256] = [const { AtomicU32::new(0) }; 256];
    let body = || {
        for _ in 0..check::rounds(300, 20_000) {
            let fd = file::open(c"/dev/null", O_RDONLY).unwrap();
            let owner = &OWNERS[fd as usize];
            assert_eq!(owner.swap(1, SeqCst), 0, "descriptor {fd} has two owners");
            weft::time::give_way();
            owner.store(0, SeqCst);
            file::close(fd).unwrap();
        }
    };
    let peers: [_; 6] = core::array::from_fn(|_| bare(GROUP, &body).unwrap());
    peers.into_iter().for_each(Bare::join);
}

fn offset_is_shared_with_a_copy() {
    let name = c"/offset-test";
    let fd = file::open(name, O_RDWR | O_CREAT | O_TRUNC).unwrap();
    file::write_all(fd, b"0123456789").unwrap();
    file::seek(fd, 2, SEEK_SET).unwrap();
    for flags in [GROUP, SPACE] {
        let at = file::seek(fd, 0, SEEK_CUR).unwrap();
        let body = || assert_eq!(file::read(fd, &mut [0; 3]), Ok(3));
        bare(flags, &body).unwrap().join();
        assert_eq!(file::seek(fd, 0, SEEK_CUR), Ok(at + 3));
    }
    let ended = check::in_child(|| assert_eq!(file::read(fd, &mut [0; 9]), Ok(2)));
    assert_eq!(ended, Ended::Exited(0));
    assert_eq!(file::seek(fd, 0, SEEK_CUR), Ok(10));
    file::close(fd).unwrap();
    file::unlink(name).unwrap();
}

fn pipe_ends_when_the_last_table_goes() {
    let (read, write) = file::pipe().unwrap();
    let stop = Flag::new();
    let body = || stop.wait();
    // A copy of the table keeps the writing end open.
    let copy = bare(SPACE, &body).unwrap();
    file::close(write).unwrap();
    let got = AtomicUsize::new(9);
    let reader_body = || got.store(file::read(read, &mut [0]).unwrap(), SeqCst);
    let reader = bare(GROUP, &reader_body).unwrap();
    until_asleep(reader.id);
    stop.set();
    copy.join();
    reader.join();
    assert_eq!(got.load(SeqCst), 0);
    file::close(read).unwrap();
}

fn append_by_several_threads() {
    let name = c"/append-test";
    let count = check::rounds(100, 5_000);
    let flags = O_WRONLY | O_CREAT | O_APPEND;
    let shared = file::open(name, flags | O_TRUNC).unwrap();
    let body = || {
        // Half through the shared description, half through one of its own.
        let own = file::open(name, flags).unwrap();
        for i in 0..count {
            let line = [b'a' + (thread::id() % 26) as u8; 8];
            file::write_all(if i % 2 == 0 { shared } else { own }, &line).unwrap();
        }
        file::close(own).unwrap();
    };
    let peers: [_; 4] = core::array::from_fn(|_| bare(GROUP, &body).unwrap());
    peers.into_iter().for_each(Bare::join);
    let fd = file::open(name, O_RDONLY).unwrap();
    let mut total = 0;
    let mut line = [0; 8];
    while file::read_full(fd, &mut line) == Ok(8) {
        assert!(line.iter().all(|byte| *byte == line[0]), "mixed: {line:?}");
        total += 1;
    }
    assert_eq!(total, 4 * count);
    file::close(fd).unwrap();
    file::close(shared).unwrap();
    file::unlink(name).unwrap();
}
