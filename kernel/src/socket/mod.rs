//! Sockets between programs of this machine (unix(7)).
//!
//! A [`Socket`] is an open file on an [`Endpoint`], which others reach by a name
//! ([`names`]) or as its peer. What is sent is queued as messages at the endpoint
//! that is to read it ([`inbox`]), with the files and credentials that go along
//! ([`message`]). Connections are made by `connect` and `accept` ([`connect`]).
//!
//! Locks: each endpoint has a spin lock for what it is connected to and one for
//! its inbox, never both at a time, and a sleeping one for one read at a time.
//! Files that were sent are dropped with none of them held.

mod connect;
mod endpoint;
mod file;
mod inbox;
mod message;
mod names;
mod netlink;
mod transfer;

pub use endpoint::{Endpoint, Kind, Shut};
pub use file::Socket;
pub use names::{Address, Name, look_up};
pub use netlink::Note;
pub use transfer::{Outgoing, Received, deadline};
