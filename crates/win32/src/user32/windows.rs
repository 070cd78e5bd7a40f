//! winuser.h: windows come and go. They are objects that get messages; nothing is ever shown.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use plat_abi::{GuestStruct, GuestWord, Memory, winapi};

use super::calls::{self, WM_GETTEXT, WM_GETTEXTLENGTH, WM_SETTEXT};
use super::classes;
use super::queue::signed;
use crate::Win32Error;
use crate::answers::answers;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, FALSE, Guest, TRUE};
use crate::nt::user::queue::Message;
use crate::nt::user::window::{
    DESKTOP_WINDOW, MESSAGE_WINDOW, WS_CAPTION, WS_CHILD, WS_CLIPSIBLINGS, WS_EX_WINDOWEDGE, WS_POPUP,
    WS_VISIBLE, Window,
};
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial CreateWindowExA, "windows are not shown";
    partial CreateWindowExW, "windows are not shown";
    full DestroyWindow;
    full CloseWindow;
    partial DefWindowProcA, "what draws, and what answers keys and the mouse, does nothing";
    partial DefWindowProcW, "what draws, and what answers keys and the mouse, does nothing";
    full CallWindowProcA;
    full CallWindowProcW;
    partial ShowWindow, "windows are not shown: says so once on standard error";
    partial ShowWindowAsync, "windows are not shown: says so once on standard error";
    partial AnimateWindow, "windows are not shown: says so once on standard error";
    partial UpdateWindow, "nothing is drawn";
    partial RedrawWindow, "nothing is drawn";
    partial GetUserObjectSecurity, "no desktop: no handle is a user object";
    partial SetUserObjectSecurity, "no desktop: no handle is a user object";
    partial InvalidateRect, "nothing is drawn";
    partial ValidateRect, "nothing is drawn";
};

/// `WM_CREATE`.
const WM_CREATE: u32 = 1;
/// `WM_DESTROY`.
const WM_DESTROY: u32 = 2;
/// `WM_MOVE`.
const WM_MOVE: u32 = 3;
/// `WM_SIZE`.
const WM_SIZE: u32 = 5;
/// `WM_CLOSE`.
const WM_CLOSE: u32 = 0x10;
/// `WM_SHOWWINDOW`.
const WM_SHOWWINDOW: u32 = 0x18;
/// `WM_GETMINMAXINFO`.
const WM_GETMINMAXINFO: u32 = 0x24;
/// `WM_NCCREATE`.
const WM_NCCREATE: u32 = 0x81;
/// `WM_NCDESTROY`.
const WM_NCDESTROY: u32 = 0x82;
/// `WM_NCCALCSIZE`.
const WM_NCCALCSIZE: u32 = 0x83;

/// `CREATESTRUCT`.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/ns-winuser-createstructw>
#[derive(GuestStruct, Default, Clone)]
struct CreateStruct {
    lpCreateParams: GuestWord,
    hInstance: GuestWord,
    hMenu: GuestWord,
    hwndParent: GuestWord,
    cy: i32,
    cx: i32,
    y: i32,
    x: i32,
    style: u32,
    lpszName: GuestWord,
    lpszClass: GuestWord,
    dwExStyle: u32,
}

