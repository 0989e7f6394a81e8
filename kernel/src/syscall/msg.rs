//! The calls of message queues as System V has them.

use abi::Errno;
use abi::ipc::*;

use crate::files::allocate::{memory_to_spare, try_zeroed};
use crate::ipc::access::READ;
use crate::ipc::msg::{self, Found, MSGMAX, MSGMNB, MSGMNI, Message, Wanted, Wish};
use crate::memory::user;
use crate::thread::Current;

/// A message of a program begins with its kind.
const KIND_SIZE: usize = size_of::<i64>();

pub fn msgget(current: &Current, key: usize, flags: usize) -> Result<usize, Errno> {
    msg::get(current, key as i32, flags).map(|id| id as usize)
}

/// msgsnd(2): never made again after a signal.
pub fn msgsnd(
    current: &Current,
    id: usize,
    at: usize,
    length: usize,
    flags: usize,
) -> Result<usize, Errno> {
    let kind: i64 = user::read_value(at)?;
    let id = id as i32;
    if length > MSGMAX.get() || id < 0 || kind < 1 {
        return Err(Errno::EINVAL);
    }
    if !memory_to_spare() {
        return Err(Errno::ENOMEM);
    }
    let mut bytes = try_zeroed(length)?;
    user::read_bytes(at.wrapping_add(KIND_SIZE), &mut bytes)?;
    let message = Message::new(current, kind, bytes);
    msg::find(id)?.send(current, message, flags & IPC_NOWAIT == 0)?;
    Ok(0)
}

/// msgrcv(2): never made again after a signal. A message that cannot be stored is lost,
/// as on Linux; one cannot be copied, as on a Linux without checkpoints.
pub fn msgrcv(
    current: &Current,
    id: usize,
    at: usize,
    room: usize,
    kind: usize,
    flags: usize,
) -> Result<usize, Errno> {
    let id = id as i32;
    if id < 0 || room > i64::MAX as usize {
        return Err(Errno::EINVAL);
    }
    if flags & MSG_COPY != 0 {
        return Err(Errno::ENOSYS);
    }
    let wish = Wish {
        wanted: Wanted::new(kind as i64, flags),
        room,
        cuts: flags & MSG_NOERROR != 0,
    };
    let message = msg::find(id)?.receive(current, wish, flags & IPC_NOWAIT == 0)?;
    let bytes = &message.bytes[..message.bytes.len().min(room)];
    user::write_value(at, &message.kind)?;
    user::write_bytes(at.wrapping_add(KIND_SIZE), bytes)?;
    Ok(bytes.len())
}

pub fn msgctl(current: &Current, id: usize, command: usize, at: usize) -> Result<usize, Errno> {
    let (id, command) = (id as i32, command as u32);
    if id < 0 {
        return Err(Errno::EINVAL);
    }
    match command {
        IPC_INFO | MSG_INFO => {
            user::write_value(at, &info(command == MSG_INFO))?;
            Ok(msg::greatest_place())
        }
        IPC_STAT => tell(current, &msg::find(id)?, READ, at).map(|_| 0),
        MSG_STAT => tell(current, &msg::at(id)?, READ, at),
        MSG_STAT_ANY => tell(current, &msg::at(id)?, 0, at),
        IPC_SET => {
            let new: MsqidDs = user::read_value(at)?;
            msg::find(id)?.set(current, &new)?;
            Ok(0)
        }
        IPC_RMID => msg::find(id)?.remove(current).map(|()| 0),
        _ => Err(Errno::EINVAL),
    }
}

/// The limits, in three of whose fields Linux tells what is used; the others that limit
/// nothing are as there.
fn info(tells_used: bool) -> MsgInfo {
    const POOL: usize = 512_000;
    const LIMIT: usize = 16_384;
    let (pool, map, total) = match tells_used {
        true => msg::used(),
        false => (POOL, LIMIT, LIMIT),
    };
    MsgInfo {
        pool: pool as i32,
        map: map as i32,
        max: MSGMAX.get() as i32,
        limit: MSGMNB.get() as i32,
        queues: MSGMNI.get() as i32,
        segment_size: 16,
        total: total as i32,
        segments: u16::MAX,
        pad: 0,
    }
}

/// Tells of a queue; its id.
fn tell(current: &Current, found: &Found, wanted: u32, at: usize) -> Result<usize, Errno> {
    found.check(current, wanted)?;
    user::write_value(at, &found.describe())?;
    Ok(found.id as usize)
}
