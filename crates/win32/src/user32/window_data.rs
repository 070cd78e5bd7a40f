//! winuser.h: what windows are asked: their words, titles, properties, places and relatives.

use plat_abi::{GuestWord, Memory, winapi};

use super::calls::{self, WM_GETTEXT, WM_GETTEXTLENGTH, WM_SETTEXT};
use super::classes;
use crate::Win32Error;
use crate::answers::answers;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, FALSE, Guest, TRUE};
use crate::nt::thread;
use crate::nt::user::queue::Message;
use crate::nt::user::window::{
    DESKTOP_WINDOW, MESSAGE_WINDOW, Property, WS_CHILD, WS_DISABLED, WS_POPUP, WS_VISIBLE, Window,
};
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial GetWindowLongA, "a procedure of the other width is not wrapped";
    partial GetWindowLongW, "a procedure of the other width is not wrapped";
    partial GetWindowLongPtrA, "a procedure of the other width is not wrapped";
    partial GetWindowLongPtrW, "a procedure of the other width is not wrapped";
    partial SetWindowLongA, "does not announce changes of style";
    partial SetWindowLongW, "does not announce changes of style";
    partial SetWindowLongPtrA, "does not announce changes of style";
    partial SetWindowLongPtrW, "does not announce changes of style";
    full SetWindowTextA;
    full SetWindowTextW;
    full GetWindowTextA;
    full GetWindowTextW;
    full GetWindowTextLengthA;
    full GetWindowTextLengthW;
    full SetPropA;
    full SetPropW;
    full GetPropA;
    full GetPropW;
    full RemovePropA;
    full RemovePropW;
    partial FindWindowA, "windows of this process only";
    partial FindWindowW, "windows of this process only";
    partial FindWindowExA, "windows of this process only";
    partial FindWindowExW, "windows of this process only";
    full IsWindow;
    full IsWindowUnicode;
    full IsWindowVisible;
    full IsWindowEnabled;
    partial EnableWindow, "does not announce the change";
    partial IsIconic, "no window is minimised";
    partial IsZoomed, "no window is maximised";
    full IsChild;
    full GetParent;
    partial SetParent, "does not announce the change";
    full GetAncestor;
    full GetWindow;
    full GetTopWindow;
    full GetWindowThreadProcessId;
    partial EnumWindows, "windows of this process only";
    full EnumChildWindows;
    full EnumThreadWindows;
    full GetWindowRect;
    full GetClientRect;
    partial MoveWindow, "does not announce the change";
    partial SetWindowPos, "changes place and size; does not announce it";
    full ClientToScreen;
    full ScreenToClient;
    full GetDlgCtrlID;
};

/// Reads four or eight bytes that a program keeps with a window or a class, and sets them.
///
/// # Errors
/// `INVALID_INDEX` where there are no such bytes.
pub(crate) fn extra_value(
    extra: &mut [u8],
    index: i32,
    size: usize,
    new: Option<u64>,
) -> Result<u64, Win32Error> {
    let place = usize::try_from(index).map_err(|_| Win32Error::INVALID_INDEX)?;
    let bytes = extra.get_mut(place..place + size).ok_or(Win32Error::INVALID_INDEX)?;
    let mut word = [0; 8];
    word[..size].copy_from_slice(bytes);
    if let Some(new) = new {
        bytes.copy_from_slice(&new.to_le_bytes()[..size]);
    }
    Ok(u64::from_le_bytes(word))
}

