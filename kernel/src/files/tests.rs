//! Path walks, the rules of names, FIFOs and descriptor tables.

use super::inode::Replace;
use super::names::At;
use super::*;
use crate::credentials::Credentials;
use abi::file::*;
use alloc::string::String;
use std::thread;
use std::vec::Vec;

fn root() -> Arc<dyn Inode> {
    machine::frames::arena::init();
    open_root(&[]).unwrap()
}

fn at<'a>(root: &'a Arc<dyn Inode>, path: &'a (impl AsRef<[u8]> + ?Sized)) -> At<'a> {
    At {
        root,
        start: root,
        path: path.as_ref(),
        by: Credentials::root(),
    }
}

fn directory(root: &Arc<dyn Inode>, path: &str) -> Arc<dyn Inode> {
    at(root, path).create(New::Directory, 0o755).unwrap()
}

fn symlink(root: &Arc<dyn Inode>, path: &str, target: &str) {
    let new = New::SymbolicLink(target.as_bytes());
    at(root, path).create(new, 0o777).unwrap();
}

fn kind(root: &Arc<dyn Inode>, path: &str, follow: Follow) -> Result<Kind, Errno> {
    Ok(at(root, path).existing(follow)?.kind())
}

fn open(root: &Arc<dyn Inode>, path: &str, flags: usize) -> Result<Arc<File>, Errno> {
    at(root, path).open(flags, 0o644)
}

#[test]
fn links_are_followed_where_they_must_be() {
    use Follow::*;
    let root = root();
    directory(&root, "d");
    directory(&root, "d/e");
    open(&root, "d/file", O_CREAT | O_WRONLY).unwrap();
    symlink(&root, "to_d", "d");
    symlink(&root, "d/up", "../d/e/..");
    symlink(&root, "absolute", "/to_d/up/file");
    symlink(&root, "slashes", "d//");
    symlink(&root, "root", "/");
    assert_eq!(kind(&root, "absolute", Always), Ok(Kind::Regular));
    assert_eq!(kind(&root, "absolute", IfSlash), Ok(Kind::SymbolicLink));
    assert_eq!(kind(&root, "absolute/", IfSlash), Err(Errno::ENOTDIR));
    assert_eq!(kind(&root, "to_d/", IfSlash), Ok(Kind::Directory));
    assert_eq!(kind(&root, "to_d", Never), Ok(Kind::SymbolicLink));
    assert_eq!(kind(&root, "slashes/e", Never), Ok(Kind::Directory));
    assert_eq!(
        kind(&root, "root/root/to_d/up/up/e", Always),
        Ok(Kind::Directory)
    );
    assert_eq!(
        kind(&root, "../../d/./e/../file", Always),
        Ok(Kind::Regular)
    );
    assert_eq!(kind(&root, "d/file/..", Always), Err(Errno::ENOTDIR));
    assert_eq!(kind(&root, "d/file/.", Always), Err(Errno::ENOTDIR));
    assert_eq!(kind(&root, "none/..", Always), Err(Errno::ENOENT));
    assert_eq!(kind(&root, "", Always), Err(Errno::ENOENT));
    assert_eq!(kind(&root, "///", Always), Ok(Kind::Directory));
}

#[test]
fn forty_links_are_enough() {
    let root = root();
    open(&root, "0", O_CREAT | O_WRONLY).unwrap();
    for number in 1..=41 {
        symlink(
            &root,
            &std::format!("{number}"),
            &std::format!("{}", number - 1),
        );
    }
    symlink(&root, "loop", "loop");
    assert_eq!(kind(&root, "40", Follow::Always), Ok(Kind::Regular));
    assert_eq!(kind(&root, "41", Follow::Always), Err(Errno::ELOOP));
    assert_eq!(kind(&root, "loop/x", Follow::Never), Err(Errno::ELOOP));
    assert_eq!(open(&root, "loop", O_CREAT).err(), Some(Errno::ELOOP));
}

