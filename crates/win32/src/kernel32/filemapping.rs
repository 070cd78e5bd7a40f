//! memoryapi.h: file mappings and their views.

use super::fileapi::path;
use crate::widths::{Width, both_widths};
use plat_abi::{GuestWord, winapi};
use plat_regions::Address;
use plat_regions::windows::PageProtection;

use super::fileapi::open::inherit_flags;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::file::FileObject;
use crate::nt::handle::HandleFlags;
use crate::nt::section::SectionObject;
use crate::{NtStatus, Win32Error};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial CreateFileMappingA, "of the SEC_ flags SEC_IMAGE counts: its views are whole images";
    partial CreateFileMappingW, "of the SEC_ flags SEC_IMAGE counts: its views are whole images";
    full OpenFileMappingA;
    full OpenFileMappingW;
    full MapViewOfFile;
    full MapViewOfFileEx;
    full UnmapViewOfFile;
    full FlushViewOfFile;
};

/// `SEC_IMAGE`.
const SEC_IMAGE: u32 = 0x100_0000;
/// `SECTION_ALL_ACCESS`.
const SECTION_ALL_ACCESS: u32 = 0xf_001f;
/// `FILE_MAP_COPY`.
const FILE_MAP_COPY: u32 = 1;
/// `FILE_MAP_WRITE`.
const FILE_MAP_WRITE: u32 = 2;
/// `FILE_MAP_EXECUTE`.
const FILE_MAP_EXECUTE: u32 = 0x20;
/// `FILE_MAP_READ`.
const FILE_MAP_READ: u32 = 4;

fn create(
    guest: &mut Guest,
    (file, attributes): (GuestWord, GuestWord),
    protect: u32,
    size: u64,
    name: Option<Vec<u16>>,
) -> Result<GuestWord, Win32Error> {
    let process = guest.process();
    let flags = inherit_flags(guest, attributes)?;
    // The low byte is the protection; SEC_ flags lie above it.
    let protection = PageProtection::from_bits_retain(protect & 0xff);
    let invalid = if process.machine.is_64() { u64::MAX } else { 0xffff_ffff };
    let make = || {
        let is_image = protect & SEC_IMAGE != 0;
        let object = if file.get() == invalid {
            if is_image {
                return Err(NtStatus::INVALID_FILE_FOR_SECTION);
            }
            SectionObject::create(None, protection, size)
        } else {
            let file = process.handles.get::<FileObject>(file.get())?;
            match is_image {
                true => SectionObject::create_image(process, &file, protection),
                false => SectionObject::create(Some(&file), protection, size),
            }
        };
        object.map(std::sync::Arc::new)
    };
    let made = process.names.open_or_create(process, &name.unwrap_or_default(), make);
    let (object, existed) = made.map_err(|status| match status {
        // Windows tells these apart only here.
        NtStatus::MAPPED_FILE_SIZE_ZERO => Win32Error::FILE_INVALID,
        status => status.to_win32(),
    })?;
    guest.set_last_error(if existed { Win32Error::ALREADY_EXISTS } else { Win32Error::SUCCESS });
    Ok(GuestWord(process.handles.insert(object, SECTION_ALL_ACCESS, flags)))
}

fn name_of(guest: &Guest, width: Width, name: GuestWord) -> Result<Option<Vec<u16>>, Win32Error> {
    if name.is_null() { Ok(None) } else { path(guest, width, name).map(Some) }
}

both_widths! {
    /// Makes a section of a file or of memory.
    "winbase/nf-winbase-createfilemapping" | "memoryapi/nf-memoryapi-createfilemapping"
    CreateFileMappingA, CreateFileMappingW(
        guest, width, hFile: GuestWord, lpFileMappingAttributes: GuestWord, flProtect: u32,
        dwMaximumSizeHigh: u32, dwMaximumSizeLow: u32, lpName: GuestWord
    ) -> Result<GuestWord, Win32Error> {
        let name = name_of(guest, width, lpName)?;
        let size = u64::from(dwMaximumSizeHigh) << 32 | u64::from(dwMaximumSizeLow);
        create(guest, (hFile, lpFileMappingAttributes), flProtect, size, name)
    }
}

fn open(guest: &mut Guest, name: Option<Vec<u16>>, inherit: Bool) -> Result<GuestWord, Win32Error> {
    let name = name.filter(|name| !name.is_empty()).ok_or(Win32Error::INVALID_PARAMETER)?;
    let process = guest.process();
    let found = process.names.open::<SectionObject>(process, &name)?;
    let flags = if inherit.0 { HandleFlags::INHERIT } else { HandleFlags::empty() };
    Ok(GuestWord(process.handles.insert(found, SECTION_ALL_ACCESS, flags)))
}

