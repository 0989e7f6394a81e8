//! The programs of a comparison: those of `user/tests/linux`, and what the user
//! names: programs of this machine, C sources, or folders of them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::cli::Conform;
use crate::command::cc;
use crate::progress::Step;
use crate::status::{Failure, Status};
use crate::workspace::Workspace;

/// One program, as a file of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    pub name: String,
    pub file: PathBuf,
}

/// All that are asked for, by name; C sources are compiled into `folder`.
pub fn collect(workspace: &Workspace, arguments: &Conform, folder: &Path) -> Result<Vec<Program>> {
    let mut sources = Vec::new();
    if arguments.paths.is_empty() {
        find(&workspace.root.join("user/tests/linux"), &mut sources)?;
    }
    for path in &arguments.paths {
        find(path, &mut sources)?;
    }
    let wanted = |file: &PathBuf| match &arguments.only {
        Some(text) => name(file).contains(text.as_str()),
        None => true,
    };
    sources.retain(wanted);
    sources.sort();
    sources.dedup();
    let _step = Step::begin(format!("{} programs", sources.len()));
    let mut programs = Vec::new();
    for file in sources {
        let name = name(&file);
        let file = match is_source(&file) {
            true => compile(&file, folder.join(&name))?,
            false => file,
        };
        programs.push(Program { name, file });
    }
    match programs.is_empty() {
        true => Err(Failure::error(Status::Usage, "there is no such program")),
        false => Ok(programs),
    }
}

fn name(file: &Path) -> String {
    let stem = match is_source(file) {
        true => file.file_stem(),
        false => file.file_name(),
    };
    stem.unwrap_or_default().to_string_lossy().into_owned()
}

fn is_source(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "c")
}

/// A file, or those of a folder (not of the folders in it) that are C sources or
/// can be run.
fn find(path: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    let missing = || format!("cannot read {}", path.display());
    let metadata = fs::metadata(path).with_context(missing)?;
    if !metadata.is_dir() {
        found.push(path.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(path).with_context(missing)? {
        let file = entry.with_context(missing)?.path();
        let metadata = fs::metadata(&file).with_context(missing)?;
        let runs = metadata.permissions().mode() & 0o111 != 0;
        if metadata.is_file() && (is_source(&file) || runs) {
            found.push(file);
        }
    }
    Ok(())
}

/// Compiles a C program as its author would; where the program is.
pub fn compile(source: &Path, program: PathBuf) -> Result<PathBuf> {
    let libraries = ["-lrt", "-lm"].map(Path::new);
    let words = [program.as_path(), source].into_iter().chain(libraries);
    cc::compile_for_linux("-O1 -w -pthread -o", words)?;
    Ok(program)
}
