//! Enumeration of files: `_findfirst` and its kin, and the wildcards of the command line.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use super::files::{checked, on_path, read_time};
use super::io::read_path;
use super::state::{crt, set_win32_errno, write_narrow_z, write_wide_z};
use super::system::kernel32;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full _findfirst; full _findfirsti64; full _findfirst64; full _findnext; full _findnexti64; full _findnext64;
    full _wfindfirst; full _wfindfirsti64; full _wfindfirst64; full _wfindnext; full _wfindnexti64; full _wfindnext64;
    full _findfirst64i32; full _findnext64i32; full _wfindfirst64i32; full _wfindnext64i32;
    full _findfirst32; full _findnext32; full _findfirst32i64; full _findnext32i64;
    full _wfindfirst32; full _wfindnext32; full _wfindfirst32i64; full _wfindnext32i64;
    full _findclose;
};

/// Bytes of a `WIN32_FIND_DATAW`, and where the name lies in it.
const FIND_DATA_SIZE: u64 = 592;
const FIND_DATA_NAME: u64 = 44;
const DIRECTORY: u32 = 0x10;

/// How a `struct _finddata` is laid out: bytes of times and size, and whether the name is wide.
#[derive(Clone, Copy)]
struct Layout {
    time: u64,
    size: u64,
    wide: bool,
}

/// Which bits times have: those of the name, or of the machine.
#[derive(Clone, Copy)]
enum Times {
    Short,
    Machine,
    Long,
}

fn layout(guest: &Guest, size: u64, times: Times, wide: bool) -> Layout {
    let time = match times {
        Times::Short => 4,
        Times::Machine => guest.machine().pointer_size(),
        Times::Long => 8,
    };
    Layout { time, size, wide }
}

/// Stores what kernel32 found in the program's structure.
fn store(guest: &Guest, found: u64, to: u64, layout: Layout) -> Result<(), Fault> {
    let attributes: u32 = guest.read(found)?;
    // A plain file has no attribute here, not the one that says so.
    guest.write(to, &(if attributes == 0x80 { 0 } else { attributes }))?;
    let mut at = to + 4u64.next_multiple_of(layout.time);
    for offset in [4, 12, 20] {
        let time = read_time(guest, found + offset)?;
        guest.write_bytes(at, &time.to_le_bytes()[..layout.time as usize])?;
        at += layout.time;
    }
    let (high, low): (u32, u32) = (guest.read(found + 28)?, guest.read(found + 32)?);
    at = to + (at - to).next_multiple_of(layout.size);
    let size = u64::from(high) << 32 | u64::from(low);
    guest.write_bytes(at, &size.to_le_bytes()[..layout.size as usize])?;
    at += layout.size;
    let name = guest.read_wide_string(found + FIND_DATA_NAME)?;
    if layout.wide {
        write_wide_z(guest, at, &name)
    } else {
        write_narrow_z(guest, at, &crt(guest).narrow(&name))
    }
}

/// Finds the first file; returns the enumeration's handle, or -1 with `errno`.
fn first(guest: &mut Guest, path: GuestWord, to: GuestWord, layout: Layout) -> Result<GuestWord, Fault> {
    let path = if layout.wide { guest.read_wide_string(path.0)? } else { read_path(guest, path)? };
    let Some(buffer) = guest.process().heaps.allocate(0, FIND_DATA_SIZE, true) else {
        return Ok(GuestWord(u64::MAX));
    };
    let handle = on_path(guest, "FindFirstFileW", &path, &[buffer])?;
    let failed = handle as u32 == u32::MAX;
    if failed {
        let error = guest.teb().last_error();
        set_win32_errno(guest, error)?;
    } else {
        store(guest, buffer, to.0, layout)?;
    }
    guest.process().heaps.free(0, buffer);
    Ok(GuestWord(if failed { u64::MAX } else { handle }))
}

