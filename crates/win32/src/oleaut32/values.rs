//! Values of automation in guest memory: VARIANTs, what they point to, decimals, and what objects are worth.

use plat_abi::{Fault, GuestWord, Memory};

use super::variant::{VariantClear, call_method_with};
use super::{E_INVALIDARG, E_OUTOFMEMORY, S_OK, bstr};
use crate::guest::Guest;
use crate::logic::automation::convert::convert;
use crate::logic::automation::decimal::{Decimal, MAX_SCALE};
use crate::logic::automation::{How, Refused, Value, integer, kind};
use crate::logic::nls::locale;
use crate::nt::nls;

/// A value, or why there is none; or a bad pointer.
pub(super) type Outcome = Result<Result<Value, Refused>, Fault>;

const VT_DISPATCH: u16 = 9;
const VT_VARIANT: u16 = 12;
const VT_BYREF: u16 = 0x4000;

/// Returns what conversions go by for a locale's number; one that plat does not have is the user's.
pub(super) fn how(number: u32, flags: u32) -> How {
    let known = match number & 0xffff {
        0 | 0x400 | 0x800 => None,
        number => locale::of_number(number),
    };
    How { locale: known.unwrap_or_else(nls::user_locale), flags }
}

/// Reads a decimal.
pub(super) fn read_decimal(guest: &Guest, address: u64) -> Result<Result<Decimal, Refused>, Fault> {
    const NEGATIVE: u8 = 0x80;
    let (scale, sign) = (guest.read::<u8>(address + 2)?, guest.read::<u8>(address + 3)?);
    let (high, low) = (guest.read_u32(address + 4)?, guest.read_u64(address + 8)?);
    if scale > MAX_SCALE || sign & !NEGATIVE != 0 {
        return Ok(Err(Refused::INVALID));
    }
    let magnitude = u128::from(high) << 64 | u128::from(low);
    Ok(Ok(Decimal { negative: sign != 0, scale, magnitude }))
}

/// Writes a decimal, but for its first two bytes: in a VARIANT they are the type.
pub(super) fn write_decimal(guest: &Guest, address: u64, value: Decimal) -> Result<(), Fault> {
    guest.write(address + 2, &value.scale)?;
    guest.write(address + 3, &(u8::from(value.negative) << 7))?;
    guest.write(address + 4, &((value.magnitude >> 64) as u32))?;
    guest.write(address + 8, &(value.magnitude as u64))
}

/// Reads the value of a type at an address.
fn read_plain(guest: &Guest, kind: u16, address: u64) -> Outcome {
    if let Some((size, signed)) = integer(kind) {
        let bytes = guest.read_vec(address, size as u64)?;
        let fill = if signed && bytes[size - 1] & 0x80 != 0 { 0xff } else { 0 };
        let mut all = [fill; 16];
        all[..size].copy_from_slice(&bytes);
        return Ok(Ok(Value::Integer(kind, i128::from_le_bytes(all))));
    }
    Ok(Ok(match kind {
        kind::EMPTY => Value::Empty,
        kind::NULL => Value::Null,
        kind::R4 => Value::R4(f32::from_bits(guest.read_u32(address)?)),
        kind::R8 => Value::R8(f64::from_bits(guest.read_u64(address)?)),
        kind::DATE => Value::Date(f64::from_bits(guest.read_u64(address)?)),
        kind::CY => Value::Cy(guest.read_u64(address)? as i64),
        kind::BOOL => Value::Bool(guest.read::<u16>(address)? != 0),
        kind::ERROR => Value::Error(guest.read_u32(address)?),
        kind::BSTR => {
            let string = guest.read_word(address)?;
            let length = u64::from(bstr::byte_length(guest, string)? / 2);
            Value::Text(if string == 0 { Vec::new() } else { guest.read_wide(string, length)? })
        }
        0..=13 | 36 => return Ok(Err(Refused::MISMATCH)),
        _ => return Ok(Err(Refused::BAD_TYPE)),
    }))
}

