//! An intrusive priority queue of shared objects: smallest key first, first
//! in first out among equal keys. Nothing is allocated: the links live in a
//! [`Hook`] inside the object, and the queue owns an `Arc` of each member.
//!
//! A pairing heap (Fredman, Sedgewick, Sleator, Tarjan, 1986): insert is one
//! comparison, taking the smallest is amortised logarithmic, and any member
//! can be taken out.

use alloc::sync::Arc;
use core::cell::UnsafeCell;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicUsize, Ordering};

/// The links of one object in one heap at a time; `T` is the object.
pub struct Hook<T> {
    /// Which heap the object is in: the heap's number, 0 for none. Written
    /// only by the heap's owner, which holds it exclusively.
    heap: AtomicUsize,
    links: UnsafeCell<Links<T>>,
}

struct Links<T> {
    key: u64,
    /// Order of insertion among equal keys.
    order: u64,
    child: Option<NonNull<T>>,
    next: Option<NonNull<T>>,
    /// The left neighbour, or the parent of a first child.
    previous: Option<NonNull<T>>,
}

// SAFETY: the links are touched only by the one heap whose number stands in
// `heap`, under exclusive access to that heap.
unsafe impl<T: Send + Sync> Sync for Hook<T> {}
// SAFETY: as above; the pointers are owned counts of `Arc<T>`.
unsafe impl<T: Send + Sync> Send for Hook<T> {}

impl<T> Hook<T> {
    pub const fn new() -> Self {
        let links = Links {
            key: 0,
            order: 0,
            child: None,
            next: None,
            previous: None,
        };
        Hook {
            heap: AtomicUsize::new(0),
            links: UnsafeCell::new(links),
        }
    }
}

/// An object with a hook; `N` tells several hooks of one type apart.
/// Implemented by [`crate::hooked`].
///
/// # Safety
/// `hook` always returns the same field of `self`.
pub unsafe trait Hooked<const N: usize>: Send + Sync + Sized {
    fn hook(&self) -> &Hook<Self>;
}

/// `hooked!(Thread: 0 => run_hook, 1 => timer_hook);` names a type's hooks.
#[macro_export]
macro_rules! hooked {
    ($type:ty: $($n:literal => $field:ident),+ $(,)?) => {$(
        // SAFETY: a plain field.
        unsafe impl $crate::heap::Hooked<$n> for $type {
            #[inline]
            fn hook(&self) -> &$crate::heap::Hook<Self> {
                &self.$field
            }
        }
    )+};
}

/// The queue. Not synchronised: put it under a lock.
pub struct Heap<T: Hooked<N>, const N: usize> {
    root: Option<NonNull<T>>,
    length: usize,
    order: u64,
    /// This heap's number, given at the first insertion.
    number: usize,
}

// SAFETY: the heap owns its members, which may be shared between threads.
unsafe impl<T: Hooked<N>, const N: usize> Send for Heap<T, N> {}

static NUMBERS: AtomicUsize = AtomicUsize::new(1);

impl<T: Hooked<N>, const N: usize> Heap<T, N> {
    pub const fn new() -> Self {
        Heap {
            root: None,
            length: 0,
            order: 0,
            number: 0,
        }
    }

    pub fn len(&self) -> usize {
        self.length
    }

    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The smallest key.
    #[inline]
    pub fn first_key(&self) -> Option<u64> {
        self.root.map(|root| self.links(root).key)
    }

    /// The member with the smallest key.
    #[inline]
    pub fn first(&self) -> Option<&T> {
        // SAFETY: members are alive: the heap owns a count of each.
        self.root.map(|root| unsafe { root.as_ref() })
    }

    /// Adds `member` under `key`.
    ///
    /// # Panics
    /// If it is in a heap through this hook already.
    pub fn insert(&mut self, member: Arc<T>, key: u64) {
        if self.number == 0 {
            self.number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        }
        let was = member.hook().heap.swap(self.number, Ordering::Acquire);
        assert!(was == 0, "a thing is in one heap at a time");
        // SAFETY: `Arc::into_raw` is never null.
        let node = unsafe { NonNull::new_unchecked(Arc::into_raw(member).cast_mut()) };
        self.order += 1;
        let order = self.order;
        *self.links_mut(node) = Links {
            key,
            order,
            child: None,
            next: None,
            previous: None,
        };
        self.length += 1;
        self.root = Some(match self.root {
            Some(root) => self.meld(root, node),
            None => node,
        });
    }

    /// Takes out the member with the smallest key.
    pub fn pop(&mut self) -> Option<Arc<T>> {
        let root = self.root?;
        let children = self.links_mut(root).child.take();
        self.root = self.pair(children);
        Some(self.release(root))
    }

