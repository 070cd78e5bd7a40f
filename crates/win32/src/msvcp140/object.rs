//! Calls of member functions of the program's objects, and `std::string`.

use std::sync::OnceLock;

use plat_abi::{Fault, Memory};

use crate::export::Code;
use crate::guest::{Guest, to_fault};
use crate::msvcrt::state::allocate;
use crate::msvcrt::system::exported;

/// `method(function, object, a, b, …)`: calls a 32-bit member function with up to ten words.
#[rustfmt::skip]
pub(super) static METHOD: Code = Code {
    i386: &[
        0x55, 0x89, 0xe5, // push ebp; mov ebp,esp
        0xff, 0x75, 0x34, 0xff, 0x75, 0x30, 0xff, 0x75, 0x2c, 0xff, 0x75, 0x28, // push [ebp+0x34] and so on
        0xff, 0x75, 0x24, 0xff, 0x75, 0x20, 0xff, 0x75, 0x1c,
        0xff, 0x75, 0x18, 0xff, 0x75, 0x14, 0xff, 0x75, 0x10, // push [ebp+0x18]; push [ebp+0x14]; push [ebp+0x10]
        0x8b, 0x4d, 0x0c, // mov ecx,[ebp+0xc]
        0xff, 0x55, 0x08, // call [ebp+8]
        0x89, 0xec, 0x5d, 0xc3, // mov esp,ebp; pop ebp; ret: however much the function removed
    ],
    amd64: &[],
    slow: None,
};

/// The most words of arguments of a member function that is called from here.
const WORDS_MAX: usize = 10;

/// The arguments of a member function.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words {
    words: [u64; WORDS_MAX],
    count: usize,
    is_64: bool,
}

impl Words {
    pub(super) fn new(guest: &Guest) -> Self {
        Self { words: [0; WORDS_MAX], count: 0, is_64: guest.machine().is_64() }
    }

    /// Appends a pointer or a number of up to a pointer's size.
    pub(super) fn word(mut self, value: u64) -> Self {
        if let Some(place) = self.words.get_mut(self.count) {
            *place = if self.is_64 { value } else { value & 0xffff_ffff };
            self.count += 1;
        }
        self
    }

    /// Appends a number of eight bytes.
    pub(super) fn long(self, value: u64) -> Self {
        if self.is_64 { self.word(value) } else { self.word(value).word(value >> 32) }
    }
}

/// Calls a member function.
///
/// # Errors
/// [`Fault`] when the guest's stack has no room.
pub(super) fn method(guest: &mut Guest, function: u64, this: u64, words: Words) -> Result<u64, Fault> {
    static HELPER: OnceLock<u64> = OnceLock::new();
    if guest.machine().is_64() {
        let mut arguments = vec![this];
        arguments.extend(&words.words[..words.count]);
        return guest.call(function, &arguments);
    }
    let helper = match HELPER.get() {
        Some(&known) => known,
        None => {
            let found = exported(guest, "msvcp140.dll", "__plat_method")?;
            *HELPER.get_or_init(|| found)
        }
    };
    let mut arguments = vec![function, this];
    arguments.extend(words.words);
    guest.call(helper, &arguments)
}

/// Calls a virtual function by its place in the object's table.
///
/// # Errors
/// [`Fault`] when the object or its table cannot be read.
pub(super) fn virtual_method(guest: &mut Guest, this: u64, place: u64, words: Words) -> Result<u64, Fault> {
    let word = guest.machine().pointer_size();
    let table = guest.read_word(this)?;
    let function = guest.read_word(table + place * word)?;
    method(guest, function, this, words)
}

/// Bytes of a `std::string` inside which short texts lie.
const SHORT_BYTES: u64 = 16;

/// Makes a `std::string` at an address: the text inside or allocated, its length, its capacity.
///
/// Source: <https://learn.microsoft.com/cpp/standard-library/basic-string-class> (short texts are kept inside).
///
/// # Errors
/// [`Fault`] when the place cannot be written.
pub(super) fn put_string(guest: &Guest, at: u64, text: &[u8]) -> Result<(), Fault> {
    let word = guest.machine().pointer_size();
    let length = text.len() as u64;
    let mut bytes = text.to_vec();
    bytes.push(0);
    let mut capacity = SHORT_BYTES - 1;
    if length > capacity {
        capacity = length | (SHORT_BYTES - 1);
        let long = allocate(guest, capacity + 1).unwrap_or(0);
        guest.write_bytes(long, &bytes)?;
        guest.write_word(at, long)?;
    } else {
        guest.write_bytes(at, &bytes)?;
    }
    guest.write_word(at + SHORT_BYTES, length)?;
    guest.write_word(at + SHORT_BYTES + word, capacity)
}

/// Adds to a number that several threads change; returns the new one.
///
/// # Errors
/// [`Fault`] when it cannot be written.
pub(super) fn add_u32(guest: &Guest, at: u64, by: i32) -> Result<u32, Fault> {
    loop {
        let old = guest.read_u32(at)?;
        let new = old.wrapping_add_signed(by);
        if plat_host::memory::compare_exchange_u32(at, old, new).map_err(to_fault)? == old {
            return Ok(new);
        }
    }
}
