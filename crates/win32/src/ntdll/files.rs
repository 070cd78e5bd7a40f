//! Nt functions of files.

use std::path::PathBuf;
use std::sync::Arc;

use plat_abi::{GuestWord, Memory, winapi};

use super::attributes::counted_string;
use super::file_names::{Named, named};
use super::named_pipes;
use crate::NtStatus;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::kernel32::fileapi::info::{name_information, set_information};
use crate::kernel32::fileapi::volume::VOLUME_FLAGS;
use crate::logic::path::Target;
use crate::nt::afd;
use crate::nt::completion::Completion;
use crate::nt::console::lines;
use crate::nt::file::{FileKind, FileObject, access};
use crate::nt::file_control::control_with;
use crate::nt::file_find::{Enumeration, Found};
use crate::nt::file_info::FileFacts;
use crate::nt::file_open::{CreateOptions, Disposition, Outcome, Request};
use crate::nt::file_standard;
use crate::nt::path::{lock, status_of};
use crate::nt::thread::Apc;
use crate::nt::{security, security_memory};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full NtClose;
    full "ZwClose" = NtClose;
    partial NtCreateFile, "no extended attributes, no opening by file identifier";
    full NtOpenFile;
    full NtReadFile;
    full NtWriteFile;
    full NtFlushBuffersFile;
    partial NtFlushBuffersFileEx, "all flags write everything";
    partial NtDeviceIoControlFile, "polls of sockets, receiving, sending; else as DeviceIoControl, always at once";
    full NtCancelIoFile;
    full NtCancelIoFileEx;
    full NtQueryAttributesFile;
    full NtQueryFullAttributesFile;
    partial NtQueryInformationFile, "basic, standard, internal, extended attributes, access, name, position, mode, alignment, all, pipe, network open, attribute tag";
    partial NtSetInformationFile, "basic, rename, link, disposition, position, allocation, end of file";
    partial NtQueryDirectoryFile, "the seven classes of names; always at once";
    partial NtQueryVolumeInformationFile, "volume, size, full size, device, attributes, identifier, sectors";
};

/// Stores an `IO_STATUS_BLOCK`.
pub(super) fn put_status(
    guest: &Guest,
    block: GuestWord,
    status: NtStatus,
    information: u64,
) -> Result<(), NtStatus> {
    guest.write_bytes(block.0, &status.0.to_le_bytes())?;
    guest.write_word(block.0 + guest.machine().pointer_size(), information)?;
    Ok(())
}

/// Closes a handle.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winternl/nf-winternl-ntclose>
#[winapi]
pub fn NtClose(guest: &mut Guest, Handle: GuestWord) -> Result<(), NtStatus> {
    file_standard::close(guest.process(), Handle.0)?;
    Ok(())
}

fn open(
    guest: &Guest,
    handle: GuestWord,
    attributes: GuestWord,
    block: GuestWord,
    request: &Request,
) -> Result<(), NtStatus> {
    let granted =
        if request.access & access::MAXIMUM_ALLOWED != 0 { access::FILE_ALL } else { request.access };
    if named_pipes::open(guest, handle, attributes, block, (granted, request.options))?.is_some() {
        return Ok(());
    }
    let files = &guest.process().files;
    let synchronous = CreateOptions::SYNCHRONOUS_IO_NONALERT | CreateOptions::SYNCHRONOUS_IO_ALERT;
    let is_overlapped = !request.options.intersects(synchronous);
    let (object, outcome, flags) = match named(guest, attributes)? {
        (Named::SocketDriver, flags) => (afd::open(is_overlapped)?, Outcome::Opened, flags),
        (Named::Target(Target::Device(device)), flags) => {
            (files.open_device(device, request.access)?, Outcome::Opened, flags)
        }
        (Named::Target(Target::File { unix, .. }), flags) => {
            let (object, outcome) = files.open(unix, request)?;
            (object, outcome, flags)
        }
    };
    let made = guest.process().handles.insert(Arc::new(object), granted, flags);
    guest.write_word(handle.0, made)?;
    put_status(guest, block, NtStatus::SUCCESS, outcome as u64)
}

