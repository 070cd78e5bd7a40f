//! msvcp140.dll: the part of Visual C++'s standard library that is not in headers: streams, locales, threads, exceptions.
//!
//! Names are decorated C++ names, another one for each machine; `members` has the macros for them. Objects lie in the program's
//! memory, with the fields that its inline functions expect; tables of virtual functions are filled by [`tables`].
#![allow(
    clippy::missing_errors_doc,
    reason = "a Fault here is always the same: a bad pointer of the program's"
)]

pub mod atomic_wait;
pub mod c_helpers;
pub mod c_threads;
pub mod codecvt;
pub mod codecvt_utf;
pub mod concurrency;
mod error_texts;
pub mod errors;
pub mod exception_ptr;
pub mod facets;
pub mod ios;
pub mod istream;
mod iterators;
pub mod locale;
pub mod locale_more;
mod members;
pub mod misc;
pub mod names;
pub mod num_facets;
mod numbers;
mod object;
pub mod objects;
pub mod ostream;
mod reading;
pub mod resources;
pub mod special_math;
pub mod stream_more;
pub mod streambuf;
pub mod tables;
pub mod tasks;
pub mod threads;
pub mod time_get;
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
        tables::MACHINES,
        tables::WIDE,
        tables::KINDS,
        errors::EXPORTS,
        errors::NAMED,
        errors::CATEGORY,
        exception_ptr::EXPORTS,
        c_helpers::TEXT,
        c_helpers::FRACTIONS,
        c_helpers::WHOLES,
        c_helpers::WHOLES_PLAIN,
        c_helpers::DOUBLES,
        c_helpers::FLOATS,
        c_helpers::LONG_DOUBLES,
        c_helpers::CONSTANTS,
        c_helpers::THREADS,
        codecvt::CLASS,
        codecvt::STATICS,
        codecvt::CODECVT,
        codecvt::CODECVT_VIRTUAL,
        codecvt::LENGTHS,
        codecvt::BASE,
        codecvt_utf::char16::EXPORTS,
        codecvt_utf::char16::PUBLIC,
        codecvt_utf::char16::STATICS,
        codecvt_utf::char32::EXPORTS,
        codecvt_utf::char32::PUBLIC,
        codecvt_utf::char32::STATICS,
        facets::CLASS,
        facets::STATICS,
        facets::CTYPE,
        facets::CTYPE_WIDE,
        facets::CTYPE_VIRTUAL,
        facets::CTYPE_HELPERS,
        facets::CTYPE_CHAR,
        facets::CTYPE_CLASSIC,
        num_facets::put::CLASS,
        num_facets::put::STATICS,
        num_facets::put::PUT,
        num_facets::put::VIRTUAL,
        num_facets::get::CLASS,
        num_facets::get::STATICS,
        num_facets::get::GET,
        num_facets::get::VIRTUAL,
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
        locale_more::CTYPE_BASE,
        locale_more::TIME_BASE,
        locale_more::CODECVT_BASE,
        locale_more::EXPORTS,
        locale_more::STATICS,
        locale_more::NAMED,
        locale_more::YARN,
        misc::FUNCTIONS,
        misc::NAMED,
        misc::MANIPULATORS,
        misc::MEMBERS,
        objects::STDIO,
        ostream::EXPORTS,
        ostream::NUMBERS,
        ostream::ENDS,
        stream_more::BASE,
        stream_more::STATICS,
        stream_more::ENDS,
        stream_more::IOS,
        stream_more::STREAMS,
        stream_more::BUFFERS,
        streambuf::EXPORTS,
        streambuf::READING,
        streambuf::VIRTUAL,
        streambuf::POSITIONS,
        tasks::HELPERS,
        tasks::EXPORTS,
        tasks::NAMED,
        tasks::MEMBERS,
        tasks::CALLS,
        threads::EXPORTS,
        threads::CLOCKS,
        threads::ONCE,
        time_get::CLASS,
        time_get::STATICS,
        time_get::GET,
        time_get::VIRTUAL,
        time_get::OTHERS,
        time_get::MORE,
        time_put::CLASS,
        time_put::STATICS,
        time_put::PUT,
        time_put::MORE,
    ],
    methods: &[],
};
