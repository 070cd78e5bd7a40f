//! winbase.h: atoms, numbers for names. Each process has its own local and, unlike Windows' desktops, global ones.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::alike::alike;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::user::atom::{Atoms, FIRST_NAME, number_in};
use crate::nt::user::{AtomScope, State};
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full AddAtomA; full AddAtomW; full FindAtomA; full FindAtomW; full GetAtomNameA; full GetAtomNameW;
    full DeleteAtom; full InitAtomTable;
    partial GlobalAddAtomA, "seen by this process only"; partial GlobalAddAtomW, "seen by this process only";
    partial GlobalAddAtomExA, "seen by this process only"; partial GlobalAddAtomExW, "seen by this process only";
    partial GlobalFindAtomA, "this process's only"; partial GlobalFindAtomW, "this process's only";
    partial GlobalGetAtomNameA, "this process's only"; partial GlobalGetAtomNameW, "this process's only";
    partial GlobalDeleteAtom, "this process's only";
};

/// The longest name, in units.
const NAME_UNITS: usize = 255;

/// Runs work on one of the tables.
fn with_table<R>(guest: &Guest, scope: AtomScope, work: impl FnOnce(&mut Atoms) -> R) -> R {
    let state: &mut State = &mut guest.process().desktop.state();
    work(state.atoms_mut(scope))
}

/// What the "pointer" to a name says.
enum Key {
    Number(u16),
    Name(Vec<u16>),
}

/// Reads a name: numbers stand for themselves, as "pointers" below 64 KiB and as `#123`.
fn key(guest: &Guest, width: Width, name: GuestWord) -> Result<Key, Win32Error> {
    if let Ok(number) = u16::try_from(name.get()) {
        return if number < FIRST_NAME {
            Ok(Key::Number(number))
        } else {
            Err(Win32Error::INVALID_PARAMETER)
        };
    }
    let text = width.read(guest, name)?;
    match number_in(&text) {
        Some(0) => Err(Win32Error::INVALID_PARAMETER),
        Some(number) => Ok(Key::Number(number)),
        None if text.is_empty() => Err(Win32Error::INVALID_NAME),
        None if text.len() > NAME_UNITS => Err(Win32Error::INVALID_PARAMETER),
        None => Ok(Key::Name(text)),
    }
}

fn add(guest: &Guest, width: Width, scope: AtomScope, name: GuestWord) -> Result<u16, Win32Error> {
    match key(guest, width, name)? {
        Key::Number(number) => Ok(number),
        Key::Name(name) => {
            with_table(guest, scope, |atoms| atoms.add(&name)).ok_or(Win32Error::NOT_ENOUGH_MEMORY)
        }
    }
}

fn find(guest: &Guest, width: Width, scope: AtomScope, name: GuestWord) -> Result<u16, Win32Error> {
    match key(guest, width, name)? {
        Key::Number(number) => Ok(number),
        Key::Name(name) => {
            with_table(guest, scope, |atoms| atoms.find(&name)).ok_or(Win32Error::FILE_NOT_FOUND)
        }
    }
}

/// Stores an atom's name, cut short where the buffer ends; returns its length in units of the form.
fn name(
    guest: &Guest,
    width: Width,
    (scope, atom): (AtomScope, u16),
    buffer: GuestWord,
    size: i32,
) -> Result<u32, Win32Error> {
    let room = usize::try_from(size).ok().filter(|&room| room > 0).ok_or(Win32Error::MORE_DATA)?;
    let text = match atom {
        0 => None,
        1..FIRST_NAME => Some(format!("#{atom}").encode_utf16().collect()),
        _ => with_table(guest, scope, |atoms| atoms.name(atom)),
    };
    let bytes = width.bytes(&text.ok_or(Win32Error::INVALID_HANDLE)?);
    let unit = width.unit_bytes();
    let length = (bytes.len() / unit - 1).min(room - 1);
    let stored: Vec<u8> =
        bytes[..length * unit].iter().copied().chain([0, 0].into_iter().take(unit)).collect();
    guest.write_bytes(buffer.get(), &stored)?;
    Ok(length as u32)
}

