//! Terminals (termios(3), ioctl_tty(2)).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

pub const TCGETS: usize = 0x5401;
pub const TCSETS: usize = 0x5402;
/// As `TCSETS`, after the output has drained.
pub const TCSETSW: usize = 0x5403;
/// As `TCSETSW`, and throws away what was typed.
pub const TCSETSF: usize = 0x5404;
/// Drains the output, or sends a break.
pub const TCSBRK: usize = 0x5409;
/// Throws away input or output.
pub const TCFLSH: usize = 0x540b;
/// Makes the terminal the caller's controlling one.
pub const TIOCSCTTY: usize = 0x540e;
pub const TIOCGPGRP: usize = 0x540f;
pub const TIOCSPGRP: usize = 0x5410;
/// How many bytes wait to be sent.
pub const TIOCOUTQ: usize = 0x5411;
pub const TIOCGWINSZ: usize = 0x5413;
pub const TIOCSWINSZ: usize = 0x5414;
/// How many bytes wait to be read.
pub const FIONREAD: usize = 0x541b;
/// Sets or clears O_NONBLOCK.
pub const FIONBIO: usize = 0x5421;
/// Gives the controlling terminal up.
pub const TIOCNOTTY: usize = 0x5422;
/// The session whose terminal it is.
pub const TIOCGSID: usize = 0x5429;

/// Of pseudo-terminals, by their master (ioctl_tty(2)): the number.
pub const TIOCGPTN: usize = 0x8004_5430;
/// Locks or unlocks the slave: a locked one cannot be opened.
pub const TIOCSPTLCK: usize = 0x4004_5431;
pub const TIOCGPTLCK: usize = 0x8004_5439;
/// Opens the slave, with flags as of open(2).
pub const TIOCGPTPEER: usize = 0x5441;

/// `TCFLSH`: what to throw away.
pub const TCIFLUSH: usize = 0;
pub const TCOFLUSH: usize = 1;
pub const TCIOFLUSH: usize = 2;

/// Input flags: newline becomes carriage return; carriage return is ignored,
/// or becomes newline; characters are UTF-8.
pub const INLCR: u32 = 0o100;
pub const IGNCR: u32 = 0o200;
pub const ICRNL: u32 = 0o400;
pub const IUTF8: u32 = 0o40000;
/// Output flags: post-process; newline becomes carriage return and newline.
pub const OPOST: u32 = 1;
pub const ONLCR: u32 = 4;
/// Control flags: the speed, eight bits, and that the receiver is on.
pub const B38400: u32 = 0o17;
pub const CS8: u32 = 0o60;
pub const CREAD: u32 = 0o200;
/// Local flags: signals from keys, line editing, echo.
pub const ISIG: u32 = 1;
pub const ICANON: u32 = 2;
pub const ECHO: u32 = 0o10;
/// Echo an erase by wiping the character, and a kill by wiping the line.
pub const ECHOE: u32 = 0o20;
pub const ECHOK: u32 = 0o40;
/// Echo the newline even without `ECHO`.
pub const ECHONL: u32 = 0o100;
/// Keep what was typed when a key sends a signal.
pub const NOFLSH: u32 = 0o200;
/// A process that is not in front is stopped if it writes.
pub const TOSTOP: u32 = 0o400;
/// Echo control characters as `^X`.
pub const ECHOCTL: u32 = 0o1000;
pub const ECHOKE: u32 = 0o4000;
/// Word erase and other keys beyond POSIX.
pub const IEXTEN: u32 = 0o100000;

/// Places in [`Termios::cc`].
pub const VINTR: usize = 0;
pub const VQUIT: usize = 1;
pub const VERASE: usize = 2;
pub const VKILL: usize = 3;
pub const VEOF: usize = 4;
pub const VTIME: usize = 5;
pub const VMIN: usize = 6;
pub const VSUSP: usize = 10;
pub const VEOL: usize = 11;
pub const VREPRINT: usize = 12;
pub const VWERASE: usize = 14;
pub const VLNEXT: usize = 15;
pub const VEOL2: usize = 16;

/// `struct termios` as the kernel sees it: 36 bytes.
#[repr(C)]
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
pub struct Termios {
    pub iflag: u32,
    pub oflag: u32,
    pub cflag: u32,
    pub lflag: u32,
    pub line: u8,
    pub cc: [u8; 19],
}

const _: () = assert!(size_of::<Termios>() == 36);

/// `struct winsize` (ioctl_tty(2)).
#[repr(C)]
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
pub struct WindowSize {
    pub rows: u16,
    pub columns: u16,
    pub x_pixels: u16,
    pub y_pixels: u16,
}
