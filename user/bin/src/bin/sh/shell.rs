//! What a shell knows.

use crate::control::Terminal;
use crate::{child, read};
use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::vec::Vec;
use user_bin::shell::jobs::Jobs;
use user_bin::shell::tree::Command;
use user_bin::shell::variables::{Variable, Variables};
use weft::{file, process};

/// What `set` switches.
#[derive(Clone, Copy, Default)]
pub struct Options {
    /// `-e`: a command that fails ends the shell.
    pub stop_on_error: bool,
    /// `-f`: `*`, `?` and `[` are only themselves.
    pub patterns_off: bool,
    /// `-u`: an unset parameter is an error.
    pub unset_is_error: bool,
    /// `-x`: commands are shown as they are run.
    pub trace: bool,
}

impl Options {
    fn of(&mut self, letter: u8) -> Option<&mut bool> {
        Some(match letter {
            b'e' => &mut self.stop_on_error,
            b'f' => &mut self.patterns_off,
            b'u' => &mut self.unset_is_error,
            b'x' => &mut self.trace,
            _ => return None,
        })
    }

    /// False if there is no such option.
    pub fn set(&mut self, letter: u8, on: bool) -> bool {
        self.of(letter).map(|option| *option = on).is_some()
    }

    /// The letters of those that are on, as `$-` shows them.
    pub fn letters(mut self) -> Vec<u8> {
        let mut letters = b"efux".to_vec();
        letters.retain(|letter| self.of(*letter).is_some_and(|option| *option));
        letters
    }
}

/// Why the commands that follow are not run.
pub enum Leave {
    /// Out of so many loops.
    Break(usize),
    /// To the next turn of that loop.
    Continue(usize),
    Return,
    Exit,
}

/// Whether to go on.
pub type Flow = Result<(), Leave>;

pub struct Shell {
    /// `$0`.
    pub name: Vec<u8>,
    /// `$1` and on.
    pub positional: Vec<Vec<u8>>,
    pub variables: Variables,
    pub functions: BTreeMap<Vec<u8>, Rc<Command>>,
    pub options: Options,
    /// `$?`.
    pub status: u8,
    /// `$$`: a subshell has its parent's.
    pub id: i32,
    /// `$!`.
    pub last_background: Option<i32>,
    pub jobs: Jobs,
    /// There if somebody types at this shell.
    pub terminal: Option<Terminal>,
    /// Commands to run at the end.
    pub at_exit: Option<Vec<u8>>,
    /// Loops, functions and files around the running command.
    pub loops: usize,
    pub calls: usize,
    pub files: usize,
    /// In conditions a failure is no error.
    pub in_condition: usize,
    /// The status of the last command substitution, for a command without words.
    pub substitution: Option<u8>,
    /// What `local` has to put back, by function call.
    pub locals: Vec<Vec<(Vec<u8>, Option<Variable>)>>,
}

impl Shell {
    pub fn new(name: &[u8]) -> Shell {
        let environment = weft::args::environment();
        let mut variables = Variables::from_environment(environment.map(|e| e.to_bytes()));
        let mut default = |name: &[u8], value: &[u8]| {
            if variables.get(name).is_none() {
                // Nothing is read only yet.
                let _ = variables.set(name, value);
            }
        };
        default(b"PATH", b"/bin:/tests");
        default(b"PS1", b"$ ");
        default(b"PS2", b"> ");
        let _ = variables.set(b"IFS", b" \t\n");
        let _ = variables.set(b"OPTIND", b"1");
        let mut folder = [0; weft::abi::file::PATH_MAX];
        if let Ok(folder) = file::current_folder(&mut folder) {
            let _ = variables.set(b"PWD", folder.to_bytes());
        }
        Shell {
            name: name.into(),
            positional: Vec::new(),
            variables,
            functions: BTreeMap::new(),
            options: Options::default(),
            status: 0,
            id: process::id(),
            last_background: None,
            jobs: Jobs::default(),
            terminal: None,
            at_exit: None,
            loops: 0,
            calls: 0,
            files: 0,
            in_condition: 0,
            substitution: None,
            locals: Vec::new(),
        }
    }

    /// Somebody types: from now on jobs have process groups of their own.
    pub fn become_interactive(&mut self) {
        child::ignore_keys();
        self.terminal = Some(Terminal::take());
    }

    /// Ends the shell, after what `trap … EXIT` asked for.
    pub fn leave(&mut self) -> ! {
        if let Some(text) = self.at_exit.take() {
            let status = self.status;
            self.status = match read::text(self, &text) {
                Err(Leave::Exit) => self.status,
                _ => status,
            };
        }
        process::exit(self.status.into())
    }
}
