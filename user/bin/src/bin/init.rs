//! `init`, the first process: opens the console, runs what `/etc/exec` of the
//! initial image names and powers off with its status, or else keeps a shell
//! running; and collects every orphan.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::vec::Vec;
use core::ffi::CStr;
use weft::process::{self, Ended};
use weft::{Errno, abi, file};

weft::program!(main);

fn main() -> i32 {
    open_console();
    // With a disk as root, the initial image is found at /boot.
    match read_file(c"/boot/etc/exec").or_else(|_| read_file(c"/etc/exec")) {
        Ok(list) => {
            let args: Vec<&CStr> = list
                .split_inclusive(|&b| b == 0)
                .filter_map(|a| CStr::from_bytes_with_nul(a).ok())
                .collect();
            run_and_power_off(&args)
        }
        Err(_) => keep_shell(),
    }
}

/// Descriptors 0, 1 and 2, unless the kernel has opened them already.
fn open_console() {
    if file::fstat(file::STDERR).is_ok() {
        return;
    }
    if let Ok(fd) = file::open(c"/dev/console", abi::file::O_RDWR) {
        for wanted in [file::STDIN, file::STDOUT, file::STDERR] {
            if fd != wanted {
                let _ = file::dup2(fd, wanted);
            }
        }
        if fd > file::STDERR {
            let _ = file::close(fd);
        }
    }
}

fn read_file(name: &CStr) -> Result<Vec<u8>, Errno> {
    let fd = file::open(name, abi::file::O_RDONLY)?;
    let mut bytes = Vec::new();
    let mut buffer = [0; 512];
    let result = loop {
        match file::read(fd, &mut buffer) {
            Ok(0) => break Ok(bytes),
            Ok(n) => bytes.extend_from_slice(&buffer[..n]),
            Err(error) => break Err(error),
        }
    };
    file::close(fd)?;
    result
}

/// Starts a program in a session of its own, with the console's keys.
fn start(folders: &[&[u8]], args: &[&CStr]) -> Result<i32, Errno> {
    if let Some(child) = process::fork()? {
        return Ok(child);
    }
    if process::new_session().is_ok() {
        let _ = file::take_terminal(file::STDIN);
    }
    let error = process::exec_in(folders, args);
    let name = args.first().map_or(&b""[..], |name| name.to_bytes());
    weft::eprintln!("init: {}: {error}", weft::io::Text(name));
    process::exit(if error == Errno::ENOENT { 127 } else { 126 })
}

/// Waits until `child` has ended, collecting whoever else ends meanwhile.
fn wait_for(child: i32) -> Ended {
    loop {
        match process::wait() {
            Ok((id, ended)) if id == child => return ended,
            Ok(_) => {}
            Err(error) => {
                weft::eprintln!("init: waiting for {child}: {error}");
                return Ended::Exited(126);
            }
        }
    }
}

fn run_and_power_off(args: &[&CStr]) -> ! {
    // The bytes of the program go out as they are: somebody reads them who is
    // not a terminal.
    if let Ok(mut console) = file::terminal(file::STDIN) {
        console.oflag &= !(abi::tty::OPOST | abi::tty::ONLCR);
        console.lflag &= !abi::tty::ECHO;
        let _ = file::set_terminal(file::STDIN, &console);
    }
    let status = match start(&[b"/bin", b"/tests"], args) {
        Ok(child) => wait_for(child).shell_code(),
        Err(error) => {
            weft::eprintln!("init: cannot fork: {error}");
            126
        }
    };
    let error = process::power_off(status);
    weft::eprintln!("init: cannot power off: {error}");
    process::exit(1)
}

fn keep_shell() -> i32 {
    loop {
        match start(&[], &[c"/bin/sh"]) {
            Ok(shell) => {
                wait_for(shell);
                weft::eprintln!("init: the shell has ended; here is another");
            }
            Err(error) => {
                weft::eprintln!("init: cannot start a shell: {error}");
                return 1;
            }
        }
    }
}
