//! Paths in buffers of known size, searching along variables, names made from templates, drives, file times, the mask.

use std::sync::atomic::Ordering;

use plat_abi::{Fault, GuestWord, Memory, winapi};

use super::define::define;
use super::errno::{EACCES, EEXIST, EINVAL, ENOENT, ERANGE};
use super::fd;
use super::files::{any_path, attributes, checked, give, join, on_path, split, text_of};
use super::state::{crt, set_errno, set_win32_errno, write_narrow_z, write_wide_z};
use super::system::kernel32;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::time::unix_to_file_time;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full _splitpath_s; full _wsplitpath_s; full _makepath_s; full _wmakepath_s;
    full _searchenv; full _wsearchenv; full _searchenv_s; full _wsearchenv_s;
    full _mktemp; full "mktemp" = _mktemp; full _wmktemp; full _mktemp_s; full _wmktemp_s;
    full _umask; full "umask" = _umask; full _umask_s;
    full _chdrive; full _getdrives; full _getdcwd; full _wgetdcwd;
    full _utime; full "utime" = _utime; full _utime32; full _utime64; full _wutime; full _wutime32; full _wutime64;
    full _futime; full _futime32; full _futime64;
};

/// Stores text in a buffer of so many units; ERANGE, and an empty text, when it does not fit.
pub(crate) fn store(
    guest: &mut Guest,
    to: GuestWord,
    size: u64,
    text: &[u16],
    wide: bool,
) -> Result<i32, Fault> {
    let narrow = crt(guest).narrow(text);
    let length = if wide { text.len() } else { narrow.len() } as u64;
    let fits = length < size;
    if wide {
        write_wide_z(guest, to.0, if fits { text } else { &[] })?;
    } else {
        write_narrow_z(guest, to.0, if fits { &narrow } else { &[] })?;
    }
    if fits { Ok(0) } else { set_errno(guest, ERANGE).map(|()| ERANGE) }
}

/// Splits a path into buffers with sizes; all are empty when one is too small.
fn split_into(
    guest: &mut Guest,
    path: GuestWord,
    to: [(GuestWord, u64); 4],
    wide: bool,
) -> Result<i32, Fault> {
    let is_odd = |&(buffer, size): &(GuestWord, u64)| buffer.is_null() != (size == 0);
    if path.is_null() || to.iter().any(is_odd) {
        return set_errno(guest, EINVAL).map(|()| EINVAL);
    }
    let path = any_path(guest, path, wide)?;
    for (part, (buffer, size)) in split(&path).into_iter().zip(to) {
        if !buffer.is_null() && store(guest, buffer, size, part, wide)? != 0 {
            for (buffer, _) in to.into_iter().filter(|(buffer, _)| !buffer.is_null()) {
                guest.write_bytes(buffer.0, if wide { &[0, 0] } else { &[0] })?;
            }
            return Ok(ERANGE);
        }
    }
    Ok(0)
}

fn make_into(
    guest: &mut Guest,
    to: GuestWord,
    size: u64,
    parts: [GuestWord; 4],
    wide: bool,
) -> Result<i32, Fault> {
    if to.is_null() || size == 0 {
        return set_errno(guest, EINVAL).map(|()| EINVAL);
    }
    let mut texts: [Vec<u16>; 4] = Default::default();
    for (text, part) in texts.iter_mut().zip(parts) {
        if !part.is_null() {
            *text = any_path(guest, part, wide)?;
        }
    }
    store(guest, to, size, &join(&texts), wide)
}

/// Looks for a file in the current directory, then in the directories of a variable; returns its whole path.
fn search(guest: &mut Guest, file: &[u16], variable: &[u16]) -> Result<Option<Vec<u16>>, Fault> {
    let full = |guest: &mut Guest, path: &[u16]| {
        text_of(guest, |guest, units, buffer| on_path(guest, "GetFullPathNameW", path, &[units, buffer, 0]))
    };
    if attributes(guest, file)?.is_some() {
        return full(guest, file);
    }
    let list = text_of(guest, |guest, units, buffer| {
        on_path(guest, "GetEnvironmentVariableW", variable, &[buffer, units])
    })?;
    for directory in
        list.unwrap_or_default().split(|&unit| unit == u16::from(b';')).filter(|part| !part.is_empty())
    {
        let mut path = directory.to_vec();
        if !matches!(path.last(), Some(0x5c | 0x2f | 0x3a)) {
            path.push(u16::from(b'\\'));
        }
        path.extend(file);
        if attributes(guest, &path)?.is_some() {
            return full(guest, &path);
        }
    }
    set_errno(guest, ENOENT)?;
    Ok(None)
}

