//! The names with `_o_` under which Windows' own DLLs import the Universal CRT: the same functions.

use crate::export::{Body, Export};

/// Makes a forward to each function under its other name; one expansion for all, where `dll!` needs two per row.
macro_rules! private {
    ($($name:ident)*) => {
        &[$(Export {
            name: concat!("_o_", stringify!($name)),
            ordinal: None,
            body: Body::Forward(concat!("ucrtbase.", stringify!($name))),
            limits: None,
        }),*]
    };
}

/// The exports of this file.
#[rustfmt::skip]
pub const EXPORTS: &[Export] = private! {
    _CIacos _CIasin _CIatan _CIatan2 _CIcos _CIcosh _CIexp _CIfmod _CIlog _CIlog10 _CIpow _CIsin _CIsinh _CIsqrt _CItan
    _CItanh _Getdays _Getmonths _Gettnames _Strftime _W_Getdays _W_Getmonths _W_Gettnames _Wcsftime ___lc_codepage_func
    ___lc_collate_cp_func ___mb_cur_max_func __acrt_iob_func __daylight __dstbias __fpe_flt_rounds __libm_sse2_acos
    __libm_sse2_asin __libm_sse2_atan __libm_sse2_cos __libm_sse2_exp __libm_sse2_log __libm_sse2_log10 __libm_sse2_pow
    __libm_sse2_sin __libm_sse2_tan __p___argc __p___argv __p___wargv __p__acmdln __p__commode __p__environ __p__fmode
    __p__mbcasemap __p__mbctype __p__pgmptr __p__wcmdln __p__wenviron __p__wpgmptr __pctype_func __std_exception_copy
    __std_exception_destroy __std_type_info_destroy_list __std_type_info_name __stdio_common_vfprintf
    __stdio_common_vfprintf_p __stdio_common_vfprintf_s __stdio_common_vfscanf __stdio_common_vfwprintf
    __stdio_common_vfwprintf_p __stdio_common_vfwprintf_s __stdio_common_vfwscanf __stdio_common_vsnprintf_s
    __stdio_common_vsnwprintf_s __stdio_common_vsprintf __stdio_common_vsprintf_p __stdio_common_vsprintf_s
    __stdio_common_vsscanf __stdio_common_vswprintf __stdio_common_vswprintf_p __stdio_common_vswprintf_s
    __stdio_common_vswscanf __timezone __tzname __wcserror _access _access_s _aligned_free _aligned_malloc _aligned_msize
    _aligned_offset_malloc _aligned_offset_realloc _aligned_offset_recalloc _aligned_realloc _aligned_recalloc _atodbl
    _atodbl_l _atof_l _atoflt _atoflt_l _atoi64 _atoi64_l _atoi_l _atol_l _atoldbl _beep _beginthread _beginthreadex _cabs
    _callnewh _calloc_base _cexit _chdir _chdrive _chmod _chsize _chsize_s _close _commit _configthreadlocale
    _configure_narrow_argv _configure_wide_argv _controlfp_s _creat _create_locale _crt_atexit _ctime32_s _ctime64_s _cwait
    _dclass _difftime32 _difftime64 _dpcomp _dsign _dtest _dup _dup2 _dupenv_s _ecvt _ecvt_s _endthread _endthreadex _eof
    _errno _execute_onexit_table _execv _execve _execvp _execvpe _exit _expand _fclose_nolock _fcloseall _fcvt _fcvt_s
    _fdclass _fdopen _fdpcomp _fdsign _fflush_nolock _fgetc_nolock _fgetchar _fgetwc_nolock _fgetwchar _filelength
    _filelengthi64 _fileno _findclose _findfirst32 _findfirst32i64 _findfirst64 _findfirst64i32 _findnext32 _findnext32i64
    _findnext64 _findnext64i32 _flushall _fpclass _fpclassf _fputc_nolock _fputchar _fputwc_nolock _fputwchar _fread_nolock
    _fread_nolock_s _free_base _free_locale _fseek_nolock _fseeki64 _fseeki64_nolock _fsopen _fstat32 _fstat32i64 _fstat64
    _fstat64i32 _ftell_nolock _ftelli64 _ftelli64_nolock _ftime32 _ftime32_s _ftime64 _ftime64_s _fullpath _futime32 _futime64
    _fwrite_nolock _gcvt _gcvt_s _get_daylight _get_doserrno _get_dstbias _get_errno _get_fmode _get_heap_handle
    _get_initial_narrow_environment _get_initial_wide_environment _get_invalid_parameter_handler
    _get_narrow_winmain_command_line _get_osfhandle _get_pgmptr _get_stream_buffer_pointers _get_terminate
    _get_thread_local_invalid_parameter_handler _get_timezone _get_tzname _get_wide_winmain_command_line _get_wpgmptr
    _getc_nolock _getcwd _getdcwd _getdiskfree _getdllprocaddr _getdrive _getdrives _getmbcp _getsystime _getw _getwc_nolock
    _gmtime32 _gmtime32_s _gmtime64 _gmtime64_s _heapchk _heapmin _hypot _hypotf _i64toa _i64toa_s _i64tow _i64tow_s
    _initialize_narrow_environment _initialize_onexit_table _initialize_wide_environment _invalid_parameter_noinfo
    _invalid_parameter_noinfo_noreturn _isatty _isctype _isctype_l _isleadbyte_l _ismbbalnum _ismbbalnum_l _ismbbalpha
    _ismbbalpha_l _ismbbblank _ismbbblank_l _ismbbgraph _ismbbgraph_l _ismbbkalnum _ismbbkalnum_l _ismbbkana _ismbbkana_l
    _ismbbkprint _ismbbkprint_l _ismbbkpunct _ismbbkpunct_l _ismbblead _ismbblead_l _ismbbprint _ismbbprint_l _ismbbpunct
    _ismbbpunct_l _ismbbtrail _ismbbtrail_l _ismbcalnum _ismbcalnum_l _ismbcalpha _ismbcalpha_l _ismbcblank _ismbcblank_l
    _ismbcdigit _ismbcdigit_l _ismbcgraph _ismbcgraph_l _ismbchira _ismbchira_l _ismbckata _ismbckata_l _ismbcl0 _ismbcl0_l
    _ismbcl1 _ismbcl1_l _ismbcl2 _ismbcl2_l _ismbclegal _ismbclegal_l _ismbclower _ismbclower_l _ismbcprint _ismbcprint_l
    _ismbcpunct _ismbcpunct_l _ismbcspace _ismbcspace_l _ismbcsymbol _ismbcsymbol_l _ismbcupper _ismbcupper_l _ismbslead
    _ismbslead_l _ismbstrail _ismbstrail_l _iswctype_l _itoa _itoa_s _itow _itow_s _j0 _j1 _jn _ldclass _ldpcomp _ldsign
    _ldtest _lfind _lfind_s _libm_sse2_acos_precise _libm_sse2_asin_precise _libm_sse2_atan_precise _libm_sse2_cos_precise
    _libm_sse2_exp_precise _libm_sse2_log10_precise _libm_sse2_log_precise _libm_sse2_pow_precise _libm_sse2_sin_precise
    _libm_sse2_sqrt_precise _libm_sse2_tan_precise _loaddll _localtime32 _localtime32_s _localtime64 _localtime64_s _lock_file
    _logb _logbf _lsearch _lsearch_s _lseek _lseeki64 _ltoa _ltoa_s _ltow _ltow_s _makepath _makepath_s _malloc_base _mbbtombc
    _mbbtombc_l _mbbtype _mbbtype_l _mbccpy _mbccpy_l _mbccpy_s _mbccpy_s_l _mbcjistojms _mbcjistojms_l _mbcjmstojis
    _mbcjmstojis_l _mbclen _mbclen_l _mbctohira _mbctohira_l _mbctokata _mbctokata_l _mbctolower _mbctolower_l _mbctombb
    _mbctombb_l _mbctoupper _mbctoupper_l _mblen_l _mbsbtype _mbsbtype_l _mbscat_s _mbscat_s_l _mbschr _mbschr_l _mbscmp
    _mbscmp_l _mbscoll _mbscoll_l _mbscpy_s _mbscpy_s_l _mbscspn _mbscspn_l _mbsdec _mbsdec_l _mbsicmp _mbsicmp_l _mbsicoll
    _mbsicoll_l _mbsinc _mbsinc_l _mbslen _mbslen_l _mbslwr _mbslwr_l _mbslwr_s _mbslwr_s_l _mbsnbcat _mbsnbcat_l _mbsnbcat_s
    _mbsnbcat_s_l _mbsnbcmp _mbsnbcmp_l _mbsnbcnt _mbsnbcnt_l _mbsnbcoll _mbsnbcoll_l _mbsnbcpy _mbsnbcpy_l _mbsnbcpy_s
    _mbsnbcpy_s_l _mbsnbicmp _mbsnbicmp_l _mbsnbicoll _mbsnbicoll_l _mbsnbset _mbsnbset_l _mbsnbset_s _mbsnbset_s_l _mbsncat
    _mbsncat_l _mbsncat_s _mbsncat_s_l _mbsnccnt _mbsnccnt_l _mbsncmp _mbsncmp_l _mbsncoll _mbsncoll_l _mbsncpy _mbsncpy_l
    _mbsncpy_s _mbsncpy_s_l _mbsnextc _mbsnextc_l _mbsnicmp _mbsnicmp_l _mbsnicoll _mbsnicoll_l _mbsninc _mbsninc_l _mbsnlen
    _mbsnlen_l _mbsnset _mbsnset_l _mbsnset_s _mbsnset_s_l _mbspbrk _mbspbrk_l _mbsrchr _mbsrchr_l _mbsrev _mbsrev_l _mbsset
    _mbsset_l _mbsset_s _mbsset_s_l _mbsspn _mbsspn_l _mbsspnp _mbsspnp_l _mbsstr _mbsstr_l _mbstok _mbstok_l _mbstok_s
    _mbstok_s_l _mbstowcs_l _mbstowcs_s_l _mbstrlen _mbstrlen_l _mbstrnlen _mbstrnlen_l _mbsupr _mbsupr_l _mbsupr_s
    _mbsupr_s_l _mbtowc_l _memicmp _memicmp_l _mkdir _mkgmtime32 _mkgmtime64 _mktemp _mktemp_s _mktime32 _mktime64 _msize
    _nextafter _nextafterf _open_osfhandle _pclose _pipe _popen _purecall _putc_nolock _putenv _putenv_s _putw _putwc_nolock
    _putws _read _realloc_base _recalloc _register_onexit_function _resetstkoflw _rmdir _scalb _scalbf _searchenv _searchenv_s
    _seh_filter_dll _seh_filter_exe _set_abort_behavior _set_app_type _set_doserrno _set_errno _set_fmode
    _set_invalid_parameter_handler _set_new_handler _set_new_mode _set_thread_local_invalid_parameter_handler _seterrormode
    _setmbcp _setmode _setsystime _sleep _sopen _sopen_s _spawnv _spawnve _spawnvp _spawnvpe _splitpath _splitpath_s _stat32
    _stat32i64 _stat64 _stat64i32 _strcoll_l _strdate _strdate_s _strdup _strerror _strerror_s _strftime_l _stricmp _stricmp_l
    _stricoll _stricoll_l _strlwr _strlwr_l _strlwr_s _strlwr_s_l _strncoll _strncoll_l _strnicmp _strnicmp_l _strnicoll
    _strnicoll_l _strnset_s _strset_s _strtime _strtime_s _strtod_l _strtof_l _strtoi64 _strtoi64_l _strtol_l _strtoui64
    _strtoui64_l _strtoul_l _strupr _strupr_l _strupr_s _strupr_s_l _strxfrm_l _swab _tell _telli64 _timespec32_get
    _timespec64_get _tolower _tolower_l _toupper _toupper_l _towlower_l _towupper_l _tzset _ui64toa _ui64toa_s _ui64tow
    _ui64tow_s _ultoa _ultoa_s _ultow _ultow_s _umask _umask_s _ungetc_nolock _ungetwc_nolock _unlink _unloaddll _unlock_file
    _utime32 _utime64 _waccess _waccess_s _wasctime _wasctime_s _wchdir _wchmod _wcreat _wcreate_locale _wcscoll_l _wcsdup
    _wcserror _wcserror_s _wcsftime_l _wcsicmp _wcsicmp_l _wcsicoll _wcsicoll_l _wcslwr _wcslwr_l _wcslwr_s _wcslwr_s_l
    _wcsncoll _wcsncoll_l _wcsnicmp _wcsnicmp_l _wcsnicoll _wcsnicoll_l _wcsnset _wcsnset_s _wcsset _wcsset_s _wcstod_l
    _wcstof_l _wcstoi64 _wcstoi64_l _wcstol_l _wcstombs_l _wcstombs_s_l _wcstoui64 _wcstoui64_l _wcstoul_l _wcsupr _wcsupr_l
    _wcsupr_s _wcsupr_s_l _wcsxfrm_l _wctime32 _wctime32_s _wctime64 _wctime64_s _wctomb_l _wctomb_s_l _wdupenv_s _wexecv
    _wexecve _wexecvp _wexecvpe _wfdopen _wfindfirst32 _wfindfirst32i64 _wfindfirst64 _wfindfirst64i32 _wfindnext32
    _wfindnext32i64 _wfindnext64 _wfindnext64i32 _wfopen _wfopen_s _wfreopen _wfsopen _wfullpath _wgetcwd _wgetdcwd _wgetenv
    _wgetenv_s _wmakepath _wmakepath_s _wmkdir _wmktemp _wmktemp_s _wpopen _wputenv _wputenv_s _wremove _wrename _write
    _wrmdir _wsearchenv _wsearchenv_s _wsetlocale _wsopen_s _wspawnv _wspawnve _wspawnvp _wspawnvpe _wsplitpath _wsplitpath_s
    _wstat32 _wstat32i64 _wstat64 _wstat64i32 _wstrdate _wstrdate_s _wstrtime _wstrtime_s _wsystem _wtof _wtof_l _wtoi _wtoi64
    _wtoi64_l _wtoi_l _wtol _wtol_l _wtoll _wunlink _wutime32 _wutime64 _y0 _y1 _yn abort acos acosf acosh acoshf acoshl
    asctime asctime_s asin asinf asinh asinhf asinhl atan atan2 atan2f atanf atanh atanhf atanhl atof atoi atol atoll bsearch
    bsearch_s btowc calloc cbrt cbrtf ceil ceilf clearerr clearerr_s cos cosf cosh coshf erf erfc erfcf erfcl erff erfl exit
    exp exp2 exp2f exp2l expf fabs fclose feof ferror fflush fgetc fgetpos fgets fgetwc fgetws floor floorf fma fmaf fmal fmod
    fmodf fopen fopen_s fputc fputs fputwc fputws fread fread_s free freopen freopen_s frexp fseek fsetpos ftell fwrite getc
    getchar getenv getenv_s gets gets_s getwc getwchar hypot is_wctype isalnum isalpha isblank iscntrl isdigit isgraph
    isleadbyte islower isprint ispunct isspace isupper iswalnum iswalpha iswascii iswblank iswcntrl iswctype iswdigit iswgraph
    iswlower iswprint iswpunct iswspace iswupper iswxdigit isxdigit ldexp lgamma lgammaf lgammal llrint llrintf llrintl
    llround llroundf llroundl localeconv log log10 log10f log1p log1pf log1pl log2 log2f log2l logb logbf logbl logf lrint
    lrintf lrintl lround lroundf lroundl malloc mblen mbrlen mbrtowc mbsrtowcs mbsrtowcs_s mbstowcs mbstowcs_s mbtowc memcpy_s
    memset modf modff nan nanf nanl nearbyint nearbyintf nearbyintl nextafter nextafterf nextafterl nexttoward nexttowardf
    nexttowardl pow powf putc putchar puts putwc putwchar qsort qsort_s raise rand rand_s realloc remainder remainderf
    remainderl remove remquo remquof remquol rename rewind rint rintf rintl round roundf roundl scalbln scalblnf scalblnl
    scalbn scalbnf scalbnl set_terminate setbuf setlocale setvbuf sin sinf sinh sinhf sqrt sqrtf srand strcat_s strcoll
    strcpy_s strerror strerror_s strftime strncat_s strncpy_s strtod strtof strtok strtok_s strtol strtold strtoll strtoul
    strtoull system tan tanf tanh tanhf terminate tgamma tgammaf tgammal tolower toupper towlower towupper ungetc ungetwc
    wcrtomb wcrtomb_s wcscat_s wcscoll wcscpy wcscpy_s wcsftime wcsncat_s wcsncpy_s wcsrtombs wcsrtombs_s wcstod wcstof wcstok
    wcstok_s wcstol wcstold wcstoll wcstombs wcstombs_s wcstoul wcstoull wctob wctomb wctomb_s wmemcpy_s wmemmove_s
};