/// Reads a word of a window, and sets it if there is a new one.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-setwindowlongptrw>
fn window_value(
    guest: &Guest,
    (window, width): (GuestWord, Width),
    index: i32,
    size: usize,
    new: Option<u64>,
) -> Result<u64, Win32Error> {
    let mut state = guest.process().desktop.state();
    let window = state.window_mut(window.get())?;
    fn replace(place: &mut u64, new: Option<u64>) -> u64 {
        std::mem::replace(place, new.unwrap_or(*place))
    }
    fn replace_style(place: &mut u32, new: Option<u64>) -> u64 {
        u64::from(std::mem::replace(place, new.map_or(*place, |new| new as u32)))
    }
    Ok(match index {
        -4 => {
            if new.is_some() {
                window.is_wide = width == Width::Wide;
            }
            replace(&mut window.procedure, new)
        }
        -6 => replace(&mut window.instance, new),
        -8 if window.style & WS_CHILD != 0 => replace(&mut window.parent, new),
        -8 => replace(&mut window.owner, new),
        -12 => replace(&mut window.id, new),
        -16 => replace_style(&mut window.style, new),
        -20 => replace_style(&mut window.extended_style, new),
        -21 => replace(&mut window.user_data, new),
        _ => extra_value(&mut window.extra, index, size, new)?,
    })
}

/// Does the same for the functions that return 32 bits.
fn window_long(
    guest: &mut Guest,
    window: (GuestWord, Width),
    index: i32,
    new: Option<i32>,
) -> Result<i32, Win32Error> {
    // A 32-bit program's pointers pass through here.
    let new = new.map(|new| new as u32 as u64);
    let value = window_value(guest, window, index, 4, new)?;
    guest.set_last_error(Win32Error::SUCCESS);
    Ok(value as i32)
}

/// Does the same for the functions that return a pointer.
fn window_pointer(
    guest: &mut Guest,
    window: (GuestWord, Width),
    index: i32,
    new: Option<GuestWord>,
) -> Result<GuestWord, Win32Error> {
    let size = guest.machine().pointer_size() as usize;
    window_value(guest, window, index, size, new.map(GuestWord::get)).map(GuestWord)
}

/// Reads a property's key: a name or a number.
fn property(guest: &Guest, width: Width, address: GuestWord) -> Result<Property, Win32Error> {
    match u16::try_from(address.get()) {
        Ok(0) => Err(Win32Error::INVALID_PARAMETER),
        Ok(atom) => {
            let name = guest.process().desktop.state().names.name(atom);
            Ok(name.map_or(Property::Atom(atom), |name| {
                Property::Name(String::from_utf16_lossy(&name).to_lowercase())
            }))
        }
        Err(_) => Ok(Property::Name(String::from_utf16_lossy(&width.read(guest, address)?).to_lowercase())),
    }
}

/// Sends a message of one width with a text.
fn send_text(
    guest: &mut Guest,
    width: Width,
    window: GuestWord,
    id: u32,
    wparam: u64,
    lparam: u64,
) -> Result<u64, Win32Error> {
    let message = Message { window: window.get(), id, wparam, lparam, time: 0 };
    calls::send(guest, width == Width::Wide, message, None)
}