fn search_into(guest: &mut Guest, texts: [GuestWord; 3], size: u64, wide: bool) -> Result<i32, Fault> {
    let [file, variable, to] = texts;
    let (file, variable) = (any_path(guest, file, wide)?, any_path(guest, variable, wide)?);
    match search(guest, &file, &variable)? {
        Some(path) => store(guest, to, size, &path, wide),
        None => {
            guest.write_bytes(to.0, if wide { &[0, 0] } else { &[0] })?;
            Ok(ENOENT)
        }
    }
}

/// Replaces the last six units, all `X`, by a letter and the process's number, so that no file has the name.
fn make_name(guest: &mut Guest, template: &mut [u16]) -> Result<bool, Fault> {
    const PLACES: usize = 6;
    let start = template.len().saturating_sub(PLACES);
    if template.len() < PLACES || template[start..].iter().any(|&unit| unit != u16::from(b'X')) {
        return set_errno(guest, EINVAL).map(|()| false);
    }
    let number = format!("{:05}", super::system::_getpid(guest) % 100_000);
    for letter in b'a'..=b'z' {
        let name = std::iter::once(letter).chain(number.bytes());
        for (place, byte) in template[start..].iter_mut().zip(name) {
            *place = byte.into();
        }
        if attributes(guest, template)?.is_none() {
            return Ok(true);
        }
    }
    set_errno(guest, EEXIST).map(|()| false)
}

/// Fills in a template where it lies; says whether a name was found. `errno` stays when one was.
fn fill_template(guest: &mut Guest, template: GuestWord, wide: bool) -> Result<bool, Fault> {
    let before = super::state::errno(guest)?;
    let mut text = any_path(guest, template, wide)?;
    let done = make_name(guest, &mut text)?;
    if done {
        set_errno(guest, before)?;
        if wide {
            write_wide_z(guest, template.0, &text)?;
        } else {
            let narrow = crt(guest).narrow(&text);
            write_narrow_z(guest, template.0, &narrow)?;
        }
    }
    Ok(done)
}

/// Reads a `struct _utimbuf` (access, then modification), or the time now; as FILETIMEs.
fn read_times(guest: &mut Guest, times: GuestWord, size: u64) -> Result<[i64; 2], Fault> {
    if times.is_null() {
        let now = super::time::now(guest)?;
        return Ok([now, now]);
    }
    let mut pair = [0; 2];
    for (index, time) in pair.iter_mut().enumerate() {
        let at = times.0 + index as u64 * size;
        let seconds = if size == 8 { guest.read::<i64>(at)? } else { guest.read::<i32>(at)?.into() };
        *time = unix_to_file_time(seconds, 0);
    }
    Ok(pair)
}

/// Sets the times of an open file.
fn set_times(guest: &mut Guest, handle: u64, times: [i64; 2]) -> Result<i32, Fault> {
    let Some(buffer) = guest.process().heaps.allocate(0, 16, false) else { return Ok(-1) };
    guest.write(buffer, &times[0])?;
    guest.write(buffer + 8, &times[1])?;
    let result = kernel32(guest, "SetFileTime", &[handle, 0, buffer, buffer + 8])?;
    guest.process().heaps.free(0, buffer);
    checked(guest, result)
}

fn set_path_times(
    guest: &mut Guest,
    path: GuestWord,
    times: GuestWord,
    size: u64,
    wide: bool,
) -> Result<i32, Fault> {
    const FILE_WRITE_ATTRIBUTES: u64 = 0x100;
    const SHARE_ALL: u64 = 7;
    const OPEN_EXISTING: u64 = 3;
    const BACKUP_SEMANTICS: u64 = 0x0200_0000;
    let times = read_times(guest, times, size)?;
    let path = any_path(guest, path, wide)?;
    let Some(flags) = attributes(guest, &path)? else { return Ok(-1) };
    if flags & 1 != 0 {
        return set_errno(guest, EACCES).map(|()| -1);
    }
    let more = [FILE_WRITE_ATTRIBUTES, SHARE_ALL, 0, OPEN_EXISTING, BACKUP_SEMANTICS, 0];
    let handle = on_path(guest, "CreateFileW", &path, &more)?;
    if handle as u32 == u32::MAX {
        let error = guest.teb().last_error();
        return set_win32_errno(guest, error).map(|()| -1);
    }
    let result = set_times(guest, handle, times)?;
    kernel32(guest, "CloseHandle", &[handle])?;
    Ok(result)
}

fn set_descriptor_times(guest: &mut Guest, fd: i32, times: GuestWord, size: u64) -> Result<i32, Fault> {
    let times = read_times(guest, times, size)?;
    let Some(descriptor) = fd::get_or_errno(guest, fd)? else { return Ok(-1) };
    set_times(guest, fd::handle(&descriptor), times)
}

