//! Address spaces as programs see them: host threads are CPUs, and user memory
//! is reached by the kernel's own copies, which fault as a program would.

use abi::Errno;
use abi::memory::{PAGE_SIZE, USER_END};
use kernel::memory::{FaultError, FileRange, Pages, Placement, Sort, Space};
use machine::copy;
use machine::frames::{self, arena};
use machine::hooks::{Access, Hooks};
use machine::page_table::{Rights, leave, shed};
use std::cell::{Cell, RefCell};
use std::fmt;
use std::sync::{Arc, MutexGuard};

mod files;
mod model;
mod threads;

const READ_WRITE: Rights = Rights::from_bits(3);

thread_local! {
    static RUNNING: RefCell<Option<Arc<Space>>> = const { RefCell::new(None) };
}

/// Resolves the faults of copies, as the kernel does.
struct Resolve;

impl Hooks for Resolve {
    fn timer(&self, _: bool) {}
    fn kicked(&self) {}
    fn console_input(&self) {}
    fn device(&self, _: usize) {}

    fn kernel_fault(&self, address: usize, access: Access) -> bool {
        let Some(space) = RUNNING.with_borrow(Clone::clone) else {
            return false;
        };
        call(&space, || space.fault(address, access).is_ok())
    }

    fn describe_current(&self, _: &mut fmt::Formatter) -> fmt::Result {
        Ok(())
    }
}

fn alone() -> MutexGuard<'static, ()> {
    machine::hooks::install(&Resolve);
    arena::exclusive()
}

/// Runs in `space` from here on.
fn enter(space: &Arc<Space>) {
    space.activate();
    RUNNING.set(Some(space.clone()));
}

/// Does something that may sleep, and then the CPU would run another thread.
fn call<R>(space: &Arc<Space>, act: impl FnOnce() -> R) -> R {
    leave();
    let result = act();
    space.activate();
    result
}

/// Stops running in any space.
fn depart() {
    leave();
    RUNNING.set(None);
}

/// Runs `program` as CPU `cpu` in `space`.
fn run_on(cpu: usize, space: &Arc<Space>, program: impl FnOnce()) {
    machine::host::cpu::become_cpu(cpu);
    enter(space);
    program();
    depart();
}

/// Lets all CPUs drop what they have loaded, if its space is gone.
fn settle() {
    depart();
    for cpu in (0..8).rev() {
        machine::host::cpu::become_cpu(cpu);
        shed();
    }
}

fn map(space: &Space, length: usize) -> usize {
    space
        .map(Placement::Hint(0), length, READ_WRITE, Sort::Private)
        .expect("room")
}

#[test]
fn pages_are_zero_then_what_was_written() {
    let _alone = alone();
    let free = frames::free_count();
    let space = Space::new().expect("memory");
    enter(&space);
    let start = map(&space, 3 * PAGE_SIZE);
    let across = start + PAGE_SIZE - 2;
    assert_eq!(copy::fetch_u32(across), Ok(0));
    assert_eq!(copy::store_u32(across, 0x1234_5678), Ok(()));
    assert_eq!(copy::fetch_u32(across), Ok(0x1234_5678));
    assert_eq!(copy::fetch_u32(start + 3 * PAGE_SIZE), Err(copy::Fault));
    space.unmap(start..start + PAGE_SIZE).expect("memory");
    assert_eq!(copy::fetch_u32(across), Err(copy::Fault));
    depart();
    drop(space);
    settle();
    assert_eq!(frames::free_count(), free);
}

#[test]
fn faults_say_what_is_wrong() {
    let _alone = alone();
    let space = Space::new().expect("memory");
    let read_only = space
        .map(Placement::Hint(0), PAGE_SIZE, Rights::READ, Sort::Private)
        .expect("room");
    assert_eq!(space.fault(read_only, Access::Read), Ok(()));
    for (address, access) in [
        (read_only, Access::Write),
        (read_only, Access::Execute),
        (read_only + PAGE_SIZE, Access::Read),
        (0, Access::Read),
        (USER_END, Access::Read),
        (usize::MAX, Access::Write),
    ] {
        assert_eq!(space.fault(address, access), Err(FaultError::BadAddress));
    }
}

#[test]
fn making_pages_ends_when_asked_to() {
    let _alone = alone();
    let space = Space::new().expect("memory");
    let start = map(&space, 8 * PAGE_SIZE);
    let range = start..start + 8 * PAGE_SIZE;
    let asked = Cell::new(0);
    let goes_on = || asked.replace(asked.get() + 1) < 3;
    let made = space.fault_all(range.clone(), Access::Write, &goes_on);
    assert_eq!(made, Err(Errno::EINTR));
    let mut pages = [9; 8];
    space.residence(range, &mut pages).expect("it is mapped");
    assert_eq!(pages, [1, 1, 1, 0, 0, 0, 0, 0]);
}

