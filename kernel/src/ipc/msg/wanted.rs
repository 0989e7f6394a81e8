//! Which message of a queue a receiver wants.

use abi::ipc::MSG_EXCEPT;

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    Any,
    Kind(i64),
    Except(i64),
    /// The lowest, up to this.
    UpTo(i64),
}

impl Wanted {
    /// As msgrcv(2) says it.
    pub fn new(kind: i64, flags: usize) -> Wanted {
        match kind {
            0 => Wanted::Any,
            i64::MIN => Wanted::UpTo(i64::MAX),
            kind if kind < 0 => Wanted::UpTo(-kind),
            kind if flags & MSG_EXCEPT != 0 => Wanted::Except(kind),
            kind => Wanted::Kind(kind),
        }
    }

    pub fn accepts(self, kind: i64) -> bool {
        match self {
            Wanted::Any => true,
            Wanted::Kind(wanted) => kind == wanted,
            Wanted::Except(other) => kind != other,
            Wanted::UpTo(most) => kind <= most,
        }
    }

    /// Where the message is that it wants.
    pub fn find(self, kinds: impl Iterator<Item = i64>) -> Option<usize> {
        let mut fitting = kinds.enumerate().filter(|&(_, kind)| self.accepts(kind));
        match self {
            // The first of those that are lowest.
            Wanted::UpTo(_) => fitting.min_by_key(|&(_, kind)| kind),
            _ => fitting.next(),
        }
        .map(|(place, _)| place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_kind() {
        let kinds = [5, 3, 9, 3, 5];
        for (kind, flags, place) in [
            (0, 0, Some(0)),
            (0, MSG_EXCEPT, Some(0)),
            (3, 0, Some(1)),
            (4, 0, None),
            (5, MSG_EXCEPT, Some(1)),
            (-2, 0, None),
            // The first of those that are lowest.
            (-5, 0, Some(1)),
            (i64::MIN, 0, Some(1)),
        ] {
            let wanted = Wanted::new(kind, flags);
            assert_eq!(wanted.find(kinds.into_iter()), place);
            let accepted = kinds.iter().any(|&kind| wanted.accepts(kind));
            assert_eq!(accepted, place.is_some());
        }
        assert_eq!(Wanted::new(1, 0).find([].into_iter()), None);
    }
}
