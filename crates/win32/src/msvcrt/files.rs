//! direct.h, sys/stat.h and the functions of file names in io.h, stdio.h and stdlib.h.
//!
//! They translate to kernel32's functions, as the real runtime's do.

use plat_abi::{Fault, GuestWord, Memory};

use super::define::define;
use super::errno::{EACCES, ENOENT, ERANGE};
use super::fd::{self, Mode};
use super::io::read_path;
use super::state::{crt, place_narrow, place_wide, set_errno, set_win32_errno, write_narrow_z, write_wide_z};
use super::system::kernel32;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::time::file_time_to_unix;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full remove; full _wremove; full _unlink; full "unlink" = _unlink; full _wunlink;
    full rename; full _wrename;
    full _mkdir; full "mkdir" = _mkdir; full _wmkdir; full _rmdir; full "rmdir" = _rmdir; full _wrmdir;
    full _chdir; full "chdir" = _chdir; full _wchdir; full _getcwd; full "getcwd" = _getcwd; full _wgetcwd; full _getdrive;
    full _access; full "access" = _access; full _waccess; full _access_s; full _waccess_s; full _chmod; full "chmod" = _chmod; full _wchmod;
    full _stat; full _stati64; full _stat64; full _wstat; full _wstati64; full _wstat64;
    full _stat64i32; full _wstat64i32; full _fstat64i32; full _stat32; full _wstat32; full _fstat32;
    full _stat32i64; full _wstat32i64; full _fstat32i64;
    full _fstat; full _fstati64; full _fstat64;
    full _fullpath; full _wfullpath;
    full _splitpath; full _wsplitpath; full _makepath; full _wmakepath;
};

const READ_ONLY: u32 = 1;
const DIRECTORY: u32 = 0x10;
/// `INVALID_FILE_ATTRIBUTES`.
const NO_ATTRIBUTES: u32 = u32::MAX;

/// Calls a function of kernel32 with a path as its first argument.
pub(crate) fn on_path(guest: &mut Guest, function: &str, path: &[u16], more: &[u64]) -> Result<u64, Fault> {
    let address = place_wide(guest, path)?;
    let mut arguments = vec![address];
    arguments.extend(more);
    let result = kernel32(guest, function, &arguments)?;
    guest.process().heaps.free(0, address);
    Ok(result)
}

/// Turns the `BOOL` of kernel32 into 0, or -1 with `errno`.
pub(crate) fn checked(guest: &mut Guest, result: u64) -> Result<i32, Fault> {
    if result as u32 != 0 {
        return Ok(0);
    }
    let error = guest.teb().last_error();
    set_win32_errno(guest, error).map(|()| -1)
}

fn path_call(guest: &mut Guest, function: &str, path: &[u16], more: &[u64]) -> Result<i32, Fault> {
    let result = on_path(guest, function, path, more)?;
    checked(guest, result)
}

fn rename_to(guest: &mut Guest, from: &[u16], to: &[u16]) -> Result<i32, Fault> {
    let target = place_wide(guest, to)?;
    let result = on_path(guest, "MoveFileExW", from, &[target, 0])?;
    guest.process().heaps.free(0, target);
    checked(guest, result)
}

/// Reads a path, narrow or wide.
pub(crate) fn any_path(guest: &Guest, path: GuestWord, wide: bool) -> Result<Vec<u16>, Fault> {
    if wide { guest.read_wide_string(path.0) } else { read_path(guest, path) }
}

/// Returns a file's attributes; `None` with `errno`.
pub(crate) fn attributes(guest: &mut Guest, path: &[u16]) -> Result<Option<u32>, Fault> {
    let attributes = on_path(guest, "GetFileAttributesW", path, &[])? as u32;
    if attributes == NO_ATTRIBUTES {
        let error = guest.teb().last_error();
        return set_win32_errno(guest, error).map(|()| None);
    }
    Ok(Some(attributes))
}

