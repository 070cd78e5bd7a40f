//! Nt functions of files beyond reading and writing: control codes of file systems, locks, extended attributes, quotas, volumes' labels.

use plat_abi::{GuestWord, Memory, winapi};

use super::files::{Control, begin, finish, put_status};
use crate::NtStatus;
use crate::advapi32::token::ImpersonateNamedPipeClient;
use crate::alike::alike;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::nt::file::access;
use crate::nt::file_standard;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial NtFsControlFile, "as DeviceIoControl, and impersonation and disconnection of pipes; always at once";
    full NtLockFile;
    full NtUnlockFile;
    partial NtQueryEaFile, "files have no extended attributes";
    partial NtSetEaFile, "files have no extended attributes: EAS_NOT_SUPPORTED";
    partial NtQueryQuotaInformationFile, "there are no quotas: INVALID_DEVICE_REQUEST";
    partial NtSetQuotaInformationFile, "there are no quotas: INVALID_DEVICE_REQUEST";
    partial NtSetVolumeInformationFile, "volumes stay as they are: ACCESS_DENIED";
};

const FSCTL_PIPE_DISCONNECT: u32 = 0x11_0004;
const FSCTL_PIPE_IMPERSONATE: u32 = 0x11_001c;

/// Sends a control code to a file system.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntfscontrolfile>
#[winapi]
pub fn NtFsControlFile(
    guest: &mut Guest,
    FileHandle: GuestWord,
    Event: GuestWord,
    ApcRoutine: GuestWord,
    ApcContext: GuestWord,
    IoStatusBlock: GuestWord,
    FsControlCode: u32,
    InputBuffer: GuestWord,
    InputBufferLength: u32,
    OutputBuffer: GuestWord,
    OutputBufferLength: u32,
) -> Result<(), NtStatus> {
    let _ = (InputBuffer, InputBufferLength, OutputBuffer, OutputBufferLength);
    let call = [ApcRoutine, ApcContext, IoStatusBlock];
    match FsControlCode {
        FSCTL_PIPE_DISCONNECT => file_standard::file(guest.process(), FileHandle.0, 0)?.disconnect()?,
        FSCTL_PIPE_IMPERSONATE => {
            ImpersonateNamedPipeClient(guest, FileHandle).map_err(NtStatus::from_win32)?;
        }
        code => return Control { handle: FileHandle, event: Event, call, code }.run(guest),
    }
    put_status(guest, IoStatusBlock, NtStatus::SUCCESS, 0)
}

/// Locks a range of bytes.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntlockfile>
#[winapi]
pub fn NtLockFile(
    guest: &mut Guest,
    FileHandle: GuestWord,
    Event: GuestWord,
    ApcRoutine: GuestWord,
    ApcContext: GuestWord,
    IoStatusBlock: GuestWord,
    ByteOffset: GuestWord,
    Length: GuestWord,
    Key: u32,
    FailImmediately: u8,
    ExclusiveLock: u8,
) -> Result<(), NtStatus> {
    let _ = Key;
    let file = file_standard::file(guest.process(), FileHandle.0, access::READ_DATA | access::WRITE_DATA)?;
    let (start, length) = (guest.read_u64(ByteOffset.0)?, guest.read_u64(Length.0)?);
    let completion = begin(guest, &file, Event, [ApcRoutine, ApcContext, IoStatusBlock])?;
    file.lock_range(start, length, ExclusiveLock != 0, FailImmediately == 0)?;
    finish(guest, IoStatusBlock, completion, 0)
}

/// Unlocks a range of bytes.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntunlockfile>
#[winapi]
pub fn NtUnlockFile(
    guest: &mut Guest,
    FileHandle: GuestWord,
    IoStatusBlock: GuestWord,
    ByteOffset: GuestWord,
    Length: GuestWord,
    Key: u32,
) -> Result<(), NtStatus> {
    let _ = Key;
    let (start, length) = (guest.read_u64(ByteOffset.0)?, guest.read_u64(Length.0)?);
    file_standard::file(guest.process(), FileHandle.0, 0)?.unlock_range(start, length)?;
    put_status(guest, IoStatusBlock, NtStatus::SUCCESS, 0)
}

/// Refuses what a file system has not.
fn refuse(guest: &Guest, file: GuestWord, block: GuestWord, status: NtStatus) -> Result<(), NtStatus> {
    file_standard::file(guest.process(), file.0, 0)?;
    put_status(guest, block, status, 0)?;
    Err(status)
}

alike! {
    fn(guest, status;
        FileHandle: GuestWord, IoStatusBlock: GuestWord, Buffer: GuestWord, Length: u32, ReturnSingleEntry: u8,
        list: GuestWord, list_length: u32, start: GuestWord, RestartScan: u8
    ) -> Result<(), NtStatus> {
        let _ = (Buffer, Length, ReturnSingleEntry, list, list_length, start, RestartScan);
        refuse(guest, FileHandle, IoStatusBlock, status)
    }

    /// Tells extended attributes: there are none.
    ddi "ntifs/nf-ntifs-zwqueryeafile"
    NtQueryEaFile(
        FileHandle, IoStatusBlock, Buffer, Length, ReturnSingleEntry, EaList, EaListLength, EaIndex, RestartScan
    ) = NtStatus::NO_EAS_ON_FILE;

    /// Refuses to tell quotas.
    ddi "ntifs/nf-ntifs-ntqueryquotainformationfile"
    NtQueryQuotaInformationFile(
        FileHandle, IoStatusBlock, Buffer, Length, ReturnSingleEntry, SidList, SidListLength, StartSid, RestartScan
    ) = NtStatus::INVALID_DEVICE_REQUEST;
}

alike! {
    fn(guest, status;
        FileHandle: GuestWord, IoStatusBlock: GuestWord, Buffer: GuestWord, Length: u32
    ) -> Result<(), NtStatus> {
        let _ = (Buffer, Length);
        refuse(guest, FileHandle, IoStatusBlock, status)
    }

    /// Refuses to set extended attributes.
    ddi "ntifs/nf-ntifs-zwseteafile"
    NtSetEaFile = NtStatus::EAS_NOT_SUPPORTED;

    /// Refuses to set quotas.
    ddi "ntifs/nf-ntifs-ntsetquotainformationfile"
    NtSetQuotaInformationFile = NtStatus::INVALID_DEVICE_REQUEST;
}

/// Refuses to change a volume.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntsetvolumeinformationfile>
#[winapi]
pub fn NtSetVolumeInformationFile(
    guest: &mut Guest,
    FileHandle: GuestWord,
    IoStatusBlock: GuestWord,
    FsInformation: GuestWord,
    Length: u32,
    FsInformationClass: u32,
) -> Result<(), NtStatus> {
    let _ = (FsInformation, Length, FsInformationClass);
    refuse(guest, FileHandle, IoStatusBlock, NtStatus::ACCESS_DENIED)
}
