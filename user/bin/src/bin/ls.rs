//! `ls [-1adhilR] [FILE…]`: lists folders, or the files themselves, one a line.
//! `-l` adds rights, names (hard links), owner, group, size and the time of the
//! last change; `-a` also lists what begins with a dot, `-d` a folder itself,
//! `-i` inodes, `-h` sizes for people, `-R` what is in folders below.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::ffi::CString;
use alloc::vec::Vec;
use core::ffi::CStr;
use core::fmt::{Display, Write};
use user_bin::calendar::Date;
use user_bin::mode;
use user_bin::size::human;
use user_bin::system::arguments::{complain, options};
use user_bin::system::folder::{DEPTH, entries, join};
use weft::abi::file::*;
use weft::file;
use weft::io::{Text, Writer};

weft::program!(main);

struct List {
    out: Writer,
    long: bool,
    all: bool,
    inodes: bool,
    for_people: bool,
    recursive: bool,
    /// Something was printed.
    begun: bool,
    good: bool,
}

fn main() -> bool {
    let options = options("1adhilR", "ls [-1adhilR] [FILE...]");
    let mut list = List {
        out: Writer::new(1),
        long: options.has(b'l'),
        all: options.has(b'a'),
        inodes: options.has(b'i'),
        for_people: options.has(b'h'),
        recursive: options.has(b'R'),
        begun: false,
        good: true,
    };
    let names = match options.operands.as_slice() {
        [] => &[c"."],
        names => names,
    };
    // Files come first, as they would look like a part of the last folder.
    let mut folders = Vec::new();
    for name in names {
        match file::lstat(name) {
            Ok(stat) if !options.has(b'd') && list.is_folder(name, &stat) => folders.push(*name),
            Ok(stat) => list.line(name, name, &stat),
            Err(error) => list.fail(name, &error),
        }
    }
    let titled = names.len() > 1 || list.recursive;
    for name in folders {
        list.folder(name, titled, 0);
    }
    list.good &= list.out.flush().is_ok();
    list.good
}

impl List {
    fn fail(&mut self, name: &CStr, error: &dyn Display) {
        let _ = self.out.flush();
        complain(name, error);
        self.good = false;
    }

    /// A link to a folder counts, unless it is to be shown itself.
    fn is_folder(&self, name: &CStr, stat: &Stat) -> bool {
        let kind = |stat: &Stat| stat.mode & S_IFMT;
        match kind(stat) {
            S_IFLNK if !self.long => file::stat(name).is_ok_and(|stat| kind(&stat) == S_IFDIR),
            kind => kind == S_IFDIR,
        }
    }

    fn folder(&mut self, name: &CStr, titled: bool, depth: usize) {
        if titled {
            let gap = if self.begun { "\n" } else { "" };
            let _ = writeln!(self.out, "{gap}{}:", Text(name.to_bytes()));
            self.begun = true;
        }
        let mut listed: Vec<CString> = Vec::new();
        if self.all {
            listed.extend([c".".into(), c"..".into()]);
        }
        match entries(name) {
            Ok(names) => {
                let shown = |name: &CString| self.all || !name.as_bytes().starts_with(b".");
                listed.extend(names.into_iter().filter(shown));
            }
            Err(error) => return self.fail(name, &error),
        }
        let mut below = Vec::new();
        for entry in listed {
            let path = join(name, &entry);
            if !self.long && !self.inodes && !self.recursive {
                self.name(&entry);
                continue;
            }
            let stat = match file::lstat(&path) {
                Ok(stat) => stat,
                Err(error) => {
                    self.fail(&path, &error);
                    continue;
                }
            };
            self.line(&entry, &path, &stat);
            let is_itself = entry.as_c_str() == c"." || entry.as_c_str() == c"..";
            if self.recursive && stat.mode & S_IFMT == S_IFDIR && !is_itself {
                below.push(path);
            }
        }
        for path in below {
            match depth {
                DEPTH => self.fail(&path, &"is too deep"),
                _ => self.folder(&path, true, depth + 1),
            }
        }
    }

    /// A file: how it is called, where it is, and what it is.
    fn line(&mut self, name: &CStr, path: &CStr, stat: &Stat) {
        if self.inodes {
            let _ = write!(self.out, "{:6} ", stat.ino);
        }
        if self.long {
            self.facts(stat);
        }
        if !self.long || stat.mode & S_IFMT != S_IFLNK {
            return self.name(name);
        }
        let mut buffer = [0; 4096];
        let target = file::read_link(path, &mut buffer).unwrap_or(b"?");
        self.out.write(name.to_bytes());
        self.out.write(b" -> ");
        self.out.write(target);
        self.out.write(b"\n");
    }

    fn name(&mut self, name: &CStr) {
        self.begun = true;
        self.out.write(name.to_bytes());
        self.out.write(b"\n");
    }

    fn facts(&mut self, stat: &Stat) {
        let rights = mode::show(stat.mode);
        let _ = write!(
            self.out,
            "{rights} {:3} {:4} {:4} ",
            stat.nlink, stat.uid, stat.gid
        );
        let _ = match stat.mode & S_IFMT {
            S_IFCHR | S_IFBLK => {
                let (major, minor) = (stat.rdev >> 8 & 0xfff, stat.rdev & 0xff);
                write!(self.out, "{major:>4}, {minor:>3}")
            }
            _ if self.for_people => write!(self.out, "{:>9}", human(stat.size.max(0) as u64)),
            _ => write!(self.out, "{:>9}", stat.size),
        };
        let _ = write!(self.out, " {} ", Date::of(stat.mtime));
    }
}
