//! oleauto.h: SAFEARRAY: arrays that know their bounds and what their elements are.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use super::variant::{self, ADD_REF, RELEASE, call_method};
use super::{E_INVALIDARG, E_OUTOFMEMORY, S_OK, bstr};
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    @15 partial SafeArrayCreate, "no records";
    @411 partial SafeArrayCreateVector, "no records";
    @36 full SafeArrayAllocDescriptor;
    @37 full SafeArrayAllocData;
    @16 full SafeArrayDestroy;
    @17 full SafeArrayGetDim;
    @18 full SafeArrayGetElemsize;
    @19 full SafeArrayGetUBound;
    @20 full SafeArrayGetLBound;
    @21 full SafeArrayLock;
    @22 full SafeArrayUnlock;
    @23 full SafeArrayAccessData;
    @24 full SafeArrayUnaccessData;
    @25 full SafeArrayGetElement;
    @26 full SafeArrayPutElement;
    @27 full SafeArrayCopy;
    @77 full SafeArrayGetVartype;
    @148 full SafeArrayPtrOfIndex;
};

const E_POINTER: i32 = 0x8000_4003_u32 as i32;
const E_UNEXPECTED: i32 = 0x8000_ffff_u32 as i32;
const DISP_E_BADINDEX: i32 = 0x8002_000b_u32 as i32;
pub(super) const DISP_E_ARRAYISLOCKED: i32 = 0x8002_000d_u32 as i32;

/// Bytes before a descriptor, the last four of which hold the elements' type.
pub(super) const HIDDEN: u64 = 16;
/// `FADF_AUTO`, `FADF_STATIC`, `FADF_EMBEDDED`: the data is not freed.
pub(super) const NOT_OWNED: u16 = 7;
/// `FADF_HAVEVARTYPE`.
const HAVE_TYPE: u16 = 0x80;
/// `FADF_BSTR`.
const OF_STRINGS: u16 = 0x100;
/// `FADF_UNKNOWN` and `FADF_DISPATCH`.
const OF_OBJECTS: u16 = 0x600;
/// `FADF_VARIANT`.
const OF_VARIANTS: u16 = 0x800;
/// The most dimensions.
const DIMENSIONS_MAX: u32 = 0xffff;

/// Returns an element's size in bytes and its flags.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oaidl/ns-oaidl-safearray>
pub(super) fn element(guest: &Guest, kind: u16) -> Option<(u32, u16)> {
    let pointer = guest.machine().pointer_size() as u32;
    Some(match kind {
        16 | 17 => (1, HAVE_TYPE),
        2 | 11 | 18 => (2, HAVE_TYPE),
        3 | 4 | 10 | 19 | 22 | 23 => (4, HAVE_TYPE),
        5 | 6 | 7 | 20 | 21 => (8, HAVE_TYPE),
        14 => (16, HAVE_TYPE),
        8 => (pointer, HAVE_TYPE | OF_STRINGS),
        // FADF_HAVEIID stands for the type of objects.
        9 => (pointer, 0x40 | 0x400),
        13 => (pointer, 0x40 | 0x200),
        12 => (variant::size(guest) as u32, HAVE_TYPE | OF_VARIANTS),
        _ => return None,
    })
}

/// What a descriptor says.
pub(super) struct Array {
    pub(super) address: u64,
    pub(super) dimensions: u16,
    pub(super) flags: u16,
    pub(super) element_bytes: u32,
    pub(super) locks: u32,
    pub(super) data: u64,
    /// Count and lowest index of each dimension, the last dimension first.
    pub(super) bounds: Vec<(u32, i32)>,
}

/// Returns where a descriptor has its data's address, and its bounds.
pub(super) fn places(guest: &Guest, address: u64) -> (u64, u64) {
    match guest.machine().is_64() {
        true => (address + 16, address + 24),
        false => (address + 12, address + 16),
    }
}

impl Array {
    pub(super) fn read(guest: &Guest, address: u64) -> Result<Self, Fault> {
        let (data, bounds) = places(guest, address);
        let dimensions = guest.read::<u16>(address)?;
        let bound =
            |at: u64| Ok((guest.read_u32(bounds + 8 * at)?, guest.read_u32(bounds + 8 * at + 4)? as i32));
        Ok(Self {
            address,
            dimensions,
            flags: guest.read(address + 2)?,
            element_bytes: guest.read_u32(address + 4)?,
            locks: guest.read_u32(address + 8)?,
            data: guest.read_word(data)?,
            bounds: (0..u64::from(dimensions)).map(bound).collect::<Result<_, _>>()?,
        })
    }

