//! The order in which locks are taken: every rank of the kernel, in one table.
//!
//! Purpose: a deadlock between locks is a mistake of order, so each lock's type
//! names its rank, and debug builds check each acquisition against what is held.
//! Key types: [`Rank`], the ranks themselves, [`TABLE`], and [`Chain`], which a
//! kernel thread embeds (see [`crate::Scheduler::with_held`]). Locks: it is about
//! them and takes none.
//!
//! To add a rank, add a line to the table at its place; nothing else changes.
//! The rules: a lock is taken only while all that is held stands above it; two of
//! one rank only by `lock_both` or `lock_nested`; locks that sleep come first,
//! because nobody sleeps with a spin lock held; locks that turn interrupts off
//! come last, because a handler takes them whatever the interrupted code holds.

mod chain;

pub use chain::Chain;
pub(crate) use chain::{Order, check_may_sleep, released, taken, taking};

/// What a lock of a rank does to the one who waits for it or holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Waiting sleeps; the holder may sleep.
    Sleeping,
    /// Waiting spins; the holder is not preempted. Not taken in a handler.
    Spinning,
    /// As `Spinning`, with interrupts off as well; handlers take it too.
    InterruptsOff,
}

/// A place in the order of locks.
pub trait Rank: 'static {
    /// Its name in messages and in the documents.
    const NAME: &'static str;
    /// Its place: greater is taken later (further in).
    const LEVEL: u8;
    /// What waiting and holding mean.
    const KIND: Kind;
    /// Whether interrupts are off while a lock of this rank is held.
    const INTERRUPTS_OFF: bool;
}

/// One line of [`TABLE`].
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// As [`Rank::NAME`].
    pub name: &'static str,
    /// As [`Rank::KIND`].
    pub kind: Kind,
    /// What locks of the rank guard.
    pub guards: &'static str,
}

macro_rules! ranks {
    ($($name:ident: $kind:ident, $guards:literal;)*) => {
        $(
            #[doc = $guards]
            #[derive(Debug)]
            pub enum $name {}

            impl Rank for $name {
                const NAME: &'static str = stringify!($name);
                const LEVEL: u8 = Level::$name as u8;
                const KIND: Kind = Kind::$kind;
                const INTERRUPTS_OFF: bool = matches!(Kind::$kind, Kind::InterruptsOff);
            }
        )*

        /// Numbers the ranks by their place in the table.
        #[repr(u8)]
        enum Level { $($name),* }

        /// Every rank, outermost first; the index is [`Rank::LEVEL`].
        pub static TABLE: &[Line] = LINES;
        const LINES: &[Line] = &[
            $(Line { name: stringify!($name), kind: Kind::$kind, guards: $guards }),*
        ];
    };
}

