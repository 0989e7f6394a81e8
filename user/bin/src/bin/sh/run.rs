//! Runs the tree: forks, pipes, execs, waits.

use crate::{builtin, redirect};
use alloc::ffi::CString;
use alloc::vec::Vec;
use core::ffi::CStr;
use user_bin::shell::parser::*;
use weft::abi::signal::{SIG_DFL, SIG_IGN, SIGINT};
use weft::io::Text;
use weft::process::Ended;
use weft::{Errno, args, file, process};

pub struct Shell {
    pub interactive: bool,
    /// `$?`.
    pub status: u8,
}

impl Shell {
    pub fn new(interactive: bool) -> Shell {
        Shell {
            interactive,
            status: 0,
        }
    }

    /// Collects children that ended in the background.
    pub fn reap(&self) {
        while let Ok(Some(_)) = process::poll(-1) {}
    }

    pub fn run_list(&mut self, list: &List) -> u8 {
        for chain in list {
            if chain.background {
                self.run_background(chain);
            } else {
                self.run_chain(chain);
            }
        }
        self.status
    }

    fn run_chain(&mut self, chain: &Chain) {
        self.run_pipeline(&chain.first);
        for (condition, pipeline) in &chain.rest {
            if (self.status == 0) == (*condition == Condition::Success) {
                self.run_pipeline(pipeline);
            }
        }
    }

    /// Nobody types at a background command, and ^C is not for it.
    fn run_background(&mut self, chain: &Chain) {
        let child = self.child(|shell| {
            let _ = process::set_signal(SIGINT, SIG_IGN);
            if let Ok(null) = file::open(c"/dev/null", weft::abi::file::O_RDONLY) {
                let _ = file::dup2(null, file::STDIN).and(file::close(null));
            }
            shell.run_chain(chain);
            shell.status
        });
        self.status = if child.is_some() { 0 } else { 1 };
    }

    /// Runs `body` in a forked shell; its id, or `None` after a message.
    fn child(&mut self, body: impl FnOnce(&mut Shell) -> u8) -> Option<i32> {
        match process::fork() {
            Ok(None) => {
                if self.interactive {
                    let _ = process::set_signal(SIGINT, SIG_DFL);
                    self.interactive = false;
                }
                let code = body(self);
                process::exit(code.into())
            }
            Ok(child) => child,
            Err(error) => {
                weft::eprintln!("sh: cannot fork: {error}");
                None
            }
        }
    }

    fn run_pipeline(&mut self, pipeline: &Pipeline) {
        if let [
            Command {
                what: What::Simple(words),
                redirects,
            },
        ] = pipeline.as_slice()
        {
            match expand(words, self.status) {
                None => self.status = 1,
                Some(words) if words.first().is_none_or(|name| builtin::is_builtin(name)) => {
                    self.status = self.run_here(&words, redirects);
                }
                Some(words) => {
                    let child = self.child(|shell| shell.become_program(&words, redirects));
                    self.status = child.map_or(1, finish);
                }
            }
            return;
        }
        let children = self.start_all(pipeline);
        // The status is the last command's, but all of them are waited for.
        for child in children {
            self.status = child.map_or(1, finish);
        }
    }

    /// A built-in (or bare redirections) in the shell itself.
    fn run_here(&mut self, words: &[CString], redirects: &[Redirect]) -> u8 {
        let saved = redirect::Saved::of(redirects);
        if redirect::apply(redirects, self.status).is_err() {
            return 1;
        }
        let Some(name) = words.first() else { return 0 };
        let code = builtin::run(self, words);
        if name.to_bytes() == b"exec" && words.len() == 1 {
            saved.forget();
        }
        code
    }

    /// Starts every command of a pipeline, joined by pipes.
    fn start_all(&mut self, pipeline: &Pipeline) -> Vec<Option<i32>> {
        let mut children = Vec::with_capacity(pipeline.len());
        let mut input = None;
        for (i, command) in pipeline.iter().enumerate() {
            let last = i + 1 == pipeline.len();
            let pipe = match if last {
                Ok(None)
            } else {
                file::pipe().map(Some)
            } {
                Ok(pipe) => pipe,
                Err(error) => {
                    weft::eprintln!("sh: cannot make a pipe: {error}");
                    children.push(None);
                    break;
                }
            };
            children.push(self.child(|shell| {
                let connected = connect(input, file::STDIN)
                    .and(pipe.map_or(Ok(()), |(read, _)| file::close(read)))
                    .and(connect(pipe.map(|(_, write)| write), file::STDOUT));
                match connected {
                    Ok(()) => shell.become_command(command),
                    Err(_) => 1,
                }
            }));
            let _ = input.map(file::close);
            let _ = pipe.map(|(_, write)| file::close(write));
            input = pipe.map(|(read, _)| read);
        }
        let _ = input.map(file::close);
        children
    }

    /// In a child: runs one command and gives its status.
    fn become_command(&mut self, command: &Command) -> u8 {
        match &command.what {
            What::Group(list) => match redirect::apply(&command.redirects, self.status) {
                Ok(()) => self.run_list(list),
                Err(_) => 1,
            },
            What::Simple(words) => match expand(words, self.status) {
                Some(words) if words.first().is_none_or(|name| builtin::is_builtin(name)) => {
                    self.run_here(&words, &command.redirects)
                }
                Some(words) => self.become_program(&words, &command.redirects),
                None => 1,
            },
        }
    }

    fn become_program(&mut self, words: &[CString], redirects: &[Redirect]) -> u8 {
        match redirect::apply(redirects, self.status) {
            Ok(()) => exec(words),
            Err(_) => 1,
        }
    }
}

/// Moves a pipe's end to where a command looks for it.
fn connect(end: Option<i32>, to: i32) -> Result<(), Errno> {
    match end {
        Some(end) if end != to => file::dup2(end, to).and(file::close(end)),
        _ => Ok(()),
    }
}

/// The words as the kernel wants them; a zero byte cannot be passed on.
fn expand(words: &[user_bin::shell::lexer::Word], status: u8) -> Option<Vec<CString>> {
    let words = words.iter().map(|word| CString::new(word.expand(status)));
    let words = words.collect::<Result<Vec<_>, _>>();
    if words.is_err() {
        weft::eprintln!("sh: an argument holds a zero byte");
    }
    words.ok()
}

/// Turns the process into the program; comes back with the status that tells
/// why not.
pub fn exec(words: &[CString]) -> u8 {
    let _ = process::set_signal(SIGINT, SIG_DFL);
    let words: Vec<&CStr> = words.iter().map(CString::as_c_str).collect();
    let path = args::variable("PATH").unwrap_or(b"/bin");
    let folders: Vec<&[u8]> = path.split(|&b| b == b':').collect();
    let name = Text(words[0].to_bytes());
    match process::exec_in(&folders, &words) {
        Errno::ENOENT if !words[0].to_bytes().contains(&b'/') => {
            weft::eprintln!("sh: {name}: not found");
            127
        }
        error => {
            weft::eprintln!("sh: {name}: {error}");
            if error == Errno::ENOENT { 127 } else { 126 }
        }
    }
}

fn finish(child: i32) -> u8 {
    match process::wait_for(child) {
        Ok((_, ended)) => {
            if let Ended::Signaled(signal) = ended
                && u32::from(signal) != SIGINT
                && u32::from(signal) != weft::abi::signal::SIGPIPE
            {
                weft::eprintln!("sh: process {child} ended by signal {signal}");
            }
            ended.shell_code()
        }
        Err(_) => 1,
    }
}
