//! winuser.h: the clipboard, which only this process sees.

use plat_abi::{GuestWord, Memory, winapi};

use super::calls;
use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::thread::{ThreadObject, with_current};
use crate::widths::both_widths;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial OpenClipboard, "shared with no other process";
    full CloseClipboard;
    full EmptyClipboard;
    partial SetClipboardData, "formats are not made of each other, and nothing is rendered late";
    partial GetClipboardData, "formats are not made of each other, and nothing is rendered late";
    full IsClipboardFormatAvailable;
    full EnumClipboardFormats;
    full CountClipboardFormats;
    full GetPriorityClipboardFormat;
    full GetClipboardOwner;
    full GetOpenClipboardWindow;
    full GetClipboardSequenceNumber;
    full RegisterClipboardFormatA;
    full RegisterClipboardFormatW;
    full GetClipboardFormatNameA;
    full GetClipboardFormatNameW;
};

/// Returns the number of a name of a message or a format.
pub(super) fn named_number(guest: &Guest, name: &[u16]) -> Result<u32, Win32Error> {
    if name.is_empty() {
        return Err(Win32Error::INVALID_NAME);
    }
    let number = guest.process().desktop.state().names.add(name);
    number.map(u32::from).ok_or(Win32Error::NOT_ENOUGH_MEMORY)
}

both_widths! {
    /// Returns the number of a format that has a name.
    "winuser/nf-winuser-registerclipboardformat"
    RegisterClipboardFormatA, RegisterClipboardFormatW(guest, width, lpszFormat: GuestWord) -> Result<u32, Win32Error> {
        let name = width.read(guest, lpszFormat)?;
        named_number(guest, &name)
    }

    /// Returns the name of a format.
    "winuser/nf-winuser-getclipboardformatname"
    GetClipboardFormatNameA, GetClipboardFormatNameW(guest, width, format: u32, lpszFormatName: GuestWord, cchMaxCount: i32) -> Result<i32, Win32Error> {
        let name = u16::try_from(format).ok().and_then(|format| guest.process().desktop.state().names.name(format));
        let name = name.ok_or(Win32Error::INVALID_PARAMETER)?;
        let capacity = usize::try_from(cchMaxCount).map_err(|_| Win32Error::INVALID_PARAMETER)?;
        calls::put_text(guest, width, lpszFormatName.get(), capacity, &name).map(|length| length as i32)
    }
}

/// Opens the clipboard for the calling thread.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-openclipboard>
#[winapi]
pub fn OpenClipboard(guest: &mut Guest, hWndNewOwner: GuestWord) -> Result<Bool, Win32Error> {
    let thread = with_current(ThreadObject::id);
    let mut state = guest.process().desktop.state();
    if !hWndNewOwner.is_null() {
        state.window(hWndNewOwner.get())?;
    }
    match state.clipboard.open {
        Some((by, window)) if by != thread || window != hWndNewOwner.get() => Err(Win32Error::ACCESS_DENIED),
        _ => {
            state.clipboard.open = Some((thread, hWndNewOwner.get()));
            Ok(TRUE)
        }
    }
}

/// Does something with the clipboard that the calling thread has open.
fn with_open<R>(
    guest: &Guest,
    with: impl FnOnce(&mut crate::nt::user::clipboard::Clipboard) -> R,
) -> Result<R, Win32Error> {
    let thread = with_current(ThreadObject::id);
    let mut state = guest.process().desktop.state();
    if !state.clipboard.is_open_by(thread) {
        return Err(Win32Error::CLIPBOARD_NOT_OPEN);
    }
    Ok(with(&mut state.clipboard))
}

/// Closes the clipboard.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-closeclipboard>
#[winapi]
pub fn CloseClipboard(guest: &mut Guest) -> Result<Bool, Win32Error> {
    with_open(guest, |clipboard| clipboard.open = None)?;
    Ok(TRUE)
}

