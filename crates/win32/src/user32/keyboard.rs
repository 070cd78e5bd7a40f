//! winuser.h: the keyboard, on which nobody types: its layout is that of the United States, its state what programs set.

use plat_abi::{GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::answers::answers;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, FALSE, Guest, TRUE};
use crate::logic::keyboard;
use crate::nt::{nls, thread};
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial GetKeyState, "no keyboard: what SetKeyboardState set";
    partial GetAsyncKeyState, "no keyboard: no key is down";
    partial GetKeyboardState, "no keyboard: what SetKeyboardState set";
    full SetKeyboardState;
    partial GetKeyboardLayout, "the layout of the United States";
    partial GetKeyboardLayoutList, "the layout of the United States";
    partial GetKeyboardLayoutNameA, "the layout of the United States"; partial GetKeyboardLayoutNameW, "the layout of the United States";
    partial LoadKeyboardLayoutA, "the layout of the United States"; partial LoadKeyboardLayoutW, "the layout of the United States";
    partial ActivateKeyboardLayout, "the layout of the United States";
    partial UnloadKeyboardLayout, "refuses: it is the only one";
    full MapVirtualKeyA; full MapVirtualKeyW; full MapVirtualKeyExA; full MapVirtualKeyExW;
    full VkKeyScanA; full VkKeyScanW; full VkKeyScanExA; full VkKeyScanExW; full OemKeyScan;
    full ToUnicode; full ToUnicodeEx; full ToAscii; full ToAsciiEx; full GetKeyNameTextA; full GetKeyNameTextW;
    partial RegisterHotKey, "no keyboard: nobody presses it"; full UnregisterHotKey;
};

/// The layout's handle: language and keyboard.
const LAYOUT: u64 = 0x0409_0409;

answers! {
    "Returns whether a key is down: none is.", "winuser/nf-winuser-getasynckeystate";
    GetAsyncKeyState(vKey: i32) -> i32 = 0;
    "Returns the keyboard's layout: that of the United States.", "winuser/nf-winuser-getkeyboardlayout";
    GetKeyboardLayout(idThread: u32) -> GuestWord = GuestWord(LAYOUT);
    "Refuses to take the only layout away.", "winuser/nf-winuser-unloadkeyboardlayout";
    UnloadKeyboardLayout(hkl: GuestWord) -> Bool = FALSE;
}

fn thread_id() -> u32 {
    thread::with_current(thread::ThreadObject::id)
}

/// Returns the calling thread's keys.
fn keys(guest: &Guest) -> [u8; 256] {
    guest.process().desktop.state().keys.get(&thread_id()).copied().unwrap_or([0; 256])
}

/// Reads 256 bytes of keys.
fn read_keys(guest: &Guest, address: GuestWord) -> Result<[u8; 256], Win32Error> {
    let mut state = [0; 256];
    if !address.is_null() {
        guest.read_bytes(address.get(), &mut state)?;
    }
    Ok(state)
}

/// Returns a key's state: negative when it is down, odd when it is switched on.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getkeystate>
#[winapi]
pub fn GetKeyState(guest: &mut Guest, nVirtKey: i32) -> i32 {
    let state = keys(guest)[(nVirtKey & 0xff) as usize];
    // A SHORT, of which Windows sets all bits above the toggle when the key is down.
    i32::from(state & 1) | if state & 0x80 != 0 { -128 } else { 0 }
}

/// Returns the state of all keys.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getkeyboardstate>
#[winapi]
pub fn GetKeyboardState(guest: &mut Guest, lpKeyState: GuestWord) -> Result<Bool, Win32Error> {
    let state = keys(guest);
    guest.write_bytes(lpKeyState.get(), &state)?;
    Ok(TRUE)
}

/// Sets the state of all keys for the calling thread.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-setkeyboardstate>
#[winapi]
pub fn SetKeyboardState(guest: &mut Guest, lpKeyState: GuestWord) -> Result<Bool, Win32Error> {
    if lpKeyState.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let state = read_keys(guest, lpKeyState)?;
    guest.process().desktop.state().keys.insert(thread_id(), state);
    Ok(TRUE)
}

/// Returns how many layouts there are, and stores their handles.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getkeyboardlayoutlist>
#[winapi]
pub fn GetKeyboardLayoutList(guest: &mut Guest, nBuff: i32, lpList: GuestWord) -> Result<i32, Win32Error> {
    if nBuff > 0 && !lpList.is_null() {
        guest.write(lpList.get(), &GuestWord(LAYOUT))?;
    }
    Ok(1)
}

/// Changes the layout, to the only one; returns the former.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-activatekeyboardlayout>
#[winapi]
pub fn ActivateKeyboardLayout(
    guest: &mut Guest,
    hkl: GuestWord,
    Flags: u32,
) -> Result<GuestWord, Win32Error> {
    let _ = (guest, Flags);
    // HKL_PREV, HKL_NEXT, the language alone
    match hkl.get() {
        0 | 1 | 0x409 | LAYOUT => Ok(GuestWord(LAYOUT)),
        _ => Err(Win32Error::INVALID_KEYBOARD_HANDLE),
    }
}

