//! The names of queues. A spin lock guards the table; what goes is dropped without it.

use abi::Errno;
use abi::file::NAME_MAX;
use alloc::boxed::Box;
use alloc::sync::Arc;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use sync::{SpinLock, rank};

use super::Queue;
use crate::files::allocate::{try_bytes, try_shrink_map};

type Table = Option<HashMap<Box<[u8]>, Arc<Queue>>>;

static NAMES: SpinLock<Table, rank::IpcNames> = SpinLock::new(None);

/// Whether it can be one: ENOENT, EACCES, ENAMETOOLONG.
pub fn check(name: &[u8]) -> Result<(), Errno> {
    match name {
        b"" => Err(Errno::ENOENT),
        b"." | b".." => Err(Errno::EACCES),
        _ if name.contains(&b'/') => Err(Errno::EACCES),
        _ if name.len() > NAME_MAX => Err(Errno::ENAMETOOLONG),
        _ => Ok(()),
    }
}

/// ENOENT.
pub fn find(name: &[u8]) -> Result<Arc<Queue>, Errno> {
    let table = NAMES.lock();
    let found = table.as_ref().and_then(|names| names.get(name));
    found.cloned().ok_or(Errno::ENOENT)
}

/// Gives `queue` a name: EEXIST, ENOMEM.
pub fn enter(name: &[u8], queue: &Arc<Queue>) -> Result<(), Errno> {
    let name = try_bytes(name)?;
    let mut table = NAMES.lock();
    let names = table.get_or_insert_with(HashMap::new);
    names.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
    match names.entry(name) {
        Entry::Occupied(_) => Err(Errno::EEXIST),
        Entry::Vacant(vacant) => {
            vacant.insert(queue.clone());
            Ok(())
        }
    }
}

/// Takes the name away from `queue`, if it still has it: ENOENT.
pub fn remove(name: &[u8], queue: &Arc<Queue>) -> Result<(), Errno> {
    let mut table = NAMES.lock();
    let names = table.as_mut().ok_or(Errno::ENOENT)?;
    if !names
        .get(name)
        .is_some_and(|other| Arc::ptr_eq(other, queue))
    {
        return Err(Errno::ENOENT);
    }
    let removed = names.remove_entry(name);
    try_shrink_map(names);
    drop(table);
    drop(removed);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_judged_as_by_linux() {
        let longest = [b'a'; NAME_MAX];
        let longer = [b'a'; NAME_MAX + 1];
        let cases: [(&[u8], _); 8] = [
            (b"queue", Ok(())),
            (b"...", Ok(())),
            (&longest, Ok(())),
            (&longer, Err(Errno::ENAMETOOLONG)),
            (b"", Err(Errno::ENOENT)),
            (b".", Err(Errno::EACCES)),
            (b"..", Err(Errno::EACCES)),
            (b"a/b", Err(Errno::EACCES)),
        ];
        for (name, result) in cases {
            assert_eq!(check(name), result);
        }
    }
}
