//! rstrtmgr.dll: who holds files open, as far as Linux tells this user. Nobody is shut down.

use std::sync::{Arc, Mutex};

use plat_abi::{Fault, GuestWord, Memory, winapi};
use plat_host::process as linux;

use crate::Win32Error;
use crate::dll;
use crate::export::{Dll, Export};
use crate::guest::Guest;
use crate::nt::path::lock;
use crate::nt::process_list;
use crate::nt::time;

/// The DLL.
pub const DLL: Dll =
    Dll { name: "rstrtmgr.dll", description: "Restart Manager", tables: &[EXPORTS], methods: &[] };

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full RmStartSession;
    partial RmJoinSession, "sessions of the same process only";
    full RmEndSession;
    partial RmRegisterResources, "services count for nothing: there are none";
    partial RmGetList, "who has a file open or was named; programs are not seen to hold their own file";
    partial RmShutdown, "nobody is shut down: ERROR_FAIL_SHUTDOWN if somebody would have to be";
    partial RmRestart, "nobody was shut down";
    full RmCancelCurrentTask;
};

/// What is asked about.
#[derive(Debug, Default)]
struct Resources {
    files: Vec<Vec<u16>>,
    /// Processes by number, with when they began.
    processes: Vec<(u32, i64)>,
}

/// A session.
#[derive(Debug)]
struct Session {
    key: String,
    resources: Mutex<Resources>,
}

/// The units of a session's key, with the zero.
const KEY_UNITS: usize = 33;

fn session(guest: &Guest, handle: u32) -> Option<Arc<Session>> {
    guest.process().cryptography.get(handle.into())
}

/// Makes a session and its key.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/restartmanager/nf-restartmanager-rmstartsession>
#[winapi]
pub fn RmStartSession(
    guest: &mut Guest,
    pSessionHandle: GuestWord,
    dwSessionFlags: u32,
    strSessionKey: GuestWord,
) -> Result<u32, Fault> {
    if dwSessionFlags != 0 || pSessionHandle.is_null() || strSessionKey.is_null() {
        return Ok(Win32Error::INVALID_PARAMETER.0);
    }
    let mut random = [0; 16];
    if plat_host::random::fill(&mut random).is_err() {
        return Ok(Win32Error::NOT_ENOUGH_MEMORY.0);
    }
    let key: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let units: Vec<u16> = key.encode_utf16().chain([0]).take(KEY_UNITS).collect();
    guest.write_wide(strSessionKey.get(), &units)?;
    let handle = guest.process().cryptography.add(Session { key, resources: Mutex::default() });
    guest.write(pSessionHandle.get(), &(handle as u32)).map(|()| 0)
}

/// Ends a session.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/restartmanager/nf-restartmanager-rmendsession>
#[winapi]
pub fn RmEndSession(guest: &mut Guest, dwSessionHandle: u32) -> u32 {
    match guest.process().cryptography.remove::<Session>(dwSessionHandle.into()) {
        Some(_) => 0,
        None => Win32Error::INVALID_HANDLE.0,
    }
}

/// Reads an array of texts' addresses.
fn read_texts(guest: &Guest, count: u32, array: GuestWord) -> Result<Vec<Vec<u16>>, Fault> {
    let width = guest.machine().pointer_size();
    let text = |place| guest.read_wide_string(guest.read_word(array.get() + u64::from(place) * width)?);
    (0..count).map(text).collect()
}

/// Adds files and processes to what a session asks about.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/restartmanager/nf-restartmanager-rmregisterresources>
#[winapi]
pub fn RmRegisterResources(
    guest: &mut Guest,
    dwSessionHandle: u32,
    nFiles: u32,
    rgsFileNames: GuestWord,
    nApplications: u32,
    rgApplications: GuestWord,
    nServices: u32,
    rgsServiceNames: GuestWord,
) -> Result<u32, Fault> {
    /// The size of `RM_UNIQUE_PROCESS`: a number and a FILETIME.
    const PROCESS_BYTES: u64 = 12;
    let _ = (nServices, rgsServiceNames);
    let Some(session) = session(guest, dwSessionHandle) else { return Ok(Win32Error::INVALID_HANDLE.0) };
    let files = read_texts(guest, nFiles, rgsFileNames)?;
    let process = |place| {
        let address = rgApplications.get() + u64::from(place) * PROCESS_BYTES;
        Ok((guest.read_u32(address)?, guest.read_u64(address + 4)? as i64))
    };
    let processes: Vec<(u32, i64)> = (0..nApplications).map(process).collect::<Result<_, Fault>>()?;
    let mut resources = lock(&session.resources);
    resources.files.extend(files);
    resources.processes.extend(processes);
    Ok(0)
}

/// Returns who uses a session's resources.
fn users(guest: &Guest, session: &Session) -> Vec<u32> {
    let files = &guest.process().files;
    let resources = lock(&session.resources);
    let mut found: Vec<u32> = Vec::new();
    for name in &resources.files {
        let path = files.resolve_file(name).ok().and_then(|unix| files.find_existing(&unix).ok());
        found.extend(path.iter().flat_map(|path| linux::holders(path)));
    }
    // A process that began at another time is another one.
    let is_same = |&&(id, began): &&(u32, i64)| {
        linux::facts(id).is_some() && (time::started(Some(id)) - began).abs() < 20_000_000
    };
    found.extend(resources.processes.iter().filter(is_same).map(|(id, _)| *id));
    found.sort_unstable();
    found.dedup();
    found
}