/// Turns a key's number into another: the key's code, the place on the keyboard, the character.
fn map_key(code: u32, kind: u32) -> u32 {
    match kind {
        // MAPVK_VK_TO_VSC; the pause key's place has two bytes
        0 => match keyboard::place_of(code) {
            0xe11d => 0,
            place => place & 0xff,
        },
        // MAPVK_VSC_TO_VK, MAPVK_VSC_TO_VK_EX
        1 | 3 => keyboard::key_at(code, kind == 3).into(),
        // MAPVK_VK_TO_CHAR
        2 => keyboard::character_on(code),
        // MAPVK_VK_TO_VSC_EX
        4 => keyboard::place_of(code),
        _ => 0,
    }
}

/// Returns the key for a character with what is held above it; -1 where there is none.
fn scan_character(width: Width, unit: u16) -> i32 {
    let unit = match width {
        Width::Narrow => nls::widen(&[unit as u8]).first().copied().unwrap_or(0),
        Width::Wide => unit,
    };
    keyboard::key_for(unit).map_or(-1, |(key, held)| i32::from(held) << 8 | i32::from(key))
}

/// Defines the functions that find a character's key: what they do, page, name, the character's type, the form, more parameters.
macro_rules! scans {
    ($($what:literal, $page:literal; $name:ident($ch:ty $(, $layout:ident: $type:ty)?) = $width:ident;)+) => {$(
        #[doc = $what]
        ///
        #[doc = concat!("Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-", $page, ">")]
        #[winapi]
        pub fn $name(guest: &mut Guest, ch: $ch $(, $layout: $type)?) -> i32 {
            let _ = (guest, $($layout)?);
            scan_character(Width::$width, ch.into())
        }
    )+};
}

scans! {
    "Returns the key for a character, with 0x100 for shift and 0x200 for control; -1 where there is none.", "vkkeyscana";
    VkKeyScanA(u8) = Narrow;
    "Returns the key for a character, with 0x100 for shift and 0x200 for control; -1 where there is none.", "vkkeyscanw";
    VkKeyScanW(u16) = Wide;
    "Does the same for a layout.", "vkkeyscanexa";
    VkKeyScanExA(u8, dwhkl: GuestWord) = Narrow;
    "Does the same for a layout.", "vkkeyscanexw";
    VkKeyScanExW(u16, dwhkl: GuestWord) = Wide;
}

both_widths! {
    /// Turns a key's number into another: the key's code, the place on the keyboard, the character.
    "winuser/nf-winuser-mapvirtualkey"
    MapVirtualKeyA, MapVirtualKeyW(guest, width, uCode: u32, uMapType: u32) -> u32 {
        let _ = (width, guest);
        map_key(uCode, uMapType)
    }

    /// Does the same for a layout.
    "winuser/nf-winuser-mapvirtualkeyex"
    MapVirtualKeyExA, MapVirtualKeyExW(guest, width, uCode: u32, uMapType: u32, dwhkl: GuestWord) -> u32 {
        let _ = (width, guest, dwhkl);
        map_key(uCode, uMapType)
    }

    /// Stores the name of a key, which is given as in a message of the keyboard; returns its length.
    "winuser/nf-winuser-getkeynametext"
    GetKeyNameTextA, GetKeyNameTextW(
        guest, width, lParam: i32, lpString: GuestWord, cchSize: i32
    ) -> Result<i32, Win32Error> {
        let mut place = (lParam >> 16 & 0x1ff) as u16;
        // Bit 25: the side does not matter.
        if lParam & 1 << 25 != 0 {
            place = match place {
                0x36 => 0x2a,
                0x11d | 0x138 => place & 0xff,
                place => place,
            };
        }
        let name: Vec<u16> = keyboard::name_at(place).encode_utf16().collect();
        let room = usize::try_from(cchSize).unwrap_or(0);
        super::calls::put_text(guest, width, lpString.get(), room, &name).map(|length| length as i32)
    }

    /// Stores the layout's name.
    "winuser/nf-winuser-getkeyboardlayoutname"
    GetKeyboardLayoutNameA, GetKeyboardLayoutNameW(guest, width, pwszKLID: GuestWord) -> Result<Bool, Win32Error> {
        if pwszKLID.is_null() {
            return Err(Win32Error::NOACCESS);
        }
        width.write(guest, pwszKLID, &"00000409".encode_utf16().collect::<Vec<_>>())?;
        Ok(TRUE)
    }

    /// Loads a layout by its name; there is one.
    "winuser/nf-winuser-loadkeyboardlayout"
    LoadKeyboardLayoutA, LoadKeyboardLayoutW(guest, width, pwszKLID: GuestWord, Flags: u32) -> Result<GuestWord, Win32Error> {
        let _ = Flags;
        let name = String::from_utf16_lossy(&width.read(guest, pwszKLID)?);
        match u32::from_str_radix(&name, 16) {
            Ok(0x409) => Ok(GuestWord(LAYOUT)),
            Ok(_) => Err(Win32Error::FILE_NOT_FOUND),
            Err(_) => Err(Win32Error::INVALID_PARAMETER),
        }
    }
}