/// Returns the permission bits that the security descriptor of an `OBJECT_ATTRIBUTES` asks for.
fn mode_of_new(guest: &Guest, attributes: GuestWord) -> Result<Option<u32>, NtStatus> {
    let descriptor = guest.read_word(attributes.get() + 4 * guest.machine().pointer_size())?;
    if descriptor == 0 {
        return Ok(None);
    }
    Ok(security::mode_of_new(&security_memory::read_descriptor(guest, descriptor)?))
}

/// Opens or makes a file or directory.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winternl/nf-winternl-ntcreatefile>
#[winapi]
pub fn NtCreateFile(
    guest: &mut Guest,
    FileHandle: GuestWord,
    DesiredAccess: u32,
    ObjectAttributes: GuestWord,
    IoStatusBlock: GuestWord,
    AllocationSize: GuestWord,
    FileAttributes: u32,
    ShareAccess: u32,
    CreateDisposition: u32,
    CreateOptions: u32,
    EaBuffer: GuestWord,
    EaLength: u32,
) -> Result<(), NtStatus> {
    let _ = (AllocationSize, EaBuffer, EaLength);
    let request = Request {
        access: access::map_generic(DesiredAccess),
        share: ShareAccess,
        disposition: Disposition::from_number(CreateDisposition).ok_or(NtStatus::INVALID_PARAMETER)?,
        options: self::CreateOptions::from_bits_truncate(CreateOptions),
        attributes: FileAttributes,
        mode: mode_of_new(guest, ObjectAttributes)?,
    };
    open(guest, FileHandle, ObjectAttributes, IoStatusBlock, &request)
}

/// Opens a file or directory that exists.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winternl/nf-winternl-ntopenfile>
#[winapi]
pub fn NtOpenFile(
    guest: &mut Guest,
    FileHandle: GuestWord,
    DesiredAccess: u32,
    ObjectAttributes: GuestWord,
    IoStatusBlock: GuestWord,
    ShareAccess: u32,
    OpenOptions: u32,
) -> Result<(), NtStatus> {
    let request = Request {
        access: access::map_generic(DesiredAccess),
        share: ShareAccess,
        disposition: Disposition::Open,
        options: CreateOptions::from_bits_truncate(OpenOptions),
        attributes: 0,
        mode: None,
    };
    open(guest, FileHandle, ObjectAttributes, IoStatusBlock, &request)
}

/// Returns the place for a transfer; -2 as well as null mean the position.
fn byte_offset(guest: &Guest, address: GuestWord) -> Result<Option<u64>, NtStatus> {
    if address.is_null() {
        return Ok(None);
    }
    Ok(Some(guest.read_u64(address.0)?).filter(|&offset| offset != u64::MAX - 1))
}

/// Begins a transfer: `call` is the routine to call, the context it gets, and the status block.
pub(super) fn begin(
    guest: &Guest,
    file: &FileObject,
    event: GuestWord,
    call: [GuestWord; 3],
) -> Result<Completion, NtStatus> {
    let [function, context, block] = call.map(|word| word.0);
    let apc = Apc { function, arguments: [context, block, 0, 0], count: 3 };
    let mut completion = Completion::begin(guest.process(), file, event.0, (function != 0).then_some(apc))?;
    completion.make_native(context);
    Ok(completion)
}

/// Tells that a transfer was done at once.
pub(super) fn finish(
    guest: &Guest,
    block: GuestWord,
    mut completion: Completion,
    moved: u64,
) -> Result<(), NtStatus> {
    put_status(guest, block, NtStatus::SUCCESS, moved)?;
    completion.set_moved(moved);
    completion.succeed()
}

/// Reads from a file, a pipe or the console.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntreadfile>
#[winapi]
pub fn NtReadFile(
    guest: &mut Guest,
    FileHandle: GuestWord,
    Event: GuestWord,
    ApcRoutine: GuestWord,
    ApcContext: GuestWord,
    IoStatusBlock: GuestWord,
    Buffer: GuestWord,
    Length: u32,
    ByteOffset: GuestWord,
    Key: GuestWord,
) -> Result<(), NtStatus> {
    let _ = Key;
    let file = file_standard::file(guest.process(), FileHandle.0, access::READ_DATA)?;
    let completion = begin(guest, &file, Event, [ApcRoutine, ApcContext, IoStatusBlock])?;
    let offset = byte_offset(guest, ByteOffset)?;
    let read = if file.kind == FileKind::ConsoleInput {
        let console = &guest.process().files.console;
        let typed = console.read_bytes(&file, Length as usize, &lines::Control::default())?;
        guest.write_bytes(Buffer.0, &typed.text)?;
        typed.text.len() as u64
    } else {
        file.read_to_guest(Buffer.0, u64::from(Length), offset)?
    };
    // Where ReadFile tells "nothing read", NT tells "end of file".
    if read == 0 && Length != 0 && file.kind != FileKind::ConsoleInput {
        return Err(NtStatus::END_OF_FILE);
    }
    finish(guest, IoStatusBlock, completion, read)
}

