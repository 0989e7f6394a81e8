//! The old interrupt controllers, masked: only the I/O APIC is used. What they
//! may still raise spuriously goes to vectors of no meaning.

use super::port::write_u8;

const FIRST: u16 = 0x20;
const SECOND: u16 = 0xa0;
/// Vectors 0x20 to 0x2f belong to nothing else.
const VECTORS: u8 = 0x20;

pub fn disable() {
    for (port, vectors, wiring) in [(FIRST, VECTORS, 4), (SECOND, VECTORS + 8, 2)] {
        // SAFETY: the initialisation sequence of the 8259; where there is none
        // the writes go nowhere.
        unsafe {
            write_u8(port, 0x11);
            write_u8(port + 1, vectors);
            write_u8(port + 1, wiring);
            write_u8(port + 1, 1);
            write_u8(port + 1, 0xff);
        }
    }
}
