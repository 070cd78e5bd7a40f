//! Full, long, short and final paths; temporary files; SearchPath.

use plat_abi::{GuestWord, Memory};

use super::open::file;
use super::text::{path, put};
use crate::Win32Error;
use crate::guest::Guest;
use crate::logic::nls::case::equal_ignore_case;
use crate::logic::path::unix_name_to_wide;
use crate::nt::file::access;
use crate::nt::file_open::{CreateOptions, Disposition, Request};
use crate::widths::{Width, both_widths};

const BACKSLASH: u16 = b'\\' as u16;

fn text(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

/// Returns where the last name of a full path begins, if it has one.
fn file_part(full: &[u16]) -> Option<usize> {
    let at = full.iter().rposition(|&unit| unit == BACKSLASH)? + 1;
    (at < full.len()).then_some(at)
}

/// Stores a full path and the address of its last name.
fn put_full(
    guest: &Guest,
    full: &[u16],
    capacity: u32,
    buffer: GuestWord,
    part: GuestWord,
    width: Width,
) -> Result<u32, Win32Error> {
    let length = put(guest, width, buffer, capacity, full)?;
    let fits = !buffer.is_null() && length < capacity;
    if !part.is_null() && fits {
        let at = file_part(full).map_or(0, |at| {
            let units =
                if width.is_wide() { at * 2 } else { guest.process().files.narrow(&full[..at]).len() };
            buffer.0 + units as u64
        });
        guest.write_word(part.0, at)?;
    }
    Ok(length)
}

both_widths! {
    /// Stores the full path of a file name; looks at no disk.
    "fileapi/nf-fileapi-getfullpathname"
    GetFullPathNameA, GetFullPathNameW(
        guest, width, lpFileName: GuestWord, nBufferLength: u32, lpBuffer: GuestWord, lpFilePart: GuestWord
    ) -> Result<u32, Win32Error> {
        let full = guest.process().files.full_path(&path(guest, width, lpFileName)?)?;
        put_full(guest, &full, nBufferLength, lpBuffer, lpFilePart, width)
    }
}

/// Returns a path in the spelling of the disk, in the form in which it was given.
fn spelled(guest: &Guest, path: &[u16]) -> Result<Vec<u16>, Win32Error> {
    let found = guest.process().files.locate(path)?;
    let mut names: Vec<Vec<u16>> = found.iter().map(unix_name_to_wide).collect();
    let mut parts: Vec<Vec<u16>> = path.split(|&unit| unit == BACKSLASH).map(<[u16]>::to_vec).collect();
    for part in parts.iter_mut().rev() {
        match names.pop() {
            Some(name) if equal_ignore_case(&name, part) => *part = name,
            _ => break,
        }
    }
    Ok(parts.join(&BACKSLASH))
}

both_widths! {
    /// Stores an existing path in the spelling of the disk.
    "fileapi/nf-fileapi-getlongpathname"
    GetLongPathNameA, GetLongPathNameW(
        guest, width, lpszShortPath: GuestWord, lpszLongPath: GuestWord, cchBuffer: u32
    ) -> Result<u32, Win32Error> {
        let long = spelled(guest, &path(guest, width, lpszShortPath)?)?;
        put(guest, width, lpszLongPath, cchBuffer, &long)
    }

    /// Stores an existing path as it is: there are no short names, as on volumes where they are switched off.
    "fileapi/nf-fileapi-getshortpathname"
    GetShortPathNameA, GetShortPathNameW(
        guest, width, lpszLongPath: GuestWord, lpszShortPath: GuestWord, cchBuffer: u32
    ) -> Result<u32, Win32Error> {
        let long = path(guest, width, lpszLongPath)?;
        guest.process().files.locate(&long)?;
        put(guest, width, lpszShortPath, cchBuffer, &long)
    }
}

const VOLUME_NAME_DOS: u32 = 0;
const VOLUME_NAME_NONE: u32 = 4;

both_widths! {
    /// Stores the path of an open file.
    "fileapi/nf-fileapi-getfinalpathnamebyhandle"
    GetFinalPathNameByHandleA, GetFinalPathNameByHandleW(
        guest, width, hFile: GuestWord, lpszFilePath: GuestWord, cchFilePath: u32, dwFlags: u32
    ) -> Result<u32, Win32Error> {
        let path = final_path(guest, hFile, dwFlags)?;
        put(guest, width, lpszFilePath, cchFilePath, &path)
    }
}

/// Returns the path of an open file in the form that the flags ask for.
fn final_path(guest: &Guest, hFile: GuestWord, dwFlags: u32) -> Result<Vec<u16>, Win32Error> {
    let unix = file(guest, hFile, 0)?.unix_path().ok_or(Win32Error::INVALID_HANDLE)?;
    // The final path has no symbolic links in it.
    let unix = plat_host::file_path::resolved(&unix).unwrap_or(unix);
    let path = guest.process().files.win32_path(&unix);
    match dwFlags & 7 {
        VOLUME_NAME_DOS => Ok([text(r"\\?\"), path].concat()),
        VOLUME_NAME_NONE => Ok(path.get(2..).unwrap_or(&[]).to_vec()),
        _ => Err(Win32Error::PATH_NOT_FOUND),
    }
}

/// Returns the directory for temporary files, with a last backslash.
fn temporary_directory(guest: &Guest) -> Result<Vec<u16>, Win32Error> {
    let variable = |name: &str| guest.process().environment.get(guest.process(), &text(name));
    let found = ["TMP", "TEMP", "USERPROFILE", "SystemRoot"].into_iter().find_map(variable);
    let mut path = guest.process().files.full_path(&found.unwrap_or_else(|| text(r"Z:\tmp")))?;
    if path.last() != Some(&BACKSLASH) {
        path.push(BACKSLASH);
    }
    Ok(path)
}

both_widths! {
    /// Stores the directory for temporary files.
    "fileapi/nf-fileapi-gettemppath"
    GetTempPathA, GetTempPathW(
        guest, width, nBufferLength: u32, lpBuffer: GuestWord
    ) -> Result<u32, Win32Error> {
        put(guest, width, lpBuffer, nBufferLength, &temporary_directory(guest)?)
    }

    /// Stores the directory for temporary files: no process here is the system's own, which has another.
    "fileapi/nf-fileapi-gettemppath2"
    GetTempPath2A, GetTempPath2W(
        guest, width, BufferLength: u32, Buffer: GuestWord
    ) -> Result<u32, Win32Error> {
        put(guest, width, Buffer, BufferLength, &temporary_directory(guest)?)
    }
}

fn temporary_name(directory: &[u16], prefix: &[u16], number: u16) -> Vec<u16> {
    let mut name = directory.to_vec();
    if name.last() != Some(&BACKSLASH) {
        name.push(BACKSLASH);
    }
    name.extend(prefix.iter().take(3));
    name.extend(text(&format!("{number:X}.tmp")));
    name
}

/// Makes the name of a temporary file; with `unique` 0 also the file.
fn make_temporary(
    guest: &Guest,
    directory: &[u16],
    prefix: &[u16],
    unique: u32,
) -> Result<(Vec<u16>, u32), Win32Error> {
    let files = &guest.process().files;
    let directory = files.full_path(directory)?;
    if unique as u16 != 0 {
        return Ok((temporary_name(&directory, prefix, unique as u16), unique & 0xffff));
    }
    let found = files.locate(&directory).ok().and_then(|found| files.facts(&found).ok());
    if !found.is_some_and(|facts| facts.is_directory()) {
        return Err(Win32Error::DIRECTORY);
    }
    let request = Request {
        access: access::FILE_WRITE,
        share: 0,
        disposition: Disposition::Create,
        options: CreateOptions::NON_DIRECTORY_FILE,
        attributes: 0,
        mode: None,
    };
    let start = plat_host::environment::random_u32() as u16;
    for step in 0..=u16::MAX {
        let number = start.wrapping_add(step);
        let name = temporary_name(&directory, prefix, number);
        if number == 0 {
            continue;
        }
        match files.open(files.resolve_file(&name)?, &request) {
            Ok(_) => return Ok((name, u32::from(number))),
            Err(crate::NtStatus::OBJECT_NAME_COLLISION) => {}
            Err(status) => return Err(status.to_win32()),
        }
    }
    Err(Win32Error::FILE_EXISTS)
}

both_widths! {
    /// Makes the name of a temporary file, and the file.
    "fileapi/nf-fileapi-gettempfilename"
    GetTempFileNameA, GetTempFileNameW(
        guest, width, lpPathName: GuestWord, lpPrefixString: GuestWord, uUnique: u32,
        lpTempFileName: GuestWord
    ) -> Result<u32, Win32Error> {
        let prefix =
            if lpPrefixString.is_null() { Vec::new() } else { path(guest, width, lpPrefixString)? };
        let (name, number) = make_temporary(guest, &path(guest, width, lpPathName)?, &prefix, uUnique)?;
        put(guest, width, lpTempFileName, u32::MAX, &name)?;
        Ok(number)
    }
}

/// Returns the directories that SearchPath looks in by default: the program's, the system's, the current one, PATH.
pub(crate) fn search_directories(guest: &Guest) -> Vec<u16> {
    let process = guest.process();
    let program = &process.start.program;
    let mut list = program[..program.iter().rposition(|&unit| unit == BACKSLASH).unwrap_or(0)].to_vec();
    list.extend(text(r";C:\windows\system32;C:\windows;.;"));
    list.extend(process.environment.get(process, &text("PATH")).unwrap_or_default());
    list
}

/// Finds a file in a list of directories; the extension is for a name without one.
pub(crate) fn search(
    guest: &Guest,
    list: &[u16],
    name: &[u16],
    extension: &[u16],
) -> Result<Vec<u16>, Win32Error> {
    let files = &guest.process().files;
    let last = file_part(name).map_or(name, |at| &name[at..]);
    let mut name = name.to_vec();
    if !last.contains(&u16::from(b'.')) {
        name.extend_from_slice(extension);
    }
    let is_path =
        name.contains(&BACKSLASH) || name.contains(&u16::from(b'/')) || name.get(1) == Some(&u16::from(b':'));
    let directories: Vec<&[u16]> =
        if is_path { vec![&[]] } else { list.split(|&unit| unit == u16::from(b';')).collect() };
    for directory in directories {
        let candidate = match directory {
            [] if !is_path => continue,
            [] => name.clone(),
            _ => [directory, &[BACKSLASH], &name].concat(),
        };
        if files.locate(&candidate).is_ok() {
            return files.full_path(&candidate);
        }
    }
    Err(Win32Error::FILE_NOT_FOUND)
}

both_widths! {
    /// Looks for a file in a list of directories.
    "processenv/nf-processenv-searchpath"
    SearchPathA, SearchPathW(
        guest, width, lpPath: GuestWord, lpFileName: GuestWord, lpExtension: GuestWord, nBufferLength: u32,
        lpBuffer: GuestWord, lpFilePart: GuestWord
    ) -> Result<u32, Win32Error> {
        if lpFileName.is_null() {
            return Err(Win32Error::INVALID_PARAMETER);
        }
        let list = if lpPath.is_null() { search_directories(guest) } else { path(guest, width, lpPath)? };
        let extension = if lpExtension.is_null() { Vec::new() } else { path(guest, width, lpExtension)? };
        let found = search(guest, &list, &path(guest, width, lpFileName)?, &extension)?;
        put_full(guest, &found, nBufferLength, lpBuffer, lpFilePart, width)
    }
}
