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
use crate::msvcrt::format::{End, TRUNCATE, deliver, narrow_with, print_bytes, store_safe, wide_with};
use crate::msvcrt::locale::with_locale;
use crate::msvcrt::state::crt;
use crate::widths::Width;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full __stdio_common_vfprintf; full "__stdio_common_vfprintf_s" = __stdio_common_vfprintf;
    full __stdio_common_vfprintf_p;
    full __stdio_common_vfwprintf; full "__stdio_common_vfwprintf_s" = __stdio_common_vfwprintf;
    full __conio_common_vcprintf; full "__conio_common_vcprintf_s" = __conio_common_vcprintf; partial "__conio_common_vcprintf_p" = __conio_common_vcprintf, "positional formats (%1$d) are not known";
    full __conio_common_vcwprintf; full "__conio_common_vcwprintf_s" = __conio_common_vcwprintf; partial "__conio_common_vcwprintf_p" = __conio_common_vcwprintf, "positional formats (%1$d) are not known";
    full __stdio_common_vfwprintf_p;
    full __stdio_common_vsprintf; full __stdio_common_vsprintf_s; full __stdio_common_vsnprintf_s; full __stdio_common_vsprintf_p;
    full __stdio_common_vswprintf; full __stdio_common_vswprintf_s; full __stdio_common_vsnwprintf_s; full __stdio_common_vswprintf_p;
};

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

