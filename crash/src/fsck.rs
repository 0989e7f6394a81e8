//! e2fsck, the judge of the format.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

/// Where the superblock says whether there may be something in the journal.
const FEATURES: u64 = 1024 + 0x60;
const NEEDS_RECOVERY: u8 = 4;

/// Fails if Linux would throw away what is in the journal, which it does
/// unless the superblock says that there is something.
pub fn check_flag(image: &Path) -> Result<()> {
    let mut features = [0];
    File::open(image)
        .and_then(|file| file.read_exact_at(&mut features, FEATURES))
        .context("cannot read the superblock")?;
    if features[0] & NEEDS_RECOVERY != 0 {
        return Ok(());
    }
    let bare = image.with_extension("bare");
    fs::copy(image, &bare).context("cannot copy an image")?;
    let (status, text) = run("tune2fs", &["-f", "-O", "^has_journal"], &bare)?;
    ensure!(status == Some(0), "without its journal: {}", text.trim());
    check(&bare).context("without its journal, which the superblock says to be empty")?;
    fs::remove_file(&bare).context("cannot remove an image")
}

/// Brings home what the journal holds. Its status tells of that, or of what the
/// check that follows finds too.
pub fn replay(image: &Path) -> Result<()> {
    run("e2fsck", &["-y", "-E", "journal_only"], image).map(drop)
}

/// Fails unless e2fsck finds nothing to complain of.
pub fn check(image: &Path) -> Result<()> {
    match run("e2fsck", &["-fn"], image)? {
        (Some(0), _) => Ok(()),
        (_, text) => bail!("e2fsck finds fault with it: {}", text.trim()),
    }
}

fn run(tool: &str, options: &[&str], image: &Path) -> Result<(Option<i32>, String)> {
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new(tool)
        .args(options)
        .arg(image)
        .env("PATH", format!("{path}:/usr/sbin:/sbin"))
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run {tool}"))?;
    let text = [output.stdout, output.stderr].concat();
    Ok((
        output.status.code(),
        String::from_utf8_lossy(&text).into_owned(),
    ))
}
