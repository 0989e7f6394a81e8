//! What the calls that set ids make of them: setuid(2), setreuid(2), setresuid(2),
//! setfsuid(2) and the same for groups.

use abi::Errno;

use super::{Capability, Credentials, Ids};

/// Which call, with its arguments; `None` leaves an id as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Set(u32),
    RealAndEffective(Option<u32>, Option<u32>),
    All(Option<u32>, Option<u32>, Option<u32>),
    File(u32),
}

impl Ids {
    /// The same id four times.
    pub const fn all(id: u32) -> Ids {
        Ids {
            real: id,
            effective: id,
            saved: id,
            file: id,
        }
    }

    fn is_one_of(&self, id: u32) -> bool {
        [self.real, self.effective, self.saved].contains(&id)
    }

    /// EPERM; `may_any` if any id will do.
    fn changed(self, change: Change, may_any: bool) -> Result<Ids, Errno> {
        let check = |allowed: bool| match allowed || may_any {
            true => Ok(()),
            false => Err(Errno::EPERM),
        };
        let mut new = self;
        match change {
            Change::Set(id) if may_any => return Ok(Ids::all(id)),
            Change::Set(id) => {
                check(id == self.real || id == self.saved)?;
                new.effective = id;
            }
            Change::RealAndEffective(real, effective) => {
                if let Some(id) = real {
                    check(id == self.real || id == self.effective)?;
                    new.real = id;
                }
                if let Some(id) = effective {
                    check(self.is_one_of(id))?;
                    new.effective = id;
                }
                if real.is_some() || effective.is_some_and(|id| id != self.real) {
                    new.saved = new.effective;
                }
            }
            Change::All(real, effective, saved) => {
                for id in [real, effective, saved].into_iter().flatten() {
                    check(self.is_one_of(id))?;
                }
                new.real = real.unwrap_or(self.real);
                new.effective = effective.unwrap_or(self.effective);
                new.saved = saved.unwrap_or(self.saved);
            }
            Change::File(id) => {
                check(self.is_one_of(id) || id == self.file)?;
                new.file = id;
                return Ok(new);
            }
        }
        new.file = new.effective;
        Ok(new)
    }

    fn has_root(&self) -> bool {
        self.is_one_of(0)
    }
}

impl Credentials {
    /// The same with other users: EPERM.
    pub fn with_user(&self, change: Change) -> Result<Credentials, Errno> {
        let old = self.user;
        let new = old.changed(change, self.may(Capability::SetUser))?;
        let mut capabilities = self.capabilities;
        match change {
            Change::File(_) => capabilities.file_user_changed(old.file == 0, new.file == 0),
            _ => {
                let loses_root = old.has_root() && !new.has_root() && !self.keeps_capabilities;
                capabilities.user_changed(old.effective == 0, new.effective == 0, loses_root);
            }
        }
        Ok(Credentials {
            user: new,
            capabilities,
            ..self.clone()
        })
    }

    /// The same with other groups: EPERM.
    pub fn with_group(&self, change: Change) -> Result<Credentials, Errno> {
        let group = self.group.changed(change, self.may(Capability::SetGroup))?;
        Ok(Credentials {
            group,
            ..self.clone()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const USER: Ids = Ids {
        real: 1,
        effective: 2,
        saved: 3,
        file: 4,
    };

    fn ids(real: u32, effective: u32, saved: u32, file: u32) -> Ids {
        Ids {
            real,
            effective,
            saved,
            file,
        }
    }

    #[test]
    fn a_user_may_take_what_is_its_own() {
        use Change::*;
        let cases = [
            (Set(1), Ok(ids(1, 1, 3, 1))),
            (Set(3), Ok(ids(1, 3, 3, 3))),
            (Set(2), Err(Errno::EPERM)),
            (RealAndEffective(Some(2), None), Ok(ids(2, 2, 2, 2))),
            (RealAndEffective(Some(3), None), Err(Errno::EPERM)),
            (RealAndEffective(None, Some(3)), Ok(ids(1, 3, 3, 3))),
            (RealAndEffective(None, Some(1)), Ok(ids(1, 1, 3, 1))),
            (RealAndEffective(None, None), Ok(ids(1, 2, 3, 2))),
            (All(Some(3), Some(1), Some(2)), Ok(ids(3, 1, 2, 1))),
            (All(None, None, Some(4)), Err(Errno::EPERM)),
            (File(3), Ok(ids(1, 2, 3, 3))),
            (File(5), Err(Errno::EPERM)),
        ];
        for (change, expected) in cases {
            assert_eq!(USER.changed(change, false), expected, "{change:?}");
            assert!(USER.changed(change, true).is_ok());
        }
    }

    #[test]
    fn capabilities_go_with_root() {
        let root = Credentials::ROOT;
        let dropped = root.with_user(Change::Set(1000)).unwrap();
        assert_eq!(dropped.user, Ids::all(1000));
        assert_eq!(dropped.capabilities.permitted.bits(), 0);
        assert_eq!(dropped.with_user(Change::Set(0)), Err(Errno::EPERM));
        assert_eq!(dropped.with_group(Change::Set(5)), Err(Errno::EPERM));
        // The saved id leads back.
        let change = Change::All(None, Some(1000), None);
        let away = root.with_user(change).unwrap();
        assert!(!away.may(Capability::SetUser));
        assert_eq!(
            away.with_user(Change::Set(0)).unwrap().capabilities,
            root.capabilities
        );
        // Kept, and not in effect until asked for.
        let keeping = Credentials {
            keeps_capabilities: true,
            ..root.clone()
        };
        let kept = keeping.with_user(Change::Set(1000)).unwrap().capabilities;
        assert_eq!(kept.permitted, root.capabilities.permitted);
        assert_eq!(kept.effective.bits(), 0);
    }

    #[test]
    fn rights_to_files_go_with_the_file_system_id() {
        let away = Credentials::ROOT.with_user(Change::File(1000)).unwrap();
        assert!(!away.may(Capability::Override) && away.may(Capability::SetUser));
        let back = away.with_user(Change::File(0)).unwrap();
        assert_eq!(back, Credentials::ROOT);
    }

    fn change() -> impl Strategy<Value = Change> {
        let id = || 0..3u32;
        let some = || proptest::option::of(0..3u32);
        prop_oneof![
            id().prop_map(Change::Set),
            (some(), some())
                .prop_map(|(real, effective)| Change::RealAndEffective(real, effective)),
            (some(), some(), some())
                .prop_map(|(real, effective, saved)| { Change::All(real, effective, saved) }),
            id().prop_map(Change::File),
        ]
    }

    proptest! {
        /// Who has no capability never gets one, nor an id that it has not had.
        #[test]
        fn nothing_is_won(changes in proptest::collection::vec(change(), 0..8)) {
            let mut user = Credentials::ROOT.with_user(Change::Set(1)).unwrap();
            user.user.saved = 2;
            for change in changes {
                user = user.with_user(change).unwrap_or(user);
                let Ids { real, effective, saved, file } = user.user;
                prop_assert!([real, effective, saved, file].iter().all(|&id| id == 1 || id == 2));
                prop_assert_eq!(user.capabilities.permitted.bits(), 0);
            }
        }
    }
}
