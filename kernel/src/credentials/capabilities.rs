//! Root's powers one by one (capabilities(7)).

use abi::Errno;
use abi::prctl::CAP_LAST_CAP;

/// By Linux's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Capability {
    /// To give files away.
    Chown = 0,
    /// To use files whatever their permissions are.
    Override = 1,
    /// To read files and search directories whatever their permissions are.
    ReadSearch = 2,
    /// To do what else only a file's owner may.
    Owner = 3,
    /// To leave setuid and setgid bits where they are.
    KeepSetid = 4,
    Kill = 5,
    SetGroup = 6,
    SetUser = 7,
    /// To drop from the bounding set.
    SetCapabilities = 8,
    Immutable = 9,
    LockMemory = 14,
    OwnIpc = 15,
    /// To look into other processes.
    Trace = 19,
    /// To mount, among much else.
    Administrate = 21,
    Boot = 22,
    /// To have threads run before others.
    Nice = 23,
    /// To go past limits.
    Resource = 24,
    SetTime = 25,
    MakeNode = 27,
    MacOverride = 32,
}

/// A set of capabilities, a bit for each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Set(u64);

impl Set {
    pub const NONE: Set = Set(0);
    pub const ALL: Set = Set((1 << (CAP_LAST_CAP + 1)) - 1);

    /// Bits that stand for nothing are left out.
    pub fn from_bits(bits: u64) -> Set {
        Set(bits & Set::ALL.0)
    }

    pub fn bits(self) -> u64 {
        self.0
    }

    #[inline]
    pub const fn has(self, capability: Capability) -> bool {
        self.0 & (1 << capability as u8) != 0
    }

    fn and(self, other: Set) -> Set {
        Set(self.0 & other.0)
    }

    fn or(self, other: Set) -> Set {
        Set(self.0 | other.0)
    }

    fn without(self, other: Set) -> Set {
        Set(self.0 & !other.0)
    }

    pub fn is_within(self, other: Set) -> bool {
        self.0 & !other.0 == 0
    }
}

/// Those that come and go with a file system id of root's.
const FOR_FILES: Set = {
    use Capability::*;
    let all = [
        Chown,
        Override,
        ReadSearch,
        Owner,
        KeepSetid,
        Immutable,
        MakeNode,
        MacOverride,
    ];
    let mut bits = 0;
    let mut index = 0;
    while index < all.len() {
        bits |= 1 << all[index] as u8;
        index += 1;
    }
    Set(bits)
};

/// What a thread has of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// What it may do now.
    pub effective: Set,
    /// What it may make effective.
    pub permitted: Set,
    /// What root's programs start with beyond the bounding set.
    pub inheritable: Set,
    /// All that a program can start with.
    pub bounding: Set,
}

impl Capabilities {
    pub const FULL: Capabilities = Capabilities {
        effective: Set::ALL,
        permitted: Set::ALL,
        inheritable: Set::NONE,
        bounding: Set::ALL,
    };

    /// capset(2): EPERM for what is more than there is.
    pub fn set(
        self,
        effective: Set,
        permitted: Set,
        inheritable: Set,
    ) -> Result<Capabilities, Errno> {
        let bound = match self.effective.has(Capability::SetCapabilities) {
            true => self.bounding,
            false => self.bounding.and(self.permitted),
        };
        let is_less = inheritable.is_within(self.inheritable.or(bound))
            && permitted.is_within(self.permitted)
            && effective.is_within(permitted);
        match is_less {
            true => Ok(Capabilities {
                effective,
                permitted,
                inheritable,
                ..self
            }),
            false => Err(Errno::EPERM),
        }
    }

    /// Number `capability` is no more in the bounding set: EPERM, EINVAL.
    pub fn drop_bound(self, capability: usize) -> Result<Capabilities, Errno> {
        if !self.effective.has(Capability::SetCapabilities) {
            return Err(Errno::EPERM);
        }
        if capability > CAP_LAST_CAP {
            return Err(Errno::EINVAL);
        }
        Ok(Capabilities {
            bounding: self.bounding.without(Set(1 << capability)),
            ..self
        })
    }

    /// The effective user id was root's or becomes it; with `loses_root` no user id
    /// is root's any more.
    pub(super) fn user_changed(&mut self, was_root: bool, is_root: bool, loses_root: bool) {
        if loses_root {
            self.permitted = Set::NONE;
            self.effective = Set::NONE;
        }
        match (was_root, is_root) {
            (true, false) => self.effective = Set::NONE,
            (false, true) => self.effective = self.permitted,
            _ => {}
        }
    }

    /// The same of the file system's id alone.
    pub(super) fn file_user_changed(&mut self, was_root: bool, is_root: bool) {
        match (was_root, is_root) {
            (true, false) => self.effective = self.effective.without(FOR_FILES),
            (false, true) => self.effective = self.effective.or(self.permitted.and(FOR_FILES)),
            _ => {}
        }
    }

    /// Those with which access(2) looks at files.
    pub(super) fn of_real(self, real_is_root: bool) -> Capabilities {
        let effective = match real_is_root {
            true => self.permitted,
            false => Set::NONE,
        };
        Capabilities { effective, ..self }
    }

    /// What a program starts with, by the user that it runs for: nothing new with
    /// `no_new`.
    pub(super) fn exec(
        self,
        real_is_root: bool,
        effective_is_root: bool,
        no_new: bool,
    ) -> Capabilities {
        let permitted = match real_is_root || effective_is_root {
            true if no_new => self.inheritable.or(self.bounding).and(self.permitted),
            true => self.inheritable.or(self.bounding),
            false => Set::NONE,
        };
        let effective = match effective_is_root {
            true => permitted,
            false => Set::NONE,
        };
        Capabilities {
            effective,
            permitted,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_only_shrink() {
        let few = Set::from_bits(0b1010);
        let full = Capabilities::FULL;
        let less = full.set(Set::NONE, few, Set::NONE).unwrap();
        assert_eq!(less.set(few, few, few).map(|sets| sets.effective), Ok(few));
        assert_eq!(less.set(Set::NONE, Set::ALL, few), Err(Errno::EPERM));
        assert_eq!(less.set(few, Set::NONE, few), Err(Errno::EPERM));
        assert_eq!(less.set(few, few, Set::ALL), Err(Errno::EPERM));
        // Who may set them may inherit all of the bounding set.
        assert!(full.set(few, few, Set::ALL).is_ok());
        let bound = full.drop_bound(1).unwrap();
        assert!(!bound.bounding.has(Capability::Override));
        assert_eq!(full.drop_bound(CAP_LAST_CAP + 1), Err(Errno::EINVAL));
        assert_eq!(less.drop_bound(1), Err(Errno::EPERM));
    }

    #[test]
    fn a_program_of_root_starts_with_what_is_bound() {
        let bound = Capabilities::FULL.drop_bound(1).unwrap();
        let root = bound.exec(true, true, false);
        assert_eq!(
            (root.effective, root.permitted),
            (bound.bounding, bound.bounding)
        );
        let real = bound.exec(true, false, false);
        assert_eq!(
            (real.effective, real.permitted),
            (Set::NONE, bound.bounding)
        );
        let user = bound.exec(false, false, false);
        assert_eq!((user.effective, user.permitted), (Set::NONE, Set::NONE));
    }
}
