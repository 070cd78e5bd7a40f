//! What the Universal CRT's inline functions of the scanf family call: `__stdio_common_v*scanf`.
//!
//! Source: `corecrt_stdio_config.h` of the Windows SDK for the options.

use plat_abi::GuestWord;

use crate::dll;
use crate::export::Export;
use crate::msvcrt::define::define;
use crate::msvcrt::locale::with_locale;
use crate::msvcrt::scan::{Source, scan_source};

/// `_CRT_INTERNAL_SCANF_SECURECRT`: text buffers have sizes.
const SECURE: u64 = 1;

/// Defines functions and their table: text, page, name, the parameters before the format, where the text comes from, whether the
/// format is wide.
macro_rules! common {
    ($($doc:literal, $page:literal; $name:ident($($param:ident: $type:ty),*) $source:expr, $wide:literal;)*) => {
        /// The exports of this file.
        pub const EXPORTS: &[Export] = dll! { $(full $name;)* };
        define! { $(
            $doc, $page;
            $name(guest, options: u64 $(, $param: $type)*, format: GuestWord, locale: GuestWord, arglist: GuestWord) -> i32 {
                let how = [$wide, options & SECURE != 0];
                with_locale(guest, locale.0, |guest| scan_source(guest, $source, format.0, arglist.0, how))
            }
        )* }
    };
}

common! {
    "Reads values from a stream.", "fscanf-fscanf-l-fwscanf-fwscanf-l";
    __stdio_common_vfscanf(stream: GuestWord) Source::Stream(stream.0), false;
    "Reads values from a stream by a wide format.", "fscanf-fscanf-l-fwscanf-fwscanf-l";
    __stdio_common_vfwscanf(stream: GuestWord) Source::Stream(stream.0), true;
    "Reads values from a string of at most `buffer_count` bytes.", "sscanf-sscanf-l-swscanf-swscanf-l";
    __stdio_common_vsscanf(buffer: GuestWord, buffer_count: GuestWord) Source::Units(buffer.0, buffer_count.0), false;
    "Reads values from a wide string of at most `buffer_count` units.", "sscanf-sscanf-l-swscanf-swscanf-l";
    __stdio_common_vswscanf(buffer: GuestWord, buffer_count: GuestWord) Source::Units(buffer.0, buffer_count.0), true;
}