/// Defines the family of file times: path narrow, path wide, descriptor; bytes of a time.
macro_rules! times {
    ($($narrow:ident, $wide:ident, $open:ident: $size:expr;)*) => {$(
        /// Sets a file's times of access and modification, to now for null; returns 0, or -1.
        ///
        /// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/utime-utime32-utime64-wutime-wutime32-wutime64>
        #[winapi(cdecl)]
        pub fn $narrow(guest: &mut Guest, filename: GuestWord, times: GuestWord) -> Result<i32, Fault> {
            let size: fn(&Guest) -> u64 = $size;
            let size = size(guest);
            set_path_times(guest, filename, times, size, false)
        }

        /// Sets a file's times of access and modification, to now for null; returns 0, or -1.
        ///
        /// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/utime-utime32-utime64-wutime-wutime32-wutime64>
        #[winapi(cdecl)]
        pub fn $wide(guest: &mut Guest, filename: GuestWord, times: GuestWord) -> Result<i32, Fault> {
            let size: fn(&Guest) -> u64 = $size;
            let size = size(guest);
            set_path_times(guest, filename, times, size, true)
        }

        /// Sets an open file's times of access and modification, to now for null; returns 0, or -1.
        ///
        /// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/futime-futime32-futime64>
        #[winapi(cdecl)]
        pub fn $open(guest: &mut Guest, fd: i32, times: GuestWord) -> Result<i32, Fault> {
            let size: fn(&Guest) -> u64 = $size;
            let size = size(guest);
            set_descriptor_times(guest, fd, times, size)
        }
    )*};
}
times! {
    _utime, _wutime, _futime: |guest| guest.machine().pointer_size();
    _utime32, _wutime32, _futime32: |_| 4;
    _utime64, _wutime64, _futime64: |_| 8;
}

