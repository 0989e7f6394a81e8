//! The entries of one directory.
//!
//! Plain data; the directory's lock guards it. Entries keep the order in which
//! they were made, each with a cookie that only grows, so that a listing in
//! progress goes on at the right place whatever is added or removed meanwhile.
//! A hash index finds a name; its seed is the directory's own, so that nobody
//! can choose names that collide. Growth is fallible and loses nothing.

use alloc::boxed::Box;
use alloc::vec::Vec;

use abi::Errno;
use hashbrown::HashTable;

use crate::files::allocate::try_bytes;

/// Below this many slots the holes of removed entries are left alone.
const SMALL: usize = 16;

/// A name and what it stands for.
pub struct Entry<V> {
    pub name: Box<[u8]>,
    pub value: V,
}

struct Slot<V> {
    cookie: u64,
    hash: u64,
    /// `None` once removed, until the next compaction.
    entry: Option<Entry<V>>,
}

/// See the module.
pub struct Entries<V> {
    /// In the order of their cookies.
    slots: Vec<Slot<V>>,
    /// Positions in `slots`, by the hash of the name.
    index: HashTable<u32>,
    seed: u64,
    next_cookie: u64,
}

impl<V> Entries<V> {
    /// An empty directory whose first entry will have `first_cookie`. `seed`
    /// is any number that users do not know.
    pub fn new(first_cookie: u64, seed: u64) -> Entries<V> {
        Entries {
            slots: Vec::new(),
            index: HashTable::new(),
            seed,
            next_cookie: first_cookie,
        }
    }

    pub fn len(&self) -> usize {
        self.index.len()
    }

    pub fn get(&self, name: &[u8]) -> Option<&V> {
        let position = *self.find(name)?;
        let entry = self.slots[position as usize].entry.as_ref();
        entry.map(|entry| &entry.value)
    }

    /// Adds an entry whose name is not there yet. ENOSPC if memory is short.
    pub fn insert(&mut self, name: &[u8], value: V) -> Result<(), Errno> {
        debug_assert!(self.find(name).is_none());
        let position = u32::try_from(self.slots.len()).map_err(|_| Errno::ENOSPC)?;
        let hash = hash_name(self.seed, name);
        let name = try_bytes(name).map_err(|_| Errno::ENOSPC)?;
        self.slots.try_reserve(1).map_err(|_| Errno::ENOSPC)?;
        let slots = &mut self.slots;
        self.index
            .try_reserve(1, |&position| slots[position as usize].hash)
            .map_err(|_| Errno::ENOSPC)?;
        slots.push(Slot {
            cookie: self.next_cookie,
            hash,
            entry: Some(Entry { name, value }),
        });
        self.index
            .insert_unique(hash, position, |&position| slots[position as usize].hash);
        self.next_cookie += 1;
        Ok(())
    }

    /// Puts `value` in place of what `name`, which must be there, stood for.
    pub fn replace(&mut self, name: &[u8], value: V) -> Option<V> {
        let position = *self.find(name)?;
        let entry = self.slots[position as usize].entry.as_mut()?;
        Some(core::mem::replace(&mut entry.value, value))
    }

    pub fn remove(&mut self, name: &[u8]) -> Option<V> {
        let hash = hash_name(self.seed, name);
        let slots = &mut self.slots;
        let found = self.index.find_entry(hash, |&position| {
            is_named(&slots[position as usize], hash, name)
        });
        let (position, _) = found.ok()?.remove();
        let entry = slots[position as usize].entry.take()?;
        while let Some(Slot { entry: None, .. }) = self.slots.last() {
            self.slots.pop();
        }
        if self.slots.len() > SMALL && self.index.len() < self.slots.len() / 2 {
            self.compact();
        }
        Some(entry.value)
    }

    /// The entries with a cookie of at least `from`, in order.
    pub fn since(&self, from: u64) -> impl Iterator<Item = (u64, &Entry<V>)> {
        let first = self.slots.partition_point(|slot| slot.cookie < from);
        self.slots[first..]
            .iter()
            .filter_map(|slot| Some((slot.cookie, slot.entry.as_ref()?)))
    }

    fn find(&self, name: &[u8]) -> Option<&u32> {
        let hash = hash_name(self.seed, name);
        self.index.find(hash, |&position| {
            is_named(&self.slots[position as usize], hash, name)
        })
    }

