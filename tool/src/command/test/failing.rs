//! Disks of which one place fails: what the guest makes of it (`/tests/failing`),
//! and what is on the disk then.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::guest;
use super::report::{Report, Row};
use crate::build::archive::Archive;
use crate::cli::machine;
use crate::command::crash::record;
use crate::command::prepare::prepare;
use crate::disk::Image;
use crate::guest::Ending;
use crate::guest::hardware::Disk;
use crate::workspace::Workspace;

/// How long a guest may take.
const LIMIT: Duration = Duration::from_secs(120);
const PAGE: usize = 4096;
const SECTORS: u64 = (PAGE / 512) as u64;
/// The journal's block that fails: some commits come before it.
const JOURNAL_BLOCK: usize = 200;

/// What is done at a place that fails: the program's word for it, whether it is
/// a write, and whether it fails once only.
struct Trial {
    word: &'static str,
    write: bool,
    once: bool,
}

const TRIALS: &[Trial] = &[
    Trial {
        word: "write",
        write: true,
        once: true,
    },
    Trial {
        word: "read",
        write: false,
        once: true,
    },
    Trial {
        word: "folder",
        write: false,
        once: false,
    },
    Trial {
        word: "journal",
        write: true,
        once: false,
    },
    Trial {
        word: "home",
        write: true,
        once: false,
    },
];

pub fn tests(workspace: &Workspace, report: &mut Report) -> Result<()> {
    let mut row = Row {
        name: "disks of which one place fails".into(),
        ..Row::default()
    };
    let began = Instant::now();
    for trial in TRIALS {
        row.note(trial.word, trial.run(workspace)?);
    }
    row.time = began.elapsed();
    report.add(row);
    Ok(())
}

impl Trial {
    /// What is wrong, if anything is.
    fn run(&self, workspace: &Workspace) -> Result<Option<String>> {
        let folder = tempfile::tempdir()?;
        let (path, rules) = (folder.path().join("disk"), folder.path().join("rules"));
        record::make_disk(&path)?;
        let block = {
            let image = Image::open(&path)?;
            let mut tree = Archive::default();
            tree.file("/data", vec![b'd'; PAGE], false);
            tree.file("/folder/x", b"x".to_vec(), false);
            image.put(&tree)?;
            self.block(&image)?
        };
        fs::write(&rules, self.rule(block)).context("cannot write the rules")?;
        let program = ["/tests/failing", self.word].map(str::to_owned);
        let mut prepared = prepare(workspace, &machine("--cpus 2"), &program)?;
        prepared.hardware.disks.push(Disk {
            image: path.clone(),
            faults: Some(rules),
            log: None,
        });
        let outcome = prepared.run(LIMIT)?;
        let output = String::from_utf8_lossy(&outcome.output);
        if outcome.ending != Ending::Status(0) || !output.contains("failing: ok") {
            return Ok(Some(guest::explain(&outcome, &output)));
        }
        self.left(&path)
    }

    /// The block that fails.
    fn block(&self, image: &Image) -> Result<u64> {
        let block = match self.word {
            "folder" => image.blocks("/folder")?.first().copied(),
            "journal" => image.blocks("<8>")?.get(JOURNAL_BLOCK).copied(),
            // The new file's inode is beside this one's.
            "home" => Some(image.inode_block("/data")?),
            _ => image.blocks("/data")?.first().copied(),
        };
        block.context("there is no such block")
    }

    fn rule(&self, block: u64) -> String {
        let kind = if self.write { "write" } else { "read" };
        let once = if self.once { "on" } else { "off" };
        format!(
            "[inject-error]\nevent = \"{kind}_aio\"\niotype = \"{kind}\"\nsector = \"{}\"\n\
             errno = \"5\"\nonce = \"{once}\"\n",
            block * SECTORS
        )
    }

    /// What is wrong with the disk afterwards.
    fn left(&self, path: &Path) -> Result<Option<String>> {
        let image = Image::open(path)?;
        let verdict = image.check()?;
        if !verdict.clean {
            return Ok(Some(verdict.text));
        }
        let (name, byte) = match self.word {
            "write" => ("/data", 7),
            "read" => ("/data", b'd'),
            _ => ("/kept", 7),
        };
        let folder = tempfile::tempdir()?;
        let copy = folder.path().join("copy");
        image.get(name, &copy)?;
        let is_right = fs::read(&copy)? == [byte; PAGE];
        Ok((!is_right).then(|| format!("{name} is not what was written")))
    }
}
