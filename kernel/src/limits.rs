//! Limits that boot options set, for programs that test what happens at them.
//! Without an option they are Weft's own. Each is one relaxed load.

use abi::file::{NAME_MAX, PATH_MAX};
use abi::process::ARG_MAX;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::files::table::DEFAULT_LIMIT;

/// How much of each there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// `limit.files`: descriptors of a process that has not asked for more.
    pub files: usize,
    /// `limit.arguments`: bytes of exec's arguments and environment, with their pointers.
    pub arguments: usize,
    /// `limit.path`: bytes of a path with its ending zero; 64 and more.
    pub path: usize,
    /// `limit.threads`: threads and processes together.
    pub threads: usize,
    /// `limit.name`: bytes of a file's name; the rest is cut off.
    pub name: usize,
    /// `limit.size`: bytes of a file.
    pub size: usize,
    /// `limit.gap`: how far behind the end of a file a write may start.
    pub gap: usize,
    /// `limit.disk`: bytes of data in the file systems in memory together, besides
    /// what the initial image has, and in each disk, besides what it had when it
    /// was mounted.
    pub disk: usize,
    /// `limit.inodes`: files, folders and the like in a file system, counted in
    /// the same way.
    pub inodes: usize,
}

impl Limits {
    pub const WEFT: Limits = Limits {
        files: DEFAULT_LIMIT,
        arguments: ARG_MAX,
        path: PATH_MAX,
        threads: usize::MAX,
        name: NAME_MAX,
        size: usize::MAX,
        gap: usize::MAX,
        disk: usize::MAX,
        inodes: usize::MAX,
    };

    /// `limits=xv6`: what both editions of xv6 have. The biggest file is not
    /// among them, for it differs: 71,680 bytes for x86 and 274,432 for RISC-V.
    pub const XV6: Limits = Limits {
        files: 16,
        arguments: 4096,
        path: 128,
        threads: 64,
        name: 14,
        gap: 0,
        disk: 2000 << 10,
        inodes: 200,
        ..Limits::WEFT
    };

    /// Sets the limit `name`; none if there is no such limit, or it cannot be that.
    pub fn set(&mut self, name: &str, value: &str) -> Option<()> {
        let value: usize = value.parse().ok()?;
        // With fewer descriptors or threads no shell starts; shorter paths are
        // not looked at closely enough to be refused.
        let (limit, range) = match name {
            "files" => (&mut self.files, 4..=Limits::WEFT.files),
            "arguments" => (&mut self.arguments, 512..=Limits::WEFT.arguments),
            "path" => (&mut self.path, 64..=Limits::WEFT.path),
            "threads" => (&mut self.threads, 8..=Limits::WEFT.threads),
            "name" => (&mut self.name, 14..=Limits::WEFT.name),
            "size" => (&mut self.size, 4096..=Limits::WEFT.size),
            "gap" => (&mut self.gap, 0..=Limits::WEFT.gap),
            "disk" => (&mut self.disk, 65536..=Limits::WEFT.disk),
            "inodes" => (&mut self.inodes, 8..=Limits::WEFT.inodes),
            _ => return None,
        };
        range.contains(&value).then(|| *limit = value)
    }
}

static FILES: AtomicUsize = AtomicUsize::new(Limits::WEFT.files);
static ARGUMENTS: AtomicUsize = AtomicUsize::new(Limits::WEFT.arguments);
static PATH: AtomicUsize = AtomicUsize::new(Limits::WEFT.path);
static THREADS: AtomicUsize = AtomicUsize::new(Limits::WEFT.threads);
static NAME: AtomicUsize = AtomicUsize::new(Limits::WEFT.name);
static SIZE: AtomicUsize = AtomicUsize::new(Limits::WEFT.size);
static GAP: AtomicUsize = AtomicUsize::new(Limits::WEFT.gap);
static DISK: AtomicUsize = AtomicUsize::new(Limits::WEFT.disk);
static INODES: AtomicUsize = AtomicUsize::new(Limits::WEFT.inodes);

/// Makes `limits` hold; called once, before the first program.
pub fn install(limits: Limits) {
    FILES.store(limits.files, Relaxed);
    ARGUMENTS.store(limits.arguments, Relaxed);
    PATH.store(limits.path, Relaxed);
    THREADS.store(limits.threads, Relaxed);
    NAME.store(limits.name, Relaxed);
    SIZE.store(limits.size, Relaxed);
    GAP.store(limits.gap, Relaxed);
    DISK.store(limits.disk, Relaxed);
    INODES.store(limits.inodes, Relaxed);
}

pub fn files() -> usize {
    FILES.load(Relaxed)
}

pub fn arguments() -> usize {
    ARGUMENTS.load(Relaxed)
}

pub fn path() -> usize {
    PATH.load(Relaxed)
}

pub fn threads() -> usize {
    THREADS.load(Relaxed)
}

pub fn name() -> usize {
    NAME.load(Relaxed)
}

pub fn size() -> usize {
    SIZE.load(Relaxed)
}

pub fn gap() -> usize {
    GAP.load(Relaxed)
}

pub fn disk() -> usize {
    DISK.load(Relaxed)
}

pub fn inodes() -> usize {
    INODES.load(Relaxed)
}
