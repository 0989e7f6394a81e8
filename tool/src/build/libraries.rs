//! What dynamically linked programs of the host need beside themselves: the
//! loader they name, and the libraries that it finds. The loader itself is asked,
//! for only it knows where it looks.

use std::fs;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use elf::ElfBytes;
use elf::abi::{DT_NEEDED, EM_X86_64, PT_INTERP};
use elf::endian::LittleEndian;

use crate::process;

/// What is asked for a library, which names no loader.
const USUAL: &str = "/lib64/ld-linux-x86-64.so.2";

/// Where glibc's loader finds libraries out of the usual folders.
const CACHE: &str = "/etc/ld.so.cache";

/// What glibc opens by itself when a thread is cancelled or ends.
const UNWINDER: &str = "libgcc_s.so.1";

/// How long the loader may take.
const LIMIT: Duration = Duration::from_secs(30);

/// The files that a program or library of the host needs, by the paths where the
/// loader finds them. What it does not find is reported with `complain`.
pub fn needed(file: &Path, mut complain: impl FnMut(&str)) -> Result<Vec<PathBuf>> {
    let Some(loader) = loader(file) else {
        return Ok(Vec::new());
    };
    let shown = file.display();
    if !Path::new(&loader).is_file() {
        complain(&format!(
            "{shown} names the loader {loader}, which is not there"
        ));
        return Ok(Vec::new());
    }
    let mut command = process::command(&loader);
    // A name without a slash would be looked for among the libraries.
    let path = std::path::absolute(file).context("there is no current folder")?;
    // The guest's loader is not told where else to look either.
    command.env_clear().arg("--list").arg(path);
    let output = process::run_limited(&mut command, LIMIT)?
        .with_context(|| format!("{loader} does not end"))?;
    let mut files = vec![PathBuf::from(&loader)];
    for line in output.text().lines() {
        match read_line(line) {
            Line::Found(path) => files.push(path),
            Line::Missing(name) => complain(&format!("{shown} needs {name}, which is not found")),
            Line::Other => {}
        }
    }
    let libc = files.iter().find(|file| file.ends_with("libc.so.6"));
    if let Some(unwinder) = libc.map(|libc| libc.with_file_name(UNWINDER)) {
        files.extend([unwinder, CACHE.into()].into_iter().filter(|f| f.is_file()));
    }
    files.sort();
    files.dedup();
    Ok(files)
}

/// Where those of the files have to be that lie beside the program, which may
/// look for them there, when the program is at `guest`.
pub fn beside(program: &Path, guest: &str, files: &[PathBuf]) -> Vec<(PathBuf, String)> {
    let folder = |path: &Path| Some(path.parent()?.to_owned());
    let host = std::path::absolute(program).ok();
    let (Some(host), Some(guest)) = (host.as_deref().and_then(folder), folder(guest.as_ref()))
    else {
        return Vec::new();
    };
    let place = |file: &PathBuf| {
        let inner = file.strip_prefix(&host).ok()?;
        let place = without_dots(&guest.join(inner));
        Some((file.clone(), place.to_str()?.to_owned()))
    };
    files.iter().filter_map(place).collect()
}

/// The path with each `..` carried out.
pub fn without_dots(path: &Path) -> PathBuf {
    let mut whole = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                whole.pop();
            }
            component => whole.push(component),
        }
    }
    whole
}

/// The loader of a dynamically linked file of the guest's architecture.
fn loader(file: &Path) -> Option<String> {
    let bytes = fs::read(file).ok()?;
    let elf = ElfBytes::<LittleEndian>::minimal_parse(&bytes).ok()?;
    if elf.ehdr.e_machine != EM_X86_64 {
        return None;
    }
    let mut segments = elf.segments()?.iter();
    if let Some(named) = segments.find(|segment| segment.p_type == PT_INTERP) {
        let path = elf.segment_data(&named).ok()?.split(|byte| *byte == 0);
        let path = String::from_utf8(path.into_iter().next()?.to_vec()).ok()?;
        return path.starts_with('/').then_some(path);
    }
    let needs = |entry: elf::dynamic::Dyn| entry.d_tag == DT_NEEDED;
    let is_library = elf.dynamic().ok()??.iter().any(needs);
    is_library.then(|| USUAL.to_owned())
}

#[derive(Debug, PartialEq, Eq)]
enum Line {
    Found(PathBuf),
    Missing(String),
    Other,
}

/// A line of the loader's list: `NAME => PATH (ADDRESS)`, `PATH (ADDRESS)`, or
/// `NAME => not found`.
fn read_line(line: &str) -> Line {
    let (name, place) = match line.trim().split_once(" => ") {
        Some((name, place)) => (name, place),
        None => ("", line.trim()),
    };
    if place.starts_with("not found") {
        return Line::Missing(name.to_owned());
    }
    match place.rsplit_once(" (0x") {
        Some((path, _)) if path.starts_with('/') => Line::Found(path.into()),
        _ => Line::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loaders_lines_are_read() {
        let found = |path: &str| Line::Found(path.into());
        let line = "\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f4ab6407000)";
        assert_eq!(read_line(line), found("/lib/x86_64-linux-gnu/libc.so.6"));
        let line = "\t/lib64/ld-linux-x86-64.so.2 (0x00007f4ab6601000)";
        assert_eq!(read_line(line), found("/lib64/ld-linux-x86-64.so.2"));
        let line = "\tlibx.so => /a b/(c)/libx.so (0x1000)";
        assert_eq!(read_line(line), found("/a b/(c)/libx.so"));
        assert_eq!(
            read_line("\tlinux-vdso.so.1 (0x00007f4ab65ff000)"),
            Line::Other
        );
        let line = "\tlibnone.so.1 => not found";
        assert_eq!(read_line(line), Line::Missing("libnone.so.1".into()));
        assert_eq!(read_line("\tstatically linked"), Line::Other);
    }

    #[test]
    fn what_lies_beside_a_program_stays_there() {
        let files = [
            "/work/run/lib/a.so",
            "/work/run/../b.so",
            "/lib/c.so",
            "/work/running/d.so",
        ]
        .map(PathBuf::from);
        let placed = beside(Path::new("/work/run/program"), "/host/program", &files);
        let expected = [
            ("/work/run/lib/a.so", "/host/lib/a.so"),
            ("/work/run/../b.so", "/b.so"),
        ];
        assert_eq!(placed, expected.map(|(file, at)| (file.into(), at.into())));
    }

    #[test]
    fn what_is_no_program_needs_nothing() {
        let none = |file: &str| {
            let complain = |text: &str| panic!("{text}");
            needed(Path::new(file), complain).unwrap().is_empty()
        };
        assert!(none("Cargo.toml") && none("no-such-file") && none("src"));
    }

    #[test]
    fn a_program_of_the_host_needs_its_loader() {
        // This test is such a program where it is linked dynamically.
        let own = std::env::current_exe().unwrap();
        let files = needed(&own, |text| panic!("{text}")).unwrap();
        assert_eq!(loader(&own).is_some(), !files.is_empty());
        assert!(files.iter().all(|file| file.is_file()));
        assert!(loader(&own).is_none_or(|loader| files.contains(&loader.into())));
    }
}
