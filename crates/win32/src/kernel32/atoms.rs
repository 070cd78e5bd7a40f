//! winbase.h: atoms, numbers for names: those of the process, and those that Windows shares.

use plat_abi::{GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::user::atom::{Atoms, FIRST_NAME, number_in};
use crate::widths::{Width, both_widths};
use std::sync::PoisonError;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full AddAtomA; full AddAtomW;
    full FindAtomA; full FindAtomW;
    full GetAtomNameA; full GetAtomNameW;
    full DeleteAtom;
    full InitAtomTable;
    partial GlobalAddAtomA, "shared with no other process"; partial GlobalAddAtomW, "shared with no other process";
    partial GlobalAddAtomExA, "shared with no other process"; partial GlobalAddAtomExW, "shared with no other process";
    partial GlobalFindAtomA, "shared with no other process"; partial GlobalFindAtomW, "shared with no other process";
    partial GlobalGetAtomNameA, "shared with no other process"; partial GlobalGetAtomNameW, "shared with no other process";
    partial GlobalDeleteAtom, "shared with no other process";
};

/// The longest name in units.
const NAME_MAX: usize = 255;

/// Which table: 0 the process's, 1 the shared one.
type Table = usize;

fn with<R>(guest: &Guest, table: Table, act: impl FnOnce(&mut Atoms) -> R) -> R {
    act(&mut guest.process().atoms[table].lock().unwrap_or_else(PoisonError::into_inner))
}

/// Reads a name, or returns the number that stands for itself.
fn name(guest: &Guest, width: Width, text: GuestWord) -> Result<Result<Vec<u16>, u16>, Win32Error> {
    let number = match text.get() {
        low @ 0..=0xffff => low as u16,
        _ => {
            let name = width.read(guest, text)?;
            match number_in(&name) {
                Some(number) => number,
                None if name.is_empty() => return Err(Win32Error::INVALID_NAME),
                None if name.len() > NAME_MAX => return Err(Win32Error::INVALID_PARAMETER),
                None => return Ok(Ok(name)),
            }
        }
    };
    if number == 0 || number >= FIRST_NAME { Err(Win32Error::INVALID_PARAMETER) } else { Ok(Err(number)) }
}

fn add(guest: &Guest, width: Width, table: Table, text: GuestWord) -> Result<u16, Win32Error> {
    match name(guest, width, text)? {
        Ok(name) => with(guest, table, |atoms| atoms.add(&name)).ok_or(Win32Error::NOT_ENOUGH_MEMORY),
        Err(number) => Ok(number),
    }
}

fn find(guest: &Guest, width: Width, table: Table, text: GuestWord) -> Result<u16, Win32Error> {
    match name(guest, width, text)? {
        Ok(name) => with(guest, table, |atoms| atoms.find(&name)).ok_or(Win32Error::FILE_NOT_FOUND),
        Err(number) => Ok(number),
    }
}

fn get(
    guest: &Guest,
    width: Width,
    table: Table,
    atom: u16,
    (into, size): (GuestWord, i32),
) -> Result<u32, Win32Error> {
    let size = usize::try_from(size).ok().filter(|&size| size > 0).ok_or(Win32Error::MORE_DATA)?;
    let name = match atom {
        0 => return Err(Win32Error::INVALID_PARAMETER),
        number if number < FIRST_NAME => format!("#{number}").encode_utf16().collect(),
        number => with(guest, table, |atoms| atoms.name(number)).ok_or(Win32Error::INVALID_HANDLE)?,
    };
    let bytes = width.bytes(&name);
    let unit = width.unit_bytes();
    if bytes.len() / unit > size {
        // As much as there is room for, and the error.
        guest.write_bytes(into.get(), &bytes[..(size - 1) * unit])?;
        guest.write_bytes(into.get() + ((size - 1) * unit) as u64, &vec![0; unit])?;
        return Err(Win32Error::MORE_DATA);
    }
    guest.write_bytes(into.get(), &bytes)?;
    Ok((bytes.len() / unit - 1) as u32)
}

/// Gives up one use; returns 0, or the atom where it is none.
fn delete(guest: &mut Guest, table: Table, atom: u16) -> u16 {
    if atom < FIRST_NAME || with(guest, table, |atoms| atoms.remove(atom)) {
        return 0;
    }
    guest.set_last_error(Win32Error::INVALID_HANDLE);
    atom
}

both_widths! {
    /// Adds a name to the process's atoms, or counts one more use.
    "winbase/nf-winbase-addatom"
    AddAtomA, AddAtomW(guest, width, lpString: GuestWord) -> Result<u16, Win32Error> {
        add(guest, width, 0, lpString)
    }

    /// Adds a name to the shared atoms, or counts one more use.
    "winbase/nf-winbase-globaladdatom"
    GlobalAddAtomA, GlobalAddAtomW(guest, width, lpString: GuestWord) -> Result<u16, Win32Error> {
        add(guest, width, 1, lpString)
    }

    /// Adds a name to the shared atoms, or counts one more use.
    "winbase/nf-winbase-globaladdatomex"
    GlobalAddAtomExA, GlobalAddAtomExW(guest, width, lpString: GuestWord, Flags: u32) -> Result<u16, Win32Error> {
        let _ = Flags;
        add(guest, width, 1, lpString)
    }

    /// Finds a name among the process's atoms.
    "winbase/nf-winbase-findatom"
    FindAtomA, FindAtomW(guest, width, lpString: GuestWord) -> Result<u16, Win32Error> {
        find(guest, width, 0, lpString)
    }

    /// Finds a name among the shared atoms.
    "winbase/nf-winbase-globalfindatom"
    GlobalFindAtomA, GlobalFindAtomW(guest, width, lpString: GuestWord) -> Result<u16, Win32Error> {
        find(guest, width, 1, lpString)
    }

    /// Returns the name of one of the process's atoms.
    "winbase/nf-winbase-getatomname"
    GetAtomNameA, GetAtomNameW(
        guest, width, nAtom: u16, lpBuffer: GuestWord, nSize: i32
    ) -> Result<u32, Win32Error> {
        get(guest, width, 0, nAtom, (lpBuffer, nSize))
    }

    /// Returns the name of a shared atom.
    "winbase/nf-winbase-globalgetatomname"
    GlobalGetAtomNameA, GlobalGetAtomNameW(
        guest, width, nAtom: u16, lpBuffer: GuestWord, nSize: i32
    ) -> Result<u32, Win32Error> {
        get(guest, width, 1, nAtom, (lpBuffer, nSize))
    }
}

/// Gives up one use of one of the process's atoms.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-deleteatom>
#[winapi]
pub fn DeleteAtom(guest: &mut Guest, nAtom: u16) -> u16 {
    delete(guest, 0, nAtom)
}

/// Gives up one use of a shared atom.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-globaldeleteatom>
#[winapi]
pub fn GlobalDeleteAtom(guest: &mut Guest, nAtom: u16) -> u16 {
    delete(guest, 1, nAtom)
}

/// Agrees to a size of the process's table, which grows as it must.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-initatomtable>
#[winapi]
pub fn InitAtomTable(guest: &mut Guest, nSize: u32) -> Bool {
    let _ = (guest, nSize);
    TRUE
}
