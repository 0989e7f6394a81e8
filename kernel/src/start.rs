//! From the boot code to the first program.

use crate::credentials::Credentials;
use crate::files::hooks::{Session, Terminal};
use crate::files::inode::Owner;
use crate::thread::{self, Thread};
use crate::{files, options, sched};
use abi::Errno;
use abi::signal::{SIGPIPE, SIGXFSZ};
use alloc::sync::Arc;
use core::fmt;
use machine::boot::BootInfo;
use machine::cpu;
use machine::hooks::Access;
use sync::OnceCell;

/// The kernel's first function, on the boot CPU.
pub fn start(boot: &'static BootInfo) -> ! {
    machine::log::install(log::LevelFilter::Info);
    let options = options::parse(boot.command_line, |word| {
        log::warn!("boot option `{word}` is not understood and is ignored");
    });
    log::set_max_level(options.log);
    sync::scheduler::install(&Kernel);
    machine::hooks::install(&Kernel);
    files::hooks::install(&Kernel);
    sched::set_policy(options.policy);
    crate::limits::install(options.limits);
    crate::random::seed(options.seed);
    if !options.aslr {
        thread::disable_slides();
    }
    if options.paced {
        crate::device::console::pace();
    }
    crate::memory::vdso::init();
    crate::time::wall::lend();
    crate::device::disk::find_all();
    sched::start_this_cpu();
    cpu::start_others(sched::start_other_cpu);
    log::info!(
        "Weft {}: {} CPUs, {} MiB, policy {:?}",
        env!("CARGO_PKG_VERSION"),
        cpu::count(),
        boot.memory >> 20,
        options.policy,
    );
    INITIAL_IMAGE
        .set(boot.initial_image)
        .expect("the kernel starts once");
    if let Some(index) = options.root {
        // As above.
        let _ = ROOT_DISK.set(index);
    }
    let threads = [
        first_thread,
        files::cache::serve,
        files::disk::caretaker::serve,
        files::reclaim::serve,
    ];
    for entry in threads {
        match Thread::kernel(entry) {
            Ok(thread) => sched::start(Arc::new(thread)),
            Err(_) => fail(Errno::ENOMEM),
        }
    }
    sched::idle()
}

static INITIAL_IMAGE: OnceCell<&'static [u8]> = OnceCell::new();
static ROOT_DISK: OnceCell<usize> = OnceCell::new();

/// What needs a thread that may sleep: starts init, then serves the console.
fn first_thread() -> ! {
    let image = INITIAL_IMAGE.get().copied().unwrap_or_default();
    let console = crate::device::console::init();
    let root = match ROOT_DISK.get() {
        Some(&index) => files::open_disk_root(index, image),
        None => files::open_root(image),
    };
    let root = root.and_then(|root| {
        crate::proc::mount(&root)?;
        crate::device::pty::mount(&root)?;
        Ok(root)
    });
    let started = console.and(root).and_then(thread::start_init);
    if let Err(error) = started {
        fail(error);
    }
    crate::device::console::serve()
}

fn fail(error: Errno) -> ! {
    log::error!(
        "cannot start /init: {error}; is the root (the initial image, or the disk that root= \
         names) there, and a program /init in it?"
    );
    machine::power::off(FAILED_START);
}

/// The status of a kernel that found no program to run.
const FAILED_START: u8 = 126;

/// Joins the layers below to the scheduler and the threads.
struct Kernel;

impl sync::Scheduler for Kernel {
    type Thread = Thread;

    #[inline]
    fn current(&self) -> Arc<Thread> {
        sched::current().arc()
    }

    #[inline]
    fn park(&self, deadline: Option<u64>) {
        sched::park(deadline);
    }

    #[inline]
    fn unpark(&self, thread: Arc<Thread>) {
        sched::unpark(thread);
    }

    #[inline]
    fn interrupted(&self) -> bool {
        sched::current().is_interrupted()
    }

    fn preempt(&self) {
        sched::preempt();
    }

    fn now(&self) -> u64 {
        machine::time::now()
    }

    fn with_held(&self, access: impl FnOnce(&sync::rank::Chain)) {
        if let Some(current) = sched::try_current() {
            access(current.held());
        }
    }
}

impl machine::hooks::Hooks for Kernel {
    fn timer(&self, in_user_mode: bool) {
        sched::timer(in_user_mode);
    }

    fn kicked(&self) {
        sched::kicked();
    }

    fn kernel_fault(&self, addr: usize, access: Access) -> bool {
        sched::current().resolve_fault(addr, access)
    }

    fn console_input(&self) {
        crate::device::console::input();
    }

    fn device(&self, line: usize) {
        if !crate::device::disk::interrupt(line) {
            log::warn!("an interrupt on line {line} that no driver asked for");
        }
    }

    fn describe_current(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match sched::try_current() {
            Some(thread) if thread.is_idle() => write!(f, "idle"),
            Some(thread) => write!(f, "thread {}", thread.tid()),
            None => write!(f, "no thread yet"),
        }
    }
}

impl files::hooks::Hooks for Kernel {
    fn broken_pipe(&self) {
        thread::send_to_self(SIGPIPE);
    }

    fn largest_file(&self) -> u64 {
        thread::largest_file()
    }

    fn file_too_large(&self) {
        thread::send_to_self(SIGXFSZ);
    }

    fn signal_group(&self, group: usize, signal: u32) {
        thread::interrupt_foreground(group as u32, signal);
    }

    fn check_terminal(&self, terminal: Terminal, signal: u32) -> Result<(), Errno> {
        thread::check_terminal(terminal, signal)
    }

    fn session(&self) -> Session {
        thread::session()
    }

    fn signal_leader(&self, session: usize, signal: u32) {
        thread::signal_leader(session as u32, signal);
    }

    fn check_group(&self, group: usize, session: usize) -> Result<(), Errno> {
        thread::check_group(group, session)
    }

    fn file_owner(&self) -> Owner {
        let owner = sched::current()
            .arc()
            .with_credentials(Credentials::file_owner);
        owner.unwrap_or(Owner::ROOT)
    }

    fn list_threads(&self) {
        thread::print_list();
    }
}
