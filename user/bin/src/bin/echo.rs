//! `echo WORD…`: prints its arguments with spaces between.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use weft::Errno;
use weft::io::Writer;

weft::program!(main);

fn main() -> Result<(), Errno> {
    let mut out = Writer::<1024>::new(1);
    for (i, word) in weft::args().skip(1).enumerate() {
        if i > 0 {
            out.write(b" ");
        }
        out.write(word.to_bytes());
    }
    out.write(b"\n");
    out.flush()
}
