//! The heap under random use: memory is never out twice, and all returns.

use super::KernelHeap;
use crate::memory::frames::{arena, free_count};
use core::alloc::{GlobalAlloc, Layout};
use proptest::prelude::*;
use std::vec::Vec;

/// Memory with a pattern that only its owner writes.
struct Object {
    memory: *mut u8,
    layout: Layout,
    pattern: u8,
}

impl Object {
    fn new(size: usize, align: usize, pattern: u8) -> Option<Self> {
        let layout = Layout::from_size_align(size, align).expect("a valid layout");
        // SAFETY: the size is not zero.
        let memory = unsafe { KernelHeap.alloc(layout) };
        if memory.is_null() {
            return None;
        }
        assert_eq!(memory.addr() % align, 0);
        // SAFETY: the object has `size` bytes.
        unsafe { memory.write_bytes(pattern, size) };
        Some(Self {
            memory,
            layout,
            pattern,
        })
    }

    fn resize(&mut self, size: usize) {
        // SAFETY: the object is out, with this layout.
        let memory = unsafe { KernelHeap.realloc(self.memory, self.layout, size) };
        if memory.is_null() {
            return;
        }
        let kept = size.min(self.layout.size());
        self.memory = memory;
        self.layout = Layout::from_size_align(size, self.layout.align()).expect("a valid layout");
        self.check(kept);
        // SAFETY: as in `new`.
        unsafe { memory.write_bytes(self.pattern, size) };
    }

    fn check(&self, length: usize) {
        // SAFETY: the object has at least `length` bytes, all written.
        let bytes = unsafe { core::slice::from_raw_parts(self.memory, length) };
        assert!(
            bytes.iter().all(|&byte| byte == self.pattern),
            "memory was out twice"
        );
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        self.check(self.layout.size());
        // SAFETY: the object is out, with this layout.
        unsafe { KernelHeap.dealloc(self.memory, self.layout) };
    }
}

#[derive(Clone, Debug)]
enum Step {
    Alloc {
        size: usize,
        align: u32,
        pattern: u8,
    },
    Resize {
        choice: usize,
        size: usize,
    },
    Free {
        choice: usize,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let size = prop_oneof![8 => 1..300usize, 3 => 300..2_100usize, 1 => 2_000..40_000usize];
    prop_oneof![
        4 => (size.clone(), 0..13u32, any::<u8>())
            .prop_map(|(size, align, pattern)| Step::Alloc { size, align, pattern }),
        1 => (any::<usize>(), size).prop_map(|(choice, size)| Step::Resize { choice, size }),
        3 => any::<usize>().prop_map(|choice| Step::Free { choice }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn memory_is_out_once(steps in prop::collection::vec(step(), 1..600)) {
        let _alone = arena::exclusive();
        let mut objects = Vec::new();
        for step in steps {
            match step {
                Step::Alloc { size, align, pattern } => {
                    objects.extend(Object::new(size, 1 << align, pattern));
                }
                Step::Resize { choice, size } if !objects.is_empty() => {
                    let index = choice % objects.len();
                    objects[index].resize(size);
                }
                Step::Free { choice } if !objects.is_empty() => {
                    objects.swap_remove(choice % objects.len());
                }
                _ => {}
            }
        }
    }
}

#[test]
fn empty_slabs_go_back_to_the_frames() {
    let _alone = arena::exclusive();
    let free = free_count();
    let objects: Vec<_> = (0..20_000)
        .filter_map(|n| Object::new(64, 8, n as u8))
        .collect();
    assert_eq!(objects.len(), 20_000);
    assert!(free - free_count() >= 300);
    drop(objects);
    // What the CPU's cache keeps is spread over a few slabs at most.
    assert!(
        free - free_count() <= 8,
        "{} frames missing",
        free - free_count()
    );
}

#[test]
fn used_up_memory_gives_null() {
    let _alone = arena::exclusive();
    let mut objects = Vec::new();
    while let Some(object) = Object::new(2048, 8, 1) {
        objects.push(object);
    }
    assert!(Object::new(1 << 20, 8, 1).is_none());
    drop(objects);
    assert!(Object::new(1 << 20, 8, 1).is_some());
    let huge = Layout::from_size_align(1 << 40, 8).expect("a valid layout");
    // SAFETY: the size is not zero.
    assert!(unsafe { KernelHeap.alloc(huge) }.is_null());
}

#[test]
fn threads_pass_objects_to_each_other() {
    let _alone = arena::exclusive();
    std::thread::scope(|scope| {
        for cpu in 0..4usize {
            scope.spawn(move || {
                crate::host::cpu::become_cpu(cpu);
                let mut held = Vec::new();
                for round in 0..20_000usize {
                    let size = 1 + (round * 7919 + cpu * 31) % 700;
                    held.extend(Object::new(size, 8, round as u8));
                    if round % 3 == 0 {
                        let index = round * 31 % held.len();
                        held.swap_remove(index);
                    }
                    if held.len() > 200 {
                        // Half of it from another CPU.
                        crate::host::cpu::become_cpu((cpu + 1) % 4);
                        held.truncate(100);
                        crate::host::cpu::become_cpu(cpu);
                    }
                }
            });
        }
    });
}