both_widths! {
    /// Returns a word of a window.
    "winuser/nf-winuser-getwindowlong"
    GetWindowLongA, GetWindowLongW(guest, width, hWnd: GuestWord, nIndex: i32) -> Result<i32, Win32Error> {
        window_long(guest, (hWnd, width), nIndex, None)
    }

    /// Returns a word or an address of a window.
    "winuser/nf-winuser-getwindowlongptr"
    GetWindowLongPtrA, GetWindowLongPtrW(guest, width, hWnd: GuestWord, nIndex: i32) -> Result<GuestWord, Win32Error> {
        window_pointer(guest, (hWnd, width), nIndex, None)
    }

    /// Sets a word of a window; returns the former.
    "winuser/nf-winuser-setwindowlong"
    SetWindowLongA, SetWindowLongW(guest, width, hWnd: GuestWord, nIndex: i32, dwNewLong: i32) -> Result<i32, Win32Error> {
        window_long(guest, (hWnd, width), nIndex, Some(dwNewLong))
    }

    /// Sets a word or an address of a window; returns the former.
    "winuser/nf-winuser-setwindowlongptr"
    SetWindowLongPtrA, SetWindowLongPtrW(guest, width, hWnd: GuestWord, nIndex: i32, dwNewLong: GuestWord) -> Result<GuestWord, Win32Error> {
        window_pointer(guest, (hWnd, width), nIndex, Some(dwNewLong))
    }

    /// Sets a window's title.
    "winuser/nf-winuser-setwindowtext"
    SetWindowTextA, SetWindowTextW(guest, width, hWnd: GuestWord, lpString: GuestWord) -> Result<Bool, Win32Error> {
        send_text(guest, width, hWnd, WM_SETTEXT, 0, lpString.get())?;
        Ok(TRUE)
    }

    /// Returns a window's title.
    "winuser/nf-winuser-getwindowtext"
    GetWindowTextA, GetWindowTextW(guest, width, hWnd: GuestWord, lpString: GuestWord, nMaxCount: i32) -> Result<i32, Win32Error> {
        let capacity = u64::try_from(nMaxCount).unwrap_or(0);
        if capacity == 0 {
            return Ok(0);
        }
        send_text(guest, width, hWnd, WM_GETTEXT, capacity, lpString.get()).map(|length| length as i32)
    }

    /// Returns the length of a window's title.
    "winuser/nf-winuser-getwindowtextlength"
    GetWindowTextLengthA, GetWindowTextLengthW(guest, width, hWnd: GuestWord) -> Result<i32, Win32Error> {
        send_text(guest, width, hWnd, WM_GETTEXTLENGTH, 0, 0).map(|length| length as i32)
    }

    /// Ties a value to a window, under a name.
    "winuser/nf-winuser-setprop"
    SetPropA, SetPropW(guest, width, hWnd: GuestWord, lpString: GuestWord, hData: GuestWord) -> Result<Bool, Win32Error> {
        let key = property(guest, width, lpString)?;
        guest.process().desktop.state().window_mut(hWnd.get())?.properties.insert(key, hData.get());
        Ok(TRUE)
    }

    /// Returns a value that is tied to a window.
    "winuser/nf-winuser-getprop"
    GetPropA, GetPropW(guest, width, hWnd: GuestWord, lpString: GuestWord) -> Result<GuestWord, Win32Error> {
        let key = property(guest, width, lpString)?;
        let value = guest.process().desktop.state().window(hWnd.get())?.properties.get(&key).copied();
        Ok(GuestWord(value.unwrap_or(0)))
    }

    /// Unties a value from a window and returns it.
    "winuser/nf-winuser-removeprop"
    RemovePropA, RemovePropW(guest, width, hWnd: GuestWord, lpString: GuestWord) -> Result<GuestWord, Win32Error> {
        let key = property(guest, width, lpString)?;
        let value = guest.process().desktop.state().window_mut(hWnd.get())?.properties.remove(&key);
        Ok(GuestWord(value.unwrap_or(0)))
    }

    /// Finds a top-level window by its class and its title.
    "winuser/nf-winuser-findwindow"
    FindWindowA, FindWindowW(guest, width, lpClassName: GuestWord, lpWindowName: GuestWord) -> Result<GuestWord, Win32Error> {
        find(guest, width, (GuestWord::NULL, GuestWord::NULL), lpClassName, lpWindowName)
    }

    /// Finds a window below another by its class and its title, behind a given one.
    "winuser/nf-winuser-findwindowex"
    FindWindowExA, FindWindowExW(guest, width, hWndParent: GuestWord, hWndChildAfter: GuestWord, lpszClass: GuestWord, lpszWindow: GuestWord) -> Result<GuestWord, Win32Error> {
        find(guest, width, (hWndParent, hWndChildAfter), lpszClass, lpszWindow)
    }
}

