//! Runs a script in a shell of its own and compares all that it prints.

use alloc::vec::Vec;
use weft::io::Text;
use weft::{Errno, check, file, process};

/// Gives a test for each script `FOLDER/NAME.sh`, which prints what is in
/// `FOLDER/NAME.out`.
#[macro_export]
macro_rules! scripts {
    ($folder:literal: $($test:ident = $name:literal),* $(,)?) => {
        $(fn $test() {
            $crate::script::check(
                include_str!(concat!($folder, "/", $name, ".sh")),
                include_str!(concat!($folder, "/", $name, ".out")),
            );
        })*

        pub const TESTS: &[weft::check::Test] = weft::tests![$($test),*];
    };
}

pub fn check(script: &str, expected: &str) {
    let output = run(script).expect("a shell");
    let expected = expected.as_bytes();
    if output == expected {
        return;
    }
    let lines = |text: &[u8]| -> Vec<Vec<u8>> {
        text.split(|byte| *byte == b'\n')
            .map(<[u8]>::to_vec)
            .collect()
    };
    let (output, expected) = (lines(&output), lines(expected));
    for line in 0..output.len().max(expected.len()) {
        let got = output.get(line).map_or(&b"(the end)"[..], Vec::as_slice);
        let wanted = expected.get(line).map_or(&b"(the end)"[..], Vec::as_slice);
        if got != wanted {
            let (got, wanted) = (Text(got), Text(wanted));
            weft::println!("line {}: printed {got}, not {wanted}", line + 1);
        }
    }
    process::exit(1)
}

/// Runs the script with no input; what it prints.
fn run(script: &str) -> Result<Vec<u8>, Errno> {
    let (read, write) = file::pipe()?;
    let script = alloc::ffi::CString::new(script).map_err(|_| Errno::EINVAL)?;
    let child = check::start_child(|| {
        let null = file::open(c"/dev/null", weft::abi::file::O_RDONLY).expect("/dev/null");
        file::dup2(null, file::STDIN).expect("an input");
        for output in [file::STDOUT, file::STDERR] {
            file::dup2(write, output).expect("an output");
        }
        for fd in [null, read, write] {
            let _ = file::close(fd);
        }
        let error = process::exec(c"/bin/sh", &[c"sh", c"-c", &script, c"sh"]);
        weft::println!("no shell: {error}");
        process::exit(127)
    });
    file::close(write)?;
    let mut output = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match file::read(read, &mut buffer)? {
            0 => break,
            n => output.extend_from_slice(&buffer[..n]),
        }
    }
    check::wait_for(child);
    Ok(output)
}
