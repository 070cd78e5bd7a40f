//! Throwing exceptions of the standard library from the host: objects, tables and types in guest memory, made once.
//!
//! Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/cxxthrowexception>; the layout of the tables is
//! in `ehdata.h` of Visual C++'s runtime headers: addresses in 32-bit images, offsets from a base in 64-bit ones.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use super::eh::throw_object;
use super::state::{crt, place, place_narrow};
use super::system::{exported, kernel32};
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;

/// The exports of vcruntime140.dll.
pub const STD_EXPORTS: &[Export] = dll! {
    full __std_exception_copy; full __std_exception_destroy;
};

/// What the tables of virtual functions point to, under names of plat's own.
pub const EXPORTS: &[Export] = dll! {
    member "__plat_exception_delete" / "__plat_exception_delete64" = exception_delete;
    member "__plat_exception_what" / "__plat_exception_what64" = exception_what;
    member "__plat_exception_copy3" / "__plat_exception_copy3_64" = exception_copy;
    member "__plat_exception_copy4" / "__plat_exception_copy4_64" = exception_copy_4;
    member "__plat_exception_copy5" / "__plat_exception_copy5_64" = exception_copy_5;
};

/// A class of the standard library that is thrown from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    BadAlloc,
    BadCast,
    BadException,
    BadFunctionCall,
    BadTypeid,
    FutureError,
    InvalidArgument,
    IosFailure,
    LengthError,
    OutOfRange,
    OverflowError,
    RegexError,
    RuntimeError,
    SystemError,
}

/// A class's decorated name, and its objects' size in words: the table, the text, its flag, then a code and its category.
pub(crate) type Base = (&'static str, u64);

const EXCEPTION: Base = (".?AVexception@std@@", 3);
const LOGIC_ERROR: Base = (".?AVlogic_error@std@@", 3);
const RUNTIME_ERROR: Base = (".?AVruntime_error@std@@", 3);
const SYSTEM_ERROR: Base = (".?AVsystem_error@std@@", 5);
const SYSTEM_ERROR_BASE: Base = (".?AV_System_error@std@@", 5);

impl Class {
    /// Returns the class and its bases, the class first.
    fn lineage(self) -> &'static [Base] {
        match self {
            Self::BadAlloc => &[(".?AVbad_alloc@std@@", 3), EXCEPTION],
            Self::BadCast => &[(".?AVbad_cast@std@@", 3), EXCEPTION],
            Self::BadException => &[(".?AVbad_exception@std@@", 3), EXCEPTION],
            Self::BadFunctionCall => &[(".?AVbad_function_call@std@@", 3), EXCEPTION],
            Self::BadTypeid => &[(".?AVbad_typeid@std@@", 3), EXCEPTION],
            Self::FutureError => &[(".?AVfuture_error@std@@", 5), LOGIC_ERROR, EXCEPTION],
            Self::InvalidArgument => &[(".?AVinvalid_argument@std@@", 3), LOGIC_ERROR, EXCEPTION],
            Self::IosFailure => &[
                (".?AVfailure@ios_base@std@@", 5),
                SYSTEM_ERROR,
                SYSTEM_ERROR_BASE,
                RUNTIME_ERROR,
                EXCEPTION,
            ],
            Self::LengthError => &[(".?AVlength_error@std@@", 3), LOGIC_ERROR, EXCEPTION],
            Self::OutOfRange => &[(".?AVout_of_range@std@@", 3), LOGIC_ERROR, EXCEPTION],
            Self::OverflowError => &[(".?AVoverflow_error@std@@", 3), RUNTIME_ERROR, EXCEPTION],
            Self::RegexError => &[(".?AVregex_error@std@@", 4), RUNTIME_ERROR, EXCEPTION],
            Self::RuntimeError => &[RUNTIME_ERROR, EXCEPTION],
            Self::SystemError => &[SYSTEM_ERROR, SYSTEM_ERROR_BASE, RUNTIME_ERROR, EXCEPTION],
        }
    }
}

/// Guest memory of which each address is an offset from its start in 64-bit tables.
struct Block {
    bytes: Vec<u8>,
    start: u64,
    is_64: bool,
}

