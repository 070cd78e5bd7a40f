//! msvcr70.dll to msvcr120.dll, the runtimes of Visual Studio 2002 to 2013: msvcrt's functions, and its variables.

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
        msvcrt::old_tables![
            DATA,
            $($more,)*
        ]
    };
}

const fn runtime(name: &'static str, tables: &'static [&'static [Export]]) -> Dll {
    Dll { name, description: "Microsoft\u{ae} C Runtime Library", tables, methods: &[] }
}

/// What Visual Studio 2005 and all after it have.
macro_rules! standard_tables {
    ($($more:path),*) => {
        tables!(
            msvcrt::cxx_classes::STD_EXPORTS,
            ucrtbase::handlers::EXPORTS,
            vcruntime140::types::EXPORTS
            $(, $more)*
        )
    };
}

/// Visual Studio 2002.
pub const V70: Dll = runtime("msvcr70.dll", tables!(msvcrt::cxx_classes::MSVCRT_EXPORTS));
/// Visual Studio 2003.
pub const V71: Dll = runtime("msvcr71.dll", tables!(msvcrt::cxx_classes::MSVCRT_EXPORTS));
/// Visual Studio 2005.
pub const V80: Dll = runtime("msvcr80.dll", standard_tables!());
/// Visual Studio 2008.
pub const V90: Dll = runtime("msvcr90.dll", standard_tables!());
/// Visual Studio 2010.
pub const V100: Dll = runtime("msvcr100.dll", standard_tables!());
/// Visual Studio 2012.
pub const V110: Dll = runtime("msvcr110.dll", standard_tables!());
/// Visual Studio 2013, which has the mathematics of C99 too.
pub const V120: Dll = runtime(
    "msvcr120.dll",
    standard_tables!(
        ucrtbase::complex::EXPORTS,
        ucrtbase::math::EXPORTS,
        ucrtbase::math::FLOAT_EXPORTS,
        ucrtbase::math::SSE2_EXPORTS,
        msvcrt::fenv::EXPORTS,
        msvcrt::fenv::EXPORTS_2013
    ),
);