    /// Returns how many elements there are.
    pub(super) fn count(&self) -> u64 {
        self.bounds.iter().fold(1, |count: u64, bound| count.saturating_mul(bound.0.into()))
    }

    pub(super) fn bytes(&self) -> u64 {
        self.count().saturating_mul(self.element_bytes.into())
    }

    /// Returns where an element lies; `None` for indices outside the bounds.
    fn element(&self, guest: &Guest, indices: u64) -> Result<Option<u64>, Fault> {
        let (mut offset, mut step) = (0_u64, 1_u64);
        // The indices come with the last dimension's first, as the bounds do not: those are the other way round.
        for (at, &(count, lowest)) in (0_u64..).zip(self.bounds.iter().rev()) {
            let index = i64::from(guest.read_u32(indices + 4 * at)? as i32) - i64::from(lowest);
            if !(0..i64::from(count)).contains(&index) {
                return Ok(None);
            }
            offset += index as u64 * step;
            step = step.saturating_mul(count.into());
        }
        Ok(Some(self.data + offset * u64::from(self.element_bytes)))
    }

    /// Frees what the elements hold, from one on.
    pub(super) fn clear_from(&self, guest: &mut Guest, first: u64) -> Result<(), Fault> {
        if self.flags & (OF_VARIANTS | OF_STRINGS | OF_OBJECTS) == 0 {
            return Ok(());
        }
        for at in (first..self.count()).map(|at| self.data + at * u64::from(self.element_bytes)) {
            self.clear_one(guest, at)?;
        }
        Ok(())
    }

    fn clear_one(&self, guest: &mut Guest, at: u64) -> Result<(), Fault> {
        if self.flags & OF_VARIANTS != 0 {
            variant::VariantClear(guest, GuestWord(at))?;
        } else if self.flags & OF_STRINGS != 0 {
            let string = guest.read_word(at)?;
            bstr::free(guest, string);
        } else if self.flags & OF_OBJECTS != 0 {
            let object = guest.read_word(at)?;
            call_method(guest, object, RELEASE)?;
        }
        Ok(())
    }

    /// Copies an element with what it holds over one that holds nothing.
    pub(super) fn copy_one(&self, guest: &mut Guest, from: u64, to: u64) -> Result<(), Fault> {
        if self.flags & OF_VARIANTS != 0 {
            guest.write(to, &0_u16)?;
            variant::VariantCopy(guest, GuestWord(to), GuestWord(from))?;
            return Ok(());
        }
        if self.flags & OF_STRINGS != 0 {
            let string = guest.read_word(from)?;
            let copy = if string == 0 { None } else { bstr::duplicate(guest, string)? };
            return guest.write_word(to, copy.unwrap_or(0));
        }
        let bytes = guest.read_vec(from, self.element_bytes.into())?;
        guest.write_bytes(to, &bytes)?;
        if self.flags & OF_OBJECTS != 0 {
            let object = guest.read_word(from)?;
            call_method(guest, object, ADD_REF)?;
        }
        Ok(())
    }
}

/// Makes a descriptor without data; `None` when there is no memory.
fn make_descriptor(guest: &Guest, dimensions: u32) -> Result<Option<u64>, Fault> {
    let bounds = places(guest, 0).1;
    let size = HIDDEN + bounds + 8 * u64::from(dimensions);
    let Some(block) = guest.process().heaps.allocate(0, size, true) else { return Ok(None) };
    guest.write(block + HIDDEN, &(dimensions as u16))?;
    Ok(Some(block + HIDDEN))
}

/// Writes what lies before a descriptor: the interface of objects, or the type of other elements.
pub(super) fn write_kind(guest: &Guest, array: u64, kind: u16) -> Result<(), Fault> {
    /// `IID_IUnknown` begins with 0, `IID_IDispatch` with 0x20400; the rest is the same.
    const REST: [u8; 8] = [0xc0, 0, 0, 0, 0, 0, 0, 0x46];
    let first = match kind {
        9 => 0x2_0400_u32,
        13 => 0,
        _ => return guest.write(array - 4, &u32::from(kind)),
    };
    guest.write(array - HIDDEN, &u64::from(first))?;
    guest.write_bytes(array - 8, &REST)
}

