//! Options of sockets (socket(7), "Socket options").

use abi::Errno;
use abi::socket::*;
use abi::time::Timeval;
use core::sync::atomic::Ordering::Relaxed;
use zerocopy::IntoBytes;

use super::socket::Open;
use crate::memory::user;
use crate::socket::{Endpoint, Kind};
use crate::thread::Current;

/// What the limits of buffers may be, as on Linux.
const LEAST_SEND: usize = 4608;
const LEAST_RECEIVE: usize = 2304;
const MOST: usize = 2 * 212_992;

pub fn setsockopt(
    current: &Current,
    descriptor: usize,
    level: usize,
    option: usize,
    at: usize,
    length: usize,
) -> Result<usize, Errno> {
    let socket = Open::get(current, descriptor)?;
    if level as u32 as usize != SOL_SOCKET {
        return Err(Errno::EOPNOTSUPP);
    }
    let length = length as u32 as usize;
    if length < size_of::<i32>() {
        return Err(Errno::EINVAL);
    }
    let endpoint = &socket.endpoint;
    let value: i32 = user::read_value(at)?;
    // Linux doubles what is asked for.
    let limit = |least: usize| (value as u32 as usize).saturating_mul(2).clamp(least, MOST);
    match option as u32 as usize {
        SO_SNDBUF => endpoint.send_limit.store(limit(LEAST_SEND), Relaxed),
        SO_RCVBUF => endpoint.receive_limit.store(limit(LEAST_RECEIVE), Relaxed),
        SO_PASSCRED => endpoint
            .passes_credentials
            .store(u32::from(value != 0), Relaxed),
        SO_RCVTIMEO => endpoint.receive_time.store(read_time(at, length)?, Relaxed),
        SO_SNDTIMEO => endpoint.send_time.store(read_time(at, length)?, Relaxed),
        // Without a meaning here.
        SO_REUSEADDR | SO_BROADCAST | SO_KEEPALIVE | SO_LINGER => {}
        _ => return Err(Errno::ENOPROTOOPT),
    }
    Ok(0)
}

/// A time to wait in nanoseconds, 0 for ever: EINVAL, EDOM.
fn read_time(at: usize, length: usize) -> Result<u64, Errno> {
    if length < size_of::<Timeval>() {
        return Err(Errno::EINVAL);
    }
    let time: Timeval = user::read_value(at)?;
    if !(0..1_000_000).contains(&time.usec) {
        return Err(Errno::EDOM);
    }
    // A negative time is over at once, as on Linux.
    Ok(time.checked_nanos().unwrap_or(1))
}

pub fn getsockopt(
    current: &Current,
    descriptor: usize,
    level: usize,
    option: usize,
    at: usize,
    length_at: usize,
) -> Result<usize, Errno> {
    let socket = Open::get(current, descriptor)?;
    if level as u32 as usize != SOL_SOCKET {
        return Err(Errno::EOPNOTSUPP);
    }
    let room: i32 = user::read_value(length_at)?;
    let room = usize::try_from(room).map_err(|_| Errno::EINVAL)?;
    let endpoint = &socket.endpoint;
    let put = |bytes: &[u8]| {
        let length = bytes.len().min(room);
        user::write_bytes(at, &bytes[..length])?;
        user::write_value(length_at, &(length as u32))
    };
    match option as u32 as usize {
        SO_PEERCRED => put(peer_credentials(endpoint).as_bytes())?,
        SO_RCVTIMEO => put(time_of(&endpoint.receive_time).as_bytes())?,
        SO_SNDTIMEO => put(time_of(&endpoint.send_time).as_bytes())?,
        SO_LINGER => put([0u32; 2].as_bytes())?,
        option => put(number(endpoint, option)?.as_bytes())?,
    }
    Ok(0)
}

fn time_of(time: &core::sync::atomic::AtomicU64) -> Timeval {
    Timeval::from_nanos(time.load(Relaxed))
}

/// Of who has connected, or listened; of nobody if it is not connected.
fn peer_credentials(endpoint: &Endpoint) -> UCred {
    let nobody = UCred {
        pid: 0,
        uid: u32::MAX,
        gid: u32::MAX,
    };
    endpoint.peer_credentials().map_or(nobody, |peer| UCred {
        pid: peer.pid,
        uid: peer.uid,
        gid: peer.gid,
    })
}

/// Those options that are a number.
fn number(endpoint: &Endpoint, option: usize) -> Result<i32, Errno> {
    Ok(match option {
        SO_TYPE => match endpoint.kind {
            Kind::Stream => SOCK_STREAM as i32,
            Kind::Datagram => SOCK_DGRAM as i32,
            Kind::SeqPacket => SOCK_SEQPACKET as i32,
        },
        SO_ERROR => endpoint
            .take_error()
            .map_or(0, |error| i32::from(error.number())),
        SO_SNDBUF => endpoint.send_limit.load(Relaxed) as i32,
        SO_RCVBUF => endpoint.receive_limit.load(Relaxed) as i32,
        SO_PASSCRED => endpoint.passes_credentials.load(Relaxed) as i32,
        SO_ACCEPTCONN => i32::from(endpoint.is_listening()),
        SO_DOMAIN if endpoint.is_netlink => AF_NETLINK as i32,
        SO_DOMAIN => AF_UNIX as i32,
        SO_PROTOCOL | SO_REUSEADDR | SO_BROADCAST | SO_KEEPALIVE => 0,
        _ => return Err(Errno::ENOPROTOOPT),
    })
}