/// Writes to a file, a pipe or the console.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntwritefile>
#[winapi]
pub fn NtWriteFile(
    guest: &mut Guest,
    FileHandle: GuestWord,
    Event: GuestWord,
    ApcRoutine: GuestWord,
    ApcContext: GuestWord,
    IoStatusBlock: GuestWord,
    Buffer: GuestWord,
    Length: u32,
    ByteOffset: GuestWord,
    Key: GuestWord,
) -> Result<(), NtStatus> {
    let _ = Key;
    let writes = access::WRITE_DATA | access::APPEND_DATA;
    let file = file_standard::file(guest.process(), FileHandle.0, writes)?;
    let completion = begin(guest, &file, Event, [ApcRoutine, ApcContext, IoStatusBlock])?;
    let offset = byte_offset(guest, ByteOffset)?;
    let length = u64::from(Length);
    let written = if file.kind == FileKind::ConsoleOutput {
        let text = guest.read_vec(Buffer.0, length)?;
        guest.process().files.console.write_bytes(&file, &text)?;
        length
    } else {
        file.write_from_guest(Buffer.0, length, offset)?
    };
    finish(guest, IoStatusBlock, completion, written)
}

/// Writes what the system still holds to the disk.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntflushbuffersfile>
#[winapi]
pub fn NtFlushBuffersFile(
    guest: &mut Guest,
    FileHandle: GuestWord,
    IoStatusBlock: GuestWord,
) -> Result<(), NtStatus> {
    file_standard::file(guest.process(), FileHandle.0, 0)?.flush()?;
    put_status(guest, IoStatusBlock, NtStatus::SUCCESS, 0)
}

/// Writes what the system still holds to the disk, or a part of it.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntflushbuffersfileex>
#[winapi]
pub fn NtFlushBuffersFileEx(
    guest: &mut Guest,
    FileHandle: GuestWord,
    Flags: u32,
    Parameters: GuestWord,
    ParametersSize: u32,
    IoStatusBlock: GuestWord,
) -> Result<(), NtStatus> {
    /// `FLUSH_FLAGS_FILE_DATA_ONLY`, `NO_SYNC`, `FILE_DATA_SYNC_ONLY`, `FLUSH_AND_PURGE`.
    const KNOWN: u32 = 0xf;
    if Flags & !KNOWN != 0 || !Parameters.is_null() || ParametersSize != 0 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    NtFlushBuffersFile(guest, FileHandle, IoStatusBlock)
}

/// What a control function is given.
pub(super) struct Control {
    /// The file.
    pub(super) handle: GuestWord,
    /// The event, or null.
    pub(super) event: GuestWord,
    /// The routine's call: the function, its context, the status block.
    pub(super) call: [GuestWord; 3],
    /// The code.
    pub(super) code: u32,
}

impl Control {
    pub(super) fn run(self, guest: &Guest) -> Result<(), NtStatus> {
        self.run_with(guest, (0, 0), (0, 0))
    }

    fn run_with(self, guest: &Guest, input: (u64, u32), output: (u64, u32)) -> Result<(), NtStatus> {
        let file = file_standard::file(guest.process(), self.handle.0, 0)?;
        let completion = begin(guest, &file, self.event, self.call)?;
        let bytes = control_with(guest, &file, self.code, input, output)?;
        finish(guest, self.call[2], completion, bytes)
    }
}

