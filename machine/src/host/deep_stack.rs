//! Host threads have stacks that are deep enough.

use crate::task::OutOfMemory;

pub struct DeepStack;

impl DeepStack {
    pub fn new() -> Result<Self, OutOfMemory> {
        Ok(Self)
    }

    pub fn run<R>(&mut self, act: impl FnOnce() -> R) -> R {
        act()
    }
}
