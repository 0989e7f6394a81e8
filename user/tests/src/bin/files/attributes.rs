//! Modes, owners, times, and what stat in all its forms says of them.

use super::{at, call_path, write_file};
use weft::abi::file::*;
use weft::abi::time::Timespec;
use weft::check::Test;
use weft::{Errno, call, file, tests, wild};

pub const TESTS: &[Test] = tests![
    modes_are_set_by_name_descriptor_and_link,
    owners_are_kept_and_take_the_setuid_bits,
    times_now_omitted_and_given,
    old_forms_of_times,
    every_stat_says_the_same,
    access_knows_root,
    descriptors_stand_for_folders,
    unknown_flags_are_refused,
];

const HERE: usize = AT_FDCWD as usize;

fn modes_are_set_by_name_descriptor_and_link() {
    write_file(c"mode", b"");
    let mode = || file::stat(c"mode").unwrap().mode & 0o7777;
    call_path(call::CHMOD, c"mode", [0o7777]).unwrap();
    assert_eq!(mode(), 0o7777);
    // Bits that are no permissions are dropped.
    call_path(call::CHMOD, c"mode", [0o100_640]).unwrap();
    assert_eq!(mode(), 0o640);
    let fd = file::open(c"mode", O_RDONLY).unwrap();
    wild::call(call::FCHMOD, [fd as usize, 0o111]).unwrap();
    assert_eq!(mode(), 0o111);
    file::close(fd).unwrap();
    assert_eq!(
        wild::call(call::FCHMOD, [fd as usize, 0]),
        Err(Errno::EBADF)
    );
    file::symlink(c"mode", c"mode-link").unwrap();
    call_path(call::CHMOD, c"mode-link", [0o700]).unwrap();
    assert_eq!(mode(), 0o700);
    assert_eq!(file::lstat(c"mode-link").unwrap().mode, S_IFLNK | 0o777);
    let link = at(c"mode-link");
    let args = [HERE, link, 0, AT_SYMLINK_NOFOLLOW];
    assert_eq!(wild::call(call::FCHMODAT2, args), Err(Errno::EOPNOTSUPP));
    // The older call has no flags: what stands in their place says nothing.
    wild::call(call::FCHMODAT, [HERE, link, 0o600, usize::MAX]).unwrap();
    assert_eq!(mode(), 0o600);
    assert_eq!(call_path(call::CHMOD, c"nothing", [0]), Err(Errno::ENOENT));
    file::unlink(c"mode-link").unwrap();
    file::unlink(c"mode").unwrap();
}

fn owners_are_kept_and_take_the_setuid_bits() {
    const KEEP: usize = u32::MAX as usize;
    write_file(c"owned", b"");
    let owner = || {
        let stat = file::stat(c"owned").unwrap();
        (stat.uid, stat.gid, stat.mode & 0o7777)
    };
    call_path(call::CHMOD, c"owned", [0o6755]).unwrap();
    call_path(call::CHOWN, c"owned", [1000, 100]).unwrap();
    assert_eq!(owner(), (1000, 100, 0o755));
    call_path(call::CHOWN, c"owned", [KEEP, 7]).unwrap();
    assert_eq!(owner(), (1000, 7, 0o755));
    call_path(call::CHOWN, c"owned", [5, usize::MAX]).unwrap();
    assert_eq!(owner(), (5, 7, 0o755));
    // Set-group-id without execution is a lock's mark, and stays.
    call_path(call::CHMOD, c"owned", [0o2644]).unwrap();
    let fd = file::open(c"owned", O_RDONLY).unwrap();
    wild::call(call::FCHOWN, [fd as usize, 0, 0]).unwrap();
    assert_eq!(owner(), (0, 0, 0o2644));
    let empty = [fd as usize, at(c""), 3, 4, AT_EMPTY_PATH];
    wild::call(call::FCHOWNAT, empty).unwrap();
    assert_eq!(owner(), (3, 4, 0o2644));
    file::close(fd).unwrap();
    file::symlink(c"owned", c"owned-link").unwrap();
    call_path(call::LCHOWN, c"owned-link", [9, 9]).unwrap();
    assert_eq!(owner(), (3, 4, 0o2644));
    assert_eq!(file::lstat(c"owned-link").unwrap().uid, 9);
    file::unlink(c"owned-link").unwrap();
    file::unlink(c"owned").unwrap();
}

