//! The part of the C runtime that ntdll has for programs that link with nothing else: the functions are msvcrt.dll's.
//!
//! Source: the export tables of ntdll.dll, Windows 7 to 11; <https://learn.microsoft.com/windows-hardware/drivers/kernel/>

use crate::export::{Body, Export};

/// Lists functions that are another name's in msvcrt.dll.
macro_rules! from_msvcrt {
    ($($name:ident)+) => {
        &[$(Export {
            name: stringify!($name),
            ordinal: None,
            limits: None,
            body: Body::Forward(concat!("msvcrt.", stringify!($name))),
        },)+]
    };
}

/// The exports of this file.
pub const EXPORTS: &[Export] = from_msvcrt! {
    _CIcos _CIlog _CIpow _CIsin _CIsqrt __isascii __iscsym __iscsymf __toascii _atoi64 _ftol _i64toa
    _i64toa_s _i64tow _i64tow_s _itoa _itoa_s _itow _itow_s _lfind _ltoa _ltoa_s _ltow _ltow_s _makepath_s
    _memccpy _memicmp _setjmp _setjmpex _snprintf _snprintf_s _snscanf_s _snwprintf _snwprintf_s _snwscanf_s
    _splitpath _splitpath_s _strcmpi _stricmp _strlwr _strlwr_s _strnicmp _strnset_s _strset_s _strupr
    _strupr_s _swprintf _tolower _toupper _ui64toa _ui64toa_s _ui64tow _ui64tow_s _ultoa _ultoa_s _ultow
    _ultow_s _vscprintf _vscwprintf _vsnprintf _vsnprintf_s _vsnwprintf _vsnwprintf_s _vswprintf _wcsicmp
    _wcslwr _wcslwr_s _wcsnicmp _wcsnset_s _wcsset_s _wcstoi64 _wcstoui64 _wcsupr _wcsupr_s _wmakepath_s
    _wsplitpath_s _wtoi _wtoi64 _wtol abs atan atan2 atoi atol bsearch bsearch_s ceil cos fabs floor isalnum
    isalpha iscntrl isdigit isgraph islower isprint ispunct isspace isupper iswalnum iswalpha iswascii
    iswctype iswdigit iswgraph iswlower iswprint iswspace iswxdigit isxdigit labs log longjmp mbstowcs
    memchr memcmp memcpy memcpy_s memmove memmove_s memset pow qsort qsort_s sin sprintf sprintf_s sqrt
    sscanf sscanf_s strcat strcat_s strchr strcmp strcpy strcpy_s strcspn strlen strncat strncat_s strncmp
    strncpy strncpy_s strnlen strpbrk strrchr strspn strstr strtok_s strtol strtoul swprintf swprintf_s
    swscanf_s tan tolower toupper towlower towupper vsprintf vsprintf_s vswprintf_s wcscat wcscat_s wcschr
    wcscmp wcscpy wcscpy_s wcscspn wcslen wcsncat wcsncat_s wcsncmp wcsncpy wcsncpy_s wcsnlen wcspbrk
    wcsrchr wcsspn wcsstr wcstok_s wcstol wcstombs wcstoul
};
