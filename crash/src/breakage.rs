//! Faults put into a recording on purpose: if they are not found, it is the
//! checks that are broken.

use clap::ValueEnum;

use crate::recording::Event;

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breakage {
    /// Every second flush never happened: as if it did not wait for the journal.
    Flushes,
    /// Blocks that say that a transaction is whole never reach the disk.
    Commits,
    /// What has been promised comes before the flush that makes it true.
    Promises,
}

/// What begins a block of the journal, and the kind of a commit block.
const JOURNAL: [u8; 4] = [0xc0, 0x3b, 0x39, 0x98];
const COMMIT: [u8; 4] = [0, 0, 0, 2];

impl Breakage {
    pub fn apply(self, events: Vec<Event>) -> Vec<Event> {
        match self {
            Breakage::Flushes => without_every_second_flush(events),
            Breakage::Commits => {
                let stays = |event: &Event| match event {
                    Event::Write { bytes, .. } => bytes[..4] != JOURNAL || bytes[4..8] != COMMIT,
                    _ => true,
                };
                events.into_iter().filter(stays).collect()
            }
            Breakage::Promises => earlier_promises(events),
        }
    }
}

fn without_every_second_flush(events: Vec<Event>) -> Vec<Event> {
    let mut flushes = 0;
    let stays = |event: &Event| {
        flushes += usize::from(*event == Event::Flush);
        *event != Event::Flush || flushes % 2 == 1
    };
    events.into_iter().filter(stays).collect()
}

/// Each promise moves to before the two last flushes and what was written between.
fn earlier_promises(events: Vec<Event>) -> Vec<Event> {
    let mut moved: Vec<Event> = Vec::new();
    for event in events {
        if !matches!(event, Event::Promise(_)) {
            moved.push(event);
            continue;
        }
        let mut flushes = (0..moved.len())
            .rev()
            .filter(|&at| moved[at] == Event::Flush);
        let at = flushes.nth(1).unwrap_or(0);
        moved.insert(at, event);
    }
    moved
}
