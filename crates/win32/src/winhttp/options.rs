//! winhttp.h: options of sessions and requests.

use plat_abi::{GuestWord, Memory, winapi};

use super::requests::Request;
use super::sessions::{Session, object, session_of};
use crate::Win32Error;
use crate::crypto_objects::lock;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial WinHttpSetOption, "times and redirections; options of TLS, proxies and compression change nothing; others ERROR_WINHTTP_INVALID_OPTION";
    partial WinHttpQueryOption, "times, the address of a request; others ERROR_WINHTTP_INVALID_OPTION";
};

/// `ERROR_WINHTTP_INVALID_OPTION`.
const NO_OPTION: Win32Error = Win32Error(12009);

/// Options (`WINHTTP_OPTION_…`).
mod option {
    pub(super) const RESOLVE_TIMEOUT: u32 = 2;
    pub(super) const CONNECT_TIMEOUT: u32 = 3;
    pub(super) const SEND_TIMEOUT: u32 = 5;
    pub(super) const RECEIVE_TIMEOUT: u32 = 6;
    pub(super) const URL: u32 = 34;
    pub(super) const DISABLE_FEATURE: u32 = 63;
    pub(super) const REDIRECT_POLICY: u32 = 88;
    /// Those that change nothing here: retries, security flags, certificates, proxies, logon, protocols, the most
    /// connections, compression, HTTP/2, fast fall back to IPv4, keep-alive, sealing off.
    pub(super) const WITHOUT_EFFECT: [u32; 15] =
        [4, 7, 31, 38, 47, 73, 74, 77, 79, 84, 89, 118, 133, 140, 152];
}

/// Sets an option.
///
/// Source: <https://learn.microsoft.com/windows/win32/winhttp/option-flags>
#[winapi]
pub fn WinHttpSetOption(
    guest: &mut Guest,
    hInternet: GuestWord,
    dwOption: u32,
    lpBuffer: GuestWord,
    dwBufferLength: u32,
) -> Result<Bool, Win32Error> {
    /// `WINHTTP_DISABLE_REDIRECTS`, `WINHTTP_OPTION_REDIRECT_POLICY_NEVER`.
    const NO_REDIRECTS: u32 = 2;
    const NEVER: u32 = 0;
    if !hInternet.is_null() {
        session_of(hInternet).or_else(|_| {
            object::<super::sessions::Connection>(hInternet).map(|connection| connection.session.clone())
        })?;
    }
    if option::WITHOUT_EFFECT.contains(&dwOption) {
        return Ok(TRUE);
    }
    let number = || match dwBufferLength {
        4 => Ok(guest.read_u32(lpBuffer.get())?),
        _ => Err(Win32Error::INSUFFICIENT_BUFFER),
    };
    match dwOption {
        option::RESOLVE_TIMEOUT => drop(number()?),
        option::CONNECT_TIMEOUT => lock(&session_of(hInternet)?.timeouts).connect = number()?,
        option::SEND_TIMEOUT => lock(&session_of(hInternet)?.timeouts).send = number()?,
        option::RECEIVE_TIMEOUT => lock(&session_of(hInternet)?.timeouts).receive = number()?,
        option::REDIRECT_POLICY => {
            let follows = number()? != NEVER;
            if let Ok(request) = object::<Request>(hInternet) {
                lock(&request.state).follows = follows;
            }
        }
        option::DISABLE_FEATURE => {
            let features = number()?;
            let request = object::<Request>(hInternet)?;
            if features & NO_REDIRECTS != 0 {
                lock(&request.state).follows = false;
            }
        }
        _ => return Err(NO_OPTION),
    }
    Ok(TRUE)
}

/// Returns an option.
///
/// Source: <https://learn.microsoft.com/windows/win32/winhttp/option-flags>
#[winapi]
pub fn WinHttpQueryOption(
    guest: &mut Guest,
    hInternet: GuestWord,
    dwOption: u32,
    lpBuffer: GuestWord,
    lpdwBufferLength: GuestWord,
) -> Result<Bool, Win32Error> {
    let times = || -> Result<_, Win32Error> {
        let session = object::<Session>(hInternet).or_else(|_| session_of(hInternet))?;
        Ok(*lock(&session.timeouts))
    };
    let bytes = match dwOption {
        option::RESOLVE_TIMEOUT => 0_u32.to_le_bytes().to_vec(),
        option::CONNECT_TIMEOUT => times()?.connect.to_le_bytes().to_vec(),
        option::SEND_TIMEOUT => times()?.send.to_le_bytes().to_vec(),
        option::RECEIVE_TIMEOUT => times()?.receive.to_le_bytes().to_vec(),
        option::URL => {
            let request = object::<Request>(hInternet)?;
            let state = lock(&request.state);
            let url = format!("http://{}:{}{}", state.target.host, state.target.port, state.path);
            url.replace(":80/", "/").encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
        }
        _ => return Err(NO_OPTION),
    };
    let room = guest.read_u32(lpdwBufferLength.get())? as usize;
    guest.write(lpdwBufferLength.get(), &(bytes.len() as u32))?;
    if lpBuffer.is_null() || room < bytes.len() {
        return Err(Win32Error::INSUFFICIENT_BUFFER);
    }
    guest.write_bytes(lpBuffer.get(), &bytes)?;
    Ok(TRUE)
}
