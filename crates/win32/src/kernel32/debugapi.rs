//! debugapi.h: text for a debugger, and debugging others, which nobody can.

use plat_abi::{GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::answers::answers;
use crate::dll;
use crate::export::{Code, Export};
use crate::guest::{Bool, FALSE, Guest, TRUE};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full OutputDebugStringA;
    full OutputDebugStringW;
    full CheckRemoteDebuggerPresent;
    code DebugBreak: DEBUG_BREAK;
    partial WaitForDebugEvent, "there is no debugging of others: ERROR_INVALID_HANDLE";
    partial ContinueDebugEvent, "there is no debugging of others: ERROR_INVALID_HANDLE";
    partial DebugActiveProcess, "there is no debugging of others: ERROR_NOT_SUPPORTED";
    partial DebugActiveProcessStop, "there is no debugging of others: ERROR_INVALID_HANDLE";
    partial DebugSetProcessKillOnExit, "there is no debugging of others: ERROR_INVALID_HANDLE";
};

/// `DebugBreak`: a breakpoint in the caller's thread.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/debugapi/nf-debugapi-debugbreak>
pub static DEBUG_BREAK: Code = Code {
    #[rustfmt::skip]
    i386: &[
        0xcc, // int3
        0xc3, // ret
    ],
    #[rustfmt::skip]
    amd64: &[
        0xcc, // int3
        0xc3, // ret
    ],
    slow: None,
};

answers! {
    "Sends text to a debugger. There is none, so it goes nowhere, as on Windows." -> () = () => {
        "debugapi/nf-debugapi-outputdebugstring" OutputDebugStringA, OutputDebugStringW(lpOutputString: GuestWord);
    }
    "Says that this thread debugs nobody." -> Result<Bool, Win32Error> = Err(Win32Error::INVALID_HANDLE) => {
        "debugapi/nf-debugapi-waitfordebugevent" WaitForDebugEvent(lpDebugEvent: GuestWord, dwMilliseconds: u32);
        "debugapi/nf-debugapi-continuedebugevent"
        ContinueDebugEvent(dwProcessId: u32, dwThreadId: u32, dwContinueStatus: u32);
        "debugapi/nf-debugapi-debugactiveprocessstop" DebugActiveProcessStop(dwProcessId: u32);
        "winbase/nf-winbase-debugsetprocesskillonexit" DebugSetProcessKillOnExit(KillOnExit: Bool);
    }
    "Refuses to debug a process." -> Result<Bool, Win32Error> = Err(Win32Error::NOT_SUPPORTED) => {
        "debugapi/nf-debugapi-debugactiveprocess" DebugActiveProcess(dwProcessId: u32);
    }
}

/// Says whether a process is being debugged: never.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/debugapi/nf-debugapi-checkremotedebuggerpresent>
#[winapi]
pub fn CheckRemoteDebuggerPresent(
    guest: &mut Guest,
    hProcess: GuestWord,
    pbDebuggerPresent: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = hProcess;
    if pbDebuggerPresent.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    guest.write(pbDebuggerPresent.get(), &u32::from(FALSE.0))?;
    Ok(TRUE)
}
