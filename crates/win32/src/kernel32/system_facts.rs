//! sysinfoapi.h, memoryapi.h: the product, the memory that is built in, notices of scarce memory, setting the clock.

use std::sync::Arc;

use plat_abi::{GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::answers::answers;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::event::Event;
use crate::nt::handle::HandleFlags;
use crate::nt::object::ObjectKind;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial CreateMemoryResourceNotification, "asked, it says what is; a wait is told what was when it was made";
    full GetPhysicallyInstalledSystemMemory;
    full GetProductInfo;
    full QueryMemoryResourceNotification;
    partial SetLocalTime, "refused: a program may not set the machine's clock";
    partial SetSystemTimeAdjustment, "refused: a program may not set the machine's clock";
    partial SetSystemTime, "refused: a program may not set the machine's clock";
};

/// Returns what kind of product the system is: Windows 10 Pro.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/sysinfoapi/nf-sysinfoapi-getproductinfo>
#[winapi]
pub fn GetProductInfo(
    guest: &mut Guest,
    dwOSMajorVersion: u32,
    dwOSMinorVersion: u32,
    dwSpMajorVersion: u32,
    dwSpMinorVersion: u32,
    pdwReturnedProductType: GuestWord,
) -> Result<Bool, Win32Error> {
    /// `PRODUCT_PROFESSIONAL`, and `PRODUCT_UNDEFINED` for a caller that knows no version with products.
    const PROFESSIONAL: u32 = 0x30;
    const VISTA: u32 = 6;
    let _ = (dwOSMinorVersion, dwSpMajorVersion, dwSpMinorVersion);
    if pdwReturnedProductType.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let product = if dwOSMajorVersion < VISTA { 0 } else { PROFESSIONAL };
    guest.write(pdwReturnedProductType.get(), &product)?;
    if product == 0 { Err(Win32Error::INVALID_PARAMETER) } else { Ok(TRUE) }
}

/// Returns the memory that the machine has in KiB.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/sysinfoapi/nf-sysinfoapi-getphysicallyinstalledsystemmemory>
#[winapi]
pub fn GetPhysicallyInstalledSystemMemory(
    guest: &mut Guest,
    TotalMemoryInKilobytes: GuestWord,
) -> Result<Bool, Win32Error> {
    if TotalMemoryInKilobytes.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    guest.write(TotalMemoryInKilobytes.get(), &(plat_host::sysinfo::memory_status().total / 1024))?;
    Ok(TRUE)
}

/// Says whether memory is scarce (`LowMemoryResourceNotification`, 0) or ample (1): less than a 32nd, more than a tenth is
/// available.
fn is_so(kind: u32) -> bool {
    let memory = plat_host::sysinfo::memory_status();
    if kind == 0 { memory.available < memory.total / 32 } else { memory.available > memory.total / 10 }
}

/// Makes an object that says whether memory is scarce or ample.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-creatememoryresourcenotification>
#[winapi]
pub fn CreateMemoryResourceNotification(
    guest: &mut Guest,
    NotificationType: u32,
) -> Result<GuestWord, Win32Error> {
    /// `SYNCHRONIZE` and `MEMORY_RESOURCE_QUERY_ONLY`.
    const ACCESS: u32 = 0x10_0001;
    if NotificationType > 1 {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let notice =
        Arc::new(MemoryNotice { kind: NotificationType, event: Event::new(true, is_so(NotificationType)) });
    Ok(GuestWord(guest.process().handles.insert(notice, ACCESS, HandleFlags::empty())))
}

/// Whether memory is scarce or ample.
struct MemoryNotice {
    kind: u32,
    event: Arc<Event>,
}

impl crate::nt::object::Object for MemoryNotice {
    fn kind(&self) -> ObjectKind {
        ObjectKind::MemoryNotice
    }

    fn waitable(&self) -> Option<&dyn crate::nt::wait::Waitable> {
        self.event.waitable()
    }
}

/// Says whether what the object is for is so now.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-querymemoryresourcenotification>
#[winapi]
pub fn QueryMemoryResourceNotification(
    guest: &mut Guest,
    ResourceNotificationHandle: GuestWord,
    ResourceState: GuestWord,
) -> Result<Bool, Win32Error> {
    let notice = guest.object::<MemoryNotice>(ResourceNotificationHandle)?;
    guest.write(ResourceState.get(), &u32::from(is_so(notice.kind)))?;
    Ok(TRUE)
}

answers! {
    "Refuses to set the clock, as Windows does without `SeSystemtimePrivilege`." -> Result<Bool, Win32Error> = Err(Win32Error::PRIVILEGE_NOT_HELD) => {
        "sysinfoapi/nf-sysinfoapi-setsystemtime" SetSystemTime(lpSystemTime: GuestWord);
        "sysinfoapi/nf-sysinfoapi-setlocaltime" SetLocalTime(lpSystemTime: GuestWord);
        "sysinfoapi/nf-sysinfoapi-setsystemtimeadjustment"
        SetSystemTimeAdjustment(dwTimeAdjustment: u32, bTimeAdjustmentDisabled: Bool);
    }
}
