//! io.h: descriptors. The mechanics live in `fd.rs`.

use plat_abi::{Fault, GuestWord, winapi};

use super::errno::EINVAL;
use super::fd::{self, Mode};
use super::state::set_errno;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full _isatty;
    full "isatty" = _isatty;
    full _setmode;
    full "setmode" = _setmode;
    full _get_osfhandle;
    full _write;
    full _read;
    full _close;
};

/// `_O_TEXT` and `_O_BINARY`.
const O_TEXT: i32 = 0x4000;
const O_BINARY: i32 = 0x8000;

/// Says whether a descriptor is a console or another character device.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/isatty>
#[winapi(cdecl)]
pub fn _isatty(guest: &mut Guest, fd: i32) -> i32 {
    if fd::mode(guest, fd).contains(Mode::DEVICE) { 0x40 } else { 0 }
}

/// Sets the translation mode; returns the one before, or -1.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/setmode>
#[winapi(cdecl)]
pub fn _setmode(guest: &mut Guest, fd: i32, mode: i32) -> Result<i32, Fault> {
    let Some(descriptor) = fd::get_or_errno(guest, fd)? else { return Ok(-1) };
    let text = match mode {
        O_TEXT => true,
        O_BINARY => false,
        _ => return set_errno(guest, EINVAL).map(|()| -1),
    };
    Ok(if fd::set_text(&descriptor, text) { O_TEXT } else { O_BINARY })
}

/// Returns a descriptor's handle, or -1.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/get-osfhandle>
#[winapi(cdecl)]
pub fn _get_osfhandle(guest: &mut Guest, fd: i32) -> Result<GuestWord, Fault> {
    let descriptor = fd::get_or_errno(guest, fd)?;
    Ok(GuestWord(descriptor.map_or(u64::MAX, |descriptor| fd::handle(&descriptor))))
}

/// Writes; returns how many bytes, or -1.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/write>
#[winapi(cdecl)]
pub fn _write(guest: &mut Guest, fd: i32, buffer: GuestWord, count: u32) -> Result<i32, Fault> {
    fd::write_guest(guest, fd, buffer.0, u64::from(count))
}

/// Reads; returns how many bytes, 0 at the end, or -1.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/read>
#[winapi(cdecl)]
pub fn _read(guest: &mut Guest, fd: i32, buffer: GuestWord, buffer_size: u32) -> Result<i32, Fault> {
    fd::read_guest(guest, fd, buffer.0, u64::from(buffer_size))
}

/// Closes a descriptor; returns 0, or -1.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/close>
#[winapi(cdecl)]
pub fn _close(guest: &mut Guest, fd: i32) -> Result<i32, Fault> {
    fd::close(guest, fd)
}
