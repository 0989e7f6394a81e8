//! Commits: how changes become durable, many at a time.
//!
//! Every change holds the gate, shared, so that a transaction ends between
//! changes only. The change that a write of data ends with comes when its blocks
//! have moved, so that no file gets blocks that were not written. A commit takes
//! the gate alone for the moment in which the transaction ends. It is written with
//! neither the gate nor the state held: the next transaction runs meanwhile, and all
//! who wait for their changes find them in one of the two.
//!
//! Locks, outermost first: log, gate, state.

use core::sync::atomic::Ordering;

use alloc::vec::Vec;

use abi::Errno;
use machine::frames;
use sync::{MutexGuard, rank};

use super::Ext4;
use super::buffers::Closed;
use super::journal::Journal;
use super::seal::Kind;
use super::state::State;
use super::storage::Block;
use crate::files::allocate::try_vec;
use crate::files::clock;

/// Blocks that one operation changes at most, more or less.
const CREDITS: usize = 128;
/// Blocks that are written home at a time.
const PART: usize = 256;
/// Blocks of metadata in memory above which those that were not used for some
/// time go.
const MOST_BUFFERS: usize = 2048;

/// So much of memory a transaction may take: one part of this many.
const SHARE: usize = 32;

/// Blocks that a transaction may have: what the journal has room for, and memory.
pub fn most_blocks(journal: &Journal) -> usize {
    let share = frames::total_count() / SHARE;
    journal.most_blocks().min(share.max(4 * CREDITS))
}

/// The journal, and the transaction that has ended and is not in it yet.
pub struct Log {
    pub journal: Journal,
    pub unfinished: Option<(u64, Closed)>,
}

/// The right to write the log.
struct Turn<'v> {
    // Let go first.
    log: MutexGuard<'v, Log, rank::VolumeJournal>,
    _ends: Ends<'v>,
}

/// Tells those who wait that a turn has ended.
struct Ends<'v>(&'v Ext4);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.commits.wake_all();
    }
}

impl Ext4 {
    /// Carries out an operation that changes something; it is repeated after a
    /// commit if there is space only then.
    pub fn change<R>(
        &self,
        mut act: impl FnMut(&mut State) -> Result<R, Errno>,
    ) -> Result<R, Errno> {
        let mut has_waited = false;
        loop {
            self.make_room()?;
            {
                let _gate = self.gate.read();
                let mut state = self.state.lock();
                let left = self.kept_for_data();
                let result = self.operate(&mut state, left, &mut act);
                // Blocks that were freed can be had after the commit.
                let may_help = !state.bases.is_empty() && !has_waited;
                if !matches!(result, Err(Errno::ENOSPC)) || !may_help {
                    return result;
                }
            }
            has_waited = true;
            self.commit()?;
        }
    }

    /// One operation, with the gate held: all of it or nothing. ENOSPC if it would
    /// leave less than `left` free blocks.
    pub fn operate<R>(
        &self,
        state: &mut State,
        left: u64,
        act: &mut impl FnMut(&mut State) -> Result<R, Errno>,
    ) -> Result<R, Errno> {
        self.check_writable()?;
        state.begin(left);
        let result = act(state);
        state.end(result.is_ok());
        result
    }

    /// EROFS if nothing may be changed (any more).
    pub fn check_writable(&self) -> Result<(), Errno> {
        match self.read_only || self.aborted.load(Ordering::Acquire) {
            true => Err(Errno::EROFS),
            false => Ok(()),
        }
    }

    /// Commits if the running transaction is so large that one more operation
    /// might not fit.
    pub fn make_room(&self) -> Result<(), Errno> {
        match self.is_large() {
            true => self.commit(),
            false => Ok(()),
        }
    }

    /// One more operation might not fit into the running transaction.
    pub fn is_large(&self) -> bool {
        self.state.lock().buffers.changes() + CREDITS > self.most_blocks
    }

