//! A toolchain that can build the kernel, which runs on no operating system:
//! either the target `x86_64-unknown-none` is installed, or core and alloc are
//! built from the library's source.
//!
//! Programs and host tests are built by the cargo that runs this tool; only the
//! kernel may need another one.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use super::packages::Packages;
use crate::process;
use crate::progress::Step;
use crate::status::{Failure, Status};

/// The target the kernel is built for.
pub const KERNEL_TARGET: &str = "x86_64-unknown-none";

/// Names the one way to get a toolchain, for a test of that way:
/// `target`, `rust-src` or `debian`.
const CHOICE: &str = "WEFT_TOOLCHAIN";

/// The least rustc that understands the kernel.
const MINIMUM: (u32, u32) = (1, 95);

/// How long rustup may take to fetch the target.
const FETCH_LIMIT: Duration = Duration::from_secs(120);

const DEBIAN: Packages = Packages {
    what: "a Rust toolchain that can build a kernel",
    apt: &["rustc-web", "cargo-web", "rust-web-src", "lld"],
    dnf: &[],
    pacman: &["rustup"],
    brew: &["rustup"],
};

/// A way to get a toolchain; None if it does not work on this machine.
type Find = fn() -> Result<Option<Toolchain>>;

/// A cargo and a rustc, and how they get core and alloc for the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toolchain {
    pub cargo: PathBuf,
    pub rustc: PathBuf,
    /// Core and alloc are built along with the kernel.
    build_std: bool,
    /// The linker, where the one that rustc would take is not there.
    linker: Option<PathBuf>,
    /// The way it was found, as WEFT_TOOLCHAIN names it.
    pub way: &'static str,
}

impl Toolchain {
    /// The toolchain that runs this tool; it builds all that runs on the host.
    pub fn host() -> Toolchain {
        let cargo = env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from);
        let beside = cargo.with_file_name("rustc");
        Toolchain {
            rustc: if beside.is_file() {
                beside
            } else {
                PathBuf::from("rustc")
            },
            cargo,
            build_std: false,
            linker: None,
            way: "target",
        }
    }

    /// Finds or installs a toolchain for the kernel: the first of these ways that works.
    pub fn kernel() -> Result<Toolchain> {
        let choice = env::var(CHOICE).unwrap_or_default();
        let wanted = |way: &str| choice.is_empty() || choice == way;
        let ways: [(&str, Find); 3] = [
            ("target", installed_target),
            ("rust-src", library_source),
            ("debian", debian),
        ];
        if !choice.is_empty() && !ways.iter().any(|(way, _)| *way == choice) {
            return Err(Failure::error(
                Status::Setup,
                format!("{CHOICE} is \"{choice}\"; it can be target, rust-src or debian"),
            ));
        }
        for (way, find) in ways {
            if wanted(way)
                && let Some(toolchain) = find()?
            {
                return Ok(toolchain);
            }
        }
        Err(nothing_works())
    }

    /// A cargo command of this toolchain, without the target.
    pub fn cargo(&self) -> Command {
        let mut command = process::command(&self.cargo);
        command.env("RUSTC", &self.rustc);
        if self.way == "debian" {
            command.env_remove("RUSTUP_TOOLCHAIN");
        }
        command
    }

    /// A cargo command of this toolchain for the kernel's target.
    pub fn kernel_cargo(&self, subcommand: &str) -> Command {
        let mut command = self.cargo();
        command.args([subcommand, "--target", KERNEL_TARGET]);
        if self.build_std {
            command
                .env("RUSTC_BOOTSTRAP", "1")
                .arg("-Zbuild-std=core,alloc,compiler_builtins")
                .arg("-Zbuild-std-features=compiler-builtins-mem");
        }
        if let Some(linker) = &self.linker {
            command.env("CARGO_TARGET_X86_64_UNKNOWN_NONE_LINKER", linker);
        }
        command
    }

    /// Whether it has clippy and rustfmt, which Debian's packages may lack.
    pub fn has_lints(&self) -> bool {
        self.cargo.with_file_name("cargo-clippy").is_file()
    }
}

/// The target is installed, or rustup can add it.
fn installed_target() -> Result<Option<Toolchain>> {
    let host = Toolchain::host();
    let Some(sysroot) = sysroot(&host.rustc) else {
        return Ok(None);
    };
    let complete = |host: Toolchain| Toolchain {
        linker: other_linker(&sysroot),
        ..host
    };
    if has_target(&sysroot) {
        return Ok(Some(complete(host)));
    }
    // Without RUSTUP_TOOLCHAIN this cargo is not rustup's.
    if let (Some(rustup), Ok(name)) = (process::find("rustup"), env::var("RUSTUP_TOOLCHAIN")) {
        let _step = Step::begin(format!("adding the target {KERNEL_TARGET} with rustup"));
        let mut add = process::command(rustup);
        add.args(["target", "add", "--toolchain", &name, KERNEL_TARGET]);
        process::run_limited(&mut add, FETCH_LIMIT)?;
    }
    Ok(has_target(&sysroot).then(|| complete(host)))
}

