//! string.h: narrow strings and memory.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use crate::dll;
use crate::export::Export;
use crate::guest::{Guest, to_fault};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full memcpy;
    full memmove;
    full memset;
    full memcmp;
    full memchr;
    full strlen;
    full strcmp;
    full strncmp;
    full strchr;
};

/// Copies memory; the ranges may overlap all the same.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/memcpy-wmemcpy>
#[winapi(cdecl)]
pub fn memcpy(
    guest: &mut Guest,
    dest: GuestWord,
    src: GuestWord,
    count: GuestWord,
) -> Result<GuestWord, Fault> {
    let bytes = guest.read_vec(src.0, count.0)?;
    guest.write_bytes(dest.0, &bytes)?;
    Ok(dest)
}

/// Copies memory; the ranges may overlap.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/memmove-wmemmove>
#[winapi(cdecl)]
pub fn memmove(
    guest: &mut Guest,
    dest: GuestWord,
    src: GuestWord,
    count: GuestWord,
) -> Result<GuestWord, Fault> {
    memcpy(guest, dest, src, count)
}

/// Fills memory.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/memset-wmemset>
#[winapi(cdecl)]
pub fn memset(guest: &mut Guest, dest: GuestWord, c: i32, count: GuestWord) -> Result<GuestWord, Fault> {
    let _ = &guest;
    plat_host::memory::fill(dest.0, c as u8, count.0).map_err(to_fault)?;
    Ok(dest)
}

fn order<T: Ord>(left: &T, right: &T) -> i32 {
    left.cmp(right) as i32
}

/// Compares memory.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/memcmp-wmemcmp>
#[winapi(cdecl)]
pub fn memcmp(
    guest: &mut Guest,
    buffer1: GuestWord,
    buffer2: GuestWord,
    count: GuestWord,
) -> Result<i32, Fault> {
    Ok(order(&guest.read_vec(buffer1.0, count.0)?, &guest.read_vec(buffer2.0, count.0)?))
}

/// Finds a byte in memory; null when there is none.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/memchr-wmemchr>
#[winapi(cdecl)]
pub fn memchr(guest: &mut Guest, buffer: GuestWord, c: i32, count: GuestWord) -> Result<GuestWord, Fault> {
    let bytes = guest.read_vec(buffer.0, count.0)?;
    let found = bytes.iter().position(|&byte| byte == c as u8);
    Ok(GuestWord(found.map_or(0, |at| buffer.0 + at as u64)))
}

/// Returns the length of a string.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/strlen-wcslen-mbslen-mbslen-l-mbstrlen-mbstrlen-l>
#[winapi(cdecl)]
pub fn strlen(guest: &mut Guest, str: GuestWord) -> Result<GuestWord, Fault> {
    Ok(GuestWord(guest.read_c_string(str.0)?.len() as u64))
}

/// Compares strings.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/strcmp-wcscmp-mbscmp>
#[winapi(cdecl)]
pub fn strcmp(guest: &mut Guest, string1: GuestWord, string2: GuestWord) -> Result<i32, Fault> {
    Ok(order(&guest.read_c_string(string1.0)?, &guest.read_c_string(string2.0)?))
}

/// Reads at most `max` bytes of a string.
pub(super) fn read_n(guest: &Guest, address: u64, max: u64) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    while (bytes.len() as u64) < max {
        let at = address.wrapping_add(bytes.len() as u64);
        let piece = (256 - at % 256).min(max - bytes.len() as u64);
        let piece = guest.read_vec(at, piece)?;
        if let Some(end) = piece.iter().position(|&byte| byte == 0) {
            bytes.extend_from_slice(&piece[..end]);
            break;
        }
        bytes.extend(piece);
    }
    Ok(bytes)
}

/// Compares at most `count` bytes of strings.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/strncmp-wcsncmp-mbsncmp-mbsncmp-l>
#[winapi(cdecl)]
pub fn strncmp(
    guest: &mut Guest,
    string1: GuestWord,
    string2: GuestWord,
    count: GuestWord,
) -> Result<i32, Fault> {
    Ok(order(&read_n(guest, string1.0, count.0)?, &read_n(guest, string2.0, count.0)?))
}

/// Finds the first such byte in a string, the terminator included; null when there is none.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/strchr-wcschr-mbschr-mbschr-l>
#[winapi(cdecl)]
pub fn strchr(guest: &mut Guest, str: GuestWord, c: i32) -> Result<GuestWord, Fault> {
    let mut bytes = guest.read_c_string(str.0)?;
    bytes.push(0);
    let found = bytes.iter().position(|&byte| byte == c as u8);
    Ok(GuestWord(found.map_or(0, |at| str.0 + at as u64)))
}
