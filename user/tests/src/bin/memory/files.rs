//! Mapped files: one with what reads and writes see, within bounds.

use crate::*;
use alloc::vec::Vec;
use core::ffi::CStr;
use weft::abi::file::*;
use weft::abi::signal::SIGBUS;
use weft::check::{Test, rounds};
use weft::{Errno, call, file, tests, wild};

pub const TESTS: &[Test] = tests![
    file_map_refuses_bad_arguments,
    file_map_private_is_a_copy,
    file_map_shared_is_the_file,
    file_map_is_shared_by_processes,
    file_map_ends_with_the_file,
    file_map_outlives_name_and_descriptor,
    file_map_survives_truncation_under_it,
    file_map_keeps_its_rights,
    file_map_in_pieces,
    file_map_is_a_buffer_of_its_own_file,
    file_map_advice_forgets_copies,
    file_map_syncs,
    file_map_fork_while_peers_write,
];

/// A file of `pages` pages, each filled with its number and one more.
fn make(name: &CStr, pages: usize) -> i32 {
    let fd = file::open(name, O_RDWR | O_CREAT | O_TRUNC).unwrap();
    for page in 0..pages {
        file::write_all(fd, &[page as u8 + 1; PAGE]).unwrap();
    }
    fd
}

fn map(fd: i32, length: usize, protection: usize, flags: usize) -> Result<usize, Errno> {
    map_from(fd, 0, length, protection, flags)
}

fn map_from(
    fd: i32,
    offset: usize,
    length: usize,
    protection: usize,
    flags: usize,
) -> Result<usize, Errno> {
    wild::call(
        call::MMAP,
        [0, length, protection, flags, fd as usize, offset],
    )
}

fn read_at(fd: i32, offset: usize, length: usize) -> Vec<u8> {
    let mut bytes = alloc::vec![0; length];
    file::seek(fd, offset as i64, SEEK_SET).unwrap();
    let count = file::read_full(fd, &mut bytes).unwrap();
    bytes.truncate(count);
    bytes
}

fn write_at(fd: i32, offset: usize, bytes: &[u8]) {
    file::seek(fd, offset as i64, SEEK_SET).unwrap();
    file::write_all(fd, bytes).unwrap();
}

/// Ends by SIGBUS.
fn has_no_page(body: impl FnOnce()) -> bool {
    check::in_child(body) == Ended::Signaled(SIGBUS as u8)
}

fn file_map_refuses_bad_arguments() {
    let fd = make(c"mapped", 2);
    let reading = file::open(c"mapped", O_RDONLY).unwrap();
    let writing = file::open(c"mapped", O_WRONLY).unwrap();
    let folder = file::open(c"/", O_RDONLY).unwrap();
    let (pipe, _write) = file::pipe().unwrap();
    for (fd, offset, length, protection, flags, error) in [
        (fd, 0, 0, PROT_READ, MAP_SHARED, Errno::EINVAL),
        (fd, 1, PAGE, PROT_READ, MAP_SHARED, Errno::EINVAL),
        (fd, 0, PAGE, PROT_READ, 0, Errno::EINVAL),
        (fd, 0, usize::MAX, PROT_READ, MAP_SHARED, Errno::ENOMEM),
        (fd, 1 << 62, PAGE, PROT_READ, MAP_SHARED, Errno::EOVERFLOW),
        (
            fd,
            usize::MAX & !0xfff,
            PAGE,
            PROT_READ,
            MAP_SHARED,
            Errno::EOVERFLOW,
        ),
        (reading, 0, PAGE, READ_WRITE, MAP_SHARED, Errno::EACCES),
        (writing, 0, PAGE, PROT_WRITE, MAP_SHARED, Errno::EACCES),
        (writing, 0, PAGE, PROT_READ, MAP_PRIVATE, Errno::EACCES),
        (folder, 0, PAGE, PROT_READ, MAP_PRIVATE, Errno::ENODEV),
        (pipe, 0, PAGE, PROT_READ, MAP_PRIVATE, Errno::ENODEV),
        (99, 0, PAGE, PROT_READ, MAP_PRIVATE, Errno::EBADF),
    ] {
        let result = map_from(fd, offset, length, protection, flags);
        assert_eq!(
            result,
            Err(error),
            "{fd} {offset:#x} {length:#x} {flags:#x}"
        );
    }
    map(reading, PAGE, READ_WRITE, MAP_PRIVATE).unwrap();
    file::unlink(c"mapped").unwrap();
}

