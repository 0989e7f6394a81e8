//! Pipes among real threads.

use super::*;
use crate::files::poll;
use crate::files::{File, Sink, Source};
use abi::file::O_NONBLOCK;
use alloc::sync::Arc;
use std::thread;
use std::vec;
use std::vec::Vec;

fn pair(flags: usize) -> [Arc<File>; 2] {
    machine::frames::arena::init();
    open_pair(flags as u32).unwrap()
}

fn read(file: &File, most: usize) -> Result<Vec<u8>, Errno> {
    let mut bytes = vec![0; most];
    let count = file.read(&mut Sink::kernel(&mut bytes))?;
    bytes.truncate(count);
    Ok(bytes)
}

fn write(file: &File, bytes: &[u8]) -> Result<usize, Errno> {
    file.write(&mut Source::kernel(bytes))
}

#[test]
fn ends_know_of_each_other() {
    let [reader, writer] = pair(O_NONBLOCK);
    assert_eq!(read(&reader, 1), Err(Errno::EAGAIN));
    assert_eq!(read(&reader, 0), Ok(vec![]));
    assert_eq!(write(&reader, b"x"), Err(Errno::EBADF));
    assert_eq!(read(&writer, 1), Err(Errno::EBADF));
    assert_eq!(reader.ready(), 0);
    assert_eq!(writer.ready(), POLLOUT);
    assert_eq!(write(&writer, b"abc"), Ok(3));
    assert_eq!(reader.ready(), POLLIN);
    drop(writer);
    assert_eq!(reader.ready(), POLLIN | POLLHUP);
    assert_eq!(read(&reader, 2).unwrap(), b"ab");
    assert_eq!(read(&reader, 2).unwrap(), b"c");
    assert_eq!(read(&reader, 2).unwrap(), b"");
    let [reader, writer] = pair(0);
    drop(reader);
    assert_eq!(write(&writer, b""), Ok(0));
    assert_eq!(write(&writer, b"x"), Err(Errno::EPIPE));
    assert_eq!(writer.ready(), POLLOUT | POLLERR);
    assert_eq!(
        writer.seek(0, crate::files::open_file::Whence::Start),
        Err(Errno::ESPIPE)
    );
}

#[test]
fn a_full_pipe_takes_small_writes_whole_or_not_at_all() {
    let [reader, writer] = pair(O_NONBLOCK);
    assert_eq!(write(&writer, &[1; 2 * CAPACITY]), Ok(CAPACITY));
    assert_eq!(write(&writer, b"x"), Err(Errno::EAGAIN));
    assert_eq!(writer.ready(), 0);
    assert_eq!(read(&reader, 100).unwrap().len(), 100);
    assert_eq!(write(&writer, &[2; 101]), Err(Errno::EAGAIN));
    assert_eq!(write(&writer, &[2; 5000]), Ok(100));
    assert_eq!(read(&reader, CAPACITY).unwrap().len(), CAPACITY);
    assert_eq!(writer.ready(), POLLOUT);
}

/// A number that is not the same twice in a row.
fn pattern(at: usize) -> u8 {
    (at ^ at >> 8 ^ at >> 16) as u8
}

#[test]
fn bytes_arrive_in_order_whatever_the_sizes() {
    const TOTAL: usize = 3_000_000;
    let [reader, writer] = pair(0);
    let producer = thread::spawn(move || {
        let mut at = 0;
        let mut size = 1;
        while at < TOTAL {
            let count = size.min(TOTAL - at);
            let bytes: Vec<u8> = (at..at + count).map(pattern).collect();
            assert_eq!(write(&writer, &bytes), Ok(count));
            at += count;
            size = size * 7 % 100_003;
        }
    });
    let mut at = 0;
    let mut size = 1;
    loop {
        let bytes = read(&reader, size).unwrap();
        if bytes.is_empty() {
            break;
        }
        assert!((at..).zip(&bytes).all(|(at, byte)| pattern(at) == *byte));
        at += bytes.len();
        size = size * 11 % 70_001;
    }
    assert_eq!(at, TOTAL);
    producer.join().unwrap();
}

#[test]
fn small_writes_of_many_writers_stay_whole() {
    const WRITERS: usize = 3;
    const WRITES: usize = 300;
    const LENGTH: usize = PIPE_BUF - 7;
    let [reader, writer] = pair(0);
    let writers: Vec<_> = (0..WRITERS)
        .map(|number| {
            let writer = writer.clone();
            thread::spawn(move || {
                for _ in 0..WRITES {
                    assert_eq!(write(&writer, &[number as u8; LENGTH]), Ok(LENGTH));
                }
            })
        })
        .collect();
    drop(writer);
    let mut all = Vec::new();
    loop {
        let bytes = read(&reader, 10_000).unwrap();
        if bytes.is_empty() {
            break;
        }
        all.extend(bytes);
    }
    writers
        .into_iter()
        .for_each(|writer| writer.join().unwrap());
    assert_eq!(all.len(), WRITERS * WRITES * LENGTH);
    for piece in all.chunks(LENGTH) {
        assert!(piece.iter().all(|byte| *byte == piece[0]));
    }
}

