//! oleauto.h: BSTR: text with its length in bytes before it and a zero behind it. A null BSTR is an empty string.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use crate::dll;
use crate::export::Export;
use crate::guest::Guest;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    @2 full SysAllocString;
    @3 full SysReAllocString;
    @4 full SysAllocStringLen;
    @5 full SysReAllocStringLen;
    @6 full SysFreeString;
    @7 full SysStringLen;
    @149 full SysStringByteLen;
    @150 full SysAllocStringByteLen;
};

/// Says how many bytes lie between a block's start and its text: the length, in 64 bits padded to eight.
fn header(guest: &Guest) -> u64 {
    guest.machine().pointer_size()
}

/// Makes a string of `length` bytes that begins with `text`; `None` when memory is short.
pub(super) fn allocate(guest: &Guest, length: u64, text: &[u8]) -> Result<Option<u64>, Fault> {
    let Ok(prefix) = u32::try_from(length) else { return Ok(None) };
    // Two zero bytes follow, so that odd lengths too end as wide strings.
    let size = header(guest) + length + 2;
    let Some(block) = guest.process().heaps.allocate(0, size, true) else { return Ok(None) };
    let string = block + header(guest);
    guest.write(string - 4, &prefix)?;
    guest.write_bytes(string, text)?;
    Ok(Some(string))
}

/// Frees a string, unless it is null.
pub(crate) fn free(guest: &Guest, string: u64) {
    if string != 0 {
        guest.process().heaps.free(0, string.wrapping_sub(header(guest)));
    }
}

/// Returns a string's length in bytes.
pub(super) fn byte_length(guest: &Guest, string: u64) -> Result<u32, Fault> {
    if string == 0 { Ok(0) } else { guest.read_u32(string.wrapping_sub(4)) }
}

/// Copies a string, as `VariantCopy` does.
pub(crate) fn duplicate(guest: &Guest, string: u64) -> Result<Option<u64>, Fault> {
    let length = u64::from(byte_length(guest, string)?);
    let text = guest.read_vec(string, length)?;
    allocate(guest, length, &text)
}

/// The shape of all answers here: a string or null.
fn word(string: Option<u64>) -> GuestWord {
    GuestWord(string.unwrap_or(0))
}

/// Makes a string from text that ends with a zero; null stays null.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-sysallocstring>
#[winapi]
pub fn SysAllocString(guest: &mut Guest, psz: GuestWord) -> Result<GuestWord, Fault> {
    if psz.is_null() {
        return Ok(GuestWord::NULL);
    }
    let length = guest.read_wide_string(psz.get())?.len() as u32;
    SysAllocStringLen(guest, psz, length)
}

/// Makes a string of `ui` characters from text; null text leaves them zero.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-sysallocstringlen>
#[winapi]
pub fn SysAllocStringLen(guest: &mut Guest, strIn: GuestWord, ui: u32) -> Result<GuestWord, Fault> {
    copy_of(guest, strIn, u64::from(ui) * 2)
}

/// Makes a string of `length` bytes from text, or of zeros.
fn copy_of(guest: &Guest, text: GuestWord, length: u64) -> Result<GuestWord, Fault> {
    // Longer ones cannot be: Windows refuses before it reads.
    if length > 0x7fff_fff0 {
        return Ok(GuestWord::NULL);
    }
    let text = if text.is_null() { Vec::new() } else { guest.read_vec(text.get(), length)? };
    allocate(guest, length, &text).map(word)
}

/// Makes a string of `len` bytes; null text leaves them zero.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-sysallocstringbytelen>
#[winapi]
pub fn SysAllocStringByteLen(guest: &mut Guest, psz: GuestWord, len: u32) -> Result<GuestWord, Fault> {
    copy_of(guest, psz, u64::from(len))
}

/// Replaces a string by a copy of text; 0 when memory is short.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-sysreallocstring>
#[winapi]
pub fn SysReAllocString(guest: &mut Guest, pbstr: GuestWord, psz: GuestWord) -> Result<i32, Fault> {
    if pbstr.is_null() {
        return Ok(0);
    }
    // The new text may lie in the old string: the copy comes before the end of the old one.
    let new = SysAllocString(guest, psz)?;
    if new.is_null() && !psz.is_null() {
        return Ok(0);
    }
    replace(guest, pbstr, new)
}

fn replace(guest: &Guest, pbstr: GuestWord, new: GuestWord) -> Result<i32, Fault> {
    let old = guest.read_word(pbstr.get())?;
    guest.write_word(pbstr.get(), new.get())?;
    free(guest, old);
    Ok(1)
}

/// Replaces a string by one of `len` characters; null text keeps those that the old string has.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-sysreallocstringlen>
#[winapi]
pub fn SysReAllocStringLen(
    guest: &mut Guest,
    pbstr: GuestWord,
    psz: GuestWord,
    len: u32,
) -> Result<i32, Fault> {
    if pbstr.is_null() {
        return Ok(0);
    }
    let length = u64::from(len) * 2;
    let new = if psz.is_null() {
        let old = guest.read_word(pbstr.get())?;
        let kept = u64::from(byte_length(guest, old)?).min(length);
        let text = guest.read_vec(old, kept)?;
        word(allocate(guest, length, &text)?)
    } else {
        copy_of(guest, psz, length)?
    };
    if new.is_null() { Ok(0) } else { replace(guest, pbstr, new) }
}

/// Frees a string.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-sysfreestring>
#[winapi]
pub fn SysFreeString(guest: &mut Guest, bstrString: GuestWord) {
    free(guest, bstrString.get());
}

/// Returns a string's length in characters.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-sysstringlen>
#[winapi]
pub fn SysStringLen(guest: &mut Guest, pbstr: GuestWord) -> Result<u32, Fault> {
    byte_length(guest, pbstr.get()).map(|bytes| bytes / 2)
}

/// Returns a string's length in bytes.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-sysstringbytelen>
#[winapi]
pub fn SysStringByteLen(guest: &mut Guest, bstr: GuestWord) -> Result<u32, Fault> {
    byte_length(guest, bstr.get())
}
