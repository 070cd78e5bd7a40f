//! wchar.h: wide strings.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use crate::dll;
use crate::export::Export;
use crate::guest::Guest;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full wcslen;
};

/// Returns the length of a wide string in units.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/strlen-wcslen-mbslen-mbslen-l-mbstrlen-mbstrlen-l>
#[winapi(cdecl)]
pub fn wcslen(guest: &mut Guest, str: GuestWord) -> Result<GuestWord, Fault> {
    Ok(GuestWord(guest.read_wide_string(str.0)?.len() as u64))
}
