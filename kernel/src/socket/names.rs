//! Names of sockets: paths, and bytes behind a zero that no file system knows.
//!
//! A path is an inode that says so, and the table knows which endpoint is behind
//! it; the endpoint keeps the inode, so that no other has its number meanwhile.

use super::{Endpoint, Kind};
use crate::credentials::Credentials;
use crate::credentials::access::WRITE;
use crate::files::allocate::try_bytes;
use crate::files::context::Places;
use crate::files::inode::{self, Inode, New};
use crate::files::walk::Follow;
use abi::Errno;
use abi::socket::{AF_UNIX, SUN_PATH};
use alloc::boxed::Box;
use alloc::sync::{Arc, Weak};
use hashbrown::HashMap;
use sync::{SpinLock, rank};

/// A name as programs are told it: what follows the family in `sockaddr_un`.
pub type Name = Arc<Box<[u8]>>;

/// What a name leads to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// Device and inode.
    Path(u64, u64),
    /// Each kind has its own.
    Abstract(Kind, Box<[u8]>),
}

/// A name as an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address<'a> {
    /// None: the kernel chooses.
    Unnamed,
    Path(&'a [u8]),
    /// With its zero.
    Abstract(&'a [u8]),
}

impl<'a> Address<'a> {
    /// Reads a `sockaddr_un`: EINVAL.
    pub fn new(bytes: &'a [u8]) -> Result<Address<'a>, Errno> {
        let (family, path) = bytes.split_at_checked(2).ok_or(Errno::EINVAL)?;
        if family != (AF_UNIX as u16).to_ne_bytes() || path.len() > SUN_PATH {
            return Err(Errno::EINVAL);
        }
        Ok(match path {
            [] => Address::Unnamed,
            [0, ..] => Address::Abstract(path),
            _ => {
                let end = path.iter().position(|&byte| byte == 0);
                Address::Path(&path[..end.unwrap_or(path.len())])
            }
        })
    }
}

type Table = Option<HashMap<Key, Weak<Endpoint>>>;

static NAMES: SpinLock<Table, rank::SocketNames> = SpinLock::new(None);

/// Enters `endpoint` under `key`: EADDRINUSE, ENOMEM.
fn enter(key: Key, endpoint: &Arc<Endpoint>) -> Result<(), Errno> {
    let mut table = NAMES.lock();
    let names = table.get_or_insert_with(HashMap::new);
    if names
        .get(&key)
        .is_some_and(|other| other.strong_count() > 0)
    {
        return Err(Errno::EADDRINUSE);
    }
    names.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
    names.insert(key, Arc::downgrade(endpoint));
    Ok(())
}

/// An endpoint goes.
pub fn forget(key: &Key) {
    let removed = NAMES.lock().as_mut().and_then(|names| names.remove(key));
    drop(removed);
}

fn find(key: &Key) -> Result<Arc<Endpoint>, Errno> {
    let table = NAMES.lock();
    let found = table.as_ref().and_then(|names| names.get(key));
    found.and_then(Weak::upgrade).ok_or(Errno::ECONNREFUSED)
}

/// What a bound endpoint keeps.
pub struct Bound {
    pub name: Name,
    pub key: Key,
    /// That of the path, which keeps its number.
    pub _inode: Option<Arc<dyn Inode>>,
}

fn key_of(inode: &Arc<dyn Inode>) -> Key {
    let metadata = inode.metadata();
    Key::Path(metadata.device, metadata.number)
}

/// Gives `endpoint` a name: EADDRINUSE; those of making a path.
pub fn bind(
    endpoint: &Arc<Endpoint>,
    address: Address<'_>,
    places: &Places,
    by: &Credentials,
) -> Result<Bound, Errno> {
    match address {
        Address::Unnamed => bind_anywhere(endpoint),
        Address::Abstract(bytes) => bind_abstract(endpoint, bytes),
        Address::Path(path) => {
            // As programs are told it, it ends with a zero.
            let mut bytes = crate::files::allocate::try_zeroed(path.len() + 1)?;
            bytes[..path.len()].copy_from_slice(path);
            let made = places
                .at(path, by)
                .create(New::Socket, 0o777 & !places.umask);
            let inode = made.map_err(|error| match error {
                Errno::EEXIST => Errno::EADDRINUSE,
                error => error,
            })?;
            let key = key_of(&inode);
            enter(key.clone(), endpoint)?;
            Ok(Bound {
                name: crate::files::allocate::try_arc(bytes)?,
                key,
                _inode: Some(inode),
            })
        }
    }
}

fn bind_abstract(endpoint: &Arc<Endpoint>, bytes: &[u8]) -> Result<Bound, Errno> {
    let key = Key::Abstract(endpoint.kind, try_bytes(bytes)?);
    let name = crate::files::allocate::try_arc(try_bytes(bytes)?)?;
    enter(key.clone(), endpoint)?;
    Ok(Bound {
        name,
        key,
        _inode: None,
    })
}

/// A name that nobody has: five hexadecimal digits behind a zero, as on Linux.
fn bind_anywhere(endpoint: &Arc<Endpoint>) -> Result<Bound, Errno> {
    const COUNT: u32 = 1 << 20;
    let first = endpoint.number() as u32;
    for number in (0..COUNT).map(|offset| first.wrapping_add(offset) % COUNT) {
        let digit = |shift: u32| b"0123456789abcdef"[(number >> shift & 15) as usize];
        let bytes = [0, digit(16), digit(12), digit(8), digit(4), digit(0)];
        match bind_abstract(endpoint, &bytes) {
            Err(Errno::EADDRINUSE) => {}
            result => return result,
        }
    }
    Err(Errno::ENOSPC)
}

/// The endpoint of a kind behind a name: ECONNREFUSED, EPROTOTYPE; those of
/// walking a path.
pub fn look_up(
    kind: Kind,
    address: Address<'_>,
    places: &Places,
    by: &Credentials,
) -> Result<Arc<Endpoint>, Errno> {
    match address {
        Address::Unnamed => Err(Errno::EINVAL),
        Address::Abstract(bytes) => find(&Key::Abstract(kind, try_bytes(bytes)?)),
        Address::Path(path) => {
            let inode = places.at(path, by).existing(Follow::Always)?;
            inode.check_access(by, WRITE)?;
            let found = match inode.kind() {
                inode::Kind::Socket => find(&key_of(&inode))?,
                _ => return Err(Errno::ECONNREFUSED),
            };
            match found.kind == kind {
                true => Ok(found),
                false => Err(Errno::EPROTOTYPE),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_unix_says() {
        let read = |path: &[u8]| {
            let bytes = [&1u16.to_ne_bytes(), path].concat();
            Address::new(&bytes).map(|address| std::format!("{address:?}"))
        };
        let shown = |address: Address<'_>| Ok(std::format!("{address:?}"));
        assert_eq!(read(b""), shown(Address::Unnamed));
        assert_eq!(read(b"/a\0b"), shown(Address::Path(b"/a")));
        assert_eq!(read(b"/a"), shown(Address::Path(b"/a")));
        assert_eq!(read(b"\0a\0"), shown(Address::Abstract(b"\0a\0")));
        assert_eq!(read(&[b'x'; 109]), Err(Errno::EINVAL));
        assert_eq!(Address::new(&[1]), Err(Errno::EINVAL));
        assert_eq!(Address::new(&[2, 0, b'/']), Err(Errno::EINVAL));
    }
}
