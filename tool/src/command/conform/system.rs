//! One of the two systems: boots it as often as a batch of programs needs.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};

use super::program::{self, Program};
use super::result::Results;
use crate::build::image;
use crate::cli::{Board, Conform, FileArgument, Machine};
use crate::command::prepare::prepare;
use crate::guest::hardware::{Console, Engine, Hardware, Start};
use crate::guest::{Input, Outcome, Session, Sink};
use crate::progress::Step;
use crate::setup::qemu;
use crate::workspace::Workspace;

/// The runner's source, and its place in the guest.
const SOURCE: &str = "user/tests/conform/runner.c";
const RUNNER: &str = "/conform/runner";
const LIST: &str = "/conform/list";

/// A boot, and what the programs of a batch take together if all is well.
const BOOT: Duration = Duration::from_secs(120);
const USUAL: Duration = Duration::from_secs(20);

/// In MiB: the programs lie in memory too.
const MEMORY: u32 = 1024;

pub struct System<'a> {
    workspace: &'a Workspace,
    name: &'static str,
    machine: Machine,
    /// The other kernel, if this is not Weft.
    linux: Option<PathBuf>,
    runner: &'a Path,
    folder: &'a Path,
}

/// Compiles the runner, into `folder`.
pub fn compile_runner(workspace: &Workspace, folder: &Path) -> Result<PathBuf> {
    program::compile(&workspace.root.join(SOURCE), folder.join(".runner"))
}

impl<'a> System<'a> {
    pub fn weft(
        workspace: &'a Workspace,
        arguments: &Conform,
        runner: &'a Path,
        folder: &'a Path,
    ) -> System<'a> {
        let mut machine = arguments.machine.clone();
        machine.memory = machine.memory.max(MEMORY);
        System {
            workspace,
            name: "Weft",
            machine,
            linux: None,
            runner,
            folder,
        }
    }

    pub fn linux(
        workspace: &'a Workspace,
        arguments: &Conform,
        runner: &'a Path,
        folder: &'a Path,
    ) -> Result<System<'a>> {
        let kernel = match &arguments.linux {
            Some(file) => file.clone(),
            None => super::linux::kernel(workspace)?,
        };
        Ok(System {
            name: "Linux",
            linux: Some(kernel),
            ..System::weft(workspace, arguments, runner, folder)
        })
    }

    /// Runs programs, each for `limit` seconds at most. What comes behind one that
    /// brings the machine down is run by another boot.
    pub fn run(&self, programs: &[Program], limit: u32) -> Result<Results> {
        let mut all = Results::default();
        loop {
            let left: Vec<&Program> = programs
                .iter()
                .filter(|program| !all.has(&program.name))
                .collect();
            if left.is_empty() {
                return Ok(all);
            }
            let outcome = self.boot(&left, limit)?;
            let results = Results::read(&String::from_utf8_lossy(&outcome.output));
            let last = left.iter().rev().find(|program| results.has(&program.name));
            let Some(last) = last else {
                let log = String::from_utf8_lossy(&outcome.log);
                anyhow::bail!("{} runs none of the programs: {log}", self.name);
            };
            let done = results.done;
            all.add(results);
            if !done {
                all.note(&last.name, format!("{:?}", outcome.ending));
                for line in &outcome.last {
                    all.note(&last.name, line.clone());
                }
            }
        }
    }

    fn boot(&self, programs: &[&Program], limit: u32) -> Result<Outcome> {
        let _step = Step::begin(format!("{} programs on {}", programs.len(), self.name));
        let list = self.folder.join(".list");
        let line = |program: &&Program| {
            let name = &program.name;
            format!("{name}\t{limit}\t/conform/programs/{name}\n")
        };
        fs::write(&list, programs.iter().map(line).collect::<String>())
            .context("cannot write the list")?;
        let mut files = vec![
            file(self.runner, RUNNER.to_owned()),
            file(&list, LIST.to_owned()),
        ];
        for program in programs {
            let guest = format!("/conform/programs/{}", program.name);
            files.push(file(&program.file, guest));
        }
        let most = BOOT + (programs.len() as u32) * USUAL + Duration::from_secs(limit.into());
        match &self.linux {
            None => {
                let mut machine = self.machine.clone();
                machine.file.extend(files);
                let command = [RUNNER, LIST].map(str::to_owned);
                prepare(self.workspace, &machine, &command)?.run(most)
            }
            Some(kernel) => self.boot_linux(kernel, files, most),
        }
    }

    fn boot_linux(
        &self,
        kernel: &Path,
        mut files: Vec<FileArgument>,
        most: Duration,
    ) -> Result<Outcome> {
        files.push(file(self.runner, "/init".to_owned()));
        let mut archive = image::tree(&[], &files)?;
        for folder in ["/dev", "/proc", "/sys", "/tmp", "/etc"] {
            archive.folder(folder);
        }
        archive.add_new(image::needed(&files, &[])?);
        let image = self.folder.join(".initramfs");
        let mut out = BufWriter::new(File::create(&image).context("cannot write the image")?);
        archive
            .write(&mut out)
            .and_then(|()| out.flush())
            .context("cannot write the image")?;
        let hardware = Hardware {
            board: Board::Q35,
            cpus: self.machine.cpus,
            memory: self.machine.memory,
            engine: Engine::Tcg,
            cpu: self.machine.cpu.clone(),
            start: Start::Direct {
                kernel: kernel.to_owned(),
                image: Some(image),
                command_line: "console=ttyS0 quiet loglevel=1 panic=-1".to_owned(),
            },
            console: Console::Pipes,
            disks: Vec::new(),
            gdb: None,
        };
        Session {
            qemu: &qemu::qemu()?,
            hardware: &hardware,
            input: Input::Nothing,
            output: Sink::Keep,
            log: Sink::Keep,
            limit: Some(most),
            expect_words: false,
        }
        .run()
    }
}

fn file(host: &Path, guest: String) -> FileArgument {
    let host = host.to_owned();
    FileArgument { host, guest }
}
