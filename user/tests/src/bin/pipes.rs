//! `pipes`: what a pipe promises.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::vec::Vec;
use weft::abi::file::*;
use weft::abi::memory::*;
use weft::abi::signal::*;
use weft::check::{Test, rounds};
use weft::process::Ended;
use weft::{Errno, call, check, file, process, tests, thread, wild};

weft::program!(main);

fn main() -> i32 {
    check::run(&[TESTS])
}

const TESTS: &[Test] = tests![
    pipe_keeps_the_order,
    pipe_ends_when_writers_are_gone,
    pipe_without_readers,
    pipe_wrong_directions,
    pipe_bad_pointers,
    pipe_short_writes_stay_whole,
    pipe_does_not_seek,
    pipe_descriptors_run_out_cleanly,
    pipe_read_gives_what_there_is,
    pipe_many_readers_each_byte_once,
    pipe_zero_lengths,
    pipe_kinds,
    pipe_without_waiting,
    pipe_close_on_exec_flag,
    pipe_moves_pages_of_files,
];

fn pipe_keeps_the_order() {
    let (read, write) = file::pipe().unwrap();
    let total = rounds(200_000, 20_000_000);
    let child = check::start_child(|| {
        let mut next = 0u8;
        let mut sent = 0;
        let mut size = 1;
        while sent < total {
            let mut block = [0; 5000];
            let block = &mut block[..size.min(total - sent)];
            for byte in block.iter_mut() {
                *byte = next;
                next = next.wrapping_add(1);
            }
            file::write_all(write, block).unwrap();
            sent += block.len();
            size = size * 7 % 4999 + 1;
        }
    });
    file::close(write).unwrap();
    let (mut expected, mut got) = (0u8, 0);
    let mut buffer = [0; 3000];
    loop {
        let n = file::read(read, &mut buffer).unwrap();
        if n == 0 {
            break;
        }
        for byte in &buffer[..n] {
            assert_eq!(*byte, expected);
            expected = expected.wrapping_add(1);
        }
        got += n;
    }
    assert_eq!(got, total);
    assert_eq!(check::wait_for(child), Ended::Exited(0));
}

fn pipe_ends_when_writers_are_gone() {
    let (read, write) = file::pipe().unwrap();
    let second = file::dup(write).unwrap();
    file::write_all(write, b"abc").unwrap();
    file::close(write).unwrap();
    file::close(second).unwrap();
    let mut buffer = [0; 8];
    assert_eq!(file::read(read, &mut buffer), Ok(3));
    assert_eq!(file::read(read, &mut buffer), Ok(0));
    assert_eq!(file::read(read, &mut buffer), Ok(0));
}

fn pipe_without_readers() {
    let (read, write) = file::pipe().unwrap();
    file::close(read).unwrap();
    process::set_signal(SIGPIPE, SIG_IGN).unwrap();
    assert_eq!(file::write(write, b"x"), Err(Errno::EPIPE));
    // Unless it is ignored, the signal ends the process.
    let ended = check::in_child(|| {
        process::set_signal(SIGPIPE, SIG_DFL).unwrap();
        let _ = file::write(write, b"x");
    });
    assert_eq!(ended, Ended::Signaled(SIGPIPE as u8));
    // A writer that sleeps in a full pipe learns of it too.
    let (read, write) = file::pipe().unwrap();
    let fill = || {
        while file::write(write, &[0; 4096]).is_ok() {}
        assert_eq!(file::write(write, b"x"), Err(Errno::EPIPE));
    };
    thread::scope(|scope| {
        let writer = scope.spawn(fill).unwrap();
        check::until_asleep(writer.id());
        file::close(read).unwrap();
    });
}

fn pipe_wrong_directions() {
    let (read, write) = file::pipe().unwrap();
    assert_eq!(file::write(read, b"x"), Err(Errno::EBADF));
    assert_eq!(file::read(write, &mut [0]), Err(Errno::EBADF));
}

