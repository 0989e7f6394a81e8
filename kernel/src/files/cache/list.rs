//! A list of all caches, by id. One that leaves leaves a gap, for many may leave
//! at once; the gaps go when they are more than half.

use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;

use abi::Errno;

/// What has an id of its own.
pub trait Numbered {
    fn id(&self) -> u64;
}

/// See the module.
pub struct List<T> {
    entries: Vec<(u64, Weak<T>)>,
    gaps: usize,
}

impl<T: Numbered> List<T> {
    pub const fn new() -> List<T> {
        List {
            entries: Vec::new(),
            gaps: 0,
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len() - self.gaps
    }

    /// ENOMEM.
    pub fn add(&mut self, new: &Arc<T>) -> Result<(), Errno> {
        self.entries.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        // Nearly always at the end.
        let at = self.entries.partition_point(|&(id, _)| id < new.id());
        self.entries.insert(at, (new.id(), Arc::downgrade(new)));
        Ok(())
    }

    /// Removes the one with this id; its memory may go with what is returned.
    pub fn remove(&mut self, id: u64) -> Option<Weak<T>> {
        let find = |&(id, _): &(u64, Weak<T>)| id;
        let at = self.entries.binary_search_by_key(&id, find).ok()?;
        let gone = core::mem::take(&mut self.entries[at].1);
        self.gaps += 1;
        if self.gaps > self.entries.len() / 2 {
            // A weak reference that never led anywhere is a gap.
            self.entries
                .retain(|(_, entry)| !entry.ptr_eq(&Weak::new()));
            self.gaps = 0;
        }
        Some(gone)
    }

    /// The first whose id is greater.
    pub fn after(&self, id: u64) -> Option<Arc<T>> {
        let at = self.entries.partition_point(|&(other, _)| other <= id);
        self.entries[at..]
            .iter()
            .find_map(|(_, entry)| entry.upgrade())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Item(u64);

    impl Numbered for Item {
        fn id(&self) -> u64 {
            self.0
        }
    }

    /// The ids there are, in the order in which a walk finds them.
    fn walk(list: &List<Item>) -> Vec<u64> {
        let ids = core::iter::successors(list.after(0), |item| list.after(item.0));
        ids.map(|item| item.0).collect()
    }

    #[test]
    fn those_that_leave_in_any_order_are_gone() {
        let mut list = List::new();
        let mut items: Vec<_> = (1..=100).map(|id| Arc::new(Item(id))).collect();
        for item in items.iter().rev() {
            list.add(item).unwrap();
        }
        for step in [3, 2, 1] {
            let (gone, rest): (Vec<_>, _) = items.into_iter().partition(|it| it.0 % step == 0);
            for item in gone {
                assert!(list.remove(item.0).is_some());
                assert!(list.remove(item.0 + 1000).is_none());
            }
            items = rest;
            let left: Vec<_> = items.iter().map(|item| item.0).collect();
            assert_eq!((list.len(), walk(&list)), (left.len(), left));
        }
        assert_eq!((list.entries.len(), list.gaps), (0, 0));
    }

    #[test]
    fn one_that_leaves_moves_few_others() {
        let mut list = List::new();
        let items: Vec<_> = (1..=1000).map(|id| Arc::new(Item(id))).collect();
        for item in &items {
            list.add(item).unwrap();
        }
        // Each time the list gets shorter, what is behind has moved.
        let mut moved = 0;
        for item in items {
            let before = list.entries.len();
            list.remove(item.0);
            if list.entries.len() < before {
                moved += list.entries.len();
            }
        }
        assert!(moved <= 1000, "{moved}");
    }
}
