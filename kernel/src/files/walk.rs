//! Following a path to an inode (path_resolution(7)).
//!
//! One walk serves all calls: it returns the directory of the last component,
//! its name, and what is there. Symbolic links on the way are replaced by
//! their targets, at most [`MOST_LINKS`] of them. Every step asks one
//! directory, which must let the caller search it; no lock is held from step to step.

use alloc::sync::Arc;
use alloc::vec::Vec;

use abi::Errno;

use super::allocate::try_vec;
use super::inode::{Inode, Kind};
use super::inotify::{Named, Place};
use super::mounts;
use super::path::{Component, Components, cut};
use crate::credentials::Credentials;
use crate::credentials::access::EXECUTE;

/// More symbolic links than this in one walk give ELOOP, as on Linux.
pub const MOST_LINKS: usize = 40;

/// What to do with a symbolic link in the last place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follow {
    Always,
    /// Only if a slash follows it, as `lstat` does.
    IfSlash,
    /// Not at all: the name itself is to be made, removed or moved.
    Never,
}

/// The last component of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Last {
    Name,
    /// `.`
    Current,
    /// `..`
    Parent,
    /// The path is the root itself.
    Root,
}

/// Where a path leads.
pub struct Found<'p> {
    /// The directory that holds the last component.
    pub directory: Arc<dyn Inode>,
    pub last: Last,
    /// What is there; `None` if nothing has the last name.
    pub inode: Option<Arc<dyn Inode>>,
    /// A slash follows the last component: it must be, or become, a directory.
    pub wants_directory: bool,
    path: &'p [u8],
    /// What a symbolic link has put in the place of `path`.
    spliced: Option<Vec<u8>>,
}

impl Found<'_> {
    /// The last component as a name that can be made or removed; `None` for
    /// the root, `.` and `..`.
    pub fn name(&self) -> Option<&[u8]> {
        match self.last {
            Last::Name => Some(last_name(self.spliced.as_deref().unwrap_or(self.path))),
            Last::Current | Last::Parent | Last::Root => None,
        }
    }

    /// What is there: ENOENT; ENOTDIR if the path asks for a directory.
    pub fn existing(self) -> Result<Arc<dyn Inode>, Errno> {
        let inode = self.inode.ok_or(Errno::ENOENT)?;
        match self.wants_directory && inode.kind() != Kind::Directory {
            true => Err(Errno::ENOTDIR),
            false => Ok(inode),
        }
    }
}

/// A path, where it starts, and who follows it.
#[derive(Clone, Copy)]
pub struct At<'a> {
    pub root: &'a Arc<dyn Inode>,
    /// Where a relative path starts.
    pub start: &'a Arc<dyn Inode>,
    pub path: &'a [u8],
    pub by: &'a Credentials,
}

impl<'a> At<'a> {
    /// Walks the path from its start, or from the root if it begins with a slash:
    /// ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG, EACCES. A last component that does not
    /// exist is no error here.
    pub fn walk(&self, follow: Follow) -> Result<Found<'a>, Errno> {
        walk(self, follow)
    }

    /// What the path names: ENOENT and all of [`At::walk`].
    pub fn existing(&self, follow: Follow) -> Result<Arc<dyn Inode>, Errno> {
        self.walk(follow)?.existing()
    }

    /// The same with the name, for those who watch.
    pub fn named(&self, follow: Follow) -> Result<Named, Errno> {
        let found = self.walk(follow)?;
        let place = Place::of(&found.directory, found.name());
        Ok(Named::new(found.existing()?, place))
    }
}

fn walk<'p>(at: &At<'p>, follow: Follow) -> Result<Found<'p>, Errno> {
    let At {
        root,
        start,
        path,
        by,
    } = *at;
    if path.is_empty() {
        return Err(Errno::ENOENT);
    }
    let mut directory = match path.starts_with(b"/") {
        true => root.clone(),
        false => start.clone(),
    };
    // The path still to go, once a link's target has replaced the caller's.
    let mut spliced: Option<Vec<u8>> = None;
    for _ in 0..=MOST_LINKS {
        let text = spliced.as_deref().unwrap_or(path);
        match advance(root, by, &mut directory, text, follow)? {
            Stop::Link {
                target,
                wants_directory,
                rest,
            } => {
                if target.starts_with(b"/") {
                    directory = root.clone();
                }
                let rest = &text[rest..];
                let mut joined = try_vec(target.len() + 1 + rest.len())?;
                joined.extend_from_slice(&target);
                if wants_directory {
                    joined.push(b'/');
                }
                joined.extend_from_slice(rest);
                spliced = Some(joined);
            }
            Stop::Last {
                last,
                inode,
                wants_directory,
            } => {
                return Ok(Found {
                    directory,
                    last,
                    inode,
                    wants_directory,
                    path,
                    spliced,
                });
            }
        }
    }
    Err(Errno::ELOOP)
}

/// Why [`advance`] stopped.
enum Stop {
    /// A symbolic link to follow, to a directory if a slash comes after it;
    /// the text goes on at `rest`.
    Link {
        target: Vec<u8>,
        wants_directory: bool,
        rest: usize,
    },
    Last {
        last: Last,
        inode: Option<Arc<dyn Inode>>,
        wants_directory: bool,
    },
}

