//! QEMU, and the firmware and tools that only some commands need.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::packages::{Packages, find_or_install};
use crate::status::{Failure, Status};

const QEMU: Packages = Packages {
    what: "QEMU",
    apt: &["qemu-system-x86"],
    dnf: &["qemu-system-x86"],
    pacman: &["qemu-system-x86"],
    brew: &["qemu"],
};

const GRUB: Packages = Packages {
    what: "GRUB's image maker",
    apt: &[
        "grub-common",
        "grub-pc-bin",
        "grub-efi-amd64-bin",
        "xorriso",
        "mtools",
    ],
    dnf: &[
        "grub2-tools-extra",
        "grub2-pc-modules",
        "grub2-efi-x64-modules",
        "xorriso",
        "mtools",
    ],
    pacman: &["grub", "libisoburn", "mtools"],
    brew: &[],
};

const OVMF: Packages = Packages {
    what: "UEFI firmware for QEMU",
    apt: &["ovmf"],
    dnf: &["edk2-ovmf"],
    pacman: &["edk2-ovmf"],
    brew: &[],
};

const GDB: Packages = Packages {
    what: "gdb",
    apt: &["gdb"],
    dnf: &["gdb"],
    pacman: &["gdb"],
    brew: &["gdb"],
};

/// QEMU for x86-64: the one WEFT_QEMU names, or else the one in PATH.
pub fn qemu() -> Result<PathBuf> {
    match env::var_os("WEFT_QEMU").map(PathBuf::from) {
        Some(path) if path.is_file() => Ok(path),
        Some(path) => Err(Failure::error(
            Status::Setup,
            format!("WEFT_QEMU names {}, which does not exist", path.display()),
        )),
        None => find_or_install("qemu-system-x86_64", &QEMU),
    }
}

pub fn gdb() -> Result<PathBuf> {
    find_or_install("gdb", &GDB)
}

/// grub-mkrescue with the parts for both kinds of firmware.
pub fn grub_mkrescue() -> Result<PathBuf> {
    let complete = Path::new("/usr/lib/grub/i386-pc").is_dir()
        && Path::new("/usr/lib/grub/x86_64-efi").is_dir()
        && ["xorriso", "mformat"]
            .iter()
            .all(|name| crate::process::find(name).is_some());
    if !complete {
        GRUB.install()?;
    }
    // Fedora's name for it differs.
    match crate::process::find("grub2-mkrescue") {
        Some(path) => Ok(path),
        None => find_or_install("grub-mkrescue", &GRUB),
    }
}

/// UEFI firmware as one file for `-bios`.
pub fn ovmf() -> Result<PathBuf> {
    let places = [
        "/usr/share/ovmf/OVMF.fd",
        "/usr/share/edk2/ovmf/OVMF.inteltdx.fd",
        "/usr/share/edk2/x64/OVMF.4m.fd",
    ];
    let find = || places.iter().map(PathBuf::from).find(|file| file.is_file());
    if let Some(file) = find() {
        return Ok(file);
    }
    OVMF.install()?;
    find().ok_or_else(|| OVMF.missing("its file OVMF.fd was not found after installing"))
}
