//! winhttp.h: sessions, connections, and the handles of all. Key types: `Session`, `Connection`.

use std::sync::{Arc, Mutex, OnceLock};

use plat_abi::{GuestWord, Memory, winapi};

use super::exchange::{Target, Timeouts};
use super::requests::Request;
use crate::Win32Error;
use crate::crypto_objects::{Objects, lock};
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial WinHttpOpen, "proxies are not used; no asynchronous sessions: ERROR_NOT_SUPPORTED";
    full WinHttpConnect;
    full WinHttpCloseHandle;
    full WinHttpSetTimeouts;
    partial WinHttpSetStatusCallback, "the function is kept; nothing is told";
};

/// `ERROR_WINHTTP_INCORRECT_HANDLE_TYPE`.
pub(super) const WRONG_HANDLE: Win32Error = Win32Error(12018);

/// A session: what its requests have in common.
#[derive(Debug)]
pub(crate) struct Session {
    /// What servers are told of the program.
    pub(super) agent: String,
    pub(super) timeouts: Mutex<Timeouts>,
}

/// A server that requests go to.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(super) session: Arc<Session>,
    pub(super) target: Target,
}

/// The handles of this DLL, made at the first use.
static HANDLES: OnceLock<Objects> = OnceLock::new();

pub(super) fn handles() -> &'static Objects {
    HANDLES.get_or_init(Objects::default)
}

/// Returns the object of a handle.
///
/// # Errors
/// `INVALID_HANDLE`, `ERROR_WINHTTP_INCORRECT_HANDLE_TYPE`.
pub(super) fn object<T: Send + Sync + 'static>(handle: GuestWord) -> Result<Arc<T>, Win32Error> {
    let found = handles().get::<Arc<T>>(handle.get()).map(|object| Arc::clone(&*object));
    found.ok_or_else(|| if is_handle(handle) { WRONG_HANDLE } else { Win32Error::INVALID_HANDLE })
}

fn is_handle(handle: GuestWord) -> bool {
    let at = handle.get();
    let handles = handles();
    handles.get::<Arc<Session>>(at).is_some()
        || handles.get::<Arc<Connection>>(at).is_some()
        || handles.get::<Arc<Request>>(at).is_some()
}

/// Gives an object a handle.
pub(super) fn give<T: Send + Sync + 'static>(object: T) -> GuestWord {
    GuestWord(handles().add(Arc::new(object)))
}

/// Reads text that may be null.
pub(super) fn text(guest: &Guest, at: GuestWord) -> Result<String, Win32Error> {
    let units = if at.is_null() { Vec::new() } else { guest.read_wide_string(at.get())? };
    Ok(String::from_utf16_lossy(&units))
}

/// Begins a session.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winhttp/nf-winhttp-winhttpopen>
#[winapi]
pub fn WinHttpOpen(
    guest: &mut Guest,
    pszAgentW: GuestWord,
    dwAccessType: u32,
    pszProxyW: GuestWord,
    pszProxyBypassW: GuestWord,
    dwFlags: u32,
) -> Result<GuestWord, Win32Error> {
    /// `WINHTTP_ACCESS_TYPE_…`: by the settings (0), none (1), one with a name (3), found by itself (4).
    const KINDS: [u32; 4] = [0, 1, 3, 4];
    const NAMED: u32 = 3;
    /// `WINHTTP_FLAG_ASYNC`.
    const ASYNCHRONOUS: u32 = 0x1000_0000;
    /// What Windows waits where nothing is said, in milliseconds.
    ///
    /// Source: <https://learn.microsoft.com/windows/win32/api/winhttp/nf-winhttp-winhttpsettimeouts>
    const TIMEOUTS: Timeouts = Timeouts { connect: 60_000, send: 30_000, receive: 30_000 };
    let _ = pszProxyBypassW;
    if !KINDS.contains(&dwAccessType) || (dwAccessType == NAMED) == pszProxyW.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    if dwFlags & ASYNCHRONOUS != 0 || dwAccessType == NAMED {
        return Err(Win32Error::NOT_SUPPORTED);
    }
    Ok(give(Session { agent: text(guest, pszAgentW)?, timeouts: Mutex::new(TIMEOUTS) }))
}

/// Names a server; nothing is sent yet.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winhttp/nf-winhttp-winhttpconnect>
#[winapi]
pub fn WinHttpConnect(
    guest: &mut Guest,
    hSession: GuestWord,
    pswzServerName: GuestWord,
    nServerPort: u16,
    dwReserved: u32,
) -> Result<GuestWord, Win32Error> {
    let _ = dwReserved;
    let session = object::<Session>(hSession)?;
    let host = text(guest, pswzServerName)?;
    if host.is_empty() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    Ok(give(Connection { session, target: Target { host, port: nServerPort } }))
}

/// Gives a handle up.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winhttp/nf-winhttp-winhttpclosehandle>
#[winapi]
pub fn WinHttpCloseHandle(guest: &mut Guest, hInternet: GuestWord) -> Result<Bool, Win32Error> {
    let _ = guest;
    let (handles, at) = (handles(), hInternet.get());
    let is_closed = handles.remove::<Arc<Request>>(at).is_some()
        || handles.remove::<Arc<Connection>>(at).is_some()
        || handles.remove::<Arc<Session>>(at).is_some();
    if is_closed { Ok(TRUE) } else { Err(Win32Error::INVALID_HANDLE) }
}

/// Returns the times of a session or of a request's session.
pub(super) fn session_of(handle: GuestWord) -> Result<Arc<Session>, Win32Error> {
    object::<Session>(handle).or_else(|_| Ok(Arc::clone(&object::<Request>(handle)?.connection.session)))
}

/// Says how long to wait for what, in milliseconds; 0 and -1 are for ever.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winhttp/nf-winhttp-winhttpsettimeouts>
#[winapi]
pub fn WinHttpSetTimeouts(
    guest: &mut Guest,
    hInternet: GuestWord,
    nResolveTimeout: i32,
    nConnectTimeout: i32,
    nSendTimeout: i32,
    nReceiveTimeout: i32,
) -> Result<Bool, Win32Error> {
    let _ = guest;
    let times = [nResolveTimeout, nConnectTimeout, nSendTimeout, nReceiveTimeout];
    if times.iter().any(|&time| time < -1) {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let [_, connect, send, receive] = times.map(|time| u32::try_from(time).unwrap_or(0));
    *lock(&session_of(hInternet)?.timeouts) = Timeouts { connect, send, receive };
    Ok(TRUE)
}

/// Names a function that is told what happens; returns the one before. Nothing is told where functions wait for their end.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winhttp/nf-winhttp-winhttpsetstatuscallback>
#[winapi]
pub fn WinHttpSetStatusCallback(
    guest: &mut Guest,
    hInternet: GuestWord,
    lpfnInternetCallback: GuestWord,
    dwNotificationFlags: u32,
    dwReserved: GuestWord,
) -> Result<GuestWord, Win32Error> {
    let _ = (guest, dwNotificationFlags, dwReserved);
    if !is_handle(hInternet) {
        return Err(Win32Error::INVALID_HANDLE);
    }
    let mut callbacks = lock(&CALLBACKS);
    Ok(GuestWord(callbacks.insert(hInternet.get(), lpfnInternetCallback.get()).unwrap_or(0)))
}

/// The functions that programs named, by handle.
static CALLBACKS: Mutex<std::collections::BTreeMap<u64, u64>> = Mutex::new(std::collections::BTreeMap::new());
