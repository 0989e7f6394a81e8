//! `/proc/PID/maps`: a line for each region of an address space.

use abi::Errno;
use alloc::sync::Arc;
use machine::page_table::Rights;

use super::{Subject, process};
use crate::files::text::Text;
use crate::memory::Shown;

/// Columns up to the name, as Linux has them.
const NAME_COLUMN: usize = 73;

/// Of a process that has ended, nothing.
pub fn tell(of: Subject, text: &mut Text) -> Result<(), Errno> {
    process::inspect(of)?;
    let Ok(space) = process::space(of) else {
        return Ok(());
    };
    let program = space.program();
    for region in space.shown_regions()? {
        let letter = |right, letter| {
            if region.rights.contains(right) {
                letter
            } else {
                '-'
            }
        };
        let before = text.as_bytes().len();
        text.add(format_args!(
            "{:08x}-{:08x} {}{}{}{} {:08x} ",
            region.range.start,
            region.range.end,
            letter(Rights::READ, 'r'),
            letter(Rights::WRITE, 'w'),
            letter(Rights::EXECUTE, 'x'),
            if region.shared { 's' } else { 'p' },
            region.offset,
        ))?;
        let metadata = region.file.as_ref().map(|inode| inode.metadata());
        let (device, number) = metadata.map_or((0, 0), |file| (file.device, file.number));
        let (major, minor) = (device >> 8 & 0xfff, device & 0xff);
        text.add(format_args!("{major:02x}:{minor:02x} {number} "))?;
        let name: &[u8] = match (region.shown, &region.file, &program) {
            (Shown::Heap, ..) => b"[heap]",
            (Shown::Stack, ..) => b"[stack]",
            (Shown::Vdso, ..) => b"[vdso]",
            (Shown::File, Some(inode), Some(program)) if Arc::ptr_eq(inode, &program.inode) => {
                &program.path
            }
            _ => b"",
        };
        if !name.is_empty() {
            let width = NAME_COLUMN.saturating_sub(text.as_bytes().len() - before);
            text.add(format_args!("{:width$}", ""))?;
            text.add_bytes(name)?;
        }
        text.add(format_args!("\n"))?;
    }
    Ok(())
}
