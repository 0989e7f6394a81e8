//! Images in memory, made by mkfs.ext4 and checked by e2fsck.

use super::super::storage::{BLOCK, Block, Storage};
use abi::Errno;
use machine::frames::Frame;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::vec::Vec;
use std::{format, fs, path::PathBuf, string::String, vec};

/// A disk in memory.
pub struct Memory(Mutex<Vec<u8>>);

/// A file of this machine that goes with its owner.
struct Temporary(PathBuf);

impl Temporary {
    fn new() -> Temporary {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!(
            "weft-ext4-{}-{}.img",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        Temporary(std::env::temp_dir().join(name))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Shows what the engine says of itself when a test fails.
struct Log;

impl log::Log for Log {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        std::eprintln!("{}", record.args());
    }

    fn flush(&self) {}
}

/// Runs a tool of e2fsprogs: its status and what it said.
fn run(tool: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let path = format!(
        "{}:/usr/sbin:/sbin",
        std::env::var("PATH").unwrap_or_default()
    );
    let output = Command::new(tool)
        .args(arguments)
        .env("PATH", path)
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{tool}: {error}; these tests need e2fsprogs"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    (output.status.code(), text)
}

impl Memory {
    /// An image of `size` bytes, made with more options.
    pub fn format(size: u64, options: &[&str]) -> Arc<Memory> {
        machine::frames::arena::init();
        // Another test may have done so.
        if log::set_logger(&Log).is_ok() {
            log::set_max_level(log::LevelFilter::Warn);
        }
        let file = Temporary::new();
        fs::File::create(&file.0)
            .and_then(|file| file.set_len(size))
            .unwrap();
        let name = file.0.to_str().unwrap();
        let mut arguments = vec!["-q", "-F", "-b", "4096"];
        arguments.extend_from_slice(options);
        arguments.push(name);
        let (status, text) = run("mkfs.ext4", &arguments);
        assert_eq!(status, Some(0), "{text}");
        Arc::new(Memory(Mutex::new(fs::read(&file.0).unwrap())))
    }

    /// A disk with this on it.
    pub fn holding(bytes: Vec<u8>) -> Arc<Memory> {
        Arc::new(Memory(Mutex::new(bytes)))
    }

    pub fn contents(&self) -> Vec<u8> {
        self.bytes().clone()
    }

    fn bytes(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap()
    }

    fn save(&self) -> Temporary {
        let file = Temporary::new();
        let mut out = fs::File::create(&file.0).unwrap();
        out.write_all(&self.bytes()).unwrap();
        file
    }

    /// Panics unless e2fsck finds nothing to complain of.
    pub fn check(&self) {
        self.check_after(false);
    }

    /// The same, after e2fsck has brought home what the journal holds.
    pub fn check_recovered(&self) {
        self.check_after(true);
    }

    /// Panics unless e2fsck is content with what Linux mounts: it looks into
    /// the journal only if the superblock says that there is something.
    pub fn check_as_linux_mounts(&self) {
        const RECOVER: u8 = 4;
        if self.bytes()[1024 + 0x60] & RECOVER != 0 {
            return self.check_recovered();
        }
        let file = self.save();
        let name = file.0.to_str().unwrap();
        let (status, text) = run("tune2fs", &["-f", "-O", "^has_journal", name]);
        assert_eq!(status, Some(0), "{text}");
        Memory::holding(fs::read(&file.0).unwrap()).check();
    }

    fn check_after(&self, recover: bool) {
        let file = self.save();
        if recover {
            // It says so by its status when there was something.
            run(
                "e2fsck",
                &["-y", "-E", "journal_only", file.0.to_str().unwrap()],
            );
        }
        let (status, text) = run("e2fsck", &["-fn", file.0.to_str().unwrap()]);
        if status != Some(0) {
            let kept = std::env::temp_dir().join("weft-ext4-failed.img");
            fs::copy(&file.0, &kept).unwrap();
            panic!("e2fsck: {text}\nthe image is {}", kept.display());
        }
    }
}

impl Storage for Memory {
    fn blocks(&self) -> u64 {
        (self.bytes().len() / BLOCK) as u64
    }

    fn read(&self, number: u64, block: &mut Block) -> Result<(), Errno> {
        let at = number as usize * BLOCK;
        block.copy_from_slice(&self.bytes()[at..at + BLOCK]);
        Ok(())
    }

    fn write(&self, blocks: &[(u64, &Block)]) -> Result<(), Errno> {
        for (number, block) in blocks {
            let at = *number as usize * BLOCK;
            self.bytes()[at..at + BLOCK].copy_from_slice(&block[..]);
        }
        Ok(())
    }

    fn read_pages(&self, first: u64, frames: &[Frame]) -> Result<(), Errno> {
        for (frame, number) in frames.iter().zip(first as usize..) {
            let at = number * BLOCK;
            frame.write(0, &self.bytes()[at..at + BLOCK]);
        }
        Ok(())
    }

    fn write_pages(&self, first: u64, frames: &[Frame]) -> Result<(), Errno> {
        for (frame, number) in frames.iter().zip(first as usize..) {
            let at = number * BLOCK;
            frame.read(0, &mut self.bytes()[at..at + BLOCK]);
        }
        Ok(())
    }

    fn flush(&self) -> Result<(), Errno> {
        Ok(())
    }
}
