//! winuser.h: windows. There is no desktop: what asks gets the honest answer "none", what would make a window is a stub.

use plat_abi::{GuestWord, winapi};

use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, FALSE, Guest, TRUE};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial GetDesktopWindow, "no desktop: null";
    partial GetForegroundWindow, "no desktop: null";
    partial GetActiveWindow, "no desktop: null";
    partial GetProcessWindowStation, "no window station: null";
    partial IsWindow, "no desktop: no handle is a window";
    partial GetSystemMetrics, "no desktop: all sizes and counts are 0";
    partial GetKeyState, "no keyboard: no key is down";
    partial MessageBeep, "silent";
    partial PeekMessageA, "no messages ever come";
    partial PeekMessageW, "no messages ever come";
    stub CreateWindowExA;
    stub CreateWindowExW;
    stub RegisterClassA;
    stub RegisterClassW;
    stub RegisterClassExA;
    stub RegisterClassExW;
    stub UnregisterClassA;
    stub UnregisterClassW;
    stub DefWindowProcA;
    stub DefWindowProcW;
    stub DestroyWindow;
    stub ShowWindow;
    stub UpdateWindow;
    stub GetMessageA;
    stub GetMessageW;
    stub TranslateMessage;
    stub DispatchMessageA;
    stub DispatchMessageW;
    stub PostMessageA;
    stub PostMessageW;
    stub SendMessageA;
    stub SendMessageW;
    stub PostThreadMessageW;
    stub PostQuitMessage;
    stub MsgWaitForMultipleObjects;
    stub MsgWaitForMultipleObjectsEx;
    stub LoadIconA;
    stub LoadIconW;
    stub LoadCursorA;
    stub LoadCursorW;
    stub DialogBoxParamA;
    stub DialogBoxParamW;
    stub EndDialog;
    stub SetWindowTextW;
    stub GetWindowTextW;
    stub FindWindowA;
    stub FindWindowW;
    stub SetTimer;
    stub KillTimer;
    stub GetDC;
    stub ReleaseDC;
    stub GetKeyNameTextW;
    stub MapVirtualKeyW;
    stub ExitWindowsEx;
    stub GetUserObjectInformationW;
    partial GetUserObjectSecurity, "no desktop: no handle is a user object";
    partial SetUserObjectSecurity, "no desktop: no handle is a user object";
    stub OpenClipboard;
};

/// Returns the desktop's window: none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getdesktopwindow>
#[winapi]
pub fn GetDesktopWindow(guest: &mut Guest) -> GuestWord {
    let _ = guest;
    GuestWord::NULL
}

/// Returns the window that the user works with: none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getforegroundwindow>
#[winapi]
pub fn GetForegroundWindow(guest: &mut Guest) -> GuestWord {
    let _ = guest;
    GuestWord::NULL
}

/// Returns the thread's active window: none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getactivewindow>
#[winapi]
pub fn GetActiveWindow(guest: &mut Guest) -> GuestWord {
    let _ = guest;
    GuestWord::NULL
}

/// Returns the process's window station: none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getprocesswindowstation>
#[winapi]
pub fn GetProcessWindowStation(guest: &mut Guest) -> GuestWord {
    let _ = guest;
    GuestWord::NULL
}

/// Says whether a handle is a window's: none is.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-iswindow>
#[winapi]
pub fn IsWindow(guest: &mut Guest, hWnd: GuestWord) -> Bool {
    let _ = (guest, hWnd);
    FALSE
}

/// Returns a size or a count of the desktop: all are 0.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getsystemmetrics>
#[winapi]
pub fn GetSystemMetrics(guest: &mut Guest, nIndex: i32) -> i32 {
    let _ = (guest, nIndex);
    0
}

/// Returns whether a key is down: none is.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getkeystate>
#[winapi]
pub fn GetKeyState(guest: &mut Guest, nVirtKey: i32) -> i32 {
    let _ = (guest, nVirtKey);
    0
}

/// Makes no sound.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-messagebeep>
#[winapi]
pub fn MessageBeep(guest: &mut Guest, uType: u32) -> Bool {
    let _ = (guest, uType);
    TRUE
}

/// Looks for a message: none ever comes.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-peekmessagea>
#[winapi]
pub fn PeekMessageA(
    guest: &mut Guest,
    lpMsg: GuestWord,
    hWnd: GuestWord,
    wMsgFilterMin: u32,
    wMsgFilterMax: u32,
    wRemoveMsg: u32,
) -> Bool {
    let _ = (guest, lpMsg, hWnd, wMsgFilterMin, wMsgFilterMax, wRemoveMsg);
    FALSE
}

/// Looks for a message: none ever comes.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-peekmessagew>
#[winapi]
pub fn PeekMessageW(
    guest: &mut Guest,
    lpMsg: GuestWord,
    hWnd: GuestWord,
    wMsgFilterMin: u32,
    wMsgFilterMax: u32,
    wRemoveMsg: u32,
) -> Bool {
    let _ = (guest, lpMsg, hWnd, wMsgFilterMin, wMsgFilterMax, wRemoveMsg);
    FALSE
}

/// Refuses: there is no window, desktop or window station whose handle this could be.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getuserobjectsecurity>
#[winapi]
pub fn GetUserObjectSecurity(
    guest: &mut Guest,
    hObj: GuestWord,
    pSIRequested: GuestWord,
    pSID: GuestWord,
    nLength: u32,
    lpnLengthNeeded: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = (guest, hObj, pSIRequested, pSID, nLength, lpnLengthNeeded);
    Err(Win32Error::INVALID_HANDLE)
}

/// Refuses: there is no window, desktop or window station whose handle this could be.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-setuserobjectsecurity>
#[winapi]
pub fn SetUserObjectSecurity(
    guest: &mut Guest,
    hObj: GuestWord,
    pSIRequested: GuestWord,
    pSID: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = (guest, hObj, pSIRequested, pSID);
    Err(Win32Error::INVALID_HANDLE)
}
