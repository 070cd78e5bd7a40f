//! handleapi.h: handles.

use std::sync::Arc;

use plat_abi::{GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, FALSE, Guest, TRUE};
use crate::nt::file_standard;
use crate::nt::handle::{HandleEntry, HandleFlags};
use crate::nt::process_object::ProcessObject;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full CloseHandle;
    partial DuplicateHandle, "into another process: files, pipes, processes, sections and jobs";
    full GetHandleInformation;
    full SetHandleCount;
    full SetHandleInformation;
    full CompareObjectHandles;
};

/// `ERROR_NOT_SAME_OBJECT`.
const NOT_SAME_OBJECT: Win32Error = Win32Error(1656);

/// Says whether a handle is one of the constants for the current process, thread or token.
fn is_pseudo(guest: &Guest, handle: GuestWord) -> bool {
    let signed = if guest.machine().is_64() { handle.0 as i64 } else { i64::from(handle.0 as u32 as i32) };
    (-6..=-1).contains(&signed)
}

/// Closes a handle.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/handleapi/nf-handleapi-closehandle>
#[winapi]
pub fn CloseHandle(guest: &mut Guest, hObject: GuestWord) -> Result<Bool, Win32Error> {
    // Closing INVALID_HANDLE_VALUE, which is also the current process, succeeds and does nothing.
    if is_pseudo(guest, hObject) {
        return Ok(TRUE);
    }
    file_standard::close(guest.process(), hObject.0)?;
    Ok(TRUE)
}

const DUPLICATE_CLOSE_SOURCE: u32 = 1;
const DUPLICATE_SAME_ACCESS: u32 = 2;

/// Makes a second handle of an object.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/handleapi/nf-handleapi-duplicatehandle>
#[winapi]
pub fn DuplicateHandle(
    guest: &mut Guest,
    hSourceProcessHandle: GuestWord,
    hSourceHandle: GuestWord,
    hTargetProcessHandle: GuestWord,
    lpTargetHandle: GuestWord,
    dwDesiredAccess: u32,
    bInheritHandle: Bool,
    dwOptions: u32,
) -> Result<Bool, Win32Error> {
    const PROCESS_RIGHTS: u32 = 0x1f_ffff;
    let process = guest.process();
    let (source, target) = (owner(guest, hSourceProcessHandle)?, owner(guest, hTargetProcessHandle)?);
    let closes = dwOptions & DUPLICATE_CLOSE_SOURCE != 0;
    let mut entry = match &source {
        Some(other) if lpTargetHandle.is_null() && closes => {
            other.close_handle(hSourceHandle.0)?;
            return Ok(TRUE);
        }
        Some(other) => other.take_handle(process, hSourceHandle.0, closes)?,
        // The constants for the current process and thread become real handles.
        None if is_pseudo(guest, hSourceHandle) => HandleEntry {
            object: process.object(hSourceHandle.0)?,
            access: PROCESS_RIGHTS,
            flags: HandleFlags::empty(),
        },
        None => process.handles.entry(hSourceHandle.0)?,
    };
    if dwOptions & DUPLICATE_SAME_ACCESS == 0 {
        entry.access = crate::nt::file::access::map_generic(dwDesiredAccess);
    }
    entry.flags = if bInheritHandle.0 { HandleFlags::INHERIT } else { HandleFlags::empty() };
    if closes && source.is_none() && !is_pseudo(guest, hSourceHandle) {
        drop(process.handles.close(hSourceHandle.0)?);
    }
    if lpTargetHandle.is_null() {
        return Ok(TRUE);
    }
    let handle = match target {
        Some(other) => other.put_handle(&entry)?,
        None => process.handles.insert(entry.object, entry.access, entry.flags),
    };
    guest.write_word(lpTargetHandle.0, handle)?;
    Ok(TRUE)
}

/// Returns the process of a handle; nothing for the calling one.
fn owner(guest: &Guest, handle: GuestWord) -> Result<Option<Arc<ProcessObject>>, Win32Error> {
    let process = guest.process().object_as::<ProcessObject>(handle.0)?;
    Ok(process.as_other().is_some().then_some(process))
}

/// Stores a handle's flags.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/handleapi/nf-handleapi-gethandleinformation>
#[winapi]
pub fn GetHandleInformation(
    guest: &mut Guest,
    hObject: GuestWord,
    lpdwFlags: GuestWord,
) -> Result<Bool, Win32Error> {
    let flags = guest.process().handles.entry(hObject.0)?.flags;
    guest.write_bytes(lpdwFlags.0, &flags.bits().to_le_bytes())?;
    Ok(TRUE)
}

/// Changes a handle's flags.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/handleapi/nf-handleapi-sethandleinformation>
#[winapi]
pub fn SetHandleInformation(
    guest: &mut Guest,
    hObject: GuestWord,
    dwMask: u32,
    dwFlags: u32,
) -> Result<Bool, Win32Error> {
    let mask = HandleFlags::from_bits(dwMask).ok_or(Win32Error::INVALID_PARAMETER)?;
    guest.process().handles.set_flags(hObject.0, mask, HandleFlags::from_bits_truncate(dwFlags))?;
    Ok(TRUE)
}

/// Returns the number it is given: handles are not limited.
///
/// Source: <https://learn.microsoft.com/previous-versions/aa908706(v=msdn.10)>
#[winapi]
pub fn SetHandleCount(guest: &mut Guest, uNumber: u32) -> u32 {
    let _ = guest;
    uNumber
}

/// Says whether two handles stand for the same object.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/handleapi/nf-handleapi-compareobjecthandles>
#[winapi]
pub fn CompareObjectHandles(
    guest: &mut Guest,
    hFirstObjectHandle: GuestWord,
    hSecondObjectHandle: GuestWord,
) -> Bool {
    let object = |handle: GuestWord| guest.process().handles.entry(handle.0).map(|entry| entry.object);
    let same = match (object(hFirstObjectHandle), object(hSecondObjectHandle)) {
        (Ok(first), Ok(second)) => std::sync::Arc::ptr_eq(&first, &second),
        _ => false,
    };
    if same {
        return TRUE;
    }
    guest.set_last_error(NOT_SAME_OBJECT);
    FALSE
}