define! {
    "Splits a path into buffers of known sizes; EINVAL or ERANGE.", "splitpath-s-wsplitpath-s";
    _splitpath_s(guest, path: GuestWord, drive: GuestWord, driveNumberOfElements: GuestWord, dir: GuestWord, dirNumberOfElements: GuestWord, fname: GuestWord, nameNumberOfElements: GuestWord, ext: GuestWord, extNumberOfElements: GuestWord) -> i32 {
        let to = [(drive, driveNumberOfElements.0), (dir, dirNumberOfElements.0), (fname, nameNumberOfElements.0), (ext, extNumberOfElements.0)];
        split_into(guest, path, to, false)
    }

    "Splits a path into buffers of known sizes; EINVAL or ERANGE.", "splitpath-s-wsplitpath-s";
    _wsplitpath_s(guest, path: GuestWord, drive: GuestWord, driveNumberOfElements: GuestWord, dir: GuestWord, dirNumberOfElements: GuestWord, fname: GuestWord, nameNumberOfElements: GuestWord, ext: GuestWord, extNumberOfElements: GuestWord) -> i32 {
        let to = [(drive, driveNumberOfElements.0), (dir, dirNumberOfElements.0), (fname, nameNumberOfElements.0), (ext, extNumberOfElements.0)];
        split_into(guest, path, to, true)
    }

    "Joins a path in a buffer of known size; EINVAL or ERANGE.", "makepath-s-wmakepath-s";
    _makepath_s(guest, path: GuestWord, sizeInCharacters: GuestWord, drive: GuestWord, dir: GuestWord, fname: GuestWord, ext: GuestWord) -> i32 {
        make_into(guest, path, sizeInCharacters.0, [drive, dir, fname, ext], false)
    }

    "Joins a path in a buffer of known size; EINVAL or ERANGE.", "makepath-s-wmakepath-s";
    _wmakepath_s(guest, path: GuestWord, sizeInCharacters: GuestWord, drive: GuestWord, dir: GuestWord, fname: GuestWord, ext: GuestWord) -> i32 {
        make_into(guest, path, sizeInCharacters.0, [drive, dir, fname, ext], true)
    }

    "Looks for a file along a variable; an empty text when it is nowhere.", "searchenv-wsearchenv";
    _searchenv(guest, filename: GuestWord, varname: GuestWord, pathname: GuestWord) -> () {
        search_into(guest, [filename, varname, pathname], 260, false).map(|_| ())
    }

    "Looks for a file along a variable; an empty text when it is nowhere.", "searchenv-wsearchenv";
    _wsearchenv(guest, filename: GuestWord, varname: GuestWord, pathname: GuestWord) -> () {
        search_into(guest, [filename, varname, pathname], 260, true).map(|_| ())
    }

    "Looks for a file along a variable; ENOENT when it is nowhere.", "searchenv-s-wsearchenv-s";
    _searchenv_s(guest, filename: GuestWord, varname: GuestWord, pathname: GuestWord, numberOfElements: GuestWord) -> i32 {
        search_into(guest, [filename, varname, pathname], numberOfElements.0, false)
    }

    "Looks for a file along a variable; ENOENT when it is nowhere.", "searchenv-s-wsearchenv-s";
    _wsearchenv_s(guest, filename: GuestWord, varname: GuestWord, pathname: GuestWord, numberOfElements: GuestWord) -> i32 {
        search_into(guest, [filename, varname, pathname], numberOfElements.0, true)
    }

    "Makes a name that no file has of a template that ends in six letters X; null when there is none.", "mktemp-wmktemp";
    _mktemp(guest, nameTemplate: GuestWord) -> GuestWord {
        Ok(if fill_template(guest, nameTemplate, false)? { nameTemplate } else { GuestWord::NULL })
    }

    "Makes a name that no file has of a template that ends in six letters X; null when there is none.", "mktemp-wmktemp";
    _wmktemp(guest, nameTemplate: GuestWord) -> GuestWord {
        Ok(if fill_template(guest, nameTemplate, true)? { nameTemplate } else { GuestWord::NULL })
    }

    "Makes a name that no file has of a template that ends in six letters X; returns 0, or `errno`.", "mktemp-s-wmktemp-s";
    _mktemp_s(guest, nameTemplate: GuestWord, sizeInChars: GuestWord) -> i32 {
        let _ = sizeInChars;
        if fill_template(guest, nameTemplate, false)? { Ok(0) } else { super::state::errno(guest) }
    }

    "Makes a name that no file has of a template that ends in six letters X; returns 0, or `errno`.", "mktemp-s-wmktemp-s";
    _wmktemp_s(guest, nameTemplate: GuestWord, sizeInChars: GuestWord) -> i32 {
        let _ = sizeInChars;
        if fill_template(guest, nameTemplate, true)? { Ok(0) } else { super::state::errno(guest) }
    }

    "Sets the permissions that new files do not get; returns the mask before.", "umask";
    _umask(guest, pmode: i32) -> i32 { Ok(crt(guest).mask.swap(pmode & 0x180, Ordering::Relaxed)) }

    "Sets the permissions that new files do not get, and stores the mask before.", "umask-s";
    _umask_s(guest, mode: i32, pOldMode: GuestWord) -> i32 {
        if pOldMode.is_null() || mode & !0x180 != 0 {
            return set_errno(guest, EINVAL).map(|()| EINVAL);
        }
        let before = crt(guest).mask.swap(mode, Ordering::Relaxed);
        guest.write(pOldMode.0, &before).map(|()| 0)
    }

    "Changes the current drive, 1 for A; returns 0, or -1.", "chdrive";
    _chdrive(guest, drive: i32) -> i32 {
        if !(1..=26).contains(&drive) {
            return set_errno(guest, EACCES).map(|()| -1);
        }
        let root = [u16::from(b'@') + drive as u16, u16::from(b':')];
        let result = on_path(guest, "SetCurrentDirectoryW", &root, &[])?;
        checked(guest, result)
    }

    "Returns the drives that are there, bit 0 for A.", "getdrives";
    _getdrives(guest) -> u32 { kernel32(guest, "GetLogicalDrives", &[]).map(|drives| drives as u32) }

    "Returns the current directory of a drive, in the program's buffer or in new memory.", "getdcwd-wgetdcwd";
    _getdcwd(guest, drive: i32, buffer: GuestWord, maxlen: i32) -> GuestWord { drive_directory(guest, drive, buffer, maxlen, false) }

    "Returns the current directory of a drive, in the program's buffer or in new memory.", "getdcwd-wgetdcwd";
    _wgetdcwd(guest, drive: i32, buffer: GuestWord, maxlen: i32) -> GuestWord { drive_directory(guest, drive, buffer, maxlen, true) }
}

fn drive_directory(
    guest: &mut Guest,
    drive: i32,
    to: GuestWord,
    size: i32,
    wide: bool,
) -> Result<GuestWord, Fault> {
    if !(0..=26).contains(&drive) {
        return set_errno(guest, EACCES).map(|()| GuestWord::NULL);
    }
    let mut path = vec![u16::from(b'.')];
    if drive > 0 {
        path = vec![u16::from(b'@') + drive as u16, u16::from(b':'), u16::from(b'.')];
    }
    let text = text_of(guest, |guest, units, buffer| {
        on_path(guest, "GetFullPathNameW", &path, &[units, buffer, 0])
    })?;
    give(guest, &text.unwrap_or_default(), to, size.max(0) as u64, wide)
}
