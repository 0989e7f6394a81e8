//! The virtual machine as QEMU's arguments.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::cli::Board;

/// The port of QEMU's exit device; see `machine::power` in the kernel.
const EXIT_DEVICE: &str = "isa-debug-exit,iobase=0xf4,iosize=4";

/// The port the kernel log goes to.
const LOG_DEVICE: &str = "isa-debugcon,iobase=0xe9,chardev=log";

/// What runs the virtual CPUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Software, one host thread per CPU.
    Tcg,
    /// Software that counts instructions: every run is the same.
    Counted,
    /// The host's CPU.
    Kvm,
}

/// What is started, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// By QEMU itself.
    Direct {
        kernel: PathBuf,
        image: Option<PathBuf>,
        command_line: String,
    },
    /// From a CD, by the board's own firmware or the given one.
    Disc {
        iso: PathBuf,
        firmware: Option<PathBuf>,
    },
}

/// Where the console and the log go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Console {
    /// QEMU's standard input and output; the log goes to its standard error.
    Pipes,
    /// A pseudo terminal, which QEMU names as it starts; the log as above.
    PseudoTerminal,
}

/// A virtio disk. What the guest has flushed is in the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disk {
    /// The raw image.
    pub image: PathBuf,
    /// A rule file of QEMU's `blkdebug`: which accesses fail.
    pub faults: Option<PathBuf>,
    /// Where `blklogwrites` notes all that the disk is asked to do: a file.
    pub log: Option<PathBuf>,
}

impl Disk {
    /// Where a drive's content comes from, as options.
    fn source(&self) -> OsString {
        let image = || self.image.as_os_str().to_os_string();
        if let Some(log) = &self.log {
            return concat(&[
                "driver=blklogwrites,log-sector-size=512,file.driver=file,file.filename=".into(),
                escape_commas(image()),
                ",log.driver=file,log.filename=".into(),
                escape_commas(log.as_os_str().to_os_string()),
            ]);
        }
        let file = match &self.faults {
            Some(rules) => concat(&["blkdebug:".into(), rules.into(), ":".into(), image()]),
            None => image(),
        };
        concat(&["format=raw,file=".into(), escape_commas(file)])
    }
}

/// A virtual machine.
#[derive(Clone, Debug)]
pub struct Hardware {
    pub board: Board,
    pub cpus: u32,
    /// In MiB.
    pub memory: u32,
    pub engine: Engine,
    pub cpu: String,
    pub start: Start,
    pub console: Console,
    /// The first is /dev/vda in the guest.
    pub disks: Vec<Disk>,
    /// A unix socket for gdb; the CPUs then wait for it.
    pub gdb: Option<PathBuf>,
}

impl Hardware {
    /// QEMU's arguments for this machine.
    pub fn arguments(&self) -> Vec<OsString> {
        let mut words: Vec<OsString> = Vec::new();
        let mut add = |text: &str| words.extend(text.split_whitespace().map(OsString::from));
        add("-nodefaults -no-user-config -display none -no-reboot");
        add(match self.board {
            Board::Microvm => "-M microvm",
            Board::Q35 => "-M q35",
        });
        add(match (self.engine, self.cpus) {
            (Engine::Tcg, _) => "-accel tcg,thread=multi",
            (Engine::Kvm, _) => "-accel kvm",
            // The host's date would make every run another one.
            (Engine::Counted, 1) => {
                "-accel tcg -icount shift=0,sleep=off -rtc base=2020-01-01,clock=vm"
            }
            // Several CPUs take turns; one nanosecond per instruction would starve their timers.
            (Engine::Counted, _) => {
                "-accel tcg -icount shift=3,sleep=off -rtc base=2020-01-01,clock=vm"
            }
        });
        add(&format!(
            "-cpu {} -m {} -smp {}",
            self.cpu, self.memory, self.cpus
        ));
        add(match self.console {
            Console::Pipes => "-chardev stdio,id=console,signal=off",
            Console::PseudoTerminal => "-chardev pty,id=console",
        });
        // QEMU's own standard error is a pipe to the tool.
        add("-serial chardev:console -chardev file,id=log,path=/dev/stderr");
        add(&format!("-device {LOG_DEVICE} -device {EXIT_DEVICE}"));
        self.add_disks(&mut words);
        self.add_start(&mut words);
        if let Some(socket) = &self.gdb {
            words.push("-S".into());
            words.push("-gdb".into());
            let socket = escape_commas(socket.as_os_str().to_os_string());
            words.push(concat(&[
                "unix:".into(),
                socket,
                ",server=on,wait=off".into(),
            ]));
        }
        words
    }