#[test]
fn open_obeys_its_flags() {
    let root = root();
    directory(&root, "d");
    symlink(&root, "dangling", "d/made");
    let error = |path, flags| open(&root, path, flags).err();
    assert_eq!(error("none", O_RDONLY), Some(Errno::ENOENT));
    assert_eq!(error("none/", O_CREAT), Some(Errno::EISDIR));
    assert_eq!(error("d", O_WRONLY), Some(Errno::EISDIR));
    assert_eq!(error("d", O_CREAT), Some(Errno::EISDIR));
    assert_eq!(error("d/.", O_CREAT), Some(Errno::EISDIR));
    assert_eq!(error("d", O_CREAT | O_DIRECTORY), Some(Errno::EINVAL));
    assert_eq!(error("dangling", O_CREAT | O_EXCL), Some(Errno::EEXIST));
    assert_eq!(error("dangling", O_NOFOLLOW), Some(Errno::ELOOP));
    assert_eq!(
        error("dangling", O_NOFOLLOW | O_DIRECTORY),
        Some(Errno::ENOTDIR)
    );
    assert_eq!(error("dangling", O_CREAT | O_WRONLY), None);
    assert_eq!(kind(&root, "d/made", Follow::Never), Ok(Kind::Regular));
    assert_eq!(error("d/made", O_DIRECTORY), Some(Errno::ENOTDIR));
    assert_eq!(error("d/made/", O_RDONLY), Some(Errno::ENOTDIR));
    let file = open(&root, "d/made", O_RDWR | O_APPEND | O_CLOEXEC).unwrap();
    let shown = (O_RDWR | O_APPEND | O_LARGEFILE) as u32;
    assert_eq!(file.description().flags(), shown);
    file.write(&mut Source::kernel(b"text")).unwrap();
    open(&root, "d/made", O_RDONLY | O_TRUNC).unwrap();
    assert_eq!(file.inode().metadata().size, 0);
    let listing = open(&root, "d", O_DIRECTORY).unwrap();
    assert_eq!(
        listing.read(&mut Sink::kernel(&mut [0; 8])),
        Err(Errno::EISDIR)
    );
    let listed = file.list(&mut |inode, from| inode.list(from, &mut |_| true).map(|()| from));
    assert_eq!(listed, Err(Errno::ENOTDIR));
}

#[test]
fn last_components_that_are_no_names() {
    let root = root();
    directory(&root, "d");
    open(&root, "f", O_CREAT).unwrap();
    symlink(&root, "link", "d");
    let make = |path: &str| at(&root, path).create(New::Directory, 0).err();
    assert_eq!(make("/"), Some(Errno::EEXIST));
    assert_eq!(make("d/."), Some(Errno::EEXIST));
    assert_eq!(make("link/"), Some(Errno::EEXIST));
    assert_eq!(make("new/"), None);
    let rmdir = |path: &str| at(&root, path).remove_directory().err();
    assert_eq!(rmdir("d/."), Some(Errno::EINVAL));
    assert_eq!(rmdir("d/.."), Some(Errno::ENOTEMPTY));
    assert_eq!(rmdir("/"), Some(Errno::EBUSY));
    assert_eq!(rmdir("link/"), Some(Errno::ENOTDIR));
    assert_eq!(rmdir("new//"), None);
    let unlink = |path: &str| at(&root, path).unlink().err();
    assert_eq!(unlink("d/.."), Some(Errno::EISDIR));
    assert_eq!(unlink("d/"), Some(Errno::EISDIR));
    assert_eq!(unlink("f/"), Some(Errno::ENOTDIR));
    assert_eq!(unlink("none/"), Some(Errno::ENOENT));
    let link = |old: &str, new: &str| at(&root, old).link_to(at(&root, new), Follow::Never).err();
    assert_eq!(link("f", "g/"), Some(Errno::ENOENT));
    assert_eq!(link("f", "d/"), Some(Errno::EEXIST));
    assert_eq!(link("d", "g"), Some(Errno::EPERM));
    assert_eq!(link("link", "link2"), None);
    assert_eq!(kind(&root, "link2", Follow::Never), Ok(Kind::SymbolicLink));
    let rename =
        |old: &str, new: &str| at(&root, old).rename_to(at(&root, new), Replace::Yes).err();
    assert_eq!(rename("f", "g/"), Some(Errno::ENOTDIR));
    assert_eq!(rename("d/.", "g"), Some(Errno::EBUSY));
    assert_eq!(rename("d/", "e/"), None);
    assert_eq!(rename("e", "e"), None);
    let long = std::vec![b'n'; 256];
    let error = at(&root, &long).create(New::Fifo, 0).err();
    assert_eq!(error, Some(Errno::ENAMETOOLONG));
}

