//! The host command behind `cargo weft`: sets up what Weft needs on this
//! machine, builds it, runs it in QEMU, and tests it.
//!
//! `cli` is the command line, `command` has one file per subcommand, `setup`
//! finds or installs, `build` makes what the guest runs, `disk` its disk images,
//! `guest` runs it, and `status` says what the exit status means.

#![forbid(unsafe_code)]

mod build;
mod cli;
mod command;
mod disk;
mod guest;
mod process;
mod progress;
mod setup;
mod status;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use clap::error::ErrorKind;

use cli::{Cli, Command};
use status::Status;
use workspace::Workspace;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Nothing can be said if even this cannot be printed.
            error.print().ok();
            return match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ExitCode::SUCCESS,
                _ => ExitCode::from(Status::Usage as u8),
            };
        }
    };
    match run(&cli.command) {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            eprintln!("weft: {error:#}");
            ExitCode::from(status::of(&error))
        }
    }
}

fn run(command: &Command) -> Result<u8> {
    let workspace = Workspace::find();
    match command {
        Command::Run(arguments) => command::run::run(&workspace, arguments),
        Command::Exec(arguments) => command::exec::run(&workspace, arguments),
        Command::Test(arguments) => command::test::run(&workspace, arguments),
        Command::Crash(arguments) => command::crash::run(&workspace, arguments),
        Command::Conform(arguments) => command::conform::run(&workspace, arguments),
        Command::Bench(arguments) => command::bench::run(&workspace, arguments),
        Command::Gdb(arguments) => command::gdb::run(&workspace, arguments),
        Command::Iso(arguments) => command::iso::run(&workspace, arguments),
        Command::Disk(arguments) => command::disk::run(&workspace, arguments),
        Command::Cc(arguments) => command::cc::run(&workspace, arguments),
        Command::Build(arguments) => command::build::run(&workspace, arguments),
        Command::Check => command::check::run(&workspace),
        Command::Setup => command::setup::run(),
    }
}
