//! `std::exception_ptr`: two words of the program's, the address of an exception's record and of what holds it.
//!
//! What holds it is a count, the record, and a copy of the thrown object.
//!
//! Source: <https://learn.microsoft.com/cpp/standard-library/exception-typedefs>.

use plat_abi::{Fault, GuestWord, Memory};

use super::members::functions;
use super::object::{Words, add_u32, method};
use crate::guest::Guest;
use crate::msvcrt::eh::{CXX_EXCEPTION, CXX_MAGIC, current_record, throw_object};
use crate::msvcrt::state::{allocate, place};
use crate::msvcrt::throw::{Class, throw};
use crate::nt::exception::context::Record;
use crate::nt::exception::dispatch;

/// Bytes of the count before the record.
const HEADER: u64 = 16;

/// A type as which an object can be caught is simple, or has a virtual base.
const SIMPLE: u32 = 1;
const VIRTUAL_BASE: u32 = 4;

/// What an exception's record says of its object.
#[derive(Clone, Copy, Debug)]
struct Thrown {
    object: u64,
    information: u64,
    base: u64,
}

impl Thrown {
    fn of(record: &Record) -> Option<Self> {
        let word = |index: usize| record.information.get(index).copied().unwrap_or(0);
        let thrown = Self { object: word(1), information: word(2), base: word(3) };
        (record.code == CXX_EXCEPTION.0 && thrown.information != 0).then_some(thrown)
    }

    /// Reads the properties, the size and the copy constructor of the object's own type.
    fn kind(self, guest: &Guest) -> Result<(u32, u64, u64), Fault> {
        let at = |offset: u32| self.base + u64::from(offset);
        let array = at(guest.read_u32(self.information + 12)?);
        let entry = at(guest.read_u32(array + 4)?);
        let copy = guest.read_u32(entry + 24)?;
        let size = u64::from(guest.read_u32(entry + 20)?);
        Ok((guest.read_u32(entry)?, size, if copy == 0 { 0 } else { at(copy) }))
    }

    /// Copies the object.
    fn copy(self, guest: &mut Guest, to: u64) -> Result<(), Fault> {
        let (properties, size, copy) = self.kind(guest)?;
        if copy == 0 || properties & SIMPLE != 0 {
            let bytes = guest.read_vec(self.object, size)?;
            return guest.write_bytes(to, &bytes);
        }
        let mut words = Words::new(guest).word(self.object);
        if properties & VIRTUAL_BASE != 0 {
            words = words.word(1);
        }
        method(guest, copy, to, words).map(drop)
    }

    fn destroy(self, guest: &mut Guest) -> Result<(), Fault> {
        match guest.read_u32(self.information + 4)? {
            0 => Ok(()),
            destructor => {
                let words = Words::new(guest);
                method(guest, self.base + u64::from(destructor), self.object, words).map(drop)
            }
        }
    }
}

/// Reads the two words.
fn load(guest: &Guest, at: GuestWord) -> Result<[u64; 2], Fault> {
    Ok([guest.read_word(at.0)?, guest.read_word(at.0 + guest.machine().pointer_size())?])
}

fn store(guest: &Guest, at: GuestWord, words: [u64; 2]) -> Result<(), Fault> {
    guest.write_word(at.0, words[0])?;
    guest.write_word(at.0 + guest.machine().pointer_size(), words[1])
}

/// Puts a record and a copy of its object into memory of their own; returns the two words.
fn hold(guest: &mut Guest, mut record: Record) -> Result<[u64; 2], Fault> {
    let machine = guest.machine();
    let thrown = Thrown::of(&record);
    let size = match thrown {
        Some(thrown) => thrown.kind(guest)?.1,
        None => 0,
    };
    let record_bytes = Record::size(machine).next_multiple_of(16);
    let Some(holder) = allocate(guest, HEADER + record_bytes + size) else { return Ok([0; 2]) };
    guest.write(holder, &1_u32)?;
    if let Some(thrown) = thrown {
        let object = holder + HEADER + record_bytes;
        thrown.copy(guest, object)?;
        record.information[1] = object;
    }
    guest.write_bytes(holder + HEADER, &record.to_bytes(machine))?;
    Ok([holder + HEADER, holder])
}

