//! `stat`, `statm` and `status` of a process or of one of its threads.

use alloc::sync::Arc;

use abi::Errno;
use abi::memory::PAGE_SIZE;
use abi::time::NANOS_PER_TICK;

use super::Subject;
use crate::credentials::{Credentials, Ids, Set};
use crate::files::text::Text;
use crate::memory::Usage;
use crate::sched::{self, Account, Class};
use crate::thread::{Group, Name, Thread, registry};

/// Whom a file tells of, looked up once.
pub struct Seen {
    group: Arc<Group>,
    /// The thread, or one of the process's. `None` if all have ended.
    thread: Option<Arc<Thread>>,
    /// Only that thread is meant.
    is_thread: bool,
}

impl Seen {
    /// ESRCH.
    pub fn find(of: Subject) -> Result<Seen, Errno> {
        let group = registry::group(of.process)?;
        let thread = match of.thread {
            0 => group.some_thread(),
            tid => Some(registry::thread(tid)?),
        };
        Ok(Seen {
            group,
            thread,
            is_thread: of.thread != 0,
        })
    }

    /// The thread, if it is the only one that is meant.
    fn alone(&self) -> Option<&Arc<Thread>> {
        self.thread.as_ref().filter(|_| self.is_thread)
    }

    pub fn name(&self) -> Name {
        self.alone()
            .map_or_else(|| self.group.name(), |thread| thread.name())
    }

    fn credentials(&self) -> Arc<Credentials> {
        let alone = self.alone().and_then(|thread| thread.seen_credentials());
        alone.unwrap_or_else(|| self.group.credentials())
    }

    fn account(&self) -> Account {
        self.alone()
            .map_or_else(|| self.group.account(), |thread| sched::account(thread))
    }

    /// As proc(5) has its letters.
    fn state(&self) -> char {
        match &self.thread {
            None => 'Z',
            Some(_) if self.group.is_stopped() => 'T',
            Some(thread) if thread.entity.is_asleep() => 'S',
            Some(_) => 'R',
        }
    }

    /// What a thread shows, while it has that.
    fn of_thread<T>(&self, which: fn(&Thread) -> Option<T>) -> Option<T> {
        which(self.thread.as_ref()?)
    }

    /// What is in memory; nothing if the process has ended.
    fn memory(&self) -> Usage {
        let space = self.of_thread(Thread::seen_space);
        space.map_or_else(Usage::default, |space| space.usage())
    }
}

/// The 52 fields of `stat`; what is not kept is 0.
pub fn stat(of: Subject, text: &mut Text) -> Result<(), Errno> {
    let seen = Seen::find(of)?;
    let group = &seen.group;
    text.add(format_args!("{} (", of.id()))?;
    text.add_bytes(seen.name().text())?;
    let state = seen.state();
    let (parent, process_group, session) = (group.parent(), group.process_group(), group.session());
    text.add(format_args!(
        ") {state} {parent} {process_group} {session} 0 -1 0"
    ))?;
    let (own, children) = (seen.account(), group.children_account());
    let (faults, past) = (own.counts.faults, children.counts.faults);
    text.add(format_args!(" {faults} {past} 0 0"))?;
    for time in [own.times, children.times] {
        text.add(format_args!(
            " {} {}",
            time.user / NANOS_PER_TICK,
            time.system / NANOS_PER_TICK
        ))?;
    }
    let threads = group.thread_count();
    let begun = group.begun() / NANOS_PER_TICK;
    let usage = seen.memory();
    let (size, resident) = (usage.size, usage.resident / PAGE_SIZE);
    let limit = u64::MAX;
    let (class, cpu) = match &seen.thread {
        Some(thread) => (thread.entity.class(), thread.entity.cpu()),
        None => (Class::OTHER, 0),
    };
    let priority = match class.priority {
        0 => 20 + i32::from(class.nice),
        real_time => -1 - i32::from(real_time),
    };
    text.add(format_args!(
        " {priority} {} {threads} 0 {begun} {size} {resident} {limit}",
        class.nice
    ))?;
    // Addresses, masks of signals, where it waits, swap; the signal of its end.
    text.add(format_args!(" 0 0 0 0 0 0 0 0 0 0 0 0 17 {cpu}"))?;
    let (priority, policy) = (class.priority, class.kind as u8);
    // What it waited for disks and gave to guests; addresses; its status.
    text.add(format_args!(" {priority} {policy} 0 0 0 0 0 0 0 0 0 0 0\n"))
}

