//! An open file on a terminal.

use abi::Errno;
use alloc::sync::Arc;

use super::Terminal;
use crate::files::buffer::{Sink, Source};
use crate::files::inode::Inode;
use crate::files::open_file::{Description, File, Operations};
use crate::files::watch::Watchers;

pub struct TerminalFile(Arc<Terminal>);

impl TerminalFile {
    /// Of a terminal that counts it as open already ([`Port::opened`]). ENOMEM.
    pub fn open(
        terminal: Arc<Terminal>,
        inode: Arc<dyn Inode>,
        flags: u32,
    ) -> Result<Arc<File>, Errno> {
        File::new(inode, flags, TerminalFile(terminal))
    }
}

impl Drop for TerminalFile {
    fn drop(&mut self) {
        self.0.port.closed();
    }
}

impl Operations for TerminalFile {
    fn read(&self, open: &Description, into: &mut Sink<'_>) -> Result<usize, Errno> {
        self.0.read(open.nonblocking(), into)
    }

    fn write(&self, open: &Description, from: &mut Source<'_>) -> Result<usize, Errno> {
        self.0.write(open.nonblocking(), from)
    }

    fn ready(&self, _open: &Description) -> i16 {
        self.0.ready()
    }

    fn watchers(&self) -> Option<&Watchers> {
        Some(&self.0.watchers)
    }

    fn ioctl(&self, _open: &Description, request: usize, argument: usize) -> Result<usize, Errno> {
        self.0.ioctl(request, argument).map(|()| 0)
    }
}
