//! oleauto.h: VARIANT: a type and a value of up to eight bytes (sixteen for records).

use plat_abi::{Fault, GuestWord, Memory, winapi};

use super::{E_INVALIDARG, E_OUTOFMEMORY, S_OK, bstr, safe_array};
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    @8 full VariantInit;
    @9 partial VariantClear, "no records: DISP_E_BADVARTYPE";
    @10 partial VariantCopy, "no records: DISP_E_BADVARTYPE";
    @12 partial VariantChangeType, "between integers, VT_BOOL, VT_EMPTY and VT_BSTR only; else DISP_E_TYPEMISMATCH";
    @147 partial VariantChangeTypeEx, "as VariantChangeType; the locale counts for nothing";
};

const DISP_E_TYPEMISMATCH: i32 = 0x8002_0005_u32 as i32;
const DISP_E_BADVARTYPE: i32 = 0x8002_0008_u32 as i32;
const DISP_E_OVERFLOW: i32 = 0x8002_000a_u32 as i32;

const VT_EMPTY: u16 = 0;
const VT_I2: u16 = 2;
const VT_I4: u16 = 3;
const VT_BSTR: u16 = 8;
const VT_DISPATCH: u16 = 9;
const VT_BOOL: u16 = 11;
const VT_UNKNOWN: u16 = 13;
const VT_RECORD: u16 = 36;
const VT_ARRAY: u16 = 0x2000;
const VT_BYREF: u16 = 0x4000;
/// Bits that no type has: `VT_RESERVED`, and `VT_VECTOR`, which a VARIANT may not be.
const VT_FORBIDDEN: u16 = 0x9000;

/// Index of `IUnknown::AddRef` in a table of methods.
pub(super) const ADD_REF: u64 = 1;
/// Index of `IUnknown::Release`.
pub(super) const RELEASE: u64 = 2;

/// Returns a VARIANT's size in bytes: eight and room for two pointers.
pub(super) fn size(guest: &Guest) -> u64 {
    8 + 2 * guest.machine().pointer_size()
}

/// Says whether plat can copy and clear this type.
fn is_handled(kind: u16) -> bool {
    let base = kind & 0xfff;
    let known = matches!(base, 0..=14 | 16..=23);
    let is_record = base == VT_RECORD;
    kind & VT_FORBIDDEN == 0 && known && (!is_record || kind & VT_BYREF != 0)
}

/// Calls a method without arguments of a COM object, unless it is null.
pub(super) fn call_method(guest: &mut Guest, object: u64, index: u64) -> Result<(), Fault> {
    if object != 0 {
        let table = guest.read_word(object)?;
        let method = guest.read_word(table + index * guest.machine().pointer_size())?;
        guest.call(method, &[object])?;
    }
    Ok(())
}

/// Makes a VARIANT empty without looking at what it held.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-variantinit>
#[winapi]
pub fn VariantInit(guest: &mut Guest, pvarg: GuestWord) -> Result<(), Fault> {
    guest.write(pvarg.get(), &VT_EMPTY)
}

/// Frees what a VARIANT holds, and makes it empty.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-variantclear>
#[winapi]
pub fn VariantClear(guest: &mut Guest, pvarg: GuestWord) -> Result<i32, Fault> {
    let kind = guest.read::<u16>(pvarg.get())?;
    if !is_handled(kind) {
        return Ok(DISP_E_BADVARTYPE);
    }
    // Empty first: a method called below may look at the VARIANT, or throw.
    guest.write(pvarg.get(), &VT_EMPTY)?;
    match kind {
        VT_BSTR => {
            let string = guest.read_word(pvarg.get() + 8)?;
            bstr::free(guest, string);
        }
        VT_UNKNOWN | VT_DISPATCH => {
            let object = guest.read_word(pvarg.get() + 8)?;
            call_method(guest, object, RELEASE)?;
        }
        kind if kind & (VT_ARRAY | VT_BYREF) == VT_ARRAY => {
            let array = guest.read_word(pvarg.get() + 8)?;
            return safe_array::SafeArrayDestroy(guest, GuestWord(array));
        }
        _ => {}
    }
    Ok(S_OK)
}

/// Copies a VARIANT with what it holds; the target is cleared first.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-variantcopy>
#[winapi]
pub fn VariantCopy(guest: &mut Guest, pvargDest: GuestWord, pvargSrc: GuestWord) -> Result<i32, Fault> {
    let kind = guest.read::<u16>(pvargSrc.get())?;
    if !is_handled(kind) {
        return Ok(DISP_E_BADVARTYPE);
    }
    if pvargDest == pvargSrc {
        return Ok(S_OK);
    }
    let cleared = VariantClear(guest, pvargDest)?;
    if cleared != S_OK {
        return Ok(cleared);
    }
    let mut bytes = guest.read_vec(pvargSrc.get(), size(guest))?;
    let held = guest.read_word(pvargSrc.get() + 8)?;
    match kind {
        VT_BSTR if held != 0 => {
            let Some(copy) = bstr::duplicate(guest, held)? else { return Ok(E_OUTOFMEMORY) };
            let width = guest.machine().pointer_size() as usize;
            bytes[8..8 + width].copy_from_slice(&copy.to_le_bytes()[..width]);
        }
        VT_UNKNOWN | VT_DISPATCH => call_method(guest, held, ADD_REF)?,
        kind if kind & (VT_ARRAY | VT_BYREF) == VT_ARRAY && held != 0 => {
            let Some(copy) = safe_array::copy(guest, held)? else { return Ok(E_OUTOFMEMORY) };
            let width = guest.machine().pointer_size() as usize;
            bytes[8..8 + width].copy_from_slice(&copy.to_le_bytes()[..width]);
        }
        _ => {}
    }
    guest.write_bytes(pvargDest.get(), &bytes)?;
    Ok(S_OK)
}

