//! The sequence of a thread's operations.

use super::{FOLDERS, HELD, MOST_OPERATIONS, MOST_SIZE, NAMES, mix};

/// Something that a thread does. Files go by the number of their name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    Create(u8),
    Write {
        name: u8,
        offset: u32,
        length: u32,
    },
    Append {
        name: u8,
        length: u32,
    },
    Truncate {
        name: u8,
        size: u32,
    },
    /// In place of what the new name stands for.
    Rename {
        from: u8,
        to: u8,
    },
    Link {
        from: u8,
        to: u8,
    },
    /// The file stays open to the end if it is `held`, and is written to.
    Unlink {
        name: u8,
        held: bool,
    },
    MakeFolder(u8),
    RemoveFolder(u8),
    Sync(Sync),
}

/// Ways to make durable what was done before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sync {
    /// fsync of a file.
    File(u8),
    /// fdatasync.
    Data(u8),
    /// fsync of the folder of a name.
    Folder(u8),
    /// sync.
    All,
}

/// A thread's operations; see the module.
pub struct Plan {
    state: u64,
    operation: usize,
    /// Which operation made the file that a name stands for.
    names: [Option<u16>; NAMES],
    folders: [bool; FOLDERS],
    /// Sizes of files, by the operation that made them.
    sizes: [u32; MOST_OPERATIONS],
    count: usize,
}

impl Plan {
    pub fn new(seed: u64, thread: usize, count: usize) -> Plan {
        Plan {
            state: mix(seed ^ mix(thread as u64 + 1)),
            operation: 0,
            names: [None; NAMES],
            folders: [false; FOLDERS],
            sizes: [0; MOST_OPERATIONS],
            count: count.min(MOST_OPERATIONS),
        }
    }

    fn below(&mut self, bound: u32) -> u32 {
        self.state = self.state.wrapping_add(1);
        (mix(self.state) % u64::from(bound)) as u32
    }

    /// A name that stands for something, or for nothing.
    fn name(&mut self, used: bool) -> Option<u8> {
        let start = self.below(NAMES as u32) as usize;
        let mut all = (0..NAMES).map(|step| (start + step) % NAMES);
        let found = all.find(|&name| self.names[name].is_some() == used)?;
        Some(found as u8)
    }

    fn size(&self, name: u8) -> u32 {
        self.names[usize::from(name)].map_or(0, |file| self.sizes[usize::from(file)])
    }

    /// Mostly small, at times some pages.
    fn length(&mut self) -> u32 {
        match self.below(4) {
            0 => 1 + self.below(12_000),
            _ => 1 + self.below(1500),
        }
    }

    /// Something that can be done now, if what the dice fall on can.
    fn choose(&mut self) -> Option<Operation> {
        match self.below(100) {
            0..16 => Some(Operation::Create(self.name(false)?)),
            16..32 => {
                let name = self.name(true)?;
                let offset = self.below(self.size(name) + 3000).min(MOST_SIZE - 12_001);
                let length = self.length();
                Some(Operation::Write {
                    name,
                    offset,
                    length,
                })
            }
            32..46 => {
                let name = self.name(true)?;
                let length = self.length();
                let fits = self.size(name) + length <= MOST_SIZE;
                fits.then_some(Operation::Append { name, length })
            }
            46..51 => {
                let name = self.name(true)?;
                let size = self.below(self.size(name) + 2000).min(MOST_SIZE);
                Some(Operation::Truncate { name, size })
            }
            51..61 => {
                let (from, to) = (self.name(true)?, self.below(NAMES as u32) as u8);
                // Two names of one file: a rename would do nothing.
                let same = self.names[usize::from(from)] == self.names[usize::from(to)];
                (!same).then_some(Operation::Rename { from, to })
            }
            61..67 => Some(Operation::Link {
                from: self.name(true)?,
                to: self.name(false)?,
            }),
            67..75 => Some(Operation::Unlink {
                name: self.name(true)?,
                held: self.below(3) == 0,
            }),
            75..80 => {
                let folder = self.below(FOLDERS as u32) as u8;
                Some(match self.folders[usize::from(folder)] {
                    false => Operation::MakeFolder(folder),
                    true => Operation::RemoveFolder(folder),
                })
            }
            80..88 => Some(Operation::Sync(Sync::File(self.name(true)?))),
            88..93 => Some(Operation::Sync(Sync::Data(self.name(true)?))),
            93..98 => Some(Operation::Sync(
                Sync::Folder(self.below(NAMES as u32) as u8),
            )),
            _ => Some(Operation::Sync(Sync::All)),
        }
    }

    /// What the operation makes of the names and sizes.
    fn apply(&mut self, operation: Operation) {
        match operation {
            Operation::Create(name) => {
                self.names[usize::from(name)] = Some(self.operation as u16);
            }
            Operation::Write {
                name,
                offset,
                length,
            } => {
                let size = self.size(name).max(offset + length);
                self.resize(name, size);
            }
            Operation::Append { name, length } => self.resize(name, self.size(name) + length),
            Operation::Truncate { name, size } => self.resize(name, size),
            Operation::Rename { from, to } => {
                self.names[usize::from(to)] = self.names[usize::from(from)].take();
            }
            Operation::Link { from, to } => {
                self.names[usize::from(to)] = self.names[usize::from(from)];
            }
            Operation::Unlink { name, held } => {
                // It may have other names.
                if held {
                    self.resize(name, self.size(name).max(HELD));
                }
                self.names[usize::from(name)] = None;
            }
            Operation::MakeFolder(folder) => self.folders[usize::from(folder)] = true,
            Operation::RemoveFolder(folder) => self.folders[usize::from(folder)] = false,
            Operation::Sync(_) => {}
        }
    }

    fn resize(&mut self, name: u8, size: u32) {
        if let Some(file) = self.names[usize::from(name)] {
            self.sizes[usize::from(file)] = size;
        }
    }
}

impl Iterator for Plan {
    type Item = Operation;

    fn next(&mut self) -> Option<Operation> {
        if self.operation == self.count {
            return None;
        }
        let operation = loop {
            if let Some(operation) = self.choose() {
                break operation;
            }
        };
        self.apply(operation);
        self.operation += 1;
        Some(operation)
    }
}
