//! `cargo weft conform`: runs the same programs on Weft and on Linux, both in
//! QEMU, and tells where they end differently.
//!
//! `program` finds and compiles them, `linux` gets the kernel of the other side,
//! `system` boots either and runs a batch, `result` reads what it says, and
//! `differences` knows those that are meant.

mod differences;
mod linux;
mod program;
mod result;
mod system;

use anyhow::Result;

use crate::cli::Conform;
use crate::workspace::Workspace;
use differences::Differences;
use program::Program;
use result::Results;
use system::System;

/// Programs of one boot: what hangs, or brings the machine down, costs no more.
const BATCH: usize = 50;

/// What both systems made of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Same,
    Differs,
    /// It differs, and is known to.
    Known,
    /// It is known to differ and does not.
    Unknown,
}

/// 0 if all programs that are not known to differ end as on Linux.
pub fn run(workspace: &Workspace, arguments: &Conform) -> Result<u8> {
    let folder = tempfile::tempdir()?;
    let programs = program::collect(workspace, arguments, folder.path())?;
    let differences = Differences::read(workspace)?;
    let runner = system::compile_runner(workspace, folder.path())?;
    let weft = System::weft(workspace, arguments, &runner, folder.path());
    let linux = System::linux(workspace, arguments, &runner, folder.path())?;
    let mut counts = [0; 4];
    for batch in programs.chunks(BATCH) {
        let results = [
            weft.run(batch, arguments.limit)?,
            linux.run(batch, arguments.limit)?,
        ];
        for program in batch {
            let verdict = tell(program, &results, &differences, arguments.output);
            counts[verdict as usize] += 1;
        }
    }
    let [same, differ, known, unknown] = counts;
    println!("{same} the same, {differ} differ, {known} differ as they are known to");
    if unknown > 0 {
        println!(
            "{unknown} are in the list of known differences and do not differ: take them off {}",
            differences::FILE
        );
    }
    Ok(u8::from(differ + unknown > 0))
}

/// Prints a program's line, and what it said if it differs.
fn tell(program: &Program, results: &[Results; 2], known: &Differences, output: bool) -> Verdict {
    let [weft, linux] = results.each_ref().map(|results| results.of(&program.name));
    let same = weft.how == linux.how && (!output || weft.said == linux.said);
    let reason = known.reason(&program.name);
    let verdict = match (same, reason) {
        (true, None) => Verdict::Same,
        (false, None) => Verdict::Differs,
        (false, Some(_)) => Verdict::Known,
        (true, Some(_)) => Verdict::Unknown,
    };
    let mark = match verdict {
        Verdict::Same => "same   ",
        Verdict::Differs => "DIFFERS",
        Verdict::Known => "known  ",
        Verdict::Unknown => "NO MORE",
    };
    let (name, why) = (&program.name, reason.unwrap_or_default());
    println!(
        "{mark} {name}: Weft {}, Linux {} {why}",
        weft.how, linux.how
    );
    if verdict == Verdict::Differs {
        for (system, end) in [("Weft", weft), ("Linux", linux)] {
            for line in end.said.iter().take(20) {
                println!("        {system}: {line}");
            }
        }
    }
    verdict
}
