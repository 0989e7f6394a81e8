//! Ids of threads and processes: the next free one in rising order, so that
//! an id comes back as late as possible. Plain data; the lock is in [`super::registry`].
//!
//! A slot is in use while it has a thread or a group: a first thread's id
//! stays taken until its whole group has been waited for.

use abi::Errno;
use alloc::vec::Vec;

/// Ids run from 1 to this (Linux's default `pid_max`).
pub const ID_MAX: u32 = 32_768;

struct Slot<T, G> {
    thread: Option<T>,
    group: Option<G>,
    reserved: bool,
}

impl<T, G> Slot<T, G> {
    const fn empty() -> Self {
        Slot {
            thread: None,
            group: None,
            reserved: false,
        }
    }

    fn is_free(&self) -> bool {
        self.thread.is_none() && self.group.is_none() && !self.reserved
    }
}

/// Slots are made and given back by so many.
const CHUNK: usize = 64;
const CHUNKS: usize = ID_MAX as usize / CHUNK;

struct Chunk<T, G> {
    /// None or all of them.
    slots: Vec<Slot<T, G>>,
    used: usize,
}

/// The table: `T` and `G` are what is found under an id. Chunks without an id
/// in use have no memory, except the one where ids are given out.
pub struct Ids<T, G> {
    chunks: [Chunk<T, G>; CHUNKS],
    /// Where the search for a free id goes on.
    next: usize,
    used: usize,
}

impl<T: Clone, G: Clone> Ids<T, G> {
    pub const fn new() -> Self {
        let chunks = [const {
            Chunk {
                slots: Vec::new(),
                used: 0,
            }
        }; CHUNKS];
        Ids {
            chunks,
            next: 0,
            used: 0,
        }
    }

    /// Reserves an id.
    ///
    /// # Errors
    /// `EAGAIN` if all are in use, `ENOMEM` if the table cannot grow.
    pub fn reserve(&mut self) -> Result<u32, Errno> {
        if self.used >= crate::limits::threads() {
            return Err(Errno::EAGAIN);
        }
        let at = self.find_free().ok_or(Errno::EAGAIN)?;
        let chunk = &mut self.chunks[at / CHUNK];
        if chunk.slots.is_empty() {
            chunk
                .slots
                .try_reserve_exact(CHUNK)
                .map_err(|_| Errno::ENOMEM)?;
            chunk.slots.resize_with(CHUNK, Slot::empty);
        }
        chunk.slots[at % CHUNK].reserved = true;
        chunk.used += 1;
        self.used += 1;
        let before = self.next / CHUNK;
        self.next = (at + 1) % ID_MAX as usize;
        if self.next / CHUNK != before {
            self.chunks[before].give_back_if_empty();
        }
        Ok(at as u32 + 1)
    }

    /// The index of the first free slot from `next` on, and around.
    fn find_free(&self) -> Option<usize> {
        let (first, skipped) = (self.next / CHUNK, self.next % CHUNK);
        // The first chunk comes again at the end, for what was skipped.
        (0..=CHUNKS).find_map(|step| {
            let index = (first + step) % CHUNKS;
            let from = if step == 0 { skipped } else { 0 };
            let chunk = &self.chunks[index];
            let found = match chunk.slots.len() {
                0 => Some(from),
                _ if chunk.used == CHUNK => None,
                _ => (from..CHUNK).find(|&at| chunk.slots[at].is_free()),
            };
            found.map(|at| index * CHUNK + at)
        })
    }

    /// Makes what a reserved id stands for findable.
    pub fn publish(&mut self, id: u32, thread: Option<T>, group: Option<G>) {
        let slot = self.slot_mut(id).expect("published ids were reserved");
        slot.reserved = false;
        slot.thread = thread;
        slot.group = group;
    }

    /// Takes the thread away but keeps the id until [`Ids::cancel`] gives it
    /// back; not even then if a group has it too. Returned so that it is
    /// dropped outside the lock.
    #[must_use]
    pub fn retire_thread(&mut self, id: u32) -> Option<T> {
        let slot = self.slot_mut(id)?;
        let thread = slot.thread.take()?;
        slot.reserved = true;
        Some(thread)
    }

    /// Takes the group away; the id is free again unless a thread has it too.
    #[must_use]
    pub fn remove_group(&mut self, id: u32) -> Option<G> {
        let slot = self.slot_mut(id)?;
        let group = slot.group.take()?;
        self.release_if_free(id);
        Some(group)
    }

    /// Gives a reserved id back.
    pub fn cancel(&mut self, id: u32) {
        if let Some(slot) = self.slot_mut(id)
            && slot.reserved
        {
            slot.reserved = false;
            self.release_if_free(id);
        }
    }

    /// Moves the thread `from` to the id `to`, whose thread is gone (exec).
    pub fn rename_thread(&mut self, from: u32, to: u32) -> Option<T> {
        let thread = self.slot_mut(from)?.thread.take()?;
        self.release_if_free(from);
        self.slot_mut(to)?.thread.replace(thread)
    }

