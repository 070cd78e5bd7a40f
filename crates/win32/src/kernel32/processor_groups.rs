//! processtopologyapi.h, memoryapi.h: groups of processors and NUMA nodes. There is one group and one node, with all
//! processors and all memory.

use std::sync::atomic::Ordering;

use plat_abi::{GuestStruct, GuestWord, Memory, winapi};

use super::memoryapi::VirtualAllocEx;
use crate::Win32Error;
use crate::answers::answers;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::sysinfo;
use crate::nt::thread::{ProcessObject, ThreadObject};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full AllocateUserPhysicalPages;
    full AllocateUserPhysicalPagesNuma;
    full FreeUserPhysicalPages;
    full GetLargePageMinimum;
    full GetNumaAvailableMemoryNode;
    full GetNumaAvailableMemoryNodeEx;
    full GetNumaNodeProcessorMask;
    full GetNumaNodeProcessorMaskEx;
    full GetNumaProcessorNode;
    full GetNumaProcessorNodeEx;
    full GetProcessGroupAffinity;
    full GetThreadGroupAffinity;
    full GetThreadIdealProcessorEx;
    full MapUserPhysicalPages;
    full SetThreadGroupAffinity;
    partial SetThreadIdealProcessorEx, "a hint that is not used";
    full VirtualAllocExNuma;
};

/// `GROUP_AFFINITY`.
#[allow(non_camel_case_types, non_snake_case)]
#[derive(GuestStruct, Default)]
struct GROUP_AFFINITY {
    Mask: GuestWord,
    Group: u16,
    Reserved: [u16; 3],
}

impl GROUP_AFFINITY {
    fn of(mask: u64) -> Self {
        Self { Mask: GuestWord(mask), ..Self::default() }
    }
}

/// `PROCESSOR_NUMBER`.
#[allow(non_camel_case_types, non_snake_case)]
#[derive(GuestStruct, Default)]
struct PROCESSOR_NUMBER {
    Group: u16,
    Number: u8,
    Reserved: u8,
}

fn all_processors(guest: &Guest) -> u64 {
    sysinfo::processors(guest.machine())
}

/// Returns the groups of processors that a process may use: group 0.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processtopologyapi/nf-processtopologyapi-getprocessgroupaffinity>
#[winapi]
pub fn GetProcessGroupAffinity(
    guest: &mut Guest,
    hProcess: GuestWord,
    GroupCount: GuestWord,
    GroupArray: GuestWord,
) -> Result<Bool, Win32Error> {
    guest.object::<ProcessObject>(hProcess)?;
    let room: u16 = guest.read(GroupCount.get())?;
    guest.write(GroupCount.get(), &1_u16)?;
    if room < 1 {
        return Err(Win32Error::INSUFFICIENT_BUFFER);
    }
    guest.write(GroupArray.get(), &0_u16)?;
    Ok(TRUE)
}

/// Returns the processors that a thread may use.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processtopologyapi/nf-processtopologyapi-getthreadgroupaffinity>
#[winapi]
pub fn GetThreadGroupAffinity(
    guest: &mut Guest,
    hThread: GuestWord,
    GroupAffinity: GuestWord,
) -> Result<Bool, Win32Error> {
    let mask = guest.object::<ThreadObject>(hThread)?.affinity.load(Ordering::Acquire);
    let mask = if mask == 0 { all_processors(guest) } else { mask };
    guest.write(GroupAffinity.get(), &GROUP_AFFINITY::of(mask))?;
    Ok(TRUE)
}

