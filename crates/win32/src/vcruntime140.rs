//! vcruntime140.dll and vcruntime140_1.dll: what compiled C++ code of Visual Studio 2015 and later needs. Most of it is
//! msvcrt's code.

pub mod exceptions;
pub mod types;

use crate::export::{Dll, Export};
use crate::{dll, msvcrt};

/// Memory and strings: those that every program uses.
const STRINGS: &[Export] = dll! {
    code memcpy: msvcrt::leaves::MEMMOVE;
    code memmove: msvcrt::leaves::MEMMOVE;
    code memset: msvcrt::leaves::MEMSET;
    code memcmp: msvcrt::leaves::MEMCMP;
    code strchr: msvcrt::leaves::STRCHR;
    code memchr: msvcrt::search_leaves::MEMCHR;
    full msvcrt::string::strrchr; full msvcrt::twins::strstr;
    full msvcrt::wide::wcschr; full msvcrt::wide::wcsrchr; full msvcrt::twins::wcsstr;
    full msvcrt::exit::_purecall; full msvcrt::exit::_set_purecall_handler;
};

/// The DLL.
pub const DLL: Dll = Dll {
    name: "vcruntime140.dll",
    description: "Microsoft C Runtime Library",
    tables: &[
        STRINGS,
        exceptions::EXPORTS,
        types::EXPORTS,
        msvcrt::throw::STD_EXPORTS,
        msvcrt::eh::EXPORTS,
        msvcrt::eh_amd64::EXPORTS,
        msvcrt::eh_i386::EXPORTS,
        msvcrt::eh_i386::cxx::EXPORTS,
        msvcrt::eh_i386::jump::EXPORTS,
        msvcrt::jump_amd64::EXPORTS,
    ],
    methods: &[],
};

/// The second DLL of the same runtime: what came with Visual Studio 2019.
pub const DLL_1: Dll = Dll {
    name: "vcruntime140_1.dll",
    description: "Microsoft C Runtime Library",
    tables: &[msvcrt::eh_amd64::PACKED_EXPORTS],
    methods: &[],
};
