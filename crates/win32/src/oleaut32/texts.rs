//! oleauto.h: joining and comparing strings; dates of the system and of MS-DOS as dates of automation.

use std::cmp::Ordering;

use plat_abi::{Fault, GuestWord, Memory, winapi};

use super::arithmetic::order_code;
use super::{E_INVALIDARG, E_OUTOFMEMORY, S_OK, bstr};
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, FALSE, Guest, TRUE};
use crate::kernel32::timezoneapi::SYSTEMTIME;
use crate::logic::automation::dates;
use crate::logic::nls::collate::{self, Rules};
use crate::logic::time::{self, DosDateTime};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    @13 full VariantTimeToDosDateTime; @14 full DosDateTimeToVariantTime; @184 full SystemTimeToVariantTime;
    @185 full VariantTimeToSystemTime; @313 full VarBstrCat; @314 full VarBstrCmp;
};

/// Compares two texts by a locale's order, or unit by unit without a locale.
pub(super) fn compare(left: &[u16], right: &[u16], lcid: u32, flags: u32) -> Ordering {
    if lcid == 0 {
        return left.cmp(right);
    }
    collate::compare(left, right, Rules::of_flags(flags))
}

/// Reads a string; null is empty.
fn read(guest: &Guest, string: GuestWord) -> Result<Vec<u16>, Fault> {
    let length = bstr::byte_length(guest, string.get())? / 2;
    if length == 0 { Ok(Vec::new()) } else { guest.read_wide(string.get(), length.into()) }
}

/// Compares two strings: 0 less, 1 equal, 2 greater.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-varbstrcmp>
#[winapi]
pub fn VarBstrCmp(
    guest: &mut Guest,
    bstrLeft: GuestWord,
    bstrRight: GuestWord,
    lcid: u32,
    dwFlags: u32,
) -> Result<i32, Fault> {
    let (left, right) = (read(guest, bstrLeft)?, read(guest, bstrRight)?);
    Ok(order_code(compare(&left, &right, lcid, dwFlags)))
}

/// Puts two strings together.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-varbstrcat>
#[winapi]
pub fn VarBstrCat(
    guest: &mut Guest,
    bstrLeft: GuestWord,
    bstrRight: GuestWord,
    pbstrResult: GuestWord,
) -> Result<i32, Fault> {
    if pbstrResult.is_null() {
        return Ok(E_INVALIDARG);
    }
    let mut bytes = Vec::new();
    for string in [bstrLeft.get(), bstrRight.get()] {
        let length = bstr::byte_length(guest, string)?;
        bytes.extend(if length == 0 { Vec::new() } else { guest.read_vec(string, length.into())? });
    }
    let Some(string) = bstr::allocate(guest, bytes.len() as u64, &bytes)? else { return Ok(E_OUTOFMEMORY) };
    guest.write_word(pbstrResult.get(), string).map(|()| S_OK)
}

/// Returns the date of a time of the system.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-systemtimetovarianttime>
#[winapi]
pub fn SystemTimeToVariantTime(
    guest: &mut Guest,
    lpSystemTime: GuestWord,
    pvtime: GuestWord,
) -> Result<Bool, Fault> {
    let time = guest.read::<SYSTEMTIME>(lpSystemTime.get())?.into();
    let Ok(date) = dates::of_fields(&time) else { return Ok(FALSE) };
    guest.write(pvtime.get(), &date.to_bits()).map(|()| TRUE)
}

/// Returns the time of the system for a date, to the second.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-varianttimetosystemtime>
#[winapi]
pub fn VariantTimeToSystemTime(
    guest: &mut Guest,
    vtime: f64,
    lpSystemTime: GuestWord,
) -> Result<Bool, Fault> {
    let Ok(fields) = dates::fields(vtime) else { return Ok(FALSE) };
    guest.write(lpSystemTime.get(), &SYSTEMTIME::from(fields)).map(|()| TRUE)
}

/// Returns the date of a date and time of MS-DOS.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-dosdatetimetovarianttime>
#[winapi]
pub fn DosDateTimeToVariantTime(
    guest: &mut Guest,
    wDosDate: u16,
    wDosTime: u16,
    pvtime: GuestWord,
) -> Result<Bool, Fault> {
    let file_time = time::dos_to_file_time(DosDateTime { date: wDosDate, time: wDosTime });
    let fields = file_time.and_then(time::file_time_to_system_time);
    let Some(date) = fields.ok().and_then(|fields| dates::of_fields(&fields).ok()) else { return Ok(FALSE) };
    guest.write(pvtime.get(), &date.to_bits()).map(|()| TRUE)
}

/// Returns the date and time of MS-DOS for a date.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-varianttimetodosdatetime>
#[winapi]
pub fn VariantTimeToDosDateTime(
    guest: &mut Guest,
    vtime: f64,
    pwDosDate: GuestWord,
    pwDosTime: GuestWord,
) -> Result<Bool, Fault> {
    let fields = dates::fields(vtime).ok();
    let file_time = fields.and_then(|fields| time::system_time_to_file_time(&fields).ok());
    let Some(dos) = file_time.and_then(|time| time::file_time_to_dos(time).ok()) else { return Ok(FALSE) };
    guest.write(pwDosDate.get(), &dos.date)?;
    guest.write(pwDosTime.get(), &dos.time).map(|()| TRUE)
}
