//! winbase.h: the string functions of the `lstr` family, and kernel32's forwards to ntdll's memory functions.
//!
//! A bad pointer is no crash in `lstrlen`, `lstrcpy` and `lstrcat` but an empty answer.

use std::cmp::Ordering;

use plat_abi::{Fault, GuestWord, Memory, winapi};

use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::nls::collate;
use crate::nt::nls;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full lstrlenA;
    full lstrlenW;
    full "lstrlen" = lstrlenA;
    full lstrcpyA;
    full lstrcpyW;
    full "lstrcpy" = lstrcpyA;
    full lstrcpynA;
    full lstrcpynW;
    full "lstrcpyn" = lstrcpynA;
    full lstrcatA;
    full lstrcatW;
    full "lstrcat" = lstrcatA;
    partial lstrcmpA, "one order for all locales; no expansions";
    partial lstrcmpW, "one order for all locales; no expansions";
    partial lstrcmpiA, "one order for all locales; no expansions";
    partial lstrcmpiW, "one order for all locales; no expansions";
    partial "lstrcmp" = lstrcmpA, "one order for all locales; no expansions";
    partial "lstrcmpi" = lstrcmpiA, "one order for all locales; no expansions";
    full MulDiv;
    forward RtlMoveMemory => "ntdll.RtlMoveMemory";
    forward RtlCopyMemory => "ntdll.RtlCopyMemory";
    forward RtlFillMemory => "ntdll.RtlFillMemory";
    forward RtlZeroMemory => "ntdll.RtlZeroMemory";
    forward RtlCompareMemory => "ntdll.RtlCompareMemory";
};

/// Multiplies and divides in 64 bits and rounds to the nearest number; -1 where the result has no room.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-muldiv>
#[winapi]
pub fn MulDiv(guest: &mut Guest, nNumber: i32, nNumerator: i32, nDenominator: i32) -> i32 {
    let _ = guest;
    if nDenominator == 0 {
        return -1;
    }
    let product = i64::from(nNumber) * i64::from(nNumerator);
    let divisor = i64::from(nDenominator);
    let half = if (product < 0) == (divisor < 0) { divisor / 2 } else { -(divisor / 2) };
    // `i32::MIN` is refused, too, as Windows does.
    i32::try_from((product + half) / divisor).ok().filter(|&result| result != i32::MIN).unwrap_or(-1)
}

/// Returns the length of a string, 0 for a bad pointer.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-lstrlena>
#[winapi]
pub fn lstrlenA(guest: &mut Guest, lpString: GuestWord) -> i32 {
    if lpString.is_null() {
        return 0;
    }
    guest.read_c_string(lpString.get()).map_or(0, |text| text.len() as i32)
}

/// Returns the length of a string in units, 0 for a bad pointer.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-lstrlenw>
#[winapi]
pub fn lstrlenW(guest: &mut Guest, lpString: GuestWord) -> i32 {
    if lpString.is_null() {
        return 0;
    }
    guest.read_wide_string(lpString.get()).map_or(0, |text| text.len() as i32)
}

/// Returns the target after a copy, or null when memory refused.
fn target(copied: Result<(), Fault>, to: GuestWord) -> GuestWord {
    copied.map_or(GuestWord::NULL, |()| to)
}

/// Copies a string with its zero.
fn copy(guest: &Guest, to: u64, from: u64) -> Result<(), Fault> {
    let mut text = guest.read_c_string(from)?;
    text.push(0);
    guest.write_bytes(to, &text)
}

/// As [`copy`], in units.
fn copy_wide(guest: &Guest, to: u64, from: u64) -> Result<(), Fault> {
    let mut text = guest.read_wide_string(from)?;
    text.push(0);
    guest.write_wide(to, &text)
}

/// Reads at most `room - 1` units one by one: what lies behind them need not be readable.
fn read_some<T: plat_abi::GuestStruct + PartialEq + Default>(
    guest: &Guest,
    from: u64,
    room: i32,
    width: u64,
) -> Result<Vec<T>, Fault> {
    let mut text = Vec::new();
    for index in 0..(room.max(1) - 1) as u64 {
        let unit: T = guest.read(from.wrapping_add(index * width))?;
        if unit == T::default() {
            break;
        }
        text.push(unit);
    }
    text.push(T::default());
    Ok(text)
}

/// Copies a string.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-lstrcpya>
#[winapi]
pub fn lstrcpyA(guest: &mut Guest, lpString1: GuestWord, lpString2: GuestWord) -> GuestWord {
    target(copy(guest, lpString1.get(), lpString2.get()), lpString1)
}

