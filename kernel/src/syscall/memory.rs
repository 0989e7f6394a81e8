//! Memory calls: mmap, munmap, mprotect, mremap, msync, madvise, brk. What Linux refuses is
//! refused here, in Linux's order; what is done is in [`crate::memory`].

use super::file::open_file;
use crate::files::File;
use crate::files::allocate::try_arc;
use crate::files::cache::MAX_SIZE;
use crate::memory::{FileRange, LOWEST, Lock, Move, Pages, Placement, Sort, pages};
use crate::thread::Current;
use abi::Errno;
use abi::file::{F_SEAL_FUTURE_WRITE, F_SEAL_WRITE};
use abi::memory::*;
use core::ops::Range;
use machine::hooks::Access;
use machine::page_table::Rights;

/// What mprotect accepts besides the rights: PROT_SEM, which means nothing here.
const PROT_SEM: usize = 8;
/// The bits that say shared or private.
const MAP_TYPE: usize = 0x0f;

/// The rights that bits of mmap(2) ask for. On x86-64 a page that can be
/// written or executed can be read.
fn rights(protection: usize) -> Rights {
    let rights = Rights::from_bits(protection as u8);
    if rights == Rights::NONE {
        rights
    } else {
        rights | Rights::READ
    }
}

/// mmap(2).
pub fn mmap(
    current: &Current,
    address: usize,
    length: usize,
    protection: usize,
    flags: usize,
    descriptor: usize,
    offset: usize,
) -> Result<usize, Errno> {
    if !offset.is_multiple_of(PAGE_SIZE) {
        return Err(Errno::EINVAL);
    }
    let file = match flags & MAP_ANONYMOUS {
        0 => Some(open_file(current, descriptor)?),
        _ => None,
    };
    let is_shared = match (flags & MAP_TYPE, &file) {
        (MAP_PRIVATE, _) => false,
        (MAP_SHARED, _) | (MAP_SHARED_VALIDATE, Some(_)) => true,
        _ => return Err(Errno::EINVAL),
    };
    if length == 0 {
        return Err(Errno::EINVAL);
    }
    let length = length
        .checked_next_multiple_of(PAGE_SIZE)
        .ok_or(Errno::ENOMEM)?;
    if length > USER_END {
        return Err(Errno::ENOMEM);
    }
    let placement = placement(address, length, flags)?;
    let rights = rights(protection);
    let space = current.space();
    let file = match &file {
        Some(file) => Some(file_range(file, offset, length, rights, is_shared)?),
        None if is_shared => Some(FileRange::zeroes(length)?),
        None => None,
    };
    let start = match file {
        Some(file) => space.map_file(placement, length, rights, file)?,
        None if flags & MAP_GROWSDOWN != 0 => {
            space.map(placement, length, rights, Sort::GrowsDown)?
        }
        None => space.map(placement, length, rights, Sort::Private)?,
    };
    let range = start..start + length;
    let goes_on = || !current.must_exit();
    if flags & MAP_LOCKED != 0 {
        // Mapped already: what cannot be locked is not.
        let _ = space.lock(range.clone(), Lock::Full);
    }
    if flags & MAP_POPULATE != 0 {
        let _ = space.make_present(range.clone(), &goes_on);
    }
    space.fill_locked(range, &goes_on);
    Ok(start)
}

/// Where a mapping of `length` bytes goes: EINVAL, EPERM, ENOMEM for an address
/// that it must have and cannot.
fn placement(address: usize, length: usize, flags: usize) -> Result<Placement, Errno> {
    if flags & (MAP_FIXED | MAP_FIXED_NOREPLACE) == 0 {
        return Ok(Placement::Hint(address));
    }
    if !address.is_multiple_of(PAGE_SIZE) {
        return Err(Errno::EINVAL);
    }
    pages(address, length).ok_or(Errno::ENOMEM)?;
    if address < LOWEST {
        return Err(Errno::EPERM);
    }
    Ok(match flags & MAP_FIXED_NOREPLACE {
        0 => Placement::Fixed(address),
        _ => Placement::FixedFree(address),
    })
}

