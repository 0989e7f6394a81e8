//! `cargo weft crash`: proves that a crash of the machine loses nothing that
//! was synced. [`record`] runs the workload with all that its disk is asked to
//! do written down; [`judge`] starts the program (crate `crash`) that builds
//! what a crash may leave and checks it, and a sample is [`mounted`] in a
//! guest; [`cuts`] kills QEMU at random moments; [`faults`] lets the disk fail.

pub mod cuts;
pub mod faults;
pub mod judge;
pub mod mounted;
pub mod record;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::cli::{Crash, Machine};
use crate::status::{Failure, Status};
use crate::workspace::Workspace;

/// What is run, and how.
#[derive(Clone, Debug)]
pub struct Workload {
    pub seed: u64,
    pub threads: u32,
    pub operations: u32,
    /// Processes of `stressfs` beside its threads.
    pub stress: u32,
    pub machine: Machine,
}

impl Workload {
    pub fn new(arguments: &Crash) -> Workload {
        Workload {
            seed: arguments.seed,
            threads: arguments.threads,
            operations: arguments.operations,
            stress: match arguments.cuts {
                Some(_) => arguments.stress,
                None => 0,
            },
            machine: arguments.machine.clone(),
        }
    }
}

/// The folder with what was recorded last, and images that must not be.
pub fn folder(workspace: &Workspace) -> Result<PathBuf> {
    let folder = workspace.state().join("crash");
    fs::create_dir_all(&folder).context("cannot make the folder of crashes")?;
    Ok(folder)
}

pub fn run(workspace: &Workspace, arguments: &Crash) -> Result<u8> {
    let workload = Workload::new(arguments);
    let folder = folder(workspace)?;
    if let Some(count) = arguments.cuts {
        return cut(workspace, &workload, count, &folder);
    }
    if !arguments.recorded {
        record::record(workspace, &workload, &folder)?;
    } else if !record::log(&folder).is_file() {
        let message = "nothing was recorded yet: leave out --recorded";
        return Err(Failure::error(Status::MissingFile, message));
    }
    let mut words = Vec::new();
    match (arguments.state, arguments.all) {
        (Some(state), _) => words.push(format!("--state={state}")),
        (None, true) => {}
        (None, false) => words.push(format!("--states={}", arguments.states)),
    }
    words.extend(
        arguments
            .fault
            .iter()
            .map(|fault| format!("--break={fault}")),
    );
    let mut command = judge::explore(workspace, &workload, &folder, &words)?;
    let status = command.status().context("cannot start the judge")?;
    if !status.success() {
        return Ok(Status::TestsFailed as u8);
    }
    // A fault has done its work, and one state is looked at by itself.
    if arguments.mount == 0 || arguments.state.is_some() || arguments.fault.is_some() {
        return Ok(0);
    }
    let verdict = mounted::mount(workspace, &workload, arguments.mount, &folder)?;
    print!("{}", verdict.text);
    Ok(match verdict.whole {
        true => 0,
        false => Status::TestsFailed as u8,
    })
}

fn cut(workspace: &Workspace, workload: &Workload, count: u32, folder: &Path) -> Result<u8> {
    let cuts = cuts::cut(workspace, workload, count, folder)?;
    for failure in &cuts.failures {
        println!("{failure}");
    }
    println!(
        "{} cuts, {} of them amid the work: {} lost something",
        cuts.count,
        cuts.amid,
        cuts.failures.len()
    );
    Ok(match cuts.failures.is_empty() {
        true => 0,
        false => Status::TestsFailed as u8,
    })
}
