//! Space: statfs, truncate, fallocate, holes, sync; and rename's flags.

use super::{at, call_path, contents, write_file};
use weft::abi::file::*;
use weft::check::Test;
use weft::process::Ended;
use weft::{Errno, call, check, file, storage, tests, wild};

pub const TESTS: &[Test] = tests![
    space_is_counted,
    sizes_change_by_name,
    allocation_keeps_its_promise,
    seeks_find_data_and_holes,
    sync_says_what_cannot_be_synced,
    rename_may_refuse_or_exchange,
    mounts_are_listed,
    names_of_mounts_are_told_as_they_are,
    nothing_is_mounted_on_what_is_removed,
    caches_can_be_dropped,
];

fn statfs() -> StatFs {
    let mut statfs = StatFs::default();
    call_path(call::STATFS, c".", [&raw mut statfs as usize]).unwrap();
    statfs
}

fn space_is_counted() {
    let before = statfs();
    assert_eq!((before.block_size, before.name_length), (4096, 255));
    assert!(before.blocks > before.free_blocks && before.free_blocks > 0);
    assert!(before.available_blocks <= before.free_blocks);
    assert!(before.files >= before.free_files && before.free_files > 0);
    write_file(c"space", &[1; 1 << 20]);
    let fd = file::open(c"space", O_RDONLY).unwrap() as usize;
    let mut full = StatFs::default();
    wild::call(call::FSTATFS, [fd, &raw mut full as usize]).unwrap();
    // Others may take or give memory meanwhile: half of it is sure to show.
    assert!(full.free_blocks + 128 <= before.free_blocks);
    assert_eq!(full.id, before.id);
    assert_eq!(wild::call(call::FSTATFS, [fd, 8]), Err(Errno::EFAULT));
    file::close(fd as i32).unwrap();
    let out = &raw mut full as usize;
    assert_eq!(wild::call(call::FSTATFS, [fd, out]), Err(Errno::EBADF));
    let missing = call_path(call::STATFS, c"missing", [out]);
    assert_eq!(missing, Err(Errno::ENOENT));
    file::unlink(c"space").unwrap();
}

fn sizes_change_by_name() {
    write_file(c"size", b"0123456789");
    call_path(call::TRUNCATE, c"size", [4]).unwrap();
    assert_eq!(contents(c"size").unwrap(), b"0123");
    call_path(call::TRUNCATE, c"size", [6]).unwrap();
    assert_eq!(contents(c"size").unwrap(), b"0123\0\0");
    let result = |name, size| call_path(call::TRUNCATE, name, [size]);
    assert_eq!(result(c"size", usize::MAX), Err(Errno::EINVAL));
    assert_eq!(result(c".", 0), Err(Errno::EISDIR));
    assert_eq!(result(c"/dev/null", 0), Err(Errno::EINVAL));
    assert_eq!(result(c"missing", 0), Err(Errno::ENOENT));
    file::unlink(c"size").unwrap();
}

fn allocation_keeps_its_promise() {
    write_file(c"room", b"abc");
    let fd = file::open(c"room", O_RDWR).unwrap() as usize;
    let allocate =
        |fd, mode, start, length| wild::call(call::FALLOCATE, [fd, mode, start, length]).map(drop);
    allocate(fd, FALLOC_FL_KEEP_SIZE, 0, 10_000).unwrap();
    let stat = file::stat(c"room").unwrap();
    assert_eq!((stat.size, stat.blocks), (3, 24));
    allocate(fd, 0, 8_000, 2_000).unwrap();
    assert_eq!(file::stat(c"room").unwrap().size, 10_000);
    assert_eq!(&contents(c"room").unwrap()[..4], b"abc\0");
    assert_eq!(allocate(fd, 0, 0, 0), Err(Errno::EINVAL));
    assert_eq!(allocate(fd, 0, usize::MAX, 1), Err(Errno::EINVAL));
    let far = i64::MAX as usize;
    assert_eq!(allocate(fd, 0, far, far), Err(Errno::EFBIG));
    assert_eq!(allocate(fd, 2, 0, 1), Err(Errno::EOPNOTSUPP));
    assert_eq!(allocate(fd, 0x8000, 0, 1), Err(Errno::EOPNOTSUPP));
    // More than there is: an error, and the size stays.
    assert_eq!(allocate(fd, 0, 0, 1 << 40), Err(Errno::ENOSPC));
    assert_eq!(file::stat(c"room").unwrap().size, 10_000);
    file::close(fd as i32).unwrap();
    let fd = file::open(c"room", O_RDONLY).unwrap();
    assert_eq!(allocate(fd as usize, 0, 0, 1), Err(Errno::EBADF));
    file::close(fd).unwrap();
    let (read, write) = file::pipe().unwrap();
    assert_eq!(allocate(write as usize, 0, 0, 1), Err(Errno::ESPIPE));
    assert_eq!(allocate(read as usize, 0, 0, 1), Err(Errno::EBADF));
    file::unlink(c"room").unwrap();
}

