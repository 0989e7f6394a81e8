//! `time PROGRAM [ARGUMENT…]`: runs a program and says how long it took, and how
//! long a CPU worked for it, in user mode and in the kernel; the status is the
//! program's.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use user_bin::system::arguments::{misused, options};
use user_bin::system::program;
use weft::{process, time};

weft::program!(main);

const USAGE: &str = "time [-p] PROGRAM [ARGUMENT...]";

fn main() -> i32 {
    let options = options("p", USAGE);
    if options.operands.is_empty() {
        misused(USAGE)
    }
    let began = time::now();
    let ended = program::start(&options.operands).and_then(process::wait_for_used);
    let real = time::now() - began;
    match ended {
        Ok((_, ended, used)) => {
            let times = [
                ("real", real),
                ("user", used.user.to_nanos()),
                ("sys", used.system.to_nanos()),
            ];
            for (name, nanos) in times {
                let (seconds, hundredths) = (nanos / 1_000_000_000, nanos / 10_000_000 % 100);
                weft::eprintln!("{name} {seconds}.{hundredths:02}");
            }
            ended.shell_code().into()
        }
        Err(error) => {
            weft::eprintln!("time: {error}");
            126
        }
    }
}
