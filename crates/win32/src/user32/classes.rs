//! winuser.h: window classes.

use std::sync::Arc;

use plat_abi::{GuestStruct, GuestWord, Memory};

use super::calls;
use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::user::class::{Class, ClassName};
use crate::process::Symbol;
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full RegisterClassA;
    full RegisterClassW;
    full RegisterClassExA;
    full RegisterClassExW;
    full UnregisterClassA;
    full UnregisterClassW;
    partial GetClassInfoA, "the name and the menu are null";
    partial GetClassInfoW, "the name and the menu are null";
    partial GetClassInfoExA, "the name and the menu are null";
    partial GetClassInfoExW, "the name and the menu are null";
    full GetClassNameA;
    full GetClassNameW;
    full GetClassLongA;
    full GetClassLongW;
    full GetClassLongPtrA;
    full GetClassLongPtrW;
    full SetClassLongA;
    full SetClassLongW;
    full SetClassLongPtrA;
    full SetClassLongPtrW;
};

/// `WNDCLASSEX` without its size.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/ns-winuser-wndclassexw>
#[derive(GuestStruct, Default)]
struct WndClass {
    style: u32,
    lpfnWndProc: GuestWord,
    cbClsExtra: i32,
    cbWndExtra: i32,
    hInstance: GuestWord,
    hIcon: GuestWord,
    hCursor: GuestWord,
    hbrBackground: GuestWord,
    lpszMenuName: GuestWord,
    lpszClassName: GuestWord,
}

/// The most bytes that a class or a window has for the program.
const EXTRA_MAX: i32 = 0x1_0000;

/// The classes that every program finds: their windows do what `DefWindowProc` does.
const SYSTEM_CLASSES: [&str; 3] = ["Message", "Static", "#32769"];

/// Reads the name of a class, or its number.
pub(crate) fn class_name(guest: &Guest, width: Width, address: GuestWord) -> Result<ClassName, Win32Error> {
    match u16::try_from(address.get()) {
        Ok(atom) => Ok(ClassName::Atom(atom)),
        Err(_) => Ok(ClassName::Name(width.read(guest, address)?)),
    }
}

/// Returns a module's base; null is the program's.
pub(crate) fn instance_of(guest: &Guest, instance: GuestWord) -> u64 {
    match instance.get() {
        0 => guest.process().loader().module_named(&[]).map_or(0, |module| module.base),
        base => base,
    }
}

/// Finds a class; those of the system appear when they are asked for.
pub(crate) fn find_class(
    guest: &mut Guest,
    name: &ClassName,
    instance: u64,
) -> Result<Arc<Class>, Win32Error> {
    let desktop = &guest.process().desktop;
    let look = || {
        let state = desktop.state();
        state.class_index(name, instance).map(|index| Arc::clone(&state.classes[index]))
    };
    if let Some(class) = look() {
        return Ok(class);
    }
    let ClassName::Name(name) = name else { return Err(Win32Error::CANNOT_FIND_WND_CLASS) };
    let text = String::from_utf16_lossy(name);
    let known = SYSTEM_CLASSES.iter().find(|class| class.eq_ignore_ascii_case(&text));
    let known = known.ok_or(Win32Error::CANNOT_FIND_WND_CLASS)?;
    let procedure = default_procedure(guest)?;
    let mut state = desktop.state();
    let name: Vec<u16> = known.encode_utf16().collect();
    let atom = state.names.add(&name).ok_or(Win32Error::NOT_ENOUGH_MEMORY)?;
    let class = Arc::new(Class { atom, name, is_wide: true, procedure, ..Class::default() });
    state.classes.push(Arc::clone(&class));
    Ok(class)
}

/// Returns the address of `DefWindowProcW`.
pub(crate) fn default_procedure(guest: &mut Guest) -> Result<u64, Win32Error> {
    let loader = guest.process().loader();
    let name: Vec<u16> = "user32.dll".encode_utf16().collect();
    let module = loader.module_named(&name).ok_or(Win32Error::MOD_NOT_FOUND)?;
    loader.symbol(guest, module.base, Symbol::Name("DefWindowProcW")).map_err(|status| status.to_win32())
}

