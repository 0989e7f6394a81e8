//! `exec`: programs, their arguments, and images that are no programs.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::ffi::CString;
use alloc::vec::Vec;
use core::ffi::CStr;
use weft::abi::file::*;
use weft::check::{Test, rounds};
use weft::process::Ended;
use weft::{Errno, call, check, file, process, tests, wild};

weft::program!(main);

fn main() -> i32 {
    if let Some(code) = helper() {
        return code;
    }
    check::run(&[TESTS])
}

const TESTS: &[Test] = tests![
    arguments_arrive,
    environment_arrives,
    no_arguments_at_all,
    start_state_is_clean,
    files_stay_open,
    working_folder_stays,
    memory_is_new,
    not_a_program,
    broken_images_are_refused,
    changed_bytes_never_harm,
    cut_short_images,
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

const IMAGE: &CStr = c"/exec-image";

fn write_image(bytes: &[u8]) {
    let _ = file::unlink(IMAGE);
    let fd = file::open(IMAGE, O_WRONLY | O_CREAT | O_TRUNC).unwrap();
    file::write_all(fd, bytes).unwrap();
    file::close(fd).unwrap();
    const CHMOD: usize = 90;
    let _ = wild::call(CHMOD, [IMAGE.as_ptr() as usize, 0o755]);
}

fn not_a_program() {
    for bytes in [
        b"".as_slice(),
        b"x",
        b"\x7fELF",
        &[0; 4096],
        b"hello, this is a text",
        &[0xff; 200],
    ] {
        write_image(bytes);
        assert_eq!(
            process::exec(IMAGE, &[IMAGE]),
            Errno::ENOEXEC,
            "{} bytes",
            bytes.len()
        );
    }
    file::unlink(IMAGE).unwrap();
}

/// Offsets in an ELF header (System V ABI, chapter 4), their widths, and what to
/// put there.
const HEADER_CHANGES: [(usize, usize, u64); 16] = [
    (0, 1, 0x7e),
    (4, 1, 1),
    (5, 1, 2),
    (16, 2, 1),
    (16, 2, 4),
    (18, 2, 3),
    (18, 2, 183),
    (32, 8, u64::MAX),
    (32, 8, 1 << 40),
    (32, 8, u64::MAX - 100),
    (54, 2, 0),
    (54, 2, 57),
    (54, 2, 0xffff),
    (56, 2, 0xffff),
    (56, 2, 0),
    (24, 8, 1 << 63),
];

fn put(bytes: &mut [u8], at: usize, width: usize, value: u64) {
    bytes[at..at + width].copy_from_slice(&value.to_le_bytes()[..width]);
}

/// Refused before the old program is lost; or, if it is started, then ended by
/// its own fault and nothing else.
fn is_harmless(bytes: &[u8]) {
    write_image(bytes);
    let child = check::start_child(|| {
        // Away from the console, whatever it prints.
        let null = file::open(c"/dev/null", O_RDWR).unwrap();
        for fd in 0..3 {
            file::dup2(null, fd).unwrap();
        }
        // A name that none of the roles knows: it ends at once.
        process::exec(IMAGE, &[IMAGE, c"--as", c"nobody"]);
        process::exit(77)
    });
    check::wait_for(child);
}

fn broken_images_are_refused() {
    let good = read_all(&own_path());
    for (at, width, value) in HEADER_CHANGES {
        let mut bytes = good.clone();
        put(&mut bytes, at, width, value);
        write_image(&bytes);
        if at == 24 || at == 4 || at == 5 {
            // An entry nowhere, or an odd identification: refused, or at most a
            // fault at once.
            is_harmless(&bytes);
            continue;
        }
        let ended = check::in_child(|| {
            let error = process::exec(IMAGE, &[IMAGE, c"--as", c"nobody"]);
            let known = [Errno::ENOEXEC, Errno::EINVAL, Errno::ENOMEM, Errno::EIO];
            assert!(known.contains(&error), "{at} {value:#x}: {error:?}");
        });
        assert_eq!(ended, Ended::Exited(0), "{at} {value:#x}: was not refused");
    }
    program_headers(&good);
    file::unlink(IMAGE).unwrap();
}

/// Each loadable segment with a nonsensical address, size or offset.
fn program_headers(good: &[u8]) {
    let table = u64::from_le_bytes(good[32..40].try_into().unwrap()) as usize;
    let count = u16::from_le_bytes(good[56..58].try_into().unwrap()) as usize;
    const SIZE: usize = 56;
    const LOAD: u8 = 1;
    for at in (0..count)
        .map(|i| table + i * SIZE)
        .filter(|at| good[*at] == LOAD)
    {
        for (field, value) in [
            (16, 0xffff_ffff_8000_0000u64),
            (16, 1 << 63),
            (16, u64::MAX - 0xfff),
            (16, 0x7fff_ffff_f000),
            (40, u64::MAX),
            (40, 1 << 47),
            (32, u64::MAX),
            (32, 1 << 40),
            (8, u64::MAX),
            (8, 1 << 62),
        ] {
            let mut bytes = good.to_vec();
            put(&mut bytes, at + field, 8, value);
            is_harmless(&bytes);
        }
    }
}

fn changed_bytes_never_harm() {
    let good = read_all(&own_path());
    let mut state = 5u64;
    let mut next = |limit: usize| {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (state >> 33) as usize % limit
    };
    for _ in 0..rounds(25, 2_000) {
        let mut bytes = good.clone();
        for _ in 0..next(4) + 1 {
            // The headers: what the kernel reads.
            let at = next(600.min(good.len()));
            bytes[at] = next(256) as u8;
        }
        is_harmless(&bytes);
    }
    file::unlink(IMAGE).unwrap();
}

fn cut_short_images() {
    let good = read_all(&own_path());
    for length in [4, 16, 63, 64, 65, 119, 120, 500, 4095, 4096, good.len() / 2] {
        is_harmless(&good[..length.min(good.len())]);
    }
    file::unlink(IMAGE).unwrap();
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
