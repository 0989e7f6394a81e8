//! `cargo weft build`: builds the kernel and the programs, and says where they are.

use anyhow::Result;

use crate::build::{self, Profile};
use crate::cli::Build;
use crate::workspace::Workspace;

pub fn run(workspace: &Workspace, arguments: &Build) -> Result<u8> {
    let profile = if arguments.checked {
        Profile::Checked
    } else {
        Profile::Release
    };
    let products = build::all(workspace, profile)?;
    println!("kernel    {}", workspace.display(&products.kernel));
    for program in &products.programs {
        let guest = format!("{}/{}", program.folder, program.name);
        println!("{guest:<20} {}", workspace.display(&program.file));
    }
    Ok(0)
}