#[test]
fn touching_more_than_there_is_ends_as_an_error() {
    let _alone = alone();
    let free = frames::free_count();
    let space = Space::new().expect("memory");
    let length = 4 * frames::total_count() * PAGE_SIZE;
    let start = map(&space, length);
    let mut pages = (start..start + length).step_by(PAGE_SIZE);
    let failed = pages.find(|&page| space.fault(page, Access::Write).is_err());
    let failed = failed.expect("memory ends");
    assert_eq!(
        space.fault(failed, Access::Write),
        Err(FaultError::OutOfMemory)
    );
    // A few may be made of tables that were kept.
    let spaces: Vec<_> = core::iter::from_fn(|| Space::new().ok()).collect();
    assert!(spaces.len() < 100);
    assert_eq!(Space::new().err(), Some(Errno::ENOMEM));
    assert_eq!(space.fork().err(), Some(Errno::ENOMEM));
    drop(spaces);
    // What is there is still there, and can be given back in part.
    enter(&space);
    assert_eq!(copy::store_u32(start, 1), Ok(()));
    space
        .discard(start..start + 200 * PAGE_SIZE)
        .expect("it is mapped");
    assert_eq!(copy::fetch_u32(start), Ok(0));
    assert_eq!(space.fault(failed, Access::Write), Ok(()));
    depart();
    drop(space);
    settle();
    assert_eq!(frames::free_count(), free);
}

#[test]
fn the_stack_grows_to_its_limit() {
    let _alone = alone();
    let space = Space::new().expect("memory");
    let size = 1 << 20;
    let top = space.map_stack(size, USER_END).expect("room");
    enter(&space);
    assert_eq!(copy::store_u32(top - 4, 1), Ok(()));
    assert_eq!(copy::store_u32(top - size, 1), Ok(()));
    assert_eq!(copy::store_u32(top - size / 2, 1), Ok(()));
    assert_eq!(copy::store_u32(top - size - 4, 1), Err(copy::Fault));
    assert!(space.is_writable(top - size, size));
    assert!(!space.is_writable(top - size - 1, 8));
    assert!(!space.is_writable(top - 8, usize::MAX));
    depart();
}

/// Grows the heap page by page until that fails; by how many.
fn pages_to_be_had(space: &Space) -> usize {
    let page = PAGE_SIZE as isize;
    let mut count = 0;
    while space.sbrk(page, Pages::Eager).is_ok() {
        count += 1;
    }
    let back = count as isize * page;
    space.sbrk(-back, Pages::Eager).expect("it was there");
    count
}

#[test]
fn an_eager_heap_is_there_or_refused() {
    let _alone = alone();
    let space = Space::new().expect("memory");
    space.set_heap(0x40_0000);
    enter(&space);
    let all = pages_to_be_had(&space);
    let free = frames::free_count();
    // All that the CPU keeps for itself is found again, to the page.
    assert_eq!(pages_to_be_had(&space), all);
    let more = (all + 1) * PAGE_SIZE;
    let refused = space.sbrk(more as isize, Pages::Eager);
    assert_eq!(refused, Err(Errno::ENOMEM));
    assert_eq!((space.brk(0), frames::free_count()), (0x40_0000, free));
    space.sbrk(more as isize, Pages::Lazy).expect("addresses");
    assert_eq!(copy::store_u32(0x40_0000 + more - 4, 7), Ok(()));
    drop(space);
    settle();
}

#[test]
fn the_break_moves_by_bytes() {
    let _alone = alone();
    let space = Space::new().expect("memory");
    space.set_heap(0x40_1234);
    enter(&space);
    assert_eq!(space.brk(0), 0x40_2000);
    assert_eq!(space.brk(0x40_2001), 0x40_2001);
    assert_eq!(copy::store_u32(0x40_2ffc, 7), Ok(()));
    assert_eq!(copy::store_u32(0x40_3000, 7), Err(copy::Fault));
    assert_eq!(space.sbrk(0x1fff, Pages::Checked), Ok(0x40_2001));
    assert_eq!(copy::store_u32(0x40_3000, 7), Ok(()));
    assert_eq!(space.brk(0x40_2000), 0x40_2000);
    assert_eq!(copy::fetch_u32(0x40_2ffc), Err(copy::Fault));
    assert_eq!(space.brk(0x40_1fff), 0x40_2000, "not below its start");
    assert_eq!(space.brk(usize::MAX), 0x40_2000);
    assert_eq!(space.sbrk(isize::MIN, Pages::Checked), Err(Errno::ENOMEM));
    assert_eq!(
        space.brk(0x40_2000 + frames::total_count() * PAGE_SIZE),
        0x40_2000
    );
    // What comes back is zero.
    assert_eq!(space.brk(0x40_3000), 0x40_3000);
    assert_eq!(copy::fetch_u32(0x40_2ffc), Ok(0));
    // Something in the way.
    let fixed = Placement::FixedFree(0x40_4000);
    assert!(
        space
            .map(fixed, PAGE_SIZE, READ_WRITE, Sort::Private)
            .is_ok()
    );
    assert_eq!(space.brk(0x40_5000), 0x40_3000);
    assert_eq!(
        space.map(fixed, PAGE_SIZE, READ_WRITE, Sort::Private),
        Err(Errno::EEXIST)
    );
    depart();
    drop(space);
    settle();
}

