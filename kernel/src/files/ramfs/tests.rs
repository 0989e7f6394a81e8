//! Ramfs through the calls on names: examples, behaviour among threads, and a
//! model.

mod model;

use super::*;
use crate::credentials::Credentials;
use crate::files::buffer::{Sink, Source};
use crate::files::inode::Maker;
use crate::files::inode::{Inode, Kind, New, Position, Replace};
use crate::files::names::At;
use crate::files::walk::{Follow, path_of};
use abi::Errno;
use abi::file::*;
use std::string::String;
use std::vec;
use std::vec::Vec;

fn root() -> Arc<dyn Inode> {
    machine::frames::arena::init();
    RamFs::make_root().unwrap()
}

fn at<'a>(root: &'a Arc<dyn Inode>, path: &'a (impl AsRef<[u8]> + ?Sized)) -> At<'a> {
    At {
        root,
        start: root,
        path: path.as_ref(),
        by: Credentials::root(),
    }
}

fn write_file(root: &Arc<dyn Inode>, path: &str, text: &[u8]) -> Result<(), Errno> {
    let file = at(root, path).open(O_WRONLY | O_CREAT | O_TRUNC, 0o644)?;
    assert_eq!(file.write(&mut Source::kernel(text))?, text.len());
    Ok(())
}

fn read_file(root: &Arc<dyn Inode>, path: &str) -> Result<Vec<u8>, Errno> {
    let file = at(root, path).open(O_RDONLY, 0)?;
    let mut bytes = vec![0; 100];
    let count = file.read(&mut Sink::kernel(&mut bytes))?;
    bytes.truncate(count);
    Ok(bytes)
}

fn names(directory: &Arc<dyn Inode>) -> Vec<String> {
    let mut names = Vec::new();
    let listed = directory.list(0, &mut |entry| {
        names.push(String::from_utf8(entry.name.to_vec()).unwrap());
        true
    });
    listed.unwrap();
    names.sort();
    names
}

#[test]
fn an_unlinked_file_lives_while_it_is_open() {
    let root = root();
    write_file(&root, "f", b"text").unwrap();
    let file = at(&root, "f").open(O_RDWR | O_APPEND, 0).unwrap();
    at(&root, "f").unlink().unwrap();
    assert_eq!(read_file(&root, "f"), Err(Errno::ENOENT));
    assert_eq!(file.inode().metadata().links, 0);
    assert_eq!(file.write(&mut Source::kernel(b" and more")), Ok(9));
    let mut bytes = [0; 20];
    let count = file.read_at(0, &mut Sink::kernel(&mut bytes)).unwrap();
    assert_eq!(&bytes[..count], b"text and more");
    // A file without a name does not come back.
    let inode = file.inode().clone();
    assert_eq!(root.link(b"g", inode), Err(Errno::ENOENT));
}

#[test]
fn a_removed_directory_takes_nothing() {
    let root = root();
    let directory = at(&root, "d").create(New::Directory, 0o755).unwrap();
    assert_eq!(path_of(&root, &directory).unwrap(), b"/d");
    at(&root, "d").remove_directory().unwrap();
    assert_eq!(path_of(&root, &directory), Err(Errno::ENOENT));
    let made = directory
        .clone()
        .create(b"x", New::Regular, Maker::root(0o644));
    assert_eq!(made.err(), Some(Errno::ENOENT));
    let inside = At {
        root: &root,
        start: &directory,
        path: b"..",
        by: Credentials::root(),
    };
    assert!(Arc::ptr_eq(
        &inside.existing(Follow::Always).unwrap(),
        &root
    ));
}

#[test]
fn a_long_chain_of_removed_directories_goes_without_recursion() {
    let root = root();
    let mut chain = vec![root.clone()];
    for _ in 0..100_000 {
        let last = chain.last().unwrap().clone();
        chain.push(
            last.create(b"d", New::Directory, Maker::root(0o755))
                .unwrap(),
        );
    }
    let deepest = chain.last().unwrap().clone();
    while let Some(directory) = chain.pop() {
        if let Some(parent) = directory.parent() {
            parent.remove_directory(b"d").unwrap();
        }
    }
    drop(deepest);
    assert_eq!(names(&root), [".", ".."]);
}

