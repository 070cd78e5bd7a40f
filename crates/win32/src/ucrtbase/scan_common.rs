//! What the Universal CRT's inline functions of the scanf family call: `__stdio_common_v*scanf`.
//!
//! Source: `corecrt_stdio_config.h` of the Windows SDK for the options.

use plat_abi::GuestWord;

use crate::dll;
use crate::export::Export;
use crate::msvcrt::define::define;
use crate::msvcrt::locale::with_locale;
use crate::msvcrt::scan::{scan_stream, scan_text_n};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full __stdio_common_vfscanf; full __stdio_common_vfwscanf; full __stdio_common_vsscanf; full __stdio_common_vswscanf;
};

/// `_CRT_INTERNAL_SCANF_SECURECRT`: text buffers have sizes.
const SECURE: u64 = 1;

define! {
    "Reads values from a stream.", "fscanf-fscanf-l-fwscanf-fwscanf-l";
    __stdio_common_vfscanf(guest, options: u64, stream: GuestWord, format: GuestWord, locale: GuestWord, arglist: GuestWord) -> i32 {
        with_locale(guest, locale.0, |guest| scan_stream(guest, stream.0, format.0, arglist.0, false, options & SECURE != 0))
    }

    "Reads values from a stream by a wide format.", "fscanf-fscanf-l-fwscanf-fwscanf-l";
    __stdio_common_vfwscanf(guest, options: u64, stream: GuestWord, format: GuestWord, locale: GuestWord, arglist: GuestWord) -> i32 {
        with_locale(guest, locale.0, |guest| scan_stream(guest, stream.0, format.0, arglist.0, true, options & SECURE != 0))
    }

    "Reads values from a string of at most `buffer_count` bytes.", "sscanf-sscanf-l-swscanf-swscanf-l";
    __stdio_common_vsscanf(guest, options: u64, buffer: GuestWord, buffer_count: GuestWord, format: GuestWord, locale: GuestWord, arglist: GuestWord) -> i32 {
        with_locale(guest, locale.0, |guest| scan_text_n(guest, buffer.0, buffer_count.0, format.0, arglist.0, [false, options & SECURE != 0]))
    }

    "Reads values from a wide string of at most `buffer_count` units.", "sscanf-sscanf-l-swscanf-swscanf-l";
    __stdio_common_vswscanf(guest, options: u64, buffer: GuestWord, buffer_count: GuestWord, format: GuestWord, locale: GuestWord, arglist: GuestWord) -> i32 {
        with_locale(guest, locale.0, |guest| scan_text_n(guest, buffer.0, buffer_count.0, format.0, arglist.0, [true, options & SECURE != 0]))
    }
}
