//! What users may do to files: path_resolution(7), chmod(2), chown(2), unlink(2),
//! utime(2), and the links that Linux does not follow or make (proc_sys_fs(5),
//! `protected_symlinks`, `protected_hardlinks`).

use abi::Errno;
use abi::file::{S_ISGID, S_ISUID, S_ISVTX};

use super::{Capability, Credentials};
use crate::files::inode::{Kind, Maker, Metadata, Owner};

/// What is wanted of a file, as access(2) has the bits.
pub const READ: u32 = 4;
pub const WRITE: u32 = 2;
/// Of a directory: to search it.
pub const EXECUTE: u32 = 1;

const ALL_EXECUTE: u32 = 0o111;
const GROUP_EXECUTES: u32 = 0o010;
const OTHERS_WRITE: u32 = 0o002;

fn allowed(is: bool, error: Errno) -> Result<(), Errno> {
    match is {
        true => Ok(()),
        false => Err(error),
    }
}

impl Credentials {
    /// As who they use files.
    pub fn file_owner(&self) -> Owner {
        Owner {
            user: self.user.file,
            group: self.group.file,
        }
    }

    /// Whether permissions of files mean nothing to them, but for what nobody may
    /// execute.
    #[inline]
    pub fn override_permissions(&self) -> bool {
        self.may(Capability::Override)
    }

    fn is_in(&self, group: u32) -> bool {
        self.group.file == group || self.groups().binary_search(&group).is_ok()
    }

    /// EACCES.
    pub fn check_access(&self, file: &Metadata, wanted: u32) -> Result<(), Errno> {
        let class = if file.owner.user == self.user.file {
            6
        } else if self.is_in(file.owner.group) {
            3
        } else {
            0
        };
        if file.permissions >> class & wanted == wanted {
            return Ok(());
        }
        let is_directory = file.kind == Kind::Directory;
        let only_reads = match is_directory {
            true => wanted & WRITE == 0,
            false => wanted == READ,
        };
        let can_execute =
            is_directory || wanted & EXECUTE == 0 || file.permissions & ALL_EXECUTE != 0;
        allowed(
            can_execute && self.override_permissions()
                || only_reads && self.may(Capability::ReadSearch),
            Errno::EACCES,
        )
    }

    fn owns(&self, file: &Metadata) -> bool {
        file.owner.user == self.user.file || self.may(Capability::Owner)
    }

    /// What only its owner may do to a file: EPERM.
    pub fn check_owner(&self, file: &Metadata) -> Result<(), Errno> {
        allowed(self.owns(file), Errno::EPERM)
    }

    /// Whether the name of `file` in `directory` may go: EACCES; EPERM in one that is
    /// sticky.
    pub fn check_removal(&self, directory: &Metadata, file: &Metadata) -> Result<(), Errno> {
        self.check_access(directory, WRITE | EXECUTE)?;
        let is_sticky = directory.permissions & S_ISVTX != 0;
        let is_own = || directory.owner.user == self.user.file || self.owns(file);
        allowed(!is_sticky || is_own(), Errno::EPERM)
    }

    /// To whom what is made in `directory` belongs, and with which permissions of those
    /// asked for.
    pub fn maker_in(&self, directory: &Metadata, kind: Kind, permissions: u32) -> Maker {
        const AS_GROUP: u32 = S_ISGID | GROUP_EXECUTES;
        let mut maker = Maker {
            permissions,
            owner: self.file_owner(),
        };
        if directory.permissions & S_ISGID == 0 {
            return maker;
        }
        let group = directory.owner.group;
        maker.owner.group = group;
        if kind == Kind::Directory {
            maker.permissions |= S_ISGID;
        } else if permissions & AS_GROUP == AS_GROUP && !self.keeps_group_bit(group) {
            maker.permissions &= !S_ISGID;
        }
        maker
    }

    fn keeps_group_bit(&self, group: u32) -> bool {
        self.is_in(group) || self.may(Capability::KeepSetid)
    }

    /// The permissions that chmod(2) gives a file of those asked for: EPERM.
    pub fn change_mode(&self, file: &Metadata, permissions: u32) -> Result<u32, Errno> {
        self.check_owner(file)?;
        Ok(match self.keeps_group_bit(file.owner.group) {
            true => permissions,
            false => permissions & !S_ISGID,
        })
    }

    /// Whether chown(2) may give a file to others: EPERM.
    pub fn check_new_owner(
        &self,
        file: &Metadata,
        user: Option<u32>,
        group: Option<u32>,
    ) -> Result<(), Errno> {
        let is_own = file.owner.user == self.user.file;
        let user_stays = user.is_none_or(|user| is_own && user == file.owner.user);
        let may_have = |group| group == file.owner.group || self.is_in(group);
        let group_may = group.is_none_or(|group| is_own && may_have(group));
        allowed(
            user_stays && group_may || self.may(Capability::Chown),
            Errno::EPERM,
        )
    }

