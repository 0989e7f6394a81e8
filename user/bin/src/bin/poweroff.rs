//! `poweroff [STATUS]`: ends the machine.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

weft::program!(main);

fn main() -> i32 {
    let status = weft::args()
        .nth(1)
        .map_or(Some(0), |word| word.to_str().ok()?.parse().ok());
    let Some(status) = status else {
        weft::eprintln!("usage: poweroff [STATUS]");
        return 2;
    };
    let error = weft::process::power_off(status);
    weft::eprintln!("poweroff: {error}");
    1
}