    /// Makes durable all that was changed before. One commit serves all who
    /// wait for it.
    pub fn commit(&self) -> Result<(), Errno> {
        let wanted = {
            let state = self.state.lock();
            match state.buffers.changes() {
                0 => state.running - 1,
                _ => state.running,
            }
        };
        // Twice if there was not memory enough for the one before.
        while let Some(mut turn) = self.turn(wanted) {
            self.check_writable().map_err(|_| Errno::EIO)?;
            self.commit_one(&mut turn.log)?;
        }
        Ok(())
    }

    /// The log, for whoever is first; `None` as soon as transaction `wanted` is
    /// durable. So nobody whose changes are waits behind the next commit, and
    /// those have made more changes by the time it ends.
    fn turn(&self, wanted: u64) -> Option<Turn<'_>> {
        let is_done = || self.committed.load(Ordering::Acquire) >= wanted;
        let turn = self.commits.wait_until(|| match is_done() {
            true => Some(None),
            false => self.try_turn().map(Some),
        })?;
        // Another's turn may just have ended.
        (!is_done()).then_some(turn)
    }

    /// The log, unless somebody else has it.
    fn try_turn(&self) -> Option<Turn<'_>> {
        let log = self.log.try_lock()?;
        let _ends = Ends(self);
        Some(Turn { log, _ends })
    }

    fn commit_one(&self, log: &mut Log) -> Result<(), Errno> {
        if log.unfinished.is_none() {
            // What is not home stays in memory.
            let homeless = self.state.lock().buffers.homeless_count();
            let most = 2 * self.most_blocks;
            if log.journal.free_blocks() < most || homeless > most {
                self.write_home(&mut log.journal)?;
            }
            log.unfinished = Some(self.close()?);
        }
        let Some((number, closed)) = &log.unfinished else {
            return Ok(());
        };
        if let Err(error) = log.journal.commit(&closed.blocks, &closed.revoked) {
            // Else memory is short, and it can be tried again.
            if log.journal.is_aborted() {
                self.abort(error);
            }
            return Err(error);
        }
        self.state.lock().committed(closed);
        self.committed.store(*number, Ordering::Release);
        log.unfinished = None;
        Ok(())
    }

    /// Ends the running transaction between two changes; its number.
    fn close(&self) -> Result<(u64, Closed), Errno> {
        let _gate = self.gate.write();
        self.end_transaction()
    }

    /// The same with the gate held alone.
    fn end_transaction(&self) -> Result<(u64, Closed), Errno> {
        let mut state = self.state.lock();
        state.begin(0);
        let sealed = state.seal_bitmaps();
        state.end(sealed.is_ok());
        sealed?;
        state.protect_blocks()?;
        let closed = state.buffers.close()?;
        let number = state.running;
        state.running += 1;
        if state.buffers.count() > MOST_BUFFERS {
            state.buffers.shrink(false);
        }
        Ok((number, closed))
    }

    /// Commits all there is and brings it home, with the gate held alone.
    pub fn commit_alone(&self, log: &mut Log) -> Result<(), Errno> {
        if log.unfinished.is_some() {
            self.commit_one(log)?;
        }
        if self.state.lock().buffers.changes() > 0 {
            log.unfinished = Some(self.end_transaction()?);
            self.commit_one(log)?;
        }
        self.write_home(&mut log.journal)
    }

    /// Nothing is changed from here on: what is on the disk is right, and stays.
    fn abort(&self, error: Errno) {
        if !self.aborted.swap(true, Ordering::AcqRel) {
            log::error!(
                "ext4: the disk cannot be written: {error}; the file system is read-only from \
                 now on"
            );
        }
    }

    /// What cannot be brought home stays in the journal for the next mount.
    fn abort_on_error(&self, result: Result<(), Errno>) -> Result<(), Errno> {
        if let Err(error) = result {
            self.abort(error);
        }
        result
    }

    /// A checkpoint: brings home what is committed, and empties the journal.
    pub fn checkpoint(&self) -> Result<(), Errno> {
        let Some(Turn { log, .. }) = &mut self.turn(u64::MAX) else {
            return Ok(());
        };
        if log.unfinished.is_some() {
            self.commit_one(log)?;
        }
        self.write_home(&mut log.journal)
    }

    fn write_home(&self, journal: &mut Journal) -> Result<(), Errno> {
        self.check_writable()?;
        let mut next = 0;
        // No more memory than this: it may be short, and this gives some back.
        let mut part = try_vec(PART)?;
        loop {
            self.state.lock().buffers.homeless(next, &mut part);
            let Some((last, _)) = part.last() else {
                break;
            };
            next = last + 1;
            let mut some: Vec<(u64, &Block)> = try_vec(part.len())?;
            some.extend(part.iter().map(|(number, block)| (*number, &**block)));
            self.abort_on_error(self.storage.write(&some))?;
        }
        if next == 0 && !journal.needs_recovery() {
            return Ok(());
        }
        self.abort_on_error(self.storage.flush())?;
        let emptied = journal.checkpointed();
        if journal.is_aborted() {
            self.abort_on_error(emptied)?;
        }
        emptied?;
        self.state.lock().buffers.arrived();
        Ok(())
    }

    /// Brings home what is committed, so that memory need not hold it, unless
    /// somebody else is at the log: nobody is waited for.
    pub fn bring_home(&self) {
        if let Some(Turn { log, .. }) = &mut self.try_turn()
            && log.unfinished.is_none()
        {
            // What is wrong with the disk is known by then, and memory may be short.
            let _ = self.write_home(&mut log.journal);
        }
    }

    /// Says in the superblock whether the journal may hold something, for good;
    /// if not, nothing can be changed any more.
    ///
    /// It is said past the journal, while nothing is in it: whoever reads, as
    /// Linux does, that there is nothing, throws away what is there.
    pub fn mark(&self, needs_recovery: bool) -> Result<(), Errno> {
        // Most of it while others go on.
        self.commit()?;
        self.checkpoint()?;
        let Some(mut turn) = self.turn(u64::MAX) else {
            return Err(Errno::EIO);
        };
        let log = &mut *turn.log;
        let _gate = self.gate.write();
        if !needs_recovery {
            self.free_left(log);
        }
        self.commit_alone(log)?;
        let first = self.state.lock().mark(needs_recovery, clock::now())?;
        let written = self.storage.write(&[(0, &first)]);
        self.abort_on_error(written.and_then(|()| self.storage.flush()))?;
        if !needs_recovery {
            self.aborted.store(true, Ordering::Release);
        }
        Ok(())
    }
}

impl State {
    /// Until the transaction that ends now is durable, a crash may bring back
    /// the state before it or the one after it: blocks in use in either are not
    /// given out. ENOMEM.
    fn protect_blocks(&mut self) -> Result<(), Errno> {
        for (number, kind) in self.buffers.dirty() {
            let Kind::BlockBitmap { group } = kind else {
                continue;
            };
            let Some(base) = self.bases.get_mut(&group) else {
                continue;
            };
            let mut either = base.copy()?;
            if let Some(now) = self.buffers.peek(number) {
                for (bits, more) in either.iter_mut().zip(&now[..]) {
                    *bits |= more;
                }
            }
            *base = either.share()?;
        }
        Ok(())
    }

    /// A closed transaction is durable: what it freed can be given out.
    fn committed(&mut self, closed: &Closed) {
        for (group, number, content) in &closed.bitmaps {
            match self.bases.get_mut(group) {
                // It changes again: this is what it was before.
                Some(base) if self.buffers.is_dirty(*number) => *base = content.clone(),
                _ => {
                    self.bases.remove(group);
                }
            }
        }
    }
}
