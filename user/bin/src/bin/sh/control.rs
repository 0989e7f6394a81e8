//! Jobs: starting pipelines, waiting for them, and who has the terminal.

use crate::shell::Shell;
use alloc::vec::Vec;
use user_bin::shell::jobs::{Change, State};
use user_bin::shell::tree::*;
use weft::abi::process::{WCONTINUED, WNOHANG, WUNTRACED};
use weft::abi::signal::{SIGCONT, SIGINT, SIGPIPE};
use weft::abi::tty::Termios;
use weft::{Errno, file, process};

/// The terminal that somebody types at.
pub struct Terminal {
    fd: i32,
    /// The shell's own process group.
    group: i32,
    /// As the shell wants it.
    modes: Option<Termios>,
}

impl Terminal {
    /// Makes the shell's group the one in front.
    pub fn take() -> Terminal {
        let own = process::id();
        if process::group() != own {
            let _ = process::set_group(0, 0);
        }
        // A descriptor of its own, which programs do not get.
        let high = file::control(file::STDIN, weft::abi::file::F_DUPFD_CLOEXEC, 10);
        let terminal = Terminal {
            fd: high.map_or(file::STDIN, |fd| fd as i32),
            group: process::group(),
            modes: file::terminal(file::STDIN).ok(),
        };
        terminal.give_to(terminal.group);
        terminal
    }

    /// Keys now signal that process group, and it may read.
    pub fn give_to(&self, group: i32) {
        let _ = file::set_foreground(self.fd, group);
    }

    fn take_back(&self) {
        self.give_to(self.group);
        if let Some(modes) = &self.modes {
            let _ = file::set_terminal(self.fd, modes);
        }
    }
}

/// Where a new process belongs.
#[derive(Clone, Copy, Default)]
pub struct Place {
    /// The process group it joins: 0 for one of its own; `None` for the shell's.
    pub group: Option<i32>,
    /// It gets the terminal.
    pub in_front: bool,
    /// Nobody waits for it.
    pub background: bool,
}

impl Shell {
    fn place(&self, background: bool) -> Place {
        Place {
            group: self.terminal.is_some().then_some(0),
            in_front: !background,
            background,
        }
    }

    /// Runs `body` in a child of its own, which ends with the status it gives,
    /// and waits for it.
    pub fn run_job(&mut self, text: &[u8], body: impl FnOnce(&mut Shell) -> u8) {
        match self.fork(self.place(false)) {
            Err(status) => self.status = status,
            Ok(None) => {
                self.status = body(self);
                process::exit(self.status.into())
            }
            Ok(Some(child)) => self.finish(&[child], text),
        }
    }

    /// Waits for processes just started, as one job.
    fn finish(&mut self, children: &[i32], text: &[u8]) {
        let Some(&first) = children.first() else {
            return;
        };
        let number = self.jobs.add(first, children, text);
        self.wait_in_front(number);
    }

    pub fn run_subshell(&mut self, command: &Command, text: &[u8]) {
        match self.fork(self.place(false)) {
            Err(status) => self.status = status,
            Ok(None) => self.become_command(command),
            Ok(Some(child)) => self.finish(&[child], text),
        }
    }

    pub fn run_piped(&mut self, commands: &[Command], text: &[u8]) {
        let (children, whole) = self.start_all(commands, self.place(false));
        self.finish(&children, text);
        if !whole {
            self.status = 2;
        }
    }

    /// Starts a chain that nobody waits for: a lone pipeline as itself, more
    /// in a shell of its own.
    pub fn start_background(&mut self, chain: &Chain) {
        let place = self.place(true);
        let children = if chain.rest.is_empty() && !chain.first.negated {
            self.start_all(&chain.first.commands, place).0
        } else {
            match self.fork(place) {
                Ok(None) => {
                    let flow = self.run_chain(chain);
                    self.end_child(flow)
                }
                Ok(Some(child)) => alloc::vec![child],
                Err(_) => Vec::new(),
            }
        };
        let (Some(&first), Some(&last)) = (children.first(), children.last()) else {
            self.status = 2;
            return;
        };
        self.last_background = Some(last);
        let number = self.jobs.add(first, &children, &chain.text);
        if self.terminal.is_some() {
            weft::eprintln!("[{number}] {last}");
        }
        self.status = 0;
    }

