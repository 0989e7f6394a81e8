//! A task is a host thread that runs only while it holds the baton: `switch`
//! passes the baton on and waits for it to come back.

use crate::task::OutOfMemory;
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

pub type Finish = unsafe extern "C" fn(*mut ());

thread_local! {
    static CURRENT: Cell<*const ()> = const { Cell::new(std::ptr::null()) };
}

/// What the one who passes the baton says: which CPU to be, which thread is
/// current there, and what it left. All as plain addresses.
struct Baton {
    cpu: usize,
    current: usize,
    left: usize,
}

#[derive(Default)]
struct Slot {
    baton: Mutex<Option<Baton>>,
    come: Condvar,
}

impl Slot {
    fn pass(&self, baton: Baton) {
        *self.baton.lock().expect("no holder panics") = Some(baton);
        self.come.notify_one();
    }

    /// Waits for the baton, becomes what it says, and returns what was left.
    fn wait(&self) -> *mut () {
        let mut baton = self.baton.lock().expect("no holder panics");
        loop {
            if let Some(baton) = baton.take() {
                super::cpu::become_cpu(baton.cpu);
                CURRENT.set(baton.current as *const ());
                return baton.left as *mut ();
            }
            baton = self.come.wait(baton).expect("no holder panics");
        }
    }
}

pub struct Task {
    slot: Arc<Slot>,
    /// What a task does when first switched to; taken then.
    start: Mutex<Option<fn() -> !>>,
    on_cpu: AtomicBool,
    fs_base: AtomicUsize,
    gs_base: AtomicUsize,
}

impl Task {
    pub fn new(start: fn() -> !) -> Result<Self, OutOfMemory> {
        Ok(Self {
            start: Mutex::new(Some(start)),
            ..Self::idle()
        })
    }

    pub fn idle() -> Self {
        Self {
            slot: Arc::default(),
            start: Mutex::new(None),
            on_cpu: AtomicBool::new(false),
            fs_base: AtomicUsize::new(0),
            gs_base: AtomicUsize::new(0),
        }
    }

    pub fn clone_user_state_from_current(&self) {}

    pub fn reset_user_state(&self) {
        self.set_fs_base(0);
        self.set_gs_base(0);
    }

    pub fn save_vectors(&self, _into: &mut Vectors) {}

    pub fn load_vectors(&self, _vectors: &Vectors) {}

    pub fn fs_base(&self) -> usize {
        self.fs_base.load(Ordering::Relaxed)
    }

    pub fn set_fs_base(&self, base: usize) {
        self.fs_base.store(base, Ordering::Relaxed);
    }

    pub fn gs_base(&self) -> usize {
        self.gs_base.load(Ordering::Relaxed)
    }

    pub fn set_gs_base(&self, base: usize) {
        self.gs_base.store(base, Ordering::Relaxed);
    }

    pub fn on_cpu(&self) -> bool {
        self.on_cpu.load(Ordering::Acquire)
    }

    pub fn clear_on_cpu(&self) {
        self.on_cpu.store(false, Ordering::Release);
    }
}

pub fn current() -> *const () {
    CURRENT.get()
}

/// # Safety
/// `thread` stays alive while it is current.
pub unsafe fn start_cpu(thread: *const (), task: &Task) {
    task.on_cpu.store(true, Ordering::Release);
    CURRENT.set(thread);
}

/// # Safety
/// As for the x86-64 back end: both tasks are alive, and `left` stays in place
/// until the far side has taken it.
pub unsafe fn switch(
    thread: *const (),
    from: *const Task,
    to: *const Task,
    left: *mut (),
) -> *mut () {
    // SAFETY: both are alive, by this function's contract.
    let (from, to) = unsafe { (&*from, &*to) };
    to.on_cpu.store(true, Ordering::Release);
    let slot = from.slot.clone();
    if let Some(start) = to.start.lock().expect("no holder panics").take() {
        let slot = to.slot.clone();
        std::thread::spawn(move || {
            let left = slot.wait();
            // SAFETY: a handover begins with the function that takes it.
            unsafe { (*left.cast::<Finish>())(left) };
            start()
        });
    }
    to.slot.pass(Baton {
        cpu: super::cpu::id(),
        current: thread as usize,
        left: left as usize,
    });
    slot.wait()
}

pub fn enable_interrupts() {}

/// The host has its own stacks.
pub fn spare_frames() -> usize {
    0
}

pub fn free_spares() {}

/// The host's threads have vectors of their own.
#[derive(Clone)]
pub struct Vectors([u8; 512]);

impl Vectors {
    pub const BYTES: usize = 512;

    pub fn initial() -> Self {
        Self([0; 512])
    }

    pub fn bytes(&self) -> &[u8; 512] {
        &self.0
    }

    pub fn bytes_mut(&mut self) -> &mut [u8; 512] {
        &mut self.0
    }
}
