//! What is in files, and devices.

use crate::{contents, name, write_file};
use alloc::format;
use alloc::vec::Vec;
use weft::abi::file::*;
use weft::check::{Test, rounds};
use weft::{Errno, call, file, tests, wild};

pub const TESTS: &[Test] = tests![
    create_and_truncate,
    exclusive_creation,
    append_always_goes_to_the_end,
    holes_read_as_zeros,
    truncate_cuts_and_extends,
    large_file_keeps_its_bytes,
    unlinked_files_stay_while_open,
    access_modes_are_kept,
    positions_of_pread_and_pwrite,
    vectors_read_and_write_in_order,
    null_and_zero,
    console_is_a_device,
    space_comes_back,
    umask_takes_rights_away,
];

fn create_and_truncate() {
    write_file(c"a", b"first contents");
    assert_eq!(contents(c"a").unwrap(), b"first contents");
    write_file(c"a", b"second");
    assert_eq!(contents(c"a").unwrap(), b"second");
    // Opened without O_TRUNC the rest stays.
    let fd = file::open(c"a", O_WRONLY).unwrap();
    file::write_all(fd, b"S").unwrap();
    file::close(fd).unwrap();
    assert_eq!(contents(c"a").unwrap(), b"Second");
    file::unlink(c"a").unwrap();
    assert_eq!(contents(c"a"), Err(Errno::ENOENT));
}

fn exclusive_creation() {
    let fd = file::open(c"a", O_CREAT | O_EXCL | O_RDWR).unwrap();
    assert_eq!(
        file::open(c"a", O_CREAT | O_EXCL | O_RDWR),
        Err(Errno::EEXIST)
    );
    file::close(fd).unwrap();
    file::unlink(c"a").unwrap();
}

fn append_always_goes_to_the_end() {
    write_file(c"a", b"12");
    let fd = file::open(c"a", O_RDWR | O_APPEND).unwrap();
    file::seek(fd, 0, SEEK_SET).unwrap();
    file::write_all(fd, b"34").unwrap();
    assert_eq!(file::seek(fd, 0, SEEK_CUR), Ok(4));
    file::seek(fd, 0, SEEK_SET).unwrap();
    assert_eq!(file::read(fd, &mut [0; 9]), Ok(4));
    file::close(fd).unwrap();
    assert_eq!(contents(c"a").unwrap(), b"1234");
    file::unlink(c"a").unwrap();
}

fn holes_read_as_zeros() {
    let fd = file::open(c"a", O_RDWR | O_CREAT).unwrap();
    file::seek(fd, 100_000, SEEK_SET).unwrap();
    file::write_all(fd, b"end").unwrap();
    assert_eq!(file::fstat(fd).unwrap().size, 100_003);
    file::seek(fd, 0, SEEK_SET).unwrap();
    let mut bytes = alloc::vec![1; 100_003];
    assert_eq!(file::read_full(fd, &mut bytes), Ok(100_003));
    assert!(bytes[..100_000].iter().all(|byte| *byte == 0));
    assert_eq!(&bytes[100_000..], b"end");
    file::close(fd).unwrap();
    file::unlink(c"a").unwrap();
}

fn truncate_cuts_and_extends() {
    let fd = file::open(c"a", O_RDWR | O_CREAT).unwrap();
    file::write_all(fd, &[9; 10_000]).unwrap();
    for size in [9_999, 4_097, 4_096, 5, 0] {
        file::truncate(fd, size).unwrap();
        assert_eq!(file::fstat(fd).unwrap().size as u64, size);
    }
    file::seek(fd, 0, SEEK_SET).unwrap();
    file::write_all(fd, &[8; 10]).unwrap();
    file::truncate(fd, 5).unwrap();
    // What was cut off does not come back.
    file::truncate(fd, 8_000).unwrap();
    let bytes = contents(c"a").unwrap();
    assert_eq!(bytes.len(), 8_000);
    assert!(bytes[..5].iter().all(|byte| *byte == 8) && bytes[5..].iter().all(|byte| *byte == 0));
    file::close(fd).unwrap();
    let fd = file::open(c"a", O_RDONLY).unwrap();
    assert!(file::truncate(fd, 0).is_err());
    file::close(fd).unwrap();
    file::unlink(c"a").unwrap();
}

fn large_file_keeps_its_bytes() {
    let size = rounds(3 << 20, 40 << 20);
    let fd = file::open(c"a", O_RDWR | O_CREAT).unwrap();
    let block: Vec<u8> = (0..65_536u32).map(|i| (i * 31 + i / 256) as u8).collect();
    for _ in 0..size / block.len() {
        file::write_all(fd, &block).unwrap();
    }
    file::seek(fd, 0, SEEK_SET).unwrap();
    let mut buffer = alloc::vec![0; 10_007];
    let mut at = 0;
    loop {
        let n = file::read_full(fd, &mut buffer).unwrap();
        if n == 0 {
            break;
        }
        for (i, byte) in buffer[..n].iter().enumerate() {
            assert_eq!(*byte, block[(at + i) % block.len()]);
        }
        at += n;
    }
    assert_eq!(at, size);
    file::close(fd).unwrap();
    file::unlink(c"a").unwrap();
}

