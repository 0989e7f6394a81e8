//! What `/proc` tells of a process, and of each of its threads.

use alloc::sync::Arc;
use alloc::vec::Vec;

use abi::Errno;
use abi::memory::PAGE_SIZE;

use super::{Entry, Listing, Numbers, Subject, What, folder, link, links, maps, text};
use crate::files::text::Text;
use crate::files::{FileTable, Places};
use crate::memory::{Space, Usage};
use crate::sched::{self, Account, Class};
use crate::thread::{Group, Name, STACK_SIZE, Thread, registry};

/// Of clock(3)'s kind, which times are told in: so many nanoseconds.
const TICK: u64 = 10_000_000;

pub static PROCESS: Listing = Listing {
    entries: &[COMMON, &[folder("task", &THREADS)]],
    numbers: None,
};

/// The same of one thread.
static THREAD: Listing = Listing {
    entries: &[COMMON],
    numbers: None,
};

const COMMON: &[Entry] = &[
    text("cmdline", arguments),
    COMM,
    link("cwd", links::working_directory),
    text("environ", environment),
    link("exe", links::program),
    folder("fd", &DESCRIPTORS),
    text("limits", limits),
    text("maps", maps::tell),
    text("mounts", super::system::list_mounts),
    link("root", links::root),
    text("stat", stat),
    text("statm", statm),
    text("status", status),
];

const COMM: Entry = Entry {
    name: "comm",
    permissions: 0o644,
    what: What::Both(name, set_name),
};

static DESCRIPTORS: Listing = Listing {
    entries: &[],
    numbers: Some(links::DESCRIPTORS),
};

static THREADS: Listing = Listing {
    entries: &[],
    numbers: Some(Numbers {
        all: |of| group(of)?.thread_ids(),
        one: |of, tid| {
            let thread = registry::thread(tid).map_err(|_| Errno::ENOENT)?;
            let is_of = thread
                .user_group()
                .is_some_and(|group| group.id() == of.process);
            match is_of {
                true => Ok(Subject { thread: tid, ..of }),
                false => Err(Errno::ENOENT),
            }
        },
        permissions: 0o555,
        what: What::Folder(&THREAD),
    }),
};

/// The ids of all processes, those that were not waited for included.
pub fn all(_: Subject) -> Result<Vec<u32>, Errno> {
    let groups = registry::groups(|_| true)?;
    let mut ids: Vec<u32> = Vec::new();
    ids.try_reserve(groups.len()).map_err(|_| Errno::ENOMEM)?;
    ids.extend(groups.iter().map(|group| group.id()));
    ids.sort_unstable();
    Ok(ids)
}

/// The process of an id; a thread's id will do, though it is not listed.
pub fn find(_: Subject, id: u32) -> Result<Subject, Errno> {
    if registry::group(id).is_ok() {
        return Ok(Subject {
            process: id,
            ..Subject::default()
        });
    }
    let thread = registry::thread(id).map_err(|_| Errno::ENOENT)?;
    let group = thread.user_group().ok_or(Errno::ENOENT)?;
    Ok(Subject {
        process: group.id(),
        ..Subject::default()
    })
}

/// Who looks.
pub fn own() -> Subject {
    let current = sched::current();
    Subject {
        process: current.user_group().map_or(0, |group| group.id()),
        thread: current.tid(),
        descriptor: 0,
    }
}

fn group(of: Subject) -> Result<Arc<Group>, Errno> {
    registry::group(of.process)
}

/// The thread, or one of the process's. ESRCH.
fn thread(of: Subject) -> Result<Arc<Thread>, Errno> {
    match of.thread {
        0 => group(of)?.some_thread().ok_or(Errno::ESRCH),
        tid => registry::thread(tid),
    }
}

pub fn space(of: Subject) -> Result<Arc<Space>, Errno> {
    thread(of)
        .ok()
        .and_then(|thread| thread.seen_space())
        .ok_or(Errno::ENOENT)
}

