//! What is done to files and names, for those who watch them. While nothing is
//! watched, each of these is one load.

use abi::inotify::*;
use alloc::boxed::Box;
use alloc::sync::{Arc, Weak};
use core::ops::Deref;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use super::watches::{self, address, any, tell};
use crate::files::allocate::{try_arc, try_bytes};
use crate::files::inode::{Inode, Kind, Replace};
use crate::files::open_file::Description;

/// By which name something was found, if anything was watched then.
pub struct Place {
    directory: Weak<dyn Inode>,
    name: Box<[u8]>,
}

impl Place {
    /// `None` if nothing is watched, or there is no memory.
    #[inline]
    pub fn of(directory: &Arc<dyn Inode>, name: Option<&[u8]>) -> Option<Arc<Place>> {
        match any() {
            true => Place::new(directory, name?),
            false => None,
        }
    }

    #[cold]
    fn new(directory: &Arc<dyn Inode>, name: &[u8]) -> Option<Arc<Place>> {
        let place = Place {
            directory: Arc::downgrade(directory),
            name: try_bytes(name).ok()?,
        };
        try_arc(place).ok()
    }
}

/// An inode, and by which name it was found.
pub struct Named {
    inode: Arc<dyn Inode>,
    place: Option<Arc<Place>>,
}

impl Named {
    pub fn new(inode: Arc<dyn Inode>, place: Option<Arc<Place>>) -> Named {
        Named { inode, place }
    }

    /// Something was done to it.
    #[inline]
    pub fn changed(&self, mask: u32) {
        if any() {
            tell_both(&self.inode, self.place.as_deref(), mask);
        }
    }
}

impl Deref for Named {
    type Target = Arc<dyn Inode>;

    fn deref(&self) -> &Arc<dyn Inode> {
        &self.inode
    }
}

/// What an event says of a directory.
pub(super) fn flag(kind: Kind) -> u32 {
    match kind {
        Kind::Directory => IN_ISDIR,
        _ => 0,
    }
}

/// Something was done to an open file.
#[inline]
pub fn done(open: &Description, mask: u32) {
    if any() {
        tell_both(open.inode(), open.place().map(|place| &**place), mask);
    }
}

/// Tells those who watch the directory an inode is in, and those who watch itself.
#[cold]
fn tell_both(inode: &Arc<dyn Inode>, place: Option<&Place>, mask: u32) {
    let mask = mask | flag(inode.kind());
    match place {
        // It may have got another name, which it knows.
        _ if mask & IN_ISDIR != 0 => {
            if let (Some(parent), Ok(name)) = (inode.parent(), inode.name()) {
                tell(address(&parent), mask, 0, &name);
            }
        }
        Some(place) => tell(place.directory.as_ptr().addr(), mask, 0, &place.name),
        None => {}
    }
    tell(address(inode), mask, 0, b"");
}

/// A name was made for something new.
#[inline]
pub fn made(directory: &Arc<dyn Inode>, name: &[u8], kind: Kind) {
    if any() {
        tell(address(directory), IN_CREATE | flag(kind), 0, name);
    }
}

/// A name was made for what had one.
#[inline]
pub fn linked(directory: &Arc<dyn Inode>, name: &[u8], inode: &Arc<dyn Inode>) {
    if any() {
        tell(address(inode), IN_ATTRIB, 0, b"");
        tell(address(directory), IN_CREATE, 0, name);
    }
}

/// What loses its name, or gets another, if it is watched. Others are not held, so
/// that they go in the call that removes them.
pub struct Subject {
    kind: Kind,
    inode: Option<Arc<dyn Inode>>,
}

impl Subject {
    pub fn new(inode: Arc<dyn Inode>) -> Subject {
        Subject {
            kind: inode.kind(),
            inode: Some(inode).filter(|inode| any() && watches::is_watched(inode)),
        }
    }

    /// Whether it is a directory goes without saying in a move of its own.
    fn tell(&self, mask: u32) {
        if let Some(inode) = &self.inode {
            tell(address(inode), mask, 0, b"");
        }
    }

    /// It has one name less.
    fn lost_name(self) {
        if let Some(inode) = &self.inode
            && (self.kind == Kind::Directory || inode.metadata().links == 0)
        {
            watches::nameless(inode);
        }
    }
}

/// A name was removed.
pub fn removed(directory: &Arc<dyn Inode>, name: &[u8], subject: Subject) {
    if any() {
        if subject.kind != Kind::Directory {
            subject.tell(IN_ATTRIB);
        }
        tell(address(directory), IN_DELETE | flag(subject.kind), 0, name);
        subject.lost_name();
    }
}

/// A name, and its directory.
pub type End<'a> = (&'a Arc<dyn Inode>, &'a [u8]);

/// Something was moved from one name to another, where `other` was.
pub fn moved([from, to]: [End<'_>; 2], subject: Subject, other: Option<Subject>, replace: Replace) {
    if !any() {
        return;
    }
    tell_move(from, to, subject.kind);
    match other {
        Some(other) if replace == Replace::Exchange => {
            subject.tell(IN_MOVE_SELF);
            tell_move(to, from, other.kind);
            other.tell(IN_MOVE_SELF);
        }
        other => {
            if let Some(other) = other {
                other.tell(IN_ATTRIB | flag(other.kind));
                other.lost_name();
            }
            subject.tell(IN_MOVE_SELF);
        }
    }
}

fn tell_move(from: End<'_>, to: End<'_>, kind: Kind) {
    static LAST_COOKIE: AtomicU32 = AtomicU32::new(0);
    let cookie = LAST_COOKIE.fetch_add(1, Relaxed).wrapping_add(1);
    tell(address(from.0), IN_MOVED_FROM | flag(kind), cookie, from.1);
    tell(address(to.0), IN_MOVED_TO | flag(kind), cookie, to.1);
}

/// The inode at `node` goes with its last user.
#[inline]
pub fn gone<T>(node: &T) {
    if any() {
        watches::gone(core::ptr::from_ref(node).addr());
    }
}
