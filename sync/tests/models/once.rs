//! The once cell: made once, seen whole by all.

use loom::sync::atomic::{AtomicU32, Ordering};
use loom::{sync::Arc, thread};
use sync::OnceCell;

use crate::{ALL, explore};

#[test]
fn one_makes_it_and_all_see_it() {
    explore(ALL, || {
        let shared = Arc::new((OnceCell::<u32>::new(), AtomicU32::new(0)));
        let get = |shared: &(OnceCell<u32>, AtomicU32)| {
            *shared.0.get_or_init(|| {
                shared.1.fetch_add(1, Ordering::Relaxed);
                7
            })
        };
        let other = {
            let shared = shared.clone();
            thread::spawn(move || get(&shared))
        };
        assert_eq!(get(&shared), 7);
        assert_eq!(other.join().unwrap(), 7);
        assert_eq!(shared.1.load(Ordering::Relaxed), 1);
    });
}
