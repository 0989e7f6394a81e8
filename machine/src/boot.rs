//! What the boot code hands to the kernel.

/// Facts found at boot. Lives for ever.
#[derive(Debug)]
pub struct BootInfo {
    /// The command line as the boot loader gave it.
    pub command_line: &'static str,
    /// The initial image (a cpio archive), empty if there is none.
    pub initial_image: &'static [u8],
    /// CPUs present and usable, the boot CPU included.
    pub cpus: usize,
    /// Bytes of usable memory.
    pub memory: u64,
}

/// Names the kernel's first function, `fn(&'static BootInfo) -> !`. It runs on
/// the boot CPU with the heap and the frame allocator ready and interrupts off.
#[macro_export]
macro_rules! entry {
    ($start:path) => {
        // SAFETY: the boot code declares the symbol with this very type, and
        // no other item of the image has the name.
        #[cfg(target_os = "none")]
        #[unsafe(no_mangle)]
        extern "Rust" fn weft_kernel_start(boot: &'static $crate::boot::BootInfo) -> ! {
            let start: fn(&'static $crate::boot::BootInfo) -> ! = $start;
            start(boot)
        }
    };
}
