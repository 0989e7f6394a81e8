//! A promise: a block that a thread writes behind the file system once a call
//! that makes something durable has returned.

/// Bytes of a promise, and of the room for each.
pub const PROMISE: usize = 4096;

const MAGIC: u64 = u64::from_le_bytes(*b"promised");

/// All that operation `operation` of a thread makes durable is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Promise {
    pub thread: u32,
    pub operation: u32,
}

impl Promise {
    pub fn to_bytes(self) -> [u8; 24] {
        let mut bytes = [0; 24];
        bytes[..8].copy_from_slice(&MAGIC.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.thread.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.operation.to_le_bytes());
        bytes[16..].copy_from_slice(&self.check().to_le_bytes());
        bytes
    }

    /// None if a block holds no promise.
    pub fn from_bytes(bytes: &[u8]) -> Option<Promise> {
        let word = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
        let found = Promise {
            thread: word(8)?,
            operation: word(12)?,
        };
        (bytes.get(..24)? == found.to_bytes()).then_some(found)
    }

    fn check(self) -> u64 {
        super::mix(u64::from(self.thread) << 32 | u64::from(self.operation))
    }
}
