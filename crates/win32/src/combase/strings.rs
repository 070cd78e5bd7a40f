//! Strings of the Windows Runtime: `HSTRING`, counted and never changed.
//!
//! A string leads to its head: flags at 0, the length in units at 4, at 8 how many hold it, at 16 the address of the text,
//! which ends with a zero. The head of one that was made of the caller's text lies in the caller's `HSTRING_HEADER`, which
//! is as large. The empty string is null.
//!
//! Source: <https://learn.microsoft.com/windows/win32/winrt/hstring>, and the pages of the functions.

use plat_abi::{Fault, GuestWord, Memory, winapi};
use plat_host::memory;

use super::{INVALID_ARGUMENT, OK, POINTER};
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, to_fault};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full WindowsCreateString; full WindowsCreateStringReference; full WindowsDeleteString; full WindowsDuplicateString;
    full WindowsGetStringLen; full WindowsGetStringRawBuffer; full WindowsIsStringEmpty; full WindowsStringHasEmbeddedNull;
    full WindowsCompareStringOrdinal; full WindowsConcatString; full WindowsSubstring;
    full WindowsSubstringWithSpecifiedLength; full WindowsReplaceString; full WindowsTrimStringStart;
    full WindowsTrimStringEnd; full WindowsPreallocateStringBuffer; full WindowsPromoteStringBuffer;
    full WindowsDeleteStringBuffer;
};

/// `E_OUTOFMEMORY`.
const OUT_OF_MEMORY: i32 = 0x8007_000e_u32 as i32;
/// `E_BOUNDS`.
const BOUNDS: i32 = 0x8000_000b_u32 as i32;
/// `MEM_E_INVALID_SIZE`.
const INVALID_SIZE: i32 = 0x8008_0011_u32 as i32;

/// The head's text is the caller's.
const IS_REFERENCE: u32 = 1;
const LENGTH_AT: u64 = 4;
const HOLDERS_AT: u64 = 8;
const TEXT_AT: u64 = 16;
/// Bytes of a head before a text of its own: those that a text begins at, too.
const HEAD_BYTES: u64 = 24;
/// More units would not fit into 2 GiB with their head.
const LENGTH_MAX: u32 = 0x3fff_ffe0;

/// Makes room for a string of `length` units, which are zeros; `None` when memory is short.
fn make_room(guest: &Guest, length: u32) -> Result<Option<u64>, Fault> {
    let bytes = HEAD_BYTES + (u64::from(length) + 1) * 2;
    let Some(head) = guest.process().heaps.allocate(0, bytes, true) else { return Ok(None) };
    guest.write(head, &[0, length, 1])?;
    guest.write_word(head + TEXT_AT, head + HEAD_BYTES)?;
    Ok(Some(head))
}

/// Stores a new string of this text.
fn give(guest: &Guest, text: &[u16], place: GuestWord) -> Result<i32, Fault> {
    guest.write_word(place.0, 0)?;
    if text.is_empty() {
        return Ok(OK);
    }
    let Some(head) = make_room(guest, text.len() as u32)? else { return Ok(OUT_OF_MEMORY) };
    guest.write_wide(head + HEAD_BYTES, text)?;
    guest.write_word(place.0, head).map(|()| OK)
}

fn length(guest: &Guest, string: GuestWord) -> Result<u32, Fault> {
    if string.is_null() { Ok(0) } else { guest.read_u32(string.0 + LENGTH_AT) }
}

fn text(guest: &Guest, string: GuestWord) -> Result<Vec<u16>, Fault> {
    match length(guest, string)? {
        0 => Ok(Vec::new()),
        length => guest.read_wide(guest.read_word(string.0 + TEXT_AT)?, length.into()),
    }
}

/// Makes a string of a text.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winstring/nf-winstring-windowscreatestring>
#[winapi]
pub fn WindowsCreateString(
    guest: &mut Guest,
    sourceString: GuestWord,
    length: u32,
    string: GuestWord,
) -> Result<i32, Fault> {
    match (string.is_null(), sourceString.is_null() && length > 0) {
        (true, _) => Ok(INVALID_ARGUMENT),
        (false, true) => Ok(POINTER),
        (false, false) if length > LENGTH_MAX => Ok(INVALID_SIZE),
        (false, false) => {
            let text =
                if length == 0 { Vec::new() } else { guest.read_wide(sourceString.0, length.into())? };
            give(guest, &text, string)
        }
    }
}

