//! oleauto.h: SAFEARRAY: new bounds, parts freed and made by themselves, interfaces of elements, bytes as strings.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use super::safe_array::{
    self, Array, DISP_E_ARRAYISLOCKED, HIDDEN, NOT_OWNED, SafeArrayCreate, SafeArrayCreateVector,
};
use super::variant::{ADD_REF, RELEASE, call_method};
use super::{E_INVALIDARG, E_OUTOFMEMORY, S_OK, bstr};
use crate::com::{ComError, fail, result};
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    @38 full SafeArrayDestroyDescriptor; @39 full SafeArrayDestroyData; @40 full SafeArrayRedim;
    @41 full SafeArrayAllocDescriptorEx; @42 partial SafeArrayCreateEx, "no records";
    @43 partial SafeArrayCreateVectorEx, "no records"; @44 full SafeArraySetRecordInfo;
    @45 full SafeArrayGetRecordInfo; @57 full SafeArraySetIID; @67 full SafeArrayGetIID;
    @412 full SafeArrayCopyData; @413 full VectorFromBstr; @414 full BstrFromVector;
};

/// `FADF_STATIC`: the data belongs to whoever made the descriptor.
const STATIC: u16 = 2;
/// `FADF_FIXEDSIZE`.
const FIXED: u16 = 0x10;
/// `FADF_RECORD`.
const OF_RECORDS: u16 = 0x20;
/// `FADF_HAVEIID`.
const HAVE_IDENTIFIER: u16 = 0x40;
/// `VT_UI1`.
const BYTE: u16 = 17;

/// Reads an array that a caller wants changed.
fn unlocked(guest: &Guest, array: GuestWord) -> Result<Array, ComError> {
    let array = Array::read(guest, array.get())?;
    if array.locks > 0 { fail(DISP_E_ARRAYISLOCKED as u32) } else { Ok(array) }
}

/// Frees a descriptor, but not the data.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-safearraydestroydescriptor>
#[winapi]
pub fn SafeArrayDestroyDescriptor(guest: &mut Guest, psa: GuestWord) -> Result<(), ComError> {
    if psa.is_null() {
        return Ok(());
    }
    let array = unlocked(guest, psa)?;
    if array.flags & OF_RECORDS != 0 {
        let information = guest.read_word(record_place(guest, psa.get()))?;
        call_method(guest, information, RELEASE)?;
    }
    if array.flags & NOT_OWNED == 0 {
        guest.process().heaps.free(0, array.address - HIDDEN);
    }
    Ok(())
}

/// Frees the data and what it holds, but not the descriptor.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-safearraydestroydata>
#[winapi]
pub fn SafeArrayDestroyData(guest: &mut Guest, psa: GuestWord) -> Result<(), ComError> {
    if psa.is_null() {
        return fail(result::INVALID_ARGUMENT);
    }
    let array = unlocked(guest, psa)?;
    if array.data == 0 {
        return Ok(());
    }
    array.clear_from(guest, 0)?;
    if array.flags & STATIC != 0 {
        guest.write_bytes(array.data, &vec![0; array.bytes() as usize])?;
    } else if array.flags & NOT_OWNED == 0 {
        guest.process().heaps.free(0, array.data);
        guest.write_word(safe_array::places(guest, psa.get()).0, 0)?;
    }
    Ok(())
}

/// Gives the last dimension new bounds. Elements that go are freed, new ones are zero.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-safearrayredim>
#[winapi]
pub fn SafeArrayRedim(guest: &mut Guest, psa: GuestWord, psaboundNew: GuestWord) -> Result<(), ComError> {
    if psa.is_null() || psaboundNew.is_null() {
        return fail(result::INVALID_ARGUMENT);
    }
    let array = unlocked(guest, psa)?;
    if array.flags & FIXED != 0 || array.bounds.is_empty() {
        return fail(result::INVALID_ARGUMENT);
    }
    let (count, lowest) = (guest.read_u32(psaboundNew.get())?, guest.read_u32(psaboundNew.get() + 4)?);
    let (data_place, bound_place) = safe_array::places(guest, psa.get());
    let others: u64 = array.bounds[1..].iter().map(|bound| u64::from(bound.0)).product();
    let elements = others.saturating_mul(count.into());
    let bytes = elements.saturating_mul(array.element_bytes.into());
    if array.data != 0 && bytes != array.bytes() {
        let block = allocate(guest, bytes).ok_or(ComError::Result(result::OUT_OF_MEMORY))?;
        array.clear_from(guest, elements)?;
        let kept = guest.read_vec(array.data, bytes.min(array.bytes()))?;
        guest.write_bytes(block, &kept)?;
        if array.flags & NOT_OWNED == 0 {
            guest.process().heaps.free(0, array.data);
        }
        guest.write_word(data_place, block)?;
    }
    guest.write(bound_place, &count)?;
    Ok(guest.write(bound_place + 4, &lowest)?)
}

