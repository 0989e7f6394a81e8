//! Runs one QEMU: starts it, carries its console and log, keeps the time, and
//! sees to it that it ends with the tool, however the tool ends.

use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;

use super::ending::{Ending, Stopped};
use super::log::Scanner;
use super::{Hardware, input, terminal};
use crate::process::{self, pid};
use crate::status::{Failure, Status};

/// How long a kernel may say nothing at all after its start. Firmware that
/// starts from a CD is silent, and slow: there it is the session's limit that counts.
const SILENCE: Duration = Duration::from_secs(60);

/// The QEMU that runs now, to be ended by a signal to the tool.
static RUNNING: Mutex<Option<Pid>> = Mutex::new(None);

/// Where the guest's input comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    Nothing,
    /// The standard input, to its end.
    Forward,
    /// The user at the terminal.
    Terminal,
}

/// Where the guest's output, or its log, goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sink {
    /// On to the tool's own standard output (the log: standard error).
    Through,
    /// Only into the outcome.
    Keep,
}

/// One run of a machine.
pub struct Session<'a> {
    pub qemu: &'a Path,
    pub hardware: &'a Hardware,
    pub input: Input,
    pub output: Sink,
    pub log: Sink,
    /// Stop after this long.
    pub limit: Option<Duration>,
    /// Whether a kernel that says nothing is to be stopped.
    pub expect_words: bool,
}

/// What a run left behind.
pub struct Outcome {
    pub ending: Ending,
    /// The program's output, if it was to be kept.
    pub output: Vec<u8>,
    /// The kernel log, if it was to be kept.
    pub log: Vec<u8>,
    /// From QEMU's start on.
    pub time: Duration,
    /// The log's last lines.
    pub last: Vec<String>,
}

/// What happens during a run.
enum Event {
    Output(Vec<u8>),
    Log(Vec<u8>),
    /// A pipe from QEMU ended.
    PipeEnd,
    Quit,
}

impl Session<'_> {
    /// Runs the machine to its end.
    pub fn run(&self) -> Result<Outcome> {
        let lent = (self.input == Input::Terminal)
            .then(terminal::lend)
            .flatten();
        let mut child = self.spawn()?;
        let (sender, events) = sync_channel(16);
        let (ask, asked) = channel();
        if let Some(pipe) = child.stdout.take() {
            copy(pipe, sender.clone(), Event::Output);
        }
        if let Some(pipe) = child.stderr.take() {
            copy(pipe, sender.clone(), Event::Log);
        }
        if let Some(pipe) = child.stdin.take() {
            match self.input {
                Input::Forward => input::forward(pipe, asked),
                Input::Terminal => input::type_in(pipe, move || {
                    sender.send(Event::Quit).ok();
                }),
                Input::Nothing => {}
            }
        }
        let mut course = Course::new(self, ask);
        course.follow(&events, &child);
        let code = wait(&mut child)?;
        drop(lent);
        Ok(course.outcome(code))
    }

    /// Starts QEMU so that it ends with this process even if that is killed.
    fn spawn(&self) -> Result<Child> {
        handle_signals()?;
        let mut running = RUNNING
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        let child = tied(self.qemu)
            .args(self.hardware.arguments())
            .stdin(if self.input == Input::Nothing {
                Stdio::null()
            } else {
                Stdio::piped()
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A group of its own: the terminal's Ctrl-C reaches the tool, which ends QEMU.
            .process_group(0)
            .spawn()
            .map_err(|error| {
                let message = format!("cannot start {}: {error}", self.qemu.display());
                Failure::error(Status::Emulator, message)
            })?;
        *running = pid(&child);
        Ok(child)
    }
}

/// A command for QEMU, set to end when the calling thread does, however that ends.
pub fn tied(qemu: &Path) -> Command {
    match process::find("setpriv") {
        Some(setpriv) => {
            let mut command = Command::new(setpriv);
            command.args(["--pdeathsig", "TERM"]).arg(qemu);
            command
        }
        // Without it only a killed tool leaves QEMU behind.
        None => Command::new(qemu),
    }
}

/// The state of a run.
struct Course<'a> {
    session: &'a Session<'a>,
    began: Instant,
    spoke: bool,
    stopped: Option<Stopped>,
    scanner: Scanner,
    /// Lets the input's thread send once.
    ask: Sender<()>,
    output: Vec<u8>,
    log: Vec<u8>,
}

impl<'a> Course<'a> {
    fn new(session: &'a Session<'a>, ask: Sender<()>) -> Self {
        Course {
            session,
            began: Instant::now(),
            spoke: false,
            stopped: None,
            scanner: Scanner::default(),
            ask,
            output: Vec::new(),
            log: Vec::new(),
        }
    }