fn times_now_omitted_and_given() {
    write_file(c"times", b"");
    let set = |path: usize, times: &[Timespec; 2]| {
        let args = [HERE, path, &raw const *times as usize, 0];
        wild::call(call::UTIMENSAT, args)
    };
    let time = |sec, nsec| Timespec { sec, nsec };
    set(at(c"times"), &[time(1, 2), time(3, 4)]).unwrap();
    let stat = file::stat(c"times").unwrap();
    assert_eq!((stat.atime, stat.atime_nsec), (1, 2));
    assert_eq!((stat.mtime, stat.mtime_nsec), (3, 4));
    set(at(c"times"), &[time(-9, UTIME_OMIT), time(77, UTIME_NOW)]).unwrap();
    let stat = file::stat(c"times").unwrap();
    assert_eq!((stat.atime, stat.atime_nsec), (1, 2));
    assert!(stat.mtime > 1_000_000_000 && stat.mtime <= stat.ctime);
    // Nothing to set: not even the path is looked at.
    set(8, &[time(0, UTIME_OMIT); 2]).unwrap();
    for bad in [-1, 1_000_000_000, UTIME_NOW + 1, i64::MAX] {
        assert_eq!(
            set(at(c"times"), &[time(0, bad), time(0, 0)]),
            Err(Errno::EINVAL)
        );
    }
    assert_eq!(set(0, &[time(0, 0); 2]), Err(Errno::EFAULT));
    // Without a path: the descriptor's file.
    let fd = file::open(c"times", O_RDONLY).unwrap() as usize;
    let times = [time(5, 0), time(6, 0)];
    let address = &raw const times as usize;
    wild::call(call::UTIMENSAT, [fd, 0, address, 0]).unwrap();
    assert_eq!(file::stat(c"times").unwrap().mtime, 6);
    let args = [fd, 0, address, AT_SYMLINK_NOFOLLOW];
    assert_eq!(wild::call(call::UTIMENSAT, args), Err(Errno::EINVAL));
    wild::call(call::UTIMENSAT, [fd, 0, 0, 0]).unwrap();
    assert!(file::stat(c"times").unwrap().atime > 1_000_000_000);
    file::close(fd as i32).unwrap();
    file::unlink(c"times").unwrap();
}

fn old_forms_of_times() {
    write_file(c"old-times", b"");
    let seconds = [10i64, 20];
    call_path(call::UTIME, c"old-times", [&raw const seconds as usize]).unwrap();
    let times = || {
        let stat = file::stat(c"old-times").unwrap();
        (stat.atime, stat.mtime, stat.mtime_nsec)
    };
    assert_eq!(times(), (10, 20, 0));
    let micros = [[30i64, 0], [40, 999_999]];
    let address = &raw const micros as usize;
    call_path(call::UTIMES, c"old-times", [address]).unwrap();
    assert_eq!(times(), (30, 40, 999_999_000));
    let bad = [[30i64, 0], [40, 1_000_000]];
    assert_eq!(
        call_path(call::UTIMES, c"old-times", [&raw const bad as usize]),
        Err(Errno::EINVAL)
    );
    let fd = file::open(c"old-times", O_RDONLY).unwrap() as usize;
    wild::call(call::FUTIMESAT, [fd, 0, address]).unwrap();
    file::close(fd as i32).unwrap();
    call_path(call::UTIME, c"old-times", [0]).unwrap();
    assert!(times().0 > 1_000_000_000);
    file::unlink(c"old-times").unwrap();
}

fn every_stat_says_the_same() {
    write_file(c"stats", b"12345");
    file::mknod(c"stats-device", S_IFBLK | 0o600, 8 << 8 | 17).unwrap();
    for name in [c"stats", c"stats-device", c"/dev/null", c"/"] {
        let stat = file::stat(name).unwrap();
        let mut statx = Statx::default();
        let args = [
            HERE,
            at(name),
            0,
            STATX_BASIC_STATS as usize,
            &raw mut statx as usize,
        ];
        wild::call(call::STATX, args).unwrap();
        assert_eq!(u32::from(statx.mode), stat.mode);
        assert_eq!((statx.ino, statx.size), (stat.ino, stat.size as u64));
        assert_eq!(u64::from(statx.nlink), stat.nlink);
        assert_eq!(
            u64::from(statx.rdev_major) << 8 | u64::from(statx.rdev_minor),
            stat.rdev
        );
        assert_eq!(statx.mask, STATX_BASIC_STATS);
        assert_eq!((statx.mtime.sec, statx.ctime.sec), (stat.mtime, stat.ctime));
    }
    let stat = file::stat(c"stats-device").unwrap();
    assert_eq!((stat.mode, stat.rdev), (S_IFBLK | 0o600, 8 << 8 | 17));
    assert_eq!(file::open(c"stats-device", O_RDONLY), Err(Errno::ENXIO));
    let mut statx = Statx::default();
    let out = &raw mut statx as usize;
    let reserved = [HERE, at(c"stats"), 0, STATX_RESERVED as usize, out];
    assert_eq!(wild::call(call::STATX, reserved), Err(Errno::EINVAL));
    let both = AT_STATX_DONT_SYNC | AT_STATX_FORCE_SYNC;
    let contradiction = [HERE, at(c"stats"), both, 0, out];
    assert_eq!(wild::call(call::STATX, contradiction), Err(Errno::EINVAL));
    let nowhere = [HERE, at(c"stats"), 0, 0, 8];
    assert_eq!(wild::call(call::STATX, nowhere), Err(Errno::EFAULT));
    file::unlink(c"stats-device").unwrap();
    file::unlink(c"stats").unwrap();
}