fn unlinked_files_stay_while_open() {
    write_file(c"a", b"still here");
    let fd = file::open(c"a", O_RDWR).unwrap();
    file::unlink(c"a").unwrap();
    write_file(c"a", b"another");
    let mut buffer = [0; 20];
    assert_eq!(file::read(fd, &mut buffer), Ok(10));
    assert_eq!(&buffer[..10], b"still here");
    file::close(fd).unwrap();
    assert_eq!(contents(c"a").unwrap(), b"another");
    file::unlink(c"a").unwrap();
}

fn access_modes_are_kept() {
    write_file(c"a", b"123");
    let read = file::open(c"a", O_RDONLY).unwrap();
    assert_eq!(file::write(read, b"x"), Err(Errno::EBADF));
    let write = file::open(c"a", O_WRONLY).unwrap();
    assert_eq!(file::read(write, &mut [0]), Err(Errno::EBADF));
    assert_eq!(file::open(c".", O_WRONLY), Err(Errno::EISDIR));
    let folder = file::open(c".", O_RDONLY).unwrap();
    assert_eq!(file::read(folder, &mut [0; 10]), Err(Errno::EISDIR));
    assert_eq!(
        file::read_folder(read, &mut [0; 100], |_| ()),
        Err(Errno::ENOTDIR)
    );
    file::unlink(c"a").unwrap();
}

fn positions_of_pread_and_pwrite() {
    let fd = file::open(c"a", O_RDWR | O_CREAT).unwrap();
    file::write_all(fd, b"0123456789").unwrap();
    let mut buffer = [0u8; 3];
    let at = buffer.as_mut_ptr() as usize;
    assert_eq!(wild::call(call::PREAD64, [fd as usize, at, 3, 4]), Ok(3));
    assert_eq!(&buffer, b"456");
    assert_eq!(wild::call(call::PWRITE64, [fd as usize, at, 3, 0]), Ok(3));
    assert_eq!(file::seek(fd, 0, SEEK_CUR), Ok(10), "the offset moved");
    assert_eq!(contents(c"a").unwrap(), b"4563456789");
    assert_eq!(wild::call(call::PREAD64, [fd as usize, at, 3, 100]), Ok(0));
    assert_eq!(
        wild::call(call::PREAD64, [fd as usize, at, 3, usize::MAX]),
        Err(Errno::EINVAL)
    );
    file::unlink(c"a").unwrap();
}

fn vectors_read_and_write_in_order() {
    let fd = file::open(c"a", O_RDWR | O_CREAT).unwrap();
    let parts: [&[u8]; 4] = [b"one", b"", b"two", b"three"];
    let vector = parts.map(|part| IoVec {
        base: part.as_ptr() as usize,
        len: part.len(),
    });
    let args = [fd as usize, vector.as_ptr() as usize, vector.len()];
    assert_eq!(wild::call(call::WRITEV, args), Ok(11));
    assert_eq!(contents(c"a").unwrap(), b"onetwothree");
    file::seek(fd, 0, SEEK_SET).unwrap();
    let page = wild::map(4096);
    let vector = [
        IoVec { base: page, len: 5 },
        IoVec {
            base: page + 100,
            len: 50,
        },
    ];
    let args = [fd as usize, vector.as_ptr() as usize, vector.len()];
    assert_eq!(wild::call(call::READV, args), Ok(11));
    assert_eq!(wild::bytes(page, 5), b"onetw");
    assert_eq!(wild::bytes(page + 100, 6), b"othree");
    file::unlink(c"a").unwrap();
}

fn null_and_zero() {
    let null = file::open(c"/dev/null", O_RDWR).unwrap();
    assert_eq!(file::write(null, &[1; 5000]), Ok(5000));
    assert_eq!(file::read(null, &mut [0; 10]), Ok(0));
    let zero = file::open(c"/dev/zero", O_RDWR).unwrap();
    let mut buffer = [1; 5000];
    assert_eq!(file::read(zero, &mut buffer), Ok(5000));
    assert!(buffer.iter().all(|byte| *byte == 0));
    assert_eq!(file::write(zero, &buffer), Ok(5000));
}

fn console_is_a_device() {
    let Ok(fd) = file::open(c"/dev/console", O_RDWR) else {
        return;
    };
    assert_eq!(file::fstat(fd).unwrap().mode & S_IFMT, S_IFCHR);
    assert_eq!(file::seek(fd, 0, SEEK_SET), Err(Errno::ESPIPE));
    assert_eq!(file::write(fd, b""), Ok(0));
}

fn space_comes_back() {
    let free = || weft::process::system().unwrap().freeram;
    let churn = || {
        for i in 0..4 {
            write_file(&name(format!("big{i}")), &alloc::vec![1; 500_000]);
        }
        for i in 0..4 {
            file::unlink(&name(format!("big{i}"))).unwrap();
        }
    };
    churn();
    let before = free();
    (0..rounds(10, 200)).for_each(|_| churn());
    assert!(free() + (1 << 20) >= before, "{before} {}", free());
}

fn umask_takes_rights_away() {
    let old = wild::call(call::UMASK, [0o027]).unwrap();
    write_file(c"a", b"");
    assert_eq!(file::stat(c"a").unwrap().mode & 0o777, 0o640);
    assert_eq!(wild::call(call::UMASK, [old]), Ok(0o027));
    file::unlink(c"a").unwrap();
}
