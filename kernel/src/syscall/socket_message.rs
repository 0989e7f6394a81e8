//! The calls that send and receive.

use abi::Errno;
use abi::socket::*;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::Ordering::Relaxed;
use zerocopy::{FromBytes, IntoBytes};

use super::poll::deadline_at;
use super::socket::{AddressBytes, Open, put_name, write_name};
use super::vectors::read_vectors;
use crate::files::allocate::try_zeroed;
use crate::files::{File, Sink, Source};
use crate::memory::user;
use crate::socket::{Endpoint, Outgoing, Received, look_up};
use crate::thread::Current;

/// The most that may be said besides the bytes (`optmem_max`).
const CONTROL_MAX: usize = 20_480;

const HEADER: usize = size_of::<CMsgHdr>();

fn padded(length: usize) -> usize {
    length.next_multiple_of(8)
}

/// To whom a message goes that names it: ECONNREFUSED; those of walking a path.
fn receiver(
    current: &Current,
    socket: &Open,
    at: usize,
    length: usize,
) -> Result<Option<Arc<Endpoint>>, Errno> {
    if at == 0 || length as u32 == 0 {
        return Ok(None);
    }
    let bytes = AddressBytes::read(at, length)?;
    let kind = socket.endpoint.kind;
    let (places, by) = (current.fs().places(), current.credentials());
    look_up(kind, bytes.address()?, &places, by).map(Some)
}

pub fn sendto(
    current: &Current,
    [descriptor, buffer, length, flags, to, to_length]: [usize; 6],
) -> Result<usize, Errno> {
    let socket = Open::get(current, descriptor)?;
    let what = Outgoing {
        to: receiver(current, &socket, to, to_length)?,
        files: Vec::new(),
        flags,
        nonblocking: socket.nonblocking(),
    };
    let mut source = Source::user(buffer, length);
    // An address that no program has is not an empty message.
    match source.faulted() {
        true => Err(Errno::EFAULT),
        false => socket.endpoint.send(&mut source, what),
    }
}

pub fn recvfrom(
    current: &Current,
    [descriptor, buffer, length, flags, from, from_length]: [usize; 6],
) -> Result<usize, Errno> {
    let socket = Open::get(current, descriptor)?;
    let mut sink = Sink::user(buffer, length);
    let received = socket
        .endpoint
        .receive(&mut sink, flags, socket.nonblocking())?;
    if from != 0 {
        match received.from {
            None => user::write_value(from_length, &0u32)?,
            name => write_name(from, from_length, name)?,
        }
    }
    Ok(received.count)
}

/// The files that go along, out of the control messages: EINVAL, EBADF, EPERM,
/// ENOBUFS, ENOMEM, EFAULT.
fn read_control(current: &Current, header: &MsgHdr) -> Result<Vec<Arc<File>>, Errno> {
    let mut files = Vec::new();
    if header.control_length > CONTROL_MAX {
        return Err(Errno::ENOBUFS);
    }
    let mut control = try_zeroed(header.control_length)?;
    user::read_bytes(header.control, &mut control)?;
    let mut rest = &control[..];
    while let Ok((head, _)) = CMsgHdr::read_from_prefix(rest) {
        if head.length < HEADER || head.length > rest.len() {
            return Err(Errno::EINVAL);
        }
        let data = &rest[HEADER..head.length];
        match (head.level as usize, head.kind) {
            (SOL_SOCKET, SCM_RIGHTS) => add_files(current, data, &mut files)?,
            (SOL_SOCKET, SCM_CREDENTIALS) => check_credentials(current, data)?,
            (SOL_SOCKET, _) => return Err(Errno::EINVAL),
            _ => {}
        }
        rest = &rest[padded(head.length).min(rest.len())..];
    }
    Ok(files)
}

fn add_files(current: &Current, data: &[u8], files: &mut Vec<Arc<File>>) -> Result<(), Errno> {
    for number in data.chunks_exact(size_of::<i32>()) {
        let number = i32::read_from_bytes(number).unwrap_or(-1);
        let descriptor = usize::try_from(number).map_err(|_| Errno::EBADF)?;
        let file = current.files().get(descriptor)?;
        if files.len() == SCM_MAX_FD {
            return Err(Errno::EINVAL);
        }
        files.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        files.push(file);
    }
    Ok(())
}

/// Nobody may pass as another: EPERM.
fn check_credentials(current: &Current, data: &[u8]) -> Result<(), Errno> {
    let claimed = UCred::read_from_bytes(data).map_err(|_| Errno::EINVAL)?;
    match claimed.pid == current.tgid() {
        true => Ok(()),
        false => Err(Errno::EPERM),
    }
}

fn send(current: &Current, socket: &Open, header: &MsgHdr, flags: usize) -> Result<usize, Errno> {
    let vectors = read_vectors(header.vectors, header.count).map_err(too_many)?;
    let what = Outgoing {
        to: receiver(current, socket, header.name, header.name_length as usize)?,
        files: read_control(current, header)?,
        flags,
        nonblocking: socket.nonblocking(),
    };
    socket.endpoint.send(&mut Source::vectors(&vectors)?, what)
}

/// What is EINVAL elsewhere.
fn too_many(error: Errno) -> Errno {
    match error {
        Errno::EINVAL => Errno::EMSGSIZE,
        error => error,
    }
}

pub fn sendmsg(
    current: &Current,
    descriptor: usize,
    message: usize,
    flags: usize,
) -> Result<usize, Errno> {
    let socket = Open::get(current, descriptor)?;
    send(current, &socket, &user::read_value(message)?, flags)
}

