//! The kernel of Debian's package `linux-image-amd64`, which is fetched but not
//! installed: this machine's own boot is not touched.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::process;
use crate::progress::Step;
use crate::status::{Failure, Status};
use crate::workspace::Workspace;

/// Debian's name for the newest kernel.
const PACKAGE: &str = "linux-image-amd64";

const LIMIT: Duration = Duration::from_secs(600);

/// The kernel's file, fetched on the first call.
pub fn kernel(workspace: &Workspace) -> Result<PathBuf> {
    let folder = workspace.state().join("linux");
    let kernel = folder.join("vmlinuz");
    if kernel.is_file() {
        return Ok(kernel);
    }
    let _step = Step::begin("fetching the kernel of Debian's Linux");
    fs::create_dir_all(&folder).context("cannot make a folder")?;
    let told = run("apt-cache", &["depends", PACKAGE], &folder)?;
    let version = read_version(&told).ok_or_else(|| missing("apt-cache does not know it"))?;
    run("apt-get", &["-q", "download", version], &folder)?;
    let package = file_of(&folder, "linux-image", ".deb")?;
    let package = package.to_string_lossy().into_owned();
    run("dpkg-deb", &["-x", &package, "unpacked"], &folder)?;
    let unpacked = file_of(&folder.join("unpacked/boot"), "vmlinuz", "")?;
    fs::rename(unpacked, &kernel).context("cannot keep the kernel")?;
    // Its modules are large, and not needed.
    fs::remove_dir_all(folder.join("unpacked")).ok();
    fs::remove_file(package).ok();
    Ok(kernel)
}

fn run(program: &str, words: &[&str], folder: &Path) -> Result<String> {
    let mut command = process::command(program);
    command.args(words).current_dir(folder);
    let output = process::run_limited(&mut command, LIMIT)
        .ok()
        .flatten()
        .ok_or_else(|| missing(&format!("{program} could not be run")))?;
    match output.status.success() {
        true => Ok(output.text()),
        false => Err(missing(&format!("{program} says: {}", output.text()))),
    }
}

/// The package that the newest kernel is in.
fn read_version(told: &str) -> Option<&str> {
    let mut lines = told.lines().map(str::trim);
    lines.find_map(|line| {
        line.strip_prefix("Depends: ")
            .filter(|name| name.starts_with("linux-image-"))
    })
}

fn file_of(folder: &Path, begin: &str, end: &str) -> Result<PathBuf> {
    let entries = fs::read_dir(folder).context("cannot read a folder")?;
    let mut names = entries.flatten().map(|entry| entry.path());
    let fits = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(begin) && name.ends_with(end)
    };
    names
        .find(fits)
        .ok_or_else(|| missing("its package has another form"))
}

fn missing(why: &str) -> anyhow::Error {
    let message = format!(
        "a Linux kernel to compare with is needed, and {why}. \
         On Debian it is fetched; elsewhere name one with --linux FILE."
    );
    Failure::error(Status::Setup, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_kernel_is_found() {
        let told = "linux-image-amd64\n  Depends: linux-image-6.1.0-48-amd64\n  Recommends: x\n";
        assert_eq!(read_version(told), Some("linux-image-6.1.0-48-amd64"));
        assert_eq!(read_version("linux-image-amd64\n"), None);
    }
}
