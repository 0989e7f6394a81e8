//! Threads that run closures.

use super::{DEFAULT_STACK, Thread};
use crate::sync::Mutex;
use abi::Errno;
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::marker::PhantomData;

/// The way back for a thread's result. It stays empty if the thread is killed.
type Packet<T> = Arc<Mutex<Option<T>>>;

/// What the new thread gets: its closure and where the result goes.
struct Task<F, T> {
    work: F,
    packet: Packet<T>,
}

extern "C" fn run<F: FnOnce() -> T, T>(task: usize, _: usize) {
    // SAFETY: `start` boxed it for this thread alone.
    let task = unsafe { Box::from_raw(task as *mut Task<F, T>) };
    let Task { work, packet } = *task;
    let value = work();
    *packet.lock() = Some(value);
}

/// # Safety
/// What the closure borrows outlives the thread.
unsafe fn start<F, T>(work: F, stack_size: usize) -> Result<(Thread, Packet<T>), Errno>
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    let packet = Packet::new(Mutex::new(None));
    let task = Box::into_raw(Box::new(Task {
        work,
        packet: packet.clone(),
    }));
    match Thread::create(run::<F, T>, task as usize, 0, stack_size) {
        Ok(thread) => Ok((thread, packet)),
        Err(error) => {
            // SAFETY: no thread has got it.
            drop(unsafe { Box::from_raw(task) });
            Err(error)
        }
    }
}

/// A thread that owns what it uses; dropping the handle detaches it.
#[derive(Debug)]
pub struct JoinHandle<T> {
    thread: Thread,
    packet: Packet<T>,
}

impl<T> JoinHandle<T> {
    pub fn id(&self) -> i32 {
        self.thread.id()
    }

    /// Waits for its result; `None` if the thread was killed before it had one.
    pub fn join(self) -> Result<Option<T>, Errno> {
        self.thread.join()?;
        Ok(self.packet.lock().take())
    }
}

pub fn spawn<F, T>(work: F) -> Result<JoinHandle<T>, Errno>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    spawn_with_stack(DEFAULT_STACK, work)
}

/// As [`spawn`], with a stack of at least `size` bytes.
pub fn spawn_with_stack<F, T>(size: usize, work: F) -> Result<JoinHandle<T>, Errno>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    // SAFETY: the closure borrows nothing that ends.
    let (thread, packet) = unsafe { start(work, size) }?;
    Ok(JoinHandle { thread, packet })
}

/// Threads that all end before the scope does, so that they may borrow from
/// around it.
pub struct Scope<'scope, 'env: 'scope> {
    threads: Mutex<Vec<Arc<Mutex<Option<Thread>>>>>,
    marker: PhantomData<(&'scope mut &'scope (), &'env mut &'env ())>,
}

/// A thread of a scope. It need not be joined: the scope does.
#[derive(Debug)]
pub struct ScopedHandle<T> {
    thread: Arc<Mutex<Option<Thread>>>,
    id: i32,
    packet: Packet<T>,
}

impl<T> ScopedHandle<T> {
    pub fn id(&self) -> i32 {
        self.id
    }

    /// Waits for its result; `None` if the thread was killed before it had one.
    pub fn join(self) -> Result<Option<T>, Errno> {
        let thread = self.thread.lock().take();
        thread.map_or(Err(Errno::ESRCH), Thread::join)?;
        Ok(self.packet.lock().take())
    }
}

impl<'scope> Scope<'scope, '_> {
    pub fn spawn<F, T>(&'scope self, work: F) -> Result<ScopedHandle<T>, Errno>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        // SAFETY: `scope` joins every thread before it returns; nothing here
        // unwinds past that.
        let (thread, packet) = unsafe { start(work, DEFAULT_STACK) }?;
        let id = thread.id();
        let thread = Arc::new(Mutex::new(Some(thread)));
        self.threads.lock().push(thread.clone());
        Ok(ScopedHandle { thread, id, packet })
    }
}

/// Runs `body` with a scope to spawn in; returns when all its threads are over.
pub fn scope<'env, R>(body: impl for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> R) -> R {
    let scope = Scope {
        threads: Mutex::new(Vec::new()),
        marker: PhantomData,
    };
    let result = body(&scope);
    // A thread of the scope may spawn more.
    loop {
        let next = scope.threads.lock().pop();
        let Some(thread) = next else { return result };
        let thread = thread.lock().take();
        if let Some(thread) = thread {
            thread.join().expect("the scope alone joins its threads");
        }
    }
}
