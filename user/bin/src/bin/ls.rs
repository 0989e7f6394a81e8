//! `ls [-l] [FILE…]`: lists folders, or the files themselves, one a line.
//! `-l` adds kind, links, inode and size.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::vec::Vec;
use core::ffi::CStr;
use core::fmt::Write;
use user_bin::system::folder::{entries, join};
use weft::abi::file::*;
use weft::io::{Text, Writer};
use weft::{Errno, file};

weft::program!(main);

struct List {
    out: Writer,
    long: bool,
    good: bool,
}

fn main() -> bool {
    let mut list = List {
        out: Writer::new(1),
        long: false,
        good: true,
    };
    let mut names: Vec<&CStr> = weft::args().skip(1).collect();
    if names.first() == Some(&c"-l") {
        list.long = true;
        names.remove(0);
    }
    if names.is_empty() {
        names.push(c".");
    }
    for name in &names {
        if let Err(error) = list.show(name, names.len() > 1) {
            list.fail(name, error);
        }
    }
    list.good &= list.out.flush().is_ok();
    list.good
}

impl List {
    fn fail(&mut self, name: &CStr, error: Errno) {
        let _ = self.out.flush();
        weft::eprintln!("ls: {}: {error}", Text(name.to_bytes()));
        self.good = false;
    }

    fn show(&mut self, name: &CStr, titled: bool) -> Result<(), Errno> {
        let stat = file::lstat(name)?;
        if stat.mode & S_IFMT != S_IFDIR {
            self.line(name, &stat);
            return Ok(());
        }
        if titled {
            let _ = writeln!(self.out, "{}:", Text(name.to_bytes()));
        }
        for entry in entries(name)? {
            if !self.long {
                self.out.write(entry.to_bytes());
                self.out.write(b"\n");
                continue;
            }
            let path = join(name, &entry);
            match file::lstat(&path) {
                Ok(stat) => self.line(&entry, &stat),
                Err(error) => self.fail(&path, error),
            }
        }
        Ok(())
    }

    fn line(&mut self, name: &CStr, stat: &Stat) {
        if self.long {
            let kind = match stat.mode & S_IFMT {
                S_IFDIR => 'd',
                S_IFCHR => 'c',
                S_IFIFO => 'p',
                S_IFLNK => 'l',
                _ => '-',
            };
            let _ = write!(
                self.out,
                "{kind} {:3} {:6} {:9} ",
                stat.nlink, stat.ino, stat.size
            );
        }
        self.out.write(name.to_bytes());
        self.out.write(b"\n");
    }
}
