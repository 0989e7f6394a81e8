//! Files whose last user leaves before all of them is written, and that no name
//! in memory holds.

use super::*;
use crate::files::cache::Mapping;
use crate::files::inode::Position;
use std::sync::Mutex;

/// A node that only the caller holds, of a file that has a name on the disk.
fn nameless(mounted: &Mounted, name: &str) -> Arc<Node> {
    let fs = mounted.root.fs();
    let place = mounted.root.place_of(name.as_bytes());
    let maker = crate::files::inode::Maker {
        permissions: 0o644,
        owner: crate::files::inode::Owner::ROOT,
    };
    let (number, _) = fs.volume.create(place, New::Regular, maker).unwrap();
    fs.node(number, None).unwrap()
}

/// Two pages that are no neighbours.
fn write_two(node: &Node) {
    for at in [0, 80_000] {
        let from = &mut Source::kernel(b"x");
        node.write_at(Position::At(at), from).unwrap();
    }
}

fn check_two(mounted: &Mounted, name: &str) {
    let content = mounted.content(name).unwrap();
    let ends = (content.len(), content[0], content[80_000]);
    assert_eq!(ends, (80_001, b'x', b'x'));
}

/// Holds a node, and is let go while it is told of something.
struct LetGo {
    _node: Arc<Node>,
    last: Mutex<Option<Arc<LetGo>>>,
}

impl LetGo {
    fn let_go(&self) {
        let last = self.last.lock().unwrap().take();
        drop(last);
    }
}

impl Mapping for LetGo {
    fn unmap(&self, _: core::ops::Range<u64>) {
        self.let_go();
    }

    fn protect(&self, _: core::ops::Range<u64>) {
        self.let_go();
    }

    fn forget(&self, _: core::ops::Range<u64>) {
        self.let_go();
    }
}

#[test]
fn write_back_may_be_the_last_to_use_a_file() {
    let mounted = Mounted::new(&[]);
    let node = nameless(&mounted, "file");
    write_two(&node);
    let cache = node.pages_to_map().unwrap();
    let mapping = Arc::new(LetGo {
        _node: node,
        last: Mutex::new(None),
    });
    let weak: std::sync::Weak<LetGo> = Arc::downgrade(&mapping);
    cache.mappers().add(weak, true).unwrap();
    *mapping.last.lock().unwrap() = Some(mapping.clone());
    drop((mapping, cache));
    // With one page on its way the node goes.
    cache::flush_all();
    let mounted = mounted.again();
    check_two(&mounted, "file");
    mounted.unmount().unwrap();
}

#[test]
fn what_its_last_user_wrote_is_kept() {
    let mounted = Mounted::new(&[]);
    let fs = mounted.root.fs().clone();
    write_two(&nameless(&mounted, "one"));
    assert!(fs.has_kept());
    // The next node takes it over.
    check_two(&mounted, "one");
    assert!(!fs.has_kept());
    write_two(&nameless(&mounted, "gone"));
    mounted.root.unlink(b"gone").unwrap();
    assert!(!fs.has_kept());
    write_two(&nameless(&mounted, "two"));
    mounted.disk.fail_all(Access::WritePages);
    assert_eq!(mounted.root.sync_file_system(), Err(Errno::EIO));
    assert_eq!(mounted.unmount(), Err(Errno::EIO));
    assert!(fs.has_kept());
    mounted.disk.heal();
    drop(fs);
    let mounted = mounted.again();
    for name in ["one", "two"] {
        check_two(&mounted, name);
    }
    mounted.unmount().unwrap();
}

#[test]
fn a_file_that_goes_is_written_by_nobody_else() {
    let mounted = Mounted::new(&[]);
    let node = nameless(&mounted, "file");
    write_two(&node);
    let writes = mounted.disk.count(Access::WritePages);
    drop(node);
    assert_eq!(mounted.disk.count(Access::WritePages), writes);
    mounted.root.fs().settle_kept();
    assert_eq!(mounted.disk.count(Access::WritePages), writes + 2);
    assert!(!mounted.root.fs().has_kept());
    mounted.unmount().unwrap();
}
