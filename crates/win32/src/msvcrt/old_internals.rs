//! What the old runtimes export of their own insides, which the C++ libraries of their time and other DLLs of theirs call.
//!
//! Source: the export tables of msvcrt.dll and msvcr70.dll to msvcr120.dll; the parameters of the `__crt` functions as those of the
//! functions of Windows that they are named for, with a code page and a flag behind.

use plat_abi::{Fault, GuestWord, Memory};

use super::define::define;
use super::malloc::{_recalloc, calloc, free, malloc, realloc};
use super::signal::_XcptFilter;
use super::state::{place_narrow, variable};
use super::system::kernel32;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::undecorate::undecorate_type;
use crate::vcruntime140::exceptions::{__AdjustPointer, __uncaught_exception};

/// What msvcrt.dll and all after it have.
pub const EXPORTS: &[Export] = dll! {
    full __uncaught_exception; full __pwctype_func; full __CppXcptFilter;
    full __crtLCMapStringA; full __crtLCMapStringW; full __crtCompareStringA; full __crtCompareStringW; full __crtGetStringTypeW;
    partial __unDName, "types alone, not the names of functions and variables";
    partial __unDNameEx, "as __unDName";
};

/// What msvcr80.dll and all after it have.
pub const STANDARD_EXPORTS: &[Export] = dll! {
    full "_malloc_crt" = malloc; full "_calloc_crt" = calloc; full "_realloc_crt" = realloc; full "_recalloc_crt" = _recalloc;
    full _set_malloc_crt_max_wait; full _freea; full _encoded_null; full __AdjustPointer;
};

/// The code of an exception of C++.
const CXX_EXCEPTION: u32 = 0xe06d_7363;

define! {
    "Returns the table of kinds of wide characters.", "pctype-func";
    __pwctype_func(guest) -> GuestWord { guest.read_word(variable(guest, "_pwctype")).map(GuestWord) }

    "Says what becomes of an exception around a DLL's `DllMain`: of C++'s alone as `_XcptFilter` says.", "xcptfilter";
    __CppXcptFilter(guest, xcptnum: u32, pxcptinfoptrs: GuestWord) -> i32 {
        if xcptnum == CXX_EXCEPTION { _XcptFilter(guest, xcptnum, pxcptinfoptrs) } else { Ok(0) }
    }

    "Returns null as `EncodePointer` hides it.", "internal-crt-globals-and-functions";
    _encoded_null(guest) -> GuestWord { kernel32(guest, "EncodePointer", &[0]).map(GuestWord) }

    "Sets how long the runtime tries to get memory for itself: it never waits; returns the time before.", "internal-crt-globals-and-functions";
    _set_malloc_crt_max_wait(guest, milliseconds: u32) -> u32 {
        let _ = (guest, milliseconds);
        Ok(0)
    }

    "Frees what `_malloca` took from the heap; what it took from the stack goes by itself.", "freea";
    _freea(guest, memory: GuestWord) -> () {
        /// The mark, eight bytes on 32 bits and sixteen on 64 before the memory.
        const HEAP_MARK: u32 = 0xdddd;
        if memory.is_null() {
            return Ok(());
        }
        let start = memory.0.wrapping_sub(2 * guest.machine().pointer_size());
        if guest.read_u32(start)? == HEAP_MARK {
            free(guest, GuestWord(start));
        }
        Ok(())
    }

    "Maps a text by a locale.", "internal-crt-globals-and-functions";
    __crtLCMapStringA(
        guest, locale: u32, flags: u32, source: GuestWord, source_length: i32, to: GuestWord, room: i32, code_page: u32, is_error: i32
    ) -> i32 {
        let _ = (code_page, is_error);
        call(guest, "LCMapStringA", &[locale.into(), flags.into(), source.0, source_length as u64, to.0, room as u64])
    }

    "Maps a wide text by a locale.", "internal-crt-globals-and-functions";
    __crtLCMapStringW(
        guest, locale: u32, flags: u32, source: GuestWord, source_length: i32, to: GuestWord, room: i32, code_page: u32
    ) -> i32 {
        let _ = code_page;
        call(guest, "LCMapStringW", &[locale.into(), flags.into(), source.0, source_length as u64, to.0, room as u64])
    }

    "Compares texts by a locale.", "internal-crt-globals-and-functions";
    __crtCompareStringA(guest, locale: u32, flags: u32, one: GuestWord, one_length: i32, two: GuestWord, two_length: i32) -> i32 {
        call(guest, "CompareStringA", &[locale.into(), flags.into(), one.0, one_length as u64, two.0, two_length as u64])
    }

    "Compares wide texts by a locale.", "internal-crt-globals-and-functions";
    __crtCompareStringW(guest, locale: u32, flags: u32, one: GuestWord, one_length: i32, two: GuestWord, two_length: i32) -> i32 {
        call(guest, "CompareStringW", &[locale.into(), flags.into(), one.0, one_length as u64, two.0, two_length as u64])
    }

    "Tells the kinds of wide characters.", "internal-crt-globals-and-functions";
    __crtGetStringTypeW(guest, locale: u32, kind: u32, text: GuestWord, length: i32, to: GuestWord) -> i32 {
        let _ = locale;
        call(guest, "GetStringTypeW", &[kind.into(), text.0, length as u64, to.0])
    }

    "Undecorates a name of C++ into a buffer, or into memory that a given function allocates.", "internal-crt-globals-and-functions";
    __unDName(
        guest, buffer: GuestWord, mangled: GuestWord, length: i32, allocate: GuestWord, release: GuestWord, flags: u16
    ) -> GuestWord {
        let _ = (release, flags);
        undecorate(guest, buffer, mangled, length, allocate)
    }

    "Undecorates a name of C++ as `__unDName` does; parameters of templates are not asked for.", "internal-crt-globals-and-functions";
    __unDNameEx(
        guest, buffer: GuestWord, mangled: GuestWord, length: i32, allocate: GuestWord, release: GuestWord, parameter: GuestWord, flags: u16
    ) -> GuestWord {
        let _ = (release, parameter, flags);
        undecorate(guest, buffer, mangled, length, allocate)
    }
}

/// Calls a function of kernel32.dll that answers with a number of 32 bits.
fn call(guest: &mut Guest, name: &str, arguments: &[u64]) -> Result<i32, Fault> {
    kernel32(guest, name, arguments).map(|answer| answer as i32)
}

fn undecorate(
    guest: &mut Guest,
    buffer: GuestWord,
    mangled: GuestWord,
    length: i32,
    allocate: GuestWord,
) -> Result<GuestWord, Fault> {
    let name = guest.read_c_string(mangled.0)?;
    let mut text = undecorate_type(&String::from_utf8_lossy(&name)).into_bytes();
    if !buffer.is_null() {
        text.truncate(usize::try_from(length).unwrap_or(0).saturating_sub(1));
        text.push(0);
        guest.write_bytes(buffer.0, &text)?;
        return Ok(buffer);
    }
    if allocate.is_null() {
        return place_narrow(guest, &text).map(GuestWord);
    }
    text.push(0);
    let memory = guest.call(allocate.0, &[text.len() as u64])?;
    if memory != 0 {
        guest.write_bytes(memory, &text)?;
    }
    Ok(GuestWord(memory))
}