pub fn files(of: Subject) -> Result<Arc<FileTable>, Errno> {
    thread(of)
        .ok()
        .and_then(|thread| thread.seen_files())
        .ok_or(Errno::ENOENT)
}

pub fn places(of: Subject) -> Result<Places, Errno> {
    let context = thread(of).ok().and_then(|thread| thread.seen_places());
    Ok(context.ok_or(Errno::ENOENT)?.places())
}

/// What a process has in memory; nothing if it has ended.
fn memory(of: Subject) -> Usage {
    space(of).map_or_else(|_| Usage::default(), |space| space.usage())
}

fn name_of(of: Subject) -> Result<Name, Errno> {
    match of.thread {
        0 => Ok(group(of)?.name()),
        tid => Ok(registry::thread(tid)?.name()),
    }
}

/// `comm`.
fn name(of: Subject, text: &mut Text) -> Result<(), Errno> {
    text.add_bytes(name_of(of)?.text())?;
    text.add(format_args!("\n"))
}

/// A thread of one's own process may be named: EINVAL for others'.
fn set_name(of: Subject, name: &[u8]) -> Result<(), Errno> {
    if of.process != own().process {
        return Err(Errno::EINVAL);
    }
    let thread = match of.thread {
        0 => registry::thread(of.process)?,
        tid => registry::thread(tid)?,
    };
    thread.set_name(Name::new(name));
    Ok(())
}

/// `cmdline`: the arguments, each with a zero behind it; as the program has them now.
fn arguments(of: Subject, text: &mut Text) -> Result<(), Errno> {
    strings(of, text, |program| program.arguments.clone())
}

fn environment(of: Subject, text: &mut Text) -> Result<(), Errno> {
    strings(of, text, |program| program.environment.clone())
}

fn strings(
    of: Subject,
    text: &mut Text,
    which: fn(&crate::memory::Program) -> core::ops::Range<usize>,
) -> Result<(), Errno> {
    let Ok(space) = space(of) else {
        return Ok(());
    };
    let Some(program) = space.program() else {
        return Ok(());
    };
    let range = which(&program);
    let mut at = range.start;
    let mut part = [0; 256];
    while at < range.end {
        let length = part.len().min(range.end - at);
        let count = space.peek(at, &mut part[..length]);
        text.add_bytes(&part[..count])?;
        if count < length {
            return Ok(());
        }
        at += length;
    }
    Ok(())
}

/// State, as proc(5) has its letters.
fn state(of: Subject) -> Result<char, Errno> {
    let group = group(of)?;
    Ok(match thread(of) {
        Err(_) => 'Z',
        Ok(_) if group.is_stopped() => 'T',
        Ok(thread) if thread.entity.is_asleep() => 'S',
        Ok(_) => 'R',
    })
}

fn account(of: Subject) -> Result<Account, Errno> {
    match of.thread {
        0 => Ok(group(of)?.account()),
        tid => Ok(sched::account(&*registry::thread(tid)?)),
    }
}

