//! winbase.h: settings in `.ini` files. The registry takes none of them over, as on a Windows without such mappings.

use std::path::PathBuf;

use plat_abi::{Fault, GuestWord, Memory};

use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::logic::path::Found;
use crate::logic::profile_text::{self as rules, ProfileText};
use crate::nt::nls;
use crate::nt::path::status_of;
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full GetPrivateProfileStringA; full GetPrivateProfileStringW; full GetPrivateProfileIntA; full GetPrivateProfileIntW;
    full GetPrivateProfileSectionA; full GetPrivateProfileSectionW;
    full GetPrivateProfileSectionNamesA; full GetPrivateProfileSectionNamesW;
    full GetPrivateProfileStructA; full GetPrivateProfileStructW;
    full WritePrivateProfileStringA; full WritePrivateProfileStringW;
    full WritePrivateProfileSectionA; full WritePrivateProfileSectionW;
    full WritePrivateProfileStructA; full WritePrivateProfileStructW;
    full GetProfileStringA; full GetProfileStringW; full GetProfileIntA; full GetProfileIntW;
    full GetProfileSectionA; full GetProfileSectionW;
    full WriteProfileStringA; full WriteProfileStringW; full WriteProfileSectionA; full WriteProfileSectionW;
};

/// Where files lie that are named without a folder.
const FOLDER: &str = r"C:\Windows\";
/// The file of the functions that name none.
const COMMON: &str = "win.ini";
/// What a file in UTF-16 begins with.
const UTF16_MARK: [u8; 2] = [0xff, 0xfe];

/// Returns the path of a file on Linux, and whether it is there.
fn file(guest: &Guest, width: Width, name: GuestWord) -> Result<(PathBuf, bool), Win32Error> {
    let mut name = width.read(guest, name)?;
    if name.is_empty() {
        name = COMMON.encode_utf16().collect();
    }
    if !name.iter().any(|unit| [b'\\', b'/', b':'].map(u16::from).contains(unit)) {
        name.splice(0..0, FOLDER.encode_utf16());
    }
    let files = &guest.process().files;
    match files.find(&files.resolve_file(&name)?) {
        Found::Exists(path) => Ok((path, true)),
        Found::NameMissing(path) => Ok((path, false)),
        Found::DirectoryMissing(_) => Err(Win32Error::PATH_NOT_FOUND),
    }
}

fn decode(bytes: &[u8]) -> (ProfileText, bool) {
    match bytes.strip_prefix(&UTF16_MARK) {
        Some(rest) => {
            let units: Vec<u16> =
                rest.chunks_exact(2).map(|two| u16::from_le_bytes([two[0], two[1]])).collect();
            (ProfileText::parse(&units), true)
        }
        None => (ProfileText::parse(&nls::widen(bytes)), false),
    }
}

fn encode(text: &ProfileText, is_utf16: bool) -> Vec<u8> {
    let units = text.text();
    match is_utf16 {
        true => UTF16_MARK.into_iter().chain(units.into_iter().flat_map(u16::to_le_bytes)).collect(),
        false => nls::narrow(&units),
    }
}

/// Reads a file; one that is not there is empty, and the last error says so.
fn load(guest: &Guest, width: Width, name: GuestWord) -> ProfileText {
    let read = file(guest, width, name).and_then(|(path, _)| {
        let bytes = plat_host::shared_text::read(&path).map_err(status_of)?;
        Ok(decode(&bytes).0)
    });
    read.unwrap_or_else(|_| {
        guest.teb().set_last_error(Win32Error::FILE_NOT_FOUND);
        ProfileText::default()
    })
}

