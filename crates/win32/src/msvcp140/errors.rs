//! Throwing the exceptions of the standard library, error categories, and what error codes mean.
//!
//! Source: <https://learn.microsoft.com/cpp/standard-library/system-error>; <https://learn.microsoft.com/cpp/standard-library/stdexcept>.

use std::sync::OnceLock;

use plat_abi::{Fault, GuestWord, Memory};

use super::error_texts::{FUTURE, GENERIC, UNKNOWN, WINDOWS};
use super::members::{functions, members, named};
use super::object::put_string;
use crate::guest::Guest;
use crate::msvcrt::state::{place, place_narrow};
use crate::msvcrt::system::exported;
use crate::msvcrt::throw::{Class, throw, throw_with_code};

/// What `_Throw_Cpp_error` is told: codes of `errno` in this order.
const CPP_CODES: [i32; 7] = [16, 22, 3, 12, 1, 36, 11];
const DEVICE_OR_RESOURCE_BUSY: i32 = 0;
const OPERATION_NOT_PERMITTED: i32 = 4;
const RESOURCE_UNAVAILABLE: i32 = 6;

/// What `_Thrd_result` says.
pub(super) mod result {
    pub(crate) const SUCCESS: i32 = 0;
    pub(crate) const TIMED_OUT: i32 = 2;
    pub(crate) const BUSY: i32 = 3;
    pub(crate) const ERROR: i32 = 4;
}

functions! { EXPORTS, "stdexcept";
    "Throws `length_error`.", "?_Xlength_error@std@@YAXP*BD@Z";
    x_length_error(guest, message: GuestWord) -> () { throw_text(guest, Class::LengthError, message) }

    "Throws `out_of_range`.", "?_Xout_of_range@std@@YAXP*BD@Z";
    x_out_of_range(guest, message: GuestWord) -> () { throw_text(guest, Class::OutOfRange, message) }

    "Throws `invalid_argument`.", "?_Xinvalid_argument@std@@YAXP*BD@Z";
    x_invalid_argument(guest, message: GuestWord) -> () { throw_text(guest, Class::InvalidArgument, message) }

    "Throws `overflow_error`.", "?_Xoverflow_error@std@@YAXP*BD@Z";
    x_overflow_error(guest, message: GuestWord) -> () { throw_text(guest, Class::OverflowError, message) }

    "Throws `runtime_error`.", "?_Xruntime_error@std@@YAXP*BD@Z";
    x_runtime_error(guest, message: GuestWord) -> () { throw_text(guest, Class::RuntimeError, message) }

    "Throws `future_error` with a code of the program's.", "?_Throw_future_error@std@@YAXA*BVerror_code@1@@Z";
    throw_future_error(guest, code: GuestWord) -> () {
        let word = guest.machine().pointer_size();
        let number = guest.read_u32(code.0)?;
        let category = guest.read_word(code.0 + word)?;
        let text = text_of(FUTURE, number as i32);
        throw_with_code(guest, Class::FutureError, text.as_bytes(), [number.into(), category])
    }

    "Returns what an `errno` value means.", "?_Syserror_map@std@@YAP*BDH@Z";
    syserror_map(guest, code: i32) -> GuestWord { kept(guest, text_of(GENERIC, code)) }
}

