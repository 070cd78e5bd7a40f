//! oleauto.h: dates with the day of the year (`UDATE`); numbers taken apart into digits (`NUMPARSE`).

use plat_abi::{Fault, GuestWord, Memory, winapi};

use super::values::{finish, how};
use super::{E_INVALIDARG, S_OK};
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::kernel32::timezoneapi::SYSTEMTIME;
use crate::logic::automation::format::date::day_of_year;
use crate::logic::automation::parsed::{self, Parsed};
use crate::logic::automation::{Refused, dates};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    @46 full VarParseNumFromStr; @47 full VarNumFromParseNum; @319 full VarDateFromUdateEx;
    @330 full VarDateFromUdate; @331 full VarUdateFromDate;
};

/// Bytes of a `SYSTEMTIME`, behind which the day of the year stands.
const SYSTEM_TIME_BYTES: u64 = 16;

/// Returns a date's fields with the day of the year.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-varudatefromdate>
#[winapi]
pub fn VarUdateFromDate(
    guest: &mut Guest,
    dateIn: f64,
    dwFlags: u32,
    pudateOut: GuestWord,
) -> Result<i32, Fault> {
    let _ = dwFlags;
    let Ok(fields) = dates::fields(dateIn) else { return Ok(E_INVALIDARG) };
    guest.write(pudateOut.get() + SYSTEM_TIME_BYTES, &day_of_year(&fields))?;
    guest.write(pudateOut.get(), &SYSTEMTIME::from(fields)).map(|()| S_OK)
}

/// Returns the date of fields; what is too large for its field goes to the next one.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-vardatefromudate>
#[winapi]
pub fn VarDateFromUdate(
    guest: &mut Guest,
    pudateIn: GuestWord,
    dwFlags: u32,
    pdateOut: GuestWord,
) -> Result<i32, Fault> {
    /// `VAR_TIMEVALUEONLY` and `VAR_DATEVALUEONLY`.
    const TIME_ONLY: u32 = 1;
    const DATE_ONLY: u32 = 2;
    let time = guest.read::<SYSTEMTIME>(pudateIn.get())?.into();
    let date = match dates::of_loose_fields(&time) {
        Ok(date) if dwFlags & TIME_ONLY != 0 => date.fract().abs(),
        Ok(date) if dwFlags & DATE_ONLY != 0 => date.trunc(),
        Ok(date) => date,
        Err(Refused(code)) => return Ok(code),
    };
    guest.write(pdateOut.get(), &date.to_bits()).map(|()| S_OK)
}

/// Returns the date of fields of a locale's calendar, which is the Gregorian one.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-vardatefromudateex>
#[winapi]
pub fn VarDateFromUdateEx(
    guest: &mut Guest,
    pudateIn: GuestWord,
    lcid: u32,
    dwFlags: u32,
    pdateOut: GuestWord,
) -> Result<i32, Fault> {
    let _ = lcid;
    VarDateFromUdate(guest, pudateIn, dwFlags, pdateOut)
}

/// Takes a number apart into digits.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-varparsenumfromstr>
#[winapi]
pub fn VarParseNumFromStr(
    guest: &mut Guest,
    strIn: GuestWord,
    lcid: u32,
    dwFlags: u32,
    pnumprs: GuestWord,
    rgbDig: GuestWord,
) -> Result<i32, Fault> {
    if strIn.is_null() || pnumprs.is_null() || rgbDig.is_null() {
        return Ok(E_INVALIDARG);
    }
    let (most, allowed) = (guest.read_u32(pnumprs.get())? as i32, guest.read_u32(pnumprs.get() + 4)?);
    let text = guest.read_wide_string(strIn.get())?;
    let most = usize::try_from(most).unwrap_or(0);
    let parsed = match parsed::parse(&text, allowed, most, how(lcid, dwFlags)) {
        Ok(parsed) => parsed,
        Err(Refused(code)) => return Ok(code),
    };
    guest.write_bytes(rgbDig.get(), &parsed.digits[..parsed.digits.len().min(most)])?;
    guest.write(pnumprs.get(), &(parsed.digits.len() as u32))?;
    let after = [parsed.found, parsed.used as u32, parsed.base_shift as u32, parsed.power as u32];
    for (place, value) in (0_u64..).zip(after) {
        guest.write(pnumprs.get() + 8 + 4 * place, &value)?;
    }
    Ok(S_OK)
}

/// Puts a number together of its digits, as the smallest of some types.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-varnumfromparsenum>
#[winapi]
pub fn VarNumFromParseNum(
    guest: &mut Guest,
    pnumprs: GuestWord,
    rgbDig: GuestWord,
    dwVtBits: u32,
    pvar: GuestWord,
) -> Result<i32, Fault> {
    let mut fields = [0; 6];
    for (place, field) in (0_u64..).zip(&mut fields) {
        *field = guest.read_u32(pnumprs.get() + 4 * place)?;
    }
    let [count, _, found, used, base_shift, power] = fields;
    let parsed = Parsed {
        digits: guest.read_vec(rgbDig.get(), count.into())?,
        found,
        used: used as usize,
        base_shift: base_shift as i32,
        power: power as i32,
    };
    let made = parsed::value(&parsed, dwVtBits, how(0, 0));
    finish(guest, made, pvar.get())
}
