//! Named pipes as ntdll makes and opens them: relative to the directory of pipes, and without a name.
//!
//! A pipe without a name is opened relative to its server's end. Rust's library makes the pipes of its child processes so.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use plat_abi::{GuestWord, Memory, winapi};

use super::attributes::{OBJECT_ATTRIBUTES, counted_string};
use super::files::put_status;
use crate::NtStatus;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::nt::file::{FileObject, access};
use crate::nt::file_open::{CreateOptions, Disposition, Outcome};
use crate::nt::pipe::{self, INBOUND, OUTBOUND, PipeDirectory, PipeTraits};
use crate::nt::pipe_name;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial NtCreateNamedPipeFile, "the security descriptor is not used";
};

const SYNCHRONOUS: CreateOptions =
    CreateOptions::SYNCHRONOUS_IO_NONALERT.union(CreateOptions::SYNCHRONOUS_IO_ALERT);

/// What attributes say about pipes.
pub(super) enum Named {
    /// The directory of pipes.
    Directory,
    /// A pipe without a name, in the directory.
    Anonymous,
    /// A pipe by its name.
    Pipe(Vec<u16>),
}

/// Returns the rest of a full name after the directory of pipes.
fn below_directory(name: &[u16]) -> Option<Vec<u16>> {
    let text = String::from_utf16_lossy(name);
    [r"\??\pipe", r"\GLOBAL??\pipe", r"\DosDevices\pipe", r"\Device\NamedPipe"].iter().find_map(|directory| {
        let head = text.get(..directory.len())?;
        let rest = &text[directory.len()..];
        let is_below = rest.is_empty() || rest.starts_with('\\');
        let rest = rest.strip_prefix('\\').unwrap_or(rest);
        (head.eq_ignore_ascii_case(directory) && is_below).then(|| rest.encode_utf16().collect())
    })
}

/// Finds out whether attributes name something of the pipes'.
pub(super) fn named(guest: &Guest, attributes: &OBJECT_ATTRIBUTES) -> Result<Option<Named>, NtStatus> {
    let name = counted_string(guest, attributes.ObjectName)?;
    let handles = &guest.process().handles;
    if attributes.RootDirectory.is_null() {
        return Ok(below_directory(&name).map(|name| match name.as_slice() {
            [] => Named::Directory,
            _ => Named::Pipe(name),
        }));
    }
    if handles.get::<PipeDirectory>(attributes.RootDirectory.0).is_ok() {
        return Ok(Some(if name.is_empty() { Named::Anonymous } else { Named::Pipe(name) }));
    }
    let Ok(file) = handles.get::<FileObject>(attributes.RootDirectory.0) else { return Ok(None) };
    let served = file.pipe_end().ok().and_then(|end| end.served_name());
    Ok(served.filter(|_| name.is_empty()).map(|name| Named::Pipe(name.to_vec())))
}

/// Opens what attributes name of the pipes'; nothing when it is something else.
pub(super) fn open(
    guest: &Guest,
    handle: GuestWord,
    attributes: GuestWord,
    block: GuestWord,
    (wanted, options): (u32, CreateOptions),
) -> Result<Option<()>, NtStatus> {
    let attributes: OBJECT_ATTRIBUTES = guest.read(attributes.0)?;
    let Some(named) = named(guest, &attributes)? else { return Ok(None) };
    let handles = &guest.process().handles;
    let flags = attributes.handle_flags();
    let made = match named {
        Named::Directory | Named::Anonymous => handles.insert(Arc::new(PipeDirectory), wanted, flags),
        Named::Pipe(name) => {
            let has = |right| wanted & right != 0;
            let overlapped = !options.intersects(SYNCHRONOUS);
            let end = pipe::open(&name, has(access::READ_DATA), has(access::WRITE_DATA), overlapped)?;
            handles.insert(Arc::new(end), wanted, flags)
        }
    };
    guest.write_word(handle.0, made)?;
    put_status(guest, block, NtStatus::SUCCESS, Outcome::Opened as u64).map(Some)
}

/// Numbers of the pipes without a name.
static LAST: AtomicU32 = AtomicU32::new(0);

/// Returns a name for a pipe without one, which no program knows.
fn fresh_name() -> Vec<u16> {
    let number = LAST.fetch_add(1, Ordering::Relaxed);
    format!("plat-anonymous.{}.{number}", plat_host::sysinfo::process_id()).encode_utf16().collect()
}

/// Makes an instance of a pipe, which has a name or none.
///
/// Source: <https://learn.microsoft.com/windows/win32/devnotes/nt-create-named-pipe-file>
#[winapi]
pub fn NtCreateNamedPipeFile(
    guest: &mut Guest,
    FileHandle: GuestWord,
    DesiredAccess: u32,
    ObjectAttributes: GuestWord,
    IoStatusBlock: GuestWord,
    ShareAccess: u32,
    CreateDisposition: u32,
    CreateOptions: u32,
    NamedPipeType: u32,
    ReadMode: u32,
    CompletionMode: u32,
    MaximumInstances: u32,
    InboundQuota: u32,
    OutboundQuota: u32,
    DefaultTimeout: GuestWord,
) -> Result<(), NtStatus> {
    const SHARE_READ: u32 = 1;
    const SHARE_WRITE: u32 = 2;
    let attributes: OBJECT_ATTRIBUTES = guest.read(ObjectAttributes.0)?;
    let name = match named(guest, &attributes)? {
        Some(Named::Pipe(name)) => name,
        Some(Named::Anonymous) => fresh_name(),
        Some(Named::Directory) => return Err(NtStatus::OBJECT_NAME_INVALID),
        None => return Err(NtStatus::OBJECT_PATH_NOT_FOUND),
    };
    // Who may share tells the directions: clients that read need what the server writes.
    let direction = if ShareAccess & SHARE_WRITE != 0 { INBOUND } else { 0 }
        | if ShareAccess & SHARE_READ != 0 { OUTBOUND } else { 0 };
    let disposition = Disposition::from_number(CreateDisposition).ok_or(NtStatus::INVALID_PARAMETER)?;
    if direction == 0 || MaximumInstances == 0 || ReadMode > NamedPipeType || DefaultTimeout.is_null() {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let served = pipe_name::is_free(&name) != Err(NtStatus::OBJECT_NAME_NOT_FOUND);
    if disposition == Disposition::Open && !served {
        return Err(NtStatus::OBJECT_NAME_NOT_FOUND);
    }
    let timeout: i64 = guest.read(DefaultTimeout.0)?;
    let traits = PipeTraits {
        access: direction,
        messages: NamedPipeType & 1 != 0,
        instances_max: MaximumInstances.min(255),
        buffers: (OutboundQuota, InboundQuota),
        timeout: u32::try_from(timeout.unsigned_abs() / 10_000).unwrap_or(u32::MAX),
    };
    let overlapped = !self::CreateOptions::from_bits_truncate(CreateOptions).intersects(SYNCHRONOUS);
    let is_first = disposition == Disposition::Create;
    let instance = guest.process().pipes.create(&name, traits, overlapped, is_first)?;
    let end = instance.pipe_end()?;
    end.reads_messages.store(ReadMode & 1 != 0, Ordering::Relaxed);
    end.is_impatient.store(CompletionMode & 1 != 0, Ordering::Relaxed);
    let granted = access::map_generic(DesiredAccess);
    let made = guest.process().handles.insert(instance, granted, attributes.handle_flags());
    guest.write_word(FileHandle.0, made)?;
    let outcome = if served { Outcome::Opened } else { Outcome::Created };
    put_status(guest, IoStatusBlock, NtStatus::SUCCESS, outcome as u64)
}
