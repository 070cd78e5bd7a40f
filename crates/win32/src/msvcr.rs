//! msvcr80.dll to msvcr120.dll, the runtimes of Visual Studio 2005 to 2013: msvcrt's functions, and its variables.

use crate::export::{Dll, Export};
use crate::{dll, msvcrt, ucrtbase, vcruntime140};

/// Variables are msvcrt's own, so that a program that mixes runtimes sees one set.
const DATA: &[Export] = dll! {
    forward _iob => "msvcrt._iob"; forward _acmdln => "msvcrt._acmdln"; forward _wcmdln => "msvcrt._wcmdln";
    forward _pgmptr => "msvcrt._pgmptr"; forward _wpgmptr => "msvcrt._wpgmptr"; forward _environ => "msvcrt._environ";
    forward _wenviron => "msvcrt._wenviron"; forward __initenv => "msvcrt.__initenv"; forward __winitenv => "msvcrt.__winitenv";
    forward __argc => "msvcrt.__argc"; forward __argv => "msvcrt.__argv"; forward __wargv => "msvcrt.__wargv";
    forward _fmode => "msvcrt._fmode"; forward _commode => "msvcrt._commode"; forward _adjust_fdiv => "msvcrt._adjust_fdiv";
    forward _timezone => "msvcrt._timezone"; forward _daylight => "msvcrt._daylight"; forward _dstbias => "msvcrt._dstbias";
    forward _tzname => "msvcrt._tzname"; forward _pctype => "msvcrt._pctype"; forward _pwctype => "msvcrt._pwctype";
    forward __mb_cur_max => "msvcrt.__mb_cur_max"; forward _HUGE => "msvcrt._HUGE"; forward _sys_nerr => "msvcrt._sys_nerr";
    forward _sys_errlist => "msvcrt._sys_errlist"; forward _aexit_rtn => "msvcrt._aexit_rtn"; forward __lconv => "msvcrt.__lconv";
};

/// What all of them have.
macro_rules! tables {
    ($($more:path),*) => {
        &[
            DATA,
            msvcrt::ctype::EXPORTS,
            msvcrt::eh::EXPORTS,
            msvcrt::eh_amd64::EXPORTS,
            msvcrt::eh_i386::EXPORTS,
            msvcrt::eh_i386::cxx::EXPORTS,
            msvcrt::eh_i386::jump::EXPORTS,
            msvcrt::jump_amd64::EXPORTS,
            msvcrt::env::EXPORTS,
            msvcrt::errno::EXPORTS,
            msvcrt::exit::EXPORTS,
            msvcrt::files::EXPORTS,
            msvcrt::find::EXPORTS,
            msvcrt::float::EXPORTS,
            msvcrt::fopen::EXPORTS,
            msvcrt::format::EXPORTS,
        msvcrt::format_variants::EXPORTS,
            msvcrt::io::EXPORTS,
            msvcrt::locale::EXPORTS,
        msvcrt::localised::EXPORTS,
        msvcrt::localised::old::EXPORTS,
        msvcrt::localised::scans::EXPORTS,
        msvcrt::locale::OLD_EXPORTS,
        msvcrt::multibyte::EXPORTS,
        msvcrt::multibyte::BOUNDED_EXPORTS,
        msvcrt::multibyte::KANA_EXPORTS,
        msvcrt::multibyte::STRING_EXPORTS,
            msvcrt::locks::EXPORTS,
            msvcrt::malloc::EXPORTS,
        msvcrt::blocks::EXPORTS,
        msvcrt::globals::EXPORTS,
        msvcrt::globals::OLD_EXPORTS,
        msvcrt::globals::SHARED_EXPORTS,
            msvcrt::math::EXPORTS,
            msvcrt::paths::EXPORTS,
            msvcrt::pipes::EXPORTS,
            msvcrt::safe::EXPORTS,
            msvcrt::safe::OLD_EXPORTS,
            msvcrt::scan::EXPORTS,
            msvcrt::signal::EXPORTS,
            msvcrt::sort::EXPORTS,
            msvcrt::spawn::EXPORTS,
            msvcrt::startup::EXPORTS,
            msvcrt::stdio::EXPORTS,
            msvcrt::stdlib::EXPORTS,
            msvcrt::stdlib::OLD_EXPORTS,
            msvcrt::string::EXPORTS,
            msvcrt::system::EXPORTS,
            msvcrt::temporary::EXPORTS,
        msvcrt::threads::EXPORTS,
            msvcrt::time::EXPORTS,
            msvcrt::time::OLD_EXPORTS,
            msvcrt::wide::EXPORTS,
            msvcrt::wide::OLD_EXPORTS,
            msvcrt::wide_stdio::EXPORTS,
            ucrtbase::complex::OLD_EXPORTS,
            ucrtbase::handlers::EXPORTS,
            vcruntime140::types::EXPORTS,
            $($more,)*
        ]
    };
}

/// Visual Studio 2005.
pub const V80: Dll = Dll {
    name: "msvcr80.dll",
    description: "Microsoft\u{ae} C Runtime Library",
    tables: tables!(),
    methods: &[],
};
/// Visual Studio 2008.
pub const V90: Dll = Dll {
    name: "msvcr90.dll",
    description: "Microsoft\u{ae} C Runtime Library",
    tables: tables!(),
    methods: &[],
};
/// Visual Studio 2010.
pub const V100: Dll = Dll {
    name: "msvcr100.dll",
    description: "Microsoft\u{ae} C Runtime Library",
    tables: tables!(),
    methods: &[],
};
/// Visual Studio 2012.
pub const V110: Dll = Dll {
    name: "msvcr110.dll",
    description: "Microsoft\u{ae} C Runtime Library",
    tables: tables!(),
    methods: &[],
};
/// Visual Studio 2013, which has the mathematics of C99 too.
pub const V120: Dll = Dll {
    name: "msvcr120.dll",
    description: "Microsoft\u{ae} C Runtime Library",
    tables: tables!(
        ucrtbase::complex::EXPORTS,
        ucrtbase::math::EXPORTS,
        ucrtbase::math::FLOAT_EXPORTS,
        ucrtbase::math::SSE2_EXPORTS
    ),
    methods: &[],
};
