//! CreateFile and what a handle is.

use std::sync::Arc;

use plat_abi::{GuestStruct, GuestWord, Memory, winapi};

use super::text::path;
use crate::guest::{Guest, HandleOrInvalid};
use crate::logic::path::Target;
use crate::nt::file::{FileKind, FileObject, access};
use crate::nt::file_open::{CreateOptions, Disposition, Outcome, Request};
use crate::nt::file_standard;
use crate::nt::handle::HandleFlags;
use crate::nt::{pipe, security, security_memory};
use crate::widths::{Width, both_widths};
use crate::{NtStatus, Win32Error};

const FILE_FLAG_WRITE_THROUGH: u32 = 0x8000_0000;
const FILE_FLAG_OVERLAPPED: u32 = 0x4000_0000;
const FILE_FLAG_DELETE_ON_CLOSE: u32 = 0x0400_0000;
const FILE_FLAG_BACKUP_SEMANTICS: u32 = 0x0200_0000;
const FILE_FLAG_OPEN_REPARSE_POINT: u32 = 0x0020_0000;

/// Returns the file behind a handle, as [`file_standard::file`] does.
pub(in crate::kernel32) fn file(
    guest: &Guest,
    handle: GuestWord,
    needed: u32,
) -> Result<Arc<FileObject>, Win32Error> {
    Ok(file_standard::file(guest.process(), handle.0, needed)?)
}

/// Reads `bInheritHandle` of a `SECURITY_ATTRIBUTES`, which may be null.
pub(in crate::kernel32) fn inherit_flags(
    guest: &Guest,
    address: GuestWord,
) -> Result<HandleFlags, Win32Error> {
    if address.is_null() {
        return Ok(HandleFlags::empty());
    }
    let inherit = guest.read_u32(address.0 + 2 * guest.machine().pointer_size())?;
    Ok(if inherit != 0 { HandleFlags::INHERIT } else { HandleFlags::empty() })
}

/// The arguments of CreateFile but for the name.
pub(super) struct Wish {
    pub(super) access: u32,
    pub(super) share: u32,
    pub(super) security: GuestWord,
    pub(super) disposition: u32,
    pub(super) flags: u32,
}

pub(super) fn request(guest: &Guest, wish: &Wish) -> Result<Request, Win32Error> {
    let disposition = match wish.disposition {
        1 => Disposition::Create,
        2 => Disposition::OverwriteIf,
        3 => Disposition::Open,
        4 => Disposition::OpenIf,
        5 if wish.access & 0x5000_0000 == 0 && wish.access & access::WRITE_DATA == 0 => {
            return Err(Win32Error::INVALID_PARAMETER);
        }
        5 => Disposition::Overwrite,
        _ => return Err(Win32Error::INVALID_PARAMETER),
    };
    let mut options = CreateOptions::empty();
    options.set(CreateOptions::WRITE_THROUGH, wish.flags & FILE_FLAG_WRITE_THROUGH != 0);
    options.set(CreateOptions::SYNCHRONOUS_IO_NONALERT, wish.flags & FILE_FLAG_OVERLAPPED == 0);
    options.set(CreateOptions::NON_DIRECTORY_FILE, wish.flags & FILE_FLAG_BACKUP_SEMANTICS == 0);
    options.set(CreateOptions::DELETE_ON_CLOSE, wish.flags & FILE_FLAG_DELETE_ON_CLOSE != 0);
    options.set(CreateOptions::OPEN_REPARSE_POINT, wish.flags & FILE_FLAG_OPEN_REPARSE_POINT != 0);
    let mut access = access::map_generic(wish.access) | access::SYNCHRONIZE | access::READ_ATTRIBUTES;
    if options.contains(CreateOptions::DELETE_ON_CLOSE) {
        access |= access::DELETE;
    }
    let descriptor = security_memory::read_attributes(guest, wish.security.get())?;
    let mode = descriptor.as_ref().and_then(security::mode_of_new);
    Ok(Request { access, share: wish.share & 7, disposition, options, attributes: wish.flags & 0xffff, mode })
}

