//! netioapi.h, iphlpapi.h: being told of changes. The network is not watched: registrations are real and never fire, but
//! for the first call that some ask for.

use plat_abi::{GuestWord, Memory, winapi};

use super::code;
use crate::alike::alike;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, FALSE, Guest};
use crate::{NtStatus, Win32Error};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial NotifyIpInterfaceChange, "changes are not seen";
    partial NotifyUnicastIpAddressChange, "changes are not seen";
    partial NotifyRouteChange2, "changes are not seen";
    full CancelMibChangeNotify2;
    partial NotifyAddrChange, "changes are not seen";
    partial NotifyRouteChange, "changes are not seen";
    full CancelIPChangeNotify;
};

/// `MibInitialNotification`.
const INITIAL: u64 = 3;

/// Registers: stores a handle that is a block of its own, and makes the first call where it is wanted.
fn register(guest: &mut Guest, callback: u64, context: u64, is_initial: u8, place: GuestWord) -> u32 {
    if callback == 0 {
        return Win32Error::INVALID_PARAMETER.0;
    }
    let Some(block) = guest.process().heaps.allocate(0, 16, true) else {
        return Win32Error::NOT_ENOUGH_MEMORY.0;
    };
    if guest.write_word(place.0, block).is_err() {
        guest.process().heaps.free(0, block);
        return Win32Error::INVALID_PARAMETER.0;
    }
    if is_initial != 0 {
        // A callback that faults has told the program already.
        let _ = guest.call(callback, &[context, 0, INITIAL]);
    }
    0
}

alike! {
    fn(guest;
        Family: u16, Callback: GuestWord, CallerContext: GuestWord, InitialNotification: u8,
        NotificationHandle: GuestWord
    ) -> u32 {
        let _ = Family;
        register(guest, Callback.0, CallerContext.0, InitialNotification, NotificationHandle)
    }

    /// Asks to be told when an interface changes.
    "netioapi/nf-netioapi-notifyipinterfacechange"
    NotifyIpInterfaceChange;

    /// Asks to be told when an address changes.
    "netioapi/nf-netioapi-notifyunicastipaddresschange"
    NotifyUnicastIpAddressChange;

    /// Asks to be told when a route changes.
    "netioapi/nf-netioapi-notifyroutechange2"
    NotifyRouteChange2(AddressFamily, Callback, CallerContext, InitialNotification, NotificationHandle);
}

/// Ends a registration.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/netioapi/nf-netioapi-cancelmibchangenotify2>
#[winapi]
pub fn CancelMibChangeNotify2(guest: &mut Guest, NotificationHandle: GuestWord) -> u32 {
    if NotificationHandle.is_null() {
        return Win32Error::INVALID_PARAMETER.0;
    }
    guest.process().heaps.free(0, NotificationHandle.0);
    0
}

/// Marks an OVERLAPPED as pending for ever; a call that would wait for ever is refused.
fn pend(guest: &Guest, handle: GuestWord, overlapped: GuestWord) -> u32 {
    if overlapped.is_null() {
        return Win32Error::NOT_SUPPORTED.0;
    }
    let store = || {
        guest.write_word(overlapped.0, u64::from(NtStatus::PENDING.0))?;
        if handle.is_null() { Ok(()) } else { guest.write_word(handle.0, overlapped.0) }
    };
    let stored: Result<(), plat_abi::Fault> = store();
    match stored {
        Ok(()) => Win32Error::IO_PENDING.0,
        Err(_) => code(Err(Win32Error::INVALID_PARAMETER)),
    }
}

alike! {
    fn(guest; Handle: GuestWord, overlapped: GuestWord) -> u32 {
        pend(guest, Handle, overlapped)
    }

    /// Asks to be told when an address of IPv4 changes.
    "iphlpapi/nf-iphlpapi-notifyaddrchange"
    NotifyAddrChange;

    /// Asks to be told when a route of IPv4 changes.
    "iphlpapi/nf-iphlpapi-notifyroutechange"
    NotifyRouteChange;
}

/// Ends what `NotifyAddrChange` or `NotifyRouteChange` began.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/iphlpapi/nf-iphlpapi-cancelipchangenotify>
#[winapi]
pub fn CancelIPChangeNotify(guest: &mut Guest, notifyOverlapped: GuestWord) -> Bool {
    let is_pending = guest.read_u32(notifyOverlapped.0) == Ok(NtStatus::PENDING.0);
    if !is_pending {
        return FALSE;
    }
    Bool(guest.write_word(notifyOverlapped.0, u64::from(NtStatus::CANCELLED.0)).is_ok())
}
