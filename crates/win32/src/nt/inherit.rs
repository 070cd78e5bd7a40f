//! Handles that go from one process to another: an object becomes a record and descriptors, and an object again.
//!
//! Shared are files, pipes, processes, sections, jobs, and events and their like, whose state moves to shared memory when
//! another process is to have it. Objects that live in one process only (threads, keys, ports) are not in the child.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use plat_host::file::File;
use plat_host::pipe::Listener;
use plat_host::process::{ExitPage, Linux};
use plat_host::section::Section;
use plat_regions::windows::PageProtection;

use super::event::Event;
use super::file::{FileKind, FileObject, FileTraits, Registration};
use super::file_share::Claim;
use super::handle::{HandleEntry, HandleFlags};
use super::job::JobObject;
use super::mutant::Mutant;
use super::names::LeaseCell;
use super::object::{ObjectKind, ObjectRef, downcast};
use super::object_directory::{ObjectDirectory, ObjectLink};
use super::path::status_of;
use super::pipe::PipeEnd;
use super::pipe_record::PipeRecord;
use super::pipe_transfer::Transfers;
use super::process_object::ProcessObject;
use super::section::SectionObject;
use super::semaphore::Semaphore;
use super::shared_state::SharedState;
use super::socket::SocketEnd;
use super::start_record::{HandleRecord, ObjectRecord};
use super::timer::Timer;
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
/// What [`ObjectRecord::Shared`] is.
const EVENT: u32 = 1;
const MUTANT: u32 = 2;
const SEMAPHORE: u32 = 3;
const TIMER: u32 = 4;
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

fn file_record(file: &FileObject, is_sole: bool, list: &mut Vec<OwnedFd>) -> Option<ObjectRecord> {
    let kind = KINDS.iter().position(|&kind| kind == file.kind)? as u32;
    let overlapped = if file.traits.overlapped { OVERLAPPED } else { 0 };
    let claim = file.registration.as_ref().map(|with| (with.claim.access, with.claim.share));
    let path = super::path::lock(&file.path).clone().unwrap_or_default();
    // A client who comes meanwhile is of both, the descriptor and the state, or of none.
    let state = file.transfers.pipe.get().map(|end| end.held_state());
    let fd = keep(list, file.file.as_fd())?;
    let state = state.map(|held| *held);
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
    let end = file.transfers.pipe.get().filter(|end| end.is_server);
    let pipe = end.zip(state).and_then(|(end, state)| PipeRecord::of_end(end, state, is_sole, list));
    Some(ObjectRecord::File { fd, traits, path, claim, pipe })
}

/// Makes the record of an object, and the descriptors that must go with it.
pub fn record_object(object: &ObjectRef, list: &mut Vec<OwnedFd>) -> Option<ObjectRecord> {
    // One that nobody else here has is given away.
    let is_sole = Arc::strong_count(object) == 1;
    if let Some(file) = downcast::<FileObject>(Arc::clone(object)) {
        return file_record(&file, is_sole, list);
    }
    if let Some(process) = downcast::<ProcessObject>(Arc::clone(object)) {
        let Some(other) = process.as_other() else { return own_record(list) };
        let fd = keep(list, other.linux.as_fd())?;
        let page = other.page.as_ref().and_then(|page| keep(list, page.as_fd()));
        return Some(ObjectRecord::Process { id: process.id(), fd, page: page.unwrap_or(-1) });
    }
    if let Some(job) = downcast::<JobObject>(Arc::clone(object)) {
        let (page, line) = job.parts()?;
        return Some(ObjectRecord::Job { page: keep(list, page.as_fd())?, line: keep(list, line.as_fd())? });
    }
    if let Some(shared) = shared_record(object, list) {
        return Some(shared);
    }
    if let Some(directory) = downcast::<ObjectDirectory>(Arc::clone(object)) {
        return Some(ObjectRecord::Name { is_link: false, path: directory.path().to_vec() });
    }
    if let Some(link) = downcast::<ObjectLink>(Arc::clone(object)) {
        return Some(ObjectRecord::Name { is_link: true, path: link.target().to_vec() });
    }
    // An image is mapped by those who can name its file.
    let section = downcast::<SectionObject>(Arc::clone(object)).filter(|section| !section.is_image())?;
    let fd = keep(list, section.section().as_fd())?;
    Some(ObjectRecord::Section { fd, size: section.size(), protection: section.protection().bits() })
}

/// Makes the record of this process itself: who gets it may ask it, and learns how it ended.
fn own_record(list: &mut Vec<OwnedFd>) -> Option<ObjectRecord> {
    let process = Process::current()?;
    super::control::listen_to_others(process);
    let id = plat_host::sysinfo::process_id();
    let linux = Linux::open(id).ok()?;
    if process.children.page().is_none() {
        process.children.set_page(ExitPage::create().ok()?);
    }
    let page = process.children.page().and_then(|page| keep(list, page.as_fd()));
    Some(ObjectRecord::Process { id, fd: keep(list, linux.as_fd())?, page: page.unwrap_or(-1) })
}

fn shared_record(object: &ObjectRef, list: &mut Vec<OwnedFd>) -> Option<ObjectRecord> {
    let any = || Arc::clone(object);
    let mut record = |kind, state: Result<&SharedState, NtStatus>| {
        Some(ObjectRecord::Shared { kind, fd: keep(list, state.ok()?.as_fd())? })
    };
    match object.kind() {
        ObjectKind::Event => record(EVENT, downcast::<Event>(any())?.share()),
        ObjectKind::Mutant => record(MUTANT, downcast::<Mutant>(any())?.share()),
        ObjectKind::Semaphore => record(SEMAPHORE, downcast::<Semaphore>(any())?.share()),
        ObjectKind::Timer => record(TIMER, downcast::<Timer>(any())?.share()),
        _ => None,
    }
}

