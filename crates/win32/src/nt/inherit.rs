//! Handles that go from one process to another: an object becomes a record and descriptors, and an object again.
//!
//! Shared are files, pipes, processes, sections and jobs. Objects that live in one process only (events and their
//! like, threads, keys) are not in the child.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use plat_host::file::File;
use plat_host::process::{ExitPage, Linux};
use plat_host::section::Section;
use plat_regions::windows::PageProtection;

use super::file::{FileKind, FileObject, FileTraits, Registration};
use super::file_share::Claim;
use super::handle::{HandleEntry, HandleFlags};
use super::job::JobObject;
use super::object::{ObjectRef, downcast};
use super::path::status_of;
use super::pipe::PipeEnd;
use super::pipe_transfer::Transfers;
use super::process_object::ProcessObject;
use super::section::SectionObject;
use super::socket::SocketEnd;
use super::start_record::{HandleRecord, ObjectRecord};
use crate::NtStatus;
use crate::process::Process;

const KINDS: [FileKind; 6] = [
    FileKind::Disk,
    FileKind::Directory,
    FileKind::Pipe,
    FileKind::ConsoleInput,
    FileKind::ConsoleOutput,
    FileKind::Character,
];
const OVERLAPPED: u32 = 0x10;
const NAMED_PIPE: u32 = 0x20;
const PIPE_MESSAGES: u32 = 0x40;
const PIPE_SERVER: u32 = 0x80;
const PIPE_READS_MESSAGES: u32 = 0x100;
const SOCKET: u32 = 0x200;
const SOCKET_NONBLOCKING: u32 = 0x400;

/// Adds a second descriptor of the same open file to the list; returns its number.
fn keep(list: &mut Vec<OwnedFd>, fd: BorrowedFd<'_>) -> Option<i32> {
    let copy = plat_host::spawn::duplicate(fd).ok()?;
    let number = copy.as_raw_fd();
    list.push(copy);
    Some(number)
}

fn file_record(file: &FileObject, list: &mut Vec<OwnedFd>) -> Option<ObjectRecord> {
    let kind = KINDS.iter().position(|&kind| kind == file.kind)? as u32;
    let overlapped = if file.traits.overlapped { OVERLAPPED } else { 0 };
    let claim = file.registration.as_ref().map(|with| (with.claim.access, with.claim.share));
    let path = super::path::lock(&file.path).clone().unwrap_or_default();
    let fd = keep(list, file.file.as_fd())?;
    let mut traits = kind | overlapped;
    if let Some(end) = file.transfers.pipe.get() {
        let reads_messages = end.reads_messages.load(std::sync::atomic::Ordering::Relaxed);
        let marks = [
            (true, NAMED_PIPE),
            (end.traits.messages, PIPE_MESSAGES),
            (end.is_server, PIPE_SERVER),
            (reads_messages, PIPE_READS_MESSAGES),
        ];
        traits |= marks.iter().filter(|mark| mark.0).fold(0, |traits, mark| traits | mark.1);
    }
    if let Some(end) = file.transfers.socket.get() {
        let is_nonblocking = end.is_nonblocking.load(std::sync::atomic::Ordering::Relaxed);
        traits |= SOCKET | if is_nonblocking { SOCKET_NONBLOCKING } else { 0 };
    }
    Some(ObjectRecord::File { fd, traits, path, claim })
}

/// Makes the record of an object, and the descriptors that must go with it.
pub fn record_object(object: &ObjectRef, list: &mut Vec<OwnedFd>) -> Option<ObjectRecord> {
    if let Some(file) = downcast::<FileObject>(Arc::clone(object)) {
        return file_record(&file, list);
    }
    if let Some(process) = downcast::<ProcessObject>(Arc::clone(object)) {
        let other = process.as_other()?;
        let fd = keep(list, other.linux.as_fd())?;
        let page = other.page.as_ref().and_then(|page| keep(list, page.as_fd()));
        return Some(ObjectRecord::Process { id: process.id(), fd, page: page.unwrap_or(-1) });
    }
    if let Some(job) = downcast::<JobObject>(Arc::clone(object)) {
        let (page, line) = job.parts()?;
        return Some(ObjectRecord::Job { page: keep(list, page.as_fd())?, line: keep(list, line.as_fd())? });
    }
    let section = downcast::<SectionObject>(Arc::clone(object))?;
    let fd = keep(list, section.section().as_fd())?;
    Some(ObjectRecord::Section { fd, size: section.size(), protection: section.protection().bits() })
}

