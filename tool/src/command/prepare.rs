//! From the command line to a machine that can be started: QEMU is found, the
//! kernel and the programs are built, and the initial image is written.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use tempfile::TempDir;

use super::{iso, root_disk};
use crate::build::{self, Profile, Program, image};
use crate::cli::{Accel, Board, Boot, LogLevel, Machine, word};
use crate::disk;
use crate::guest::hardware::{Console, Disk, Engine, Hardware, Start};
use crate::guest::{Input, Outcome, Session, Sink, kvm};
use crate::setup::qemu;
use crate::status::{Failure, Status};
use crate::workspace::Workspace;

/// A machine that can be started.
pub struct Prepared {
    pub qemu: PathBuf,
    pub hardware: Hardware,
    /// The kernel's ELF file, with its symbols.
    pub kernel: PathBuf,
    /// Holds the image; goes away with this.
    pub folder: TempDir,
    /// A kernel that says nothing hangs.
    pub expect_words: bool,
}

impl Prepared {
    /// Runs it to its end, and keeps what it says.
    pub fn run(&self, limit: Duration) -> Result<Outcome> {
        Session {
            qemu: &self.qemu,
            hardware: &self.hardware,
            input: Input::Nothing,
            output: Sink::Keep,
            log: Sink::Keep,
            limit: Some(limit),
            expect_words: self.expect_words,
        }
        .run()
    }
}

/// Prepares `machine` to run `program`, or the shell if that is empty.
pub fn prepare(workspace: &Workspace, machine: &Machine, program: &[String]) -> Result<Prepared> {
    let board = board(machine)?;
    let disks = disks(&machine.disk)?;
    image::check(&machine.file, program)?;
    let qemu = qemu::qemu()?;
    let engine = engine(machine, &qemu)?;
    let (kernel, programs) = products(workspace, machine)?;
    let from_disk = root_disk::prepare(machine, &programs, program)?;
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let image = folder.path().join("initial-image");
    let archive = match from_disk {
        true => image::make_for_disk(program)?,
        false => image::make(&programs, &machine.file, program)?,
    };
    let mut file = BufWriter::new(File::create(&image).context("cannot write the image")?);
    archive
        .write(&mut file)
        .and_then(|()| file.flush())
        .context("cannot write the image")?;

    let mut command_line = command_line(machine);
    if from_disk {
        // What the user appends comes later and wins.
        command_line = format!("root=/dev/vda {command_line}");
    }
    let start = match machine.boot {
        Boot::Direct => Start::Direct {
            kernel: kernel.clone(),
            image: Some(image),
            command_line,
        },
        Boot::Bios | Boot::Uefi => {
            let disc = folder.path().join("weft.iso");
            iso::write(&kernel, &image, &command_line, &disc)?;
            let uefi = machine.boot == Boot::Uefi;
            Start::Disc {
                iso: disc,
                firmware: uefi.then(qemu::ovmf).transpose()?,
            }
        }
    };
    let hardware = Hardware {
        board,
        cpus: machine.cpus,
        memory: machine.memory,
        engine,
        cpu: machine.cpu.clone(),
        start,
        console: Console::Pipes,
        disks,
        gdb: None,
    };
    Ok(Prepared {
        qemu,
        hardware,
        kernel,
        folder,
        expect_words: expects_words(machine),
    })
}

/// Whether a kernel that says nothing hangs: its log begins with its first
/// steps, unless it is told to be quiet, or firmware comes first.
fn expects_words(machine: &Machine) -> bool {
    machine.boot == Boot::Direct && !matches!(machine.log, LogLevel::Error | LogLevel::Warn)
}

/// microvm has no firmware that starts from a CD.
fn board(machine: &Machine) -> Result<Board> {
    if machine.boot == Boot::Direct || machine.machine == Board::Q35 {
        return Ok(machine.machine);
    }
    Err(Failure::error(
        Status::Usage,
        format!("--boot {} needs --machine q35", word(&machine.boot)),
    ))
}

/// The images as disks, if QEMU will be able to open them; the first may be
/// made yet.
fn disks(images: &[PathBuf]) -> Result<Vec<Disk>> {
    let disk = |(number, image): (usize, &PathBuf)| {
        if number > 0 || image.exists() {
            disk::open(image)?;
        }
        // A name with a colon would be taken for a protocol unless it begins with a slash.
        let image = std::path::absolute(image).context("cannot tell the working folder")?;
        Ok(Disk {
            image,
            faults: None,
            log: None,
        })
    };
    images.iter().enumerate().map(disk).collect()
}

fn engine(machine: &Machine, qemu: &std::path::Path) -> Result<Engine> {
    Ok(match machine.accel {
        _ if machine.icount => Engine::Counted,
        Accel::Tcg => Engine::Tcg,
        Accel::Kvm => Engine::Kvm,
        Accel::Auto if kvm::works(qemu)? => Engine::Kvm,
        Accel::Auto => Engine::Tcg,
    })
}

/// The kernel, built or given, and the programs.
fn products(workspace: &Workspace, machine: &Machine) -> Result<(PathBuf, Vec<Program>)> {
    let Some(kernel) = &machine.kernel else {
        let profile = if machine.checked {
            Profile::Checked
        } else {
            Profile::Release
        };
        let products = build::all(workspace, profile)?;
        return Ok((products.kernel, products.programs));
    };
    // QEMU's own message for a file it cannot read is no help.
    fs::metadata(kernel).map_err(|error| {
        let message = format!("cannot read {}: {error}", kernel.display());
        Failure::error(Status::MissingFile, message)
    })?;
    Ok((kernel.clone(), build::programs(workspace)?))
}

/// The kernel's command line.
pub fn command_line(machine: &Machine) -> String {
    let mut line = format!(
        "policy={} log={}",
        word(&machine.policy),
        word(&machine.log)
    );
    for word in &machine.append {
        line.push(' ');
        line += word;
    }
    line
}
