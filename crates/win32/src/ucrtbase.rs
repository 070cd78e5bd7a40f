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
    tables: msvcrt::tables![
        complex::EXPORTS,
        handlers::EXPORTS,
        library::EXPORTS,
        library::OLD_EXPORTS,
        math::EXPORTS,
        math::FLOAT_EXPORTS,
        math::SSE2_EXPORTS,
        onexit::EXPORTS,
        private::EXPORTS,
        scan_common::EXPORTS,
        startup::EXPORTS,
        startup::STANDARD_EXPORTS,
        stdio::EXPORTS,
        stdio::STANDARD_EXPORTS,
        stdio_common::EXPORTS,
        text::EXPORTS,
        text::C99_EXPORTS,
        time::EXPORTS,
        msvcrt::conio::EXPORTS,
        uchar::EXPORTS,
        msvcrt::fenv::EXPORTS,
        msvcrt::localised::ucrt::EXPORTS,
        msvcrt::localised::ucrt::more::EXPORTS,
        msvcrt::localised::ALIASES,
        msvcrt::locale::UCRT_EXPORTS,
        msvcrt::throw::STD_EXPORTS,
        vcruntime140::exceptions::EXPORTS,
        vcruntime140::types::EXPORTS,
    ],
    methods: &[],
};
