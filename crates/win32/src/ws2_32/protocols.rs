//! winsock2.h: the protocols that there are: TCP and UDP, over IPv4 and IPv6.

use plat_abi::{GuestWord, Memory, winapi};

use super::{Answer, WsaError};
use crate::dll;
use crate::export::Export;
use crate::guest::{Guest, OrMinusOne};
use crate::logic::winsock::address::{AF_INET, AF_INET6, SIZE_V4, SIZE_V6};
use crate::logic::winsock::error::*;
use crate::nt::socket::{SOCK_DGRAM, SOCK_STREAM, SocketEnd};
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full WSAEnumProtocolsA;
    full WSAEnumProtocolsW;
    full WSCEnumProtocols;
};

/// One row of the catalogue.
struct Row {
    family: u16,
    kind: i32,
    protocol: i32,
    entry: u32,
    name: &'static str,
}

const ROWS: [Row; 4] = [
    Row { family: AF_INET, kind: SOCK_STREAM, protocol: 6, entry: 1001, name: "MSAFD Tcpip [TCP/IP]" },
    Row { family: AF_INET, kind: SOCK_DGRAM, protocol: 17, entry: 1002, name: "MSAFD Tcpip [UDP/IP]" },
    Row { family: AF_INET6, kind: SOCK_STREAM, protocol: 6, entry: 1004, name: "MSAFD Tcpip [TCP/IPv6]" },
    Row { family: AF_INET6, kind: SOCK_DGRAM, protocol: 17, entry: 1005, name: "MSAFD Tcpip [UDP/IPv6]" },
];

/// The providers' GUIDs, for IPv4 and IPv6.
const PROVIDERS: [[u8; 16]; 2] = [
    [0xa0, 0x1a, 0x0f, 0xe7, 0x8b, 0xab, 0xcf, 0x11, 0x8c, 0xa3, 0x00, 0x80, 0x5f, 0x48, 0xa1, 0x92],
    [0xc0, 0xb0, 0xea, 0xf9, 0xd4, 0x26, 0xd0, 0x11, 0xbb, 0xbf, 0x00, 0xaa, 0x00, 0x6c, 0x34, 0xe4],
];

/// `XP1_GUARANTEED_DELIVERY`, `_ORDER`, `_GRACEFUL_CLOSE`, `_EXPEDITED_DATA`, `_IFS_HANDLES`.
const STREAM_FLAGS: u32 = 0x2_0066;
/// `XP1_CONNECTIONLESS`, `_MESSAGE_ORIENTED`, `_SUPPORT_BROADCAST`, `_SUPPORT_MULTIPOINT`, `_IFS_HANDLES`.
const DATAGRAM_FLAGS: u32 = 0x2_0609;
/// `PFL_MATCHES_PROTOCOL_ZERO`.
const MATCHES_ZERO: u32 = 8;
const DATAGRAM_MAX: u32 = 65_467;
/// Where `dwProviderReserved` lies: the handle of a socket that was duplicated.
pub(super) const RESERVED_AT: u64 = 112;
/// `WSAPROTOCOL_LEN` and the zero.
const NAME_UNITS: usize = 256;

impl Row {
    /// Lays out a WSAPROTOCOL_INFO.
    ///
    /// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/ns-winsock2-wsaprotocol_infow>
    fn bytes(&self, is_wide: bool) -> Vec<u8> {
        let is_stream = self.kind == SOCK_STREAM;
        let is_v6 = self.family == AF_INET6;
        let flags = if is_stream { STREAM_FLAGS } else { DATAGRAM_FLAGS };
        let size = if is_v6 { SIZE_V6 } else { SIZE_V4 } as u32;
        let mut bytes: Vec<u8> =
            [flags, 0, 0, 0, MATCHES_ZERO].into_iter().flat_map(u32::to_le_bytes).collect();
        bytes.extend(PROVIDERS[usize::from(is_v6)]);
        // The chain: a base protocol's has the length 1.
        let chain = [self.entry, 1, 0, 0, 0, 0, 0, 0, 0];
        let message = if is_stream { 0 } else { DATAGRAM_MAX };
        let version = 2;
        let rest = [
            version,
            u32::from(self.family),
            size,
            size,
            self.kind as u32,
            self.protocol as u32,
            0,
            0,
            0,
            message,
            0,
        ];
        bytes.extend(chain.into_iter().chain(rest).flat_map(u32::to_le_bytes));
        let end = bytes.len() + NAME_UNITS * if is_wide { 2 } else { 1 };
        if is_wide {
            bytes.extend(self.name.encode_utf16().flat_map(u16::to_le_bytes));
        } else {
            bytes.extend(self.name.bytes());
        }
        bytes.resize(end, 0);
        bytes
    }
}

