//! wtsapi32.dll: sessions of users. There is one: number 1, at the console, of the user who runs the program.

use plat_abi::{Fault, GuestStruct, GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::answers::answers;
use crate::dll;
use crate::export::{Dll, Export};
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::{account, process_list};
use crate::widths::{Width, both_widths};

/// The DLL.
pub const DLL: Dll = Dll {
    name: "wtsapi32.dll",
    description: "Windows Remote Desktop Session Host Server SDK APIs",
    tables: &[EXPORTS],
    methods: &[],
};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full WTSEnumerateSessionsA;
    full WTSEnumerateSessionsW;
    partial WTSQuerySessionInformationA, "names, state, numbers; no times and counts of bytes";
    partial WTSQuerySessionInformationW, "names, state, numbers; no times and counts of bytes";
    partial WTSEnumerateProcessesA, "without the SIDs of users";
    partial WTSEnumerateProcessesW, "without the SIDs of users";
    full WTSFreeMemory;
    full WTSOpenServerA;
    full WTSOpenServerW;
    full WTSOpenServerExA;
    full WTSOpenServerExW;
    full WTSCloseServer;
    full WTSQueryUserToken;
    full WTSRegisterSessionNotification;
    full WTSUnRegisterSessionNotification;
    full WTSRegisterSessionNotificationEx;
    full WTSUnRegisterSessionNotificationEx;
    full WTSDisconnectSession;
    full WTSLogoffSession;
    full WTSSendMessageA;
    full WTSSendMessageW;
    full WTSShutdownSystem;
    full WTSConnectSessionA;
    full WTSConnectSessionW;
    full WTSVirtualChannelOpen;
    full WTSVirtualChannelOpenEx;
    full WTSVirtualChannelRead;
    full WTSVirtualChannelWrite;
    full WTSVirtualChannelClose;
    full WTSVirtualChannelQuery;
};

/// The session that there is.
const SESSION: u32 = 1;
/// `WTS_CURRENT_SESSION`.
const CURRENT_SESSION: u32 = u32::MAX;
/// `WTSActive`.
const ACTIVE: u32 = 0;
/// The name of the session's station.
const STATION: &str = "Console";

fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

/// Gives bytes to a program in a block of their own.
fn give(guest: &Guest, bytes: &[u8], into: GuestWord) -> Result<u64, Win32Error> {
    let block = guest.process().heaps.allocate(0, bytes.len().max(1) as u64, true);
    let block = block.ok_or(Win32Error::NOT_ENOUGH_MEMORY)?;
    guest.write_bytes(block, bytes)?;
    guest.write_word(into.get(), block)?;
    Ok(block)
}

/// `WTS_SESSION_INFO`.
#[derive(GuestStruct, Default)]
struct SessionInfo {
    session: u32,
    station: GuestWord,
    state: u32,
}

/// `WTS_PROCESS_INFO`.
#[derive(GuestStruct, Default)]
struct ProcessInfo {
    session: u32,
    process: u32,
    name: GuestWord,
    user: GuestWord,
}

fn sessions(guest: &Guest, width: Width, into: GuestWord, count: GuestWord) -> Result<Bool, Win32Error> {
    let name = width.bytes(&units(STATION));
    let size = SessionInfo::size(guest.machine());
    let block = give(guest, &[vec![0; size as usize], name].concat(), into)?;
    let info = SessionInfo { session: SESSION, station: GuestWord(block + size), state: ACTIVE };
    guest.write(block, &info)?;
    guest.write(count.get(), &1_u32)?;
    Ok(TRUE)
}

fn processes(guest: &Guest, width: Width, into: GuestWord, count: GuestWord) -> Result<Bool, Win32Error> {
    let list = process_list::all(&guest.process().files);
    let names: Vec<Vec<u8>> = list.iter().map(|listed| width.bytes(&listed.name)).collect();
    let size = ProcessInfo::size(guest.machine());
    let table = size * list.len() as u64;
    let block = give(guest, &[vec![0; table as usize], names.concat()].concat(), into)?;
    let (mut at, mut name_at) = (block, block + table);
    for (listed, name) in list.iter().zip(&names) {
        let info = ProcessInfo {
            session: SESSION,
            process: listed.facts.id,
            name: GuestWord(name_at),
            user: GuestWord::NULL,
        };
        guest.write(at, &info)?;
        (at, name_at) = (at + size, name_at + name.len() as u64);
    }
    guest.write(count.get(), &(list.len() as u32))?;
    Ok(TRUE)
}

