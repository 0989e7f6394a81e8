//! The console: the terminal whose other side is the serial line.
//!
//! Input: the interrupt marks that bytes wait ([`input`]) and wakes the
//! console's thread ([`serve`]), which feeds them to the terminal, with
//! everything that may take locks outside the interrupt.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, Ordering};

use abi::Errno;
use abi::tty::Termios;
use sync::{OnceCell, WaitQueue};

use super::line::Line;
use super::output::process_output;
use super::terminal::{PORTION, Port, Terminal};
use crate::files::allocate::try_arc;
use crate::files::buffer::Source;

/// The serial line.
struct Serial;

static TERMINAL: OnceCell<Arc<Terminal>> = OnceCell::new();
/// Bytes have arrived that the console's thread has not seen.
static ARRIVED: AtomicBool = AtomicBool::new(false);
/// The console's thread; woken by the interrupt.
static SERVER: WaitQueue = WaitQueue::new();
/// Readers tell the host that they wait; see [`pace`].
static PACED: AtomicBool = AtomicBool::new(false);
/// The host was told, and has sent nothing since.
static TOLD: AtomicBool = AtomicBool::new(false);

/// Makes the terminal, before anybody opens it. ENOMEM.
pub fn init() -> Result<(), Errno> {
    let terminal: Arc<Terminal<Serial>> = try_arc(Terminal::new(Line::new(true)?, Serial))?;
    let terminal: Arc<Terminal> = terminal;
    // It is called once.
    let _ = TERMINAL.set(terminal);
    Ok(())
}

pub fn terminal() -> Arc<Terminal> {
    let terminal = TERMINAL.get();
    terminal.expect("it is made before any program").clone()
}

/// Bytes wait in the machine's receive ring. Called from the interrupt.
pub fn input() {
    ARRIVED.store(true, Ordering::Release);
    SERVER.wake_one();
}

/// What the console's thread does for ever.
pub fn serve() -> ! {
    let terminal = terminal();
    loop {
        let arrived = || ARRIVED.swap(false, Ordering::Acquire).then_some(());
        SERVER.wait_until(arrived);
        while let Some(byte) = machine::console::read() {
            TOLD.store(false, Ordering::Relaxed);
            terminal.receive(&[byte]);
        }
    }
}

/// From now on a reader that finds nothing says so on the log, for a host that
/// sends a file instead of keys: what it sends before anyone listens is lost,
/// and so is what it sends faster than programs read.
pub fn pace() {
    PACED.store(true, Ordering::Relaxed);
}

impl Port for Serial {
    fn echo(&self, bytes: &[u8]) {
        machine::console::write(bytes);
    }

    fn write(&self, modes: &Termios, from: &mut Source<'_>) -> usize {
        let mut done = 0;
        loop {
            let mut portion = [0; PORTION];
            let count = from.take(&mut portion);
            process_output(modes, &portion[..count], &mut |part| {
                machine::console::write(part);
            });
            done += count;
            if count < PORTION {
                return done;
            }
        }
    }

    /// Tells the host, once for all it has sent.
    fn input_wanted(&self) {
        if PACED.load(Ordering::Relaxed) && !TOLD.swap(true, Ordering::Relaxed) {
            machine::log::line(format_args!("weft: input wanted"));
        }
    }
}