#[test]
fn image_files_are_read_in_place_and_copied_on_write() {
    machine::frames::arena::init();
    let mut archive = Vec::new();
    use crate::files::cpio::tests::append;
    append(&mut archive, "bin/sh", 0o100755, b"program");
    append(&mut archive, "./etc", 0o040700, b"");
    append(&mut archive, "etc/link", 0o120777, b"../bin/sh");
    append(&mut archive, "../evil", 0o100644, b"no");
    append(&mut archive, "bin/sh", 0o100700, b"newer one");
    append(&mut archive, "TRAILER!!!", 0, b"");
    let root = crate::files::open_root(archive.leak()).unwrap();
    assert_eq!(read_file(&root, "/etc/link").unwrap(), b"newer one");
    assert_eq!(names(&root), [".", "..", "bin", "dev", "etc"]);
    let file = at(&root, "bin/sh").open(O_RDWR, 0).unwrap();
    assert_eq!(file.write(&mut Source::kernel(b"NEW")), Ok(3));
    assert_eq!(read_file(&root, "bin/sh").unwrap(), b"NEWer one");
    let sh = at(&root, "bin/sh").existing(Follow::Always).unwrap();
    assert_eq!(sh.metadata().permissions, 0o700);
    assert_eq!(sh.metadata().links, 1);
    let null = at(&root, "dev/null").open(O_RDWR, 0).unwrap();
    assert_eq!(null.write(&mut Source::kernel(b"gone")), Ok(4));
    assert_eq!(null.read(&mut Sink::kernel(&mut [0; 4])), Ok(0));
    assert_eq!(null.inode().kind(), Kind::Character);
}

#[test]
fn appends_of_many_threads_all_arrive() {
    const THREADS: usize = 4;
    const LINES: usize = 500;
    let root = root();
    write_file(&root, "log", b"").unwrap();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let root = root.clone();
            scope.spawn(move || {
                let file = at(&root, "log").open(O_WRONLY | O_APPEND, 0).unwrap();
                for _ in 0..LINES {
                    let line = [b'0' + thread as u8; 10];
                    assert_eq!(file.write(&mut Source::kernel(&line)), Ok(10));
                }
            });
        }
    });
    let inode = at(&root, "log").existing(Follow::Always).unwrap();
    let mut bytes = vec![0; THREADS * LINES * 10 + 1];
    let count = inode.read_at(0, &mut Sink::kernel(&mut bytes)).unwrap();
    assert_eq!(count, THREADS * LINES * 10);
    for line in bytes[..count].chunks(10) {
        assert!(line.iter().all(|byte| *byte == line[0]));
    }
}

#[test]
fn renames_and_removals_at_once_keep_the_tree_whole() {
    let root = root();
    for name in ["a", "b"] {
        at(&root, name).create(New::Directory, 0o755).unwrap();
    }
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let root = root.clone();
            scope.spawn(move || {
                let paths = ["a/x", "b/x", "a/x/y", "b/x/y"];
                for round in 0..500 {
                    let pick = |salt: usize| paths[(round * 7 + thread * 3 + salt) % 4];
                    // Any may fail; what counts is that the tree stays one.
                    let _ = at(&root, pick(0)).create(New::Directory, 0o755);
                    let replace = [Replace::Yes, Replace::Exchange][round / 2 % 2];
                    let _ = at(&root, pick(1)).rename_to(at(&root, pick(2)), replace);
                    let _ = at(&root, pick(3)).remove_directory();
                    let _ = write_file(&root, pick(1), b"z");
                    let _ = at(&root, pick(0)).unlink();
                }
            });
        }
    });
    check_tree(&root);
}

/// Counts of links and ways up fit the entries.
fn check_tree(directory: &Arc<dyn Inode>) {
    let mut directories = 0;
    for name in names(directory) {
        if name == "." || name == ".." {
            continue;
        }
        let child = directory.lookup(name.as_bytes()).unwrap();
        if child.kind() == Kind::Directory {
            directories += 1;
            assert!(Arc::ptr_eq(&child.parent().unwrap(), directory));
            check_tree(&child);
        } else {
            assert_eq!(child.metadata().links, 1);
        }
    }
    assert_eq!(directory.metadata().links, 2 + directories);
}

#[test]
fn positions_past_the_end_make_gaps() {
    let root = root();
    write_file(&root, "f", b"start").unwrap();
    let inode = at(&root, "f").existing(Follow::Always).unwrap();
    let written = inode.write_at(Position::At(1 << 30), &mut Source::kernel(b"end"));
    assert_eq!(written, Ok((3, (1 << 30) + 3)));
    assert_eq!(inode.metadata().size, (1 << 30) + 3);
    assert_eq!(inode.metadata().allocated, 2 * 4096);
    let mut bytes = [1; 6];
    inode
        .read_at((1 << 30) - 3, &mut Sink::kernel(&mut bytes))
        .unwrap();
    assert_eq!(&bytes, b"\0\0\0end");
}
