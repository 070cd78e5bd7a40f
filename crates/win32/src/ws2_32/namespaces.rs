//! winsock2.h: providers of names and protocols as such: there is one for names, DNS, and it never changes.

use plat_abi::{GuestWord, Memory, winapi};

use super::{Answer, DONE, WsaError};
use crate::NtStatus;
use crate::dll;
use crate::export::Export;
use crate::guest::{Guest, OrMinusOne};
use crate::logic::winsock::error::*;
use crate::widths::both_widths;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full WSAEnumNameSpaceProvidersA;
    full WSAEnumNameSpaceProvidersW;
    partial WSALookupServiceBeginA, "no queries: machines are asked for with getaddrinfo";
    partial WSALookupServiceBeginW, "no queries: machines are asked for with getaddrinfo";
    full WSALookupServiceNextA;
    full WSALookupServiceNextW;
    full WSALookupServiceEnd;
    full WSANSPIoctl;
    full WSAProviderConfigChange;
};

/// DNS's provider: `NS_DNS`, its GUID and its name.
const NS_DNS: u32 = 12;
const DNS_GUID: [u8; 16] =
    [0x40, 0x9d, 0x05, 0x22, 0x9e, 0x7e, 0xcf, 0x11, 0xae, 0x5a, 0x00, 0xaa, 0x00, 0xa7, 0x11, 0x2b];
const DNS_NAME: &str = "Tcpip";
const IS_ACTIVE: u32 = 1;

both_widths! {
    /// Tells the providers of names; returns how many.
    "winsock2/nf-winsock2-wsaenumnamespaceproviders"
    WSAEnumNameSpaceProvidersA, WSAEnumNameSpaceProvidersW(guest, width, lpdwBufferLength: GuestWord,
        lpnspBuffer: GuestWord) -> Answer {
        guest.process().network.check()?;
        // WSANAMESPACE_INFO: GUID, kind, whether it is active, version, pointer to the name.
        let word = guest.machine().pointer_size();
        let name_at = 28_u64.next_multiple_of(word);
        let units = DNS_NAME.encode_utf16().chain([0]);
        let name: Vec<u8> =
            units.flat_map(|unit| unit.to_le_bytes().into_iter().take(width.unit_bytes())).collect();
        let size = name_at + word + name.len() as u64;
        if u64::from(guest.read_u32(lpdwBufferLength.0)?) < size || lpnspBuffer.is_null() {
            guest.write(lpdwBufferLength.0, &(size as u32))?;
            return Err(WSAEFAULT.into());
        }
        guest.write_bytes(lpnspBuffer.0, &DNS_GUID)?;
        guest.write(lpnspBuffer.0 + 16, &[NS_DNS, IS_ACTIVE, 0])?;
        guest.write_word(lpnspBuffer.0 + name_at, lpnspBuffer.0 + name_at + word)?;
        guest.write_bytes(lpnspBuffer.0 + name_at + word, &name)?;
        Ok(OrMinusOne(1))
    }

    /// Begins a query of any provider: no provider answers general queries.
    "winsock2/nf-winsock2-wsalookupservicebegin"
    WSALookupServiceBeginA, WSALookupServiceBeginW(guest, width, lpqsRestrictions: GuestWord, dwControlFlags: u32,
        lphLookup: GuestWord) -> Answer {
        let _ = (width, dwControlFlags);
        guest.process().network.check()?;
        if lpqsRestrictions.is_null() || lphLookup.is_null() {
            return Err(WSAEFAULT.into());
        }
        Err(WSASERVICE_NOT_FOUND.into())
    }

    /// Tells the next answer of a query: none was begun.
    "winsock2/nf-winsock2-wsalookupservicenext"
    WSALookupServiceNextA, WSALookupServiceNextW(guest, width, hLookup: GuestWord, dwControlFlags: u32,
        lpdwBufferLength: GuestWord, lpqsResults: GuestWord) -> Answer {
        let _ = (width, hLookup, dwControlFlags, lpdwBufferLength, lpqsResults);
        guest.process().network.check()?;
        Err(WSA_INVALID_HANDLE.into())
    }
}

/// Ends a query: none was begun.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsalookupserviceend>
#[winapi]
pub fn WSALookupServiceEnd(guest: &mut Guest, hLookup: GuestWord) -> Answer {
    let _ = hLookup;
    guest.process().network.check()?;
    Err(WSA_INVALID_HANDLE.into())
}

/// Controls a query: none was begun.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsanspioctl>
#[winapi]
pub fn WSANSPIoctl(
    guest: &mut Guest,
    hLookup: GuestWord,
    dwControlCode: u32,
    lpvInBuffer: GuestWord,
    cbInBuffer: u32,
    lpvOutBuffer: GuestWord,
    cbOutBuffer: u32,
    lpcbBytesReturned: GuestWord,
    lpCompletion: GuestWord,
) -> Answer {
    let _ = (hLookup, dwControlCode, lpvInBuffer, cbInBuffer, lpvOutBuffer, cbOutBuffer);
    let _ = (lpcbBytesReturned, lpCompletion);
    guest.process().network.check()?;
    Err(WSA_INVALID_HANDLE.into())
}

/// Asks to be told when protocols change: the first call begins it, the next ones wait for what never happens.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsaproviderconfigchange>
#[winapi]
pub fn WSAProviderConfigChange(
    guest: &mut Guest,
    lpNotificationHandle: GuestWord,
    lpOverlapped: GuestWord,
    lpCompletionRoutine: GuestWord,
) -> Answer {
    /// Any number that is no handle.
    const NOTIFICATION: u64 = 2;
    let _ = lpCompletionRoutine;
    guest.process().network.check()?;
    match guest.read_word(lpNotificationHandle.0)? {
        0 => {
            guest.write_word(lpNotificationHandle.0, NOTIFICATION)?;
            Ok(DONE)
        }
        // A wait in the call would never end: Windows' own answer where it cannot be made.
        NOTIFICATION if lpOverlapped.is_null() => Err(WsaError(WSAEOPNOTSUPP)),
        NOTIFICATION => {
            guest.write_word(lpOverlapped.0, u64::from(NtStatus::PENDING.0))?;
            Err(WSA_IO_PENDING.into())
        }
        _ => Err(WSA_INVALID_HANDLE.into()),
    }
}
