//! Whether what was found on a disk is what a crash may leave.
//!
//! The names of a thread must be those after some operation, the last that was
//! promised or a later one: as every change of a name is one step and they are
//! made durable in their order, this excludes names that are lost, doubled or
//! half renamed. A file may have any of its contents from the last promise on,
//! and a mixture of them; where it was longer or a hole meanwhile, zeros too.

use std::collections::BTreeMap;

use anyhow::{Result, bail, ensure};
use workload::{FOLDERS, NAMES, Operation, Promise, Sync};

use crate::model::{Done, Model, Names};
use crate::stress;
use crate::tree::{Found, Tree};

/// Judges the names and files of all threads, and of `stressfs`.
pub fn judge(done: &Done, promises: &[Promise], tree: &Tree) -> Result<()> {
    // The second may be left by a workload that has given up.
    let mut known: Vec<String> = vec!["shared".into(), "shared/then".into()];
    known.extend(stress::judge(done.stressers, !promises.is_empty(), tree)?);
    for model in &done.models {
        let thread = model.thread;
        known.extend([format!("t{thread}"), format!("t{thread}/d")]);
        known.extend((0..NAMES as u8).map(|name| model.path(name)));
        known.extend((0..FOLDERS as u8).map(|folder| model.folder_path(folder)));
        let own = promises
            .iter()
            .filter(|promise| promise.thread as usize == thread);
        let promised = own.map(|promise| promise.operation as usize).max();
        let thread = match done.is_finished {
            true => Thread::finished(model),
            false => Thread::new(model, promised),
        };
        thread.judge(tree)?;
    }
    for path in tree.keys() {
        ensure!(known.contains(path), "there is a stray name: {path}");
    }
    Ok(())
}

/// What must be found of one thread.
struct Thread<'m> {
    model: &'m Model,
    /// So many operations have had their effect on the names, at least.
    least: usize,
    /// So many have had their effect on a file's content.
    durable: BTreeMap<usize, usize>,
}