/// What is to be mapped of an open file. EOVERFLOW; EACCES if it is not open
/// for that, EPERM if it is sealed against that; ENODEV if it has no pages.
fn file_range(
    file: &File,
    offset: usize,
    length: usize,
    rights: Rights,
    is_shared: bool,
) -> Result<FileRange, Errno> {
    let end = offset.checked_add(length).ok_or(Errno::EOVERFLOW)?;
    if end as u64 > MAX_SIZE {
        return Err(Errno::EOVERFLOW);
    }
    let open = file.description();
    let mut may_write = !is_shared || open.writable();
    if !open.readable() || (rights.contains(Rights::WRITE) && !may_write) {
        return Err(Errno::EACCES);
    }
    let cache = file.inode().pages_to_map()?;
    if is_shared && cache.is_sealed(F_SEAL_WRITE | F_SEAL_FUTURE_WRITE) {
        if rights.contains(Rights::WRITE) {
            return Err(Errno::EPERM);
        }
        may_write = false;
    }
    let access = match is_shared && may_write {
        // The mapping outlives the descriptor.
        true => Some(try_arc(cache.access_to_write()?)?),
        false => None,
    };
    Ok(FileRange {
        inode: file.inode().clone(),
        cache,
        access,
        attachment: None,
        first: (offset / PAGE_SIZE) as u64,
        shared: is_shared,
        may_write,
    })
}

/// msync(2). What is written through a mapping is seen by all at once, so
/// MS_ASYNC and MS_INVALIDATE have nothing to do.
pub fn msync(
    current: &Current,
    address: usize,
    length: usize,
    flags: usize,
) -> Result<usize, Errno> {
    let flags = flags as u32 as usize;
    if flags & !(MS_ASYNC | MS_INVALIDATE | MS_SYNC) != 0
        || flags & (MS_ASYNC | MS_SYNC) == MS_ASYNC | MS_SYNC
        || !address.is_multiple_of(PAGE_SIZE)
    {
        return Err(Errno::EINVAL);
    }
    let range = pages(address, length).ok_or(Errno::ENOMEM)?;
    let space = current.space();
    if flags & MS_INVALIDATE != 0 && space.is_locked(range.clone()) {
        return Err(Errno::EBUSY);
    }
    match flags & MS_SYNC {
        0 if !space.is_mapped(range.clone()) => Err(Errno::ENOMEM),
        0 => Ok(0),
        _ => space.sync(range).map(|()| 0),
    }
}

/// munmap(2).
pub fn munmap(current: &Current, address: usize, length: usize) -> Result<usize, Errno> {
    if length == 0 {
        return Err(Errno::EINVAL);
    }
    let range = pages(address, length).ok_or(Errno::EINVAL)?;
    current.space().unmap(range)?;
    Ok(0)
}

/// mprotect(2). Unlike Linux's it changes nothing if it fails.
pub fn mprotect(
    current: &Current,
    address: usize,
    length: usize,
    protection: usize,
) -> Result<usize, Errno> {
    let known = PROT_READ | PROT_WRITE | PROT_EXEC | PROT_SEM;
    if !address.is_multiple_of(PAGE_SIZE) || protection & !known != 0 {
        return Err(Errno::EINVAL);
    }
    if length == 0 {
        return Ok(0);
    }
    let range = pages(address, length).ok_or(Errno::ENOMEM)?;
    current.space().protect(range, rights(protection))?;
    Ok(0)
}