#[test]
fn offsets_are_shared_and_seek_as_they_should() {
    use open_file::Whence::*;
    let root = root();
    let file = open(&root, "f", O_CREAT | O_RDWR).unwrap();
    assert_eq!(file.write(&mut Source::kernel(b"0123456789")), Ok(10));
    assert_eq!(file.seek(-3, End), Ok(7));
    assert_eq!(file.seek(-8, Current), Err(Errno::EINVAL));
    assert_eq!(file.seek(-1, Current), Ok(6));
    assert_eq!(file.seek(i64::MAX, Current), Err(Errno::EINVAL));
    let mut bytes = [0; 3];
    assert_eq!(file.clone().read(&mut Sink::kernel(&mut bytes)), Ok(3));
    assert_eq!((&bytes, file.seek(0, Current)), (b"678", Ok(9)));
    assert_eq!(file.read_at(1, &mut Sink::kernel(&mut bytes)), Ok(3));
    assert_eq!((&bytes, file.seek(0, Current)), (b"123", Ok(9)));
    assert_eq!(file.seek(100, Start), Ok(100));
    assert_eq!(file.read(&mut Sink::kernel(&mut bytes)), Ok(0));
}

#[test]
fn listings_go_on_where_they_stopped() {
    let root = root();
    directory(&root, "d");
    for number in 0..20 {
        open(&root, &std::format!("d/{number}"), O_CREAT).unwrap();
    }
    let listing = open(&root, "d", O_RDONLY).unwrap();
    let mut seen = Vec::new();
    loop {
        let before = seen.len();
        let mut room = 3;
        let listed = listing.list(&mut |directory, from| {
            let mut reached = from;
            directory.list(from, &mut |entry| {
                if room == 0 {
                    return false;
                }
                room -= 1;
                reached = entry.next;
                seen.push(String::from_utf8(entry.name.to_vec()).unwrap());
                true
            })?;
            Ok(reached)
        });
        listed.unwrap();
        if seen.len() == before {
            break;
        }
        // What was listed may go meanwhile.
        if let Some(name) = seen.last().filter(|name| *name != "..") {
            at(&root, &std::format!("d/{name}")).unlink().unwrap();
        }
    }
    assert_eq!(seen.len(), 22);
    assert_eq!(seen[..2], [".", ".."]);
}

#[test]
fn fifos_join_those_who_open_them() {
    let root = root();
    at(&root, "f").create(New::Fifo, 0o644).unwrap();
    let error = open(&root, "f", O_WRONLY | O_NONBLOCK).err();
    assert_eq!(error, Some(Errno::ENXIO));
    let reader = {
        let root = root.clone();
        thread::spawn(move || {
            let file = open(&root, "f", O_RDONLY).unwrap();
            let mut bytes = [0; 10];
            let count = file.read(&mut Sink::kernel(&mut bytes)).unwrap();
            bytes[..count].to_vec()
        })
    };
    let writer = open(&root, "f", O_WRONLY).unwrap();
    writer.write(&mut Source::kernel(b"hello")).unwrap();
    assert_eq!(reader.join().unwrap(), b"hello");
    let both = open(&root, "f", O_RDWR).unwrap();
    both.write(&mut Source::kernel(b"self")).unwrap();
    let mut bytes = [0; 10];
    assert_eq!(both.read(&mut Sink::kernel(&mut bytes)), Ok(4));
    // With nobody left the next one starts empty.
    both.write(&mut Source::kernel(b"lost")).unwrap();
    drop((writer, both));
    let reader = open(&root, "f", O_RDONLY | O_NONBLOCK).unwrap();
    assert_eq!(reader.read(&mut Sink::kernel(&mut bytes)), Ok(0));
}

fn null(root: &Arc<dyn Inode>) -> Arc<File> {
    open(root, "dev/null", O_RDWR).unwrap()
}

#[test]
fn descriptors_are_the_lowest_free() {
    let root = root();
    let file = null(&root);
    let table = FileTable::new();
    for expected in 0..5 {
        assert_eq!(table.insert(file.clone(), 0, expected == 3), Ok(expected));
    }
    table.close(1).unwrap();
    assert_eq!(table.close(1), Err(Errno::EBADF));
    assert_eq!(table.get(1).err(), Some(Errno::EBADF));
    assert_eq!(table.get(usize::MAX).err(), Some(Errno::EBADF));
    assert_eq!(table.insert(file.clone(), 10, false), Ok(10));
    assert_eq!(table.insert(file.clone(), 0, false), Ok(1));
    assert_eq!(table.insert(file.clone(), 1024, false), Err(Errno::EINVAL));
    table.replace(1000, file.clone(), true).unwrap();
    assert_eq!(table.replace(1024, file.clone(), false), Err(Errno::EBADF));
    assert_eq!(table.closes_on_exec(1000), Ok(true));
    let reserved = table.reserve(false).unwrap();
    assert_eq!(reserved.number(), 5);
    assert_eq!(table.get(5).err(), Some(Errno::EBADF));
    assert_eq!(table.replace(5, file.clone(), false), Err(Errno::EBUSY));
    let copy = table.dup_table().unwrap();
    assert_eq!(copy.insert(file.clone(), 0, false), Ok(5));
    drop(reserved);
    assert_eq!(table.insert(file.clone(), 0, false), Ok(5));
    table.close_on_exec();
    assert_eq!(table.get(3).err(), Some(Errno::EBADF));
    assert_eq!(table.get(1000).err(), Some(Errno::EBADF));
    assert!(copy.get(1000).is_ok() && copy.get(3).is_ok());
    drop((table, copy));
    assert_eq!(Arc::strong_count(&file), 1);
}

