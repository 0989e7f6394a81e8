//! Page tables against a map from page to contents and rights.

use super::*;
use crate::memory::frames::{Frame, arena, free_count};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::vec::Vec;

/// Pages that fall into several leaves and upper tables.
fn address(choice: usize) -> usize {
    const BASES: [usize; 4] = [
        0x40_0000,
        0x5f_f000,
        0x7f_ffff_e000,
        USER_END - 16 * PAGE_SIZE,
    ];
    BASES[choice / 16 % 4] + choice % 16 * PAGE_SIZE
}

#[derive(Clone, Debug)]
enum Step {
    Map(usize, u8),
    Unmap(usize, usize),
    Protect(usize, usize, u8),
    Write(usize, u8),
    Move(usize, usize, usize),
    Fork,
    DropChild,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..64usize, 0..8u8).prop_map(|(page, rights)| Step::Map(page, rights)),
        2 => (0..64usize, 1..20usize).prop_map(|(page, count)| Step::Unmap(page, count)),
        2 => (0..64usize, 1..20usize, 0..8u8)
            .prop_map(|(page, count, rights)| Step::Protect(page, count, rights)),
        4 => (0..64usize, any::<u8>()).prop_map(|(page, byte)| Step::Write(page, byte)),
        2 => (0..64usize, 1..20usize, 0..64usize)
            .prop_map(|(page, count, to)| Step::Move(page, count, to)),
        1 => Just(Step::Fork),
        1 => Just(Step::DropChild),
    ]
}

/// Each page's first byte, and the rights it was given.
type Model = BTreeMap<usize, (u8, u8)>;

fn normal(rights: u8) -> Rights {
    let rights = Rights::from_bits(rights);
    if rights == Rights::NONE {
        rights
    } else {
        rights | Rights::READ
    }
}

fn check(table: &PageTable, model: &Model) {
    for page in (0..64).map(address) {
        let mapped = table.existing_page(page).map(Page::lock);
        let mapped = mapped.filter(|cursor| cursor.query() != Mapped::Nothing);
        assert_eq!(mapped.is_some(), model.contains_key(&page));
        let Some(cursor) = mapped else { continue };
        let (byte, rights) = model[&page];
        let Mapped::Frame {
            rights: granted,
            unique,
        } = cursor.query()
        else {
            panic!("it is mapped");
        };
        let allowed = normal(rights);
        assert!(allowed.contains(granted));
        assert_eq!(granted.read_only(), allowed.read_only());
        assert!(
            unique || !granted.contains(Rights::WRITE),
            "two write to one frame"
        );
        cursor.with_frame(|frame| {
            let mut first = [0];
            frame.read(0, &mut first);
            assert_eq!(first[0], byte);
        });
    }
}

/// What a page fault for writing does.
fn write(table: &PageTable, page: usize, rights: Rights, byte: u8) {
    let mut cursor = table.page(page).expect("memory").lock();
    match cursor.query() {
        Mapped::Nothing => return,
        Mapped::Frame { unique: true, .. } => cursor.widen(rights),
        Mapped::Frame { .. } => cursor.replace_by_copy(Frame::alloc().expect("memory"), rights),
    }
    cursor.with_frame(|frame| frame.write(0, &[byte]));
}