    /// What a file keeps of its permissions once it is another's.
    pub fn without_setid(&self, file: &Metadata) -> u32 {
        let mut lost = S_ISUID;
        let executes = file.permissions & GROUP_EXECUTES != 0;
        if executes || !self.keeps_group_bit(file.owner.group) {
            lost |= S_ISGID;
        }
        file.permissions & !lost
    }

    /// Whether a write by them takes from a file the bits that lend rights.
    #[inline]
    pub fn clear_setid(&self) -> bool {
        !self.may(Capability::KeepSetid)
    }

    /// Whether times may be set to what is given, or to now: EPERM, EACCES.
    pub fn check_times(&self, file: &Metadata, to_now: bool) -> Result<(), Errno> {
        match to_now {
            true if self.owns(file) => Ok(()),
            true => self.check_access(file, WRITE),
            false => self.check_owner(file),
        }
    }

    /// Whether a symbolic link in the last place is followed: not one that somebody
    /// has laid out for others in a directory for all. EACCES.
    pub fn check_follow(&self, directory: &Metadata, link: &Metadata) -> Result<(), Errno> {
        const FOR_ALL: u32 = S_ISVTX | OTHERS_WRITE;
        let is_safe = link.owner.user == self.user.file
            || directory.permissions & FOR_ALL != FOR_ALL
            || directory.owner.user == link.owner.user;
        allowed(is_safe, Errno::EACCES)
    }

    /// Whether a file may have one more name: one's own, or one that could be written
    /// to and lends no rights. EPERM.
    pub fn check_link(&self, file: &Metadata) -> Result<(), Errno> {
        const AS_GROUP: u32 = S_ISGID | GROUP_EXECUTES;
        let is_safe = || {
            file.kind == Kind::Regular
                && file.permissions & S_ISUID == 0
                && file.permissions & AS_GROUP != AS_GROUP
                && self.check_access(file, READ | WRITE).is_ok()
        };
        allowed(self.owns(file) || is_safe(), Errno::EPERM)
    }