/// Makes the record of an object with its name, for a handle yet to be made.
pub fn record(object: &ObjectRef, list: &mut Vec<OwnedFd>) -> Option<HandleRecord> {
    let record = record_object(object, list)?;
    let mut keep_both =
        |[socket, other]: [BorrowedFd<'_>; 2]| Some([keep(list, socket)?, keep(list, other)?]);
    let parts = object.lease().and_then(LeaseCell::parts);
    let name = parts.and_then(|(name, fds)| Some((name.to_vec(), keep_both(fds)?)));
    Some(HandleRecord { number: 0, access: 0, flags: 0, object: record, name })
}

/// Makes the records of all inheritable handles, or of those in `only`.
pub fn records(process: &Process, only: Option<&[u64]>, list: &mut Vec<OwnedFd>) -> Vec<HandleRecord> {
    let entries = process.handles.all();
    let wanted = entries.into_iter().filter(|(number, entry)| {
        entry.flags.contains(HandleFlags::INHERIT) && only.is_none_or(|only| only.contains(number))
    });
    let mut make = |(number, entry): (u64, HandleEntry)| {
        let record = record(&entry.object, list)?;
        Some(HandleRecord { number, access: entry.access, flags: entry.flags.bits(), ..record })
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
        ObjectRecord::File { fd: number, traits, path, claim, pipe } => {
            let file = File::from(fd(*number)?);
            let end =
                pipe.as_ref().map(|record| server_end(process, record, *traits, &mut fd)).transpose()?;
            let file = Arc::new(file_of(process, file, (*traits, end), path.clone(), *claim)?);
            if let Some(name) = file.transfers.pipe.get().and_then(|end| end.name.as_ref()) {
                name.add(&file);
            }
            Ok(file)
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
        ObjectRecord::Shared { kind, fd: number } => shared_object(*kind, SharedState::map(fd(*number)?)?),
        ObjectRecord::Name { is_link: false, path } => Ok(Arc::new(ObjectDirectory::new(path.clone()))),
        ObjectRecord::Name { is_link: true, path } => Ok(Arc::new(ObjectLink::new(path.clone()))),
        ObjectRecord::Job { page, line } => Ok(Arc::new(JobObject::shared(fd(*page)?, fd(*line)?)?)),
    }
}

fn shared_object(kind: u32, state: SharedState) -> Result<ObjectRef, NtStatus> {
    Ok(match kind {
        EVENT => Event::of_shared(state),
        MUTANT => Mutant::of_shared(state),
        SEMAPHORE => Semaphore::of_shared(state),
        TIMER => Timer::of_shared(state),
        _ => return Err(NtStatus::INVALID_HANDLE),
    })
}

/// Takes the name of a record's object, and the name's socket.
pub fn name_of(record: &HandleRecord, from: &mut dyn Descriptors) -> Option<(Vec<u16>, Listener)> {
    let (name, [socket, other]) = record.name.as_ref()?;
    Some((name.clone(), Listener::from_parts(from.take(*socket)?, from.take(*other)?)))
}

/// Makes the object of a record, with its name.
///
/// # Errors
/// As for [`object_of`].
pub fn named_object_of(
    process: &Process,
    record: &HandleRecord,
    from: &mut dyn Descriptors,
) -> Result<ObjectRef, NtStatus> {
    let object = object_of(process, &record.object, from)?;
    Ok(match name_of(record, from) {
        Some((name, listener)) => process.names.adopt(object, name, listener),
        None => object,
    })
}

/// Makes the server's end of a pipe, and serves its name.
fn server_end(
    process: &Process,
    record: &PipeRecord,
    traits: u32,
    take: &mut dyn FnMut(i32) -> Result<OwnedFd, NtStatus>,
) -> Result<PipeEnd, NtStatus> {
    let end = PipeEnd::given(record, process.pipes.adopt_parts(record, take)?);
    end.reads_messages.store(traits & PIPE_READS_MESSAGES != 0, std::sync::atomic::Ordering::Relaxed);
    Ok(end)
}

fn file_of(
    process: &Process,
    file: File,
    (traits, server): (u32, Option<PipeEnd>),
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
        let _ = transfers.socket.set(Box::new(end));
    }
    if traits & NAMED_PIPE != 0 {
        let end = server.unwrap_or_else(|| {
            PipeEnd::inherited(
                traits & PIPE_MESSAGES != 0,
                traits & PIPE_SERVER != 0,
                traits & PIPE_READS_MESSAGES != 0,
            )
        });
        let _ = transfers.pipe.set(Box::new(end));
    }
    let traits =
        FileTraits { overlapped: traits & OVERLAPPED != 0, delete_on_close: false, ..FileTraits::default() };
    let path = (!path.as_os_str().is_empty()).then_some(path);
    let (path, listing) = (Mutex::new(path), Mutex::new(None));
    Ok(FileObject { file, kind, traits, path, registration, listing, transfers })
}

/// Puts inherited handles into the table of a process that begins. One that cannot be had is left out, as one that
/// the parent closed meanwhile.
pub fn restore(process: &Process, handles: &[HandleRecord]) {
    for handle in handles {
        if let Ok(object) = named_object_of(process, handle, &mut Inherited) {
            let flags = HandleFlags::from_bits_truncate(handle.flags);
            process.handles.insert_at(handle.number, HandleEntry { object, access: handle.access, flags });
        }
    }
}
