//! Ramfs as a whole, through the calls on names, against a naive model.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// The naive model: a table of nodes by number, and paths without links.
#[derive(Clone, Debug, PartialEq)]
enum ModelNode {
    File(Vec<u8>),
    Directory(BTreeMap<String, usize>),
}

struct Model {
    nodes: Vec<ModelNode>,
}

type Result2<T> = core::result::Result<T, Errno>;

impl Model {
    fn new() -> Model {
        Model {
            nodes: vec![ModelNode::Directory(BTreeMap::new())],
        }
    }

    fn entries(&mut self, node: usize) -> Result2<&mut BTreeMap<String, usize>> {
        match &mut self.nodes[node] {
            ModelNode::Directory(entries) => Ok(entries),
            ModelNode::File(_) => Err(Errno::ENOTDIR),
        }
    }

    fn is_directory(&self, node: usize) -> bool {
        matches!(self.nodes[node], ModelNode::Directory(_))
    }

    /// The directory of the last name, the name, and what is there.
    fn find(&mut self, path: &str) -> Result2<(usize, String, Option<usize>)> {
        let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
        let mut node = 0;
        for part in above.split('/').filter(|part| !part.is_empty()) {
            node = *self.entries(node)?.get(part).ok_or(Errno::ENOENT)?;
        }
        let found = self.entries(node)?.get(name).copied();
        Ok((node, name.into(), found))
    }

    fn make(&mut self, path: &str, new: ModelNode) -> Result2<()> {
        let (directory, name, found) = self.find(path)?;
        if found.is_some() {
            return Err(Errno::EEXIST);
        }
        self.nodes.push(new);
        let number = self.nodes.len() - 1;
        self.entries(directory)?.insert(name, number);
        Ok(())
    }

    fn write(&mut self, path: &str, text: &[u8]) -> Result2<()> {
        match self.find(path)?.2 {
            None => self.make(path, ModelNode::File(text.to_vec())),
            Some(node) if self.is_directory(node) => Err(Errno::EISDIR),
            Some(node) => {
                self.nodes[node] = ModelNode::File(text.to_vec());
                Ok(())
            }
        }
    }

    fn read(&mut self, path: &str) -> Result2<Vec<u8>> {
        let node = self.find(path)?.2.ok_or(Errno::ENOENT)?;
        match &self.nodes[node] {
            ModelNode::File(text) => Ok(text.clone()),
            ModelNode::Directory(_) => Err(Errno::EISDIR),
        }
    }

    fn unlink(&mut self, path: &str) -> Result2<()> {
        let (directory, name, found) = self.find(path)?;
        if self.is_directory(found.ok_or(Errno::ENOENT)?) {
            return Err(Errno::EISDIR);
        }
        self.entries(directory)?.remove(&name);
        Ok(())
    }

    fn remove_directory(&mut self, path: &str) -> Result2<()> {
        let (directory, name, found) = self.find(path)?;
        if !self.entries(found.ok_or(Errno::ENOENT)?)?.is_empty() {
            return Err(Errno::ENOTEMPTY);
        }
        self.entries(directory)?.remove(&name);
        Ok(())
    }

    fn link(&mut self, old: &str, new: &str) -> Result2<()> {
        let target = self.find(old)?.2.ok_or(Errno::ENOENT)?;
        let (directory, name, found) = self.find(new)?;
        if found.is_some() {
            return Err(Errno::EEXIST);
        }
        if self.is_directory(target) {
            return Err(Errno::EPERM);
        }
        self.entries(directory)?.insert(name, target);
        Ok(())
    }

    fn rename(&mut self, old: &str, new: &str, replace: Replace) -> Result2<()> {
        let (from, name, found) = self.find(old)?;
        let (to, new_name, existing) = self.find(new)?;
        let node = found.ok_or(Errno::ENOENT)?;
        match (existing, replace) {
            (Some(_), Replace::No) => return Err(Errno::EEXIST),
            (None, Replace::Exchange) => return Err(Errno::ENOENT),
            _ => {}
        }
        let below = |one: &str, other: &str| {
            one.strip_prefix(other)
                .is_some_and(|rest| rest.starts_with('/'))
        };
        if self.is_directory(node) && below(new, old) {
            return Err(Errno::EINVAL);
        }
        if let Some(existing) = existing {
            if existing == node {
                return Ok(());
            }
            if replace == Replace::Exchange {
                if self.is_directory(existing) && below(old, new) {
                    return Err(Errno::EINVAL);
                }
                self.entries(from)?.insert(name, existing);
                self.entries(to)?.insert(new_name, node);
                return Ok(());
            }
            if below(old, new) {
                return Err(Errno::ENOTEMPTY);
            }
            match (self.is_directory(node), self.is_directory(existing)) {
                (true, false) => return Err(Errno::ENOTDIR),
                (false, true) => return Err(Errno::EISDIR),
                (true, true) if !self.entries(existing)?.is_empty() => {
                    return Err(Errno::ENOTEMPTY);
                }
                _ => {}
            }
        }
        self.entries(from)?.remove(&name);
        self.entries(to)?.insert(new_name, node);
        Ok(())
    }

