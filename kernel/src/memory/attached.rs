//! Segments of shared memory in a space (shmdt(2)).

use super::Space;
use super::mapping::FileMapping;
use super::regions::{Backing, Region};
use abi::Errno;
use abi::memory::USER_END;
use alloc::sync::Arc;

impl Space {
    /// Unmaps all that is mapped still of the segment whose first page was attached at
    /// `address`. EINVAL if there is none; ENOMEM.
    pub fn detach(&self, address: usize) -> Result<(), Errno> {
        let mut layout = self.layout.write();
        let begins = |mapping: &FileMapping| {
            mapping.file.attachment.is_some() && mapping.begins_at() == Some(address)
        };
        let of = |region: &Region| match &region.backing {
            Backing::File(mapping) if begins(mapping) => Some(mapping.clone()),
            _ => None,
        };
        let mut rest = layout.regions.overlapping(address..USER_END);
        let target: Arc<FileMapping> = rest.find_map(of).ok_or(Errno::EINVAL)?;
        drop(rest);
        let part_of = |region: &&Region| match &region.backing {
            Backing::File(mapping) => *mapping == target,
            _ => false,
        };
        loop {
            let mut parts = layout.regions.overlapping(target.range());
            let Some(part) = parts.find(part_of).map(Region::range) else {
                return Ok(());
            };
            drop(parts);
            self.unmap_in(&mut layout, part)?;
        }
    }
}