    /// Carries what QEMU writes until both its pipes have ended.
    fn follow(&mut self, events: &Receiver<Event>, child: &Child) {
        let mut open = 2;
        while open > 0 {
            let event = match self.deadline() {
                Some((deadline, reason)) => {
                    match events.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                        Err(RecvTimeoutError::Timeout) => {
                            self.stop(child, reason);
                            continue;
                        }
                        event => event.ok(),
                    }
                }
                None => events.recv().ok(),
            };
            match event {
                Some(Event::Output(bytes)) => self.put_out(&bytes, child),
                Some(Event::Log(bytes)) => self.put_log(&bytes),
                Some(Event::Quit) => self.stop(child, Stopped::ByUser),
                Some(Event::PipeEnd) => open -= 1,
                None => open = 0,
            }
        }
    }

    /// When to stop the machine, and why.
    fn deadline(&self) -> Option<(Instant, Stopped)> {
        if self.stopped.is_some() {
            return None;
        }
        let silence = (self.session.expect_words && !self.spoke)
            .then(|| (self.began + SILENCE, Stopped::Silent(SILENCE)));
        let limit = self
            .session
            .limit
            .map(|limit| (self.began + limit, Stopped::Late(limit)));
        silence
            .into_iter()
            .chain(limit)
            .min_by_key(|(deadline, _)| *deadline)
    }

    fn stop(&mut self, child: &Child, reason: Stopped) {
        self.stopped.get_or_insert(reason);
        if let Some(pid) = pid(child) {
            // It may have ended by itself just now.
            kill_process(pid, Signal::KILL).ok();
        }
    }

    fn put_out(&mut self, bytes: &[u8], child: &Child) {
        self.spoke = true;
        if self.session.output == Sink::Keep {
            self.output.extend_from_slice(bytes);
            return;
        }
        let mut stdout = io::stdout().lock();
        if stdout
            .write_all(bytes)
            .and_then(|()| stdout.flush())
            .is_err()
        {
            self.stop(child, Stopped::NoReader);
        }
    }

    fn put_log(&mut self, bytes: &[u8]) {
        self.spoke = true;
        let before = self.scanner.findings.asked;
        let shown = self.scanner.feed(bytes);
        for _ in before..self.scanner.findings.asked {
            // Without a thread that forwards, nobody answers.
            self.ask.send(()).ok();
        }
        self.show_log(&shown);
    }

    fn show_log(&mut self, lines: &[u8]) {
        match self.session.log {
            Sink::Keep => self.log.extend_from_slice(lines),
            // Without a reader of the log, the program still runs.
            Sink::Through => drop(io::stderr().write_all(lines)),
        }
    }

    fn outcome(mut self, code: Option<i32>) -> Outcome {
        let rest = self.scanner.finish();
        self.show_log(&rest);
        Outcome {
            ending: Ending::judge(code, self.scanner.findings, self.stopped),
            output: self.output,
            log: self.log,
            time: self.began.elapsed(),
            last: self.scanner.last_lines(),
        }
    }
}

/// Copies a pipe into events, on a thread of its own.
fn copy(
    mut pipe: impl Read + Send + 'static,
    sender: SyncSender<Event>,
    event: fn(Vec<u8>) -> Event,
) {
    thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = pipe.read(&mut buffer) {
            if sender.send(event(buffer[..length].to_vec())).is_err() {
                return;
            }
        }
        sender.send(Event::PipeEnd).ok();
    });
}

/// Waits for QEMU's end; its exit status, or None if a signal ended it.
fn wait(child: &mut Child) -> Result<Option<i32>> {
    // Its process id may mean another process as soon as it has been waited for.
    RUNNING
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
        .take();
    let status = child.wait().context("cannot wait for QEMU")?;
    Ok(status.code())
}

/// Once per process: a signal that ends the tool ends QEMU too, and gives the
/// terminal back.
fn handle_signals() -> Result<()> {
    static DONE: Mutex<bool> = Mutex::new(false);
    let mut done = DONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if *done {
        return Ok(());
    }
    let mut signals =
        Signals::new([SIGHUP, SIGINT, SIGQUIT, SIGTERM]).context("cannot handle signals")?;
    thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            if let Some(pid) = RUNNING.lock().ok().and_then(|running| *running) {
                kill_process(pid, Signal::KILL).ok();
            }
            terminal::restore();
            std::process::exit(128 + signal);
        }
    });
    *done = true;
    Ok(())
}

/// Whether the standard input can be forwarded; see [`terminal::readable`].
pub fn input_readable() -> bool {
    terminal::readable()
}