    /// How many names a node has in the tree, as `stat` counts them.
    fn links(&self, node: usize) -> u32 {
        let directories = self.nodes.iter().filter_map(|node| match node {
            ModelNode::Directory(entries) => Some(entries),
            ModelNode::File(_) => None,
        });
        match &self.nodes[node] {
            ModelNode::File(_) => directories
                .flat_map(BTreeMap::values)
                .filter(|&&target| target == node)
                .count() as u32,
            ModelNode::Directory(entries) => {
                2 + entries.values().filter(|&&e| self.is_directory(e)).count() as u32
            }
        }
    }

    fn compare(&self, node: usize, real: &Arc<dyn Inode>, top: bool) {
        // Nodes that lost all names stay in the table, directories among them
        // emptied: they do not count.
        assert_eq!(real.metadata().links, self.links(node));
        match &self.nodes[node] {
            ModelNode::File(text) => {
                let mut bytes = vec![0; 100];
                let count = real.read_at(0, &mut Sink::kernel(&mut bytes)).unwrap();
                assert_eq!(&bytes[..count], text);
            }
            ModelNode::Directory(entries) => {
                let mut expected = vec![String::from("."), String::from("..")];
                expected.extend(entries.keys().cloned());
                assert_eq!(names(real), expected);
                for (name, &child) in entries {
                    let inode = real.lookup(name.as_bytes()).unwrap();
                    if self.is_directory(child) {
                        assert!(Arc::ptr_eq(&inode.parent().unwrap(), real));
                        assert_eq!(&*inode.name().unwrap(), name.as_bytes());
                    }
                    self.compare(child, &inode, false);
                }
            }
        }
        assert!(!top || real.parent().is_none());
    }
}

#[derive(Clone, Debug)]
enum Step {
    MakeDirectory(String),
    Write(String, u8),
    Read(String),
    Unlink(String),
    RemoveDirectory(String),
    Link(String, String),
    Rename(String, String, Replace),
}

fn step() -> impl Strategy<Value = Step> {
    let path = || "[ab](/[ab]){0,2}";
    let replace = prop_oneof![
        3 => Just(Replace::Yes),
        1 => Just(Replace::No),
        1 => Just(Replace::Exchange),
    ];
    prop_oneof![
        3 => path().prop_map(Step::MakeDirectory),
        3 => (path(), any::<u8>()).prop_map(|(p, b)| Step::Write(p, b)),
        1 => path().prop_map(Step::Read),
        1 => path().prop_map(Step::Unlink),
        1 => path().prop_map(Step::RemoveDirectory),
        2 => (path(), path()).prop_map(|(a, b)| Step::Link(a, b)),
        4 => (path(), path(), replace).prop_map(|(a, b, r)| Step::Rename(a, b, r)),
    ]
}

proptest! {
    #[test]
    fn behaves_as_the_model(steps in proptest::collection::vec(step(), 0..60)) {
        let root = root();
        let mut model = Model::new();
        for step in steps {
            let at = |path| at(&root, path);
            let (real, expected) = match &step {
                Step::MakeDirectory(path) => (
                    at(path).create(New::Directory, 0o755).map(drop),
                    model.make(path, ModelNode::Directory(BTreeMap::new())),
                ),
                Step::Write(path, byte) => (
                    write_file(&root, path, &[*byte; 3]),
                    model.write(path, &[*byte; 3]),
                ),
                Step::Read(path) => {
                    // A directory opens, and then cannot be read.
                    prop_assert_eq!(read_file(&root, path), model.read(path));
                    continue;
                }
                Step::Unlink(path) => (at(path).unlink(), model.unlink(path)),
                Step::RemoveDirectory(path) => {
                    (at(path).remove_directory(), model.remove_directory(path))
                }
                Step::Link(old, new) => (at(old).link_to(at(new), Follow::Never), model.link(old, new)),
                Step::Rename(old, new, replace) => (
                    at(old).rename_to(at(new), *replace),
                    model.rename(old, new, *replace),
                ),
            };
            prop_assert_eq!(real, expected, "{:?}", step);
            model.compare(0, &root, true);
        }
    }
}
