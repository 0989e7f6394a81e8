//! Whose threads are: users, groups and capabilities (credentials(7),
//! capabilities(7)), and what they may do. Pure; no locks.
//!
//! Each thread has an `Arc` of [`Credentials`], which never change: a call that
//! changes them puts others in their place. `change` has the rules of the calls,
//! `exec` those of a new program, `access` those of files, `capabilities` the sets.
//!
//! Of capabilities, files have none, there is no ambient set, and the bits that
//! change the rules for root (`PR_SET_SECUREBITS`) are never set.

pub mod access;
mod capabilities;
mod change;
mod exec;

pub use capabilities::{Capabilities, Capability, Set};
pub use change::Change;
pub use exec::Exec;

use alloc::boxed::Box;
use alloc::sync::Arc;

use abi::Errno;

use crate::files::allocate::try_arc;

/// A user's or a group's ids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ids {
    /// Who has started the program.
    pub real: u32,
    /// With whose rights it runs.
    pub effective: u32,
    /// Which it may come back to.
    pub saved: u32,
    /// With whose rights it uses files: the effective one, unless set apart.
    pub file: u32,
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    pub user: Ids,
    pub group: Ids,
    /// The further groups, in order.
    groups: Option<Arc<Box<[u32]>>>,
    pub capabilities: Capabilities,
    /// Permitted capabilities stay when no user id is root's any more.
    pub keeps_capabilities: bool,
}

impl Credentials {
    /// Root's, with all capabilities, as of the kernel itself and of init.
    pub const ROOT: Credentials = Credentials {
        user: Ids::all(0),
        group: Ids::all(0),
        groups: None,
        capabilities: Capabilities::FULL,
        keeps_capabilities: false,
    };

    /// Root's, for what the kernel does itself.
    pub fn root() -> &'static Credentials {
        static ROOT: Credentials = Credentials::ROOT;
        &ROOT
    }

    /// Whether they let their thread do what `capability` stands for.
    #[inline]
    pub fn may(&self, capability: Capability) -> bool {
        self.capabilities.effective.has(capability)
    }

    /// EPERM without `capability`.
    pub fn require(&self, capability: Capability) -> Result<(), Errno> {
        match self.may(capability) {
            true => Ok(()),
            false => Err(Errno::EPERM),
        }
    }

    /// Whether they let a thread look into one that has those of `target`, if that
    /// `is_dumpable` (ptrace(2), "Ptrace access mode checking").
    pub fn may_inspect(&self, target: &Credentials, is_dumpable: bool) -> bool {
        let is = |own: u32, ids: Ids| [ids.real, ids.effective, ids.saved] == [own; 3];
        let is_same = is(self.user.file, target.user) && is(self.group.file, target.group);
        let has_no_more = target
            .capabilities
            .permitted
            .is_within(self.capabilities.permitted);
        is_same && is_dumpable && has_no_more || self.may(Capability::Trace)
    }

    /// Whether they let a process send signals to one that has those of `target`
    /// (kill(2)).
    pub fn may_signal(&self, target: &Credentials) -> bool {
        let is = |own| own == target.user.real || own == target.user.saved;
        is(self.user.real) || is(self.user.effective) || self.may(Capability::Kill)
    }

    /// Whether a program that ran with `old` must not be seen by who may see that.
    pub fn differs_in_rights(&self, old: &Credentials) -> bool {
        let rights = |ids: Ids| (ids.effective, ids.file);
        rights(self.user) != rights(old.user)
            || rights(self.group) != rights(old.group)
            || !self
                .capabilities
                .permitted
                .is_within(old.capabilities.permitted)
    }

    /// The further groups, in order.
    pub fn groups(&self) -> &[u32] {
        self.groups.as_ref().map_or(&[], |groups| groups)
    }

    pub fn with_capabilities(&self, capabilities: Capabilities) -> Credentials {
        Credentials {
            capabilities,
            ..self.clone()
        }
    }

    pub fn keeping_capabilities(&self, keeps_capabilities: bool) -> Credentials {
        Credentials {
            keeps_capabilities,
            ..self.clone()
        }
    }

    /// The same with other further groups. ENOMEM.
    pub fn with_groups(&self, mut groups: Box<[u32]>) -> Result<Credentials, Errno> {
        groups.sort_unstable();
        let groups = match groups.is_empty() {
            true => None,
            false => Some(try_arc(groups)?),
        };
        Ok(Credentials {
            groups,
            ..self.clone()
        })
    }
}
