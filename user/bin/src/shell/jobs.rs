//! The jobs of a shell: pipelines that were started, and what became of them.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// What wait(2) tells of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Exited(u8),
    Signaled(u8),
    Stopped(u8),
    Continued,
}

impl Change {
    /// Out of the status word.
    pub const fn from_status(status: i32) -> Change {
        match status & 0x7f {
            _ if status & 0xffff == 0xffff => Change::Continued,
            0 => Change::Exited((status >> 8) as u8),
            0x7f => Change::Stopped((status >> 8) as u8),
            signal => Change::Signaled(signal as u8),
        }
    }

    /// What `$?` shows.
    pub const fn code(self) -> u8 {
        match self {
            Change::Exited(code) => code,
            Change::Signaled(signal) | Change::Stopped(signal) => 128 + signal,
            Change::Continued => 0,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Running,
    /// By a signal.
    Stopped(u8),
    /// How its last process ended.
    Done(Change),
}

#[derive(Clone, Copy, Debug)]
struct Process {
    id: i32,
    state: State,
}

#[derive(Clone, Debug)]
pub struct Job {
    /// What `%N` names it by.
    pub number: usize,
    /// The process group, where jobs have their own; else its first process.
    pub group: i32,
    /// As it was typed.
    pub text: Vec<u8>,
    processes: Vec<Process>,
    /// The user has not been told of its state.
    pub changed: bool,
}

impl Job {
    /// Running while any process does; stopped if one is and none runs.
    pub fn state(&self) -> State {
        let of = |wanted: fn(&State) -> bool| {
            let mut states = self.processes.iter().map(|process| process.state);
            states.find(wanted)
        };
        of(|state| *state == State::Running)
            .or_else(|| of(|state| matches!(state, State::Stopped(_))))
            .or(self.processes.last().map(|process| process.state))
            .unwrap_or(State::Done(Change::Exited(127)))
    }

    /// Its processes, in the order of the pipeline.
    pub fn processes(&self) -> impl Iterator<Item = i32> {
        self.processes.iter().map(|process| process.id)
    }

    /// What `$?` shows of it.
    pub fn code(&self) -> u8 {
        match self.state() {
            State::Running => 0,
            State::Stopped(signal) => 128 + signal,
            State::Done(change) => change.code(),
        }
    }

    /// All its processes run again.
    pub fn resume(&mut self) {
        for process in &mut self.processes {
            if let State::Stopped(_) = process.state {
                process.state = State::Running;
            }
        }
        self.changed = false;
    }

    /// A process that cannot be waited for: somebody else did, or it never was.
    pub fn lose(&mut self) {
        for process in &mut self.processes {
            if !matches!(process.state, State::Done(_)) {
                process.state = State::Done(Change::Exited(127));
            }
        }
    }
}

/// All jobs; the one used last is the current.
#[derive(Clone, Debug, Default)]
pub struct Jobs {
    list: Vec<Job>,
    /// Numbers, least recently used first.
    order: Vec<usize>,
}

/// Why a job cannot be named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoJob {
    None,
    Unknown(String),
    Ambiguous(String),
}

impl fmt::Display for NoJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoJob::None => f.write_str("there is no current job"),
            NoJob::Unknown(name) => write!(f, "{name}: no such job"),
            NoJob::Ambiguous(name) => write!(f, "{name}: more than one job begins so"),
        }
    }
}

impl Jobs {
    /// Adds a job, which becomes the current one; its number.
    pub fn add(&mut self, group: i32, processes: &[i32], text: &[u8]) -> usize {
        let number = self.list.iter().map(|job| job.number).max().unwrap_or(0) + 1;
        let started = |&id: &i32| Process {
            id,
            state: State::Running,
        };
        self.list.push(Job {
            number,
            group,
            text: text.into(),
            processes: processes.iter().map(started).collect(),
            changed: false,
        });
        self.order.push(number);
        number
    }

    pub fn iter(&self) -> impl Iterator<Item = &Job> {
        self.list.iter()
    }

    pub fn get(&mut self, number: usize) -> Option<&mut Job> {
        self.list.iter_mut().find(|job| job.number == number)
    }

    /// The job that a process belongs to.
    pub fn of_process(&mut self, id: i32) -> Option<&mut Job> {
        let has = |job: &Job| job.processes().any(|process| process == id);
        self.list.iter_mut().rev().find(|job| has(job))
    }

    /// Makes it the current one.
    pub fn touch(&mut self, number: usize) {
        self.order.retain(|other| *other != number);
        self.order.push(number);
    }

    pub fn remove(&mut self, number: usize) {
        self.list.retain(|job| job.number != number);
        self.order.retain(|other| *other != number);
    }

    /// Notes what wait(2) told.
    pub fn note(&mut self, id: i32, change: Change) {
        let Some(job) = self.of_process(id) else {
            return;
        };
        let before = job.state();
        for process in &mut job.processes {
            if process.id == id {
                process.state = match change {
                    Change::Stopped(signal) => State::Stopped(signal),
                    Change::Continued => State::Running,
                    ended => State::Done(ended),
                };
            }
        }
        job.changed |= job.state() != before;
        let number = job.number;
        if matches!(change, Change::Stopped(_)) {
            self.touch(number);
        }
    }

    /// The number of the job that `%…`, or nothing for the current one, names.
    pub fn find(&self, name: Option<&[u8]>) -> Result<usize, NoJob> {
        let Some(name) = name else {
            return self.order.last().copied().ok_or(NoJob::None);
        };
        let shown = || String::from_utf8_lossy(name).into_owned();
        let rest = name.strip_prefix(b"%").unwrap_or(name);
        match rest {
            b"" | b"%" | b"+" => return self.order.last().copied().ok_or(NoJob::None),
            b"-" => {
                let previous = self.order.iter().rev().nth(1).or(self.order.last());
                return previous.copied().ok_or(NoJob::None);
            }
            _ => {}
        }
        if let Some(number) = number(rest) {
            let known = self.list.iter().any(|job| job.number == number);
            return known
                .then_some(number)
                .ok_or_else(|| NoJob::Unknown(shown()));
        }
        let mut found = self.list.iter().filter(|job| job.text.starts_with(rest));
        match (found.next(), found.next()) {
            (Some(job), None) => Ok(job.number),
            (Some(_), Some(_)) => Err(NoJob::Ambiguous(shown())),
            (None, _) => Err(NoJob::Unknown(shown())),
        }
    }

    /// `[1]+  Running    sleep 5 &`.
    pub fn line(&self, job: &Job) -> String {
        let mut recent = self.order.iter().rev();
        let mark = match job.number {
            number if recent.next() == Some(&number) => '+',
            number if recent.next() == Some(&number) => '-',
            _ => ' ',
        };
        let state = match job.state() {
            State::Running => "Running".into(),
            State::Stopped(_) => "Stopped".into(),
            State::Done(Change::Exited(0)) => "Done".into(),
            State::Done(Change::Exited(code)) => alloc::format!("Done({code})"),
            State::Done(change) => alloc::format!("Signal {}", change.code() - 128),
        };
        let text = String::from_utf8_lossy(&job.text);
        alloc::format!("[{}]{mark}  {state:<11} {text}", job.number)
    }
}

fn number(text: &[u8]) -> Option<usize> {
    core::str::from_utf8(text).ok()?.parse().ok()
}
