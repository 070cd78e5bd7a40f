//! stdlib.h, string.h and wctype.h in the Universal CRT's form: numbers like `inf` and `0x1p3`, limits on overflow, C99's names.

use plat_abi::{Fault, GuestWord, Memory};

use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::number::read_float_c99;
use crate::logic::printf::Runtime;
use crate::msvcrt::define::define;
use crate::msvcrt::errno::ERANGE;
use crate::msvcrt::format::general_of;
use crate::msvcrt::state::{set_errno, write_narrow_z};
use crate::msvcrt::stdlib::{Kind, integer, kind, range_code, read_float_text, readers, store_checked};
use crate::msvcrt::{ctype, stdlib, twins};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full atoi; full atol; full _wtoi; full _wtol; full strtoul; full _strtoui64; full wcstoul; full _wcstoui64;
    full strtod; full wcstod; full atof; full _wtof; full _gcvt; full _gcvt_s; full _atoflt; full _atodbl; full "_atoldbl" = _atodbl;
    full "wcstok" = twins::wcstok_s; full "strtoull" = _strtoui64;
};

/// What of C99 msvcr120.dll has, too.
pub const C99_EXPORTS: &[Export] = dll! {
    full "atoll" = stdlib::_atoi64; full "_wtoll" = stdlib::_wtoi64;
    full "strtoumax" = _strtoui64; full "strtoimax" = stdlib::_strtoi64;
    full "wcstoull" = _wcstoui64; full "wcstoumax" = _wcstoui64; full "wcstoll" = stdlib::_wcstoi64; full "wcstoimax" = stdlib::_wcstoi64;
    full "strtold" = strtod; full strtof; full "wcstold" = wcstod; full wcstof;
    full isblank; full iswblank; full wctype; full wctrans; full towctrans;
};

/// An unsigned number out of range is the limit, with a sign or without.
const fn unsigned(bits: u32, wide: bool) -> Kind {
    Kind { negates_limit: false, ..kind(bits, false, wide) }
}

fn float(guest: &mut Guest, text: u64, end: u64, wide: bool) -> Result<f64, Fault> {
    let read = read_float_c99(&read_float_text(guest, text, wide)?);
    if end != 0 {
        guest.write_word(end, text + read.length as u64 * if wide { 2 } else { 1 })?;
    }
    if read.out_of_range {
        set_errno(guest, ERANGE)?;
    }
    Ok(read.value)
}

fn single(guest: &mut Guest, text: u64, end: u64, wide: bool) -> Result<f32, Fault> {
    let value = float(guest, text, end, wide)?;
    let result = value as f32;
    if result.is_infinite() && value.is_finite() || result == 0.0 && value != 0.0 {
        set_errno(guest, ERANGE)?;
    }
    Ok(result)
}

readers! { short
    atoi(kind(32, true, false)) -> i32, "atoi-atoi-l-wtoi-wtoi-l";
    atol(kind(32, true, false)) -> i32, "atol-atol-l-wtol-wtol-l";
    _wtoi(kind(32, true, true)) -> i32, "atoi-atoi-l-wtoi-wtoi-l";
    _wtol(kind(32, true, true)) -> i32, "atol-atol-l-wtol-wtol-l";
}
readers! { long
    strtoul(unsigned(32, false)) -> u32, "strtoul-strtoul-l-wcstoul-wcstoul-l";
    _strtoui64(unsigned(64, false)) -> u64, "strtoui64-wcstoui64-strtoui64-l-wcstoui64-l";
    wcstoul(unsigned(32, true)) -> u32, "strtoul-strtoul-l-wcstoul-wcstoul-l";
    _wcstoui64(unsigned(64, true)) -> u64, "strtoui64-wcstoui64-strtoui64-l-wcstoui64-l";
}

/// The bits of character classes by the names that `wctype` knows.
const CLASSES: [(&str, u16); 12] = [
    ("alnum", 0x107),
    ("alpha", 0x103),
    ("cntrl", 0x20),
    ("digit", 4),
    ("graph", 0x117),
    ("lower", 2),
    ("print", 0x157),
    ("punct", 0x10),
    ("blank", 0x40),
    ("space", 8),
    ("upper", 1),
    ("xdigit", 0x80),
];

