//! Folders, names, links.

use crate::{contents, name, write_file};
use alloc::ffi::CString;
use alloc::format;
use alloc::vec::Vec;
use core::ffi::CStr;
use weft::abi::file::*;
use weft::abi::memory::*;
use weft::check::{Test, rounds};
use weft::process::Ended;
use weft::{Errno, call, check, file, tests, thread, wild};

pub const TESTS: &[Test] = tests![
    many_files_in_a_folder,
    deep_folders,
    folder_listing_is_complete,
    listing_while_the_folder_changes,
    a_listing_goes_to_pages_of_a_file,
    rename_moves_and_replaces,
    rename_never_makes_a_circle,
    rename_is_atomic,
    removed_working_folder,
    links_are_one_file,
    symbolic_links,
    symbolic_link_circles,
    paths_with_dots_and_slashes,
    creating_and_removing_at_once,
    one_winner_of_an_exclusive_creation,
];

fn names_in(folder: &CStr) -> Vec<CString> {
    let fd = file::open(folder, O_RDONLY | O_DIRECTORY).unwrap();
    let mut names = Vec::new();
    // So small that it takes many calls.
    let mut buffer = [0; 300];
    while file::read_folder(fd, &mut buffer, |entry| names.push(entry.name.into())).unwrap() {}
    file::close(fd).unwrap();
    names.retain(|name: &CString| name.as_c_str() != c"." && name.as_c_str() != c"..");
    names.sort();
    names
}

fn many_files_in_a_folder() {
    file::mkdir(c"many").unwrap();
    let count = rounds(300, 10_000);
    for i in 0..count {
        write_file(&name(format!("many/file{i}")), format!("{i}").as_bytes());
    }
    for i in (0..count).rev() {
        let name = name(format!("many/file{i}"));
        assert_eq!(contents(&name).unwrap(), format!("{i}").as_bytes());
        file::unlink(&name).unwrap();
    }
    file::rmdir(c"many").unwrap();
}

fn deep_folders() {
    let depth = 60;
    for _ in 0..depth {
        file::mkdir(c"d").unwrap();
        file::chdir(c"d").unwrap();
    }
    let mut buffer = [0; 4096];
    let here = file::current_folder(&mut buffer).unwrap().to_bytes();
    assert_eq!(here.iter().filter(|byte| **byte == b'/').count(), depth + 1);
    write_file(c"x", b"deep");
    let up = CString::new(b"../".repeat(depth)).unwrap();
    assert_eq!(
        file::stat(&up).unwrap().ino,
        file::stat(c"/files-test").unwrap().ino
    );
    file::unlink(c"x").unwrap();
    for _ in 0..depth {
        file::chdir(c"..").unwrap();
        file::rmdir(c"d").unwrap();
    }
}

fn folder_listing_is_complete() {
    file::mkdir(c"list").unwrap();
    let mut expected: Vec<CString> = Vec::new();
    for i in 0..100 {
        let long = "x".repeat(i % 50);
        let plain = name(format!("n{i}{long}"));
        write_file(&name(format!("list/n{i}{long}")), b"");
        expected.push(plain);
    }
    expected.sort();
    assert_eq!(names_in(c"list"), expected);
    for plain in &expected {
        file::unlink(&name(format!("list/{}", plain.to_str().unwrap()))).unwrap();
    }
    assert!(names_in(c"list").is_empty());
    file::rmdir(c"list").unwrap();
}

/// What stays in the folder all the while is listed exactly once.
fn listing_while_the_folder_changes() {
    file::mkdir(c"list").unwrap();
    for i in 0..20 {
        write_file(&name(format!("list/stays{i}")), b"");
    }
    let stop = core::sync::atomic::AtomicBool::new(false);
    thread::scope(|scope| {
        let churn = || {
            while !stop.load(core::sync::atomic::Ordering::SeqCst) {
                for i in 0..10 {
                    write_file(&name(format!("list/goes{i}")), b"");
                }
                for i in 0..10 {
                    file::unlink(&name(format!("list/goes{i}"))).unwrap();
                }
            }
        };
        scope.spawn(churn).unwrap();
        for _ in 0..rounds(50, 2_000) {
            let names = names_in(c"list");
            let stays = names
                .iter()
                .filter(|name| name.to_bytes().starts_with(b"stays"));
            assert_eq!(stays.count(), 20);
        }
        stop.store(true, core::sync::atomic::Ordering::SeqCst);
    });
    for i in 0..20 {
        file::unlink(&name(format!("list/stays{i}"))).unwrap();
    }
    file::rmdir(c"list").unwrap();
}

