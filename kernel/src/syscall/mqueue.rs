//! The calls of message queues of POSIX.

use abi::Errno;
use abi::file::*;
use abi::mqueue::*;
use abi::signal::*;
use alloc::sync::Arc;

use super::file::open_file;
use super::socket::Open;
use crate::credentials::Capability;
use crate::files::File;
use crate::files::allocate::{memory_to_spare, try_zeroed};
use crate::ipc::access;
use crate::ipc::mqueue::room::{Limits, QUEUES_MAX, Shape};
use crate::ipc::mqueue::{How, Message, Notification, OpenQueue, Patience, Queue, names};
use crate::memory::user;
use crate::socket::Note;
use crate::thread::{Current, Resource};
use crate::time;

/// A name as an argument, which the C library takes the slash from.
fn read_name(at: usize) -> Result<alloc::vec::Vec<u8>, Errno> {
    let name = user::read_string(at, PATH_MAX - 1)?;
    names::check(&name)?;
    Ok(name)
}

/// mq_open(2). The descriptor closes on exec.
pub fn mq_open(
    current: &Current,
    name: usize,
    flags: usize,
    mode: usize,
    attributes: usize,
) -> Result<usize, Errno> {
    let flags = flags as u32 as usize;
    let attributes: Option<MqAttr> = match attributes {
        0 => None,
        attributes => Some(user::read_value(attributes)?),
    };
    let name = read_name(name)?;
    let reserved = current.files().reserve(true)?;
    let queue = loop {
        match names::find(&name) {
            Ok(queue) => break existing(current, queue, flags)?,
            Err(error) if flags & O_CREAT == 0 => return Err(error),
            Err(_) => {}
        }
        let queue = create(current, mode, attributes)?;
        match names::enter(&name, &queue) {
            Ok(()) => break queue,
            // A peer was faster.
            Err(Errno::EEXIST) => {}
            Err(error) => return Err(error),
        }
    };
    let file = OpenQueue::open(queue, flags & (O_ACCMODE | O_NONBLOCK))?;
    Ok(reserved.fill(file))
}

/// Whether a queue that is there may be opened so: EEXIST, EINVAL, EACCES.
fn existing(current: &Current, queue: Arc<Queue>, flags: usize) -> Result<Arc<Queue>, Errno> {
    if flags & O_CREAT != 0 && flags & O_EXCL != 0 {
        return Err(Errno::EEXIST);
    }
    let wanted = match flags & O_ACCMODE {
        O_RDONLY => access::READ,
        O_WRONLY => access::WRITE,
        O_RDWR => access::READ | access::WRITE,
        _ => return Err(Errno::EINVAL),
    };
    access::check(current, queue.owner(), queue.permissions(), wanted)?;
    Ok(queue)
}

fn create(current: &Current, mode: usize, attributes: Option<MqAttr>) -> Result<Arc<Queue>, Errno> {
    let passes = current.credentials().may(Capability::Resource);
    let shape = match attributes {
        Some(asked) => Shape::asked(asked.most, asked.size, passes)?,
        None => Shape::usual(),
    };
    let permissions = mode as u32 & 0o7777 & !current.fs().umask();
    let limits = Limits {
        queues: if passes { usize::MAX } else { QUEUES_MAX.get() },
        bytes: current.group().limits().soft(Resource::Messages),
    };
    Queue::new(shape, permissions, access::owner(current), limits)
}

pub fn mq_unlink(current: &Current, name: usize) -> Result<usize, Errno> {
    let name = read_name(name)?;
    let queue = names::find(&name)?;
    access::check_owner(current, queue.owner().user)?;
    names::remove(&name, &queue)?;
    Ok(0)
}

/// An open queue: EBADF.
fn open_queue(file: &File) -> Result<&Arc<Queue>, Errno> {
    let open: &OpenQueue = file.kind_of().ok_or(Errno::EBADF)?;
    Ok(&open.queue)
}

/// When a call ends whose time-out, a moment of the wall clock, stands at `at`. EFAULT,
/// EINVAL.
fn read_deadline(at: usize) -> Result<Option<u64>, Errno> {
    match at {
        0 => Ok(None),
        at => time::from_wall_clock(user::read_value(at)?).map(Some),
    }
}

