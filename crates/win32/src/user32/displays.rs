//! winuser.h: screens, of which there is none, the mouse's capture, and who wants to hear of devices.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use super::calls;
use crate::Win32Error;
use crate::answers::answers;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, FALSE, Guest, TRUE};
use crate::nt::thread;
use crate::nt::user::queue::Message;
use crate::widths::both_widths;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial MonitorFromWindow, "no screen: null"; partial MonitorFromPoint, "no screen: null";
    partial MonitorFromRect, "no screen: null"; partial EnumDisplayMonitors, "no screen: none";
    full GetMonitorInfoA; full GetMonitorInfoW;
    partial EnumDisplayDevicesA, "no screen: none"; partial EnumDisplayDevicesW, "no screen: none";
    partial EnumDisplaySettingsA, "no screen: none"; partial EnumDisplaySettingsW, "no screen: none";
    partial EnumDisplaySettingsExA, "no screen: none"; partial EnumDisplaySettingsExW, "no screen: none";
    partial ChangeDisplaySettingsA, "no screen: fails"; partial ChangeDisplaySettingsW, "no screen: fails";
    partial ChangeDisplaySettingsExA, "no screen: fails"; partial ChangeDisplaySettingsExW, "no screen: fails";
    partial GetDisplayConfigBufferSizes, "no screen: ERROR_NOT_SUPPORTED";
    partial QueryDisplayConfig, "no screen: ERROR_NOT_SUPPORTED";
    partial DisplayConfigGetDeviceInfo, "no screen: ERROR_NOT_SUPPORTED";
    partial SetDisplayConfig, "no screen: ERROR_NOT_SUPPORTED";
    full GetCursorInfo; partial ClipCursor, "no mouse: does nothing"; full GetClipCursor;
    full SetCapture; full ReleaseCapture; full GetCapture;
    partial GetLastInputInfo, "nobody typed since the start of the system";
    partial RegisterDeviceNotificationA, "devices do not come and go"; partial RegisterDeviceNotificationW, "devices do not come and go";
    full UnregisterDeviceNotification;
};

