//! sysinfoapi.h: which processors there are. Linux' processors are shown as cores of one package and one node.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::sysinfo;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial GetLogicalProcessorInformation, "every processor is a core of its own; no caches";
    partial GetLogicalProcessorInformationEx, "every processor is a core of its own; no caches";
    full GetActiveProcessorGroupCount;
    full GetMaximumProcessorCount;
    full GetMaximumProcessorGroupCount;
    full GetNumaHighestNodeNumber;
    full GetCurrentProcessorNumber;
    full GetCurrentProcessorNumberEx;
    full FlushProcessWriteBuffers;
};

/// `RelationProcessorCore`.
const CORE: u32 = 0;
/// `RelationNumaNode`.
const NODE: u32 = 1;
/// `RelationProcessorPackage`.
const PACKAGE: u32 = 3;
/// `RelationGroup`.
const GROUP: u32 = 4;
/// `RelationAll`.
const ALL: u32 = 0xffff;
/// `ALL_PROCESSOR_GROUPS`.
const ALL_GROUPS: u16 = 0xffff;

/// Lists what there is: relationship and mask of processors.
fn relations(guest: &Guest) -> Vec<(u32, u64)> {
    let mask = sysinfo::processors(guest.machine());
    let cores = (0..64).filter(|bit| mask & 1 << bit != 0).map(|bit| (CORE, 1 << bit));
    cores.chain([(NODE, mask), (PACKAGE, mask)]).collect()
}

/// Copies `bytes` where the guest says how much room there is; stores how much is needed.
fn deliver(guest: &Guest, buffer: GuestWord, length: GuestWord, bytes: &[u8]) -> Result<Bool, Win32Error> {
    let room = guest.read_u32(length.get())?;
    guest.write(length.get(), &(bytes.len() as u32))?;
    if buffer.is_null() || (room as usize) < bytes.len() {
        return Err(Win32Error::INSUFFICIENT_BUFFER);
    }
    guest.write_bytes(buffer.get(), bytes)?;
    Ok(TRUE)
}

/// Describes the processors: an array of `SYSTEM_LOGICAL_PROCESSOR_INFORMATION`.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/sysinfoapi/nf-sysinfoapi-getlogicalprocessorinformation>
#[winapi]
pub fn GetLogicalProcessorInformation(
    guest: &mut Guest,
    Buffer: GuestWord,
    ReturnedLength: GuestWord,
) -> Result<Bool, Win32Error> {
    let word = guest.machine().pointer_size() as usize;
    let mut bytes = Vec::new();
    for (relationship, mask) in relations(guest) {
        bytes.extend(&mask.to_le_bytes()[..word]);
        bytes.extend(relationship.to_le_bytes());
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        // The union: a core's flags or a node's number, zero both.
        bytes.extend([0; 16]);
    }
    deliver(guest, Buffer, ReturnedLength, &bytes)
}

/// Appends a `GROUP_AFFINITY` of group 0.
fn push_affinity(guest: &Guest, bytes: &mut Vec<u8>, mask: u64) {
    bytes.extend(&mask.to_le_bytes()[..guest.machine().pointer_size() as usize]);
    bytes.extend([0; 8]);
}

/// Appends one `SYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX`.
fn push_relation(guest: &Guest, bytes: &mut Vec<u8>, relationship: u32, mask: u64) {
    let start = bytes.len();
    bytes.extend(relationship.to_le_bytes());
    bytes.extend([0; 4]);
    match relationship {
        GROUP => {
            // One group at most, one active; then its counts and its mask.
            bytes.extend([1, 0, 1, 0]);
            bytes.extend([0; 20]);
            let count = mask.count_ones() as u8;
            bytes.extend([count, count]);
            bytes.extend([0; 38]);
            bytes.extend(&mask.to_le_bytes()[..guest.machine().pointer_size() as usize]);
        }
        NODE => {
            bytes.extend([0; 4]);
            bytes.extend([0; 18]);
            bytes.extend(1u16.to_le_bytes());
            push_affinity(guest, bytes, mask);
        }
        _ => {
            // Flags, efficiency class, reserved, then one group.
            bytes.extend([0; 22]);
            bytes.extend(1u16.to_le_bytes());
            push_affinity(guest, bytes, mask);
        }
    }
    let size = (bytes.len() - start) as u32;
    bytes[start + 4..start + 8].copy_from_slice(&size.to_le_bytes());
}

/// Describes the processors: records of different sizes.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/sysinfoapi/nf-sysinfoapi-getlogicalprocessorinformationex>
#[winapi]
pub fn GetLogicalProcessorInformationEx(
    guest: &mut Guest,
    RelationshipType: u32,
    Buffer: GuestWord,
    ReturnedLength: GuestWord,
) -> Result<Bool, Win32Error> {
    let mask = sysinfo::processors(guest.machine());
    let mut bytes = Vec::new();
    for (relationship, mask) in relations(guest).into_iter().chain([(GROUP, mask)]) {
        if RelationshipType == ALL || RelationshipType == relationship {
            push_relation(guest, &mut bytes, relationship, mask);
        }
    }
    deliver(guest, Buffer, ReturnedLength, &bytes)
}

fn count(guest: &Guest, group: u16) -> u32 {
    match group {
        0 | ALL_GROUPS => sysinfo::processors(guest.machine()).count_ones(),
        _ => 0,
    }
}

/// Returns the number of processors that a group may have.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-getmaximumprocessorcount>
#[winapi]
pub fn GetMaximumProcessorCount(guest: &mut Guest, GroupNumber: u16) -> u32 {
    count(guest, GroupNumber)
}

/// Returns the number of groups in use: one.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-getactiveprocessorgroupcount>
#[winapi]
pub fn GetActiveProcessorGroupCount(guest: &mut Guest) -> u16 {
    let _ = guest;
    1
}

/// Returns the number of groups that there may be: one.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-getmaximumprocessorgroupcount>
#[winapi]
pub fn GetMaximumProcessorGroupCount(guest: &mut Guest) -> u16 {
    let _ = guest;
    1
}

/// Stores the number of the last node: zero.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/systemtopologyapi/nf-systemtopologyapi-getnumahighestnodenumber>
#[winapi]
pub fn GetNumaHighestNodeNumber(guest: &mut Guest, HighestNodeNumber: GuestWord) -> Result<Bool, Win32Error> {
    guest.write(HighestNodeNumber.get(), &0u32)?;
    Ok(TRUE)
}
/// Returns the number of the processor that the thread runs on.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getcurrentprocessornumber>
#[winapi]
pub fn GetCurrentProcessorNumber(guest: &mut Guest) -> u32 {
    let _ = guest;
    plat_host::sysinfo::current_processor()
}

/// Stores group and number of the processor that the thread runs on; a `PROCESSOR_NUMBER`.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getcurrentprocessornumberex>
#[winapi]
pub fn GetCurrentProcessorNumberEx(guest: &mut Guest, ProcNumber: GuestWord) -> Result<(), Fault> {
    let [number, ..] = plat_host::sysinfo::current_processor().to_le_bytes();
    guest.write_bytes(ProcNumber.get(), &[0, 0, number, 0])
}

/// Makes every thread's writes visible to the others.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-flushprocesswritebuffers>
#[winapi]
pub fn FlushProcessWriteBuffers(guest: &mut Guest) {
    let _ = guest;
    plat_host::sysinfo::flush_write_buffers();
}
