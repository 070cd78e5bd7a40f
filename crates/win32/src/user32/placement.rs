//! winuser.h: where windows are: placement, order, points of one in another.

use plat_abi::{GuestStruct, GuestWord, Memory, winapi};

use super::window_data::origin;
use super::windows;
use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::user::window::{DESKTOP_WINDOW, WS_VISIBLE};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full MapWindowPoints;
    partial BringWindowToTop, "changes the order only";
    partial GetWindowPlacement, "no window is minimised or maximised";
    partial SetWindowPlacement, "no window is minimised or maximised";
};

/// `WINDOWPLACEMENT`, as far as all systems have it.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/ns-winuser-windowplacement>
#[derive(GuestStruct, Default)]
struct Placement {
    length: u32,
    flags: u32,
    showCmd: u32,
    ptMinPosition: [i32; 2],
    ptMaxPosition: [i32; 2],
    rcNormalPosition: [i32; 4],
}

/// The structure's size.
const SIZE: u32 = 44;

/// Returns where a window's inside begins; null is the desktop.
fn begin(guest: &Guest, window: GuestWord) -> Result<[i32; 2], Win32Error> {
    let window = if window.is_null() { DESKTOP_WINDOW } else { window.get() };
    origin(guest, window)
}

/// Turns points in one window into points in another; returns the way between, 16 bits for each direction.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-mapwindowpoints>
#[winapi]
pub fn MapWindowPoints(
    guest: &mut Guest,
    hWndFrom: GuestWord,
    hWndTo: GuestWord,
    lpPoints: GuestWord,
    cPoints: u32,
) -> Result<i32, Win32Error> {
    let (from, to) = (begin(guest, hWndFrom)?, begin(guest, hWndTo)?);
    let way = [from[0].wrapping_sub(to[0]), from[1].wrapping_sub(to[1])];
    for index in 0..u64::from(cPoints) {
        let place = lpPoints.get() + 8 * index;
        let [x, y]: [i32; 2] = guest.read(place)?;
        guest.write(place, &[x.wrapping_add(way[0]), y.wrapping_add(way[1])])?;
    }
    guest.set_last_error(Win32Error::SUCCESS);
    Ok(way[1] << 16 | way[0] & 0xffff)
}

/// Puts a window above the others.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-bringwindowtotop>
#[winapi]
pub fn BringWindowToTop(guest: &mut Guest, hWnd: GuestWord) -> Result<Bool, Win32Error> {
    let mut state = guest.process().desktop.state();
    state.window(hWnd.get())?;
    state.order.retain(|&other| other != hWnd.get());
    state.order.insert(0, hWnd.get());
    Ok(TRUE)
}

/// Describes how a window is shown.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getwindowplacement>
#[winapi]
pub fn GetWindowPlacement(
    guest: &mut Guest,
    hWnd: GuestWord,
    lpwndpl: GuestWord,
) -> Result<Bool, Win32Error> {
    if lpwndpl.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let rectangle = guest.process().desktop.state().window(hWnd.get())?.rectangle;
    let placement = Placement {
        length: SIZE,
        // SW_SHOWNORMAL
        showCmd: 1,
        ptMinPosition: [-1; 2],
        ptMaxPosition: [-1; 2],
        rcNormalPosition: rectangle,
        ..Placement::default()
    };
    guest.write(lpwndpl.get(), &placement)?;
    Ok(TRUE)
}

/// Moves a window, and shows or hides it.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-setwindowplacement>
#[winapi]
pub fn SetWindowPlacement(
    guest: &mut Guest,
    hWnd: GuestWord,
    lpwndpl: GuestWord,
) -> Result<Bool, Win32Error> {
    let placement: Placement = guest.read(lpwndpl.get())?;
    if placement.length != SIZE {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let was_shown = {
        let mut state = guest.process().desktop.state();
        let window = state.window_mut(hWnd.get())?;
        window.rectangle = placement.rcNormalPosition;
        window.style & WS_VISIBLE != 0
    };
    // SW_HIDE
    let is_shown = placement.showCmd != 0;
    if is_shown != was_shown {
        windows::show(guest, hWnd.get(), is_shown)?;
    }
    Ok(TRUE)
}