named! { NAMED, "stdexcept";
    "Throws `bad_alloc`.", "?_Xbad_alloc@std@@YAXXZ";
    x_bad_alloc(guest) -> () { throw(guest, Class::BadAlloc, b"bad allocation") }

    "Throws `bad_function_call`.", "?_Xbad_function_call@std@@YAXXZ";
    x_bad_function_call(guest) -> () { throw(guest, Class::BadFunctionCall, b"bad function call") }

    "Throws `regex_error`.", "?_Xregex_error@std@@YAXW4error_type@regex_constants@1@@Z";
    x_regex_error(guest, code: u32) -> () {
        let text = super::error_texts::REGEX.get(code as usize).copied().unwrap_or("regex_error");
        throw_with_code(guest, Class::RegexError, text.as_bytes(), [code.into(), 0])
    }

    "Throws what a function for threads said.", "?_Throw_C_error@std@@YAXH@Z";
    throw_c_error(guest, code: i32) -> () {
        let index = match code {
            result::TIMED_OUT => OPERATION_NOT_PERMITTED,
            result::BUSY => DEVICE_OR_RESOURCE_BUSY,
            _ => RESOURCE_UNAVAILABLE,
        };
        throw_cpp_error(guest, index)
    }

    "Throws `system_error` with a code of this DLL's numbering.", "?_Throw_Cpp_error@std@@YAXH@Z";
    throw_cpp_error(guest, code: i32) -> () {
        let number = usize::try_from(code).ok().and_then(|index| CPP_CODES.get(index)).copied().unwrap_or(0);
        let text = text_of(GENERIC, number);
        throw_system(guest, Category::Generic, number, &format!("{text}: {text}"))
    }

    "Throws `system_error` with the thread's last error.", "?_XGetLastError@std@@YAXXZ";
    x_get_last_error(guest) -> () {
        let code = guest.teb().get(crate::teb::Teb::LAST_ERROR)? as i32;
        let text = windows_text(guest, code);
        throw_system(guest, Category::System, code, &text)
    }

    "Returns the `errno` value of a Windows error, or 0.", "?_Winerror_map@std@@YAHH@Z";
    winerror_map(guest, code: i32) -> i32 {
        let _ = guest;
        Ok(WINDOWS.iter().find(|row| row.0 == code).map_or(0, |row| row.1))
    }
}

fn throw_text(guest: &mut Guest, class: Class, message: GuestWord) -> Result<(), Fault> {
    let text = guest.read_c_string(message.0)?;
    throw(guest, class, &text)
}

fn throw_system(guest: &mut Guest, category: Category, code: i32, text: &str) -> Result<(), Fault> {
    let category = category_object(guest, category)?;
    throw_with_code(guest, Class::SystemError, text.as_bytes(), [u64::from(code as u32), category])
}

/// Throws `ios_base::failure` with a text.
///
/// # Errors
/// [`Fault`] when memory is short.
pub(super) fn throw_ios_failure(guest: &mut Guest, text: &str) -> Result<(), Fault> {
    const STREAM: u64 = 1;
    let category = category_object(guest, Category::Stream)?;
    let text = format!("{text}: iostream stream error");
    throw_with_code(guest, Class::IosFailure, text.as_bytes(), [STREAM, category])
}

fn text_of(table: &'static [(i32, &'static str)], code: i32) -> &'static str {
    table.iter().find(|row| row.0 == code).map_or(UNKNOWN, |row| row.1)
}

pub(super) fn windows_text(guest: &Guest, code: i32) -> String {
    let _ = guest;
    let text = crate::logic::messages::system_text(crate::Win32Error(code as u32));
    text.map_or_else(|| UNKNOWN.to_owned(), |text| text.trim_end().to_owned())
}

/// Returns the address of a text that is made once.
pub(super) fn kept(guest: &Guest, text: &'static str) -> Result<GuestWord, Fault> {
    let tables = &crate::msvcrt::state::crt(guest).tables;
    let known = |text| {
        let tables = tables.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        tables.iter().find(|row| row.0 == text).map(|row| row.1)
    };
    if let Some(address) = known(text) {
        return Ok(GuestWord(address));
    }
    let address = place_narrow(guest, text.as_bytes())?;
    tables.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((text, address));
    Ok(GuestWord(address))
}

/// The categories that exceptions from here have. The numbers are what programs compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Category {
    Future = 1,
    Stream = 3,
    Generic = 5,
    System = 7,
}

const CATEGORIES: [Category; 4] = [Category::Future, Category::Stream, Category::Generic, Category::System];

impl Category {
    fn name(self) -> &'static str {
        match self {
            Self::Future => "future",
            Self::Stream => "iostream",
            Self::Generic => "generic",
            Self::System => "system",
        }
    }

    /// Returns the category of an object.
    fn of(guest: &Guest, object: u64) -> Result<Self, Fault> {
        let number = guest.read_word(object + guest.machine().pointer_size())?;
        Ok(CATEGORIES.into_iter().find(|&known| known as u64 == number).unwrap_or(Self::Generic))
    }
}

