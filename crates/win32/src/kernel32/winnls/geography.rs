//! Countries and regions: the one that goes with plat's locale.

use plat_abi::{GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full GetUserGeoID;
    partial GetGeoInfoA, "the United States only"; partial GetGeoInfoW, "the United States only";
    partial GetGeoInfoEx, "the United States only"; partial GetUserDefaultGeoName, "the United States";
    partial EnumSystemGeoID, "the United States only"; partial EnumSystemGeoNames, "the United States only";
    partial SetUserGeoID, "the United States only"; partial SetUserGeoName, "the United States only";
};

/// `GEOCLASS_NATION`.
const NATION: u32 = 16;
/// `GEOID_NOT_AVAILABLE`.
const NOT_AVAILABLE: u32 = u32::MAX;
/// The United States.
const UNITED_STATES: u32 = 244;
const NAME_OF_US: &str = "US";

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

/// Hands a fact over; returns its length in units with the zero.
fn give(guest: &Guest, width: Width, fact: &str, buffer: GuestWord, room: i32) -> Result<i32, Win32Error> {
    let text = width.bytes(&fact.encode_utf16().collect::<Vec<u16>>());
    let size = (text.len() / width.unit_bytes()) as i32;
    if room == 0 || buffer.is_null() {
        return Ok(size);
    }
    if room < size {
        return Err(Win32Error::INSUFFICIENT_BUFFER);
    }
    guest.write_bytes(buffer.get(), &text)?;
    Ok(size)
}

/// Returns a fact about the United States.
fn fact(kind: u32) -> Result<&'static str, Win32Error> {
    let fact = (kind as usize).checked_sub(1).and_then(|index| FACTS.get(index));
    fact.copied().ok_or(Win32Error::INVALID_FLAGS)
}

both_widths! {
    /// Stores a fact about a country; returns its length in units with the zero, or 0.
    "winnls/nf-winnls-getgeoinfo"
    GetGeoInfoA, GetGeoInfoW(
        guest, width, Location: u32, GeoType: u32, lpGeoData: GuestWord, cchData: i32, LangId: u16
    ) -> Result<i32, Win32Error> {
        let _ = LangId;
        if Location != UNITED_STATES {
            return Err(Win32Error::INVALID_PARAMETER);
        }
        give(guest, width, fact(GeoType)?, lpGeoData, cchData)
    }
}

/// Stores a fact about a country by its name of two letters or three digits; returns its length in units with the zero.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-getgeoinfoex>
#[winapi]
pub fn GetGeoInfoEx(
    guest: &mut Guest,
    location: GuestWord,
    geoType: u32,
    geoData: GuestWord,
    geoDataCount: i32,
) -> Result<i32, Win32Error> {
    /// `GEO_NAME`.
    const NAME: u32 = 17;
    let name = String::from_utf16_lossy(&guest.read_wide_string(location.get())?);
    if !name.eq_ignore_ascii_case(NAME_OF_US) && name != "840" {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let fact = match geoType {
        NAME => NAME_OF_US,
        kind => fact(kind)?,
    };
    give(guest, Width::Wide, fact, geoData, geoDataCount)
}

/// Stores the name of the user's country; returns its length in units with the zero.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-getuserdefaultgeoname>
#[winapi]
pub fn GetUserDefaultGeoName(
    guest: &mut Guest,
    geoName: GuestWord,
    geoNameCount: i32,
) -> Result<i32, Win32Error> {
    give(guest, Width::Wide, NAME_OF_US, geoName, geoNameCount)
}

/// Calls a function with each country's number.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-enumsystemgeoid>
#[winapi]
pub fn EnumSystemGeoID(
    guest: &mut Guest,
    GeoClass: u32,
    ParentGeoId: u32,
    lpGeoEnumProc: GuestWord,
) -> Result<Bool, Win32Error> {
    /// `GEOCLASS_REGION` and `GEOCLASS_ALL`, which have no countries of their own.
    const OTHERS: [u32; 2] = [0, 14];
    let _ = ParentGeoId;
    if lpGeoEnumProc.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    match GeoClass {
        NATION => guest.call(lpGeoEnumProc.get(), &[UNITED_STATES.into()])?,
        class if OTHERS.contains(&class) => 0,
        _ => return Err(Win32Error::INVALID_FLAGS),
    };
    Ok(TRUE)
}

/// Calls a function with each country's name.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-enumsystemgeonames>
#[winapi]
pub fn EnumSystemGeoNames(
    guest: &mut Guest,
    geoClass: u32,
    geoEnumProc: GuestWord,
    data: GuestWord,
) -> Result<Bool, Win32Error> {
    if geoEnumProc.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    if geoClass == NATION {
        super::locales::call_with(
            guest,
            geoEnumProc,
            &super::locales::wide_bytes(NAME_OF_US),
            &[data.get()],
        )?;
    }
    Ok(TRUE)
}

/// Chooses the user's country: the only one is chosen already.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-setusergeoid>
#[winapi]
pub fn SetUserGeoID(guest: &mut Guest, GeoId: u32) -> Result<Bool, Win32Error> {
    let _ = guest;
    if GeoId == UNITED_STATES { Ok(TRUE) } else { Err(Win32Error::INVALID_PARAMETER) }
}

/// Chooses the user's country by its name: the only one is chosen already.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-setusergeoname>
#[winapi]
pub fn SetUserGeoName(guest: &mut Guest, geoName: GuestWord) -> Result<Bool, Win32Error> {
    let name = String::from_utf16_lossy(&guest.read_wide_string(geoName.get())?);
    if name.eq_ignore_ascii_case(NAME_OF_US) { Ok(TRUE) } else { Err(Win32Error::INVALID_PARAMETER) }
}