    fn add_disks(&self, words: &mut Vec<OsString>) {
        let mut option = |name: &str, value: OsString| words.extend([name.into(), value]);
        if !self.disks.is_empty() && self.board == Board::Microvm {
            // The kernel speaks the interface of virtio 1.0 and later.
            option("-global", "virtio-mmio.force-legacy=false".into());
        }
        for (number, disk) in self.disks.iter().enumerate() {
            let drive = format!("if=none,id=disk{number},cache=writeback,").into();
            option("-drive", concat(&[drive, disk.source()]));
            let device = match self.board {
                Board::Microvm => "virtio-blk-device",
                Board::Q35 => "virtio-blk-pci,disable-legacy=on",
            };
            option("-device", format!("{device},drive=disk{number}").into());
        }
    }

    fn add_start(&self, words: &mut Vec<OsString>) {
        let mut option = |name: &str, value: OsString| words.extend([name.into(), value]);
        match &self.start {
            Start::Direct {
                kernel,
                image,
                command_line,
            } => {
                option("-kernel", kernel.into());
                if let Some(image) = image {
                    option("-initrd", image.into());
                }
                option("-append", command_line.into());
            }
            Start::Disc { iso, firmware } => {
                option("-cdrom", iso.into());
                if let Some(firmware) = firmware {
                    option("-bios", firmware.into());
                }
            }
        }
    }
}

/// A comma inside a value of an option list is written twice.
fn escape_commas(value: OsString) -> OsString {
    match value.to_str() {
        Some(text) => text.replace(',', ",,").into(),
        None => value,
    }
}

fn concat(parts: &[OsString]) -> OsString {
    parts.iter().fold(OsString::new(), |mut all, part| {
        all.push(part);
        all
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hardware() -> Hardware {
        Hardware {
            board: Board::Microvm,
            cpus: 2,
            memory: 256,
            engine: Engine::Tcg,
            cpu: "max".into(),
            start: Start::Direct {
                kernel: "/k".into(),
                image: Some("/i".into()),
                command_line: "policy=fair log=info".into(),
            },
            console: Console::Pipes,
            disks: Vec::new(),
            gdb: None,
        }
    }

    fn words(hardware: &Hardware) -> String {
        let words: Vec<String> = hardware
            .arguments()
            .into_iter()
            .map(|word| word.into_string().unwrap())
            .collect();
        words.join(" ")
    }

    #[test]
    fn the_default_machine() {
        let words = words(&hardware());
        for part in [
            "-no-reboot",
            "-M microvm -accel tcg,thread=multi -cpu max -m 256 -smp 2",
            "-device isa-debug-exit,iobase=0xf4,iosize=4",
            "-device isa-debugcon,iobase=0xe9,chardev=log",
            "-kernel /k -initrd /i -append policy=fair log=info",
        ] {
            assert!(words.contains(part), "{part} is not in {words}");
        }
        assert!(!words.contains("-S"));
    }

    #[test]
    fn the_command_line_is_one_word() {
        let arguments = hardware().arguments();
        assert!(arguments.contains(&"policy=fair log=info".into()));
    }

    #[test]
    fn disks_have_their_order_and_their_faults() {
        let mut machine = hardware();
        assert!(!words(&machine).contains("virtio"));
        let disk = |image: &str, faults: Option<&str>| Disk {
            image: image.into(),
            faults: faults.map(PathBuf::from),
            log: None,
        };
        machine.disks = vec![disk("/a,b", None), disk("/c", Some("/rules"))];
        let small = words(&machine);
        assert!(small.contains("virtio-mmio.force-legacy=false"));
        assert!(small.contains("file=/a,,b -device virtio-blk-device,drive=disk0"));
        assert!(small.contains("file=blkdebug:/rules:/c -device virtio-blk-device,drive=disk1"));
        machine.disks[0].log = Some("/log".into());
        let logged = words(&machine);
        assert!(logged.contains("file.filename=/a,,b,log.driver=file,log.filename=/log -device"));
        machine.board = Board::Q35;
        let large = words(&machine);
        assert!(large.contains("-device virtio-blk-pci,disable-legacy=on,drive=disk0"));
    }

    #[test]
    fn counting_instructions() {
        let mut one = hardware();
        one.engine = Engine::Counted;
        assert!(words(&one).contains("shift=3,sleep=off -rtc"));
        one.cpus = 1;
        assert!(words(&one).contains("shift=0,sleep=off"));
        assert!(!words(&one).contains("thread=multi"));
    }

    #[test]
    fn a_disc_and_gdb() {
        let mut machine = hardware();
        machine.start = Start::Disc {
            iso: "/w.iso".into(),
            firmware: Some("/ovmf".into()),
        };
        machine.gdb = Some("/tmp/a,b".into());
        let words = words(&machine);
        assert!(words.contains("-cdrom /w.iso -bios /ovmf"));
        assert!(words.contains("-S -gdb unix:/tmp/a,,b,server=on,wait=off"));
        assert!(!words.contains("-kernel"));
    }
}
