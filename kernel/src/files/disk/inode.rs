//! A [`Node`] as the rest of the kernel sees it: an [`Inode`].

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use abi::Errno;
use abi::file::{O_ACCMODE, O_RDONLY, O_TRUNC};

use super::node::{Body, Node};
use super::pages::Pages;
use super::volume::Changes;
use crate::files::buffer::{Sink, Source};
use crate::files::cache::{ErrorMark, PageCache};
use crate::files::inode::{
    Inode, Kind, Listed, Maker, Metadata, New, Position, Replace, Sought, Statistics,
};
use crate::files::node_file::NodeFile;
use crate::files::open_file::File;
use crate::files::pipe::open_fifo;

impl Inode for Node {
    fn kind(&self) -> Kind {
        match self.body() {
            Body::File(_) => Kind::Regular,
            Body::Directory(_) => Kind::Directory,
            Body::Link => Kind::SymbolicLink,
            Body::Fifo(_) => Kind::Fifo,
            Body::Device(_) => self.attributes.get().kind,
        }
    }

    fn metadata(&self) -> Metadata {
        if self.pages().is_some_and(Pages::take_reshaped) {
            self.note_stale();
        }
        let ask = || self.fs().volume.attributes(self.number());
        let attributes = self.attributes.refresh(ask);
        let mut metadata = Metadata {
            device: self.fs().device,
            number: self.number().into(),
            kind: attributes.kind,
            permissions: attributes.permissions,
            owner: attributes.owner,
            links: attributes.links,
            special: attributes.special,
            size: attributes.size,
            allocated: attributes.allocated,
            accessed: attributes.accessed,
            modified: attributes.modified,
            changed: attributes.changed,
        };
        if let Body::File(pages) = self.body() {
            pages.describe(&mut metadata);
        }
        metadata
    }

    fn open(self: Arc<Self>, flags: u32) -> Result<Arc<File>, Errno> {
        let changes = flags & O_ACCMODE as u32 != O_RDONLY as u32 || flags & O_TRUNC as u32 != 0;
        match self.body() {
            Body::File(_) if changes && self.fs().read_only => Err(Errno::EROFS),
            Body::File(_) | Body::Directory(_) => NodeFile::open(self, flags),
            Body::Link => Err(Errno::ELOOP),
            Body::Device(number) => crate::device::open(*number, self.clone(), flags),
            Body::Fifo(fifo) => open_fifo(self.clone(), fifo, flags),
        }
    }

    fn lookup(&self, name: &[u8]) -> Result<Arc<dyn Inode>, Errno> {
        Ok(self.look_up_node(name)?)
    }

    fn parent(&self) -> Option<Arc<dyn Inode>> {
        Some(self.as_directory().ok()?.parent()?)
    }

    fn name(&self) -> Result<Box<[u8]>, Errno> {
        self.as_directory()?.name()
    }

    fn keep_names(&self, act: &mut dyn FnMut()) {
        let _tree = self.fs().tree.read();
        act();
    }

    fn create(
        self: Arc<Self>,
        name: &[u8],
        new: New<'_>,
        maker: Maker,
    ) -> Result<Arc<dyn Inode>, Errno> {
        let node = self.with_space(|| self.create_node(name, new, maker))?;
        Ok(node)
    }

    fn link(&self, name: &[u8], target: Arc<dyn Inode>) -> Result<(), Errno> {
        let target = of_this_kind(target)?;
        self.with_space(|| self.link_node(name, &target))
    }

    fn unlink(&self, name: &[u8]) -> Result<(), Errno> {
        self.unlink_node(name)?;
        self.fs().release_left();
        Ok(())
    }

    fn remove_directory(&self, name: &[u8]) -> Result<(), Errno> {
        self.remove_directory_node(name)?;
        self.fs().release_left();
        Ok(())
    }

