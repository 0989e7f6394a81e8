//! Random operations on a volume and on a model of it.

use super::super::Ext4;
use super::super::storage::{BLOCK, Storage};
use super::compare::compare;
use super::model::{Body, MAKER, Model, Random, page, place};
use crate::files::disk::volume::{Number, Volume};
use crate::files::inode::{New, Replace};
use abi::Errno;
use machine::frames::Frame;
use std::collections::BTreeMap;
use std::format;
use std::string::String;
use std::sync::Arc;
use std::vec::Vec;

/// Carries out operations on both.
pub struct Pair {
    pub volume: Arc<Ext4>,
    pub model: Model,
    pub random: Random,
    next: u64,
    /// Writes go behind the end of a file only: what is there stays.
    pub appends: bool,
    /// The disk may fail; then operations do.
    pub may_fail: bool,
    /// Inodes that have lost their names are not freed.
    pub keeps_orphans: bool,
}

impl Pair {
    /// One operation; none of them makes anything durable.
    pub fn step(&mut self) {
        match self.random.below(11) {
            0..=2 => self.create(),
            3 => self.link(),
            4 | 5 => self.unlink(),
            6 => self.rename(),
            7 | 8 => self.write(),
            9 => self.resize(),
            _ => self.allocate(),
        }
    }

    /// An operation has failed: it may.
    fn failed(&self, error: Errno) {
        let by_disk = matches!(error, Errno::EIO | Errno::EROFS);
        let is_right = error == Errno::ENOSPC || self.may_fail && by_disk;
        assert!(is_right, "{error}");
    }

    fn release(&self, number: Number) {
        if !self.keeps_orphans
            && let Err(error) = self.volume.release(number)
        {
            // The next mount frees it.
            self.failed(error);
        }
    }

    fn any_directory(&mut self) -> Number {
        let all = self.model.directories();
        all[self.random.below(all.len() as u64) as usize]
    }

    fn any_name(&mut self) -> Option<(Number, String, Number)> {
        let directory = self.any_directory();
        let names = self.model.names(directory);
        let count = names.len() as u64;
        if count == 0 {
            return None;
        }
        let index = self.random.below(count) as usize;
        let (name, number) = self.model.names(directory).iter().nth(index).unwrap();
        Some((directory, name.clone(), *number))
    }

    fn any_file(&mut self) -> Option<Number> {
        let (_, _, number) = self.any_name()?;
        matches!(self.model.nodes[&number].0, Body::File(_)).then_some(number)
    }

    fn new_name(&mut self) -> String {
        self.next += 1;
        let length = match self.random.below(10) {
            0 => 255,
            1..=3 => 60,
            _ => 10,
        };
        let name = format!("n{}-", self.next);
        let fill = length.max(name.len()) - name.len();
        name + &"x".repeat(fill)
    }

    fn create(&mut self) {
        let directory = self.any_directory();
        let name = self.new_name();
        let target = "t".repeat(1 + self.random.below(200) as usize);
        let (new, body, links) = match self.random.below(6) {
            0 => (New::Directory, Body::Directory(BTreeMap::new()), 2),
            1 => {
                let link = New::SymbolicLink(target.as_bytes());
                (link, Body::Link(target.clone()), 1)
            }
            _ => (New::Regular, Body::File(Vec::new()), 1),
        };
        let is_directory = matches!(new, New::Directory);
        let made = self.volume.create(place(directory, &name), new, MAKER);
        match made {
            Ok((number, attributes)) => {
                assert_eq!(attributes.links, links);
                let old = self.model.nodes.insert(number, (body, links));
                assert!(old.is_none(), "inode {number} was given out twice");
                self.model.names(directory).insert(name, number);
                if is_directory {
                    self.model.nodes.get_mut(&directory).unwrap().1 += 1;
                }
            }
            Err(error) => self.failed(error),
        }
    }

    fn link(&mut self) {
        let Some((_, _, number)) = self.any_name() else {
            return;
        };
        if self.model.is_directory(number) {
            return;
        }
        let directory = self.any_directory();
        let name = self.new_name();
        match self.volume.link(place(directory, &name), number) {
            Ok(()) => {
                self.model.names(directory).insert(name, number);
                self.model.nodes.get_mut(&number).unwrap().1 += 1;
            }
            Err(error) => self.failed(error),
        }
    }

    fn unlink(&mut self) {
        let Some((directory, name, number)) = self.any_name() else {
            return;
        };
        if number == 11 {
            return;
        }
        let at = place(directory, &name);
        if self.model.is_directory(number) {
            match self.volume.unlink(at) {
                Err(Errno::EISDIR) => {}
                result => return self.failed(result.unwrap_err()),
            }
            let is_empty = self.model.names(number).is_empty();
            let result = self.volume.remove_directory(at);
            if !is_empty {
                match result {
                    Err(Errno::ENOTEMPTY) => return,
                    result => return self.failed(result.unwrap_err()),
                }
            }
            if let Err(error) = result {
                return self.failed(error);
            }
            self.model.nodes.remove(&number);
            self.model.nodes.get_mut(&directory).unwrap().1 -= 1;
            self.release(number);
        } else {
            match self.volume.remove_directory(at) {
                Err(Errno::ENOTDIR) => {}
                result => return self.failed(result.unwrap_err()),
            }
            if let Err(error) = self.volume.unlink(at) {
                return self.failed(error);
            }
            if self.model.lose(number) {
                self.release(number);
            }
        }
        self.model.names(directory).remove(&name);
    }