both_widths! {
    /// Makes a window, which gets messages and is never shown.
    "winuser/nf-winuser-createwindowex"
    CreateWindowExA, CreateWindowExW(guest, width, dwExStyle: u32, lpClassName: GuestWord, lpWindowName: GuestWord, dwStyle: u32, X: i32, Y: i32, nWidth: i32, nHeight: i32, hWndParent: GuestWord, hMenu: GuestWord, hInstance: GuestWord, lpParam: GuestWord) -> Result<GuestWord, Win32Error> {
        let given = CreateStruct {
            lpCreateParams: lpParam,
            hInstance,
            hMenu,
            hwndParent: hWndParent,
            cy: nHeight,
            cx: nWidth,
            y: Y,
            x: X,
            style: dwStyle,
            lpszName: lpWindowName,
            lpszClass: lpClassName,
            dwExStyle,
        };
        create(guest, width, &given).map(GuestWord)
    }

    /// Does what windows do that do nothing of their own.
    "winuser/nf-winuser-defwindowproc"
    DefWindowProcA, DefWindowProcW(guest, width, hWnd: GuestWord, Msg: u32, wParam: GuestWord, lParam: GuestWord) -> Result<GuestWord, Win32Error> {
        default_procedure(guest, width, hWnd, Msg, (wParam, lParam)).map(GuestWord)
    }

    /// Calls a window procedure.
    "winuser/nf-winuser-callwindowproc"
    CallWindowProcA, CallWindowProcW(guest, width, lpPrevWndFunc: GuestWord, hWnd: GuestWord, Msg: u32, wParam: GuestWord, lParam: GuestWord) -> Result<GuestWord, Win32Error> {
        let (window, wparam, lparam) = (hWnd.get(), wParam.get(), lParam.get());
        let message = Message { window, id: Msg, wparam, lparam, time: 0 };
        let is_wide = width == Width::Wide;
        // A procedure that is replaced by one of the other width goes on to get its own.
        let takes_wide = {
            let state = guest.process().desktop.state();
            state.window(window).map_or(is_wide, |window| {
                if window.class.procedure == lpPrevWndFunc.get() { window.class.is_wide } else { is_wide }
            })
        };
        calls::call_procedure(guest, (lpPrevWndFunc.get(), takes_wide), is_wide, message).map(GuestWord)
    }
}

/// Returns the window above a new one, and the one that owns it.
fn parents(guest: &Guest, given: &CreateStruct) -> Result<(u64, u64), Win32Error> {
    let parent = given.hwndParent;
    // HWND_MESSAGE
    if signed(guest, parent) == -3 || parent.get() == MESSAGE_WINDOW {
        return Ok((MESSAGE_WINDOW, 0));
    }
    let state = guest.process().desktop.state();
    if !parent.is_null() && !state.is_window(parent.get()) {
        return Err(Win32Error::INVALID_WINDOW_HANDLE);
    }
    let is_child = given.style & (WS_CHILD | WS_POPUP) == WS_CHILD;
    match (parent.get(), is_child) {
        (0, true) => Err(Win32Error::TLW_WITH_WSCHILD),
        (0 | DESKTOP_WINDOW, false) => Ok((DESKTOP_WINDOW, 0)),
        (parent, true) => Ok((parent, 0)),
        (mut owner, false) => {
            while let Some(above) = state.windows.get(&owner).filter(|window| window.style & WS_CHILD != 0) {
                owner = above.parent;
            }
            Ok((DESKTOP_WINDOW, owner))
        }
    }
}

fn create(guest: &mut Guest, width: Width, given: &CreateStruct) -> Result<u64, Win32Error> {
    let instance = classes::instance_of(guest, given.hInstance);
    let name = classes::class_name(guest, width, given.lpszClass)?;
    let class = classes::find_class(guest, &name, instance)?;
    let title = width.read(guest, given.lpszName)?;
    let (parent, owner) = parents(guest, given)?;
    let (mut style, mut extended_style) = (given.style, given.dwExStyle);
    if parent == MESSAGE_WINDOW {
        // Such windows have no frame.
    } else if style & (WS_CHILD | WS_POPUP) == 0 {
        style |= WS_CAPTION | WS_CLIPSIBLINGS;
        extended_style |= WS_EX_WINDOWEDGE;
    } else if style & WS_POPUP != 0 {
        style |= WS_CLIPSIBLINGS;
    }
    // CW_USEDEFAULT: there is no screen to choose a place on.
    let place = |value: i32| if value == i32::MIN { 0 } else { value };
    let (left, top) = (place(given.x), place(given.y));
    let (right, bottom) =
        (left.saturating_add(place(given.cx).max(0)), top.saturating_add(place(given.cy).max(0)));
    let is_wide = class.is_wide;
    let window = Window {
        thread: guest.process().desktop.queue().thread(),
        parent,
        owner,
        style: style & !WS_VISIBLE,
        extended_style,
        id: given.hMenu.get(),
        instance,
        procedure: class.procedure,
        is_wide,
        extra: vec![0; class.window_bytes],
        rectangle: [left, top, right, bottom],
        class: Arc::clone(&class),
        ..Window::default()
    };
    let handle = guest.process().desktop.state().add_window(window);
    drop(class);
    let mut told = given.clone();
    let told_style = style & !WS_CLIPSIBLINGS | given.style & WS_CLIPSIBLINGS;
    (told.style, told.dwExStyle, told.hInstance) = (told_style, extended_style, GuestWord(instance));
    (told.x, told.y, told.cx, told.cy) = (left, top, right - left, bottom - top);
    let lent = lend_texts(guest, width, is_wide, &mut told, &title, &name)?;
    let made = announce(guest, handle, &told);
    lent.into_iter().for_each(|block| calls::take_back(guest, block));
    if !made? {
        return Ok(0);
    }
    if style & WS_VISIBLE != 0 {
        show(guest, handle, true)?;
    }
    Ok(if guest.process().desktop.state().is_window(handle) { handle } else { 0 })
}

