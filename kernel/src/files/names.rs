//! What the calls on names do, with Linux's rules for the last component, for
//! slashes behind it, and for what is there already.
//!
//! [`At`] is a path and where it starts; its methods are the calls, without
//! the copying from user memory. Who may make, remove and open is looked up before
//! it is done, not in the same step. No locks of its own.

use alloc::sync::Arc;

use abi::Errno;
use abi::file::{O_ACCMODE, O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDONLY, O_TRUNC, O_WRONLY};
use abi::file::{O_CLOEXEC, O_LARGEFILE};
use abi::inotify::{IN_MODIFY, IN_OPEN};

use super::inode::{Inode, Kind, New, Replace};
use super::inotify::Place;
use super::inotify::notify::{self, Subject};
use super::mounts;
use super::open_file::File;
use super::walk::{Follow, Found, Last};
use crate::credentials::access::{EXECUTE, READ, WRITE};
use crate::credentials::{Capability, Credentials};

pub use super::walk::At;

/// Flags that inodes are not told of when they are opened.
const FORGOTTEN: usize = O_CREAT | O_EXCL | O_TRUNC | O_CLOEXEC;

impl At<'_> {
    /// Opens, with O_CREAT makes, a file (open(2)). `permissions` have the
    /// umask taken off.
    pub fn open(&self, flags: usize, permissions: u32) -> Result<Arc<File>, Errno> {
        if flags & O_CREAT != 0 && flags & O_DIRECTORY != 0 {
            return Err(Errno::EINVAL);
        }
        let exclusive = flags & (O_CREAT | O_EXCL) == O_CREAT | O_EXCL;
        let follow = match exclusive || flags & O_NOFOLLOW != 0 {
            true => Follow::IfSlash,
            false => Follow::Always,
        };
        loop {
            let found = self.walk(follow)?;
            let place = Place::of(&found.directory, found.name());
            let inode = match &found.inode {
                Some(_) if exclusive => return Err(Errno::EEXIST),
                Some(_) => check_open(found, flags, self.by)?,
                None if flags & O_CREAT == 0 => return Err(Errno::ENOENT),
                None if found.wants_directory => return Err(Errno::EISDIR),
                None => {
                    let name = found.name().ok_or(Errno::EISDIR)?;
                    let directory = found.directory.clone();
                    match self.make(directory, name, New::Regular, permissions) {
                        // A peer was faster: open what it has made.
                        Err(Errno::EEXIST) if !exclusive => continue,
                        result => result?,
                    }
                }
            };
            let kept = (flags & !FORGOTTEN | O_LARGEFILE) as u32;
            let mut file = inode.clone().open(kept)?;
            if let (Some(place), Some(file)) = (place, Arc::get_mut(&mut file)) {
                file.set_place(place);
            }
            notify::done(file.description(), IN_OPEN);
            // What has no pages, as in `/proc`, has nothing to be cut off.
            if flags & O_TRUNC != 0
                && inode.kind() == Kind::Regular
                && let Ok(pages) = inode.pages_to_map()
            {
                // Also if the file is open for reading only.
                let _access = pages.access_to_write()?;
                inode.set_size(0)?;
                let metadata = inode.metadata();
                let kept = self.by.without_setid(&metadata);
                if self.by.clear_setid() && kept != metadata.permissions {
                    inode.set_permissions(kept)?;
                }
                notify::done(file.description(), IN_MODIFY);
            }
            return Ok(file);
        }
    }

    /// Makes something that must not be there: mkdir(2), mknod(2), symlink(2).
    pub fn create(&self, new: New<'_>, permissions: u32) -> Result<Arc<dyn Inode>, Errno> {
        let found = self.walk(Follow::Never)?;
        let name = vacant_name(&found, matches!(new, New::Directory))?;
        if matches!(new, New::Character(_) | New::Block(_)) {
            check_change(self.by, &found.directory)?;
            self.by.require(Capability::MakeNode)?;
        }
        self.make(found.directory.clone(), name, new, permissions)
    }

    /// Makes `name` in `directory`, which must let itself be changed: EACCES.
    fn make(
        &self,
        directory: Arc<dyn Inode>,
        name: &[u8],
        new: New<'_>,
        permissions: u32,
    ) -> Result<Arc<dyn Inode>, Errno> {
        check_change(self.by, &directory)?;
        let maker = self
            .by
            .maker_in(&directory.metadata(), new.kind(), permissions);
        let made = directory.clone().create(name, new, maker)?;
        notify::made(&directory, name, new.kind());
        Ok(made)
    }

    /// Removes an empty directory (rmdir(2)).
    pub fn remove_directory(&self) -> Result<(), Errno> {
        let _no_mounts = mounts::keep_out();
        let mut found = self.walk(Follow::Never)?;
        let inode = found.inode.take();
        match found.last {
            Last::Current => return Err(Errno::EINVAL),
            Last::Parent => return Err(Errno::ENOTEMPTY),
            Last::Root => return Err(Errno::EBUSY),
            Last::Name => {}
        }
        let name = found.name().ok_or(Errno::EBUSY)?;
        if let Some(inode) = &inode {
            check_removal(self.by, &found.directory, inode)?;
        }
        if inode.as_ref().is_some_and(mounts::is_mount_point) {
            return Err(Errno::EBUSY);
        }
        // Else it would be freed after the call.
        let subject = inode.map(Subject::new);
        found.directory.remove_directory(name)?;
        if let Some(subject) = subject {
            notify::removed(&found.directory, name, subject);
        }
        Ok(())
    }

    /// Removes a name that is not a directory's (unlink(2)).
    pub fn unlink(&self) -> Result<(), Errno> {
        let mut found = self.walk(Follow::Never)?;
        let inode = found.inode.take();
        let name = found.name().ok_or(Errno::EISDIR)?;
        let inode = inode.ok_or(Errno::ENOENT)?;
        let is_directory = inode.kind() == Kind::Directory;
        if found.wants_directory && !is_directory {
            return Err(Errno::ENOTDIR);
        }
        if !found.wants_directory {
            check_removal(self.by, &found.directory, &inode)?;
        }
        if is_directory {
            return Err(Errno::EISDIR);
        }
        // Else it would be freed after the call.
        let subject = Subject::new(inode);
        found.directory.unlink(name)?;
        notify::removed(&found.directory, name, subject);
        Ok(())
    }

    /// Makes `new` one more name of what this path names (link(2)).
    pub fn link_to(&self, new: At<'_>, follow: Follow) -> Result<(), Errno> {
        new.link(self.existing(follow)?)
    }

    /// Makes this path one more name of `target`.
    pub fn link(&self, target: Arc<dyn Inode>) -> Result<(), Errno> {
        let found = self.walk(Follow::Never)?;
        let name = vacant_name(&found, false)?;
        if !self.by.override_permissions() {
            self.by.check_link(&target.metadata())?;
        }
        check_change(self.by, &found.directory)?;
        found.directory.link(name, target.clone())?;
        notify::linked(&found.directory, name, &target);
        Ok(())
    }

    /// Moves what this path names to `new` (renameat2(2)).
    pub fn rename_to(&self, new: At<'_>, replace: Replace) -> Result<(), Errno> {
        let _no_mounts = mounts::keep_out();
        let mut from = self.walk(Follow::Never)?;
        let mut to = new.walk(Follow::Never)?;
        let (moved, other) = (from.inode.take(), to.inode.take());
        let name = from.name().ok_or(Errno::EBUSY)?;
        let new_name = to.name().ok_or(Errno::EBUSY)?;
        let moved = moved.ok_or(Errno::ENOENT)?;
        let is_directory = moved.kind() == Kind::Directory;
        if mounts::is_mount_point(&moved) || other.as_ref().is_some_and(mounts::is_mount_point) {
            return Err(Errno::EBUSY);
        }
        match (&other, replace) {
            (Some(_), Replace::No) => return Err(Errno::EEXIST),
            (None, Replace::Exchange) => return Err(Errno::ENOENT),
            _ => {}
        }
        // In an exchange each path's slash speaks of what is there.
        let other_is_directory = match (&other, replace) {
            (Some(other), Replace::Exchange) => other.kind() == Kind::Directory,
            _ => is_directory,
        };
        if from.wants_directory && !is_directory || to.wants_directory && !other_is_directory {
            return Err(Errno::ENOTDIR);
        }
        check_removal(self.by, &from.directory, &moved)?;
        match &other {
            Some(other) => check_removal(self.by, &to.directory, other)?,
            None => check_change(self.by, &to.directory)?,
        }
        // Then its `..` changes.
        if !Arc::ptr_eq(&from.directory, &to.directory) {
            if is_directory {
                check_write(self.by, &moved)?;
            }
            if let (Some(other), Replace::Exchange, true) = (&other, replace, other_is_directory) {
                check_write(self.by, other)?;
            }
        }
        let stays = other
            .as_ref()
            .is_some_and(|other| Arc::ptr_eq(&moved, other));
        // What is replaced would else be freed after the call.
        let (moved, other) = (Subject::new(moved), other.map(Subject::new));
        let target = to.directory.clone();
        from.directory
            .clone()
            .rename(name, target, new_name, replace)?;
        if !stays {
            let ends = [(&from.directory, name), (&to.directory, new_name)];
            notify::moved(ends, moved, other, replace);
        }
        Ok(())
    }
}