fn find(
    guest: &Guest,
    width: Width,
    (given, after): (GuestWord, GuestWord),
    class: GuestWord,
    title: GuestWord,
) -> Result<GuestWord, Win32Error> {
    let class_name = if class.is_null() { None } else { Some(classes::class_name(guest, width, class)?) };
    let title = if title.is_null() { None } else { Some(width.read(guest, title)?) };
    let parent = match super::queue::signed(guest, given) {
        0 => DESKTOP_WINDOW,
        -3 => MESSAGE_WINDOW,
        _ => given.get(),
    };
    let state = guest.process().desktop.state();
    let mut children = state.children(parent);
    if after.is_null() && super::queue::signed(guest, given) == 0 {
        // Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-findwindowexw>
        children.extend(state.children(MESSAGE_WINDOW));
    }
    if !after.is_null() {
        let place = children.iter().position(|&child| child == after.get());
        let place = place.ok_or(Win32Error::INVALID_WINDOW_HANDLE)?;
        children.drain(..=place);
    }
    let lower = |text: &[u16]| String::from_utf16_lossy(text).to_lowercase();
    let fits = |window: &&Window| {
        class_name.as_ref().is_none_or(|name| window.class.is(name, 0))
            && title.as_ref().is_none_or(|title| lower(title) == lower(&window.text))
    };
    let found = children.iter().filter_map(|child| state.windows.get(child)).find(fits);
    Ok(GuestWord(found.map_or(0, |window| window.handle)))
}

/// Says whether a handle is a window's.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-iswindow>
#[winapi]
pub fn IsWindow(guest: &mut Guest, hWnd: GuestWord) -> Bool {
    Bool(guest.process().desktop.state().is_window(hWnd.get()))
}

/// Asks a window something; for others the answer is FALSE.
fn ask(guest: &Guest, window: GuestWord, test: impl Fn(&Window) -> bool) -> Bool {
    Bool(guest.process().desktop.state().window(window.get()).is_ok_and(test))
}

/// Says whether a window's procedure takes UTF-16.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-iswindowunicode>
#[winapi]
pub fn IsWindowUnicode(guest: &mut Guest, hWnd: GuestWord) -> Bool {
    ask(guest, hWnd, |window| window.is_wide)
}

/// Says whether a window is marked as visible.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-iswindowvisible>
#[winapi]
pub fn IsWindowVisible(guest: &mut Guest, hWnd: GuestWord) -> Bool {
    ask(guest, hWnd, |window| window.style & WS_VISIBLE != 0)
}

/// Says whether a window takes input.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-iswindowenabled>
#[winapi]
pub fn IsWindowEnabled(guest: &mut Guest, hWnd: GuestWord) -> Bool {
    ask(guest, hWnd, |window| window.style & WS_DISABLED == 0)
}

/// Lets a window take input or not; says whether it was disabled.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-enablewindow>
#[winapi]
pub fn EnableWindow(guest: &mut Guest, hWnd: GuestWord, bEnable: Bool) -> Result<Bool, Win32Error> {
    let mut state = guest.process().desktop.state();
    let window = state.window_mut(hWnd.get())?;
    let was_disabled = window.style & WS_DISABLED != 0;
    window.style = window.style & !WS_DISABLED | if bEnable.0 { 0 } else { WS_DISABLED };
    Ok(Bool(was_disabled))
}

answers! {
    "Says whether a window is minimised: none is.", "winuser/nf-winuser-isiconic";
    IsIconic(hWnd: GuestWord) -> Bool = FALSE;
    "Says whether a window is maximised: none is.", "winuser/nf-winuser-iszoomed";
    IsZoomed(hWnd: GuestWord) -> Bool = FALSE;
}

/// Says whether a window lies in another.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-ischild>
#[winapi]
pub fn IsChild(guest: &mut Guest, hWndParent: GuestWord, hWnd: GuestWord) -> Bool {
    Bool(guest.process().desktop.state().is_below(hWnd.get(), hWndParent.get()))
}

/// Returns the window that a child lies in, or that owns a popup.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getparent>
#[winapi]
pub fn GetParent(guest: &mut Guest, hWnd: GuestWord) -> Result<GuestWord, Win32Error> {
    let state = guest.process().desktop.state();
    let window = state.window(hWnd.get())?;
    Ok(GuestWord(match window.style & (WS_CHILD | WS_POPUP) {
        _ if window.is_message_only() => 0,
        style if style & WS_CHILD != 0 => window.parent,
        style if style & WS_POPUP != 0 => window.owner,
        _ => 0,
    }))
}

