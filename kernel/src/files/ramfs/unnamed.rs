//! Files without a name: the memory that processes share and no other file is
//! behind (`MAP_SHARED | MAP_ANONYMOUS`).

use alloc::sync::Arc;

use abi::Errno;
use sync::OnceCell;

use super::{Node, RamFs};
use crate::files::allocate::try_arc;
use crate::files::inode::{Inode, Maker};

/// Where they all are, so that each has a number of its own.
static HOME: OnceCell<Arc<RamFs>> = OnceCell::new();

/// A new one, `size` bytes of zeroes. ENOMEM.
pub fn unnamed(size: u64) -> Result<Arc<dyn Inode>, Errno> {
    let fs = match HOME.get() {
        Some(fs) => fs,
        None => {
            let new = RamFs::new()?;
            HOME.get_or_init(|| new)
        }
    };
    let node = Node::file(fs.clone(), Maker::root(0o600), &[])?;
    node.drop_links(1);
    node.set_size(size)?;
    Ok(try_arc(node)?)
}
