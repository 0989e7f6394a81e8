//! Memory: what comes back, and what never fills it.

use super::*;

#[test]
fn frames_come_back() {
    let (_alone, store) = Model::alone();
    let cache = store.cache(0);
    write(&cache, 0, &[1; 50 * PAGE_SIZE]).expect("room");
    let held = cache.page(3).expect("it works").expect("it is there");
    assert_eq!(cache.shrink(100), 0, "dirty pages stay");
    cache.flush();
    // Each has been used since the last look, so the second one takes them.
    while cache.shrink(100) > 0 || cache.resident() > 1 {}
    assert!(
        cache
            .page(3)
            .expect("it works")
            .expect("it is there")
            .is_same(&held)
    );
    drop(held);
    while cache.shrink(100) > 0 || cache.resident() > 0 {}
    let free = free_count();
    write(&cache, 0, &[1; 50 * PAGE_SIZE]).expect("room");
    drop(cache);
    assert_eq!(free_count(), free, "what is dirty goes with its cache");
}

/// Pages that are mapped, until it is told to forget them.
#[derive(Default)]
struct Holder(HostMutex<BTreeMap<u64, Frame>>);

impl Holder {
    fn map(&self, cache: &PageCache, index: u64) {
        let frame = cache.page(index).expect("it works").expect("it is there");
        self.0.lock().unwrap().insert(index, frame);
    }

    fn pages(&self) -> Vec<u64> {
        self.0.lock().unwrap().keys().copied().collect()
    }
}

impl Mapping for Holder {
    fn unmap(&self, _: Range<u64>) {}

    fn protect(&self, _: Range<u64>) {}

    fn forget(&self, pages: Range<u64>) {
        self.0
            .lock()
            .unwrap()
            .retain(|index, _| !pages.contains(index));
    }
}

#[test]
fn mapped_pages_come_back_unless_dirty_or_used() {
    let (_alone, store) = Model::alone();
    let cache = store.cache(300 * PAGE);
    let holder = Arc::new(Holder::default());
    let weak: std::sync::Weak<Holder> = Arc::downgrade(&holder);
    cache.mappers().add(weak, false).expect("memory");
    for index in 0..300 {
        holder.map(&cache, index);
    }
    write(&cache, 7 * PAGE, &[1]).expect("room");
    assert_eq!(cache.shrink(1000), 0, "all are in use");
    assert_eq!(cache.shrink_mapped(10), 10);
    // Neighbours are forgotten together, up to page 7 and behind it.
    assert_eq!(holder.pages().len(), 300 - 7 - 128);
    holder.map(&cache, 200);
    assert_eq!(cache.shrink_mapped(1000), 163);
    assert_eq!(holder.pages(), [7, 200]);
    assert_eq!(cache.shrink(1000), 125);
    cache.flush();
    assert_eq!(cache.shrink_mapped(1000), 2);
    assert_eq!((holder.pages(), cache.resident()), (vec![], 0));
}

/// Memory that clean pages fill is there for whoever needs it next, and what
/// is dirty never fills it.
#[test]
fn files_larger_than_memory() {
    let (_alone, store) = Model::alone();
    let free = free_count();
    let pages = 2 * machine::frames::total_count() as u64;
    let sparse = store.cache(pages * PAGE);
    let mut bytes = vec![0; 1 << 20];
    let mut offset = 0;
    while offset < sparse.size() {
        let count = sparse.read_at(offset, &mut Sink::kernel(&mut bytes));
        offset += count.expect("clean pages make room") as u64;
    }
    let store = Model::new();
    let written = store.cache(0);
    let bytes = vec![5; 1 << 20];
    for _ in 0..80 {
        let result = written.write_at(Position::End, &mut Source::kernel(&bytes));
        assert_eq!(result.map(|(count, _)| count), Ok(bytes.len()));
        assert!(written.dirty() <= machine::frames::total_count() / 8);
    }
    flush_all();
    assert_eq!(written.dirty(), 0);
    while shrink_all(usize::MAX) > 0 {}
    assert_eq!((sparse.resident(), written.resident()), (0, 0));
    assert_eq!(free_count(), free);
}
