//! Duplicating a space. Parent and child share all frames until one of them
//! writes.
//!
//! The parent's pages lose the right to write one after the other, while its
//! threads on other CPUs may still write to those they know as writable. That
//! goes into the shared frame, so the child sees it, until the flush at the
//! end. Threads whose writes fault wait for the space's lock, which is
//! released after the flush; so no write that follows one the child does not
//! see is seen by it, and nothing is torn.

use super::Space;
use super::regions::Lock;
use super::space::{Layout, no_memory};
use abi::Errno;
use abi::memory::USER_END;
use alloc::sync::Arc;
use core::sync::atomic::Ordering::Relaxed;

impl Space {
    /// A space with the same contents. ENOMEM.
    pub fn fork(&self) -> Result<Arc<Self>, Errno> {
        let layout = self.layout.write();
        let mut copy = Layout {
            regions: layout.regions.duplicate().map_err(no_memory)?,
            search_from: layout.search_from,
            heap: layout.heap.clone(),
            lock_new: Lock::Off,
            limits: layout.limits,
            program: layout.program.clone(),
        };
        if self.may_lock.load(Relaxed) {
            // A child locks for itself.
            let whole = 0..USER_END;
            copy.regions.lock(whole, Lock::Off).map_err(no_memory)?;
        }
        let mut adopted = Ok(());
        let child = Self::with_layout(|child| {
            adopted = copy.adopt_mappings(child);
            copy
        })?;
        adopted?;
        child.register_barriers(self.barriers());
        let mut flush = self.table.flush();
        for region in layout.regions.iter() {
            self.table
                .share(region.range(), &child.table, region.sharing(), &mut flush)
                .map_err(no_memory)?;
        }
        // Before the lock is released, on the way of an error too.
        drop(flush);
        drop(layout);
        Ok(child)
    }
}
