//! The calls of threads: exit, join, futex, affinity, semaphores. Each reads its
//! arguments and leaves the work to [`crate::thread`].

use super::sched::check_target;
use crate::memory::user;
use crate::sched;
use crate::thread::{self, Current, Word};
use crate::time;
use abi::Errno;
use abi::clone::ThreadInfo;
use abi::futex::*;
use abi::process::{ARCH_GET_FS, ARCH_GET_GS, ARCH_SET_FS, ARCH_SET_GS};
use abi::time::Timespec;
use core::sync::atomic::Ordering::Relaxed;
use machine::task::Tasked;

pub fn exit(current: &mut Current, code: usize) -> Result<usize, Errno> {
    thread::exit_thread(current, code as i32);
    Ok(0)
}

pub fn exit_group(current: &mut Current, code: usize) -> Result<usize, Errno> {
    thread::exit_group(current, code as i32);
    Ok(0)
}

pub fn wide_exit(current: &mut Current, code: usize) -> Result<usize, Errno> {
    thread::exit_group_wide(current, code as i32);
    Ok(0)
}

pub fn set_tid_address(current: &Current, word: usize) -> Result<usize, Errno> {
    current.clear_tid.store(word, Relaxed);
    Ok(current.tid() as usize)
}

pub fn arch_prctl(current: &Current, operation: usize, address: usize) -> Result<usize, Errno> {
    let task = current.task();
    let base = || {
        if address < abi::memory::USER_END {
            Ok(address)
        } else {
            Err(Errno::EPERM)
        }
    };
    match operation as u32 as usize {
        ARCH_SET_FS => task.set_fs_base(base()?),
        ARCH_SET_GS => task.set_gs_base(base()?),
        ARCH_GET_FS => user::write_value(address, &task.fs_base())?,
        ARCH_GET_GS => user::write_value(address, &task.gs_base())?,
        _ => return Err(Errno::EINVAL),
    }
    Ok(0)
}

pub fn tkill(current: &Current, tid: usize, signal: usize) -> Result<usize, Errno> {
    thread::tkill(current, tid as isize, signal as u32)
}

pub fn tgkill(current: &Current, tgid: usize, tid: usize, signal: usize) -> Result<usize, Errno> {
    thread::tgkill(current, tgid as isize, tid as isize, signal as u32)
}

pub fn futex(
    current: &Current,
    word: usize,
    operation: usize,
    value: usize,
    timeout: usize,
    word2: usize,
    value3: usize,
) -> Result<usize, Errno> {
    let operation = operation as u32 as usize;
    let command = operation & !(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME);
    let bits = match command {
        FUTEX_WAIT_BITSET | FUTEX_WAKE_BITSET => value3 as u32,
        _ => FUTEX_BITSET_MATCH_ANY,
    };
    let word_at = |address| Word {
        address,
        is_private: operation & FUTEX_PRIVATE_FLAG != 0,
    };
    // Counts are signed ints; Linux takes a negative one as none, and wakes
    // one where none is asked for.
    let count = |value: usize| (value as i32).max(0) as usize;
    match command {
        FUTEX_WAIT | FUTEX_WAIT_BITSET => {
            let deadline = match (timeout, command) {
                (0, _) => None,
                (at, FUTEX_WAIT) => Some(time::from_now(user::read_value(at)?)?),
                (at, _) if operation & FUTEX_CLOCK_REALTIME != 0 => {
                    Some(time::from_wall_clock(user::read_value(at)?)?)
                }
                (at, _) => Some(time::nanos(user::read_value(at)?)?),
            };
            thread::futex_wait(current, word_at(word), value as u32, bits, deadline)
        }
        FUTEX_WAKE | FUTEX_WAKE_BITSET => {
            thread::futex_wake(current, word_at(word), count(value).max(1), bits)
        }
        FUTEX_REQUEUE | FUTEX_CMP_REQUEUE => {
            if (value as i32) < 0 || (timeout as i32) < 0 {
                return Err(Errno::EINVAL);
            }
            let expected = (command == FUTEX_CMP_REQUEUE).then_some(value3 as u32);
            let (from, to) = (word_at(word), word_at(word2));
            thread::requeue(current, from, to, count(value), count(timeout), expected)
        }
        FUTEX_WAKE_OP => {
            let (first, second) = (word_at(word), word_at(word2));
            let (count, second_count) = (count(value).max(1), count(timeout).max(1));
            thread::wake_op(current, first, count, second, second_count, value3 as u32)
        }
        _ => pi_futex(
            current,
            operation,
            word_at(word),
            word_at(word2),
            [value, timeout, value3],
        ),
    }
}

