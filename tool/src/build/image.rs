//! The initial image: the programs, the files the user adds, and what `init`
//! is to run.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::Program;
use super::archive::Archive;
use super::libraries;
use crate::cli::FileArgument;
use crate::status::{Failure, Status};

/// The file that tells `init` what to run instead of the shell.
const EXEC: &str = "/etc/exec";

/// The guest's folder for programs copied from the host.
const HOST_FOLDER: &str = "/host";

/// Where a disk's guest finds the initial image.
const BOOT_FOLDER: &str = "/boot";

/// Puts together what the guest starts with. `command` is the program to run
/// instead of the shell, with its arguments.
pub fn make(programs: &[Program], files: &[FileArgument], command: &[String]) -> Result<Archive> {
    let mut archive = tree(programs, files)?;
    add_command(&mut archive, command, "")?;
    archive.add_new(needed(files, command)?);
    Ok(archive)
}

/// The initial image of a guest that has its files on a disk: only what it is to run.
pub fn make_for_disk(command: &[String]) -> Result<Archive> {
    let mut archive = Archive::default();
    archive.folder("/etc");
    add_command(&mut archive, command, BOOT_FOLDER)?;
    Ok(archive)
}

/// What programs look users and groups up in.
const ETC: [(&str, &str); 2] = [
    ("/etc/passwd", include_str!("../../../user/etc/passwd")),
    ("/etc/group", include_str!("../../../user/etc/group")),
];

/// The root file system: the programs, the folders around them, and `files`.
/// Without programs, only `files`.
pub fn tree(programs: &[Program], files: &[FileArgument]) -> Result<Archive> {
    let mut archive = Archive::default();
    if !programs.is_empty() {
        for folder in ["/bin", BOOT_FOLDER, "/dev", "/etc", "/tests", "/tmp"] {
            archive.folder(folder);
        }
        for (name, content) in ETC {
            archive.file(name, content.as_bytes().to_vec(), false);
        }
    }
    for program in programs {
        let content = read(&program.file)?;
        if program.folder == "/bin" && program.name == "init" {
            archive.file("/init", content.clone(), true);
        }
        archive.file(
            &format!("{}/{}", program.folder, program.name),
            content,
            true,
        );
    }
    for file in files {
        add(&mut archive, &file.host, &file.guest)?;
        if file.host.is_file() {
            add_beside(&mut archive, &file.host, &file.guest)?;
        }
    }
    Ok(archive)
}

/// What the host's loader finds for the programs among `files` and for the one
/// that `command` copies from the host, by the same paths as on the host.
pub fn needed(files: &[FileArgument], command: &[String]) -> Result<Archive> {
    let mut found = BTreeSet::new();
    let program = command.first().and_then(|program| host_path(program));
    for file in files.iter().map(|file| file.host.as_path()).chain(program) {
        find_needed(file, &mut found)?;
    }
    let mut archive = Archive::default();
    for file in found {
        if let Some(guest) = libraries::without_dots(&file).to_str() {
            archive.file(guest, read(&file)?, true);
        }
    }
    Ok(archive)
}

fn find_needed(path: &Path, found: &mut BTreeSet<PathBuf>) -> Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path).map_err(|error| missing(path, &error))? {
            find_needed(&entry?.path(), found)?;
        }
        return Ok(());
    }
    found.extend(libraries::needed(path, |problem| {
        eprintln!("weft: {problem}")
    })?);
    Ok(())
}

/// Tells `init` to run `command`, and adds its program if that is one of the
/// host. The guest sees the archive at `mount`.
fn add_command(archive: &mut Archive, command: &[String], mount: &str) -> Result<()> {
    let Some((program, arguments)) = command.split_first() else {
        return Ok(());
    };
    let program = from_host(archive, program, mount)?;
    let words = [&program].into_iter().chain(arguments);
    let content = words
        .flat_map(|word| [word.as_bytes(), &[0]].concat())
        .collect();
    archive.file(EXEC, content, false);
    Ok(())
}

/// Says which of the host's files is missing, before the user waits for a build.
pub fn check(files: &[FileArgument], command: &[String]) -> Result<()> {
    let files = files.iter().map(|file| file.host.as_path());
    let program = command.first().and_then(|program| host_path(program));
    for file in files.chain(program) {
        fs::metadata(file).map_err(|error| missing(file, &error))?;
    }
    Ok(())
}

