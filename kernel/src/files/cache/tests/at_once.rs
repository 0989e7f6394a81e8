//! Everything at once, from several threads.

use super::*;

/// The byte that belongs at an offset, if anything was written there.
fn pattern(offset: u64) -> u8 {
    (offset % 199) as u8 + 1
}

struct CountDown<'a>(&'a AtomicUsize);

impl Drop for CountDown<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

/// Numbers that look random and are the same each time.
fn random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// Writes, cuts, extensions, write-back, reclaim, faults and reads at once: a
/// byte is what was written there, or zero, never what lay behind the end.
#[test]
fn nobody_sees_what_is_not_the_file() {
    const SPAN: u64 = 40 * PAGE;
    let (_alone, store) = Model::alone();
    let cache = store.cache(0);
    let running = AtomicUsize::new(3);
    let change = |seed: u64| {
        // Also if an assertion below fails, or the others would never end.
        let _ended = CountDown(&running);
        let mut state = seed;
        for _ in 0..1500 {
            let offset = random(&mut state) % SPAN;
            match random(&mut state) % 4 {
                0 => resize(&cache, &store, offset),
                _ => {
                    let length = random(&mut state) % 9000;
                    let bytes: Vec<u8> = (offset..offset + length).map(pattern).collect();
                    assert_eq!(write(&cache, offset, &bytes), Ok(length as usize));
                }
            }
        }
    };
    let look = |seed: u64| {
        let mut state = seed;
        while running.load(SeqCst) > 0 {
            let offset = random(&mut state) % SPAN;
            match random(&mut state) % 8 {
                0 => cache.flush(),
                1 => drop(cache.shrink(20)),
                2 => drop(cache.page_for_write(offset / PAGE).expect("room")),
                _ => {
                    let bytes = read(&cache, offset, 20_000).expect("it works");
                    for (at, &byte) in (offset..).zip(&bytes) {
                        assert!(byte == 0 || byte == pattern(at), "{byte:#x} at {at}");
                    }
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for seed in 1..=3 {
            scope.spawn(move || change(seed * 0x9e37_79b9));
            scope.spawn(move || look(seed * 0x7f4a_7c15));
        }
    });
    cache.flush();
    let size = cache.size();
    assert_eq!((cache.dirty(), store.promised.load(SeqCst)), (0, 0));
    assert!(store.bytes(size) == read(&cache, 0, size as usize).expect("it works"));
    assert_eq!(store.disk.lock().unwrap().size, size);
}
