//! winuser.h: the desktop, which is empty: no screen, no keyboard, no mouse. What asks gets the honest answer.

use plat_abi::{GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, FALSE, Guest, TRUE};
use crate::nt::user::window::DESKTOP_WINDOW;
use crate::widths::both_widths;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full GetDesktopWindow;
    partial GetShellWindow, "no shell: null";
    partial GetForegroundWindow, "no screen: null";
    partial SetForegroundWindow, "no screen: fails";
    partial AllowSetForegroundWindow, "no screen: does nothing";
    partial GetActiveWindow, "no screen: null";
    partial SetActiveWindow, "no screen: null";
    partial GetFocus, "no keyboard: null";
    partial SetFocus, "no keyboard: null";
    partial GetCapture, "no mouse: null";
    partial GetProcessWindowStation, "a number that only GetUserObjectInformation knows";
    partial GetThreadDesktop, "a number that only GetUserObjectInformation knows";
    partial OpenInputDesktop, "a number that only GetUserObjectInformation knows";
    partial CloseDesktop, "nothing to close";
    partial CloseWindowStation, "nothing to close";
    partial GetUserObjectInformationA, "flags, name and type";
    partial GetUserObjectInformationW, "flags, name and type";
    partial GetSystemMetrics, "no screen: sizes of and on it are 0";
    partial SystemParametersInfoA, "known for the screen reader, the work area and the caret; else fails";
    partial SystemParametersInfoW, "known for the screen reader, the work area and the caret; else fails";
    partial GetKeyState, "no keyboard: no key is down";
    partial GetAsyncKeyState, "no keyboard: no key is down";
    partial GetKeyboardState, "no keyboard: no key is down";
    partial GetKeyboardLayout, "the layout of the United States";
    partial GetKeyboardType, "a keyboard of 101 keys";
    partial MapVirtualKeyA, "letters, digits and the main keys of the layout of the United States";
    partial MapVirtualKeyW, "letters, digits and the main keys of the layout of the United States";
    partial GetCursorPos, "no mouse: 0, 0";
    partial SetCursorPos, "no mouse: does nothing";
    partial ShowCursor, "no mouse: counts nothing";
    partial SetCursor, "no mouse: null";
    partial LoadIconA, "a handle without a picture";
    partial LoadIconW, "a handle without a picture";
    partial LoadCursorA, "a handle without a picture";
    partial LoadCursorW, "a handle without a picture";
    partial LoadImageA, "icons and cursors: a handle without a picture; no bitmaps";
    partial LoadImageW, "icons and cursors: a handle without a picture; no bitmaps";
    partial DestroyIcon, "a handle without a picture";
    partial DestroyCursor, "a handle without a picture";
    partial MessageBeep, "silent";
    partial GetSysColor, "no screen: black";
    partial MonitorFromWindow, "no screen: null";
    partial MonitorFromPoint, "no screen: null";
    partial EnumDisplayMonitors, "no screen: none";
    partial GetDC, "no screen: null";
    partial GetWindowDC, "no screen: null";
    partial ReleaseDC, "no screen: nothing to release";
    partial GetDoubleClickTime, "500 milliseconds";
    partial GetCaretBlinkTime, "530 milliseconds";
    partial GetDialogBaseUnits, "8 by 16";
    partial SetWindowsHookExA, "no hooks: fails with ERROR_CALL_NOT_IMPLEMENTED";
    partial SetWindowsHookExW, "no hooks: fails with ERROR_CALL_NOT_IMPLEMENTED";
    partial UnhookWindowsHookEx, "no hooks: fails";
    partial CallNextHookEx, "no hooks: 0";
    partial SetWinEventHook, "no events: null";
    partial UnhookWinEvent, "no events: fails";
    partial NotifyWinEvent, "nobody hears of events";
    partial SetProcessDPIAware, "no screen: agrees";
    partial IsProcessDPIAware, "no screen: yes";
    partial ExitWindowsEx, "fails with ERROR_PRIVILEGE_NOT_HELD";
    partial LockWorkStation, "fails with ERROR_NOT_SUPPORTED";
    full RegisterWindowMessageA;
    full RegisterWindowMessageW;
    stub DialogBoxParamA;
    stub DialogBoxParamW;
    stub DialogBoxIndirectParamW;
    stub CreateDialogParamA;
    stub CreateDialogParamW;
    stub EndDialog;
    stub GetDlgItem;
    stub GetKeyNameTextW;
    stub LoadBitmapW;
    stub BeginPaint;
    stub EndPaint;
    stub FillRect;
    stub DrawTextW;
    stub SendInput;
};

