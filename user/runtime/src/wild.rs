//! For tests: calls with any arguments.
//!
//! These functions are safe to name, because a test of a kernel must be able
//! to say anything; what they do to the test's own memory is the test's affair.
//! Ordinary programs use the other modules.

use crate::call;
use abi::Errno;

/// Any call with any arguments.
pub fn call<const N: usize>(number: usize, args: [usize; N]) -> Result<usize, Errno> {
    // SAFETY: see the module: the test answers for its arguments.
    unsafe { call::raw(number, args) }
}