/// Says whether a file is there (0) and may be written (2): 0, or -1 with `errno`.
fn access_path(guest: &mut Guest, path: &[u16], mode: i32) -> Result<i32, Fault> {
    let Some(attributes) = attributes(guest, path)? else { return Ok(-1) };
    if attributes & READ_ONLY != 0 && attributes & DIRECTORY == 0 && mode & 2 != 0 {
        return set_errno(guest, EACCES).map(|()| -1);
    }
    Ok(0)
}

fn chmod_path(guest: &mut Guest, path: &[u16], permission: i32) -> Result<i32, Fault> {
    let Some(old) = attributes(guest, path)? else { return Ok(-1) };
    let new = if permission & 0x80 != 0 { old & !READ_ONLY } else { old | READ_ONLY };
    path_call(guest, "SetFileAttributesW", path, &[new.into()])
}

/// What a function of kernel32 writes as text: it is asked for up to 32,767 units.
pub(crate) fn text_of(
    guest: &mut Guest,
    call: impl FnOnce(&mut Guest, u64, u64) -> Result<u64, Fault>,
) -> Result<Option<Vec<u16>>, Fault> {
    const UNITS: u64 = 0x8000;
    let Some(buffer) = guest.process().heaps.allocate(0, 2 * UNITS, false) else { return Ok(None) };
    let length = call(guest, UNITS, buffer)? as u32;
    let text = if length == 0 || u64::from(length) >= UNITS {
        None
    } else {
        Some(guest.read_wide(buffer, length.into())?)
    };
    guest.process().heaps.free(0, buffer);
    Ok(text)
}

/// Stores text at `to`, of so many units, or in new memory; null with ERANGE when it does not fit.
pub(crate) fn give(
    guest: &mut Guest,
    text: &[u16],
    to: GuestWord,
    size: u64,
    wide: bool,
) -> Result<GuestWord, Fault> {
    let narrow = if wide { Vec::new() } else { crt(guest).narrow(text) };
    let length = if wide { text.len() } else { narrow.len() } as u64;
    if to.is_null() {
        return if wide { place_wide(guest, text) } else { place_narrow(guest, &narrow) }.map(GuestWord);
    }
    if length >= size {
        return set_errno(guest, ERANGE).map(|()| GuestWord::NULL);
    }
    if wide {
        write_wide_z(guest, to.0, text)?
    } else {
        write_narrow_z(guest, to.0, &narrow)?
    }
    Ok(to)
}

fn current_directory(guest: &mut Guest, to: GuestWord, size: i32, wide: bool) -> Result<GuestWord, Fault> {
    let text =
        text_of(guest, |guest, units, buffer| kernel32(guest, "GetCurrentDirectoryW", &[units, buffer]))?;
    give(guest, &text.unwrap_or_default(), to, size.max(0) as u64, wide)
}

fn full_path(
    guest: &mut Guest,
    to: GuestWord,
    path: GuestWord,
    size: u64,
    wide: bool,
) -> Result<GuestWord, Fault> {
    let path = if path.is_null() { Vec::new() } else { any_path(guest, path, wide)? };
    if path.is_empty() {
        return current_directory(guest, to, size.min(i32::MAX as u64) as i32, wide);
    }
    match text_of(guest, |guest, units, buffer| {
        on_path(guest, "GetFullPathNameW", &path, &[units, buffer, 0])
    })? {
        Some(text) => give(guest, &text, to, size, wide),
        None => set_errno(guest, ENOENT).map(|()| GuestWord::NULL),
    }
}

/// What the functions of the stat family find out.
struct Facts {
    mode: u16,
    device: u32,
    size: u64,
    /// Last access, last write and creation in seconds since 1970.
    times: [i64; 3],
}

/// How a `struct stat` is laid out: bytes of its size and of its times.
#[derive(Clone, Copy)]
struct Layout {
    size: u64,
    time: u64,
}

