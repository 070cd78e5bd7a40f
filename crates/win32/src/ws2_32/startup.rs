//! winsock2.h: beginning and end, the last error, the order of bytes.

use plat_abi::{GuestWord, Memory, winapi};

use super::{Answer, DONE, WsaError};
use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, FALSE, Guest, OrMinusOne};
use crate::logic::winsock::error::*;
use crate::nt::socket::Socket;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    @115 full WSAStartup;
    @116 full WSACleanup;
    @111 forward WSAGetLastError => "kernel32.GetLastError";
    @112 full WSASetLastError;
    @114 full WSAIsBlocking;
    @113 full WSACancelBlockingCall;
    @109 full WSASetBlockingHook;
    @110 full WSAUnhookBlockingHook;
    @8 full htonl;
    @9 full htons;
    @14 full ntohl;
    @15 full ntohs;
    full WSAHtonl;
    full WSAHtons;
    full WSANtohl;
    full WSANtohs;
};

const VERSION_HIGH: u16 = 0x0202;
const DESCRIPTION: &[u8] = b"WinSock 2.0\0";
const STATUS: &[u8] = b"Running\0";
const DESCRIPTION_SIZE: usize = 257;
const STATUS_SIZE: usize = 129;
/// `iMaxSockets` and `iMaxUdpDg`, which mean nothing to programs of version 2.
const OLD_LIMITS: [u16; 2] = [0x7fff, 65467];

/// Begins the use of Winsock, of any version up to 2.2.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock/nf-winsock-wsastartup>
#[winapi]
pub fn WSAStartup(guest: &mut Guest, wVersionRequested: u16, lpWSAData: GuestWord) -> u32 {
    match start(guest, wVersionRequested, lpWSAData) {
        Ok(()) => 0,
        Err(error) => error.0.0,
    }
}

fn start(guest: &Guest, wanted: u16, data: GuestWord) -> Result<(), WsaError> {
    let (major, minor) = (wanted & 0xff, wanted >> 8);
    if data.is_null() {
        return Err(WSAEFAULT.into());
    }
    if major == 0 {
        return Err(WSAVERNOTSUPPORTED.into());
    }
    let version = match (major, minor) {
        (1, 0 | 1) | (2, 0..=2) => wanted,
        (1, _) => 0x0101,
        _ => VERSION_HIGH,
    };
    let padded = |text: &[u8], size: usize| {
        let mut bytes = text.to_vec();
        bytes.resize(size, 0);
        bytes
    };
    let texts = [padded(DESCRIPTION, DESCRIPTION_SIZE), padded(STATUS, STATUS_SIZE)].concat();
    let limits: [u16; 2] = if major == 1 { OLD_LIMITS } else { [0; 2] };
    let limits: Vec<u8> = limits.iter().flat_map(|limit| limit.to_le_bytes()).collect();
    let mut bytes: Vec<u8> = [version.to_le_bytes(), VERSION_HIGH.to_le_bytes()].concat();
    // WSADATA: in 64 bits the numbers and the pointer come before the texts.
    if guest.machine().is_64() {
        bytes.extend(&limits);
        bytes.extend([0; 8]);
        bytes.extend(&texts);
    } else {
        bytes.extend(&texts);
        bytes.extend(&limits);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes.extend([0; 4]);
    }
    guest.write_bytes(data.0, &bytes)?;
    guest.process().network.start();
    Ok(())
}

/// Takes one `WSAStartup` back.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock/nf-winsock-wsacleanup>
#[winapi]
pub fn WSACleanup(guest: &mut Guest) -> Answer {
    guest.process().network.stop()?;
    Ok(DONE)
}

/// Sets the thread's last error.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock/nf-winsock-wsasetlasterror>
#[winapi]
pub fn WSASetLastError(guest: &mut Guest, iError: i32) {
    guest.set_last_error(Win32Error(iError as u32));
}

/// Says that no call of version 1 blocks.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsaisblocking>
#[winapi]
pub fn WSAIsBlocking(guest: &mut Guest) -> Bool {
    let _ = guest;
    FALSE
}

/// Ends nothing: Winsock 2 cannot.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsacancelblockingcall>
#[winapi]
pub fn WSACancelBlockingCall(guest: &mut Guest) -> Answer {
    guest.process().network.check()?;
    Err(WSAEOPNOTSUPP.into())
}

/// Sets no hook: Winsock 2 has none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsasetblockinghook>
#[winapi]
pub fn WSASetBlockingHook(guest: &mut Guest, lpBlockFunc: GuestWord) -> Result<GuestWord, WsaError> {
    let _ = lpBlockFunc;
    guest.process().network.check()?;
    Err(WSAEOPNOTSUPP.into())
}

/// Removes no hook: Winsock 2 has none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsaunhookblockinghook>
#[winapi]
pub fn WSAUnhookBlockingHook(guest: &mut Guest) -> Answer {
    guest.process().network.check()?;
    Err(WSAEOPNOTSUPP.into())
}

macro_rules! byte_orders {
    ($($(#[$doc:meta])* $name:ident($value:ident: $type:ty);)*) => {$(
        $(#[$doc])*
        #[winapi]
        pub fn $name(guest: &mut Guest, $value: $type) -> u32 {
            let _ = guest;
            u32::from($value.swap_bytes())
        }
    )*};
}

byte_orders! {
    /// Puts a number into the network's order of bytes.
    ///
    /// Source: <https://learn.microsoft.com/windows/win32/api/winsock/nf-winsock-htonl>
    htonl(hostlong: u32);
    /// Puts a number into the network's order of bytes.
    ///
    /// Source: <https://learn.microsoft.com/windows/win32/api/winsock/nf-winsock-htons>
    htons(hostshort: u16);
    /// Puts a number into the machine's order of bytes.
    ///
    /// Source: <https://learn.microsoft.com/windows/win32/api/winsock/nf-winsock-ntohl>
    ntohl(netlong: u32);
    /// Puts a number into the machine's order of bytes.
    ///
    /// Source: <https://learn.microsoft.com/windows/win32/api/winsock/nf-winsock-ntohs>
    ntohs(netshort: u16);
}

/// Stores a number in the order of bytes of the socket's protocol, which is always the network's.
fn store(guest: &Guest, socket: GuestWord, bytes: &[u8], at: GuestWord) -> Answer {
    Socket::find(guest.process(), socket.0)?;
    guest.write_bytes(at.0, bytes)?;
    Ok(OrMinusOne(0))
}

macro_rules! socket_byte_orders {
    ($($(#[$doc:meta])* $name:ident($value:ident: $type:ty, $to:ident);)*) => {$(
        $(#[$doc])*
        #[winapi]
        pub fn $name(guest: &mut Guest, s: GuestWord, $value: $type, $to: GuestWord) -> Answer {
            store(guest, s, &$value.to_be_bytes(), $to)
        }
    )*};
}

socket_byte_orders! {
    /// Puts a number into the order of bytes of the socket's protocol.
    ///
    /// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsahtonl>
    WSAHtonl(hostlong: u32, lpnetlong);
    /// Puts a number into the order of bytes of the socket's protocol.
    ///
    /// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsahtons>
    WSAHtons(hostshort: u16, lpnetshort);
    /// Puts a number into the machine's order of bytes.
    ///
    /// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsantohl>
    WSANtohl(netlong: u32, lphostlong);
    /// Puts a number into the machine's order of bytes.
    ///
    /// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsantohs>
    WSANtohs(netshort: u16, lphostshort);
}
