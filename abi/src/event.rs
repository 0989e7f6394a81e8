//! Descriptors of events: eventfd(2), timerfd_create(2), signalfd(2), epoll(7).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// eventfd2(2): a read takes 1.
pub const EFD_SEMAPHORE: usize = 1;

/// timerfd_settime(2).
pub const TFD_TIMER_ABSTIME: usize = 1;
pub const TFD_TIMER_CANCEL_ON_SET: usize = 2;

pub const EPOLL_CTL_ADD: usize = 1;
pub const EPOLL_CTL_DEL: usize = 2;
pub const EPOLL_CTL_MOD: usize = 3;

/// Of what epoll knows, these are no conditions of poll(2).
pub const EPOLLEXCLUSIVE: u32 = 1 << 28;
pub const EPOLLWAKEUP: u32 = 1 << 29;
pub const EPOLLONESHOT: u32 = 1 << 30;
pub const EPOLLET: u32 = 1 << 31;

/// `struct epoll_event` of x86-64, which is packed.
#[repr(C, packed)]
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct EpollEvent {
    pub events: u32,
    pub data: u64,
}

const _: () = assert!(size_of::<EpollEvent>() == 12);

/// `struct signalfd_siginfo` (signalfd(2)).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct SignalFdInfo {
    pub signal: u32,
    pub errno: i32,
    pub code: i32,
    pub pid: u32,
    pub uid: u32,
    pub fd: i32,
    pub timer: u32,
    pub band: u32,
    pub overrun: u32,
    pub trap: u32,
    pub status: i32,
    pub int: i32,
    pub pointer: u64,
    pub user_time: u64,
    pub system_time: u64,
    pub address: u64,
    pub address_lsb: u16,
    pub pad: [u16; 23],
}

const _: () = assert!(size_of::<SignalFdInfo>() == 128);
