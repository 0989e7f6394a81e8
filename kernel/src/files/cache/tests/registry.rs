//! What concerns all caches together.

use super::*;

/// Each write to it makes a new file, with a page to be written.
struct Breeding(HostMutex<Vec<Arc<PageCache>>>);

struct Shared(Arc<Breeding>);

impl Store for Shared {
    fn read(&self, _: u64, _: &[Frame]) -> Result<(), Errno> {
        Ok(())
    }

    fn write(&self, _: u64, _: &[Frame], _: u64) -> Result<(), Errno> {
        let files = self.0.0.lock().unwrap().len();
        assert!(files < 100, "there is no end");
        // A thread of its own, as this one is at work for another file.
        std::thread::scope(|scope| scope.spawn(|| self.0.file()).join().unwrap());
        Ok(())
    }

    fn reserve(&self, _: Range<u64>) -> Result<bool, Errno> {
        Ok(true)
    }
}

impl Breeding {
    fn file(self: &Arc<Breeding>) {
        let cache = PageCache::new(Box::new(Shared(self.clone())), 0).expect("memory");
        write(&cache, 0, &[1]).expect("room");
        self.0.lock().unwrap().push(cache);
    }
}

#[test]
fn write_back_of_all_ends_though_files_come() {
    let _alone = arena::exclusive();
    let files = Arc::new(Breeding(HostMutex::default()));
    for _ in 0..3 {
        files.file();
    }
    flush_all();
    let caches = core::mem::take(&mut *files.0.lock().unwrap());
    let dirty: Vec<usize> = caches.iter().map(|cache| cache.dirty()).collect();
    assert_eq!(dirty, [0, 0, 0, 1, 1, 1]);
}
