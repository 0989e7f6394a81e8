//! Walks the tree: lists, chains, pipelines and compound commands.

use crate::redirect::{self, Saved};
use crate::shell::{Flow, Leave, Shell};
use alloc::vec::Vec;
use user_bin::shell::expand;
use user_bin::shell::glob;
use user_bin::shell::tree::*;

impl Shell {
    pub fn run_list(&mut self, list: &List) -> Flow {
        for chain in list {
            if chain.background {
                self.start_background(chain);
            } else {
                self.run_chain(chain)?;
            }
        }
        Ok(())
    }

    pub fn run_chain(&mut self, chain: &Chain) -> Flow {
        // Only the last pipeline's failure counts as one.
        let last = chain.rest.len();
        self.run_pipeline(&chain.first, &chain.text, last == 0)?;
        for (i, (condition, pipeline)) in chain.rest.iter().enumerate() {
            if (self.status == 0) == (*condition == Condition::Success) {
                self.run_pipeline(pipeline, &chain.text, i + 1 == last)?;
            }
        }
        Ok(())
    }

    fn run_pipeline(&mut self, pipeline: &Pipeline, text: &[u8], counts: bool) -> Flow {
        let tested = pipeline.negated || !counts;
        self.in_condition += usize::from(tested);
        let flow = match pipeline.commands.as_slice() {
            [command] => self.run_command(command, text),
            commands => {
                self.run_piped(commands, text);
                self.check_failure()
            }
        };
        self.in_condition -= usize::from(tested);
        if pipeline.negated {
            self.status = u8::from(self.status == 0);
        }
        flow
    }

    /// `set -e`.
    pub fn check_failure(&self) -> Flow {
        match self.options.stop_on_error && self.status != 0 && self.in_condition == 0 {
            true => Err(Leave::Exit),
            false => Ok(()),
        }
    }

    pub fn run_command(&mut self, command: &Command, text: &[u8]) -> Flow {
        let redirects = &command.redirects;
        match &command.what {
            What::Simple { assignments, words } => {
                self.run_simple(assignments, words, redirects, text)?;
                self.check_failure()
            }
            What::Subshell(_) => {
                self.run_subshell(command, text);
                self.check_failure()
            }
            What::Function { name, body } => {
                self.functions.insert(name.clone(), body.clone());
                self.status = 0;
                Ok(())
            }
            what if redirects.is_empty() => self.run_compound(what),
            what => {
                let saved = Saved::of(redirects);
                if redirect::apply(self, redirects).is_err() {
                    self.status = 1;
                    drop(saved);
                    return self.check_failure();
                }
                self.run_compound(what)
            }
        }
    }

    fn run_compound(&mut self, what: &What) -> Flow {
        match what {
            What::Group(list) | What::Subshell(list) => self.run_list(list),
            What::If { arms, otherwise } => {
                for (condition, body) in arms {
                    if self.holds(condition)? {
                        return self.run_list(body);
                    }
                }
                self.status = 0;
                otherwise
                    .as_ref()
                    .map_or(Ok(()), |list| self.run_list(list))
            }
            What::Loop {
                negated,
                condition,
                body,
            } => self.run_loop(*negated, condition, body),
            What::For { name, words, body } => self.run_for(name, words.as_deref(), body),
            What::Case { subject, arms } => self.run_case(subject, arms),
            What::Simple { .. } | What::Function { .. } => Ok(()),
        }
    }

    fn holds(&mut self, condition: &List) -> Result<bool, Leave> {
        self.in_condition += 1;
        let flow = self.run_list(condition);
        self.in_condition -= 1;
        flow.map(|()| self.status == 0)
    }

    fn run_loop(&mut self, negated: bool, condition: &List, body: &List) -> Flow {
        let mut status = 0;
        self.loops += 1;
        let flow = loop {
            match self.holds(condition) {
                Ok(holds) if holds == negated => break Ok(()),
                Ok(_) => {}
                Err(leave) => match out_of_loop(Err(leave)) {
                    Ok(true) => continue,
                    Ok(false) => break Ok(()),
                    Err(leave) => break Err(leave),
                },
            }
            let turn = out_of_loop(self.run_list(body));
            status = self.status;
            match turn {
                Ok(true) => {}
                Ok(false) => break Ok(()),
                Err(leave) => break Err(leave),
            }
        };
        self.loops -= 1;
        if flow.is_ok() {
            self.status = status;
        }
        flow
    }

    fn run_for(&mut self, name: &[u8], words: Option<&[Word]>, body: &List) -> Flow {
        let values = match words {
            None => self.positional.clone(),
            Some(words) => match expand::fields(words, self) {
                Ok(values) => values,
                Err(error) => return self.expansion_failed(&error),
            },
        };
        self.status = 0;
        self.loops += 1;
        let mut flow = Ok(());
        for value in values {
            if !self.assign_or_report(name, &value) {
                break;
            }
            match out_of_loop(self.run_list(body)) {
                Ok(true) => {}
                Ok(false) => break,
                Err(leave) => {
                    flow = Err(leave);
                    break;
                }
            }
        }
        self.loops -= 1;
        flow
    }

    fn run_case(&mut self, subject: &Word, arms: &[Arm]) -> Flow {
        let subject = match expand::single(subject, self) {
            Ok(subject) => subject,
            Err(error) => return self.expansion_failed(&error),
        };
        self.status = 0;
        for arm in arms {
            for pattern in &arm.patterns {
                match expand::pattern(pattern, self) {
                    Ok(pattern) if glob::matches(&pattern, &subject) => {
                        return self.run_list(&arm.body);
                    }
                    Ok(_) => {}
                    Err(error) => return self.expansion_failed(&error),
                }
            }
        }
        Ok(())
    }

    /// A word that cannot be expanded ends a script, and what was typed.
    pub fn expansion_failed(&mut self, error: &expand::Error) -> Flow {
        weft::eprintln!("sh: {error}");
        self.status = 2;
        match self.terminal {
            None => Err(Leave::Exit),
            Some(_) => Err(Leave::Break(usize::MAX)),
        }
    }

    pub fn expand_all(&mut self, words: &[Word]) -> Result<Vec<Vec<u8>>, Leave> {
        match expand::fields(words, self) {
            Ok(fields) => Ok(fields),
            Err(error) => Err(self.expansion_failed(&error).err().unwrap_or(Leave::Exit)),
        }
    }
}

/// What a loop makes of how its body ended: true to take the next turn, false
/// to end.
fn out_of_loop(flow: Flow) -> Result<bool, Leave> {
    match flow {
        Ok(()) | Err(Leave::Continue(0 | 1)) => Ok(true),
        Err(Leave::Break(0 | 1)) => Ok(false),
        Err(Leave::Continue(outer)) => Err(Leave::Continue(outer - 1)),
        Err(Leave::Break(outer)) => Err(Leave::Break(outer - 1)),
        Err(leave) => Err(leave),
    }
}
