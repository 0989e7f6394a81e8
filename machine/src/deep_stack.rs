//! [`DeepStack`]: room for code that needs more stack than a thread has.

use crate::arch;
use crate::task::OutOfMemory;

/// A stack of 80 KiB to run calls on. The thread stays the same: it may sleep
/// and be preempted there, and nothing of it is on the stack afterwards.
pub struct DeepStack(arch::deep_stack::DeepStack);

impl DeepStack {
    pub fn new() -> Result<Self, OutOfMemory> {
        arch::deep_stack::DeepStack::new().map(Self)
    }

    /// Calls `act` on this stack.
    pub fn run<R>(&mut self, act: impl FnOnce() -> R) -> R {
        self.0.run(act)
    }
}
