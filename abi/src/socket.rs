//! Sockets (socket(2), unix(7)).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

pub const AF_UNSPEC: usize = 0;
pub const AF_UNIX: usize = 1;
pub const AF_NETLINK: usize = 16;
/// Bytes of a path in `sockaddr_un`.
pub const SUN_PATH: usize = 108;

pub const SOCK_STREAM: usize = 1;
pub const SOCK_DGRAM: usize = 2;
pub const SOCK_RAW: usize = 3;
pub const SOCK_SEQPACKET: usize = 5;
/// What of a type is the type; the rest are O_NONBLOCK and O_CLOEXEC.
pub const SOCK_TYPE_MASK: usize = 0xf;

pub const SHUT_RD: usize = 0;
pub const SHUT_WR: usize = 1;
pub const SHUT_RDWR: usize = 2;

pub const MSG_OOB: usize = 1;
pub const MSG_PEEK: usize = 2;
pub const MSG_CTRUNC: usize = 8;
pub const MSG_TRUNC: usize = 0x20;
pub const MSG_DONTWAIT: usize = 0x40;
pub const MSG_WAITALL: usize = 0x100;
pub const MSG_NOSIGNAL: usize = 0x4000;
pub const MSG_WAITFORONE: usize = 0x1_0000;
pub const MSG_CMSG_CLOEXEC: usize = 0x4000_0000;

pub const SOL_SOCKET: usize = 1;
pub const SCM_RIGHTS: u32 = 1;
pub const SCM_CREDENTIALS: u32 = 2;
/// The most descriptors that one message takes along.
pub const SCM_MAX_FD: usize = 253;

pub const SO_REUSEADDR: usize = 2;
pub const SO_TYPE: usize = 3;
pub const SO_ERROR: usize = 4;
pub const SO_BROADCAST: usize = 6;
pub const SO_SNDBUF: usize = 7;
pub const SO_RCVBUF: usize = 8;
pub const SO_KEEPALIVE: usize = 9;
pub const SO_LINGER: usize = 13;
pub const SO_PASSCRED: usize = 16;
pub const SO_PEERCRED: usize = 17;
pub const SO_RCVTIMEO: usize = 20;
pub const SO_SNDTIMEO: usize = 21;
pub const SO_ACCEPTCONN: usize = 30;
pub const SO_PROTOCOL: usize = 38;
pub const SO_DOMAIN: usize = 39;

/// How many bytes are queued to be read by the peer: SIOCOUTQ.
pub const SIOCOUTQ: usize = 0x5411;

/// `struct msghdr` of x86-64 (recvmsg(2)).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct MsgHdr {
    pub name: usize,
    pub name_length: u32,
    pub pad: u32,
    pub vectors: usize,
    pub count: usize,
    pub control: usize,
    pub control_length: usize,
    pub flags: u32,
    pub pad2: u32,
}

const _: () = assert!(size_of::<MsgHdr>() == 56);

/// `struct mmsghdr` (recvmmsg(2)).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct MMsgHdr {
    pub header: MsgHdr,
    pub length: u32,
    pub pad: u32,
}

/// `struct cmsghdr` (cmsg(3)); its data follow, padded to 8 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct CMsgHdr {
    /// With this header.
    pub length: usize,
    pub level: u32,
    pub kind: u32,
}

const _: () = assert!(size_of::<CMsgHdr>() == 16);

/// `struct ucred`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct UCred {
    pub pid: u32,
    pub uid: u32,
    pub gid: u32,
}