/// Puts the texts of a new window where its procedure finds them in its own width; returns the blocks.
fn lend_texts(
    guest: &Guest,
    width: Width,
    is_wide: bool,
    told: &mut CreateStruct,
    title: &[u16],
    class: &crate::nt::user::class::ClassName,
) -> Result<Vec<u64>, Win32Error> {
    let other = if is_wide { Width::Wide } else { Width::Narrow };
    let mut lent = Vec::new();
    if other == width {
        return Ok(lent);
    }
    if !told.lpszName.is_null() {
        lent.push(calls::lend(guest, &other.bytes(title))?);
        told.lpszName = GuestWord(lent[0]);
    }
    if let crate::nt::user::class::ClassName::Name(name) = class {
        let block = calls::lend(guest, &other.bytes(name))?;
        told.lpszClass = GuestWord(block);
        lent.push(block);
    }
    Ok(lent)
}

/// Calls the window's procedure.
fn tell(guest: &mut Guest, window: u64, id: u32, wparam: u64, lparam: u64) -> Result<u64, Win32Error> {
    let is_wide = match guest.process().desktop.state().window(window) {
        Ok(window) => window.is_wide,
        // It is gone already: nobody is told.
        Err(_) => return Ok(0),
    };
    calls::send(guest, is_wide, Message { window, id, wparam, lparam, time: 0 }, None)
}

/// Sends a new window the messages of its creation; says whether it lives.
fn announce(guest: &mut Guest, handle: u64, told: &CreateStruct) -> Result<bool, Win32Error> {
    let machine = guest.machine();
    let size = CreateStruct::size(machine) as usize;
    // The structure, then room for the sizes that the first messages ask about.
    let block = calls::lend(guest, &vec![0; size + 64])?;
    let room = block + size as u64;
    guest.write(block, told)?;
    let is_child = told.style & (WS_CHILD | WS_POPUP) == WS_CHILD;
    let lives = announce_at(guest, handle, (block, room), is_child, told);
    calls::take_back(guest, block);
    lives
}

fn announce_at(
    guest: &mut Guest,
    handle: u64,
    (block, room): (u64, u64),
    is_child: bool,
    told: &CreateStruct,
) -> Result<bool, Win32Error> {
    // WS_THICKFRAME, WS_DLGFRAME
    if !is_child && told.style & 0x0044_0000 != 0 {
        tell(guest, handle, WM_GETMINMAXINFO, 0, room)?;
    }
    if tell(guest, handle, WM_NCCREATE, 0, block)? == 0 {
        take_apart(guest, handle)?;
        return Ok(false);
    }
    let rectangle: Vec<u8> = [told.x, told.y, told.x + told.cx, told.y + told.cy]
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    guest.write_bytes(room, &rectangle)?;
    tell(guest, handle, WM_NCCALCSIZE, 0, room)?;
    if tell(guest, handle, WM_CREATE, 0, block)? as u32 == u32::MAX {
        take_apart(guest, handle)?;
        return Ok(false);
    }
    if is_child {
        let pair = |low: i32, high: i32| u64::from(low as u32 & 0xffff | (high as u32) << 16);
        tell(guest, handle, WM_SIZE, 0, pair(told.cx, told.cy))?;
        tell(guest, handle, WM_MOVE, 0, pair(told.x, told.y))?;
    }
    Ok(true)
}

