//! The printf family with locales and with numbered arguments: `_printf_l`, `_printf_p`, `_sprintf_s_l`. One row for
//! each form.

use plat_abi::{Fault, GuestWord, VarArgs, winapi};

use super::format::{End, TRUNCATE, deliver, options, variants};
use super::locale::with_locale;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;

variants! {
    "Prints formatted" " to the standard output by a locale.", ("printf-printf-l-wprintf-wprintf-l" "vprintf-vprintf-l-vwprintf-vwprintf-l");
        u8 _printf_l _vprintf_l, u16 _wprintf_l _vwprintf_l; [locale]() End::Stream(0), false;
    "Prints formatted" " to the standard output by a locale.", ("printf-printf-l-wprintf-wprintf-l" "vprintf-vprintf-l-vwprintf-vwprintf-l");
        u8 _printf_s_l _vprintf_s_l, u16 _wprintf_s_l _vwprintf_s_l; [locale]() End::Stream(0), false;
    "Prints formatted" " to the standard output; arguments may be numbered.", "printf-p-positional-parameters";
        u8 _printf_p _vprintf_p, u16 _wprintf_p _vwprintf_p; []() End::Stream(0), true;
    "Prints formatted" " to the standard output by a locale; arguments may be numbered.", "printf-p-positional-parameters";
        u8 _printf_p_l _vprintf_p_l, u16 _wprintf_p_l _vwprintf_p_l; [locale]() End::Stream(0), true;
    "Prints formatted" " to a stream by a locale.", ("fprintf-fprintf-l-fwprintf-fwprintf-l" "vfprintf-vfprintf-l-vfwprintf-vfwprintf-l");
        u8 _fprintf_l _vfprintf_l, u16 _fwprintf_l _vfwprintf_l; [locale](stream: GuestWord) End::Stream(stream.0), false;
    "Prints formatted" " to a stream by a locale.", ("fprintf-fprintf-l-fwprintf-fwprintf-l" "vfprintf-vfprintf-l-vfwprintf-vfwprintf-l");
        u8 _fprintf_s_l _vfprintf_s_l, u16 _fwprintf_s_l _vfwprintf_s_l; [locale](stream: GuestWord) End::Stream(stream.0), false;
    "Prints formatted" " to a stream; arguments may be numbered.", "printf-p-positional-parameters";
        u8 _fprintf_p _vfprintf_p, u16 _fwprintf_p _vfwprintf_p; [](stream: GuestWord) End::Stream(stream.0), true;
    "Prints formatted" " to a stream by a locale; arguments may be numbered.", "printf-p-positional-parameters";
        u8 _fprintf_p_l _vfprintf_p_l, u16 _fwprintf_p_l _vfwprintf_p_l; [locale](stream: GuestWord) End::Stream(stream.0), true;
    "Formats" " into a buffer of known size, empty when it does not fit.", ("sprintf-s-sprintf-s-l-swprintf-s-swprintf-s-l" "vsprintf-s-vsprintf-s-l-vswprintf-s-vswprintf-s-l");
        u8 _sprintf_s_l _vsprintf_s_l, u16 _swprintf_s_l _vswprintf_s_l; [locale](buffer: GuestWord, sizeOfBuffer: GuestWord) End::Safe(buffer.0, sizeOfBuffer.0, TRUNCATE - 1), false;
    "Formats" " into a buffer of known size, empty when it does not fit; arguments may be numbered.", "printf-p-positional-parameters";
        u8 _sprintf_p _vsprintf_p, u16 _swprintf_p _vswprintf_p; [](buffer: GuestWord, sizeOfBuffer: GuestWord) End::Safe(buffer.0, sizeOfBuffer.0, TRUNCATE - 1), true;
    "Formats" " into a buffer of known size, empty when it does not fit; arguments may be numbered.", "printf-p-positional-parameters";
        u8 _sprintf_p_l _vsprintf_p_l, u16 _swprintf_p_l _vswprintf_p_l; [locale](buffer: GuestWord, sizeOfBuffer: GuestWord) End::Safe(buffer.0, sizeOfBuffer.0, TRUNCATE - 1), true;
    "Formats" " into a buffer of unknown size by a locale.", ("sprintf-sprintf-l-swprintf-swprintf-l-swprintf-l" "vsprintf-vsprintf-l-vswprintf-vswprintf-l-vswprintf-l");
        u8 _sprintf_l _vsprintf_l, u16 __swprintf_l __vswprintf_l; [locale](buffer: GuestWord) End::Buffer(buffer.0, u64::MAX), false;
    "Formats at most so many units of" " by a locale.", ("snprintf-snprintf-snprintf-l-snwprintf-snwprintf-l" "vsnprintf-vsnprintf-vsnprintf-l-vsnwprintf-vsnwprintf-l");
        u8 _snprintf_l _vsnprintf_l, u16 _snwprintf_l _vsnwprintf_l; [locale](buffer: GuestWord, count: GuestWord) End::Buffer(buffer.0, count.0), false;
    "Formats at most so many units of" " into a buffer of known size by a locale.", ("snprintf-s-snprintf-s-l-snwprintf-s-snwprintf-s-l" "vsnprintf-s-vsnprintf-s-vsnprintf-s-l-vsnwprintf-s-vsnwprintf-s-l");
        u8 _snprintf_s_l _vsnprintf_s_l, u16 _snwprintf_s_l _vsnwprintf_s_l; [locale](buffer: GuestWord, sizeOfBuffer: GuestWord, count: GuestWord) End::Safe(buffer.0, sizeOfBuffer.0, count.0 as u32), false;
    "Formats" " into a buffer, cut where it does not fit.", ("sprintf-sprintf-l-swprintf-swprintf-l-swprintf-l" "vsprintf-vsprintf-l-vswprintf-vswprintf-l-vswprintf-l");
        u8 _snprintf_c _vsnprintf_c, u16 _swprintf_c _vswprintf_c; [](buffer: GuestWord, count: GuestWord) End::Safe(buffer.0, count.0, TRUNCATE), false;
    "Formats" " into a buffer by a locale, cut where it does not fit.", ("sprintf-sprintf-l-swprintf-swprintf-l-swprintf-l" "vsprintf-vsprintf-l-vswprintf-vswprintf-l-vswprintf-l");
        u8 _snprintf_c_l _vsnprintf_c_l, u16 _swprintf_c_l _vswprintf_c_l; [locale](buffer: GuestWord, count: GuestWord) End::Safe(buffer.0, count.0, TRUNCATE), false;
    "Returns the length of formatted" " by a locale.", ("scprintf-scprintf-l-scwprintf-scwprintf-l" "vscprintf-vscprintf-l-vscwprintf-vscwprintf-l");
        u8 _scprintf_l _vscprintf_l, u16 _scwprintf_l _vscwprintf_l; [locale]() End::Measure, false;
    "Returns the length of formatted" "; arguments may be numbered.", "printf-p-positional-parameters";
        u8 _scprintf_p _vscprintf_p, u16 _scwprintf_p _vscwprintf_p; []() End::Measure, true;
    "Returns the length of formatted" " by a locale; arguments may be numbered.", "printf-p-positional-parameters";
        u8 _scprintf_p_l _vscprintf_p_l, u16 _scwprintf_p_l _vscwprintf_p_l; [locale]() End::Measure, true;
    "Formats" " into a buffer of unknown size.", ("sprintf-sprintf-l-swprintf-swprintf-l-swprintf-l" "vsprintf-vsprintf-l-vswprintf-vswprintf-l-vswprintf-l");
        u16 _swprintf _vswprintf; [](buffer: GuestWord) End::Buffer(buffer.0, u64::MAX), false;
    "Formats" " into a buffer by a locale, cut where it does not fit.", ("sprintf-sprintf-l-swprintf-swprintf-l-swprintf-l" "vsprintf-vsprintf-l-vswprintf-vswprintf-l-vswprintf-l");
        u16 _swprintf_l _vswprintf_l; [locale](buffer: GuestWord, count: GuestWord) End::Safe(buffer.0, count.0, TRUNCATE), false;
}