/// Reads the value of a VARIANT, through a pointer if it holds one; an object is worth its default property.
pub(super) fn read_variant(guest: &mut Guest, address: u64, locale: u32) -> Outcome {
    let mut address = address;
    let mut kind = guest.read::<u16>(address)?;
    if kind == VT_BYREF | VT_VARIANT {
        address = guest.read_word(address + 8)?;
        kind = guest.read::<u16>(address)?;
        if kind == VT_BYREF | VT_VARIANT {
            return Ok(Err(Refused::INVALID));
        }
    }
    // A decimal lies over the type.
    let place = match (kind & VT_BYREF != 0, kind & !VT_BYREF) {
        (true, _) => guest.read_word(address + 8)?,
        (false, kind::DECIMAL) => address,
        (false, _) => address + 8,
    };
    match kind & !VT_BYREF {
        kind::DECIMAL => read_decimal(guest, place).map(|read| read.map(Value::Decimal)),
        VT_DISPATCH => {
            let object = guest.read_word(place)?;
            of_object(guest, object, locale)
        }
        kind if kind & 0xf000 != 0 => Ok(Err(Refused::MISMATCH)),
        kind => read_plain(guest, kind, place),
    }
}

/// Asks an object for its default property.
pub(super) fn of_object(guest: &mut Guest, object: u64, locale: u32) -> Outcome {
    /// Index of `IDispatch::Invoke`, and `DISPATCH_PROPERTYGET`.
    const INVOKE: u64 = 6;
    const PROPERTY_GET: u64 = 2;
    const ROOM: u64 = 96;
    if object == 0 {
        return Ok(Err(Refused::BAD_TYPE));
    }
    let Some(block) = guest.process().heaps.allocate(0, ROOM, true) else {
        return Ok(Err(Refused(E_OUTOFMEMORY)));
    };
    // Zeros: an identifier of nothing, no arguments, an empty VARIANT.
    let (identifier, arguments, result) = (block, block + 16, block + 48);
    let call = [object, 0, identifier, locale.into(), PROPERTY_GET, arguments, result, 0, 0];
    let code = call_method_with(guest, INVOKE, &call)? as i32;
    let value = match code {
        0.. => read_variant(guest, result, locale)?,
        code => Err(Refused(code)),
    };
    VariantClear(guest, GuestWord(result))?;
    guest.process().heaps.free(0, block);
    Ok(value)
}

/// Writes a value where its type has its place; texts are new strings.
fn write_plain(guest: &Guest, address: u64, value: &Value) -> Result<i32, Fault> {
    match value {
        Value::Empty | Value::Null => {}
        Value::Integer(kind, number) => {
            let size = integer(*kind).map_or(0, |(size, _)| size);
            guest.write_bytes(address, &number.to_le_bytes()[..size])?;
        }
        Value::R4(number) => guest.write(address, &number.to_bits())?,
        Value::R8(number) | Value::Date(number) => guest.write(address, &number.to_bits())?,
        Value::Cy(number) => guest.write(address, &(*number as u64))?,
        Value::Bool(is) => guest.write(address, &if *is { 0xffff_u16 } else { 0 })?,
        Value::Error(code) => guest.write(address, code)?,
        Value::Decimal(number) => write_decimal(guest, address, *number)?,
        Value::Text(units) => return write_text(guest, address, units),
    }
    Ok(S_OK)
}

/// Writes a text as a new string.
pub(super) fn write_text(guest: &Guest, address: u64, units: &[u16]) -> Result<i32, Fault> {
    let bytes: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    let Some(string) = bstr::allocate(guest, bytes.len() as u64, &bytes)? else { return Ok(E_OUTOFMEMORY) };
    guest.write_word(address, string).map(|()| S_OK)
}

/// Writes a value as a VARIANT, whatever stood there.
pub(super) fn write_variant(guest: &Guest, address: u64, value: &Value) -> Result<i32, Fault> {
    let place = if matches!(value, Value::Decimal(_)) { address } else { address + 8 };
    let written = write_plain(guest, place, value)?;
    if written == S_OK {
        guest.write(address, &value.kind())?;
    }
    Ok(written)
}

/// Converts a value to a type and writes it where `out` says.
pub(super) fn convert_to(
    guest: &mut Guest,
    value: Result<Value, Refused>,
    to: u16,
    locale: u32,
    flags: u32,
    out: u64,
) -> Result<i32, Fault> {
    if out == 0 {
        return Ok(E_INVALIDARG);
    }
    match value.and_then(|value| convert(&value, to, how(locale, flags))) {
        Ok(made) => write_plain(guest, out, &made),
        Err(Refused(code)) => Ok(code),
    }
}

/// Writes the result of an operation as a VARIANT; a failure is told by its code.
pub(super) fn finish(guest: &Guest, result: Result<Value, Refused>, out: u64) -> Result<i32, Fault> {
    match result {
        Ok(value) => write_variant(guest, out, &value),
        Err(Refused(code)) => Ok(code),
    }
}
