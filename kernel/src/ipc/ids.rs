//! What System V's calls find by an id, or by a key: a table of objects of one sort.
//!
//! An id is a place in the table and a number that tells it from those that were
//! there before. A spin lock guards the table; what goes is dropped without it.

use abi::Errno;
use abi::ipc::{IPC_CREAT, IPC_EXCL, IPC_PRIVATE};
use alloc::sync::Arc;
use alloc::vec::Vec;
use hashbrown::HashMap;
use sync::{SpinLock, rank};

/// An id is a place and so many times a number.
const PLACES: usize = 32_768;

/// The number in an id.
pub fn number(id: i32) -> u16 {
    (id as usize / PLACES) as u16
}

/// Numbers are below this, so that ids are no negative ints.
const NUMBERS: usize = 1 << 16;

struct Entry<T> {
    id: i32,
    /// IPC_PRIVATE if there is none, or no more.
    key: i32,
    object: Arc<T>,
}

struct Table<T> {
    entries: Vec<Option<Entry<T>>>,
    count: usize,
    keys: Option<HashMap<i32, usize>>,
    /// The next entry's number, and the last one's place.
    number: usize,
    last: Option<usize>,
}

impl<T> Table<T> {
    fn entry(&self, id: i32) -> Result<&Entry<T>, Errno> {
        let place = usize::try_from(id).map_err(|_| Errno::EINVAL)? % PLACES;
        let entry = self.entries.get(place).and_then(Option::as_ref);
        entry.filter(|entry| entry.id == id).ok_or(Errno::EINVAL)
    }

    fn by_key(&self, key: i32) -> Option<&Entry<T>> {
        let place = *self.keys.as_ref()?.get(&key)?;
        self.entries[place].as_ref()
    }

    /// Enters an object: its id. ENOMEM.
    fn add(&mut self, key: i32, object: Arc<T>) -> Result<i32, Errno> {
        let free = self.entries.iter().position(Option::is_none);
        let place = free.unwrap_or(self.entries.len());
        let no_memory = |_| Errno::ENOMEM;
        if free.is_none() {
            self.entries.try_reserve(1).map_err(no_memory)?;
        }
        if key != IPC_PRIVATE {
            let keys = self.keys.get_or_insert_with(HashMap::new);
            keys.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
            keys.insert(key, place);
        }
        if self.last.is_some_and(|last| place <= last) {
            self.number = (self.number + 1) % NUMBERS;
        }
        self.last = Some(place);
        let id = (self.number * PLACES + place) as i32;
        let entry = Some(Entry { id, key, object });
        match free {
            Some(place) => self.entries[place] = entry,
            None => self.entries.push(entry),
        }
        self.count += 1;
        Ok(id)
    }
}

/// See the module.
pub struct Ids<T> {
    table: SpinLock<Table<T>, rank::IpcNames>,
}

impl<T> Ids<T> {
    pub const fn new() -> Ids<T> {
        Ids {
            table: SpinLock::new(Table {
                entries: Vec::new(),
                count: 0,
                keys: None,
                number: 0,
                last: None,
            }),
        }
    }

    /// What has this id: EINVAL.
    pub fn get(&self, id: i32) -> Result<Arc<T>, Errno> {
        self.table
            .lock()
            .entry(id)
            .map(|entry| entry.object.clone())
    }

    /// What is at a place, and its id: EINVAL.
    pub fn at(&self, place: i32) -> Result<(i32, Arc<T>), Errno> {
        let table = self.table.lock();
        let place = usize::try_from(place).map_err(|_| Errno::EINVAL)? % PLACES;
        let entry = table.entries.get(place).and_then(Option::as_ref);
        entry
            .map(|entry| (entry.id, entry.object.clone()))
            .ok_or(Errno::EINVAL)
    }

    /// The key of what has this id; IPC_PRIVATE if it has none.
    pub fn key(&self, id: i32) -> i32 {
        let table = self.table.lock();
        table.entry(id).map_or(IPC_PRIVATE, |entry| entry.key)
    }

    /// Finds what has this key, if `flags` allow it and `fits` accepts it, or makes it;
    /// its id. ENOENT, EEXIST; ENOSPC if there are `most` of them; ENOMEM.
    pub fn find_or_make(
        &self,
        key: i32,
        flags: usize,
        most: usize,
        fits: impl Fn(&T) -> Result<(), Errno>,
        make: impl FnOnce() -> Result<Arc<T>, Errno>,
    ) -> Result<i32, Errno> {
        let find = |table: &Table<T>| {
            let found = match key {
                IPC_PRIVATE => None,
                key => table.by_key(key),
            };
            found.map(|entry| (entry.id, entry.object.clone()))
        };
        let use_found = |(id, object): (i32, Arc<T>)| {
            if flags & IPC_CREAT != 0 && flags & IPC_EXCL != 0 {
                return Err(Errno::EEXIST);
            }
            fits(&object).map(|()| id)
        };
        let found = find(&self.table.lock());
        if let Some(found) = found {
            return use_found(found);
        }
        if key != IPC_PRIVATE && flags & IPC_CREAT == 0 {
            return Err(Errno::ENOENT);
        }
        let made = make()?;
        let mut table = self.table.lock();
        // A peer may have been faster.
        if let Some(found) = find(&table) {
            drop(table);
            return use_found(found);
        }
        if table.count >= most.min(PLACES) {
            return Err(Errno::ENOSPC);
        }
        table.add(key, made)
    }

