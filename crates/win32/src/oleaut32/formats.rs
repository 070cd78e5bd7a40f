//! oleauto.h: values as texts by pictures; names of months and of days of the week.
//!
//! What `VarTokenizeFormatString` makes is plat's own: the picture itself behind a head.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use super::values::{self, Outcome, how};
use super::{E_INVALIDARG, S_OK};
use crate::alike::alike;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::automation::format::digits::Digits;
use crate::logic::automation::format::fixed::{self, Options};
use crate::logic::automation::format::{Week, format};
use crate::logic::automation::{How, Refused, Value};
use crate::logic::nls::locale;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    @87 full VarFormat; @97 full VarFormatDateTime; @107 full VarFormatNumber; @117 full VarFormatPercent;
    @127 full VarFormatCurrency; @128 full VarWeekdayName; @129 full VarMonthName; @139 full VarFormatFromTokens;
    @140 full VarTokenizeFormatString;
};

/// `DISP_E_BUFFERTOOSMALL`.
const BUFFER_TOO_SMALL: i32 = 0x8002_0013_u32 as i32;

/// Writes a text as a new string, or says why there is none.
fn give(guest: &Guest, made: Result<Vec<u16>, Refused>, out: GuestWord) -> Result<i32, Fault> {
    match made {
        Ok(text) => values::write_text(guest, out.get(), &text),
        Err(Refused(code)) => Ok(code),
    }
}

/// Reads the value of a VARIANT, null as null.
fn read(guest: &mut Guest, variant: GuestWord) -> Outcome {
    if variant.is_null() {
        return Ok(Err(Refused::INVALID));
    }
    values::read_variant(guest, variant.get(), 0)
}

fn read_picture(guest: &Guest, picture: GuestWord) -> Result<Vec<u16>, Fault> {
    if picture.is_null() { Ok(Vec::new()) } else { guest.read_wide_string(picture.get()) }
}

/// Writes a value by a picture.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-varformat>
#[winapi]
pub fn VarFormat(
    guest: &mut Guest,
    pvarIn: GuestWord,
    pstrFormat: GuestWord,
    iFirstDay: i32,
    iFirstWeek: i32,
    dwFlags: u32,
    pbstrOut: GuestWord,
) -> Result<i32, Fault> {
    if pbstrOut.is_null() {
        return Ok(E_INVALIDARG);
    }
    guest.write_word(pbstrOut.get(), 0)?;
    let week = match Week::new(iFirstDay, iFirstWeek) {
        Ok(week) => week,
        Err(Refused(code)) => return Ok(code),
    };
    let picture = read_picture(guest, pstrFormat)?;
    let made = read(guest, pvarIn)?.and_then(|value| format(&value, &picture, week, how(0, dwFlags)));
    give(guest, made, pbstrOut)
}

/// Makes tokens of a picture, for `VarFormatFromTokens`.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-vartokenizeformatstring>
#[winapi]
pub fn VarTokenizeFormatString(
    guest: &mut Guest,
    pstrFormat: GuestWord,
    rgbTok: GuestWord,
    cbTok: i32,
    iFirstDay: i32,
    iFirstWeek: i32,
    lcid: u32,
    pcbActual: GuestWord,
) -> Result<i32, Fault> {
    let _ = lcid;
    let week = match Week::new(iFirstDay, iFirstWeek) {
        Ok(week) if !rgbTok.is_null() => week,
        _ => return Ok(E_INVALIDARG),
    };
    let picture = read_picture(guest, pstrFormat)?;
    let mut tokens = vec![week.first_day, week.first_week];
    tokens.extend((picture.len() as u16).to_le_bytes());
    tokens.extend(picture.iter().flat_map(|unit| unit.to_le_bytes()));
    if picture.len() > usize::from(u16::MAX) || cbTok < tokens.len() as i32 {
        return Ok(BUFFER_TOO_SMALL);
    }
    guest.write_bytes(rgbTok.get(), &tokens)?;
    if !pcbActual.is_null() {
        guest.write(pcbActual.get(), &(tokens.len() as u32))?;
    }
    Ok(S_OK)
}

/// Writes a value by the tokens of a picture.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-varformatfromtokens>
#[winapi]
pub fn VarFormatFromTokens(
    guest: &mut Guest,
    pvarIn: GuestWord,
    pstrFormat: GuestWord,
    pbTokCur: GuestWord,
    dwFlags: u32,
    pbstrOut: GuestWord,
    lcid: u32,
) -> Result<i32, Fault> {
    let _ = pstrFormat;
    if pbTokCur.is_null() || pbstrOut.is_null() {
        return Ok(E_INVALIDARG);
    }
    let (first_day, first_week) = (guest.read::<u8>(pbTokCur.get())?, guest.read::<u8>(pbTokCur.get() + 1)?);
    let length = guest.read::<u16>(pbTokCur.get() + 2)?;
    let picture = guest.read_wide(pbTokCur.get() + 4, length.into())?;
    guest.write_word(pbstrOut.get(), 0)?;
    let made = Week::new(first_day.into(), first_week.into()).map(|week| (week, how(lcid, dwFlags)));
    let value = read(guest, pvarIn)?;
    let made = made.and_then(|(week, how)| format(&value?, &picture, week, how));
    give(guest, made, pbstrOut)
}