/// Gives a descriptor its data, zeros; says whether there was memory.
pub(super) fn make_data(guest: &Guest, array: u64) -> Result<bool, Fault> {
    let bytes = Array::read(guest, array)?.bytes();
    if bytes > 1 << 40 {
        return Ok(false);
    }
    let Some(block) = guest.process().heaps.allocate(0, bytes, true) else { return Ok(false) };
    guest.write_word(places(guest, array).0, block)?;
    Ok(true)
}

pub(super) fn create(guest: &Guest, kind: u16, bounds: &[(u32, i32)]) -> Result<Option<u64>, Fault> {
    let Some((bytes, flags)) = element(guest, kind) else { return Ok(None) };
    let Some(array) = make_descriptor(guest, bounds.len() as u32)? else { return Ok(None) };
    guest.write(array + 2, &flags)?;
    guest.write(array + 4, &bytes)?;
    write_kind(guest, array, kind)?;
    let first = places(guest, array).1;
    for (at, bound) in (0_u64..).zip(bounds.iter().rev()) {
        guest.write(first + 8 * at, &bound.0)?;
        guest.write(first + 8 * at + 4, &bound.1)?;
    }
    if make_data(guest, array)? {
        return Ok(Some(array));
    }
    guest.process().heaps.free(0, array - HIDDEN);
    Ok(None)
}

/// Copies an array with all that it holds; `None` when there is no memory.
pub(super) fn copy(guest: &mut Guest, array: u64) -> Result<Option<u64>, Fault> {
    let source = Array::read(guest, array)?;
    let Some(made) = make_descriptor(guest, source.dimensions.into())? else { return Ok(None) };
    let size = places(guest, 0).1 + 8 * u64::from(source.dimensions);
    let bytes = guest.read_vec(array - HIDDEN, HIDDEN + size)?;
    guest.write_bytes(made - HIDDEN, &bytes)?;
    // The copy is not locked, and its data is its own.
    guest.write(made + 2, &(source.flags & !NOT_OWNED))?;
    guest.write(made + 8, &0_u32)?;
    guest.write_word(places(guest, made).0, 0)?;
    if source.data != 0 {
        if !make_data(guest, made)? {
            guest.process().heaps.free(0, made - HIDDEN);
            return Ok(None);
        }
        let target = Array::read(guest, made)?.data;
        for at in (0..source.count()).map(|at| at * u64::from(source.element_bytes)) {
            source.copy_one(guest, source.data + at, target + at)?;
        }
    }
    Ok(Some(made))
}

/// Makes an array of elements of a type; null for a wrong type or without memory.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-safearraycreate>
#[winapi]
pub fn SafeArrayCreate(
    guest: &mut Guest,
    vt: u16,
    cDims: u32,
    rgsabound: GuestWord,
) -> Result<GuestWord, Fault> {
    if cDims == 0 || cDims > DIMENSIONS_MAX {
        return Ok(GuestWord::NULL);
    }
    let bound = |at: u64| {
        let place = rgsabound.get() + 8 * at;
        Ok((guest.read_u32(place)?, guest.read_u32(place + 4)? as i32))
    };
    let bounds: Vec<(u32, i32)> = (0..u64::from(cDims)).map(bound).collect::<Result<_, Fault>>()?;
    Ok(GuestWord(create(guest, vt, &bounds)?.unwrap_or(0)))
}

/// Makes an array of one dimension.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-safearraycreatevector>
#[winapi]
pub fn SafeArrayCreateVector(
    guest: &mut Guest,
    vt: u16,
    lLbound: i32,
    cElements: u32,
) -> Result<GuestWord, Fault> {
    Ok(GuestWord(create(guest, vt, &[(cElements, lLbound)])?.unwrap_or(0)))
}

/// Makes a descriptor without data.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-safearrayallocdescriptor>
#[winapi]
pub fn SafeArrayAllocDescriptor(guest: &mut Guest, cDims: u32, ppsaOut: GuestWord) -> Result<i32, Fault> {
    if cDims == 0 || cDims > DIMENSIONS_MAX {
        return Ok(E_INVALIDARG);
    }
    if ppsaOut.is_null() {
        return Ok(E_POINTER);
    }
    let Some(array) = make_descriptor(guest, cDims)? else { return Ok(E_OUTOFMEMORY) };
    guest.write_word(ppsaOut.get(), array)?;
    Ok(S_OK)
}

