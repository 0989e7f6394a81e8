//! How a virtual machine ended: judged from QEMU's own status, from the kernel
//! log, and from what the tool did to it.

use std::time::Duration;

use super::log::Findings;
use crate::status::{Failure, Status};

/// QEMU's status after an orderly end: the kernel wrote 0x10 to the exit device.
const ORDERLY: i32 = 33;

/// QEMU's status after a panic: the kernel wrote 0x11.
const PANICKED: i32 = 35;

/// Why the tool itself stopped the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// The user asked for it with Ctrl-A X.
    ByUser,
    /// The time limit passed.
    Late(Duration),
    /// Neither the log nor the console said anything after the start.
    Silent(Duration),
    /// Nobody reads the program's output any more.
    NoReader,
}

/// How a machine ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The kernel powered off with this status.
    Status(u8),
    Panic,
    TripleFault,
    Stopped(Stopped),
    /// It powered off, but told no status.
    NoStatus,
    /// QEMU ended by itself, with this status if it was no signal.
    Emulator(Option<i32>),
}

impl Ending {
    /// Judges from QEMU's exit status (None: ended by a signal), the log, and
    /// whether the tool stopped it.
    pub fn judge(code: Option<i32>, log: Findings, stopped: Option<Stopped>) -> Ending {
        if log.panicked || code == Some(PANICKED) {
            return Ending::Panic;
        }
        match (stopped, code, log.exit_status) {
            // The machine may have gone off in the moment it was to be stopped.
            (_, Some(ORDERLY | 0), Some(status)) => Ending::Status(status),
            (Some(stopped), ..) => Ending::Stopped(stopped),
            (None, Some(ORDERLY), None) => Ending::NoStatus,
            // With -no-reboot QEMU ends well when the CPU resets itself.
            (None, Some(0), None) => Ending::TripleFault,
            (None, code, _) => Ending::Emulator(code),
        }
    }

    /// The tool's exit status: the program's own, or that of an error whose
    /// message tells what happened. `last` are the log's last lines.
    pub fn status(self, last: &[String]) -> anyhow::Result<u8> {
        let quoted: String = last.iter().map(|line| format!("\n    {line}")).collect();
        let end_of_log = match last {
            [] => "\nThe kernel log is empty.".to_owned(),
            _ => format!("\nThe kernel log ends with:{quoted}"),
        };
        let (status, message) = match self {
            Ending::Status(status) => return Ok(status),
            Ending::Stopped(Stopped::ByUser) => return Ok(0),
            Ending::Stopped(Stopped::NoReader) => return Ok(128 + 13),
            Ending::Panic => (
                Status::Panic,
                "the kernel panicked; its report is above. To look into it: cargo weft gdb".into(),
            ),
            Ending::TripleFault => (
                Status::TripleFault,
                format!(
                    "triple fault: the virtual CPU reset itself, since it met a fault while it could \
                     handle none.{end_of_log}\nTo look into it: cargo weft gdb"
                ),
            ),
            Ending::Stopped(Stopped::Late(limit)) => (
                Status::TimedOut,
                format!(
                    "no end after {} s: stopped.{end_of_log}",
                    limit.as_secs_f64()
                ),
            ),
            Ending::Stopped(Stopped::Silent(limit)) => (
                Status::TimedOut,
                format!(
                    "the kernel hangs: not a word from it in the first {} s.\n\
                     To look into it: cargo weft gdb",
                    limit.as_secs()
                ),
            ),
            Ending::NoStatus => (
                Status::Untold,
                format!("the machine went off without a status of the program.{end_of_log}"),
            ),
            Ending::Emulator(code) => {
                let how = match code {
                    Some(code) => format!("ended with status {code}"),
                    None => "was killed by a signal".to_owned(),
                };
                (
                    Status::Emulator,
                    format!("QEMU {how}, not by the kernel's doing; what it said is above."),
                )
            }
        };
        Err(Failure::error(status, message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status;

    const SILENT: Findings = Findings {
        exit_status: None,
        panicked: false,
        asked: 0,
    };
    const PANIC: Findings = Findings {
        exit_status: None,
        panicked: true,
        asked: 0,
    };

    fn exit(status: u8) -> Findings {
        Findings {
            exit_status: Some(status),
            ..SILENT
        }
    }

    #[test]
    fn verdicts() {
        let stopped = Stopped::Late(Duration::from_secs(1));
        let late = Some(stopped);
        let judge = Ending::judge;
        assert_eq!(judge(Some(33), exit(7), None), Ending::Status(7));
        assert_eq!(judge(Some(0), exit(0), None), Ending::Status(0));
        assert_eq!(judge(Some(33), exit(7), late), Ending::Status(7));
        assert_eq!(judge(Some(33), SILENT, None), Ending::NoStatus);
        assert_eq!(judge(Some(35), SILENT, None), Ending::Panic);
        assert_eq!(judge(Some(0), PANIC, None), Ending::Panic);
        assert_eq!(judge(None, PANIC, late), Ending::Panic);
        assert_eq!(judge(Some(0), SILENT, None), Ending::TripleFault);
        assert_eq!(judge(None, SILENT, late), Ending::Stopped(stopped));
        assert_eq!(judge(Some(1), SILENT, None), Ending::Emulator(Some(1)));
        assert_eq!(judge(None, SILENT, None), Ending::Emulator(None));
    }

    #[test]
    fn each_ending_has_its_own_status() {
        let of = |ending: Ending| match ending.status(&[]) {
            Ok(status) => status,
            Err(error) => status::of(&error),
        };
        let limit = Duration::from_secs(1);
        assert_eq!(of(Ending::Status(42)), 42);
        assert_eq!(of(Ending::Stopped(Stopped::ByUser)), 0);
        assert_eq!(of(Ending::Emulator(Some(1))), 205);
        assert_eq!(of(Ending::Panic), 206);
        assert_eq!(of(Ending::TripleFault), 207);
        assert_eq!(of(Ending::Stopped(Stopped::Late(limit))), 208);
        assert_eq!(of(Ending::Stopped(Stopped::Silent(limit))), 208);
        assert_eq!(of(Ending::NoStatus), 209);
    }

    #[test]
    fn messages_quote_the_log() {
        let error = Ending::TripleFault
            .status(&["cpu 1 up".into()])
            .unwrap_err();
        assert!(error.to_string().contains("cpu 1 up"));
    }
}