/// Returns the layout of `_stat` and its kin: where the name does not say how long times are, they are as pointers.
fn layout(guest: &Guest, size: u64, time: Option<u64>) -> Layout {
    Layout { size, time: time.unwrap_or(guest.machine().pointer_size()) }
}

fn store_facts(guest: &Guest, to: u64, facts: &Facts, layout: Layout) -> Result<(), Fault> {
    guest.write_bytes(to, &[0; 24])?;
    guest.write(to, &facts.device)?;
    guest.write(to + 6, &facts.mode)?;
    guest.write(to + 8, &1u16)?;
    guest.write(to + 16, &facts.device)?;
    let at_size = 20u64.next_multiple_of(layout.size);
    guest.write_bytes(to + at_size, &facts.size.to_le_bytes()[..layout.size as usize])?;
    let at_times = (at_size + layout.size).next_multiple_of(layout.time);
    for (index, time) in facts.times.iter().enumerate() {
        let at = to + at_times + index as u64 * layout.time;
        guest.write_bytes(at, &time.to_le_bytes()[..layout.time as usize])?;
    }
    Ok(())
}

/// Returns `st_mode`: kind and permissions, the owner's repeated for group and others.
fn mode_of(attributes: u32, name: &[u16]) -> u16 {
    let is_directory = attributes & DIRECTORY != 0;
    let text = String::from_utf16_lossy(name).to_ascii_lowercase();
    let runs = is_directory || [".exe", ".com", ".bat", ".cmd"].iter().any(|end| text.ends_with(end));
    let kind = if is_directory { 0x4000 } else { 0x8000 };
    let owner = 0x100 | if attributes & READ_ONLY == 0 { 0x80 } else { 0 } | if runs { 0x40 } else { 0 };
    kind | owner | owner >> 3 | owner >> 6
}

/// Reads a FILETIME as seconds since 1970.
pub(crate) fn read_time(guest: &Guest, address: u64) -> Result<i64, Fault> {
    let (low, high): (u32, u32) = (guest.read(address)?, guest.read(address + 4)?);
    Ok(file_time_to_unix((u64::from(high) << 32 | u64::from(low)) as i64).0)
}

fn stat_path(
    guest: &mut Guest,
    path: GuestWord,
    to: GuestWord,
    layout: Layout,
    wide: bool,
) -> Result<i32, Fault> {
    let path = any_path(guest, path, wide)?;
    if path.iter().any(|&unit| unit == u16::from(b'*') || unit == u16::from(b'?')) {
        return set_errno(guest, ENOENT).map(|()| -1);
    }
    let Some(buffer) = guest.process().heaps.allocate(0, 36, true) else { return Ok(-1) };
    let result = on_path(guest, "GetFileAttributesExW", &path, &[0, buffer])?;
    let done = checked(guest, result)?;
    if done == 0 {
        let attributes: u32 = guest.read(buffer)?;
        let (high, low): (u32, u32) = (guest.read(buffer + 28)?, guest.read(buffer + 32)?);
        let times =
            [read_time(guest, buffer + 12)?, read_time(guest, buffer + 20)?, read_time(guest, buffer + 4)?];
        let full = guest.process().files.full_path(&path).unwrap_or_default();
        let letter = full.first().map_or(0, |&unit| (unit | 0x20).wrapping_sub(u16::from(b'a')));
        let facts = Facts {
            mode: mode_of(attributes, &path),
            device: if letter < 26 { letter.into() } else { 0 },
            size: u64::from(high) << 32 | u64::from(low),
            times,
        };
        store_facts(guest, to.0, &facts, layout)?;
    }
    guest.process().heaps.free(0, buffer);
    Ok(done)
}

