//! What is in memory of a disk's inodes: the table of nodes, and what nodes
//! have left to be done.
//!
//! A node does no I/O as it goes, for its last user may hold any lock. A file
//! with names whose pages or times are not all on the volume then is kept,
//! without a node: until its next node takes its pages over, or the caretaker
//! writes them ([`DiskFs::settle_kept`]). So as long as pages are kept, there
//! is no node, and the inode keeps its names.

use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;

use abi::Errno;
use arrayvec::ArrayVec;
use hashbrown::HashMap;

use super::pages::{Pages, WeakPages};
use super::volume::Number;
use super::{DiskFs, Node, caretaker};
use crate::files::allocate::{try_shrink, try_shrink_map};

/// See the module.
pub(super) struct Nodes {
    list: Vec<Known>,
    /// Where each is in the list.
    places: HashMap<Number, usize>,
    /// How many are kept.
    kept: usize,
    /// Inodes without names whose last user has left them. Room for all nodes
    /// is made beforehand, so that leaving needs no memory.
    left: Vec<Left>,
}

pub(super) struct Left {
    pub(super) number: Number,
    pub(super) pages: Option<Pages>,
}

/// What is in memory of an inode.
struct Known {
    number: Number,
    node: Weak<Node>,
    /// A regular file's. Pages can outlive the node for a moment; the inode's
    /// next node takes them over.
    pages: Option<WeakPages>,
    /// Those of a file that is kept.
    kept: Option<Pages>,
}

impl Known {
    fn is_dead(&self) -> bool {
        let pages = self.pages.as_ref();
        self.node.strong_count() == 0 && pages.is_none_or(WeakPages::is_dead)
    }
}

impl Nodes {
    pub(super) fn new() -> Nodes {
        Nodes {
            list: Vec::new(),
            places: HashMap::new(),
            kept: 0,
            left: Vec::new(),
        }
    }

    fn known(&self, number: Number) -> Option<&Known> {
        self.list.get(*self.places.get(&number)?)
    }

    fn known_mut(&mut self, number: Number) -> Option<&mut Known> {
        self.list.get_mut(*self.places.get(&number)?)
    }

    /// Enters a node, which has taken over what was kept. ENOMEM.
    fn insert(&mut self, number: Number, node: &Arc<Node>) -> Result<(), Errno> {
        let no_memory = |_| Errno::ENOMEM;
        let is_new = !self.places.contains_key(&number);
        if is_new && self.list.len() == self.list.capacity() {
            self.make_room().map_err(no_memory)?;
        }
        self.places.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        let room = self.list.len() + 1;
        self.left.try_reserve(room).map_err(no_memory)?;
        let known = Known {
            number,
            node: Arc::downgrade(node),
            pages: node.pages().map(Pages::downgrade),
            kept: None,
        };
        // What is dropped here are weak references, and pages that the node has.
        if let Some(old) = self.known_mut(number) {
            let old = core::mem::replace(old, known);
            self.kept -= usize::from(old.kept.is_some());
        } else {
            self.places.insert(number, self.list.len());
            self.list.push(known);
        }
        Ok(())
    }

    /// Makes room in the full list: drops what is dead, and lets the list grow
    /// if that was little, or each new node might have to look at all others.
    fn make_room(&mut self) -> Result<(), alloc::collections::TryReserveError> {
        let full = self.list.len();
        self.forget_dead();
        match self.list.len() > full / 4 * 3 {
            true => self.list.try_reserve(full - self.list.len() + 1),
            false => Ok(()),
        }
    }

    /// Drops what is dead, with the memory that it had.
    fn forget_dead(&mut self) {
        let mut at = 0;
        while let Some(known) = self.list.get(at) {
            if !known.is_dead() {
                at += 1;
                continue;
            }
            let gone = self.list.swap_remove(at);
            self.places.remove(&gone.number);
            if let Some(moved) = self.list.get(at) {
                self.places.insert(moved.number, at);
            }
        }
    }

    /// Gives back memory that stands for no node any more.
    fn shrink(&mut self) {
        self.forget_dead();
        try_shrink(&mut self.list, 0);
        try_shrink_map(&mut self.places);
        // Every node may come to be left.
        try_shrink(&mut self.left, self.list.len());
    }

    /// Keeps the pages of a node that goes, unless the inode has another by now.
    fn keep(&mut self, number: Number, node: *const Node, pages: Pages) {
        if let Some(known) = self.known_mut(number)
            && core::ptr::eq(known.node.as_ptr(), node)
        {
            known.kept = Some(pages);
            self.kept += 1;
        }
    }

    /// Forgets what is kept; it is returned, to be dropped without the lock.
    fn give_up(&mut self, number: Number) -> Option<Pages> {
        let pages = self.known_mut(number)?.kept.take()?;
        self.kept -= 1;
        Some(pages)
    }

