//! Tells the linker how the kernel image is laid out.

use std::env;
use std::path::PathBuf;

fn main() {
    if env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("none") {
        return;
    }
    let here = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let script = here.join("../machine/link.ld");
    println!("cargo:rerun-if-changed={}", script.display());
    for argument in [
        &format!("-T{}", script.display()),
        "--no-dynamic-linker",
        "-zmax-page-size=4096",
        "-znoexecstack",
    ] {
        println!("cargo:rustc-link-arg-bins={argument}");
    }
}
