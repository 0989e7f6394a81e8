//! The flags of a virtual machine.

use std::path::PathBuf;

use clap::builder::RangedU64ValueParser;
use clap::{Args, Parser, ValueEnum};

use super::{Cli, Command, FileArgument};

/// The virtual machine and what is in it; `run`, `exec`, `bench` and `gdb` share these.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "The virtual machine")]
pub struct Machine {
    /// Virtual CPUs, 1 to 16
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=16))]
    pub cpus: u32,
    /// Memory, 32 to 65536 MiB
    #[arg(long, value_name = "MiB", default_value_t = 256, value_parser = clap::value_parser!(u32).range(32..=65536))]
    pub memory: u32,
    /// The board
    #[arg(long, value_enum, default_value_t = Board::Microvm)]
    pub machine: Board,
    /// How the CPUs run: in software, by the host's CPU, or by the host's CPU where a trial shows that it works
    #[arg(long, value_enum, default_value_t = Accel::Tcg)]
    pub accel: Accel,
    /// QEMU's name of the CPU model, such as `max` or `qemu64`
    #[arg(long, value_name = "MODEL", default_value = "max")]
    pub cpu: String,
    /// Count instructions instead of time, so that every run is the same
    #[arg(long, conflicts_with = "accel")]
    pub icount: bool,
    /// What starts the kernel: QEMU itself, or GRUB from a CD image (q35 only)
    #[arg(long, value_enum, default_value_t = Boot::Direct)]
    pub boot: Boot,
    /// The scheduling policy
    #[arg(long, value_enum, default_value_t = Policy::Fair)]
    pub policy: Policy,
    /// The least severe kernel log lines to print
    #[arg(long, value_enum, default_value_t = LogLevel::Info)]
    pub log: LogLevel,
    /// A further word for the kernel's command line; may be repeated
    #[arg(long, value_name = "WORD")]
    pub append: Vec<String>,
    /// Put a file or folder of this machine into the guest, at GUEST or in the root folder, and
    /// the libraries that programs in it need; may be repeated
    #[arg(long, value_name = "HOST[:GUEST]")]
    pub file: Vec<FileArgument>,
    /// Attach this raw disk image, the first as /dev/vda; may be repeated. The first is made if it is
    /// not there, with the programs in it, and booted from if an ext4 file system is in it
    #[arg(long, value_name = "IMAGE")]
    pub disk: Vec<PathBuf>,
    /// The size of a disk image that is made, in MiB
    #[arg(long, value_name = "MiB", default_value_t = DISK_SIZE, value_parser = disk_size())]
    pub disk_size: u64,
    /// Build the kernel with its own checks (lock order, atomic context, overflow): slower
    #[arg(long)]
    pub checked: bool,
    /// Boot this kernel ELF instead of building one
    #[arg(long, value_name = "ELF", conflicts_with = "checked")]
    pub kernel: Option<PathBuf>,
}

/// The size of an image that nobody has asked to be larger, in MiB.
pub const DISK_SIZE: u64 = 256;

/// From what has room for a journal and the programs, to what is no slip of the finger.
pub fn disk_size() -> RangedU64ValueParser {
    clap::value_parser!(u64).range(16..=16 << 20)
}

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Board {
    /// A few devices and no firmware: the fastest start
    Microvm,
    /// A PC with PCI Express and firmware
    Q35,
}

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accel {
    Tcg,
    Kvm,
    Auto,
}

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boot {
    Direct,
    Bios,
    Uefi,
}

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Every thread gets its share of the time
    Fair,
    /// Round robin
    Rr,
}

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// The word that a value of a flag stands for on the kernel's command line.
pub fn word(value: &impl ValueEnum) -> String {
    value
        .to_possible_value()
        .map(|value| value.get_name().to_owned())
        .unwrap_or_default()
}

/// The machine that these flags of `exec` stand for.
pub fn machine(flags: &str) -> Machine {
    let words = ["weft", "exec"].into_iter().chain(flags.split(' '));
    match Cli::parse_from(words.chain(["--", "true"])).command {
        Command::Exec(exec) => exec.machine,
        _ => unreachable!("the subcommand is exec"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_the_kernel() {
        assert_eq!(word(&Policy::Rr), "rr");
        assert_eq!(word(&LogLevel::Debug), "debug");
    }
}