/// The host's file that PROGRAM names: a relative path that contains a slash.
fn host_path(program: &str) -> Option<&Path> {
    (!program.starts_with('/') && program.contains('/')).then(|| Path::new(program))
}

/// The guest's path of PROGRAM, after copying it into the guest if it is one of the host.
fn from_host(archive: &mut Archive, program: &str, mount: &str) -> Result<String> {
    let Some(host) = host_path(program) else {
        return Ok(program.to_owned());
    };
    let name = host.file_name().unwrap_or_default().to_string_lossy();
    let guest = format!("{HOST_FOLDER}/{name}");
    let content = read(host)?;
    archive.file(&guest, content, true);
    add_beside(archive, host, &guest)?;
    Ok(format!("{mount}{guest}"))
}

/// Adds the libraries that a program finds beside itself, and so at `guest` too.
fn add_beside(archive: &mut Archive, host: &Path, guest: &str) -> Result<()> {
    let found = libraries::needed(host, |_| ())?;
    for (file, place) in libraries::beside(host, guest, &found) {
        archive.file(&place, read(&file)?, true);
    }
    Ok(())
}

/// Adds a file or a whole folder of the host.
fn add(archive: &mut Archive, host: &Path, guest: &str) -> Result<()> {
    let metadata = fs::metadata(host).map_err(|error| missing(host, &error))?;
    if !metadata.is_dir() {
        let executable = metadata.permissions().mode() & 0o111 != 0;
        archive.file(guest, read(host)?, executable);
        return Ok(());
    }
    archive.folder(guest);
    for entry in fs::read_dir(host).map_err(|error| missing(host, &error))? {
        let entry = entry.with_context(|| format!("cannot read {}", host.display()))?;
        let name = entry.file_name();
        let inner = format!("{guest}/{}", name.to_string_lossy());
        add(archive, &entry.path(), &inner)?;
    }
    Ok(())
}

fn read(file: &Path) -> Result<Vec<u8>> {
    fs::read(file).map_err(|error| missing(file, &error))
}

fn missing(file: &Path, error: &std::io::Error) -> anyhow::Error {
    Failure::error(
        Status::MissingFile,
        format!("cannot read {}: {error}", file.display()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status;

    fn bytes(archive: &Archive) -> Vec<u8> {
        let mut bytes = Vec::new();
        archive.write(&mut bytes).unwrap();
        bytes
    }

    fn holds(archive: &Archive, needle: &[u8]) -> bool {
        bytes(archive)
            .windows(needle.len())
            .any(|part| part == needle)
    }

    #[test]
    fn a_command_becomes_zero_terminated_words() {
        let command = ["echo", "a b", ""].map(str::to_owned);
        let archive = make(&[], &[], &command).unwrap();
        assert!(holds(&archive, b"etc/exec\0"));
        assert!(holds(&archive, b"echo\0a b\0\0"));
    }

    #[test]
    fn a_relative_path_is_copied_from_the_host() {
        // Tests run in the package's folder.
        let command = ["./Cargo.toml".to_owned()];
        let archive = make(&[], &[], &command).unwrap();
        assert!(holds(&archive, b"host/Cargo.toml\0"));
        assert!(holds(&archive, b"/host/Cargo.toml\0"));
        assert!(holds(&archive, b"[package]"));
    }

    #[test]
    fn a_disks_initial_image_has_the_command_only() {
        let archive = make_for_disk(&["./Cargo.toml".to_owned()]).unwrap();
        assert!(holds(&archive, b"boot/host/Cargo.toml\0"));
        assert!(holds(&archive, b"host/Cargo.toml\0"));
        assert!(!holds(&archive, b"tmp\0"));
    }

    #[test]
    fn a_missing_file_has_its_own_status() {
        let command = ["./no/such/program".to_owned()];
        let error = check(&[], &command).err().unwrap();
        assert_eq!(status::of(&error), Status::MissingFile as u8);
        let file: FileArgument = "no-such-file".parse().unwrap();
        let error = check(&[file], &[]).err().unwrap();
        assert_eq!(status::of(&error), Status::MissingFile as u8);
    }

    #[test]
    fn folders_are_added_whole() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("inner")).unwrap();
        fs::write(folder.path().join("inner/file"), "content").unwrap();
        let argument: FileArgument = format!("{}:/data", folder.path().display())
            .parse()
            .unwrap();
        let archive = make(&[], &[argument], &[]).unwrap();
        assert!(holds(&archive, b"data/inner/file\0"));
    }
}
