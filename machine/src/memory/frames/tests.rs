//! Frames, runs and their counts.

use super::arena;
use super::*;
use std::collections::HashSet;
use std::vec::Vec;

#[test]
fn a_frame_returns_with_its_last_reference() {
    let _alone = arena::exclusive();
    let free = free_count();
    let frame = Frame::alloc().expect("memory");
    assert!(frame.is_unique());
    let shared = frame.share();
    assert!(!frame.is_unique() && frame.is_same(&shared));
    drop(frame);
    assert!(shared.is_unique());
    assert_eq!(free_count(), free - 1);
    drop(shared);
    assert_eq!(free_count(), free);
}

#[test]
fn bytes_are_copied_in_and_out() {
    let _alone = arena::exclusive();
    let frame = Frame::alloc_zeroed().expect("memory");
    frame.write(4090, b"sixsix");
    let other = Frame::alloc().expect("memory");
    other.copy_from(&frame);
    let mut bytes = [1; 8];
    other.read(4088, &mut bytes);
    assert_eq!(&bytes, b"\0\0sixsix");
    other.fill(0, 4096, 7);
    other.read(4088, &mut bytes);
    assert_eq!(bytes, [7; 8]);
}

#[test]
#[should_panic(expected = "outside the frame")]
fn a_write_across_the_end_is_refused() {
    let _alone = arena::exclusive();
    Frame::alloc().expect("memory").write(4095, b"ab");
}

#[test]
fn last_in_first_out() {
    let _alone = arena::exclusive();
    let frame = Frame::alloc().expect("memory");
    let physical = frame.physical();
    drop(frame);
    assert_eq!(Frame::alloc().expect("memory").physical(), physical);
}

#[test]
fn memory_ends_as_a_value_and_all_comes_back() {
    let _alone = arena::exclusive();
    let free = free_count();
    let mut frames = Vec::new();
    while let Some(frame) = Frame::alloc() {
        frames.push(frame);
    }
    let distinct: HashSet<usize> = frames.iter().map(Frame::physical).collect();
    assert_eq!(distinct.len(), frames.len());
    let runs: Vec<Run> = core::iter::from_fn(|| Run::alloc(1)).collect();
    assert!(runs.len() < 32, "the reserve is the kernel's own");
    assert!(store::take_block(0, true).is_some_and(|number| {
        store::give_block(number, 0);
        true
    }));
    drop((frames, runs));
    assert_eq!(free_count(), free);
}

#[test]
fn runs_are_aligned_and_return() {
    let _alone = arena::exclusive();
    let free = free_count();
    let run = Run::alloc(5).expect("memory");
    assert_eq!(run.pages(), 8);
    assert_eq!(run.physical() % (8 * PAGE_SIZE), 0);
    assert_eq!(free_count(), free - 8);
    assert!(Run::alloc(1 << 20).is_none());
    drop(run);
    assert_eq!(free_count(), free);
}

#[test]
fn threads_share_the_frames() {
    let _alone = arena::exclusive();
    let free = free_count();
    std::thread::scope(|scope| {
        for cpu in 0..4 {
            scope.spawn(move || {
                crate::host::cpu::become_cpu(cpu);
                let mut held = Vec::new();
                for round in 0..20_000usize {
                    if round * 7919 % 13 < 7 {
                        held.extend(Frame::alloc());
                    } else {
                        held.pop();
                    }
                    if held.len() > 300 {
                        held.clear();
                    }
                }
            });
        }
    });
    assert_eq!(free_count(), free);
}