    /// Nobody finds it by its key any more.
    pub fn forget_key(&self, id: i32) {
        let mut table = self.table.lock();
        let Ok(&Entry { key, .. }) = table.entry(id) else {
            return;
        };
        if let Some(keys) = &mut table.keys {
            keys.remove(&key);
        }
        let place = id as usize % PLACES;
        if let Some(entry) = &mut table.entries[place] {
            entry.key = IPC_PRIVATE;
        }
    }

    /// Takes out what has this id, if it is there.
    pub fn remove(&self, id: i32) {
        self.forget_key(id);
        let mut table = self.table.lock();
        if table.entry(id).is_err() {
            return;
        }
        let removed = table.entries[id as usize % PLACES].take();
        table.count -= 1;
        while let Some(None) = table.entries.last() {
            table.entries.pop();
        }
        drop(table);
        drop(removed);
    }

    /// Calls `act` with each and its id.
    pub fn each(&self, mut act: impl FnMut(i32, Arc<T>) -> Result<(), Errno>) -> Result<(), Errno> {
        for place in 0..=self.greatest_place() {
            if let Ok((id, object)) = self.at(place as i32) {
                act(id, object)?;
            }
        }
        Ok(())
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.table.lock().count
    }

    /// The greatest place in use, or 0.
    pub fn greatest_place(&self) -> usize {
        self.table.lock().entries.len().saturating_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn make(ids: &Ids<u8>, key: i32, flags: usize) -> Result<i32, Errno> {
        ids.find_or_make(key, flags, 4, |_| Ok(()), || Ok(Arc::new(key as u8)))
    }

    #[test]
    fn keys_lead_to_ids() {
        let ids = Ids::new();
        assert_eq!(make(&ids, 5, 0), Err(Errno::ENOENT));
        let id = make(&ids, 5, IPC_CREAT).unwrap();
        assert_eq!(make(&ids, 5, IPC_CREAT), Ok(id));
        assert_eq!(make(&ids, 5, IPC_CREAT | IPC_EXCL), Err(Errno::EEXIST));
        let refused = ids.find_or_make(5, 0, 4, |_| Err(Errno::EINVAL), || Ok(Arc::new(0)));
        assert_eq!(refused, Err(Errno::EINVAL));
        // Private ones are all different.
        let private = [make(&ids, IPC_PRIVATE, 0), make(&ids, IPC_PRIVATE, 0)];
        assert!(private[0].is_ok() && private[0] != private[1]);
        assert_eq!(
            (ids.key(id), ids.key(private[0].unwrap())),
            (5, IPC_PRIVATE)
        );
        assert_eq!((*ids.get(id).unwrap(), ids.count()), (5, 3));
        make(&ids, 6, IPC_CREAT).unwrap();
        assert_eq!(make(&ids, 7, IPC_CREAT), Err(Errno::ENOSPC));
    }

    #[test]
    fn a_place_comes_again_with_another_id() {
        let ids = Ids::new();
        let first = make(&ids, 1, IPC_CREAT).unwrap();
        let second = make(&ids, 2, IPC_CREAT).unwrap();
        assert_eq!((first, second), (0, 1));
        ids.remove(first);
        ids.remove(first);
        assert_eq!(ids.get(first).err(), Some(Errno::EINVAL));
        assert_eq!(make(&ids, 1, 0), Err(Errno::ENOENT));
        let again = make(&ids, 1, IPC_CREAT).unwrap();
        assert_eq!(again, 32_768);
        assert_eq!(ids.get(first).err(), Some(Errno::EINVAL));
        assert_eq!(ids.at(0).unwrap().0, again);
        // Without its key it is there nevertheless.
        ids.forget_key(second);
        assert_eq!(
            (make(&ids, 2, 0), ids.get(second).is_ok()),
            (Err(Errno::ENOENT), true)
        );
        ids.remove(second);
        assert_eq!((ids.greatest_place(), ids.count()), (0, 1));
        for bad in [-1, 2, i32::MAX] {
            assert_eq!(ids.get(bad).err(), Some(Errno::EINVAL));
            assert_eq!(ids.at(bad).err(), Some(Errno::EINVAL));
        }
    }
}
