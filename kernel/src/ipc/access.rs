//! Who may use what, by its owner and its permission bits.

use abi::Errno;

use crate::credentials::{Capability, Credentials};
use crate::files::inode::Owner;
use crate::thread::Current;

pub const READ: u32 = 4;
pub const WRITE: u32 = 2;

/// What the permission bits `mode` of what belongs to each of `owners` let a caller do,
/// whose ids are `user`, `group` and `groups`.
pub fn granted(owners: &[Owner], mode: u32, user: u32, group: u32, groups: &[u32]) -> u32 {
    let is_member =
        |owner: &Owner| group == owner.group || groups.binary_search(&owner.group).is_ok();
    let bits = if owners.iter().any(|owner| user == owner.user) {
        mode >> 6
    } else if owners.iter().any(is_member) {
        mode >> 3
    } else {
        mode
    };
    bits & 7
}

/// Whether the caller may open a queue with these for what `wanted` says: EACCES.
pub fn check(current: &Current, owner: Owner, mode: u32, wanted: u32) -> Result<(), Errno> {
    let credentials = current.credentials();
    let Credentials { user, group, .. } = credentials;
    let granted = granted(&[owner], mode, user.file, group.file, credentials.groups());
    let reads_only = wanted & !READ == 0;
    let may = wanted & !granted == 0
        || credentials.may(Capability::Override)
        || reads_only && credentials.may(Capability::ReadSearch);
    may.then_some(()).ok_or(Errno::EACCES)
}

/// Whether the caller may remove the name of what `user` owns: EPERM.
pub fn check_owner(current: &Current, user: u32) -> Result<(), Errno> {
    let credentials = current.credentials();
    match credentials.user.file == user {
        true => Ok(()),
        false => credentials.require(Capability::Owner),
    }
}

/// To whom what the caller makes belongs.
pub fn owner(current: &Current) -> Owner {
    let Credentials { user, group, .. } = current.credentials();
    Owner {
        user: user.file,
        group: group.file,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_those_of_the_first_that_fits() {
        let owner = Owner { user: 1, group: 10 };
        for (user, group, groups, expected) in [
            (1, 10, &[][..], 4),
            (1, 99, &[], 4),
            (2, 10, &[], 2),
            (2, 99, &[5, 10, 20], 2),
            (2, 99, &[5, 20], 1),
        ] {
            assert_eq!(granted(&[owner], 0o421, user, group, groups), expected);
        }
        let creator = Owner { user: 3, group: 30 };
        for (user, group, expected) in [(3, 10, 4), (1, 30, 4), (2, 30, 2), (2, 2, 1)] {
            assert_eq!(
                granted(&[owner, creator], 0o421, user, group, &[]),
                expected
            );
        }
    }
}
