//! combaseapi.h, propidlbase.h: PROPVARIANT: values of properties, which own their texts, blocks and lists.
//!
//! Source: <https://learn.microsoft.com/windows/win32/api/propidlbase/ns-propidlbase-propvariant>

use plat_abi::{Fault, GuestWord, Memory, winapi};

use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::oleaut32::bstr;
use crate::oleaut32::safe_array::{SafeArrayCopy, SafeArrayDestroy};
use crate::oleaut32::variant::{ADD_REF, RELEASE, call_method};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial PropVariantClear, "no versioned streams"; partial PropVariantCopy, "no versioned streams, no clipboard data";
    partial FreePropVariantArray, "as PropVariantClear";
};

const OK: i32 = 0;
const OUT_OF_MEMORY: i32 = 0x8007_000e_u32 as i32;
/// `STG_E_INVALIDPARAMETER`.
const INVALID: i32 = 0x8003_0057_u32 as i32;

const BSTR: u16 = 8;
const VARIANT: u16 = 12;
const LPSTR: u16 = 30;
const LPWSTR: u16 = 31;
const BLOB: u16 = 65;
const BLOB_OBJECT: u16 = 70;
const CLIPBOARD: u16 = 71;
const CLSID: u16 = 72;
/// `VT_VECTOR` and `VT_ARRAY`.
const VECTOR: u16 = 0x1000;
const ARRAY: u16 = 0x2000;

/// How a value of a type holds what it points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holds {
    /// Nothing: so many bytes in place.
    Nothing(u64),
    Text {
        is_wide: bool,
    },
    String,
    Object,
    Identifier,
    /// A size and a block.
    Block,
    Clipboard,
    Value,
    List,
    SafeArray,
}

/// Returns a PROPVARIANT's size in bytes.
fn size(guest: &Guest) -> u64 {
    8 + 2 * guest.machine().pointer_size().max(4)
}

fn holds(kind: u16) -> Option<Holds> {
    Some(match kind {
        kind if kind & ARRAY != 0 => Holds::SafeArray,
        kind if kind & VECTOR != 0 => {
            single(kind & !VECTOR)?;
            Holds::List
        }
        kind => single(kind)?,
    })
}

fn single(kind: u16) -> Option<Holds> {
    Some(match kind {
        0 | 1 => Holds::Nothing(0),
        16 | 17 => Holds::Nothing(1),
        2 | 11 | 18 => Holds::Nothing(2),
        3 | 4 | 10 | 19 | 22 | 23 => Holds::Nothing(4),
        5..=7 | 20 | 21 | 64 => Holds::Nothing(8),
        14 => Holds::Nothing(16),
        BSTR => Holds::String,
        9 | 13 | 66..=69 => Holds::Object,
        VARIANT => Holds::Value,
        LPSTR | LPWSTR => Holds::Text { is_wide: kind == LPWSTR },
        BLOB | BLOB_OBJECT => Holds::Block,
        CLIPBOARD => Holds::Clipboard,
        CLSID => Holds::Identifier,
        _ => return None,
    })
}

/// Returns the size of a list's element.
fn element_size(guest: &Guest, holds: Holds) -> u64 {
    let pointer = guest.machine().pointer_size();
    match holds {
        Holds::Nothing(size) => size,
        Holds::Value => size(guest),
        // Identifiers lie in lists themselves.
        Holds::Identifier => 16,
        Holds::Block | Holds::List => 2 * pointer,
        Holds::Clipboard => 8 + pointer,
        _ => pointer,
    }
}

fn free(guest: &Guest, address: u64) {
    if address != 0 {
        guest.process().heaps.free(0, address);
    }
}

/// Frees what the value at a place holds; `kind` is its type.
fn clear_place(guest: &mut Guest, kind: u16, place: u64) -> Result<(), Fault> {
    let pointer = guest.machine().pointer_size();
    match holds(kind) {
        None | Some(Holds::Nothing(_)) => {}
        Some(Holds::Text { .. } | Holds::Identifier) => free(guest, guest.read_word(place)?),
        Some(Holds::String) => bstr::free(guest, guest.read_word(place)?),
        Some(Holds::Object) => call_method(guest, guest.read_word(place)?, RELEASE)?,
        Some(Holds::Block) => free(guest, guest.read_word(place + pointer)?),
        Some(Holds::Clipboard) => {
            let data = guest.read_word(place)?;
            if data != 0 {
                free(guest, guest.read_word(data + 8)?);
                free(guest, data);
            }
        }
        Some(Holds::Value) => {
            PropVariantClear(guest, GuestWord(place))?;
        }
        Some(Holds::SafeArray) => {
            SafeArrayDestroy(guest, GuestWord(guest.read_word(place)?))?;
        }
        Some(Holds::List) => {
            let (count, list) = (guest.read_u32(place)?, guest.read_word(place + pointer)?);
            let kind = kind & !VECTOR;
            let holds = single(kind).unwrap_or(Holds::Nothing(0));
            if !matches!(holds, Holds::Nothing(_) | Holds::Identifier) && list != 0 {
                let step = element_size(guest, holds);
                for at in 0..u64::from(count) {
                    clear_place(guest, kind, list + at * step)?;
                }
            }
            free(guest, list);
        }
    }
    Ok(())
}

