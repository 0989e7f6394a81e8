//! The threads of the whole system.

use alloc::vec::Vec;
use weft::abi::clone::ThreadInfo;
use weft::{Errno, thread};

pub fn all() -> Result<Vec<ThreadInfo>, Errno> {
    let mut threads: Vec<ThreadInfo> = Vec::new();
    loop {
        let count = thread::list(&mut threads)?;
        if count <= threads.len() {
            threads.truncate(count);
            return Ok(threads);
        }
        // Some room for those that come meanwhile.
        threads.resize(count + 8, ThreadInfo::default());
    }
}
