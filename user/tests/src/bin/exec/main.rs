//! `exec`: programs, their arguments, and images that are no programs.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

extern crate alloc;

mod images;

use alloc::ffi::CString;
use alloc::vec::Vec;
use core::ffi::CStr;
use weft::abi::file::*;
use weft::check::{Test, rounds};
use weft::process::Ended;
use weft::{Errno, call, check, file, process, tests, wild};

use images::{IMAGE, write_image};

weft::program!(main);

fn main() -> i32 {
    if let Some(code) = helper() {
        return code;
    }
    check::run(&[TESTS, images::TESTS])
}

const TESTS: &[Test] = tests![
    arguments_arrive,
    environment_arrives,
    no_arguments_at_all,
    start_state_is_clean,
    files_stay_open,
    working_folder_stays,
    memory_is_new,
    program_may_be_unlinked,
    folders_and_devices_do_not_run,
    what_is_written_does_not_run,
    what_runs_is_not_written,
    exec_many_times,
    exec_from_a_deep_stack,
];

fn own_path() -> CString {
    let name = weft::args().next().unwrap_or(c"exec");
    match name.to_bytes().contains(&b'/') {
        true => name.into(),
        false => CString::new([b"/tests/", name.to_bytes()].concat()).unwrap(),
    }
}

/// If this run is a helper's: what it found, as an exit code.
fn helper() -> Option<i32> {
    let args: Vec<&CStr> = weft::args().collect();
    // Started without any arguments, not even a name (Linux makes up an empty one).
    if args.first().is_none_or(|name| name.is_empty()) {
        return Some(33);
    }
    if args.get(1) != Some(&c"--as") {
        return None;
    }
    let good = match args.get(2)?.to_bytes() {
        b"words" => args[3..] == [c"", c"two words", c"\xff\xfe", c"last"],
        b"count" => args.len() == 1003 && args[3..].iter().all(|word| *word == c"word"),
        b"environment" => {
            weft::args::variable("ALPHA") == Some(b"1")
                && weft::args::variable("BETA") == Some(b"")
                && weft::args::variable("GAMMA").is_none()
        }
        b"files" => {
            let mut buffer = [0; 4];
            file::read(60, &mut buffer) == Ok(3) && &buffer[..3] == b"def"
        }
        b"folder" => file::current_folder(&mut [0; 64]) == Ok(c"/dev"),
        b"memory" => {
            let start = wild::brk(0);
            wild::brk(start + 10_000) == start + 10_000
                && wild::bytes(start, 10_000).iter().all(|byte| *byte == 0)
        }
        b"wait" => file::read(0, &mut [0]) == Ok(0),
        b"state" => wild::vector_after(5, 1) == 5,
        _ => false,
    };
    Some(!good as i32)
}

/// Runs this program as a helper.
fn helps(role: &CStr, more: &[&CStr]) {
    let ended = check::in_child(|| {
        let path = own_path();
        let args: Vec<&CStr> = [path.as_c_str(), c"--as", role]
            .into_iter()
            .chain(more.iter().copied())
            .collect();
        panic!("exec: {}", process::exec(&path, &args));
    });
    assert_eq!(ended, Ended::Exited(0));
}

fn arguments_arrive() {
    helps(c"words", &[c"", c"two words", c"\xff\xfe", c"last"]);
    helps(c"count", &[c"word"; 1000]);
}

fn execve(path: &CStr, args: &[&CStr], environment: &[&CStr]) -> Errno {
    let list = |strings: &[&CStr]| -> Vec<usize> {
        strings
            .iter()
            .map(|string| string.as_ptr() as usize)
            .chain([0])
            .collect()
    };
    let (args, environment) = (list(args), list(environment));
    let words = [
        path.as_ptr() as usize,
        args.as_ptr() as usize,
        environment.as_ptr() as usize,
    ];
    wild::call(call::EXECVE, words).expect_err("execve came back")
}

fn environment_arrives() {
    let ended = check::in_child(|| {
        let path = own_path();
        let args = [path.as_c_str(), c"--as", c"environment"];
        panic!(
            "exec: {}",
            execve(&path, &args, &[c"ALPHA=1", c"BETA=", c"GAMM=x"])
        );
    });
    assert_eq!(ended, Ended::Exited(0));
}

fn no_arguments_at_all() {
    for null in [true, false] {
        let ended = check::in_child(|| {
            let path = own_path();
            let empty = [0usize];
            let list = if null { 0 } else { empty.as_ptr() as usize };
            let result = wild::call(call::EXECVE, [path.as_ptr() as usize, list, 0]);
            panic!("exec: {result:?}");
        });
        assert_eq!(ended, Ended::Exited(33));
    }
}

fn start_state_is_clean() {
    helps(c"state", &[]);
}

fn files_stay_open() {
    let name = c"/exec-file";
    let fd = file::open(name, O_RDWR | O_CREAT | O_TRUNC).unwrap();
    file::write_all(fd, b"abcdef").unwrap();
    file::seek(fd, 3, SEEK_SET).unwrap();
    file::dup2(fd, 60).unwrap();
    helps(c"files", &[]);
    file::unlink(name).unwrap();
}