/// The virtual functions of categories, in the order of their table.
const CATEGORY_TABLE: [&str; 6] = [
    "__plat_category_delete",
    "__plat_category_name",
    "__plat_category_message",
    "__plat_category_condition",
    "__plat_category_equivalent_code",
    "__plat_category_equivalent_condition",
];

/// Returns the address of a category's object: its table and its number.
fn category_object(guest: &mut Guest, category: Category) -> Result<u64, Fault> {
    static OBJECTS: OnceLock<u64> = OnceLock::new();
    let word = guest.machine().pointer_size();
    let objects = match OBJECTS.get() {
        Some(&known) => known,
        None => {
            let mut words = Vec::new();
            for name in CATEGORY_TABLE {
                let suffix = if guest.machine().is_64() { "E" } else { "" };
                words.push(exported(guest, "msvcp140.dll", &format!("{name}{suffix}"))?);
            }
            let start = place(guest, &vec![0; (words.len() as u64 * word + 8 * 2 * word) as usize])?;
            for (index, value) in (0..).zip(&words) {
                guest.write_word(start + index * word, *value)?;
            }
            let objects = start + words.len() as u64 * word;
            for kind in CATEGORIES {
                guest.write_word(objects + (kind as u64 - 1) * word, start)?;
                guest.write_word(objects + kind as u64 * word, kind as u64)?;
            }
            *OBJECTS.get_or_init(|| objects)
        }
    };
    Ok(objects + (category as u64 - 1) * word)
}

members! { CATEGORY, "error-category-class";
    "Does nothing: categories stay.", "__plat_category_delete*";
    category_delete(guest, this, flags: u32) -> GuestWord {
        let _ = (guest, flags);
        Ok(this)
    }

    "Returns the category's name.", "__plat_category_name*";
    category_name(guest, this) -> GuestWord {
        let category = Category::of(guest, this.0)?;
        kept(guest, category.name())
    }

    "Returns what a code means.", "__plat_category_message*";
    category_message(guest, this, to: GuestWord, code: i32) -> GuestWord {
        let text = match Category::of(guest, this.0)? {
            Category::Future => text_of(FUTURE, code).to_owned(),
            Category::Stream if code == 1 => "iostream stream error".to_owned(),
            Category::Stream | Category::Generic => text_of(GENERIC, code).to_owned(),
            Category::System => windows_text(guest, code),
        };
        put_string(guest, to.0, text.as_bytes())?;
        Ok(to)
    }

    "Returns a code's portable condition.", "__plat_category_condition*";
    category_condition(guest, this, to: GuestWord, code: i32) -> GuestWord {
        let mapped = winerror_map(guest, code)?;
        let is_system = Category::of(guest, this.0)? == Category::System;
        let (number, category) = match (is_system, mapped) {
            (true, 0) | (false, _) => (code, this.0),
            (true, mapped) => (mapped, category_object(guest, Category::Generic)?),
        };
        let word = guest.machine().pointer_size();
        guest.write_word(to.0, u64::from(number as u32))?;
        guest.write_word(to.0 + word, category)?;
        Ok(to)
    }

    "Says whether a code means a condition's number.", "__plat_category_equivalent_code*";
    category_equivalent_code(guest, this, code: GuestWord, condition: i32) -> u8 {
        let word = guest.machine().pointer_size();
        let (number, category) = (guest.read_u32(code.0)? as i32, guest.read_word(code.0 + word)?);
        let same = guest.read_word(category + word)? == guest.read_word(this.0 + word)?;
        Ok(u8::from(same && number == condition))
    }

    "Says whether a code's condition is another.", "__plat_category_equivalent_condition*";
    category_equivalent_condition(guest, this, code: i32, condition: GuestWord) -> u8 {
        let word = guest.machine().pointer_size();
        let held = place(guest, &vec![0; 2 * word as usize])?;
        category_condition(guest, this, GuestWord(held), code)?;
        let number = |at: u64| guest.read_u32(at);
        let category = |at: u64| guest.read_word(at + word).and_then(|object| guest.read_word(object + word));
        let is_same = number(held)? == number(condition.0)? && category(held)? == category(condition.0)?;
        guest.process().heaps.free(0, held);
        Ok(u8::from(is_same))
    }
}