/// Describes a socket's protocol.
pub(super) fn describe(end: &SocketEnd, is_wide: bool) -> Option<Vec<u8>> {
    let row = ROWS.iter().find(|row| (row.family, row.kind) == (end.family, end.kind))?;
    Some(row.bytes(is_wide))
}

fn enumerate(
    guest: &Guest,
    wanted: GuestWord,
    buffer: GuestWord,
    length: GuestWord,
    is_wide: bool,
) -> Answer {
    guest.process().network.check()?;
    let mut protocols = Vec::new();
    while !wanted.is_null() {
        match guest.read_u32(wanted.0 + protocols.len() as u64 * 4)? as i32 {
            0 => break,
            protocol => protocols.push(protocol),
        }
    }
    let is_wanted = |row: &&Row| wanted.is_null() || protocols.contains(&row.protocol);
    let found: Vec<Vec<u8>> = ROWS.iter().filter(is_wanted).map(|row| row.bytes(is_wide)).collect();
    let bytes = found.concat();
    let room = guest.read_u32(length.0)?;
    if (room as usize) < bytes.len() || buffer.is_null() {
        guest.write(length.0, &(bytes.len() as u32))?;
        return Err(WsaError(WSAENOBUFS));
    }
    guest.write_bytes(buffer.0, &bytes)?;
    Ok(OrMinusOne(found.len() as u32))
}

both_widths! {
    /// Tells the protocols that there are, or those of a list.
    "winsock2/nf-winsock2-wsaenumprotocols"
    WSAEnumProtocolsA, WSAEnumProtocolsW(guest, width, lpiProtocols: GuestWord, lpProtocolBuffer: GuestWord,
        lpdwBufferLength: GuestWord) -> Answer {
        enumerate(guest, lpiProtocols, lpProtocolBuffer, lpdwBufferLength, width == Width::Wide)
    }
}

/// Tells the protocols that there are, or those of a list; an error is stored rather than set.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ws2spi/nf-ws2spi-wscenumprotocols>
#[winapi]
pub fn WSCEnumProtocols(
    guest: &mut Guest,
    lpiProtocols: GuestWord,
    lpProtocolBuffer: GuestWord,
    lpdwBufferLength: GuestWord,
    lpErrno: GuestWord,
) -> i32 {
    /// `SOCKET_ERROR`.
    const FAILED: i32 = -1;
    match enumerate(guest, lpiProtocols, lpProtocolBuffer, lpdwBufferLength, true) {
        Ok(OrMinusOne(count)) => count as i32,
        Err(WsaError(code)) => {
            // The answer says that it failed, whatever becomes of the code.
            let _ = guest.write(lpErrno.0, &code.0);
            FAILED
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_have_the_documented_size() {
        assert_eq!(ROWS[0].bytes(true).len(), 628);
        assert_eq!(ROWS[0].bytes(false).len(), 372);
        let row = ROWS[1].bytes(true);
        let at = RESERVED_AT as usize;
        assert_eq!(
            (&row[at - 4..at], &row[at..at + 6]),
            (&DATAGRAM_MAX.to_le_bytes()[..], &b"\0\0\0\0M\0"[..])
        );
        assert_eq!(ROWS[2].bytes(true)[76..80], [23, 0, 0, 0], "iAddressFamily");
    }
}