/// Gives a descriptor its data.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-safearrayallocdata>
#[winapi]
pub fn SafeArrayAllocData(guest: &mut Guest, psa: GuestWord) -> Result<i32, Fault> {
    if psa.is_null() {
        return Ok(E_INVALIDARG);
    }
    Ok(if make_data(guest, psa.get())? { S_OK } else { E_OUTOFMEMORY })
}

/// Frees an array and all that it holds.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-safearraydestroy>
#[winapi]
pub fn SafeArrayDestroy(guest: &mut Guest, psa: GuestWord) -> Result<i32, Fault> {
    if psa.is_null() {
        return Ok(S_OK);
    }
    let array = Array::read(guest, psa.get())?;
    if array.locks > 0 {
        return Ok(DISP_E_ARRAYISLOCKED);
    }
    if array.data != 0 {
        array.clear_from(guest, 0)?;
        if array.flags & NOT_OWNED == 0 {
            guest.process().heaps.free(0, array.data);
        }
    }
    if array.flags & NOT_OWNED == 0 {
        guest.process().heaps.free(0, array.address - HIDDEN);
    }
    Ok(S_OK)
}

/// Returns how many dimensions an array has.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-safearraygetdim>
#[winapi]
pub fn SafeArrayGetDim(guest: &mut Guest, psa: GuestWord) -> Result<u32, Fault> {
    if psa.is_null() { Ok(0) } else { Ok(guest.read::<u16>(psa.get())?.into()) }
}

/// Returns the size of an element.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-safearraygetelemsize>
#[winapi]
pub fn SafeArrayGetElemsize(guest: &mut Guest, psa: GuestWord) -> Result<u32, Fault> {
    if psa.is_null() { Ok(0) } else { guest.read_u32(psa.get() + 4) }
}

/// Returns a bound of a dimension, which is counted from 1.
fn bound(
    guest: &Guest,
    psa: GuestWord,
    dimension: u32,
    to: GuestWord,
    of: fn((u32, i32)) -> i32,
) -> Result<i32, Fault> {
    if psa.is_null() || to.is_null() {
        return Ok(E_INVALIDARG);
    }
    let array = Array::read(guest, psa.get())?;
    let place = (array.bounds.len() as u32).checked_sub(dimension).filter(|_| dimension > 0);
    let Some(&found) = place.and_then(|place| array.bounds.get(place as usize)) else {
        return Ok(DISP_E_BADINDEX);
    };
    guest.write(to.get(), &of(found))?;
    Ok(S_OK)
}

/// Returns the highest index of a dimension.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-safearraygetubound>
#[winapi]
pub fn SafeArrayGetUBound(
    guest: &mut Guest,
    psa: GuestWord,
    nDim: u32,
    plUbound: GuestWord,
) -> Result<i32, Fault> {
    bound(guest, psa, nDim, plUbound, |(count, lowest)| lowest.wrapping_add(count as i32).wrapping_sub(1))
}

/// Returns the lowest index of a dimension.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-safearraygetlbound>
#[winapi]
pub fn SafeArrayGetLBound(
    guest: &mut Guest,
    psa: GuestWord,
    nDim: u32,
    plLbound: GuestWord,
) -> Result<i32, Fault> {
    bound(guest, psa, nDim, plLbound, |(_, lowest)| lowest)
}

/// Adds to the count of an array's locks.
fn lock(guest: &Guest, psa: GuestWord, step: i64) -> Result<i32, Fault> {
    if psa.is_null() {
        return Ok(E_INVALIDARG);
    }
    let locks = i64::from(guest.read_u32(psa.get() + 8)?) + step;
    match u32::try_from(locks) {
        Ok(locks) => {
            guest.write(psa.get() + 8, &locks)?;
            Ok(S_OK)
        }
        Err(_) => Ok(E_UNEXPECTED),
    }
}

/// Keeps an array where it is.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-safearraylock>
#[winapi]
pub fn SafeArrayLock(guest: &mut Guest, psa: GuestWord) -> Result<i32, Fault> {
    lock(guest, psa, 1)
}

/// Takes a lock back.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-safearrayunlock>
#[winapi]
pub fn SafeArrayUnlock(guest: &mut Guest, psa: GuestWord) -> Result<i32, Fault> {
    lock(guest, psa, -1)
}

