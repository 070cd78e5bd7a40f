//! winbase.h, winternl.h: guessing whether a buffer holds UTF-16. The tests are [`crate::logic::text_kind`].

use plat_abi::{Fault, GuestWord, Memory, winapi};

use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest};
use crate::logic::text_kind;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full RtlIsTextUnicode;
};

/// Those of advapi32.dll.
pub const ADVAPI32_EXPORTS: &[Export] = dll! {
    full IsTextUnicode;
};

/// Says whether a buffer is taken for UTF-16; `lpiResult` names the tests that count and gets those that were passed.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-istextunicode>
#[winapi]
pub fn IsTextUnicode(
    guest: &mut Guest,
    lpv: GuestWord,
    iSize: i32,
    lpiResult: GuestWord,
) -> Result<Bool, Fault> {
    let bytes = guest.read_vec(lpv.get(), u64::try_from(iSize).unwrap_or(0))?;
    let mut passed = text_kind::passed(&bytes);
    if !lpiResult.is_null() {
        passed &= guest.read_u32(lpiResult.get())?;
        guest.write(lpiResult.get(), &passed)?;
    }
    Ok(Bool(text_kind::is_unicode(passed)))
}

/// Says whether a buffer is taken for UTF-16, as `IsTextUnicode` does.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-istextunicode>
#[winapi]
pub fn RtlIsTextUnicode(
    guest: &mut Guest,
    Buffer: GuestWord,
    Size: i32,
    Result: GuestWord,
) -> core::result::Result<u8, Fault> {
    IsTextUnicode(guest, Buffer, Size, Result).map(|is| u8::from(is.0))
}