/// `statm`, in pages.
pub fn statm(of: Subject, text: &mut Text) -> Result<(), Errno> {
    let usage = Seen::find(of)?.memory();
    let pages = |bytes: usize| bytes / PAGE_SIZE;
    let Usage {
        size,
        resident,
        shared,
        code,
        data,
        ..
    } = usage;
    text.add(format_args!(
        "{} {} {} {} 0 {} 0\n",
        pages(size),
        pages(resident),
        pages(shared),
        pages(code),
        pages(data),
    ))
}

pub fn status(of: Subject, text: &mut Text) -> Result<(), Errno> {
    let seen = Seen::find(of)?;
    let group = &seen.group;
    text.add(format_args!("Name:\t"))?;
    text.add_bytes(seen.name().text())?;
    let state = seen.state();
    let word = match state {
        'R' => "running",
        'T' => "stopped",
        'Z' => "zombie",
        _ => "sleeping",
    };
    let id = of.id();
    if let Some(places) = seen.of_thread(Thread::seen_places) {
        text.add(format_args!("\nUmask:\t{:04o}", places.umask()))?;
    }
    text.add(format_args!(
        "\nState:\t{state} ({word})\nTgid:\t{}\nNgid:\t0\nPid:\t{id}\nPPid:\t{}\nTracerPid:\t0\n",
        of.process,
        group.parent(),
    ))?;
    let credentials = seen.credentials();
    for (name, ids) in [("Uid", credentials.user), ("Gid", credentials.group)] {
        let Ids {
            real,
            effective,
            saved,
            file,
        } = ids;
        text.add(format_args!(
            "{name}:\t{real}\t{effective}\t{saved}\t{file}\n"
        ))?;
    }
    let files = seen.of_thread(Thread::seen_files);
    let capacity = files.map_or(0, |files| files.capacity());
    text.add(format_args!("FDSize:\t{capacity}\nGroups:\t"))?;
    let mut gap = "";
    for group in credentials.groups() {
        text.add(format_args!("{gap}{group}"))?;
        gap = " ";
    }
    text.add(format_args!(" \n"))?;
    if state != 'Z' {
        tell_memory(seen.memory(), text)?;
    }
    text.add(format_args!("Threads:\t{}\n", group.thread_count()))?;
    tell_signals(&seen, text)?;
    tell_capabilities(&credentials, text)?;
    if let Some(thread) = &seen.thread {
        let held = u32::from(thread.traits().no_new_privileges());
        text.add(format_args!("NoNewPrivs:\t{held}\n"))?;
    }
    let counts = seen.account().counts;
    let cpus = sched::online();
    text.add(format_args!(
        "Cpus_allowed:\t{cpus:x}\nvoluntary_ctxt_switches:\t{}\nnonvoluntary_ctxt_switches:\t{}\n",
        counts.voluntary, counts.involuntary,
    ))
}

fn tell_memory(usage: Usage, text: &mut Text) -> Result<(), Errno> {
    let Usage {
        size,
        resident,
        data,
        stack,
        code,
        locked,
        ..
    } = usage;
    for (name, bytes) in [
        ("VmPeak", size),
        ("VmSize", size),
        ("VmLck", locked),
        ("VmHWM", resident),
        ("VmRSS", resident),
        ("VmData", data),
        ("VmStk", stack),
        ("VmExe", code),
    ] {
        text.add(format_args!("{name}:\t{:>8} kB\n", bytes / 1024))?;
    }
    Ok(())
}

/// The last set, of which Weft has none, is the ambient one.
fn tell_capabilities(credentials: &Credentials, text: &mut Text) -> Result<(), Errno> {
    let sets = credentials.capabilities;
    for (name, set) in [
        ("CapInh", sets.inheritable),
        ("CapPrm", sets.permitted),
        ("CapEff", sets.effective),
        ("CapBnd", sets.bounding),
        ("CapAmb", Set::NONE),
    ] {
        text.add(format_args!("{name}:\t{:016x}\n", set.bits()))?;
    }
    Ok(())
}

fn tell_signals(seen: &Seen, text: &mut Text) -> Result<(), Errno> {
    let thread = seen.thread.as_ref();
    let signals = thread
        .map(|thread| thread.signal_sets())
        .unwrap_or_default();
    let (ignored, caught) = seen.group.disposition_sets();
    for (name, set) in [
        ("SigPnd", signals.pending),
        ("ShdPnd", seen.group.pending_set()),
        ("SigBlk", signals.blocked),
        ("SigIgn", ignored),
        ("SigCgt", caught),
    ] {
        text.add(format_args!("{name}:\t{set:016x}\n"))?;
    }
    Ok(())
}
