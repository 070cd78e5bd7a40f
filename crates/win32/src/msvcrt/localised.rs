//! Functions that end in `_l`: the same as those without, by the locale of an object. One row each.
//!
//! Source: <https://learn.microsoft.com/cpp/c-runtime-library/locale>

use plat_abi::{Fault, GuestWord, VarArgs, winapi};

use super::locale::with_locale;
use super::{ctype, safe, scan, stdlib, string, wide};
use crate::export::Export;
use crate::guest::Guest;

/// What a function without `_l` returns: a value, or perhaps a bad pointer.
trait Outcome {
    type Value;
    fn outcome(self) -> Result<Self::Value, Fault>;
}

impl<T> Outcome for Result<T, Fault> {
    type Value = T;
    fn outcome(self) -> Result<T, Fault> {
        self
    }
}

impl Outcome for i32 {
    type Value = Self;
    fn outcome(self) -> Result<Self, Fault> {
        Ok(self)
    }
}

/// Defines functions and their exports: the function without `_l`, the name, the parameters in front of the locale and behind it,
/// the result.
macro_rules! localised {
    ($($base:path, $name:ident($($param:ident: $type:ty),*) $(($rest:ident: $rest_type:ty))? -> $result:ty;)*) => {
        /// The exports of this file.
        pub const EXPORTS: &[Export] = &[$(Export {
            name: stringify!($name),
            ordinal: None,
            limits: None,
            body: crate::export::Body::Api(&<$name as plat_abi::Api<Guest>>::DESCRIPTOR),
        },)*];
        $(
            #[doc = concat!("As `", stringify!($base), "`, by the locale of an object.")]
            ///
            /// Source: <https://learn.microsoft.com/cpp/c-runtime-library/locale>
            #[winapi(cdecl)]
            pub fn $name(guest: &mut Guest $(, $param: $type)*, locale: GuestWord $(, $rest: $rest_type)?) -> Result<$result, Fault> {
                with_locale(guest, locale.0, |guest| Outcome::outcome($base(guest $(, $param)* $(, $rest)?)))
            }
        )*
    };
}

