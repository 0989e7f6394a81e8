//! The programs of e2fsprogs, which make and check ext4 file systems.

use std::path::PathBuf;

use anyhow::Result;

use super::packages::{Packages, find_or_install};

const E2FSPROGS: Packages = Packages {
    what: "e2fsprogs, which makes and checks disk images,",
    apt: &["e2fsprogs"],
    dnf: &["e2fsprogs"],
    pacman: &["e2fsprogs"],
    brew: &["e2fsprogs"],
};

/// Makes file systems.
pub fn mkfs() -> Result<PathBuf> {
    find_or_install("mkfs.ext4", &E2FSPROGS)
}

/// Checks file systems.
pub fn e2fsck() -> Result<PathBuf> {
    find_or_install("e2fsck", &E2FSPROGS)
}

/// Reads and changes file systems that are not mounted.
pub fn debugfs() -> Result<PathBuf> {
    find_or_install("debugfs", &E2FSPROGS)
}
