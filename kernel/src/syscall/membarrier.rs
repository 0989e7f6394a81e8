//! membarrier(2): all threads that run pass a memory barrier before it returns.

use abi::Errno;
use abi::membarrier::*;

use crate::thread::Current;

/// Commands that there are, as the query tells them.
const KNOWN: usize = MEMBARRIER_CMD_GLOBAL
    | MEMBARRIER_CMD_GLOBAL_EXPEDITED
    | REGISTRATIONS
    | MEMBARRIER_CMD_PRIVATE_EXPEDITED
    | MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE
    | MEMBARRIER_CMD_GET_REGISTRATIONS;

const REGISTRATIONS: usize = MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED
    | MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED
    | MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE;

/// Every kind is the same here, a barrier on every CPU that also makes it look
/// anew at code, but for who may ask.
///
/// # Errors
/// `EINVAL` for an unknown command or flags; `EPERM` if the process has not
/// registered for a private barrier.
pub fn membarrier(current: &Current, command: usize, flags: usize) -> Result<usize, Errno> {
    let (command, flags) = (command as u32 as usize, flags as u32);
    if flags != 0 {
        return Err(Errno::EINVAL);
    }
    let needed = match command {
        MEMBARRIER_CMD_QUERY => return Ok(KNOWN),
        MEMBARRIER_CMD_GET_REGISTRATIONS => return Ok(current.space().barriers()),
        MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_GLOBAL_EXPEDITED => 0,
        MEMBARRIER_CMD_PRIVATE_EXPEDITED => MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED,
        MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE => {
            MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE
        }
        _ if command.is_power_of_two() && command & REGISTRATIONS != 0 => {
            current.space().register_barriers(command);
            return Ok(0);
        }
        _ => return Err(Errno::EINVAL),
    };
    if current.space().barriers() & needed != needed {
        return Err(Errno::EPERM);
    }
    machine::cpu::synchronize();
    Ok(0)
}
