//! Starts programs.

use super::arguments::complain;
use alloc::vec::Vec;
use core::ffi::CStr;
use weft::{Errno, process};

/// Starts the program that the first word names, found in the folders of
/// `PATH`; the child's id. One that cannot be run is reported and ends with
/// 126, or 127 if it is not there.
pub fn start(words: &[&CStr]) -> Result<i32, Errno> {
    if let Some(child) = process::fork()? {
        return Ok(child);
    }
    let path = weft::args::variable("PATH").unwrap_or(b"/bin:/tests");
    let folders: Vec<&[u8]> = path.split(|byte| *byte == b':').collect();
    let error = process::exec_in(&folders, words);
    complain(words.first().unwrap_or(&c""), &error);
    process::exit(if error == Errno::ENOENT { 127 } else { 126 })
}
