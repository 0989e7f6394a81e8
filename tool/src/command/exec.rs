//! `cargo weft exec`: boots, runs one program, and exits with its status.

use std::time::Duration;

use anyhow::Result;

use super::prepare::prepare;
use crate::cli::{Exec, Machine};
use crate::guest::{Input, Session, Sink, input, session};
use crate::workspace::Workspace;

pub fn run(workspace: &Workspace, arguments: &Exec) -> Result<u8> {
    run_program(
        workspace,
        &arguments.machine,
        &arguments.program,
        arguments.timeout,
    )
}

/// Boots and runs one program; its status, or an error of the machine's.
pub fn run_program(
    workspace: &Workspace,
    machine: &Machine,
    program: &[String],
    limit: Option<Duration>,
) -> Result<u8> {
    let mut machine = machine.clone();
    machine.append.push(input::PACED.to_owned());
    let prepared = prepare(workspace, &machine, program)?;
    let outcome = Session {
        qemu: &prepared.qemu,
        hardware: &prepared.hardware,
        input: if session::input_readable() {
            Input::Forward
        } else {
            Input::Nothing
        },
        output: Sink::Through,
        log: Sink::Through,
        limit,
        expect_words: prepared.expect_words,
    }
    .run()?;
    outcome.ending.status(&outcome.last)
}
