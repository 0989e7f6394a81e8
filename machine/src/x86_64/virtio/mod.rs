//! virtio devices (Virtual I/O Device specification, version 1.2): found on a
//! microvm in its memory ([`mmio`]), elsewhere on the PCI bus ([`pci`]).

pub mod block;
mod device;
mod mmio;
mod pci;
mod queue;

pub use device::Device;
pub use mmio::set_places;

/// The kind of device that a disk is (section 5.2).
const BLOCK: u32 = 2;

/// Calls `found` with each device of `kind`, reset and not yet set up.
pub fn find(kind: u32, found: &mut dyn FnMut(Device)) {
    mmio::find(kind, found);
    pci::find(kind, found);
}
