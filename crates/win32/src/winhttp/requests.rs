//! winhttp.h: requests, their answers, and the bytes of both. Key type: `Request`.

use std::sync::{Arc, Mutex};

use plat_abi::{GuestWord, Memory, winapi};

use super::exchange::{Exchange, Target};
use super::sessions::{Connection, give, object, text};
use crate::Win32Error;
use crate::crypto_objects::lock;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::nls;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full WinHttpOpenRequest;
    full WinHttpAddRequestHeaders;
    partial WinHttpSendRequest, "HTTP only: ERROR_WINHTTP_SECURE_FAILURE for requests with TLS";
    full WinHttpWriteData;
    partial WinHttpReceiveResponse, "redirections of GET and HEAD are followed; nobody is asked for credentials";
    partial WinHttpQueryHeaders, "texts and numbers, no times";
    full WinHttpQueryDataAvailable;
    full WinHttpReadData;
};

/// `ERROR_WINHTTP_INCORRECT_HANDLE_STATE`, `…_HEADER_NOT_FOUND`, `…_SECURE_FAILURE`, `…_REDIRECT_FAILED`.
const WRONG_STATE: Win32Error = Win32Error(12019);
const NO_HEADER: Win32Error = Win32Error(12150);
const SECURE_FAILURE: Win32Error = Win32Error(12175);
const REDIRECT_FAILED: Win32Error = Win32Error(12156);
/// The most redirections that are followed.
const REDIRECTS_MAX: u32 = 10;
/// The port of HTTP and that of HTTP with TLS.
const PORTS: [u16; 2] = [80, 443];

/// A request.
#[derive(Debug)]
pub(crate) struct Request {
    pub(super) connection: Arc<Connection>,
    verb: String,
    is_secure: bool,
    pub(super) state: Mutex<State>,
}

/// What changes of a request.
#[derive(Debug)]
pub(super) struct State {
    pub(super) path: String,
    pub(super) target: Target,
    headers: Vec<(String, String)>,
    exchange: Option<Exchange>,
    is_answered: bool,
    pub(super) follows: bool,
}

/// Begins a request; nothing is sent yet.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winhttp/nf-winhttp-winhttpopenrequest>
#[winapi]
pub fn WinHttpOpenRequest(
    guest: &mut Guest,
    hConnect: GuestWord,
    pwszVerb: GuestWord,
    pwszObjectName: GuestWord,
    pwszVersion: GuestWord,
    pwszReferrer: GuestWord,
    ppwszAcceptTypes: GuestWord,
    dwFlags: u32,
) -> Result<GuestWord, Win32Error> {
    /// `WINHTTP_FLAG_SECURE`.
    const SECURE: u32 = 0x80_0000;
    let _ = pwszVersion;
    let connection = object::<Connection>(hConnect)?;
    let mut verb = text(guest, pwszVerb)?;
    if verb.is_empty() {
        verb = "GET".into();
    }
    let mut path = text(guest, pwszObjectName)?;
    if !path.starts_with('/') {
        path.insert(0, '/');
    }
    let mut headers = Vec::new();
    let referrer = text(guest, pwszReferrer)?;
    if !referrer.is_empty() {
        headers.push(("Referer".to_owned(), referrer));
    }
    let mut accepted = Vec::new();
    let mut at = ppwszAcceptTypes.get();
    while at != 0 {
        let item = guest.read_word(at)?;
        if item == 0 {
            break;
        }
        accepted.push(text(guest, GuestWord(item))?);
        at += guest.machine().pointer_size();
    }
    if !accepted.is_empty() {
        headers.push(("Accept".to_owned(), accepted.join(", ")));
    }
    let is_secure = dwFlags & SECURE != 0;
    let mut target = connection.target.clone();
    if target.port == 0 {
        target.port = PORTS[usize::from(is_secure)];
    }
    let state = State { path, target, headers, exchange: None, is_answered: false, follows: true };
    Ok(give(Request { connection, verb, is_secure, state: Mutex::new(state) }))
}