/// Sends a control code to a device.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntdeviceiocontrolfile>
#[winapi]
pub fn NtDeviceIoControlFile(
    guest: &mut Guest,
    FileHandle: GuestWord,
    Event: GuestWord,
    ApcRoutine: GuestWord,
    ApcContext: GuestWord,
    IoStatusBlock: GuestWord,
    IoControlCode: u32,
    InputBuffer: GuestWord,
    InputBufferLength: u32,
    OutputBuffer: GuestWord,
    OutputBufferLength: u32,
) -> Result<(), NtStatus> {
    let call = [ApcRoutine, ApcContext, IoStatusBlock];
    let control = Control { handle: FileHandle, event: Event, call, code: IoControlCode };
    let input = (InputBuffer.0, InputBufferLength);
    match IoControlCode {
        afd::IOCTL_AFD_POLL => control.poll(guest, input, (OutputBuffer.0, OutputBufferLength)),
        afd::IOCTL_AFD_RECEIVE | afd::IOCTL_AFD_RECEIVE_DATAGRAM | afd::IOCTL_AFD_SEND => {
            control.transfer(guest, input)
        }
        _ => control.run_with(guest, input, (OutputBuffer.0, OutputBufferLength)),
    }
}

fn cancel(guest: &Guest, handle: GuestWord, only: Option<u64>, block: GuestWord) -> Result<(), NtStatus> {
    let file = file_standard::file(guest.process(), handle.0, 0)?;
    let found = file.cancel_transfers(only, NtStatus::CANCELLED);
    put_status(guest, block, NtStatus::SUCCESS, 0)?;
    if found { Ok(()) } else { Err(NtStatus::NOT_FOUND) }
}

/// Cancels all transfers of a file that are under way.
///
/// Source: <https://learn.microsoft.com/windows/win32/fileio/cancelio>
#[winapi]
pub fn NtCancelIoFile(
    guest: &mut Guest,
    FileHandle: GuestWord,
    IoStatusBlock: GuestWord,
) -> Result<(), NtStatus> {
    match cancel(guest, FileHandle, None, IoStatusBlock) {
        Err(NtStatus::NOT_FOUND) => Ok(()),
        result => result,
    }
}

/// Cancels one transfer of a file, or all.
///
/// Source: <https://learn.microsoft.com/windows/win32/fileio/cancelioex-func>
#[winapi]
pub fn NtCancelIoFileEx(
    guest: &mut Guest,
    FileHandle: GuestWord,
    IoRequestToCancel: GuestWord,
    IoStatusBlock: GuestWord,
) -> Result<(), NtStatus> {
    let only = (!IoRequestToCancel.is_null()).then_some(IoRequestToCancel.0);
    cancel(guest, FileHandle, only, IoStatusBlock)
}

fn facts_of(guest: &Guest, attributes: GuestWord) -> Result<FileFacts, NtStatus> {
    match named(guest, attributes)?.0 {
        Named::Target(Target::File { unix, .. }) => guest.process().files.facts(&unix),
        _ => Err(NtStatus::INVALID_DEVICE_REQUEST),
    }
}

/// Stores the basic facts about a path.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwqueryfullattributesfile>
#[winapi]
pub fn NtQueryAttributesFile(
    guest: &mut Guest,
    ObjectAttributes: GuestWord,
    FileInformation: GuestWord,
) -> Result<(), NtStatus> {
    let facts = facts_of(guest, ObjectAttributes)?;
    Ok(guest.write_bytes(FileInformation.0, &facts.basic_information())?)
}

/// Stores the facts about a path with its size.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwqueryfullattributesfile>
#[winapi]
pub fn NtQueryFullAttributesFile(
    guest: &mut Guest,
    ObjectAttributes: GuestWord,
    FileInformation: GuestWord,
) -> Result<(), NtStatus> {
    let facts = facts_of(guest, ObjectAttributes)?;
    Ok(guest.write_bytes(FileInformation.0, &facts.network_open_information())?)
}

/// Stores as much as fits; too small a buffer is told by the status.
fn put_information(
    guest: &Guest,
    block: GuestWord,
    into: GuestWord,
    length: u32,
    bytes: &[u8],
    may_be_cut: bool,
) -> Result<(), NtStatus> {
    let fits = bytes.len().min(length as usize);
    if fits < bytes.len() && !may_be_cut {
        return Err(NtStatus::INFO_LENGTH_MISMATCH);
    }
    guest.write_bytes(into.0, &bytes[..fits])?;
    let status = if fits < bytes.len() { NtStatus::BUFFER_OVERFLOW } else { NtStatus::SUCCESS };
    put_status(guest, block, status, fits as u64)?;
    if fits < bytes.len() { Err(status) } else { Ok(()) }
}

