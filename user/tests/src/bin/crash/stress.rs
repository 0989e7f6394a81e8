//! `stressfs` at work on the same disk.

use alloc::ffi::CString;
use alloc::format;
use weft::{Errno, file, process, time};

const FOLDER: &core::ffi::CStr = c"stress";
const PROGRAM: &core::ffi::CStr = c"/bin/stressfs";
/// What each process writes at a time, in KiB.
const SIZE: &core::ffi::CStr = c"96";
/// Longer than any run.
const SECONDS: &core::ffi::CStr = c"100000";

/// Processes that work until they are ended: a process group.
pub struct Stress(i32);

impl Stress {
    /// Makes the folder that they work in.
    pub fn make_folder() -> Result<(), Errno> {
        file::mkdir(FOLDER)
    }

    pub fn start(workers: u64) -> Result<Stress, Errno> {
        let workers = CString::new(format!("{workers}")).map_err(|_| Errno::EINVAL)?;
        if let Some(child) = process::fork()? {
            // It does the same; whoever comes first.
            let _ = process::set_group(child, 0);
            return Ok(Stress(child));
        }
        let ready = process::set_group(0, 0).and_then(|()| file::chdir(FOLDER));
        let error = match ready {
            Ok(()) => process::exec(PROGRAM, &[PROGRAM, &workers, SIZE, SECONDS]),
            Err(error) => error,
        };
        weft::eprintln!("crash: {PROGRAM:?}: {error}");
        process::exit(1)
    }

    /// Ends them, and waits until none is left that has a file open.
    pub fn end(self) -> Result<(), Errno> {
        match process::poll(self.0)? {
            // It goes on for ever, unless something is wrong.
            Some(_) => return Err(Errno::EIO),
            None => process::kill(-self.0, weft::abi::signal::SIGKILL)?,
        }
        process::wait_for(self.0)?;
        while process::kill(-self.0, 0).is_ok() {
            time::give_way();
        }
        Ok(())
    }
}