/// Forgets a window, what was posted to it, and its timers.
fn remove(guest: &Guest, handle: u64) {
    let desktop = &guest.process().desktop;
    let removed = desktop.state().remove_window(handle);
    if let Some(queue) = removed.and_then(|window| desktop.queue_of(window.thread)) {
        queue.forget_window(handle);
    }
}

/// Destroys a window of the calling thread: the windows that it owns, then itself, then those in it.
fn destroy(guest: &mut Guest, handle: u64) -> Result<(), Win32Error> {
    let owned: Vec<u64> = {
        let mut state = guest.process().desktop.state();
        state.window_mut(handle)?.is_going = true;
        let is_owned = |window: &&Window| window.owner == handle && !window.is_going;
        state.windows.values().filter(is_owned).map(|window| window.handle).collect()
    };
    for window in owned {
        // One that went meanwhile is gone.
        let _ = destroy(guest, window);
    }
    say_goodbye(guest, handle)?;
    take_apart(guest, handle)
}

/// Tells a window and those in it that they are destroyed.
fn say_goodbye(guest: &mut Guest, handle: u64) -> Result<(), Win32Error> {
    tell(guest, handle, WM_DESTROY, 0, 0)?;
    let children = guest.process().desktop.state().children(handle);
    for child in children {
        say_goodbye(guest, child)?;
    }
    Ok(())
}

/// Tells those in a window, then the window, that they are gone, and forgets them.
fn take_apart(guest: &mut Guest, handle: u64) -> Result<(), Win32Error> {
    let children = guest.process().desktop.state().children(handle);
    for child in children {
        take_apart(guest, child)?;
    }
    tell(guest, handle, WM_NCDESTROY, 0, 0)?;
    remove(guest, handle);
    Ok(())
}

/// Destroys a window of the calling thread.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-destroywindow>
#[winapi]
pub fn DestroyWindow(guest: &mut Guest, hWnd: GuestWord) -> Result<Bool, Win32Error> {
    let desktop = &guest.process().desktop;
    let own = desktop.queue().thread();
    let (thread, is_going) = {
        let state = desktop.state();
        let window = state.window(hWnd.get())?;
        (window.thread, window.is_going)
    };
    if thread != own {
        return Err(Win32Error::ACCESS_DENIED);
    }
    if !is_going {
        destroy(guest, hWnd.get())?;
    }
    Ok(TRUE)
}

/// Minimises a window: nothing that anybody would see.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-closewindow>
#[winapi]
pub fn CloseWindow(guest: &mut Guest, hWnd: GuestWord) -> Result<Bool, Win32Error> {
    guest.process().desktop.state().window(hWnd.get())?;
    Ok(TRUE)
}

fn default_procedure(
    guest: &mut Guest,
    width: Width,
    window: GuestWord,
    id: u32,
    (wparam, lparam): (GuestWord, GuestWord),
) -> Result<u64, Win32Error> {
    match id {
        WM_NCCREATE => {
            let created: CreateStruct = guest.read(lparam.get())?;
            let text = width.read(guest, created.lpszName)?;
            guest.process().desktop.state().window_mut(window.get())?.text = text;
            Ok(1)
        }
        WM_SETTEXT => {
            let text = width.read(guest, lparam)?;
            guest.process().desktop.state().window_mut(window.get())?.text = text;
            Ok(1)
        }
        WM_GETTEXT | WM_GETTEXTLENGTH => {
            let text = guest.process().desktop.state().window(window.get())?.text.clone();
            if id == WM_GETTEXTLENGTH {
                return Ok((width.bytes(&text).len() / width.unit_bytes()) as u64 - 1);
            }
            calls::put_text(guest, width, lparam.get(), wparam.get() as usize, &text)
                .map(|length| length as u64)
        }
        WM_CLOSE => {
            DestroyWindow(guest, window)?;
            Ok(0)
        }
        // WM_SYSCOMMAND with SC_CLOSE
        0x112 if wparam.get() & 0xfff0 == 0xf060 => tell(guest, window.get(), WM_CLOSE, 0, 0),
        // WM_QUERYENDSESSION, WM_QUERYOPEN
        0x11 | 0x13 => Ok(1),
        _ => Ok(0),
    }
}

