//! The command line: what `cargo weft` understands, and the help it prints.

mod file;
mod machine;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::status;
pub use file::FileArgument;
pub use machine::{Accel, Board, Boot, LogLevel, Machine, Policy, machine, word};
use machine::{DISK_SIZE, disk_size};

/// Build, run and test Weft, a small Unix kernel built around kernel threads.
///
/// `cargo weft run` boots to a shell; `cargo weft test` proves that all of it works. What they need on
/// this machine (QEMU, a toolchain for the kernel) is found, or installed where that is possible.
#[derive(Parser, Debug)]
#[command(
    name = "weft",
    bin_name = "cargo weft",
    version,
    after_help = status::HELP,
    max_term_width = 100,
    disable_help_subcommand = true
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Boot to a shell; Ctrl-A X or `poweroff` leaves
    Run(Run),
    /// Boot, run one program, and exit with its status
    Exec(Exec),
    /// Run every test and end with one summary
    Test(Test),
    /// Prove that no crash loses what was synced: record a run, and check what a crash may leave of its disk
    Crash(Crash),
    /// Run the same programs on Weft and on Linux, and tell where they end differently
    Conform(Conform),
    /// Count what the kernel's operations cost, in instructions
    Bench(Bench),
    /// Debug the kernel: QEMU stopped at its first instruction, gdb attached
    Gdb(Gdb),
    /// Make a CD image that boots the same kernel by GRUB, on BIOS and UEFI machines
    Iso(Iso),
    /// Build the kernel and the programs
    Build(Build),
    /// Make disk images, look into them and change them, while no guest uses them
    Disk(Disk),
    /// Compile a C program of the xv6 family; run it with `cargo weft exec -- ./prog`
    Cc(Cc),
    /// Check the format, the lints, and that unchecked code stands only where it may
    Check,
    /// Find or install what Weft needs on this machine
    Setup,
}

#[derive(Args, Debug)]
pub struct Run {
    #[command(flatten)]
    pub machine: Machine,
}

#[derive(Args, Debug)]
#[command(after_help = status::HELP)]
pub struct Exec {
    #[command(flatten)]
    pub machine: Machine,
    /// Give up after S seconds with status 208
    #[arg(long, value_name = "S", value_parser = seconds)]
    pub timeout: Option<Duration>,
    /// The program: a name in the guest's /bin or /tests, an absolute path in the guest, or a
    /// path of this machine (./a.out) that is copied into the guest, with the libraries it needs; then its arguments
    #[arg(last = true, required = true, value_name = "PROGRAM ARGS")]
    pub program: Vec<String>,
}

#[derive(Args, Debug)]
pub struct Test {
    /// Only this part (check, host, loom, tool, c, linux, dynamic, programs, guest, disk, crash, boot, bench)
    #[arg(value_name = "PART")]
    pub only: Option<String>,
}

#[derive(Args, Debug)]
pub struct Crash {
    #[command(flatten)]
    pub machine: Machine,
    /// What the workload's operations are drawn from
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// Threads that work on the disk
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=16))]
    pub threads: u32,
    /// Operations of each thread
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=300))]
    pub operations: u32,
    /// How many of the states that a crash may leave are checked
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub states: usize,
    /// Check all of them
    #[arg(long, conflicts_with_all = ["states", "state"])]
    pub all: bool,
    /// How many of them the kernel itself has to mount, in a guest
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub mount: u32,
    /// Check this one only
    #[arg(long, value_name = "K")]
    pub state: Option<usize>,
    /// Do not record: check what was recorded last (with the same seed, threads and operations)
    #[arg(long)]
    pub recorded: bool,
    /// Instead kill QEMU at random moments of N runs, and check each disk as it was left
    #[arg(long, value_name = "N", conflicts_with_all = ["all", "state", "recorded", "fault"])]
    pub cuts: Option<u32>,
    /// Processes of `stressfs` that work on the disk too, where runs are cut
    #[arg(long, value_name = "N", default_value_t = 4, requires = "cuts", value_parser = clap::value_parser!(u32).range(0..=16))]
    pub stress: u32,
    /// Put a fault into the recording, which must be found: flushes, commits or promises
    #[arg(long = "break", value_name = "FAULT", value_parser = ["flushes", "commits", "promises"])]
    pub fault: Option<String>,
}

#[derive(Args, Debug)]
pub struct Conform {
    #[command(flatten)]
    pub machine: Machine,
    /// How many seconds a program may run
    #[arg(long, value_name = "S", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub limit: u32,
    /// Only programs with this in their names
    #[arg(long, value_name = "TEXT")]
    pub only: Option<String>,
    /// Compare what they print, too
    #[arg(long)]
    pub output: bool,
    /// The Linux kernel (bzImage) to compare with; without it, Debian's is fetched
    #[arg(long, value_name = "FILE")]
    pub linux: Option<PathBuf>,
    /// Programs of this machine, C sources, or folders of them; without any, those of user/tests/linux
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
}

#[derive(Args, Debug)]
pub struct Bench {
    /// Fewer rounds: sooner done, and a little less exact
    #[arg(long)]
    pub quick: bool,
    /// Only these rows; without any, all of them
    #[arg(value_name = "ROW")]
    pub rows: Vec<String>,
}