define! {
    "Prints formatted text to a stream.", "vfprintf-vfprintf-l-vfwprintf-vfwprintf-l";
    __stdio_common_vfprintf(guest, options_bits: u64, stream: GuestWord, format: GuestWord, locale: GuestWord, arglist: GuestWord) -> i32 {
        with_locale(guest, locale.0, |guest| {
            let text = narrow_with(guest, format.0, arglist.0, options(guest, options_bits))?;
            print_bytes(guest, stream.0, &text, text.len())
        })
    }

    "Prints formatted text to a stream; arguments may be numbered.", "printf-p-positional-parameters";
    __stdio_common_vfprintf_p(guest, options_bits: u64, stream: GuestWord, format: GuestWord, locale: GuestWord, arglist: GuestWord) -> i32 {
        with_locale(guest, locale.0, |guest| {
            let options = options(guest, options_bits);
            deliver::<u8>(guest, End::Stream(stream.0), [format.0, arglist.0], true, options)
        })
    }

    "Prints formatted wide text to a stream.", "vfprintf-vfprintf-l-vfwprintf-vfwprintf-l";
    __stdio_common_vfwprintf(guest, options_bits: u64, stream: GuestWord, format: GuestWord, locale: GuestWord, arglist: GuestWord) -> i32 {
        with_locale(guest, locale.0, |guest| {
            let text = wide_with(guest, format.0, arglist.0, options(guest, options_bits))?;
            let bytes = crt(guest).locale.narrow(&text);
            print_bytes(guest, stream.0, &bytes, text.len())
        })
    }

    "Prints formatted wide text to a stream; arguments may be numbered.", "printf-p-positional-parameters";
    __stdio_common_vfwprintf_p(guest, options_bits: u64, stream: GuestWord, format: GuestWord, locale: GuestWord, arglist: GuestWord) -> i32 {
        with_locale(guest, locale.0, |guest| {
            let options = options(guest, options_bits);
            deliver::<u16>(guest, End::Stream(stream.0), [format.0, arglist.0], true, options)
        })
    }

    "Prints formatted text to the console.", "vcprintf-vcprintf-l-vcwprintf-vcwprintf-l";
    __conio_common_vcprintf(guest, options_bits: u64, format: GuestWord, locale: GuestWord, arglist: GuestWord) -> i32 {
        let _ = locale;
        let text = narrow_with(guest, format.0, arglist.0, options(guest, options_bits))?;
        Ok(print_to_console(guest, Width::Narrow, &text.into_iter().map(u16::from).collect::<Vec<u16>>()))
    }

    "Prints formatted wide text to the console.", "vcprintf-vcprintf-l-vcwprintf-vcwprintf-l";
    __conio_common_vcwprintf(guest, options_bits: u64, format: GuestWord, locale: GuestWord, arglist: GuestWord) -> i32 {
        let _ = locale;
        let text = wide_with(guest, format.0, arglist.0, options(guest, options_bits))?;
        Ok(print_to_console(guest, Width::Wide, &text))
    }

    "Formats text into a buffer; the options say what happens when it is too small.", "vsnprintf-vsnprintf-vsnprintf-l-vsnwprintf-vsnwprintf-l";
    __stdio_common_vsprintf(guest, options_bits: u64, buffer: GuestWord, buffer_count: GuestWord, format: GuestWord, locale: GuestWord, arglist: GuestWord) -> i32 {
        with_locale(guest, locale.0, |guest| {
            let text = narrow_with(guest, format.0, arglist.0, options(guest, options_bits))?;
            store(options_bits, text, buffer.0, buffer_count.0, |text| guest.write_bytes(buffer.0, text))
        })
    }

    "Formats wide text into a buffer; the options say what happens when it is too small.", "vsnprintf-vsnprintf-vsnprintf-l-vsnwprintf-vsnwprintf-l";
    __stdio_common_vswprintf(guest, options_bits: u64, buffer: GuestWord, buffer_count: GuestWord, format: GuestWord, locale: GuestWord, arglist: GuestWord) -> i32 {
        with_locale(guest, locale.0, |guest| {
            let text = wide_with(guest, format.0, arglist.0, options(guest, options_bits))?;
            store(options_bits, text, buffer.0, buffer_count.0, |text| guest.write_wide(buffer.0, text))
        })
    }

    "Formats text into a buffer; empty and -1 when it does not fit; arguments may be numbered.", "printf-p-positional-parameters";
    __stdio_common_vsprintf_p(guest, options_bits: u64, buffer: GuestWord, buffer_count: GuestWord, format: GuestWord, locale: GuestWord, arglist: GuestWord) -> i32 {
        with_locale(guest, locale.0, |guest| {
            let options = options(guest, options_bits);
            deliver::<u8>(guest, End::Safe(buffer.0, buffer_count.0, TRUNCATE - 1), [format.0, arglist.0], true, options)
        })
    }

    "Formats wide text into a buffer; empty and -1 when it does not fit; arguments may be numbered.", "printf-p-positional-parameters";
    __stdio_common_vswprintf_p(guest, options_bits: u64, buffer: GuestWord, buffer_count: GuestWord, format: GuestWord, locale: GuestWord, arglist: GuestWord) -> i32 {
        with_locale(guest, locale.0, |guest| {
            let options = options(guest, options_bits);
            deliver::<u16>(guest, End::Safe(buffer.0, buffer_count.0, TRUNCATE - 1), [format.0, arglist.0], true, options)
        })
    }

    "Formats text into a buffer; empty and -1 when it does not fit.", "vsprintf-s-vsprintf-s-l-vswprintf-s-vswprintf-s-l";
    __stdio_common_vsprintf_s(guest, options_bits: u64, buffer: GuestWord, buffer_count: GuestWord, format: GuestWord, locale: GuestWord, arglist: GuestWord) -> i32 {
        let most = GuestWord(u64::from(TRUNCATE - 1));
        __stdio_common_vsnprintf_s(guest, options_bits, buffer, buffer_count, most, format, locale, arglist)
    }

    "Formats wide text into a buffer; empty and -1 when it does not fit.", "vsprintf-s-vsprintf-s-l-vswprintf-s-vswprintf-s-l";
    __stdio_common_vswprintf_s(guest, options_bits: u64, buffer: GuestWord, buffer_count: GuestWord, format: GuestWord, locale: GuestWord, arglist: GuestWord) -> i32 {
        let most = GuestWord(u64::from(TRUNCATE - 1));
        __stdio_common_vsnwprintf_s(guest, options_bits, buffer, buffer_count, most, format, locale, arglist)
    }

    "Formats at most `max_count` bytes and a terminator into a buffer.", "vsnprintf-s-vsnprintf-s-vsnprintf-s-l-vsnwprintf-s-vsnwprintf-s-l";
    __stdio_common_vsnprintf_s(guest, options_bits: u64, buffer: GuestWord, buffer_count: GuestWord, max_count: GuestWord, format: GuestWord, locale: GuestWord, arglist: GuestWord) -> i32 {
        with_locale(guest, locale.0, |guest| {
            let text = narrow_with(guest, format.0, arglist.0, options(guest, options_bits))?;
            store_safe(guest, text, buffer_count.0, max_count.0 as u32, |guest, text| guest.write_bytes(buffer.0, text))
        })
    }

    "Formats at most `max_count` units and a terminator into a buffer.", "vsnprintf-s-vsnprintf-s-vsnprintf-s-l-vsnwprintf-s-vsnwprintf-s-l";
    __stdio_common_vsnwprintf_s(guest, options_bits: u64, buffer: GuestWord, buffer_count: GuestWord, max_count: GuestWord, format: GuestWord, locale: GuestWord, arglist: GuestWord) -> i32 {
        with_locale(guest, locale.0, |guest| {
            let text = wide_with(guest, format.0, arglist.0, options(guest, options_bits))?;
            store_safe(guest, text, buffer_count.0, max_count.0 as u32, |guest, text| guest.write_wide(buffer.0, text))
        })
    }
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