/// Returns the place of the key for a character of the OEM code page, with what is held above it; -1 where there is none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-oemkeyscan>
#[winapi]
pub fn OemKeyScan(guest: &mut Guest, wOemChar: u16) -> u32 {
    let _ = guest;
    let unit = u8::try_from(wOemChar).ok().filter(u8::is_ascii);
    let found = unit.and_then(|unit| keyboard::key_for(unit.into()));
    found.map_or(u32::MAX, |(key, held)| u32::from(held) << 16 | map_key(key.into(), 0))
}

/// Returns the character that a key gives; a place with bit 15 is that of a key let go.
fn typed(guest: &Guest, key: u32, place: u32, state: GuestWord) -> Result<Option<u16>, Win32Error> {
    let state = read_keys(guest, state)?;
    Ok(keyboard::typed(key, &state).filter(|_| place & 0x8000 == 0))
}

/// Returns how many units a key gives, and stores them.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-tounicode>
#[winapi]
pub fn ToUnicode(
    guest: &mut Guest,
    wVirtKey: u32,
    wScanCode: u32,
    lpKeyState: GuestWord,
    pwszBuff: GuestWord,
    cchBuff: i32,
    wFlags: u32,
) -> Result<i32, Win32Error> {
    let _ = wFlags;
    match typed(guest, wVirtKey, wScanCode, lpKeyState)? {
        Some(unit) if cchBuff > 0 => {
            // A zero goes behind where there is room for it.
            let text = [unit, 0];
            guest.write_wide(pwszBuff.get(), &text[..text.len().min(cchBuff as usize)])?;
            Ok(1)
        }
        _ => Ok(0),
    }
}

/// Does the same for a layout.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-tounicodeex>
#[winapi]
pub fn ToUnicodeEx(
    guest: &mut Guest,
    wVirtKey: u32,
    wScanCode: u32,
    lpKeyState: GuestWord,
    pwszBuff: GuestWord,
    cchBuff: i32,
    wFlags: u32,
    dwhkl: GuestWord,
) -> Result<i32, Win32Error> {
    let _ = dwhkl;
    ToUnicode(guest, wVirtKey, wScanCode, lpKeyState, pwszBuff, cchBuff, wFlags)
}

/// Returns how many characters a key gives, and stores them in two bytes.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-toascii>
#[winapi]
pub fn ToAscii(
    guest: &mut Guest,
    uVirtKey: u32,
    uScanCode: u32,
    lpKeyState: GuestWord,
    lpChar: GuestWord,
    uFlags: u32,
) -> Result<i32, Win32Error> {
    let _ = uFlags;
    let Some(unit) = typed(guest, uVirtKey, uScanCode, lpKeyState)? else { return Ok(0) };
    guest.write(lpChar.get(), &(unit & 0xff))?;
    Ok(1)
}

/// Does the same for a layout.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-toasciiex>
#[winapi]
pub fn ToAsciiEx(
    guest: &mut Guest,
    uVirtKey: u32,
    uScanCode: u32,
    lpKeyState: GuestWord,
    lpChar: GuestWord,
    uFlags: u32,
    dwhkl: GuestWord,
) -> Result<i32, Win32Error> {
    let _ = dwhkl;
    ToAscii(guest, uVirtKey, uScanCode, lpKeyState, lpChar, uFlags)
}

/// Notes a key that is to be told of wherever it is pressed.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-registerhotkey>
#[winapi]
pub fn RegisterHotKey(
    guest: &mut Guest,
    hWnd: GuestWord,
    id: i32,
    fsModifiers: u32,
    vk: u32,
) -> Result<Bool, Win32Error> {
    /// `MOD_ALT`, `MOD_CONTROL`, `MOD_SHIFT` and `MOD_WIN`.
    const HELD: u32 = 0xf;
    let owner = hot_key_owner(guest, hWnd)?;
    let wanted = (fsModifiers & HELD, vk);
    let mut state = guest.process().desktop.state();
    if state.hot_keys.values().any(|&key| key == wanted) {
        return Err(Win32Error::HOTKEY_ALREADY_REGISTERED);
    }
    state.hot_keys.insert((owner, id), wanted);
    Ok(TRUE)
}

/// Forgets such a key.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-unregisterhotkey>
#[winapi]
pub fn UnregisterHotKey(guest: &mut Guest, hWnd: GuestWord, id: i32) -> Result<Bool, Win32Error> {
    let owner = hot_key_owner(guest, hWnd)?;
    let removed = guest.process().desktop.state().hot_keys.remove(&(owner, id));
    removed.map(|_| TRUE).ok_or(Win32Error::HOTKEY_NOT_REGISTERED)
}

/// Returns what a hot key belongs to: a window of the calling thread, or the thread.
fn hot_key_owner(guest: &Guest, window: GuestWord) -> Result<u64, Win32Error> {
    let own = thread_id();
    if window.is_null() {
        return Ok(own.into());
    }
    let thread = guest.process().desktop.state().window(window.get())?.thread;
    if thread == own { Ok(window.get()) } else { Err(Win32Error::WINDOW_OF_OTHER_THREAD) }
}
