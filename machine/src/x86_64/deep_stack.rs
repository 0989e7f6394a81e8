//! Deep stacks: see [`crate::deep_stack`]. They lie in the area of the kernel
//! stacks, each over several places, the lowest of which has its guard.

use super::stack;
use crate::task::OutOfMemory;
use arrayvec::ArrayVec;
use core::arch::naked_asm;
use core::mem::ManuallyDrop;
use sync::{SpinLock, rank};

/// Tops of stacks that are mapped and in no use. One for each disk that is
/// mounted at a time are ever made; they are kept for the next.
static SPARE: SpinLock<ArrayVec<usize, 64>, rank::KernelMap> = SpinLock::new(ArrayVec::new_const());

pub struct DeepStack {
    top: usize,
}

impl DeepStack {
    pub fn new() -> Result<Self, OutOfMemory> {
        let spare = SPARE.lock().pop();
        let top = match spare {
            Some(top) => top,
            None => stack::map_deep()?,
        };
        Ok(Self { top })
    }

    pub fn run<R>(&mut self, act: impl FnOnce() -> R) -> R {
        let mut call = Call {
            act: ManuallyDrop::new(act),
            result: None,
        };
        // SAFETY: the stack is mapped, and no one else runs on it, as `self`
        // is borrowed mutably. `call` outlives the call.
        unsafe { on_stack(self.top, (&raw mut call).cast(), call.maker()) };
        call.result.expect("the call has been made")
    }
}

impl Drop for DeepStack {
    fn drop(&mut self) {
        // What finds no room stays mapped and unused.
        let _ = SPARE.lock().try_push(self.top);
    }
}

struct Call<F, R> {
    act: ManuallyDrop<F>,
    result: Option<R>,
}

impl<F: FnOnce() -> R, R> Call<F, R> {
    /// The function that makes this call.
    fn maker(&self) -> unsafe extern "C" fn(*mut ()) {
        Self::make
    }

    /// # Safety
    /// `call` points to a `Call` whose `act` has not been taken.
    unsafe extern "C" fn make(call: *mut ()) {
        // SAFETY: by this function's contract.
        let call = unsafe { &mut *call.cast::<Self>() };
        // SAFETY: taken once.
        let act = unsafe { ManuallyDrop::take(&mut call.act) };
        call.result = Some(act());
    }
}

/// Calls `function(argument)` on the stack below `top`, which is a multiple of
/// 16. The frame pointer leads back, so that backtraces go on.
///
/// # Safety
/// The stack is mapped and unused, and the call is sound.
#[unsafe(naked)]
unsafe extern "C" fn on_stack(
    top: usize,
    argument: *mut (),
    function: unsafe extern "C" fn(*mut ()),
) {
    naked_asm!(
        "push rbp",
        "mov rbp, rsp",
        "mov rsp, rdi",
        "mov rdi, rsi",
        "call rdx",
        "mov rsp, rbp",
        "pop rbp",
        "ret",
    )
}