/// Copies a string.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-lstrcpyw>
#[winapi]
pub fn lstrcpyW(guest: &mut Guest, lpString1: GuestWord, lpString2: GuestWord) -> GuestWord {
    target(copy_wide(guest, lpString1.get(), lpString2.get()), lpString1)
}

/// Copies at most `iMaxLength - 1` bytes of a string and a zero.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-lstrcpyna>
#[winapi]
pub fn lstrcpynA(
    guest: &mut Guest,
    lpString1: GuestWord,
    lpString2: GuestWord,
    iMaxLength: i32,
) -> GuestWord {
    if iMaxLength <= 0 {
        return lpString1;
    }
    let copied = read_some::<u8>(guest, lpString2.get(), iMaxLength, 1)
        .and_then(|text| guest.write_bytes(lpString1.get(), &text));
    target(copied, lpString1)
}

/// Copies at most `iMaxLength - 1` units of a string and a zero.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-lstrcpynw>
#[winapi]
pub fn lstrcpynW(
    guest: &mut Guest,
    lpString1: GuestWord,
    lpString2: GuestWord,
    iMaxLength: i32,
) -> GuestWord {
    if iMaxLength <= 0 {
        return lpString1;
    }
    let copied = read_some::<u16>(guest, lpString2.get(), iMaxLength, 2)
        .and_then(|text| guest.write_wide(lpString1.get(), &text));
    target(copied, lpString1)
}

/// Appends a string.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-lstrcata>
#[winapi]
pub fn lstrcatA(guest: &mut Guest, lpString1: GuestWord, lpString2: GuestWord) -> GuestWord {
    let end = guest.read_c_string(lpString1.get()).map(|text| lpString1.get() + text.len() as u64);
    target(end.and_then(|end| copy(guest, end, lpString2.get())), lpString1)
}

/// Appends a string.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-lstrcatw>
#[winapi]
pub fn lstrcatW(guest: &mut Guest, lpString1: GuestWord, lpString2: GuestWord) -> GuestWord {
    let end = guest.read_wide_string(lpString1.get()).map(|text| lpString1.get() + 2 * text.len() as u64);
    target(end.and_then(|end| copy_wide(guest, end, lpString2.get())), lpString1)
}

/// How a string is read: narrow or wide.
type Read = fn(&Guest, u64) -> Result<Vec<u16>, Fault>;

fn read_wide(guest: &Guest, address: u64) -> Result<Vec<u16>, Fault> {
    guest.read_wide_string(address)
}

/// Compares two strings; null is less than every string and equal to null.
fn compare(
    guest: &Guest,
    left: GuestWord,
    right: GuestWord,
    ignore_case: bool,
    read: Read,
) -> Result<i32, Fault> {
    let order = match (left.is_null(), right.is_null()) {
        (false, false) => collate::compare(
            &read(guest, left.get())?,
            &read(guest, right.get())?,
            collate::Rules::words(ignore_case),
        ),
        (left_null, right_null) => right_null.cmp(&left_null),
    };
    Ok(match order {
        Ordering::Less => -1,
        Ordering::Equal => 0,
        Ordering::Greater => 1,
    })
}

/// Compares two strings by the locale's order: -1, 0 or 1.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-lstrcmpa>
#[winapi]
pub fn lstrcmpA(guest: &mut Guest, lpString1: GuestWord, lpString2: GuestWord) -> Result<i32, Fault> {
    compare(guest, lpString1, lpString2, false, nls::read_ansi)
}

/// Compares two strings by the locale's order: -1, 0 or 1.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-lstrcmpw>
#[winapi]
pub fn lstrcmpW(guest: &mut Guest, lpString1: GuestWord, lpString2: GuestWord) -> Result<i32, Fault> {
    compare(guest, lpString1, lpString2, false, read_wide)
}

/// Compares two strings by the locale's order without regard to case: -1, 0 or 1.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-lstrcmpia>
#[winapi]
pub fn lstrcmpiA(guest: &mut Guest, lpString1: GuestWord, lpString2: GuestWord) -> Result<i32, Fault> {
    compare(guest, lpString1, lpString2, true, nls::read_ansi)
}

/// Compares two strings by the locale's order without regard to case: -1, 0 or 1.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-lstrcmpiw>
#[winapi]
pub fn lstrcmpiW(guest: &mut Guest, lpString1: GuestWord, lpString2: GuestWord) -> Result<i32, Fault> {
    compare(guest, lpString1, lpString2, true, read_wide)
}
