//! `cargo weft run`: boots, and hands the console over.

use std::io::{IsTerminal, stdin, stdout};

use anyhow::Result;

use super::exec;
use super::prepare::prepare;
use crate::cli::Run;
use crate::guest::ending::Stopped;
use crate::guest::{Ending, Input, Session, Sink};
use crate::workspace::Workspace;

/// Boots to a shell. Without a terminal the shell reads the standard input to
/// its end, and Weft ends with it.
pub fn run(workspace: &Workspace, arguments: &Run) -> Result<u8> {
    if !stdin().is_terminal() {
        return exec::run_program(workspace, &arguments.machine, &["sh".to_owned()], None);
    }
    let prepared = prepare(workspace, &arguments.machine, &[])?;
    if stdout().is_terminal() {
        eprintln!("Weft starts. Ctrl-A X or `poweroff` leaves; Ctrl-A H lists the other keys.");
    }
    let outcome = Session {
        qemu: &prepared.qemu,
        hardware: &prepared.hardware,
        input: Input::Terminal,
        output: Sink::Through,
        log: Sink::Through,
        limit: None,
        expect_words: prepared.expect_words,
    }
    .run()?;
    if outcome.ending == Ending::Stopped(Stopped::ByUser) {
        // The guest's cursor may stand anywhere in a line.
        eprintln!();
    }
    outcome.ending.status(&outcome.last)
}
