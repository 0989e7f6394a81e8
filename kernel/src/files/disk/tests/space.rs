//! How much room there is, and for whom.

use super::*;
use crate::files::inode::Position;

#[test]
fn the_last_page_can_be_written_back() {
    let mounted = Mounted::new(&[]);
    let file = mounted.make("file").unwrap();
    let largest = (1 << 44) - 4096;
    assert_eq!(file.set_size(largest + 1), Err(Errno::EFBIG));
    file.set_size(largest).unwrap();
    let write = |at| file.write_at(Position::At(at), &mut Source::kernel(b"xy"));
    assert_eq!(write(largest), Err(Errno::EFBIG));
    assert_eq!(write(largest - 1), Ok((1, largest)));
    assert_eq!(file.sync(false, None), Ok(()));
    drop(file);
    mounted.unmount().unwrap();
    mounted.disk.disk.check();
}
