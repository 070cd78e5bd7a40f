//! The printf family with locales and with numbered arguments: `_printf_l`, `_printf_p`, `_sprintf_s_l`. Each row is two functions,
//! one with its arguments in the call and one with a `va_list`.

use plat_abi::{Fault, GuestWord, VarArgs, winapi};

use super::format::{End, TRUNCATE, deliver, options};
use super::locale::with_locale;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full _printf_l; full _vprintf_l; full _printf_s_l; full _vprintf_s_l; full _printf_p; full _vprintf_p;
    full _printf_p_l; full _vprintf_p_l; full _fprintf_l; full _vfprintf_l; full _fprintf_s_l; full _vfprintf_s_l;
    full _fprintf_p; full _vfprintf_p; full _fprintf_p_l; full _vfprintf_p_l; full _sprintf_s_l; full _vsprintf_s_l;
    full _sprintf_p; full _vsprintf_p; full _sprintf_p_l; full _vsprintf_p_l; full _sprintf_l; full _vsprintf_l;
    full _snprintf_l; full _vsnprintf_l; full _snprintf_s_l; full _vsnprintf_s_l; full _snprintf_c; full _vsnprintf_c;
    full _snprintf_c_l; full _vsnprintf_c_l; full _scprintf_l; full _vscprintf_l; full _scprintf_p; full _vscprintf_p;
    full _scprintf_p_l; full _vscprintf_p_l; full _wprintf_l; full _vwprintf_l; full _wprintf_s_l; full _vwprintf_s_l;
    full _wprintf_p; full _vwprintf_p; full _wprintf_p_l; full _vwprintf_p_l; full _fwprintf_l; full _vfwprintf_l;
    full _fwprintf_s_l; full _vfwprintf_s_l; full _fwprintf_p; full _vfwprintf_p; full _fwprintf_p_l; full _vfwprintf_p_l;
    full _swprintf_s_l; full _vswprintf_s_l; full _swprintf_p; full _vswprintf_p; full _swprintf_p_l; full _vswprintf_p_l;
    full __swprintf_l; full __vswprintf_l; full _swprintf; full _vswprintf; full _snwprintf_l; full _vsnwprintf_l;
    full _snwprintf_s_l; full _vsnwprintf_s_l; full _swprintf_c; full _vswprintf_c; full _swprintf_c_l; full _vswprintf_c_l;
    full _swprintf_l; full _vswprintf_l; full _scwprintf_l; full _vscwprintf_l; full _scwprintf_p; full _vscwprintf_p;
    full _scwprintf_p_l; full _vscwprintf_p_l;
};