fn release(guest: &mut Guest, [record, holder]: [u64; 2]) -> Result<(), Fault> {
    if holder == 0 || add_u32(guest, holder, -1)? != 0 {
        return Ok(());
    }
    if let Some(thrown) = Thrown::of(&Record::load(guest, record)?) {
        thrown.destroy(guest)?;
    }
    guest.process().heaps.free(0, holder);
    Ok(())
}

functions! { EXPORTS, "exception-typedefs";
    "Makes a pointer to no exception.", "?__ExceptionPtrCreate@@YAXP*AX@Z";
    exception_ptr_create(guest, ptr: GuestWord) -> () { store(guest, ptr, [0; 2]) }

    "Ends a pointer.", "?__ExceptionPtrDestroy@@YAXP*AX@Z";
    exception_ptr_destroy(guest, ptr: GuestWord) -> () {
        let words = load(guest, ptr)?;
        release(guest, words)
    }

    "Makes a copy of a pointer.", "?__ExceptionPtrCopy@@YAXP*AXP*BX@Z";
    exception_ptr_copy(guest, to: GuestWord, from: GuestWord) -> () {
        let words = load(guest, from)?;
        if words[1] != 0 {
            add_u32(guest, words[1], 1)?;
        }
        store(guest, to, words)
    }

    "Assigns a pointer.", "?__ExceptionPtrAssign@@YAXP*AXP*BX@Z";
    exception_ptr_assign(guest, to: GuestWord, from: GuestWord) -> () {
        let old = load(guest, to)?;
        exception_ptr_copy(guest, to, from)?;
        release(guest, old)
    }

    "Says whether two pointers are to one exception.", "?__ExceptionPtrCompare@@YA_NP*BX0@Z";
    exception_ptr_compare(guest, left: GuestWord, right: GuestWord) -> u8 {
        Ok(u8::from(load(guest, left)?[0] == load(guest, right)?[0]))
    }

    "Says whether a pointer is to an exception.", "?__ExceptionPtrToBool@@YA_NP*BX@Z";
    exception_ptr_to_bool(guest, ptr: GuestWord) -> u8 { Ok(u8::from(load(guest, ptr)?[0] != 0)) }

    "Exchanges two pointers.", "?__ExceptionPtrSwap@@YAXP*AX0@Z";
    exception_ptr_swap(guest, left: GuestWord, right: GuestWord) -> () {
        let (one, other) = (load(guest, left)?, load(guest, right)?);
        store(guest, left, other)?;
        store(guest, right, one)
    }

    "Makes a pointer to the exception that is handled.", "?__ExceptionPtrCurrentException@@YAXP*AX@Z";
    exception_ptr_current(guest, ptr: GuestWord) -> () {
        let words = match current_record(guest) {
            Some(address) => {
                let record = Record::load(guest, address)?;
                hold(guest, record)?
            }
            None => [0; 2],
        };
        store(guest, ptr, words)
    }

    "Makes a pointer to a copy of an object that was not thrown.", "?__ExceptionPtrCopyException@@YAXP*AXP*BX1@Z";
    exception_ptr_copy_exception(guest, ptr: GuestWord, object: GuestWord, information: GuestWord) -> () {
        let base = guest.process().loader().module_at(information.0).map_or(0, |module| module.base);
        let mut record = Record::noncontinuable(CXX_EXCEPTION, 0);
        record.information = vec![CXX_MAGIC, object.0, information.0];
        if guest.machine().is_64() {
            record.information.push(base);
        }
        let words = hold(guest, record)?;
        store(guest, ptr, words)
    }

    "Throws a copy of the exception.", "?__ExceptionPtrRethrow@@YAXP*BX@Z";
    exception_ptr_rethrow(guest, ptr: GuestWord) -> () {
        let [address, _] = load(guest, ptr)?;
        if address == 0 {
            return throw(guest, Class::BadException, b"bad exception");
        }
        let record = Record::load(guest, address)?;
        let Some(thrown) = Thrown::of(&record) else {
            let registers = dispatch::caller(guest, 0);
            dispatch::raise(guest, record, registers)
        };
        let object = place(guest, &vec![0; thrown.kind(guest)?.1 as usize])?;
        thrown.copy(guest, object)?;
        throw_object(guest, object, thrown.information, thrown.base)
    }
}
