//! winbase.h: opening once more what a handle leads to.

use std::sync::Arc;

use plat_abi::{GuestWord, winapi};

use super::open::{Wish, file, request};
use crate::guest::{Guest, HandleOrInvalid};
use crate::nt::handle::HandleFlags;
use crate::{NtStatus, Win32Error};

/// `OPEN_EXISTING`.
const OPEN_EXISTING: u32 = 3;
/// The attributes of files, which are no flags.
const ATTRIBUTES: u32 = 0xffff;

/// Opens a file that is open once more, with other rights. It is a file of its own: it has its own position and share modes.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-reopenfile>
#[winapi]
pub fn ReOpenFile(
    guest: &mut Guest,
    hOriginalFile: GuestWord,
    dwDesiredAccess: u32,
    dwShareMode: u32,
    dwFlagsAndAttributes: u32,
) -> Result<HandleOrInvalid, Win32Error> {
    if dwFlagsAndAttributes & ATTRIBUTES != 0 {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let original = file(guest, hOriginalFile, 0)?;
    let path = crate::nt::path::lock(&original.path).clone();
    // What has no name, as a pipe, cannot be opened by it.
    let path = path.ok_or(NtStatus::OBJECT_NAME_INVALID.to_win32())?;
    let wish = Wish {
        access: dwDesiredAccess,
        share: dwShareMode,
        security: GuestWord(0),
        disposition: OPEN_EXISTING,
        flags: dwFlagsAndAttributes,
    };
    let request = request(guest, &wish)?;
    let (object, _) = guest.process().files.open(path, &request).map_err(NtStatus::to_win32)?;
    let handle = guest.process().handles.insert(Arc::new(object), request.access, HandleFlags::empty());
    Ok(HandleOrInvalid(handle))
}
