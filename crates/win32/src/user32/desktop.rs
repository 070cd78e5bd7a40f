//! winuser.h: the desktop, which is empty: no screen, no keyboard, no mouse. What asks gets the honest answer.

use plat_abi::{GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::answers::answers;
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
    partial GetKeyboardType, "a keyboard of 101 keys";
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

answers! {
    "Returns the desktop's window.", "winuser/nf-winuser-getdesktopwindow";
    GetDesktopWindow() -> GuestWord = GuestWord(DESKTOP_WINDOW);
    "Returns the shell's window: none.", "winuser/nf-winuser-getshellwindow";
    GetShellWindow() -> GuestWord = GuestWord::NULL;
    "Returns the window that the user works with: none.", "winuser/nf-winuser-getforegroundwindow";
    GetForegroundWindow() -> GuestWord = GuestWord::NULL;
    "Brings a window before the others: there is no screen.", "winuser/nf-winuser-setforegroundwindow";
    SetForegroundWindow(hWnd: GuestWord) -> Bool = FALSE;
    "Lets another process bring its windows before the others.", "winuser/nf-winuser-allowsetforegroundwindow";
    AllowSetForegroundWindow(dwProcessId: u32) -> Bool = TRUE;
    "Returns the thread's active window: none.", "winuser/nf-winuser-getactivewindow";
    GetActiveWindow() -> GuestWord = GuestWord::NULL;
    "Makes a window active; there was none before.", "winuser/nf-winuser-setactivewindow";
    SetActiveWindow(hWnd: GuestWord) -> GuestWord = GuestWord::NULL;
    "Returns the window that keys go to: none.", "winuser/nf-winuser-getfocus";
    GetFocus() -> GuestWord = GuestWord::NULL;
    "Lets keys go to a window; there was none before.", "winuser/nf-winuser-setfocus";
    SetFocus(hWnd: GuestWord) -> GuestWord = GuestWord::NULL;
    "Returns the process's window station.", "winuser/nf-winuser-getprocesswindowstation";
    GetProcessWindowStation() -> GuestWord = GuestWord(STATION);
    "Returns a thread's desktop.", "winuser/nf-winuser-getthreaddesktop";
    GetThreadDesktop(dwThreadId: u32) -> GuestWord = GuestWord(DESKTOP);
    "Returns the desktop that gets input.", "winuser/nf-winuser-openinputdesktop";
    OpenInputDesktop(dwFlags: u32, fInherit: Bool, dwDesiredAccess: u32) -> GuestWord = GuestWord(DESKTOP);
    "Gives an icon back.", "winuser/nf-winuser-destroyicon";
    DestroyIcon(hIcon: GuestWord) -> Bool = TRUE;
    "Gives a cursor back.", "winuser/nf-winuser-destroycursor";
    DestroyCursor(hCursor: GuestWord) -> Bool = TRUE;
    "Moves the mouse: there is none.", "winuser/nf-winuser-setcursorpos";
    SetCursorPos(X: i32, Y: i32) -> Bool = TRUE;
    "Shows or hides the mouse: there is none.", "winuser/nf-winuser-showcursor";
    ShowCursor(bShow: Bool) -> i32 = -1;
    "Changes the mouse's picture: there is none.", "winuser/nf-winuser-setcursor";
    SetCursor(hCursor: GuestWord) -> GuestWord = GuestWord::NULL;
    "Makes no sound.", "winuser/nf-winuser-messagebeep";
    MessageBeep(uType: u32) -> Bool = TRUE;
    "Returns a colour.", "winuser/nf-winuser-getsyscolor";
    GetSysColor(nIndex: i32) -> u32 = 0;
    "Returns what draws on a window: nothing does.", "winuser/nf-winuser-getdc";
    GetDC(hWnd: GuestWord) -> GuestWord = GuestWord::NULL;
    "Returns what draws on a window: nothing does.", "winuser/nf-winuser-getwindowdc";
    GetWindowDC(hWnd: GuestWord) -> GuestWord = GuestWord::NULL;
    "Gives back what draws on a window.", "winuser/nf-winuser-releasedc";
    ReleaseDC(hWnd: GuestWord, hDC: GuestWord) -> i32 = 0;
    "Returns how fast two clicks are a double click, in milliseconds.", "winuser/nf-winuser-getdoubleclicktime";
    GetDoubleClickTime() -> u32 = 500;
    "Returns how fast a caret blinks, in milliseconds.", "winuser/nf-winuser-getcaretblinktime";
    GetCaretBlinkTime() -> u32 = 530;
    "Returns the units of dialogs in pixels.", "winuser/nf-winuser-getdialogbaseunits";
    GetDialogBaseUnits() -> i32 = 16 << 16 | 8;
    "Ends a hook: there is none.", "winuser/nf-winuser-unhookwindowshookex";
    UnhookWindowsHookEx(hhk: GuestWord) -> Result<Bool, Win32Error> = Err(Win32Error::INVALID_HOOK_HANDLE);
    "Calls the next hook: there is none.", "winuser/nf-winuser-callnexthookex";
    CallNextHookEx(hhk: GuestWord, nCode: i32, wParam: GuestWord, lParam: GuestWord) -> GuestWord = GuestWord::NULL;
    "Calls a function at events: there are none.", "winuser/nf-winuser-setwineventhook";
    SetWinEventHook(
        eventMin: u32, eventMax: u32, hmodWinEventProc: GuestWord, pfnWinEventProc: GuestWord, idProcess: u32,
        idThread: u32, dwFlags: u32
    ) -> GuestWord = GuestWord::NULL;
    "Ends the calls at events.", "winuser/nf-winuser-unhookwinevent";
    UnhookWinEvent(hWinEventHook: GuestWord) -> Bool = FALSE;
    "Tells of an event: nobody hears of it.", "winuser/nf-winuser-notifywinevent";
    NotifyWinEvent(event: u32, hwnd: GuestWord, idObject: i32, idChild: i32) -> () = ();
    "Says that the program knows sizes of pixels.", "winuser/nf-winuser-setprocessdpiaware";
    SetProcessDPIAware() -> Bool = TRUE;
    "Says whether the program knows sizes of pixels.", "winuser/nf-winuser-isprocessdpiaware";
    IsProcessDPIAware() -> Bool = TRUE;
    "Ends the session: the program has no right to.", "winuser/nf-winuser-exitwindowsex";
    ExitWindowsEx(uFlags: u32, dwReason: u32) -> Result<Bool, Win32Error> = Err(Win32Error::PRIVILEGE_NOT_HELD);
    "Locks the screen: there is none.", "winuser/nf-winuser-lockworkstation";
    LockWorkStation() -> Result<Bool, Win32Error> = Err(Win32Error::NOT_SUPPORTED);
    "Calls a function at events: there are no hooks.", "winuser/nf-winuser-setwindowshookex";
    SetWindowsHookExA, SetWindowsHookExW(
        idHook: i32, lpfn: GuestWord, hmod: GuestWord, dwThreadId: u32
    ) -> Result<GuestWord, Win32Error> = Err(Win32Error::CALL_NOT_IMPLEMENTED);
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

/// Returns what the keyboard is.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getkeyboardtype>
#[winapi]
pub fn GetKeyboardType(guest: &mut Guest, nTypeFlag: i32) -> i32 {
    let _ = guest;
    // An enhanced keyboard with 12 function keys.
    [4, 0, 12].get(nTypeFlag as usize).copied().unwrap_or(0)
}

/// Returns where the mouse is: nowhere.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getcursorpos>
#[winapi]
pub fn GetCursorPos(guest: &mut Guest, lpPoint: GuestWord) -> Result<Bool, Win32Error> {
    guest.write_bytes(lpPoint.get(), &[0; 8])?;
    Ok(TRUE)
}
