//! ws2tcpip.h: addresses as text.

use std::net::{Ipv4Addr, Ipv6Addr};

use plat_abi::{GuestWord, Memory, winapi};

use super::{Answer, DONE, WsaError};
use crate::alike::alike;
use crate::dll;
use crate::export::Export;
use crate::guest::{Guest, OrMinusOne};
use crate::logic::winsock::address::{AF_INET, AF_INET6, Endpoint, parse_v4};
use crate::logic::winsock::error::*;
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    @11 full inet_addr;
    @12 full inet_ntoa;
    full inet_ntop;
    full inet_pton;
    full InetNtopW;
    full InetPtonW;
    full WSAAddressToStringA;
    full WSAAddressToStringW;
    full WSAStringToAddressA;
    full WSAStringToAddressW;
};

/// Reads an IPv4 address in any of its forms; `INADDR_NONE` for what is none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-inet_addr>
#[winapi]
pub fn inet_addr(guest: &mut Guest, cp: GuestWord) -> Result<OrMinusOne, plat_abi::Fault> {
    let text = guest.read_c_string(cp.0)?;
    let text = String::from_utf8_lossy(&text).into_owned();
    // A blank alone is an address of zeros, and what follows a blank is not read.
    let text = if text == " " { "0" } else { text.split(' ').next().unwrap_or("") };
    let number = parse_v4(text).map_or(u32::MAX, |ip| u32::from_le_bytes(ip.octets()));
    Ok(OrMinusOne(number))
}

/// Makes the text of an IPv4 address, in a place that lasts until the thread's next call.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-inet_ntoa>
#[winapi]
pub fn inet_ntoa(guest: &mut Guest, r#in: u32) -> Result<GuestWord, WsaError> {
    let text = Ipv4Addr::from(r#in.to_le_bytes()).to_string();
    super::names::thread_text(guest, &text)
}

fn ip_text(guest: &Guest, family: i32, address: GuestWord) -> Result<String, WsaError> {
    match u16::try_from(family) {
        Ok(AF_INET) => {
            let mut octets = [0; 4];
            guest.read_bytes(address.0, &mut octets)?;
            Ok(Ipv4Addr::from(octets).to_string())
        }
        Ok(AF_INET6) => {
            let mut octets = [0; 16];
            guest.read_bytes(address.0, &mut octets)?;
            Ok(Ipv6Addr::from(octets).to_string())
        }
        _ => Err(WSAEAFNOSUPPORT.into()),
    }
}

/// Returns the bytes of an address' text, which is ASCII, with its zero.
fn in_form(width: Width, text: &str) -> Vec<u8> {
    width.bytes(&text.encode_utf16().collect::<Vec<u16>>())
}

alike! {
    fn(guest, width;
        Family: i32, pAddr: GuestWord, pStringBuf: GuestWord, StringBufSize: GuestWord
    ) -> Result<GuestWord, WsaError> {
        let text = in_form(width, &ip_text(guest, Family, pAddr)?);
        if (text.len() / width.unit_bytes()) as u64 > StringBufSize.0 {
            return Err(WSA_INVALID_PARAMETER.into());
        }
        guest.write_bytes(pStringBuf.0, &text)?;
        Ok(pStringBuf)
    }

    /// Makes the text of an address.
    "ws2tcpip/nf-ws2tcpip-inet_ntop" inet_ntop = Width::Narrow;

    /// Makes the text of an address.
    "ws2tcpip/nf-ws2tcpip-inetntopw" InetNtopW = Width::Wide;
}

/// Stores the address that a text says; 1 for done, 0 for what is no address.
fn to_number(guest: &Guest, family: i32, text: &str, to: GuestWord) -> Answer {
    let octets = match u16::try_from(family) {
        Ok(AF_INET) => text.parse::<Ipv4Addr>().ok().map(|ip| ip.octets().to_vec()),
        Ok(AF_INET6) => text.parse::<Ipv6Addr>().ok().map(|ip| ip.octets().to_vec()),
        _ => return Err(WSAEAFNOSUPPORT.into()),
    };
    let Some(octets) = octets else { return Ok(OrMinusOne(0)) };
    guest.write_bytes(to.0, &octets)?;
    Ok(OrMinusOne(1))
}

alike! {
    fn(guest, width; Family: i32, pszAddrString: GuestWord, pAddrBuf: GuestWord) -> Answer {
        let text = width.read_string(guest, pszAddrString)?;
        to_number(guest, Family, &String::from_utf16_lossy(&text), pAddrBuf)
    }

    /// Reads the text of an address.
    "ws2tcpip/nf-ws2tcpip-inet_pton" inet_pton = Width::Narrow;

    /// Reads the text of an address.
    "ws2tcpip/nf-ws2tcpip-inetptonw" InetPtonW = Width::Wide;
}

fn endpoint_text(guest: &Guest, address: GuestWord, length: u32) -> Result<String, WsaError> {
    guest.process().network.check()?;
    let bytes = guest.read_vec(address.0, u64::from(length.min(128)))?;
    Ok(Endpoint::of_bytes(&bytes).ok_or(WSAEINVAL)?.text())
}

/// Checks the room in units at a place, and stores there how many are needed.
fn take_room(guest: &Guest, at: GuestWord, units: usize) -> Result<(), WsaError> {
    let room = guest.read_u32(at.0)?;
    guest.write(at.0, &(units as u32))?;
    if room as usize >= units { Ok(()) } else { Err(WSAEFAULT.into()) }
}

fn to_address(guest: &Guest, text: &str, family: i32, to: GuestWord, length: GuestWord) -> Answer {
    guest.process().network.check()?;
    let family = u16::try_from(family).ok().filter(|family| [AF_INET, AF_INET6].contains(family));
    let family = family.ok_or(WSAEINVAL)?;
    let bytes = Endpoint::parse(text, family).ok_or(WSAEINVAL)?.to_bytes();
    take_room(guest, length, bytes.len())?;
    guest.write_bytes(to.0, &bytes)?;
    Ok(DONE)
}

both_widths! {
    /// Makes the text of an address with its port.
    "winsock2/nf-winsock2-wsaaddresstostring"
    WSAAddressToStringA, WSAAddressToStringW(guest, width, lpsaAddress: GuestWord, dwAddressLength: u32,
        lpProtocolInfo: GuestWord, lpszAddressString: GuestWord, lpdwAddressStringLength: GuestWord) -> Answer {
        let _ = lpProtocolInfo;
        let text = in_form(width, &endpoint_text(guest, lpsaAddress, dwAddressLength)?);
        take_room(guest, lpdwAddressStringLength, text.len() / width.unit_bytes())?;
        guest.write_bytes(lpszAddressString.0, &text)?;
        Ok(DONE)
    }

    /// Reads the text of an address with or without a port.
    "winsock2/nf-winsock2-wsastringtoaddress"
    WSAStringToAddressA, WSAStringToAddressW(guest, width, AddressString: GuestWord, AddressFamily: i32,
        lpProtocolInfo: GuestWord, lpAddress: GuestWord, lpAddressLength: GuestWord) -> Answer {
        let _ = lpProtocolInfo;
        let text = String::from_utf16_lossy(&width.read(guest, AddressString)?);
        to_address(guest, &text, AddressFamily, lpAddress, lpAddressLength)
    }
}
