//! Control codes of files: `control`.

use super::file::{FileKind, FileObject};
use super::mount_manager;
use crate::NtStatus;
use crate::guest::Guest;

const FSCTL_GET_REPARSE_POINT: u32 = 0x9_00a8;
const FSCTL_SET_SPARSE: u32 = 0x9_00c4;

/// Does what a control code asks of a file; returns how many bytes it gives back.
///
/// # Errors
/// `INVALID_DEVICE_REQUEST` for codes that the file does not know, `NOT_A_REPARSE_POINT`.
pub(crate) fn control(file: &FileObject, code: u32) -> Result<u64, NtStatus> {
    let is_disk = matches!(file.kind, FileKind::Disk | FileKind::Directory);
    match code {
        FSCTL_GET_REPARSE_POINT if is_disk => Err(NtStatus::NOT_A_REPARSE_POINT),
        // Linux makes every file sparse where it is not written.
        FSCTL_SET_SPARSE if file.kind == FileKind::Disk => Ok(0),
        _ => Err(NtStatus::INVALID_DEVICE_REQUEST),
    }
}

/// Does what a control code with buffers (address and bytes of each) asks; returns how many bytes it gives back.
///
/// # Errors
/// As `control` and [`mount_manager::control`].
pub(crate) fn control_with(
    guest: &Guest,
    file: &FileObject,
    code: u32,
    input: (u64, u32),
    output: (u64, u32),
) -> Result<u64, NtStatus> {
    if file.traits.is_mount_manager {
        mount_manager::control(guest, code, input, output)
    } else {
        control(file, code)
    }
}
