//! The current directory as the PEB shows it: its path, which ends with a backslash, and a handle of it. Programs that
//! speak to ntdll alone open files relative to that handle.

use std::sync::Arc;

use plat_abi::{Fault, Memory};

use super::file::access;
use super::file_open::{CreateOptions, Disposition, Request};
use super::handle::HandleFlags;
use crate::guest::GuestMemory;
use crate::process::Process;
use crate::teb::{Field, Peb};
use crate::{NtStatus, Win32Error};

/// Where the path lies in the process parameters, a `UNICODE_STRING`; the handle is behind it.
///
/// Source: the public symbols of ntdll (`CURDIR`).
pub const FIELD: Field = Field::new(0x24, 0x38);

/// Bytes before the path's buffer, where Windows has a count, the handle and the path's length again. Cygwin 3.0 writes
/// there when it does not find the structure by other ways.
///
/// Source: Cygwin's `FAST_CWD_8` and its forerunners (`path.cc`), the largest of which have 64 bytes before the path.
pub const HEAD_BYTES: u64 = 64;

/// Bytes that the path's buffer has at least: `MAX_PATH` characters.
pub const PATH_BYTES: u64 = 520;

/// Opens the current directory; returns the handle's number, or 0 where it cannot be opened.
pub fn open(process: &Process) -> u64 {
    /// `FILE_TRAVERSE`.
    const TRAVERSE: u32 = 0x20;
    let path = super::path::current(&process.files);
    let request = Request {
        access: TRAVERSE | access::SYNCHRONIZE,
        // Linux lets it be renamed and removed.
        share: 7,
        disposition: Disposition::Open,
        options: CreateOptions::DIRECTORY_FILE | CreateOptions::SYNCHRONOUS_IO_NONALERT,
        attributes: 0,
        mode: None,
    };
    let unix = process.files.resolve_file(&path).map_err(|_| NtStatus::OBJECT_NAME_NOT_FOUND);
    let opened = unix.and_then(|unix| process.files.open(unix, &request));
    opened.map_or(0, |(object, _)| {
        process.handles.insert(Arc::new(object), request.access, HandleFlags::empty())
    })
}

/// Returns a path as the PEB shows it.
pub fn shown(path: &[u16]) -> Vec<u16> {
    let mut path = path.to_vec();
    if path.last() != Some(&u16::from(b'\\')) {
        path.push(u16::from(b'\\'));
    }
    path
}

/// Changes the current directory, and what the PEB says of it.
///
/// # Errors
/// Those of `FileSystem::set_current_directory`.
pub fn change(process: &Process, path: &[u16]) -> Result<(), Win32Error> {
    process.files.set_current_directory(path)?;
    // A program that has unmapped or protected its parameters does not look there.
    let _ = show(process);
    Ok(())
}

fn show(process: &Process) -> Result<(), Fault> {
    let memory = GuestMemory::of(process.machine);
    let Some(&peb) = process.peb.get() else { return Ok(()) };
    let parameters = memory.read_word(peb + Peb::PROCESS_PARAMETERS.offset(process.machine))?;
    let place = parameters + FIELD.offset(process.machine);
    let size = process.machine.pointer_size();
    let path = shown(&super::path::current(&process.files));
    let room: u16 = memory.read(place + 2)?;
    let bytes = path.len() as u64 * 2;
    let mut at = memory.read_word(place + size)?;
    if bytes + 2 > u64::from(room) {
        // The one before may still be read by somebody.
        let Some(larger) = process.heaps.allocate(0, HEAD_BYTES + bytes + 2, true) else { return Ok(()) };
        at = larger + HEAD_BYTES;
        memory.write(place + 2, &((bytes + 2).min(0xfffe) as u16))?;
    }
    memory.write_wide(at, &[path.as_slice(), &[0]].concat())?;
    memory.write_word(place + size, at)?;
    memory.write(place, &(bytes.min(0xfffc) as u16))?;
    let before = memory.read_word(place + 2 * size)?;
    memory.write_word(place + 2 * size, open(process))?;
    // A program may have put one of its own there.
    let _ = process.handles.close(before);
    Ok(())
}