both_widths! {
    /// Opens a named section.
    "winbase/nf-winbase-openfilemapping" | "memoryapi/nf-memoryapi-openfilemapping"
    OpenFileMappingA, OpenFileMappingW(
        guest, width, dwDesiredAccess: u32, bInheritHandle: Bool, lpName: GuestWord
    ) -> Result<GuestWord, Win32Error> {
        let _ = dwDesiredAccess;
        let name = name_of(guest, width, lpName)?;
        open(guest, name, bInheritHandle)
    }
}

fn map(
    guest: &mut Guest,
    section: GuestWord,
    access: u32,
    offset: u64,
    size: GuestWord,
    base: GuestWord,
) -> Result<GuestWord, Win32Error> {
    let execute = access & FILE_MAP_EXECUTE != 0;
    // FILE_MAP_ALL_ACCESS contains both bits, and means writing to the section.
    let protection = match (access & FILE_MAP_WRITE != 0, access & FILE_MAP_COPY != 0, execute) {
        (true, _, false) => PageProtection::READWRITE,
        (true, _, true) => PageProtection::EXECUTE_READWRITE,
        (false, true, false) => PageProtection::WRITECOPY,
        (false, true, true) => PageProtection::EXECUTE_WRITECOPY,
        _ if access & FILE_MAP_READ == 0 && execute => PageProtection::EXECUTE,
        _ if access & FILE_MAP_READ == 0 => PageProtection::NOACCESS,
        (false, false, true) => PageProtection::EXECUTE_READ,
        (false, false, false) => PageProtection::READONLY,
    };
    let process = guest.process();
    let object = process.handles.get::<SectionObject>(section.get())?;
    let base = (!base.is_null()).then(|| Address::new(base.get()));
    let mapped = object.map(process, base, offset, size.get(), protection);
    let range = mapped.map_err(|status| match status {
        // The handle that CreateFileMapping gives has no right to more than the section allows.
        NtStatus::SECTION_PROTECTION => Win32Error::ACCESS_DENIED,
        status => status.to_win32(),
    })?;
    Ok(GuestWord(range.start.get()))
}

/// Maps a view of a section.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-mapviewoffile>
#[winapi]
pub fn MapViewOfFile(
    guest: &mut Guest,
    hFileMappingObject: GuestWord,
    dwDesiredAccess: u32,
    dwFileOffsetHigh: u32,
    dwFileOffsetLow: u32,
    dwNumberOfBytesToMap: GuestWord,
) -> Result<GuestWord, Win32Error> {
    let offset = u64::from(dwFileOffsetHigh) << 32 | u64::from(dwFileOffsetLow);
    map(guest, hFileMappingObject, dwDesiredAccess, offset, dwNumberOfBytesToMap, GuestWord::NULL)
}

/// Maps a view of a section at a given address.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-mapviewoffileex>
#[winapi]
pub fn MapViewOfFileEx(
    guest: &mut Guest,
    hFileMappingObject: GuestWord,
    dwDesiredAccess: u32,
    dwFileOffsetHigh: u32,
    dwFileOffsetLow: u32,
    dwNumberOfBytesToMap: GuestWord,
    lpBaseAddress: GuestWord,
) -> Result<GuestWord, Win32Error> {
    let offset = u64::from(dwFileOffsetHigh) << 32 | u64::from(dwFileOffsetLow);
    map(guest, hFileMappingObject, dwDesiredAccess, offset, dwNumberOfBytesToMap, lpBaseAddress)
}

/// Unmaps a view.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-unmapviewoffile>
#[winapi]
pub fn UnmapViewOfFile(guest: &mut Guest, lpBaseAddress: GuestWord) -> Result<Bool, Win32Error> {
    let base = Address::new(lpBaseAddress.get());
    let memory = &guest.process().memory;
    memory.change(|books| books.unmap(base)).map_err(|_| Win32Error::INVALID_ADDRESS)?;
    Ok(TRUE)
}

/// Writes a view's changed pages to the file.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-flushviewoffile>
#[winapi]
pub fn FlushViewOfFile(
    guest: &mut Guest,
    lpBaseAddress: GuestWord,
    dwNumberOfBytesToFlush: GuestWord,
) -> Result<Bool, Win32Error> {
    let memory = &guest.process().memory;
    memory.flush_view(lpBaseAddress.get(), dwNumberOfBytesToFlush.get()).map_err(NtStatus::to_win32)?;
    Ok(TRUE)
}