fn run(steps: Vec<Step>) {
    let table = PageTable::new().expect("memory");
    let mut model = Model::new();
    let mut children: Vec<(Arc<PageTable>, Model)> = Vec::new();
    table.activate();
    for step in steps {
        match step {
            Step::Map(choice, rights) => {
                let page = address(choice);
                let mut cursor = table.page(page).expect("memory").lock();
                if cursor.query() == Mapped::Nothing {
                    let frame = Frame::alloc_zeroed().expect("memory");
                    cursor.map(frame, normal(rights));
                    model.insert(page, (0, rights));
                }
            }
            Step::Unmap(choice, count) => {
                let range = address(choice)..(address(choice) + count * PAGE_SIZE).min(USER_END);
                table.unmap(range.clone(), &mut table.flush());
                model.retain(|page, _| !range.contains(page));
            }
            Step::Protect(choice, count, rights) => {
                let range = address(choice)..(address(choice) + count * PAGE_SIZE).min(USER_END);
                let mut flush = table.flush();
                table.protect(
                    range.clone(),
                    normal(rights),
                    Sharing::CopyOnWrite,
                    &mut flush,
                );
                drop(flush);
                for (_, (_, of)) in model.range_mut(range) {
                    *of = rights;
                }
            }
            Step::Write(choice, byte) => {
                let page = address(choice);
                if let Some((first, rights)) = model.get_mut(&page)
                    && normal(*rights).contains(Rights::WRITE)
                {
                    write(&table, page, normal(*rights), byte);
                    *first = byte;
                }
            }
            Step::Move(choice, count, to) => {
                let length = (count * PAGE_SIZE).min(USER_END - address(choice));
                let range = address(choice)..address(choice) + length;
                let place = address(to)..address(to) + length;
                let overlap = range.start < place.end && place.start < range.end;
                if overlap || place.end > USER_END {
                    continue;
                }
                table.unmap(place.clone(), &mut table.flush());
                model.retain(|page, _| !place.contains(page));
                let mut flush = table.flush();
                let moved = table.relocate(range.clone(), place.start, &mut flush);
                assert_eq!(moved, Ok(()));
                drop(flush);
                let pages: Vec<usize> = model.range(range.clone()).map(|(page, _)| *page).collect();
                for page in pages {
                    let value = model.remove(&page).expect("it is there");
                    model.insert(page - range.start + place.start, value);
                }
            }
            Step::Fork => {
                let child = PageTable::new().expect("memory");
                let mut flush = table.flush();
                for range in [0x40_0000..0x100_0000, 0x7f_0000_0000..USER_END] {
                    table
                        .share(range, &child, Sharing::CopyOnWrite, &mut flush)
                        .expect("memory");
                }
                drop(flush);
                children.push((child, model.clone()));
            }
            Step::DropChild => {
                if let Some((child, _)) = children.pop() {
                    child.retire();
                }
            }
        }
        check(&table, &model);
        for (child, model) in &children {
            check(child, model);
        }
    }
    table.retire();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn agrees_with_a_map_of_pages(steps in prop::collection::vec(step(), 1..80)) {
        let _alone = arena::exclusive();
        let free = free_count();
        run(steps);
        prop_assert_eq!(free_count(), free, "frames are missing");
    }
}

#[test]
fn spare_tables_are_empty() {
    let _alone = arena::exclusive();
    for round in 0..40 {
        let table = PageTable::new().expect("memory");
        for page in 0..64 {
            assert!(
                table.existing_page(address(page)).is_none(),
                "round {round}"
            );
        }
        for page in (0..64).step_by(3) {
            let frame = Frame::alloc_zeroed().expect("memory");
            table
                .page(address(page))
                .expect("memory")
                .lock()
                .map(frame, Rights::ALL);
        }
    }
}

#[test]
fn threads_map_in_parallel() {
    let _alone = arena::exclusive();
    let free = free_count();
    let table = PageTable::new().expect("memory");
    std::thread::scope(|scope| {
        for cpu in 1..5usize {
            let table = &table;
            scope.spawn(move || {
                crate::host::cpu::become_cpu(cpu);
                for page in 0..3_000 {
                    let address = 0x1000_0000 + page * PAGE_SIZE;
                    let mut cursor = table.page(address).expect("memory").lock();
                    if cursor.query() == Mapped::Nothing {
                        cursor.map(Frame::alloc_zeroed().expect("memory"), Rights::READ);
                    }
                }
            });
        }
    });
    // 3,000 pages, 6 leaves, 2 tables above them, and the root.
    assert_eq!(free - free_count(), 3_000 + 6 + 2 + 1);
    drop(table);
    assert_eq!(free_count(), free);
}
