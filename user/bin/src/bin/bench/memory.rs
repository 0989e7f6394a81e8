//! Pages: mapped, touched, copied, unmapped.

use crate::measure::{Bench, Measured};
use weft::abi::memory::{PAGE_SIZE, PROT_READ, PROT_WRITE};
use weft::{process, time, wild};

pub fn run(bench: &mut Bench) {
    bench.each("mmap_munmap_4k", 2_000, || {
        wild::unmap(wild::map(PAGE_SIZE), PAGE_SIZE)
    });
    bench.each("mmap_touch_munmap_4k", 2_000, || {
        let page = wild::map(PAGE_SIZE);
        wild::store(page, 1);
        wild::unmap(page, PAGE_SIZE)
    });
    bench.batch("mmap_touch_munmap_1m_page", 256, |pages| {
        let began = time::now();
        let base = wild::map(pages * PAGE_SIZE);
        touch(base, pages);
        wild::unmap(base, pages * PAGE_SIZE)?;
        Ok(time::now() - began)
    });
    bench.batch("page_touch", 256, |pages| {
        let base = wild::map(pages * PAGE_SIZE);
        let began = time::now();
        touch(base, pages);
        let total = time::now() - began;
        wild::unmap(base, pages * PAGE_SIZE)?;
        Ok(total)
    });
    bench.batch("page_copy_on_write", 256, copy_on_write);
    let page = wild::map(PAGE_SIZE);
    wild::store(page, 1);
    let mut writable = false;
    bench.each("mprotect_4k", 2_000, || {
        writable = !writable;
        wild::protect(
            page,
            PAGE_SIZE,
            if writable {
                PROT_READ | PROT_WRITE
            } else {
                PROT_READ
            },
        )
    });
    bench.batch("brk_page", 500, |pages| {
        let start = wild::brk(0);
        let began = time::now();
        for page in 1..=pages {
            wild::brk(start + page * PAGE_SIZE);
        }
        let total = time::now() - began;
        if wild::brk(start) == start {
            Ok(total)
        } else {
            Err(weft::Errno::ENOMEM)
        }
    });
}

fn touch(base: usize, pages: usize) {
    for page in 0..pages {
        wild::store(base + page * PAGE_SIZE, 1);
    }
}

/// Writes pages that a sleeping child shares.
fn copy_on_write(pages: usize) -> Measured {
    let base = wild::map(pages * PAGE_SIZE);
    touch(base, pages);
    let Some(child) = process::fork()? else {
        loop {
            let _ = time::sleep(1 << 60);
        }
    };
    let began = time::now();
    touch(base, pages);
    let total = time::now() - began;
    process::kill(child, weft::abi::signal::SIGKILL)?;
    process::wait_for(child)?;
    wild::unmap(base, pages * PAGE_SIZE)?;
    Ok(total)
}
