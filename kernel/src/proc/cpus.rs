//! `/sys` (sysfs(5)) as far as C libraries and tools look there: which CPUs there are.

use alloc::vec::Vec;

use abi::Errno;
use machine::cpu;

use super::{Listing, Numbers, Subject, What, folder, text};
use crate::files::allocate::try_vec;
use crate::files::text::Text;

pub static ROOT: Listing = Listing {
    entries: &[&[folder("devices", &DEVICES)]],
    numbers: None,
};

static DEVICES: Listing = Listing {
    entries: &[&[folder("system", &SYSTEM)]],
    numbers: None,
};

static SYSTEM: Listing = Listing {
    entries: &[&[folder("cpu", &CPUS)]],
    numbers: None,
};

static CPUS: Listing = Listing {
    entries: &[&[
        text("online", tell_all),
        text("possible", tell_all),
        text("present", tell_all),
    ]],
    numbers: Some(Numbers {
        prefix: "cpu",
        all,
        one: |of, number| match (number as usize) < cpu::count() {
            true => Ok(of),
            false => Err(Errno::ENOENT),
        },
        permissions: 0o555,
        what: What::Folder(&CPU),
    }),
};

/// Nothing is told of one by itself.
static CPU: Listing = Listing {
    entries: &[],
    numbers: None,
};

fn all(_: Subject) -> Result<Vec<u32>, Errno> {
    let mut numbers = try_vec(cpu::count())?;
    numbers.extend(0..cpu::count() as u32);
    Ok(numbers)
}

/// As a range.
fn tell_all(_: Subject, text: &mut Text) -> Result<(), Errno> {
    match cpu::count() {
        1 => text.add_bytes(b"0\n"),
        count => text.add(format_args!("0-{}\n", count - 1)),
    }
}