    /// Takes out `member` if it is in this heap.
    pub fn remove(&mut self, member: &T) -> Option<Arc<T>> {
        if self.number == 0 || member.hook().heap.load(Ordering::Relaxed) != self.number {
            return None;
        }
        let node = NonNull::from(member);
        if self.root == Some(node) {
            return self.pop();
        }
        // From here on the pointer as stored, which may give the count back.
        let node = self.cut(node);
        let children = self.links_mut(node).child.take();
        if let Some(rest) = self.pair(children) {
            self.root = self.root.map(|root| self.meld(root, rest));
        }
        Some(self.release(node))
    }

    /// Takes out some member that `wanted` accepts, looking at smaller keys
    /// earlier, though in no exact order.
    pub fn remove_where(&mut self, mut wanted: impl FnMut(&T) -> bool) -> Option<Arc<T>> {
        let mut at = self.root;
        while let Some(node) = at {
            // SAFETY: members are alive.
            let member = unsafe { node.as_ref() };
            if wanted(member) {
                return self.remove(member);
            }
            at = self.after(node);
        }
        None
    }

    /// The node after `node` in preorder.
    fn after(&self, mut node: NonNull<T>) -> Option<NonNull<T>> {
        if let Some(child) = self.links(node).child {
            return Some(child);
        }
        loop {
            if let Some(next) = self.links(node).next {
                return Some(next);
            }
            // Back to the first sibling, whose `previous` is the parent.
            loop {
                let previous = self.links(node).previous?;
                let is_parent = self.links(previous).child == Some(node);
                node = previous;
                if is_parent {
                    break;
                }
            }
        }
    }

    #[inline]
    fn links(&self, node: NonNull<T>) -> &Links<T> {
        // SAFETY: nodes reached from the root are members: alive, and their
        // links are ours alone.
        unsafe { &*node.as_ref().hook().links.get() }
    }

    #[inline]
    #[allow(
        clippy::mut_from_ref,
        reason = "the exclusive access is to the heap, `&mut self`"
    )]
    fn links_mut(&mut self, node: NonNull<T>) -> &mut Links<T> {
        // SAFETY: as in `links`, and `&mut self` makes this the only reference.
        unsafe { &mut *node.as_ref().hook().links.get() }
    }

    /// Joins two trees; the root with the larger key becomes a child.
    #[inline]
    fn meld(&mut self, a: NonNull<T>, b: NonNull<T>) -> NonNull<T> {
        let rank = |node| {
            let links = self.links(node);
            (links.key, links.order)
        };
        let (top, below) = if rank(a) <= rank(b) { (a, b) } else { (b, a) };
        let first = self.links_mut(top).child.replace(below);
        let links = self.links_mut(below);
        links.next = first;
        links.previous = Some(top);
        if let Some(first) = first {
            self.links_mut(first).previous = Some(below);
        }
        top
    }

    /// Melds a list of siblings into one tree: pairs from left to right, then
    /// the pairs from right to left.
    fn pair(&mut self, mut list: Option<NonNull<T>>) -> Option<NonNull<T>> {
        let mut pairs: Option<NonNull<T>> = None;
        while let Some(first) = list {
            let second = self.detach(first);
            let tree = match second {
                Some(second) => {
                    list = self.detach(second);
                    self.meld(first, second)
                }
                None => {
                    list = None;
                    first
                }
            };
            self.links_mut(tree).next = pairs;
            pairs = Some(tree);
        }
        let mut result = pairs?;
        let mut rest = self.detach(result);
        while let Some(tree) = rest {
            rest = self.detach(tree);
            result = self.meld(result, tree);
        }
        Some(result)
    }

    /// Makes a sibling stand alone; returns its right neighbour.
    #[inline]
    fn detach(&mut self, node: NonNull<T>) -> Option<NonNull<T>> {
        let links = self.links_mut(node);
        links.previous = None;
        links.next.take()
    }

    /// Takes a node that is not the root out of its siblings; returns the
    /// stored pointer to it.
    fn cut(&mut self, node: NonNull<T>) -> NonNull<T> {
        let previous = self
            .links(node)
            .previous
            .expect("all but the root have one before them");
        let next = self.detach(node);
        let before = self.links_mut(previous);
        let place = if before.child == Some(node) {
            &mut before.child
        } else {
            &mut before.next
        };
        let stored = core::mem::replace(place, next).expect("the one before links to it");
        if let Some(next) = next {
            self.links_mut(next).previous = Some(previous);
        }
        stored
    }

    fn release(&mut self, node: NonNull<T>) -> Arc<T> {
        self.length -= 1;
        // SAFETY: the node was made by `Arc::into_raw` in `insert`, and is
        // no longer linked.
        let member = unsafe { Arc::from_raw(node.as_ptr().cast_const()) };
        member.hook().heap.store(0, Ordering::Release);
        member
    }
}

impl<T: Hooked<N>, const N: usize> Drop for Heap<T, N> {
    fn drop(&mut self) {
        while self.pop().is_some() {}
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
