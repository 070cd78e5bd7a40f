//! stdlib.h: numbers from text and back.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::number::read_integer;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full atoi;
};

/// Reads a number.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/atoi-atoi-l-wtoi-wtoi-l>
#[winapi(cdecl)]
pub fn atoi(guest: &mut Guest, str: GuestWord) -> Result<i32, Fault> {
    let text = guest.read_c_string(str.0)?;
    Ok(read_integer(&text, 10, 32, true).map_or(0, |number| number.value as i32))
}