impl State {
    fn set(
        &mut self,
        name: &str,
        value: &str,
        (adds, replaces, joins): (bool, bool, bool),
    ) -> Result<(), Win32Error> {
        let place = self.headers.iter().position(|row| row.0.eq_ignore_ascii_case(name));
        match place {
            Some(_) if !replaces && !joins && !adds => return Err(Win32Error(183)),
            Some(place) if replaces && value.is_empty() => drop(self.headers.remove(place)),
            Some(place) if replaces => self.headers[place].1 = value.to_owned(),
            Some(place) if joins => {
                let joined = format!("{}, {value}", self.headers[place].1);
                self.headers[place].1 = joined;
            }
            None if replaces && !adds => return Err(NO_HEADER),
            _ => self.headers.push((name.to_owned(), value.to_owned())),
        }
        Ok(())
    }

    fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|row| row.0.eq_ignore_ascii_case(name))
    }
}

/// Reads lines of headers; `length` counts units, -1 is up to the zero.
fn header_lines(guest: &Guest, at: GuestWord, length: u32) -> Result<Vec<(String, String)>, Win32Error> {
    if at.is_null() {
        return Ok(Vec::new());
    }
    let units = nls::read_counted_wide(guest, at, length as i32)?;
    let lines = String::from_utf16_lossy(&units);
    let lines = lines.trim_end_matches('\0').split("\r\n").filter(|line| !line.trim().is_empty());
    lines
        .map(|line| {
            let (name, value) = line.split_once(':').ok_or(Win32Error::INVALID_PARAMETER)?;
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        })
        .collect()
}

/// Adds headers to a request, or changes them.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winhttp/nf-winhttp-winhttpaddrequestheaders>
#[winapi]
pub fn WinHttpAddRequestHeaders(
    guest: &mut Guest,
    hRequest: GuestWord,
    lpszHeaders: GuestWord,
    dwHeadersLength: u32,
    dwModifiers: u32,
) -> Result<Bool, Win32Error> {
    const ADD: u32 = 0x2000_0000;
    const REPLACE: u32 = 0x8000_0000;
    const JOIN: u32 = 0x4100_0000;
    const ADD_IF_NEW: u32 = 0x1000_0000;
    let request = object::<Request>(hRequest)?;
    if lpszHeaders.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let is_new = dwModifiers & ADD_IF_NEW != 0;
    let ways = (dwModifiers & ADD != 0 && !is_new, dwModifiers & REPLACE != 0, dwModifiers & JOIN != 0);
    for (name, value) in header_lines(guest, lpszHeaders, dwHeadersLength)? {
        lock(&request.state).set(&name, &value, ways)?;
    }
    Ok(TRUE)
}

/// Writes what is sent before the body.
fn head(request: &Request, state: &State, total: u64) -> String {
    let target = &state.target;
    let mut text = format!("{} {} HTTP/1.1\r\nConnection: close\r\n", request.verb, state.path);
    if !state.has("Host") {
        let port = if target.port == PORTS[0] { String::new() } else { format!(":{}", target.port) };
        text += &format!("Host: {}{port}\r\n", target.host);
    }
    let agent = &request.connection.session.agent;
    if !state.has("User-Agent") && !agent.is_empty() {
        text += &format!("User-Agent: {agent}\r\n");
    }
    let has_body = total > 0 || matches!(request.verb.as_str(), "POST" | "PUT");
    if has_body && !state.has("Content-Length") && !state.has("Transfer-Encoding") {
        text += &format!("Content-Length: {total}\r\n");
    }
    for (name, value) in state.headers.iter().filter(|row| !row.0.eq_ignore_ascii_case("Connection")) {
        text += &format!("{name}: {value}\r\n");
    }
    text + "\r\n"
}