/// `FILE_MODE_INFORMATION`: of the options that a file was opened with, those that say how transfers are made.
fn mode(file: &FileObject) -> CreateOptions {
    if file.traits.overlapped { CreateOptions::empty() } else { CreateOptions::SYNCHRONOUS_IO_NONALERT }
}

/// Stores one kind of information about an open file.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntqueryinformationfile>
#[winapi]
pub fn NtQueryInformationFile(
    guest: &mut Guest,
    FileHandle: GuestWord,
    IoStatusBlock: GuestWord,
    FileInformation: GuestWord,
    Length: u32,
    FileInformationClass: u32,
) -> Result<(), NtStatus> {
    let file = file_standard::file(guest.process(), FileHandle.0, 0)?;
    let bytes = information(guest, &file, FileHandle.0, FileInformationClass)?;
    let may_be_cut = [NAME_INFORMATION, ALL_INFORMATION].contains(&FileInformationClass);
    put_information(guest, IoStatusBlock, FileInformation, Length, &bytes, may_be_cut)
}

const NAME_INFORMATION: u32 = 9;
const ALL_INFORMATION: u32 = 18;

/// Lays out one kind of information about an open file.
fn information(guest: &Guest, file: &FileObject, handle: u64, class: u32) -> Result<Vec<u8>, NtStatus> {
    Ok(match class {
        4 => file.facts()?.basic_information(),
        5 => file.facts()?.standard_information(file.is_delete_pending()),
        6 => file.facts()?.index.to_le_bytes().to_vec(),
        // There are no extended attributes.
        7 => 0_u32.to_le_bytes().to_vec(),
        8 => guest.process().handles.entry(handle)?.access.to_le_bytes().to_vec(),
        NAME_INFORMATION => name_information(guest, file),
        14 => file.position()?.to_le_bytes().to_vec(),
        16 => mode(file).bits().to_le_bytes().to_vec(),
        // Transfers need no alignment: FILE_BYTE_ALIGNMENT.
        17 => 0u32.to_le_bytes().to_vec(),
        ALL_INFORMATION => {
            const PARTS: [u32; 9] = [4, 5, 6, 7, 8, 14, 16, 17, NAME_INFORMATION];
            let parts = PARTS.iter().map(|&part| match part {
                // Directories and pipes have no position.
                14 => Ok(file.position().unwrap_or(0).to_le_bytes().to_vec()),
                part => information(guest, file, handle, part),
            });
            parts.collect::<Result<Vec<_>, _>>()?.concat()
        }
        23 | 24 => file.pipe_information(class == 24)?,
        34 => file.facts()?.network_open_information(),
        35 => u64::from(file.facts()?.attributes).to_le_bytes().to_vec(),
        _ => return Err(NtStatus::INVALID_INFO_CLASS),
    })
}

/// Sets one kind of information of an open file.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntsetinformationfile>
#[winapi]
pub fn NtSetInformationFile(
    guest: &mut Guest,
    FileHandle: GuestWord,
    IoStatusBlock: GuestWord,
    FileInformation: GuestWord,
    Length: u32,
    FileInformationClass: u32,
) -> Result<(), NtStatus> {
    let needed = match FileInformationClass {
        4 => access::WRITE_ATTRIBUTES,
        10 | 13 | 64 | 65 => access::DELETE,
        19 | 20 => access::WRITE_DATA,
        _ => 0,
    };
    let file = file_standard::file(guest.process(), FileHandle.0, needed)?;
    set_information(guest, &file, FileInformationClass, FileInformation.0, Length)?;
    put_status(guest, IoStatusBlock, NtStatus::SUCCESS, 0)
}

