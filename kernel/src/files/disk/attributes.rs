//! What a node says of itself: a copy of the volume's attributes.
//!
//! A change is made on the volume first, then in the copy; some changes the
//! volume makes by itself, and the copy is stale until it asks. What a question
//! brings back is older than a change that came meanwhile, so it is dropped then.
//! How many names a file has is counted here alone: such a count in the middle
//! of a change is wrong, and a file that seems to have no name is freed.

use core::sync::atomic::{AtomicBool, Ordering};

use abi::Errno;
use sync::{SpinLock, rank};

use super::volume::Attributes;
use crate::files::inode::Kind;

/// See the module.
pub(super) struct AttributesCopy {
    copy: SpinLock<Copied, rank::NodeAttributes>,
    stale: AtomicBool,
}

struct Copied {
    /// Of a regular file the size and the time of modification are its pages'.
    attributes: Attributes,
    /// How often they were changed here.
    changes: u64,
}

impl AttributesCopy {
    pub(super) fn new(attributes: Attributes) -> AttributesCopy {
        AttributesCopy {
            copy: SpinLock::new(Copied {
                attributes,
                changes: 0,
            }),
            stale: AtomicBool::new(false),
        }
    }

    /// As far as they are known here.
    pub(super) fn get(&self) -> Attributes {
        self.copy.lock().attributes
    }

    /// Changes what is known here.
    pub(super) fn change<R>(&self, change: impl FnOnce(&mut Attributes) -> R) -> R {
        let mut copy = self.copy.lock();
        copy.changes += 1;
        change(&mut copy.attributes)
    }

    /// The volume knows better now: names in a directory changed, or blocks.
    pub(super) fn note_stale(&self) {
        self.stale.store(true, Ordering::Release);
    }

    /// A directory has lost its name: what the volume says of it is over.
    pub(super) fn removed(&self) {
        self.change(|attributes| attributes.links = 0);
        self.stale.store(false, Ordering::Release);
    }

    /// As they are now: `ask` asks the volume. Without an answer the old ones
    /// have to do.
    pub(super) fn refresh(&self, ask: impl FnOnce() -> Result<Attributes, Errno>) -> Attributes {
        if !self.stale.swap(false, Ordering::AcqRel) {
            return self.get();
        }
        let before = self.copy.lock().changes;
        let answer = ask();
        let mut copy = self.copy.lock();
        if let Ok(newer) = answer {
            if copy.changes == before {
                copy.install(newer);
            } else {
                self.note_stale();
            }
        }
        copy.attributes
    }
}

impl Copied {
    fn install(&mut self, newer: Attributes) {
        let links = self.attributes.links;
        if links == 0 {
            return;
        }
        self.attributes = newer;
        if newer.kind != Kind::Directory {
            self.attributes.links = links;
        }
    }
}