#[test]
fn exec_and_clone_write_into_other_spaces() {
    let _alone = alone();
    let space = Space::new().expect("memory");
    space.map_fixed(0x40_0000, 0x2000, 5).expect("room");
    space.populate(0x40_0ffe, b"code").expect("it is mapped");
    assert_eq!(space.populate(0x40_1ffe, b"code"), Err(Errno::EFAULT));
    assert_eq!(space.populate(usize::MAX, b"code"), Err(Errno::EFAULT));
    let top = space.map_stack(1 << 20, USER_END).expect("room");
    let long = vec![1; 300_000];
    space
        .populate(top - long.len(), &long)
        .expect("the stack grows");
    let child = space.fork().expect("memory");
    child.populate(0x40_0ffe, b"CHILD").expect("it is mapped");
    for (space, expected) in [(&space, b"code"), (&child, b"CHIL")] {
        enter(space);
        let mut bytes = [0; 4];
        assert_eq!(copy::copy_in(&mut bytes, 0x40_0ffe), Ok(()));
        assert_eq!(&bytes, expected);
        assert_eq!(copy::store_u32(0x40_0ffe, 0), Err(copy::Fault));
    }
    depart();
}

/// What is shared stays the same memory after a fork, also where it was not
/// touched before, and whatever rights come and go.
#[test]
fn a_fork_shares_what_is_shared() {
    let _alone = alone();
    let free = frames::free_count();
    let space = Space::new().expect("memory");
    let share = |length| {
        let file = FileRange::zeroes(length)?;
        space.map_file(Placement::Hint(0), length, READ_WRITE, file)
    };
    let shared = share(4 * PAGE_SIZE).expect("room");
    let private = map(&space, 4 * PAGE_SIZE);
    let child = space.fork().expect("memory");
    enter(&child);
    assert_eq!(copy::store_u32(shared + PAGE_SIZE, 1), Ok(()));
    assert_eq!(copy::store_u32(private + PAGE_SIZE, 1), Ok(()));
    let range = shared..shared + 4 * PAGE_SIZE;
    child.protect(range.clone(), Rights::NONE).expect("memory");
    assert_eq!(copy::fetch_u32(shared + PAGE_SIZE), Err(copy::Fault));
    child.protect(range.clone(), READ_WRITE).expect("memory");
    assert_eq!(copy::store_u32(shared, 2), Ok(()));
    child.discard(range).expect("it is mapped");
    child.populate(shared + 4, b"same").expect("it is mapped");
    enter(&space);
    assert_eq!(copy::fetch_u32(shared + PAGE_SIZE), Ok(1));
    assert_eq!(copy::fetch_u32(shared), Ok(2));
    assert_eq!(
        copy::fetch_u32(shared + 4),
        Ok(u32::from_le_bytes(*b"same"))
    );
    assert_eq!(copy::fetch_u32(private + PAGE_SIZE), Ok(0));
    depart();
    let huge = frames::total_count() * PAGE_SIZE;
    assert_eq!(share(huge), Err(Errno::ENOMEM));
    drop((space, child));
    settle();
    assert_eq!(frames::free_count(), free);
}

/// A copy whose page is not there yet is not resolved with preemption off.
#[test]
fn copies_without_faults_find_only_what_is_there() {
    let _alone = alone();
    let space = Space::new().expect("memory");
    enter(&space);
    let start = map(&space, PAGE_SIZE);
    assert_eq!(copy::fetch_u32_nofault(start), Err(copy::Fault));
    assert_eq!(copy::fetch_u32(start), Ok(0));
    assert_eq!(copy::fetch_u32_nofault(start), Ok(0));
    assert_eq!(copy::compare_exchange_u32(start, 0, 5), Ok(0));
    assert_eq!(copy::compare_exchange_u32_nofault(start, 0, 6), Ok(5));
    assert_eq!(
        copy::compare_exchange_u32(start + 2, 0, 6),
        Err(copy::Fault)
    );
    depart();
}
