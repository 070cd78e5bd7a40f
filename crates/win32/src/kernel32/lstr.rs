//! winbase.h: the string functions of the `lstr` family, and kernel32's forwards to ntdll's memory functions.
//!
//! A bad pointer is no crash in `lstrlen`, `lstrcpy` and `lstrcat` but an empty answer.

use std::cmp::Ordering;

use plat_abi::{Fault, GuestWord, Memory, winapi};

use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::nls::collate;
use crate::widths::{Width, both_widths};

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

/// Returns the target after a copy, or null when memory refused.
fn target(copied: Result<(), Fault>, to: GuestWord) -> GuestWord {
    copied.map_or(GuestWord::NULL, |()| to)
}

/// Copies a string with its zero.
fn copy(guest: &Guest, width: Width, to: u64, from: GuestWord) -> Result<(), Fault> {
    let size = (width.length(guest, from)? + 1) * width.unit_bytes() as u64;
    guest.write_bytes(to, &guest.read_vec(from.get(), size)?)
}

/// Reads at most `room - 1` units one by one, and ends them with a zero: what lies behind them need not be readable.
fn read_some(guest: &Guest, width: Width, from: GuestWord, room: i32) -> Result<Vec<u8>, Fault> {
    let mut text = Vec::new();
    let mut unit = vec![0; width.unit_bytes()];
    for index in 0..(room - 1) as u64 {
        guest.read_bytes(from.get().wrapping_add(index * unit.len() as u64), &mut unit)?;
        if unit.iter().all(|&byte| byte == 0) {
            break;
        }
        text.extend_from_slice(&unit);
    }
    text.resize(text.len() + unit.len(), 0);
    Ok(text)
}

/// Compares two strings; null is less than every string and equal to null.
fn compare(
    guest: &Guest,
    width: Width,
    left: GuestWord,
    right: GuestWord,
    ignore_case: bool,
) -> Result<i32, Fault> {
    let order = match (left.is_null(), right.is_null()) {
        (false, false) => collate::compare(
            &width.read_string(guest, left)?,
            &width.read_string(guest, right)?,
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

both_widths! {
    /// Returns the length of a string in units, 0 for a bad pointer.
    "winbase/nf-winbase-lstrlen"
    lstrlenA, lstrlenW(guest, width, lpString: GuestWord) -> i32 {
        if lpString.is_null() {
            return 0;
        }
        width.length(guest, lpString).map_or(0, |length| length as i32)
    }

    /// Copies a string.
    "winbase/nf-winbase-lstrcpy"
    lstrcpyA, lstrcpyW(guest, width, lpString1: GuestWord, lpString2: GuestWord) -> GuestWord {
        target(copy(guest, width, lpString1.get(), lpString2), lpString1)
    }

    /// Copies at most `iMaxLength - 1` units of a string and a zero.
    "winbase/nf-winbase-lstrcpyn"
    lstrcpynA, lstrcpynW(guest, width, lpString1: GuestWord, lpString2: GuestWord, iMaxLength: i32) -> GuestWord {
        if iMaxLength <= 0 {
            return lpString1;
        }
        let text = read_some(guest, width, lpString2, iMaxLength);
        target(text.and_then(|text| guest.write_bytes(lpString1.get(), &text)), lpString1)
    }

    /// Appends a string.
    "winbase/nf-winbase-lstrcat"
    lstrcatA, lstrcatW(guest, width, lpString1: GuestWord, lpString2: GuestWord) -> GuestWord {
        let end = width.length(guest, lpString1).map(|length| lpString1.get() + width.unit_bytes() as u64 * length);
        target(end.and_then(|end| copy(guest, width, end, lpString2)), lpString1)
    }

    /// Compares two strings by the locale's order: -1, 0 or 1.
    "winbase/nf-winbase-lstrcmp"
    lstrcmpA, lstrcmpW(guest, width, lpString1: GuestWord, lpString2: GuestWord) -> Result<i32, Fault> {
        compare(guest, width, lpString1, lpString2, false)
    }

    /// Compares two strings by the locale's order without regard to case: -1, 0 or 1.
    "winbase/nf-winbase-lstrcmpi"
    lstrcmpiA, lstrcmpiW(guest, width, lpString1: GuestWord, lpString2: GuestWord) -> Result<i32, Fault> {
        compare(guest, width, lpString1, lpString2, true)
    }
}
