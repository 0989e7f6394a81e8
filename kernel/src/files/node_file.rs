//! Open regular files and directories: an inode with an offset.
//!
//! The offset is shared by all descriptors of the open file. Its lock is held
//! over a read or write, so that two of them never get the same bytes.

use abi::Errno;
use abi::file::{O_ACCMODE, O_RDONLY, POLLIN, POLLOUT};
use alloc::sync::Arc;
use sync::{Mutex, rank};

use super::buffer::{Sink, Source};
use super::cache::{Access, ErrorMark};
use super::inode::{Inode, Kind};
use super::open_file::{Description, File, Fill, Operations, Whence};

/// See the module. In a directory the offset is the position of a listing.
pub struct NodeFile {
    offset: Mutex<u64, rank::FileOffset>,
    /// Up to where it was told of errors of write-back.
    told: Option<ErrorMark>,
    /// Of what is open for writing.
    _access: Option<Access>,
}

impl NodeFile {
    /// Opens `inode` with `flags`, as [`Inode::open`] does: ETXTBSY.
    pub fn open(inode: Arc<dyn Inode>, flags: u32) -> Result<Arc<File>, Errno> {
        let writes = flags & O_ACCMODE as u32 != O_RDONLY as u32;
        let access = match writes && inode.kind() == Kind::Regular {
            true => Some(inode.pages_to_map()?.access_to_write()?),
            false => None,
        };
        let operations = NodeFile {
            offset: Mutex::new(0),
            told: inode.error_mark(),
            _access: access,
        };
        File::new(inode, flags, operations)
    }
}

impl Operations for NodeFile {
    fn read(&self, open: &Description, into: &mut Sink<'_>) -> Result<usize, Errno> {
        let mut offset = self.offset.lock();
        let count = open.inode().read_at(*offset, into)?;
        *offset += count as u64;
        Ok(count)
    }

    fn write(&self, open: &Description, from: &mut Source<'_>) -> Result<usize, Errno> {
        let mut offset = self.offset.lock();
        let (count, end) = open.inode().write_at(open.position(*offset), from)?;
        if count > 0 {
            *offset = end;
        }
        Ok(count)
    }

    fn read_at(
        &self,
        open: &Description,
        offset: u64,
        into: &mut Sink<'_>,
    ) -> Result<usize, Errno> {
        open.inode().read_at(offset, into)
    }

    fn write_at(
        &self,
        open: &Description,
        offset: u64,
        from: &mut Source<'_>,
    ) -> Result<usize, Errno> {
        // As on Linux, appending wins over the given offset (pwrite(2), BUGS).
        let position = open.position(offset);
        let (count, _) = open.inode().write_at(position, from)?;
        Ok(count)
    }

    fn seek(&self, open: &Description, by: i64, whence: Whence) -> Result<u64, Errno> {
        let mut offset = self.offset.lock();
        let origin = match whence {
            Whence::Start => 0,
            Whence::Current => *offset as i64,
            Whence::End => open.inode().metadata().size as i64,
            Whence::Next(sought) => {
                // A negative offset lies past every end, as on Linux.
                *offset = open.inode().seek(by as u64, sought)?;
                return Ok(*offset);
            }
        };
        let target = origin.checked_add(by).ok_or(Errno::EINVAL)?;
        *offset = u64::try_from(target).map_err(|_| Errno::EINVAL)?;
        Ok(*offset)
    }

    fn list(&self, open: &Description, fill: &mut Fill<'_>) -> Result<(), Errno> {
        let mut offset = self.offset.lock();
        *offset = fill(&**open.inode(), *offset)?;
        Ok(())
    }

    fn sync(&self, open: &Description, data_only: bool) -> Result<(), Errno> {
        open.inode().sync(data_only, self.told.as_ref())
    }

    fn ready(&self, _open: &Description) -> i16 {
        POLLIN | POLLOUT
    }
}
