//! BusyBox, linked statically: a bigger program of others that tests run.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::packages::Packages;
use crate::process;

const BUSYBOX: Packages = Packages {
    what: "BusyBox, linked statically,",
    apt: &["busybox-static"],
    dnf: &["busybox"],
    pacman: &["busybox"],
    brew: &[],
};

/// Finds or installs it.
pub fn busybox() -> Result<PathBuf> {
    let find = || process::find("busybox").filter(|file| is_static(file));
    if let Some(file) = find() {
        return Ok(file);
    }
    BUSYBOX.install()?;
    find().ok_or_else(|| BUSYBOX.missing("the one in PATH is linked dynamically"))
}

/// Whether a program names no interpreter in its ELF headers.
fn is_static(file: &Path) -> bool {
    let bytes = std::fs::read(file).unwrap_or_default();
    let elf = elf::ElfBytes::<elf::endian::AnyEndian>::minimal_parse(&bytes);
    let segments = elf.ok().and_then(|elf| elf.segments());
    segments.is_some_and(|segments| {
        let mut kinds = segments.iter().map(|segment| segment.p_type);
        kinds.all(|kind| kind != elf::abi::PT_INTERP)
    })
}
