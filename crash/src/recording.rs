//! What QEMU's `blklogwrites` has recorded of a disk: all writes and flushes,
//! in an order in which they may have reached it (the format is that of Linux'
//! dm-log-writes: kernel documentation, admin-guide/device-mapper).
//!
//! An entry gets its place between the moment when the guest asks for it and
//! the moment when the guest hears that it is done. So what the guest does
//! after something was done has a later place: a flush after the writes that it
//! covers, and a promise after the flush that it stands on.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use kernel::files::ext4::BLOCK;
use workload::Promise;

const SECTOR: usize = 512;
const MAGIC: u64 = 0x006a_7366_7773_6872;
const FLUSH: u64 = 1;
const FORCED: u64 = 2;
const DISCARD: u64 = 4;

/// Something that happened to the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A block of the file system is written; neighbours that were written
    /// together are events of their own.
    Write {
        block: u64,
        bytes: Vec<u8>,
    },
    /// All before is durable from here on.
    Flush,
    Promise(Promise),
}

/// Reads a log. What lies behind the first `blocks` blocks are promises.
pub fn read(file: &Path, blocks: u64) -> Result<Vec<Event>> {
    let log = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    parse(&log, blocks)
}

fn word(bytes: &[u8], at: usize) -> Result<u64> {
    let word = bytes.get(at..at + 8).context("the log is cut off")?;
    Ok(u64::from_le_bytes(word.try_into()?))
}

pub fn parse(log: &[u8], blocks: u64) -> Result<Vec<Event>> {
    ensure!(word(log, 0)? == MAGIC, "this is no log of writes");
    ensure!(word(log, 8)? == 1, "the log's version is unknown");
    let count = word(log, 16)?;
    let sector = word(log, 24)? as u32 as usize;
    ensure!(sector == SECTOR, "the log's sectors have {sector} bytes");
    let mut events = Vec::new();
    let mut at = SECTOR;
    for _ in 0..count {
        let first = word(log, at)? as usize * SECTOR;
        let length = word(log, at + 8)? as usize * SECTOR;
        let flags = word(log, at + 16)?;
        at += SECTOR;
        ensure!(
            flags & (FORCED | DISCARD) == 0,
            "the log has flags {flags:#x}"
        );
        let bytes = log.get(at..at + length).context("the log is cut off")?;
        at += length;
        ensure!(
            first.is_multiple_of(BLOCK) && length.is_multiple_of(BLOCK),
            "a write is not of whole blocks"
        );
        // A flush with data comes before them.
        if flags & FLUSH != 0 {
            events.push(Event::Flush);
        }
        for (index, bytes) in bytes.chunks_exact(BLOCK).enumerate() {
            let block = (first / BLOCK + index) as u64;
            events.push(event(block, bytes, blocks)?);
        }
    }
    Ok(events)
}

fn event(block: u64, bytes: &[u8], blocks: u64) -> Result<Event> {
    if block < blocks {
        let bytes = bytes.to_vec();
        return Ok(Event::Write { block, bytes });
    }
    match Promise::from_bytes(bytes) {
        Some(promise) => Ok(Event::Promise(promise)),
        None => bail!("block {block} is behind the file system and no promise"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(entries: &[(u64, u64, &[u8])]) -> Vec<u8> {
        let sector = |words: &[u64]| {
            let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            bytes.resize(SECTOR, 0);
            bytes
        };
        let mut log = sector(&[MAGIC, 1, entries.len() as u64, SECTOR as u64]);
        for (block, flags, bytes) in entries {
            let length = (bytes.len() / SECTOR) as u64;
            log.extend(sector(&[block * 8, length, *flags, 0]));
            log.extend(*bytes);
        }
        log
    }

    #[test]
    fn a_log_is_read_in_order() {
        let promise = Promise {
            thread: 3,
            operation: 14,
        };
        let mut block = [0; BLOCK];
        block[..24].copy_from_slice(&promise.to_bytes());
        let two = [7; 2 * BLOCK];
        let log = log(&[(5, 0, &two), (0, FLUSH, &[]), (100, 0, &block)]);
        let write = |block| Event::Write {
            block,
            bytes: vec![7; BLOCK],
        };
        let expected = [write(5), write(6), Event::Flush, Event::Promise(promise)];
        assert_eq!(parse(&log, 100).unwrap(), expected);
        assert!(parse(&log, 200).is_ok());
        assert!(parse(&log, 6).is_err(), "a block of sevens is no promise");
        assert!(parse(&log[..log.len() - 1], 100).is_err());
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        assert!(parse(&log(&[(5, DISCARD, &[])]), 100).is_err());
        assert!(parse(&log(&[(5, 0, &[1; SECTOR])]), 100).is_err());
        assert!(parse(&[0; SECTOR], 100).is_err());
    }
}
