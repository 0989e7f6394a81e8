//! A thread's life, top to bottom: run user mode until a trap, handle the
//! trap, do what is pending, again.

use super::{
    Current, Group, Kind, Name, Resources, Thread, cpu_timer, exec_first, exit, registry, rseq,
    signal,
};
use crate::credentials::Credentials;
use crate::files::{At, FileTable, Follow, Inode};
use crate::memory::FaultError;
use crate::sched::{self, Class, Entity};
use crate::signal::Info;
use crate::syscall;
use abi::Errno;
use abi::process::wait_signaled;
use abi::signal::*;
use alloc::boxed::Box;
use alloc::sync::Arc;
use machine::hooks::Access;
use machine::user::Trap;

/// Makes init, the first process, from `/init` and lets it run, with the
/// console as its standard files.
///
/// # Errors
/// Those of opening `/dev/console` and of exec.
pub fn start_init(root: Arc<dyn Inode>) -> Result<(), Errno> {
    let path = At {
        root: &root,
        start: &root,
        path: b"/dev/console",
        by: Credentials::root(),
    };
    let console = path.existing(Follow::Always)?;
    let console = console.open(abi::file::O_RDWR as u32)?;
    let table = FileTable::new();
    for _ in 0..3 {
        table.insert(console.clone(), 0, false)?;
    }
    let (own, name) = exec_first(root, b"/init", Arc::new(table))?;
    start_first(own, name)
}

/// Apart from what loads the program: together they would take most of the
/// kernel's stack.
#[inline(never)]
fn start_first(own: Box<Resources>, name: Name) -> Result<(), Errno> {
    let tid = registry::ids().reserve()?;
    let group = Arc::new(Group::new(tid, None, false, own.credentials.clone())?);
    let entity = Entity::new(u64::MAX, Class::OTHER);
    let thread = Thread::new(tid, Kind::Linux, group.clone(), entity, own);
    let thread = Arc::new(thread.map_err(|_| Errno::ENOMEM)?);
    thread.set_name(name);
    group.admit(&thread)?;
    registry::family(|family| family.add(tid, tid, group.clone()))?;
    registry::ids().publish(tid, Some(thread.clone()), Some(group));
    sched::start(thread);
    Ok(())
}

/// Where every user thread begins.
pub(super) fn begin() -> ! {
    let mut current = Current::begin();
    current.enter_space();
    current.resumed();
    let status = live(&mut current);
    exit::finish(current, status)
}

/// Runs the thread until it ends; its status word.
fn live(current: &mut Current) -> i32 {
    loop {
        let (thread, regs) = current.parts();
        let trap = regs.run(|| thread.has_pending());
        match trap {
            Trap::Syscall => syscall::dispatch(current),
            Trap::PageFault { addr, access, .. } => page_fault(current, addr, access),
            Trap::Fault { vector, .. } => {
                let info = Info::fault(signal_of(vector), SI_KERNEL, current.regs().ip());
                fault(current, vector, None, info);
            }
            Trap::Interrupt => {}
            // `run` looks before each entry, so nothing else has to.
            Trap::Pending => {
                if sync::preempt::wanted() {
                    sched::preempt();
                }
                cpu_timer::serve(current, current.group());
                if current.must_exit() {
                    return current.ending.unwrap_or(0);
                }
                rseq::resume(current);
                if signal::is_stopped(current) {
                    signal::wait(current);
                } else if current.has_pending() {
                    signal::deliver(current);
                }
            }
        }
    }
}

fn page_fault(current: &mut Current, addr: usize, access: Access) {
    current.entity.count_fault();
    match current.space().fault_of_user(addr, access) {
        Ok(()) => {}
        Err(FaultError::OutOfMemory | FaultError::OutOfCache) => {
            log::warn!(
                "{} (thread {}): out of memory at {addr:#x}; the process ends",
                current.group().name(),
                current.tid(),
            );
            current.group().end(wait_signaled(abi::signal::SIGKILL));
        }
        Err(FaultError::BadAddress) => {
            let code = match current.space().is_mapped(addr..addr.saturating_add(1)) {
                true => SEGV_ACCERR,
                false => SEGV_MAPERR,
            };
            fault(
                current,
                PAGE_FAULT,
                Some(addr),
                Info::fault(SIGSEGV, code, addr),
            );
        }
        // Behind the end of a mapped file, or it cannot be read or written.
        Err(FaultError::Missing | FaultError::NoSpace) => {
            let info = Info::fault(SIGBUS, BUS_ADRERR, addr);
            fault(current, PAGE_FAULT, Some(addr), info);
        }
    }
}

/// Vectors of exceptions (Intel SDM volume 3, table 6-1).
const DIVIDE: u8 = 0;
const DEBUG: u8 = 1;
const BREAKPOINT: u8 = 3;
const INVALID_OPCODE: u8 = 6;
const ALIGNMENT: u8 = 17;
const PAGE_FAULT: u8 = 14;
const FLOATING_POINT: u8 = 16;
const SIMD: u8 = 19;

fn signal_of(vector: u8) -> u32 {
    match vector {
        DIVIDE | FLOATING_POINT | SIMD => SIGFPE,
        DEBUG | BREAKPOINT => SIGTRAP,
        INVALID_OPCODE => SIGILL,
        ALIGNMENT => SIGBUS,
        _ => SIGSEGV,
    }
}

/// A fault that nothing handles: ends a native thread alone, and any other
/// with its process.
fn fault(current: &mut Current, vector: u8, addr: Option<usize>, info: Info) {
    if signal::force(current, info) {
        return;
    }
    let regs = &current.own.regs;
    log::warn!(
        "pid {} {}: thread {} trap {vector} err {} on cpu {} ip {:#x} addr {:#x}; {}",
        current.tgid(),
        current.group().name(),
        current.tid(),
        regs.error_code(),
        machine::cpu::id(),
        regs.ip(),
        addr.unwrap_or(0),
        if current.is_native() {
            "the thread ends"
        } else {
            "the process ends"
        },
    );
    current.end_by(info.signal);
}