/// What is there, if `flags` fit it and `by` may open it so: EISDIR, ENOTDIR, ELOOP,
/// EACCES.
fn check_open(found: Found<'_>, flags: usize, by: &Credentials) -> Result<Arc<dyn Inode>, Errno> {
    let inode = found.existing()?;
    let mut wanted = match flags & O_ACCMODE {
        O_RDONLY => READ,
        O_WRONLY => WRITE,
        _ => READ | WRITE,
    };
    if flags & O_TRUNC != 0 {
        wanted |= WRITE;
    }
    match inode.kind() {
        Kind::Directory if wanted & WRITE != 0 || flags & O_CREAT != 0 => {
            return Err(Errno::EISDIR);
        }
        Kind::Directory => {}
        Kind::SymbolicLink if flags & O_DIRECTORY == 0 => return Err(Errno::ELOOP),
        _ if flags & O_DIRECTORY != 0 => return Err(Errno::ENOTDIR),
        _ => {}
    }
    if !by.override_permissions() {
        inode.check_access(by, wanted)?;
    }
    Ok(inode)
}

/// Whether names in `directory` may be made: EACCES.
fn check_change(by: &Credentials, directory: &Arc<dyn Inode>) -> Result<(), Errno> {
    match by.override_permissions() {
        true => Ok(()),
        false => directory.check_access(by, WRITE | EXECUTE),
    }
}

fn check_write(by: &Credentials, inode: &Arc<dyn Inode>) -> Result<(), Errno> {
    match by.override_permissions() {
        true => Ok(()),
        false => inode.check_access(by, WRITE),
    }
}

/// Whether the name of `inode` in `directory` may go: EACCES, EPERM.
fn check_removal(
    by: &Credentials,
    directory: &Arc<dyn Inode>,
    inode: &Arc<dyn Inode>,
) -> Result<(), Errno> {
    match by.override_permissions() && by.may(Capability::Owner) {
        true => Ok(()),
        false => by.check_removal(&directory.metadata(), &inode.metadata()),
    }
}

/// The name to make: EEXIST; ENOENT if a slash asks for a directory that is
/// not being made.
fn vacant_name<'f>(found: &'f Found<'_>, directory: bool) -> Result<&'f [u8], Errno> {
    let name = found.name().ok_or(Errno::EEXIST)?;
    if found.inode.is_some() {
        return Err(Errno::EEXIST);
    }
    match found.wants_directory && !directory {
        true => Err(Errno::ENOENT),
        false => Ok(name),
    }
}
