//! Run-time types of C++: `typeid`, `dynamic_cast`, comparing and naming `type_info`.
//!
//! Source: <https://learn.microsoft.com/cpp/cpp/run-time-type-information>; the layouts as in `rttidata.h` of Visual C++'s
//! runtime headers: addresses in 32-bit images, offsets from the image's base in 64-bit ones.

use plat_abi::{Fault, GuestWord, Memory};

use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::undecorate::undecorate_type;
use crate::msvcrt::define::define;
use crate::msvcrt::state::place_narrow;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full __RTtypeid; full __RTDynamicCast; full __RTCastToVoid;
    full __std_type_info_compare; full __std_type_info_hash; full __std_type_info_name; full __std_type_info_destroy_list;
};

/// What a table of virtual functions says about the whole object it belongs to.
struct Locator {
    /// What offsets count from; 0 in 32-bit images.
    base: u64,
    /// Where the part with this table lies in the whole object.
    offset: u64,
    /// Offset of the construction displacement, or 0.
    construction: u64,
    type_descriptor: u64,
    hierarchy: u64,
}

/// One class among the bases of another.
struct Base {
    type_descriptor: u64,
    contained: u32,
    /// Member displacement, displacement of the virtual-base table (-1 for none), displacement inside it.
    place: [i32; 3],
    attributes: u32,
}

/// Not reachable through public inheritance alone, or there more than once.
const NOT_PUBLIC: u32 = 1;
const AMBIGUOUS: u32 = 2;

impl Locator {
    /// Follows an object's first pointer to its locator, which lies before the table.
    fn of_object(guest: &Guest, object: u64) -> Result<Self, Fault> {
        let word = guest.machine().pointer_size();
        let table = guest.read_word(object)?;
        let at = guest.read_word(table.wrapping_sub(word))?;
        let field = |index: u64| guest.read_u32(at + 4 * index).map(u64::from);
        let base = if guest.machine().is_64() { at.wrapping_sub(field(5)?) } else { 0 };
        Ok(Self {
            base,
            offset: field(1)?,
            construction: field(2)?,
            type_descriptor: base.wrapping_add(field(3)?),
            hierarchy: base.wrapping_add(field(4)?),
        })
    }

    /// Returns where the whole object begins.
    fn whole(&self, guest: &Guest, object: u64) -> Result<u64, Fault> {
        let mut start = object.wrapping_sub(self.offset);
        if self.construction != 0 {
            let displacement = guest.read_u32(object.wrapping_sub(self.construction))? as i32;
            start = start.wrapping_sub(i64::from(displacement) as u64);
        }
        Ok(start)
    }

    /// Lists the class itself and all its bases, depth first.
    fn bases(&self, guest: &Guest) -> Result<Vec<Base>, Fault> {
        const BASES_MAX: u32 = 4096;
        let count = guest.read_u32(self.hierarchy + 8)?.min(BASES_MAX);
        let array = self.base.wrapping_add(u64::from(guest.read_u32(self.hierarchy + 12)?));
        let mut bases = Vec::new();
        for index in 0..u64::from(count) {
            let at = self.base.wrapping_add(u64::from(guest.read_u32(array + 4 * index)?));
            let field = |index: u64| guest.read_u32(at + 4 * index);
            bases.push(Base {
                type_descriptor: self.base.wrapping_add(u64::from(field(0)?)),
                contained: field(1)?,
                place: [field(2)? as i32, field(3)? as i32, field(4)? as i32],
                attributes: field(5)?,
            });
        }
        Ok(bases)
    }
}

/// Returns where a base lies in the whole object.
fn place(guest: &Guest, whole: u64, base: &Base) -> Result<u64, Fault> {
    let [member, table, inside] = base.place.map(|value| i64::from(value) as u64);
    let mut offset = member;
    if base.place[1] >= 0 {
        let entries = guest.read_word(whole.wrapping_add(table))?;
        let displacement = guest.read_u32(entries.wrapping_add(inside))? as i32;
        offset = offset.wrapping_add(table).wrapping_add(i64::from(displacement) as u64);
    }
    Ok(whole.wrapping_add(offset))
}

/// Returns a type's decorated name: behind the table pointer and the pointer to the undecorated name.
fn name(guest: &Guest, descriptor: u64) -> Result<Vec<u8>, Fault> {
    guest.read_c_string(descriptor + 2 * guest.machine().pointer_size())
}

fn is_same(guest: &Guest, left: u64, right: u64) -> Result<bool, Fault> {
    Ok(left == right || name(guest, left)? == name(guest, right)?)
}

