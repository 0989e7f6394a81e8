//! The cache against a vector of bytes.

use super::*;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Write(u64, usize, u8),
    Append(usize, u8),
    Read(u64, usize),
    Resize(u64),
    Touch(u64),
    Flush,
    Shrink(usize),
    /// Writes while the store has room for only so many more pages.
    Full(u64, usize, usize),
}

fn step() -> impl Strategy<Value = Step> {
    let offset = || prop_oneof![0u64..12_000, 4090u64..4100, 0u64..900_000];
    prop_oneof![
        3 => (offset(), 0usize..10_000, 1u8..200).prop_map(|(o, l, b)| Step::Write(o, l, b)),
        1 => (0usize..9_000, 1u8..200).prop_map(|(l, b)| Step::Append(l, b)),
        3 => (offset(), 0usize..600_000).prop_map(|(o, l)| Step::Read(o, l)),
        2 => offset().prop_map(Step::Resize),
        1 => (0u64..230).prop_map(Step::Touch),
        2 => Just(Step::Flush),
        2 => (0usize..20).prop_map(Step::Shrink),
        1 => (offset(), 0usize..10_000, 0usize..3).prop_map(|(o, l, p)| Step::Full(o, l, p)),
    ]
}

fn write_model(model: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    if !bytes.is_empty() {
        model.resize(model.len().max(offset + bytes.len()), 0);
        model[offset..offset + bytes.len()].copy_from_slice(bytes);
    }
}

proptest! {
    #[test]
    fn behaves_as_bytes(steps in proptest::collection::vec(step(), 0..40)) {
        let (_alone, store) = Model::alone();
        let cache = store.cache(0);
        let mut model = Vec::new();
        for step in steps {
            match step {
                Step::Write(offset, length, byte) => {
                    let bytes = vec![byte; length];
                    prop_assert_eq!(write(&cache, offset, &bytes), Ok(length));
                    write_model(&mut model, offset as usize, &bytes);
                }
                Step::Append(length, byte) => {
                    let bytes = vec![byte; length];
                    let end = model.len() as u64 + length as u64;
                    let result = cache.write_at(Position::End, &mut Source::kernel(&bytes));
                    prop_assert_eq!(result, Ok((length, end)));
                    model.extend(bytes);
                }
                Step::Full(offset, length, room) => {
                    let bytes = vec![200; length];
                    store.room.store(room, SeqCst);
                    match write(&cache, offset, &bytes) {
                        Ok(count) => write_model(&mut model, offset as usize, &bytes[..count]),
                        Err(error) => prop_assert_eq!(error, Errno::ENOSPC),
                    }
                    store.room.store(usize::MAX, SeqCst);
                }
                Step::Read(offset, length) => {
                    let start = model.len().min(offset as usize);
                    let expected = &model[start..model.len().min(start + length)];
                    prop_assert!(read(&cache, offset, length).unwrap() == expected);
                }
                Step::Resize(size) => {
                    resize(&cache, &store, size);
                    model.resize(size as usize, 0);
                }
                Step::Touch(index) => {
                    let frame = cache.page_for_write(index).unwrap();
                    prop_assert_eq!(frame.is_some(), index < pages_of(model.len() as u64));
                    // A mapping can write behind the end, and it must not last.
                    if let Some(frame) = frame {
                        let inside = model.len() - index as usize * PAGE_SIZE;
                        if inside < PAGE_SIZE {
                            frame.fill(inside, PAGE_SIZE - inside, GARBAGE);
                        }
                    }
                }
                Step::Flush => {
                    cache.flush();
                    prop_assert_eq!(cache.dirty(), 0);
                    prop_assert!(store.bytes(model.len() as u64) == model);
                }
                Step::Shrink(most) => {
                    prop_assert!(cache.shrink(most) <= most);
                }
            }
            prop_assert_eq!(cache.size(), model.len() as u64);
            prop_assert_eq!(store.promised.load(SeqCst), cache.dirty());
        }
        let size = cache.size();
        prop_assert!(read(&cache, 0, size as usize).unwrap() == model);
        cache.flush();
        prop_assert!(store.bytes(size) == model);
    }
}
