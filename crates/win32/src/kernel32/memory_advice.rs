//! memoryapi.h: what programs say about memory that they want soon, do not want now, or want no more.
//!
//! Offered pages keep their contents here: nothing takes them away, and taking them back says so.

use plat_abi::{GuestWord, Memory, winapi};
use plat_regions::windows::{AllocationType, PageProtection, State};
use plat_regions::{Address, PAGE_SIZE};

use super::memoryapi::{OWN, VirtualAlloc, VirtualUnlock};
use crate::Win32Error;
use crate::advapi32::registry::LStatus;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial PrefetchVirtualMemory, "checks its arguments, and reads nothing ahead";
    partial OfferVirtualMemory, "checks the range; the contents stay";
    partial ReclaimVirtualMemory, "checks the range; the contents are always still there";
    full DiscardVirtualMemory;
    partial VirtualUnlockEx, "of the own process";
};

/// Accepts that ranges will be read soon; whether anything lies there is not looked at, as on Windows.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-prefetchvirtualmemory>
#[winapi]
pub fn PrefetchVirtualMemory(
    guest: &mut Guest,
    hProcess: GuestWord,
    NumberOfEntries: GuestWord,
    VirtualAddresses: GuestWord,
    Flags: u32,
) -> Result<Bool, Win32Error> {
    let _ = hProcess;
    if NumberOfEntries.is_null() || VirtualAddresses.is_null() || Flags != 0 {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let pointer = guest.machine().pointer_size();
    let last = (NumberOfEntries.get() - 1).checked_mul(2 * pointer);
    let last = last.and_then(|offset| VirtualAddresses.get().checked_add(offset));
    guest.read_word(last.ok_or(Win32Error::INVALID_PARAMETER)?)?;
    Ok(TRUE)
}

/// Checks that a range is whole pages of private memory that can be written, which is all that can be offered.
fn check_own_pages(guest: &Guest, address: GuestWord, size: GuestWord) -> Result<(), Win32Error> {
    let (start, size) = (address.get(), size.get());
    let end = start.checked_add(size).filter(|&end| end > start && (start | size).is_multiple_of(PAGE_SIZE));
    let end = end.ok_or(Win32Error::INVALID_PARAMETER)?;
    let books = guest.process().memory.books();
    let mut at = start;
    while at < end {
        let run = books.query(Address::new(at)).filter(|run| run.state == State::Commit);
        let run = run.filter(|run| run.protection == PageProtection::READWRITE);
        let run = run.ok_or(Win32Error::INVALID_PARAMETER)?;
        at = run.base.get().saturating_add(run.size);
    }
    Ok(())
}

/// Says that a range is not needed for now.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-offervirtualmemory>
#[winapi]
pub fn OfferVirtualMemory(
    guest: &mut Guest,
    VirtualAddress: GuestWord,
    Size: GuestWord,
    Priority: u32,
) -> LStatus {
    if !(1..=4).contains(&Priority) {
        return LStatus(Err(Win32Error::INVALID_PARAMETER));
    }
    LStatus(check_own_pages(guest, VirtualAddress, Size))
}

/// Takes back what was offered.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-reclaimvirtualmemory>
#[winapi]
pub fn ReclaimVirtualMemory(guest: &mut Guest, VirtualAddress: GuestWord, Size: GuestWord) -> LStatus {
    LStatus(check_own_pages(guest, VirtualAddress, Size))
}

/// Says that the contents of a range are of no interest any more; the pages stay.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-discardvirtualmemory>
#[winapi]
pub fn DiscardVirtualMemory(guest: &mut Guest, VirtualAddress: GuestWord, Size: GuestWord) -> LStatus {
    let kind = AllocationType::RESET.bits();
    let discarded = check_own_pages(guest, VirtualAddress, Size)
        .and_then(|()| VirtualAlloc(guest, VirtualAddress, Size, kind, PageProtection::READWRITE.bits()));
    LStatus(discarded.map(drop))
}

/// Lets pages go that were kept in memory.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-virtualunlockex>
#[winapi]
pub fn VirtualUnlockEx(
    guest: &mut Guest,
    Process: GuestWord,
    Address: GuestWord,
    Size: GuestWord,
) -> Result<Bool, Win32Error> {
    if Process != OWN {
        return Err(Win32Error::NOT_SUPPORTED);
    }
    VirtualUnlock(guest, Address, Size)
}