    pub fn thread(&self, id: u32) -> Option<T> {
        self.slot(id)?.thread.clone()
    }

    pub fn group(&self, id: u32) -> Option<G> {
        self.slot(id)?.group.clone()
    }

    /// All threads, in order of their ids.
    pub fn threads(&self) -> impl Iterator<Item = &T> {
        self.slots().filter_map(|slot| slot.thread.as_ref())
    }

    /// All groups, in order of their ids.
    pub fn groups(&self) -> impl Iterator<Item = &G> {
        self.slots().filter_map(|slot| slot.group.as_ref())
    }

    fn slots(&self) -> impl Iterator<Item = &Slot<T, G>> {
        self.chunks.iter().flat_map(|chunk| &chunk.slots)
    }

    /// How many ids are in use.
    #[cfg(test)]
    fn used(&self) -> usize {
        self.used
    }

    fn slot(&self, id: u32) -> Option<&Slot<T, G>> {
        let at = (id as usize).checked_sub(1)?;
        self.chunks.get(at / CHUNK)?.slots.get(at % CHUNK)
    }

    fn slot_mut(&mut self, id: u32) -> Option<&mut Slot<T, G>> {
        let at = (id as usize).checked_sub(1)?;
        self.chunks.get_mut(at / CHUNK)?.slots.get_mut(at % CHUNK)
    }

    fn release_if_free(&mut self, id: u32) {
        if self.slot(id).is_some_and(Slot::is_free) {
            let index = (id as usize - 1) / CHUNK;
            self.chunks[index].used -= 1;
            self.used -= 1;
            if index != self.next / CHUNK {
                self.chunks[index].give_back_if_empty();
            }
        }
    }
}

impl<T, G> Chunk<T, G> {
    fn give_back_if_empty(&mut self) {
        if self.used == 0 {
            self.slots = Vec::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remove<G: Clone>(ids: &mut Ids<u32, G>, id: u32) -> Option<u32> {
        let thread = ids.retire_thread(id);
        ids.cancel(id);
        thread
    }

    #[test]
    fn ids_rise_and_come_back_late() {
        let mut ids: Ids<u32, u32> = Ids::new();
        assert_eq!(ids.reserve(), Ok(1));
        ids.publish(1, Some(1), Some(1));
        for expected in 2..100 {
            let id = ids.reserve().unwrap();
            assert_eq!(id, expected);
            ids.publish(id, Some(id), None);
            assert_eq!(remove(&mut ids, id), Some(id));
        }
        assert_eq!(ids.used(), 1);
    }

    #[test]
    fn the_table_wraps_and_fills_up() {
        let mut ids: Ids<u32, u32> = Ids::new();
        for id in 1..=ID_MAX {
            assert_eq!(ids.reserve(), Ok(id));
            ids.publish(id, Some(id), None);
        }
        assert_eq!(ids.reserve(), Err(Errno::EAGAIN));
        assert_eq!(remove(&mut ids, 77), Some(77));
        assert_eq!(ids.reserve(), Ok(77));
        assert_eq!(ids.reserve(), Err(Errno::EAGAIN));
        ids.cancel(77);
        assert_eq!(ids.used(), ID_MAX as usize - 1);
    }

    #[test]
    fn memory_is_for_ids_in_use() {
        let mut ids: Ids<u32, u32> = Ids::new();
        let kept = ids.reserve().unwrap();
        for _ in 1..ID_MAX {
            let id = ids.reserve().unwrap();
            ids.publish(id, Some(id), None);
            assert_eq!(remove(&mut ids, id), Some(id));
            let with_memory = ids.chunks.iter().filter(|chunk| !chunk.slots.is_empty());
            assert!(with_memory.count() <= 2);
        }
        // Around, past the one that is not free.
        assert_eq!(ids.reserve(), Ok(kept + 1));
    }

    #[test]
    fn an_id_with_a_group_is_not_free() {
        let mut ids: Ids<u32, &str> = Ids::new();
        let id = ids.reserve().unwrap();
        ids.publish(id, Some(1), Some("group"));
        assert_eq!(remove(&mut ids, id), Some(1));
        assert_eq!((ids.used(), ids.group(id)), (1, Some("group")));
        assert_eq!(ids.remove_group(id), Some("group"));
        assert_eq!(ids.used(), 0);
        assert_eq!(ids.remove_group(id), None);
        assert_eq!(ids.thread(0), None);
    }

    #[test]
    fn exec_moves_a_thread_to_the_id_of_its_group() {
        let mut ids: Ids<u32, u32> = Ids::new();
        for _ in 0..2 {
            let id = ids.reserve().unwrap();
            ids.publish(id, Some(id), (id == 1).then_some(1));
        }
        assert_eq!(remove(&mut ids, 1), Some(1));
        assert_eq!(ids.rename_thread(2, 1), None);
        assert_eq!(
            (ids.thread(1), ids.thread(2), ids.used()),
            (Some(2), None, 1)
        );
    }
}