fn register(guest: &mut Guest, width: Width, given: &WndClass, small_icon: u64) -> Result<u16, Win32Error> {
    let (class_bytes, window_bytes) = (given.cbClsExtra, given.cbWndExtra);
    let is_size = |size: i32| (0..=EXTRA_MAX).contains(&size);
    if given.lpfnWndProc.is_null() || !is_size(class_bytes) || !is_size(window_bytes) {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let name = class_name(guest, width, given.lpszClassName)?;
    let instance = instance_of(guest, given.hInstance);
    let mut state = guest.process().desktop.state();
    let is_taken = state.classes.iter().any(|class| class.instance == instance && class.is(&name, instance));
    if is_taken {
        return Err(Win32Error::CLASS_ALREADY_EXISTS);
    }
    let (name, atom) = match name {
        ClassName::Name(name) if name.is_empty() => return Err(Win32Error::INVALID_PARAMETER),
        ClassName::Name(name) => {
            let atom = state.names.add(&name).ok_or(Win32Error::NOT_ENOUGH_MEMORY)?;
            (name, atom)
        }
        ClassName::Atom(atom) => {
            (state.names.name(atom).unwrap_or_else(|| format!("#{atom}").encode_utf16().collect()), atom)
        }
    };
    state.classes.insert(
        0,
        Arc::new(Class {
            atom,
            name,
            is_wide: width == Width::Wide,
            style: given.style,
            procedure: given.lpfnWndProc.get(),
            window_bytes: window_bytes as usize,
            extra: vec![0; class_bytes as usize],
            instance,
            icon: given.hIcon.get(),
            small_icon,
            cursor: given.hCursor.get(),
            background: given.hbrBackground.get(),
            menu: given.lpszMenuName.get(),
        }),
    );
    Ok(atom)
}

/// Describes a class as the program gave it.
fn describe(class: &Class) -> WndClass {
    WndClass {
        style: class.style,
        lpfnWndProc: GuestWord(class.procedure),
        cbClsExtra: class.extra.len() as i32,
        cbWndExtra: class.window_bytes as i32,
        hInstance: GuestWord(class.instance),
        hIcon: GuestWord(class.icon),
        hCursor: GuestWord(class.cursor),
        hbrBackground: GuestWord(class.background),
        ..WndClass::default()
    }
}

/// Returns where `WNDCLASSEX` has what `WNDCLASS` has, and its last field.
fn extended(guest: &Guest, address: GuestWord) -> (u64, u64) {
    let width = guest.machine().pointer_size();
    // The size and the style share eight bytes; in 32 bits and in 64 bits the rest is aligned anew.
    (address.get() + 4, address.get() + 8 + 8 + 7 * width)
}

/// Reads `WNDCLASSEX`.
fn read_extended(guest: &Guest, address: GuestWord) -> Result<(WndClass, u64), Win32Error> {
    let (_, last) = extended(guest, address);
    let width = guest.machine().pointer_size();
    let style = guest.read_u32(address.get() + 4)?;
    // Behind the style the two structures differ by a pointer's alignment only.
    let mut class: WndClass = guest.read(address.get() + 8 - width)?;
    class.style = style;
    Ok((class, guest.read_word(last)?))
}

both_widths! {
    /// Registers a window class; returns its number.
    "winuser/nf-winuser-registerclass"
    RegisterClassA, RegisterClassW(guest, width, lpWndClass: GuestWord) -> Result<u16, Win32Error> {
        let class: WndClass = guest.read(lpWndClass.get())?;
        register(guest, width, &class, 0)
    }

    /// Registers a window class with a small icon; returns its number.
    "winuser/nf-winuser-registerclassex"
    RegisterClassExA, RegisterClassExW(guest, width, param0: GuestWord) -> Result<u16, Win32Error> {
        let (class, small_icon) = read_extended(guest, param0)?;
        register(guest, width, &class, small_icon)
    }

    /// Forgets a window class that no window has.
    "winuser/nf-winuser-unregisterclass"
    UnregisterClassA, UnregisterClassW(guest, width, lpClassName: GuestWord, hInstance: GuestWord) -> Result<Bool, Win32Error> {
        let name = class_name(guest, width, lpClassName)?;
        let instance = instance_of(guest, hInstance);
        let mut state = guest.process().desktop.state();
        let index = state.class_index(&name, instance).filter(|&index| state.classes[index].instance != 0);
        let index = index.ok_or(Win32Error::CLASS_DOES_NOT_EXIST)?;
        let atom = state.classes[index].atom;
        if state.windows.values().any(|window| Arc::ptr_eq(&window.class, &state.classes[index])) {
            return Err(Win32Error::CLASS_HAS_WINDOWS);
        }
        state.classes.remove(index);
        state.names.remove(atom);
        Ok(TRUE)
    }

    /// Describes a window class.
    "winuser/nf-winuser-getclassinfo"
    GetClassInfoA, GetClassInfoW(guest, width, hInstance: GuestWord, lpClassName: GuestWord, lpWndClass: GuestWord) -> Result<Bool, Win32Error> {
        let class = asked_class(guest, width, hInstance, lpClassName)?;
        guest.write(lpWndClass.get(), &describe(&class))?;
        Ok(TRUE)
    }

    /// Returns the name of a window's class.
    "winuser/nf-winuser-getclassname"
    GetClassNameA, GetClassNameW(guest, width, hWnd: GuestWord, lpClassName: GuestWord, nMaxCount: i32) -> Result<i32, Win32Error> {
        let name = guest.process().desktop.state().window(hWnd.get())?.class.name.clone();
        let capacity = usize::try_from(nMaxCount).ok().filter(|&count| count > 0);
        let capacity = capacity.ok_or(Win32Error::INSUFFICIENT_BUFFER)?;
        calls::put_text(guest, width, lpClassName.get(), capacity, &name).map(|length| length as i32)
    }

    /// Returns a number of a window's class.
    "winuser/nf-winuser-getclasslong"
    GetClassLongA, GetClassLongW(guest, width, hWnd: GuestWord, nIndex: i32) -> Result<u32, Win32Error> {
        let _ = width;
        class_value(guest, hWnd, nIndex, None).map(|value| value as u32)
    }

    /// Returns a number or an address of a window's class.
    "winuser/nf-winuser-getclasslongptr"
    GetClassLongPtrA, GetClassLongPtrW(guest, width, hWnd: GuestWord, nIndex: i32) -> Result<GuestWord, Win32Error> {
        let _ = width;
        class_value(guest, hWnd, nIndex, None).map(GuestWord)
    }

    /// Sets a number of a window's class; returns the former.
    "winuser/nf-winuser-setclasslong"
    SetClassLongA, SetClassLongW(guest, width, hWnd: GuestWord, nIndex: i32, dwNewLong: i32) -> Result<u32, Win32Error> {
        let _ = width;
        class_value(guest, hWnd, nIndex, Some(u64::from(dwNewLong as u32))).map(|value| value as u32)
    }

    /// Sets a number or an address of a window's class; returns the former.
    "winuser/nf-winuser-setclasslongptr"
    SetClassLongPtrA, SetClassLongPtrW(guest, width, hWnd: GuestWord, nIndex: i32, dwNewLong: GuestWord) -> Result<GuestWord, Win32Error> {
        let _ = width;
        class_value(guest, hWnd, nIndex, Some(dwNewLong.get())).map(GuestWord)
    }
}

both_widths! {
    /// Describes a window class with its small icon.
    "winuser/nf-winuser-getclassinfoex"
    GetClassInfoExA, GetClassInfoExW(guest, width, hInstance: GuestWord, lpszClass: GuestWord, lpwcx: GuestWord) -> Result<Bool, Win32Error> {
        let class = asked_class(guest, width, hInstance, lpszClass)?;
        let (style, last) = extended(guest, lpwcx);
        let width = guest.machine().pointer_size();
        let size = guest.read_u32(lpwcx.get())?;
        guest.write(lpwcx.get() + 8 - width, &describe(&class))?;
        guest.write_bytes(lpwcx.get(), &size.to_le_bytes())?;
        guest.write_bytes(style, &class.style.to_le_bytes())?;
        guest.write_word(last, class.small_icon)?;
        Ok(TRUE)
    }
}

fn asked_class(
    guest: &mut Guest,
    width: Width,
    instance: GuestWord,
    name: GuestWord,
) -> Result<Arc<Class>, Win32Error> {
    let name = class_name(guest, width, name)?;
    let instance = instance_of(guest, instance);
    find_class(guest, &name, instance).map_err(|_| Win32Error::CLASS_DOES_NOT_EXIST)
}

/// Reads a value of a class, and sets it if there is a new one.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getclasslongptrw>
fn class_value(guest: &Guest, window: GuestWord, index: i32, new: Option<u64>) -> Result<u64, Win32Error> {
    let mut state = guest.process().desktop.state();
    let class = Arc::clone(&state.window(window.get())?.class);
    let mut changed = Class::clone(&class);
    let place = match index {
        -32 => return Ok(class.atom.into()),
        -20 => return Ok(class.extra.len() as u64),
        -18 => return Ok(class.window_bytes as u64),
        -26 => {
            let former = u64::from(class.style);
            changed.style = new.map_or(changed.style, |new| new as u32);
            return Ok(replace_class(&mut state, &class, changed, new.is_some(), former));
        }
        -24 => &mut changed.procedure,
        -16 => &mut changed.instance,
        -14 => &mut changed.icon,
        -34 => &mut changed.small_icon,
        -12 => &mut changed.cursor,
        -10 => &mut changed.background,
        -8 => &mut changed.menu,
        _ => {
            let size = guest.machine().pointer_size() as usize;
            let former = super::window_data::extra_value(&mut changed.extra, index, size, new)?;
            return Ok(replace_class(&mut state, &class, changed, new.is_some(), former));
        }
    };
    let former = *place;
    *place = new.unwrap_or(former);
    Ok(replace_class(&mut state, &class, changed, new.is_some(), former))
}

/// Gives all windows of a class its new values; returns `former`.
fn replace_class(
    state: &mut crate::nt::user::State,
    class: &Arc<Class>,
    changed: Class,
    is_changed: bool,
    former: u64,
) -> u64 {
    if is_changed {
        let changed = Arc::new(changed);
        for other in state.classes.iter_mut().filter(|other| Arc::ptr_eq(other, class)) {
            *other = Arc::clone(&changed);
        }
        for window in state.windows.values_mut().filter(|window| Arc::ptr_eq(&window.class, class)) {
            window.class = Arc::clone(&changed);
        }
    }
    former
}
