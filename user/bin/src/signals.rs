//! Signals by name.

use abi::signal::*;
use alloc::string::String;

const NAMES: [(&str, u32); 22] = [
    ("HUP", SIGHUP),
    ("INT", SIGINT),
    ("QUIT", SIGQUIT),
    ("ILL", SIGILL),
    ("TRAP", SIGTRAP),
    ("ABRT", SIGABRT),
    ("BUS", SIGBUS),
    ("FPE", SIGFPE),
    ("KILL", SIGKILL),
    ("USR1", SIGUSR1),
    ("SEGV", SIGSEGV),
    ("USR2", SIGUSR2),
    ("PIPE", SIGPIPE),
    ("ALRM", SIGALRM),
    ("TERM", SIGTERM),
    ("CHLD", SIGCHLD),
    ("CONT", SIGCONT),
    ("STOP", SIGSTOP),
    ("TSTP", SIGTSTP),
    ("TTIN", SIGTTIN),
    ("TTOU", SIGTTOU),
    ("WINCH", SIGWINCH),
];

/// The signal of a name, with or without `SIG`, or of a number; 0 only checks
/// whether there is a process.
pub fn number(word: &[u8]) -> Option<u32> {
    let word = core::str::from_utf8(word).ok()?;
    if let Ok(number) = word.parse() {
        return (number <= SIGNAL_MAX).then_some(number);
    }
    let name = word.strip_prefix("SIG").unwrap_or(word);
    let found = NAMES.iter().find(|(known, _)| *known == name);
    found.map(|(_, number)| *number)
}

/// All names, with blanks between them.
pub fn list() -> String {
    NAMES.map(|(name, _)| name).join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_name_and_number() {
        assert_eq!(number(b"KILL"), Some(9));
        assert_eq!(number(b"SIGKILL"), Some(9));
        assert_eq!(number(b"9"), Some(9));
        assert_eq!(number(b"0"), Some(0));
        for wrong in [b"SIGSIGKILL".as_slice(), b"", b"65", b"-9", b"kill"] {
            assert_eq!(number(wrong), None);
        }
    }
}