answers! {
    "Returns the screen that a window is on: none.", "winuser/nf-winuser-monitorfromwindow";
    MonitorFromWindow(hwnd: GuestWord, dwFlags: u32) -> GuestWord = GuestWord::NULL;
    "Returns the screen that a point is on: none.", "winuser/nf-winuser-monitorfrompoint";
    MonitorFromPoint(pt: u64, dwFlags: u32) -> GuestWord = GuestWord::NULL;
    "Returns the screen that a rectangle is on: none.", "winuser/nf-winuser-monitorfromrect";
    MonitorFromRect(lprc: GuestWord, dwFlags: u32) -> GuestWord = GuestWord::NULL;
    "Calls a function with each screen: there is none.", "winuser/nf-winuser-enumdisplaymonitors";
    EnumDisplayMonitors(hdc: GuestWord, lprcClip: GuestWord, lpfnEnum: GuestWord, dwData: GuestWord) -> Bool = TRUE;
    "Describes a screen: no handle is one's.", "winuser/nf-winuser-getmonitorinfo";
    GetMonitorInfoA, GetMonitorInfoW(
        hMonitor: GuestWord, lpmi: GuestWord
    ) -> Result<Bool, Win32Error> = Err(Win32Error::INVALID_MONITOR_HANDLE);
    "Describes an adapter or a screen: there is none.", "winuser/nf-winuser-enumdisplaydevices";
    EnumDisplayDevicesA, EnumDisplayDevicesW(
        lpDevice: GuestWord, iDevNum: u32, lpDisplayDevice: GuestWord, dwFlags: u32
    ) -> Bool = FALSE;
    "Describes a mode of a screen: there is none.", "winuser/nf-winuser-enumdisplaysettings";
    EnumDisplaySettingsA, EnumDisplaySettingsW(
        lpszDeviceName: GuestWord, iModeNum: u32, lpDevMode: GuestWord
    ) -> Bool = FALSE;
    "Describes a mode of a screen: there is none.", "winuser/nf-winuser-enumdisplaysettingsex";
    EnumDisplaySettingsExA, EnumDisplaySettingsExW(
        lpszDeviceName: GuestWord, iModeNum: u32, lpDevMode: GuestWord, dwFlags: u32
    ) -> Bool = FALSE;
    "Changes the mode of a screen: the answer is `DISP_CHANGE_FAILED`.", "winuser/nf-winuser-changedisplaysettings";
    ChangeDisplaySettingsA, ChangeDisplaySettingsW(lpDevMode: GuestWord, dwFlags: u32) -> i32 = -1;
    "Changes the mode of a screen: the answer is `DISP_CHANGE_FAILED`.", "winuser/nf-winuser-changedisplaysettingsex";
    ChangeDisplaySettingsExA, ChangeDisplaySettingsExW(
        lpszDeviceName: GuestWord, lpDevMode: GuestWord, hwnd: GuestWord, dwflags: u32, lParam: GuestWord
    ) -> i32 = -1;
    "Counts screens and their ways: no driver of screens runs.", "winuser/nf-winuser-getdisplayconfigbuffersizes";
    GetDisplayConfigBufferSizes(
        flags: u32, numPathArrayElements: GuestWord, numModeInfoArrayElements: GuestWord
    ) -> u32 = Win32Error::NOT_SUPPORTED.0;
    "Describes screens and their ways: no driver of screens runs.", "winuser/nf-winuser-querydisplayconfig";
    QueryDisplayConfig(
        flags: u32, numPathArrayElements: GuestWord, pathArray: GuestWord, numModeInfoArrayElements: GuestWord,
        modeInfoArray: GuestWord, currentTopologyId: GuestWord
    ) -> u32 = Win32Error::NOT_SUPPORTED.0;
    "Describes a part of a screen's way: no driver of screens runs.", "winuser/nf-winuser-displayconfiggetdeviceinfo";
    DisplayConfigGetDeviceInfo(requestPacket: GuestWord) -> u32 = Win32Error::NOT_SUPPORTED.0;
    "Changes the screens' ways: no driver of screens runs.", "winuser/nf-winuser-setdisplayconfig";
    SetDisplayConfig(
        numPathArrayElements: u32, pathArray: GuestWord, numModeInfoArrayElements: u32, modeInfoArray: GuestWord, flags: u32
    ) -> u32 = Win32Error::NOT_SUPPORTED.0;
    "Keeps the mouse in a rectangle: there is none.", "winuser/nf-winuser-clipcursor";
    ClipCursor(lpRect: GuestWord) -> Bool = TRUE;
}

