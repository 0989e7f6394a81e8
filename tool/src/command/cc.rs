//! `cargo weft cc`: compiles C programs of the xv6 family for Weft.
//!
//! A face (see `user/xv6/README.md`) is an include folder and a few C files; below
//! them lies the runtime's static library, which is built on the first call.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::cli::{Cc, Face, word};
use crate::process;
use crate::progress::Step;
use crate::setup::Toolchain;
use crate::setup::packages::{Packages, find_or_install};
use crate::status::{Failure, Status};
use crate::workspace::Workspace;

const GCC: Packages = Packages {
    what: "a C compiler",
    apt: &["gcc", "libc6-dev"],
    dnf: &["gcc"],
    pacman: &["gcc"],
    brew: &[],
};

const TARGET: &str = "x86_64-unknown-linux-gnu";

/// The runtime's own flags: C programs are linked at a fixed address.
const RUSTFLAGS: &str = "-C relocation-model=static -C panic=abort";

/// How programs are compiled: nothing of the host's C library, and no warnings
/// about programs that are to stay as they are. The first definition of a name
/// is taken, so that a program may have its own of what the library has too.
const FLAGS: &[&str] = &[
    "-O2",
    "-g",
    "-w",
    "-std=gnu17",
    "-fcommon",
    "-ffreestanding",
    "-fno-builtin",
    "-fno-stack-protector",
    "-fno-pie",
    "-no-pie",
    "-static",
    "-nostdlib",
    "-Wl,--gc-sections",
    "-Wl,--allow-multiple-definition",
    "-Wl,-z,max-page-size=4096,-z,noexecstack",
    // As low as programs may lie: those of xv6 think of addresses as small.
    "-Wl,-Ttext-segment=0x10000",
];

/// What every face has of `user/xv6/lib`.
const LIBRARY: &[&str] = &["start", "calls", "strings", "printf", "process"];

/// How long the compiler may take.
const LIMIT: Duration = Duration::from_secs(300);

pub fn run(workspace: &Workspace, arguments: &Cc) -> Result<u8> {
    for source in &arguments.sources {
        if !source.is_file() {
            let message = format!("there is no file {}", source.display());
            return Err(Failure::error(Status::MissingFile, message));
        }
    }
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let mut command = compiler(workspace, arguments, folder.path())?;
    let compiled = process::run_limited(&mut command, LIMIT)?;
    let Some(compiled) = compiled else {
        return Err(Failure::error(Status::Build, "the C compiler does not end"));
    };
    eprint!("{}", compiled.text());
    if !compiled.status.success() {
        let message = format!(
            "the program does not compile for the face {}",
            word(&arguments.face)
        );
        return Err(Failure::error(Status::Build, message));
    }
    Ok(0)
}

/// The host's C compiler.
pub fn gcc() -> Result<PathBuf> {
    find_or_install("gcc", &GCC)
}

/// Compiles for Linux, with the host's C library, by `flags` and further words.
pub fn compile_for_linux(
    flags: &str,
    words: impl IntoIterator<Item = impl AsRef<OsStr>>,
) -> Result<()> {
    let mut command = process::command(gcc()?);
    command.arg("-std=gnu11").args(flags.split(' ')).args(words);
    let compiled = process::run_limited(&mut command, LIMIT)?.context("gcc does not end")?;
    match compiled.status.success() {
        true => Ok(()),
        false => Err(Failure::error(Status::Build, compiled.text())),
    }
}

/// The whole command line of the compiler, which finds the sources in `folder`.
fn compiler(workspace: &Workspace, arguments: &Cc, folder: &Path) -> Result<Command> {
    let gcc = gcc()?;
    let runtime = runtime(workspace)?;
    let faces = workspace.root.join("user/xv6");
    let face = faces.join(word(&arguments.face));
    let mut command = process::command(gcc);
    command.args(FLAGS);
    // <stdarg.h> and its like are the compiler's, and only after ours.
    for folder in includes(&faces, arguments) {
        command.arg("-I").arg(folder);
    }
    command.args(arguments.define.iter().map(|name| format!("-D{name}")));
    command.args(arguments.optimise.iter().map(|level| format!("-O{level}")));
    command.args(stage(&arguments.sources, folder)?);
    command.arg(face.join("face.c"));
    let library = LIBRARY.iter().chain(more(arguments.face));
    command.args(library.map(|name| faces.join("lib").join(format!("{name}.c"))));
    command.arg(runtime).arg("-o").arg(output(arguments));
    Ok(command)
}

/// Where include files are looked for: in the face before the program's own
/// folder, which may have a whole xv6 with another `user.h` in it.
fn includes(faces: &Path, arguments: &Cc) -> Vec<PathBuf> {
    let face = faces.join(word(&arguments.face));
    let mut folders = arguments.include.clone();
    folders.extend([face, faces.join("common"), faces.join("lib")]);
    for source in &arguments.sources {
        let own = source.parent().unwrap_or(Path::new(""));
        folders.push(Path::new(".").join(own));
    }
    folders
}

