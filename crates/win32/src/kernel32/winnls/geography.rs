//! Countries and regions: the one that goes with plat's locale.

use plat_abi::{GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full GetUserGeoID;
    partial GetGeoInfoW, "the United States only";
};

/// `GEOCLASS_NATION`.
const NATION: u32 = 16;
/// `GEOID_NOT_AVAILABLE`.
const NOT_AVAILABLE: u32 = u32::MAX;
/// The United States.
const UNITED_STATES: u32 = 244;

/// `GEO_NATION` and what follows it, up to `GEO_OFFICIALNAME`.
///
/// Source: <https://learn.microsoft.com/windows/win32/intl/table-of-geographical-locations>,
/// <https://learn.microsoft.com/windows/win32/api/winnls/ne-winnls-sysgeotype>
const FACTS: [&str; 9] =
    ["244", "39.45", "-98.908", "US", "USA", "en-us", "1033", "United States", "United States of America"];

/// Returns the number of the user's country; regions are not chosen.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-getusergeoid>
#[winapi]
pub fn GetUserGeoID(guest: &mut Guest, GeoClass: u32) -> u32 {
    let _ = guest;
    if GeoClass == NATION { UNITED_STATES } else { NOT_AVAILABLE }
}

/// Stores a fact about a country; returns its length in units with the zero, or 0.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-getgeoinfow>
#[winapi]
pub fn GetGeoInfoW(
    guest: &mut Guest,
    Location: u32,
    GeoType: u32,
    lpGeoData: GuestWord,
    cchData: i32,
    LangId: u16,
) -> Result<i32, Win32Error> {
    let _ = LangId;
    if Location != UNITED_STATES {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let fact = (GeoType as usize).checked_sub(1).and_then(|index| FACTS.get(index));
    let text: Vec<u16> = fact.ok_or(Win32Error::INVALID_FLAGS)?.encode_utf16().chain([0]).collect();
    let size = text.len() as i32;
    if cchData == 0 || lpGeoData.is_null() {
        return Ok(size);
    }
    if cchData < size {
        return Err(Win32Error::INSUFFICIENT_BUFFER);
    }
    guest.write_wide(lpGeoData.0, &text)?;
    Ok(size)
}
