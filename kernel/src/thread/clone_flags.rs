//! The rules of clone's flags: which resources the child shares, and every
//! combination that is refused. Pure, so that every rule is tested here.
//!
//! Source: clone(2), ERRORS; THREADS.md for the native faces.

use abi::Errno;
use abi::clone::*;
use abi::signal::SIGNAL_MAX;

/// Linux's flags that ask for namespaces, which Weft has none of.
const NAMESPACES: usize = 0x0002_0000
    | 0x0200_0000
    | 0x0400_0000
    | 0x0800_0000
    | 0x1000_0000
    | 0x2000_0000
    | 0x4000_0000
    | 0x80;
/// `CLONE_PIDFD`: descriptors for processes are not there yet.
const PIDFD: usize = 0x1000;
/// Accepted and without effect: tracing, I/O contexts.
const IGNORED: usize = 0x2000 | 0x0080_0000 | 0x8000_0000 | CLONE_DETACHED;

const KNOWN: usize = CSIGNAL
    | CLONE_VM
    | CLONE_FS
    | CLONE_FILES
    | CLONE_SIGHAND
    | CLONE_VFORK
    | CLONE_PARENT
    | CLONE_THREAD
    | CLONE_SYSVSEM
    | CLONE_SETTLS
    | CLONE_PARENT_SETTID
    | CLONE_CHILD_CLEARTID
    | CLONE_CHILD_SETTID
    | IGNORED;

/// What a clone is to do: a combination of flags that passed the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloneFlags(usize);

impl CloneFlags {
    /// fork(2): shares nothing.
    pub const FORK: CloneFlags = CloneFlags(abi::signal::SIGCHLD as usize);
    /// vfork(2).
    pub const VFORK: CloneFlags =
        CloneFlags(CLONE_VM | CLONE_VFORK | abi::signal::SIGCHLD as usize);

    /// Judges the flags of the Linux call.
    ///
    /// # Errors
    /// `EINVAL`: an unknown flag, `CLONE_THREAD` without `CLONE_SIGHAND`, or
    /// `CLONE_SIGHAND` without `CLONE_VM`.
    pub fn linux(flags: usize) -> Result<CloneFlags, Errno> {
        // The upper half of the register is not part of the argument.
        let flags = flags & 0xffff_ffff;
        if flags & (NAMESPACES | PIDFD) != 0 || flags & !KNOWN != 0 {
            return Err(Errno::EINVAL);
        }
        if flags & CLONE_THREAD != 0 && flags & CLONE_SIGHAND == 0
            || flags & CLONE_SIGHAND != 0 && flags & CLONE_VM == 0
        {
            return Err(Errno::EINVAL);
        }
        Ok(CloneFlags(flags))
    }

    /// Judges those of clone3, which has the exit signal apart.
    ///
    /// # Errors
    /// `EINVAL`: as for [`CloneFlags::linux`]; `CLONE_DETACHED`; a signal that
    /// there is none of, or for a child that has no parent of its own to tell;
    /// `CLONE_CLEAR_SIGHAND` with `CLONE_SIGHAND`.
    pub fn clone3(flags: u64, exit_signal: u64) -> Result<CloneFlags, Errno> {
        const REFUSED: usize = CSIGNAL | CLONE_DETACHED;
        let flags = flags as usize;
        let old = flags & 0xffff_ffff;
        let clears = flags & CLONE_CLEAR_SIGHAND != 0;
        if flags & !(old | CLONE_CLEAR_SIGHAND) != 0
            || flags & REFUSED != 0
            || clears && flags & CLONE_SIGHAND != 0
            || exit_signal > u64::from(SIGNAL_MAX)
            || exit_signal != 0 && flags & (CLONE_THREAD | CLONE_PARENT) != 0
        {
            return Err(Errno::EINVAL);
        }
        let CloneFlags(judged) = CloneFlags::linux(old | exit_signal as usize)?;
        Ok(CloneFlags(judged | flags & CLONE_CLEAR_SIGHAND))
    }