/// Connects and sends a request's head and the beginning of its body.
fn start(request: &Request, state: &mut State, body: &[u8], total: u64) -> Result<(), Win32Error> {
    let timeouts = *lock(&request.connection.session.timeouts);
    let mut exchange = Exchange::connect(&state.target, timeouts)?;
    let head: Vec<u8> = nls::narrow(&head(request, state, total).encode_utf16().collect::<Vec<u16>>());
    exchange.send(&[&head[..], body].concat())?;
    (state.exchange, state.is_answered) = (Some(exchange), false);
    Ok(())
}

/// Connects and sends a request, up to what the program adds later.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winhttp/nf-winhttp-winhttpsendrequest>
#[winapi]
pub fn WinHttpSendRequest(
    guest: &mut Guest,
    hRequest: GuestWord,
    lpszHeaders: GuestWord,
    dwHeadersLength: u32,
    lpOptional: GuestWord,
    dwOptionalLength: u32,
    dwTotalLength: u32,
    dwContext: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = dwContext;
    let request = object::<Request>(hRequest)?;
    if request.is_secure {
        return Err(SECURE_FAILURE);
    }
    let mut state = lock(&request.state);
    for (name, value) in header_lines(guest, lpszHeaders, dwHeadersLength)? {
        state.set(&name, &value, (true, true, false))?;
    }
    let body = match lpOptional.is_null() {
        true => Vec::new(),
        false => guest.read_vec(lpOptional.get(), dwOptionalLength.into())?,
    };
    let total = u64::from(dwTotalLength).max(body.len() as u64);
    start(&request, &mut state, &body, total)?;
    Ok(TRUE)
}

/// Sends bytes of the body.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winhttp/nf-winhttp-winhttpwritedata>
#[winapi]
pub fn WinHttpWriteData(
    guest: &mut Guest,
    hRequest: GuestWord,
    lpBuffer: GuestWord,
    dwNumberOfBytesToWrite: u32,
    lpdwNumberOfBytesWritten: GuestWord,
) -> Result<Bool, Win32Error> {
    let request = object::<Request>(hRequest)?;
    let bytes = guest.read_vec(lpBuffer.get(), dwNumberOfBytesToWrite.into())?;
    lock(&request.state).exchange.as_mut().ok_or(WRONG_STATE)?.send(&bytes)?;
    if !lpdwNumberOfBytesWritten.is_null() {
        guest.write(lpdwNumberOfBytesWritten.get(), &dwNumberOfBytesToWrite)?;
    }
    Ok(TRUE)
}

/// Goes where a redirection leads; says whether there was one.
fn follow(request: &Request, state: &mut State) -> Result<bool, Win32Error> {
    let is_get = matches!(request.verb.as_str(), "GET" | "HEAD");
    let Some(exchange) = &state.exchange else { return Ok(false) };
    if !state.follows || !is_get || !matches!(exchange.head.status, 301 | 302 | 303 | 307 | 308) {
        return Ok(false);
    }
    let Some(place) = exchange.head.values("Location").next().map(str::to_owned) else { return Ok(false) };
    if place.starts_with("https:") {
        return Err(SECURE_FAILURE);
    }
    if let Some(rest) = place.strip_prefix("http://") {
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (host, port) = match host.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().map_err(|_| REDIRECT_FAILED)?),
            None => (host, PORTS[0]),
        };
        state.target = Target { host: host.to_owned(), port };
        state.path = if path.is_empty() { "/".into() } else { path.to_owned() };
    } else if place.starts_with('/') {
        state.path = place;
    } else {
        let folder = state.path.rfind('/').map_or(0, |at| at + 1);
        state.path = format!("{}{place}", &state.path[..folder]);
    }
    start(request, state, &[], 0)?;
    Ok(true)
}

/// Waits for the answer.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winhttp/nf-winhttp-winhttpreceiveresponse>
#[winapi]
pub fn WinHttpReceiveResponse(
    guest: &mut Guest,
    hRequest: GuestWord,
    lpReserved: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = (guest, lpReserved);
    let request = object::<Request>(hRequest)?;
    let mut state = lock(&request.state);
    for _ in 0..REDIRECTS_MAX {
        state.exchange.as_mut().ok_or(WRONG_STATE)?.receive(request.verb != "HEAD")?;
        if !follow(&request, &mut state)? {
            state.is_answered = true;
            return Ok(TRUE);
        }
    }
    Err(REDIRECT_FAILED)
}