/// Returns an `RM_PROCESS_INFO`: a running program, of the console or of unknown kind.
fn describe(guest: &Guest, id: u32) -> Vec<u8> {
    const NAME_UNITS: usize = 256;
    const UNKNOWN: u32 = 0;
    const RUNNING: u32 = 1;
    /// Bytes up to the name, with it, and with the service's name.
    const ENDS: [usize; 3] = [12, 12 + 2 * NAME_UNITS, 12 + 2 * NAME_UNITS + 128];
    let name = linux::facts(id).map_or_else(String::new, |facts| facts.name);
    let path = process_list::program_of(&guest.process().files, id, &name);
    let own = path.rsplit(|&unit| unit == u16::from(b'\\')).next().unwrap_or(&path);
    let mut bytes = id.to_le_bytes().to_vec();
    bytes.extend(time::started(Some(id)).to_le_bytes());
    bytes.extend(own.iter().take(NAME_UNITS - 1).flat_map(|unit| unit.to_le_bytes()));
    bytes.resize(ENDS[2], 0);
    let session = 0_u32;
    bytes.extend([UNKNOWN, RUNNING, session, 0].iter().flat_map(|word| word.to_le_bytes()));
    bytes
}

/// Lists who uses a session's resources; no restart of the machine would be needed.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/restartmanager/nf-restartmanager-rmgetlist>
#[winapi]
pub fn RmGetList(
    guest: &mut Guest,
    dwSessionHandle: u32,
    pnProcInfoNeeded: GuestWord,
    pnProcInfo: GuestWord,
    rgAffectedApps: GuestWord,
    lpdwRebootReasons: GuestWord,
) -> Result<u32, Fault> {
    let Some(session) = session(guest, dwSessionHandle) else { return Ok(Win32Error::INVALID_HANDLE.0) };
    if pnProcInfoNeeded.is_null() || pnProcInfo.is_null() || lpdwRebootReasons.is_null() {
        return Ok(Win32Error::INVALID_PARAMETER.0);
    }
    let users = users(guest, &session);
    let room = guest.read_u32(pnProcInfo.get())?;
    let count = users.len() as u32;
    guest.write(pnProcInfoNeeded.get(), &count)?;
    guest.write(lpdwRebootReasons.get(), &0_u32)?;
    if count > room || rgAffectedApps.is_null() && count > 0 {
        return Ok(Win32Error::MORE_DATA.0);
    }
    guest.write(pnProcInfo.get(), &count)?;
    let bytes: Vec<u8> = users.iter().flat_map(|&id| describe(guest, id)).collect();
    if !bytes.is_empty() {
        guest.write_bytes(rgAffectedApps.get(), &bytes)?;
    }
    Ok(0)
}

/// Finds a session of this process by its key.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/restartmanager/nf-restartmanager-rmjoinsession>
#[winapi]
pub fn RmJoinSession(
    guest: &mut Guest,
    pSessionHandle: GuestWord,
    strSessionKey: GuestWord,
) -> Result<u32, Fault> {
    let key = String::from_utf16_lossy(&guest.read_wide_string(strSessionKey.get())?);
    let found = guest.process().cryptography.find::<Session>(|session| session.key == key);
    match found {
        Some(handle) => guest.write(pSessionHandle.get(), &(handle as u32)).map(|()| 0),
        None => Ok(Win32Error::INVALID_PARAMETER.0),
    }
}

/// Says whether nobody had to be shut down.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/restartmanager/nf-restartmanager-rmshutdown>
#[winapi]
pub fn RmShutdown(guest: &mut Guest, dwSessionHandle: u32, lActionFlags: u32, fnStatus: GuestWord) -> u32 {
    /// `ERROR_FAIL_SHUTDOWN`.
    const FAIL_SHUTDOWN: u32 = 351;
    let _ = (lActionFlags, fnStatus);
    let Some(session) = session(guest, dwSessionHandle) else { return Win32Error::INVALID_HANDLE.0 };
    if users(guest, &session).is_empty() { 0 } else { FAIL_SHUTDOWN }
}

/// Restarts nobody.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/restartmanager/nf-restartmanager-rmrestart>
#[winapi]
pub fn RmRestart(guest: &mut Guest, dwSessionHandle: u32, dwRestartFlags: u32, fnStatus: GuestWord) -> u32 {
    let _ = fnStatus;
    match session(guest, dwSessionHandle) {
        None => Win32Error::INVALID_HANDLE.0,
        Some(_) if dwRestartFlags != 0 => Win32Error::INVALID_PARAMETER.0,
        Some(_) => 0,
    }
}

/// Says that there is no task to be cancelled any more.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/restartmanager/nf-restartmanager-rmcancelcurrenttask>
#[winapi]
pub fn RmCancelCurrentTask(guest: &mut Guest, dwSessionHandle: u32) -> u32 {
    if session(guest, dwSessionHandle).is_some() { 0 } else { Win32Error::INVALID_HANDLE.0 }
}