/// Makes a string whose text stays the caller's, in a head that is the caller's as well.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winstring/nf-winstring-windowscreatestringreference>
#[winapi]
pub fn WindowsCreateStringReference(
    guest: &mut Guest,
    sourceString: GuestWord,
    length: u32,
    hstringHeader: GuestWord,
    string: GuestWord,
) -> Result<i32, Fault> {
    if string.is_null() || hstringHeader.is_null() {
        return Ok(INVALID_ARGUMENT);
    }
    guest.write_word(string.0, 0)?;
    if sourceString.is_null() {
        return Ok(if length == 0 { OK } else { POINTER });
    }
    let end: u16 = guest.read(sourceString.0 + u64::from(length) * 2)?;
    if end != 0 {
        return Ok(INVALID_ARGUMENT);
    }
    guest.write(hstringHeader.0, &[IS_REFERENCE, length, 0])?;
    guest.write_word(hstringHeader.0 + TEXT_AT, sourceString.0)?;
    if length > 0 {
        guest.write_word(string.0, hstringHeader.0)?;
    }
    Ok(OK)
}

/// Changes how many hold a string; returns how many do then, nothing for one that is only a reference.
fn hold(guest: &Guest, string: GuestWord, change: i32) -> Result<Option<u32>, Fault> {
    if guest.read_u32(string.0)? & IS_REFERENCE != 0 {
        return Ok(None);
    }
    let place = string.0 + HOLDERS_AT;
    let mut before = guest.read_u32(place)?;
    // Threads hold and give up strings at the same time.
    loop {
        let holders = before.wrapping_add_signed(change);
        match memory::compare_exchange_u32(place, before, holders).map_err(to_fault)? {
            found if found == before => return Ok(Some(holders)),
            found => before = found,
        }
    }
}

/// Makes what goes to a place, unless there is none.
fn placed(place: GuestWord, make: impl FnOnce() -> Result<i32, Fault>) -> Result<i32, Fault> {
    if place.is_null() { Ok(INVALID_ARGUMENT) } else { make() }
}

/// Gives up a string.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winstring/nf-winstring-windowsdeletestring>
#[winapi]
pub fn WindowsDeleteString(guest: &mut Guest, string: GuestWord) -> Result<i32, Fault> {
    if !string.is_null() && hold(guest, string, -1)? == Some(0) {
        guest.process().heaps.free(0, string.0);
    }
    Ok(OK)
}

/// Takes part in a string, or copies one that is only a reference.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winstring/nf-winstring-windowsduplicatestring>
#[winapi]
pub fn WindowsDuplicateString(
    guest: &mut Guest,
    string: GuestWord,
    newString: GuestWord,
) -> Result<i32, Fault> {
    placed(newString, || {
        if string.is_null() || hold(guest, string, 1)?.is_some() {
            return guest.write_word(newString.0, string.0).map(|()| OK);
        }
        give(guest, &text(guest, string)?, newString)
    })
}

/// Returns a string's length in units.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winstring/nf-winstring-windowsgetstringlen>
#[winapi]
pub fn WindowsGetStringLen(guest: &mut Guest, string: GuestWord) -> Result<u32, Fault> {
    length(guest, string)
}

/// Returns a string's text, and stores its length.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winstring/nf-winstring-windowsgetstringrawbuffer>
#[winapi]
pub fn WindowsGetStringRawBuffer(
    guest: &mut Guest,
    string: GuestWord,
    length: GuestWord,
) -> Result<GuestWord, Fault> {
    if !length.is_null() {
        guest.write(length.0, &self::length(guest, string)?)?;
    }
    if !string.is_null() {
        return guest.read_word(string.0 + TEXT_AT).map(GuestWord);
    }
    // The text of nothing is a zero, made once.
    let empty = guest.process().components.empty_text.get_or_init(|| make_room(guest, 0).ok().flatten());
    Ok(GuestWord(empty.map_or(0, |head| head + HEAD_BYTES)))
}