    fn rename(
        self: Arc<Self>,
        name: &[u8],
        to: Arc<dyn Inode>,
        new_name: &[u8],
        replace: Replace,
    ) -> Result<(), Errno> {
        let to = of_this_kind(to)?;
        self.with_space(|| self.rename_node(name, &to, new_name, replace))?;
        self.fs().release_left();
        Ok(())
    }

    fn list(&self, from: u64, emit: &mut dyn FnMut(Listed<'_>) -> bool) -> Result<(), Errno> {
        self.list_node(from, emit)
    }

    fn read_link(&self) -> Result<Vec<u8>, Errno> {
        match self.body() {
            Body::Link => self.fs().volume.read_link(self.number()),
            _ => Err(Errno::EINVAL),
        }
    }

    fn read_at(&self, offset: u64, into: &mut Sink<'_>) -> Result<usize, Errno> {
        let cache = self.file()?.cache();
        self.with_room(|| cache.read_at(offset, into))
    }

    fn write_at(&self, at: Position, from: &mut Source<'_>) -> Result<(usize, u64), Errno> {
        let pages = self.file()?;
        let written = self.with_room(|| pages.cache().write_at(at, from))?;
        pages.touch();
        Ok(written)
    }

    fn pages_to_map(&self) -> Result<Arc<PageCache>, Errno> {
        match self.body() {
            Body::File(pages) => Ok(pages.cache().clone()),
            _ => Err(Errno::ENODEV),
        }
    }

    fn note_mapped_write(&self) {
        if let Body::File(pages) = self.body() {
            pages.touch();
        }
    }

    fn set_size(&self, size: u64) -> Result<(), Errno> {
        self.fs().check_writable()?;
        let pages = self.file()?;
        self.with_room(|| pages.set_size(size))
    }

    fn set_permissions(&self, permissions: u32) -> Result<(), Errno> {
        self.update(Changes {
            permissions: Some(permissions & 0o7777),
            ..Changes::default()
        })
    }

    fn set_times(&self, accessed: Option<u64>, modified: Option<u64>) -> Result<(), Errno> {
        self.update(Changes {
            accessed,
            modified,
            ..Changes::default()
        })
    }

    fn set_owner(&self, user: Option<u32>, group: Option<u32>) -> Result<(), Errno> {
        self.update(Changes {
            user,
            group,
            ..Changes::default()
        })
    }

    fn allocate(&self, offset: u64, length: u64, extends: bool) -> Result<(), Errno> {
        self.fs().check_writable()?;
        let pages = self.file()?;
        self.with_room(|| pages.allocate(offset, length, extends))
    }

    fn seek(&self, offset: u64, sought: Sought) -> Result<u64, Errno> {
        match self.body() {
            Body::File(pages) => pages.seek(offset, sought),
            _ => Err(Errno::ENXIO),
        }
    }

    fn statistics(&self) -> Result<Statistics, Errno> {
        Ok(self.fs().statistics())
    }

    /// All attributes go with the data: the commit that the data need covers
    /// them anyway.
    fn error_mark(&self) -> Option<ErrorMark> {
        match self.body() {
            Body::File(pages) => Some(pages.cache().error_mark()),
            _ => None,
        }
    }

    fn sync(&self, _data_only: bool, told: Option<&ErrorMark>) -> Result<(), Errno> {
        match self.body() {
            Body::File(pages) => pages.write_back(told)?,
            Body::Directory(_) => {}
            _ => return Err(Errno::EINVAL),
        }
        self.fs().commit()
    }

    fn sync_file_system(&self) -> Result<(), Errno> {
        self.fs().sync()
    }
}

/// The node behind `inode`: EXDEV if it is of another file system.
fn of_this_kind(inode: Arc<dyn Inode>) -> Result<Arc<Node>, Errno> {
    let any: Arc<dyn core::any::Any + Send + Sync> = inode;
    any.downcast::<Node>().map_err(|_| Errno::EXDEV)
}