impl Block {
    fn align(&mut self) -> u64 {
        self.bytes.resize(self.bytes.len().next_multiple_of(8), 0);
        self.bytes.len() as u64
    }

    fn put_u32(&mut self, value: u64) {
        self.bytes.extend((value as u32).to_le_bytes());
    }

    fn put_word(&mut self, value: u64) {
        let size = if self.is_64 { 8 } else { 4 };
        self.bytes.extend(&value.to_le_bytes()[..size]);
    }

    /// Writes a reference to another place of the block.
    fn put_reference(&mut self, offset: u64) {
        self.put_u32(if self.is_64 { offset } else { self.start + offset });
    }

    /// Writes a reference to code outside, which a jump in the block leads to in 64-bit tables.
    fn put_descriptor(&mut self, table: u64, name: &str) -> u64 {
        let at = self.align();
        self.put_word(table);
        self.put_word(0);
        self.bytes.extend(name.bytes());
        self.bytes.push(0);
        at
    }
}

/// `MEM_COMMIT | MEM_RESERVE`, and the right for tables that hold a jump: 64-bit tables reach 4 GiB from their start.
const MEM_COMMIT_RESERVE: u64 = 0x3000;
const PAGE_EXECUTE_READWRITE: u64 = 0x40;

/// The room of the block that describes one class, in bytes.
const BLOCK_BYTES: u64 = 2048;

/// Returns the address of a class's table of virtual functions.
pub(crate) fn table_of(guest: &mut Guest, lineage: &'static [Base]) -> Result<u64, Fault> {
    describe(guest, lineage).map(|[_, table, _]| table)
}

/// Returns the block that describes a class: its first words are the table of virtual functions (two entries) and the
/// offset of the throw information.
fn describe(guest: &mut Guest, lineage: &'static [Base]) -> Result<[u64; 3], Fault> {
    let key = lineage[0].0;
    let known = crt(guest)
        .tables
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .iter()
        .find(|row| row.0 == key)
        .map(|row| row.1);
    let word = guest.machine().pointer_size();
    if let Some(start) = known {
        return Ok([start, start + word, u64::from(guest.read_u32(start + 4 * word)?)]);
    }
    let is_64 = guest.machine().is_64();
    let name = |name: &str| if is_64 { format!("{name}64") } else { name.to_owned() };
    let delete = exported(guest, "msvcrt.dll", &name("__plat_exception_delete"))?;
    let what = exported(guest, "msvcrt.dll", &name("__plat_exception_what"))?;
    let mut copies = [0; 3];
    for (index, copy) in copies.iter_mut().enumerate() {
        let name = format!("__plat_exception_copy{}{}", index + 3, if is_64 { "_64" } else { "" });
        *copy = exported(guest, "msvcrt.dll", &name)?;
    }
    let start =
        kernel32(guest, "VirtualAlloc", &[0, BLOCK_BYTES, MEM_COMMIT_RESERVE, PAGE_EXECUTE_READWRITE])?;
    let mut block = Block { bytes: Vec::new(), start, is_64 };
    // Locator of run-time types, the two functions, unused, then the offset of the throw information.
    for value in [0, delete, what, 0, 0] {
        block.put_word(value);
    }
    let copies = copies.map(|copy| if is_64 { jump_to(&mut block, copy) } else { copy });
    let type_info = super::state::variable(guest, "??_7type_info@@6B@");
    let mut types = Vec::new();
    for (name, _) in lineage {
        types.push(block.put_descriptor(type_info, name));
    }
    let information = put_throw_information(&mut block, lineage, &types, copies);
    let locator = put_locator(&mut block, &types);
    guest.write_bytes(start, &block.bytes)?;
    guest.write_word(start, start + locator)?;
    guest.write(start + 4 * word, &(information as u32))?;
    crt(guest).tables.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((key, start));
    Ok([start, start + word, information])
}