fn stat_descriptor(guest: &mut Guest, fd: i32, to: GuestWord, layout: Layout) -> Result<i32, Fault> {
    let Some(descriptor) = fd::get_or_errno(guest, fd)? else { return Ok(-1) };
    let mode = fd::mode(guest, fd);
    if mode.intersects(Mode::DEVICE | Mode::PIPE) {
        let kind = if mode.contains(Mode::PIPE) { 0x1000 } else { 0x2000 };
        let facts = Facts { mode: kind, device: fd as u32, size: 0, times: [0; 3] };
        return store_facts(guest, to.0, &facts, layout).map(|()| 0);
    }
    let Some(buffer) = guest.process().heaps.allocate(0, 52, true) else { return Ok(-1) };
    let result = kernel32(guest, "GetFileInformationByHandle", &[fd::handle(&descriptor), buffer])?;
    let done = checked(guest, result)?;
    if done == 0 {
        let attributes: u32 = guest.read(buffer)?;
        let (high, low): (u32, u32) = (guest.read(buffer + 32)?, guest.read(buffer + 36)?);
        let times =
            [read_time(guest, buffer + 12)?, read_time(guest, buffer + 20)?, read_time(guest, buffer + 4)?];
        let size = u64::from(high) << 32 | u64::from(low);
        store_facts(guest, to.0, &Facts { mode: mode_of(attributes, &[]), device: 0, size, times }, layout)?;
    }
    guest.process().heaps.free(0, buffer);
    Ok(done)
}

/// Splits a path: drive, directory with its last separator, name, extension with its point.
pub(crate) fn split(path: &[u16]) -> [&[u16]; 4] {
    let is = |unit: u16, byte: u8| unit == u16::from(byte);
    let (drive, rest) = if path.len() > 1 && is(path[1], b':') { path.split_at(2) } else { path.split_at(0) };
    let name_at = rest.iter().rposition(|&unit| is(unit, b'\\') || is(unit, b'/')).map_or(0, |at| at + 1);
    let (directory, file) = rest.split_at(name_at);
    let point = file.iter().rposition(|&unit| is(unit, b'.')).unwrap_or(file.len());
    let (name, extension) = file.split_at(point);
    [drive, directory, name, extension]
}

/// Joins what [`split`] splits; a separator and a point are added where they lack.
pub(crate) fn join(parts: &[Vec<u16>; 4]) -> Vec<u16> {
    let [drive, directory, name, extension] = parts;
    let mut path = Vec::new();
    if let Some(&letter) = drive.first() {
        path.extend([letter, u16::from(b':')]);
    }
    path.extend(directory);
    let ends = |unit: &u16| *unit == u16::from(b'\\') || *unit == u16::from(b'/');
    if directory.last().is_some_and(|last| !ends(last)) {
        path.push(u16::from(b'\\'));
    }
    path.extend(name);
    if extension.first().is_some_and(|&first| first != u16::from(b'.')) {
        path.push(u16::from(b'.'));
    }
    path.extend(extension);
    path
}

fn split_path(guest: &Guest, path: GuestWord, to: [GuestWord; 4], wide: bool) -> Result<(), Fault> {
    let path = any_path(guest, path, wide)?;
    for (part, to) in split(&path).into_iter().zip(to) {
        if to.is_null() {
            continue;
        }
        if wide {
            write_wide_z(guest, to.0, part)?
        } else {
            write_narrow_z(guest, to.0, &crt(guest).narrow(part))?
        }
    }
    Ok(())
}

fn make_path(guest: &Guest, to: GuestWord, parts: [GuestWord; 4], wide: bool) -> Result<(), Fault> {
    let mut texts: [Vec<u16>; 4] = Default::default();
    for (text, part) in texts.iter_mut().zip(parts) {
        if !part.is_null() {
            *text = any_path(guest, part, wide)?;
        }
    }
    let path = join(&texts);
    if wide {
        write_wide_z(guest, to.0, &path)
    } else {
        write_narrow_z(guest, to.0, &crt(guest).narrow(&path))
    }
}