    /// Closes the holes. The index has room, as it held at least as many.
    fn compact(&mut self) {
        self.slots.retain(|slot| slot.entry.is_some());
        self.slots.shrink_to(self.slots.len() * 2);
        self.index.clear();
        let slots = &self.slots;
        for (position, slot) in (0..).zip(slots) {
            self.index.insert_unique(slot.hash, position, |&position| {
                slots[position as usize].hash
            });
        }
    }
}

/// A hash with a seed, for short names: one multiplication for eight bytes.
fn hash_name(seed: u64, name: &[u8]) -> u64 {
    let mut state = seed ^ name.len() as u64;
    let mut words = name.chunks_exact(8);
    for word in &mut words {
        let word = word
            .iter()
            .rev()
            .fold(0, |word, &byte| word << 8 | u64::from(byte));
        state = mix(state ^ word);
    }
    let rest = words.remainder();
    mix(state
        ^ rest
            .iter()
            .fold(0, |word, &byte| word << 8 | u64::from(byte)))
}

/// Spreads every bit of `value` over all bits of the result.
pub fn mix(value: u64) -> u64 {
    // The fractional part of the golden ratio, odd.
    let product = u128::from(value) * 0x9e37_79b9_7f4a_7c15;
    (product >> 64) as u64 ^ product as u64
}

fn is_named<V>(slot: &Slot<V>, hash: u64, name: &[u8]) -> bool {
    // Byte by byte: names are short, and a call of memcmp costs more.
    let same = |other: &[u8]| {
        other.len() == name.len() && other.iter().zip(name).all(|(one, two)| one == two)
    };
    slot.hash == hash && slot.entry.as_ref().is_some_and(|entry| same(&entry.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use std::string::String;

    #[derive(Clone, Debug)]
    enum Step {
        Insert(String),
        Remove(String),
        List(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            3 => "[a-d]{0,3}".prop_map(Step::Insert),
            2 => "[a-d]{0,3}".prop_map(Step::Remove),
            1 => (1usize..9).prop_map(Step::List),
        ]
    }

    proptest! {
        #[test]
        fn behaves_as_a_map(steps in proptest::collection::vec(step(), 0..300)) {
            let mut entries = Entries::new(2, 7);
            let mut model = BTreeMap::new();
            for (number, step) in steps.into_iter().enumerate() {
                match step {
                    Step::Insert(name) => {
                        if entries.get(name.as_bytes()).is_none() {
                            entries.insert(name.as_bytes(), number).unwrap();
                        } else {
                            entries.replace(name.as_bytes(), number).unwrap();
                        }
                        model.insert(name.into_bytes(), number);
                    }
                    Step::Remove(name) => {
                        prop_assert_eq!(entries.remove(name.as_bytes()), model.remove(name.as_bytes()));
                    }
                    Step::List(portion) => {
                        let mut from = 0;
                        let mut seen = BTreeMap::new();
                        loop {
                            let part: std::vec::Vec<_> = entries.since(from).take(portion).collect();
                            let Some(&(last, _)) = part.last() else { break };
                            from = last + 1;
                            for (_, entry) in part {
                                prop_assert!(seen.insert(entry.name.to_vec(), entry.value).is_none());
                            }
                        }
                        prop_assert_eq!(&seen, &model);
                    }
                }
                prop_assert_eq!(entries.len(), model.len());
            }
            for (name, value) in &model {
                prop_assert_eq!(entries.get(name), Some(value));
            }
        }

        #[test]
        fn a_listing_sees_what_stays(doomed in proptest::collection::vec(any::<bool>(), 40..80), portion in 1usize..7) {
            let mut entries = Entries::new(0, 7);
            for name in 0..doomed.len() {
                entries.insert(&name.to_le_bytes(), name).unwrap();
            }
            let mut from = 0;
            let mut seen = std::vec::Vec::new();
            let mut removals = doomed.iter().enumerate().filter(|(_, doomed)| **doomed);
            loop {
                let part: std::vec::Vec<_> = entries.since(from).take(portion).map(|(cookie, entry)| (cookie, entry.value)).collect();
                let Some(&(last, _)) = part.last() else { break };
                from = last + 1;
                seen.extend(part.iter().map(|&(_, value)| value));
                for (name, _) in removals.by_ref().take(5) {
                    entries.remove(&name.to_le_bytes());
                }
            }
            for (name, doomed) in doomed.iter().enumerate() {
                let times = seen.iter().filter(|&&value| value == name).count();
                prop_assert!(times <= 1 && (*doomed || times == 1));
            }
        }
    }
}
