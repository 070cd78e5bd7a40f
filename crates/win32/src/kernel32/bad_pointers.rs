//! winbase.h: whether memory can be read, written or run, asked by trying.

use plat_abi::{GuestWord, Memory, winapi};

use super::memoryapi::touches;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, FALSE, Guest, TRUE};
use crate::widths::both_widths;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full IsBadCodePtr;
    full "IsBadHugeReadPtr" = IsBadReadPtr;
    full "IsBadHugeWritePtr" = IsBadWritePtr;
    full IsBadReadPtr;
    full IsBadStringPtrA;
    full IsBadStringPtrW;
    full IsBadWritePtr;
};

/// Says whether a range cannot be read.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-isbadreadptr>
#[winapi]
pub fn IsBadReadPtr(guest: &mut Guest, lp: GuestWord, ucb: GuestWord) -> Bool {
    Bool(touches(lp, ucb).any(|at| guest.read_bytes(at, &mut [0]).is_err()))
}

/// Says whether a range cannot be written.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-isbadwriteptr>
#[winapi]
pub fn IsBadWritePtr(guest: &mut Guest, lp: GuestWord, ucb: GuestWord) -> Bool {
    let bad = |at| {
        let mut byte = [0];
        guest.read_bytes(at, &mut byte).and_then(|()| guest.write_bytes(at, &byte)).is_err()
    };
    Bool(touches(lp, ucb).any(bad))
}

/// Says whether no code can be read at an address.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-isbadcodeptr>
#[winapi]
pub fn IsBadCodePtr(guest: &mut Guest, lpfn: GuestWord) -> Bool {
    IsBadReadPtr(guest, lpfn, GuestWord(1))
}

both_widths! {
    /// Says whether a text cannot be read up to its zero, or up to a number of characters.
    "winbase/nf-winbase-isbadstringptr"
    IsBadStringPtrA, IsBadStringPtrW(guest, width, lpsz: GuestWord, ucchMax: GuestWord) -> Bool {
        let unit = width.unit_bytes();
        let mut text = [0; 2];
        for index in 0..ucchMax.get() {
            let at = lpsz.get().wrapping_add(index * unit as u64);
            if guest.read_bytes(at, &mut text[..unit]).is_err() {
                return TRUE;
            }
            if text == [0; 2] {
                break;
            }
        }
        FALSE
    }
}