/// The pages of the buffer are read from the very disk that is listed.
fn a_listing_goes_to_pages_of_a_file() {
    const NAMES: usize = 300;
    const LENGTH: usize = 16 * PAGE_SIZE;
    let path = |number: usize| name(format!("many/a-file-among-many-{number}"));
    file::mkdir(c"many").unwrap();
    for number in 0..NAMES {
        write_file(&path(number), b"");
    }
    write_file(c"buffer", &[0xff; LENGTH]);
    check::drop_caches();
    let fd = file::open(c"buffer", O_RDWR).unwrap();
    let rights = PROT_READ | PROT_WRITE;
    let arguments = [0, LENGTH, rights, MAP_SHARED, fd as usize, 0];
    let buffer = wild::call(call::MMAP, arguments).unwrap();
    let folder = file::open(c"many", O_RDONLY | O_DIRECTORY).unwrap();
    let mut names = 0;
    while file::read_folder(folder, wild::bytes(buffer, LENGTH), |_| names += 1).unwrap() {}
    assert_eq!(names, NAMES + 2);
    wild::unmap(buffer, LENGTH).unwrap();
    file::close(folder).unwrap();
    file::close(fd).unwrap();
    file::unlink(c"buffer").unwrap();
    for number in 0..NAMES {
        file::unlink(&path(number)).unwrap();
    }
    file::rmdir(c"many").unwrap();
}

fn rename_moves_and_replaces() {
    write_file(c"a", b"a");
    write_file(c"b", b"b");
    file::mkdir(c"d").unwrap();
    file::rename(c"a", c"d/a").unwrap();
    assert_eq!(contents(c"a"), Err(Errno::ENOENT));
    file::rename(c"b", c"d/a").unwrap();
    assert_eq!(contents(c"d/a").unwrap(), b"b");
    assert_eq!(file::rename(c"nosuch", c"x"), Err(Errno::ENOENT));
    let refused = file::rename(c"d/a", c"d");
    assert!(matches!(refused, Err(Errno::EISDIR | Errno::ENOTEMPTY)));
    assert_eq!(file::rename(c"d", c"d/a"), Err(Errno::EINVAL));
    file::mkdir(c"e").unwrap();
    file::rename(c"e", c"d/e").unwrap();
    assert_eq!(file::rename(c"d/a", c"d/e"), Err(Errno::EISDIR));
    assert_eq!(file::rename(c"d/e", c"d/a"), Err(Errno::ENOTDIR));
    file::mkdir(c"full").unwrap();
    write_file(c"full/x", b"");
    let refused = file::rename(c"d/e", c"full");
    assert!(matches!(refused, Err(Errno::ENOTEMPTY | Errno::EEXIST)));
    file::rename(c"d/a", c"d/a").unwrap();
    for plain in [c"d/a", c"full/x"] {
        file::unlink(plain).unwrap();
    }
    for folder in [c"d/e", c"d", c"full"] {
        file::rmdir(folder).unwrap();
    }
}

fn rename_never_makes_a_circle() {
    for folder in [c"a", c"a/b", c"a/b/c"] {
        file::mkdir(folder).unwrap();
    }
    assert_eq!(file::rename(c"a", c"a/b/c/a"), Err(Errno::EINVAL));
    assert_eq!(file::rename(c"a", c"a/b"), Err(Errno::EINVAL));
    // Two threads that each try to put one under the other.
    file::mkdir(c"x").unwrap();
    file::mkdir(c"y").unwrap();
    let swap = |from: &CStr, to: &CStr, back: &CStr| {
        for _ in 0..rounds(200, 20_000) {
            if file::rename(from, to).is_ok() {
                file::rename(to, back).unwrap();
            }
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| swap(c"x", c"y/x", c"x")).unwrap();
        scope.spawn(|| swap(c"y", c"x/y", c"y")).unwrap();
    });
    for folder in [c"x", c"y", c"a/b/c", c"a/b", c"a"] {
        file::rmdir(folder).unwrap();
    }
}

/// Whoever looks sees the old file or the new one, never none.
fn rename_is_atomic() {
    write_file(c"target", b"old");
    thread::scope(|scope| {
        let replace = || {
            for _ in 0..rounds(300, 20_000) {
                write_file(c"next", b"new");
                file::rename(c"next", c"target").unwrap();
            }
        };
        let replacer = scope.spawn(replace).unwrap();
        for _ in 0..rounds(300, 20_000) {
            let bytes = contents(c"target").expect("the name is always there");
            assert!(bytes == b"old" || bytes == b"new", "{bytes:?}");
        }
        replacer.join().unwrap();
    });
    file::unlink(c"target").unwrap();
}

fn removed_working_folder() {
    file::mkdir(c"gone").unwrap();
    file::chdir(c"gone").unwrap();
    file::rmdir(c"/files-test/gone").unwrap();
    assert_eq!(file::open(c"x", O_CREAT | O_WRONLY), Err(Errno::ENOENT));
    assert_eq!(file::mkdir(c"x"), Err(Errno::ENOENT));
    assert_eq!(file::current_folder(&mut [0; 100]), Err(Errno::ENOENT));
    file::chdir(c"/files-test").unwrap();
}

