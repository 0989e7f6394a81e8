//! The kernel ELF.

use std::path::PathBuf;

use anyhow::{Context, Result};

use super::stamp::Stamp;
use super::{Profile, cargo, symbols};
use crate::progress::Step;
use crate::setup::Toolchain;
use crate::setup::toolchain::KERNEL_TARGET;
use crate::workspace::Workspace;

/// What the kernel is made of.
const FOLDERS: &[&str] = &["abi", "sync", "machine", "kernel"];

/// Builds the kernel, unless it is up to date, and returns its ELF file.
pub fn build(workspace: &Workspace, profile: Profile) -> Result<PathBuf> {
    let toolchain = Toolchain::kernel()?;
    let (name, folder, flags): (_, _, &[&str]) = match profile {
        Profile::Release => ("kernel", "release", &["--release"]),
        Profile::Checked => ("kernel-checked", "debug", &[]),
    };
    // Debian's rustc is another compiler: its objects do not mix with those of rustup's.
    let target = workspace.target.join(match toolchain.way {
        "debian" => "kernel-debian",
        _ => "kernel",
    });
    let elf = target.join(KERNEL_TARGET).join(folder).join("weft-kernel");
    let stamp = Stamp::take(workspace, name, FOLDERS, &format!("{toolchain:?} {elf:?}"))?;
    if stamp.unchanged().is_some() && elf.is_file() {
        return Ok(elf);
    }
    let step = Step::begin("building the kernel");
    let mut command = toolchain.kernel_cargo("build");
    command
        .args([
            "--package",
            "kernel",
            "--bin",
            "weft-kernel",
            "--target-dir",
        ])
        .arg(&target)
        .args(flags)
        .current_dir(&workspace.root);
    cargo::build(command, &step).context("the kernel")?;
    symbols::embed(&elf)?;
    stamp.record("")?;
    Ok(elf)
}
