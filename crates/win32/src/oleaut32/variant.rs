//! oleauto.h: VARIANT: a type and a value of up to eight bytes (sixteen for records).

use plat_abi::{Fault, GuestWord, Memory, winapi};

use super::{E_INVALIDARG, E_OUTOFMEMORY, S_OK, bstr, safe_array, safe_array_parts, values};
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::automation::convert::convert;
use crate::logic::automation::{Refused, Value};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    @8 full VariantInit;
    @9 partial VariantClear, "no records: DISP_E_BADVARTYPE";
    @10 partial VariantCopy, "no records: DISP_E_BADVARTYPE";
    @11 full VariantCopyInd;
    @12 partial VariantChangeType, "of arrays only bytes to and from text; no other interfaces of objects";
    @147 partial VariantChangeTypeEx, "as VariantChangeType";
};

const DISP_E_BADVARTYPE: i32 = 0x8002_0008_u32 as i32;

const VT_EMPTY: u16 = 0;
const VT_I2: u16 = 2;
const VT_BSTR: u16 = 8;
const VT_DISPATCH: u16 = 9;
const VT_VARIANT: u16 = 12;
const VT_UNKNOWN: u16 = 13;
const VT_RECORD: u16 = 36;
const VT_ARRAY: u16 = 0x2000;
/// An array of bytes.
const VT_BYTES: u16 = VT_ARRAY | 17;
const VT_BYREF: u16 = 0x4000;
/// Bits that no type has: `VT_RESERVED`, and `VT_VECTOR`, which a VARIANT may not be.
const VT_FORBIDDEN: u16 = 0x9000;

/// Index of `IUnknown::AddRef` in a table of methods.
pub(crate) const ADD_REF: u64 = 1;
/// Index of `IUnknown::Release`.
pub(crate) const RELEASE: u64 = 2;

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

/// Calls a method of a COM object, which is the first argument.
pub(crate) fn call_method_with(guest: &mut Guest, index: u64, arguments: &[u64]) -> Result<u64, Fault> {
    let table = guest.read_word(arguments.first().copied().unwrap_or(0))?;
    let method = guest.read_word(table + index * guest.machine().pointer_size())?;
    guest.call(method, arguments)
}

/// Calls a method without arguments of a COM object, unless it is null.
pub(crate) fn call_method(guest: &mut Guest, object: u64, index: u64) -> Result<(), Fault> {
    if object != 0 {
        call_method_with(guest, index, &[object])?;
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

/// Copies a VARIANT with what it holds or points to; the target is cleared first.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-variantcopyind>
#[winapi]
pub fn VariantCopyInd(guest: &mut Guest, pvarDest: GuestWord, pvargSrc: GuestWord) -> Result<i32, Fault> {
    let mut source = pvargSrc.get();
    let mut kind = guest.read::<u16>(source)?;
    if kind == VT_BYREF | VT_VARIANT {
        source = guest.read_word(source + 8)?;
        kind = guest.read::<u16>(source)?;
        if kind == VT_BYREF | VT_VARIANT {
            return Ok(E_INVALIDARG);
        }
    }
    if kind & VT_BYREF == 0 {
        return VariantCopy(guest, pvarDest, GuestWord(source));
    }
    if kind & (VT_ARRAY | VT_FORBIDDEN) != 0 || [VT_UNKNOWN, VT_DISPATCH].contains(&(kind & !VT_BYREF)) {
        return indirect(guest, pvarDest, kind & !VT_BYREF, source);
    }
    let value = match values::read_variant(guest, source, 0)? {
        Ok(value) => value,
        Err(Refused(code)) => return Ok(code),
    };
    let cleared = VariantClear(guest, pvarDest)?;
    if cleared == S_OK { values::write_variant(guest, pvarDest.get(), &value) } else { Ok(cleared) }
}

/// Copies the array or object that a VARIANT points to.
fn indirect(guest: &mut Guest, target: GuestWord, kind: u16, source: u64) -> Result<i32, Fault> {
    let place = guest.read_word(source + 8)?;
    let held = guest.read_word(place)?;
    let Some(block) = guest.process().heaps.allocate(0, size(guest), true) else { return Ok(E_OUTOFMEMORY) };
    guest.write(block, &kind)?;
    guest.write_word(block + 8, held)?;
    let copied = VariantCopy(guest, target, GuestWord(block));
    guest.process().heaps.free(0, block);
    copied
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
    VariantChangeTypeEx(guest, pvargDest, pvarSrc, 0, wFlags, vt)
}

/// Converts a VARIANT to another type for a locale. Truth becomes the text `True` only if that is asked for.
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
    /// `VARIANT_ALPHABOOL` and `VARIANT_LOCALBOOL`.
    const WORDS: u16 = 0x12;
    if pvargDest.is_null() || pvarSrc.is_null() {
        return Ok(E_INVALIDARG);
    }
    let kind = guest.read::<u16>(pvarSrc.get())?;
    if kind == vt {
        return VariantCopy(guest, pvargDest, pvarSrc);
    }
    match (kind, vt) {
        (VT_BSTR, VT_BYTES) | (VT_BYTES, VT_BSTR) => return change_bytes(guest, pvargDest, pvarSrc, vt),
        _ if vt & 0xf000 != 0 => return Ok(Refused::MISMATCH.0),
        _ => {}
    }
    let value = values::read_variant(guest, pvarSrc.get(), lcid)?.and_then(|value| {
        let value = match value {
            Value::Bool(is) if vt == VT_BSTR && wFlags & WORDS == 0 => Value::Integer(VT_I2, -i128::from(is)),
            value => value,
        };
        convert(&value, vt, values::how(lcid, 0))
    });
    let value = match value {
        Ok(value) => value,
        Err(Refused(code)) => return Ok(code),
    };
    let cleared = VariantClear(guest, pvargDest)?;
    if cleared == S_OK { values::write_variant(guest, pvargDest.get(), &value) } else { Ok(cleared) }
}

/// Makes an array of a text's bytes, or a text of them.
fn change_bytes(guest: &mut Guest, to: GuestWord, from: GuestWord, kind: u16) -> Result<i32, Fault> {
    let held = GuestWord(guest.read_word(from.get() + 8)?);
    let Some(room) = guest.process().heaps.allocate(0, 8, true) else { return Ok(E_OUTOFMEMORY) };
    let made = match kind {
        VT_BSTR => safe_array_parts::BstrFromVector(guest, held, GuestWord(room))?,
        _ => safe_array_parts::VectorFromBstr(guest, held, GuestWord(room))?,
    };
    let made_at = guest.read_word(room)?;
    guest.process().heaps.free(0, room);
    let cleared = if made == S_OK { VariantClear(guest, to)? } else { made };
    if cleared == S_OK {
        guest.write_word(to.get() + 8, made_at)?;
        guest.write(to.get(), &kind)?;
    }
    Ok(cleared)
}

#[cfg(test)]
mod tests {
    use super::*;

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
