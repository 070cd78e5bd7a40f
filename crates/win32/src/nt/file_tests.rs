//! Tests of files at NT's level, in a fresh directory each.

use std::path::PathBuf;

use super::file::{FileObject, SeekOrigin, access};
use super::file_find::Enumeration;
use super::file_open::{CreateOptions, Disposition, Outcome, Request};
use super::path::FileSystem;
use crate::NtStatus;

struct Place {
    files: FileSystem,
    root: PathBuf,
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.root);
    }
}

impl Place {
    fn new(name: &str) -> Self {
        let root = std::env::temp_dir().join(format!("plat-files-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&root).expect("a fresh directory can be made");
        Self { files: FileSystem::default(), root }
    }

    fn with(self, names: &[&str]) -> Self {
        for name in names {
            let path = self.root.join(name);
            if name.ends_with('/') {
                std::fs::create_dir_all(path).expect("a fresh directory can be made");
            } else {
                std::fs::write(path, name).expect("a fresh file can be written");
            }
        }
        self
    }

    fn open(
        &self,
        name: &str,
        wanted: u32,
        share: u32,
        disposition: Disposition,
    ) -> Result<(FileObject, Outcome), NtStatus> {
        let options = CreateOptions::NON_DIRECTORY_FILE | CreateOptions::SYNCHRONOUS_IO_NONALERT;
        let request = Request { access: wanted, share, disposition, options, attributes: 0, mode: None };
        self.files.open(self.root.join(name), &request)
    }

    fn outcome(&self, name: &str, disposition: Disposition) -> Result<Outcome, NtStatus> {
        self.open(name, access::FILE_READ | access::FILE_WRITE, 7, disposition).map(|opened| opened.1)
    }
}

#[test]
fn dispositions_tell_what_was_done() {
    use Disposition::*;
    let place = Place::new("dispositions").with(&["There", "dir/"]);
    let cases = [
        ("there", Open, Ok(Outcome::Opened)),
        ("there", OpenIf, Ok(Outcome::Opened)),
        ("there", Create, Err(NtStatus::OBJECT_NAME_COLLISION)),
        ("THERE", OverwriteIf, Ok(Outcome::Overwritten)),
        ("none", Open, Err(NtStatus::OBJECT_NAME_NOT_FOUND)),
        ("none", Overwrite, Err(NtStatus::OBJECT_NAME_NOT_FOUND)),
        ("none/none", Open, Err(NtStatus::OBJECT_PATH_NOT_FOUND)),
        ("none/none", OpenIf, Err(NtStatus::OBJECT_PATH_NOT_FOUND)),
        ("there/none", Open, Err(NtStatus::OBJECT_PATH_NOT_FOUND)),
        ("there/none", Create, Err(NtStatus::OBJECT_PATH_NOT_FOUND)),
        ("dir", Open, Err(NtStatus::FILE_IS_A_DIRECTORY)),
        ("Dir", OpenIf, Err(NtStatus::FILE_IS_A_DIRECTORY)),
        ("new", OpenIf, Ok(Outcome::Created)),
        ("DIR/New2", OverwriteIf, Ok(Outcome::Created)),
    ];
    for (name, disposition, expected) in cases {
        assert_eq!(place.outcome(name, disposition), expected, "{name} {disposition:?}");
    }
    assert_eq!(std::fs::metadata(place.root.join("There")).expect("still there").len(), 0);
    assert!(place.root.join("dir/New2").exists());
}

#[test]
fn share_modes_hold_between_handles() {
    let place = Place::new("share").with(&["a"]);
    let first = place.open("a", access::FILE_READ, 1, Disposition::Open).expect("nobody has it").0;
    let second = place.open("A", access::FILE_WRITE, 7, Disposition::Open).map(drop);
    assert_eq!(second, Err(NtStatus::SHARING_VIOLATION));
    assert_eq!(place.files.delete_file(&place.root.join("a")), Err(NtStatus::SHARING_VIOLATION));
    // Emptying is refused before anything is lost.
    assert!(place.outcome("a", Disposition::OverwriteIf).is_err());
    assert_eq!(first.size(), Ok(1));
    drop(first);
    assert_eq!(place.files.delete_file(&place.root.join("a")), Ok(()));
}

#[test]
fn deletion_waits_for_the_last_handle() {
    let place = Place::new("delete").with(&["a"]);
    let file = place.open("a", access::DELETE | access::FILE_READ, 7, Disposition::Open).expect("free").0;
    file.set_delete(true).expect("it may go");
    assert!(place.root.join("a").exists());
    assert_eq!(place.outcome("a", Disposition::Open), Err(NtStatus::DELETE_PENDING));
    drop(file);
    assert!(!place.root.join("a").exists());
}

#[test]
fn read_only_files_refuse_writing_and_deletion() {
    let place = Place::new("readonly").with(&["a"]);
    let path = place.root.join("a");
    super::file_info::set_attributes(&path, 1).expect("its owner may");
    assert_eq!(place.files.facts(&path).expect("there").attributes, 0x21);
    assert_eq!(place.outcome("a", Disposition::Open), Err(NtStatus::ACCESS_DENIED));
    assert_eq!(place.files.delete_file(&path), Err(NtStatus::CANNOT_DELETE));
    super::file_info::set_attributes(&path, 0x80).expect("its owner may");
    assert_eq!(place.files.delete_file(&path), Ok(()));
}

#[test]
fn position_moves_with_transfers() {
    let place = Place::new("position");
    let wanted = access::FILE_READ | access::FILE_WRITE;
    let file = place.open("a", wanted, 0, Disposition::Create).expect("it is new").0;
    assert_eq!(file.write(b"0123456789", None), Ok(10));
    assert_eq!(file.write(b"ab", Some(2)), Ok(2));
    assert_eq!(file.position(), Ok(4));
    assert_eq!(file.seek(-3, SeekOrigin::End), Ok(7));
    let mut bytes = [0; 8];
    assert_eq!(file.read(&mut bytes, None), Ok(3));
    assert_eq!(&bytes[..3], b"789");
    assert_eq!(file.read(&mut bytes, None), Ok(0));
    assert_eq!(file.read(&mut bytes, Some(99)), Err(NtStatus::END_OF_FILE));
    assert_eq!(file.seek(-1, SeekOrigin::Begin), Err(NtStatus::INVALID_PARAMETER));
    assert_eq!(file.set_size(3), Ok(()));
    assert_eq!(file.read(&mut bytes, Some(0)), Ok(3));
    assert_eq!(&bytes[..3], b"01a");
}

#[test]
fn appending_handles_write_at_the_end() {
    let place = Place::new("append").with(&["a"]);
    let file = place.open("a", access::APPEND_DATA, 7, Disposition::Open).expect("free").0;
    file.write(b"+", Some(0)).expect("it may");
    assert_eq!(std::fs::read(place.root.join("a")).expect("there"), b"a+");
}

#[test]
fn enumeration_is_sorted_as_ntfs_does() {
    let place = Place::new("find").with(&["b.txt", "A.txt", "c.TXT", "_x", "Sub/"]);
    let names = |pattern: &str| {
        let pattern: Vec<u16> = pattern.encode_utf16().collect();
        let mut rest = Enumeration::begin(&place.root, &pattern, false).expect("it is there");
        let found: Vec<String> = std::iter::from_fn(|| rest.next_entry())
            .map(|found| String::from_utf16_lossy(&found.name))
            .collect();
        found.join(" ")
    };
    assert_eq!(names("*"), ". .. A.txt b.txt c.TXT Sub _x");
    assert_eq!(names("*.txt"), "A.txt b.txt c.TXT");
    assert_eq!(names("*."), ". .. Sub _x");
    assert_eq!(names("s*"), "Sub");
    assert_eq!(names("none*"), "");
}

#[test]
fn renaming_follows_windows_rules() {
    let place = Place::new("rename").with(&["a", "b", "dir/"]);
    let path = |name: &str| place.root.join(name);
    let rename = |from: &str, to: &str, replace| place.files.rename(&path(from), &path(to), replace, true);
    assert_eq!(rename("a", "b", false), Err(NtStatus::OBJECT_NAME_COLLISION));
    assert_eq!(rename("a", "dir", true), Err(NtStatus::ACCESS_DENIED));
    assert_eq!(rename("none", "c", false), Err(NtStatus::OBJECT_NAME_NOT_FOUND));
    assert_eq!(rename("a", "none/c", false), Err(NtStatus::OBJECT_PATH_NOT_FOUND));
    assert_eq!(rename("a", "B", true), Ok(()));
    assert_eq!(std::fs::read(path("b")).expect("replaced"), b"a");
    // Only the case changes.
    assert_eq!(rename("b", "B", false), Ok(()));
    assert!(path("B").exists() && !path("b").exists());
}

#[test]
fn directories_are_made_and_removed() {
    let place = Place::new("directories").with(&["full/", "full/a"]);
    let path = |name: &str| place.root.join(name);
    assert_eq!(place.files.create_directory(&path("FULL"), None), Err(NtStatus::OBJECT_NAME_COLLISION));
    assert_eq!(place.files.create_directory(&path("x/y"), None), Err(NtStatus::OBJECT_PATH_NOT_FOUND));
    assert_eq!(place.files.create_directory(&path("Full/New"), Some(0o750)), Ok(()));
    assert!(path("full/New").is_dir());
    assert_eq!(place.files.remove_directory(&path("full")), Err(NtStatus::DIRECTORY_NOT_EMPTY));
    assert_eq!(place.files.remove_directory(&path("full/a")), Err(NtStatus::NOT_A_DIRECTORY));
    assert_eq!(place.files.delete_file(&path("full/new")), Err(NtStatus::FILE_IS_A_DIRECTORY));
    assert_eq!(place.files.remove_directory(&path("full/new")), Ok(()));
}

#[test]
fn pipes_tell_when_the_other_end_is_gone() {
    let (read, write) = plat_host::file::File::pipe().expect("pipes are there");
    let read = FileObject::of_descriptor(read).expect("it is open");
    let write = FileObject::of_descriptor(write).expect("it is open");
    assert_eq!(write.write(b"abc", None), Ok(3));
    assert_eq!((read.available(), read.peek(2)), (Ok(3), Ok(b"ab".to_vec())));
    drop(write);
    let mut bytes = [0; 4];
    assert_eq!(read.read(&mut bytes, None), Ok(3));
    assert_eq!(read.read(&mut bytes, None), Err(NtStatus::PIPE_BROKEN));
    assert_eq!(read.available(), Err(NtStatus::PIPE_BROKEN));
    let (read, write) = plat_host::file::File::pipe().expect("pipes are there");
    drop(read);
    let write = FileObject::of_descriptor(write).expect("it is open");
    assert_eq!(write.write(b"abc", None), Err(NtStatus::PIPE_CLOSING));
}
