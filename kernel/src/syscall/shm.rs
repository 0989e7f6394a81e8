//! The calls of shared memory as System V has it.

use abi::Errno;
use abi::ipc::*;
use abi::memory::PAGE_SIZE;
use machine::page_table::Rights;

use crate::ipc::access::{READ, WRITE};
use crate::ipc::shm::{self, Found, SHMALL, SHMMAX, SHMMNI};
use crate::memory::{LOWEST, Placement, pages, user};
use crate::thread::Current;

pub fn shmget(current: &Current, key: usize, size: usize, flags: usize) -> Result<usize, Errno> {
    shm::get(current, key as i32, size, flags).map(|id| id as usize)
}

pub fn shmat(current: &Current, id: usize, address: usize, flags: usize) -> Result<usize, Errno> {
    const EXECUTE: u32 = 1;
    let has = |flag| flags & flag != 0;
    let rounded = match has(SHM_RND) {
        true => address & !(PAGE_SIZE - 1),
        false => address,
    };
    // What replaces must say where.
    if !rounded.is_multiple_of(PAGE_SIZE) || has(SHM_REMAP) && rounded == 0 {
        return Err(Errno::EINVAL);
    }
    let mut rights = Rights::READ;
    let mut wanted = READ;
    if !has(SHM_RDONLY) {
        rights = rights | Rights::WRITE;
        wanted |= WRITE;
    }
    if has(SHM_EXEC) {
        rights = rights | Rights::EXECUTE;
        wanted |= EXECUTE;
    }
    let found = shm::find(id as i32)?;
    found.check(current, wanted)?;
    let length = found.length();
    let placement = match rounded {
        0 => Placement::Hint(0),
        at if at < LOWEST || pages(at, length).is_none() => return Err(Errno::EINVAL),
        at if has(SHM_REMAP) => Placement::Fixed(at),
        at => Placement::FixedFree(at),
    };
    let file = found.attach(!has(SHM_RDONLY))?;
    let space = current.space();
    let mapped = space.map_file(placement, length, rights, file);
    let start = mapped.map_err(|error| match error {
        Errno::EEXIST => Errno::EINVAL,
        error => error,
    })?;
    space.fill_locked(start..start + length, &|| !current.must_exit());
    Ok(start)
}

pub fn shmdt(current: &Current, address: usize) -> Result<usize, Errno> {
    if !address.is_multiple_of(PAGE_SIZE) {
        return Err(Errno::EINVAL);
    }
    current.space().detach(address)?;
    Ok(0)
}

pub fn shmctl(current: &Current, id: usize, command: usize, at: usize) -> Result<usize, Errno> {
    let (id, command) = (id as i32, command as u32);
    if id < 0 {
        return Err(Errno::EINVAL);
    }
    match command {
        IPC_INFO => {
            let limits = ShmLimits {
                max: SHMMAX.get() as u64,
                min: 1,
                segments: SHMMNI.get() as u64,
                per_process: SHMMNI.get() as u64,
                all: SHMALL.get() as u64,
                ..ShmLimits::default()
            };
            user::write_value(at, &limits)?;
            Ok(shm::used()?.greatest_place)
        }
        SHM_INFO => {
            let used = shm::used()?;
            let told = ShmUsed {
                segments: used.segments as u64,
                total: used.pages as u64,
                resident: used.resident as u64,
                ..ShmUsed::default()
            };
            user::write_value(at, &told)?;
            Ok(used.greatest_place)
        }
        IPC_STAT => tell(current, &shm::find(id)?, READ, at).map(|_| 0),
        SHM_STAT => tell(current, &shm::at(id)?, READ, at),
        SHM_STAT_ANY => tell(current, &shm::at(id)?, 0, at),
        IPC_SET => {
            let new: ShmidDs = user::read_value(at)?;
            shm::find(id)?.set(current, &new.perm)?;
            Ok(0)
        }
        IPC_RMID => shm::find(id)?.remove(current).map(|()| 0),
        SHM_LOCK | SHM_UNLOCK => {
            shm::find(id)?.set_locked(current, command == SHM_LOCK)?;
            Ok(0)
        }
        _ => Err(Errno::EINVAL),
    }
}

/// Tells of a segment; its id.
fn tell(current: &Current, found: &Found, wanted: u32, at: usize) -> Result<usize, Errno> {
    found.check(current, wanted)?;
    user::write_value(at, &found.describe())?;
    Ok(found.id as usize)
}