/// Returns size in bytes and signedness of an integer type.
fn integer(kind: u16) -> Option<(usize, bool)> {
    Some(match kind {
        16 => (1, true),
        17 => (1, false),
        VT_I2 => (2, true),
        18 => (2, false),
        VT_I4 | 22 => (4, true),
        19 | 23 => (4, false),
        20 => (8, true),
        21 => (8, false),
        _ => return None,
    })
}

/// Reads a VARIANT's value as a number.
fn read_number(guest: &Guest, kind: u16, address: u64) -> Result<Result<i128, i32>, Fault> {
    let raw = guest.read_u64(address + 8)?;
    if let Some((size, signed)) = integer(kind) {
        return Ok(Ok(extend(raw, size, signed)));
    }
    Ok(match kind {
        VT_EMPTY => Ok(0),
        VT_BOOL => Ok(i128::from(raw as u16 as i16)),
        VT_BSTR => {
            let string = guest.read_word(address + 8)?;
            let length = u64::from(bstr::byte_length(guest, string)? / 2);
            let text = String::from_utf16_lossy(&guest.read_wide(string, length)?);
            text.trim().parse().map_err(|_| DISP_E_TYPEMISMATCH)
        }
        _ => Err(DISP_E_TYPEMISMATCH),
    })
}

fn extend(raw: u64, size: usize, signed: bool) -> i128 {
    let shift = 64 - 8 * size as u32;
    if signed { i128::from((raw << shift) as i64 >> shift) } else { i128::from(raw << shift >> shift) }
}

/// Returns the eight bytes that hold `number` in a type.
fn number_as(number: i128, kind: u16) -> Result<u64, i32> {
    if kind == VT_BOOL {
        return Ok(if number == 0 { 0 } else { 0xffff });
    }
    let (size, signed) = integer(kind).ok_or(DISP_E_TYPEMISMATCH)?;
    let raw = number as u64 & (u64::MAX >> (64 - 8 * size as u32));
    if extend(raw, size, signed) == number { Ok(raw) } else { Err(DISP_E_OVERFLOW) }
}

/// Converts a VARIANT to another type; target and source may be the same.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-variantchangetype>
#[winapi]
pub fn VariantChangeType(
    guest: &mut Guest,
    pvargDest: GuestWord,
    pvarSrc: GuestWord,
    wFlags: u16,
    vt: u16,
) -> Result<i32, Fault> {
    let _ = wFlags;
    if pvargDest.is_null() || pvarSrc.is_null() {
        return Ok(E_INVALIDARG);
    }
    let kind = guest.read::<u16>(pvarSrc.get())?;
    if kind == vt {
        return VariantCopy(guest, pvargDest, pvarSrc);
    }
    let number = match read_number(guest, kind, pvarSrc.get())? {
        Ok(number) => number,
        Err(error) => return Ok(error),
    };
    let raw = match vt {
        VT_BSTR => {
            let text = match kind {
                VT_EMPTY => String::new(),
                _ => number.to_string(),
            };
            let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            match bstr::allocate(guest, bytes.len() as u64, &bytes)? {
                Some(string) => string,
                None => return Ok(E_OUTOFMEMORY),
            }
        }
        VT_EMPTY => 0,
        _ => match number_as(number, vt) {
            Ok(raw) => raw,
            Err(error) => return Ok(error),
        },
    };
    let cleared = VariantClear(guest, pvargDest)?;
    if cleared == S_OK {
        guest.write(pvargDest.get() + 8, &raw)?;
        guest.write(pvargDest.get(), &vt)?;
    }
    Ok(cleared)
}

/// Converts a VARIANT to another type for a locale.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-variantchangetypeex>
#[winapi]
pub fn VariantChangeTypeEx(
    guest: &mut Guest,
    pvargDest: GuestWord,
    pvarSrc: GuestWord,
    lcid: u32,
    wFlags: u16,
    vt: u16,
) -> Result<i32, Fault> {
    let _ = lcid;
    VariantChangeType(guest, pvargDest, pvarSrc, wFlags, vt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_fit_or_overflow() {
        assert_eq!(number_as(-1, VT_I2), Ok(0xffff));
        assert_eq!(number_as(40_000, VT_I2), Err(DISP_E_OVERFLOW));
        assert_eq!(number_as(-1, 19), Err(DISP_E_OVERFLOW));
        assert_eq!(number_as(7, VT_BOOL), Ok(0xffff));
        assert_eq!(number_as(7, VT_BSTR), Err(DISP_E_TYPEMISMATCH));
        assert_eq!(extend(0xff80, 1, true), -128);
        assert_eq!(extend(u64::MAX, 8, false), i128::from(u64::MAX));
    }

    #[test]
    fn records_and_reserved_types_are_refused() {
        let handled = [
            0,
            VT_BSTR,
            VT_BYREF | VT_BSTR,
            VT_ARRAY | VT_I2,
            VT_RECORD,
            15,
            0x8000,
            VT_BYREF | VT_ARRAY | VT_I2,
        ];
        assert_eq!(handled.map(is_handled), [true, true, true, true, false, false, false, true]);
    }
}
