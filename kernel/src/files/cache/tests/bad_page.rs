//! A page of the disk that cannot be read.

use super::*;

const BAD: u64 = 3;

struct Bad;

impl Store for Bad {
    fn read(&self, first: u64, frames: &[Frame]) -> Result<(), Errno> {
        for frame in frames {
            frame.fill(0, PAGE_SIZE, 7);
        }
        let pages = first..first + frames.len() as u64;
        match pages.contains(&BAD) {
            true => Err(Errno::EIO),
            false => Ok(()),
        }
    }

    fn write(&self, _: u64, _: &[Frame], _: u64) -> Result<(), Errno> {
        Ok(())
    }

    fn reserve(&self, _: Range<u64>) -> Result<bool, Errno> {
        Ok(true)
    }
}

#[test]
fn only_who_wants_a_bad_page_is_told() {
    let _alone = arena::exclusive();
    let size = 7 * PAGE + 5;
    let cache = PageCache::new(Box::new(Bad), size).expect("memory");
    // Read-ahead reaches the bad page.
    assert_eq!(read(&cache, 0, PAGE_SIZE), Ok(vec![7; PAGE_SIZE]));
    let before = BAD as usize * PAGE_SIZE;
    assert_eq!(read(&cache, 0, size as usize), Ok(vec![7; before]));
    assert_eq!(read(&cache, before as u64, 1), Err(Errno::EIO));
    let behind = (BAD + 1) * PAGE;
    let rest = vec![7; (size - behind) as usize];
    assert_eq!(read(&cache, behind, PAGE_SIZE * 9), Ok(rest));
    assert_eq!(cache.resident(), 7);
}
