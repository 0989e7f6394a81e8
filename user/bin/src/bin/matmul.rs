//! `matmul [SIZE [THREADS]]`: multiplies two square matrices, each thread some
//! rows of the product, and checks the result.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::vec::Vec;
use weft::{Errno, thread, time};

weft::program!(main);

fn main() -> Result<(), Errno> {
    let mut numbers = weft::args()
        .skip(1)
        .filter_map(|word| word.to_str().ok()?.parse().ok());
    let size: usize = numbers.next().unwrap_or(96).max(1);
    let threads: usize = numbers.next().unwrap_or(thread::cpus()).clamp(1, size);
    let a: Vec<u64> = (0..size * size).map(|i| (i * 7 % 13) as u64).collect();
    let b: Vec<u64> = (0..size * size).map(|i| (i * 5 % 11) as u64).collect();
    let mut product = alloc::vec![0; size * size];
    let began = time::now();
    thread::scope(|scope| {
        let rows = size.div_ceil(threads);
        for (part, out) in product.chunks_mut(rows * size).enumerate() {
            let (a, b) = (&a, &b);
            scope.spawn(move || multiply(&a[part * rows * size..], b, out, size))?;
        }
        Ok(())
    })?;
    let took = time::now() - began;
    let mut expected = alloc::vec![0; size * size];
    multiply(&a, &b, &mut expected, size);
    if product != expected {
        weft::eprintln!("matmul: the product is wrong");
        return Err(Errno::EIO);
    }
    weft::println!("{size} x {size}, {threads} threads: {} us", took / 1000);
    Ok(())
}

/// As many rows of the product as `out` has room for.
fn multiply(a: &[u64], b: &[u64], out: &mut [u64], size: usize) {
    for (row, out) in a.chunks(size).zip(out.chunks_mut(size)) {
        for (column, cell) in out.iter_mut().enumerate() {
            *cell = (0..size).map(|i| row[i] * b[i * size + column]).sum();
        }
    }
}