/// Copies the sources into `folder`, for the compiler looks into the folder of
/// a source first; where they are now. Messages still name the originals.
fn stage(sources: &[PathBuf], folder: &Path) -> Result<Vec<PathBuf>> {
    let stage = |(index, source): (usize, &PathBuf)| {
        let name = source.file_name().unwrap_or_default();
        let copy = folder.join(index.to_string()).join(name);
        let quoted = source.display().to_string();
        let quoted = quoted.replace('\\', r"\\").replace('"', r#"\""#);
        let mut text = format!("#line 1 \"{quoted}\"\n").into_bytes();
        text.extend(std::fs::read(source)?);
        std::fs::create_dir(folder.join(index.to_string()))?;
        std::fs::write(&copy, text)?;
        std::io::Result::Ok(copy)
    };
    let copies = sources.iter().enumerate().map(stage);
    copies
        .collect::<std::io::Result<_>>()
        .context("cannot copy the sources for the compiler")
}

/// What a face has of `user/xv6/lib` besides.
fn more(face: Face) -> &'static [&'static str] {
    match face {
        Face::Xv6 => &["x86"],
        Face::Xv6Riscv => &[],
        Face::Ostep | Face::Uw => &["x86", "threads", "own_stack"],
        Face::Group => &["x86", "threads"],
    }
}

/// Where the program goes: as asked for, else the first source without its `.c`.
fn output(arguments: &Cc) -> PathBuf {
    let named = || arguments.sources[0].with_extension("");
    arguments.output.clone().unwrap_or_else(named)
}

/// The runtime as a static library.
fn runtime(workspace: &Workspace) -> Result<PathBuf> {
    let step = Step::begin("building the runtime for C programs");
    let folder = workspace.target.join("weft-c");
    let mut command = Toolchain::host().cargo();
    command
        .args(["rustc", "--quiet", "--package", "weft", "--release"])
        .args(["--target", TARGET, "--crate-type", "staticlib"])
        .arg("--target-dir")
        .arg(&folder)
        .env("RUSTFLAGS", RUSTFLAGS)
        .current_dir(&workspace.root);
    let built = process::run_limited(&mut command, LIMIT).context("the runtime")?;
    drop(step);
    match built {
        Some(run) if run.status.success() => Ok(library(&folder)),
        Some(run) => Err(Failure::error(
            Status::Build,
            format!("the runtime does not build:\n{}", run.text()),
        )),
        None => Err(Failure::error(
            Status::Build,
            "building the runtime does not end",
        )),
    }
}

fn library(folder: &Path) -> PathBuf {
    folder.join(TARGET).join("release/libweft.a")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, Command};
    use clap::{Parser, ValueEnum};

    fn cc(line: &str) -> Cc {
        match Cli::parse_from(line.split(' ')).command {
            Command::Cc(cc) => cc,
            _ => panic!("not cc"),
        }
    }

    #[test]
    fn the_output_is_named_for_the_first_source() {
        let program = output(&cc("weft cc --face uw d/a.c b.c"));
        assert_eq!(program, PathBuf::from("d/a"));
        let program = output(&cc("weft cc a.c --face uw -o x -I inc -DN=3 -O0"));
        assert_eq!(program, PathBuf::from("x"));
    }

    #[test]
    fn the_face_comes_before_what_lies_beside_a_program() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("a \"project\"");
        std::fs::create_dir(&own).unwrap();
        let write = |name: &str, text: &str| std::fs::write(own.join(name), text).unwrap();
        write("user.h", "#error another xv6's\n");
        write("extra.h", "#define ANSWER 42\n");
        write(
            "p.c",
            "#include \"types.h\"\n#include \"user.h\"\n#include \"extra.h\"\nint a = ANSWER; char *f = __FILE__;\n",
        );
        let mut arguments = cc("weft cc --face uw p.c");
        arguments.sources = vec![own.join("p.c")];
        let faces = Workspace::find().root.join("user/xv6");
        let mut command = process::command(gcc().unwrap());
        for folder in includes(&faces, &arguments) {
            command.arg("-I").arg(folder);
        }
        let staged = stage(&arguments.sources, folder.path()).unwrap();
        command.arg("-E").args(staged);
        let run = process::run_limited(&mut command, LIMIT).unwrap().unwrap();
        assert!(run.status.success(), "{}", run.text());
        let text = run.text();
        assert!(text.contains("int a = 42;"), "{text}");
        assert!(text.contains(r#"a \"project\"/p.c";"#), "{text}");
    }

    #[test]
    fn every_face_has_its_files() {
        let root = Workspace::find().root.join("user/xv6");
        for &face in Face::value_variants() {
            assert!(root.join(word(&face)).join("face.c").is_file());
            for name in LIBRARY.iter().chain(more(face)) {
                assert!(root.join("lib").join(format!("{name}.c")).is_file());
            }
        }
    }
}