#[derive(Args, Debug)]
pub struct Gdb {
    #[command(flatten)]
    pub machine: Machine,
    /// Debug the optimised kernel, not the one with its own checks
    #[arg(long, conflicts_with_all = ["checked", "kernel"])]
    pub optimised: bool,
    /// A gdb command to run once attached; may be repeated
    #[arg(long, value_name = "COMMAND")]
    pub command: Vec<String>,
    /// Leave gdb when the commands are done
    #[arg(long)]
    pub batch: bool,
    /// Run this program instead of the shell
    #[arg(last = true, value_name = "PROGRAM ARGS")]
    pub program: Vec<String>,
}

#[derive(Args, Debug)]
pub struct Iso {
    /// Where to write the image
    #[arg(long, short, value_name = "FILE", default_value = "weft.iso")]
    pub output: PathBuf,
    /// The scheduling policy
    #[arg(long, value_enum, default_value_t = Policy::Fair)]
    pub policy: Policy,
}

#[derive(Args, Debug)]
pub struct Build {
    /// Build the kernel with its own checks
    #[arg(long)]
    pub checked: bool,
}

#[derive(Args, Debug)]
pub struct Cc {
    /// The family of programs that it was written for
    #[arg(long, value_enum)]
    pub face: Face,
    /// Where to write the program: without it, the first source's name without `.c`
    #[arg(short, long, value_name = "PROGRAM")]
    pub output: Option<PathBuf>,
    /// A further folder of include files; may be repeated
    #[arg(short = 'I', value_name = "FOLDER")]
    pub include: Vec<PathBuf>,
    /// A macro to define; may be repeated
    #[arg(short = 'D', value_name = "NAME[=VALUE]")]
    pub define: Vec<String>,
    /// How much to optimise, as gcc has it
    #[arg(short = 'O', value_name = "LEVEL")]
    pub optimise: Option<String>,
    /// The C files
    #[arg(required = true, value_name = "FILE.c")]
    pub sources: Vec<PathBuf>,
}

#[derive(Args, Debug)]
pub struct Disk {
    #[command(subcommand)]
    pub command: DiskCommand,
}

#[derive(Subcommand, Debug)]
pub enum DiskCommand {
    /// Make an ext4 image with the programs in it, as `--disk` of `run` does
    Make {
        image: PathBuf,
        /// The size in MiB
        #[arg(long, value_name = "MiB", default_value_t = DISK_SIZE, value_parser = disk_size())]
        size: u64,
        /// Put a file or folder of this machine into it, at GUEST or in the root folder; may be repeated
        #[arg(long, value_name = "HOST[:GUEST]")]
        file: Vec<FileArgument>,
    },
    /// List a folder of the image
    Ls {
        image: PathBuf,
        #[arg(default_value = "/")]
        path: String,
    },
    /// Copy a file, or a folder with all that is in it, from the image to this machine
    Get {
        image: PathBuf,
        path: String,
        /// Its new name, or a folder that it comes into
        #[arg(default_value = ".")]
        host: PathBuf,
    },
    /// Copy files or folders of this machine into the image, at GUEST or in the root folder
    Put {
        image: PathBuf,
        #[arg(required = true, value_name = "HOST[:GUEST]")]
        file: Vec<FileArgument>,
    },
    /// Build the programs, and replace those in the image
    Refresh { image: PathBuf },
    /// Check the image with `e2fsck -fn`, after replaying the journal as a mount does
    Check { image: PathBuf },
}

/// The families of C programs; each is a folder in `user/xv6`.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Face {
    /// xv6 for x86
    Xv6,
    /// xv6 for RISC-V
    Xv6Riscv,
    /// Threads by `clone(fcn, arg1, arg2, stack)`
    Ostep,
    /// Threads by `clone(fcn, stack, flags, arg1, arg2)`
    Group,
    /// Threads by `clone(fcn, arg, stack)`
    Uw,
}

fn seconds(argument: &str) -> Result<Duration, String> {
    match argument.parse::<f64>() {
        Ok(value) if value > 0.0 && value <= 1e9 => Ok(Duration::from_secs_f64(value)),
        _ => Err("a number of seconds above 0 is wanted".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn exec_takes_everything_after_the_dashes() {
        let cli = Cli::try_parse_from([
            "weft",
            "exec",
            "--cpus",
            "4",
            "--timeout",
            "1.5",
            "--",
            "echo",
            "-n",
            "--",
            "x",
        ])
        .unwrap();
        let Command::Exec(exec) = cli.command else {
            panic!("not exec")
        };
        assert_eq!(exec.machine.cpus, 4);
        assert_eq!(exec.timeout, Some(Duration::from_millis(1500)));
        assert_eq!(exec.program, ["echo", "-n", "--", "x"]);
    }

    #[test]
    fn limits_are_checked() {
        for bad in [
            &["weft", "exec"][..],
            &["weft", "run", "--cpus", "0"],
            &["weft", "run", "--cpus", "17"],
            &["weft", "run", "--memory", "16"],
            &["weft", "exec", "--timeout", "0", "--", "true"],
            &["weft", "exec", "--timeout", "nan", "--", "true"],
            &["weft", "exec", "--icount", "--accel", "kvm", "--", "true"],
        ] {
            assert!(Cli::try_parse_from(bad).is_err(), "{bad:?}");
        }
    }
}
