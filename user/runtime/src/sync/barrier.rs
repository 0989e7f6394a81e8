//! The barrier: threads wait until enough of them have come, again and again.

use super::{Condvar, Mutex};

pub struct Barrier {
    count: u32,
    /// How many have come, and which round it is.
    state: Mutex<(u32, u32)>,
    complete: Condvar,
}

impl Barrier {
    /// For `count` threads; 0 is as good as 1.
    pub const fn new(count: u32) -> Barrier {
        Barrier {
            count,
            state: Mutex::new((0, 0)),
            complete: Condvar::new(),
        }
    }

    /// Waits for the others; true in the one that came last.
    pub fn wait(&self) -> bool {
        let mut state = self.state.lock();
        let round = state.1;
        state.0 += 1;
        if state.0 >= self.count {
            *state = (0, round.wrapping_add(1));
            self.complete.broadcast();
            return true;
        }
        self.complete.wait_until(state, |state| state.1 != round);
        false
    }
}