define! {
    "Reads a floating-point number; stores where it ends.", "strtod-strtod-l-wcstod-wcstod-l";
    strtod(guest, strSource: GuestWord, endptr: GuestWord) -> f64 { float(guest, strSource.0, endptr.0, false) }
    "Reads a float; stores where it ends.", "strtof-strtof-l-wcstof-wcstof-l";
    strtof(guest, strSource: GuestWord, endptr: GuestWord) -> f32 { single(guest, strSource.0, endptr.0, false) }
    "Reads a floating-point number; stores where it ends.", "strtod-strtod-l-wcstod-wcstod-l";
    wcstod(guest, strSource: GuestWord, endptr: GuestWord) -> f64 { float(guest, strSource.0, endptr.0, true) }
    "Reads a float; stores where it ends.", "strtof-strtof-l-wcstof-wcstof-l";
    wcstof(guest, strSource: GuestWord, endptr: GuestWord) -> f32 { single(guest, strSource.0, endptr.0, true) }
    "Reads a floating-point number.", "atof-atof-l-wtof-wtof-l";
    atof(guest, str: GuestWord) -> f64 { float(guest, str.0, 0, false) }
    "Reads a floating-point number.", "atof-atof-l-wtof-wtof-l";
    _wtof(guest, str: GuestWord) -> f64 { float(guest, str.0, 0, true) }

    "Writes a floating-point number with so many significant digits, as `%g` does.", "gcvt";
    _gcvt(guest, value: f64, digits: i32, buffer: GuestWord) -> GuestWord {
        let text = general_of(guest, value, digits, Runtime::Ucrt);
        write_narrow_z(guest, buffer.0, &text)?;
        Ok(buffer)
    }
    "Writes a number with so many significant digits into a buffer of known size.", "gcvt-s";
    _gcvt_s(guest, buffer: GuestWord, sizeInBytes: GuestWord, value: f64, digits: i32) -> i32 {
        let text = general_of(guest, value, digits, Runtime::Ucrt);
        store_checked::<u8>(guest, buffer.0, sizeInBytes.0, &String::from_utf8_lossy(&text))
    }
    "Reads a float; returns 0, `_OVERFLOW` (3) or `_UNDERFLOW` (4).", "atodbl-atodbl-l-atoldbl-atoldbl-l-atoflt-atoflt-l";
    _atoflt(guest, value: GuestWord, str: GuestWord) -> i32 {
        let read = read_float_c99(&read_float_text(guest, str.0, false)?);
        let result = read.value as f32;
        guest.write(value.0, &result.to_bits())?;
        Ok(if read.value.is_infinite() && !read.out_of_range { 0 } else { range_code(result.into(), read.value != 0.0 || read.out_of_range) })
    }
    "Reads a double; returns 0, `_OVERFLOW` (3) or `_UNDERFLOW` (4).", "atodbl-atodbl-l-atoldbl-atoldbl-l-atoflt-atoflt-l";
    _atodbl(guest, value: GuestWord, str: GuestWord) -> i32 {
        let read = read_float_c99(&read_float_text(guest, str.0, false)?);
        guest.write(value.0, &read.value.to_bits())?;
        Ok(if read.out_of_range { range_code(read.value, true) } else { 0 })
    }

    "Says whether a byte is a blank or a tab.", "isblank-iswblank-isblank-l-iswblank-l";
    isblank(guest, c: i32) -> i32 {
        let _ = guest;
        Ok(if c == i32::from(b'\t') { 0x40 } else { i32::from(ctype::bits(u8::try_from(c).unwrap_or(0)) as u16) & 0x40 })
    }
    "Says whether a wide character is a blank or a tab.", "isblank-iswblank-isblank-l-iswblank-l";
    iswblank(guest, c: u16) -> i32 { Ok(if c == u16::from(b'\t') { 0x40 } else { ctype::iswctype(guest, c, 0x40) }) }
    "Returns the bits of a class of characters by its name; 0 for another.", "wctype";
    wctype(guest, property: GuestWord) -> u16 {
        let name = guest.read_c_string(property.0)?;
        Ok(CLASSES.iter().find(|class| class.0.as_bytes() == name).map_or(0, |class| class.1))
    }
    "Returns the number of a mapping by its name: 2 `tolower`, 1 `toupper`; 0 for another.", "wctrans";
    wctrans(guest, property: GuestWord) -> u16 {
        Ok(match guest.read_c_string(property.0)?.as_slice() {
            b"tolower" => 2,
            b"toupper" => 1,
            _ => 0,
        })
    }
    "Maps a wide character by the number of a mapping.", "towctrans";
    towctrans(guest, c: u16, category: u16) -> i32 {
        if category == 1 { ctype::towupper(guest, c) } else { ctype::towlower(guest, c) }
    }
}