    /// Those with which access(2) looks at files: the real ids, and root's powers only
    /// if the real user is root.
    pub fn real(&self) -> Credentials {
        let mut real = self.clone();
        real.user.file = self.user.real;
        real.group.file = self.group.real;
        real.capabilities = self.capabilities.of_real(self.user.real == 0);
        real
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::Change;

    fn file(kind: Kind, user: u32, group: u32, permissions: u32) -> Metadata {
        Metadata {
            owner: Owner { user, group },
            ..Metadata::without_content(1, 2, kind, permissions, 0)
        }
    }

    fn regular(user: u32, group: u32, permissions: u32) -> Metadata {
        file(Kind::Regular, user, group, permissions)
    }

    fn folder(user: u32, group: u32, permissions: u32) -> Metadata {
        file(Kind::Directory, user, group, permissions)
    }

    /// User 10 of group 20, and of group 21 besides.
    fn user() -> Credentials {
        let groups = Vec::from([21]).into_boxed_slice();
        let root = Credentials::ROOT.with_groups(groups).unwrap();
        let root = root.with_group(Change::Set(20)).unwrap();
        root.with_user(Change::Set(10)).unwrap()
    }

    #[test]
    fn the_first_class_that_fits_decides() {
        let user = user();
        for wanted in 0..8 {
            for permissions in 0..0o1000 {
                let may = |user_id, group| {
                    let file = regular(user_id, group, permissions);
                    user.check_access(&file, wanted).is_ok()
                };
                let class = |shift: u32| permissions >> shift & wanted == wanted;
                assert_eq!(may(10, 20), class(6));
                assert_eq!(may(11, 20), class(3));
                assert_eq!(may(11, 21), class(3));
                assert_eq!(may(11, 22), class(0));
                let root = Credentials::ROOT.check_access(&regular(10, 20, permissions), wanted);
                let executes = wanted & EXECUTE == 0 || permissions & ALL_EXECUTE != 0;
                assert_eq!(root.is_ok(), executes);
                let root = Credentials::ROOT.check_access(&folder(10, 20, permissions), wanted);
                assert_eq!(root, Ok(()));
            }
        }
    }

    #[test]
    fn in_a_sticky_directory_ones_own_may_go() {
        let user = user();
        let sticky = folder(0, 0, 0o1777);
        let other = regular(11, 20, 0o666);
        assert_eq!(user.check_removal(&sticky, &other), Err(Errno::EPERM));
        assert_eq!(user.check_removal(&sticky, &regular(10, 0, 0)), Ok(()));
        assert_eq!(user.check_removal(&folder(10, 0, 0o1777), &other), Ok(()));
        assert_eq!(user.check_removal(&folder(0, 0, 0o777), &other), Ok(()));
        let closed = folder(0, 0, 0o1775);
        assert_eq!(user.check_removal(&closed, &other), Err(Errno::EACCES));
        assert_eq!(Credentials::ROOT.check_removal(&sticky, &other), Ok(()));
    }

    #[test]
    fn a_setgid_directory_hands_on_its_group() {
        let user = user();
        let plain = user.maker_in(&folder(0, 7, 0o777), Kind::Regular, 0o2755);
        assert_eq!((plain.owner.group, plain.permissions), (20, 0o2755));
        let shared = folder(0, 7, 0o2777);
        let made = user.maker_in(&shared, Kind::Directory, 0o755);
        assert_eq!((made.owner.group, made.permissions), (7, 0o2755));
        let made = user.maker_in(&shared, Kind::Regular, 0o2755);
        assert_eq!((made.owner.group, made.permissions), (7, 0o755));
        let made = user.maker_in(&folder(0, 21, 0o2777), Kind::Regular, 0o2755);
        assert_eq!((made.owner.group, made.permissions), (21, 0o2755));
    }

    #[test]
    fn owners_change_modes_and_groups_of_their_own() {
        let user = user();
        assert_eq!(
            user.change_mode(&regular(11, 20, 0), 0o644),
            Err(Errno::EPERM)
        );
        assert_eq!(user.change_mode(&regular(10, 20, 0), 0o6755), Ok(0o6755));
        assert_eq!(user.change_mode(&regular(10, 22, 0), 0o6755), Ok(0o4755));
        let own = regular(10, 22, 0o6755);
        let give = |user_id, group| user.check_new_owner(&own, user_id, group);
        assert_eq!(give(Some(10), Some(22)), Ok(()));
        assert_eq!(give(None, Some(21)), Ok(()));
        assert_eq!(give(None, Some(23)), Err(Errno::EPERM));
        assert_eq!(give(Some(11), None), Err(Errno::EPERM));
        let other = regular(11, 20, 0);
        assert_eq!(user.check_new_owner(&other, None, None), Ok(()));
        assert_eq!(
            user.check_new_owner(&other, None, Some(20)),
            Err(Errno::EPERM)
        );
        assert_eq!(user.without_setid(&own), 0o755);
        assert_eq!(user.without_setid(&regular(10, 20, 0o6745)), 0o2745);
        assert_eq!(user.without_setid(&regular(10, 22, 0o6745)), 0o745);
    }

    #[test]
    fn times_are_the_owners_to_set_and_now_is_for_who_may_write() {
        let user = user();
        let shared = regular(11, 20, 0o060);
        assert_eq!(user.check_times(&shared, true), Ok(()));
        assert_eq!(user.check_times(&shared, false), Err(Errno::EPERM));
        assert_eq!(
            user.check_times(&regular(11, 20, 0), true),
            Err(Errno::EACCES)
        );
        assert_eq!(user.check_times(&regular(10, 20, 0), false), Ok(()));
    }

    #[test]
    fn links_of_others_are_not_trusted() {
        let user = user();
        let sticky = folder(0, 0, 0o1777);
        let link = |owner| file(Kind::SymbolicLink, owner, 0, 0o777);
        assert_eq!(user.check_follow(&sticky, &link(11)), Err(Errno::EACCES));
        assert_eq!(user.check_follow(&sticky, &link(0)), Ok(()));
        assert_eq!(user.check_follow(&sticky, &link(10)), Ok(()));
        assert_eq!(user.check_follow(&folder(0, 0, 0o755), &link(11)), Ok(()));
        assert_eq!(user.check_link(&regular(11, 20, 0o644)), Err(Errno::EPERM));
        assert_eq!(user.check_link(&regular(11, 20, 0o664)), Ok(()));
        assert_eq!(user.check_link(&regular(11, 20, 0o4666)), Err(Errno::EPERM));
        assert_eq!(user.check_link(&regular(10, 20, 0o4000)), Ok(()));
    }

    #[test]
    fn access_looks_with_the_real_ids() {
        let change = Change::All(Some(10), Some(0), None);
        let setuid = Credentials::ROOT.with_user(change).unwrap();
        let secret = regular(0, 0, 0o600);
        assert_eq!(setuid.check_access(&secret, READ), Ok(()));
        assert_eq!(
            setuid.real().check_access(&secret, READ),
            Err(Errno::EACCES)
        );
        let change = Change::All(Some(0), Some(10), None);
        let away = Credentials::ROOT.with_user(change).unwrap();
        assert_eq!(away.check_access(&secret, READ), Err(Errno::EACCES));
        assert_eq!(away.real().check_access(&secret, READ), Ok(()));
    }
}