/// Does something with a request's answer.
fn with_answer<R>(
    handle: GuestWord,
    run: impl FnOnce(&mut Exchange) -> Result<R, Win32Error>,
) -> Result<R, Win32Error> {
    let request = object::<Request>(handle)?;
    let mut state = lock(&request.state);
    let is_answered = state.is_answered;
    run(state.exchange.as_mut().filter(|_| is_answered).ok_or(WRONG_STATE)?)
}

/// The headers that have numbers.
///
/// Source: <https://learn.microsoft.com/windows/win32/winhttp/query-info-flags>
const NUMBERED: &[(u32, &str)] = &[
    (0, "MIME-Version"),
    (1, "Content-Type"),
    (2, "Content-Transfer-Encoding"),
    (3, "Content-ID"),
    (4, "Content-Description"),
    (5, "Content-Length"),
    (6, "Content-Language"),
    (7, "Allow"),
    (8, "Public"),
    (9, "Date"),
    (10, "Expires"),
    (11, "Last-Modified"),
    (12, "Message-ID"),
    (13, "URI"),
    (14, "Derived-From"),
    (15, "Cost"),
    (16, "Link"),
    (17, "Pragma"),
    (23, "Connection"),
    (24, "Accept"),
    (25, "Accept-Charset"),
    (26, "Accept-Encoding"),
    (27, "Accept-Language"),
    (28, "Authorization"),
    (29, "Content-Encoding"),
    (30, "Forwarded"),
    (31, "From"),
    (32, "If-Modified-Since"),
    (33, "Location"),
    (34, "Orig-Uri"),
    (35, "Referer"),
    (36, "Retry-After"),
    (37, "Server"),
    (38, "Title"),
    (39, "User-Agent"),
    (40, "WWW-Authenticate"),
    (41, "Proxy-Authenticate"),
    (42, "Accept-Ranges"),
    (43, "Set-Cookie"),
    (44, "Cookie"),
    (46, "Refresh"),
    (47, "Content-Disposition"),
    (48, "Age"),
    (49, "Cache-Control"),
    (50, "Content-Base"),
    (51, "Content-Location"),
    (52, "Content-MD5"),
    (53, "Content-Range"),
    (54, "ETag"),
    (55, "Host"),
    (56, "If-Match"),
    (57, "If-None-Match"),
    (58, "If-Range"),
    (59, "If-Unmodified-Since"),
    (60, "Max-Forwards"),
    (61, "Proxy-Authorization"),
    (62, "Range"),
    (63, "Transfer-Encoding"),
    (64, "Upgrade"),
    (65, "Vary"),
    (66, "Via"),
    (67, "Warning"),
    (68, "Expect"),
    (69, "Proxy-Connection"),
    (70, "Unless-Modified-Since"),
    (75, "Proxy-Support"),
    (76, "Authentication-Info"),
    (77, "Passport-Urls"),
    (78, "Passport-Config"),
];

/// Finds a text of an answer by its number: the text, and the place behind it where there may be several.
fn find(exchange: &Exchange, level: u32, name: &str, index: usize) -> Option<String> {
    const VERSION: u32 = 18;
    const STATUS: u32 = 19;
    const REASON: u32 = 20;
    const RAW_ZEROS: u32 = 21;
    const RAW: u32 = 22;
    const CUSTOM: u32 = 0xffff;
    let head = &exchange.head;
    let only = |text: String| (index == 0).then_some(text);
    match level {
        VERSION => only(head.version.clone()),
        STATUS => only(head.status.to_string()),
        REASON => only(head.reason.clone()),
        RAW_ZEROS => only(format!("{}\0", head.raw.replace("\r\n", "\0"))),
        RAW => only(format!("{}\r\n\r\n", head.raw)),
        CUSTOM => head.values(name).nth(index).map(str::to_owned),
        _ => {
            let name = NUMBERED.iter().find(|row| row.0 == level)?.1;
            head.values(name).nth(index).map(str::to_owned)
        }
    }
}

