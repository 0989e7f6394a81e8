//! The pairing heap against naive models.

use super::*;
use alloc::vec::Vec;

struct Item {
    hook: Hook<Item>,
    name: usize,
}

hooked!(Item: 0 => hook);

fn item(name: usize) -> Arc<Item> {
    Arc::new(Item {
        hook: Hook::new(),
        name,
    })
}

#[test]
fn equal_keys_leave_in_order_of_arrival() {
    let mut heap: Heap<Item, 0> = Heap::new();
    for name in 0..100 {
        heap.insert(item(name), 5);
    }
    let names: Vec<usize> = core::iter::from_fn(|| heap.pop())
        .map(|item| item.name)
        .collect();
    assert_eq!(names, (0..100).collect::<Vec<_>>());
}

/// Miri takes a thousand times longer.
const STEPS: u64 = if cfg!(miri) { 200 } else { 5000 };

/// Random insertions, pops and removals against a sorted vector.
#[test]
fn agrees_with_a_sorted_vector() {
    let mut heap: Heap<Item, 0> = Heap::new();
    let mut model: Vec<(u64, u64, Arc<Item>)> = Vec::new();
    let mut random = 1u64;
    for step in 0..STEPS {
        random = random
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        let choice = random >> 33;
        match choice % 5 {
            0..=2 if model.len() < 200 => {
                let item = item(step as usize);
                let key = (choice >> 8) % 50;
                heap.insert(item.clone(), key);
                model.push((key, step, item));
                model.sort_by_key(|entry| (entry.0, entry.1));
            }
            3 if !model.is_empty() => {
                let entry = model.remove((choice >> 8) as usize % model.len());
                assert!(Arc::ptr_eq(&heap.remove(&entry.2).unwrap(), &entry.2));
                assert!(heap.remove(&entry.2).is_none());
            }
            _ => {
                let expected = (!model.is_empty()).then(|| model.remove(0).2.name);
                assert_eq!(heap.pop().map(|item| item.name), expected);
            }
        }
        assert_eq!(heap.len(), model.len());
        assert_eq!(heap.first_key(), model.first().map(|entry| entry.0));
    }
}

#[test]
fn every_member_can_be_found() {
    let mut heap: Heap<Item, 0> = Heap::new();
    for name in 0..50 {
        heap.insert(item(name), (name as u64 * 7) % 13);
    }
    for _ in 0..10 {
        let first = heap.pop().unwrap();
        heap.insert(first, 20);
    }
    for name in 0..50 {
        assert_eq!(
            heap.remove_where(|item| item.name == name).unwrap().name,
            name
        );
    }
    assert!(heap.remove_where(|_| true).is_none());
}

#[test]
fn dropping_the_heap_drops_its_members() {
    let member = item(1);
    let mut heap: Heap<Item, 0> = Heap::new();
    heap.insert(member.clone(), 1);
    drop(heap);
    assert_eq!(Arc::strong_count(&member), 1);
}
