//! Carrying out a thread's operations.

use alloc::ffi::CString;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use weft::abi::file::*;
use weft::{Errno, file, storage};
use workload::{Folder, HELD, Operation, Plan, Sync, content, place};

pub struct Worker {
    thread: usize,
    plan: Plan,
    operation: usize,
    /// Files without names that stay open, so that a crash leaves them behind.
    held: Vec<i32>,
}

fn text(text: String) -> Result<CString, Errno> {
    CString::new(text).map_err(|_| Errno::EINVAL)
}

fn folder(thread: usize, folder: Folder) -> String {
    match folder {
        Folder::Own => format!("t{thread}"),
        Folder::Inner => format!("t{thread}/d"),
        Folder::Shared => "shared".into(),
    }
}

pub fn make_folders(thread: usize) -> Result<(), Errno> {
    for which in [Folder::Own, Folder::Inner] {
        file::mkdir(&text(folder(thread, which))?)?;
    }
    Ok(())
}

impl Worker {
    pub fn new(seed: u64, thread: usize, count: usize) -> Worker {
        Worker {
            thread,
            plan: Plan::new(seed, thread, count),
            operation: 0,
            held: Vec::new(),
        }
    }

    /// Goes on until something was made durable: by which operation.
    pub fn step(&mut self) -> Result<Option<usize>, Errno> {
        while let Some(operation) = self.plan.next() {
            let number = self.operation;
            self.operation += 1;
            if let Err(error) = self.carry_out(operation, number) {
                weft::eprintln!("crash: {}: {number}: {operation:?}: {error}", self.thread);
                return Err(error);
            }
            if matches!(operation, Operation::Sync(_)) {
                return Ok(Some(number));
            }
        }
        for fd in self.held.drain(..) {
            file::close(fd)?;
        }
        Ok(None)
    }

    fn path(&self, name: u8) -> Result<CString, Errno> {
        let (which, letter) = place(name);
        let folder = folder(self.thread, which);
        text(match which {
            Folder::Shared => format!("{folder}/t{}{letter}{name}", self.thread),
            _ => format!("{folder}/{letter}{name}"),
        })
    }

    fn made(&self, number: u8) -> Result<CString, Errno> {
        text(format!("t{}/m{number}", self.thread))
    }

    fn carry_out(&mut self, operation: Operation, number: usize) -> Result<(), Errno> {
        match operation {
            Operation::Create(name) => {
                let flags = O_CREAT | O_EXCL | O_WRONLY;
                file::close(file::open(&self.path(name)?, flags)?)
            }
            Operation::Write {
                name,
                offset,
                length,
            } => self.with(name, O_WRONLY, |fd| self.write(fd, number, offset, length)),
            Operation::Append { name, length } => self.with(name, O_WRONLY, |fd| {
                let end = file::fstat(fd)?.size as u32;
                self.write(fd, number, end, length)
            }),
            Operation::Truncate { name, size } => {
                self.with(name, O_WRONLY, |fd| file::truncate(fd, size.into()))
            }
            Operation::Rename { from, to } => file::rename(&self.path(from)?, &self.path(to)?),
            Operation::Link { from, to } => file::link(&self.path(from)?, &self.path(to)?),
            Operation::Unlink { name, held: false } => file::unlink(&self.path(name)?),
            Operation::Unlink { name, held: true } => {
                let fd = file::open(&self.path(name)?, O_WRONLY)?;
                self.held.push(fd);
                file::unlink(&self.path(name)?)?;
                self.write(fd, number, 0, HELD)
            }
            Operation::MakeFolder(folder) => file::mkdir(&self.made(folder)?),
            Operation::RemoveFolder(folder) => file::rmdir(&self.made(folder)?),
            Operation::Sync(Sync::File(name)) => self.with(name, O_RDONLY, storage::sync_file),
            Operation::Sync(Sync::Data(name)) => self.with(name, O_WRONLY, storage::sync_data),
            Operation::Sync(Sync::Folder(name)) => {
                let folder = text(folder(self.thread, place(name).0))?;
                let fd = file::open(&folder, O_RDONLY | O_DIRECTORY)?;
                storage::sync_file(fd)?;
                file::close(fd)
            }
            Operation::Sync(Sync::All) => {
                storage::sync();
                // What failed then is tried again, and told.
                let fd = file::open(c"shared", O_RDONLY | O_DIRECTORY)?;
                storage::sync_file_system(fd)?;
                file::close(fd)
            }
        }
    }

    fn with(
        &self,
        name: u8,
        flags: usize,
        act: impl FnOnce(i32) -> Result<(), Errno>,
    ) -> Result<(), Errno> {
        let fd = file::open(&self.path(name)?, flags)?;
        act(fd)?;
        file::close(fd)
    }

    fn write(&self, fd: i32, operation: usize, offset: u32, length: u32) -> Result<(), Errno> {
        let byte = |position| content(self.thread, operation, position);
        let bytes: Vec<u8> = (offset..offset + length).map(byte).collect();
        file::seek(fd, i64::from(offset), SEEK_SET)?;
        file::write_all(fd, &bytes)
    }
}