/// Says whether a string is empty.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winstring/nf-winstring-windowsisstringempty>
#[winapi]
pub fn WindowsIsStringEmpty(guest: &mut Guest, string: GuestWord) -> Result<Bool, Fault> {
    length(guest, string).map(|length| Bool(length == 0))
}

/// Says whether there are zeros in a string.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winstring/nf-winstring-windowsstringhasembeddednull>
#[winapi]
pub fn WindowsStringHasEmbeddedNull(
    guest: &mut Guest,
    string: GuestWord,
    hasEmbedNull: GuestWord,
) -> Result<i32, Fault> {
    placed(hasEmbedNull, || {
        let has = text(guest, string)?.contains(&0);
        guest.write(hasEmbedNull.0, &u32::from(has)).map(|()| OK)
    })
}

/// Compares strings unit by unit.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winstring/nf-winstring-windowscomparestringordinal>
#[winapi]
pub fn WindowsCompareStringOrdinal(
    guest: &mut Guest,
    string1: GuestWord,
    string2: GuestWord,
    result: GuestWord,
) -> Result<i32, Fault> {
    placed(result, || {
        let order = text(guest, string1)?.cmp(&text(guest, string2)?) as i32;
        guest.write(result.0, &order).map(|()| OK)
    })
}

/// Stores a string that was made of another one, unless there is no place for it.
fn give_part(
    guest: &Guest,
    place: GuestWord,
    make: impl FnOnce() -> Result<Result<Vec<u16>, i32>, Fault>,
) -> Result<i32, Fault> {
    placed(place, || match make()? {
        Ok(text) => give(guest, &text, place),
        Err(code) => guest.write_word(place.0, 0).map(|()| code),
    })
}

/// Joins two strings.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winstring/nf-winstring-windowsconcatstring>
#[winapi]
pub fn WindowsConcatString(
    guest: &mut Guest,
    string1: GuestWord,
    string2: GuestWord,
    newString: GuestWord,
) -> Result<i32, Fault> {
    give_part(guest, newString, || Ok(Ok([text(guest, string1)?, text(guest, string2)?].concat())))
}

/// Returns what of a string begins at an index.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winstring/nf-winstring-windowssubstring>
#[winapi]
pub fn WindowsSubstring(
    guest: &mut Guest,
    string: GuestWord,
    startIndex: u32,
    newString: GuestWord,
) -> Result<i32, Fault> {
    give_part(guest, newString, || {
        let text = text(guest, string)?;
        Ok(text.get(startIndex as usize..).map(<[u16]>::to_vec).ok_or(BOUNDS))
    })
}

/// Returns so many units of a string from an index.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winstring/nf-winstring-windowssubstringwithspecifiedlength>
#[winapi]
pub fn WindowsSubstringWithSpecifiedLength(
    guest: &mut Guest,
    string: GuestWord,
    startIndex: u32,
    length: u32,
    newString: GuestWord,
) -> Result<i32, Fault> {
    give_part(guest, newString, || {
        let text = text(guest, string)?;
        let rest = text.get(startIndex as usize..);
        Ok(rest.and_then(|rest| rest.get(..length as usize)).map(<[u16]>::to_vec).ok_or(BOUNDS))
    })
}

/// Replaces a part wherever it stands in a string.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winstring/nf-winstring-windowsreplacestring>
#[winapi]
pub fn WindowsReplaceString(
    guest: &mut Guest,
    string: GuestWord,
    stringReplaced: GuestWord,
    stringReplaceWith: GuestWord,
    newString: GuestWord,
) -> Result<i32, Fault> {
    give_part(guest, newString, || {
        let (old, new) = (text(guest, stringReplaced)?, text(guest, stringReplaceWith)?);
        if old.is_empty() {
            return Ok(Err(INVALID_ARGUMENT));
        }
        Ok(Ok(replaced(&text(guest, string)?, &old, &new)))
    })
}