fn file_map_private_is_a_copy() {
    let fd = make(c"private", 3);
    let base = map(fd, 3 * PAGE, READ_WRITE, MAP_PRIVATE).unwrap();
    assert_eq!(
        [0, 1, 2].map(|page| wild::load(base + page * PAGE)),
        [1, 2, 3]
    );
    wild::store(base + PAGE, 77);
    assert_eq!(wild::load(base + PAGE + 1), 2);
    assert_eq!(read_at(fd, PAGE, 2), [2, 2]);
    // A page that was copied does not follow the file; a write comes first or not.
    write_at(fd, PAGE, &[9; 2]);
    assert_eq!(wild::load(base + PAGE), 77);
    // The child has the copy, and then its own.
    assert!(writes(base + PAGE));
    assert_eq!(wild::load(base + PAGE), 77);
    file::unlink(c"private").unwrap();
}

fn file_map_shared_is_the_file() {
    let fd = make(c"shared", 3);
    let base = map(fd, 3 * PAGE, READ_WRITE, MAP_SHARED).unwrap();
    let second = map_from(fd, PAGE, 2 * PAGE, PROT_READ, MAP_SHARED).unwrap();
    write_at(fd, PAGE + 5, b"written");
    assert_eq!(wild::bytes(base + PAGE + 5, 7), b"written");
    wild::bytes(base + 2 * PAGE - 3, 6).copy_from_slice(b"mapped");
    assert_eq!(read_at(fd, 2 * PAGE - 3, 6), b"mapped");
    assert_eq!(wild::bytes(second + PAGE - 3, 6), b"mapped");
    // Gaps read as zeros and can be filled.
    write_at(fd, 10 * PAGE, b"end");
    let gap = map_from(fd, 5 * PAGE, PAGE, READ_WRITE, MAP_SHARED).unwrap();
    assert_eq!(wild::load(gap), 0);
    wild::store(gap, 5);
    assert_eq!(read_at(fd, 5 * PAGE, 2), [5, 0]);
    file::unlink(c"shared").unwrap();
}

fn file_map_is_shared_by_processes() {
    let fd = make(c"between", 2);
    let base = map(fd, 2 * PAGE, READ_WRITE, MAP_SHARED).unwrap();
    let turns = rounds(200, 20_000) as u32;
    let child = check::start_child(|| {
        // Not what the fork has left, but a mapping of its own.
        let own = map_from(fd, PAGE, PAGE, READ_WRITE, MAP_SHARED).unwrap();
        play(wild::word(own), 1, turns);
        wild::store(base, 200);
    });
    play(wild::word(base + PAGE), 0, turns);
    assert_eq!(check::wait_for(child), Ended::Exited(0));
    assert_eq!(wild::load(base), 200);
    assert_eq!(read_at(fd, 0, 1), [200]);
    file::unlink(c"between").unwrap();
}

/// Adds one whenever the word is even, or odd.
fn play(word: &core::sync::atomic::AtomicU32, side: u32, turns: u32) {
    use core::sync::atomic::Ordering::SeqCst;
    let start = 0x0202_0202;
    for turn in 0..turns {
        let mine = start + 2 * turn + side;
        check::until(|| word.load(SeqCst) == mine);
        word.store(mine + 1, SeqCst);
    }
}

fn file_map_ends_with_the_file() {
    let fd = make(c"short", 1);
    write_at(fd, PAGE, b"tail");
    for flags in [MAP_SHARED, MAP_PRIVATE] {
        let base = map(fd, 4 * PAGE, READ_WRITE, flags).unwrap();
        // The rest of the last page is there, and zero.
        assert_eq!(wild::bytes(base + PAGE, 5), b"tail\0");
        wild::store(base + 2 * PAGE - 1, 1);
        for page in [2, 3] {
            let at = base + page * PAGE;
            assert!(
                has_no_page(|| {
                    wild::load(at);
                }),
                "page {page}"
            );
            assert!(has_no_page(|| wild::store(at, 1)), "page {page}");
            // A call says so instead.
            file::seek(fd, 0, SEEK_SET).unwrap();
            let result = wild::call(call::READ, [fd as usize, at, 1]);
            assert_eq!(result, Err(Errno::EFAULT));
        }
    }
    // What was written behind the end is no part of the file.
    file::truncate(fd, 3 * PAGE as u64).unwrap();
    assert_eq!(read_at(fd, 2 * PAGE - 1, 1), [0]);
    let base = map(fd, 4 * PAGE, READ_WRITE, MAP_SHARED).unwrap();
    wild::store(base + 3 * PAGE - 1, 1);
    assert!(has_no_page(|| wild::store(base + 3 * PAGE, 1)));
    file::unlink(c"short").unwrap();
}