/// Receives into what the header at `at` says, and fills it in.
fn receive(current: &Current, socket: &Open, at: usize, flags: usize) -> Result<usize, Errno> {
    let mut header: MsgHdr = user::read_value(at)?;
    let vectors = read_vectors(header.vectors, header.count).map_err(too_many)?;
    let mut sink = Sink::vectors(&vectors)?;
    let mut received = socket
        .endpoint
        .receive(&mut sink, flags, socket.nonblocking())?;
    if header.name != 0 {
        header.name_length = match &received.from {
            None => 0,
            name => put_name(header.name, header.name_length as usize, name.as_ref())? as u32,
        };
    }
    let mut control = Control {
        at: header.control,
        room: header.control_length,
        used: 0,
        truncated: false,
    };
    control.put_all(current, socket, &mut received, flags)?;
    header.control_length = control.used;
    header.flags = received.flags as u32 | (flags & MSG_CMSG_CLOEXEC) as u32;
    if control.truncated {
        header.flags |= MSG_CTRUNC as u32;
    }
    user::write_value(at, &header)?;
    Ok(received.count)
}

/// Where what is received besides the bytes goes.
struct Control {
    at: usize,
    room: usize,
    used: usize,
    truncated: bool,
}

impl Control {
    fn put_all(
        &mut self,
        current: &Current,
        socket: &Open,
        received: &mut Received,
        flags: usize,
    ) -> Result<(), Errno> {
        let passes = socket.endpoint.passes_credentials.load(Relaxed) != 0;
        if let (true, Some(sender)) = (passes, received.credentials) {
            let credentials = UCred {
                pid: sender.pid,
                uid: sender.uid,
                gid: sender.gid,
            };
            self.put(SCM_CREDENTIALS, credentials.as_bytes())?;
        }
        if received.files.is_empty() {
            return Ok(());
        }
        let room = self.room.saturating_sub(self.used + HEADER) / size_of::<i32>();
        let mut numbers = [0i32; SCM_MAX_FD];
        let mut count = 0;
        let close_on_exec = flags & MSG_CMSG_CLOEXEC != 0;
        for file in received.files.drain(..) {
            // The rest is closed.
            if count == room || self.truncated {
                self.truncated = true;
                continue;
            }
            match current.files().insert(file, 0, close_on_exec) {
                Ok(number) => {
                    numbers[count] = number as i32;
                    count += 1;
                }
                Err(_) => self.truncated = true,
            }
        }
        if count == 0 {
            return Ok(());
        }
        self.put(SCM_RIGHTS, numbers[..count].as_bytes())
    }

    fn put(&mut self, kind: u32, data: &[u8]) -> Result<(), Errno> {
        let room = self.room.saturating_sub(self.used);
        if room < HEADER {
            self.truncated = true;
            return Ok(());
        }
        let length = (HEADER + data.len()).min(room);
        self.truncated |= length < HEADER + data.len();
        let head = CMsgHdr {
            length,
            level: SOL_SOCKET as u32,
            kind,
        };
        user::write_value(self.at + self.used, &head)?;
        user::write_bytes(self.at + self.used + HEADER, &data[..length - HEADER])?;
        self.used = (self.used + padded(length)).min(self.room);
        Ok(())
    }
}

pub fn recvmsg(
    current: &Current,
    descriptor: usize,
    message: usize,
    flags: usize,
) -> Result<usize, Errno> {
    let socket = Open::get(current, descriptor)?;
    receive(current, &socket, message, flags)
}

/// More messages than one call takes.
const MESSAGES_MAX: usize = 1024;
/// Where the number of bytes stands in a `struct mmsghdr`.
const LENGTH_AT: usize = size_of::<MsgHdr>();
const STRIDE: usize = size_of::<MMsgHdr>();

/// Does `act` with each of `count` headers, and notes what it gives; how many
/// there were until one failed: an error counts only if it is the first.
fn for_each(
    messages: usize,
    count: usize,
    mut act: impl FnMut(usize, usize) -> Result<usize, Errno>,
    mut goes_on: impl FnMut() -> bool,
) -> Result<usize, Errno> {
    for index in 0..(count as u32 as usize).min(MESSAGES_MAX) {
        let at = messages + index * STRIDE;
        let done = act(index, at).and_then(|length| {
            user::write_value(at + LENGTH_AT, &(length as u32))?;
            Ok(())
        });
        match done {
            Ok(()) => {}
            Err(error) if index == 0 => return Err(error),
            Err(_) => return Ok(index),
        }
        if !goes_on() {
            return Ok(index + 1);
        }
    }
    Ok((count as u32 as usize).min(MESSAGES_MAX))
}

pub fn sendmmsg(
    current: &Current,
    descriptor: usize,
    messages: usize,
    count: usize,
    flags: usize,
) -> Result<usize, Errno> {
    let socket = Open::get(current, descriptor)?;
    let act = |_, at| send(current, &socket, &user::read_value(at)?, flags);
    for_each(messages, count, act, || true)
}

/// recvmmsg(2): the time is looked at after each message, as on Linux.
pub fn recvmmsg(
    current: &Current,
    descriptor: usize,
    messages: usize,
    count: usize,
    flags: usize,
    timeout: usize,
) -> Result<usize, Errno> {
    let deadline = deadline_at(timeout)?;
    let socket = Open::get(current, descriptor)?;
    let act = |index, at| {
        let wait_for_one = flags & MSG_WAITFORONE != 0 && index > 0;
        let more = if wait_for_one { MSG_DONTWAIT } else { 0 };
        receive(current, &socket, at, (flags | more) & !MSG_WAITFORONE)
    };
    let in_time = || deadline.is_none_or(|deadline| machine::time::now() < deadline);
    for_each(messages, count, act, in_time)
}
