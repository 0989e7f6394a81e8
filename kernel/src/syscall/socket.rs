//! The calls of sockets: making, naming and connecting them.

use abi::Errno;
use abi::file::{O_CLOEXEC, O_NONBLOCK};
use abi::socket::*;
use alloc::sync::Arc;
use core::sync::atomic::Ordering::Relaxed;

use super::descriptor::{give, give_two};
use super::file::open_file;
use crate::files::File;
use crate::memory::user;
use crate::socket::{Address, Endpoint, Kind, Name, Shut, Socket, deadline};
use crate::thread::Current;

/// The most that an address may have: `struct sockaddr_storage`.
const ADDRESS_MAX: usize = 128;

/// An open socket, and what it does.
pub(super) struct Open {
    file: Arc<File>,
    pub endpoint: Arc<Endpoint>,
}

impl Open {
    /// EBADF, ENOTSOCK.
    pub fn get(current: &Current, descriptor: usize) -> Result<Open, Errno> {
        let file = open_file(current, descriptor)?;
        let socket = file.kind_of::<Socket>().ok_or(Errno::ENOTSOCK)?;
        let endpoint = socket.endpoint.clone();
        Ok(Open { file, endpoint })
    }

    pub fn nonblocking(&self) -> bool {
        self.file.description().nonblocking()
    }
}

/// The bytes of an address as an argument.
pub(super) struct AddressBytes {
    bytes: [u8; ADDRESS_MAX],
    length: usize,
}

impl AddressBytes {
    /// EINVAL, EFAULT.
    pub fn read(at: usize, length: usize) -> Result<AddressBytes, Errno> {
        let length = length as u32 as usize;
        if length > ADDRESS_MAX {
            return Err(Errno::EINVAL);
        }
        let mut bytes = [0; ADDRESS_MAX];
        user::read_bytes(at, &mut bytes[..length])?;
        Ok(AddressBytes { bytes, length })
    }

    /// EINVAL.
    pub fn address(&self) -> Result<Address<'_>, Errno> {
        Address::new(&self.bytes[..self.length])
    }

    /// Of no family: to connect a datagram's socket to nothing.
    fn is_unspecified(&self) -> bool {
        self.length >= 2 && self.bytes[..2] == (AF_UNSPEC as u16).to_ne_bytes()
    }
}

/// Stores a name at `at`, of which `length_at` says how much room it has, and how
/// long it is there. EINVAL, EFAULT.
pub(super) fn write_name(at: usize, length_at: usize, name: Option<Name>) -> Result<(), Errno> {
    let room: i32 = user::read_value(length_at)?;
    let room = usize::try_from(room).map_err(|_| Errno::EINVAL)?;
    let length = put_name(at, room, name.as_ref())?;
    user::write_value(length_at, &(length as u32))
}

/// Stores as much of a name as there is room for; its length. EFAULT.
pub(super) fn put_name(at: usize, room: usize, name: Option<&Name>) -> Result<usize, Errno> {
    let path = name.map_or(&[][..], |name| name);
    let mut bytes = [0; 2 + SUN_PATH + 1];
    bytes[..2].copy_from_slice(&(AF_UNIX as u16).to_ne_bytes());
    let length = 2 + path.len();
    bytes[2..length].copy_from_slice(path);
    user::write_bytes(at, &bytes[..length.min(room)])?;
    Ok(length)
}

/// The type without the flags of the open file, and these: EINVAL.
fn split_kind(kind: usize) -> Result<(usize, usize), Errno> {
    let kind = kind as u32 as usize;
    let flags = kind & !SOCK_TYPE_MASK;
    match flags & !(O_CLOEXEC | O_NONBLOCK) {
        0 => Ok((kind & SOCK_TYPE_MASK, flags)),
        _ => Err(Errno::EINVAL),
    }
}

/// What a type and a protocol mean in the family of [`AF_UNIX`].
fn kind_of(kind: usize, protocol: usize) -> Result<Kind, Errno> {
    if !matches!(protocol as u32 as usize, 0 | AF_UNIX) {
        return Err(Errno::EPROTONOSUPPORT);
    }
    match kind {
        SOCK_STREAM => Ok(Kind::Stream),
        // As on Linux.
        SOCK_DGRAM | SOCK_RAW => Ok(Kind::Datagram),
        SOCK_SEQPACKET => Ok(Kind::SeqPacket),
        _ => Err(Errno::ESOCKTNOSUPPORT),
    }
}