    /// Starts every command of a pipeline, joined by pipes; and whether that
    /// was all of them.
    fn start_all(&mut self, commands: &[Command], mut place: Place) -> (Vec<i32>, bool) {
        let mut children = Vec::with_capacity(commands.len());
        let mut input = None;
        for (i, command) in commands.iter().enumerate() {
            let last = i + 1 == commands.len();
            let pipe = match last {
                true => Ok(None),
                false => file::pipe().map(Some),
            };
            let pipe = match pipe {
                Ok(pipe) => pipe,
                Err(error) => {
                    weft::eprintln!("sh: cannot make a pipe: {error}");
                    break;
                }
            };
            match self.fork(place) {
                Ok(None) => {
                    let connected = connect(input, file::STDIN)
                        .and(pipe.map_or(Ok(()), |(read, _)| file::close(read)))
                        .and(connect(pipe.map(|(_, write)| write), file::STDOUT));
                    match connected {
                        Ok(()) => self.become_command(command),
                        Err(_) => process::exit(1),
                    }
                }
                Ok(Some(child)) => {
                    // The first one's group is the pipeline's.
                    if place.group == Some(0) {
                        place.group = Some(child);
                    }
                    children.push(child);
                }
                Err(_) => {
                    let _ = pipe.map(|(read, write)| file::close(read).and(file::close(write)));
                    break;
                }
            }
            let _ = input.map(file::close);
            let _ = pipe.map(|(_, write)| file::close(write));
            input = pipe.map(|(read, _)| read);
        }
        let _ = input.map(file::close);
        let whole = children.len() == commands.len();
        (children, whole)
    }

    /// Waits until a job that has the terminal ends or stops; its status is
    /// the shell's.
    pub fn wait_in_front(&mut self, number: usize) {
        let state = self.wait_for_job(number);
        if let Some(terminal) = &self.terminal {
            terminal.take_back();
        }
        let Some(job) = self.jobs.get(number) else {
            return;
        };
        self.status = job.code();
        match state {
            State::Stopped(_) => {
                job.changed = false;
                let job = job.clone();
                weft::eprintln!("\n{}", self.jobs.line(&job));
            }
            _ => {
                if let State::Done(Change::Signaled(signal)) = state {
                    self.tell_signal(number, signal);
                }
                self.jobs.remove(number);
            }
        }
    }

    /// A program ended by a signal other than those that are nothing special.
    fn tell_signal(&mut self, number: usize, signal: u8) {
        let quiet = matches!(u32::from(signal), SIGINT | SIGPIPE);
        if u32::from(signal) == SIGINT && self.terminal.is_some() {
            // The terminal has shown ^C.
            let _ = file::write_all(file::STDERR, b"\n");
        }
        let last = self.jobs.get(number).and_then(|job| job.processes().last());
        if let (false, Some(process)) = (quiet, last) {
            weft::eprintln!("sh: process {process} ended by signal {signal}");
        }
    }

    /// Waits until a job no longer runs.
    pub fn wait_for_job(&mut self, number: usize) -> State {
        let options = if self.terminal.is_some() {
            WUNTRACED
        } else {
            0
        };
        loop {
            let Some(job) = self.jobs.get(number) else {
                return State::Done(Change::Exited(127));
            };
            match job.state() {
                State::Running => {}
                // Nobody could start it again.
                State::Stopped(_) if options == 0 => {}
                state => return state,
            }
            match process::wait_status(-1, options) {
                Ok(Some((id, status))) => self.jobs.note(id, Change::from_status(status)),
                Ok(None) | Err(Errno::EINTR) => {}
                Err(_) => self.jobs.get(number).into_iter().for_each(|job| job.lose()),
            }
        }
    }

    /// Notes what has happened meanwhile, without waiting.
    pub fn look_after_jobs(&mut self) {
        let options = WNOHANG | WUNTRACED | WCONTINUED;
        while let Ok(Some((id, status))) = process::wait_status(-1, options) {
            self.jobs.note(id, Change::from_status(status));
        }
    }

    /// Before a prompt: which jobs have ended or stopped.
    pub fn tell_changes(&mut self) {
        self.look_after_jobs();
        let changed: Vec<_> = self
            .jobs
            .iter()
            .filter(|job| job.changed)
            .cloned()
            .collect();
        for job in changed {
            if job.state() != State::Running {
                weft::eprintln!("{}", self.jobs.line(&job));
            }
            if let State::Done(_) = job.state() {
                self.jobs.remove(job.number);
            } else if let Some(job) = self.jobs.get(job.number) {
                job.changed = false;
            }
        }
    }

    /// Lets a stopped job go on, with the terminal if it is to be in front.
    pub fn resume(&mut self, number: usize, in_front: bool) -> Result<(), Errno> {
        self.jobs.touch(number);
        let Some(job) = self.jobs.get(number) else {
            return Err(Errno::ESRCH);
        };
        if in_front && let Some(terminal) = &self.terminal {
            terminal.give_to(job.group);
        }
        process::kill(-job.group, SIGCONT)?;
        job.resume();
        Ok(())
    }
}

/// Moves a pipe's end to where a command looks for it.
fn connect(end: Option<i32>, to: i32) -> Result<(), Errno> {
    match end {
        Some(end) if end != to => file::dup2(end, to).and(file::close(end)),
        _ => Ok(()),
    }
}