/// Returns a header of the answer, or a part of its first line.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winhttp/nf-winhttp-winhttpqueryheaders>
#[winapi]
pub fn WinHttpQueryHeaders(
    guest: &mut Guest,
    hRequest: GuestWord,
    dwInfoLevel: u32,
    pwszName: GuestWord,
    lpBuffer: GuestWord,
    lpdwBufferLength: GuestWord,
    lpdwIndex: GuestWord,
) -> Result<Bool, Win32Error> {
    const NUMBER: u32 = 0x2000_0000;
    const NOT_THERE: u32 = 0xc000_0000;
    if dwInfoLevel & NOT_THERE != 0 {
        return Err(Win32Error::NOT_SUPPORTED);
    }
    let name = text(guest, pwszName)?;
    let index = if lpdwIndex.is_null() { 0 } else { guest.read_u32(lpdwIndex.get())? };
    let level = dwInfoLevel & 0xffff;
    let found =
        with_answer(hRequest, |exchange| find(exchange, level, &name, index as usize).ok_or(NO_HEADER))?;
    let room = guest.read_u32(lpdwBufferLength.get())?;
    if dwInfoLevel & NUMBER != 0 {
        let number: u32 = found.trim().parse().map_err(|_| NO_HEADER)?;
        guest.write(lpdwBufferLength.get(), &4_u32)?;
        if room < 4 || lpBuffer.is_null() {
            return Err(Win32Error::INSUFFICIENT_BUFFER);
        }
        guest.write(lpBuffer.get(), &number)?;
    } else {
        let bytes: Vec<u8> = found.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect();
        let is_enough = !lpBuffer.is_null() && room as usize >= bytes.len();
        let told = if is_enough { bytes.len() - 2 } else { bytes.len() };
        guest.write(lpdwBufferLength.get(), &(told as u32))?;
        if !is_enough {
            return Err(Win32Error::INSUFFICIENT_BUFFER);
        }
        guest.write_bytes(lpBuffer.get(), &bytes)?;
    }
    if !lpdwIndex.is_null() {
        guest.write(lpdwIndex.get(), &(index + 1))?;
    }
    Ok(TRUE)
}

/// Says how many bytes of the body can be read at once; 0 at its end.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winhttp/nf-winhttp-winhttpquerydataavailable>
#[winapi]
pub fn WinHttpQueryDataAvailable(
    guest: &mut Guest,
    hRequest: GuestWord,
    lpdwNumberOfBytesAvailable: GuestWord,
) -> Result<Bool, Win32Error> {
    let count = with_answer(hRequest, Exchange::available)?;
    if !lpdwNumberOfBytesAvailable.is_null() {
        guest.write(lpdwNumberOfBytesAvailable.get(), &(count as u32))?;
    }
    Ok(TRUE)
}

/// Reads bytes of the body; fewer than asked for only at its end.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winhttp/nf-winhttp-winhttpreaddata>
#[winapi]
pub fn WinHttpReadData(
    guest: &mut Guest,
    hRequest: GuestWord,
    lpBuffer: GuestWord,
    dwNumberOfBytesToRead: u32,
    lpdwNumberOfBytesRead: GuestWord,
) -> Result<Bool, Win32Error> {
    let bytes = with_answer(hRequest, |exchange| exchange.read(dwNumberOfBytesToRead as usize))?;
    guest.write_bytes(lpBuffer.get(), &bytes)?;
    if !lpdwNumberOfBytesRead.is_null() {
        guest.write(lpdwNumberOfBytesRead.get(), &(bytes.len() as u32))?;
    }
    Ok(TRUE)
}