/// Frees what a value holds, and makes it empty.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/combaseapi/nf-combaseapi-propvariantclear>
#[winapi]
pub fn PropVariantClear(guest: &mut Guest, pvar: GuestWord) -> Result<i32, Fault> {
    if pvar.is_null() {
        return Ok(OK);
    }
    let kind = guest.read::<u16>(pvar.get())?;
    if holds(kind).is_none() {
        return Ok(INVALID);
    }
    clear_place(guest, kind, pvar.get() + 8)?;
    guest.write_bytes(pvar.get(), &vec![0; size(guest) as usize])?;
    Ok(OK)
}

/// Empties values in a row; returns the first that is none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/combaseapi/nf-combaseapi-freepropvariantarray>
#[winapi]
pub fn FreePropVariantArray(guest: &mut Guest, cVariants: u32, rgvars: GuestWord) -> Result<i32, Fault> {
    if rgvars.is_null() && cVariants > 0 {
        return Ok(INVALID);
    }
    let mut result = OK;
    for at in 0..u64::from(cVariants) {
        let cleared = PropVariantClear(guest, GuestWord(rgvars.get() + at * size(guest)))?;
        result = if result == OK { cleared } else { result };
    }
    Ok(result)
}

/// Returns a copy of so many bytes; null stays null.
fn copy_bytes(guest: &Guest, from: u64, bytes: u64) -> Result<Result<u64, i32>, Fault> {
    if from == 0 {
        return Ok(Ok(0));
    }
    let Some(block) = guest.process().heaps.allocate(0, bytes.max(1), true) else {
        return Ok(Err(OUT_OF_MEMORY));
    };
    let data = guest.read_vec(from, bytes)?;
    guest.write_bytes(block, &data)?;
    Ok(Ok(block))
}

/// Gives a value that was copied byte by byte its own texts, blocks and lists.
fn own_place(guest: &mut Guest, kind: u16, place: u64) -> Result<i32, Fault> {
    let pointer = guest.machine().pointer_size();
    let (slot, copy) = match holds(kind) {
        None | Some(Holds::Clipboard) => return Ok(INVALID),
        Some(Holds::Nothing(_)) => return Ok(OK),
        Some(Holds::Object) => return call_method(guest, guest.read_word(place)?, ADD_REF).map(|()| OK),
        Some(Holds::Value) => {
            let kind = guest.read::<u16>(place)?;
            return own_place(guest, kind, place + 8);
        }
        Some(Holds::SafeArray) => {
            return SafeArrayCopy(guest, GuestWord(guest.read_word(place)?), GuestWord(place));
        }
        Some(Holds::String) => {
            let string = guest.read_word(place)?;
            let copy = if string == 0 { Some(0) } else { bstr::duplicate(guest, string)? };
            (place, copy.ok_or(OUT_OF_MEMORY))
        }
        Some(Holds::Identifier) => (place, copy_bytes(guest, guest.read_word(place)?, 16)?),
        Some(Holds::Text { is_wide }) => {
            let text = guest.read_word(place)?;
            let bytes = match (text, is_wide) {
                (0, _) => 0,
                (_, true) => 2 * (guest.read_wide_string(text)?.len() as u64 + 1),
                (_, false) => guest.read_c_string(text)?.len() as u64 + 1,
            };
            (place, copy_bytes(guest, text, bytes)?)
        }
        Some(Holds::Block) => {
            let bytes = guest.read_u32(place)?;
            (place + pointer, copy_bytes(guest, guest.read_word(place + pointer)?, bytes.into())?)
        }
        Some(Holds::List) => return own_list(guest, kind & !VECTOR, place),
    };
    match copy {
        Ok(address) => guest.write_word(slot, address).map(|()| OK),
        Err(code) => guest.write_word(slot, 0).map(|()| code),
    }
}

fn own_list(guest: &mut Guest, kind: u16, place: u64) -> Result<i32, Fault> {
    let pointer = guest.machine().pointer_size();
    let (count, list) = (guest.read_u32(place)?, guest.read_word(place + pointer)?);
    let holds = single(kind).unwrap_or(Holds::Nothing(0));
    let step = element_size(guest, holds);
    let copy = match copy_bytes(guest, list, step * u64::from(count))? {
        Ok(copy) => copy,
        Err(code) => return Ok(code),
    };
    guest.write_word(place + pointer, copy)?;
    if matches!(holds, Holds::Nothing(_) | Holds::Identifier) || copy == 0 {
        return Ok(OK);
    }
    for at in 0..u64::from(count) {
        let owned = own_place(guest, kind, copy + at * step)?;
        if owned != OK {
            return Ok(owned);
        }
    }
    Ok(OK)
}

/// Copies a value with all that it holds.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/combaseapi/nf-combaseapi-propvariantcopy>
#[winapi]
pub fn PropVariantCopy(guest: &mut Guest, pvarDest: GuestWord, pvarSrc: GuestWord) -> Result<i32, Fault> {
    let kind = guest.read::<u16>(pvarSrc.get())?;
    if holds(kind).is_none() {
        return Ok(INVALID);
    }
    let bytes = guest.read_vec(pvarSrc.get(), size(guest))?;
    guest.write_bytes(pvarDest.get(), &bytes)?;
    let owned = own_place(guest, kind, pvarDest.get() + 8)?;
    if owned != OK {
        // What is not its own must not be freed with it.
        guest.write_bytes(pvarDest.get(), &vec![0; bytes.len()])?;
    }
    Ok(owned)
}
