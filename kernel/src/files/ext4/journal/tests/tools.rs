//! The journal against e2fsprogs: each reads what the other has written.

use std::io::Write as _;
use std::ops::Range;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::string::String;
use std::sync::Arc;
use std::vec::Vec;
use std::{env, format, fs};

use super::disk::Disk;
use crate::files::ext4::checksum::crc32c;
use crate::files::ext4::journal::Journal;
use crate::files::ext4::storage::{BLOCK, Block};

/// Blocks that nothing uses on a new file system of 4096.
const FREE: u64 = 3900;

struct Image {
    folder: PathBuf,
}

impl Image {
    fn new(name: &str, options: &[&str]) -> Image {
        let folder = env::temp_dir().join(format!("weft-journal-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let image = Image { folder };
        let path = image.path("image");
        let mut arguments = [&["-q", "-F", "-b", "4096"], options].concat();
        arguments.extend([path.as_str(), "4096"]);
        assert_eq!(run("mkfs.ext4", &arguments, "").0, Some(0));
        image
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).to_str().unwrap().into()
    }

    fn debugfs(&self, commands: &str) -> String {
        let (status, text) = run("debugfs", &["-w", "-f", "-", &self.path("image")], commands);
        assert_eq!(status, Some(0), "{text}");
        text
    }

    fn load(&self) -> Arc<Disk> {
        Disk::new(fs::read(self.path("image")).unwrap())
    }

    fn save(&self, disk: &Disk) {
        fs::write(self.path("image"), disk.bytes()).unwrap();
    }

    /// Where the journal lies.
    fn runs(&self) -> Vec<Range<u64>> {
        let text = self.debugfs("blocks <8>\n");
        let numbers = text.split_ascii_whitespace().map(str::parse::<u64>);
        let mut runs: Vec<Range<u64>> = Vec::new();
        for number in numbers.filter_map(Result::ok) {
            match runs.last_mut() {
                Some(run) if run.end == number => run.end += 1,
                _ => runs.push(number..number + 1),
            }
        }
        runs
    }

    fn journal(&self, disk: &Arc<Disk>) -> Journal {
        Journal::open(disk.clone(), self.runs()).unwrap()
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Runs a tool: its status, and what it said.
fn run(tool: &str, arguments: &[&str], input: &str) -> (Option<i32>, String) {
    let path = format!("{}:/usr/sbin:/sbin", env::var("PATH").unwrap_or_default());
    let mut child = Command::new(tool)
        .args(arguments)
        .env("PATH", path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{tool}: {error}: install the package e2fsprogs"));
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&text).into())
}

fn filled(byte: u8, is_like_own: bool) -> Arc<Block> {
    let mut block = Block::new().unwrap();
    block.fill(byte);
    if is_like_own {
        block[..4].copy_from_slice(&0xc03b_3998_u32.to_be_bytes());
    }
    Arc::new(block)
}

/// Says in the file system's superblock that the journal holds something.
fn mark(disk: &Disk) {
    use crate::files::ext4::storage::Storage;
    let mut block = Block::new().unwrap();
    disk.read(0, &mut block).unwrap();
    let superblock = &mut block[1024..2048];
    superblock[0x60] |= 4;
    let checksum = crc32c(!0, &superblock[..0x3fc]);
    superblock[0x3fc..].copy_from_slice(&checksum.to_le_bytes());
    disk.write(&[(0, &block)]).unwrap();
}

#[test]
fn e2fsck_brings_home_what_we_wrote() {
    for features in ["metadata_csum,64bit", "^metadata_csum,^64bit"] {
        let image = Image::new("ours", &["-O", features]);
        let disk = image.load();
        let mut journal = image.journal(&disk);
        assert!(!journal.needs_recovery());
        journal.start().unwrap();
        // More than one descriptor block tells of.
        let many: Vec<_> = (0..300)
            .map(|index| (FREE - 400 + index, filled(index as u8, index % 7 == 0)))
            .collect();
        journal.commit(&many[..most(&journal)], &[]).unwrap();
        let before = filled(1, false);
        journal
            .commit(&[(FREE, before.clone()), (FREE + 1, before)], &[])
            .unwrap();
        let after = filled(2, true);
        journal
            .commit(&[(FREE + 2, after.clone())], &[FREE + 1])
            .unwrap();
        mark(&disk);
        image.save(&disk);
        let dump = image.debugfs("logdump -a\n");
        assert!(dump.contains("commit"), "{dump}");
        let path = image.path("image");
        let (status, text) = run("e2fsck", &["-fy", "-E", "journal_only", &path], "");
        assert!(matches!(status, Some(0 | 1)), "{text}");
        let replayed = image.load();
        for (number, block) in &many[..most(&journal)] {
            assert!(
                replayed.block(*number) == block[..],
                "block {number}: {text}"
            );
        }
        assert_eq!(replayed.block(FREE), [1; BLOCK]);
        assert_eq!(replayed.block(FREE + 1), [0; BLOCK], "revoked");
        assert!(replayed.block(FREE + 2) == after[..]);
        assert!(!image.journal(&replayed).needs_recovery());
        let (status, text) = run("e2fsck", &["-fn", &path], "");
        assert_eq!(status, Some(0), "{text}");
    }
}

fn most(journal: &Journal) -> usize {
    journal.most_blocks().min(300)
}

#[test]
fn we_bring_home_what_debugfs_wrote() {
    let checksums = [
        "journal_open",
        "journal_open -c -v 1",
        "journal_open -c -v 2",
        "journal_open -c -v 3",
    ];
    for features in ["metadata_csum,64bit", "^metadata_csum,^64bit"] {
        for open in checksums {
            let image = Image::new("theirs", &["-O", features]);
            let contents = [filled(3, false), filled(4, true), filled(5, false)];
            let bytes: Vec<u8> = contents.iter().flat_map(|block| block.to_vec()).collect();
            fs::write(image.path("first"), &bytes).unwrap();
            fs::write(image.path("second"), &contents[2][..]).unwrap();
            let (first, second) = (image.path("first"), image.path("second"));
            let text = image.debugfs(&format!(
                "{open}\n\
                 journal_write -b {FREE},{},{} {first}\n\
                 journal_write -r {}\n\
                 journal_write -b {FREE} {second}\n\
                 journal_write -c -b {} {second}\n\
                 journal_close\n",
                FREE + 1,
                FREE + 2,
                FREE + 2,
                FREE + 1
            ));
            let disk = image.load();
            let mut journal = image.journal(&disk);
            assert!(journal.needs_recovery(), "{open}: {text}");
            journal
                .recover()
                .unwrap_or_else(|error| panic!("{open}: {error}: {text}"));
            assert!(disk.block(FREE) == contents[2][..], "{features} {open}");
            assert!(disk.block(FREE + 1) == contents[1][..], "{features} {open}");
            assert_eq!(
                disk.block(FREE + 2),
                [0; BLOCK],
                "{features} {open}: revoked"
            );
            journal.start().unwrap();
            journal
                .commit(&[(FREE + 3, contents[0].clone())], &[])
                .unwrap();
            mark(&disk);
            image.save(&disk);
            let path = image.path("image");
            let (status, text) = run("e2fsck", &["-fy", "-E", "journal_only", &path], "");
            assert!(matches!(status, Some(0 | 1)), "{text}");
            assert!(image.load().block(FREE + 3) == contents[0][..]);
        }
    }
}