/// Sets the processors that a thread may use, and stores those before.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processtopologyapi/nf-processtopologyapi-setthreadgroupaffinity>
#[winapi]
pub fn SetThreadGroupAffinity(
    guest: &mut Guest,
    hThread: GuestWord,
    GroupAffinity: GuestWord,
    PreviousGroupAffinity: GuestWord,
) -> Result<Bool, Win32Error> {
    let wanted: GROUP_AFFINITY = guest.read(GroupAffinity.get())?;
    if wanted.Group != 0 || wanted.Reserved != [0; 3] {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let before = super::processthreadsapi::SetThreadAffinityMask(guest, hThread, wanted.Mask)?;
    if !PreviousGroupAffinity.is_null() {
        guest.write(PreviousGroupAffinity.get(), &GROUP_AFFINITY::of(before.get()))?;
    }
    Ok(TRUE)
}

/// Returns the processor that a thread likes best: the first.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getthreadidealprocessorex>
#[winapi]
pub fn GetThreadIdealProcessorEx(
    guest: &mut Guest,
    hThread: GuestWord,
    lpIdealProcessor: GuestWord,
) -> Result<Bool, Win32Error> {
    guest.object::<ThreadObject>(hThread)?;
    guest.write(lpIdealProcessor.get(), &PROCESSOR_NUMBER::default())?;
    Ok(TRUE)
}

/// Accepts the processor that a thread likes best; stores the one before: always the first.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-setthreadidealprocessorex>
#[winapi]
pub fn SetThreadIdealProcessorEx(
    guest: &mut Guest,
    hThread: GuestWord,
    lpIdealProcessor: GuestWord,
    lpPreviousIdealProcessor: GuestWord,
) -> Result<Bool, Win32Error> {
    guest.object::<ThreadObject>(hThread)?;
    let wanted: PROCESSOR_NUMBER = guest.read(lpIdealProcessor.get())?;
    if node_of(guest, &wanted).is_none() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    if !lpPreviousIdealProcessor.is_null() {
        guest.write(lpPreviousIdealProcessor.get(), &PROCESSOR_NUMBER::default())?;
    }
    Ok(TRUE)
}

/// Returns the node of a processor that there is: 0.
fn node_of(guest: &Guest, processor: &PROCESSOR_NUMBER) -> Option<u16> {
    let is_there = processor.Number < 64 && all_processors(guest) & 1 << processor.Number != 0;
    (is_there && processor.Group == 0 && processor.Reserved == 0).then_some(0)
}

fn check_node(node: u16) -> Result<(), Win32Error> {
    if node == 0 { Ok(()) } else { Err(Win32Error::INVALID_PARAMETER) }
}

/// Returns the processors of a NUMA node.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/systemtopologyapi/nf-systemtopologyapi-getnumanodeprocessormaskex>
#[winapi]
pub fn GetNumaNodeProcessorMaskEx(
    guest: &mut Guest,
    Node: u16,
    ProcessorMask: GuestWord,
) -> Result<Bool, Win32Error> {
    check_node(Node)?;
    guest.write(ProcessorMask.get(), &GROUP_AFFINITY::of(all_processors(guest)))?;
    Ok(TRUE)
}

/// Returns the processors of a NUMA node, 64 bits.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-getnumanodeprocessormask>
#[winapi]
pub fn GetNumaNodeProcessorMask(
    guest: &mut Guest,
    Node: u8,
    ProcessorMask: GuestWord,
) -> Result<Bool, Win32Error> {
    check_node(Node.into())?;
    guest.write(ProcessorMask.get(), &all_processors(guest))?;
    Ok(TRUE)
}

/// Returns the NUMA node of a processor; 0xffff for one that there is not.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/systemtopologyapi/nf-systemtopologyapi-getnumaprocessornodeex>
#[winapi]
pub fn GetNumaProcessorNodeEx(
    guest: &mut Guest,
    Processor: GuestWord,
    NodeNumber: GuestWord,
) -> Result<Bool, Win32Error> {
    let node = node_of(guest, &guest.read(Processor.get())?);
    guest.write(NodeNumber.get(), &node.unwrap_or(u16::MAX))?;
    node.map(|_| TRUE).ok_or(Win32Error::INVALID_PARAMETER)
}

/// Returns the NUMA node of a processor; 0xff for one that there is not.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-getnumaprocessornode>
#[winapi]
pub fn GetNumaProcessorNode(
    guest: &mut Guest,
    Processor: u8,
    NodeNumber: GuestWord,
) -> Result<Bool, Win32Error> {
    let node = node_of(guest, &PROCESSOR_NUMBER { Number: Processor, ..PROCESSOR_NUMBER::default() });
    guest.write_bytes(NodeNumber.get(), &[node.map_or(u8::MAX, |_| 0)])?;
    node.map(|_| TRUE).ok_or(Win32Error::INVALID_PARAMETER)
}

/// Returns the bytes of memory that a NUMA node has free.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/systemtopologyapi/nf-systemtopologyapi-getnumaavailablememorynodeex>
#[winapi]
pub fn GetNumaAvailableMemoryNodeEx(
    guest: &mut Guest,
    Node: u16,
    AvailableBytes: GuestWord,
) -> Result<Bool, Win32Error> {
    check_node(Node)?;
    guest.write(AvailableBytes.get(), &plat_host::sysinfo::memory_status().available)?;
    Ok(TRUE)
}

/// Returns the bytes of memory that a NUMA node has free.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-getnumaavailablememorynode>
#[winapi]
pub fn GetNumaAvailableMemoryNode(
    guest: &mut Guest,
    Node: u8,
    AvailableBytes: GuestWord,
) -> Result<Bool, Win32Error> {
    GetNumaAvailableMemoryNodeEx(guest, Node.into(), AvailableBytes)
}

/// Reserves or commits pages of a process, on a preferred node.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-virtualallocexnuma>
#[winapi]
pub fn VirtualAllocExNuma(
    guest: &mut Guest,
    hProcess: GuestWord,
    lpAddress: GuestWord,
    dwSize: GuestWord,
    flAllocationType: u32,
    flProtect: u32,
    nndPreferred: u32,
) -> Result<GuestWord, Win32Error> {
    /// `NUMA_NO_PREFERRED_NODE`.
    const NO_NODE: u32 = u32::MAX;
    if nndPreferred != 0 && nndPreferred != NO_NODE {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    VirtualAllocEx(guest, hProcess, lpAddress, dwSize, flAllocationType, flProtect)
}

answers! {
    "Returns the size of a large page: 0, since none are to be had.", "memoryapi/nf-memoryapi-getlargepageminimum";
    GetLargePageMinimum() -> GuestWord = GuestWord(0);
    "Refuses physical pages: no user has `SeLockMemoryPrivilege`, which they need.", "memoryapi/nf-memoryapi-allocateuserphysicalpages";
    AllocateUserPhysicalPages(
        hProcess: GuestWord, NumberOfPages: GuestWord, PageArray: GuestWord
    ) -> Result<Bool, Win32Error> = Err(Win32Error::PRIVILEGE_NOT_HELD);
    "Maps physical pages: there are none, and no memory can be reserved for them.", "memoryapi/nf-memoryapi-mapuserphysicalpages";
    MapUserPhysicalPages(
        VirtualAddress: GuestWord, NumberOfPages: GuestWord, PageArray: GuestWord
    ) -> Result<Bool, Win32Error> = Err(Win32Error::INVALID_ADDRESS);
}

/// Refuses physical pages, as [`AllocateUserPhysicalPages()`] does.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-allocateuserphysicalpagesnuma>
#[winapi]
pub fn AllocateUserPhysicalPagesNuma(
    guest: &mut Guest,
    hProcess: GuestWord,
    NumberOfPages: GuestWord,
    PageArray: GuestWord,
    nndPreferred: u32,
) -> Result<Bool, Win32Error> {
    let _ = nndPreferred;
    AllocateUserPhysicalPages(guest, hProcess, NumberOfPages, PageArray)
}

/// Frees physical pages: there are none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-freeuserphysicalpages>
#[winapi]
pub fn FreeUserPhysicalPages(
    guest: &mut Guest,
    hProcess: GuestWord,
    NumberOfPages: GuestWord,
    PageArray: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = (hProcess, PageArray);
    guest.write_word(NumberOfPages.get(), 0)?;
    Err(Win32Error::PRIVILEGE_NOT_HELD)
}