fn seeks_find_data_and_holes() {
    write_file(c"holes", b"");
    let fd = file::open(c"holes", O_RDWR).unwrap();
    for at in [4096 * 3, 4096 * 1000] {
        file::seek(fd, at, SEEK_SET).unwrap();
        file::write_all(fd, b"x").unwrap();
    }
    let data = |at| file::seek(fd, at, SEEK_DATA);
    let hole = |at| file::seek(fd, at, SEEK_HOLE);
    assert_eq!(data(0), Ok(4096 * 3));
    assert_eq!(data(4096 * 3 + 5), Ok(4096 * 3 + 5));
    assert_eq!(data(4096 * 4), Ok(4096 * 1000));
    assert_eq!(data(4096 * 1000 + 1), Err(Errno::ENXIO));
    assert_eq!(data(-1), Err(Errno::ENXIO));
    assert_eq!(hole(0), Ok(0));
    assert_eq!(hole(4096 * 3 + 1), Ok(4096 * 4));
    assert_eq!(hole(4096 * 1000), Ok(4096 * 1000 + 1));
    assert_eq!(hole(4096 * 1001), Err(Errno::ENXIO));
    assert_eq!(file::seek(fd, 0, 5), Err(Errno::EINVAL));
    file::close(fd).unwrap();
    let (read, _write) = file::pipe().unwrap();
    assert_eq!(file::seek(read, 0, SEEK_DATA), Err(Errno::ESPIPE));
    file::unlink(c"holes").unwrap();
}

fn sync_says_what_cannot_be_synced() {
    let file = file::open(c"synced", O_RDWR | O_CREAT).unwrap() as usize;
    let folder = file::open(c".", O_RDONLY).unwrap() as usize;
    let (read, _write) = file::pipe().unwrap();
    for number in [call::FSYNC, call::FDATASYNC, call::SYNCFS] {
        wild::call(number, [file]).unwrap();
        wild::call(number, [folder]).unwrap();
        assert_eq!(wild::call(number, [999]), Err(Errno::EBADF));
    }
    for number in [call::FSYNC, call::FDATASYNC] {
        assert_eq!(wild::call(number, [read as usize]), Err(Errno::EINVAL));
    }
    wild::call(call::SYNC, [0]).unwrap();
    wild::call(call::SYNC_FILE_RANGE, [file, 0, 0, 7]).unwrap();
    let range = |fd, start, flags| wild::call(call::SYNC_FILE_RANGE, [fd, start, 0, flags]);
    assert_eq!(range(file, 0, 8), Err(Errno::EINVAL));
    assert_eq!(range(file, usize::MAX, 0), Err(Errno::EINVAL));
    assert_eq!(range(read as usize, 0, 0), Err(Errno::ESPIPE));
    file::close(file as i32).unwrap();
    file::unlink(c"synced").unwrap();
}

