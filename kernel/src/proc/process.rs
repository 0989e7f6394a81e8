//! What `/proc` tells of a process, and of each of its threads.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

use abi::Errno;
use abi::process::RLIM_INFINITY;
use core::sync::atomic::Ordering::Relaxed;

use super::status::{Seen, stat, statm, status};
use super::{Entry, Listing, Numbers, Subject, What, folder, link, links, maps, text};
use crate::credentials::Credentials;
use crate::files::inode::{Kind, Owner};
use crate::files::text::Text;
use crate::files::{FileTable, Places};
use crate::memory::{Program, Space};
use crate::sched;
use crate::thread::{Group, Name, Resource, Thread, registry};

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
    Entry {
        name: "environ",
        permissions: 0o400,
        what: What::File(Some(environment), None),
    },
    link("exe", links::program),
    Entry {
        name: "fd",
        permissions: 0o500,
        what: What::Folder(&DESCRIPTORS),
    },
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
    what: What::File(Some(name), Some(set_name)),
};

static DESCRIPTORS: Listing = Listing {
    entries: &[],
    numbers: Some(links::DESCRIPTORS),
};

static THREADS: Listing = Listing {
    entries: &[],
    numbers: Some(Numbers {
        prefix: "",
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

/// To whom what tells of a process belongs: to its user, or to root if that must not
/// look into it. The folders that all may list are the user's in any case.
pub fn owner(of: Subject, kind: Kind, permissions: u32) -> Owner {
    let Ok(group) = group(of) else {
        return Owner::ROOT;
    };
    let is_for_all = kind == Kind::Directory && permissions == 0o555;
    match is_for_all || group.flags().dumpable.load(Relaxed) {
        true => {
            let credentials = credentials(of, &group);
            Owner {
                user: credentials.user.effective,
                group: credentials.group.effective,
            }
        }
        false => Owner::ROOT,
    }
}

fn credentials(of: Subject, group: &Group) -> Arc<Credentials> {
    let thread = match of.thread {
        0 => None,
        tid => registry::thread(tid).ok(),
    };
    let seen = thread.and_then(|thread| thread.seen_credentials());
    seen.unwrap_or_else(|| group.credentials())
}

/// Whether who looks may look into the process, as ptrace(2) has it for reading:
/// EACCES.
pub fn inspect(of: Subject) -> Result<(), Errno> {
    let thread = sched::current();
    if thread.user_group().is_none_or(|own| own.id() == of.process) {
        return Ok(());
    }
    let Ok(group) = group(of) else {
        // There is nothing to see any more.
        return Ok(());
    };
    let is_dumpable = group.flags().dumpable.load(Relaxed);
    let target = credentials(of, &group);
    let may = thread.with_credentials(|by| by.may_inspect(&target, is_dumpable));
    match may {
        Some(false) => Err(Errno::EACCES),
        _ => Ok(()),
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

/// What a thread shows, while it has that: ENOENT.
fn seen<T>(of: Subject, which: fn(&Thread) -> Option<T>) -> Result<T, Errno> {
    let thread = thread(of).map_err(|_| Errno::ENOENT)?;
    which(&thread).ok_or(Errno::ENOENT)
}

pub fn space(of: Subject) -> Result<Arc<Space>, Errno> {
    seen(of, Thread::seen_space)
}

pub fn files(of: Subject) -> Result<Arc<FileTable>, Errno> {
    seen(of, Thread::seen_files)
}

pub fn places(of: Subject) -> Result<Places, Errno> {
    Ok(seen(of, Thread::seen_places)?.places())
}

/// `comm`.
fn name(of: Subject, text: &mut Text) -> Result<(), Errno> {
    text.add_bytes(Seen::find(of)?.name().text())?;
    text.add(format_args!("\n"))
}

/// A thread of one's own process may be named: EINVAL for others'.
fn set_name(of: Subject, name: &[u8]) -> Result<(), Errno> {
    if of.process != own().process {
        return Err(Errno::EINVAL);
    }
    registry::thread(of.id())?.set_name(Name::new(name));
    Ok(())
}

/// `cmdline`: the arguments, each with a zero behind it; as the program has them now.
fn arguments(of: Subject, text: &mut Text) -> Result<(), Errno> {
    strings(of, text, |program| program.arguments.clone())
}

fn environment(of: Subject, text: &mut Text) -> Result<(), Errno> {
    inspect(of)?;
    strings(of, text, |program| program.environment.clone())
}

fn strings(of: Subject, text: &mut Text, which: fn(&Program) -> Range<usize>) -> Result<(), Errno> {
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

fn limits(of: Subject, text: &mut Text) -> Result<(), Errno> {
    let group = group(of)?;
    text.add(format_args!(
        "{:<25} {:<20} {:<20} {:<10}\n",
        "Limit", "Soft Limit", "Hard Limit", "Units"
    ))?;
    for resource in Resource::ALL {
        let limit = group.limits().get(resource);
        let (name, unit) = described(resource);
        text.add(format_args!("Max {name:<21} "))?;
        for value in [limit.soft, limit.hard] {
            match value {
                RLIM_INFINITY => text.add(format_args!("{:<20} ", "unlimited"))?,
                value => text.add(format_args!("{value:<20} "))?,
            }
        }
        text.add(format_args!("{unit:<10}\n"))?;
    }
    Ok(())
}

/// What Linux calls a limit there, and its unit.
fn described(resource: Resource) -> (&'static str, &'static str) {
    match resource {
        Resource::Cpu => ("cpu time", "seconds"),
        Resource::FileSize => ("file size", "bytes"),
        Resource::Data => ("data size", "bytes"),
        Resource::Stack => ("stack size", "bytes"),
        Resource::Core => ("core file size", "bytes"),
        Resource::Resident => ("resident set", "bytes"),
        Resource::Processes => ("processes", "processes"),
        Resource::Files => ("open files", "files"),
        Resource::Locked => ("locked memory", "bytes"),
        Resource::AddressSpace => ("address space", "bytes"),
        Resource::FileLocks => ("file locks", "locks"),
        Resource::Signals => ("pending signals", "signals"),
        Resource::Messages => ("msgqueue size", "bytes"),
        Resource::Nice => ("nice priority", ""),
        Resource::Priority => ("realtime priority", ""),
        Resource::RealTime => ("realtime timeout", "us"),
    }
}