fn pipe_bad_pointers() {
    let before = file::dup(0).unwrap();
    for pointer in [0, 8, 1 << 63, usize::MAX, usize::MAX - 3] {
        assert_eq!(
            wild::call(call::PIPE, [pointer]),
            Err(Errno::EFAULT),
            "{pointer:#x}"
        );
        assert_eq!(
            wild::call(call::PIPE2, [pointer, 0]),
            Err(Errno::EFAULT),
            "{pointer:#x}"
        );
    }
    // Nothing was left open.
    let after = file::dup(0).unwrap();
    assert_eq!(after, before + 1);
    let (read, write) = file::pipe().unwrap();
    for pointer in [8, 1 << 63, usize::MAX - 100] {
        let result = wild::call(call::WRITE, [write as usize, pointer, 10]);
        assert_eq!(result, Err(Errno::EFAULT), "{pointer:#x}");
    }
    file::write_all(write, b"abc").unwrap();
    for pointer in [8, 1 << 63, usize::MAX - 100] {
        let result = wild::call(call::READ, [read as usize, pointer, 10]);
        assert_eq!(result, Err(Errno::EFAULT), "{pointer:#x}");
    }
    assert_eq!(
        wild::call(call::PIPE2, [0, 0xffff_0000]),
        Err(Errno::EINVAL)
    );
}

fn pipe_short_writes_stay_whole() {
    let (read, write) = file::pipe().unwrap();
    const SIZE: usize = 512;
    let each = rounds(50, 2_000);
    let children: Vec<i32> = (0..4u8)
        .map(|i| {
            check::start_child(|| {
                for _ in 0..each {
                    file::write_all(write, &[b'a' + i; SIZE]).unwrap();
                }
            })
        })
        .collect();
    file::close(write).unwrap();
    let mut block = [0; SIZE];
    let mut count = 0;
    while file::read_full(read, &mut block).unwrap() == SIZE {
        assert!(
            block.iter().all(|byte| *byte == block[0]),
            "two writes mixed"
        );
        count += 1;
    }
    assert_eq!(count, 4 * each);
    children
        .into_iter()
        .for_each(|child| assert_eq!(check::wait_for(child), Ended::Exited(0)));
}

fn pipe_does_not_seek() {
    let (read, write) = file::pipe().unwrap();
    for fd in [read, write] {
        assert_eq!(file::seek(fd, 0, SEEK_SET), Err(Errno::ESPIPE));
        assert_eq!(file::truncate(fd, 0), Err(Errno::EINVAL));
    }
}

fn pipe_descriptors_run_out_cleanly() {
    let ended = check::in_child(|| {
        let mut pipes = Vec::new();
        let error = loop {
            match file::pipe() {
                Ok(pipe) => pipes.push(pipe),
                Err(error) => break error,
            }
        };
        assert!(
            matches!(error, Errno::EMFILE | Errno::ENFILE | Errno::ENOMEM),
            "{error:?}"
        );
        assert!(pipes.len() >= 6);
        for (read, write) in &pipes {
            file::write_all(*write, b"x").unwrap();
            assert_eq!(file::read(*read, &mut [0; 2]), Ok(1));
        }
        let (read, write) = pipes.pop().unwrap();
        file::close(read).unwrap();
        file::close(write).unwrap();
        file::pipe().unwrap();
    });
    assert_eq!(ended, Ended::Exited(0));
}

fn pipe_read_gives_what_there_is() {
    let (read, write) = file::pipe().unwrap();
    file::write_all(write, b"hello").unwrap();
    let mut buffer = [0; 64];
    assert_eq!(file::read(read, &mut buffer), Ok(5));
    assert_eq!(&buffer[..5], b"hello");
    file::write_all(write, b"hello").unwrap();
    assert_eq!(file::read(read, &mut buffer[..2]), Ok(2));
    assert_eq!(file::read(read, &mut buffer), Ok(3));
}

fn pipe_many_readers_each_byte_once() {
    let (read, write) = file::pipe().unwrap();
    let total = rounds(20_000, 1_000_000);
    let sums = thread::scope(|scope| {
        let readers: Vec<_> = (0..4)
            .map(|_| {
                let work = || {
                    let (mut count, mut sum) = (0usize, 0usize);
                    let mut buffer = [0; 100];
                    loop {
                        match file::read(read, &mut buffer).unwrap() {
                            0 => return (count, sum),
                            n => {
                                count += n;
                                sum += buffer[..n].iter().map(|b| *b as usize).sum::<usize>();
                            }
                        }
                    }
                };
                scope.spawn(work).unwrap()
            })
            .collect();
        let bytes: Vec<u8> = (0..total).map(|i| i as u8).collect();
        file::write_all(write, &bytes).unwrap();
        file::close(write).unwrap();
        readers
            .into_iter()
            .map(|reader| reader.join().unwrap().unwrap())
            .collect::<Vec<_>>()
    });
    assert_eq!(sums.iter().map(|sum| sum.0).sum::<usize>(), total);
    let expected: usize = (0..total).map(|i| i as u8 as usize).sum();
    assert_eq!(sums.iter().map(|sum| sum.1).sum::<usize>(), expected);
}