/// Returns what is known of the session, by number.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wtsapi32/ne-wtsapi32-wts_info_class>
fn information(guest: &Guest, width: Width, class: i32) -> Result<Vec<u8>, Win32Error> {
    let text = |text: &str| Ok(width.bytes(&units(text)));
    match class {
        // Program, application, directory, name and directory of the client, its address as a text.
        0..=2 | 10 | 11 | 20 => text(""),
        5 => text(&account::own_name(guest.process())),
        6 => text(STATION),
        7 => text(&account::computer_name()),
        4 => Ok(SESSION.to_le_bytes().to_vec()),
        8 => Ok(ACTIVE.to_le_bytes().to_vec()),
        // Build, hardware and product of the client; its protocol: none, the console.
        9 | 13 => Ok(vec![0; 4]),
        12 | 16 => Ok(vec![0; 2]),
        // WTSIsRemoteSession
        29 => Ok(vec![0]),
        _ => Err(Win32Error::NOT_SUPPORTED),
    }
}

/// Refuses what a list cannot be asked with.
fn check_list(reserved: u32, version: u32, places: [GuestWord; 2]) -> Result<(), Win32Error> {
    let is_right = reserved == 0 && version == 1 && !places.iter().any(|place| place.is_null());
    if is_right { Ok(()) } else { Err(Win32Error::INVALID_PARAMETER) }
}

both_widths! {
    /// Lists the sessions.
    "wtsapi32/nf-wtsapi32-wtsenumeratesessions"
    WTSEnumerateSessionsA, WTSEnumerateSessionsW(
        guest, width, hServer: GuestWord, Reserved: u32, Version: u32, ppSessionInfo: GuestWord, pCount: GuestWord
    ) -> Result<Bool, Win32Error> {
        let _ = hServer;
        check_list(Reserved, Version, [ppSessionInfo, pCount])?;
        sessions(guest, width, ppSessionInfo, pCount)
    }

    /// Returns what is known of a session.
    "wtsapi32/nf-wtsapi32-wtsquerysessioninformation"
    WTSQuerySessionInformationA, WTSQuerySessionInformationW(
        guest, width, hServer: GuestWord, SessionId: u32, WTSInfoClass: i32, ppBuffer: GuestWord,
        pBytesReturned: GuestWord
    ) -> Result<Bool, Win32Error> {
        let _ = hServer;
        if ![SESSION, CURRENT_SESSION].contains(&SessionId) {
            return Err(Win32Error::FILE_NOT_FOUND);
        }
        if ppBuffer.is_null() || pBytesReturned.is_null() {
            return Err(Win32Error(1784));
        }
        let bytes = information(guest, width, WTSInfoClass)?;
        give(guest, &bytes, ppBuffer)?;
        guest.write(pBytesReturned.get(), &(bytes.len() as u32))?;
        Ok(TRUE)
    }

    /// Lists the processes.
    "wtsapi32/nf-wtsapi32-wtsenumerateprocesses"
    WTSEnumerateProcessesA, WTSEnumerateProcessesW(
        guest, width, hServer: GuestWord, Reserved: u32, Version: u32, ppProcessInfo: GuestWord, pCount: GuestWord
    ) -> Result<Bool, Win32Error> {
        let _ = hServer;
        check_list(Reserved, Version, [ppProcessInfo, pCount])?;
        processes(guest, width, ppProcessInfo, pCount)
    }
}

/// Frees what a function here gave.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wtsapi32/nf-wtsapi32-wtsfreememory>
#[winapi]
pub fn WTSFreeMemory(guest: &mut Guest, pMemory: GuestWord) -> Result<(), Fault> {
    if !pMemory.is_null() {
        guest.process().heaps.free(0, pMemory.get());
    }
    Ok(())
}

