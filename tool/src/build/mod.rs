//! Building what the guest runs: the kernel, the programs, and the initial image.
//!
//! Cargo builds the kernel and the programs at the same time, each in a target
//! folder of its own, since they differ in target and flags. Neither cargo is
//! started when no source has changed since its last success: see `stamp`.

pub mod archive;
mod cargo;
pub mod image;
mod judge;
mod kernel;
mod libraries;
mod programs;
mod stamp;
mod symbols;

use std::path::PathBuf;
use std::thread;

use anyhow::Result;

use crate::setup::Toolchain;
use crate::workspace::Workspace;

pub use judge::build as judge;
pub use programs::Program;

/// Which build of the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Optimised.
    Release,
    /// With its own checks: lock order, atomic context, overflow.
    Checked,
}

/// What a build makes.
pub struct Products {
    /// The kernel ELF.
    pub kernel: PathBuf,
    /// The user programs.
    pub programs: Vec<Program>,
}

/// Builds the kernel and the programs.
pub fn all(workspace: &Workspace, profile: Profile) -> Result<Products> {
    thread::scope(|scope| {
        let programs = scope.spawn(|| programs::build(workspace, &Toolchain::host()));
        let kernel = kernel::build(workspace, profile);
        let programs = programs
            .join()
            .unwrap_or_else(|_| Err(anyhow::anyhow!("building the programs panicked")));
        match (kernel, programs) {
            (Ok(kernel), Ok(programs)) => Ok(Products { kernel, programs }),
            (Err(kernel), Err(programs)) => Err(kernel.context(format!("{programs:#}\nand"))),
            (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error),
        }
    })
}

/// Builds the programs only, for a kernel that comes from elsewhere.
pub fn programs(workspace: &Workspace) -> Result<Vec<Program>> {
    programs::build(workspace, &Toolchain::host())
}
