//! What the Universal CRT's inline functions of the printf family call: `__stdio_common_v*printf`.
//!
//! Source: `corecrt_stdio_config.h` of the Windows SDK for the options; <https://learn.microsoft.com/cpp/c-runtime-library/internal-crt-globals-and-functions>.

use std::sync::atomic::Ordering;

use plat_abi::{Fault, GuestWord, Memory};

use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::printf::{Options, Runtime};
use crate::msvcrt::conio::print as print_to_console;
use crate::msvcrt::define::define;
use crate::msvcrt::format::{End, TRUNCATE, deliver, formatted};
use crate::msvcrt::locale::with_locale;
use crate::msvcrt::state::crt;
use crate::msvcrt::twins::GuestUnit;
use crate::widths::Width;

/// `_CRT_INTERNAL_PRINTF_LEGACY_VSPRINTF_NULL_TERMINATION`: no terminator when there is no room, and -1.
const LEGACY_TERMINATION: u64 = 1;
/// `_CRT_INTERNAL_PRINTF_STANDARD_SNPRINTF_BEHAVIOR`: cut, terminated, and the whole length returned.
const STANDARD_SNPRINTF: u64 = 2;
/// `_CRT_INTERNAL_PRINTF_LEGACY_WIDE_SPECIFIERS`: `%s` in a wide format is wide.
const LEGACY_WIDE: u64 = 4;
/// `_CRT_INTERNAL_PRINTF_LEGACY_THREE_DIGIT_EXPONENTS`.
const THREE_DIGITS: u64 = 16;

/// Translates a call's options.
fn options(guest: &Guest, flags: u64) -> Options {
    Options {
        iso_wide: flags & LEGACY_WIDE == 0,
        counts: crt(guest).count_output.load(Ordering::Relaxed),
        three_digits: flags & THREE_DIGITS != 0,
        decimal_point: crt(guest).locale.decimal_point(),
        ..Options::of(Runtime::Ucrt, guest.machine().pointer_size() as u8)
    }
}

/// Stores text in a buffer of `count` units as the options say. A null buffer only measures.
fn store<T: Copy + Default>(
    flags: u64,
    text: Vec<T>,
    buffer: u64,
    count: u64,
    write: impl FnOnce(&[T]) -> Result<(), Fault>,
) -> Result<i32, Fault> {
    let length = text.len() as u64;
    if buffer == 0 {
        return Ok(length as i32);
    }
    let mut text = text;
    text.push(T::default());
    let room = usize::try_from(count).unwrap_or(usize::MAX);
    let result = if flags & LEGACY_TERMINATION != 0 {
        if length > count { -1 } else { length as i32 }
    } else if length < count {
        length as i32
    } else {
        text.truncate(room.saturating_sub(1));
        text.push(T::default());
        match (flags & STANDARD_SNPRINTF != 0, count) {
            (true, _) => length as i32,
            (false, 0) => -1,
            (false, _) => -2,
        }
    };
    text.truncate(room);
    write(&text)?;
    Ok(result)
}

/// Where text goes.
#[derive(Clone, Copy)]
enum To {
    /// Where all C runtimes have it; arguments may be numbered or not.
    End(End, bool),
    /// A buffer of so many units, by the options.
    Buffer(u64, u64),
    /// The console; the locale does not count.
    Console,
}

/// Formats text by a locale, and delivers it.
fn print<T: GuestUnit + Into<u16>>(
    guest: &mut Guest,
    flags: u64,
    to: To,
    [format, locale, list]: [GuestWord; 3],
) -> Result<i32, Fault> {
    let (format, list) = (format.0, list.0);
    let object = if matches!(to, To::Console) { 0 } else { locale.0 };
    with_locale(guest, object, |guest| {
        let options = options(guest, flags);
        match to {
            To::End(end, is_numbered) => deliver::<T>(guest, end, [format, list], is_numbered, options),
            To::Buffer(buffer, count) => {
                let text: Vec<T> = formatted(guest, format, list, options)?;
                store(flags, text, buffer, count, |text| T::write(guest, buffer, text))
            }
            To::Console => {
                let text: Vec<T> = formatted(guest, format, list, options)?;
                let width = if T::IS_WIDE { Width::Wide } else { Width::Narrow };
                Ok(print_to_console(guest, width, &text.into_iter().map(T::into).collect::<Vec<u16>>()))
            }
        }
    })
}