fn links_are_one_file() {
    write_file(c"a", b"1");
    for i in 0..20 {
        file::link(c"a", &name(format!("l{i}"))).unwrap();
    }
    assert_eq!(file::stat(c"a").unwrap().nlink, 21);
    write_file(c"l7", b"changed");
    assert_eq!(contents(c"a").unwrap(), b"changed");
    file::unlink(c"a").unwrap();
    for i in 0..20 {
        file::unlink(&name(format!("l{i}"))).unwrap();
    }
    assert_eq!(file::link(c".", c"x"), Err(Errno::EPERM));
    assert_eq!(file::link(c"nosuch", c"x"), Err(Errno::ENOENT));
}

fn symbolic_links() {
    write_file(c"a", b"through");
    file::mkdir(c"d").unwrap();
    file::symlink(c"a", c"s").unwrap();
    file::symlink(c"../a", c"d/s").unwrap();
    file::symlink(c"/files-test/d", c"t").unwrap();
    for through in [c"s", c"d/s", c"t/s"] {
        assert_eq!(contents(through).unwrap(), b"through");
    }
    assert_eq!(file::lstat(c"s").unwrap().mode & S_IFMT, S_IFLNK);
    assert_eq!(file::stat(c"s").unwrap().mode & S_IFMT, S_IFREG);
    let mut target = [0u8; 20];
    let args = [c"s".as_ptr() as usize, target.as_mut_ptr() as usize, 20];
    assert_eq!(wild::call(call::READLINK, args), Ok(1));
    assert_eq!(target[0], b'a');
    assert_eq!(file::open(c"s", O_RDONLY | O_NOFOLLOW), Err(Errno::ELOOP));
    file::symlink(c"nowhere", c"n").unwrap();
    assert_eq!(contents(c"n"), Err(Errno::ENOENT));
    for plain in [c"a", c"s", c"d/s", c"t", c"n"] {
        file::unlink(plain).unwrap();
    }
    file::rmdir(c"d").unwrap();
}

fn symbolic_link_circles() {
    file::symlink(c"y", c"x").unwrap();
    file::symlink(c"x", c"y").unwrap();
    file::symlink(c"self/self", c"self").unwrap();
    for plain in [c"x", c"y", c"self", c"x/deeper"] {
        assert_eq!(file::open(plain, O_RDONLY), Err(Errno::ELOOP), "{plain:?}");
    }
    for plain in [c"x", c"y", c"self"] {
        file::unlink(plain).unwrap();
    }
}

fn paths_with_dots_and_slashes() {
    file::mkdir(c"d").unwrap();
    write_file(c"d/f", b"x");
    let expected = file::stat(c"d/f").unwrap().ino;
    for path in [
        c"./d/f",
        c"d//f",
        c"d/./f",
        c"d/../d/f",
        c"///files-test///d///f",
        c"/../files-test/d/f",
        c"d/../../files-test/d/f",
    ] {
        assert_eq!(file::stat(path).unwrap().ino, expected, "{path:?}");
    }
    assert_eq!(file::stat(c"d/f/."), Err(Errno::ENOTDIR));
    assert!(file::stat(c"d/").is_ok());
    file::unlink(c"d/f").unwrap();
    file::rmdir(c"d/").unwrap();
}

fn creating_and_removing_at_once() {
    let work = |seed: usize| {
        for round in 0..rounds(200, 20_000) {
            let name = name(format!("shared{}", (seed + round) % 5));
            match file::open(&name, O_CREAT | O_RDWR) {
                Ok(fd) => {
                    file::write_all(fd, b"x").unwrap();
                    file::close(fd).unwrap();
                }
                Err(error) => panic!("open: {error}"),
            }
            match file::unlink(&name) {
                Ok(()) | Err(Errno::ENOENT) => {}
                Err(error) => panic!("unlink: {error}"),
            }
        }
    };
    thread::scope(|scope| {
        for seed in 0..4 {
            scope.spawn(move || work(seed)).unwrap();
        }
    });
    for i in 0..5 {
        let _ = file::unlink(&name(format!("shared{i}")));
    }
    assert!(names_in(c".").is_empty());
}

fn one_winner_of_an_exclusive_creation() {
    for _ in 0..rounds(50, 2_000) {
        let children: Vec<i32> = (0..4)
            .map(|_| {
                check::start_child(|| {
                    let won = file::open(c"prize", O_CREAT | O_EXCL | O_WRONLY).is_ok();
                    weft::process::exit(won as i32)
                })
            })
            .collect();
        let ends: Vec<Ended> = children.into_iter().map(check::wait_for).collect();
        assert_eq!(
            ends.iter()
                .filter(|ended| **ended == Ended::Exited(1))
                .count(),
            1
        );
        file::unlink(c"prize").unwrap();
    }
}