/// Lays one entry out; the first word, the distance to the next, is zero.
fn directory_entry(class: u32, found: &Found) -> Option<Vec<u8>> {
    let name: Vec<u8> = found.name.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    let length = (name.len() as u32).to_le_bytes();
    let facts = &found.facts;
    let mut bytes = vec![0; 8];
    if class == 12 {
        bytes.extend(length);
        bytes.extend(name);
        return Some(bytes);
    }
    bytes.extend_from_slice(&facts.basic_information()[..32]);
    bytes.extend(facts.size.to_le_bytes());
    bytes.extend(facts.allocated.to_le_bytes());
    bytes.extend(facts.attributes.to_le_bytes());
    bytes.extend(length);
    // Up to the name: size of extended attributes, the short name, the file's number.
    match class {
        1 => {}
        2 => bytes.resize(68, 0),
        3 => bytes.resize(94, 0),
        37 | 38 => {
            bytes.resize(if class == 37 { 96 } else { 72 }, 0);
            bytes.extend(facts.index.to_le_bytes());
        }
        // Size of extended attributes, reparse tag, the number in 16 bytes.
        60 => {
            bytes.resize(72, 0);
            bytes.extend(u128::from(facts.index).to_le_bytes());
        }
        _ => return None,
    }
    bytes.extend(name);
    Some(bytes)
}

/// Takes the entries that fit out of an enumeration.
fn take_entries(
    rest: &mut Enumeration,
    class: u32,
    capacity: usize,
    single: bool,
) -> Result<Vec<u8>, NtStatus> {
    let mut bytes: Vec<u8> = Vec::new();
    let mut last = 0;
    while let Some(found) = rest.next_entry() {
        let entry = directory_entry(class, &found).ok_or(NtStatus::INVALID_INFO_CLASS)?;
        let start = bytes.len().next_multiple_of(8);
        if start + entry.len() > capacity {
            rest.put_back(&found);
            return if bytes.is_empty() { Err(NtStatus::BUFFER_OVERFLOW) } else { Ok(bytes) };
        }
        if !bytes.is_empty() {
            bytes.resize(start, 0);
            bytes[last..last + 4].copy_from_slice(&((start - last) as u32).to_le_bytes());
        }
        last = start;
        bytes.extend(entry);
        if single {
            break;
        }
    }
    if bytes.is_empty() { Err(NtStatus::NO_MORE_FILES) } else { Ok(bytes) }
}

fn begin_listing(guest: &Guest, file: &FileObject, pattern: &[u16]) -> Result<Enumeration, NtStatus> {
    let path: PathBuf = file.unix_path().ok_or(NtStatus::INVALID_PARAMETER)?;
    let is_root = guest.process().files.win32_path(&path).len() <= 3;
    let any = [u16::from(b'*')];
    Enumeration::begin(&path, if pattern.is_empty() { &any } else { pattern }, is_root)
}

/// How a directory is listed.
pub(crate) struct Listing<'a> {
    /// NT's class of information.
    pub(crate) class: u32,
    /// One entry at a time.
    pub(crate) single: bool,
    /// From the beginning.
    pub(crate) restart: bool,
    /// Which names, if this is the first listing; empty is all.
    pub(crate) pattern: &'a [u16],
}

