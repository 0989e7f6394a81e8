//! Programs that come from the distribution's packages.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;

use crate::process;
use crate::progress::Step;
use crate::status::{Failure, Status};

/// How long one call of the package manager may take.
const LIMIT: Duration = Duration::from_secs(300);

/// What one need is called in each package manager.
pub struct Packages {
    /// What is installed, for the user: "QEMU".
    pub what: &'static str,
    pub apt: &'static [&'static str],
    pub dnf: &'static [&'static str],
    pub pacman: &'static [&'static str],
    pub brew: &'static [&'static str],
}

impl Packages {
    /// Installs the packages where that needs no password: as root, by apt.
    /// Otherwise the error names the command to type.
    pub fn install(&self) -> Result<()> {
        let apt = process::find("apt-get");
        let Some(apt) = apt.filter(|_| rustix::process::geteuid().is_root()) else {
            return Err(self.missing("it is not installed"));
        };
        let _step = Step::begin(format!("installing {} ({})", self.what, self.apt.join(" ")));
        if self.apt_install(&apt)? {
            return Ok(());
        }
        // The lists of packages may be missing (a fresh container) or out of date.
        let mut update = process::command(&apt);
        process::run_limited(update.args(["-q", "update"]), LIMIT)?;
        if self.apt_install(&apt)? {
            return Ok(());
        }
        Err(self.missing("apt-get could not install it"))
    }

    fn apt_install(&self, apt: &PathBuf) -> Result<bool> {
        let mut command = process::command(apt);
        command
            .env("DEBIAN_FRONTEND", "noninteractive")
            .args(["-q", "-y", "--no-install-recommends"])
            .args(["-o", "DPkg::Lock::Timeout=120", "install"])
            .args(self.apt);
        Ok(process::run_limited(&mut command, LIMIT)?.is_some_and(|run| run.status.success()))
    }

    /// The error that says what to type.
    pub fn missing(&self, why: &str) -> anyhow::Error {
        let what = self.what;
        Failure::error(
            Status::Setup,
            match self.command_line() {
                Some(line) => format!("{what} is needed, and {why}. Type:\n    {line}"),
                None => format!("{what} is needed, and {why}. Install it, and try again."),
            },
        )
    }

    /// The command that installs the packages on this machine.
    fn command_line(&self) -> Option<String> {
        let managers = [
            ("apt-get", "sudo apt-get install", self.apt),
            ("dnf", "sudo dnf install", self.dnf),
            ("pacman", "sudo pacman -S", self.pacman),
            ("brew", "brew install", self.brew),
        ];
        managers
            .into_iter()
            .find(|(name, _, packages)| !packages.is_empty() && process::find(name).is_some())
            .map(|(_, command, packages)| format!("{command} {}", packages.join(" ")))
    }
}

/// Finds the program `name`, installing `packages` if it is not there.
pub fn find_or_install(name: &str, packages: &Packages) -> Result<PathBuf> {
    if let Some(path) = process::find(name) {
        return Ok(path);
    }
    packages.install()?;
    process::find(name)
        .ok_or_else(|| packages.missing(&format!("{name} is still not in PATH after installing")))
}
