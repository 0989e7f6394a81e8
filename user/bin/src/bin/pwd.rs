//! `pwd`: prints the working directory.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use weft::io::Text;
use weft::{Errno, file};

weft::program!(main);

fn main() -> Result<(), Errno> {
    let mut buffer = [0; weft::abi::file::PATH_MAX];
    let folder = file::current_folder(&mut buffer)?;
    weft::println!("{}", Text(folder.to_bytes()));
    Ok(())
}
