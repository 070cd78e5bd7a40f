//! msvcp140.dll: the part of Visual C++'s standard library that is not in headers: streams, locales, threads, exceptions.
//!
//! Names are decorated C++ names, another one for each machine; `members` has the macros for them. Objects lie in the program's
//! memory, with the fields that its inline functions expect; tables of virtual functions are filled by [`tables`].
#![allow(
    clippy::missing_errors_doc,
    reason = "a Fault here is always the same: a bad pointer of the program's"
)]

mod error_texts;
pub mod errors;
pub mod exception_ptr;
pub mod facets;
pub mod ios;
pub mod istream;
pub mod locale;
mod members;
pub mod misc;
mod numbers;
mod object;
pub mod objects;
pub mod ostream;
pub mod streambuf;
pub mod tables;
pub mod threads;
pub mod time_put;

pub use tables::attach;

use crate::dll;
use crate::export::{Dll, Export};

/// Guest code behind 32-bit calls of member functions.
const HELPERS: &[Export] = dll! { code __plat_method: object::METHOD; };

/// The DLL.
pub const DLL: Dll = Dll {
    name: "msvcp140.dll",
    description: "Microsoft C Runtime Library",
    tables: &[
        HELPERS,
        tables::EXPORTS,
        tables::IDS,
        tables::TABLES,
        errors::EXPORTS,
        errors::NAMED,
        errors::CATEGORY,
        exception_ptr::EXPORTS,
        facets::FUNCTIONS,
        facets::CTYPE,
        facets::CTYPE_VIRTUAL,
        facets::CODECVT,
        facets::CODECVT_VIRTUAL,
        facets::CODECVT_BASE,
        facets::PLAIN,
        ios::BASE,
        ios::EXPORTS,
        ios::ENDS,
        ios::EXCEPTIONS,
        istream::EXPORTS,
        istream::NUMBERS,
        istream::ENDS,
        locale::MEMBERS,
        locale::LOCINFO,
        locale::FUNCTIONS,
        locale::ENDS,
        locale::NAMED,
        misc::FUNCTIONS,
        misc::NAMED,
        misc::MANIPULATORS,
        misc::MEMBERS,
        objects::STDIO,
        ostream::EXPORTS,
        ostream::NUMBERS,
        ostream::ENDS,
        streambuf::EXPORTS,
        streambuf::READING,
        streambuf::VIRTUAL,
        streambuf::POSITIONS,
        threads::EXPORTS,
        threads::CLOCKS,
        threads::ONCE,
        time_put::EXPORTS,
    ],
    methods: &[],
};