/// Takes one use of an atom back; returns 0, or the atom where there was none.
fn delete(guest: &Guest, scope: AtomScope, atom: u16) -> u16 {
    if atom < FIRST_NAME || with_table(guest, scope, |atoms| atoms.remove(atom)) {
        return 0;
    }
    guest.teb().set_last_error(Win32Error::INVALID_HANDLE);
    atom
}

/// Returns an atom as the functions do: 0 with the last error set where there is none.
fn or_zero(guest: &Guest, atom: Result<u16, Win32Error>) -> Result<u16, Fault> {
    Ok(atom.unwrap_or_else(|error| {
        guest.teb().set_last_error(error);
        0
    }))
}

both_widths! {
    /// Returns the atom of a name, which is one use more.
    "winbase/nf-winbase-addatom"
    AddAtomA, AddAtomW(guest, width, lpString: GuestWord) -> Result<u16, Fault> {
        or_zero(guest, add(guest, width, AtomScope::Local, lpString))
    }

    /// Returns the atom of a name, if it has one.
    "winbase/nf-winbase-findatom"
    FindAtomA, FindAtomW(guest, width, lpString: GuestWord) -> Result<u16, Fault> {
        or_zero(guest, find(guest, width, AtomScope::Local, lpString))
    }

    /// Stores the name of an atom; returns its length.
    "winbase/nf-winbase-getatomname"
    GetAtomNameA, GetAtomNameW(guest, width, nAtom: u16, lpBuffer: GuestWord, nSize: i32) -> Result<u32, Win32Error> {
        name(guest, width, (AtomScope::Local, nAtom), lpBuffer, nSize)
    }

    /// Returns the global atom of a name, which is one use more.
    "winbase/nf-winbase-globaladdatom"
    GlobalAddAtomA, GlobalAddAtomW(guest, width, lpString: GuestWord) -> Result<u16, Fault> {
        or_zero(guest, add(guest, width, AtomScope::Global, lpString))
    }

    /// Returns the global atom of a name, which is one use more.
    "winbase/nf-winbase-globaladdatomex"
    GlobalAddAtomExA, GlobalAddAtomExW(guest, width, lpString: GuestWord, Flags: u32) -> Result<u16, Fault> {
        let _ = Flags;
        or_zero(guest, add(guest, width, AtomScope::Global, lpString))
    }

    /// Returns the global atom of a name, if it has one.
    "winbase/nf-winbase-globalfindatom"
    GlobalFindAtomA, GlobalFindAtomW(guest, width, lpString: GuestWord) -> Result<u16, Fault> {
        or_zero(guest, find(guest, width, AtomScope::Global, lpString))
    }

    /// Stores the name of a global atom; returns its length.
    "winbase/nf-winbase-globalgetatomname"
    GlobalGetAtomNameA, GlobalGetAtomNameW(
        guest, width, nAtom: u16, lpBuffer: GuestWord, nSize: i32
    ) -> Result<u32, Win32Error> {
        name(guest, width, (AtomScope::Global, nAtom), lpBuffer, nSize)
    }
}

alike! {
    fn(guest, scope; nAtom: u16) -> u16 {
        delete(guest, scope, nAtom)
    }

    /// Takes back one use of an atom; returns 0, or the atom where there was none.
    "winbase/nf-winbase-deleteatom" DeleteAtom = AtomScope::Local;

    /// Takes back one use of a global atom; returns 0, or the atom where there was none.
    "winbase/nf-winbase-globaldeleteatom" GlobalDeleteAtom = AtomScope::Global;
}

/// Prepares the table of local atoms: it grows by itself, whatever size is asked for.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-initatomtable>
#[winapi]
pub fn InitAtomTable(guest: &mut Guest, nSize: u32) -> Bool {
    let _ = (guest, nSize);
    TRUE
}