/// What stands for the window station.
const STATION: u64 = 0x34;
/// What stands for the desktop.
const DESKTOP: u64 = 0x38;

/// Returns the desktop's window.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getdesktopwindow>
#[winapi]
pub fn GetDesktopWindow(guest: &mut Guest) -> GuestWord {
    let _ = guest;
    GuestWord(DESKTOP_WINDOW)
}

/// Returns the shell's window: none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getshellwindow>
#[winapi]
pub fn GetShellWindow(guest: &mut Guest) -> GuestWord {
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

/// Brings a window before the others: there is no screen.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-setforegroundwindow>
#[winapi]
pub fn SetForegroundWindow(guest: &mut Guest, hWnd: GuestWord) -> Bool {
    let _ = (guest, hWnd);
    FALSE
}

/// Lets another process bring its windows before the others.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-allowsetforegroundwindow>
#[winapi]
pub fn AllowSetForegroundWindow(guest: &mut Guest, dwProcessId: u32) -> Bool {
    let _ = (guest, dwProcessId);
    TRUE
}

/// Returns the thread's active window: none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getactivewindow>
#[winapi]
pub fn GetActiveWindow(guest: &mut Guest) -> GuestWord {
    let _ = guest;
    GuestWord::NULL
}

/// Makes a window active; there was none before.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-setactivewindow>
#[winapi]
pub fn SetActiveWindow(guest: &mut Guest, hWnd: GuestWord) -> GuestWord {
    let _ = (guest, hWnd);
    GuestWord::NULL
}

/// Returns the window that keys go to: none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getfocus>
#[winapi]
pub fn GetFocus(guest: &mut Guest) -> GuestWord {
    let _ = guest;
    GuestWord::NULL
}

/// Lets keys go to a window; there was none before.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-setfocus>
#[winapi]
pub fn SetFocus(guest: &mut Guest, hWnd: GuestWord) -> GuestWord {
    let _ = (guest, hWnd);
    GuestWord::NULL
}

/// Returns the window that the mouse is tied to: none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getcapture>
#[winapi]
pub fn GetCapture(guest: &mut Guest) -> GuestWord {
    let _ = guest;
    GuestWord::NULL
}

/// Returns the process's window station.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getprocesswindowstation>
#[winapi]
pub fn GetProcessWindowStation(guest: &mut Guest) -> GuestWord {
    let _ = guest;
    GuestWord(STATION)
}

/// Returns a thread's desktop.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getthreaddesktop>
#[winapi]
pub fn GetThreadDesktop(guest: &mut Guest, dwThreadId: u32) -> GuestWord {
    let _ = (guest, dwThreadId);
    GuestWord(DESKTOP)
}

/// Returns the desktop that gets input.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-openinputdesktop>
#[winapi]
pub fn OpenInputDesktop(guest: &mut Guest, dwFlags: u32, fInherit: Bool, dwDesiredAccess: u32) -> GuestWord {
    let _ = (guest, dwFlags, fInherit, dwDesiredAccess);
    GuestWord(DESKTOP)
}

/// Closes a desktop.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-closedesktop>
#[winapi]
pub fn CloseDesktop(guest: &mut Guest, hDesktop: GuestWord) -> Bool {
    let _ = guest;
    Bool(hDesktop.get() == DESKTOP)
}

/// Closes a window station.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-closewindowstation>
#[winapi]
pub fn CloseWindowStation(guest: &mut Guest, hWinSta: GuestWord) -> Bool {
    let _ = guest;
    Bool(hWinSta.get() == STATION)
}

both_widths! {
    /// Describes a window station or a desktop. The station is not visible, as a service's.
    "winuser/nf-winuser-getuserobjectinformation"
    GetUserObjectInformationA, GetUserObjectInformationW(guest, width, hObj: GuestWord, nIndex: i32, pvInfo: GuestWord, nLength: u32, lpnLengthNeeded: GuestWord) -> Result<Bool, Win32Error> {
        let names = match hObj.get() {
            STATION => ["Service-0x0-3e7$", "WindowStation"],
            DESKTOP => ["Default", "Desktop"],
            _ => return Err(Win32Error::INVALID_HANDLE),
        };
        let text = |text: &str| width.bytes(&text.encode_utf16().collect::<Vec<_>>());
        let bytes = match nIndex {
            // UOI_FLAGS: fInherit, fReserved, dwFlags
            1 => vec![0; 12],
            2 => text(names[0]),
            3 => text(names[1]),
            _ => return Err(Win32Error::INVALID_PARAMETER),
        };
        if !lpnLengthNeeded.is_null() {
            guest.write_bytes(lpnLengthNeeded.get(), &(bytes.len() as u32).to_le_bytes())?;
        }
        if (nLength as usize) < bytes.len() {
            return Err(Win32Error::INSUFFICIENT_BUFFER);
        }
        guest.write_bytes(pvInfo.get(), &bytes)?;
        Ok(TRUE)
    }

    /// Returns a setting of the desktop.
    "winuser/nf-winuser-systemparametersinfo"
    SystemParametersInfoA, SystemParametersInfoW(guest, width, uiAction: u32, uiParam: u32, pvParam: GuestWord, fWinIni: u32) -> Result<Bool, Win32Error> {
        let _ = width;
        let _ = (uiParam, fWinIni);
        let zeros = match uiAction {
            // SPI_GETWORKAREA: an empty rectangle
            0x30 => 16,
            // SPI_GETSCREENREADER, SPI_GETSCREENSAVEACTIVE, SPI_GETFONTSMOOTHING, SPI_GETCLIENTAREAANIMATION
            0x46 | 0x10 | 0x4a | 0x1042 => 4,
            _ => return Err(Win32Error::INVALID_PARAMETER),
        };
        guest.write_bytes(pvParam.get(), &[0; 16][..zeros])?;
        Ok(TRUE)
    }

    /// Returns the number of a message that has a name; everyone gets the same for the same name.
    "winuser/nf-winuser-registerwindowmessage"
    RegisterWindowMessageA, RegisterWindowMessageW(guest, width, lpString: GuestWord) -> Result<u32, Win32Error> {
        let name = width.read(guest, lpString)?;
        super::clipboard::named_number(guest, &name)
    }

    /// Turns a key's number into another: the key's code, the place on the keyboard, the character.
    "winuser/nf-winuser-mapvirtualkey"
    MapVirtualKeyA, MapVirtualKeyW(guest, width, uCode: u32, uMapType: u32) -> u32 {
        let _ = (width, guest);
        map_key(uCode, uMapType)
    }

    /// Returns an icon: a handle without a picture.
    "winuser/nf-winuser-loadicon"
    LoadIconA, LoadIconW(guest, width, hInstance: GuestWord, lpIconName: GuestWord) -> Result<GuestWord, Win32Error> {
        let _ = width;
        picture(guest, hInstance, lpIconName)
    }

    /// Returns a cursor: a handle without a picture.
    "winuser/nf-winuser-loadcursor"
    LoadCursorA, LoadCursorW(guest, width, hInstance: GuestWord, lpCursorName: GuestWord) -> Result<GuestWord, Win32Error> {
        let _ = width;
        picture(guest, hInstance, lpCursorName)
    }

    /// Returns an icon or a cursor, a handle without a picture; there are no bitmaps.
    "winuser/nf-winuser-loadimage"
    LoadImageA, LoadImageW(
        guest, width, hInst: GuestWord, name: GuestWord, r#type: u32, cx: i32, cy: i32, fuLoad: u32
    ) -> Result<GuestWord, Win32Error> {
        /// `IMAGE_ICON` and `IMAGE_CURSOR`.
        const PICTURES: std::ops::RangeInclusive<u32> = 1..=2;
        let _ = (width, cx, cy, fuLoad);
        if !PICTURES.contains(&r#type) {
            return Err(Win32Error::CALL_NOT_IMPLEMENTED);
        }
        picture(guest, hInst, name)
    }

    /// Calls a function at events: there are no hooks.
    "winuser/nf-winuser-setwindowshookex"
    SetWindowsHookExA, SetWindowsHookExW(guest, width, idHook: i32, lpfn: GuestWord, hmod: GuestWord, dwThreadId: u32) -> Result<GuestWord, Win32Error> {
        let _ = (width, guest, idHook, lpfn, hmod, dwThreadId);
        Err(Win32Error::CALL_NOT_IMPLEMENTED)
    }
}

/// Returns the handle of a picture; the same for the same.
fn picture(guest: &Guest, instance: GuestWord, name: GuestWord) -> Result<GuestWord, Win32Error> {
    if name.is_null() {
        return Err(Win32Error::RESOURCE_NAME_NOT_FOUND);
    }
    let mut state = guest.process().desktop.state();
    let next = 0x1_0003 + 2 * state.pictures.len() as u64;
    Ok(GuestWord(*state.pictures.entry((instance.get(), name.get())).or_insert(next)))
}

/// Gives an icon back.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-destroyicon>
#[winapi]
pub fn DestroyIcon(guest: &mut Guest, hIcon: GuestWord) -> Bool {
    let _ = (guest, hIcon);
    TRUE
}

/// Gives a cursor back.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-destroycursor>
#[winapi]
pub fn DestroyCursor(guest: &mut Guest, hCursor: GuestWord) -> Bool {
    let _ = (guest, hCursor);
    TRUE
}

/// Returns a size or a count of the desktop.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getsystemmetrics>
#[winapi]
pub fn GetSystemMetrics(guest: &mut Guest, nIndex: i32) -> i32 {
    let _ = guest;
    match nIndex {
        // SM_CMOUSEBUTTONS and all sizes are 0; SM_DBCSENABLED and SM_IMMENABLED are off;
        // SM_REMOTESESSION is off; SM_NETWORK has its lowest bit set.
        63 => 3,
        _ => 0,
    }
}

/// Returns whether a key is down: none is.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getkeystate>
#[winapi]
pub fn GetKeyState(guest: &mut Guest, nVirtKey: i32) -> i32 {
    let _ = (guest, nVirtKey);
    0
}

/// Returns whether a key is down: none is.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getasynckeystate>
#[winapi]
pub fn GetAsyncKeyState(guest: &mut Guest, vKey: i32) -> i32 {
    let _ = (guest, vKey);
    0
}

/// Returns which keys are down: none is.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getkeyboardstate>
#[winapi]
pub fn GetKeyboardState(guest: &mut Guest, lpKeyState: GuestWord) -> Result<Bool, Win32Error> {
    guest.write_bytes(lpKeyState.get(), &[0; 256])?;
    Ok(TRUE)
}

/// Returns the keyboard's layout: that of the United States.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getkeyboardlayout>
#[winapi]
pub fn GetKeyboardLayout(guest: &mut Guest, idThread: u32) -> GuestWord {
    let _ = (guest, idThread);
    GuestWord(0x0409_0409)
}

/// Returns what the keyboard is.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getkeyboardtype>
#[winapi]
pub fn GetKeyboardType(guest: &mut Guest, nTypeFlag: i32) -> i32 {
    let _ = guest;
    // An enhanced keyboard with 12 function keys.
    [4, 0, 12].get(nTypeFlag as usize).copied().unwrap_or(0)
}

/// The keys by their place: `1` to `=` from place 2, and so on; `\0` where the layout has none.
///
/// Source: <https://learn.microsoft.com/windows/win32/inputdev/about-keyboard-input>
const KEYS: [u8; 58] =
    *b"\0\x1b1234567890\0\0\x08\x09QWERTYUIOP\0\0\x0d\x11ASDFGHJKL\0\0\0\x10\0ZXCVBNM\0\0\0\x10j\x12 ";

fn map_key(code: u32, kind: u32) -> u32 {
    let place_of = |key: u32| KEYS.iter().position(|&byte| byte != 0 && u32::from(byte) == key);
    match kind {
        // MAPVK_VK_TO_VSC
        0 | 4 => place_of(code).unwrap_or(0) as u32,
        // MAPVK_VSC_TO_VK
        1 | 3 => KEYS.get(code as usize).map_or(0, |&byte| byte.into()),
        // MAPVK_VK_TO_CHAR
        2 if matches!(code, 0x8 | 0x9 | 0xd | 0x1b | 0x20 | 0x30..=0x39 | 0x41..=0x5a) => code,
        _ => 0,
    }
}

/// Returns where the mouse is: nowhere.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getcursorpos>
#[winapi]
pub fn GetCursorPos(guest: &mut Guest, lpPoint: GuestWord) -> Result<Bool, Win32Error> {
    guest.write_bytes(lpPoint.get(), &[0; 8])?;
    Ok(TRUE)
}

/// Moves the mouse: there is none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-setcursorpos>
#[winapi]
pub fn SetCursorPos(guest: &mut Guest, X: i32, Y: i32) -> Bool {
    let _ = (guest, X, Y);
    TRUE
}

/// Shows or hides the mouse: there is none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-showcursor>
#[winapi]
pub fn ShowCursor(guest: &mut Guest, bShow: Bool) -> i32 {
    let _ = (guest, bShow);
    -1
}

/// Changes the mouse's picture: there is none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-setcursor>
#[winapi]
pub fn SetCursor(guest: &mut Guest, hCursor: GuestWord) -> GuestWord {
    let _ = (guest, hCursor);
    GuestWord::NULL
}

/// Makes no sound.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-messagebeep>
#[winapi]
pub fn MessageBeep(guest: &mut Guest, uType: u32) -> Bool {
    let _ = (guest, uType);
    TRUE
}

/// Returns a colour.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getsyscolor>
#[winapi]
pub fn GetSysColor(guest: &mut Guest, nIndex: i32) -> u32 {
    let _ = (guest, nIndex);
    0
}

/// Returns the screen that a window is on: none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-monitorfromwindow>
#[winapi]
pub fn MonitorFromWindow(guest: &mut Guest, hwnd: GuestWord, dwFlags: u32) -> GuestWord {
    let _ = (guest, hwnd, dwFlags);
    GuestWord::NULL
}

/// Returns the screen that a point is on: none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-monitorfrompoint>
#[winapi]
pub fn MonitorFromPoint(guest: &mut Guest, pt: u64, dwFlags: u32) -> GuestWord {
    let _ = (guest, pt, dwFlags);
    GuestWord::NULL
}

/// Calls a function with each screen: there is none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-enumdisplaymonitors>
#[winapi]
pub fn EnumDisplayMonitors(
    guest: &mut Guest,
    hdc: GuestWord,
    lprcClip: GuestWord,
    lpfnEnum: GuestWord,
    dwData: GuestWord,
) -> Bool {
    let _ = (guest, hdc, lprcClip, lpfnEnum, dwData);
    TRUE
}

/// Returns what draws on a window: nothing does.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getdc>
#[winapi]
pub fn GetDC(guest: &mut Guest, hWnd: GuestWord) -> GuestWord {
    let _ = (guest, hWnd);
    GuestWord::NULL
}

/// Returns what draws on a window: nothing does.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getwindowdc>
#[winapi]
pub fn GetWindowDC(guest: &mut Guest, hWnd: GuestWord) -> GuestWord {
    let _ = (guest, hWnd);
    GuestWord::NULL
}

/// Gives back what draws on a window.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-releasedc>
#[winapi]
pub fn ReleaseDC(guest: &mut Guest, hWnd: GuestWord, hDC: GuestWord) -> i32 {
    let _ = (guest, hWnd, hDC);
    0
}

/// Returns how fast two clicks are a double click, in milliseconds.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getdoubleclicktime>
#[winapi]
pub fn GetDoubleClickTime(guest: &mut Guest) -> u32 {
    let _ = guest;
    500
}

/// Returns how fast a caret blinks, in milliseconds.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getcaretblinktime>
#[winapi]
pub fn GetCaretBlinkTime(guest: &mut Guest) -> u32 {
    let _ = guest;
    530
}

/// Returns the units of dialogs in pixels.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getdialogbaseunits>
#[winapi]
pub fn GetDialogBaseUnits(guest: &mut Guest) -> i32 {
    let _ = guest;
    16 << 16 | 8
}

/// Ends a hook: there is none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-unhookwindowshookex>
#[winapi]
pub fn UnhookWindowsHookEx(guest: &mut Guest, hhk: GuestWord) -> Result<Bool, Win32Error> {
    let _ = (guest, hhk);
    Err(Win32Error::INVALID_HOOK_HANDLE)
}

/// Calls the next hook: there is none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-callnexthookex>
#[winapi]
pub fn CallNextHookEx(
    guest: &mut Guest,
    hhk: GuestWord,
    nCode: i32,
    wParam: GuestWord,
    lParam: GuestWord,
) -> GuestWord {
    let _ = (guest, hhk, nCode, wParam, lParam);
    GuestWord::NULL
}

/// Calls a function at events: there are none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-setwineventhook>
#[winapi]
pub fn SetWinEventHook(
    guest: &mut Guest,
    eventMin: u32,
    eventMax: u32,
    hmodWinEventProc: GuestWord,
    pfnWinEventProc: GuestWord,
    idProcess: u32,
    idThread: u32,
    dwFlags: u32,
) -> GuestWord {
    let _ = (guest, eventMin, eventMax, hmodWinEventProc, pfnWinEventProc, idProcess, idThread, dwFlags);
    GuestWord::NULL
}

/// Ends the calls at events.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-unhookwinevent>
#[winapi]
pub fn UnhookWinEvent(guest: &mut Guest, hWinEventHook: GuestWord) -> Bool {
    let _ = (guest, hWinEventHook);
    FALSE
}

/// Tells of an event: nobody hears of it.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-notifywinevent>
#[winapi]
pub fn NotifyWinEvent(guest: &mut Guest, event: u32, hwnd: GuestWord, idObject: i32, idChild: i32) {
    let _ = (guest, event, hwnd, idObject, idChild);
}

/// Says that the program knows sizes of pixels.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-setprocessdpiaware>
#[winapi]
pub fn SetProcessDPIAware(guest: &mut Guest) -> Bool {
    let _ = guest;
    TRUE
}

/// Says whether the program knows sizes of pixels.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-isprocessdpiaware>
#[winapi]
pub fn IsProcessDPIAware(guest: &mut Guest) -> Bool {
    let _ = guest;
    TRUE
}

/// Ends the session: the program has no right to.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-exitwindowsex>
#[winapi]
pub fn ExitWindowsEx(guest: &mut Guest, uFlags: u32, dwReason: u32) -> Result<Bool, Win32Error> {
    let _ = (guest, uFlags, dwReason);
    Err(Win32Error::PRIVILEGE_NOT_HELD)
}

/// Locks the screen: there is none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-lockworkstation>
#[winapi]
pub fn LockWorkStation(guest: &mut Guest) -> Result<Bool, Win32Error> {
    let _ = guest;
    Err(Win32Error::NOT_SUPPORTED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_by_place_and_back() {
        for (key, place) in [
            (b'1', 2),
            (b'0', 11),
            (b'Q', 16),
            (b'P', 25),
            (b'A', 30),
            (b'L', 38),
            (b'Z', 44),
            (b'M', 50),
            (b' ', 57),
            (13, 28),
            (8, 14),
            (27, 1),
        ] {
            assert_eq!((map_key(key.into(), 0), map_key(place, 1)), (place, key.into()), "{key}");
        }
        assert_eq!((map_key(0x41, 2), map_key(0x70, 2), map_key(200, 1)), (0x41, 0, 0));
    }
}