/// Writes as what an object can be caught; returns the offset.
fn put_throw_information(block: &mut Block, lineage: &[Base], types: &[u64], copies: [u64; 3]) -> u64 {
    let word = if block.is_64 { 8 } else { 4 };
    let mut catchable = Vec::new();
    for ((_, words), &descriptor) in lineage.iter().zip(types) {
        let at = block.align();
        block.put_u32(0);
        block.put_reference(descriptor);
        // No displacement of a base: this one begins where the object begins.
        for value in [0, u64::MAX, 0, words * word, copies[*words as usize - 3]] {
            block.put_u32(value);
        }
        catchable.push(at);
    }
    let array = block.align();
    block.put_u32(catchable.len() as u64);
    for at in catchable {
        block.put_reference(at);
    }
    let information = block.align();
    for value in [0, 0, 0] {
        block.put_u32(value);
    }
    block.put_reference(array);
    information
}

/// Writes what `typeid` and `dynamic_cast` look at; returns the offset of the locator.
fn put_locator(block: &mut Block, types: &[u64]) -> u64 {
    const BASE_BYTES: u64 = 28;
    let bases = block.align();
    let array = (bases + BASE_BYTES * types.len() as u64).next_multiple_of(8);
    let hierarchy = (array + 4 * types.len() as u64).next_multiple_of(8);
    for (index, &descriptor) in types.iter().enumerate() {
        block.put_reference(descriptor);
        // The bases behind it, no displacement, public.
        for value in [(types.len() - 1 - index) as u64, 0, u64::MAX, 0, 0] {
            block.put_u32(value);
        }
        block.put_reference(hierarchy);
    }
    block.align();
    for index in 0..types.len() as u64 {
        block.put_reference(bases + BASE_BYTES * index);
    }
    block.align();
    for value in [0, 0, types.len() as u64] {
        block.put_u32(value);
    }
    block.put_reference(array);
    let locator = block.align();
    for value in [u64::from(block.is_64), 0, 0] {
        block.put_u32(value);
    }
    block.put_reference(types[0]);
    block.put_reference(hierarchy);
    block.put_reference(locator);
    locator
}

/// Puts `mov rax, address; jmp rax` into a block; returns its offset.
fn jump_to(block: &mut Block, address: u64) -> u64 {
    let at = block.align();
    block.bytes.extend([0x48, 0xb8]);
    block.bytes.extend(address.to_le_bytes());
    block.bytes.extend([0xff, 0xe0]);
    at
}

/// Throws an exception of the standard library with a text; does not return unless the exception is continued.
pub(crate) fn throw(guest: &mut Guest, class: Class, text: &[u8]) -> Result<(), Fault> {
    throw_with_code(guest, class, text, [0, 0])
}

/// The same of a class that is known by its lineage, the class first.
pub(crate) fn throw_lineage(guest: &mut Guest, lineage: &'static [Base], text: &[u8]) -> Result<(), Fault> {
    throw_described(guest, lineage, text, [0, 0])
}

/// The same with the words behind the text: a code and the address of its category.
pub(crate) fn throw_with_code(
    guest: &mut Guest,
    class: Class,
    text: &[u8],
    code: [u64; 2],
) -> Result<(), Fault> {
    throw_described(guest, class.lineage(), text, code)
}

fn throw_described(
    guest: &mut Guest,
    lineage: &'static [Base],
    text: &[u8],
    code: [u64; 2],
) -> Result<(), Fault> {
    let [base, table, information] = describe(guest, lineage)?;
    let word = guest.machine().pointer_size();
    let words = lineage[0].1;
    let object = place(guest, &vec![0; (words * word) as usize])?;
    let text = place_narrow(guest, text)?;
    for (index, value) in (0..words).zip([table, text, 1, code[0], code[1]]) {
        guest.write_word(object + index * word, value)?;
    }
    throw_object(guest, object, base + information, base)
}

/// Copies the text of an exception: `_Data` of `std::exception`.
///
/// Source: <https://learn.microsoft.com/cpp/standard-library/exception-class>
#[winapi(cdecl)]
pub fn __std_exception_copy(guest: &mut Guest, from: GuestWord, to: GuestWord) -> Result<(), Fault> {
    let word = guest.machine().pointer_size();
    let text = guest.read_word(from.0)?;
    let owned = guest.read::<u8>(from.0 + word)? != 0;
    let copy = if owned && text != 0 {
        let bytes = guest.read_c_string(text)?;
        place_narrow(guest, &bytes)?
    } else {
        text
    };
    guest.write_word(to.0, copy)?;
    guest.write(to.0 + word, &u8::from(owned && copy != 0))
}

