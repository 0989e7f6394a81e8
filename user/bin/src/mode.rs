//! A file's mode as people read and write it (POSIX, chmod and ls).

use abi::file::*;
use alloc::string::String;

/// Ten letters: what it is, and who may read, write and execute it.
pub fn show(mode: u32) -> String {
    let mut text = String::from(match mode & S_IFMT {
        S_IFDIR => "d",
        S_IFCHR => "c",
        S_IFBLK => "b",
        S_IFIFO => "p",
        S_IFLNK => "l",
        S_IFSOCK => "s",
        _ => "-",
    });
    for (shift, special, letters) in [
        (6, 0o4000, ['S', 's']),
        (3, 0o2000, ['S', 's']),
        (0, 0o1000, ['T', 't']),
    ] {
        let bits = mode >> shift;
        text.push(if bits & 4 != 0 { 'r' } else { '-' });
        text.push(if bits & 2 != 0 { 'w' } else { '-' });
        text.push(match (mode & special != 0, bits & 1 != 0) {
            (false, false) => '-',
            (false, true) => 'x',
            (true, executable) => letters[usize::from(executable)],
        });
    }
    text
}

/// The rights of a file that has `mode` after a change such as `644`, `u+x` or
/// `go-w,a=rX`: `None` if that makes no sense.
pub fn change(mode: u32, change: &str) -> Option<u32> {
    if change.starts_with(|first: char| first.is_ascii_digit()) {
        let octal = u32::from_str_radix(change, 8).ok();
        return octal.filter(|mode| *mode <= 0o7777);
    }
    let mut rights = mode & 0o7777;
    for clause in change.split(',') {
        let who = clause.find(|letter| !"ugoa".contains(letter))?;
        let (who, mut rest) = clause.split_at(who);
        let mask = mask_of(who);
        while !rest.is_empty() {
            let action = rest
                .chars()
                .next()
                .filter(|letter| "+-=".contains(*letter))?;
            rest = &rest[1..];
            let end = rest.find(|letter| "+-=".contains(letter));
            let (what, later) = rest.split_at(end.unwrap_or(rest.len()));
            let bits = bits_of(what, mode & S_IFMT == S_IFDIR, rights)? & mask;
            rights = match action {
                '+' => rights | bits,
                '-' => rights & !bits,
                _ => rights & !mask | bits,
            };
            rest = later;
        }
    }
    Some(rights)
}

/// The rights that those named by `who` have to do with; nobody named is all.
fn mask_of(who: &str) -> u32 {
    let all = who.is_empty() || who.contains('a');
    [('u', 0o4700), ('g', 0o2070), ('o', 0o1007)]
        .iter()
        .filter(|(letter, _)| all || who.contains(*letter))
        .fold(0, |mask, (_, bits)| mask | bits)
}

/// What letters mean for all at once; `X` is to search folders, and to execute
/// what somebody may execute.
fn bits_of(what: &str, folder: bool, rights: u32) -> Option<u32> {
    what.chars().try_fold(0, |bits, letter| {
        let more = match letter {
            'r' => 0o444,
            'w' => 0o222,
            'x' => 0o111,
            'X' if folder || rights & 0o111 != 0 => 0o111,
            'X' => 0,
            's' => 0o6000,
            't' => 0o1000,
            _ => return None,
        };
        Some(bits | more)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters() {
        assert_eq!(show(S_IFDIR | 0o755), "drwxr-xr-x");
        assert_eq!(show(S_IFREG | 0o640), "-rw-r-----");
        assert_eq!(show(S_IFCHR | 0o4711), "crws--x--x");
        assert_eq!(show(S_IFDIR | 0o1777), "drwxrwxrwt");
        assert_eq!(show(S_IFREG | 0o7000), "---S--S--T");
    }

    #[test]
    fn changes() {
        let file = |rights, text| change(S_IFREG | rights, text);
        assert_eq!(file(0o644, "755"), Some(0o755));
        assert_eq!(file(0o644, "u+x"), Some(0o744));
        assert_eq!(file(0o644, "+x"), Some(0o755));
        assert_eq!(file(0o777, "go-w,u=rw"), Some(0o655));
        assert_eq!(file(0o644, "a=rX"), Some(0o444));
        assert_eq!(file(0o744, "a=rX"), Some(0o555));
        assert_eq!(change(S_IFDIR | 0o600, "a+X"), Some(0o711));
        assert_eq!(file(0o644, "u+s,+t"), Some(0o5644));
        assert_eq!(file(0o644, "u=rwx-x+s"), Some(0o4644));
        for wrong in ["", "x", "u", "u+q", "9", "77777", "u+x,", "+x y"] {
            assert_eq!(file(0o644, wrong), None, "{wrong}");
        }
    }
}
