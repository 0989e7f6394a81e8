//! `kill [-SIGNAL] PID…`: signals processes, by SIGTERM unless told otherwise.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use user_bin::signals;
use weft::abi::signal::SIGTERM;
use weft::process;

weft::program!(main);

fn main() -> i32 {
    let mut args = weft::args()
        .skip(1)
        .filter_map(|arg| arg.to_str().ok())
        .peekable();
    let mut signal = SIGTERM;
    if let Some(name) = args.next_if(|arg| arg.starts_with('-')) {
        match signals::number(&name.as_bytes()[1..]) {
            Some(number) => signal = number,
            None => return usage(),
        }
    }
    if args.peek().is_none() {
        return usage();
    }
    let mut code = 0;
    for arg in args {
        let Ok(pid) = arg.parse::<i32>() else {
            weft::eprintln!("kill: {arg}: expected a process id");
            code = 1;
            continue;
        };
        if let Err(error) = process::kill(pid, signal) {
            weft::eprintln!("kill: {pid}: {error}");
            code = 1;
        }
    }
    code
}

fn usage() -> i32 {
    weft::eprintln!("usage: kill [-SIGNAL] PID...");
    2
}