/// Changes a file; only a change that adds something makes one.
fn store(
    guest: &Guest,
    width: Width,
    name: GuestWord,
    adds: bool,
    change: impl FnOnce(&mut ProfileText),
) -> Result<Bool, Win32Error> {
    let (path, is_there) = file(guest, width, name)?;
    if !is_there && !adds {
        return Err(Win32Error::FILE_NOT_FOUND);
    }
    let edit = |old: &[u8]| {
        let (mut text, is_utf16) = decode(old);
        let before = text.text();
        change(&mut text);
        (text.text() != before).then(|| encode(&text, is_utf16))
    };
    plat_host::shared_text::update(&path, edit).map_err(status_of)?;
    Ok(TRUE)
}

/// Stores a text with its zero, cut short where the buffer ends; returns its length.
fn put_text(
    guest: &Guest,
    width: Width,
    (buffer, size): (GuestWord, u32),
    text: &[u16],
) -> Result<u32, Fault> {
    put(guest, width, (buffer, size), &width.bytes(text), 1)
}

/// Stores texts one after the other, each with its zero, and one zero more; returns the length without that.
fn put_list(
    guest: &Guest,
    width: Width,
    (buffer, size): (GuestWord, u32),
    texts: &[Vec<u16>],
) -> Result<u32, Fault> {
    let bytes: Vec<u8> =
        texts.iter().map(Vec::as_slice).chain([&[][..]]).flat_map(|text| width.bytes(text)).collect();
    put(guest, width, (buffer, size), &bytes, 2)
}

/// Stores bytes that end with zeros, of which so many stand also after what is cut short.
fn put(
    guest: &Guest,
    width: Width,
    (buffer, size): (GuestWord, u32),
    bytes: &[u8],
    zeros: usize,
) -> Result<u32, Fault> {
    let (unit, room) = (width.unit_bytes(), size as usize);
    if buffer.is_null() || room == 0 {
        return Ok(0);
    }
    if bytes.len() <= room * unit {
        guest.write_bytes(buffer.get(), bytes)?;
        return Ok((bytes.len() / unit - 1) as u32);
    }
    let kept = room.saturating_sub(zeros);
    let mut cut = bytes[..kept * unit].to_vec();
    cut.resize(room * unit, 0);
    guest.write_bytes(buffer.get(), &cut)?;
    Ok(kept as u32)
}

/// The section and the key of a call; null stands for all.
type Place = (GuestWord, GuestWord);

/// Answers `GetPrivateProfileString`.
fn get_string(
    guest: &Guest,
    width: Width,
    (section, key): Place,
    default: GuestWord,
    buffer: (GuestWord, u32),
    name: GuestWord,
) -> Result<u32, Fault> {
    let text = load(guest, width, name);
    if section.is_null() {
        return put_list(guest, width, buffer, &text.sections());
    }
    let section = width.read(guest, section)?;
    if key.is_null() {
        return put_list(guest, width, buffer, &text.keys(&section));
    }
    if let Some(value) = text.value(&section, &width.read(guest, key)?) {
        return put_text(guest, width, buffer, rules::unquoted(&value));
    }
    let default = width.read(guest, default)?;
    let length = default.iter().rposition(|&unit| unit != 0x20).map_or(0, |at| at + 1);
    put_text(guest, width, buffer, &default[..length])
}

/// Answers `GetPrivateProfileInt`.
fn get_int(
    guest: &Guest,
    width: Width,
    (section, key): Place,
    default: i32,
    name: GuestWord,
) -> Result<u32, Fault> {
    let (section, key) = (width.read(guest, section)?, width.read(guest, key)?);
    let value = load(guest, width, name).value(&section, &key).filter(|value| !value.is_empty());
    Ok(value.map_or(default, |value| rules::number(rules::unquoted(&value))) as u32)
}

/// Answers `GetPrivateProfileSection`.
fn get_section(
    guest: &Guest,
    width: Width,
    section: GuestWord,
    buffer: (GuestWord, u32),
    name: GuestWord,
) -> Result<u32, Win32Error> {
    if section.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let section = width.read(guest, section)?;
    Ok(put_list(guest, width, buffer, &load(guest, width, name).pairs(&section))?)
}

