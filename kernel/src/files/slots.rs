//! Which descriptors of a table are in use, and which close on exec.
//!
//! Plain data: bit sets of 64-bit words. The lowest free descriptor is found
//! from a hint below which all are in use.

use alloc::vec::Vec;

use abi::Errno;

use super::allocate::try_vec;

const WORD: usize = u64::BITS as usize;

#[derive(Clone, Copy, Default)]
struct Word {
    used: u64,
    close_on_exec: u64,
}

/// See the module.
pub struct Slots {
    words: Vec<Word>,
    /// No word below this one has a free bit.
    hint: usize,
}

impl Slots {
    pub const fn new() -> Slots {
        Slots {
            words: Vec::new(),
            hint: 0,
        }
    }

    /// Descriptors that there is room for without growing.
    pub fn capacity(&self) -> usize {
        self.words.len() * WORD
    }

    /// Makes room for `capacity` descriptors; ENOMEM changes nothing.
    pub fn grow(&mut self, capacity: usize) -> Result<(), Errno> {
        let words = capacity.div_ceil(WORD);
        if words > self.words.len() {
            let more = words - self.words.len();
            self.words.try_reserve(more).map_err(|_| Errno::ENOMEM)?;
            self.words.resize(words, Word::default());
        }
        Ok(())
    }

    /// The lowest free descriptor of at least `from`; it may lie past the
    /// capacity.
    pub fn lowest_free(&mut self, from: usize) -> usize {
        let first = (from / WORD).max(self.hint);
        // Bits below `from` in its own word do not count.
        let mut below = match first == from / WORD {
            true => (1 << (from % WORD)) - 1,
            false => 0,
        };
        for (number, word) in self.words.iter().enumerate().skip(first) {
            let free = !word.used & !below;
            if word.used == u64::MAX && number == self.hint {
                self.hint += 1;
            }
            if free != 0 {
                return number * WORD + free.trailing_zeros() as usize;
            }
            below = 0;
        }
        from.max(self.words.len() * WORD)
    }

    /// Marks `slot`, which there must be room for.
    pub fn mark(&mut self, slot: usize, close_on_exec: bool) {
        let word = &mut self.words[slot / WORD];
        word.used |= 1 << (slot % WORD);
        self.set_close_on_exec(slot, close_on_exec);
    }

    pub fn clear(&mut self, slot: usize) {
        let word = &mut self.words[slot / WORD];
        word.used &= !(1 << (slot % WORD));
        word.close_on_exec &= !(1 << (slot % WORD));
        self.hint = self.hint.min(slot / WORD);
    }

    pub fn is_used(&self, slot: usize) -> bool {
        let word = self.words.get(slot / WORD);
        word.is_some_and(|word| word.used >> (slot % WORD) & 1 == 1)
    }

    pub fn close_on_exec(&self, slot: usize) -> bool {
        let word = self.words.get(slot / WORD);
        word.is_some_and(|word| word.close_on_exec >> (slot % WORD) & 1 == 1)
    }

    pub fn set_close_on_exec(&mut self, slot: usize, on: bool) {
        let word = &mut self.words[slot / WORD];
        let bit = 1 << (slot % WORD);
        match on {
            true => word.close_on_exec |= bit,
            false => word.close_on_exec &= !bit,
        }
    }

    /// The lowest descriptor of at least `from` that closes on exec.
    pub fn next_close_on_exec(&self, from: usize) -> Option<usize> {
        let mut mask = u64::MAX << (from % WORD);
        for (number, word) in self.words.iter().enumerate().skip(from / WORD) {
            let marked = word.close_on_exec & mask;
            if marked != 0 {
                return Some(number * WORD + marked.trailing_zeros() as usize);
            }
            mask = u64::MAX;
        }
        None
    }

    /// One past the highest descriptor in use.
    pub fn end(&self) -> usize {
        let last = self.words.iter().rposition(|word| word.used != 0);
        last.map_or(0, |number| {
            (number + 1) * WORD - self.words[number].used.leading_zeros() as usize
        })
    }

    /// A copy, or ENOMEM.
    pub fn try_clone(&self) -> Result<Slots, Errno> {
        let mut words = try_vec(self.words.len())?;
        words.extend_from_slice(&self.words);
        Ok(Slots {
            words,
            hint: self.hint,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[derive(Clone, Debug)]
    enum Step {
        Take(usize, bool),
        Clear(usize),
        Flag(usize, bool),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (prop_oneof![3 => Just(0), 1 => 0usize..200], any::<bool>()).prop_map(|(s, c)| Step::Take(s, c)),
            2 => (0usize..200).prop_map(Step::Clear),
            1 => (0usize..200, any::<bool>()).prop_map(|(s, c)| Step::Flag(s, c)),
        ]
    }

    proptest! {
        #[test]
        fn behaves_as_a_map(steps in proptest::collection::vec(step(), 0..400)) {
            let mut slots = Slots::new();
            let mut model: BTreeMap<usize, bool> = BTreeMap::new();
            for step in steps {
                match step {
                    Step::Take(from, close) => {
                        let slot = slots.lowest_free(from);
                        let expected = (from..).find(|slot| !model.contains_key(slot)).unwrap();
                        prop_assert_eq!(slot, expected);
                        slots.grow(slot + 1).unwrap();
                        slots.mark(slot, close);
                        model.insert(slot, close);
                    }
                    Step::Clear(slot) => {
                        if model.remove(&slot).is_some() {
                            slots.clear(slot);
                        }
                    }
                    Step::Flag(slot, close) => {
                        if let Some(flag) = model.get_mut(&slot) {
                            *flag = close;
                            slots.set_close_on_exec(slot, close);
                        }
                    }
                }
                prop_assert_eq!(slots.end(), model.keys().last().map_or(0, |slot| slot + 1));
                let mut marked = std::vec::Vec::new();
                let mut from = 0;
                while let Some(slot) = slots.next_close_on_exec(from) {
                    marked.push(slot);
                    from = slot + 1;
                }
                let expected: std::vec::Vec<usize> =
                    model.iter().filter(|(_, close)| **close).map(|(slot, _)| *slot).collect();
                prop_assert_eq!(marked, expected);
            }
        }
    }
}
