//! Size classes: which sizes small objects are rounded up to.

use crate::address::PAGE_SIZE;
use core::alloc::Layout;

/// Sizes of small objects: multiples of 16, chosen so that a page holds a
/// whole number with little waste. Powers of two are among them, since only
/// their objects are aligned to their size.
pub(super) const SIZES: [usize; CLASSES] = [
    16, 32, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 672, 816, 1024, 1360,
    2048,
];
pub(super) const CLASSES: usize = 21;
/// Bytes of the largest object that comes from a slab.
pub const LARGEST: usize = SIZES[CLASSES - 1];
const UNIT: usize = 16;

/// The class for each size in units, rounded up.
static CLASS_OF: [u8; LARGEST / UNIT + 1] = {
    let mut table = [0; LARGEST / UNIT + 1];
    let mut units = 0;
    let mut class = 0;
    while units < table.len() {
        while SIZES[class] < units * UNIT {
            class += 1;
        }
        table[units] = class as u8;
        units += 1;
    }
    table
};

/// Where an object of some layout comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Origin {
    /// A slab of this class.
    Class(usize),
    /// A block of frames of this order.
    Block(usize),
}

/// Where objects of `layout` come from.
#[inline]
pub(super) fn origin(layout: Layout) -> Origin {
    let size = if layout.align() <= UNIT {
        layout.size()
    } else {
        // A power of two, so that the object is aligned to its size.
        layout.size().max(layout.align()).next_power_of_two()
    };
    // No layout is so large that this could wrap.
    match CLASS_OF.get(size.wrapping_add(UNIT - 1) / UNIT) {
        Some(&class) => Origin::Class(usize::from(class)),
        None => Origin::Block(size.div_ceil(PAGE_SIZE).next_power_of_two().ilog2() as usize),
    }
}

/// How many objects of a class move between a CPU's cache and the slabs at a
/// time: half a page's worth, within limits.
pub(super) const fn batch(class: usize) -> usize {
    let half = PAGE_SIZE / 2 / SIZES[class];
    if half < 4 {
        4
    } else if half > 32 {
        32
    } else {
        half
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_large_and_aligned_enough() {
        for size in 0..=3 * PAGE_SIZE {
            for align in (0..=14).map(|shift| 1 << shift) {
                let layout = Layout::from_size_align(size, align).expect("a valid layout");
                match origin(layout) {
                    Origin::Class(class) => {
                        assert!(SIZES[class] >= size);
                        // Objects start at multiples of their size in a page.
                        assert_eq!(SIZES[class] % align.min(16), 0);
                        assert!(align <= 16 || SIZES[class].is_multiple_of(align));
                        if class > 0 && align <= 16 {
                            assert!(SIZES[class - 1] < size, "the smallest that fits");
                        }
                    }
                    Origin::Block(order) => {
                        assert!(PAGE_SIZE << order >= size.max(align));
                        assert!(size.max(align) > LARGEST);
                    }
                }
            }
        }
    }
}