/// Defines pairs of functions for narrow and wide paths.
macro_rules! pairs {
    ($($narrow:ident, $wide:ident($guest:ident, $path:ident $(, $param:ident: $type:ty)*), $doc:literal, $page:literal: $body:expr;)*) => {
        define! { $(
            $doc, $page;
            $narrow($guest, path: GuestWord $(, $param: $type)*) -> i32 {
                let $path = any_path($guest, path, false)?;
                $body
            }
            $doc, $page;
            $wide($guest, path: GuestWord $(, $param: $type)*) -> i32 {
                let $path = any_path($guest, path, true)?;
                $body
            }
        )* }
    };
}
pairs! {
    remove, _wremove(guest, path), "Removes a file; returns 0, or -1.", "remove-wremove": path_call(guest, "DeleteFileW", &path, &[]);
    _unlink, _wunlink(guest, path), "Removes a file; returns 0, or -1.", "unlink-wunlink": path_call(guest, "DeleteFileW", &path, &[]);
    _mkdir, _wmkdir(guest, path), "Makes a directory; returns 0, or -1.", "mkdir-wmkdir": path_call(guest, "CreateDirectoryW", &path, &[0]);
    _rmdir, _wrmdir(guest, path), "Removes an empty directory; returns 0, or -1.", "rmdir-wrmdir": path_call(guest, "RemoveDirectoryW", &path, &[]);
    _chdir, _wchdir(guest, path), "Changes the current directory; returns 0, or -1.", "chdir-wchdir": path_call(guest, "SetCurrentDirectoryW", &path, &[]);
    _access, _waccess(guest, path, mode: i32), "Says whether a file is there and may be used so: 0, or -1.", "access-waccess": access_path(guest, &path, mode);
    _access_s, _waccess_s(guest, path, mode: i32), "Says whether a file is there and may be used so: 0, or `errno`.", "access-s-waccess-s":
        if access_path(guest, &path, mode)? == 0 { Ok(0) } else { super::state::errno(guest) };
    _chmod, _wchmod(guest, path, pmode: i32), "Makes a file read-only, or not; returns 0, or -1.", "chmod-wchmod": chmod_path(guest, &path, pmode);
}

/// Defines the stat family: for a path, a wide path and an open file, the bytes of a size and of times.
macro_rules! stats {
    ($($narrow:ident, $wide:ident, $open:ident($size:literal, $time:expr);)*) => {
        define! { $(
            "Stores what is known of a file; returns 0, or -1.", "stat-functions";
            $narrow(guest, path: GuestWord, buffer: GuestWord) -> i32 {
                let layout = layout(guest, $size, $time);
                stat_path(guest, path, buffer, layout, false)
            }
            "Stores what is known of a file; returns 0, or -1.", "stat-functions";
            $wide(guest, path: GuestWord, buffer: GuestWord) -> i32 {
                let layout = layout(guest, $size, $time);
                stat_path(guest, path, buffer, layout, true)
            }
            "Stores what is known of an open file; returns 0, or -1.", "fstat-fstat32-fstat64-fstati64-fstat32i64-fstat64i32";
            $open(guest, fd: i32, buffer: GuestWord) -> i32 {
                let layout = layout(guest, $size, $time);
                stat_descriptor(guest, fd, buffer, layout)
            }
        )* }
    };
}
stats! {
    _stat, _wstat, _fstat(4, None);
    _stati64, _wstati64, _fstati64(8, None);
    _stat32, _wstat32, _fstat32(4, Some(4));
    _stat32i64, _wstat32i64, _fstat32i64(8, Some(4));
    _stat64i32, _wstat64i32, _fstat64i32(4, Some(8));
    _stat64, _wstat64, _fstat64(8, Some(8));
}

