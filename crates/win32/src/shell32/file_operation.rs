//! shellapi.h: files and trees are copied, moved, renamed and deleted, silently; shlobj_core.h: directories are made.

use std::path::{Path, PathBuf};

use plat_abi::{GuestWord, Memory, winapi};
use plat_host::file_path::{self, Kind, Status};

use crate::Win32Error;
use crate::cmd::copying::{copy_bytes, move_file};
use crate::cmd::file_commands::remove_tree;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::path::Found;
use crate::logic::wildcard;
use crate::nt::path::status_of;
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial SHFileOperationA, "never asks and shows no progress; what is deleted goes into no bin";
    partial SHFileOperationW, "never asks and shows no progress; what is deleted goes into no bin";
    full SHCreateDirectoryExA;
    full SHCreateDirectoryExW;
    full SHCreateDirectory;
};

/// `FO_MOVE`, `FO_COPY`, `FO_DELETE`, `FO_RENAME`.
const MOVE: u32 = 1;
const COPY: u32 = 2;
const DELETE: u32 = 3;
const RENAME: u32 = 4;
/// `FOF_MULTIDESTFILES`.
const MANY_TARGETS: u16 = 1;

/// Reads a list of texts, each with its zero, a zero behind the last.
fn list(guest: &Guest, width: Width, address: GuestWord) -> Result<Vec<Vec<u16>>, Win32Error> {
    let (mut texts, mut at) = (Vec::new(), address.get());
    while at != 0 {
        let text = width.read(guest, GuestWord(at))?;
        if text.is_empty() {
            break;
        }
        at += width.bytes(&text).len() as u64;
        texts.push(text);
    }
    Ok(texts)
}

fn is_folder(path: &Path) -> bool {
    Status::of_path(path, true).is_ok_and(|status| status.kind == Kind::Directory)
}

/// Returns what a name or a pattern in its last part means on the disk.
fn sources(guest: &Guest, name: &[u16]) -> Result<Vec<PathBuf>, Win32Error> {
    let files = &guest.process().files;
    let text = String::from_utf16_lossy(name);
    if !text.contains(['*', '?']) {
        return Ok(vec![files.locate(name)?]);
    }
    let (folder, pattern) = text.rsplit_once('\\').unwrap_or((".", &text));
    let folder = files.locate(&folder.encode_utf16().collect::<Vec<_>>())?;
    let pattern: Vec<u16> = pattern.encode_utf16().collect();
    let fits = |name: &std::ffi::OsString| {
        wildcard::matches_dos_pattern(&pattern, &crate::logic::path::unix_name_to_wide(name))
    };
    let names = plat_host::directory::names(&folder).map_err(status_of)?;
    let found: Vec<PathBuf> = names.iter().filter(|name| fits(name)).map(|name| folder.join(name)).collect();
    if found.is_empty() { Err(Win32Error::FILE_NOT_FOUND) } else { Ok(found) }
}

/// Copies a file or a tree to a path.
fn copy_tree(from: &Path, to: &Path) -> Result<(), Win32Error> {
    if !is_folder(from) {
        return copy_bytes(from, to, false);
    }
    if !is_folder(to) {
        plat_host::directory::create(to).map_err(status_of)?;
    }
    for name in plat_host::directory::names(from).map_err(status_of)? {
        copy_tree(&from.join(&name), &to.join(&name))?;
    }
    Ok(())
}

fn remove(path: &Path) -> Result<(), Win32Error> {
    if is_folder(path) { remove_tree(path) } else { Ok(file_path::remove_file(path).map_err(status_of)?) }
}

/// Finds where a target is or will be; makes the directories above it.
fn target_of(guest: &Guest, name: &[u16]) -> Result<PathBuf, Win32Error> {
    let files = &guest.process().files;
    let unix = files.resolve_file(name)?;
    Ok(match files.find(&unix) {
        Found::Exists(path) | Found::NameMissing(path) => path,
        Found::DirectoryMissing(_) => {
            let above: Vec<u16> =
                name.rsplitn(2, |&unit| unit == u16::from(b'\\')).nth(1).unwrap_or(&[]).to_vec();
            make_all(guest, &above)?;
            match files.find(&unix) {
                Found::Exists(path) | Found::NameMissing(path) => path,
                Found::DirectoryMissing(_) => return Err(Win32Error::PATH_NOT_FOUND),
            }
        }
    })
}