localised! {
    ctype::isalnum, _isalnum_l(c: i32) -> i32; ctype::isalpha, _isalpha_l(c: i32) -> i32; ctype::iscntrl, _iscntrl_l(c: i32) -> i32;
    ctype::isdigit, _isdigit_l(c: i32) -> i32; ctype::isgraph, _isgraph_l(c: i32) -> i32; ctype::islower, _islower_l(c: i32) -> i32;
    ctype::isprint, _isprint_l(c: i32) -> i32; ctype::ispunct, _ispunct_l(c: i32) -> i32; ctype::isspace, _isspace_l(c: i32) -> i32;
    ctype::isupper, _isupper_l(c: i32) -> i32; ctype::isxdigit, _isxdigit_l(c: i32) -> i32; ctype::isleadbyte, _isleadbyte_l(c: i32) -> i32;
    ctype::_isctype, _isctype_l(c: i32, desc: i32) -> i32; ctype::tolower, _tolower_l(c: i32) -> i32; ctype::toupper, _toupper_l(c: i32) -> i32;
    ctype::iswalnum, _iswalnum_l(c: u16) -> i32; ctype::iswalpha, _iswalpha_l(c: u16) -> i32; ctype::iswcntrl, _iswcntrl_l(c: u16) -> i32;
    ctype::iswdigit, _iswdigit_l(c: u16) -> i32; ctype::iswgraph, _iswgraph_l(c: u16) -> i32; ctype::iswlower, _iswlower_l(c: u16) -> i32;
    ctype::iswprint, _iswprint_l(c: u16) -> i32; ctype::iswpunct, _iswpunct_l(c: u16) -> i32; ctype::iswspace, _iswspace_l(c: u16) -> i32;
    ctype::iswupper, _iswupper_l(c: u16) -> i32; ctype::iswxdigit, _iswxdigit_l(c: u16) -> i32; ctype::iswctype, _iswctype_l(c: u16, desc: u16) -> i32;
    ctype::towlower, _towlower_l(c: u16) -> i32; ctype::towupper, _towupper_l(c: u16) -> i32;
    ctype::__iswcsym, _iswcsym_l(c: u16) -> i32; ctype::__iswcsymf, _iswcsymf_l(c: u16) -> i32;
    string::_stricmp, _stricmp_l(string1: GuestWord, string2: GuestWord) -> i32;
    string::_strnicmp, _strnicmp_l(string1: GuestWord, string2: GuestWord, count: GuestWord) -> i32;
    string::strcoll, _strcoll_l(string1: GuestWord, string2: GuestWord) -> i32;
    string::_stricoll, _stricoll_l(string1: GuestWord, string2: GuestWord) -> i32;
    string::_strncoll, _strncoll_l(string1: GuestWord, string2: GuestWord, count: GuestWord) -> i32;
    string::_strnicoll, _strnicoll_l(string1: GuestWord, string2: GuestWord, count: GuestWord) -> i32;
    string::strxfrm, _strxfrm_l(strDest: GuestWord, strSource: GuestWord, count: GuestWord) -> GuestWord;
    string::_strlwr, _strlwr_l(str: GuestWord) -> GuestWord; string::_strupr, _strupr_l(str: GuestWord) -> GuestWord;
    string::_memicmp, _memicmp_l(buffer1: GuestWord, buffer2: GuestWord, count: GuestWord) -> i32;
    safe::_strlwr_s, _strlwr_s_l(str: GuestWord, numberOfElements: GuestWord) -> i32;
    safe::_strupr_s, _strupr_s_l(str: GuestWord, numberOfElements: GuestWord) -> i32;
    safe::_wcslwr_s, _wcslwr_s_l(str: GuestWord, numberOfElements: GuestWord) -> i32;
    safe::_wcsupr_s, _wcsupr_s_l(str: GuestWord, numberOfElements: GuestWord) -> i32;
    safe::_wcsncoll, _wcsncoll_l(string1: GuestWord, string2: GuestWord, count: GuestWord) -> i32;
    safe::_wcsnicoll, _wcsnicoll_l(string1: GuestWord, string2: GuestWord, count: GuestWord) -> i32;
    safe::wctomb_s, _wctomb_s_l(pRetValue: GuestWord, mbchar: GuestWord, sizeInBytes: GuestWord, wchar: u16) -> i32;
    wide::_wcsicmp, _wcsicmp_l(string1: GuestWord, string2: GuestWord) -> i32;
    wide::_wcsnicmp, _wcsnicmp_l(string1: GuestWord, string2: GuestWord, count: GuestWord) -> i32;
    wide::wcscoll, _wcscoll_l(string1: GuestWord, string2: GuestWord) -> i32;
    wide::_wcsicoll, _wcsicoll_l(string1: GuestWord, string2: GuestWord) -> i32;
    wide::wcsxfrm, _wcsxfrm_l(strDest: GuestWord, strSource: GuestWord, count: GuestWord) -> GuestWord;
    wide::_wcslwr, _wcslwr_l(str: GuestWord) -> GuestWord; wide::_wcsupr, _wcsupr_l(str: GuestWord) -> GuestWord;
    wide::mbstowcs, _mbstowcs_l(wcstr: GuestWord, mbstr: GuestWord, count: GuestWord) -> GuestWord;
    wide::wcstombs, _wcstombs_l(mbstr: GuestWord, wcstr: GuestWord, count: GuestWord) -> GuestWord;
    wide::mbstowcs_s, _mbstowcs_s_l(pReturnValue: GuestWord, wcstr: GuestWord, sizeInWords: GuestWord, mbstr: GuestWord, count: GuestWord) -> i32;
    wide::wcstombs_s, _wcstombs_s_l(pReturnValue: GuestWord, mbstr: GuestWord, sizeInBytes: GuestWord, wcstr: GuestWord, count: GuestWord) -> i32;
    wide::mbtowc, _mbtowc_l(wchar: GuestWord, mbchar: GuestWord, count: GuestWord) -> i32;
    wide::wctomb, _wctomb_l(mbchar: GuestWord, wchar: u16) -> i32;
    wide::mblen, _mblen_l(mbstr: GuestWord, count: GuestWord) -> i32;
    stdlib::strtol, _strtol_l(strSource: GuestWord, endptr: GuestWord, base: i32) -> i32;
    stdlib::_strtoi64, _strtoi64_l(strSource: GuestWord, endptr: GuestWord, base: i32) -> i64;
    stdlib::wcstol, _wcstol_l(strSource: GuestWord, endptr: GuestWord, base: i32) -> i32;
    stdlib::_wcstoi64, _wcstoi64_l(strSource: GuestWord, endptr: GuestWord, base: i32) -> i64;
    stdlib::_atoi64, _atoi64_l(str: GuestWord) -> i64; stdlib::_wtoi64, _wtoi64_l(str: GuestWord) -> i64;
}

