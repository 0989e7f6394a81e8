//! Whether a volume is what the model says.

use super::super::Ext4;
use super::super::storage::BLOCK;
use super::model::{Body, Model, page, place};
use crate::files::disk::volume::{Number, Volume};
use abi::Errno;
use machine::frames::Frame;
use std::collections::BTreeMap;
use std::vec::Vec;
use std::{format, string::String};

/// What in `volume` is not as the model says.
pub fn compare(volume: &Ext4, model: &Model) -> Result<(), String> {
    for (&number, (body, links)) in &model.nodes {
        let attributes = volume
            .attributes(number)
            .map_err(|error| format!("inode {number}: {error}"))?;
        ensure(attributes.links == *links, || {
            format!("inode {number} has {} links, not {links}", attributes.links)
        })?;
        match body {
            Body::Directory(names) => compare_names(volume, number, names)?,
            Body::Link(target) => {
                let is_right = volume.read_link(number).as_deref() == Ok(target.as_bytes());
                ensure(is_right, || {
                    let found = volume.read_link(number).map(String::from_utf8);
                    format!("link {number} leads to {found:?}, not {target}")
                })?;
            }
            Body::File(pages) => {
                let size = (pages.len() * BLOCK) as u64;
                ensure(attributes.size == size, || {
                    format!("file {number} has {} bytes, not {size}", attributes.size)
                })?;
                compare_pages(volume, number, pages)?;
            }
        }
    }
    Ok(())
}

fn ensure(is_right: bool, difference: impl FnOnce() -> String) -> Result<(), String> {
    if is_right { Ok(()) } else { Err(difference()) }
}

fn compare_names(
    volume: &Ext4,
    number: Number,
    names: &BTreeMap<String, Number>,
) -> Result<(), String> {
    let mut listed = BTreeMap::new();
    let mut from = 0;
    loop {
        let mut count = 0;
        let mut next = from;
        volume
            .list(number, from, &mut |entry| {
                let name = String::from_utf8(entry.name.to_vec()).unwrap();
                let old = listed.insert(name, entry.number as Number);
                assert!(old.is_none(), "listed twice");
                next = entry.next;
                count += 1;
                count < 7
            })
            .map_err(|error| format!("directory {number}: {error}"))?;
        if count == 0 {
            break;
        }
        from = next;
    }
    ensure(listed.remove(".") == Some(number), || {
        format!("`.` of {number}")
    })?;
    ensure(listed.remove("..").is_some(), || {
        format!("`..` of {number}")
    })?;
    ensure(&listed == names, || {
        format!("directory {number} has {listed:?}, not {names:?}")
    })?;
    for (name, &target) in names {
        let found = volume.look_up(place(number, name));
        ensure(found == Ok(target), || {
            format!("{name} in {number}: {found:?}")
        })?;
    }
    let found = volume.look_up(place(number, "not there"));
    ensure(found == Err(Errno::ENOENT), || format!("found {found:?}"))
}

fn compare_pages(volume: &Ext4, number: Number, pages: &[Option<u8>]) -> Result<(), String> {
    let frames: Vec<Frame> = (0..17).map(|_| page(0xaa)).collect();
    for (index, part) in pages.chunks(frames.len()).enumerate() {
        let first = (index * frames.len()) as u64;
        let frames = &frames[..part.len()];
        volume
            .read(number, first, frames)
            .map_err(|error| format!("file {number}: {error}"))?;
        for (frame, expected) in frames.iter().zip(part) {
            let mut bytes = [0; BLOCK];
            frame.read(0, &mut bytes);
            let wanted = expected.unwrap_or(0);
            ensure(bytes.iter().all(|&byte| byte == wanted), || {
                format!(
                    "file {number} has {} near page {first}, not {wanted}",
                    bytes[0]
                )
            })?;
        }
    }
    Ok(())
}
