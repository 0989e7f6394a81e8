//! Waiting for what a call on a file gives, where the program lets it wait.

use abi::Errno;
use sync::rank::Rank;
use sync::{WaitError, WaitQueue};

/// What `look` gives, once it gives something; whoever changes that wakes `queue`
/// afterwards.
///
/// # Errors
/// `EAGAIN` if there is nothing and it is `nonblocking`, or once `deadline` is
/// past; `EINTR`.
pub fn wait_unless<T, R: Rank>(
    nonblocking: bool,
    queue: &WaitQueue<(), R>,
    deadline: Option<u64>,
    mut look: impl FnMut() -> Option<T>,
) -> Result<T, Errno> {
    if nonblocking {
        return look().ok_or(Errno::EAGAIN);
    }
    let waited_for = queue.wait_interruptible(look, deadline);
    waited_for.map_err(|error| match error {
        WaitError::Interrupted => Errno::EINTR,
        WaitError::TimedOut => Errno::EAGAIN,
    })
}
