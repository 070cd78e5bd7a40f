//! oleauto.h: what is told of errors, and libraries of types.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use crate::dll;
use crate::export::Export;
use crate::guest::Guest;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    @200 partial GetErrorInfo, "nothing was ever told";
    @201 partial SetErrorInfo, "what is told is not kept";
    @202 stub CreateErrorInfo;
    @161 partial LoadTypeLib, "no libraries of types: TYPE_E_CANTLOADLIBRARY";
    @183 partial LoadTypeLibEx, "no libraries of types: TYPE_E_CANTLOADLIBRARY";
    @162 partial LoadRegTypeLib, "no libraries of types: TYPE_E_LIBNOTREGISTERED";
};

const TYPE_E_CANTLOADLIBRARY: i32 = 0x8002_9c4a_u32 as i32;
const TYPE_E_LIBNOTREGISTERED: i32 = 0x8002_801d_u32 as i32;

/// Returns what was told of the last error: `S_FALSE` for nothing.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-geterrorinfo>
#[winapi]
pub fn GetErrorInfo(guest: &mut Guest, dwReserved: u32, pperrinfo: GuestWord) -> Result<i32, Fault> {
    let _ = dwReserved;
    guest.write_word(pperrinfo.get(), 0)?;
    Ok(1)
}

/// Tells of an error.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-seterrorinfo>
#[winapi]
pub fn SetErrorInfo(guest: &mut Guest, dwReserved: u32, perrinfo: GuestWord) -> i32 {
    let _ = (guest, dwReserved, perrinfo);
    0
}

/// Reads a library of types: none can be.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-loadtypelib>
#[winapi]
pub fn LoadTypeLib(guest: &mut Guest, szFile: GuestWord, pptlib: GuestWord) -> i32 {
    let _ = (guest, szFile, pptlib);
    TYPE_E_CANTLOADLIBRARY
}

/// Reads a library of types: none can be.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-loadtypelibex>
#[winapi]
pub fn LoadTypeLibEx(guest: &mut Guest, szFile: GuestWord, regkind: i32, pptlib: GuestWord) -> i32 {
    let _ = (guest, szFile, regkind, pptlib);
    TYPE_E_CANTLOADLIBRARY
}

/// Reads a library of types that was registered: none was.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/oleauto/nf-oleauto-loadregtypelib>
#[winapi]
pub fn LoadRegTypeLib(
    guest: &mut Guest,
    rguid: GuestWord,
    wVerMajor: u16,
    wVerMinor: u16,
    lcid: u32,
    pptlib: GuestWord,
) -> i32 {
    let _ = (guest, rguid, wVerMajor, wVerMinor, lcid, pptlib);
    TYPE_E_LIBNOTREGISTERED
}