/// Goes along `text` until its last component or a link to follow.
fn advance(
    root: &Arc<dyn Inode>,
    by: &Credentials,
    directory: &mut Arc<dyn Inode>,
    text: &[u8],
    follow: Follow,
) -> Result<Stop, Errno> {
    let mut components = Components::new(text);
    loop {
        let Some(component) = components.next()? else {
            // Nothing but slashes: the root.
            return Ok(Stop::Last {
                last: Last::Root,
                inode: Some(directory.clone()),
                wants_directory: true,
            });
        };
        let rest = text.len() - components.rest().len();
        let (is_last, wants_directory) = components.ends_here();
        if !by.override_permissions() {
            directory.check_access(by, EXECUTE)?;
        }
        let inode = match look_up(root, directory, component) {
            Err(Errno::ENOENT) if is_last => None,
            result => Some(result?),
        };
        let inode = match inode {
            Some(link)
                if link.kind() == Kind::SymbolicLink
                    && follows(follow, is_last, wants_directory) =>
            {
                Some(link.jump()?.unwrap_or(link))
            }
            inode => inode,
        };
        match inode {
            Some(inode) if !is_last && inode.kind() == Kind::Directory => *directory = inode,
            Some(link)
                if link.kind() == Kind::SymbolicLink
                    && follows(follow, is_last, wants_directory) =>
            {
                if is_last {
                    by.check_follow(&directory.metadata(), &link.metadata())?;
                }
                let target = link.read_link()?;
                return Ok(Stop::Link {
                    target,
                    wants_directory,
                    rest,
                });
            }
            _ if !is_last => return Err(Errno::ENOTDIR),
            inode => {
                let last = match component {
                    Component::Name(_) => Last::Name,
                    Component::Current => Last::Current,
                    Component::Parent => Last::Parent,
                };
                return Ok(Stop::Last {
                    last,
                    inode,
                    wants_directory,
                });
            }
        }
    }
}

/// The last component of `path`, which has one.
fn last_name(path: &[u8]) -> &[u8] {
    let is_slash = |byte: &u8| *byte == b'/';
    let end = path.iter().rposition(|byte| !is_slash(byte));
    let path = &path[..end.map_or(0, |last| last + 1)];
    let start = path.iter().rposition(is_slash).map_or(0, |slash| slash + 1);
    cut(&path[start..])
}

/// Whether to follow a link found on the way.
fn follows(follow: Follow, is_last: bool, slash: bool) -> bool {
    match follow {
        _ if !is_last => true,
        Follow::Always => true,
        Follow::IfSlash => slash,
        Follow::Never => false,
    }
}

/// One step. A directory that is found is exchanged for the root mounted on
/// it, and `..` leaves a mounted root through its place.
fn look_up(
    root: &Arc<dyn Inode>,
    directory: &Arc<dyn Inode>,
    component: Component<'_>,
) -> Result<Arc<dyn Inode>, Errno> {
    match component {
        Component::Name(name) => directory.lookup(name).map(mounts::enter),
        _ if directory.kind() != Kind::Directory => Err(Errno::ENOTDIR),
        Component::Current => Ok(directory.clone()),
        // The root's parent is the root (chroot(2)).
        Component::Parent if Arc::ptr_eq(root, directory) => Ok(directory.clone()),
        Component::Parent => {
            let parent = mounts::place(directory).parent();
            Ok(parent.map_or_else(|| directory.clone(), mounts::enter))
        }
    }
}

/// The absolute path of `directory` below `root`: ENOENT if it is removed.
pub fn path_of(root: &Arc<dyn Inode>, directory: &Arc<dyn Inode>) -> Result<Vec<u8>, Errno> {
    // Built backwards, from the last byte of the last name.
    let mut backwards = Vec::new();
    let mut at = directory.clone();
    let mut goes_on = Ok(true);
    while goes_on? {
        let fs = at.clone();
        goes_on = Ok(false);
        fs.keep_names(&mut || goes_on = climb(root, &mut at, &mut backwards));
    }
    if backwards.is_empty() {
        backwards.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        backwards.push(b'/');
    }
    backwards.reverse();
    Ok(backwards)
}

/// Adds the names from `at` up to the root of its file system; false if that is
/// as far as the path goes.
fn climb(
    root: &Arc<dyn Inode>,
    at: &mut Arc<dyn Inode>,
    backwards: &mut Vec<u8>,
) -> Result<bool, Errno> {
    while !Arc::ptr_eq(root, at) {
        let place = mounts::place(at);
        if !Arc::ptr_eq(&place, at) {
            // In another file system.
            *at = place;
            return Ok(true);
        }
        let name = at.name()?;
        let Some(parent) = at.parent() else {
            break;
        };
        backwards
            .try_reserve(name.len() + 1)
            .map_err(|_| Errno::ENOMEM)?;
        backwards.extend(name.iter().rev());
        backwards.push(b'/');
        *at = mounts::enter(parent);
    }
    Ok(false)
}
