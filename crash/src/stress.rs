//! What `stressfs` may leave: files that are made, written in order and removed
//! again, over and over. As they are never written twice, each block that is
//! there must be the right one of the file's round: what an older file had
//! there must not show.

use anyhow::{Result, ensure};
use workload::{STRESS_BLOCK, stress_block, stress_round};

use crate::tree::Tree;

const FOLDER: &str = "stress";

/// Judges the files of so many processes; the names that may be there. Once
/// there was a promise, their folder must be.
pub fn judge(stressers: usize, must_be: bool, tree: &Tree) -> Result<Vec<String>> {
    if stressers == 0 {
        return Ok(Vec::new());
    }
    let is_there = tree.get(FOLDER).is_some_and(|found| found.is_folder);
    ensure!(is_there || !must_be, "folder {FOLDER} is lost");
    let file = |number| format!("{FOLDER}/stressfs{number}");
    let mut known: Vec<String> = (0..stressers).map(file).collect();
    for path in &known {
        let Some(found) = tree.get(path) else {
            continue;
        };
        ensure!(!found.is_folder, "{path} is a folder");
        ensure!(found.links == 1, "{path} counts {} names", found.links);
        judge_content(&found.bytes).map_err(|error| error.context(path.clone()))?;
    }
    known.push(FOLDER.into());
    Ok(known)
}

fn judge_content(bytes: &[u8]) -> Result<()> {
    let (blocks, rest) = bytes.as_chunks::<STRESS_BLOCK>();
    ensure!(rest.is_empty(), "it has {} bytes", bytes.len());
    let Some(first) = blocks.first() else {
        return Ok(());
    };
    let round = stress_round(first);
    for (index, block) in blocks.iter().enumerate() {
        let is_right = round.is_some_and(|round| *block == stress_block(round, index as u64));
        ensure!(
            is_right,
            "block {index} of {} is not of round {round:?}",
            blocks.len()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::Found;

    fn why(files: &[(&str, Vec<u8>)]) -> String {
        let mut tree = Tree::new();
        for (path, bytes) in files {
            let found = Found {
                number: 12,
                is_folder: !path.contains('/'),
                links: 1,
                bytes: bytes.clone(),
            };
            tree.insert(path.to_string(), found);
        }
        match judge(2, true, &tree) {
            Ok(_) => String::new(),
            Err(error) => format!("{error:#}"),
        }
    }

    #[test]
    fn every_block_is_of_the_same_round() {
        let blocks = |all: &[(u64, u64)]| {
            let block = |&(round, index): &(u64, u64)| stress_block(round, index);
            all.iter().flat_map(block).collect::<Vec<u8>>()
        };
        let one = |bytes| why(&[("stress", vec![]), ("stress/stressfs1", bytes)]);
        assert_eq!(one(vec![]), "");
        assert_eq!(one(blocks(&[(4, 0), (4, 1)])), "");
        assert!(one(blocks(&[(4, 0), (3, 1)])).contains("block 1"));
        assert!(one(blocks(&[(4, 1)])).contains("block 0"));
        assert!(one(vec![0; STRESS_BLOCK]).contains("block 0"));
        assert!(one(vec![0; 12]).contains("12 bytes"));
        assert!(why(&[]).contains("lost"));
    }
}
