//! memoryapi.h: allocations and views with requirements and placeholders.
//!
//! The rules of placeholders are in `plat_regions::windows`; here are the Win32 forms.

use plat_abi::{GuestStruct, GuestWord, Memory, winapi};
use plat_regions::windows::{AllocationType, PageProtection, Request};
use plat_regions::{Access, Address};

use super::memoryapi::{VirtualAllocEx, VirtualProtect, allocate_request, is_other_process};
use crate::alike::alike;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::section::SectionObject;
use crate::{NtStatus, Win32Error};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial MapViewOfFile2, "into the calling process only";
    partial MapViewOfFile3, "into the calling process only; no large pages";
    partial MapViewOfFile3FromApp, "into the calling process only; no large pages";
    full MapViewOfFileFromApp;
    partial MapViewOfFileNuma2, "into the calling process only";
    partial UnmapViewOfFile2, "from the calling process only";
    full UnmapViewOfFileEx;
    partial VirtualAlloc2, "requirements and placeholders in the calling process only; no partitions";
    partial VirtualAlloc2FromApp, "in the calling process only; no partitions";
    full VirtualAllocFromApp;
    full VirtualProtectFromApp;
};

/// `MEM_EXTENDED_PARAMETER`: the type is in the low eight bits.
#[derive(GuestStruct, Default, Clone, Copy)]
#[allow(non_camel_case_types, non_snake_case)]
struct MEM_EXTENDED_PARAMETER {
    Type: u64,
    Value: u64,
}

/// `MEM_ADDRESS_REQUIREMENTS`.
#[derive(GuestStruct, Default, Clone, Copy)]
#[allow(non_camel_case_types, non_snake_case)]
struct MEM_ADDRESS_REQUIREMENTS {
    LowestStartingAddress: GuestWord,
    HighestEndingAddress: GuestWord,
    Alignment: GuestWord,
}

impl MEM_ADDRESS_REQUIREMENTS {
    fn are_any(&self) -> bool {
        [self.LowestStartingAddress, self.HighestEndingAddress, self.Alignment]
            .iter()
            .any(|word| !word.is_null())
    }
}

/// `MemExtendedParameterAddressRequirements`.
const ADDRESS_REQUIREMENTS: u64 = 1;
/// `MemExtendedParameterNumaNode`.
const NUMA_NODE: u64 = 2;
/// `MemExtendedParameterAttributeFlags`.
const ATTRIBUTE_FLAGS: u64 = 5;

/// `MEM_UNMAP_WITH_TRANSIENT_BOOST`.
const TRANSIENT_BOOST: u32 = 1;
/// `MEM_PRESERVE_PLACEHOLDER`.
const PRESERVE_PLACEHOLDER: u32 = 2;