ranks! {
    EpollNesting: Sleeping, "which epoll watches which";
    Epoll: Sleeping, "what an epoll watches";
    Unmount: Sleeping, "the end of a mount: one at a time";
    MountPlaces: Sleeping, "where mounts may be made (readers: who removes or moves a directory)";
    FileOffset: Sleeping, "an open file's offset, over a read or write";
    Attributes: Sleeping, "whose a file is and what it lets, over a change that follows from it";
    Tree: Sleeping, "the shape of a directory tree: one rename between directories at a time";
    Directory: Sleeping, "a directory's entries (parent before child)";
    NodeLoading: Sleeping, "making the node of an inode of a disk";
    NodeRelease: Sleeping, "freeing the inodes of a disk that were left";
    Inode: Sleeping, "a file's data and attributes";
    Pipe: Sleeping, "a pipe's ring, over the copy from or to the user";
    SocketRead: Sleeping, "one read of a socket at a time";
    TtyRead: Sleeping, "one read of a terminal at a time";
    TtyWrite: Sleeping, "one write to a terminal at a time";
    FileChange: Sleeping, "one write to a cached file, or change of its size, at a time";
    FileWriteBack: Sleeping, "one write-back of a cached file at a time";
    Space: Sleeping, "the regions of an address space (readers: page faults)";
    VolumeJournal: Sleeping, "the journal of a disk's file system: one commit at a time";
    VolumeGate: Sleeping, "the end of a transaction (readers: changes that are under way)";
    Volume: Sleeping, "a file system of a disk (a page fault may read from it)";
    VolumeFrames: Sleeping, "the frames that blocks of a disk pass through";

    FileTable: Spinning, "descriptors of a file table";
    FsContext: Spinning, "current directory, root and umask";
    Place: Spinning, "where a directory is: its parent and name";
    NodeTable: Spinning, "the inodes of a disk that are in memory";
    NodeAttributes: Spinning, "what an inode of a disk says of itself";
    MountedDisks: Spinning, "the list of mounted disks";
    Mounts: Spinning, "the list of mounts";
    Fifo: Spinning, "the open pipe behind a FIFO's name";
    ProcessTimers: Spinning, "the timers of a process";
    WallListeners: Spinning, "who is told when the wall clock is set";
    Timer: Spinning, "a timer's setting, also while it expires";
    CpuTimers: Spinning, "the timers by a process's CPU time, also while they expire";
    IpcUndo: Spinning, "in which sets of semaphores a process undoes something at its end";
    IpcNames: Spinning, "which message queues, sets of semaphores and segments of shared memory there are";
    IpcSenders: Spinning, "those who wait for room in a message queue";
    IpcWaiters: Spinning, "those who wait for a message or for semaphores";
    IpcObject: Spinning, "the messages of a queue, the values of semaphores, or what a segment says of itself";
    TerminalOwner: Spinning, "which session has which terminal: one takes one at a time";
    Ptys: Spinning, "which pseudo-terminals there are";
    Family: Spinning, "the tree of processes";
    Group: Spinning, "a thread group's members";
    Actions: Spinning, "which signal actions, semaphores and name a group has";
    ActionTable: Spinning, "signal actions";
    Signals: Spinning, "a thread's signal mask and pending signals";
    ThreadStart: Spinning, "what a thread starts with, and its address space";
    Requeue: Spinning, "who waits to be moved to a lock with priority inheritance";
    Inheritance: Spinning, "who waits for locks with priority inheritance";
    Threads: Spinning, "the table of thread ids";
    Futex: Spinning, "a bucket of futex waiters";
    Semaphore: Spinning, "a kernel semaphore's value and waiters";
    JoinQueue: Spinning, "those who wait for a thread or a child to end";
    SocketNames: Spinning, "the names of sockets";
    SocketLink: Spinning, "what a socket is connected to";
    SocketInbox: Spinning, "what was sent to a socket";
    SocketDiscarded: Spinning, "files that were sent and that nobody wants";
    FileLocks: Spinning, "the locks that programs have on files, and who waits for them";
    Inotify: Spinning, "what is watched by inotify";
    InotifyEvents: Spinning, "the events of an inotify, and where its watches are";
    OpenFile: Spinning, "which epolls watch an open file";
    Watchers: Spinning, "who watches a file (one that is watched first)";
    EpollEntry: Spinning, "what an epoll wants to know of a file";
    EpollReady: Spinning, "the files of an epoll that may be ready";
    Joins: Spinning, "the native threads of an address space that are not joined yet";
    PromisedFrames: Spinning, "frames that a file in memory keeps for pages to come";
    InodeNumbers: Spinning, "which inode numbers a file system in memory has given out";
    CacheMappers: Spinning, "who maps pages of a cached file";
    Caches: Spinning, "the list of all page caches";
    CachePages: Spinning, "the pages of a cached file, and its size";
    PageTableLeaf: Spinning, "the entries of one leaf page table; never two";
    PageTable: Spinning, "adding a table to a page table";
    Shootdown: Spinning, "one shootdown of a page table at a time";
    KernelMap: Spinning, "the kernel half of the page tables, and free kernel stacks";
    Heap: Spinning, "the kernel heap's slabs";
    Frames: Spinning, "the frame allocator's free lists";
    Spares: Spinning, "what a CPU keeps of free frames, tables, stacks and objects";
    ThreadQueue: Spinning, "a wait queue that is woken by threads only";
    LockQueue: Spinning, "those who wait for a sleeping lock";

    Tty: InterruptsOff, "a terminal's input line and modes";
    PtyOutput: InterruptsOff, "what the master of a pseudo-terminal is to read";
    Disk: InterruptsOff, "a disk's requests in flight";
    WaitQueue: InterruptsOff, "a wait queue that handlers may wake";
    Timers: InterruptsOff, "a CPU's pending timers";
    RunQueue: InterruptsOff, "a CPU's runnable threads (lower CPU first)";
    InterruptLines: InterruptsOff, "the I/O interrupt controllers' registers";
    Console: InterruptsOff, "the console device";
    Log: InterruptsOff, "the kernel log";
}

// The order of kinds is what makes the checks above it enough; see the header.
const _: () = {
    let mut index = 1;
    while index < LINES.len() {
        assert!(
            LINES[index - 1].kind as u8 <= LINES[index].kind as u8,
            "sleeping ranks come first, ranks with interrupts off come last"
        );
        index += 1;
    }
    assert!(LINES.len() < u8::MAX as usize);
};
