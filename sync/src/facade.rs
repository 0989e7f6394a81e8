//! The one place that says where atomics, cells and spin hints come from.
//!
//! Purpose: the same lock source runs in the kernel, on the host and under loom.
//! Key types: `AtomicU32` and the like, [`UnsafeCell`] (closure access, so that
//! loom can see it), and `const_fn!`, because loom's types cannot be built in a
//! constant. Locks: none. May call nothing above it.

#[cfg(target_os = "none")]
pub(crate) use core::hint::spin_loop;
#[cfg(not(loom))]
pub(crate) use core::sync::atomic::{AtomicPtr, AtomicU32, Ordering, fence};
#[cfg(loom)]
pub(crate) use loom::{
    cell::UnsafeCell,
    sync::atomic::{AtomicPtr, AtomicU32, Ordering, fence},
};

/// On the host the holder of a spin lock may be off its CPU, and is given one.
#[cfg(all(not(loom), not(target_os = "none")))]
pub(crate) fn spin_loop() {
    std::thread::yield_now();
}

/// Under loom a spinning thread has to say that it cannot progress alone.
#[cfg(loom)]
pub(crate) fn spin_loop() {
    loom::thread::yield_now();
}

/// `core`'s cell with loom's interface: access is a closure over the pointer.
#[cfg(not(loom))]
#[repr(transparent)]
pub(crate) struct UnsafeCell<T: ?Sized>(core::cell::UnsafeCell<T>);

#[cfg(not(loom))]
impl<T> UnsafeCell<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(core::cell::UnsafeCell::new(value))
    }

    pub(crate) fn into_inner(self) -> T {
        self.0.into_inner()
    }
}

#[cfg(not(loom))]
impl<T: ?Sized> UnsafeCell<T> {
    /// For reading through the pointer.
    #[inline(always)]
    pub(crate) fn with<A>(&self, access: impl FnOnce(*const T) -> A) -> A {
        access(self.0.get())
    }

    /// For writing through the pointer.
    #[inline(always)]
    pub(crate) fn with_mut<A>(&self, access: impl FnOnce(*mut T) -> A) -> A {
        access(self.0.get())
    }
}

/// Sets `bits`; gives the word as it was. With one bit whose old value alone is
/// looked at, this is a single `lock bts`.
#[cfg(not(loom))]
#[inline(always)]
pub(crate) fn set_bits(word: &AtomicU32, bits: u32, ordering: Ordering) -> u32 {
    word.fetch_or(bits, ordering)
}

/// The same without a write where nothing changes. Loom does not know that a
/// read-modify-write stands right behind what it has read: it would let a later
/// plain store (an unlock) count as older than a `fetch_or` that failed.
#[cfg(loom)]
pub(crate) fn set_bits(word: &AtomicU32, bits: u32, ordering: Ordering) -> u32 {
    let mut expected = 0;
    loop {
        match word.compare_exchange(expected, expected | bits, ordering, ordering) {
            Ok(before) => return before,
            Err(before) if before & bits == bits => return before,
            Err(before) => expected = before,
        }
    }
}

/// In models of what stands on a spin lock, a lock that blocks stands before
/// it, so that nobody spins: loom follows every turn of every spinning thread,
/// and with two of them there is no end to it. The spin lock has models of its
/// own. Outside of models it is nothing.
#[cfg(not(loom))]
pub(crate) struct Gate;

/// See above; `None` where the spin lock itself is modelled.
#[cfg(loom)]
pub(crate) struct Gate(Option<loom::sync::Mutex<()>>);

/// Held as long as the spin lock behind it.
#[cfg(not(loom))]
pub(crate) struct Passage<'a>(core::marker::PhantomData<&'a Gate>);

/// Held as long as the spin lock behind it.
#[cfg(loom)]
#[expect(dead_code, reason = "it is there to be dropped")]
pub(crate) struct Passage<'a>(Option<loom::sync::MutexGuard<'a, ()>>);

#[cfg(not(loom))]
impl Gate {
    pub(crate) const fn open() -> Self {
        Self
    }

    pub(crate) const fn blocking() -> Self {
        Self
    }

    #[inline(always)]
    pub(crate) fn pass(&self) -> Passage<'_> {
        Passage(core::marker::PhantomData)
    }
}

#[cfg(loom)]
impl Gate {
    pub(crate) fn open() -> Self {
        Self(None)
    }

    pub(crate) fn blocking() -> Self {
        Self(Some(loom::sync::Mutex::new(())))
    }

    /// Loom's mutex is poisoned only if the model has failed already.
    pub(crate) fn pass(&self) -> Passage<'_> {
        Passage(self.0.as_ref().and_then(|gate| gate.lock().ok()))
    }
}

/// Declares a function that is `const` wherever the facade's types allow it.
macro_rules! const_fn {
    ($(#[$meta:meta])* $vis:vis fn $($rest:tt)*) => {
        $(#[$meta])* #[cfg(not(loom))] $vis const fn $($rest)*
        $(#[$meta])* #[cfg(loom)] $vis fn $($rest)*
    };
}
pub(crate) use const_fn;
