//! winbase.h: what kind of program a file is.

use std::path::Path;

use plat_abi::{GuestWord, Memory};
use plat_host::file::{File, Open};

use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, TRUE};
use crate::nt::path::status_of;
use crate::widths::both_widths;
use crate::{NtStatus, Win32Error};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full GetBinaryTypeA;
    full GetBinaryTypeW;
};

/// `SCS_32BIT_BINARY`, `SCS_DOS_BINARY`, `SCS_WOW_BINARY` (16-bit Windows), `SCS_64BIT_BINARY`.
const WINDOWS_32: u32 = 0;
const DOS: u32 = 1;
const WINDOWS_16: u32 = 2;
const WINDOWS_64: u32 = 6;

/// Says what kind of program a file is; `None` for what is no program: DLLs are none.
fn kind_of(path: &Path) -> Result<Option<u32>, NtStatus> {
    const DLL: u16 = 0x2000;
    let file = File::open(path, Open { read: true, ..Open::default() }).map_err(status_of)?;
    let mut head = [0; 0x40];
    let read = file.read(&mut head, Some(0)).map_err(status_of)?;
    if read < head.len() || !head.starts_with(b"MZ") {
        return Ok(None);
    }
    let at = u32::from_le_bytes([head[0x3c], head[0x3d], head[0x3e], head[0x3f]]);
    // The signature, the file header of 20 bytes, and the optional header's first word.
    let mut pe = [0; 26];
    let read = file.read(&mut pe, Some(u64::from(at))).map_err(status_of)?;
    if at == 0 || read < 2 {
        return Ok(Some(DOS));
    }
    if pe.starts_with(b"NE") {
        return Ok(Some(WINDOWS_16));
    }
    if read < pe.len() || !pe.starts_with(b"PE\0\0") {
        return Ok(Some(DOS));
    }
    let characteristics = u16::from_le_bytes([pe[22], pe[23]]);
    Ok(match u16::from_le_bytes([pe[24], pe[25]]) {
        _ if characteristics & DLL != 0 => None,
        0x10b => Some(WINDOWS_32),
        0x20b => Some(WINDOWS_64),
        _ => None,
    })
}

both_widths! {
    /// Says whether a file is a program, and stores what kind of one.
    "winbase/nf-winbase-getbinarytype"
    GetBinaryTypeA, GetBinaryTypeW(guest, width, lpApplicationName: GuestWord, lpBinaryType: GuestWord)
        -> Result<Bool, Win32Error> {
        let name = width.read(guest, lpApplicationName)?;
        let path = guest.process().files.resolve_file(&name)?;
        let kind = kind_of(&path).map_err(NtStatus::to_win32)?.ok_or(Win32Error::BAD_EXE_FORMAT)?;
        guest.write(lpBinaryType.0, &kind)?;
        Ok(TRUE)
    }
}