    /// Judges the flags of the native call. A native thread of the group
    /// always shares the signal actions, so `CLONE_THREAD` implies
    /// `CLONE_SIGHAND`; ids and thread-local bases go through the Linux call.
    ///
    /// # Errors
    /// `EINVAL`: an unknown flag, or `CLONE_THREAD` or `CLONE_SIGHAND`
    /// without `CLONE_VM`.
    pub fn native(flags: usize) -> Result<CloneFlags, Errno> {
        const WRITES: usize =
            CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID;
        if flags & WRITES != 0 {
            return Err(Errno::EINVAL);
        }
        let implied = if flags & CLONE_THREAD != 0 {
            CLONE_SIGHAND
        } else {
            0
        };
        CloneFlags::linux(flags | implied)
    }

    /// Whether all bits of `flag` are set.
    pub const fn has(self, flag: usize) -> bool {
        self.0 & flag == flag
    }

    /// The signal for the parent when the child ends; 0 for none.
    pub const fn exit_signal(self) -> u32 {
        (self.0 & CSIGNAL) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PTHREAD: usize = CLONE_VM
        | CLONE_FS
        | CLONE_FILES
        | CLONE_SIGHAND
        | CLONE_THREAD
        | CLONE_SYSVSEM
        | CLONE_SETTLS
        | CLONE_PARENT_SETTID
        | CLONE_CHILD_CLEARTID;

    #[test]
    fn what_c_libraries_ask_for_passes() {
        assert!(CloneFlags::linux(PTHREAD).is_ok());
        assert!(CloneFlags::linux(PTHREAD | CLONE_DETACHED).is_ok());
        assert_eq!(CloneFlags::linux(17), Ok(CloneFlags::FORK));
        assert_eq!(
            CloneFlags::linux(CLONE_VM | CLONE_VFORK | 17),
            Ok(CloneFlags::VFORK)
        );
    }

    /// Every combination of the sharing flags against the rules said once more, plainly.
    #[test]
    fn every_combination() {
        let flags = [
            CLONE_VM,
            CLONE_FS,
            CLONE_FILES,
            CLONE_SIGHAND,
            CLONE_THREAD,
            CLONE_PARENT,
        ];
        for bits in 0..1usize << flags.len() {
            let set: usize = (0..flags.len())
                .filter(|i| bits >> i & 1 == 1)
                .map(|i| flags[i])
                .sum();
            let (vm, sighand, thread) = (
                set & CLONE_VM != 0,
                set & CLONE_SIGHAND != 0,
                set & CLONE_THREAD != 0,
            );
            let valid = (!thread || sighand) && (!sighand || vm);
            assert_eq!(CloneFlags::linux(set).is_ok(), valid, "{set:#x}");
            let valid = vm || !thread && !sighand;
            assert_eq!(CloneFlags::native(set).is_ok(), valid, "{set:#x}");
        }
    }

    #[test]
    fn unknown_and_unsupported_flags_are_refused() {
        for flag in [0x80, 0x1000, 0x2_0000, 0x1000_0000, 0x4000_0000] {
            assert_eq!(CloneFlags::linux(flag), Err(Errno::EINVAL), "{flag:#x}");
        }
        assert_eq!(
            CloneFlags::native(CLONE_VM | CLONE_SETTLS),
            Err(Errno::EINVAL)
        );
    }

    #[test]
    fn clone3_has_rules_of_its_own() {
        let judge = |flags: usize, signal| CloneFlags::clone3(flags as u64, signal);
        assert_eq!(judge(0, 17), Ok(CloneFlags::FORK));
        assert!(judge(PTHREAD, 0).is_ok());
        assert!(
            judge(CLONE_CLEAR_SIGHAND, 17)
                .unwrap()
                .has(CLONE_CLEAR_SIGHAND)
        );
        for (flags, signal) in [
            (PTHREAD, 17),
            (CLONE_PARENT, 17),
            (PTHREAD | CLONE_DETACHED, 0),
            (17, 0),
            (0, 65),
            (0, 0x100),
            (0, 1 << 32 | 17),
            (1 << 33, 17),
            (1 << 63, 17),
            (CLONE_THREAD, 0),
            (CLONE_CLEAR_SIGHAND | CLONE_SIGHAND | CLONE_VM, 17),
            (0x2_0000, 17),
        ] {
            assert_eq!(
                judge(flags, signal),
                Err(Errno::EINVAL),
                "{flags:#x} {signal}"
            );
        }
    }

    #[test]
    fn the_upper_half_is_not_looked_at() {
        assert_eq!(
            CloneFlags::linux(0xdead_beef_0000_0011),
            Ok(CloneFlags::FORK)
        );
    }
}