    /// The last that is kept before position `end` of the list, and where.
    fn kept_before(&self, end: usize) -> Option<(usize, Number)> {
        if self.kept == 0 {
            return None;
        }
        let mut earlier = self.list.iter().enumerate().take(end).rev();
        earlier.find_map(|(at, known)| known.kept.as_ref().map(|_| (at, known.number)))
    }
}

impl DiskFs {
    /// Gives back memory of nodes that are gone.
    pub(super) fn shrink_nodes(&self) {
        self.nodes.lock().shrink();
    }

    pub(super) fn loaded(&self, inode: Number) -> Option<Arc<Node>> {
        self.nodes.lock().known(inode)?.node.upgrade()
    }

    /// Enters a new node. The caller holds `loading`.
    pub(super) fn add_node(&self, number: Number, node: &Arc<Node>) -> Result<(), Errno> {
        self.nodes.lock().insert(number, node)
    }

    /// The pages that an earlier node of `inode` left to be written.
    pub(super) fn pages_alive(&self, inode: Number) -> Option<Pages> {
        let nodes = self.nodes.lock();
        nodes.known(inode)?.pages.as_ref()?.upgrade()
    }

    /// The last user leaves an inode that has no names.
    pub(super) fn leave(&self, number: Number, pages: Option<Pages>) {
        self.nodes.lock().left.push(Left { number, pages });
        caretaker::call();
    }

    /// The next of those that were left.
    pub(super) fn next_left(&self) -> Option<Left> {
        self.nodes.lock().left.pop()
    }

    /// One that was left cannot be freed for now: the caretaker tries again when
    /// it commits. If there is no memory even for this, the next mount frees it.
    pub(super) fn leave_again(&self, number: Number) {
        let mut nodes = self.nodes.lock();
        if nodes.left.try_reserve(1).is_ok() {
            nodes.left.push(Left {
                number,
                pages: None,
            });
        }
        drop(nodes);
        self.note_change();
    }

    /// The last user leaves a file that has names, with something to be written.
    pub(super) fn keep(&self, number: Number, node: *const Node, pages: &Pages) {
        self.nodes.lock().keep(number, node, pages.clone());
        self.note_change();
    }

    /// Whether a file is kept.
    pub(super) fn has_kept(&self) -> bool {
        self.nodes.lock().kept > 0
    }

    /// Writes the files that are kept; those that cannot be written stay.
    pub(super) fn settle_kept(self: &Arc<Self>) {
        // From the end: what comes in place of a dead entry was behind it, so none
        // is missed.
        let mut end = usize::MAX;
        loop {
            let next = self.nodes.lock().kept_before(end);
            let Some((at, number)) = next else {
                return;
            };
            end = at;
            match self.node_of_kept(number) {
                // As it goes, the node keeps what could not be written.
                Ok(node) => {
                    if let Some(pages) = node.as_ref().and_then(|node| node.pages()) {
                        pages.settle();
                    }
                }
                Err(error) => {
                    log::error!("file {number} cannot be written: {error}");
                }
            }
        }
    }

    /// A node for a file that is kept; `None` if it is not any more.
    fn node_of_kept(self: &Arc<Self>, number: Number) -> Result<Option<Arc<Node>>, Errno> {
        let _loading = self.loading.lock();
        let kept = {
            let nodes = self.nodes.lock();
            nodes.known(number).and_then(|known| known.kept.clone())
        };
        // With pages kept it has its names still, and so is no one else's.
        let Some(pages) = kept else {
            return Ok(None);
        };
        match self.volume.attributes(number) {
            Ok(attributes) => Ok(Some(self.enter(number, attributes, None, Some(pages))?)),
            Err(error) => {
                pages.cache().flush();
                if pages.cache().dirty() == 0 && error != Errno::ENOMEM {
                    let gone = self.nodes.lock().give_up(number);
                    drop(gone);
                }
                Err(error)
            }
        }
    }

    /// Nodes in memory, from position `from` of the list on; as the list
    /// changes between calls, some are missed or come twice. They are not held:
    /// whoever looks at one must not keep its neighbours in use.
    pub(super) fn some_nodes(&self, from: usize) -> ArrayVec<Weak<Node>, 64> {
        let nodes = self.nodes.lock();
        let later = nodes.list.iter().skip(from);
        later.take(64).map(|known| known.node.clone()).collect()
    }

    pub(super) fn nodes_in_use(&self) -> usize {
        let nodes = self.nodes.lock();
        let alive = |known: &&Known| known.node.strong_count() > 0;
        nodes.list.iter().filter(alive).count()
    }

    pub(super) fn nodes_in_memory(&self) -> usize {
        self.nodes.lock().list.len()
    }
}