fn pipe_zero_lengths() {
    let (read, write) = file::pipe().unwrap();
    assert_eq!(file::write(write, &[]), Ok(0));
    // Reading nothing from an empty pipe does not wait.
    assert_eq!(file::read(read, &mut []), Ok(0));
    file::write_all(write, b"x").unwrap();
    assert_eq!(file::read(read, &mut []), Ok(0));
    assert_eq!(file::read(read, &mut [0; 4]), Ok(1));
}

fn pipe_kinds() {
    let (read, write) = file::pipe().unwrap();
    for fd in [read, write] {
        assert_eq!(file::fstat(fd).unwrap().mode & S_IFMT, S_IFIFO);
    }
}

fn pipe_without_waiting() {
    let mut ends = [0i32; 2];
    wild::call(call::PIPE2, [ends.as_mut_ptr() as usize, O_NONBLOCK]).unwrap();
    let [read, write] = ends;
    assert_eq!(file::read(read, &mut [0]), Err(Errno::EAGAIN));
    let mut filled = 0;
    let error = loop {
        match file::write(write, &[7; 1000]) {
            Ok(n) => filled += n,
            Err(error) => break error,
        }
    };
    assert_eq!(error, Errno::EAGAIN);
    assert!(filled >= PIPE_BUF);
    let mut buffer = [0; 4096];
    let mut drained = 0;
    while let Ok(n) = file::read(read, &mut buffer) {
        assert!(n > 0);
        drained += n;
    }
    assert_eq!(drained, filled);
}

fn pipe_close_on_exec_flag() {
    let mut ends = [0i32; 2];
    wild::call(call::PIPE2, [ends.as_mut_ptr() as usize, O_CLOEXEC]).unwrap();
    for fd in ends {
        assert_eq!(file::control(fd, F_GETFD, 0), Ok(FD_CLOEXEC));
    }
    let (read, _) = file::pipe().unwrap();
    assert_eq!(file::control(read, F_GETFD, 0), Ok(0));
}

/// More than may be dirty at once: what a pipe is read into is written back
/// while the pipe's own bytes are on their way.
fn pipe_moves_pages_of_files() {
    const PART: usize = PAGE_SIZE;
    let total = process::system().unwrap().totalram as usize;
    let parts = total / 7 / PART;
    let fd = file::open(c"piped", O_RDWR | O_CREAT | O_TRUNC).unwrap();
    file::truncate(fd, (parts * PART) as u64).unwrap();
    let map = |protection| {
        let arguments = [0, parts * PART, protection, MAP_SHARED, fd as usize, 0];
        wild::call(call::MMAP, arguments).unwrap()
    };
    let (read, write) = file::pipe().unwrap();
    let base = map(PROT_READ | PROT_WRITE);
    for part in 0..parts {
        let bytes = [part as u8 + 1; PART];
        file::write_all(write, &bytes).unwrap();
        let at = base + part * PART;
        assert_eq!(wild::call(call::READ, [read as usize, at, PART]), Ok(PART));
    }
    wild::unmap(base, parts * PART).unwrap();
    check::drop_caches();
    // None of its pages is in memory.
    let base = map(PROT_READ);
    let mut bytes = [0; PART];
    for part in 0..parts {
        let at = base + part * PART;
        let written = wild::call(call::WRITE, [write as usize, at, PART]);
        assert_eq!(written, Ok(PART));
        assert_eq!(file::read_full(read, &mut bytes), Ok(PART));
        assert!(bytes.iter().all(|&byte| byte == part as u8 + 1));
    }
    wild::unmap(base, parts * PART).unwrap();
    for fd in [fd, read, write] {
        file::close(fd).unwrap();
    }
    file::unlink(c"piped").unwrap();
}