fn rename_may_refuse_or_exchange() {
    let rename = |old, new, flags| {
        let here = AT_FDCWD as usize;
        wild::call(call::RENAMEAT2, [here, at(old), here, at(new), flags]).map(drop)
    };
    write_file(c"one", b"1");
    file::mkdir(c"two").unwrap();
    write_file(c"two/inside", b"2");
    assert_eq!(rename(c"one", c"two", RENAME_NOREPLACE), Err(Errno::EEXIST));
    assert_eq!(rename(c"one", c"one", RENAME_NOREPLACE), Err(Errno::EEXIST));
    rename(c"one", c"three", RENAME_NOREPLACE).unwrap();
    assert_eq!(rename(c"one", c"two", RENAME_EXCHANGE), Err(Errno::ENOENT));
    assert_eq!(rename(c"two", c"one", RENAME_EXCHANGE), Err(Errno::ENOENT));
    rename(c"three", c"two", RENAME_EXCHANGE).unwrap();
    assert_eq!(contents(c"two").unwrap(), b"1");
    assert_eq!(contents(c"three/inside").unwrap(), b"2");
    // A folder does not go into itself, from either side.
    let inside = c"three/inside";
    assert_eq!(
        rename(c"three", inside, RENAME_EXCHANGE),
        Err(Errno::EINVAL)
    );
    assert_eq!(
        rename(inside, c"three", RENAME_EXCHANGE),
        Err(Errno::EINVAL)
    );
    rename(c"three/inside", c"two", RENAME_EXCHANGE).unwrap();
    assert_eq!(contents(c"two").unwrap(), b"2");
    file::unlink(c"three/inside").unwrap();
    file::rmdir(c"three").unwrap();
    file::unlink(c"two").unwrap();
}

fn mounts_are_listed() {
    let text = contents(c"/proc/mounts").unwrap();
    let text = core::str::from_utf8(&text).unwrap();
    let line = |at: &str| {
        let mut lines = text.lines().map(|line| line.split(' '));
        lines.find_map(|mut words| (words.nth(1) == Some(at)).then_some(words))
    };
    let root = line("/").unwrap();
    assert!(matches!(root.clone().next(), Some("ext4" | "ramfs")));
    assert_eq!(
        root.skip(1).collect::<alloc::vec::Vec<_>>(),
        ["rw", "0", "0"]
    );
    assert_eq!(line("/proc").unwrap().next(), Some("proc"));
    assert!(line("/missing").is_none());
    let fd = file::open(c"/proc/mounts", O_RDWR).unwrap();
    assert_eq!(file::write(fd, b"x"), Err(Errno::EINVAL));
    file::close(fd).unwrap();
}

fn names_of_mounts_are_told_as_they_are() {
    const PLACE: &core::ffi::CStr = c"a \xc3\xa4\xff";
    file::mkdir(PLACE).unwrap();
    storage::mount(c"none", PLACE, c"ramfs", 0).unwrap();
    let text = contents(c"/proc/mounts").unwrap();
    storage::unmount(PLACE).unwrap();
    let name = b"a\\040\xc3\xa4\xff ramfs ";
    assert!(text.windows(name.len()).any(|part| part == name));
    file::rmdir(PLACE).unwrap();
}

fn nothing_is_mounted_on_what_is_removed() {
    file::mkdir(c"covered").unwrap();
    let child = check::in_child(|| {
        file::chdir(c"covered").unwrap();
        file::rmdir(c"../covered").unwrap();
        let mounted = storage::mount(c"none", c".", c"ramfs", 0);
        // Read before it is judged: it would be no more, for anybody.
        let listed = file::open(c"/proc/mounts", O_RDONLY);
        assert!(listed.is_ok());
        assert_eq!(mounted, Err(Errno::ENOENT));
    });
    assert_eq!(child, Ended::Exited(0));
}

fn caches_can_be_dropped() {
    let bytes = [7; 300_000];
    write_file(c"kept", &bytes);
    let fd = file::open(c"/proc/sys/vm/drop_caches", O_WRONLY).unwrap();
    assert_eq!(file::write(fd, b"4"), Err(Errno::EINVAL));
    assert_eq!(file::write(fd, b"3\n"), Ok(2));
    file::close(fd).unwrap();
    assert_eq!(contents(c"kept").unwrap(), bytes);
    file::unlink(c"kept").unwrap();
}