impl<'m> Thread<'m> {
    /// `promised` is the last operation that was.
    fn new(model: &'m Model, promised: Option<usize>) -> Thread<'m> {
        let least = promised.map_or(0, |operation| operation + 1);
        let mut durable = BTreeMap::new();
        for (number, operation) in model.operations[..least].iter().enumerate() {
            let names = &model.names[number];
            match operation {
                Operation::Sync(Sync::File(name) | Sync::Data(name)) => {
                    let file = names.files[usize::from(*name)];
                    durable.extend(file.map(|file| (file, number + 1)));
                }
                Operation::Sync(Sync::All) => {
                    durable.extend(names.files.iter().flatten().map(|&file| (file, number + 1)));
                }
                _ => {}
            }
        }
        Thread {
            model,
            least,
            durable,
        }
    }

    /// All that was done is durable.
    fn finished(model: &'m Model) -> Thread<'m> {
        let least = model.operations.len();
        let files = model.names[least].files.iter().flatten();
        Thread {
            model,
            least,
            durable: files.map(|&file| (file, least)).collect(),
        }
    }

    fn judge(&self, tree: &Tree) -> Result<()> {
        let thread = self.model.thread;
        if self.least > 0 {
            for folder in [
                format!("t{thread}"),
                format!("t{thread}/d"),
                "shared".into(),
            ] {
                let found = tree.get(&folder).is_some_and(|found| found.is_folder);
                ensure!(found, "folder {folder} is lost");
            }
        }
        let path = |name: usize| self.model.path(name as u8);
        let files: [Option<&Found>; NAMES] = std::array::from_fn(|name| tree.get(&path(name)));
        let folder = |folder: usize| tree.get(&self.model.folder_path(folder as u8)).is_some();
        let folders: [bool; FOLDERS] = std::array::from_fn(folder);
        let alike = |names: &Names| {
            names.folders == folders
                && (names.files.iter().zip(&files)).all(|(one, two)| one.is_some() == two.is_some())
        };
        let mut why = None;
        let last = self.model.operations.len();
        for count in (self.least..=last).filter(|&count| alike(&self.model.names[count])) {
            match self.compare(&self.model.names[count], &files) {
                Ok(()) => return Ok(()),
                Err(error) => why = Some(error),
            }
        }
        match why {
            Some(error) => Err(error),
            None => bail!(
                "the names of thread {thread} are those after no operation from {} to {last}: \
                 {:?}; after {} they were {:?}",
                self.least,
                self.found_names(tree),
                self.least,
                self.names_after(self.least),
            ),
        }
    }

    fn found_names(&self, tree: &Tree) -> Vec<String> {
        let files = (0..NAMES as u8).map(|name| self.model.path(name));
        let folders = (0..FOLDERS as u8).map(|folder| self.model.folder_path(folder));
        files
            .chain(folders)
            .filter(|path| tree.contains_key(path))
            .collect()
    }

    fn names_after(&self, count: usize) -> Vec<String> {
        let names = &self.model.names[count];
        let files = (0..NAMES).filter(|&name| names.files[name].is_some());
        let folders = (0..FOLDERS).filter(|&folder| names.folders[folder]);
        files
            .map(|name| self.model.path(name as u8))
            .chain(folders.map(|folder| self.model.folder_path(folder as u8)))
            .collect()
    }

    /// Whether the files that were found can be those of `names`.
    fn compare(&self, names: &Names, found: &[Option<&Found>; NAMES]) -> Result<()> {
        let mut numbers: BTreeMap<usize, u32> = BTreeMap::new();
        for (name, (file, found)) in names.files.iter().zip(found).enumerate() {
            let (Some(file), Some(found)) = (file, found) else {
                continue;
            };
            let path = self.model.path(name as u8);
            ensure!(!found.is_folder, "{path} is a folder");
            let number = *numbers.entry(*file).or_insert(found.number);
            ensure!(
                number == found.number,
                "{path} is not the file it was linked to"
            );
            let links = names
                .files
                .iter()
                .filter(|other| *other == &Some(*file))
                .count();
            ensure!(
                found.links as usize == links,
                "{path} counts {} names and has {links}",
                found.links
            );
            self.compare_content(*file, &found.bytes)
                .map_err(|error| error.context(format!("the content of {path} is wrong")))?;
        }
        let mut different: Vec<u32> = numbers.values().copied().collect();
        different.sort_unstable();
        different.dedup();
        ensure!(
            different.len() == numbers.len(),
            "two files have become one"
        );
        Ok(())
    }

    fn compare_content(&self, file: usize, found: &[u8]) -> Result<()> {
        let versions = &self.model.files[&file];
        let durable = self.durable.get(&file).copied().unwrap_or(0);
        // The version that is durable and all that came later.
        let first = versions.partition_point(|(count, _)| *count <= durable);
        let possible = &versions[first.saturating_sub(1)..];
        let sizes = possible.iter().map(|(_, bytes)| bytes.len());
        let (least, most) = (sizes.clone().min().unwrap_or(0), sizes.max().unwrap_or(0));
        ensure!(
            (least..=most).contains(&found.len()),
            "it has {} bytes, not {least} to {most}; {durable} operations are durable there",
            found.len()
        );
        for (position, byte) in found.iter().enumerate() {
            let mut all = possible
                .iter()
                .map(|(_, bytes)| bytes.get(position).unwrap_or(&0));
            ensure!(
                all.any(|possible| possible == byte),
                "byte {position} of {} is {byte}; {durable} operations are durable there",
                found.len()
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use workload::content;

    const FILE: Operation = Operation::Sync(Sync::File(0));

    fn done() -> Done {
        let write = |offset| Operation::Write {
            name: 0,
            offset,
            length: 2,
        };
        let operations = vec![
            Operation::Create(0),
            write(0),
            FILE,
            Operation::Create(1),
            Operation::Rename { from: 0, to: 1 },
            Operation::Sync(Sync::Folder(0)),
        ];
        Done {
            models: vec![Model::of(0, operations)],
            stressers: 0,
            is_finished: false,
        }
    }

    fn tree(files: &[(&str, u32, &[u8])]) -> Tree {
        let found = |number, is_folder, bytes: &[u8]| Found {
            number,
            is_folder,
            links: 1,
            bytes: bytes.to_vec(),
        };
        let folders = ["t0", "t0/d", "shared"].map(|path| (path.to_owned(), found(2, true, b"")));
        let files = files
            .iter()
            .map(|(path, number, bytes)| (path.to_string(), found(*number, false, bytes)));
        folders.into_iter().chain(files).collect()
    }

    fn why(promised: &[u32], files: &[(&str, u32, &[u8])]) -> String {
        why_of(&done(), promised, files)
    }

    fn why_of(done: &Done, promised: &[u32], files: &[(&str, u32, &[u8])]) -> String {
        let promise = |&operation| Promise {
            thread: 0,
            operation,
        };
        let promises: Vec<Promise> = promised.iter().map(promise).collect();
        match judge(done, &promises, &tree(files)) {
            Ok(()) => String::new(),
            Err(error) => format!("{error:#}"),
        }
    }

    #[test]
    fn what_may_be_and_what_must_not() {
        let right = [content(0, 1, 0), content(0, 1, 1)];
        let (zeros, empty): (&[u8], &[u8]) = (&[0, 0], &[]);
        // Nothing was promised: any state on the way, with any content on the way.
        assert_eq!(why(&[], &[]), "");
        assert_eq!(why(&[], &[("t0/f0", 9, empty)]), "");
        assert_eq!(why(&[], &[("t0/f0", 9, zeros)]), "");
        assert!(why(&[], &[("t0/f0", 9, &[right[1], 7])]).contains("byte 0"));
        assert!(why(&[], &[("t0/f1", 9, &right), ("t0/f2", 8, empty)]).contains("no operation"));
        // The file was.
        assert_eq!(why(&[2], &[("t0/f0", 9, &right)]), "");
        assert!(why(&[2], &[]).contains("no operation"));
        assert!(why(&[2], &[("t0/f0", 9, zeros)]).contains("byte 0"));
        assert!(why(&[2], &[("t0/f0", 9, empty)]).contains("0 bytes"));
        // The rename replaces a file, or has not happened.
        let both = [("t0/f0", 9, &right[..]), ("t0/f1", 8, empty)];
        assert_eq!(why(&[2], &both), "");
        assert_eq!(why(&[2], &[("t0/f1", 9, &right)]), "");
        assert!(why(&[2], &[("t0/f1", 8, empty)]).contains("0 bytes"));
        let one = [("t0/f0", 9, &right[..]), ("t0/f1", 9, empty)];
        assert!(why(&[2], &one).contains("become one"));
        assert!(why(&[2, 5], &both).contains("no operation"));
        assert!(why(&[], &[("t0/x", 9, empty)]).contains("stray"));
    }

    #[test]
    fn what_was_finished_is_all_there() {
        let finished = Done {
            is_finished: true,
            ..done()
        };
        let right = [content(0, 1, 0), content(0, 1, 1)];
        assert_eq!(why_of(&finished, &[], &[("t0/f1", 9, &right)]), "");
        let earlier = why_of(&finished, &[], &[("t0/f0", 9, &right)]);
        assert!(earlier.contains("no operation"), "{earlier}");
        let older = why_of(&finished, &[], &[("t0/f1", 9, &[0, 0])]);
        assert!(older.contains("byte 0"), "{older}");
    }
}