/// Describes the mouse's picture: hidden, nowhere.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getcursorinfo>
#[winapi]
pub fn GetCursorInfo(guest: &mut Guest, pci: GuestWord) -> Result<Bool, Win32Error> {
    // cbSize, flags, hCursor, ptScreenPos
    let size = 16 + guest.machine().pointer_size();
    if pci.is_null() || u64::from(guest.read_u32(pci.get())?) != size {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    guest.write_bytes(pci.get() + 4, &[0; 20][..size as usize - 4])?;
    Ok(TRUE)
}

/// Returns the rectangle that the mouse is kept in: that of no screen.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getclipcursor>
#[winapi]
pub fn GetClipCursor(guest: &mut Guest, lpRect: GuestWord) -> Result<Bool, Fault> {
    guest.write(lpRect.get(), &[0i32; 4])?;
    Ok(TRUE)
}

fn thread_id() -> u32 {
    thread::with_current(thread::ThreadObject::id)
}

/// Returns the calling thread's window that the mouse is tied to.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getcapture>
#[winapi]
pub fn GetCapture(guest: &mut Guest) -> GuestWord {
    let state = guest.process().desktop.state();
    let window = state.captures.get(&thread_id()).copied().unwrap_or(0);
    GuestWord(if state.is_window(window) { window } else { 0 })
}

/// Ties the mouse to another window, and tells the former one; returns that.
fn capture(guest: &mut Guest, window: u64) -> Result<GuestWord, Win32Error> {
    /// `WM_CAPTURECHANGED`.
    const CHANGED: u32 = 0x215;
    let former = GetCapture(guest);
    guest.process().desktop.state().captures.insert(thread_id(), window);
    if !former.is_null() {
        let is_wide = guest.process().desktop.state().window(former.get())?.is_wide;
        let message = Message { window: former.get(), id: CHANGED, lparam: window, ..Message::default() };
        calls::send(guest, is_wide, message, None)?;
    }
    Ok(former)
}

/// Ties the mouse to a window of the calling thread; returns the former one.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-setcapture>
#[winapi]
pub fn SetCapture(guest: &mut Guest, hWnd: GuestWord) -> Result<GuestWord, Win32Error> {
    if !hWnd.is_null() {
        let owner = guest.process().desktop.state().window(hWnd.get())?.thread;
        if owner != thread_id() {
            return Err(Win32Error::ACCESS_DENIED);
        }
    }
    capture(guest, hWnd.get())
}

/// Unties the mouse.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-releasecapture>
#[winapi]
pub fn ReleaseCapture(guest: &mut Guest) -> Result<Bool, Win32Error> {
    capture(guest, 0)?;
    Ok(TRUE)
}

/// Returns when somebody typed or moved the mouse last: when the system started.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getlastinputinfo>
#[winapi]
pub fn GetLastInputInfo(guest: &mut Guest, plii: GuestWord) -> Result<Bool, Win32Error> {
    if guest.read_u32(plii.get())? != 8 {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    guest.write(plii.get() + 4, &0u32)?;
    Ok(TRUE)
}

both_widths! {
    /// Notes who wants to hear of devices that come and go; returns a handle.
    "winuser/nf-winuser-registerdevicenotification"
    RegisterDeviceNotificationA, RegisterDeviceNotificationW(
        guest, width, hRecipient: GuestWord, NotificationFilter: GuestWord, Flags: u32
    ) -> Result<GuestWord, Win32Error> {
        let _ = width;
        if NotificationFilter.is_null() || hRecipient.is_null() {
            return Err(Win32Error::INVALID_PARAMETER);
        }
        let [size, kind, _]: [u32; 3] = guest.read(NotificationFilter.get())?;
        // DEVICE_NOTIFY_SERVICE_HANDLE, DEVICE_NOTIFY_ALL_INTERFACE_CLASSES
        if Flags & !5 != 0 {
            return Err(Win32Error::INVALID_FLAGS);
        }
        // DBT_DEVTYP_DEVICEINTERFACE, DBT_DEVTYP_HANDLE
        if size < 12 || !matches!(kind, 5 | 6) {
            return Err(Win32Error::INVALID_DATA);
        }
        let mut state = guest.process().desktop.state();
        if Flags & 1 == 0 {
            state.window(hRecipient.get()).map_err(|_| Win32Error::INVALID_PARAMETER)?;
        }
        state.device_listeners.0 += 1;
        let handle = 0x2_0000 + 8 * state.device_listeners.0;
        state.device_listeners.1.insert(handle);
        Ok(GuestWord(handle))
    }
}

/// Forgets who wanted to hear of devices.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-unregisterdevicenotification>
#[winapi]
pub fn UnregisterDeviceNotification(guest: &mut Guest, Handle: GuestWord) -> Result<Bool, Win32Error> {
    let removed = guest.process().desktop.state().device_listeners.1.remove(&Handle.get());
    if removed { Ok(TRUE) } else { Err(Win32Error::INVALID_HANDLE) }
}
