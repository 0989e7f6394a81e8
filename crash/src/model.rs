//! What a thread's operations make of its names and files, after each of them.

use std::collections::BTreeMap;

use workload::{FOLDERS, Folder, HELD, NAMES, Operation, Plan, content, place};

/// What was done to the disk.
pub struct Done {
    pub models: Vec<Model>,
    /// Processes of `stressfs` that worked there too.
    pub stressers: usize,
    /// It has come to its end and left the disk, so all of it must be there.
    pub is_finished: bool,
}

/// The names of a thread after some operation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Which operation made the file that a name stands for.
    pub files: [Option<usize>; NAMES],
    pub folders: [bool; FOLDERS],
}

/// A file's contents: from how many operations on it was so.
pub type Versions = Vec<(usize, Vec<u8>)>;

/// See the module.
pub struct Model {
    pub thread: usize,
    pub operations: Vec<Operation>,
    /// After so many operations.
    pub names: Vec<Names>,
    /// By the operation that made the file.
    pub files: BTreeMap<usize, Versions>,
}

impl Model {
    pub fn new(seed: u64, thread: usize, count: usize) -> Model {
        Model::of(thread, Plan::new(seed, thread, count).collect())
    }

    pub fn of(thread: usize, operations: Vec<Operation>) -> Model {
        let mut model = Model {
            thread,
            operations: operations.clone(),
            names: vec![Names::default()],
            files: BTreeMap::new(),
        };
        for operation in operations {
            model.apply(operation);
        }
        model
    }

    fn apply(&mut self, operation: Operation) {
        let number = self.names.len() - 1;
        let mut names = self.names[number].clone();
        match operation {
            Operation::Create(name) => {
                names.files[usize::from(name)] = Some(number);
                self.files.insert(number, vec![(number + 1, Vec::new())]);
            }
            Operation::Write {
                name,
                offset,
                length,
            } => self.write(&names, name, Some(offset), length),
            Operation::Append { name, length } => self.write(&names, name, None, length),
            Operation::Truncate { name, size } => self.change(&names, name, |bytes| {
                bytes.resize(size as usize, 0);
            }),
            Operation::Rename { from, to } => {
                names.files[usize::from(to)] = names.files[usize::from(from)].take();
            }
            Operation::Link { from, to } => {
                names.files[usize::from(to)] = names.files[usize::from(from)];
            }
            Operation::Unlink { name, held } => {
                if held {
                    self.write(&names, name, Some(0), HELD);
                }
                names.files[usize::from(name)] = None;
            }
            Operation::MakeFolder(folder) => names.folders[usize::from(folder)] = true,
            Operation::RemoveFolder(folder) => names.folders[usize::from(folder)] = false,
            Operation::Sync(_) => {}
        }
        self.names.push(names);
    }

    fn write(&mut self, names: &Names, name: u8, offset: Option<u32>, length: u32) {
        let (thread, operation) = (self.thread, self.names.len() - 1);
        self.change(names, name, |bytes| {
            let start = offset.unwrap_or(bytes.len() as u32);
            let end = (start + length) as usize;
            bytes.resize(bytes.len().max(end), 0);
            for position in start..start + length {
                bytes[position as usize] = content(thread, operation, position);
            }
        });
    }

    fn change(&mut self, names: &Names, name: u8, act: impl FnOnce(&mut Vec<u8>)) {
        let after = self.names.len();
        let file = names.files[usize::from(name)];
        let versions = file.and_then(|file| self.files.get_mut(&file));
        // A plan names only what is there.
        let versions = versions.expect("the file was made before");
        let mut bytes = versions.last().map_or(Vec::new(), |last| last.1.clone());
        act(&mut bytes);
        versions.push((after, bytes));
    }

    /// The path of a name.
    pub fn path(&self, name: u8) -> String {
        let (thread, (folder, letter)) = (self.thread, place(name));
        match folder {
            Folder::Own => format!("t{thread}/{letter}{name}"),
            Folder::Inner => format!("t{thread}/d/{letter}{name}"),
            Folder::Shared => format!("shared/t{thread}{letter}{name}"),
        }
    }

    /// The path of a folder that is made and removed.
    pub fn folder_path(&self, folder: u8) -> String {
        format!("t{}/m{folder}", self.thread)
    }
}
