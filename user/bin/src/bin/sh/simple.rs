//! Simple commands: assignments, functions, built-ins and programs.

use crate::builtin::{self, Builtin};
use crate::child;
use crate::redirect::{self, Saved};
use crate::shell::{Flow, Leave, Shell};
use alloc::rc::Rc;
use alloc::vec::Vec;
use user_bin::shell::expand;
use user_bin::shell::tree::*;
use weft::io::Text;
use weft::process;

/// Most functions inside each other, for each costs stack.
const CALLS: usize = 500;

/// Assignments with their values.
pub type Assigned = [(Vec<u8>, Vec<u8>)];

impl Shell {
    pub fn run_simple(
        &mut self,
        assignments: &[(Vec<u8>, Word)],
        words: &[Word],
        redirects: &[Redirect],
        text: &[u8],
    ) -> Flow {
        self.substitution = None;
        let words = self.expand_all(words)?;
        let mut assigned = Vec::with_capacity(assignments.len());
        for (name, value) in assignments {
            match expand::single(value, self) {
                // Each sees the ones before it.
                Ok(value) if words.is_empty() => {
                    if !self.assign_or_report(name, &value) {
                        return self.fatal();
                    }
                    assigned.push((name.clone(), value));
                }
                Ok(value) => assigned.push((name.clone(), value)),
                Err(error) => return self.expansion_failed(&error),
            }
        }
        self.trace(&assigned, &words);
        let Some(name) = words.first() else {
            // Only the redirections are left, done and undone.
            let saved = Saved::of(redirects);
            let done = redirect::apply(self, redirects);
            drop(saved);
            self.status = match done {
                Ok(()) => self.substitution.unwrap_or(0),
                Err(_) => 1,
            };
            return Ok(());
        };
        if let Some(builtin) = builtin::special(name) {
            return self.run_special(builtin, &assigned, &words, redirects);
        }
        if let Some(function) = self.functions.get(name) {
            let function = function.clone();
            return self.with(&assigned, |shell| {
                shell.call(function, &words[1..], redirects, text)
            });
        }
        if let Some(builtin) = builtin::ordinary(name) {
            return self.with(&assigned, |shell| {
                let saved = Saved::of(redirects);
                let done = redirect::apply(shell, redirects);
                let flow = match done {
                    Ok(()) => builtin(shell, &words),
                    Err(_) => {
                        shell.status = 1;
                        Ok(())
                    }
                };
                drop(saved);
                flow
            });
        }
        self.run_job(text, |shell| {
            shell.become_program(&assigned, &words, redirects)
        });
        Ok(())
    }

    /// In a child that is nothing else: the command takes its place.
    pub fn become_simple(
        &mut self,
        assignments: &[(Vec<u8>, Word)],
        words: &[Word],
        redirects: &[Redirect],
    ) -> Flow {
        let quick = match words.first().and_then(Word::plain) {
            Some(name) => {
                !self.functions.contains_key(name)
                    && builtin::special(name).is_none()
                    && builtin::ordinary(name).is_none()
            }
            None => false,
        };
        if !quick {
            return self.run_simple(assignments, words, redirects, b"");
        }
        let words = self.expand_all(words)?;
        let mut assigned = Vec::new();
        for (name, value) in assignments {
            match expand::single(value, self) {
                Ok(value) => assigned.push((name.clone(), value)),
                Err(error) => return self.expansion_failed(&error),
            }
        }
        self.trace(&assigned, &words);
        self.status = self.become_program(&assigned, &words, redirects);
        Err(Leave::Exit)
    }

    /// In a child: turns into the program; comes back with the status that
    /// tells why not.
    fn become_program(
        &mut self,
        assigned: &Assigned,
        words: &[Vec<u8>],
        redirects: &[Redirect],
    ) -> u8 {
        for (name, value) in assigned {
            if !self.assign_or_report(name, value) {
                return 1;
            }
            self.variables.export(name);
        }
        match redirect::apply(self, redirects) {
            Ok(()) => child::exec(self, words),
            Err(_) => 1,
        }
    }

    /// Assignments before a special built-in stay; a failure of its
    /// redirections ends a script.
    fn run_special(
        &mut self,
        builtin: Builtin,
        assigned: &Assigned,
        words: &[Vec<u8>],
        redirects: &[Redirect],
    ) -> Flow {
        for (name, value) in assigned {
            if !self.assign_or_report(name, value) {
                return self.fatal();
            }
        }
        let saved = Saved::of(redirects);
        if redirect::apply(self, redirects).is_err() {
            drop(saved);
            self.status = 2;
            return self.fatal();
        }
        let flow = builtin(self, words);
        if words[0] == b"exec" && words.len() == 1 {
            saved.forget();
        }
        flow
    }

    /// Runs `body` with variables set for as long as it takes.
    fn with(&mut self, assigned: &Assigned, body: impl FnOnce(&mut Shell) -> Flow) -> Flow {
        let mut saved = Vec::new();
        for (name, value) in assigned {
            saved.push((name, self.variables.save(name)));
            if !self.assign_or_report(name, value) {
                return self.fatal();
            }
            self.variables.export(name);
        }
        let flow = body(self);
        for (name, variable) in saved.into_iter().rev() {
            self.variables.restore(name, variable);
        }
        flow
    }

    /// Calls a function.
    fn call(
        &mut self,
        function: Rc<Command>,
        arguments: &[Vec<u8>],
        redirects: &[Redirect],
        text: &[u8],
    ) -> Flow {
        if self.calls == CALLS {
            weft::eprintln!("sh: more than {CALLS} functions inside each other");
            self.status = 2;
            return Err(Leave::Exit);
        }
        let saved = Saved::of(redirects);
        if redirect::apply(self, redirects).is_err() {
            self.status = 1;
            drop(saved);
            return Ok(());
        }
        let positional = core::mem::replace(&mut self.positional, arguments.to_vec());
        let loops = core::mem::take(&mut self.loops);
        self.calls += 1;
        self.locals.push(Vec::new());
        let flow = self.run_command(&function, text);
        for (name, variable) in self.locals.pop().unwrap_or_default().into_iter().rev() {
            self.variables.restore(&name, variable);
        }
        self.calls -= 1;
        self.loops = loops;
        self.positional = positional;
        match flow {
            Err(Leave::Return) => Ok(()),
            flow => flow,
        }
    }

    /// Assigns, or says why not.
    pub fn assign_or_report(&mut self, name: &[u8], value: &[u8]) -> bool {
        let done = self.variables.set(name, value).is_ok();
        if !done {
            weft::eprintln!("sh: {}: is read only", Text(name));
            self.status = 2;
        }
        done
    }

    /// After an error that ends a script.
    pub fn fatal(&self) -> Flow {
        match self.terminal {
            None => Err(Leave::Exit),
            Some(_) => Ok(()),
        }
    }

    fn trace(&self, assigned: &Assigned, words: &[Vec<u8>]) {
        if !self.options.trace || assigned.is_empty() && words.is_empty() {
            return;
        }
        let mut line = b"+".to_vec();
        for (name, value) in assigned {
            line.extend([b" ", name.as_slice(), b"=", value].concat());
        }
        for word in words {
            line.push(b' ');
            line.extend_from_slice(word);
        }
        line.push(b'\n');
        let _ = weft::file::write_all(weft::file::STDERR, &line);
    }

    /// Ends a forked shell with its status.
    pub fn end_child(&mut self, flow: Flow) -> ! {
        if let Err(Leave::Exit) | Ok(()) = flow {
            self.leave()
        }
        process::exit(self.status.into())
    }
}