fn replaced(mut rest: &[u16], old: &[u16], new: &[u16]) -> Vec<u16> {
    let mut result = Vec::new();
    while let Some(&unit) = rest.first() {
        if let Some(behind) = rest.strip_prefix(old) {
            result.extend(new);
            rest = behind;
        } else {
            result.push(unit);
            rest = &rest[1..];
        }
    }
    result
}

/// Cuts characters off a string's start.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winstring/nf-winstring-windowstrimstringstart>
#[winapi]
pub fn WindowsTrimStringStart(
    guest: &mut Guest,
    string: GuestWord,
    trimString: GuestWord,
    newString: GuestWord,
) -> Result<i32, Fault> {
    trim(guest, (string, trimString), newString, |text, is_cut| {
        text.iter().position(|unit| !is_cut(unit)).map_or(&[], |start| &text[start..])
    })
}

/// Cuts characters off a string's end.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winstring/nf-winstring-windowstrimstringend>
#[winapi]
pub fn WindowsTrimStringEnd(
    guest: &mut Guest,
    string: GuestWord,
    trimString: GuestWord,
    newString: GuestWord,
) -> Result<i32, Fault> {
    trim(guest, (string, trimString), newString, |text, is_cut| {
        text.iter().rposition(|unit| !is_cut(unit)).map_or(&[], |last| &text[..=last])
    })
}

/// Cuts the units that a function names off a text.
type Cut = for<'a> fn(&'a [u16], &dyn Fn(&u16) -> bool) -> &'a [u16];

fn trim(
    guest: &Guest,
    (string, characters): (GuestWord, GuestWord),
    place: GuestWord,
    cut: Cut,
) -> Result<i32, Fault> {
    give_part(guest, place, || {
        let cut_off = text(guest, characters)?;
        if cut_off.is_empty() {
            return Ok(Err(INVALID_ARGUMENT));
        }
        Ok(Ok(cut(&text(guest, string)?, &|unit| cut_off.contains(unit)).to_vec()))
    })
}

/// Makes room for the text of a string that is to be.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winstring/nf-winstring-windowspreallocatestringbuffer>
#[winapi]
pub fn WindowsPreallocateStringBuffer(
    guest: &mut Guest,
    length: u32,
    charBuffer: GuestWord,
    bufferHandle: GuestWord,
) -> Result<i32, Fault> {
    if charBuffer.is_null() || bufferHandle.is_null() {
        return Ok(POINTER);
    }
    if length > LENGTH_MAX {
        return Ok(INVALID_SIZE);
    }
    let Some(head) = make_room(guest, length)? else { return Ok(OUT_OF_MEMORY) };
    guest.write_word(charBuffer.0, head + HEAD_BYTES)?;
    guest.write_word(bufferHandle.0, head).map(|()| OK)
}

/// Makes a string of room that has its text now.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winstring/nf-winstring-windowspromotestringbuffer>
#[winapi]
pub fn WindowsPromoteStringBuffer(
    guest: &mut Guest,
    bufferHandle: GuestWord,
    string: GuestWord,
) -> Result<i32, Fault> {
    if string.is_null() {
        return Ok(POINTER);
    }
    let length = length(guest, bufferHandle)?;
    if length == 0 {
        WindowsDeleteStringBuffer(guest, bufferHandle)?;
        return guest.write_word(string.0, 0).map(|()| OK);
    }
    let end: u16 = guest.read(bufferHandle.0 + HEAD_BYTES + u64::from(length) * 2)?;
    if end != 0 {
        return Ok(INVALID_ARGUMENT);
    }
    guest.write_word(string.0, bufferHandle.0).map(|()| OK)
}

/// Gives up room that becomes no string.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winstring/nf-winstring-windowsdeletestringbuffer>
#[winapi]
pub fn WindowsDeleteStringBuffer(guest: &mut Guest, bufferHandle: GuestWord) -> Result<i32, Fault> {
    if !bufferHandle.is_null() {
        guest.process().heaps.free(0, bufferHandle.0);
    }
    Ok(OK)
}
