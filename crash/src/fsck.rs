//! e2fsck, the judge of the format.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Brings home what the journal holds. Its status tells of that, or of what the
/// check that follows finds too.
pub fn replay(image: &Path) -> Result<()> {
    run(&["-y", "-E", "journal_only"], image).map(drop)
}

/// Fails unless e2fsck finds nothing to complain of.
pub fn check(image: &Path) -> Result<()> {
    match run(&["-fn"], image)? {
        (Some(0), _) => Ok(()),
        (_, text) => bail!("e2fsck finds fault with it: {}", text.trim()),
    }
}

fn run(options: &[&str], image: &Path) -> Result<(Option<i32>, String)> {
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new("e2fsck")
        .args(options)
        .arg(image)
        .env("PATH", format!("{path}:/usr/sbin:/sbin"))
        .stdin(Stdio::null())
        .output()
        .context("cannot run e2fsck")?;
    let text = [output.stdout, output.stderr].concat();
    Ok((
        output.status.code(),
        String::from_utf8_lossy(&text).into_owned(),
    ))
}
