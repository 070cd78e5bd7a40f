//! The environment as the runtime keeps it: the arrays `_environ` and `_wenviron`, `getenv`, `_putenv`.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use super::errno::{EINVAL, ERANGE};
use super::locks;
use super::startup::place_pointers;
use super::state::{crt, place_narrow, place_wide, set_errno, variable};
use super::twins::{GuestUnit, write_z};
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full getenv;
    full _wgetenv;
    full _putenv;
    full _wputenv;
    full getenv_s;
    full _wgetenv_s;
    full _dupenv_s;
    full _putenv_s;
    full _wputenv_s;
};

/// The number of the lock that guards both arrays.
const ENVIRONMENT_LOCK: u64 = 7;

const EQUALS: u16 = b'=' as u16;

/// Makes both arrays from the process's environment.
pub(crate) fn attach(guest: &mut Guest) -> Result<(), Fault> {
    let (mut narrow, mut wide) = (Vec::new(), Vec::new());
    for (name, value) in &guest.process().start.environment {
        let line: Vec<u16> = name.iter().chain(&[EQUALS]).chain(value).copied().collect();
        narrow.push(place_narrow(guest, &crt(guest).narrow(&line))?);
        wide.push(place_wide(guest, &line)?);
    }
    for (pointers, names) in [(narrow, ["_environ", "__initenv"]), (wide, ["_wenviron", "__winitenv"])] {
        let array = place_pointers(guest, &pointers)?;
        for name in names {
            guest.write_word(variable(guest, name), array)?;
        }
    }
    Ok(())
}

/// Reads a line of one of the arrays as UTF-16.
fn read_line(guest: &Guest, address: u64, wide: bool) -> Result<Vec<u16>, Fault> {
    if wide {
        return guest.read_wide_string(address);
    }
    Ok(crt(guest).widen(&guest.read_c_string(address)?))
}

/// The index and the address of a variable's line, and the array with its pointers.
type Found = (Option<(usize, u64)>, Vec<u64>);

/// Returns the index and the address of the line that sets `name`, and the array with its pointers.
fn find(guest: &Guest, array: &'static str, name: &[u16]) -> Result<Found, Fault> {
    let word = guest.machine().pointer_size();
    let mut at = guest.read_word(variable(guest, array))?;
    let (mut pointers, mut found) = (Vec::new(), None);
    while at != 0 {
        let line = guest.read_word(at)?;
        if line == 0 {
            break;
        }
        let text = read_line(guest, line, array == "_wenviron")?;
        let is_name = text.get(name.len()) == Some(&EQUALS)
            && crate::logic::nls::case::equal_ignore_case(&text[..name.len()], name);
        if is_name && found.is_none() {
            found = Some((pointers.len(), line));
        }
        pointers.push(line);
        at += word;
    }
    Ok((found, pointers))
}

/// Sets, or with an empty value removes, a variable in both arrays. Returns 0, or -1 when there is no name.
fn put(guest: &mut Guest, line: &[u16]) -> Result<i32, Fault> {
    let Some(split) = line.iter().position(|&unit| unit == EQUALS).filter(|&at| at > 0) else {
        set_errno(guest, EINVAL)?;
        return Ok(-1);
    };
    locks::with(guest, ENVIRONMENT_LOCK, |guest| put_under_lock(guest, line, split))?;
    Ok(0)
}

/// Sets or removes the variable whose name ends at `split`.
fn put_under_lock(guest: &mut Guest, line: &[u16], split: usize) -> Result<(), Fault> {
    let (name, value) = (&line[..split], &line[split + 1..]);
    for array in ["_environ", "_wenviron"] {
        let (found, mut pointers) = find(guest, array, name)?;
        // The old line stays where it is: the program may still hold the pointer that getenv gave it.
        match (found, value.is_empty()) {
            (Some((index, _)), true) => drop(pointers.remove(index)),
            (None, true) => continue,
            (found, false) => {
                let narrow = crt(guest).narrow(line);
                let wide = array == "_wenviron";
                let address = if wide { place_wide(guest, line)? } else { place_narrow(guest, &narrow)? };
                match found {
                    Some((index, _)) => pointers[index] = address,
                    None => pointers.push(address),
                }
            }
        }
        let placed = place_pointers(guest, &pointers)?;
        guest.write_word(variable(guest, array), placed)?;
    }
    super::system::set_environment(guest, name, (!value.is_empty()).then_some(value));
    Ok(())
}

/// Finds the line of a variable in one of the arrays.
fn find_line(guest: &mut Guest, array: &'static str, name: &[u16]) -> Result<Option<u64>, Fault> {
    let (found, _) = locks::with(guest, ENVIRONMENT_LOCK, |guest| find(guest, array, name))?;
    Ok(found.map(|(_, line)| line))
}

