//! What is dirty leaves memory for others.

use super::*;

/// Notes how much was dirty at most when room for more was asked for.
struct Noting(Arc<AtomicUsize>);

impl Store for Noting {
    fn read(&self, _: u64, _: &[Frame]) -> Result<(), Errno> {
        Ok(())
    }

    fn write(&self, _: u64, _: &[Frame], _: u64) -> Result<(), Errno> {
        Ok(())
    }

    fn reserve(&self, _: Range<u64>) -> Result<bool, Errno> {
        self.0.fetch_max(dirty_total(), SeqCst);
        Ok(true)
    }
}

#[test]
fn one_large_write_waits_as_many_small_ones_do() {
    let _alone = arena::exclusive();
    let most_dirty = Arc::new(AtomicUsize::new(0));
    let store = Box::new(Noting(most_dirty.clone()));
    let cache = PageCache::new(store, 0).expect("memory");
    let total = machine::frames::total_count();
    let bytes = vec![5; total / 2 * PAGE_SIZE];
    assert_eq!(write(&cache, 0, &bytes), Ok(bytes.len()));
    let most = most_dirty.load(SeqCst);
    assert!(most <= total / 8, "{most} of {total} pages");
    assert!(dirty_total() <= total / 8);
}
