//! `rm [-r] FILE…`: removes names of files, and empty folders; with `-r` what is
//! in the folders, too.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::vec::Vec;
use core::ffi::CStr;
use weft::abi::file::*;
use weft::io::Text;
use weft::{Errno, file};

weft::program!(main);

fn main() -> i32 {
    let mut names = weft::args().skip(1).peekable();
    let recursive = names.next_if(|name| *name == c"-r").is_some();
    if names.peek().is_none() {
        weft::eprintln!("usage: rm [-r] FILE...");
        return 2;
    }
    let mut code = 0;
    for name in names {
        let result = if recursive {
            remove_all(name)
        } else {
            remove(name)
        };
        if let Err(error) = result {
            weft::eprintln!("rm: {}: {error}", Text(name.to_bytes()));
            code = 1;
        }
    }
    code
}

fn remove(name: &CStr) -> Result<(), Errno> {
    match file::unlink(name) {
        Err(Errno::EISDIR | Errno::EPERM) => file::rmdir(name),
        result => result,
    }
}

/// Depth first, with a list instead of recursion: folders can be deep.
fn remove_all(name: &CStr) -> Result<(), Errno> {
    let mut names: Vec<Vec<u8>> = alloc::vec![name.to_bytes_with_nul().to_vec()];
    while let Some(name) = names.last() {
        let path = CStr::from_bytes_with_nul(name).map_err(|_| Errno::EINVAL)?;
        match remove(path) {
            Ok(()) => drop(names.pop()),
            Err(Errno::ENOTEMPTY) => {
                let entries = entries(path)?;
                names.extend(entries);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn entries(folder: &CStr) -> Result<Vec<Vec<u8>>, Errno> {
    let fd = file::open(folder, O_RDONLY | O_DIRECTORY)?;
    let mut paths = Vec::new();
    let mut buffer = [0; 4096];
    let result = loop {
        let each = |entry: file::Entry<'_>| {
            if entry.name != c"." && entry.name != c".." {
                paths.push([folder.to_bytes(), b"/", entry.name.to_bytes_with_nul()].concat());
            }
        };
        match file::read_folder(fd, &mut buffer, each) {
            Ok(true) => {}
            Ok(false) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    file::close(fd)?;
    result.map(|()| paths)
}