/// Answers `WritePrivateProfileString`.
fn set_string(
    guest: &Guest,
    width: Width,
    (section, key): Place,
    value: GuestWord,
    name: GuestWord,
) -> Result<Bool, Win32Error> {
    if section.is_null() {
        // Nothing is kept in memory that could be written out: the call that asks for it fails on Windows, too.
        return if key.is_null() && value.is_null() {
            Ok(Bool(false))
        } else {
            Err(Win32Error::INVALID_PARAMETER)
        };
    }
    let section = width.read(guest, section)?;
    if key.is_null() {
        return store(guest, width, name, false, |text| text.remove_section(&section));
    }
    let key = width.read(guest, key)?;
    if value.is_null() {
        return store(guest, width, name, false, |text| text.remove(&section, &key));
    }
    let value = width.read(guest, value)?;
    store(guest, width, name, true, |text| text.set(&section, &key, &value))
}

/// Answers `WritePrivateProfileSection`.
fn set_section(
    guest: &Guest,
    width: Width,
    section: GuestWord,
    lines: GuestWord,
    name: GuestWord,
) -> Result<Bool, Win32Error> {
    if section.is_null() {
        return Ok(Bool(false));
    }
    let section = width.read(guest, section)?;
    if lines.is_null() {
        return store(guest, width, name, false, |text| text.remove_section(&section));
    }
    let mut list = Vec::new();
    let mut at = lines;
    loop {
        let line = width.read(guest, at)?;
        if line.is_empty() {
            break;
        }
        at = GuestWord(at.get() + width.bytes(&line).len() as u64);
        list.push(line);
    }
    store(guest, width, name, true, |text| text.replace_section(&section, list))
}

/// Defines functions of both forms that act on a file, which is their last parameter, and of those that act on `win.ini`.
macro_rules! of_files {
    ($(
        #[doc = $what:literal]
        $page:literal $narrow:ident, $wide:ident; $ini_page:literal $ini_narrow:ident, $ini_wide:ident(
            $guest:ident, $width:ident, $($name:ident: $type:ty),*; $file:ident
        ) -> $result:ty $body:block
    )*) => {
        both_widths! {$(
            #[doc = $what]
            $page $narrow, $wide($guest, $width, $($name: $type,)* $file: GuestWord) -> $result $body

            #[doc = $what]
            #[doc = "The file is `win.ini`."]
            $ini_page $ini_narrow, $ini_wide($guest, $width, $($name: $type),*) -> $result {
                let $file = GuestWord::NULL;
                $body
            }
        )*}
    };
}