/// Returns the next entries of a directory that fit into `capacity` bytes.
///
/// # Errors
/// `INVALID_PARAMETER` for what is no directory, `NO_SUCH_FILE`, `NO_MORE_FILES`, `BUFFER_OVERFLOW`.
pub(crate) fn list(
    guest: &Guest,
    file: &FileObject,
    how: &Listing<'_>,
    capacity: usize,
) -> Result<Vec<u8>, NtStatus> {
    if file.kind != FileKind::Directory {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let mut listing = lock(&file.listing);
    let is_first = listing.is_none();
    if is_first || how.restart {
        *listing = Some(begin_listing(guest, file, how.pattern)?);
    }
    let rest = listing.as_mut().ok_or(NtStatus::INVALID_PARAMETER)?;
    take_entries(rest, how.class, capacity, how.single).map_err(|status| match status {
        NtStatus::NO_MORE_FILES if is_first => NtStatus::NO_SUCH_FILE,
        other => other,
    })
}

/// Stores entries of a directory; the first call decides on the pattern.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntquerydirectoryfile>
#[winapi]
pub fn NtQueryDirectoryFile(
    guest: &mut Guest,
    FileHandle: GuestWord,
    Event: GuestWord,
    ApcRoutine: GuestWord,
    ApcContext: GuestWord,
    IoStatusBlock: GuestWord,
    FileInformation: GuestWord,
    Length: u32,
    FileInformationClass: u32,
    ReturnSingleEntry: u8,
    FileName: GuestWord,
    RestartScan: u8,
) -> Result<(), NtStatus> {
    let file = file_standard::file(guest.process(), FileHandle.0, access::READ_DATA)?;
    let completion = begin(guest, &file, Event, [ApcRoutine, ApcContext, IoStatusBlock])?;
    let pattern = counted_string(guest, FileName)?;
    let listing = Listing {
        class: FileInformationClass,
        single: ReturnSingleEntry != 0,
        restart: RestartScan != 0,
        pattern: &pattern,
    };
    let bytes = match list(guest, &file, &listing, Length as usize) {
        // Warnings are told in the block, too: some look for the end of the list there.
        Err(status @ (NtStatus::NO_MORE_FILES | NtStatus::BUFFER_OVERFLOW)) => {
            put_status(guest, IoStatusBlock, status, 0)?;
            return Err(status);
        }
        other => other?,
    };
    guest.write_bytes(FileInformation.0, &bytes)?;
    finish(guest, IoStatusBlock, completion, bytes.len() as u64)
}

/// Stores one kind of information about the volume of an open file.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntqueryvolumeinformationfile>
#[winapi]
pub fn NtQueryVolumeInformationFile(
    guest: &mut Guest,
    FileHandle: GuestWord,
    IoStatusBlock: GuestWord,
    FsInformation: GuestWord,
    Length: u32,
    FsInformationClass: u32,
) -> Result<(), NtStatus> {
    let file = file_standard::file(guest.process(), FileHandle.0, 0)?;
    let bytes = volume_information(&file, FsInformationClass)?;
    put_information(guest, IoStatusBlock, FsInformation, Length, &bytes, true)
}

fn volume_information(file: &FileObject, class: u32) -> Result<Vec<u8>, NtStatus> {
    let space = || {
        let path = file.unix_path().ok_or(NtStatus::INVALID_DEVICE_REQUEST)?;
        plat_host::file_path::space(&path).map_err(status_of)
    };
    let mut bytes = Vec::new();
    match class {
        // Creation time, serial number, length of the label, whether there are objects.
        1 => {
            bytes.extend([0; 8]);
            bytes.extend(file.facts()?.volume.to_le_bytes());
            bytes.extend([0; 6]);
        }
        3 | 7 => {
            let space = space()?;
            bytes.extend((space.total / space.block).to_le_bytes());
            bytes.extend((space.available / space.block).to_le_bytes());
            if class == 7 {
                bytes.extend((space.free / space.block).to_le_bytes());
            }
            let sector = 512.min(space.block);
            bytes.extend(((space.block / sector) as u32).to_le_bytes());
            bytes.extend((sector as u32).to_le_bytes());
        }
        // Type and characteristics of the device.
        4 => {
            let kind: u32 = match file.kind {
                FileKind::Disk | FileKind::Directory => 7,
                FileKind::Pipe => 0x11,
                FileKind::ConsoleInput | FileKind::ConsoleOutput => 0x50,
                FileKind::Character => 0x15,
            };
            bytes.extend(kind.to_le_bytes());
            bytes.extend([0; 4]);
        }
        // Attributes, longest name, name of the file system.
        5 => {
            bytes.extend(VOLUME_FLAGS.to_le_bytes());
            bytes.extend(255_u32.to_le_bytes());
            bytes.extend(8_u32.to_le_bytes());
            bytes.extend("NTFS".encode_utf16().flat_map(u16::to_le_bytes));
        }
        // The volume's identifier: its serial number, and nothing more.
        8 => {
            bytes.extend(u64::from(file.facts()?.volume).to_le_bytes());
            bytes.resize(64, 0);
        }
        // Sectors of 512 bytes, or what there is less of; aligned.
        11 => {
            let sector = 512.min(space()?.block) as u32;
            let numbers = [sector, sector, sector, sector, 3, 0, 0];
            bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        }
        _ => return Err(NtStatus::INVALID_INFO_CLASS),
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_have_their_names_where_windows_has_them() {
        let found = Found { name: vec![u16::from(b'x')], facts: FileFacts::default() };
        for (class, at) in [(1, 64), (2, 68), (3, 94), (12, 12), (37, 104), (38, 80)] {
            let entry = directory_entry(class, &found).expect("a known class");
            assert_eq!((entry.len(), entry[at]), (at + 2, b'x'), "class {class}");
        }
        assert!(directory_entry(99, &found).is_none());
    }
}