/// mremap(2). Unlike Linux's it unmaps nothing at the new address if the old
/// range is refused.
pub fn mremap(
    current: &Current,
    address: usize,
    old_length: usize,
    new_length: usize,
    flags: usize,
    new_address: usize,
) -> Result<usize, Errno> {
    let has = |flag| flags & flag != 0;
    let [may_move, is_fixed, keeps] = [MREMAP_MAYMOVE, MREMAP_FIXED, MREMAP_DONTUNMAP].map(has);
    let round = |length: usize| length.checked_next_multiple_of(PAGE_SIZE).unwrap_or(0);
    let (old, new) = (round(old_length), round(new_length));
    if flags & !(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP) != 0
        || ((is_fixed || keeps) && !may_move)
        || (keeps && old != new)
        || !address.is_multiple_of(PAGE_SIZE)
        || new == 0
    {
        return Err(Errno::EINVAL);
    }
    let movement = match (may_move, is_fixed, keeps) {
        (_, true, _) => Move::To(new_address),
        (_, _, true) => Move::Somewhere(new_address),
        (true, ..) => Move::IfNeeded,
        (false, ..) => Move::Never,
    };
    if is_fixed || keeps {
        let target = pages(new_address, new).ok_or(Errno::EINVAL)?;
        let overlaps = address < target.end && target.start < address.saturating_add(old);
        if overlaps {
            return Err(Errno::EINVAL);
        }
        if is_fixed && target.start < LOWEST {
            return Err(Errno::EPERM);
        }
    }
    let old = pages(address, old).ok_or(Errno::EFAULT)?;
    if new > USER_END {
        return Err(Errno::ENOMEM);
    }
    let space = current.space();
    let start = space.remap(old, new, movement, keeps)?;
    space.fill_locked(start..start + new, &|| !current.must_exit());
    Ok(start)
}

/// madvise(2). Advice that only makes things faster is taken and ignored; pages
/// are made as [`Space::fault_all`] has it.
pub fn madvise(
    current: &Current,
    address: usize,
    length: usize,
    advice: usize,
) -> Result<usize, Errno> {
    /// NORMAL, RANDOM, SEQUENTIAL, WILLNEED; (NO)HUGEPAGE, (DO|DONT)DUMP; COLD, PAGEOUT.
    const HINTS: [usize; 10] = [0, 1, 2, 3, 14, 15, 16, 17, 20, 21];
    const ORDERS: [usize; 5] = [
        MADV_DONTNEED,
        MADV_DONTNEED_LOCKED,
        MADV_FREE,
        MADV_POPULATE_READ,
        MADV_POPULATE_WRITE,
    ];
    let is_known = HINTS.contains(&advice) || ORDERS.contains(&advice);
    if !is_known || !address.is_multiple_of(PAGE_SIZE) {
        return Err(Errno::EINVAL);
    }
    let end = length
        .checked_next_multiple_of(PAGE_SIZE)
        .and_then(|length| address.checked_add(length))
        .ok_or(Errno::EINVAL)?;
    if end == address {
        return Ok(0);
    }
    let range = pages(address, length).ok_or(Errno::ENOMEM)?;
    let space = current.space();
    let goes_on = || !current.must_exit();
    match advice {
        MADV_DONTNEED => space.discard(range)?,
        MADV_DONTNEED_LOCKED => space.discard_locked(range)?,
        MADV_FREE => space.discard_own(range)?,
        _ if !space.is_mapped(range.clone()) => return Err(Errno::ENOMEM),
        MADV_POPULATE_READ => space.fault_all(range, Access::Read, &goes_on)?,
        MADV_POPULATE_WRITE => space.fault_all(range, Access::Write, &goes_on)?,
        _ => {}
    }
    Ok(0)
}

/// brk(2): the new break, or the old one if it cannot be moved.
pub fn brk(current: &Current, address: usize) -> Result<usize, Errno> {
    let space = current.space();
    let Range { start, end } = space.brk_from(address);
    let grown = start.next_multiple_of(PAGE_SIZE)..end.next_multiple_of(PAGE_SIZE);
    space.fill_locked(grown, &|| !current.must_exit());
    Ok(end)
}

/// Moves the break by `increment` bytes, in one step; the old break. ENOMEM;
/// EINVAL if `how` is none of `SBRK_*`.
pub fn sbrk(current: &Current, increment: usize, how: usize) -> Result<usize, Errno> {
    let how = match how {
        SBRK_CHECKED => Pages::Checked,
        SBRK_EAGER => Pages::Eager,
        SBRK_LAZY => Pages::Lazy,
        _ => return Err(Errno::EINVAL),
    };
    current.space().sbrk(increment as isize, how)
}