/// Returns the address of a variable's value, or null.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/getenv-wgetenv>
#[winapi(cdecl)]
pub fn getenv(guest: &mut Guest, varname: GuestWord) -> Result<GuestWord, Fault> {
    let narrow = guest.read_c_string(varname.0)?;
    let name = crt(guest).widen(&narrow);
    let line = find_line(guest, "_environ", &name)?;
    Ok(GuestWord(line.map_or(0, |line| line + narrow.len() as u64 + 1)))
}

/// Returns the address of a variable's value, or null.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/getenv-wgetenv>
#[winapi(cdecl)]
pub fn _wgetenv(guest: &mut Guest, varname: GuestWord) -> Result<GuestWord, Fault> {
    let name = guest.read_wide_string(varname.0)?;
    let line = find_line(guest, "_wenviron", &name)?;
    Ok(GuestWord(line.map_or(0, |line| line + 2 * (name.len() as u64 + 1))))
}

/// Sets a variable from a line `NAME=value`; an empty value removes it.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/putenv-wputenv>
#[winapi(cdecl)]
pub fn _putenv(guest: &mut Guest, envstring: GuestWord) -> Result<i32, Fault> {
    let line = read_line(guest, envstring.0, false)?;
    put(guest, &line)
}

/// Sets a variable from a line `NAME=value`; an empty value removes it.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/putenv-wputenv>
#[winapi(cdecl)]
pub fn _wputenv(guest: &mut Guest, envstring: GuestWord) -> Result<i32, Fault> {
    let line = read_line(guest, envstring.0, true)?;
    put(guest, &line)
}

/// Copies a value, if there is one, into a buffer of so many units; stores what it needs.
fn copy_value<T: GuestUnit>(
    guest: &Guest,
    value: GuestWord,
    [needed_at, buffer, room]: [GuestWord; 3],
) -> Result<i32, Fault> {
    let text = if value.is_null() { None } else { Some(T::read(guest, value.0)?) };
    let needed = text.as_ref().map_or(0, |text| text.len() as u64 + 1);
    guest.write_word(needed_at.0, needed)?;
    if needed > room.0 && !buffer.is_null() {
        return Ok(ERANGE);
    }
    if !buffer.is_null() && room.0 > 0 {
        write_z(guest, buffer.0, &text.unwrap_or_default())?;
    }
    Ok(0)
}

/// Copies a variable's value; stores the size that it needs, 0 when there is none.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/getenv-s-wgetenv-s>
#[winapi(cdecl)]
pub fn getenv_s(
    guest: &mut Guest,
    pReturnValue: GuestWord,
    buffer: GuestWord,
    numberOfElements: GuestWord,
    varname: GuestWord,
) -> Result<i32, Fault> {
    let value = getenv(guest, varname)?;
    copy_value::<u8>(guest, value, [pReturnValue, buffer, numberOfElements])
}

/// Copies a variable's value; stores the size that it needs in units, 0 when there is none.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/getenv-s-wgetenv-s>
#[winapi(cdecl)]
pub fn _wgetenv_s(
    guest: &mut Guest,
    pReturnValue: GuestWord,
    buffer: GuestWord,
    numberOfElements: GuestWord,
    varname: GuestWord,
) -> Result<i32, Fault> {
    let value = _wgetenv(guest, varname)?;
    copy_value::<u16>(guest, value, [pReturnValue, buffer, numberOfElements])
}

/// Copies a variable's value into new memory, which the program frees.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/dupenv-s-wdupenv-s>
#[winapi(cdecl)]
pub fn _dupenv_s(
    guest: &mut Guest,
    buffer: GuestWord,
    numberOfElements: GuestWord,
    varname: GuestWord,
) -> Result<i32, Fault> {
    let value = getenv(guest, varname)?;
    let (mut address, mut size) = (0, 0);
    if !value.is_null() {
        let text = guest.read_c_string(value.0)?;
        address = place_narrow(guest, &text)?;
        size = text.len() as u64 + 1;
    }
    guest.write_word(buffer.0, address)?;
    if !numberOfElements.is_null() {
        guest.write_word(numberOfElements.0, size)?;
    }
    Ok(0)
}

/// Sets a variable; an empty value removes it.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/putenv-s-wputenv-s>
#[winapi(cdecl)]
pub fn _putenv_s(guest: &mut Guest, varname: GuestWord, value_string: GuestWord) -> Result<i32, Fault> {
    put_pair(guest, varname, value_string, false)
}

/// Sets a variable; an empty value removes it.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/putenv-s-wputenv-s>
#[winapi(cdecl)]
pub fn _wputenv_s(guest: &mut Guest, varname: GuestWord, value_string: GuestWord) -> Result<i32, Fault> {
    put_pair(guest, varname, value_string, true)
}

fn put_pair(guest: &mut Guest, name: GuestWord, value: GuestWord, wide: bool) -> Result<i32, Fault> {
    let mut line = read_line(guest, name.0, wide)?;
    line.push(EQUALS);
    line.extend(read_line(guest, value.0, wide)?);
    Ok(if put(guest, &line)? == 0 { 0 } else { EINVAL })
}
