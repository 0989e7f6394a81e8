//! Built-ins about jobs.

use super::{done, number};
use crate::shell::{Flow, Shell};
use alloc::vec::Vec;
use user_bin::shell::jobs::{Change, NoJob, State};
use user_bin::signals;
use weft::abi::signal::{SIGCONT, SIGTERM};
use weft::io::Text;
use weft::process;

pub fn jobs(shell: &mut Shell, _words: &[Vec<u8>]) -> Flow {
    shell.look_after_jobs();
    let all: Vec<_> = shell.jobs.iter().cloned().collect();
    for job in all {
        weft::println!("{}", shell.jobs.line(&job));
        if let State::Done(_) = job.state() {
            shell.jobs.remove(job.number);
        } else if let Some(job) = shell.jobs.get(job.number) {
            job.changed = false;
        }
    }
    done(shell, 0)
}

/// The job that the first argument names, or the current one.
fn chosen(shell: &mut Shell, words: &[Vec<u8>]) -> Option<usize> {
    if shell.terminal.is_none() {
        weft::eprintln!("sh: {}: there is no job control here", Text(&words[0]));
        return None;
    }
    shell.look_after_jobs();
    match shell.jobs.find(words.get(1).map(Vec::as_slice)) {
        Ok(job) => Some(job),
        Err(error) => {
            weft::eprintln!("sh: {}: {error}", Text(&words[0]));
            None
        }
    }
}

pub fn fg(shell: &mut Shell, words: &[Vec<u8>]) -> Flow {
    let Some(number) = chosen(shell, words) else {
        return done(shell, 1);
    };
    if let Some(job) = shell.jobs.get(number) {
        weft::println!("{}", Text(&job.text));
    }
    // A job that has just ended has no one to signal; its status is there.
    let _ = shell.resume(number, true);
    shell.wait_in_front(number);
    Ok(())
}

pub fn bg(shell: &mut Shell, words: &[Vec<u8>]) -> Flow {
    let Some(number) = chosen(shell, words) else {
        return done(shell, 1);
    };
    if let Err(error) = shell.resume(number, false) {
        weft::eprintln!("sh: bg: {error}");
        return done(shell, 1);
    }
    if let Some(job) = shell.jobs.get(number) {
        weft::println!("[{number}] {} &", Text(&job.text));
    }
    done(shell, 0)
}

/// `wait [%JOB | PID]…`: until those, or all, no longer run; the status is the
/// last one's.
pub fn wait(shell: &mut Shell, words: &[Vec<u8>]) -> Flow {
    if words.len() == 1 {
        let all: Vec<usize> = shell.jobs.iter().map(|job| job.number).collect();
        for number in all {
            finish(shell, number);
        }
        return done(shell, 0);
    }
    for word in &words[1..] {
        let found = match word.first() {
            Some(b'%') => shell.jobs.find(Some(word)),
            _ => {
                let id = number(word).and_then(|id| i32::try_from(id).ok());
                let job = id.and_then(|id| shell.jobs.of_process(id));
                job.map(|job| job.number).ok_or(NoJob::None)
            }
        };
        shell.status = match found {
            Ok(number) => finish(shell, number),
            // A process that never was the shell's counts as ended long ago.
            Err(_) => 127,
        };
    }
    Ok(())
}

/// Waits for a job and forgets it if it has ended; its status.
fn finish(shell: &mut Shell, number: usize) -> u8 {
    let state = shell.wait_for_job(number);
    match state {
        State::Done(change) => {
            shell.jobs.remove(number);
            change.code()
        }
        State::Stopped(signal) => Change::Stopped(signal).code(),
        State::Running => 0,
    }
}

/// `kill [-SIGNAL | -s SIGNAL] %JOB | PID…` and `kill -l`.
pub fn kill(shell: &mut Shell, words: &[Vec<u8>]) -> Flow {
    let mut rest = &words[1..];
    let mut signal = SIGTERM;
    match rest.first().map(Vec::as_slice) {
        Some(b"-l") => {
            weft::println!("{}", signals::list());
            return done(shell, 0);
        }
        Some(b"--") => rest = &rest[1..],
        Some([b'-', name @ ..]) if !name.is_empty() => {
            let (name, used) = match (name, rest.get(1)) {
                (b"s" | b"n", Some(next)) => (next.as_slice(), 2),
                _ => (name, 1),
            };
            rest = &rest[used..];
            match signals::number(name) {
                Some(number) => signal = number,
                None => {
                    weft::eprintln!("sh: kill: {}: there is no such signal", Text(name));
                    return done(shell, 2);
                }
            }
        }
        _ => {}
    }
    if rest.is_empty() {
        weft::eprintln!("usage: kill [-SIGNAL] %JOB | PID...");
        return done(shell, 2);
    }
    shell.status = 0;
    for word in rest {
        if let Err(error) = send(shell, word, signal) {
            weft::eprintln!("sh: kill: {}: {error}", Text(word));
            shell.status = 1;
        }
    }
    Ok(())
}

fn send(shell: &mut Shell, word: &[u8], signal: u32) -> Result<(), weft::Errno> {
    if word.first() != Some(&b'%') {
        let text = core::str::from_utf8(word).ok();
        let id = text.and_then(|text| text.parse().ok());
        return process::kill(id.ok_or(weft::Errno::EINVAL)?, signal);
    }
    let job = shell.jobs.find(Some(word)).ok();
    let own_group = shell.terminal.is_some();
    let job = job.and_then(|number| shell.jobs.get(number));
    let job = job.ok_or(weft::Errno::ESRCH)?;
    if !own_group {
        return job.processes().try_for_each(|id| process::kill(id, signal));
    }
    process::kill(-job.group, signal)?;
    // One that is stopped would not notice.
    if let (State::Stopped(_), SIGTERM | 1) = (job.state(), signal) {
        process::kill(-job.group, SIGCONT)?;
    }
    Ok(())
}