/// Finds the next file; returns 0, or -1 with `errno`.
fn next(guest: &mut Guest, handle: GuestWord, to: GuestWord, layout: Layout) -> Result<i32, Fault> {
    let Some(buffer) = guest.process().heaps.allocate(0, FIND_DATA_SIZE, true) else { return Ok(-1) };
    let result = kernel32(guest, "FindNextFileW", &[handle.0, buffer])?;
    let done = checked(guest, result)?;
    if done == 0 {
        store(guest, buffer, to.0, layout)?;
    }
    guest.process().heaps.free(0, buffer);
    Ok(done)
}

/// Defines the family: first and next, size's bytes, which bits times have, wide.
macro_rules! finds {
    ($($first:ident, $next:ident($size:literal, $times:ident, $wide:literal);)*) => {$(
        #[doc = "Finds the first file of a pattern; returns a handle for the others, or -1."]
        ///
        /// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/findfirst-functions>
        #[winapi(cdecl)]
        pub fn $first(guest: &mut Guest, filespec: GuestWord, fileinfo: GuestWord) -> Result<GuestWord, Fault> {
            let layout = layout(guest, $size, Times::$times, $wide);
            first(guest, filespec, fileinfo, layout)
        }

        #[doc = "Finds the next file; returns 0, or -1 when there is none."]
        ///
        /// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/findnext-functions>
        #[winapi(cdecl)]
        pub fn $next(guest: &mut Guest, handle: GuestWord, fileinfo: GuestWord) -> Result<i32, Fault> {
            let layout = layout(guest, $size, Times::$times, $wide);
            next(guest, handle, fileinfo, layout)
        }
    )*};
}
finds! {
    _findfirst32, _findnext32(4, Short, false);
    _findfirst32i64, _findnext32i64(8, Short, false);
    _wfindfirst32, _wfindnext32(4, Short, true);
    _wfindfirst32i64, _wfindnext32i64(8, Short, true);
    _findfirst64i32, _findnext64i32(4, Long, false);
    _wfindfirst64i32, _wfindnext64i32(4, Long, true);
    _findfirst, _findnext(4, Machine, false);
    _findfirsti64, _findnexti64(8, Machine, false);
    _findfirst64, _findnext64(8, Long, false);
    _wfindfirst, _wfindnext(4, Machine, true);
    _wfindfirsti64, _wfindnexti64(8, Machine, true);
    _wfindfirst64, _wfindnext64(8, Long, true);
}

/// Ends an enumeration; returns 0, or -1.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/findclose>
#[winapi(cdecl)]
pub fn _findclose(guest: &mut Guest, handle: GuestWord) -> Result<i32, Fault> {
    let result = kernel32(guest, "FindClose", &[handle.0])?;
    checked(guest, result)
}

/// Returns the names that a wildcard of the command line stands for, each with the pattern's own directory, without
/// directories whose names begin with a point; none when nothing fits or the guest's memory is short.
pub(crate) fn expand(guest: &mut Guest, pattern: &[u16]) -> Vec<Vec<u16>> {
    let separators = [u16::from(b'\\'), u16::from(b'/'), u16::from(b':')];
    let end = pattern.iter().rposition(|unit| separators.contains(unit)).map_or(0, |at| at + 1);
    let mut names = names_of(guest, pattern).unwrap_or_default();
    names.sort();
    names.into_iter().map(|name| [&pattern[..end], &name].concat()).collect()
}

fn names_of(guest: &mut Guest, pattern: &[u16]) -> Result<Vec<Vec<u16>>, Fault> {
    let Some(buffer) = guest.process().heaps.allocate(0, FIND_DATA_SIZE, true) else { return Ok(Vec::new()) };
    let handle = on_path(guest, "FindFirstFileW", pattern, &[buffer])?;
    let mut names = Vec::new();
    let mut more = handle as u32 != u32::MAX;
    while more {
        let (attributes, name): (u32, _) =
            (guest.read(buffer)?, guest.read_wide_string(buffer + FIND_DATA_NAME)?);
        let is_hidden = attributes & DIRECTORY != 0 && name.first() == Some(&u16::from(b'.'));
        if !is_hidden {
            names.push(name);
        }
        more = kernel32(guest, "FindNextFileW", &[handle, buffer])? as u32 != 0;
        if !more {
            kernel32(guest, "FindClose", &[handle])?;
        }
    }
    guest.process().heaps.free(0, buffer);
    Ok(names)
}
