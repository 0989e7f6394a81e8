//! What programs share that makes system calls. The runtime's start code
//! cannot be linked into a test, so this is not there in one.

pub mod facts;
