//! Limits that boot options set, for programs that test what happens at them.
//! Without an option they are Weft's own. They are read off the fast paths only.

use abi::file::PATH_MAX;
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
}

impl Limits {
    pub const WEFT: Limits = Limits {
        files: DEFAULT_LIMIT,
        arguments: ARG_MAX,
        path: PATH_MAX,
        threads: usize::MAX,
    };

    /// `limits=xv6`: what both editions of xv6 have.
    pub const XV6: Limits = Limits {
        files: 16,
        arguments: 4096,
        path: 128,
        threads: 64,
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
            _ => return None,
        };
        range.contains(&value).then(|| *limit = value)
    }
}

static FILES: AtomicUsize = AtomicUsize::new(Limits::WEFT.files);
static ARGUMENTS: AtomicUsize = AtomicUsize::new(Limits::WEFT.arguments);
static PATH: AtomicUsize = AtomicUsize::new(Limits::WEFT.path);
static THREADS: AtomicUsize = AtomicUsize::new(Limits::WEFT.threads);

/// Makes `limits` hold; called once, before the first program.
pub fn install(limits: Limits) {
    FILES.store(limits.files, Relaxed);
    ARGUMENTS.store(limits.arguments, Relaxed);
    PATH.store(limits.path, Relaxed);
    THREADS.store(limits.threads, Relaxed);
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