/// Locks an array and returns where its data lies.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-safearrayaccessdata>
#[winapi]
pub fn SafeArrayAccessData(guest: &mut Guest, psa: GuestWord, ppvData: GuestWord) -> Result<i32, Fault> {
    if psa.is_null() || ppvData.is_null() {
        return Ok(E_INVALIDARG);
    }
    let result = lock(guest, psa, 1)?;
    guest.write_word(ppvData.get(), Array::read(guest, psa.get())?.data)?;
    Ok(result)
}

/// Takes the lock of `SafeArrayAccessData` back.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-safearrayunaccessdata>
#[winapi]
pub fn SafeArrayUnaccessData(guest: &mut Guest, psa: GuestWord) -> Result<i32, Fault> {
    lock(guest, psa, -1)
}

/// Returns where an element lies.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-safearrayptrofindex>
#[winapi]
pub fn SafeArrayPtrOfIndex(
    guest: &mut Guest,
    psa: GuestWord,
    rgIndices: GuestWord,
    ppvData: GuestWord,
) -> Result<i32, Fault> {
    if psa.is_null() || rgIndices.is_null() || ppvData.is_null() {
        return Ok(E_INVALIDARG);
    }
    let array = Array::read(guest, psa.get())?;
    let Some(place) = array.element(guest, rgIndices.get())? else { return Ok(DISP_E_BADINDEX) };
    guest.write_word(ppvData.get(), place)?;
    Ok(S_OK)
}

/// Copies an element out of an array.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-safearraygetelement>
#[winapi]
pub fn SafeArrayGetElement(
    guest: &mut Guest,
    psa: GuestWord,
    rgIndices: GuestWord,
    pv: GuestWord,
) -> Result<i32, Fault> {
    if psa.is_null() || rgIndices.is_null() || pv.is_null() {
        return Ok(E_INVALIDARG);
    }
    let array = Array::read(guest, psa.get())?;
    let Some(place) = array.element(guest, rgIndices.get())? else { return Ok(DISP_E_BADINDEX) };
    array.copy_one(guest, place, pv.get())?;
    Ok(S_OK)
}

/// Copies an element into an array. Strings and objects are what the pointer is, all else is what it points to.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-safearrayputelement>
#[winapi]
pub fn SafeArrayPutElement(
    guest: &mut Guest,
    psa: GuestWord,
    rgIndices: GuestWord,
    pv: GuestWord,
) -> Result<i32, Fault> {
    if psa.is_null() || rgIndices.is_null() {
        return Ok(E_INVALIDARG);
    }
    let array = Array::read(guest, psa.get())?;
    let Some(place) = array.element(guest, rgIndices.get())? else { return Ok(DISP_E_BADINDEX) };
    array.clear_one(guest, place)?;
    if array.flags & OF_STRINGS != 0 {
        let copy = if pv.is_null() { None } else { bstr::duplicate(guest, pv.get())? };
        guest.write_word(place, copy.unwrap_or(0))?;
    } else if array.flags & OF_OBJECTS != 0 {
        guest.write_word(place, pv.get())?;
        call_method(guest, pv.get(), ADD_REF)?;
    } else {
        array.copy_one(guest, pv.get(), place)?;
    }
    Ok(S_OK)
}

/// Copies an array with all that it holds.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-safearraycopy>
#[winapi]
pub fn SafeArrayCopy(guest: &mut Guest, psa: GuestWord, ppsaOut: GuestWord) -> Result<i32, Fault> {
    if ppsaOut.is_null() {
        return Ok(E_INVALIDARG);
    }
    guest.write_word(ppsaOut.get(), 0)?;
    if psa.is_null() {
        return Ok(S_OK);
    }
    let Some(made) = copy(guest, psa.get())? else { return Ok(E_OUTOFMEMORY) };
    guest.write_word(ppsaOut.get(), made)?;
    Ok(S_OK)
}

/// Returns the type of an array's elements.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-safearraygetvartype>
#[winapi]
pub fn SafeArrayGetVartype(guest: &mut Guest, psa: GuestWord, pvt: GuestWord) -> Result<i32, Fault> {
    if psa.is_null() || pvt.is_null() {
        return Ok(E_INVALIDARG);
    }
    let array = Array::read(guest, psa.get())?;
    let kind = match array.flags {
        flags if flags & HAVE_TYPE != 0 => guest.read_u32(psa.get() - 4)? as u16,
        flags if flags & 0x400 != 0 => 9,
        flags if flags & 0x200 != 0 => 13,
        _ => return Ok(E_INVALIDARG),
    };
    guest.write(pvt.get(), &kind)?;
    Ok(S_OK)
}
