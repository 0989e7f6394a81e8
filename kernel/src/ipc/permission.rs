//! To whom something of System V belongs, and who may do what with it.

use abi::Errno;
use abi::ipc::IpcPerm;

use super::access;
use super::ids;
use crate::credentials::{Capability, Credentials};
use crate::files::inode::Owner;
use crate::thread::Current;

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct Permission {
    pub owner: Owner,
    creator: Owner,
    /// Nine permission bits, and flags of the sort.
    pub mode: u32,
}

impl Permission {
    /// Of what the caller makes with these flags.
    pub fn new(current: &Current, flags: usize) -> Permission {
        let Credentials { user, group, .. } = current.credentials();
        let own = Owner {
            user: user.effective,
            group: group.effective,
        };
        Permission {
            owner: own,
            creator: own,
            mode: flags as u32 & 0o777,
        }
    }

    /// Whether the caller may do what any of the bits in `wanted` stands for: EACCES.
    pub fn check(&self, current: &Current, wanted: u32) -> Result<(), Errno> {
        let wanted = (wanted >> 6 | wanted >> 3 | wanted) & 7;
        let credentials = current.credentials();
        let (user, group) = (credentials.user.effective, credentials.group.effective);
        let owners = [self.owner, self.creator];
        let granted = access::granted(&owners, self.mode, user, group, credentials.groups());
        let may = wanted & !granted == 0 || credentials.may(Capability::OwnIpc);
        may.then_some(()).ok_or(Errno::EACCES)
    }

    /// Whether the caller is its owner or its creator: EPERM.
    pub fn check_owner(&self, current: &Current) -> Result<(), Errno> {
        let credentials = current.credentials();
        let user = credentials.user.effective;
        match user == self.owner.user || user == self.creator.user {
            true => Ok(()),
            false => credentials.require(Capability::Administrate),
        }
    }

    /// IPC_SET: EINVAL for ids that nobody has.
    pub fn set(&mut self, new: &IpcPerm) -> Result<(), Errno> {
        if new.uid == u32::MAX || new.gid == u32::MAX {
            return Err(Errno::EINVAL);
        }
        self.owner = Owner {
            user: new.uid,
            group: new.gid,
        };
        self.mode = self.mode & !0o777 | new.mode & 0o777;
        Ok(())
    }

    pub fn to_abi(self, id: i32, key: i32) -> IpcPerm {
        IpcPerm {
            key,
            uid: self.owner.user,
            gid: self.owner.group,
            cuid: self.creator.user,
            cgid: self.creator.group,
            mode: self.mode,
            seq: ids::number(id),
            ..IpcPerm::default()
        }
    }
}
