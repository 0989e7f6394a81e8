//! fork, exec, wait.

use crate::measure::Bench;
use weft::process;

pub fn run(bench: &mut Bench) {
    bench.each("fork_exit_wait", 200, || {
        if process::fork()?.is_none() {
            process::exit(0);
        }
        process::wait().map(|_| ())
    });
    bench.each("fork_exec_wait", 100, || {
        if process::fork()?.is_none() {
            process::exec(c"/bin/true", &[c"true"]);
            process::exit(1);
        }
        process::wait().map(|_| ())
    });
}