/// Defines pairs of functions: text, page, names, whether a locale follows the format, the parameters before the format, where the
/// text goes, its unit, whether arguments may be numbered.
macro_rules! variants {
    ($($doc:literal, $page:literal; $name:ident $list:ident $($locale:ident)? ($($param:ident: $type:ty),*) $end:expr, $unit:ty, $numbered:literal;)*) => {$(
        #[doc = $doc]
        ///
        #[doc = concat!("Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/", $page, ">")]
        #[winapi(cdecl)]
        pub fn $name(guest: &mut Guest $(, $param: $type)*, format: GuestWord $(, $locale: GuestWord)?, argument: VarArgs) -> Result<i32, Fault> {
            $list(guest $(, $param)*, format $(, $locale)?, GuestWord(argument.0))
        }

        #[doc = $doc]
        ///
        #[doc = concat!("Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/", $page, ">")]
        #[winapi(cdecl)]
        pub fn $list(guest: &mut Guest $(, $param: $type)*, format: GuestWord $(, $locale: GuestWord)?, argptr: GuestWord) -> Result<i32, Fault> {
            let object = 0 $(+ $locale.0)?;
            with_locale(guest, object, |guest| {
                let options = options(guest);
                deliver::<$unit>(guest, $end, [format.0, argptr.0], $numbered, options)
            })
        }
    )*};
}
variants! {
    "Prints formatted text to the standard output by a locale.", "printf-printf-l-wprintf-wprintf-l"; _printf_l _vprintf_l locale() End::Stream(0), u8, false;
    "Prints formatted text to the standard output by a locale.", "printf-printf-l-wprintf-wprintf-l"; _printf_s_l _vprintf_s_l locale() End::Stream(0), u8, false;
    "Prints formatted text to the standard output; arguments may be numbered.", "printf-p-positional-parameters"; _printf_p _vprintf_p() End::Stream(0), u8, true;
    "Prints formatted text to the standard output by a locale; arguments may be numbered.", "printf-p-positional-parameters"; _printf_p_l _vprintf_p_l locale() End::Stream(0), u8, true;
    "Prints formatted text to a stream by a locale.", "fprintf-fprintf-l-fwprintf-fwprintf-l"; _fprintf_l _vfprintf_l locale(stream: GuestWord) End::Stream(stream.0), u8, false;
    "Prints formatted text to a stream by a locale.", "fprintf-fprintf-l-fwprintf-fwprintf-l"; _fprintf_s_l _vfprintf_s_l locale(stream: GuestWord) End::Stream(stream.0), u8, false;
    "Prints formatted text to a stream; arguments may be numbered.", "printf-p-positional-parameters"; _fprintf_p _vfprintf_p(stream: GuestWord) End::Stream(stream.0), u8, true;
    "Prints formatted text to a stream by a locale; arguments may be numbered.", "printf-p-positional-parameters"; _fprintf_p_l _vfprintf_p_l locale(stream: GuestWord) End::Stream(stream.0), u8, true;
    "Formats text into a buffer of known size, empty when it does not fit.", "sprintf-s-sprintf-s-l-swprintf-s-swprintf-s-l"; _sprintf_s_l _vsprintf_s_l locale(buffer: GuestWord, sizeOfBuffer: GuestWord) End::Safe(buffer.0, sizeOfBuffer.0, TRUNCATE - 1), u8, false;
    "Formats text into a buffer of known size, empty when it does not fit; arguments may be numbered.", "printf-p-positional-parameters"; _sprintf_p _vsprintf_p(buffer: GuestWord, sizeOfBuffer: GuestWord) End::Safe(buffer.0, sizeOfBuffer.0, TRUNCATE - 1), u8, true;
    "Formats text into a buffer of known size, empty when it does not fit; arguments may be numbered.", "printf-p-positional-parameters"; _sprintf_p_l _vsprintf_p_l locale(buffer: GuestWord, sizeOfBuffer: GuestWord) End::Safe(buffer.0, sizeOfBuffer.0, TRUNCATE - 1), u8, true;
    "Formats text into a buffer of unknown size by a locale.", "sprintf-sprintf-l-swprintf-swprintf-l-swprintf-l"; _sprintf_l _vsprintf_l locale(buffer: GuestWord) End::Buffer(buffer.0, u64::MAX), u8, false;
    "Formats at most so many units of text by a locale.", "snprintf-snprintf-snprintf-l-snwprintf-snwprintf-l"; _snprintf_l _vsnprintf_l locale(buffer: GuestWord, count: GuestWord) End::Buffer(buffer.0, count.0), u8, false;
    "Formats at most so many units of text into a buffer of known size by a locale.", "snprintf-s-snprintf-s-l-snwprintf-s-snwprintf-s-l"; _snprintf_s_l _vsnprintf_s_l locale(buffer: GuestWord, sizeOfBuffer: GuestWord, count: GuestWord) End::Safe(buffer.0, sizeOfBuffer.0, count.0 as u32), u8, false;
    "Formats text into a buffer, cut where it does not fit.", "sprintf-sprintf-l-swprintf-swprintf-l-swprintf-l"; _snprintf_c _vsnprintf_c(buffer: GuestWord, count: GuestWord) End::Safe(buffer.0, count.0, TRUNCATE), u8, false;
    "Formats text into a buffer by a locale, cut where it does not fit.", "sprintf-sprintf-l-swprintf-swprintf-l-swprintf-l"; _snprintf_c_l _vsnprintf_c_l locale(buffer: GuestWord, count: GuestWord) End::Safe(buffer.0, count.0, TRUNCATE), u8, false;
    "Returns the length of formatted text by a locale.", "scprintf-scprintf-l-scwprintf-scwprintf-l"; _scprintf_l _vscprintf_l locale() End::Measure, u8, false;
    "Returns the length of formatted text; arguments may be numbered.", "printf-p-positional-parameters"; _scprintf_p _vscprintf_p() End::Measure, u8, true;
    "Returns the length of formatted text by a locale; arguments may be numbered.", "printf-p-positional-parameters"; _scprintf_p_l _vscprintf_p_l locale() End::Measure, u8, true;
    "Prints formatted wide text to the standard output by a locale.", "printf-printf-l-wprintf-wprintf-l"; _wprintf_l _vwprintf_l locale() End::Stream(0), u16, false;
    "Prints formatted wide text to the standard output by a locale.", "printf-printf-l-wprintf-wprintf-l"; _wprintf_s_l _vwprintf_s_l locale() End::Stream(0), u16, false;
    "Prints formatted wide text to the standard output; arguments may be numbered.", "printf-p-positional-parameters"; _wprintf_p _vwprintf_p() End::Stream(0), u16, true;
    "Prints formatted wide text to the standard output by a locale; arguments may be numbered.", "printf-p-positional-parameters"; _wprintf_p_l _vwprintf_p_l locale() End::Stream(0), u16, true;
    "Prints formatted wide text to a stream by a locale.", "fprintf-fprintf-l-fwprintf-fwprintf-l"; _fwprintf_l _vfwprintf_l locale(stream: GuestWord) End::Stream(stream.0), u16, false;
    "Prints formatted wide text to a stream by a locale.", "fprintf-fprintf-l-fwprintf-fwprintf-l"; _fwprintf_s_l _vfwprintf_s_l locale(stream: GuestWord) End::Stream(stream.0), u16, false;
    "Prints formatted wide text to a stream; arguments may be numbered.", "printf-p-positional-parameters"; _fwprintf_p _vfwprintf_p(stream: GuestWord) End::Stream(stream.0), u16, true;
    "Prints formatted wide text to a stream by a locale; arguments may be numbered.", "printf-p-positional-parameters"; _fwprintf_p_l _vfwprintf_p_l locale(stream: GuestWord) End::Stream(stream.0), u16, true;
    "Formats wide text into a buffer of known size, empty when it does not fit.", "sprintf-s-sprintf-s-l-swprintf-s-swprintf-s-l"; _swprintf_s_l _vswprintf_s_l locale(buffer: GuestWord, sizeOfBuffer: GuestWord) End::Safe(buffer.0, sizeOfBuffer.0, TRUNCATE - 1), u16, false;
    "Formats wide text into a buffer of known size, empty when it does not fit; arguments may be numbered.", "printf-p-positional-parameters"; _swprintf_p _vswprintf_p(buffer: GuestWord, sizeOfBuffer: GuestWord) End::Safe(buffer.0, sizeOfBuffer.0, TRUNCATE - 1), u16, true;
    "Formats wide text into a buffer of known size, empty when it does not fit; arguments may be numbered.", "printf-p-positional-parameters"; _swprintf_p_l _vswprintf_p_l locale(buffer: GuestWord, sizeOfBuffer: GuestWord) End::Safe(buffer.0, sizeOfBuffer.0, TRUNCATE - 1), u16, true;
    "Formats wide text into a buffer of unknown size by a locale.", "sprintf-sprintf-l-swprintf-swprintf-l-swprintf-l"; __swprintf_l __vswprintf_l locale(buffer: GuestWord) End::Buffer(buffer.0, u64::MAX), u16, false;
    "Formats wide text into a buffer of unknown size.", "sprintf-sprintf-l-swprintf-swprintf-l-swprintf-l"; _swprintf _vswprintf(buffer: GuestWord) End::Buffer(buffer.0, u64::MAX), u16, false;
    "Formats at most so many units of wide text by a locale.", "snprintf-snprintf-snprintf-l-snwprintf-snwprintf-l"; _snwprintf_l _vsnwprintf_l locale(buffer: GuestWord, count: GuestWord) End::Buffer(buffer.0, count.0), u16, false;
    "Formats at most so many units of wide text into a buffer of known size by a locale.", "snprintf-s-snprintf-s-l-snwprintf-s-snwprintf-s-l"; _snwprintf_s_l _vsnwprintf_s_l locale(buffer: GuestWord, sizeOfBuffer: GuestWord, count: GuestWord) End::Safe(buffer.0, sizeOfBuffer.0, count.0 as u32), u16, false;
    "Formats wide text into a buffer, cut where it does not fit.", "sprintf-sprintf-l-swprintf-swprintf-l-swprintf-l"; _swprintf_c _vswprintf_c(buffer: GuestWord, count: GuestWord) End::Safe(buffer.0, count.0, TRUNCATE), u16, false;
    "Formats wide text into a buffer by a locale, cut where it does not fit.", "sprintf-sprintf-l-swprintf-swprintf-l-swprintf-l"; _swprintf_c_l _vswprintf_c_l locale(buffer: GuestWord, count: GuestWord) End::Safe(buffer.0, count.0, TRUNCATE), u16, false;
    "Formats wide text into a buffer by a locale, cut where it does not fit.", "sprintf-sprintf-l-swprintf-swprintf-l-swprintf-l"; _swprintf_l _vswprintf_l locale(buffer: GuestWord, count: GuestWord) End::Safe(buffer.0, count.0, TRUNCATE), u16, false;
    "Returns the length of formatted wide text by a locale.", "scprintf-scprintf-l-scwprintf-scwprintf-l"; _scwprintf_l _vscwprintf_l locale() End::Measure, u16, false;
    "Returns the length of formatted wide text; arguments may be numbered.", "printf-p-positional-parameters"; _scwprintf_p _vscwprintf_p() End::Measure, u16, true;
    "Returns the length of formatted wide text by a locale; arguments may be numbered.", "printf-p-positional-parameters"; _scwprintf_p_l _vscwprintf_p_l locale() End::Measure, u16, true;
}