/// Returns a block of zeros.
fn allocate(guest: &Guest, bytes: u64) -> Option<u64> {
    /// More than a program's addresses.
    const MOST: u64 = 1 << 40;
    if bytes > MOST { None } else { guest.process().heaps.allocate(0, bytes, true) }
}

/// Makes a descriptor for elements of a type, without data and bounds.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-safearrayallocdescriptorex>
#[winapi]
pub fn SafeArrayAllocDescriptorEx(
    guest: &mut Guest,
    vt: u16,
    cDims: u32,
    ppsaOut: GuestWord,
) -> Result<i32, Fault> {
    let made = safe_array::SafeArrayAllocDescriptor(guest, cDims, ppsaOut)?;
    if made != S_OK {
        return Ok(made);
    }
    let array = guest.read_word(ppsaOut.get())?;
    let (bytes, flags) = safe_array::element(guest, vt).unwrap_or((0, 0));
    guest.write(array + 2, &flags)?;
    guest.write(array + 4, &bytes)?;
    safe_array::write_kind(guest, array, vt).map(|()| S_OK)
}

/// Gives a new array of objects the identifier of their interface.
fn with_identifier(guest: &mut Guest, array: GuestWord, identifier: GuestWord) -> Result<GuestWord, Fault> {
    if !array.is_null() && !identifier.is_null() {
        SafeArraySetIID(guest, array, identifier)?;
    }
    Ok(array)
}

/// Makes an array; for objects, of an interface.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-safearraycreateex>
#[winapi]
pub fn SafeArrayCreateEx(
    guest: &mut Guest,
    vt: u16,
    cDims: u32,
    rgsabound: GuestWord,
    pvExtra: GuestWord,
) -> Result<GuestWord, Fault> {
    let array = SafeArrayCreate(guest, vt, cDims, rgsabound)?;
    with_identifier(guest, array, pvExtra)
}

/// Makes an array of one dimension; for objects, of an interface.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-safearraycreatevectorex>
#[winapi]
pub fn SafeArrayCreateVectorEx(
    guest: &mut Guest,
    vt: u16,
    lLbound: i32,
    cElements: u32,
    pvExtra: GuestWord,
) -> Result<GuestWord, Fault> {
    let array = SafeArrayCreateVector(guest, vt, lLbound, cElements)?;
    with_identifier(guest, array, pvExtra)
}

/// Says whether an array has one of some flags.
fn has(guest: &Guest, array: GuestWord, flags: u16) -> Result<bool, Fault> {
    Ok(!array.is_null() && guest.read::<u16>(array.get() + 2)? & flags != 0)
}

/// Sets the identifier of the interface of an array's elements.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-safearraysetiid>
#[winapi]
pub fn SafeArraySetIID(guest: &mut Guest, psa: GuestWord, guid: GuestWord) -> Result<i32, Fault> {
    if guid.is_null() || !has(guest, psa, HAVE_IDENTIFIER)? {
        return Ok(E_INVALIDARG);
    }
    let bytes = guest.read_vec(guid.get(), HIDDEN)?;
    guest.write_bytes(psa.get() - HIDDEN, &bytes).map(|()| S_OK)
}

/// Returns the identifier of the interface of an array's elements.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-safearraygetiid>
#[winapi]
pub fn SafeArrayGetIID(guest: &mut Guest, psa: GuestWord, pguid: GuestWord) -> Result<i32, Fault> {
    if pguid.is_null() || !has(guest, psa, HAVE_IDENTIFIER)? {
        return Ok(E_INVALIDARG);
    }
    let bytes = guest.read_vec(psa.get() - HIDDEN, HIDDEN)?;
    guest.write_bytes(pguid.get(), &bytes).map(|()| S_OK)
}

