//! `cargo weft setup`: what every other command does first, alone.

use anyhow::Result;

use crate::setup::{Toolchain, qemu};

pub fn run() -> Result<u8> {
    let qemu = qemu::qemu()?;
    println!("QEMU       {}", qemu.display());
    let toolchain = Toolchain::kernel()?;
    println!(
        "toolchain  {} ({})",
        toolchain.cargo.display(),
        toolchain.way
    );
    Ok(0)
}
