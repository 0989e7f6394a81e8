//! prctl(2) and personality(2): what a thread or its process says of itself, or asks. What Weft has
//! no use for is kept, or told as Linux tells it where nothing was set.

use crate::memory::user;
use crate::thread::{self, Current, Name};
use abi::Errno;
use abi::prctl::*;
use abi::process::PERSONALITY_TELL;
use abi::signal::SIGNAL_MAX;
use core::sync::atomic::Ordering::Relaxed;

/// personality(2): all is kept, and only ADDR_NO_RANDOMIZE means anything.
pub fn personality(current: &Current, new: usize) -> Result<usize, Errno> {
    let kept = &current.group().flags().personality;
    let old = match new as u32 {
        PERSONALITY_TELL => kept.load(Relaxed),
        new => kept.swap(new, Relaxed),
    };
    Ok(old as usize)
}

pub fn prctl(
    current: &mut Current,
    option: usize,
    word: usize,
    c: usize,
    d: usize,
    e: usize,
) -> Result<usize, Errno> {
    let group = &current.group().clone();
    let flags = group.flags();
    let no_more = || none([c, d, e]);
    match option as u32 as usize {
        PR_SET_NAME => {
            current.set_name(read_name(word)?);
            Ok(0)
        }
        PR_GET_NAME => {
            user::write_bytes(word, current.name().bytes())?;
            Ok(0)
        }
        PR_SET_PDEATHSIG => {
            let signal = u32::try_from(word).ok();
            let signal = signal.filter(|&signal| signal <= SIGNAL_MAX);
            flags
                .death_signal
                .store(signal.ok_or(Errno::EINVAL)?, Relaxed);
            Ok(0)
        }
        PR_GET_PDEATHSIG => tell(word, flags.death_signal.load(Relaxed)),
        PR_SET_DUMPABLE => {
            flags.dumpable.store(bit(word)?, Relaxed);
            Ok(0)
        }
        PR_GET_DUMPABLE => Ok(flags.dumpable.load(Relaxed).into()),
        PR_SET_KEEPCAPS => {
            let keeping = current.credentials().keeping_capabilities(bit(word)?);
            current.set_credentials(keeping)?;
            Ok(0)
        }
        PR_GET_KEEPCAPS => Ok(current.credentials().keeps_capabilities.into()),
        PR_SET_TIMING if word == PR_TIMING_STATISTICAL => Ok(0),
        PR_GET_TIMING => Ok(PR_TIMING_STATISTICAL),
        // No filter, and no bits.
        PR_GET_SECCOMP | PR_GET_SECUREBITS => Ok(0),
        PR_CAPBSET_READ if word <= CAP_LAST_CAP => {
            let bounding = current.credentials().capabilities.bounding;
            Ok((bounding.bits() >> word & 1) as usize)
        }
        PR_CAPBSET_DROP => {
            let credentials = current.credentials();
            let less = credentials.capabilities.drop_bound(word)?;
            current.set_credentials(credentials.with_capabilities(less))?;
            Ok(0)
        }
        PR_GET_TSC => tell(word, PR_TSC_ENABLE),
        PR_SET_TSC if word == PR_TSC_ENABLE as usize => Ok(0),
        PR_SET_TIMERSLACK => {
            let slack = (word as isize > 0).then_some(word as u64);
            current.traits().set_timer_slack(slack);
            Ok(0)
        }
        PR_GET_TIMERSLACK => Ok(current.traits().timer_slack() as usize),
        PR_SET_CHILD_SUBREAPER => {
            thread::set_subreaper(group, word != 0)?;
            Ok(0)
        }
        PR_GET_CHILD_SUBREAPER => tell(word, u32::from(thread::is_subreaper(group))),
        PR_SET_NO_NEW_PRIVS if word == 1 => {
            no_more()?;
            current.traits().set_no_new_privileges();
            Ok(0)
        }
        PR_GET_NO_NEW_PRIVS if word == 0 => {
            no_more()?;
            Ok(current.traits().no_new_privileges().into())
        }
        PR_GET_TID_ADDRESS => {
            user::write_value(word, &current.clear_tid.load(Relaxed))?;
            Ok(0)
        }
        _ => Err(Errno::EINVAL),
    }
}

fn tell(out: usize, value: u32) -> Result<usize, Errno> {
    user::write_value(out, &value)?;
    Ok(0)
}

fn bit(value: usize) -> Result<bool, Errno> {
    match value {
        0 | 1 => Ok(value == 1),
        _ => Err(Errno::EINVAL),
    }
}

/// Arguments that are to mean something some day.
fn none(further: [usize; 3]) -> Result<(), Errno> {
    match further {
        [0, 0, 0] => Ok(()),
        _ => Err(Errno::EINVAL),
    }
}

/// Reads a name up to its zero, or as much of it as is kept.
fn read_name(address: usize) -> Result<Name, Errno> {
    let mut bytes = [0; TASK_COMM_LEN - 1];
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = user::read_value(address.checked_add(index).ok_or(Errno::EFAULT)?)?;
        if *byte == 0 {
            break;
        }
    }
    Ok(Name::new(&bytes))
}
