//! Names that are remembered.

use super::*;

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