#[test]
fn every_reader_gets_its_share_and_none_sleeps_for_ever() {
    const BYTES: usize = 20_000;
    let [reader, writer] = pair(0);
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let reader = reader.clone();
            thread::spawn(move || {
                let mut count = 0;
                loop {
                    match read(&reader, 1).unwrap().len() {
                        0 => return count,
                        got => count += got,
                    }
                }
            })
        })
        .collect();
    for _ in 0..BYTES / 4 {
        write(&writer, b"four").unwrap();
    }
    drop(writer);
    let total: usize = readers
        .into_iter()
        .map(|reader| reader.join().unwrap())
        .sum();
    assert_eq!(total, BYTES);
}

#[test]
fn ping_pong_loses_no_wake_up() {
    let [reader, writer] = pair(0);
    let [back_reader, back_writer] = pair(0);
    let peer = thread::spawn(move || {
        while read(&reader, 1).unwrap().len() == 1 {
            write(&back_writer, b"o").unwrap();
        }
    });
    for _ in 0..500 {
        write(&writer, b"i").unwrap();
        assert_eq!(read(&back_reader, 1).unwrap(), b"o");
    }
    drop(writer);
    peer.join().unwrap();
    assert_eq!(read(&back_reader, 1).unwrap(), b"");
}

#[test]
fn a_writer_that_waits_learns_that_nobody_reads() {
    let [reader, writer] = pair(0);
    let blocked = thread::spawn(move || write(&writer, &[0; CAPACITY + 1]));
    while reader.ready() & POLLIN == 0 {
        thread::yield_now();
    }
    drop(reader);
    assert_eq!(blocked.join().unwrap(), Ok(CAPACITY));
}

#[test]
fn what_is_claimed_is_nobody_elses_until_it_has_gone() {
    let [reader, writer] = pair(O_NONBLOCK);
    let pipe = reader.kind_of::<PipeEnd>().unwrap().pipe();
    assert!(pipe.claim().is_none());
    write(&writer, &[7; CAPACITY]).unwrap();
    let claim = pipe.claim().unwrap();
    assert!(pipe.claim().is_none());
    assert_eq!(read(&reader, 1), Err(Errno::EAGAIN));
    assert_eq!(reader.ready(), 0);
    // Nothing comes in its place before it has gone.
    assert_eq!(write(&writer, b"x"), Err(Errno::EAGAIN));
    assert_eq!(claim.peek(&mut [0; 10]), 10);
    claim.consume(CAPACITY - 1);
    assert_eq!(write(&writer, b"x"), Ok(1));
    drop(writer);
    // The end is not there while there may be something left.
    assert_eq!(read(&reader, 1), Err(Errno::EAGAIN));
    drop(claim);
    assert_eq!(read(&reader, 9).unwrap(), [7, b'x']);
    assert_eq!(read(&reader, 9).unwrap(), b"");
}

#[test]
fn who_waits_is_told_of_what_a_claim_leaves() {
    let [reader, writer] = pair(0);
    let pipe = reader.kind_of::<PipeEnd>().unwrap().pipe().clone();
    for left in [1, 0] {
        write(&writer, b"ab").unwrap();
        let claim = pipe.claim().unwrap();
        let reader = reader.clone();
        let waits = thread::spawn(move || read(&reader, 9));
        claim.consume(2 - left);
        drop(claim);
        if left == 0 {
            write(&writer, b"b").unwrap();
        }
        assert_eq!(waits.join().unwrap().unwrap(), b"b");
    }
    write(&writer, b"ab").unwrap();
    let claim = pipe.claim().unwrap();
    drop(writer);
    let waits = thread::spawn(move || read(&reader, 9));
    claim.consume(2);
    drop(claim);
    assert_eq!(waits.join().unwrap().unwrap(), b"");
}

#[test]
fn polling_sees_a_write() {
    let [reader, writer] = pair(0);
    let poller =
        thread::spawn(move || poll::wait(None, || (reader.ready() & POLLIN != 0).then_some(())));
    write(&writer, b"x").unwrap();
    assert_eq!(poller.join().unwrap(), Ok(Some(())));
    assert_eq!(poll::wait(Some(0), || None::<()>), Ok(None));
}

#[test]
fn a_bad_address_changes_nothing() {
    let [reader, writer] = pair(0);
    write(&writer, b"kept").unwrap();
    // Nothing is mapped on the host; the last is not the user's half.
    for address in [0x1000, 0x7fff_0000_0000, usize::MAX - 2] {
        let read_to = reader.read(&mut Sink::user(address, 4));
        assert_eq!(read_to, Err(Errno::EFAULT));
        let written = writer.write(&mut Source::user(address, 4));
        assert_eq!(written, Err(Errno::EFAULT));
    }
    assert_eq!(read(&reader, 10).unwrap(), b"kept");
}