/// Whether and until when a call on the queue `file` waits.
fn patience(file: &File, deadline: Option<u64>) -> Patience {
    Patience {
        nonblocking: file.description().nonblocking(),
        deadline,
    }
}

pub fn mq_timedsend(
    current: &Current,
    descriptor: usize,
    bytes: usize,
    length: usize,
    priority: usize,
    timeout: usize,
) -> Result<usize, Errno> {
    let deadline = read_deadline(timeout)?;
    let priority = priority as u32;
    if priority >= MQ_PRIO_MAX {
        return Err(Errno::EINVAL);
    }
    let file = open_file(current, descriptor)?;
    let queue = open_queue(&file)?;
    if !file.description().writable() {
        return Err(Errno::EBADF);
    }
    if length > queue.shape().size {
        return Err(Errno::EMSGSIZE);
    }
    if !memory_to_spare() {
        return Err(Errno::ENOMEM);
    }
    let mut message = Message {
        priority,
        bytes: try_zeroed(length)?,
    };
    user::read_bytes(bytes, &mut message.bytes)?;
    queue.send(current, message, patience(&file, deadline))?;
    Ok(0)
}

/// mq_timedreceive(2). A message that cannot be stored is lost, as on Linux.
pub fn mq_timedreceive(
    current: &Current,
    descriptor: usize,
    bytes: usize,
    length: usize,
    priority: usize,
    timeout: usize,
) -> Result<usize, Errno> {
    let deadline = read_deadline(timeout)?;
    let file = open_file(current, descriptor)?;
    let queue = open_queue(&file)?;
    if !file.description().readable() {
        return Err(Errno::EBADF);
    }
    if length < queue.shape().size {
        return Err(Errno::EMSGSIZE);
    }
    let message = queue.receive(current, patience(&file, deadline))?;
    if priority != 0 {
        user::write_value(priority, &message.priority)?;
    }
    user::write_bytes(bytes, &message.bytes)?;
    Ok(message.bytes.len())
}

/// mq_notify(2).
pub fn mq_notify(current: &Current, descriptor: usize, event: usize) -> Result<usize, Errno> {
    let how = match event {
        0 => None,
        event => Some(read_how(current, &user::read_value(event)?)?),
    };
    let file = open_file(current, descriptor)?;
    let queue = open_queue(&file)?;
    match how {
        Some(how) => queue.ask(Notification::new(current, how))?,
        None => queue.forget(current.group()),
    }
    Ok(0)
}

/// How to tell: EINVAL; EBADF, ENOTSOCK, EFAULT, ENOMEM for what a thread of the C
/// library waits for.
fn read_how(current: &Current, event: &SigEvent) -> Result<How, Errno> {
    match event.notify {
        SIGEV_NONE => Ok(How::Not),
        SIGEV_SIGNAL if event.signal as u32 <= SIGNAL_MAX => {
            Ok(How::Signal(event.signal as u32, event.value))
        }
        SIGEV_THREAD => {
            let note = Note::read(event.value as usize, NOTIFY_COOKIE_LEN)?;
            let socket = Open::get(current, event.signal as usize)?;
            match socket.endpoint.is_netlink {
                true => Ok(How::Socket(socket.endpoint, note)),
                false => Err(Errno::EINVAL),
            }
        }
        _ => Err(Errno::EINVAL),
    }
}

/// mq_getsetattr(2): only O_NONBLOCK can be set.
pub fn mq_getsetattr(
    current: &Current,
    descriptor: usize,
    new: usize,
    old: usize,
) -> Result<usize, Errno> {
    let new: Option<MqAttr> = match new {
        0 => None,
        new => Some(user::read_value(new)?),
    };
    let settable = O_NONBLOCK as i64;
    if new.is_some_and(|new| new.flags & !settable != 0) {
        return Err(Errno::EINVAL);
    }
    let file = open_file(current, descriptor)?;
    let queue = open_queue(&file)?;
    let open = file.description();
    let before = MqAttr {
        flags: i64::from(open.flags()) & settable,
        most: queue.shape().most as i64,
        size: queue.shape().size as i64,
        count: queue.count() as i64,
        ..MqAttr::default()
    };
    if let Some(new) = new {
        open.set_flags(open.flags() & !(O_NONBLOCK as u32) | new.flags as u32);
    }
    if old != 0 {
        user::write_value(old, &before)?;
    }
    Ok(0)
}
