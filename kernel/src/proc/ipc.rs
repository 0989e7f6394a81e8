//! What `/proc` tells of communication between processes.

use abi::Errno;

use super::setting::setting;
use super::{Entry, Listing, Subject, text};
use crate::files::text::Text;
use crate::ipc::mqueue::room;
use crate::ipc::shm;

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
    setting!("shmall", shm::SHMALL),
    setting!("shmmax", shm::SHMMAX),
    setting!("shmmni", shm::SHMMNI),
];

pub static SYSVIPC: Listing = Listing {
    entries: &[&[text("shm", list_segments)]],
    numbers: None,
};

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
