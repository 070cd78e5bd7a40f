//! Tests of the path module, as tables of paths.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;

struct At(&'static str);

impl PathContext for At {
    fn current_directory(&self) -> Vec<u16> {
        wide(self.0)
    }
}

const HERE: At = At(r"Z:\home\me");

fn drives() -> Drives {
    Drives { c: Some("/home/me/.plat/c".into()) }
}

#[test]
fn full_paths_are_as_from_get_full_path_name() {
    let cases = [
        ("foo", r"Z:\home\me\foo"),
        (r".\foo\..\bar.", r"Z:\home\me\bar"),
        (r"..\..\..\x", r"Z:\x"),
        (r"\x\y", r"Z:\x\y"),
        ("/x//y/", r"Z:\x\y\"),
        ("Z:x", r"Z:\home\me\x"),
        ("z:", r"Z:\home\me"),
        ("C:x", r"C:\x"),
        (r"c:\a\.\b\..\c  ", r"c:\a\c"),
        (r"c:\a.\b...", r"c:\a\b"),
        (r"c:\a .\b", r"c:\a \b"),
        (r"c:\..", r"c:\"),
        (r"C:\", r"C:\"),
        (".", r"Z:\home\me"),
        (r".\", r"Z:\home\me\"),
        (r"\\server\share\..\x", r"\\server\share\x"),
        ("//server/share", r"\\server\share"),
        ("nul", r"\\.\nul"),
        ("NUL:", r"\\.\NUL"),
        (r"C:\dir\nul", r"\\.\nul"),
        (r"dir\con", r"Z:\home\me\dir\con"),
        ("CONOUT$", r"\\.\CONOUT$"),
        ("com1", r"\\.\com1"),
        ("com0", r"Z:\home\me\com0"),
        (r"\\?\Z:\a\..\b.", r"\\?\Z:\a\..\b."),
        (r"\\.\Z:\a\..\b.", r"\\.\Z:\b"),
        ("//?/Z:/a/../b", r"\\.\Z:\b"),
    ];
    for (path, expected) in cases {
        let full = full_path(&wide(path), &HERE).unwrap();
        assert_eq!(String::from_utf16_lossy(&full), expected, "{path}");
    }
    assert_eq!(full_path(&[], &HERE), Err(Win32Error::INVALID_NAME));
    assert_eq!(full_path(&wide("a\0b"), &HERE), Err(Win32Error::INVALID_NAME));
    assert_eq!(full_path(&wide("x"), &At(r"Z:\")), Ok(wide(r"Z:\x")));
}

#[test]
fn resolved_paths_lead_to_unix() {
    let cases = [
        (r"Z:\etc\passwd", Ok(("/etc/passwd", false))),
        (r"z:/etc/", Ok(("/etc", true))),
        (r"Z:\", Ok(("/", true))),
        (r"C:\Temp\x", Ok(("/home/me/.plat/c/Temp/x", false))),
        ("x.txt", Ok(("/home/me/x.txt", false))),
        (r"\\?\Z:\a. ", Ok(("/a. ", false))),
        (r"\??\Z:\a", Ok(("/a", false))),
        (r"\\?\Z:\a\..\b", Err(Win32Error::INVALID_NAME)),
        (r"\\?\Z:\a/b", Err(Win32Error::INVALID_NAME)),
        (r"D:\x", Err(Win32Error::PATH_NOT_FOUND)),
        (r"\\server\share\x", Err(Win32Error::BAD_NETPATH)),
        (r"\\?\UNC\server\share", Err(Win32Error::BAD_NETPATH)),
        ("a*b", Err(Win32Error::INVALID_NAME)),
        ("a.txt:stream", Err(Win32Error::INVALID_NAME)),
        (r"\\.\PhysicalDrive0", Err(Win32Error::INVALID_NAME)),
        (r"\\.", Err(Win32Error::INVALID_NAME)),
    ];
    for (path, expected) in cases {
        let found = resolve(&wide(path), &HERE, &drives(), true).map(|target| match target {
            Target::File { unix, wants_directory, .. } => (unix, wants_directory),
            Target::Device(device) => panic!("{path} is {device:?}"),
        });
        assert_eq!(found, expected.map(|(unix, directory)| (PathBuf::from(unix), directory)), "{path}");
    }
}

#[test]
fn devices_are_recognised() {
    let cases = [
        ("NUL", Device::Null),
        (r"\\.\nul", Device::Null),
        (r"\\?\NUL", Device::Null),
        (r"Z:\tmp\NUL", Device::Null),
        ("con", Device::Console),
        ("CONIN$", Device::ConsoleInput),
        ("conout$", Device::ConsoleOutput),
        ("LPT1", Device::Absent),
    ];
    for (path, device) in cases {
        assert_eq!(resolve(&wide(path), &HERE, &drives(), true), Ok(Target::Device(device)), "{path}");
    }
}

#[test]
fn long_paths_need_the_prefix() {
    let name = "a".repeat(100);
    let long = format!(r"Z:\{name}\{name}\{name}");
    let resolve = |path: &str, limit| resolve(&wide(path), &HERE, &drives(), limit);
    assert_eq!(resolve(&long, true), Err(Win32Error::FILENAME_EXCED_RANGE));
    assert!(resolve(&long, false).is_ok());
    assert!(resolve(&format!(r"\\?\{long}"), true).is_ok());
    let longest = format!(r"Z:\{}", "a".repeat(MAX_PATH - 1 - 3));
    assert!(resolve(&longest, true).is_ok());
    assert!(resolve(&format!("{longest}a"), true).is_err());
}

#[test]
fn unix_paths_become_win32_paths() {
    let cases = [
        ("/", r"Z:\"),
        ("/etc/x", r"Z:\etc\x"),
        ("/home/me/.plat/c", r"C:\"),
        ("/home/me/.plat/c/t", r"C:\t"),
    ];
    for (unix, expected) in cases {
        assert_eq!(String::from_utf16_lossy(&unix_to_win32(Path::new(unix), &drives())), expected);
    }
    assert_eq!(nt_path(&wide(r"Z:\x")), wide(r"\??\Z:\x"));
    assert_eq!(nt_path(&wide(r"\\?\Z:\x")), wide(r"\??\Z:\x"));
    assert_eq!(nt_path(&wide(r"\\.")), wide(r"\??\"));
    assert_eq!(nt_path(&wide(r"\\s\h")), wide(r"\??\UNC\s\h"));
}

proptest! {
    #[test]
    fn every_unix_name_survives_the_trip(bytes in prop::collection::vec(1u8.., 0..24)) {
        let name = OsString::from_vec(bytes);
        prop_assert_eq!(wide_to_unix_name(&unix_name_to_wide(&name)), name);
    }

    #[test]
    fn every_text_name_survives_the_trip(text in "\\PC{0,12}") {
        prop_assert_eq!(wide_to_unix_name(&unix_name_to_wide(OsStr::new(&text))), OsString::from(text));
    }

    #[test]
    fn no_path_panics_and_full_paths_stay(units in prop::collection::vec(prop_oneof![
        Just(u16::from(b'\\')), Just(u16::from(b'/')), Just(u16::from(b'.')), Just(u16::from(b':')),
        Just(u16::from(b'?')), Just(u16::from(b'Z')), Just(u16::from(b' ')), Just(u16::from(b'n'))], 0..12)) {
        let _ = resolve(&units, &HERE, &drives(), true);
        nt_path(&units);
        if let Ok(full) = full_path(&units, &HERE) && form(&full) == PathForm::DriveAbsolute {
            prop_assert_eq!(full_path(&full, &HERE), Ok(full));
        }
    }
}

struct Tree(BTreeSet<PathBuf>);

impl DirectorySource for Tree {
    fn exists(&self, path: &Path) -> bool {
        self.0.contains(path)
    }

    fn names(&self, directory: &Path) -> Vec<OsString> {
        let inside = self.0.iter().filter(|path| path.parent() == Some(directory));
        inside.filter_map(|path| path.file_name().map(OsStr::to_owned)).collect()
    }
}

#[test]
fn look_up_prefers_the_exact_name_then_ignores_case() {
    let tree = Tree(
        ["/", "/Usr", "/Usr/LIB", "/Usr/lib", "/Usr/Ärger", "/Usr/b", "/Usr/B"].map(PathBuf::from).into(),
    );
    let cases = [
        ("/usr/lib", Found::Exists("/Usr/lib".into())),
        ("/USR/Lib", Found::Exists("/Usr/LIB".into())),
        ("/usr/äRGER", Found::Exists("/Usr/Ärger".into())),
        ("/usr/New", Found::NameMissing("/Usr/New".into())),
        ("/usr/none/x", Found::DirectoryMissing("/Usr/none/x".into())),
        ("/", Found::Exists("/".into())),
    ];
    for (path, expected) in cases {
        assert_eq!(find(Path::new(path), &tree), expected, "{path}");
    }
}
