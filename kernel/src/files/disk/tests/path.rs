//! The path of a directory that is moved while it is put together.

use super::*;
use crate::files::inode::Maker;
use crate::files::inode::Metadata;
use crate::files::walk::path_of;
use std::boxed::Box;

/// A directory that a peer moves as soon as its name is known, unless names have
/// to stay as they are.
struct Moving {
    node: Arc<Node>,
    has_moved: AtomicBool,
}

impl Inode for Moving {
    fn kind(&self) -> Kind {
        self.node.kind()
    }

    fn metadata(&self) -> Metadata {
        self.node.metadata()
    }

    fn open(self: Arc<Self>, _flags: u32) -> Result<Arc<File>, Errno> {
        Err(Errno::EACCES)
    }

    fn parent(&self) -> Option<Arc<dyn Inode>> {
        Inode::parent(&*self.node)
    }

    fn name(&self) -> Result<Box<[u8]>, Errno> {
        let name = self.node.name();
        let fs = self.node.fs();
        // Else the peer would have to wait.
        let may_move = fs.tree.try_write().is_some();
        if may_move && !self.has_moved.swap(true, Ordering::Relaxed) {
            let root = fs.node(fs.volume.root(), None)?;
            let [from, to] = [b"a".as_slice(), b"b"].map(|name| root.lookup(name).unwrap());
            from.rename(b"one", to, b"two", Replace::No)?;
        }
        name
    }

    fn keep_names(&self, act: &mut dyn FnMut()) {
        self.node.keep_names(act);
    }
}

#[test]
fn a_path_is_one_that_was_there() {
    let mounted = Mounted::new(&[]);
    let root: Arc<dyn Inode> = mounted.root.clone();
    let make = |at: &Arc<dyn Inode>, name: &[u8]| {
        at.clone().create(name, New::Directory, Maker::root(0o755))
    };
    let [from, _] = [b"a".as_slice(), b"b"].map(|name| make(&root, name).unwrap());
    make(&from, b"one").unwrap();
    let above = mounted.root.look_up_node(b"a").unwrap();
    let node = above.look_up_node(b"one").unwrap();
    let moving: Arc<dyn Inode> = Arc::new(Moving {
        node: node.clone(),
        has_moved: AtomicBool::new(false),
    });
    let path = path_of(&root, &moving).unwrap();
    let may_be = [b"/a/one".as_slice(), b"/b/two"];
    assert!(may_be.contains(&&path[..]), "{}", path.escape_ascii());
    drop((from, above, node, moving));
    drop(root);
    mounted.unmount().unwrap();
}