/// Forgets what was copied; the window that opened the clipboard owns it.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-emptyclipboard>
#[winapi]
pub fn EmptyClipboard(guest: &mut Guest) -> Result<Bool, Win32Error> {
    let handles = with_open(guest, |clipboard| {
        clipboard.owner = clipboard.open.map_or(0, |open| open.1);
        clipboard.clear()
    })?;
    for handle in handles {
        release(guest, handle);
    }
    Ok(TRUE)
}

/// Frees what the clipboard owned.
fn release(guest: &mut Guest, handle: u64) {
    if handle != 0 {
        let _ = crate::kernel32::heapapi::GlobalFree(guest, GuestWord(handle));
    }
}

/// Copies: the clipboard owns the memory from now on.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-setclipboarddata>
#[winapi]
pub fn SetClipboardData(guest: &mut Guest, uFormat: u32, hMem: GuestWord) -> Result<GuestWord, Win32Error> {
    let replaced = with_open(guest, |clipboard| clipboard.put(uFormat, hMem.get()))?;
    if let Some(handle) = replaced.filter(|&handle| handle != hMem.get()) {
        release(guest, handle);
    }
    Ok(hMem)
}

/// Returns what was copied, which the clipboard goes on to own.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getclipboarddata>
#[winapi]
pub fn GetClipboardData(guest: &mut Guest, uFormat: u32) -> Result<GuestWord, Win32Error> {
    let found = with_open(guest, |clipboard| clipboard.data.get(&uFormat).copied())?;
    Ok(GuestWord(found.unwrap_or(0)))
}

/// Says whether something was copied in a format.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-isclipboardformatavailable>
#[winapi]
pub fn IsClipboardFormatAvailable(guest: &mut Guest, format: u32) -> Bool {
    Bool(guest.process().desktop.state().clipboard.data.contains_key(&format))
}

/// Returns the format behind another; 0 begins.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-enumclipboardformats>
#[winapi]
pub fn EnumClipboardFormats(guest: &mut Guest, format: u32) -> Result<u32, Win32Error> {
    let next = with_open(guest, |clipboard| {
        let place = clipboard.formats.iter().position(|&known| known == format);
        let next = if format == 0 { Some(0) } else { place.map(|place| place + 1) };
        next.and_then(|next| clipboard.formats.get(next)).copied()
    })?;
    next.ok_or(Win32Error::SUCCESS)
}

/// Returns how many formats there are.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-countclipboardformats>
#[winapi]
pub fn CountClipboardFormats(guest: &mut Guest) -> i32 {
    guest.process().desktop.state().clipboard.formats.len() as i32
}

/// Returns the first format of a list that was copied; -1 for none of them, 0 for an empty clipboard.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getpriorityclipboardformat>
#[winapi]
pub fn GetPriorityClipboardFormat(
    guest: &mut Guest,
    paFormatPriorityList: GuestWord,
    cFormats: i32,
) -> Result<i32, Win32Error> {
    let wanted: Vec<u32> = (0..u64::try_from(cFormats).unwrap_or(0))
        .map(|index| guest.read_u32(paFormatPriorityList.get() + 4 * index))
        .collect::<Result<_, _>>()?;
    let state = guest.process().desktop.state();
    let found = wanted.into_iter().find(|format| state.clipboard.data.contains_key(format));
    let none = if state.clipboard.data.is_empty() { 0 } else { -1 };
    Ok(found.map_or(none, |format| format as i32))
}

/// Returns the window that owns the clipboard.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getclipboardowner>
#[winapi]
pub fn GetClipboardOwner(guest: &mut Guest) -> GuestWord {
    GuestWord(guest.process().desktop.state().clipboard.owner)
}

/// Returns the window that has the clipboard open.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getopenclipboardwindow>
#[winapi]
pub fn GetOpenClipboardWindow(guest: &mut Guest) -> GuestWord {
    GuestWord(guest.process().desktop.state().clipboard.open.map_or(0, |open| open.1))
}

/// Returns how often the clipboard changed.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getclipboardsequencenumber>
#[winapi]
pub fn GetClipboardSequenceNumber(guest: &mut Guest) -> u32 {
    guest.process().desktop.state().clipboard.changes
}
