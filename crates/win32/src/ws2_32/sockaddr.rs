//! `SOCKADDR` in guest memory. The path of a Unix socket is a Windows path there.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use plat_abi::Memory;
use plat_host::socket::Address;

use super::WsaError;
use crate::guest::Guest;
use crate::logic::winsock::address::{self, AF_UNIX};
use crate::logic::winsock::error::*;

/// The greatest `SOCKADDR`: `SOCKADDR_STORAGE`.
const SIZE_MAX: u64 = 128;
/// The room for a path in a `sockaddr_un`, its zero byte included.
const PATH_MAX: usize = 108;

/// Reads an address and turns it into Linux's form.
///
/// # Errors
/// `WSAEFAULT` for too short a one, `WSAEAFNOSUPPORT` for another family than the socket's.
pub(crate) fn read(guest: &Guest, at: u64, length: i32, family: u16) -> Result<Address, WsaError> {
    let length = u64::try_from(length).ok().filter(|&length| length >= 2 && at != 0).ok_or(WSAEFAULT)?;
    let bytes = guest.read_vec(at, length.min(SIZE_MAX))?;
    if u16::from_le_bytes([bytes[0], bytes[1]]) != family {
        return Err(WSAEAFNOSUPPORT.into());
    }
    let linux = address::to_linux(&bytes).ok_or(WSAEFAULT)?;
    let linux = if family == AF_UNIX { unix_path(guest, linux)? } else { linux };
    Ok(Address::new(&linux).ok_or(WSAEFAULT)?)
}

/// Replaces the Windows path of a Unix socket's address by the Unix one.
fn unix_path(guest: &Guest, bytes: Vec<u8>) -> Result<Vec<u8>, WsaError> {
    let name = bytes.get(2..).unwrap_or(&[]);
    let name = name.strip_suffix(&[0]).unwrap_or(name);
    // Without a name, or of the abstract namespace.
    if name.first().is_none_or(|&first| first == 0) {
        return Ok(bytes);
    }
    let text: Vec<u16> = String::from_utf8_lossy(name).encode_utf16().collect();
    let path = guest.process().files.resolve_file(&text).map_err(|_| WSAEINVAL)?;
    let path = path.as_os_str().as_bytes();
    if path.len() >= PATH_MAX {
        return Err(WSAENOBUFS.into());
    }
    Ok([&bytes[..2], path, &[0]].concat())
}

/// Turns the address of a Unix socket, in Linux's bytes, into what a Windows program knows.
fn shown(guest: &Guest, bytes: &[u8]) -> Vec<u8> {
    let name = bytes.get(2..).unwrap_or(&[]);
    let is_path = bytes.first_chunk() == Some(&AF_UNIX.to_le_bytes()) && name.first() == Some(&b'/');
    if !is_path {
        return bytes.to_vec();
    }
    let end = name.iter().position(|&byte| byte == 0).unwrap_or(name.len());
    let unix = Path::new(std::ffi::OsStr::from_bytes(&name[..end]));
    let text = String::from_utf16_lossy(&guest.process().files.win32_path(unix));
    [&bytes[..2], text.as_bytes(), &[0]].concat()
}

/// Stores an address (in Windows' form) and its size; nothing where the guest wants nothing.
///
/// # Errors
/// `WSAEFAULT` when there is not room enough: then nothing is stored.
pub(crate) fn write(guest: &Guest, bytes: &[u8], at: u64, length_at: u64) -> Result<(), WsaError> {
    if at == 0 || length_at == 0 {
        return Ok(());
    }
    let bytes = shown(guest, bytes);
    let room = guest.read_u32(length_at)? as i32;
    if room < bytes.len() as i32 {
        return Err(WSAEFAULT.into());
    }
    guest.write_bytes(at, &bytes)?;
    guest.write(length_at, &(bytes.len() as u32))?;
    Ok(())
}

/// Says whether there is room for an address of this family, before something is done that cannot be taken back.
///
/// # Errors
/// `WSAEFAULT`.
pub(crate) fn check_room(guest: &Guest, family: u16, at: u64, length_at: u64) -> Result<(), WsaError> {
    if at == 0 || length_at == 0 {
        return Ok(());
    }
    let needed = match family {
        address::AF_INET => address::SIZE_V4,
        address::AF_INET6 => address::SIZE_V6,
        _ => 2,
    };
    let room = guest.read_u32(length_at)? as i32;
    if room < needed as i32 { Err(WSAEFAULT.into()) } else { Ok(()) }
}