/// Puts a window into another; returns the former one.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-setparent>
#[winapi]
pub fn SetParent(
    guest: &mut Guest,
    hWndChild: GuestWord,
    hWndNewParent: GuestWord,
) -> Result<GuestWord, Win32Error> {
    let parent = match super::queue::signed(guest, hWndNewParent) {
        0 => DESKTOP_WINDOW,
        -3 => MESSAGE_WINDOW,
        _ => hWndNewParent.get(),
    };
    let mut state = guest.process().desktop.state();
    if parent != MESSAGE_WINDOW && !state.is_window(parent) {
        return Err(Win32Error::INVALID_WINDOW_HANDLE);
    }
    if parent == hWndChild.get() || state.is_below(parent, hWndChild.get()) {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let window = state.window_mut(hWndChild.get())?;
    Ok(GuestWord(std::mem::replace(&mut window.parent, parent)))
}

/// Returns a window above another.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getancestor>
#[winapi]
pub fn GetAncestor(guest: &mut Guest, hwnd: GuestWord, gaFlags: u32) -> Result<GuestWord, Win32Error> {
    let state = guest.process().desktop.state();
    if hwnd.get() == DESKTOP_WINDOW {
        return Ok(GuestWord::NULL);
    }
    let window = state.window(hwnd.get())?;
    // GA_PARENT, GA_ROOT, GA_ROOTOWNER
    if gaFlags == 1 {
        return Ok(GuestWord(window.parent));
    }
    let mut at = window;
    loop {
        let above = match gaFlags {
            3 if at.style & WS_CHILD == 0 => at.owner,
            2 | 3 => at.parent,
            _ => return Err(Win32Error::INVALID_PARAMETER),
        };
        match state.windows.get(&above) {
            Some(above) => at = above,
            None => return Ok(GuestWord(at.handle)),
        }
    }
}

/// Returns a relative of a window.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getwindow>
#[winapi]
pub fn GetWindow(guest: &mut Guest, hWnd: GuestWord, uCmd: u32) -> Result<GuestWord, Win32Error> {
    let state = guest.process().desktop.state();
    let window = hWnd.get();
    if !state.is_window(window) {
        return Err(Win32Error::INVALID_WINDOW_HANDLE);
    }
    let known = state.windows.get(&window);
    let siblings = known.map(|known| state.children(known.parent)).unwrap_or_default();
    let place = siblings.iter().position(|&other| other == window).unwrap_or(0);
    let found = match uCmd {
        0 => siblings.first().copied(),
        1 => siblings.last().copied(),
        2 => siblings.get(place + 1).copied(),
        3 => place.checked_sub(1).and_then(|place| siblings.get(place)).copied(),
        4 => known.map(|known| known.owner),
        5 => state.children(window).first().copied(),
        6 => None,
        _ => return Err(Win32Error::INVALID_PARAMETER),
    };
    Ok(GuestWord(found.unwrap_or(0)))
}

/// Returns the highest window in another.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-gettopwindow>
#[winapi]
pub fn GetTopWindow(guest: &mut Guest, hWnd: GuestWord) -> Result<GuestWord, Win32Error> {
    let window = if hWnd.is_null() { GuestWord(DESKTOP_WINDOW) } else { hWnd };
    // GW_CHILD
    GetWindow(guest, window, 5)
}

/// Returns the thread that made a window, and its process.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getwindowthreadprocessid>
#[winapi]
pub fn GetWindowThreadProcessId(
    guest: &mut Guest,
    hWnd: GuestWord,
    lpdwProcessId: GuestWord,
) -> Result<u32, Win32Error> {
    let thread = match hWnd.get() {
        DESKTOP_WINDOW => thread::FIRST_ID,
        window => guest.process().desktop.state().window(window)?.thread,
    };
    if !lpdwProcessId.is_null() {
        let id = guest.teb().get(crate::teb::Teb::PROCESS_ID)?;
        guest.write_bytes(lpdwProcessId.get(), &(id as u32).to_le_bytes())?;
    }
    Ok(thread)
}

/// Calls a function with each window until it says no.
fn enumerate(
    guest: &mut Guest,
    windows: Vec<u64>,
    function: GuestWord,
    argument: GuestWord,
) -> Result<Bool, Win32Error> {
    for window in windows {
        let lives = guest.process().desktop.state().is_window(window);
        if lives && guest.call(function.get(), &[window, argument.get()])? as u32 == 0 {
            return Ok(FALSE);
        }
    }
    Ok(TRUE)
}

/// Calls a function with each top-level window.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-enumwindows>
#[winapi]
pub fn EnumWindows(guest: &mut Guest, lpEnumFunc: GuestWord, lParam: GuestWord) -> Result<Bool, Win32Error> {
    let windows = guest.process().desktop.state().children(DESKTOP_WINDOW);
    enumerate(guest, windows, lpEnumFunc, lParam)
}

/// Calls a function with each window in another, at any depth.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-enumchildwindows>
#[winapi]
pub fn EnumChildWindows(
    guest: &mut Guest,
    hWndParent: GuestWord,
    lpEnumFunc: GuestWord,
    lParam: GuestWord,
) -> Result<Bool, Win32Error> {
    let windows = {
        let state = guest.process().desktop.state();
        let parent = if hWndParent.is_null() { DESKTOP_WINDOW } else { hWndParent.get() };
        let below = state.order.iter().copied().filter(|&window| state.is_below(window, parent));
        below.collect()
    };
    enumerate(guest, windows, lpEnumFunc, lParam)
}

/// Calls a function with each top-level window of a thread.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-enumthreadwindows>
#[winapi]
pub fn EnumThreadWindows(
    guest: &mut Guest,
    dwThreadId: u32,
    lpfn: GuestWord,
    lParam: GuestWord,
) -> Result<Bool, Win32Error> {
    let windows = {
        let state = guest.process().desktop.state();
        let is_own =
            |window: &u64| state.windows.get(window).is_some_and(|window| window.thread == dwThreadId);
        state.children(DESKTOP_WINDOW).into_iter().filter(is_own).collect()
    };
    enumerate(guest, windows, lpfn, lParam)
}

fn write_rectangle(guest: &Guest, to: GuestWord, rectangle: [i32; 4]) -> Result<Bool, Win32Error> {
    guest.write(to.get(), &rectangle)?;
    Ok(TRUE)
}

/// Returns where a window begins on the screen that nobody sees: children are placed in their parents.
pub(super) fn origin(guest: &Guest, window: u64) -> Result<[i32; 2], Win32Error> {
    if window == DESKTOP_WINDOW {
        return Ok([0; 2]);
    }
    let state = guest.process().desktop.state();
    let mut at = state.window(window)?;
    let mut origin = [at.rectangle[0], at.rectangle[1]];
    while let Some(parent) = state.windows.get(&at.parent) {
        origin = [origin[0].wrapping_add(parent.rectangle[0]), origin[1].wrapping_add(parent.rectangle[1])];
        at = parent;
    }
    Ok(origin)
}

/// Returns a window's rectangle; the desktop's, 0.
fn rectangle(guest: &Guest, window: GuestWord) -> Result<[i32; 4], Win32Error> {
    let [left, top] = origin(guest, window.get())?;
    let size = match window.get() {
        DESKTOP_WINDOW => [0; 2],
        window => {
            let [left, top, right, bottom] = guest.process().desktop.state().window(window)?.rectangle;
            [right.wrapping_sub(left), bottom.wrapping_sub(top)]
        }
    };
    Ok([left, top, left.wrapping_add(size[0]), top.wrapping_add(size[1])])
}

/// Returns a window's place on the screen that nobody sees.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getwindowrect>
#[winapi]
pub fn GetWindowRect(guest: &mut Guest, hWnd: GuestWord, lpRect: GuestWord) -> Result<Bool, Win32Error> {
    let rectangle = rectangle(guest, hWnd)?;
    write_rectangle(guest, lpRect, rectangle)
}

/// Returns the size of a window's inside; borders have no width.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getclientrect>
#[winapi]
pub fn GetClientRect(guest: &mut Guest, hWnd: GuestWord, lpRect: GuestWord) -> Result<Bool, Win32Error> {
    let [left, top, right, bottom] = rectangle(guest, hWnd)?;
    write_rectangle(guest, lpRect, [0, 0, right - left, bottom - top])
}

/// Moves a window.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-movewindow>
#[winapi]
pub fn MoveWindow(
    guest: &mut Guest,
    hWnd: GuestWord,
    X: i32,
    Y: i32,
    nWidth: i32,
    nHeight: i32,
    bRepaint: Bool,
) -> Result<Bool, Win32Error> {
    let _ = bRepaint;
    let mut state = guest.process().desktop.state();
    let window = state.window_mut(hWnd.get())?;
    window.rectangle = [X, Y, X.saturating_add(nWidth.max(0)), Y.saturating_add(nHeight.max(0))];
    Ok(TRUE)
}

/// Moves, sizes, shows or hides a window.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-setwindowpos>
#[winapi]
pub fn SetWindowPos(
    guest: &mut Guest,
    hWnd: GuestWord,
    hWndInsertAfter: GuestWord,
    X: i32,
    Y: i32,
    cx: i32,
    cy: i32,
    uFlags: u32,
) -> Result<Bool, Win32Error> {
    let _ = hWndInsertAfter;
    {
        let mut state = guest.process().desktop.state();
        let window = state.window_mut(hWnd.get())?;
        let [mut left, mut top, right, bottom] = window.rectangle;
        let (mut width, mut height) = (right - left, bottom - top);
        // SWP_NOMOVE, SWP_NOSIZE
        if uFlags & 2 == 0 {
            (left, top) = (X, Y);
        }
        if uFlags & 1 == 0 {
            (width, height) = (cx.max(0), cy.max(0));
        }
        window.rectangle = [left, top, left.saturating_add(width), top.saturating_add(height)];
    }
    // SWP_SHOWWINDOW, SWP_HIDEWINDOW
    if uFlags & 0xc0 != 0 {
        super::windows::show(guest, hWnd.get(), uFlags & 0x40 != 0)?;
    }
    Ok(TRUE)
}

/// Moves a point by the place of a window.
fn move_point(guest: &Guest, window: GuestWord, point: GuestWord, sign: i32) -> Result<Bool, Win32Error> {
    let [left, top, ..] = rectangle(guest, window)?;
    let [x, y]: [i32; 2] = guest.read(point.get())?;
    guest.write(point.get(), &[x.wrapping_add(sign * left), y.wrapping_add(sign * top)])?;
    Ok(TRUE)
}

/// Turns a place in a window into a place on the screen.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-clienttoscreen>
#[winapi]
pub fn ClientToScreen(guest: &mut Guest, hWnd: GuestWord, lpPoint: GuestWord) -> Result<Bool, Win32Error> {
    move_point(guest, hWnd, lpPoint, 1)
}

/// Turns a place on the screen into a place in a window.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-screentoclient>
#[winapi]
pub fn ScreenToClient(guest: &mut Guest, hWnd: GuestWord, lpPoint: GuestWord) -> Result<Bool, Win32Error> {
    move_point(guest, hWnd, lpPoint, -1)
}

/// Returns a child window's number.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getdlgctrlid>
#[winapi]
pub fn GetDlgCtrlID(guest: &mut Guest, hWnd: GuestWord) -> Result<i32, Win32Error> {
    Ok(guest.process().desktop.state().window(hWnd.get())?.id as i32)
}