/// Reads the extended parameters; each type may come once. Nodes are all the same here, and no attribute changes
/// what a program sees.
fn requirements(
    guest: &Guest,
    parameters: GuestWord,
    count: u32,
) -> Result<MEM_ADDRESS_REQUIREMENTS, Win32Error> {
    let mut found = MEM_ADDRESS_REQUIREMENTS::default();
    let mut seen = 0_u64;
    if count > 6 || (count > 0 && parameters.is_null()) {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    for index in 0..u64::from(count) {
        let parameter: MEM_EXTENDED_PARAMETER = guest.read(parameters.get() + index * 16)?;
        let kind = parameter.Type & 0xff;
        if kind > 63 || seen & 1 << kind != 0 {
            return Err(Win32Error::INVALID_PARAMETER);
        }
        seen |= 1 << kind;
        match kind {
            ADDRESS_REQUIREMENTS => found = guest.read(pointer(guest, parameter.Value))?,
            NUMA_NODE | ATTRIBUTE_FLAGS => {}
            _ => return Err(Win32Error::INVALID_PARAMETER),
        }
    }
    Ok(found)
}

/// Returns the pointer in a union of 64 bits.
fn pointer(guest: &Guest, value: u64) -> u64 {
    if guest.machine().is_64() { value } else { value & 0xffff_ffff }
}

/// Returns the address in a word; nothing for null.
fn address(word: GuestWord) -> Option<Address> {
    (!word.is_null()).then(|| Address::new(word.get()))
}

/// Applies the requirements to what is asked for: they and a base exclude each other.
fn with_requirements(mut request: Request, wanted: &MEM_ADDRESS_REQUIREMENTS) -> Result<Request, Win32Error> {
    if request.base.is_some() && wanted.are_any() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    request.lowest = address(wanted.LowestStartingAddress);
    request.highest = address(wanted.HighestEndingAddress);
    request.alignment = wanted.Alignment.get();
    Ok(request)
}

fn request(base: GuestWord, size: GuestWord, kind: u32, protect: u32) -> Request {
    let kind = AllocationType::from_bits_retain(kind);
    let mut request = Request::new(size.get(), kind, PageProtection::of_program(protect));
    request.base = address(base);
    request
}

/// Refuses pages that could be executed to functions of packaged applications.
fn check_executes(protect: u32, may_execute: bool) -> Result<(), Win32Error> {
    let executes = PageProtection::of_program(protect).access().contains(Access::EXECUTE);
    if executes && !may_execute { Err(Win32Error::INVALID_PARAMETER) } else { Ok(()) }
}

alike! {
    fn(guest, may_execute;
        Process: GuestWord, BaseAddress: GuestWord, Size: GuestWord, AllocationType: u32, PageProtection: u32,
        ExtendedParameters: GuestWord, ParameterCount: u32
    ) -> Result<GuestWord, Win32Error> {
        check_executes(PageProtection, may_execute)?;
        let wanted = requirements(guest, ExtendedParameters, ParameterCount)?;
        if !Process.is_null() && is_other_process(guest, Process)? {
            if ParameterCount != 0 {
                return Err(Win32Error::NOT_SUPPORTED);
            }
            return VirtualAllocEx(guest, Process, BaseAddress, Size, AllocationType, PageProtection);
        }
        let request = request(BaseAddress, Size, AllocationType, PageProtection);
        allocate_request(guest, &with_requirements(request, &wanted)?)
    }

    /// Reserves or commits pages, with requirements on where, or in place of a placeholder.
    "memoryapi/nf-memoryapi-virtualalloc2" VirtualAlloc2 = true;

    /// Reserves or commits pages that are not executable, with requirements on where.
    "memoryapi/nf-memoryapi-virtualalloc2fromapp" VirtualAlloc2FromApp = false;
}

/// Reserves or commits pages that are not executable.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-virtualallocfromapp>
#[winapi]
pub fn VirtualAllocFromApp(
    guest: &mut Guest,
    BaseAddress: GuestWord,
    Size: GuestWord,
    AllocationType: u32,
    Protection: u32,
) -> Result<GuestWord, Win32Error> {
    check_executes(Protection, false)?;
    allocate_request(guest, &request(BaseAddress, Size, AllocationType, Protection))
}

/// Changes the protection of pages, not to an executable one.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-virtualprotectfromapp>
#[winapi]
pub fn VirtualProtectFromApp(
    guest: &mut Guest,
    Address: GuestWord,
    Size: GuestWord,
    NewProtection: u32,
    OldProtection: GuestWord,
) -> Result<Bool, Win32Error> {
    check_executes(NewProtection, false)?;
    VirtualProtect(guest, Address, Size, NewProtection, OldProtection)
}

/// Maps a view to a place (base, offset in the section, size), of a kind and with a protection.
fn map(
    guest: &Guest,
    section: GuestWord,
    process: GuestWord,
    (base, offset, size): (GuestWord, u64, GuestWord),
    (kind, protect): (u32, u32),
) -> Result<GuestWord, Win32Error> {
    if !process.is_null() && is_other_process(guest, process)? {
        return Err(Win32Error::NOT_SUPPORTED);
    }
    let process = guest.process();
    let section = process.handles.get::<SectionObject>(section.get())?;
    let protection = PageProtection::of_program(protect);
    let base = address(base);
    let kind = AllocationType::from_bits_retain(kind);
    let mapped = if kind == AllocationType::REPLACE_PLACEHOLDER {
        let base = base.ok_or(Win32Error::INVALID_PARAMETER)?;
        section.map_over_placeholder(process, base, offset, size.get(), protection)
    } else if (AllocationType::RESERVE | AllocationType::TOP_DOWN).contains(kind) {
        section.map(process, base, offset, size.get(), protection)
    } else {
        return Err(Win32Error::INVALID_PARAMETER);
    };
    let range = mapped.map_err(|status| match status {
        // The handle that CreateFileMapping gives has no right to more than the section allows.
        NtStatus::SECTION_PROTECTION => Win32Error::ACCESS_DENIED,
        status => status.to_win32(),
    })?;
    Ok(GuestWord(range.start.get()))
}

alike! {
    fn(guest, may_execute;
        FileMapping: GuestWord, Process: GuestWord, BaseAddress: GuestWord, Offset: u64, ViewSize: GuestWord,
        AllocationType: u32, PageProtection: u32, ExtendedParameters: GuestWord, ParameterCount: u32
    ) -> Result<GuestWord, Win32Error> {
        check_executes(PageProtection, may_execute)?;
        let wanted = requirements(guest, ExtendedParameters, ParameterCount)?;
        if wanted.are_any() {
            return Err(Win32Error::NOT_SUPPORTED);
        }
        let (how, place) = ((AllocationType, PageProtection), (BaseAddress, Offset, ViewSize));
        map(guest, FileMapping, Process, place, how)
    }

    /// Maps a view of a section, in place of a placeholder or anywhere.
    "memoryapi/nf-memoryapi-mapviewoffile3" MapViewOfFile3 = true;

    /// Maps a view of a section that is not executable.
    "memoryapi/nf-memoryapi-mapviewoffile3fromapp" MapViewOfFile3FromApp = false;
}

/// Maps a view of a section; nodes are all the same here.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-mapviewoffilenuma2>
#[winapi]
pub fn MapViewOfFileNuma2(
    guest: &mut Guest,
    FileMappingHandle: GuestWord,
    ProcessHandle: GuestWord,
    Offset: u64,
    BaseAddress: GuestWord,
    ViewSize: GuestWord,
    AllocationType: u32,
    PageProtection: u32,
    PreferredNode: u32,
) -> Result<GuestWord, Win32Error> {
    let _ = PreferredNode;
    let (how, place) = ((AllocationType, PageProtection), (BaseAddress, Offset, ViewSize));
    map(guest, FileMappingHandle, ProcessHandle, place, how)
}

/// Maps a view of a section.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-mapviewoffile2>
#[winapi]
pub fn MapViewOfFile2(
    guest: &mut Guest,
    FileMappingHandle: GuestWord,
    ProcessHandle: GuestWord,
    Offset: u64,
    BaseAddress: GuestWord,
    ViewSize: GuestWord,
    AllocationType: u32,
    PageProtection: u32,
) -> Result<GuestWord, Win32Error> {
    let (how, place) = ((AllocationType, PageProtection), (BaseAddress, Offset, ViewSize));
    map(guest, FileMappingHandle, ProcessHandle, place, how)
}

/// Maps a view of a section for a packaged application.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-mapviewoffilefromapp>
#[winapi]
pub fn MapViewOfFileFromApp(
    guest: &mut Guest,
    hFileMappingObject: GuestWord,
    DesiredAccess: u32,
    FileOffset: u64,
    NumberOfBytesToMap: GuestWord,
) -> Result<GuestWord, Win32Error> {
    let (high, low) = ((FileOffset >> 32) as u32, FileOffset as u32);
    super::filemapping::MapViewOfFile(guest, hFileMappingObject, DesiredAccess, high, low, NumberOfBytesToMap)
}

fn unmap(guest: &Guest, base: GuestWord, flags: u32) -> Result<Bool, Win32Error> {
    let base = Address::new(base.get());
    let memory = &guest.process().memory;
    match flags {
        0 | TRANSIENT_BOOST => memory.change(|books| books.unmap(base)),
        PRESERVE_PLACEHOLDER => memory.change(|books| books.unmap_to_placeholder(base)),
        _ => return Err(Win32Error::INVALID_PARAMETER),
    }
    .map_err(|_| Win32Error::INVALID_ADDRESS)?;
    Ok(TRUE)
}

/// Unmaps a view, and may leave the placeholder that it replaced.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-unmapviewoffile2>
#[winapi]
pub fn UnmapViewOfFile2(
    guest: &mut Guest,
    Process: GuestWord,
    BaseAddress: GuestWord,
    UnmapFlags: u32,
) -> Result<Bool, Win32Error> {
    if is_other_process(guest, Process)? {
        return Err(Win32Error::NOT_SUPPORTED);
    }
    unmap(guest, BaseAddress, UnmapFlags)
}

/// Unmaps a view of the calling process, and may leave the placeholder that it replaced.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-unmapviewoffileex>
#[winapi]
pub fn UnmapViewOfFileEx(
    guest: &mut Guest,
    BaseAddress: GuestWord,
    UnmapFlags: u32,
) -> Result<Bool, Win32Error> {
    unmap(guest, BaseAddress, UnmapFlags)
}