fn file_map_outlives_name_and_descriptor() {
    let fd = make(c"gone", 2);
    let base = map(fd, 2 * PAGE, READ_WRITE, MAP_SHARED).unwrap();
    file::close(fd).unwrap();
    file::unlink(c"gone").unwrap();
    wild::store(base, 50);
    let other = make(c"gone", 2);
    assert_eq!([wild::load(base), wild::load(base + PAGE)], [50, 2]);
    assert_eq!(read_at(other, 0, 1), [1]);
    wild::unmap(base, 2 * PAGE).unwrap();
    file::unlink(c"gone").unwrap();
}

fn file_map_survives_truncation_under_it() {
    let fd = make(c"cut", 4);
    let shared = map(fd, 4 * PAGE, READ_WRITE, MAP_SHARED).unwrap();
    let private = map(fd, 4 * PAGE, READ_WRITE, MAP_PRIVATE).unwrap();
    for page in 0..4 {
        wild::store(shared + page * PAGE, 100);
        wild::store(private + page * PAGE, 101);
    }
    // A peer that never stops writing is ended, and by nothing else.
    let child = check::start_child(|| {
        loop {
            wild::store(shared + 3 * PAGE, 7);
        }
    });
    file::truncate(fd, PAGE as u64 + 10).unwrap();
    assert_eq!(check::wait_for(child), Ended::Signaled(SIGBUS as u8));
    for page in [2, 3] {
        assert!(has_no_page(|| {
            wild::load(shared + page * PAGE);
        }));
        assert!(has_no_page(|| {
            wild::load(private + page * PAGE);
        }));
    }
    assert_eq!(wild::load(shared + PAGE), 100);
    // Grown again it is zero, from the cut on, in mappings too.
    file::truncate(fd, 4 * PAGE as u64).unwrap();
    assert_eq!(wild::bytes(shared + PAGE + 9, 2), [2, 0]);
    assert_eq!(wild::load(shared + 3 * PAGE), 0);
    wild::store(shared + 3 * PAGE, 8);
    assert_eq!(read_at(fd, 3 * PAGE, 1), [8]);
    file::unlink(c"cut").unwrap();
}

fn file_map_keeps_its_rights() {
    let fd = make(c"rights", 1);
    let reading = file::open(c"rights", O_RDONLY).unwrap();
    let shared = map(reading, PAGE, PROT_READ, MAP_SHARED).unwrap();
    assert!(reads(shared) && !writes(shared));
    assert_eq!(wild::protect(shared, PAGE, READ_WRITE), Err(Errno::EACCES));
    wild::protect(shared, PAGE, PROT_NONE).unwrap();
    assert!(!reads(shared));
    wild::protect(shared, PAGE, PROT_READ).unwrap();
    assert!(reads(shared) && !writes(shared));
    let private = map(reading, PAGE, PROT_READ, MAP_PRIVATE).unwrap();
    assert_eq!(wild::load(private), 1);
    wild::protect(private, PAGE, READ_WRITE).unwrap();
    wild::store(private, 33);
    assert_eq!(wild::load(shared), 1);
    // Code is what the file says; here: ret.
    write_at(fd, 0, &[0xc3]);
    let code = map(reading, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE).unwrap();
    wild::jump(code);
    assert!(faults(|| wild::jump(shared)));
    file::unlink(c"rights").unwrap();
}

fn file_map_in_pieces() {
    let fd = make(c"pieces", 8);
    let base = map(fd, 8 * PAGE, READ_WRITE, MAP_SHARED).unwrap();
    wild::unmap(base + 3 * PAGE, PAGE).unwrap();
    wild::protect(base + 5 * PAGE, PAGE, PROT_READ).unwrap();
    for page in [0, 1, 2, 4, 5, 6, 7] {
        assert_eq!(
            wild::load(base + page * PAGE),
            page as u8 + 1,
            "page {page}"
        );
    }
    assert!(!reads(base + 3 * PAGE) && !writes(base + 5 * PAGE));
    wild::protect(base + 5 * PAGE, PAGE, READ_WRITE).unwrap();
    wild::store(base + 5 * PAGE, 66);
    assert_eq!(read_at(fd, 5 * PAGE, 1), [66]);
    file::truncate(fd, 6 * PAGE as u64).unwrap();
    assert!(has_no_page(|| {
        wild::load(base + 7 * PAGE);
    }));
    assert_eq!(wild::load(base + 4 * PAGE), 5);
    file::unlink(c"pieces").unwrap();
}

