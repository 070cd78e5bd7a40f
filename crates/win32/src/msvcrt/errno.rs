//! `errno`: its values in the Microsoft runtime, their texts, and what they are for a Win32 error.
//!
//! Source: <https://learn.microsoft.com/cpp/c-runtime-library/errno-constants>

use plat_abi::{Fault, GuestWord, winapi};

use super::state::{block, set_errno, thread_block, write_narrow_z, write_wide_z};
use crate::export::Export;
use crate::guest::Guest;
use crate::{Win32Error, dll};
use plat_abi::Memory;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    code _errno: super::stream_leaves::ERRNO;
    full __doserrno;
    full _get_errno;
    full _set_errno;
    full _get_doserrno;
    full _set_doserrno;
    full strerror;
    full _strerror;
    full _wcserror;
};

/// No such file or directory.
pub(crate) const ENOENT: i32 = 2;
/// Too many arguments.
pub(crate) const E2BIG: i32 = 7;
/// Bad file descriptor.
pub(crate) const EBADF: i32 = 9;
/// Out of memory.
pub(crate) const ENOMEM: i32 = 12;
/// Permission denied.
pub(crate) const EACCES: i32 = 13;
/// File exists.
pub(crate) const EEXIST: i32 = 17;
/// Invalid argument.
pub(crate) const EINVAL: i32 = 22;
/// Too many open files.
pub(crate) const EMFILE: i32 = 24;
/// No space left on device.
pub(crate) const ENOSPC: i32 = 28;
/// Domain error.
pub(crate) const EDOM: i32 = 33;
/// Result too large.
pub(crate) const ERANGE: i32 = 34;
/// Resource deadlock avoided.
pub(crate) const EDEADLOCK: i32 = 36;
/// Illegal byte sequence.
pub(crate) const EILSEQ: i32 = 42;

/// Returns the `errno` of a Win32 error, as the runtime's own table has it.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/errno-doserrno-sys-errlist-and-sys-nerr>; the pairs were
/// observed by calling `_dosmaperr`-based functions.
pub(crate) fn of_win32(error: Win32Error) -> i32 {
    match error.0 {
        2 | 3 | 15 | 18 | 53 | 67 | 161 | 206 => ENOENT,
        4 => EMFILE,
        5 | 16 | 19..=36 | 65 | 82 | 83 | 108 | 132 | 158 | 167 => EACCES,
        6 | 114 | 130 => EBADF,
        7..=9 | 1816 => ENOMEM,
        10 => 7,
        11 | 188..=202 => 8,
        17 => 18,
        80 | 183 => EEXIST,
        89 | 164 | 215 => 11,
        109 => 32,
        112 => ENOSPC,
        128 | 129 => 10,
        145 => 41,
        _ => EINVAL,
    }
}

/// The texts of `strerror`, by number.
pub(crate) const TEXTS: [&str; 43] = [
    "No error",
    "Operation not permitted",
    "No such file or directory",
    "No such process",
    "Interrupted function call",
    "Input/output error",
    "No such device or address",
    "Arg list too long",
    "Exec format error",
    "Bad file descriptor",
    "No child processes",
    "Resource temporarily unavailable",
    "Not enough space",
    "Permission denied",
    "Bad address",
    "Unknown error",
    "Resource device",
    "File exists",
    "Improper link",
    "No such device",
    "Not a directory",
    "Is a directory",
    "Invalid argument",
    "Too many open files in system",
    "Too many open files",
    "Inappropriate I/O control operation",
    "Unknown error",
    "File too large",
    "No space left on device",
    "Invalid seek",
    "Read-only file system",
    "Too many links",
    "Broken pipe",
    "Domain error",
    "Result too large",
    "Unknown error",
    "Resource deadlock avoided",
    "Unknown error",
    "Filename too long",
    "No locks available",
    "Function not implemented",
    "Directory not empty",
    "Illegal byte sequence",
];