fn access_knows_root() {
    write_file(c"access", b"");
    call_path(call::CHMOD, c"access", [0]).unwrap();
    call_path(call::ACCESS, c"access", [6]).unwrap();
    assert_eq!(call_path(call::ACCESS, c"access", [1]), Err(Errno::EACCES));
    call_path(call::CHMOD, c"access", [0o001]).unwrap();
    call_path(call::ACCESS, c"access", [7]).unwrap();
    let name = at(c"access");
    wild::call(call::FACCESSAT2, [HERE, name, 7, AT_EACCESS]).unwrap();
    assert_eq!(
        wild::call(call::FACCESSAT2, [HERE, name, 7, 1]),
        Err(Errno::EINVAL)
    );
    wild::call(call::FACCESSAT, [HERE, name, 7, 1]).unwrap();
    assert_eq!(call_path(call::ACCESS, c"access", [8]), Err(Errno::EINVAL));
    file::unlink(c"access").unwrap();
}

fn descriptors_stand_for_folders() {
    file::mkdir(c"folder").unwrap();
    let folder = file::open(c"folder", O_RDONLY | O_DIRECTORY).unwrap() as usize;
    let target = at(c"target");
    wild::call(call::MKNODAT, [folder, target, 0o644, 0]).unwrap();
    wild::call(call::SYMLINKAT, [target, folder, at(c"link")]).unwrap();
    let mut buffer = [0u8; 16];
    let args = [folder, at(c"link"), buffer.as_mut_ptr() as usize, 16];
    assert_eq!(wild::call(call::READLINKAT, args), Ok(6));
    assert_eq!(&buffer[..6], b"target");
    let twice = [folder, at(c"link"), folder, at(c"twice"), AT_SYMLINK_FOLLOW];
    wild::call(call::LINKAT, twice).unwrap();
    assert_eq!(file::stat(c"folder/twice").unwrap().nlink, 2);
    let fd = file::open(c"folder/twice", O_RDONLY).unwrap() as usize;
    let own = [fd, at(c""), folder, at(c"thrice"), AT_EMPTY_PATH];
    wild::call(call::LINKAT, own).unwrap();
    assert_eq!(file::stat(c"folder/thrice").unwrap().nlink, 3);
    // A file is no folder to start from.
    let args = [fd, at(c"x"), 0o644, 0];
    assert_eq!(wild::call(call::MKNODAT, args), Err(Errno::ENOTDIR));
    assert_eq!(wild::call(call::FCHDIR, [fd]), Err(Errno::ENOTDIR));
    wild::call(call::FCHDIR, [folder]).unwrap();
    for name in [c"target", c"link", c"twice", c"thrice"] {
        file::unlink(name).unwrap();
    }
    file::chdir(c"..").unwrap();
    file::rmdir(c"folder").unwrap();
    // Nothing can be made in a folder that is gone.
    let args = [folder, target, 0o644, 0];
    assert_eq!(wild::call(call::MKNODAT, args), Err(Errno::ENOENT));
}

fn unknown_flags_are_refused() {
    const UNKNOWN: usize = 0x10_0000;
    let name = at(c"/");
    let refused = |number, args: [usize; 5]| {
        assert_eq!(wild::call(number, args), Err(Errno::EINVAL), "{number}");
    };
    refused(call::FCHMODAT2, [HERE, name, 0o755, UNKNOWN, 0]);
    refused(call::FCHOWNAT, [HERE, name, 0, 0, UNKNOWN]);
    refused(call::NEWFSTATAT, [HERE, name, name, UNKNOWN, 0]);
    refused(call::LINKAT, [HERE, name, HERE, name, UNKNOWN]);
    refused(call::UTIMENSAT, [HERE, name, 0, UNKNOWN, 0]);
    refused(call::RENAMEAT2, [HERE, name, HERE, name, RENAME_WHITEOUT]);
    refused(call::RENAMEAT2, [HERE, name, HERE, name, 3]);
    refused(call::STATX, [HERE, name, UNKNOWN, 0, name]);
    refused(call::FACCESSAT2, [HERE, name, 0, UNKNOWN, 0]);
}
