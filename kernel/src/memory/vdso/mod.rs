//! The code that the kernel lends to programs, so that they learn the time and
//! their CPU without a call (vdso(7)): two frames that all spaces map, one with
//! what the clocks are made of and one with the code.

mod image;

use super::Space;
use super::fault::{FaultError, allow};
use super::regions::{Backing, Lock, Region};
use super::space::no_memory;
use abi::Errno;
use abi::memory::PAGE_SIZE;
use machine::frames::Frame;
use machine::page_table::{Mapped, Rights};
use machine::vdso::{self, Clock};
use sync::OnceCell;

/// How many pages it has: the clocks', then the code's.
const PAGES: usize = 2;

static FRAMES: OnceCell<[Frame; PAGES]> = OnceCell::new();

/// Makes the pages; without memory for them programs make calls. Once, at boot,
/// before the clock is set.
pub fn init() {
    let frames = [(); PAGES].map(|()| Frame::alloc_zeroed());
    let image = image::build(vdso::code(), &vdso::functions());
    if let ([Some(clocks), Some(code)], Some(image)) = (frames, image) {
        code.write(0, &image);
        // Nobody else sets it.
        let _ = FRAMES.set([clocks, code]);
    }
}

/// The clocks are made of this from now on.
pub fn set_clock(clock: Clock) {
    if let Some([clocks, _]) = FRAMES.get() {
        clock.write(clocks);
    }
}

impl Space {
    /// Maps the code; where its ELF header is, or 0 if there is none. ENOMEM.
    pub fn map_vdso(&self) -> Result<usize, Errno> {
        if FRAMES.get().is_none() {
            return Ok(0);
        }
        let mut layout = self.layout.write();
        let base = layout.place(0, PAGES * PAGE_SIZE)?.start;
        let code = base + PAGE_SIZE;
        for (start, rights) in [(base, Rights::READ), (code, Rights::READ | Rights::EXECUTE)] {
            let region = Region {
                start,
                end: start + PAGE_SIZE,
                rights,
                backing: Backing::Vdso { base },
                lock: Lock::Off,
            };
            layout.regions.insert(region).map_err(no_memory)?;
        }
        Ok(code)
    }

    /// Resolves a fault in a region of the code, which begins at `base`. The
    /// caller holds the space's lock.
    #[cold]
    pub(super) fn fault_vdso(
        &self,
        region: &Region,
        base: usize,
        address: usize,
        wanted: Rights,
    ) -> Result<(), FaultError> {
        let frames = FRAMES.get().ok_or(FaultError::BadAddress)?;
        let index = address.wrapping_sub(base) / PAGE_SIZE;
        let frame = frames.get(index).ok_or(FaultError::BadAddress)?;
        let mut cursor = self.table.page(address)?.lock();
        if cursor.query() == Mapped::Nothing {
            cursor.map(frame.share(), region.rights.read_only());
            return Ok(());
        }
        Ok(allow(&mut cursor, region, wanted)?)
    }
}
