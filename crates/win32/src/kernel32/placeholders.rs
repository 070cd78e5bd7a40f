//! memoryapi.h: allocations and views with requirements and placeholders.
//!
//! The rules of placeholders are in `plat_regions::windows`; here are the Win32 forms.

use plat_abi::{GuestStruct, GuestWord, Memory, winapi};
use plat_regions::windows::{AllocationType, PageProtection, Request};
use plat_regions::{Access, Address};

use super::memoryapi::{VirtualAllocEx, VirtualProtect, allocate_request, is_other_process};
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

/// Applies the requirements to what is asked for: they and a base exclude each other.
fn with_requirements(mut request: Request, wanted: &MEM_ADDRESS_REQUIREMENTS) -> Result<Request, Win32Error> {
    let words = [wanted.LowestStartingAddress, wanted.HighestEndingAddress, wanted.Alignment];
    if request.base.is_some() && words.iter().any(|word| !word.is_null()) {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let address = |word: GuestWord| (!word.is_null()).then(|| Address::new(word.get()));
    request.lowest = address(wanted.LowestStartingAddress);
    request.highest = address(wanted.HighestEndingAddress);
    request.alignment = wanted.Alignment.get();
    Ok(request)
}

fn request(base: GuestWord, size: GuestWord, kind: u32, protect: u32) -> Request {
    let kind = AllocationType::from_bits_retain(kind);
    let mut request = Request::new(size.get(), kind, PageProtection::of_program(protect));
    request.base = (!base.is_null()).then(|| Address::new(base.get()));
    request
}

/// Says whether pages could be executed: functions of packaged applications refuse that.
fn executes(protect: u32) -> bool {
    PageProtection::of_program(protect).access().contains(Access::EXECUTE)
}

/// Reserves or commits pages, with requirements on where, or in place of a placeholder.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-virtualalloc2>
#[winapi]
pub fn VirtualAlloc2(
    guest: &mut Guest,
    Process: GuestWord,
    BaseAddress: GuestWord,
    Size: GuestWord,
    AllocationType: u32,
    PageProtection: u32,
    ExtendedParameters: GuestWord,
    ParameterCount: u32,
) -> Result<GuestWord, Win32Error> {
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

/// Reserves or commits pages that are not executable, with requirements on where.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-virtualalloc2fromapp>
#[winapi]
pub fn VirtualAlloc2FromApp(
    guest: &mut Guest,
    Process: GuestWord,
    BaseAddress: GuestWord,
    Size: GuestWord,
    AllocationType: u32,
    PageProtection: u32,
    ExtendedParameters: GuestWord,
    ParameterCount: u32,
) -> Result<GuestWord, Win32Error> {
    if executes(PageProtection) {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let (parameters, count) = (ExtendedParameters, ParameterCount);
    VirtualAlloc2(guest, Process, BaseAddress, Size, AllocationType, PageProtection, parameters, count)
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
    if executes(Protection) {
        return Err(Win32Error::INVALID_PARAMETER);
    }
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
    if executes(NewProtection) {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    VirtualProtect(guest, Address, Size, NewProtection, OldProtection)
}

/// Where a view goes and what it may do.
struct View {
    section: GuestWord,
    process: GuestWord,
    base: GuestWord,
    offset: u64,
    size: GuestWord,
    kind: u32,
    protect: u32,
}

fn map(guest: &Guest, view: &View) -> Result<GuestWord, Win32Error> {
    if !view.process.is_null() && is_other_process(guest, view.process)? {
        return Err(Win32Error::NOT_SUPPORTED);
    }
    let process = guest.process();
    let section = process.handles.get::<SectionObject>(view.section.get())?;
    let protection = PageProtection::of_program(view.protect);
    let (offset, size) = (view.offset, view.size.get());
    let base = (!view.base.is_null()).then(|| Address::new(view.base.get()));
    let kind = AllocationType::from_bits_retain(view.kind);
    let mapped = if kind == AllocationType::REPLACE_PLACEHOLDER {
        let base = base.ok_or(Win32Error::INVALID_PARAMETER)?;
        section.map_over_placeholder(process, base, offset, size, protection)
    } else if (AllocationType::RESERVE | AllocationType::TOP_DOWN).contains(kind) {
        section.map(process, base, offset, size, protection)
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

/// Maps a view of a section, in place of a placeholder or anywhere.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-mapviewoffile3>
#[winapi]
pub fn MapViewOfFile3(
    guest: &mut Guest,
    FileMapping: GuestWord,
    Process: GuestWord,
    BaseAddress: GuestWord,
    Offset: u64,
    ViewSize: GuestWord,
    AllocationType: u32,
    PageProtection: u32,
    ExtendedParameters: GuestWord,
    ParameterCount: u32,
) -> Result<GuestWord, Win32Error> {
    let wanted = requirements(guest, ExtendedParameters, ParameterCount)?;
    let view = View {
        section: FileMapping,
        process: Process,
        base: BaseAddress,
        offset: Offset,
        size: ViewSize,
        kind: AllocationType,
        protect: PageProtection,
    };
    let words = [wanted.LowestStartingAddress, wanted.HighestEndingAddress, wanted.Alignment];
    if words.iter().any(|word| !word.is_null()) {
        return Err(Win32Error::NOT_SUPPORTED);
    }
    map(guest, &view)
}

/// Maps a view of a section that is not executable.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-mapviewoffile3fromapp>
#[winapi]
pub fn MapViewOfFile3FromApp(
    guest: &mut Guest,
    FileMapping: GuestWord,
    Process: GuestWord,
    BaseAddress: GuestWord,
    Offset: u64,
    ViewSize: GuestWord,
    AllocationType: u32,
    PageProtection: u32,
    ExtendedParameters: GuestWord,
    ParameterCount: u32,
) -> Result<GuestWord, Win32Error> {
    if executes(PageProtection) {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let (kind, protect) = (AllocationType, PageProtection);
    let (parameters, count) = (ExtendedParameters, ParameterCount);
    MapViewOfFile3(
        guest,
        FileMapping,
        Process,
        BaseAddress,
        Offset,
        ViewSize,
        kind,
        protect,
        parameters,
        count,
    )
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
    let view = View {
        section: FileMappingHandle,
        process: ProcessHandle,
        base: BaseAddress,
        offset: Offset,
        size: ViewSize,
        kind: AllocationType,
        protect: PageProtection,
    };
    map(guest, &view)
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
    let (kind, protect) = (AllocationType, PageProtection);
    let (file, process) = (FileMappingHandle, ProcessHandle);
    MapViewOfFileNuma2(guest, file, process, Offset, BaseAddress, ViewSize, kind, protect, u32::MAX)
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
