//! What `/proc` tells of communication between processes.

use abi::Errno;

use super::setting::setting;
use super::{Entry, Listing, Subject, What, text};
use crate::files::text::Text;
use crate::ipc::mqueue::room;
use crate::ipc::setting::Setting;
use crate::ipc::{msg, sem, shm};

pub static MQUEUE: Listing = Listing {
    entries: &[&[
        setting!("msg_default", room::MSG_DEFAULT),
        setting!("msg_max", room::MSG_MAX),
        setting!("msgsize_default", room::MSGSIZE_DEFAULT),
        setting!("msgsize_max", room::MSGSIZE_MAX),
        setting!("queues_max", room::QUEUES_MAX),
    ]],
    numbers: None,
};

/// Of `/proc/sys/kernel`.
pub const KERNEL: &[Entry] = &[
    setting!("msgmax", msg::MSGMAX),
    setting!("msgmnb", msg::MSGMNB),
    setting!("msgmni", msg::MSGMNI),
    Entry {
        name: "sem",
        permissions: 0o644,
        what: What::File(Some(tell_semaphores), Some(set_semaphores)),
    },
    setting!("shmall", shm::SHMALL),
    setting!("shmmax", shm::SHMMAX),
    setting!("shmmni", shm::SHMMNI),
];

pub static SYSVIPC: Listing = Listing {
    entries: &[&[
        text("msg", list_queues),
        text("sem", list_sets),
        text("shm", list_segments),
    ]],
    numbers: None,
};

/// A line for each message queue of System V, in columns as wide as on Linux.
fn list_queues(_: Subject, text: &mut Text) -> Result<(), Errno> {
    text.add_bytes(
        b"       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid      \
          stime      rtime      ctime\n",
    )?;
    msg::each(|found| {
        let queue = found.describe();
        let perm = queue.perm;
        text.add(format_args!(
            "{:>10} {:>10}  {:>4o}  {:>10} {:>10} {:>5} {:>5} {:>5} {:>5} {:>5} {:>5} {:>10} {:>10} \
             {:>10}\n",
            perm.key,
            found.id,
            perm.mode,
            queue.bytes,
            queue.count,
            queue.last_sender,
            queue.last_receiver,
            perm.uid,
            perm.gid,
            perm.cuid,
            perm.cgid,
            queue.sent,
            queue.received,
            queue.changed,
        ))
    })
}

/// In the order in which they stand in `/proc/sys/kernel/sem`.
const SEMAPHORES: [&Setting; 4] = [&sem::SEMMSL, &sem::SEMMNS, &sem::SEMOPM, &sem::SEMMNI];

fn tell_semaphores(_: Subject, text: &mut Text) -> Result<(), Errno> {
    let [per_set, all, per_call, sets] = SEMAPHORES.map(Setting::get);
    text.add(format_args!("{per_set}\t{all}\t{per_call}\t{sets}\n"))
}

/// Sets as many of them as there are words. EINVAL.
fn set_semaphores(_: Subject, words: &[u8]) -> Result<(), Errno> {
    let words = words
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty());
    for (setting, word) in SEMAPHORES.into_iter().zip(words) {
        setting.set(word)?;
    }
    Ok(())
}

/// A line for each set of semaphores, in columns as wide as on Linux.
fn list_sets(_: Subject, text: &mut Text) -> Result<(), Errno> {
    text.add_bytes(
        b"       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n",
    )?;
    sem::each(|found| {
        let set = found.describe();
        let perm = set.perm;
        text.add(format_args!(
            "{:>10} {:>10}  {:>4o} {:>10} {:>5} {:>5} {:>5} {:>5} {:>10} {:>10}\n",
            perm.key,
            found.id,
            perm.mode,
            set.count,
            perm.uid,
            perm.gid,
            perm.cuid,
            perm.cgid,
            set.operated,
            set.changed,
        ))
    })
}

/// A line for each segment, in columns as wide as on Linux.
fn list_segments(_: Subject, text: &mut Text) -> Result<(), Errno> {
    text.add_bytes(
        b"       key      shmid perms                  size  cpid  lpid nattch   uid   gid  \
          cuid  cgid      atime      dtime      ctime                   rss                  swap\n",
    )?;
    shm::each(|found| {
        let segment = found.describe();
        let perm = segment.perm;
        text.add(format_args!(
            "{:>10} {:>10}  {:>4o} {:>21} {:>5} {:>5}  {:>5} {:>5} {:>5} {:>5} {:>5} {:>10} {:>10} \
             {:>10} {:>21} {:>21}\n",
            perm.key,
            found.id,
            perm.mode,
            segment.size,
            segment.creator,
            segment.last,
            segment.count,
            perm.uid,
            perm.gid,
            perm.cuid,
            perm.cgid,
            segment.attached,
            segment.detached,
            segment.changed,
            found.segment.resident(),
            0,
        ))
    })
}