fn create(guest: &mut Guest, name: &[u16], wish: &Wish) -> Result<HandleOrInvalid, Win32Error> {
    let files = &guest.process().files;
    // Windows finds nothing under an empty name, rather than calling it invalid.
    if name.is_empty() {
        return Err(Win32Error::PATH_NOT_FOUND);
    }
    let request = request(guest, wish)?;
    let flags = inherit_flags(guest, wish.security)?;
    if let Some(pipe) = pipe::name_of(name) {
        let overlapped = wish.flags & FILE_FLAG_OVERLAPPED != 0;
        let has = |right| request.access & right != 0;
        let end = pipe::open(&pipe, has(access::READ_DATA), has(access::WRITE_DATA), overlapped)?;
        let handle = guest.process().handles.insert(Arc::new(end), request.access, flags);
        return Ok(HandleOrInvalid(handle));
    }
    let (object, outcome) = match files.resolve(name)? {
        Target::Device(device) => (files.open_device(device, request.access)?, Outcome::Opened),
        Target::File { unix, wants_directory, .. } => {
            let opened = files.open(unix, &request).map_err(|status| match status {
                NtStatus::OBJECT_NAME_COLLISION if request.disposition == Disposition::Create => {
                    Win32Error::FILE_EXISTS
                }
                // Emptying a directory.
                NtStatus::OBJECT_NAME_COLLISION => Win32Error::ACCESS_DENIED,
                other => other.to_win32(),
            })?;
            if wants_directory && opened.0.kind != FileKind::Directory {
                return Err(Win32Error::INVALID_NAME);
            }
            opened
        }
    };
    let existed = matches!(outcome, Outcome::Opened | Outcome::Overwritten);
    // CREATE_ALWAYS and OPEN_ALWAYS tell by the last error whether the file was there.
    let is_always = wish.disposition == 2 || wish.disposition == 4;
    let told = if existed && is_always { Win32Error::ALREADY_EXISTS } else { Win32Error::SUCCESS };
    guest.set_last_error(told);
    let mut granted = request.access;
    if granted & access::MAXIMUM_ALLOWED != 0 {
        granted = access::FILE_ALL;
    }
    Ok(HandleOrInvalid(guest.process().handles.insert(Arc::new(object), granted, flags)))
}

both_widths! {
    /// Opens or makes a file, directory, console or device.
    "fileapi/nf-fileapi-createfile"
    CreateFileA, CreateFileW(
        guest, width, lpFileName: GuestWord, dwDesiredAccess: u32, dwShareMode: u32, lpSecurityAttributes: GuestWord,
        dwCreationDisposition: u32, dwFlagsAndAttributes: u32, hTemplateFile: GuestWord
    ) -> Result<HandleOrInvalid, Win32Error> {
        let _ = hTemplateFile;
        let name = path(guest, width, lpFileName)?;
        let wish = Wish {
            access: dwDesiredAccess,
            share: dwShareMode,
            security: lpSecurityAttributes,
            disposition: dwCreationDisposition,
            flags: dwFlagsAndAttributes,
        };
        create(guest, &name, &wish)
    }
}

/// What `CreateFile2` is told beyond its arguments.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/fileapi/ns-fileapi-createfile2_extended_parameters>
#[derive(GuestStruct, Default)]
#[allow(non_snake_case)]
struct CREATEFILE2_EXTENDED_PARAMETERS {
    dwSize: u32,
    dwFileAttributes: u32,
    dwFileFlags: u32,
    dwSecurityQosFlags: u32,
    lpSecurityAttributes: GuestWord,
    hTemplateFile: GuestWord,
}

/// Opens or makes a file, directory, console or device.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-createfile2>
#[winapi]
pub fn CreateFile2(
    guest: &mut Guest,
    lpFileName: GuestWord,
    dwDesiredAccess: u32,
    dwShareMode: u32,
    dwCreationDisposition: u32,
    pCreateExParams: GuestWord,
) -> Result<HandleOrInvalid, Win32Error> {
    let name = path(guest, Width::Wide, lpFileName)?;
    let more: CREATEFILE2_EXTENDED_PARAMETERS =
        if pCreateExParams.is_null() { Default::default() } else { guest.read(pCreateExParams.0)? };
    let wish = Wish {
        access: dwDesiredAccess,
        share: dwShareMode,
        security: more.lpSecurityAttributes,
        disposition: dwCreationDisposition,
        flags: more.dwFileFlags | more.dwFileAttributes,
    };
    create(guest, &name, &wish)
}

/// Tells what a handle is: 1 disk, 2 character device, 3 pipe, 0 unknown.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-getfiletype>
#[winapi]
pub fn GetFileType(guest: &mut Guest, hFile: GuestWord) -> Result<u32, Win32Error> {
    let file = file(guest, hFile, 0)?;
    Ok(match file.kind {
        FileKind::Disk | FileKind::Directory => 1,
        FileKind::ConsoleInput | FileKind::ConsoleOutput | FileKind::Character => 2,
        FileKind::Pipe => 3,
    })
}
