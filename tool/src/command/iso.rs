//! `cargo weft iso`: a CD image that boots the kernel by GRUB (multiboot2), on
//! machines with BIOS and with UEFI.

use std::fs::{self, File};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::build::{self, Profile, image};
use crate::cli::{Iso, word};
use crate::process;
use crate::progress::Step;
use crate::setup::qemu;
use crate::status::{Failure, Status};
use crate::workspace::Workspace;

/// How long making the image may take.
const LIMIT: Duration = Duration::from_secs(120);

pub fn run(workspace: &Workspace, arguments: &Iso) -> Result<u8> {
    let products = build::all(workspace, Profile::Release)?;
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let image = folder.path().join("initial-image");
    let archive = image::make(&products.programs, &[], &[])?;
    let file = File::create(&image).context("cannot write the image")?;
    archive
        .write(std::io::BufWriter::new(file))
        .context("cannot write the image")?;
    let command_line = format!("policy={} log=info", word(&arguments.policy));
    write(&products.kernel, &image, &command_line, &arguments.output)?;
    println!("{}", arguments.output.display());
    Ok(0)
}

/// Writes a CD image with this kernel and initial image.
pub fn write(kernel: &Path, image: &Path, command_line: &str, iso: &Path) -> Result<()> {
    let mkrescue = qemu::grub_mkrescue()?;
    let tree = tempfile::tempdir().context("cannot make a temporary folder")?;
    let boot = tree.path().join("boot");
    let copy = || -> std::io::Result<()> {
        fs::create_dir_all(boot.join("grub"))?;
        fs::copy(kernel, boot.join("weft-kernel"))?;
        fs::copy(image, boot.join("initial-image"))?;
        fs::write(boot.join("grub/grub.cfg"), menu(command_line))
    };
    copy().context("cannot lay out the CD image")?;
    let _step = Step::begin("making the CD image");
    let mut command = process::command(mkrescue);
    command.arg("-o").arg(iso).arg(tree.path());
    match process::run_limited(&mut command, LIMIT)? {
        Some(output) if output.status.success() => Ok(()),
        Some(output) => Err(Failure::error(
            Status::Build,
            format!("grub-mkrescue failed:\n{}", output.text().trim_end()),
        )),
        None => Err(Failure::error(Status::Build, "grub-mkrescue did not end")),
    }
}

/// GRUB's menu: one entry, started at once.
fn menu(command_line: &str) -> String {
    format!(
        "set timeout=0\n\
         menuentry \"Weft\" {{\n\
         \tmultiboot2 /boot/weft-kernel {command_line}\n\
         \tmodule2 /boot/initial-image\n\
         }}\n"
    )
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_menu_hands_the_command_line_over() {
        let menu = super::menu("policy=rr log=info");
        assert!(menu.contains("multiboot2 /boot/weft-kernel policy=rr log=info\n"));
    }
}
