//! The kernel's image: names the first function for the boot code.
#![cfg_attr(target_os = "none", no_std, no_main)]

machine::entry!(kernel::start);

#[cfg(not(target_os = "none"))]
fn main() {
    eprintln!("this is the kernel's image; `cargo weft run` builds and boots it");
    std::process::exit(1);
}