/// Makes the records of all inheritable handles, or of those in `only`.
pub fn records(process: &Process, only: Option<&[u64]>, list: &mut Vec<OwnedFd>) -> Vec<HandleRecord> {
    let entries = process.handles.all();
    let wanted = entries.into_iter().filter(|(number, entry)| {
        entry.flags.contains(HandleFlags::INHERIT) && only.is_none_or(|only| only.contains(number))
    });
    let mut make = |(number, entry): (u64, HandleEntry)| {
        let object = record_object(&entry.object, list)?;
        Some(HandleRecord { number, access: entry.access, flags: entry.flags.bits(), object })
    };
    wanted.filter_map(&mut make).collect()
}

/// Takes the descriptor of a record out of those that came with it.
pub trait Descriptors {
    /// Returns the descriptor of this number or place, once.
    fn take(&mut self, number: i32) -> Option<OwnedFd>;
}

/// The descriptors that a process was started with: numbers are the kernel's.
pub struct Inherited;

impl Descriptors for Inherited {
    fn take(&mut self, number: i32) -> Option<OwnedFd> {
        plat_host::spawn::take_inherited(number)
    }
}

/// Makes an object of its record.
///
/// # Errors
/// `INVALID_HANDLE` when the descriptor is not there.
pub fn object_of(
    process: &Process,
    record: &ObjectRecord,
    from: &mut dyn Descriptors,
) -> Result<ObjectRef, NtStatus> {
    let mut fd = |number: i32| from.take(number).ok_or(NtStatus::INVALID_HANDLE);
    match record {
        ObjectRecord::File { fd: number, traits, path, claim } => {
            let file = File::from(fd(*number)?);
            Ok(Arc::new(file_of(process, file, *traits, path.clone(), *claim)?))
        }
        ObjectRecord::Process { id, fd: number, page } => {
            if *id == plat_host::sysinfo::process_id() {
                return Ok(process.threads.this_process());
            }
            let linux = Linux::from_fd(*id, fd(*number)?);
            let page = fd(*page).ok().and_then(|fd| ExitPage::map(fd).ok());
            let object = ProcessObject::other(linux, page, None, false)?;
            process.children.add(&object);
            Ok(object)
        }
        ObjectRecord::Section { fd: number, size, protection } => {
            let section = Section::from_fd(fd(*number)?, *size);
            Ok(Arc::new(SectionObject::shared(section, PageProtection::from_bits_truncate(*protection))))
        }
        ObjectRecord::Job { page, line } => Ok(Arc::new(JobObject::shared(fd(*page)?, fd(*line)?)?)),
    }
}

fn file_of(
    process: &Process,
    file: File,
    traits: u32,
    path: PathBuf,
    claim: Option<(u32, u32)>,
) -> Result<FileObject, NtStatus> {
    let kind = *KINDS.get((traits & 0xf) as usize).ok_or(NtStatus::INVALID_PARAMETER)?;
    let registration = match claim {
        Some((access, share)) => {
            let status = file.identity().map_err(status_of)?;
            let (id, claim) = ((status.device, status.inode), Claim { access, share });
            // It is one opening, seen from two processes: there is nothing to refuse.
            process.files.shares.add(id, claim);
            let (shares, locks) = (Arc::clone(&process.files.shares), Arc::clone(&process.files.locks));
            Some(Registration { shares, locks, file: id, claim })
        }
        None => None,
    };
    let transfers = Transfers::default();
    if traits & SOCKET != 0 {
        let end = SocketEnd::of_descriptor(&file).map_err(status_of)?;
        end.is_nonblocking.store(traits & SOCKET_NONBLOCKING != 0, std::sync::atomic::Ordering::Relaxed);
        let _ = transfers.socket.set(end);
    }
    if traits & NAMED_PIPE != 0 {
        let end = PipeEnd::inherited(
            traits & PIPE_MESSAGES != 0,
            traits & PIPE_SERVER != 0,
            traits & PIPE_READS_MESSAGES != 0,
        );
        let _ = transfers.pipe.set(end);
    }
    let traits = FileTraits { overlapped: traits & OVERLAPPED != 0, delete_on_close: false };
    let path = (!path.as_os_str().is_empty()).then_some(path);
    let (path, listing) = (Mutex::new(path), Mutex::new(None));
    Ok(FileObject { file, kind, traits, path, registration, listing, transfers })
}

/// Puts inherited handles into the table of a process that begins. One that cannot be had is left out, as one that
/// the parent closed meanwhile.
pub fn restore(process: &Process, handles: &[HandleRecord]) {
    for handle in handles {
        if let Ok(object) = object_of(process, &handle.object, &mut Inherited) {
            let flags = HandleFlags::from_bits_truncate(handle.flags);
            process.handles.insert_at(handle.number, HandleEntry { object, access: handle.access, flags });
        }
    }
}
