//! The shell's variables.

use super::tree::is_name;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variable {
    /// Unset ones may still be marked.
    pub value: Option<Vec<u8>>,
    /// Programs get it in their environment.
    pub exported: bool,
    pub read_only: bool,
}

#[derive(Clone, Debug, Default)]
pub struct Variables {
    table: BTreeMap<Vec<u8>, Variable>,
}

/// The variable cannot be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadOnly;

impl Variables {
    /// Those that the environment brings; entries that cannot be variables are
    /// dropped.
    pub fn from_environment<'a>(entries: impl Iterator<Item = &'a [u8]>) -> Variables {
        let mut variables = Variables::default();
        for entry in entries {
            let Some(at) = entry.iter().position(|byte| *byte == b'=') else {
                continue;
            };
            let (name, value) = (&entry[..at], &entry[at + 1..]);
            if is_name(name) {
                let variable = variables.entry(name);
                variable.value = Some(value.into());
                variable.exported = true;
            }
        }
        variables
    }

    fn entry(&mut self, name: &[u8]) -> &mut Variable {
        self.table.entry(name.into()).or_default()
    }

    pub fn get(&self, name: &[u8]) -> Option<&[u8]> {
        self.table.get(name)?.value.as_deref()
    }

    pub fn set(&mut self, name: &[u8], value: &[u8]) -> Result<(), ReadOnly> {
        let variable = self.entry(name);
        if variable.read_only {
            return Err(ReadOnly);
        }
        variable.value = Some(value.into());
        Ok(())
    }

    pub fn unset(&mut self, name: &[u8]) -> Result<(), ReadOnly> {
        match self.table.get(name) {
            Some(variable) if variable.read_only => Err(ReadOnly),
            _ => {
                self.table.remove(name);
                Ok(())
            }
        }
    }

    pub fn export(&mut self, name: &[u8]) {
        self.entry(name).exported = true;
    }

    pub fn protect(&mut self, name: &[u8]) {
        self.entry(name).read_only = true;
    }

    /// What a variable was, to be put back later.
    pub fn save(&self, name: &[u8]) -> Option<Variable> {
        self.table.get(name).cloned()
    }

    pub fn restore(&mut self, name: &[u8], saved: Option<Variable>) {
        match saved {
            Some(variable) => drop(self.table.insert(name.into(), variable)),
            None => drop(self.table.remove(name)),
        }
    }

    /// By name.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &Variable)> {
        self.table
            .iter()
            .map(|(name, variable)| (name.as_slice(), variable))
    }

    /// The environment of programs: `NAME=value` each.
    pub fn environment(&self) -> Vec<Vec<u8>> {
        self.iter()
            .filter(|(_, variable)| variable.exported)
            .filter_map(|(name, variable)| Some([name, b"=", variable.value.as_ref()?].concat()))
            .collect()
    }
}

/// The value in single quotes, as the shell would read it back.
pub fn quote(value: &[u8]) -> Vec<u8> {
    let mut text = alloc::vec![b'\''];
    for &byte in value {
        match byte {
            b'\'' => text.extend_from_slice(b"'\\''"),
            _ => text.push(byte),
        }
    }
    text.push(b'\'');
    text
}
