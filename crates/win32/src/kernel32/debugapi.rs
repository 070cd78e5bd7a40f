//! debugapi.h: text for a debugger.

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