pub fn socket(
    current: &Current,
    family: usize,
    kind: usize,
    protocol: usize,
) -> Result<usize, Errno> {
    let (kind, flags) = split_kind(kind)?;
    let endpoint = match (family as u32 as usize, kind) {
        (AF_UNIX, kind) => Endpoint::new(kind_of(kind, protocol)?)?,
        (AF_NETLINK, SOCK_RAW | SOCK_DGRAM) if protocol as u32 == 0 => Endpoint::netlink()?,
        (AF_NETLINK, SOCK_RAW | SOCK_DGRAM) => return Err(Errno::EPROTONOSUPPORT),
        (AF_NETLINK, _) => return Err(Errno::ESOCKTNOSUPPORT),
        _ => return Err(Errno::EAFNOSUPPORT),
    };
    let file = Socket::open(endpoint, flags & O_NONBLOCK)?;
    give(current, file, flags)
}

pub fn socketpair(
    current: &Current,
    family: usize,
    kind: usize,
    protocol: usize,
    out: usize,
) -> Result<usize, Errno> {
    let (kind, flags) = split_kind(kind)?;
    let kind = match family as u32 as usize {
        AF_UNIX => kind_of(kind, protocol)?,
        AF_NETLINK => return Err(Errno::EOPNOTSUPP),
        _ => return Err(Errno::EAFNOSUPPORT),
    };
    let [one, other] = Endpoint::pair(kind)?;
    let one = Socket::open(one, flags & O_NONBLOCK)?;
    let other = Socket::open(other, flags & O_NONBLOCK)?;
    give_two(current, [one, other], flags, out)
}

pub fn bind(
    current: &Current,
    descriptor: usize,
    at: usize,
    length: usize,
) -> Result<usize, Errno> {
    let socket = Open::get(current, descriptor)?;
    let bytes = AddressBytes::read(at, length)?;
    let places = current.fs().places();
    socket
        .endpoint
        .bind(bytes.address()?, &places, current.credentials())?;
    Ok(0)
}

pub fn listen(current: &Current, descriptor: usize, most: usize) -> Result<usize, Errno> {
    // A negative number is a large one, as on Linux.
    let most = most as u32 as usize;
    Open::get(current, descriptor)?.endpoint.listen(most)?;
    Ok(0)
}

pub fn connect(
    current: &Current,
    descriptor: usize,
    at: usize,
    length: usize,
) -> Result<usize, Errno> {
    let socket = Open::get(current, descriptor)?;
    let bytes = AddressBytes::read(at, length)?;
    let endpoint = &socket.endpoint;
    if bytes.is_unspecified() && endpoint.kind == Kind::Datagram {
        endpoint.disconnect();
        return Ok(0);
    }
    let until = deadline(endpoint.send_time.load(Relaxed));
    let places = current.fs().places();
    let by = current.credentials();
    endpoint.connect(bytes.address()?, &places, by, until, socket.nonblocking())?;
    Ok(0)
}

pub fn accept4(
    current: &Current,
    descriptor: usize,
    at: usize,
    length_at: usize,
    flags: usize,
) -> Result<usize, Errno> {
    let flags = flags as u32 as usize;
    if flags & !(O_CLOEXEC | O_NONBLOCK) != 0 {
        return Err(Errno::EINVAL);
    }
    let socket = Open::get(current, descriptor)?;
    // A descriptor first: without one the connection waits for a later call.
    let reserved = current.files().reserve(flags & O_CLOEXEC != 0)?;
    let until = deadline(socket.endpoint.receive_time.load(Relaxed));
    let accepted = socket.endpoint.accept(until, socket.nonblocking())?;
    let name = accepted.peer().and_then(|peer| peer.name());
    let file = Socket::open(accepted, flags & O_NONBLOCK)?;
    if at != 0 {
        write_name(at, length_at, name)?;
    }
    Ok(reserved.fill(file))
}

pub fn shutdown(current: &Current, descriptor: usize, how: usize) -> Result<usize, Errno> {
    let socket = Open::get(current, descriptor)?;
    let how = how as u32 as usize;
    if how > SHUT_RDWR {
        return Err(Errno::EINVAL);
    }
    socket.endpoint.shut(Shut {
        reading: how != SHUT_WR,
        writing: how != SHUT_RD,
    });
    Ok(0)
}

pub fn getsockname(
    current: &Current,
    descriptor: usize,
    at: usize,
    length_at: usize,
) -> Result<usize, Errno> {
    let socket = Open::get(current, descriptor)?;
    write_name(at, length_at, socket.endpoint.name())?;
    Ok(0)
}

pub fn getpeername(
    current: &Current,
    descriptor: usize,
    at: usize,
    length_at: usize,
) -> Result<usize, Errno> {
    let socket = Open::get(current, descriptor)?;
    let peer = socket.endpoint.peer().ok_or(Errno::ENOTCONN)?;
    write_name(at, length_at, peer.name())?;
    Ok(0)
}