/// The 52 fields of `stat`; what is not kept is 0.
fn stat(of: Subject, text: &mut Text) -> Result<(), Errno> {
    let group = group(of)?;
    let id = if of.thread == 0 {
        of.process
    } else {
        of.thread
    };
    text.add(format_args!("{id} ("))?;
    text.add_bytes(name_of(of)?.text())?;
    let state = state(of)?;
    let (parent, process_group, session) = (group.parent(), group.process_group(), group.session());
    text.add(format_args!(
        ") {state} {parent} {process_group} {session} 0 -1 0"
    ))?;
    let (own, children) = (account(of)?, group.children_account());
    let (faults, past) = (own.counts.faults, children.counts.faults);
    text.add(format_args!(" {faults} {past} 0 0"))?;
    for time in [own.times, children.times] {
        text.add(format_args!(" {} {}", time.user / TICK, time.system / TICK))?;
    }
    let threads = group.thread_count();
    let begun = group.begun() / TICK;
    let usage = memory(of);
    let (size, resident) = (usage.size, usage.resident / PAGE_SIZE);
    let limit = u64::MAX;
    let class = thread(of).map_or(Class::OTHER, |thread| thread.entity.class());
    let priority = match class.priority {
        0 => 20 + i32::from(class.nice),
        real_time => -1 - i32::from(real_time),
    };
    text.add(format_args!(
        " {priority} {} {threads} 0 {begun} {size} {resident} {limit}",
        class.nice
    ))?;
    let cpu = thread(of).map_or(0, |thread| thread.entity.cpu());
    // Addresses, masks of signals, where it waits, swap; the signal of its end.
    text.add(format_args!(" 0 0 0 0 0 0 0 0 0 0 0 0 17 {cpu}"))?;
    let (priority, policy) = (class.priority, class.kind as u8);
    // What it waited for disks and gave to guests; addresses; its status.
    text.add(format_args!(" {priority} {policy} 0 0 0 0 0 0 0 0 0 0 0\n"))
}

/// `statm`, in pages.
fn statm(of: Subject, text: &mut Text) -> Result<(), Errno> {
    group(of)?;
    let usage = memory(of);
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

fn status(of: Subject, text: &mut Text) -> Result<(), Errno> {
    let group = group(of)?;
    text.add(format_args!("Name:\t"))?;
    text.add_bytes(name_of(of)?.text())?;
    let state = state(of)?;
    let word = match state {
        'R' => "running",
        'T' => "stopped",
        'Z' => "zombie",
        _ => "sleeping",
    };
    let id = if of.thread == 0 {
        of.process
    } else {
        of.thread
    };
    let places = places(of).ok();
    if let Some(places) = &places {
        text.add(format_args!("\nUmask:\t{:04o}", places.umask))?;
    }
    text.add(format_args!(
        "\nState:\t{state} ({word})\nTgid:\t{}\nNgid:\t0\nPid:\t{id}\nPPid:\t{}\nTracerPid:\t0\n\
         Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nFDSize:\t{}\nGroups:\t\n",
        of.process,
        group.parent(),
        files(of).map_or(0, |files| files.capacity()),
    ))?;
    if state != 'Z' {
        tell_memory(memory(of), text)?;
    }
    text.add(format_args!("Threads:\t{}\n", group.thread_count()))?;
    tell_signals(of, &group, text)?;
    let counts = account(of)?.counts;
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

fn tell_signals(of: Subject, group: &Group, text: &mut Text) -> Result<(), Errno> {
    let signals = thread(of)
        .map(|thread| thread.signal_sets())
        .unwrap_or_default();
    let (ignored, caught) = group.disposition_sets();
    for (name, set) in [
        ("SigPnd", signals.pending),
        ("ShdPnd", group.pending_set()),
        ("SigBlk", signals.blocked),
        ("SigIgn", ignored),
        ("SigCgt", caught),
    ] {
        text.add(format_args!("{name}:\t{set:016x}\n"))?;
    }
    Ok(())
}

/// Those that are enforced; the others have none.
fn limits(of: Subject, text: &mut Text) -> Result<(), Errno> {
    let files = files(of).map_or(0, |files| files.limit());
    text.add(format_args!(
        "{:<25} {:<20} {:<20} {:<10}\n",
        "Limit", "Soft Limit", "Hard Limit", "Units"
    ))?;
    let most = FileTable::MAX_LIMIT;
    text.add(format_args!(
        "{:<25} {STACK_SIZE:<20} {STACK_SIZE:<20} {:<10}\n",
        "Max stack size", "bytes"
    ))?;
    text.add(format_args!(
        "{:<25} {files:<20} {most:<20} {:<10}\n",
        "Max open files", "files"
    ))
}