/// The library's source is installed, so that core and alloc can be built.
fn library_source() -> Result<Option<Toolchain>> {
    let host = Toolchain::host();
    let found = sysroot(&host.rustc).filter(|sysroot| has_source(sysroot));
    Ok(found.map(|sysroot| with_source(host, &sysroot, "rust-src")))
}

/// Debian's packages, installed if need be.
fn debian() -> Result<Option<Toolchain>> {
    if process::find("apt-get").is_none() {
        return Ok(None);
    }
    let usr = Path::new("/usr");
    if !debian_complete(usr) {
        DEBIAN.install()?;
    }
    if !debian_complete(usr) {
        return Ok(None);
    }
    let toolchain = Toolchain {
        cargo: usr.join("bin/cargo"),
        rustc: usr.join("bin/rustc"),
        build_std: true,
        linker: None,
        way: "debian",
    };
    Ok(Some(with_source(toolchain, usr, "debian")))
}

fn debian_complete(usr: &Path) -> bool {
    let rustc = usr.join("bin/rustc");
    usr.join("bin/cargo").is_file()
        && has_source(usr)
        && version(&rustc).is_some_and(|version| version >= MINIMUM)
}

/// `toolchain`, set to build core and alloc from the source under `sysroot`.
fn with_source(toolchain: Toolchain, sysroot: &Path, way: &'static str) -> Toolchain {
    Toolchain {
        build_std: true,
        linker: other_linker(sysroot),
        way,
        ..toolchain
    }
}

/// LLVM's own linker, where rustc comes without its copy of it.
fn other_linker(sysroot: &Path) -> Option<PathBuf> {
    let rust_lld = sysroot.join("lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-lld");
    if rust_lld.is_file() {
        None
    } else {
        process::find("ld.lld")
    }
}

fn nothing_works() -> anyhow::Error {
    let add = format!("    rustup target add {KERNEL_TARGET}");
    let debian = DEBIAN.missing("none was found").to_string();
    Failure::error(
        Status::Setup,
        format!(
            "{debian}\nor, if your Rust comes from rustup:\n{add}\n\
             (The kernel runs on no operating system, so its own build of Rust's core library is needed.)"
        ),
    )
}

/// The folder that a rustc takes its libraries from.
fn sysroot(rustc: &Path) -> Option<PathBuf> {
    let text = first_line(rustc, &["--print", "sysroot"])?;
    Some(PathBuf::from(text))
}

fn version(rustc: &Path) -> Option<(u32, u32)> {
    parse_version(&first_line(rustc, &["--version"])?)
}

/// "rustc 1.96.0 (…)" as (1, 96).
fn parse_version(line: &str) -> Option<(u32, u32)> {
    let mut parts = line.split_whitespace().nth(1)?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn first_line(program: &Path, arguments: &[&str]) -> Option<String> {
    let output = process::command(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let line = text.lines().next().filter(|line| !line.is_empty());
    line.filter(|_| output.status.success()).map(str::to_owned)
}

fn has_target(sysroot: &Path) -> bool {
    let libraries = sysroot.join("lib/rustlib").join(KERNEL_TARGET).join("lib");
    libraries.read_dir().is_ok_and(|mut entries| {
        entries.any(|entry| {
            entry.is_ok_and(|entry| entry.file_name().to_string_lossy().starts_with("libcore-"))
        })
    })
}

fn has_source(sysroot: &Path) -> bool {
    sysroot
        .join("lib/rustlib/src/rust/library/core/src/lib.rs")
        .is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        assert_eq!(
            parse_version("rustc 1.96.0 (abc 2026-01-01)"),
            Some((1, 96))
        );
        assert_eq!(parse_version("rustc 1.95.0-nightly (x)"), Some((1, 95)));
        assert_eq!(parse_version("rustc"), None);
        assert!(Some((1, 85)) < Some(MINIMUM));
    }

    #[test]
    fn the_target_is_found_by_its_core_library() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!has_target(folder.path()));
        let libraries = folder.path().join("lib/rustlib/x86_64-unknown-none/lib");
        std::fs::create_dir_all(&libraries).unwrap();
        assert!(!has_target(folder.path()));
        std::fs::write(libraries.join("libcore-0123.rlib"), "").unwrap();
        assert!(has_target(folder.path()));
    }

    #[test]
    fn build_std_is_asked_for_only_where_needed() {
        let host = Toolchain::host();
        let words = |toolchain: &Toolchain| format!("{:?}", toolchain.kernel_cargo("build"));
        assert!(!words(&host).contains("build-std"));
        let folder = tempfile::tempdir().unwrap();
        let source = with_source(host, folder.path(), "rust-src");
        assert!(words(&source).contains("-Zbuild-std=core,alloc,compiler_builtins"));
    }
}