answers! {
    "Names this machine, whose handle is null; of others none is reached." -> GuestWord = GuestWord::NULL => {
        "wtsapi32/nf-wtsapi32-wtsopenserver" WTSOpenServerA, WTSOpenServerW(pServerName: GuestWord);
        "wtsapi32/nf-wtsapi32-wtsopenserverex" WTSOpenServerExA, WTSOpenServerExW(pServerName: GuestWord);
    }
    "Closes a machine's handle, which needs nothing." -> () = () => {
        "wtsapi32/nf-wtsapi32-wtscloseserver" WTSCloseServer(hServer: GuestWord);
    }
    "Refuses the token of another session, as to all but the system itself." -> Result<Bool, Win32Error> = Err(Win32Error::PRIVILEGE_NOT_HELD) => {
        "wtsapi32/nf-wtsapi32-wtsqueryusertoken" WTSQueryUserToken(SessionId: u32, phToken: GuestWord);
    }
    "Agrees: sessions never change here." -> Bool = TRUE => {
        "wtsapi32/nf-wtsapi32-wtsregistersessionnotification"
        WTSRegisterSessionNotification(hWnd: GuestWord, dwFlags: u32);
        "wtsapi32/nf-wtsapi32-wtsunregistersessionnotification" WTSUnRegisterSessionNotification(hWnd: GuestWord);
        "wtsapi32/nf-wtsapi32-wtsregistersessionnotificationex"
        WTSRegisterSessionNotificationEx(hServer: GuestWord, hWnd: GuestWord, dwFlags: u32);
        "wtsapi32/nf-wtsapi32-wtsunregistersessionnotificationex"
        WTSUnRegisterSessionNotificationEx(hServer: GuestWord, hWnd: GuestWord);
    }
    "Refuses to act on sessions." -> Result<Bool, Win32Error> = Err(Win32Error::ACCESS_DENIED) => {
        "wtsapi32/nf-wtsapi32-wtsdisconnectsession"
        WTSDisconnectSession(hServer: GuestWord, SessionId: u32, bWait: Bool);
        "wtsapi32/nf-wtsapi32-wtslogoffsession" WTSLogoffSession(hServer: GuestWord, SessionId: u32, bWait: Bool);
        "wtsapi32/nf-wtsapi32-wtssendmessage"
        WTSSendMessageA, WTSSendMessageW(hServer: GuestWord, SessionId: u32, pTitle: GuestWord, TitleLength: u32, pMessage: GuestWord, MessageLength: u32, Style: u32, Timeout: u32, pResponse: GuestWord, bWait: Bool);
        "wtsapi32/nf-wtsapi32-wtsshutdownsystem" WTSShutdownSystem(hServer: GuestWord, ShutdownFlag: u32);
        "wtsapi32/nf-wtsapi32-wtsconnectsession"
        WTSConnectSessionA, WTSConnectSessionW(LogonId: u32, TargetLogonId: u32, pPassword: GuestWord, bWait: Bool);
    }
    "Says that there is no channel: the session is not remote." -> Result<GuestWord, Win32Error> = Err(Win32Error::FILE_NOT_FOUND) => {
        "wtsapi32/nf-wtsapi32-wtsvirtualchannelopen"
        WTSVirtualChannelOpen(hServer: GuestWord, SessionId: u32, pVirtualName: GuestWord);
        "wtsapi32/nf-wtsapi32-wtsvirtualchannelopenex"
        WTSVirtualChannelOpenEx(SessionId: u32, pVirtualName: GuestWord, flags: u32);
    }
    "Says that this is no channel." -> Result<Bool, Win32Error> = Err(Win32Error::INVALID_HANDLE) => {
        "wtsapi32/nf-wtsapi32-wtsvirtualchannelread"
        WTSVirtualChannelRead(hChannelHandle: GuestWord, TimeOut: u32, Buffer: GuestWord, BufferSize: u32, pBytesRead: GuestWord);
        "wtsapi32/nf-wtsapi32-wtsvirtualchannelwrite"
        WTSVirtualChannelWrite(hChannelHandle: GuestWord, Buffer: GuestWord, Length: u32, pBytesWritten: GuestWord);
        "wtsapi32/nf-wtsapi32-wtsvirtualchannelclose" WTSVirtualChannelClose(hChannelHandle: GuestWord);
        "wtsapi32/nf-wtsapi32-wtsvirtualchannelquery"
        WTSVirtualChannelQuery(hChannelHandle: GuestWord, param1: i32, ppBuffer: GuestWord, pBytesReturned: GuestWord);
    }
}
