//! With whose rights a program starts (execve(2)).

use abi::file::{S_ISGID, S_ISUID};

use super::Credentials;
use crate::files::inode::Metadata;

/// See the module.
pub struct Exec {
    pub credentials: Credentials,
    /// It must not trust who has started it (`AT_SECURE`).
    pub is_secure: bool,
}

impl Credentials {
    /// What the program of the file `program` starts with: its owner's rights, if the
    /// file says so and the thread may still gain any.
    pub fn exec(&self, program: &Metadata, no_new_privileges: bool) -> Exec {
        const GROUP_EXECUTES: u32 = 0o010;
        // Without it, the bit has nothing to do with rights.
        const AS_GROUP: u32 = S_ISGID | GROUP_EXECUTES;
        let (mut user, mut group) = (self.user, self.group);
        if no_new_privileges {
            user.effective = user.real;
            group.effective = group.real;
        } else {
            if program.permissions & S_ISUID != 0 {
                user.effective = program.owner.user;
            }
            if program.permissions & AS_GROUP == AS_GROUP {
                group.effective = program.owner.group;
            }
        }
        user.saved = user.effective;
        user.file = user.effective;
        group.saved = group.effective;
        group.file = group.effective;
        let capabilities =
            self.capabilities
                .exec(user.real == 0, user.effective == 0, no_new_privileges);
        Exec {
            is_secure: user.effective != user.real || group.effective != group.real,
            credentials: Credentials {
                user,
                group,
                capabilities,
                keeps_capabilities: false,
                ..self.clone()
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::change::Change;
    use crate::files::inode::{Kind, Owner};

    fn program(permissions: u32) -> Metadata {
        Metadata {
            owner: Owner { user: 7, group: 8 },
            ..Metadata::without_content(1, 2, Kind::Regular, permissions, 0)
        }
    }

    fn ids(exec: &Exec) -> ([u32; 4], [u32; 4]) {
        let all = |ids: super::super::Ids| [ids.real, ids.effective, ids.saved, ids.file];
        (all(exec.credentials.user), all(exec.credentials.group))
    }

    #[test]
    fn its_bits_give_it_its_owners_rights() {
        let root = Credentials::ROOT;
        let plain = root.exec(&program(0o755), false);
        assert_eq!((&plain.credentials, plain.is_secure), (&root, false));
        let both = root.exec(&program(0o6755), false);
        assert_eq!(ids(&both), ([0, 7, 7, 7], [0, 8, 8, 8]));
        assert!(both.is_secure && both.credentials.capabilities.effective.bits() == 0);
        // Nobody of the group may execute it: a mark of old times for locking.
        let locked = root.exec(&program(0o2705), false);
        assert_eq!(locked.credentials, root);
        assert!(!root.exec(&program(0o6755), true).is_secure);
    }

    #[test]
    fn roots_program_has_all_capabilities_again() {
        let user = Credentials::ROOT.with_user(Change::Set(1000)).unwrap();
        let owned = Metadata {
            owner: Owner::ROOT,
            ..program(0o4755)
        };
        let exec = user.exec(&owned, false);
        assert_eq!(ids(&exec).0, [1000, 0, 0, 0]);
        assert_eq!(
            exec.credentials.capabilities,
            Credentials::ROOT.capabilities
        );
        let held = user.exec(&owned, true);
        assert_eq!(held.credentials, user);
    }

    #[test]
    fn what_is_to_be_kept_is_kept_by_one_program() {
        let keeping = Credentials {
            keeps_capabilities: true,
            ..Credentials::ROOT
        };
        assert_eq!(
            keeping.exec(&program(0o755), false).credentials,
            Credentials::ROOT
        );
    }
}
