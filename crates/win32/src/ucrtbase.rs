//! ucrtbase.dll, the Universal CRT, which all `api-ms-win-crt-*` sets mean. Where it does not differ it is msvcrt's code,
//! and it shares msvcrt's state: descriptors, streams, environment, locale.

pub mod complex;
pub mod handlers;
pub mod library;
pub mod math;
pub mod onexit;
pub mod private;
pub mod scan_common;
pub mod startup;
pub mod stdio;
pub mod stdio_common;
pub mod text;
pub mod time;
pub mod uchar;

use crate::export::Dll;
use crate::{msvcrt, vcruntime140};

/// The DLL.
pub const DLL: Dll = Dll {
    name: "ucrtbase.dll",
    description: "Microsoft\u{ae} C Runtime Library",
    tables: &[
        complex::EXPORTS,
        complex::OLD_EXPORTS,
        handlers::EXPORTS,
        library::EXPORTS,
        math::EXPORTS,
        math::FLOAT_EXPORTS,
        math::SSE2_EXPORTS,
        onexit::EXPORTS,
        private::EXPORTS,
        scan_common::EXPORTS,
        startup::EXPORTS,
        stdio::EXPORTS,
        stdio_common::EXPORTS,
        text::EXPORTS,
        time::EXPORTS,
        msvcrt::conio::EXPORTS,
        uchar::EXPORTS,
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
        msvcrt::float::FENV_EXPORTS,
        msvcrt::fopen::EXPORTS,
        msvcrt::io::EXPORTS,
        msvcrt::locale::EXPORTS,
        msvcrt::localised::EXPORTS,
        msvcrt::localised::ucrt::EXPORTS,
        msvcrt::localised::ucrt::more::EXPORTS,
        msvcrt::localised::ALIASES,
        msvcrt::locale::UCRT_EXPORTS,
        msvcrt::multibyte::EXPORTS,
        msvcrt::multibyte::BOUNDED_EXPORTS,
        msvcrt::multibyte::KANA_EXPORTS,
        msvcrt::multibyte::STRING_EXPORTS,
        msvcrt::locks::EXPORTS,
        msvcrt::malloc::EXPORTS,
        msvcrt::blocks::EXPORTS,
        msvcrt::globals::EXPORTS,
        msvcrt::math::EXPORTS,
        msvcrt::paths::EXPORTS,
        msvcrt::pipes::EXPORTS,
        msvcrt::safe::EXPORTS,
        msvcrt::signal::EXPORTS,
        msvcrt::sort::EXPORTS,
        msvcrt::spawn::EXPORTS,
        msvcrt::startup::EXPORTS,
        msvcrt::stdio::EXPORTS,
        msvcrt::stdlib::EXPORTS,
        msvcrt::string::EXPORTS,
        msvcrt::system::EXPORTS,
        msvcrt::temporary::EXPORTS,
        msvcrt::threads::EXPORTS,
        msvcrt::throw::STD_EXPORTS,
        msvcrt::time::EXPORTS,
        msvcrt::wide::EXPORTS,
        msvcrt::wide_stdio::EXPORTS,
        vcruntime140::exceptions::EXPORTS,
        vcruntime140::types::EXPORTS,
    ],
    methods: &[],
};
