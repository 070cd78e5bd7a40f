//! Paths as ntdll takes them apart.

use plat_abi::{GuestWord, winapi};

use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::kernel32::fileapi::path_names::GetFullPathNameW;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! { full RtlGetFullPathName_U; };

/// Stores the full path of a file name; sizes and the result are in bytes. Without room, returns what is needed.
///
/// Source: <https://ntdoc.m417z.com/rtlgetfullpathname_u>
#[winapi]
pub fn RtlGetFullPathName_U(
    guest: &mut Guest,
    FileName: GuestWord,
    BufferLength: u32,
    Buffer: GuestWord,
    FilePart: GuestWord,
) -> u32 {
    let units = GetFullPathNameW(guest, FileName, BufferLength / 2, Buffer, FilePart).unwrap_or(0);
    units * 2
}
