//! Whether anything that a build depends on has changed since it last succeeded.
//!
//! Cargo would find out too, but each of its starts costs a noticeable part of
//! a warm `cargo weft exec`.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result};

use crate::workspace::Workspace;

/// Files outside the packages that every build depends on.
const COMMON: &[&str] = &["Cargo.toml", "Cargo.lock", ".cargo/config.toml"];

/// The state of a build's inputs, to compare with that of its last success.
pub struct Stamp {
    file: PathBuf,
    state: String,
}

impl Stamp {
    /// Takes the state of `folders` of the tree, of what all builds share, and
    /// of `settings`, which says how it is built. To be called before the build:
    /// what is edited while it runs is then built the next time.
    pub fn take(
        workspace: &Workspace,
        name: &str,
        folders: &[&str],
        settings: &impl Hash,
    ) -> Result<Stamp> {
        let mut hasher = DefaultHasher::new();
        settings.hash(&mut hasher);
        for name in COMMON.iter().chain(folders) {
            hash_tree(&workspace.root.join(name), &mut hasher)?;
        }
        Ok(Stamp {
            file: workspace.state().join(format!("{name}.stamp")),
            state: format!("{:016x}", hasher.finish()),
        })
    }

    /// Whether nothing changed since the last success; and what it left in `record`.
    pub fn unchanged(&self) -> Option<String> {
        let text = fs::read_to_string(&self.file).ok()?;
        let (state, record) = text.split_once('\n')?;
        (state == self.state).then(|| record.to_owned())
    }

    /// Notes a success, with what the next caller wants to know of it.
    pub fn record(&self, record: &str) -> Result<()> {
        if let Some(folder) = self.file.parent() {
            fs::create_dir_all(folder)
                .with_context(|| format!("cannot create {}", folder.display()))?;
        }
        fs::write(&self.file, format!("{}\n{record}", self.state))
            .with_context(|| format!("cannot write {}", self.file.display()))
    }
}

/// Adds names, sizes and times of all files under `path`, in a fixed order.
fn hash_tree(path: &Path, hasher: &mut DefaultHasher) -> Result<()> {
    let Ok(metadata) = fs::metadata(path) else {
        // Absence is a state too; and an editor's dangling lock link is no source.
        path.hash(hasher);
        return Ok(());
    };
    path.hash(hasher);
    if !metadata.is_dir() {
        metadata.len().hash(hasher);
        let modified = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        modified.hash(hasher);
        return Ok(());
    }
    let mut entries = fs::read_dir(path)
        .and_then(|entries| {
            entries
                .map(|entry| Ok(entry?.path()))
                .collect::<Result<Vec<_>, _>>()
        })
        .with_context(|| format!("cannot read {}", path.display()))?;
    entries.sort();
    entries
        .iter()
        .try_for_each(|entry| hash_tree(entry, hasher))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace(folder: &Path) -> Workspace {
        fs::create_dir_all(folder.join("abi/src")).unwrap();
        fs::write(folder.join("abi/src/lib.rs"), "a").unwrap();
        Workspace {
            root: folder.to_owned(),
            target: folder.join("target"),
        }
    }

    #[test]
    fn a_change_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = workspace(folder.path());
        let take = |setting: u32| Stamp::take(&workspace, "x", &["abi"], &setting).unwrap();
        let first = take(1);
        assert_eq!(first.unchanged(), None);
        first.record("a\nb").unwrap();
        assert_eq!(take(1).unchanged().as_deref(), Some("a\nb"));
        assert_eq!(take(2).unchanged(), None);
        fs::write(folder.path().join("abi/src/new.rs"), "").unwrap();
        assert_eq!(take(1).unchanged(), None);
    }
}
