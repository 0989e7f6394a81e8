//! `prodcons [ITEMS]`: producers and consumers around a bounded buffer, with a
//! lock and two condition variables.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::collections::VecDeque;
use weft::sync::{Condvar, Mutex};
use weft::{Errno, thread};

weft::program!(main);

const ROOM: usize = 8;
const PEERS: u64 = 3;

struct Buffer {
    items: Mutex<VecDeque<u64>>,
    filled: Condvar,
    emptied: Condvar,
}

impl Buffer {
    fn put(&self, item: u64) {
        let mut items = self
            .emptied
            .wait_until(self.items.lock(), |items| items.len() < ROOM);
        items.push_back(item);
        drop(items);
        self.filled.signal();
    }

    fn take(&self) -> Option<u64> {
        let mut items = self
            .filled
            .wait_until(self.items.lock(), |items| !items.is_empty());
        let item = items.pop_front();
        drop(items);
        self.emptied.signal();
        item
    }
}

fn main() -> Result<(), Errno> {
    let each: u64 = weft::args()
        .nth(1)
        .and_then(|word| word.to_str().ok()?.parse().ok())
        .unwrap_or(2000);
    let buffer = Buffer {
        items: Mutex::new(VecDeque::with_capacity(ROOM)),
        filled: Condvar::new(),
        emptied: Condvar::new(),
    };
    let sum = thread::scope(|scope| {
        let mut consumers = alloc::vec::Vec::new();
        for peer in 0..PEERS {
            let buffer = &buffer;
            scope.spawn(move || (0..each).for_each(|i| buffer.put(peer * each + i)))?;
            let consume = move || (0..each).filter_map(|_| buffer.take()).sum::<u64>();
            consumers.push(scope.spawn(consume)?);
        }
        consumers
            .into_iter()
            .try_fold(0, |sum, consumer| Ok(sum + consumer.join()?.unwrap_or(0)))
    })?;
    let count = PEERS * each;
    if sum != count * count.saturating_sub(1) / 2 {
        weft::eprintln!("prodcons: items were lost or came twice");
        return Err(Errno::EIO);
    }
    weft::println!(
        "{count} items through a buffer of {ROOM}, {PEERS} producers, {PEERS} consumers"
    );
    Ok(())
}
