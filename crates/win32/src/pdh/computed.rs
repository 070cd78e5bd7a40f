//! pdh.h: values computed from raw ones that the program kept.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use super::{code, formatted, is_form, item};
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::performance::{self, CounterType, Sample};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full PdhCalculateCounterFromRawValue;
    full PdhFormatFromRawValue;
    full PdhComputeCounterStatistics;
};

/// Bytes of a `PDH_RAW_COUNTER`.
const RAW_BYTES: u64 = 40;

/// Reads a raw value; `None` for one that is not valid.
fn read_raw(guest: &Guest, address: u64) -> Result<Option<Sample>, Fault> {
    /// `PDH_CSTATUS_NEW_DATA`; 0 is `PDH_CSTATUS_VALID_DATA`.
    const NEW: u32 = 1;
    let status = guest.read_u32(address)?;
    let at = u64::from(guest.read_u32(address + 4)?) | u64::from(guest.read_u32(address + 8)?) << 32;
    let (first, second) = (guest.read_u64(address + 16)?, guest.read_u64(address + 24)?);
    let sample = Sample { first: first as i64, second: second as i64, at: at as i64 };
    Ok((status <= NEW).then_some(sample))
}

/// Writes the value of two samples, of which the earlier may be missing.
fn give(
    guest: &Guest,
    (kind, scale): (CounterType, i32),
    form: u32,
    [later, earlier, into]: [GuestWord; 3],
) -> Result<i32, Fault> {
    let later = read_raw(guest, later.get())?;
    let earlier = if earlier.is_null() { None } else { read_raw(guest, earlier.get())? };
    let value = later.and_then(|later| performance::value(kind, earlier, later));
    guest.write_bytes(into.get(), &formatted((kind, scale), value, form))?;
    Ok(if value.is_some() { 0 } else { code::INVALID_DATA })
}

/// Computes a counter's value from two raw ones, the later one first.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/pdh/nf-pdh-pdhcalculatecounterfromrawvalue>
#[winapi]
pub fn PdhCalculateCounterFromRawValue(
    guest: &mut Guest,
    hCounter: GuestWord,
    dwFormat: u32,
    rawValue1: GuestWord,
    rawValue2: GuestWord,
    fmtValue: GuestWord,
) -> Result<i32, Fault> {
    if !is_form(dwFormat) || rawValue1.is_null() || fmtValue.is_null() {
        return Ok(code::INVALID_ARGUMENT);
    }
    let Some(item) = item(guest, hCounter) else { return Ok(code::INVALID_HANDLE) };
    give(guest, item.form(), dwFormat, [rawValue1, rawValue2, fmtValue])
}

/// Computes the value of a kind of counter from two raw ones, the later one first.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/pdh/nf-pdh-pdhformatfromrawvalue>
#[winapi]
pub fn PdhFormatFromRawValue(
    guest: &mut Guest,
    dwCounterType: u32,
    dwFormat: u32,
    pTimeBase: GuestWord,
    pRawValue1: GuestWord,
    pRawValue2: GuestWord,
    pFmtValue: GuestWord,
) -> Result<i32, Fault> {
    // All counters that plat has count units of 100 ns.
    let _ = pTimeBase;
    let kind = CounterType::of_number(dwCounterType);
    let Some(kind) = kind.filter(|_| is_form(dwFormat) && !pRawValue1.is_null() && !pFmtValue.is_null())
    else {
        return Ok(code::INVALID_ARGUMENT);
    };
    give(guest, (kind, 0), dwFormat, [pRawValue1, pRawValue2, pFmtValue])
}

/// Computes the least, the greatest and the mean value of raw ones in a ring.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/pdh/nf-pdh-pdhcomputecounterstatistics>
#[winapi]
pub fn PdhComputeCounterStatistics(
    guest: &mut Guest,
    hCounter: GuestWord,
    dwFormat: u32,
    dwFirstEntry: u32,
    dwNumEntries: u32,
    lpRawValueArray: GuestWord,
    data: GuestWord,
) -> Result<i32, Fault> {
    if !is_form(dwFormat) || lpRawValueArray.is_null() || data.is_null() || dwNumEntries == 0 {
        return Ok(code::INVALID_ARGUMENT);
    }
    let Some(item) = item(guest, hCounter) else { return Ok(code::INVALID_HANDLE) };
    let (kind, _) = item.form();
    let (mut earlier, mut values) = (None, Vec::new());
    for number in 0..dwNumEntries {
        let place = u64::from((u64::from(dwFirstEntry) + u64::from(number)) as u32 % dwNumEntries);
        let sample = read_raw(guest, lpRawValueArray.get() + place * RAW_BYTES)?;
        values.extend(sample.and_then(|sample| performance::value(kind, earlier, sample)));
        earlier = sample;
    }
    let sum: f64 = values.iter().sum();
    let some = (!values.is_empty()).then_some(());
    let results = [
        some.map(|()| values.iter().copied().fold(f64::INFINITY, f64::min)),
        some.map(|()| values.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
        some.map(|()| sum / values.len() as f64),
    ];
    guest.write(data.get(), &dwFormat)?;
    guest.write(data.get() + 4, &(values.len() as u32))?;
    for (place, value) in (0_u64..).zip(results) {
        guest.write_bytes(data.get() + 8 + 16 * place, &formatted(item.form(), value, dwFormat))?;
    }
    Ok(0)
}
