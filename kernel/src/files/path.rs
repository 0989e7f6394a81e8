//! Splitting paths into components. Pure; [`super::walk`] follows them.

use abi::Errno;
use abi::file::NAME_MAX;

use crate::limits;

/// One step of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Component<'a> {
    /// `.`
    Current,
    /// `..`
    Parent,
    Name(&'a [u8]),
}

/// What is left of a path: the part after some components.
#[derive(Clone, Copy, Debug)]
pub struct Components<'a> {
    /// Starts with a component, or is empty.
    rest: &'a [u8],
    /// A slash follows the component just read.
    slash: bool,
}

impl<'a> Components<'a> {
    pub fn new(path: &'a [u8]) -> Components<'a> {
        Components {
            rest: without_slashes(path),
            slash: false,
        }
    }

    /// The next component; ENAMETOOLONG for a name of more than 255 bytes.
    #[inline]
    pub fn next(&mut self) -> Result<Option<Component<'a>>, Errno> {
        let length = self.rest.iter().position(|&byte| byte == b'/');
        let (name, rest) = self.rest.split_at(length.unwrap_or(self.rest.len()));
        self.slash = length.is_some();
        self.rest = without_slashes(rest);
        match name {
            b"" => Ok(None),
            b"." => Ok(Some(Component::Current)),
            b".." => Ok(Some(Component::Parent)),
            _ if name.len() > NAME_MAX => Err(Errno::ENAMETOOLONG),
            _ => Ok(Some(Component::Name(cut(name)))),
        }
    }

    /// Whether the component just read was the last, and whether a slash
    /// follows it, which asks for a directory.
    pub fn ends_here(&self) -> (bool, bool) {
        (self.rest.is_empty(), self.slash)
    }

    /// What has not been read yet, without slashes before it.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

/// As much of a name as counts, by a boot option.
pub fn cut(name: &[u8]) -> &[u8] {
    &name[..name.len().min(limits::name())]
}

fn without_slashes(mut path: &[u8]) -> &[u8] {
    while let [b'/', rest @ ..] = path {
        path = rest;
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    fn split(path: &[u8]) -> Vec<Component<'_>> {
        let mut components = Components::new(path);
        let mut all = Vec::new();
        while let Some(component) = components.next().unwrap() {
            all.push(component);
        }
        all
    }

    #[test]
    fn dots_and_slashes() {
        use Component::*;
        assert_eq!(split(b""), []);
        assert_eq!(split(b"///"), []);
        assert_eq!(
            split(b"//a/.././b.c//"),
            [Name(b"a"), Parent, Current, Name(b"b.c")]
        );
        let mut components = Components::new(b"a/b//");
        components.next().unwrap();
        assert_eq!(components.ends_here(), (false, true));
        components.next().unwrap();
        assert_eq!(components.ends_here(), (true, true));
    }

    #[test]
    fn names_end_at_255_bytes() {
        assert!(Components::new(&[b'x'; 255]).next().is_ok());
        assert_eq!(
            Components::new(&[b'x'; 256]).next(),
            Err(Errno::ENAMETOOLONG)
        );
    }

    proptest! {
        #[test]
        fn as_the_standard_split(path in "[ab./]{0,12}") {
            let expected: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
            let got = split(path.as_bytes());
            prop_assert_eq!(got.len(), expected.len());
            for (got, expected) in got.into_iter().zip(expected) {
                let text = match got {
                    Component::Current => ".".as_bytes(),
                    Component::Parent => "..".as_bytes(),
                    Component::Name(name) => name,
                };
                prop_assert_eq!(text, expected.as_bytes());
            }
        }
    }
}