#[test]
fn a_full_table_says_so() {
    let root = root();
    let file = null(&root);
    let table = FileTable::new();
    for _ in 0..table::DEFAULT_LIMIT {
        table.insert(file.clone(), 0, false).unwrap();
    }
    assert_eq!(table.insert(file.clone(), 0, false), Err(Errno::EMFILE));
    assert_eq!(table.reserve(false).err(), Some(Errno::EMFILE));
    table.set_limit(2000).unwrap();
    assert_eq!(table.insert(file.clone(), 0, false), Ok(1024));
    table.set_limit(10).unwrap();
    assert_eq!(table.insert(file.clone(), 0, false), Err(Errno::EMFILE));
    assert!(table.get(1024).is_ok());
    assert_eq!(table.set_limit(1 << 20), Err(Errno::EPERM));
}

#[test]
fn threads_that_share_a_table_leak_nothing() {
    let root = root();
    let file = null(&root);
    let table = FileTable::new();
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for round in 0..2000 {
                    let number = table.insert(file.clone(), 0, false).unwrap();
                    if round % 5 == 0 {
                        drop(table.dup_table().unwrap());
                    }
                    table.get(number).unwrap();
                    table.close(number).unwrap();
                }
            });
        }
    });
    assert_eq!(table.insert(file.clone(), 0, false), Ok(0));
    drop(table);
    assert_eq!(Arc::strong_count(&file), 1);
}

#[test]
fn the_umask_and_the_cwd_are_copied_by_fork() {
    let root = root();
    let context = FsContext::new(root.clone());
    assert_eq!(context.set_umask(0o77), 0o22);
    let copy = context.duplicate().unwrap();
    let directory = directory(&root, "d");
    context.set_working(directory.clone());
    context.set_umask(0);
    assert_eq!(copy.umask(), 0o77);
    assert!(Arc::ptr_eq(&copy.working(), &root));
    assert_eq!(walk::path_of(&root, &context.working()).unwrap(), b"/d");
    assert_eq!(walk::path_of(&root, &root).unwrap(), b"/");
}

#[test]
fn a_mount_has_a_place_or_is_not_made() {
    let root = root();
    for _ in 0..300 {
        let covered = directory(&root, "place");
        let new: Arc<dyn Inode> = ramfs::RamFs::make_root().unwrap();
        let (added, removed) = thread::scope(|scope| {
            let add =
                scope.spawn(|| mounts::add(Some(covered.clone()), new.clone(), b"", "", false));
            let removed = at(&root, "place").remove_directory();
            (add.join().unwrap(), removed)
        });
        let ends = (Ok(()), Err(Errno::EBUSY));
        let goes = (Err(Errno::ENOENT), Ok(()));
        let result = (added, removed);
        assert!(result == ends || result == goes, "{result:?}");
        if added.is_ok() {
            unmount(new).unwrap();
            at(&root, "place").remove_directory().unwrap();
        }
    }
}

#[test]
fn one_of_two_unmounts_succeeds() {
    let root = root();
    let covered = directory(&root, "place");
    for _ in 0..300 {
        let new: Arc<dyn Inode> = ramfs::RamFs::make_root().unwrap();
        mounts::add(Some(covered.clone()), new.clone(), b"", "", false).unwrap();
        let peer = new.clone();
        let (one, other) = thread::scope(|scope| {
            let one = scope.spawn(|| unmount(peer));
            let other = unmount(new);
            (one.join().unwrap(), other)
        });
        assert_eq!(
            [one, other].iter().filter(|result| result.is_ok()).count(),
            1
        );
        assert!(Arc::ptr_eq(&mounts::enter(covered.clone()), &covered));
    }
}
