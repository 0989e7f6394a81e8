//! The judge of crashed disks: a program of the host's own.

use std::path::PathBuf;

use anyhow::{Context, Result};

use super::cargo;
use crate::progress::Step;
use crate::setup::Toolchain;
use crate::workspace::Workspace;

/// Builds it; cargo knows whether it is up to date.
pub fn build(workspace: &Workspace) -> Result<PathBuf> {
    let step = Step::begin("building the judge of crashed disks");
    let mut command = Toolchain::host().cargo();
    command
        .args(["build", "--profile", "crash", "--package", "crash"])
        .args(["--bin", "crash", "--target-dir"])
        .arg(&workspace.target)
        .current_dir(&workspace.root);
    let artifacts = cargo::build(command, &step).context("the judge of crashed disks")?;
    let judge = artifacts.into_iter().next();
    Ok(judge.context("cargo has built no judge")?.executable)
}