/// Marks a window as visible or not; the first time says that nobody sees it. Returns whether it was visible.
pub(super) fn show(guest: &mut Guest, handle: u64, is_shown: bool) -> Result<bool, Win32Error> {
    let desktop = &guest.process().desktop;
    let (was_shown, is_message_only) = {
        let state = desktop.state();
        let window = state.window(handle)?;
        (window.style & WS_VISIBLE != 0, window.is_message_only())
    };
    if was_shown == is_shown {
        return Ok(was_shown);
    }
    if is_shown && !is_message_only && !desktop.has_warned.swap(true, Ordering::Relaxed) {
        eprintln!("plat: the program shows a window; windows are not shown, but the program goes on");
    }
    tell(guest, handle, WM_SHOWWINDOW, u64::from(is_shown), 0)?;
    if let Ok(window) = desktop.state().window_mut(handle) {
        window.style = window.style & !WS_VISIBLE | if is_shown { WS_VISIBLE } else { 0 };
    }
    Ok(was_shown)
}

/// Marks a window as shown or hidden; says whether it was shown before.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-showwindow>
#[winapi]
pub fn ShowWindow(guest: &mut Guest, hWnd: GuestWord, nCmdShow: i32) -> Result<Bool, Win32Error> {
    // SW_HIDE is 0.
    show(guest, hWnd.get(), nCmdShow != 0).map(Bool)
}

/// Marks a window as shown or hidden.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-showwindowasync>
#[winapi]
pub fn ShowWindowAsync(guest: &mut Guest, hWnd: GuestWord, nCmdShow: i32) -> Result<Bool, Win32Error> {
    show(guest, hWnd.get(), nCmdShow != 0)?;
    Ok(TRUE)
}

/// Marks a window as shown or hidden, in no time at all.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-animatewindow>
#[winapi]
pub fn AnimateWindow(
    guest: &mut Guest,
    hWnd: GuestWord,
    dwTime: u32,
    dwFlags: u32,
) -> Result<Bool, Win32Error> {
    let _ = dwTime;
    // AW_HIDE
    show(guest, hWnd.get(), dwFlags & 0x1_0000 == 0)?;
    Ok(TRUE)
}

/// Draws nothing.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-updatewindow>
#[winapi]
pub fn UpdateWindow(guest: &mut Guest, hWnd: GuestWord) -> Bool {
    Bool(guest.process().desktop.state().is_window(hWnd.get()))
}

answers! {
    "Draws nothing.", "winuser/nf-winuser-redrawwindow";
    RedrawWindow(hWnd: GuestWord, lprcUpdate: GuestWord, hrgnUpdate: GuestWord, flags: u32) -> Bool = TRUE;
    "Notes nothing to draw.", "winuser/nf-winuser-invalidaterect";
    InvalidateRect(hWnd: GuestWord, lpRect: GuestWord, bErase: Bool) -> Bool = TRUE;
    "Refuses: there is no window, desktop or window station whose handle this could be.", "winuser/nf-winuser-getuserobjectsecurity";
    GetUserObjectSecurity(
        hObj: GuestWord, pSIRequested: GuestWord, pSID: GuestWord, nLength: u32, lpnLengthNeeded: GuestWord
    ) -> Result<Bool, Win32Error> = Err(Win32Error::INVALID_HANDLE);
    "Refuses: there is no window, desktop or window station whose handle this could be.", "winuser/nf-winuser-setuserobjectsecurity";
    SetUserObjectSecurity(
        hObj: GuestWord, pSIRequested: GuestWord, pSID: GuestWord
    ) -> Result<Bool, Win32Error> = Err(Win32Error::INVALID_HANDLE);
}

/// Has nothing to draw.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-validaterect>
#[winapi]
pub fn ValidateRect(guest: &mut Guest, hWnd: GuestWord, lpRect: GuestWord) -> Bool {
    let _ = (guest, lpRect);
    if hWnd.is_null() { FALSE } else { TRUE }
}
