//! `/proc` (proc(5)): what programs read there of the system and of processes.
//!
//! It is a table: [`Listing`]s of [`Entry`]s, each of which says what it is, and
//! what makes its text from a [`Subject`]. `node` shows the table as inodes,
//! `system` tells of the system, `cpus` of what is below `/sys`, `process` and `status` of processes and threads, `maps` of
//! their memory, `links` where their links lead. Nothing is kept: a file's text is
//! made when it is opened. No locks of its own.

mod cpus;
mod ipc;
mod links;
mod locks;
mod maps;
mod node;
mod process;
mod setting;
mod status;
mod system;

use alloc::sync::Arc;
use alloc::vec::Vec;

use abi::Errno;

use crate::files::inode::Inode;
use crate::files::text::Text;
use crate::files::{directory, mounts};
use crate::thread::Tid;
use node::Node;

/// Whom a file tells of. What does not fit it is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Subject {
    process: Tid,
    /// Only this thread of the process.
    thread: Tid,
    descriptor: u32,
}

impl Subject {
    /// The id it goes by.
    fn id(&self) -> Tid {
        match self.thread {
            0 => self.process,
            thread => thread,
        }
    }
}

/// What an entry is, and what makes it.
#[derive(Clone, Copy)]
enum What {
    /// A file: what reading it tells, and what writing to it does.
    File(Option<Tell>, Option<Act>),
    Link(fn(Subject) -> Result<links::Target, Errno>),
    Folder(&'static Listing),
}

type Tell = fn(Subject, &mut Text) -> Result<(), Errno>;
type Act = fn(Subject, &[u8]) -> Result<(), Errno>;

struct Entry {
    name: &'static str,
    permissions: u32,
    what: What,
}

/// What a folder has: entries in groups, which others may have too.
struct Listing {
    entries: &'static [&'static [Entry]],
    numbers: Option<Numbers>,
}

/// Entries that have numbers for names.
struct Numbers {
    /// What stands before the number.
    prefix: &'static str,
    /// Those that there are, in order: ENOENT if the subject is gone, ENOMEM.
    all: fn(Subject) -> Result<Vec<u32>, Errno>,
    /// Whom one of them tells of: ENOENT.
    one: fn(Subject, u32) -> Result<Subject, Errno>,
    permissions: u32,
    what: What,
}

const fn text(name: &'static str, tell: Tell) -> Entry {
    Entry {
        name,
        permissions: 0o444,
        what: What::File(Some(tell), None),
    }
}

const fn folder(name: &'static str, listing: &'static Listing) -> Entry {
    Entry {
        name,
        permissions: 0o555,
        what: What::Folder(listing),
    }
}

const fn link(name: &'static str, to: fn(Subject) -> Result<links::Target, Errno>) -> Entry {
    Entry {
        name,
        permissions: 0o777,
        what: What::Link(to),
    }
}

static ROOT: Listing = Listing {
    entries: &[system::ENTRIES],
    numbers: Some(Numbers {
        prefix: "",
        all: process::all,
        one: process::find,
        permissions: 0o555,
        what: What::Folder(&process::PROCESS),
    }),
};

/// Mounts it on `/proc` of a new root, and its part for devices on `/sys`.
pub fn mount(root: &Arc<dyn Inode>) -> Result<(), Errno> {
    for (name, kind, listing) in [("proc", "proc", &ROOT), ("sys", "sysfs", &cpus::ROOT)] {
        let covered = directory(root, name.as_bytes())?;
        let shown = Node::root(listing)?;
        mounts::add(Some(covered), shown, kind.as_bytes(), kind, false)?;
    }
    Ok(())
}