/// Returns where an array of records keeps what tells of them.
fn record_place(guest: &Guest, array: u64) -> u64 {
    array - guest.machine().pointer_size()
}

/// Sets what tells of an array's records.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-safearraysetrecordinfo>
#[winapi]
pub fn SafeArraySetRecordInfo(guest: &mut Guest, psa: GuestWord, prinfo: GuestWord) -> Result<i32, Fault> {
    if !has(guest, psa, OF_RECORDS)? {
        return Ok(E_INVALIDARG);
    }
    call_method(guest, prinfo.get(), ADD_REF)?;
    let place = record_place(guest, psa.get());
    let old = guest.read_word(place)?;
    guest.write_word(place, prinfo.get())?;
    call_method(guest, old, RELEASE).map(|()| S_OK)
}

/// Returns what tells of an array's records.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-safearraygetrecordinfo>
#[winapi]
pub fn SafeArrayGetRecordInfo(guest: &mut Guest, psa: GuestWord, prinfo: GuestWord) -> Result<i32, Fault> {
    if prinfo.is_null() || !has(guest, psa, OF_RECORDS)? {
        return Ok(E_INVALIDARG);
    }
    let information = guest.read_word(record_place(guest, psa.get()))?;
    guest.write_word(prinfo.get(), information)?;
    call_method(guest, information, ADD_REF).map(|()| S_OK)
}

/// Copies an array's elements over those of another of the same shape.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-safearraycopydata>
#[winapi]
pub fn SafeArrayCopyData(
    guest: &mut Guest,
    psaSource: GuestWord,
    psaTarget: GuestWord,
) -> Result<i32, Fault> {
    if psaSource.is_null() || psaTarget.is_null() {
        return Ok(E_INVALIDARG);
    }
    let (source, target) = (Array::read(guest, psaSource.get())?, Array::read(guest, psaTarget.get())?);
    let counts = |array: &Array| array.bounds.iter().map(|bound| bound.0).collect::<Vec<_>>();
    let alike = counts(&source) == counts(&target) && source.element_bytes == target.element_bytes;
    if !alike || source.data == 0 || target.data == 0 {
        return Ok(E_INVALIDARG);
    }
    target.clear_from(guest, 0)?;
    for at in (0..source.count()).map(|at| at * u64::from(source.element_bytes)) {
        source.copy_one(guest, source.data + at, target.data + at)?;
    }
    Ok(S_OK)
}

/// Makes an array of a string's bytes.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-vectorfrombstr>
#[winapi]
pub fn VectorFromBstr(guest: &mut Guest, bstr: GuestWord, ppsa: GuestWord) -> Result<i32, Fault> {
    if ppsa.is_null() {
        return Ok(E_INVALIDARG);
    }
    let length = bstr::byte_length(guest, bstr.get())?;
    let made = safe_array::create(guest, BYTE, &[(length, 0)])?;
    guest.write_word(ppsa.get(), made.unwrap_or(0))?;
    let Some(made) = made else { return Ok(E_OUTOFMEMORY) };
    if length > 0 {
        let bytes = guest.read_vec(bstr.get(), length.into())?;
        guest.write_bytes(Array::read(guest, made)?.data, &bytes)?;
    }
    Ok(S_OK)
}

/// Makes a string of the bytes of an array of one dimension.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-bstrfromvector>
#[winapi]
pub fn BstrFromVector(guest: &mut Guest, psa: GuestWord, pbstr: GuestWord) -> Result<i32, Fault> {
    if pbstr.is_null() {
        return Ok(E_INVALIDARG);
    }
    guest.write_word(pbstr.get(), 0)?;
    if psa.is_null() {
        return Ok(E_INVALIDARG);
    }
    let array = Array::read(guest, psa.get())?;
    if array.dimensions != 1 || array.element_bytes != 1 {
        return Ok(E_INVALIDARG);
    }
    let bytes = guest.read_vec(array.data, array.bytes())?;
    let Some(string) = bstr::allocate(guest, bytes.len() as u64, &bytes)? else { return Ok(E_OUTOFMEMORY) };
    guest.write_word(pbstr.get(), string).map(|()| S_OK)
}
