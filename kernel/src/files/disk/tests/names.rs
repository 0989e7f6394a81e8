//! Names that are remembered.

use super::*;
use crate::credentials::Credentials;
use crate::files::names::At;

#[test]
fn names_that_are_used_stay() {
    let mounted = Mounted::new(&[]);
    let root = &mounted.root;
    let ask = |count: u32| {
        for number in 0..count {
            let name = format!("no such name {number}");
            assert!(root.lookup(name.as_bytes()).is_err());
        }
    };
    ask(1000);
    assert_eq!(shrink_names(root.fs(), false), 0);
    ask(500);
    assert_eq!(shrink_names(root.fs(), false), 500);
    assert_eq!(shrink_names(root.fs(), false), 500);
    mounted.unmount().unwrap();
}

#[test]
fn what_a_path_stood_for_is_free_when_the_call_returns() {
    let mounted = Mounted::new(&[]);
    let root: Arc<dyn Inode> = mounted.root.clone();
    let at = |path| At {
        root: &root,
        start: &root,
        path,
        by: Credentials::root(),
    };
    let free = || mounted.root.fs().statistics().free_inodes;
    let before = free();
    mounted.make("file").unwrap();
    at(b"file").unlink().unwrap();
    assert_eq!(free(), before);
    at(b"folder").create(New::Directory, 0o755).unwrap();
    at(b"folder/").remove_directory().unwrap();
    assert_eq!(free(), before);
    mounted.make("file").unwrap();
    mounted.make("replaced").unwrap();
    at(b"file")
        .rename_to(at(b"replaced"), Replace::Yes)
        .unwrap();
    assert_eq!(free(), before - 1);
    drop(root);
    mounted.unmount().unwrap();
}