fn working_folder_stays() {
    file::chdir(c"/dev").unwrap();
    helps(c"folder", &[]);
}

fn memory_is_new() {
    let start = wild::brk(0);
    wild::brk(start + 10_000);
    wild::bytes(start, 10_000).fill(1);
    helps(c"memory", &[]);
}

fn read_all(path: &CStr) -> Vec<u8> {
    let fd = file::open(path, O_RDONLY).unwrap();
    let size = file::fstat(fd).unwrap().size as usize;
    let mut bytes = alloc::vec![0; size];
    assert_eq!(file::read_full(fd, &mut bytes), Ok(size));
    file::close(fd).unwrap();
    bytes
}

fn program_may_be_unlinked() {
    write_image(&read_all(&own_path()));
    let ended = check::in_child(|| {
        let copy = c"/exec-copy";
        file::link(IMAGE, copy).unwrap();
        file::unlink(IMAGE).unwrap();
        panic!("exec: {}", process::exec(copy, &[copy, c"--as", c"state"]));
    });
    assert_eq!(ended, Ended::Exited(0));
    file::unlink(c"/exec-copy").unwrap();
}

fn folders_and_devices_do_not_run() {
    for path in [c"/", c"/dev", c"/dev/null", c"/dev/zero"] {
        assert_eq!(process::exec(path, &[path]), Errno::EACCES, "{path:?}");
    }
    assert_eq!(process::exec(c"/nosuch", &[c"x"]), Errno::ENOENT);
    assert_eq!(process::exec(c"/dev/null/x", &[c"x"]), Errno::ENOTDIR);
}

fn what_is_written_does_not_run() {
    write_image(&read_all(&own_path()));
    let runs = || process::exec(IMAGE, &[IMAGE, c"--as", c"state"]);
    let fd = file::open(IMAGE, O_WRONLY).unwrap();
    assert_eq!(runs(), Errno::ETXTBSY);
    // One that is only read may be open, and a copy of the descriptor counts.
    let copy = file::dup(fd).unwrap();
    file::close(fd).unwrap();
    assert_eq!(runs(), Errno::ETXTBSY);
    file::close(copy).unwrap();
    let fd = file::open(IMAGE, O_RDWR).unwrap();
    let mapping = [0, 4096, 3, 1, fd as usize, 0];
    let base = wild::call(call::MMAP, mapping).unwrap();
    file::close(fd).unwrap();
    assert_eq!(runs(), Errno::ETXTBSY, "a mapping writes to it");
    wild::unmap(base, 4096).unwrap();
    let _reading = file::open(IMAGE, O_RDONLY).unwrap();
    let ended = check::in_child(|| panic!("exec: {}", runs()));
    assert_eq!(ended, Ended::Exited(0));
    file::unlink(IMAGE).unwrap();
}

fn what_runs_is_not_written() {
    let path = own_path();
    let truncate = || wild::call(call::TRUNCATE, [path.as_ptr() as usize, 1]);
    for flags in [O_WRONLY, O_RDWR, O_RDONLY | O_TRUNC, O_WRONLY | O_APPEND] {
        assert_eq!(file::open(&path, flags), Err(Errno::ETXTBSY), "{flags:#x}");
    }
    assert_eq!(truncate(), Err(Errno::ETXTBSY));
    // A child that was forked runs it too; what runs something else does not.
    let image = read_all(&path);
    write_image(&image);
    let (read, write) = file::pipe().unwrap();
    let child = check::start_child(|| {
        file::dup2(read, 0).unwrap();
        file::close(write).unwrap();
        // The parent looks whether it runs by opening it.
        loop {
            let refused = process::exec(IMAGE, &[IMAGE, c"--as", c"wait"]);
            assert_eq!(refused, Errno::ETXTBSY);
        }
    });
    file::close(read).unwrap();
    check::until(|| file::open(IMAGE, O_WRONLY).map(file::close).is_err());
    assert_eq!(file::open(IMAGE, O_WRONLY), Err(Errno::ETXTBSY));
    file::unlink(IMAGE).unwrap();
    write_image(&image);
    file::close(write).unwrap();
    assert_eq!(check::wait_for(child), Ended::Exited(0));
    file::unlink(IMAGE).unwrap();
}

fn exec_many_times() {
    let free = || process::system().unwrap().freeram;
    let churn = |count| (0..count).for_each(|_| helps(c"state", &[]));
    churn(5);
    let before = free();
    churn(rounds(30, 2_000));
    assert!(free() + (1 << 20) >= before, "{before} {}", free());
}

#[inline(never)]
fn from_below(depth: usize) {
    let mut room = [depth as u8; 2000];
    core::hint::black_box(&mut room);
    if depth > 0 {
        from_below(depth - 1);
        assert_eq!(room[9], depth as u8);
    } else {
        helps(c"words", &[c"", c"two words", c"\xff\xfe", c"last"]);
    }
}

fn exec_from_a_deep_stack() {
    from_below(300);
}
