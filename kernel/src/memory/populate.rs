//! Writing into a space that need not be the one this CPU has loaded: exec
//! fills a new program's, clone writes to a child's.

use super::Space;
use super::fault::{FaultError, grow_stack};
use abi::Errno;
use abi::memory::{PAGE_SIZE, USER_END};

impl Space {
    /// Writes `bytes` at `address`, whatever the rights of the pages. EFAULT
    /// where nothing is mapped, ENOMEM.
    pub fn populate(&self, address: usize, bytes: &[u8]) -> Result<(), Errno> {
        if address > USER_END || bytes.len() > USER_END - address {
            return Err(Errno::EFAULT);
        }
        let mut layout = self.layout.write();
        let mut done = 0;
        while done < bytes.len() {
            let at = address + done;
            let offset = at % PAGE_SIZE;
            let part = &bytes[done..bytes.len().min(done + PAGE_SIZE - offset)];
            if layout.regions.find(at).is_none() {
                grow_stack(&mut layout, at).map_err(errno)?;
            }
            let region = layout.regions.find(at).ok_or(Errno::EFAULT)?;
            self.with_own_frame(region, at, |frame| frame.write(offset, part))
                .map_err(errno)?;
            done += part.len();
        }
        Ok(())
    }
}

fn errno(error: FaultError) -> Errno {
    match error {
        FaultError::BadAddress | FaultError::Missing => Errno::EFAULT,
        FaultError::OutOfMemory | FaultError::OutOfCache => Errno::ENOMEM,
        FaultError::NoSpace => Errno::ENOSPC,
    }
}
