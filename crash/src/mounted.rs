//! States that the kernel itself mounts, in a guest: written as images, and
//! judged by what the guest has seen there. The judge's own way, the same ext4
//! as a library ([`crate::tree`]), knows neither its names and pages in memory
//! nor the disk's driver.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use workload::read_report;

use crate::explore::{Failure, Recording};
use crate::states::Distinct;
use crate::tree::{Found, Tree};
use crate::{fsck, judge};

/// The image of the state that comes as number `index` of the sample.
fn image(folder: &Path, index: usize) -> PathBuf {
    folder.join(format!("mounted-{index}.img"))
}

/// Writes the images, with `room` bytes behind each for the guest's report.
pub fn save(recording: &Recording, sample: &[Distinct], folder: &Path, room: u64) -> Result<()> {
    for (index, distinct) in sample.iter().enumerate() {
        let image = image(folder, index);
        recording.save(distinct.state, &image)?;
        let length = (recording.base.len() as u64) + room;
        let file = File::options().write(true).open(&image);
        file.and_then(|file| file.set_len(length))
            .context("cannot make room for the report")?;
    }
    Ok(())
}

/// The states that a guest has not found whole, or has not left whole.
pub fn judge(recording: &Recording, sample: &[Distinct], folder: &Path) -> Result<Vec<Failure>> {
    let mut failures = Vec::new();
    for (index, distinct) in sample.iter().enumerate() {
        let image = image(folder, index);
        match judge_one(recording, distinct, &image) {
            Ok(()) => fs::remove_file(&image).context("cannot remove an image")?,
            Err(error) => failures.push(Failure {
                number: distinct.number,
                state: distinct.state,
                why: format!("{error:#}"),
            }),
        }
    }
    Ok(failures)
}

fn judge_one(recording: &Recording, distinct: &Distinct, image: &Path) -> Result<()> {
    let bytes = fs::read(image).context("cannot read an image")?;
    let end = recording.base.len();
    ensure!(bytes.len() > end, "the image has no room for a report");
    let tree = reported(&bytes[end..])?;
    fsck::check(image).context("after the guest has mounted it and left it")?;
    let promises = recording.promises(distinct.state.cut);
    judge::judge(&recording.done, &promises, &tree)
}

/// What a guest has seen.
fn reported(bytes: &[u8]) -> Result<Tree> {
    let seen = read_report(bytes).context("the guest has not told what it saw")?;
    let mut tree = Tree::new();
    for seen in seen {
        let path = String::from_utf8_lossy(seen.path).into_owned();
        let found = Found {
            number: seen.number,
            is_folder: seen.is_folder,
            links: seen.links,
            bytes: seen.content.to_vec(),
        };
        let double = tree.insert(path.clone(), found);
        ensure!(double.is_none(), "{path} is there twice");
    }
    Ok(tree)
}

#[cfg(test)]
mod tests {
    use super::*;
    use workload::{Report, Seen};

    #[test]
    fn a_report_becomes_a_tree() {
        let mut report = Report::new();
        let seen = Seen {
            number: 12,
            links: 1,
            is_folder: false,
            path: b"t0/f1",
            content: b"content",
        };
        report.add(seen);
        let tree = reported(report.bytes()).unwrap();
        assert_eq!(tree["t0/f1"].bytes, b"content");
        report.add(seen);
        let double = reported(report.bytes()).unwrap_err();
        assert!(double.to_string().contains("twice"), "{double}");
        let missing = reported(&[0; 4096]).unwrap_err();
        assert!(missing.to_string().contains("has not told"), "{missing}");
    }
}
