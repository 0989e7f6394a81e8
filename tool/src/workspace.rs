//! Where things are: the source tree, and the folders that the tool builds in.

use std::env;
use std::path::{Path, PathBuf};

/// The source tree and its build folders.
#[derive(Clone, Debug)]
pub struct Workspace {
    pub root: PathBuf,
    /// Cargo's target folder; every build of the tool's own has a folder in it.
    pub target: PathBuf,
}

impl Workspace {
    /// Finds the tree by where cargo found this package.
    pub fn find() -> Workspace {
        let package = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = package.parent().unwrap_or(&package).to_owned();
        let target =
            env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        Workspace { root, target }
    }

    /// The folder of what the tool itself remembers and makes.
    pub fn state(&self) -> PathBuf {
        self.target.join("weft")
    }

    /// A path as the user would write it: relative to the tree where it lies in it.
    pub fn display<'a>(&self, path: &'a Path) -> std::path::Display<'a> {
        path.strip_prefix(&self.root).unwrap_or(path).display()
    }
}