/// Writes a date: 0 whole, 1 long date, 2 short date, 3 long time, 4 short time.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-varformatdatetime>
#[winapi]
pub fn VarFormatDateTime(
    guest: &mut Guest,
    pvarIn: GuestWord,
    iNamedFormat: i32,
    dwFlags: u32,
    pbstrOut: GuestWord,
) -> Result<i32, Fault> {
    const PICTURES: [&str; 5] = ["c", "dddddd", "ddddd", "ttttt", "hh:nn"];
    let picture = usize::try_from(iNamedFormat).ok().and_then(|number| PICTURES.get(number));
    let Some(picture) = picture.filter(|_| !pbstrOut.is_null()) else { return Ok(E_INVALIDARG) };
    guest.write_word(pbstrOut.get(), 0)?;
    let picture: Vec<u16> = picture.encode_utf16().collect();
    let week = Week { first_day: 0, first_week: 0 };
    let made = read(guest, pvarIn)?.and_then(|value| format(&value, &picture, week, how(0, dwFlags)));
    give(guest, made, pbstrOut)
}

/// Returns a value's digits; null has none.
fn digits_of(value: Value, how: How) -> Result<Digits, Refused> {
    if value == Value::Null { Err(Refused::MISMATCH) } else { Digits::of(&value, how) }
}

alike! {
    fn(guest, write; value: GuestWord, digits: i32, zero: i32, brackets: i32, groups: i32, flags: u32, out: GuestWord)
        -> Result<i32, Fault> {
        if out.is_null() {
            return Ok(E_INVALIDARG);
        }
        guest.write_word(out.get(), 0)?;
        let how = how(0, flags);
        let options = Options::new(digits, zero, brackets, groups);
        let value = read(guest, value)?;
        let made = options.and_then(|options| write(&digits_of(value?, how)?, options, how));
        give(guest, made, out)
    }

    /// Writes a number as the locale does.
    "oleauto/nf-oleauto-varformatnumber"
    VarFormatNumber(pvarIn, iNumDig, iIncLead, iUseParens, iGroup, dwFlags, pbstrOut) = fixed::number;
    /// Writes a number as a percentage.
    "oleauto/nf-oleauto-varformatpercent"
    VarFormatPercent(pvarIn, iNumDig, iIncLead, iUseParens, iGroup, dwFlags, pbstrOut) = fixed::percent;
    /// Writes a number as an amount of money.
    "oleauto/nf-oleauto-varformatcurrency"
    VarFormatCurrency(pvarIn, iNumDig, iIncLead, iUseParens, iGroup, dwFlags, pbstrOut) = fixed::currency;
}

/// Writes a name of the user's locale.
fn give_name(guest: &Guest, kind: u32, out: GuestWord) -> Result<i32, Fault> {
    if out.is_null() {
        return Ok(E_INVALIDARG);
    }
    give(guest, Ok(how(0, 0).locale.text(kind).encode_utf16().collect()), out)
}

/// Returns the name of a month, 1 for January.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-varmonthname>
#[winapi]
pub fn VarMonthName(
    guest: &mut Guest,
    iMonth: i32,
    fAbbrev: i32,
    dwFlags: u32,
    pbstrOut: GuestWord,
) -> Result<i32, Fault> {
    let _ = dwFlags;
    let first = if fAbbrev == 0 { locale::MONTH_NAME } else { locale::SHORT_MONTH_NAME };
    match iMonth {
        1..=12 => give_name(guest, first + iMonth as u32 - 1, pbstrOut),
        _ => Ok(E_INVALIDARG),
    }
}

/// Returns the name of a day, counted from the first day of the week: 0 as the locale has it, 1 Sunday.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-varweekdayname>
#[winapi]
pub fn VarWeekdayName(
    guest: &mut Guest,
    iWeekday: i32,
    fAbbrev: i32,
    iFirstDay: i32,
    dwFlags: u32,
    pbstrOut: GuestWord,
) -> Result<i32, Fault> {
    let _ = dwFlags;
    let Some(week) = Week::new(iFirstDay, 0).ok().filter(|_| (1..=7).contains(&iWeekday)) else {
        return Ok(E_INVALIDARG);
    };
    let kind = if fAbbrev == 0 { locale::DAY_NAME } else { locale::SHORT_DAY_NAME };
    // Names begin on Monday, days of the week on Sunday.
    let day = (week.starts_on(how(0, 0)) + iWeekday as u32 - 1 + 6) % 7;
    give_name(guest, kind + day, pbstrOut)
}