/// Makes a directory and those above it; says whether it was new.
fn make_all(guest: &Guest, name: &[u16]) -> Result<bool, Win32Error> {
    let files = &guest.process().files;
    let end = name.iter().rposition(|&unit| unit != u16::from(b'\\')).map_or(0, |at| at + 1);
    let name = &name[..end];
    match files.find(&files.resolve_file(name)?) {
        Found::Exists(path) if is_folder(&path) => Ok(false),
        Found::Exists(_) => Err(Win32Error::ALREADY_EXISTS),
        Found::NameMissing(path) => {
            plat_host::directory::create(&path).map_err(status_of)?;
            Ok(true)
        }
        Found::DirectoryMissing(_) => {
            let above = name.rsplitn(2, |&unit| unit == u16::from(b'\\')).nth(1);
            make_all(guest, above.ok_or(Win32Error::PATH_NOT_FOUND)?)?;
            make_all(guest, name)
        }
    }
}

fn operate(guest: &Guest, width: Width, operation: GuestWord) -> Result<(), Win32Error> {
    // The structure is packed in 32 bits only.
    let (at, is_64) = (operation.get(), guest.machine().is_64());
    let [function, from, to, flags] = if is_64 { [8, 16, 24, 32] } else { [4, 8, 12, 16] };
    let (kind, flags) = (guest.read_u32(at + function)?, guest.read::<u16>(at + flags)?);
    let names = list(guest, width, GuestWord(guest.read_word(at + from)?))?;
    let targets = list(guest, width, GuestWord(guest.read_word(at + to)?))?;
    // fAnyOperationsAborted
    guest.write(at + if is_64 { 36 } else { 18 }, &0_u32)?;
    if names.is_empty()
        || ![MOVE, COPY, DELETE, RENAME].contains(&kind)
        || kind != DELETE && targets.is_empty()
    {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    for (number, name) in names.iter().enumerate() {
        let found = sources(guest, name)?;
        if kind == DELETE {
            found.iter().try_for_each(|path| remove(path))?;
            continue;
        }
        let several = found.len() > 1 || names.len() > 1 && flags & MANY_TARGETS == 0;
        let target = if flags & MANY_TARGETS != 0 { targets.get(number) } else { targets.first() };
        let target = target_of(guest, target.ok_or(Win32Error::INVALID_PARAMETER)?)?;
        if several && !is_folder(&target) {
            plat_host::directory::create(&target).map_err(status_of)?;
        }
        for path in found {
            let inside = is_folder(&target) && flags & MANY_TARGETS == 0 && kind != RENAME;
            let to = match path.file_name() {
                Some(last) if inside => target.join(last),
                _ => target.clone(),
            };
            match kind {
                COPY => copy_tree(&path, &to)?,
                _ => move_file(&path, &to)?,
            }
        }
    }
    Ok(())
}

both_widths! {
    /// Copies, moves, renames or deletes files and trees; 0 for success.
    "shellapi/nf-shellapi-shfileoperation"
    SHFileOperationA, SHFileOperationW(guest, width, lpFileOp: GuestWord) -> i32 {
        operate(guest, width, lpFileOp).map_or_else(|error| error.0 as i32, |()| 0)
    }

    /// Makes a directory and those above it; 0 for success.
    "shlobj_core/nf-shlobj_core-shcreatedirectoryex"
    SHCreateDirectoryExA, SHCreateDirectoryExW(guest, width, hwnd: GuestWord, pszPath: GuestWord, psa: GuestWord) -> i32 {
        let _ = (hwnd, psa);
        create_directory(guest, width, pszPath)
    }
}

fn create_directory(guest: &Guest, width: Width, path: GuestWord) -> i32 {
    let made = width.read(guest, path).map_err(Win32Error::from).and_then(|name| {
        // A relative name is refused, as documented.
        let is_full = !crate::logic::shell_path::is_relative(&name);
        if is_full { make_all(guest, &name) } else { Err(Win32Error(161)) }
    });
    match made {
        Ok(true) => 0,
        Ok(false) => Win32Error::ALREADY_EXISTS.0 as i32,
        Err(error) => error.0 as i32,
    }
}

/// Makes a directory and those above it; 0 for success.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/shlobj_core/nf-shlobj_core-shcreatedirectory>
#[winapi]
pub fn SHCreateDirectory(guest: &mut Guest, hwnd: GuestWord, pszPath: GuestWord) -> i32 {
    let _ = hwnd;
    create_directory(guest, Width::Wide, pszPath)
}
