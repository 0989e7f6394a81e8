//! Names, folders, and bytes in bulk, in `/tmp` or wherever one can write.

use crate::measure::{Bench, Measured};
use alloc::vec::Vec;
use weft::abi::file::*;
use weft::{Errno, file, process, time};

const NAME: &core::ffi::CStr = c"bench-file";

pub fn run(bench: &mut Bench) {
    if file::chdir(c"/tmp").is_err() {
        let _ = file::chdir(c"/");
    }
    let created = file::open(NAME, O_CREAT | O_RDWR | O_TRUNC);
    let Ok(fd) = created else {
        return weft::eprintln!("bench: cannot make files");
    };
    bench.each("open_close", 2_000, || {
        file::close(file::open(NAME, O_RDONLY)?)
    });
    bench.each("stat", 2_000, || file::stat(NAME).map(|_| ()));
    bench.each("fstat", 2_000, || file::fstat(fd).map(|_| ()));
    bench.each("create_unlink", 1_000, || {
        file::close(file::open(c"bench-new", O_CREAT | O_WRONLY)?)?;
        file::unlink(c"bench-new")
    });
    bench.bandwidth("pipe_mb_s", 8 << 20, || pipe_bandwidth(8 << 20));
    bench.bandwidth("read_16m_mb_s", 16 << 20, || read_bandwidth(fd, 16 << 20));
    let _ = (file::close(fd), file::unlink(NAME));
}

const CHUNK: usize = 64 << 10;

fn pipe_bandwidth(bytes: usize) -> Measured {
    let (read, write) = file::pipe()?;
    let mut buffer = Vec::new();
    buffer.resize(CHUNK, 1u8);
    let Some(child) = process::fork()? else {
        let _ = file::close(read);
        let sent = (0..bytes / CHUNK).try_for_each(|_| file::write_all(write, &buffer));
        process::exit(sent.is_err() as i32)
    };
    file::close(write)?;
    let began = time::now();
    while file::read(read, &mut buffer)? > 0 {}
    let total = time::now() - began;
    process::wait_for(child)?;
    file::close(read)?;
    Ok(total)
}

fn read_bandwidth(fd: i32, bytes: usize) -> Measured {
    let mut buffer = Vec::new();
    buffer.resize(CHUNK, 1u8);
    if file::fstat(fd)?.size != bytes as i64 {
        file::seek(fd, 0, SEEK_SET)?;
        for _ in 0..bytes / CHUNK {
            file::write_all(fd, &buffer)?;
        }
    }
    file::seek(fd, 0, SEEK_SET)?;
    let began = time::now();
    let mut total = 0;
    while total < bytes {
        match file::read(fd, &mut buffer)? {
            0 => return Err(Errno::EIO),
            n => total += n,
        }
    }
    Ok(time::now() - began)
}
