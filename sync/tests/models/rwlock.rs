//! The readers-writer lock: readers together, a writer alone, none forgotten.

use loom::{sync::Arc, thread};
use sync::{RwLock, rank};

use crate::{ALL, MOST, explore};

type Lock = RwLock<(u32, u32), rank::Space>;

fn read(lock: &Lock) {
    let pair = lock.read();
    assert_eq!(pair.0, pair.1);
}

fn write(lock: &Lock) {
    let mut pair = lock.write();
    pair.0 += 1;
    pair.1 += 1;
}

#[test]
fn a_reader_never_sees_half_a_write() {
    explore(ALL, || {
        let lock = Arc::new(Lock::new((0, 0)));
        let writer = {
            let lock = lock.clone();
            thread::spawn(move || write(&lock))
        };
        read(&lock);
        write(&lock);
        writer.join().unwrap();
        assert_eq!(*lock.read(), (2, 2));
    });
}

#[test]
fn a_writer_between_two_readers() {
    explore(MOST, || {
        let lock = Arc::new(Lock::new((0, 0)));
        let readers: Vec<_> = (0..2)
            .map(|_| {
                let lock = lock.clone();
                thread::spawn(move || read(&lock))
            })
            .collect();
        write(&lock);
        for reader in readers {
            reader.join().unwrap();
        }
    });
}

#[test]
fn a_reader_between_two_writers() {
    explore(MOST, || {
        let lock = Arc::new(Lock::new((0, 0)));
        let writers: Vec<_> = (0..2)
            .map(|_| {
                let lock = lock.clone();
                thread::spawn(move || write(&lock))
            })
            .collect();
        read(&lock);
        for writer in writers {
            writer.join().unwrap();
        }
        assert_eq!(*lock.read(), (2, 2));
    });
}

#[test]
fn no_writer_comes_between_writing_and_reading_on() {
    explore(ALL, || {
        let lock = Arc::new(Lock::new((0, 0)));
        let other = {
            let lock = lock.clone();
            thread::spawn(move || write(&lock))
        };
        let mut pair = lock.write();
        pair.0 += 1;
        pair.1 += 1;
        let written = *pair;
        let pair = pair.downgrade();
        assert_eq!(*pair, written);
        drop(pair);
        other.join().unwrap();
    });
}

#[test]
fn a_reader_joins_one_who_reads_on() {
    explore(MOST, || {
        let lock = Arc::new(Lock::new((0, 0)));
        let others: Vec<_> = [write as fn(&Lock), read]
            .into_iter()
            .map(|act| {
                let lock = lock.clone();
                thread::spawn(move || act(&lock))
            })
            .collect();
        drop(lock.write().downgrade());
        for other in others {
            other.join().unwrap();
        }
    });
}