define! {
    "Renames a file or a directory; returns 0, or -1.", "rename-wrename";
    rename(guest, oldname: GuestWord, newname: GuestWord) -> i32 {
        let (from, to) = (read_path(guest, oldname)?, read_path(guest, newname)?);
        rename_to(guest, &from, &to)
    }
    "Renames a file or a directory; returns 0, or -1.", "rename-wrename";
    _wrename(guest, oldname: GuestWord, newname: GuestWord) -> i32 {
        let (from, to) = (guest.read_wide_string(oldname.0)?, guest.read_wide_string(newname.0)?);
        rename_to(guest, &from, &to)
    }
    "Returns the current directory, in the program's buffer or in new memory.", "getcwd-wgetcwd";
    _getcwd(guest, buffer: GuestWord, maxlen: i32) -> GuestWord {
        current_directory(guest, buffer, maxlen, false)
    }
    "Returns the current directory, in the program's buffer or in new memory.", "getcwd-wgetcwd";
    _wgetcwd(guest, buffer: GuestWord, maxlen: i32) -> GuestWord {
        current_directory(guest, buffer, maxlen, true)
    }
    "Returns the number of the current drive, 1 for A; 0 where there is none.", "getdrive";
    _getdrive(guest) -> i32 {
        let full = guest.process().files.full_path(&[u16::from(b'.')]).unwrap_or_default();
        let letter = full.first().map_or(0, |&unit| unit | 0x20);
        Ok(if (97..123).contains(&letter) { i32::from(letter) - 96 } else { 0 })
    }
    "Returns the whole path of a name, in the program's buffer or in new memory.", "fullpath-wfullpath";
    _fullpath(guest, absPath: GuestWord, relPath: GuestWord, maxLength: GuestWord) -> GuestWord {
        full_path(guest, absPath, relPath, maxLength.0, false)
    }
    "Returns the whole path of a name, in the program's buffer or in new memory.", "fullpath-wfullpath";
    _wfullpath(guest, absPath: GuestWord, relPath: GuestWord, maxLength: GuestWord) -> GuestWord {
        full_path(guest, absPath, relPath, maxLength.0, true)
    }
    "Splits a path into drive, directory, name and extension.", "splitpath-wsplitpath";
    _splitpath(guest, path: GuestWord, drive: GuestWord, dir: GuestWord, fname: GuestWord, ext: GuestWord) -> () {
        split_path(guest, path, [drive, dir, fname, ext], false)
    }
    "Splits a path into drive, directory, name and extension.", "splitpath-wsplitpath";
    _wsplitpath(guest, path: GuestWord, drive: GuestWord, dir: GuestWord, fname: GuestWord, ext: GuestWord) -> () {
        split_path(guest, path, [drive, dir, fname, ext], true)
    }
    "Joins drive, directory, name and extension to a path.", "makepath-wmakepath";
    _makepath(guest, path: GuestWord, drive: GuestWord, dir: GuestWord, fname: GuestWord, ext: GuestWord) -> () {
        make_path(guest, path, [drive, dir, fname, ext], false)
    }
    "Joins drive, directory, name and extension to a path.", "makepath-wmakepath";
    _wmakepath(guest, path: GuestWord, drive: GuestWord, dir: GuestWord, fname: GuestWord, ext: GuestWord) -> () {
        make_path(guest, path, [drive, dir, fname, ext], true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    #[test]
    fn paths_are_split_and_joined() {
        let cases = [
            (r"C:\dir\file.ext", ["C:", r"\dir\", "file", ".ext"]),
            ("a/b/c", ["", "a/b/", "c", ""]),
            ("x.tar.gz", ["", "", "x.tar", ".gz"]),
            (r"Z:", ["Z:", "", "", ""]),
        ];
        for (path, expected) in cases {
            let units = wide(path);
            let parts = split(&units).map(String::from_utf16_lossy);
            assert_eq!(parts, expected, "{path}");
            assert_eq!(String::from_utf16_lossy(&join(&expected.map(wide))), path);
        }
        assert_eq!(String::from_utf16_lossy(&join(&["C", "dir", "f", "txt"].map(wide))), r"C:dir\f.txt");
    }

    #[test]
    fn modes_say_kind_and_permissions() {
        assert_eq!(mode_of(DIRECTORY, &[]), 0x41ff);
        assert_eq!(mode_of(0x20, &wide("a.TXT")), 0x81b6);
        assert_eq!(mode_of(READ_ONLY, &wide("a.Exe")), 0x816d);
    }
}