    fn rename(&mut self) {
        let Some((from, name, number)) = self.any_name() else {
            return;
        };
        let to = self.any_directory();
        if number == 11 || self.model.below(number).contains(&to) {
            return;
        }
        let target = self.any_name().filter(|_| self.random.below(2) == 0);
        let exchange = self.random.below(3) == 0;
        let (to, new_name, old) = match target {
            Some((to, name, old)) => (to, name, Some(old)),
            None => (to, self.new_name(), None),
        };
        if let Some(old) = old {
            let circle = self.model.below(number).contains(&to)
                || self.model.below(old).contains(&from)
                || old == number
                || old == 11;
            if circle {
                return;
            }
            if exchange {
                return self.exchange((from, name, number), (to, new_name, old));
            }
            if self.model.is_directory(number) != self.model.is_directory(old) {
                return;
            }
        }
        let (one, other) = (place(from, &name), place(to, &new_name));
        let result = self.volume.rename(one, other, Replace::Yes);
        let is_directory = self.model.is_directory(number);
        match (result, old) {
            (Err(Errno::ENOTEMPTY), Some(old)) => {
                assert!(!self.model.names(old).is_empty());
                return;
            }
            (Err(error), _) => {
                self.failed(error);
                return;
            }
            (Ok(()), Some(old)) if is_directory => {
                assert!(self.model.names(old).is_empty());
                self.model.nodes.remove(&old);
                self.model.nodes.get_mut(&to).unwrap().1 -= 1;
                self.release(old);
            }
            (Ok(()), Some(old)) => {
                if self.model.lose(old) {
                    self.release(old);
                }
            }
            (Ok(()), None) => {}
        }
        self.model.names(from).remove(&name);
        self.model.names(to).insert(new_name, number);
        if is_directory {
            self.model.nodes.get_mut(&from).unwrap().1 -= 1;
            self.model.nodes.get_mut(&to).unwrap().1 += 1;
        }
    }

    fn exchange(&mut self, one: (Number, String, Number), other: (Number, String, Number)) {
        let result = self.volume.rename(
            place(one.0, &one.1),
            place(other.0, &other.1),
            Replace::Exchange,
        );
        if let Err(error) = result {
            return self.failed(error);
        }
        for (directory, name, before, after) in [
            (one.0, one.1, one.2, other.2),
            (other.0, other.1, other.2, one.2),
        ] {
            self.model.names(directory).insert(name, after);
            let less = u32::from(self.model.is_directory(before));
            let more = u32::from(self.model.is_directory(after));
            let links = &mut self.model.nodes.get_mut(&directory).unwrap().1;
            *links = *links - less + more;
        }
    }

    fn write(&mut self) {
        let Some(number) = self.any_file() else {
            return;
        };
        let first = match self.random.below(8) {
            _ if self.appends => self.model.pages(number),
            0 => self.random.below(3000),
            _ => self.random.below(20),
        };
        let count = 1 + self.random.below(30) as usize;
        let byte = 1 + self.random.below(255) as u8;
        let frames: Vec<Frame> = (0..count).map(|_| page(byte)).collect();
        let end = first as usize + count;
        let size = (end * BLOCK) as u64;
        match self
            .volume
            .write(number, first, &frames, size, 1_000_000_000)
        {
            Ok(()) => {
                let Body::File(pages) = &mut self.model.nodes.get_mut(&number).unwrap().0 else {
                    unreachable!()
                };
                if pages.len() < end {
                    pages.resize(end, None);
                }
                pages[first as usize..end].fill(Some(byte));
            }
            Err(error) => self.failed(error),
        }
    }

    fn resize(&mut self) {
        let Some(number) = self.any_file() else {
            return;
        };
        let pages = self.random.below(60);
        if let Err(error) = self.volume.set_size(number, pages * BLOCK as u64) {
            return self.failed(error);
        }
        let Body::File(model) = &mut self.model.nodes.get_mut(&number).unwrap().0 else {
            unreachable!()
        };
        model.resize(pages as usize, None);
    }

    fn allocate(&mut self) {
        let Some(number) = self.any_file() else {
            return;
        };
        let (first, count) = (self.random.below(50), 1 + self.random.below(40));
        let extends = self.random.below(2) == 0;
        let (offset, length) = (first * BLOCK as u64, count * BLOCK as u64);
        match self.volume.allocate(number, offset, length, extends) {
            Ok(()) => {
                let Body::File(model) = &mut self.model.nodes.get_mut(&number).unwrap().0 else {
                    unreachable!()
                };
                let end = (first + count) as usize;
                if extends && model.len() < end {
                    model.resize(end, None);
                }
            }
            Err(error) => self.failed(error),
        }
    }

    /// Panics if volume and model differ.
    pub fn compare(&self) {
        if let Err(difference) = compare(&self.volume, &self.model) {
            panic!("{difference}");
        }
    }
}

/// A new volume with its model.
pub fn pair(storage: Arc<dyn Storage>, seed: u64) -> Pair {
    Pair {
        volume: Arc::new(Ext4::open(storage, false).unwrap()),
        model: Model::new(),
        random: Random::new(seed),
        next: 0,
        appends: false,
        may_fail: false,
        keeps_orphans: false,
    }
}
