//! Whether KVM is good for anything here. That `/dev/kvm` exists proves
//! nothing: on some hosts it opens, and then runs guests a thousand times
//! slower than software does. So a guest is run, and timed.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use super::stub;
use crate::process;

/// The trial takes 0.2 s with a KVM that works, QEMU's start included.
const LIMIT: Duration = Duration::from_millis(1500);

/// QEMU's exit status when the trial's code has come to its end.
const DONE: i32 = 33;

/// Runs a hundred million loops of a guest under KVM; true if they end in time.
pub fn works(qemu: &Path) -> Result<bool> {
    if !Path::new("/dev/kvm").exists() {
        return Ok(false);
    }
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let kernel = folder.path().join("trial");
    std::fs::write(&kernel, stub::elf(stub::LOOP)).context("cannot write the trial's kernel")?;
    let mut command = process::command(qemu);
    command
        .args("-nodefaults -no-user-config -display none -no-reboot".split(' '))
        .args("-M microvm -accel kvm -cpu max -m 32".split(' '))
        .args(["-device", "isa-debug-exit,iobase=0xf4,iosize=4", "-kernel"])
        .arg(&kernel);
    let run = process::run_limited(&mut command, LIMIT)?;
    Ok(run.is_some_and(|run| run.status.code() == Some(DONE)))
}
