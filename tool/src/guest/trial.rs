//! Tests of whole sessions, with kernels of a few instructions. They need QEMU,
//! which `cargo weft test` sees to; a bare `cargo test` passes over them without it.

use std::fs;
use std::time::Duration;

use super::ending::Stopped;
use super::hardware::{Console, Engine, Start};
use super::stub;
use super::{Ending, Hardware, Input, Outcome, Session, Sink};
use crate::cli::Board;
use crate::process;

/// mov al, VALUE; out 0xf4, al.
fn exit(value: u8) -> [u8; 4] {
    [0xb0, value, 0xe6, 0xf4]
}

/// lidt [zeroes]; int3: with an empty table every fault is a triple fault.
const TRIPLE_FAULT: &[u8] = &[0x0f, 0x01, 0x1d, 0x00, 0x00, 0x21, 0x00, 0xcc];

/// cli; hlt, for ever.
const HANG: &[u8] = &[0xfa, 0xf4, 0xeb, 0xfd];

/// Runs `code` as a kernel; None without QEMU.
fn boot(code: &[u8]) -> Option<Outcome> {
    let qemu = process::find("qemu-system-x86_64")?;
    let folder = tempfile::tempdir().unwrap();
    let kernel = folder.path().join("kernel");
    fs::write(&kernel, stub::elf(code)).unwrap();
    let hardware = Hardware {
        board: Board::Microvm,
        cpus: 1,
        memory: 32,
        engine: Engine::Tcg,
        cpu: "max".into(),
        start: Start::Direct {
            kernel,
            image: None,
            command_line: String::new(),
        },
        console: Console::Pipes,
        disks: Vec::new(),
        gdb: None,
    };
    let session = Session {
        qemu: &qemu,
        hardware: &hardware,
        input: Input::Nothing,
        output: Sink::Keep,
        log: Sink::Keep,
        limit: Some(Duration::from_secs(5)),
        expect_words: true,
    };
    Some(session.run().unwrap())
}

#[test]
fn channels_are_apart_and_the_status_is_read() {
    let code = stub::speak("up\nweft: exit status 42\n", "hello\r\nlast", &exit(0x10));
    let Some(outcome) = boot(&code) else { return };
    assert_eq!(outcome.ending, Ending::Status(42));
    assert_eq!(outcome.output, b"hello\r\nlast");
    assert_eq!(outcome.log, b"up\n");
}

#[test]
fn a_panic_is_told() {
    let code = stub::speak("weft: kernel panic: test\n", "", &exit(0x11));
    let Some(outcome) = boot(&code) else { return };
    assert_eq!(outcome.ending, Ending::Panic);
}

#[test]
fn a_triple_fault_is_told() {
    let Some(outcome) = boot(&stub::speak("up\n", "", TRIPLE_FAULT)) else {
        return;
    };
    assert_eq!(outcome.ending, Ending::TripleFault);
    assert_eq!(outcome.last, ["up"]);
}

#[test]
fn a_hang_is_told() {
    let Some(outcome) = boot(HANG) else { return };
    let late = Stopped::Late(Duration::from_secs(5));
    assert_eq!(outcome.ending, Ending::Stopped(late));
}

#[test]
fn an_end_without_status_is_told() {
    let Some(outcome) = boot(&exit(0x10)) else {
        return;
    };
    assert_eq!(outcome.ending, Ending::NoStatus);
}

#[test]
fn the_trial_of_kvm_ends_in_software_too() {
    let Some(outcome) = boot(stub::LOOP) else {
        return;
    };
    assert_eq!(outcome.ending, Ending::NoStatus);
}
