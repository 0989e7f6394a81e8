//! Images made, read and changed with the programs of e2fsprogs, which
//! `cargo weft test` installs.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tempfile::TempDir;

use super::*;
use crate::build::archive::Archive;
use crate::status;

struct Trial {
    folder: TempDir,
    image: PathBuf,
}

impl Trial {
    /// An image of 16 MiB with a few files.
    fn new() -> Trial {
        let folder = tempfile::tempdir().unwrap();
        let image = folder.path().join("image");
        let mut tree = Archive::default();
        tree.file("/etc/motd", b"hello\n".to_vec(), false);
        tree.file("/bin/prog", b"#!".to_vec(), true);
        make(&image, 16, &tree).unwrap();
        Trial { folder, image }
    }

    fn open(&self) -> Image {
        Image::open(&self.image).unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

fn content(image: &Image, path: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let host = folder.path().join("copy");
    image.get(path, &host).unwrap();
    fs::read(host).unwrap()
}

fn one(path: &str, content: &[u8]) -> Archive {
    let mut tree = Archive::default();
    tree.file(path, content.to_vec(), false);
    tree
}

fn status_of<T>(result: Result<T>) -> u8 {
    status::of(&result.err().expect("it must fail"))
}

#[test]
fn what_goes_in_is_listed_and_comes_out() {
    let trial = Trial::new();
    let image = trial.open();
    let names = |path| -> Vec<String> {
        let entries = image.list(path).unwrap();
        entries.into_iter().map(|entry| entry.name).collect()
    };
    assert_eq!(names("/"), ["bin", "etc", "lost+found"]);
    assert_eq!(names("/etc"), ["motd"]);
    assert_eq!(names("/etc/motd"), ["motd"]);
    assert_eq!(image.list("/bin").unwrap()[0].mode, 0o100_755);
    assert_eq!(content(&image, "/etc/motd"), b"hello\n");
    assert!(image.check().unwrap().clean);
}

#[test]
fn put_replaces_and_makes_folders() {
    let trial = Trial::new();
    let image = trial.open();
    image.put(&one("/etc/motd", b"new")).unwrap();
    image.put(&one("/a b/c\"d/e", b"deep")).unwrap();
    assert_eq!(content(&image, "/etc/motd"), b"new");
    assert_eq!(content(&image, "/a b/c\"d/e"), b"deep");
    let verdict = image.check().unwrap();
    assert!(verdict.clean, "{}", verdict.text);
    // Nothing is left of the names under which files come in.
    assert!(
        image
            .list("/")
            .unwrap()
            .iter()
            .all(|entry| !entry.name.starts_with('.'))
    );
}

#[test]
fn a_full_image_keeps_what_it_had() {
    let trial = Trial::new();
    let image = trial.open();
    let before = image.list("/").unwrap();
    let mut tree = one("/etc/motd", b"new");
    tree.file("/huge", vec![1; 32 << 20], false);
    assert_eq!(status_of(image.put(&tree)), Status::DiskImage as u8);
    assert_eq!(content(&image, "/etc/motd"), b"hello\n");
    assert_eq!(image.list("/").unwrap(), before);
    let verdict = image.check().unwrap();
    assert!(verdict.clean, "{}", verdict.text);
}

/// Bytes of the image overwritten, from block `block` on.
fn damage(trial: &Trial, block: u64, count: usize) {
    let file = File::options().write(true).open(&trial.image).unwrap();
    let bytes: Vec<u8> = (0..count * 4096).map(|at| (at * 37 + 11) as u8).collect();
    file.write_all_at(&bytes, block * 4096).unwrap();
}

#[test]
fn new_folders_do_not_stay_in_a_full_image() {
    let trial = Trial::new();
    let image = trial.open();
    let mut tree = one("/new/inner/a", b"small");
    tree.file("/zzz", vec![1; 32 << 20], false);
    assert_eq!(status_of(image.put(&tree)), Status::DiskImage as u8);
    assert!(image.find("/new").unwrap().is_none());
    let verdict = image.check().unwrap();
    assert!(verdict.clean, "{}", verdict.text);
}

#[test]
fn an_image_that_is_cut_off_is_refused() {
    let trial = Trial::new();
    let file = File::options().write(true).open(&trial.image).unwrap();
    file.set_len(8 << 20).unwrap();
    let error = Image::open(&trial.image).err().unwrap();
    assert!(error.to_string().contains("cut off"), "{error}");
    assert_eq!(fs::metadata(&trial.image).unwrap().len(), 8 << 20);
}

#[test]
fn a_damaged_image_is_not_changed() {
    let trial = Trial::new();
    // What tells where everything is.
    damage(&trial, 1, 1);
    let before = fs::read(&trial.image).unwrap();
    let image = trial.open();
    let error = image.list("/").err().unwrap();
    assert!(error.to_string().contains("cannot be read"), "{error}");
    let gotten = image.get("/etc/motd", &trial.path("x"));
    assert_eq!(status_of(gotten), Status::DiskImage as u8);
    let error = image.put(&one("/etc/motd", b"new")).err().unwrap();
    assert!(error.to_string().contains("damaged"), "{error}");
    assert!(!image.check().unwrap().clean);
    assert!(fs::read(&trial.image).unwrap() == before);
}

#[test]
fn a_copy_that_fails_leaves_the_hosts_file() {
    let trial = Trial::new();
    let image = trial.open();
    let old = trial.path("old");
    fs::write(&old, "old").unwrap();
    let mut script = debugfs::Script::default();
    // Its one block is behind the end of the image.
    script
        .add(&["set_inode_field", "/etc/motd", "block[5]", "0x7fffff00"])
        .unwrap();
    script
        .run(&trial.image, true)
        .unwrap()
        .check("spoil")
        .unwrap();
    assert_eq!(
        status_of(image.get("/etc/motd", &old)),
        Status::DiskImage as u8
    );
    assert_eq!(fs::read(&old).unwrap(), b"old");
    assert_eq!(fs::read_dir(trial.folder.path()).unwrap().count(), 2);
    image.get("/bin/prog", &old).unwrap();
    assert_eq!(fs::read(&old).unwrap(), b"#!");
}

#[test]
fn files_and_folders_are_not_mixed_up() {
    let trial = Trial::new();
    let image = trial.open();
    let refused = Status::DiskImage as u8;
    assert_eq!(status_of(image.put(&one("/etc", b"x"))), refused);
    assert_eq!(status_of(image.put(&one("/etc/motd/x", b"x"))), refused);
    assert_eq!(content(&image, "/etc/motd"), b"hello\n");
    let missing = Status::MissingFile as u8;
    assert_eq!(status_of(image.list("/none")), missing);
    assert_eq!(status_of(image.get("/none", &trial.path("x"))), missing);
    assert_eq!(status_of(image.get("/etc", &trial.path("none/x"))), missing);
}

#[test]
fn folders_come_out_whole() {
    let trial = Trial::new();
    let out = trial.path("out");
    fs::create_dir(&out).unwrap();
    trial.open().get("/etc", &out).unwrap();
    assert_eq!(fs::read(out.join("etc/motd")).unwrap(), b"hello\n");
    trial.open().get("/etc/motd", &out).unwrap();
    assert_eq!(fs::read(out.join("motd")).unwrap(), b"hello\n");
}

#[test]
fn what_is_no_image_is_refused() {
    let trial = Trial::new();
    let text = trial.path("text");
    fs::write(&text, "not a disk").unwrap();
    assert_eq!(status_of(Image::open(&text)), Status::DiskImage as u8);
    assert!(!is_ext4(&text).unwrap());
    let none = trial.path("none");
    assert_eq!(status_of(Image::open(&none)), Status::MissingFile as u8);
}

#[test]
fn too_small_an_image_is_not_left_half_made() {
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("image");
    let tree = one("/huge", &vec![1; 32 << 20]);
    assert_eq!(status_of(make(&image, 16, &tree)), Status::DiskImage as u8);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    let nowhere = Path::new("/no/such/folder/image");
    let status = status_of(make(nowhere, 16, &Archive::default()));
    assert_eq!(status, Status::MissingFile as u8);
}

#[test]
fn an_image_in_use_is_refused() {
    let trial = Trial::new();
    let mut drive = std::ffi::OsString::from("if=none,id=disk,format=raw,file=");
    drive.push(&trial.image);
    let mut qemu = Command::new(crate::setup::qemu::qemu().unwrap())
        .args("-M microvm -nodefaults -display none -S -qmp stdio".split(' '))
        .args(["-global", "virtio-mmio.force-legacy=false"])
        .args(["-device", "virtio-blk-device,drive=disk", "-drive"])
        .arg(drive)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // It greets once its devices have what they need.
    let mut greeting = [0];
    qemu.stdout
        .as_mut()
        .unwrap()
        .read_exact(&mut greeting)
        .unwrap();
    let status = status_of(Image::open(&trial.image));
    qemu.kill().unwrap();
    qemu.wait().unwrap();
    assert_eq!(status, Status::DiskImage as u8);
    trial.open();
}
