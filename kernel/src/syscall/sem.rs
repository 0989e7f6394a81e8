//! The calls of semaphores as System V has them.

use abi::Errno;
use abi::ipc::*;
use abi::time::Timespec;
use alloc::boxed::Box;
use alloc::vec::Vec;
use zerocopy::IntoBytes;

use crate::files::allocate::try_vec;
use crate::ipc::access::{READ, WRITE};
use crate::ipc::sem::{self, Found, SEMMNI, SEMMNS, SEMMSL, SEMOPM};
use crate::memory::user;
use crate::thread::Current;
use crate::time;

pub fn semget(current: &Current, key: usize, count: usize, flags: usize) -> Result<usize, Errno> {
    let count = usize::try_from(count as i32).map_err(|_| Errno::EINVAL)?;
    sem::get(current, key as i32, count, flags).map(|id| id as usize)
}

pub fn semop(current: &Current, id: usize, at: usize, count: usize) -> Result<usize, Errno> {
    semtimedop(current, id, at, count, 0)
}

/// semtimedop(2): never made again after a signal.
pub fn semtimedop(
    current: &Current,
    id: usize,
    at: usize,
    count: usize,
    timeout: usize,
) -> Result<usize, Errno> {
    let (id, count) = (id as i32, count as u32 as usize);
    let timeout: Option<Timespec> = match timeout {
        0 => None,
        timeout => Some(user::read_value(timeout)?),
    };
    if count > SEMOPM.get() {
        return Err(Errno::E2BIG);
    }
    if count == 0 {
        return Err(Errno::EINVAL);
    }
    let mut operations = zeroed(count)?;
    user::read_bytes(at, operations.as_mut_bytes())?;
    let deadline = timeout.map(time::from_now).transpose()?;
    sem::find(id)?.operate(current, operations, deadline)?;
    Ok(0)
}

fn zeroed<T: Clone + Default>(count: usize) -> Result<Box<[T]>, Errno> {
    let mut vector: Vec<T> = try_vec(count)?;
    vector.resize(count, T::default());
    Ok(vector.into_boxed_slice())
}

pub fn semctl(
    current: &Current,
    id: usize,
    number: usize,
    command: usize,
    argument: usize,
) -> Result<usize, Errno> {
    let (id, command) = (id as i32, command as u32);
    if id < 0 {
        return Err(Errno::EINVAL);
    }
    // Negative ones are greater than all there are.
    let number = number as u32 as usize;
    match command {
        IPC_INFO | SEM_INFO => {
            user::write_value(argument, &info(command == SEM_INFO))?;
            Ok(sem::greatest_place())
        }
        IPC_STAT => tell(current, &sem::find(id)?, READ, argument).map(|_| 0),
        SEM_STAT => tell(current, &sem::at(id)?, READ, argument),
        SEM_STAT_ANY => tell(current, &sem::at(id)?, 0, argument),
        IPC_SET => {
            let new: SemidDs = user::read_value(argument)?;
            sem::find(id)?.set_permission(current, &new.perm)?;
            Ok(0)
        }
        IPC_RMID => sem::find(id)?.remove(current).map(|()| 0),
        GETVAL => Ok(sem::find(id)?.value(current, number)?.0 as usize),
        GETPID => Ok(sem::find(id)?.value(current, number)?.1 as usize),
        GETNCNT | GETZCNT => sem::find(id)?.waiting(current, number, command == GETZCNT),
        GETALL => {
            let found = sem::find(id)?;
            let mut values = zeroed(found.set.count())?;
            found.values(current, &mut values)?;
            user::write_bytes(argument, values.as_bytes())?;
            Ok(0)
        }
        SETVAL => {
            let value = check_value(argument as i32)?;
            sem::find(id)?.set_values(current, number, &[value])?;
            Ok(0)
        }
        SETALL => {
            let found = sem::find(id)?;
            found.check(current, WRITE)?;
            let mut values: Box<[i16]> = zeroed(found.set.count())?;
            user::read_bytes(argument, values.as_mut_bytes())?;
            for &value in &values {
                check_value(i32::from(value))?;
            }
            found.set_values(current, 0, &values)?;
            Ok(0)
        }
        _ => Err(Errno::EINVAL),
    }
}

/// ERANGE.
fn check_value(value: i32) -> Result<i16, Errno> {
    let value = i16::try_from(value).ok().filter(|&value| value >= 0);
    value.ok_or(Errno::ERANGE)
}

/// The limits, in two of whose fields Linux tells what is used.
fn info(tells_used: bool) -> SemInfo {
    const UNDO_SIZE: usize = 20;
    let (undo_size, undo_max) = match tells_used {
        true => sem::used(),
        false => (UNDO_SIZE, SEMVMX as usize),
    };
    let most = SEMMNS.get() as i32;
    SemInfo {
        map: most,
        sets: SEMMNI.get() as i32,
        semaphores: most,
        undos: most,
        per_set: SEMMSL.get() as i32,
        per_call: SEMOPM.get() as i32,
        undo_entries: SEMOPM.get() as i32,
        undo_size: undo_size as i32,
        value_max: i32::from(SEMVMX),
        undo_max: undo_max as i32,
    }
}

/// Tells of a set; its id.
fn tell(current: &Current, found: &Found, wanted: u32, at: usize) -> Result<usize, Errno> {
    found.check(current, wanted)?;
    user::write_value(at, &found.describe())?;
    Ok(found.id as usize)
}
