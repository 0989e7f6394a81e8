//! `cargo weft gdb`: QEMU stopped at its first instruction, and gdb attached to
//! it with the kernel's symbols.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::prepare::{Prepared, prepare};
use crate::cli::Gdb;
use crate::guest::hardware::Console;
use crate::guest::session;
use crate::setup::qemu;
use crate::workspace::Workspace;

/// How long QEMU may take until it listens.
const START: Duration = Duration::from_secs(10);

/// What gdb is told first. Until the kernel has set up paging its code is not
/// in memory, so that only breakpoints of the hardware hold.
const GREETING: &str = "\
set confirm off
set pagination off
set print thread-events off
";

const HELP: &str = "\
echo \\n\
The machine is stopped at its first instruction. Each CPU is a thread.\\n\
\\040 thbreak kernel::start::start   stop where the kernel proper begins\\n\
\\040 continue                       run; Ctrl-C stops it\\n\
\\040 info threads                   the CPUs\\n\
\\040 bt                             the call chain of the chosen CPU\\n\
\\040 quit                           end the machine and gdb\\n\\n
";

pub fn run(workspace: &Workspace, arguments: &Gdb) -> Result<u8> {
    let gdb = qemu::gdb()?;
    let mut machine = arguments.machine.clone();
    // Its own checks catch a bug nearer to its cause, and only this build has all variables.
    machine.checked = !arguments.optimised && machine.kernel.is_none();
    let mut prepared = prepare(workspace, &machine, &arguments.program)?;
    let socket = prepared.folder.path().join("gdb");
    prepared.hardware.gdb = Some(socket.clone());
    if arguments.program.is_empty() {
        // The shell needs a keyboard, and gdb has this one.
        prepared.hardware.console = Console::PseudoTerminal;
    }
    // Ctrl-C is gdb's: it stops the machine, and must not end this tool.
    let interrupted = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGINT, interrupted)
        .context("cannot handle signals")?;
    let mut machine = start(&prepared)?;
    let result = wait_for(&socket, &mut machine).and_then(|()| {
        let script = prepared.folder.path().join("commands");
        fs::write(&script, commands(workspace, &socket, arguments))
            .context("cannot write gdb's commands")?;
        debug(&gdb, &prepared.kernel, &script, arguments.batch)
    });
    machine.kill().ok();
    machine.wait().context("cannot wait for QEMU")?;
    result
}

/// Starts QEMU. What the guest and the kernel log say goes to the terminal.
fn start(prepared: &Prepared) -> Result<Child> {
    let mut command = session::tied(&prepared.qemu);
    command
        .args(prepared.hardware.arguments())
        .stdin(Stdio::null())
        .process_group(0)
        .spawn()
        .with_context(|| format!("cannot start {}", prepared.qemu.display()))
}

/// Waits until QEMU listens for gdb.
fn wait_for(socket: &Path, machine: &mut Child) -> Result<()> {
    let deadline = Instant::now() + START;
    while !socket.exists() {
        if let Some(status) = machine.try_wait()? {
            bail!("QEMU ended at once: {status}");
        }
        if Instant::now() > deadline {
            bail!("QEMU does not listen for gdb");
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Runs gdb to its end; its exit status.
fn debug(gdb: &Path, kernel: &Path, script: &Path, batch: bool) -> Result<u8> {
    let status = Command::new(gdb)
        .args(["-q", "-nx"])
        .args(batch.then_some("-batch"))
        .arg("-x")
        .arg(script)
        .arg(kernel)
        .status()
        .with_context(|| format!("cannot start {}", gdb.display()))?;
    Ok(status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .unwrap_or(1))
}

/// The script that gdb begins with.
fn commands(workspace: &Workspace, socket: &Path, arguments: &Gdb) -> String {
    let mut script = GREETING.to_owned();
    script += &format!("directory {}\n", workspace.root.display());
    script += &format!("target remote {}\n", socket.display());
    if arguments.command.is_empty() {
        script += HELP;
    }
    for command in &arguments.command {
        script += command;
        script.push('\n');
    }
    script
}