/// Frees the text of an exception.
///
/// Source: <https://learn.microsoft.com/cpp/standard-library/exception-class>
#[winapi(cdecl)]
pub fn __std_exception_destroy(guest: &mut Guest, data: GuestWord) -> Result<(), Fault> {
    let word = guest.machine().pointer_size();
    let text = guest.read_word(data.0)?;
    if guest.read::<u8>(data.0 + word)? != 0 && text != 0 {
        guest.process().heaps.free(0, text);
    }
    guest.write_word(data.0, 0)?;
    guest.write(data.0 + word, &0u8)
}

/// Destroys an exception, or the row of exceptions behind their count; frees the memory too when asked.
///
/// Source: <https://learn.microsoft.com/cpp/standard-library/exception-class>
#[winapi]
pub fn exception_delete(guest: &mut Guest, this: GuestWord, flags: u32) -> Result<GuestWord, Fault> {
    const FREE: u32 = 1;
    const ARRAY: u32 = 2;
    let word = guest.machine().pointer_size();
    if flags & ARRAY != 0 {
        let start = this.0.wrapping_sub(word);
        for index in (0..guest.read_word(start)?).rev() {
            let member = this.0.wrapping_add(index.wrapping_mul(EXCEPTION.1 * word));
            __std_exception_destroy(guest, GuestWord(member.wrapping_add(word)))?;
        }
        if flags & FREE != 0 {
            guest.process().heaps.free(0, start);
        }
        return Ok(GuestWord(start));
    }
    __std_exception_destroy(guest, GuestWord(this.0 + word))?;
    if flags & FREE != 0 {
        guest.process().heaps.free(0, this.0);
    }
    Ok(this)
}

/// Returns the text of an exception.
///
/// Source: <https://learn.microsoft.com/cpp/standard-library/exception-class>
#[winapi]
pub fn exception_what(guest: &mut Guest, this: GuestWord) -> Result<GuestWord, Fault> {
    let word = guest.machine().pointer_size();
    let text = guest.read_word(this.0 + word)?;
    if text != 0 {
        return Ok(GuestWord(text));
    }
    let known = crt(guest).unknown_exception.get().copied();
    let place = known.map_or_else(|| place_narrow(guest, b"Unknown exception"), Ok)?;
    Ok(GuestWord(*crt(guest).unknown_exception.get_or_init(|| place)))
}

/// Copies an exception that was thrown from here: the constructor that catching by value calls.
///
/// Source: <https://learn.microsoft.com/cpp/standard-library/exception-class>
#[winapi]
pub fn exception_copy(guest: &mut Guest, this: GuestWord, other: GuestWord) -> Result<GuestWord, Fault> {
    let word = guest.machine().pointer_size();
    let table = guest.read_word(other.0)?;
    guest.write_word(this.0, table)?;
    __std_exception_copy(guest, GuestWord(other.0 + word), GuestWord(this.0 + word))?;
    Ok(this)
}

/// The same for classes with a code.
///
/// Source: <https://learn.microsoft.com/cpp/standard-library/regex-error-class>
#[winapi]
pub fn exception_copy_4(guest: &mut Guest, this: GuestWord, other: GuestWord) -> Result<GuestWord, Fault> {
    copy_behind(guest, this.0, other.0, 1)?;
    exception_copy(guest, this, other)
}

/// The same for classes with a code and its category.
///
/// Source: <https://learn.microsoft.com/cpp/standard-library/system-error-class>
#[winapi]
pub fn exception_copy_5(guest: &mut Guest, this: GuestWord, other: GuestWord) -> Result<GuestWord, Fault> {
    copy_behind(guest, this.0, other.0, 2)?;
    exception_copy(guest, this, other)
}

/// Copies the words behind an exception's text.
fn copy_behind(guest: &Guest, this: u64, other: u64, words: u64) -> Result<(), Fault> {
    let word = guest.machine().pointer_size();
    let bytes = guest.read_vec(other + EXCEPTION.1 * word, words * word)?;
    guest.write_bytes(this + EXCEPTION.1 * word, &bytes)
}