/// Finds the target of a cast from the part at `object`, whose table `pointer` points to: down to a class that holds that part, or
/// across to another base that is there once.
fn cast(guest: &Guest, pointer: u64, object: u64, types: [u64; 2]) -> Result<Option<u64>, Fault> {
    let [source, target] = types;
    let locator = Locator::of_object(guest, pointer)?;
    let whole = locator.whole(guest, pointer)?;
    let bases = locator.bases(guest)?;
    let mut across = None;
    for (index, base) in bases.iter().enumerate() {
        if !is_same(guest, base.type_descriptor, target)? {
            continue;
        }
        let end = index + base.contained as usize;
        for part in bases.iter().take(end + 1).skip(index + 1) {
            let is_public = part.attributes & NOT_PUBLIC == 0;
            if is_public
                && is_same(guest, part.type_descriptor, source)?
                && place(guest, whole, part)? == object
            {
                return place(guest, whole, base).map(Some);
            }
        }
        if base.attributes & (NOT_PUBLIC | AMBIGUOUS) == 0 && across.is_none() {
            across = Some(place(guest, whole, base)?);
        }
    }
    // The source itself must be a public base of the whole object.
    for part in &bases {
        if part.attributes & NOT_PUBLIC == 0
            && is_same(guest, part.type_descriptor, source)?
            && place(guest, whole, part)? == object
        {
            return Ok(across);
        }
    }
    Ok(None)
}

define! {
    "Returns the `type_info` of the whole object; null throws `bad_typeid`.", "rttypeid";
    __RTtypeid(guest, inptr: GuestWord) -> GuestWord {
        if inptr.is_null() {
            crate::msvcrt::throw::throw(guest, crate::msvcrt::throw::Class::BadTypeid, b"Attempted a typeid of nullptr pointer!")?;
        }
        Ok(GuestWord(Locator::of_object(guest, inptr.0)?.type_descriptor))
    }

    "Performs a `dynamic_cast`; a failed one gives null, or throws `bad_cast` when it is of a reference.", "rtdynamiccast";
    __RTDynamicCast(guest, inptr: GuestWord, VfDelta: i32, SrcType: GuestWord, TargetType: GuestWord, isReference: i32) -> GuestWord {
        if inptr.is_null() {
            return Ok(GuestWord::NULL);
        }
        // The part with the table that was used to get here begins `VfDelta` bytes before the pointer's own.
        let object = inptr.0.wrapping_sub(i64::from(VfDelta) as u64);
        let found = cast(guest, inptr.0, object, [SrcType.0, TargetType.0])?;
        if found.is_none() && isReference != 0 {
            crate::msvcrt::throw::throw(guest, crate::msvcrt::throw::Class::BadCast, b"Bad dynamic_cast!")?;
        }
        Ok(GuestWord(found.unwrap_or(0)))
    }

    "Performs a `dynamic_cast` to `void *`: where the whole object begins.", "rtcasttovoid";
    __RTCastToVoid(guest, inptr: GuestWord) -> GuestWord {
        if inptr.is_null() {
            return Ok(GuestWord::NULL);
        }
        Locator::of_object(guest, inptr.0)?.whole(guest, inptr.0).map(GuestWord)
    }

    "Compares the decorated names of two types.", "std-type-info-compare";
    __std_type_info_compare(guest, lhs: GuestWord, rhs: GuestWord) -> i32 {
        if lhs == rhs {
            return Ok(0);
        }
        let word = guest.machine().pointer_size();
        let (left, right) = (guest.read_c_string(lhs.0 + word + 1)?, guest.read_c_string(rhs.0 + word + 1)?);
        Ok(left.cmp(&right) as i32)
    }

    "Returns a hash of a type's decorated name: FNV-1a.", "std-type-info-hash";
    __std_type_info_hash(guest, data: GuestWord) -> GuestWord {
        let word = guest.machine().pointer_size();
        let text = guest.read_c_string(data.0 + word + 1)?;
        Ok(GuestWord(hash(&text, guest.machine().is_64())))
    }

    "Returns a type's name as C++ writes it; it is made once and kept.", "std-type-info-name";
    __std_type_info_name(guest, data: GuestWord, root_node: GuestWord) -> GuestWord {
        let _ = root_node;
        let known = guest.read_word(data.0)?;
        if known != 0 {
            return Ok(GuestWord(known));
        }
        let decorated = guest.read_c_string(data.0 + guest.machine().pointer_size())?;
        let text = undecorate_type(&String::from_utf8_lossy(&decorated));
        let address = place_narrow(guest, text.as_bytes())?;
        guest.write_word(data.0, address)?;
        Ok(GuestWord(address))
    }

    "Frees the names of types at the end: the process's end does.", "std-type-info-destroy-list";
    __std_type_info_destroy_list(guest, root_node: GuestWord) -> () {
        let _ = (guest, root_node);
        Ok(())
    }
}

/// Source: <http://www.isthe.com/chongo/tech/comp/fnv/>.
fn hash(text: &[u8], is_64: bool) -> u64 {
    if is_64 {
        let mix = |hash: u64, &byte: &u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let hash = text.iter().fold(0xcbf2_9ce4_8422_2325, mix);
        return hash ^ hash >> 32;
    }
    let mix = |hash: u32, &byte: &u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    text.iter().fold(0x811c_9dc5u32, mix).into()
}
