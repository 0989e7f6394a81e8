//! What `/proc` tells of communication between processes.

use super::{Entry, Listing, What};
use crate::ipc::mqueue::room;

/// A file that shows a setting and takes another value for it.
macro_rules! setting {
    ($name:literal, $setting:path) => {
        Entry {
            name: $name,
            permissions: 0o644,
            what: What::File(
                Some(|_, text| $setting.tell(text)),
                Some(|_, word| $setting.set(word)),
            ),
        }
    };
}

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