fn file_map_is_a_buffer_of_its_own_file() {
    let fd = make(c"self", 8);
    let base = map(fd, 8 * PAGE, READ_WRITE, MAP_SHARED).unwrap();
    // Write pages 4 to 7 from a mapping of pages 0 to 3, none of them touched.
    file::seek(fd, 4 * PAGE as i64, SEEK_SET).unwrap();
    file::write_all(fd, wild::bytes(base, 4 * PAGE)).unwrap();
    assert_eq!(read_at(fd, 7 * PAGE, 1), [4]);
    // And read them into a private one.
    let private = map(fd, 8 * PAGE, READ_WRITE, MAP_PRIVATE).unwrap();
    file::seek(fd, 0, SEEK_SET).unwrap();
    let into = wild::bytes(private + 4 * PAGE, 4 * PAGE);
    assert_eq!(file::read_full(fd, into), Ok(4 * PAGE));
    assert_eq!(wild::load(private + 6 * PAGE), 3);
    file::unlink(c"self").unwrap();
}

fn file_map_advice_forgets_copies() {
    let fd = make(c"advice", 2);
    let private = map(fd, 2 * PAGE, READ_WRITE, MAP_PRIVATE).unwrap();
    let shared = map(fd, 2 * PAGE, READ_WRITE, MAP_SHARED).unwrap();
    wild::store(private, 40);
    wild::store(shared + PAGE, 41);
    for base in [private, shared] {
        wild::call(call::MADVISE, [base, 2 * PAGE, MADV_DONTNEED]).unwrap();
    }
    assert_eq!([wild::load(private), wild::load(shared + PAGE)], [1, 41]);
    file::unlink(c"advice").unwrap();
}

fn file_map_syncs() {
    let fd = make(c"synced", 3);
    let base = map(fd, 3 * PAGE, READ_WRITE, MAP_SHARED).unwrap();
    let sync = |at, length, flags| wild::call(call::MSYNC, [at, length, flags]).map(drop);
    for round in 0..20 {
        // Every write after a sync has to be seen by the next.
        wild::store(base + PAGE, round);
        sync(base, 3 * PAGE, MS_SYNC).unwrap();
        assert_eq!(read_at(fd, PAGE, 1), [round]);
    }
    sync(base, PAGE, MS_ASYNC).unwrap();
    sync(base, PAGE, 0).unwrap();
    sync(base, 0, MS_SYNC).unwrap();
    assert_eq!(sync(base + 1, PAGE, MS_SYNC), Err(Errno::EINVAL));
    assert_eq!(sync(base, PAGE, 8), Err(Errno::EINVAL));
    assert_eq!(sync(base, PAGE, MS_SYNC | MS_ASYNC), Err(Errno::EINVAL));
    wild::unmap(base + PAGE, PAGE).unwrap();
    assert_eq!(sync(base, 3 * PAGE, MS_SYNC), Err(Errno::ENOMEM));
    wild::call(call::FSYNC, [fd as usize]).unwrap();
    file::unlink(c"synced").unwrap();
}

/// Forks, cuts, and syncs while a child writes: nothing is lost that was
/// written to pages that stay.
fn file_map_fork_while_peers_write() {
    let fd = make(c"storm", 16);
    let base = map(fd, 16 * PAGE, READ_WRITE, MAP_SHARED).unwrap();
    let writer = check::start_child(|| {
        for round in 0..rounds(50, 1000) {
            for page in 0..8 {
                wild::store(base + page * PAGE + 1 + round % 100, page as u8);
                assert_eq!(wild::load(base + page * PAGE + 1 + round % 100), page as u8);
            }
        }
    });
    for _ in 0..rounds(20, 200) {
        let child = check::start_child(|| wild::store(base + 7 * PAGE, 1));
        file::truncate(fd, 8 * PAGE as u64).unwrap();
        wild::call(call::MSYNC, [base, 16 * PAGE, MS_SYNC]).unwrap();
        file::truncate(fd, 16 * PAGE as u64).unwrap();
        wild::store(base + 12 * PAGE, 1);
        assert_eq!(check::wait_for(child), Ended::Exited(0));
    }
    assert_eq!(check::wait_for(writer), Ended::Exited(0));
    for page in 0..8 {
        assert_eq!(read_at(fd, page * PAGE + 1, 1), [page as u8]);
    }
    file::unlink(c"storm").unwrap();
}
