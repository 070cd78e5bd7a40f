//! Nt functions of sections and their views.

use std::sync::Arc;

use plat_abi::{GuestWord, Memory, winapi};
use plat_regions::Address;
use plat_regions::windows::PageProtection;

use super::attributes::{create, open};
use super::synchronisation::previous;
use crate::NtStatus;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::nt::file::FileObject;
use crate::nt::process_object::ProcessObject;
use crate::nt::section::SectionObject;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial NtCreateSection, "reserved sections are committed";
    full NtOpenSection;
    partial NtMapViewOfSection, "into the calling process only";
    partial NtUnmapViewOfSection, "of the calling process only";
    partial NtQuerySection, "basic information";
};

const SEC_IMAGE: u32 = 0x100_0000;
const SEC_FILE: u32 = 0x80_0000;
const SEC_COMMIT: u32 = 0x800_0000;

/// Makes a section of a file or of memory.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntcreatesection>
#[winapi]
pub fn NtCreateSection(
    guest: &mut Guest,
    SectionHandle: GuestWord,
    DesiredAccess: u32,
    ObjectAttributes: GuestWord,
    MaximumSize: GuestWord,
    SectionPageProtection: u32,
    AllocationAttributes: u32,
    FileHandle: GuestWord,
) -> Result<(), NtStatus> {
    let size = if MaximumSize.is_null() { 0 } else { guest.read_u64(MaximumSize.0)? };
    let protection = PageProtection::from_bits_retain(SectionPageProtection);
    let file = match FileHandle.is_null() {
        true => None,
        false => Some(guest.process().handles.get::<FileObject>(FileHandle.0)?),
    };
    let process = guest.process();
    let make = |_: &[u16]| {
        let section = match (&file, AllocationAttributes & SEC_IMAGE != 0) {
            (Some(file), true) => SectionObject::create_image(process, file, protection),
            (None, true) => Err(NtStatus::INVALID_FILE_FOR_SECTION),
            (file, false) => SectionObject::create(file.as_deref(), protection, size),
        };
        section.map(Arc::new)
    };
    create(guest, (SectionHandle, DesiredAccess), ObjectAttributes, make)
}

/// Opens a named section.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwopensection>
#[winapi]
pub fn NtOpenSection(
    guest: &mut Guest,
    SectionHandle: GuestWord,
    DesiredAccess: u32,
    ObjectAttributes: GuestWord,
) -> Result<(), NtStatus> {
    open::<SectionObject>(guest, (SectionHandle, DesiredAccess), ObjectAttributes)
}

/// Checks that a handle is one of the calling process.
fn own_process(guest: &Guest, handle: GuestWord) -> Result<(), NtStatus> {
    let process = guest.process().object_as::<ProcessObject>(handle.0)?;
    if process.as_other().is_some() { Err(NtStatus::NOT_SUPPORTED) } else { Ok(()) }
}

/// Maps a view of a section.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwmapviewofsection>
#[winapi]
pub fn NtMapViewOfSection(
    guest: &mut Guest,
    SectionHandle: GuestWord,
    ProcessHandle: GuestWord,
    BaseAddress: GuestWord,
    ZeroBits: GuestWord,
    CommitSize: GuestWord,
    SectionOffset: GuestWord,
    ViewSize: GuestWord,
    InheritDisposition: u32,
    AllocationType: u32,
    Win32Protect: u32,
) -> Result<(), NtStatus> {
    let _ = (ZeroBits, CommitSize, AllocationType);
    if !matches!(InheritDisposition, 1 | 2) {
        return Err(NtStatus::INVALID_PARAMETER_8);
    }
    own_process(guest, ProcessHandle)?;
    let section = guest.process().handles.get::<SectionObject>(SectionHandle.0)?;
    let base = guest.read_word(BaseAddress.0)?;
    let size = guest.read_word(ViewSize.0)?;
    let offset = if SectionOffset.is_null() { 0 } else { guest.read_u64(SectionOffset.0)? };
    let protection = PageProtection::from_bits_retain(Win32Protect);
    let base = (base != 0).then(|| Address::new(base));
    let range = section.map(guest.process(), base, offset, size, protection)?;
    guest.write_word(BaseAddress.0, range.start.get())?;
    Ok(guest.write_word(ViewSize.0, range.end.get() - range.start.get())?)
}

/// Unmaps the view that an address lies in.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwunmapviewofsection>
#[winapi]
pub fn NtUnmapViewOfSection(
    guest: &mut Guest,
    ProcessHandle: GuestWord,
    BaseAddress: GuestWord,
) -> Result<(), NtStatus> {
    own_process(guest, ProcessHandle)?;
    let memory = &guest.process().memory;
    let run = memory.books().query(Address::new(BaseAddress.0));
    let base = run.and_then(|run| run.allocation_base).ok_or(NtStatus::NOT_MAPPED_VIEW)?;
    memory.change(|books| books.unmap(base)).map(drop)
}

/// Tells a section's size and attributes.
///
/// Source: <https://learn.microsoft.com/windows/win32/memory/creating-a-file-mapping-object>
#[winapi]
pub fn NtQuerySection(
    guest: &mut Guest,
    SectionHandle: GuestWord,
    SectionInformationClass: u32,
    SectionInformation: GuestWord,
    SectionInformationLength: GuestWord,
    ReturnLength: GuestWord,
) -> Result<(), NtStatus> {
    let section = guest.process().handles.get::<SectionObject>(SectionHandle.0)?;
    match SectionInformationClass {
        0 => {}
        1 => return Err(NtStatus::SECTION_NOT_IMAGE),
        _ => return Err(NtStatus::INVALID_INFO_CLASS),
    }
    let word = guest.machine().pointer_size();
    let attributes = match (section.is_image(), section.is_of_file()) {
        (true, _) => SEC_IMAGE | SEC_FILE,
        (false, true) => SEC_FILE,
        (false, false) => SEC_COMMIT,
    };
    let mut bytes = vec![0; word as usize];
    bytes.extend(attributes.to_le_bytes());
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes.extend(section.size().to_le_bytes());
    if SectionInformationLength.0 < bytes.len() as u64 {
        return Err(NtStatus::INFO_LENGTH_MISMATCH);
    }
    guest.write_bytes(SectionInformation.0, &bytes)?;
    previous(guest, ReturnLength, bytes.len() as u32)
}
