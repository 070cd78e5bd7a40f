//! Images as they lie in memory: headers, directories, sections.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use crate::NtStatus;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full RtlAddressInSectionTable;
    full RtlImageDirectoryEntryToData;
    full RtlImageNtHeader;
    full RtlImageNtHeaderEx;
    full RtlImageRvaToSection;
    full RtlImageRvaToVa;
};

/// Where the headers say that the NT headers begin.
const LFANEW: u64 = 0x3c;
/// The distance from the NT headers to the optional header.
const OPTIONAL: u64 = 24;
/// Bytes of a section's header.
const SECTION: u64 = 40;
/// The farthest place of the NT headers that is believed.
const FARTHEST: u64 = 0x1000_0000;

/// Returns the address of an image's NT headers.
fn nt_headers(guest: &Guest, base: u64) -> Result<Option<u64>, Fault> {
    let offset = match base {
        0 => return Ok(None),
        _ if guest.read::<u16>(base)? != 0x5a4d => return Ok(None),
        _ => u64::from(guest.read_u32(base + LFANEW)?),
    };
    let headers = base.wrapping_add(offset);
    let is_one = offset < FARTHEST && guest.read_u32(headers)? == 0x4550;
    Ok(is_one.then_some(headers))
}

/// Returns the address of an image's NT headers, null for what is no image.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/dbghelp/nf-dbghelp-imagentheader>
#[winapi]
pub fn RtlImageNtHeader(guest: &mut Guest, Base: GuestWord) -> GuestWord {
    GuestWord(nt_headers(guest, Base.get()).ok().flatten().unwrap_or(0))
}

/// Stores the address of an image's NT headers, which must lie in `Size` bytes if the flag 1 does not say otherwise.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/dbghelp/nf-dbghelp-imagentheader>
#[winapi]
pub fn RtlImageNtHeaderEx(
    guest: &mut Guest,
    Flags: u32,
    Base: GuestWord,
    Size: u64,
    OutHeaders: GuestWord,
) -> Result<(), NtStatus> {
    /// `RTL_IMAGE_NT_HEADER_EX_FLAG_NO_RANGE_CHECK`.
    const NO_CHECK: u32 = 1;
    if OutHeaders.is_null() || Flags & !NO_CHECK != 0 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    guest.write_word(OutHeaders.get(), 0)?;
    let headers = nt_headers(guest, Base.get())?.ok_or(NtStatus::INVALID_IMAGE_FORMAT)?;
    if Flags & NO_CHECK == 0 && headers - Base.get() + OPTIONAL > Size {
        return Err(NtStatus::INVALID_IMAGE_FORMAT);
    }
    Ok(guest.write_word(OutHeaders.get(), headers)?)
}

/// Returns the address of the header of the section in which an RVA lies.
fn section_of(guest: &Guest, headers: u64, rva: u32) -> Result<Option<u64>, Fault> {
    let count = u64::from(guest.read::<u16>(headers + 6)?);
    let first = headers + OPTIONAL + u64::from(guest.read::<u16>(headers + 20)?);
    for index in 0..count {
        let section = first + index * SECTION;
        let (start, size) = (guest.read_u32(section + 12)?, guest.read_u32(section + 16)?);
        if rva >= start && rva - start < size {
            return Ok(Some(section));
        }
    }
    Ok(None)
}

/// Returns the address of the header of the section in which an RVA lies, by the section's size in the file.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/dbghelp/nf-dbghelp-imagervatosection>
#[winapi]
pub fn RtlImageRvaToSection(guest: &mut Guest, NtHeaders: GuestWord, Base: GuestWord, Rva: u32) -> GuestWord {
    let _ = Base;
    GuestWord(section_of(guest, NtHeaders.get(), Rva).ok().flatten().unwrap_or(0))
}

/// Returns the address in a file's bytes at which an RVA lies; `LastRvaSection` keeps the section for the next call.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/dbghelp/nf-dbghelp-imagervatova>
#[winapi]
pub fn RtlImageRvaToVa(
    guest: &mut Guest,
    NtHeaders: GuestWord,
    Base: GuestWord,
    Rva: u32,
    LastRvaSection: GuestWord,
) -> GuestWord {
    let found = file_address(guest, NtHeaders.get(), Base.get(), Rva, LastRvaSection);
    GuestWord(found.ok().flatten().unwrap_or(0))
}

/// Returns the address in a file's bytes at which an RVA lies.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/dbghelp/nf-dbghelp-imagervatova>
#[winapi]
pub fn RtlAddressInSectionTable(
    guest: &mut Guest,
    NtHeaders: GuestWord,
    Base: GuestWord,
    Rva: u32,
) -> GuestWord {
    RtlImageRvaToVa(guest, NtHeaders, Base, Rva, GuestWord(0))
}

fn file_address(
    guest: &Guest,
    headers: u64,
    base: u64,
    rva: u32,
    kept: GuestWord,
) -> Result<Option<u64>, Fault> {
    let Some(section) = section_of(guest, headers, rva)? else { return Ok(None) };
    if !kept.is_null() {
        guest.write_word(kept.get(), section)?;
    }
    let (start, in_file) = (guest.read_u32(section + 12)?, guest.read_u32(section + 20)?);
    Ok(Some(base + u64::from(rva - start) + u64::from(in_file)))
}

/// Returns the address and the size of a directory of an image, or of a file's bytes.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/dbghelp/nf-dbghelp-imagedirectoryentrytodata>
#[winapi]
pub fn RtlImageDirectoryEntryToData(
    guest: &mut Guest,
    BaseOfImage: GuestWord,
    MappedAsImage: u8,
    DirectoryEntry: u16,
    Size: GuestWord,
) -> GuestWord {
    // The low bit of a handle says that it is of a file that is looked at, not of an image.
    let is_file = BaseOfImage.get() & 1 != 0;
    let base = BaseOfImage.get() & !3;
    let mapped = MappedAsImage != 0 && !is_file;
    let found = directory(guest, base, mapped, u64::from(DirectoryEntry), Size);
    GuestWord(found.ok().flatten().unwrap_or(0))
}

fn directory(
    guest: &Guest,
    base: u64,
    is_mapped: bool,
    index: u64,
    size: GuestWord,
) -> Result<Option<u64>, Fault> {
    let Some(headers) = nt_headers(guest, base)? else { return Ok(None) };
    let optional = headers + OPTIONAL;
    let is_64 = guest.read::<u16>(optional)? == 0x20b;
    let table = optional + if is_64 { 112 } else { 96 };
    if index >= u64::from(guest.read_u32(table - 4)?) {
        return Ok(None);
    }
    let [rva, bytes] = guest.read::<[u32; 2]>(table + index * 8)?;
    if rva == 0 {
        return Ok(None);
    }
    guest.write(size.get(), &bytes)?;
    let in_headers = rva < guest.read_u32(optional + 60)?;
    if is_mapped || in_headers {
        return Ok(Some(base + u64::from(rva)));
    }
    file_address(guest, headers, base, rva, GuestWord(0))
}