of_files! {
    /// Stores a value, the keys of a section, or the names of all sections; returns the length.
    "winbase/nf-winbase-getprivateprofilestring"
    GetPrivateProfileStringA, GetPrivateProfileStringW;
    "winbase/nf-winbase-getprofilestring"
    GetProfileStringA, GetProfileStringW(
        guest, width, lpAppName: GuestWord, lpKeyName: GuestWord, lpDefault: GuestWord, lpReturnedString: GuestWord,
        nSize: u32; lpFileName
    ) -> Result<u32, Fault> {
        get_string(guest, width, (lpAppName, lpKeyName), lpDefault, (lpReturnedString, nSize), lpFileName)
    }

    /// Returns a value as a number.
    "winbase/nf-winbase-getprivateprofileint"
    GetPrivateProfileIntA, GetPrivateProfileIntW;
    "winbase/nf-winbase-getprofileint"
    GetProfileIntA, GetProfileIntW(
        guest, width, lpAppName: GuestWord, lpKeyName: GuestWord, nDefault: i32; lpFileName
    ) -> Result<u32, Fault> {
        get_int(guest, width, (lpAppName, lpKeyName), nDefault, lpFileName)
    }

    /// Stores all keys and values of a section; returns the length.
    "winbase/nf-winbase-getprivateprofilesection"
    GetPrivateProfileSectionA, GetPrivateProfileSectionW;
    "winbase/nf-winbase-getprofilesection"
    GetProfileSectionA, GetProfileSectionW(
        guest, width, lpAppName: GuestWord, lpReturnedString: GuestWord, nSize: u32; lpFileName
    ) -> Result<u32, Win32Error> {
        get_section(guest, width, lpAppName, (lpReturnedString, nSize), lpFileName)
    }

    /// Sets a value, or removes a key or a section.
    "winbase/nf-winbase-writeprivateprofilestring"
    WritePrivateProfileStringA, WritePrivateProfileStringW;
    "winbase/nf-winbase-writeprofilestring"
    WriteProfileStringA, WriteProfileStringW(
        guest, width, lpAppName: GuestWord, lpKeyName: GuestWord, lpString: GuestWord; lpFileName
    ) -> Result<Bool, Win32Error> {
        set_string(guest, width, (lpAppName, lpKeyName), lpString, lpFileName)
    }

    /// Replaces a section.
    "winbase/nf-winbase-writeprivateprofilesection"
    WritePrivateProfileSectionA, WritePrivateProfileSectionW;
    "winbase/nf-winbase-writeprofilesection"
    WriteProfileSectionA, WriteProfileSectionW(
        guest, width, lpAppName: GuestWord, lpString: GuestWord; lpFileName
    ) -> Result<Bool, Win32Error> {
        set_section(guest, width, lpAppName, lpString, lpFileName)
    }
}

both_widths! {
    /// Stores the names of all sections; returns the length.
    "winbase/nf-winbase-getprivateprofilesectionnames"
    GetPrivateProfileSectionNamesA, GetPrivateProfileSectionNamesW(
        guest, width, lpszReturnBuffer: GuestWord, nSize: u32, lpFileName: GuestWord
    ) -> Result<u32, Fault> {
        let text = load(guest, width, lpFileName);
        put_list(guest, width, (lpszReturnBuffer, nSize), &text.sections())
    }

    /// Stores bytes that were written with their sum.
    "winbase/nf-winbase-getprivateprofilestruct"
    GetPrivateProfileStructA, GetPrivateProfileStructW(
        guest, width, lpszSection: GuestWord, lpszKey: GuestWord, lpStruct: GuestWord, uSizeStruct: u32,
        szFile: GuestWord
    ) -> Result<Bool, Win32Error> {
        let (section, key) = (width.read(guest, lpszSection)?, width.read(guest, lpszKey)?);
        let value = load(guest, width, szFile).value(&section, &key).ok_or(Win32Error::FILE_NOT_FOUND)?;
        let bytes = rules::structure(&value).ok_or(Win32Error::INVALID_DATA)?;
        if bytes.len() != uSizeStruct as usize {
            return Err(Win32Error::BAD_LENGTH);
        }
        guest.write_bytes(lpStruct.get(), &bytes)?;
        Ok(TRUE)
    }

    /// Sets a value to bytes and their sum, or removes the key.
    "winbase/nf-winbase-writeprivateprofilestruct"
    WritePrivateProfileStructA, WritePrivateProfileStructW(
        guest, width, lpszSection: GuestWord, lpszKey: GuestWord, lpStruct: GuestWord, uSizeStruct: u32,
        szFile: GuestWord
    ) -> Result<Bool, Win32Error> {
        if lpStruct.is_null() || lpszSection.is_null() || lpszKey.is_null() {
            return set_string(guest, width, (lpszSection, lpszKey), GuestWord::NULL, szFile);
        }
        let (section, key) = (width.read(guest, lpszSection)?, width.read(guest, lpszKey)?);
        let value = rules::structure_text(&guest.read_vec(lpStruct.get(), uSizeStruct.into())?);
        store(guest, width, szFile, true, |text| text.set(&section, &key, &value))
    }
}