/// Those of locks with priority inheritance.
fn pi_futex(
    current: &Current,
    operation: usize,
    word: Word,
    lock: Word,
    [value, timeout, value3]: [usize; 3],
) -> Result<usize, Errno> {
    let has_wall_clock = operation & FUTEX_CLOCK_REALTIME != 0;
    let command = operation & !(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME);
    let deadline = |on_wall_clock| match timeout {
        0 => Ok(None),
        at if on_wall_clock => time::from_wall_clock(user::read_value(at)?).map(Some),
        at => time::nanos(user::read_value(at)?).map(Some),
    };
    match command {
        // They have no other clock, or none.
        FUTEX_LOCK_PI | FUTEX_TRYLOCK_PI | FUTEX_UNLOCK_PI | FUTEX_CMP_REQUEUE_PI
            if has_wall_clock =>
        {
            Err(Errno::ENOSYS)
        }
        FUTEX_LOCK_PI => thread::pi_lock(current, word, true, deadline(true)?),
        FUTEX_LOCK_PI2 => thread::pi_lock(current, word, true, deadline(has_wall_clock)?),
        FUTEX_TRYLOCK_PI => thread::pi_lock(current, word, false, None),
        FUTEX_UNLOCK_PI => thread::pi_unlock(current, word),
        FUTEX_WAIT_REQUEUE_PI => {
            let deadline = deadline(has_wall_clock)?;
            thread::pi_requeue_wait(current, word, value as u32, lock, deadline)
        }
        FUTEX_CMP_REQUEUE_PI => {
            let more = timeout as i32;
            if value as i32 != 1 || more < 0 {
                return Err(Errno::EINVAL);
            }
            thread::pi_requeue(current, word, more as usize, lock, value3 as u32)
        }
        _ => Err(Errno::ENOSYS),
    }
}

pub fn rseq(
    current: &Current,
    area: usize,
    length: usize,
    flags: usize,
    signature: usize,
) -> Result<usize, Errno> {
    thread::register_rseq(current, area, length, flags, signature as u32)
}

pub fn set_robust_list(current: &Current, head: usize, length: usize) -> Result<usize, Errno> {
    thread::set_robust_list(current, head, length)
}

pub fn get_robust_list(
    current: &Current,
    tid: usize,
    head: usize,
    length: usize,
) -> Result<usize, Errno> {
    thread::robust_list(current, tid, head, length)
}

pub fn sched_yield() -> Result<usize, Errno> {
    sched::yield_now();
    Ok(0)
}

/// Bytes of the affinity mask that the kernel uses.
const MASK_SIZE: usize = size_of::<u64>();

pub fn sched_setaffinity(
    current: &Current,
    tid: usize,
    size: usize,
    mask: usize,
) -> Result<usize, Errno> {
    let target = thread::find(current, tid)?;
    check_target(current, &target)?;
    let mut bytes = [0u8; MASK_SIZE];
    let used = size.min(MASK_SIZE);
    user::read_bytes(mask, &mut bytes[..used])?;
    if sched::set_affinity(&target, u64::from_le_bytes(bytes)) {
        // If this very thread may not stay here, it moves before it returns.
        sched::yield_now();
        Ok(0)
    } else {
        Err(Errno::EINVAL)
    }
}

pub fn sched_getaffinity(
    current: &Current,
    tid: usize,
    size: usize,
    mask: usize,
) -> Result<usize, Errno> {
    let target = thread::find(current, tid)?;
    if size < MASK_SIZE || !size.is_multiple_of(MASK_SIZE) {
        return Err(Errno::EINVAL);
    }
    user::write_value(mask, &(target.entity.affinity() & sched::online()))?;
    Ok(MASK_SIZE)
}

pub fn getcpu(_current: &Current, cpu: usize, node: usize) -> Result<usize, Errno> {
    if cpu != 0 {
        user::write_value(cpu, &(machine::cpu::id() as u32))?;
    }
    if node != 0 {
        user::write_value(node, &0u32)?;
    }
    Ok(0)
}

pub fn thread_join_any(current: &Current, stack_out: usize) -> Result<usize, Errno> {
    thread::join_any(current, stack_out)
}

pub fn thread_join(current: &Current, tid: usize, stack_out: usize) -> Result<usize, Errno> {
    let tid = u32::try_from(tid).map_err(|_| Errno::ESRCH)?;
    thread::join_one(current, tid, stack_out)
}

pub fn thread_detach(current: &Current, tid: usize) -> Result<usize, Errno> {
    let tid = u32::try_from(tid).map_err(|_| Errno::ESRCH)?;
    thread::detach(current, tid)
}

/// Stores what is known of all threads, as far as `count` reaches.
pub fn thread_list(_current: &Current, buffer: usize, count: usize) -> Result<usize, Errno> {
    let infos = thread::list()?;
    for (index, info) in infos.iter().take(count).enumerate() {
        let at = buffer
            .checked_add(index * size_of::<ThreadInfo>())
            .ok_or(Errno::EFAULT)?;
        user::write_value(at, info)?;
    }
    Ok(infos.len())
}

pub fn sem_create(current: &Current, value: usize) -> Result<usize, Errno> {
    let value = u32::try_from(value).map_err(|_| Errno::EINVAL)?;
    current.group().semaphores().create(value)
}

pub fn sem_wait(current: &Current, handle: usize) -> Result<usize, Errno> {
    current.group().semaphores().wait(handle, None)
}

pub fn sem_trywait(current: &Current, handle: usize) -> Result<usize, Errno> {
    current.group().semaphores().try_wait(handle)
}

pub fn sem_timedwait(current: &Current, handle: usize, timeout: usize) -> Result<usize, Errno> {
    let timeout: Timespec = user::read_value(timeout)?;
    current
        .group()
        .semaphores()
        .wait(handle, Some(time::from_now(timeout)?))
}

pub fn sem_post(current: &Current, handle: usize) -> Result<usize, Errno> {
    current.group().semaphores().post(handle)
}

pub fn sem_destroy(current: &Current, handle: usize) -> Result<usize, Errno> {
    current.group().semaphores().destroy(handle)
}
