//! User programs are closures that yield traps.

use crate::user::{Trap, UserRegs};
use std::cell::RefCell;

type Program = Box<dyn FnMut(&mut UserRegs) -> Trap>;

thread_local! {
    static PROGRAM: RefCell<Option<Program>> = const { RefCell::new(None) };
}

/// Sets what "user mode" does on the calling host thread.
pub fn set_program(program: impl FnMut(&mut UserRegs) -> Trap + 'static) {
    PROGRAM.set(Some(Box::new(program)));
}

pub fn run(regs: &mut UserRegs, pending: impl Fn() -> bool) -> Trap {
    if pending() {
        return Trap::Pending;
    }
    PROGRAM.with_borrow_mut(|program| match program {
        Some(program) => program(regs),
        None => Trap::Pending,
    })
}
