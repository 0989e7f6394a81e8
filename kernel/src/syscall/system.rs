//! The calls about the system as a whole.

use crate::credentials::Capability;
use crate::memory::user;
use crate::thread::{self, Current};
use abi::Errno;
use abi::process::*;
use machine::frames;

pub fn uname(_current: &Current, out: usize) -> Result<usize, Errno> {
    let field = |text: &str| {
        let mut bytes = [0; 65];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        bytes
    };
    let names = UtsName {
        sysname: field("Linux"),
        nodename: field("weft"),
        release: field(crate::RELEASE),
        version: field(crate::VERSION),
        machine: field("x86_64"),
        domainname: field("(none)"),
    };
    user::write_value(out, &names)?;
    Ok(0)
}

pub fn sysinfo(_current: &Current, out: usize) -> Result<usize, Errno> {
    let page = abi::memory::PAGE_SIZE as u64;
    let info = SysInfo {
        uptime: (machine::time::now() / 1_000_000_000) as i64,
        totalram: frames::total_count() as u64 * page,
        freeram: frames::free_count() as u64 * page,
        procs: thread::processes() as u16,
        mem_unit: 1,
        ..SysInfo::default()
    };
    user::write_value(out, &info)?;
    Ok(0)
}

pub fn getrandom(current: &Current, out: usize, length: usize) -> Result<usize, Errno> {
    let mut done = 0;
    while done < length {
        let bytes = crate::random::bytes::<64>();
        let part = (length - done).min(bytes.len());
        let at = out.checked_add(done).ok_or(Errno::EFAULT)?;
        match user::write_bytes(at, &bytes[..part]) {
            Ok(()) if current.is_interrupted() => return Ok(done + part),
            Ok(()) => done += part,
            Err(error) if done == 0 => return Err(error),
            Err(_) => break,
        }
    }
    Ok(done)
}

pub fn reboot(
    current: &Current,
    magic1: usize,
    magic2: usize,
    command: usize,
    status: usize,
) -> Result<usize, Errno> {
    current.credentials().require(Capability::Boot)?;
    // Arguments are C ints: only their lower halves count.
    let is = |value: usize, magic: usize| value as u32 == magic as u32;
    if !is(magic1, REBOOT_MAGIC1) || !is(magic2, REBOOT_MAGIC2) || !is(command, REBOOT_POWER_OFF) {
        return Err(Errno::EINVAL);
    }
    crate::files::shut_down();
    machine::power::off(status as u8)
}