/// Defines functions and their table: for narrow and for wide text, the page, both names, the parameters before the format, where
/// the text goes.
macro_rules! common {
    (also { $($more:tt)* } $($doc:literal, $wide_doc:literal, $page:literal;
        $narrow:ident, $wide:ident($($param:ident: $type:ty),*) $to:expr;)*) => {
        /// The exports of this file.
        pub const EXPORTS: &[Export] = dll! { $(full $narrow; full $wide;)* $($more)* };
        define! { $(
            $doc, $page;
            $narrow(guest, options: u64 $(, $param: $type)*, format: GuestWord, locale: GuestWord, arglist: GuestWord) -> i32 {
                print::<u8>(guest, options, $to, [format, locale, arglist])
            }
            $wide_doc, $page;
            $wide(guest, options: u64 $(, $param: $type)*, format: GuestWord, locale: GuestWord, arglist: GuestWord) -> i32 {
                print::<u16>(guest, options, $to, [format, locale, arglist])
            }
        )* }
    };
}

common! {
    also {
        full "__stdio_common_vfprintf_s" = __stdio_common_vfprintf; full "__stdio_common_vfwprintf_s" = __stdio_common_vfwprintf;
        full "__conio_common_vcprintf_s" = __conio_common_vcprintf; full "__conio_common_vcwprintf_s" = __conio_common_vcwprintf;
        partial "__conio_common_vcprintf_p" = __conio_common_vcprintf, "positional formats (%1$d) are not known";
        partial "__conio_common_vcwprintf_p" = __conio_common_vcwprintf, "positional formats (%1$d) are not known";
    }
    "Prints formatted text to a stream.", "Prints formatted wide text to a stream.", "vfprintf-vfprintf-l-vfwprintf-vfwprintf-l";
    __stdio_common_vfprintf, __stdio_common_vfwprintf(stream: GuestWord) To::End(End::Stream(stream.0), false);

    "Prints formatted text to a stream; arguments may be numbered.",
    "Prints formatted wide text to a stream; arguments may be numbered.", "printf-p-positional-parameters";
    __stdio_common_vfprintf_p, __stdio_common_vfwprintf_p(stream: GuestWord) To::End(End::Stream(stream.0), true);

    "Prints formatted text to the console.", "Prints formatted wide text to the console.", "vcprintf-vcprintf-l-vcwprintf-vcwprintf-l";
    __conio_common_vcprintf, __conio_common_vcwprintf() To::Console;

    "Formats text into a buffer; the options say what happens when it is too small.",
    "Formats wide text into a buffer; the options say what happens when it is too small.", "vsnprintf-vsnprintf-vsnprintf-l-vsnwprintf-vsnwprintf-l";
    __stdio_common_vsprintf, __stdio_common_vswprintf(buffer: GuestWord, buffer_count: GuestWord) To::Buffer(buffer.0, buffer_count.0);

    "Formats text into a buffer; empty and -1 when it does not fit; arguments may be numbered.",
    "Formats wide text into a buffer; empty and -1 when it does not fit; arguments may be numbered.", "printf-p-positional-parameters";
    __stdio_common_vsprintf_p, __stdio_common_vswprintf_p(buffer: GuestWord, buffer_count: GuestWord)
        To::End(End::Safe(buffer.0, buffer_count.0, TRUNCATE - 1), true);

    "Formats text into a buffer; empty and -1 when it does not fit.",
    "Formats wide text into a buffer; empty and -1 when it does not fit.", "vsprintf-s-vsprintf-s-l-vswprintf-s-vswprintf-s-l";
    __stdio_common_vsprintf_s, __stdio_common_vswprintf_s(buffer: GuestWord, buffer_count: GuestWord)
        To::End(End::Safe(buffer.0, buffer_count.0, TRUNCATE - 1), false);

    "Formats at most `max_count` bytes and a terminator into a buffer.",
    "Formats at most `max_count` units and a terminator into a buffer.", "vsnprintf-s-vsnprintf-s-vsnprintf-s-l-vsnwprintf-s-vsnwprintf-s-l";
    __stdio_common_vsnprintf_s, __stdio_common_vsnwprintf_s(buffer: GuestWord, buffer_count: GuestWord, max_count: GuestWord)
        To::End(End::Safe(buffer.0, buffer_count.0, max_count.0 as u32), false);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_say_what_a_small_buffer_gets() {
        let stored = |flags, count| {
            let mut out = Vec::new();
            let result = store(flags, b"abc".to_vec(), 1, count, |text| {
                out = text.to_vec();
                Ok(())
            });
            (result.unwrap(), out)
        };
        assert_eq!(stored(LEGACY_TERMINATION, 3), (3, b"abc".to_vec()));
        assert_eq!(stored(LEGACY_TERMINATION, 2), (-1, b"ab".to_vec()));
        assert_eq!(stored(STANDARD_SNPRINTF, 3), (3, b"ab\0".to_vec()));
        assert_eq!(stored(STANDARD_SNPRINTF, 4), (3, b"abc\0".to_vec()));
        assert_eq!(stored(STANDARD_SNPRINTF, 0), (3, Vec::new()));
        assert_eq!(stored(0, 2), (-2, b"a\0".to_vec()));
    }
}