/// The `_l` functions whose bases depend on the runtime.
macro_rules! of_runtime {
    ($text:path, $time:path) => {
        use $text as text;
        use $time as times;
        localised! {
            text::atoi, _atoi_l(str: GuestWord) -> i32; text::atol, _atol_l(str: GuestWord) -> i32; text::atof, _atof_l(str: GuestWord) -> f64;
            text::_wtoi, _wtoi_l(str: GuestWord) -> i32; text::_wtol, _wtol_l(str: GuestWord) -> i32; text::_wtof, _wtof_l(str: GuestWord) -> f64;
            text::strtoul, _strtoul_l(strSource: GuestWord, endptr: GuestWord, base: i32) -> u32;
            text::_strtoui64, _strtoui64_l(strSource: GuestWord, endptr: GuestWord, base: i32) -> u64;
            text::wcstoul, _wcstoul_l(strSource: GuestWord, endptr: GuestWord, base: i32) -> u32;
            text::_wcstoui64, _wcstoui64_l(strSource: GuestWord, endptr: GuestWord, base: i32) -> u64;
            text::strtod, _strtod_l(strSource: GuestWord, endptr: GuestWord) -> f64;
            text::wcstod, _wcstod_l(strSource: GuestWord, endptr: GuestWord) -> f64;
            text::_atoflt, _atoflt_l(value: GuestWord, str: GuestWord) -> i32; text::_atodbl, _atodbl_l(value: GuestWord, str: GuestWord) -> i32;
            times::strftime, _strftime_l(strDest: GuestWord, maxsize: GuestWord, format: GuestWord, timeptr: GuestWord) -> GuestWord;
            times::wcsftime, _wcsftime_l(wcsDest: GuestWord, maxsize: GuestWord, format: GuestWord, timeptr: GuestWord) -> GuestWord;
        }
    };
}

/// Other names of some, which the Universal CRT has.
pub const ALIASES: &[Export] = crate::dll! {
    full "_strtoll_l" = _strtoi64_l; full "_strtoimax_l" = _strtoi64_l; full "_wcstoll_l" = _wcstoi64_l; full "_wcstoimax_l" = _wcstoi64_l;
    full "_strtoull_l" = ucrt::_strtoui64_l; full "_strtoumax_l" = ucrt::_strtoui64_l; full "_wcstoull_l" = ucrt::_wcstoui64_l; full "_wcstoumax_l" = ucrt::_wcstoui64_l;
    full "_strtold_l" = ucrt::_strtod_l; full "_wcstold_l" = ucrt::_wcstod_l; full "_atoldbl_l" = ucrt::_atodbl_l; full "_atoll_l" = _atoi64_l; full "_wtoll_l" = _wtoi64_l;
};

/// msvcrt's.
pub mod old {
    use super::*;
    of_runtime!(crate::msvcrt::stdlib, crate::msvcrt::time);
}

/// The Universal CRT's, with what only it has.
pub mod ucrt {
    use super::*;
    of_runtime!(crate::ucrtbase::text, crate::ucrtbase::time);

    /// Singles and blanks.
    pub mod more {
        use super::*;
        localised! {
            text::strtof, _strtof_l(strSource: GuestWord, endptr: GuestWord) -> f32;
            text::wcstof, _wcstof_l(strSource: GuestWord, endptr: GuestWord) -> f32;
            text::isblank, _isblank_l(c: i32) -> i32; text::iswblank, _iswblank_l(c: u16) -> i32;
        }
    }
}

/// The scanf family, which the Universal CRT has inline.
pub mod scans {
    use super::*;
    localised! {
        scan::scanf, _scanf_l(format: GuestWord) (argument: VarArgs) -> i32; scan::scanf_s, _scanf_s_l(format: GuestWord) (argument: VarArgs) -> i32;
        scan::wscanf, _wscanf_l(format: GuestWord) (argument: VarArgs) -> i32; scan::wscanf_s, _wscanf_s_l(format: GuestWord) (argument: VarArgs) -> i32;
        scan::fscanf, _fscanf_l(stream: GuestWord, format: GuestWord) (argument: VarArgs) -> i32;
        scan::fscanf_s, _fscanf_s_l(stream: GuestWord, format: GuestWord) (argument: VarArgs) -> i32;
        scan::fwscanf, _fwscanf_l(stream: GuestWord, format: GuestWord) (argument: VarArgs) -> i32;
        scan::fwscanf_s, _fwscanf_s_l(stream: GuestWord, format: GuestWord) (argument: VarArgs) -> i32;
        scan::sscanf, _sscanf_l(buffer: GuestWord, format: GuestWord) (argument: VarArgs) -> i32;
        scan::sscanf_s, _sscanf_s_l(buffer: GuestWord, format: GuestWord) (argument: VarArgs) -> i32;
        scan::swscanf, _swscanf_l(buffer: GuestWord, format: GuestWord) (argument: VarArgs) -> i32;
        scan::swscanf_s, _swscanf_s_l(buffer: GuestWord, format: GuestWord) (argument: VarArgs) -> i32;
        scan::_snscanf, _snscanf_l(input: GuestWord, length: GuestWord, format: GuestWord) (argument: VarArgs) -> i32;
        scan::_snscanf_s, _snscanf_s_l(input: GuestWord, length: GuestWord, format: GuestWord) (argument: VarArgs) -> i32;
        scan::_snwscanf, _snwscanf_l(input: GuestWord, length: GuestWord, format: GuestWord) (argument: VarArgs) -> i32;
        scan::_snwscanf_s, _snwscanf_s_l(input: GuestWord, length: GuestWord, format: GuestWord) (argument: VarArgs) -> i32;
    }
}