/// Returns the text of an `errno` value.
pub(crate) fn text(code: i32) -> &'static str {
    usize::try_from(code).ok().and_then(|code| TEXTS.get(code)).copied().unwrap_or("Unknown error")
}

/// Returns the address of the thread's `errno`.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/errno-doserrno-sys-errlist-and-sys-nerr>
#[winapi(cdecl)]
pub fn _errno(guest: &mut Guest) -> Result<GuestWord, Fault> {
    Ok(GuestWord(thread_block(guest)? + block::ERRNO))
}

/// Returns the address of the thread's `_doserrno`.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/errno-doserrno-sys-errlist-and-sys-nerr>
#[winapi(cdecl)]
pub fn __doserrno(guest: &mut Guest) -> Result<GuestWord, Fault> {
    Ok(GuestWord(thread_block(guest)? + block::DOS_ERRNO))
}

/// Stores `errno` at `pValue`.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/get-errno>
#[winapi(cdecl)]
pub fn _get_errno(guest: &mut Guest, pValue: GuestWord) -> Result<i32, Fault> {
    copy_out(guest, pValue, block::ERRNO)
}

/// Sets `errno`.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/set-errno>
#[winapi(cdecl)]
pub fn _set_errno(guest: &mut Guest, error_value: i32) -> Result<i32, Fault> {
    set_errno(guest, error_value).map(|()| 0)
}

/// Stores `_doserrno` at `pValue`.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/get-doserrno>
#[winapi(cdecl)]
pub fn _get_doserrno(guest: &mut Guest, pValue: GuestWord) -> Result<i32, Fault> {
    copy_out(guest, pValue, block::DOS_ERRNO)
}

/// Sets `_doserrno`.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/set-doserrno>
#[winapi(cdecl)]
pub fn _set_doserrno(guest: &mut Guest, error_value: u32) -> Result<i32, Fault> {
    let block = thread_block(guest)?;
    guest.write(block + block::DOS_ERRNO, &error_value)?;
    Ok(0)
}

fn copy_out(guest: &mut Guest, to: GuestWord, offset: u64) -> Result<i32, Fault> {
    if to.is_null() {
        return Ok(EINVAL);
    }
    let block = thread_block(guest)?;
    let value: u32 = guest.read(block + offset)?;
    guest.write(to.0, &value)?;
    Ok(0)
}

/// Returns the text of an `errno` value, in a buffer of the thread.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/strerror-strerror-wcserror-wcserror>
#[winapi(cdecl)]
pub fn strerror(guest: &mut Guest, errnum: i32) -> Result<GuestWord, Fault> {
    let to = thread_block(guest)? + block::STRERROR;
    write_narrow_z(guest, to, text(errnum).as_bytes())?;
    Ok(GuestWord(to))
}

/// Returns `strErrMsg`, a colon, the text of the thread's `errno` and a line end, in a buffer of the thread.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/strerror-strerror-wcserror-wcserror>
#[winapi(cdecl)]
pub fn _strerror(guest: &mut Guest, strErrMsg: GuestWord) -> Result<GuestWord, Fault> {
    let to = thread_block(guest)? + block::STRERROR;
    let mut message = Vec::new();
    if !strErrMsg.is_null() {
        message = guest.read_c_string(strErrMsg.0)?;
        // The buffer is as long as Microsoft documents: 94 characters of the caller's.
        message.truncate(94 - text(0).len());
        message.extend(b": ");
    }
    message.extend(text(super::state::errno(guest)?).bytes());
    message.push(b'\n');
    write_narrow_z(guest, to, &message)?;
    Ok(GuestWord(to))
}

/// Returns the text of an `errno` value as wide text, in a buffer of the thread.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/strerror-strerror-wcserror-wcserror>
#[winapi(cdecl)]
pub fn _wcserror(guest: &mut Guest, errnum: i32) -> Result<GuestWord, Fault> {
    let to = thread_block(guest)? + block::WIDE_STRERROR;
    let units: Vec<u16> = text(errnum).encode_utf16().collect();
    write_wide_z(guest, to, &units)?;
    Ok(GuestWord(to))
}
