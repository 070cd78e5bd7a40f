//! What a process does when another one asks it: threads, memory, handles, modules. There is no server between them:
//! the one who holds a process handle speaks to the process itself, through a socket.
//!
//! The asking side is in [`super::remote`]. Requests are answered on the host's service thread: nothing here waits, and
//! nothing calls guest code.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use plat_host::file::{File, TransferError};
use plat_host::pipe::{self, Form, Listener};
use plat_host::service::{self, Interest};
use plat_regions::windows::{AllocationType, FreeKind, PageProtection, Request, Run, State};
use plat_regions::{Access, Address};

use super::handle::{HandleEntry, HandleFlags};
use super::inherit::{self, Descriptors};
use super::start_record::HandleRecord;
use super::thread::ThreadObject;
use super::thread_start::{self, ThreadPlan};
use crate::NtStatus;
use crate::logic::record::{Damaged, Reader, Writer};
use crate::process::Process;

/// What can be asked. Each request begins with its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// `ResumeThread`: identifier → suspensions before.
    Resume = 1,
    /// `SuspendThread`: identifier → suspensions before.
    Suspend = 2,
    /// `VirtualAllocEx`: base, size, type, protection → base.
    Allocate = 3,
    /// `VirtualFreeEx`: base, size, type.
    Free = 4,
    /// `VirtualProtectEx`: base, size, protection → protection before.
    Protect = 5,
    /// `VirtualQueryEx`: address → the run.
    Query = 6,
    /// `ReadProcessMemory`: address, length → bytes.
    Read = 7,
    /// `WriteProcessMemory`: address, bytes.
    Write = 8,
    /// `CreateRemoteThread`: start, parameter, stack, whether suspended → identifier; a pipe that tells the end.
    CreateThread = 9,
    /// A handle goes in: a record with descriptors → its number.
    PutHandle = 10,
    /// A handle is copied out: number, whether it is closed → a record with descriptors.
    TakeHandle = 11,
    /// A handle is closed.
    CloseHandle = 12,
    /// Modules → base, size, entry point, name and path of each.
    Modules = 13,
    /// Facts → machine, PEB, program's path, command line.
    Facts = 14,
    /// `AssignProcessToJobObject`: the job's descriptors.
    JoinJob = 15,
    /// The thread identifiers.
    Threads = 16,
    /// A named pipe's client, for whom the asking process has no instance.
    TakeClient = 17,
}

impl Wish {
    const ALL: [Self; 17] = [
        Self::Resume,
        Self::Suspend,
        Self::Allocate,
        Self::Free,
        Self::Protect,
        Self::Query,
        Self::Read,
        Self::Write,
        Self::CreateThread,
        Self::PutHandle,
        Self::TakeHandle,
        Self::CloseHandle,
        Self::Modules,
        Self::Facts,
        Self::JoinJob,
        Self::Threads,
        Self::TakeClient,
    ];

    fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|wish| *wish as u32 == number)
    }
}

/// The most bytes of a request or an answer; memory goes in pieces below that.
pub const MESSAGE_MAX: usize = 96 * 1024;
/// The most bytes of memory in one request.
pub const MEMORY_PIECE: u64 = 64 * 1024;

/// The name at which a process listens.
pub fn name_of(id: u32) -> String {
    format!("process/{id}")
}

/// Begins to listen: to the parent through `parent`, and to others who open the process by its identifier.
pub fn start(process: &'static Process, parent: Option<File>) {
    if let Some(parent) = parent {
        serve(process, Arc::new(parent));
    }
    listen_to_others(process);
}

/// Begins to listen to those who open the process by its identifier or are given a handle of it, unless it does.
pub fn listen_to_others(process: &'static Process) {
    static LISTENS: std::sync::Once = std::sync::Once::new();
    LISTENS.call_once(|| begin_to_listen(process));
}

fn begin_to_listen(process: &'static Process) {
    // Somebody else's process of this name would be one of another container: then only the parent is heard.
    if let Ok(listener) = Listener::bind(&name_of(plat_host::sysinfo::process_id()), Form::Messages) {
        listen(process, Arc::new(listener));
    }
}

fn listen(process: &'static Process, listener: Arc<Listener>) {
    let again = Arc::clone(&listener);
    // Without the service nobody is heard; those who ask are told that the process does not answer.
    let _ = service::when_ready(listener.as_fd(), Interest::Read, move || {
        if let Ok(file) = again.accept() {
            serve(process, Arc::new(file));
        }
        listen(process, again);
    });
}

fn serve(process: &'static Process, file: Arc<File>) {
    let again = Arc::clone(&file);
    let _ = service::when_ready(file.as_fd(), Interest::Read, move || {
        let Ok((request, descriptors)) = pipe::receive_with(&again, MESSAGE_MAX) else { return };
        if request.is_empty() {
            return;
        }
        let mut given = Vec::new();
        let resumed = resumed_threads(process, &request);
        let mut answer = Writer::default();
        let mut body = Writer::default();
        let result = carry_out(process, &request, descriptors, &mut body, &mut given);
        answer.u32(result.err().unwrap_or(NtStatus::SUCCESS).0).bytes(&body.finish());
        let given: Vec<_> = given.iter().map(AsFd::as_fd).collect();
        let sent = pipe::send_with(&again, &answer.finish(), &given);
        // With its last thread resumed the process may end before it could answer.
        for thread in resumed {
            thread.resume();
        }
        if sent.is_ok() {
            serve(process, again);
        }
    });
}

/// Answers for the command interpreter, which is no guest: it joins jobs, and waits to be resumed when it was made
/// suspended. Returns when it may begin.
pub fn serve_interpreter(file: File, is_suspended: bool) {
    let suspensions = Arc::new((Mutex::new(u32::from(is_suspended)), Condvar::new()));
    answer_for_interpreter(Arc::new(file), Arc::clone(&suspensions));
    let (count, resumed) = &*suspensions;
    let held = count.lock().unwrap_or_else(PoisonError::into_inner);
    drop(resumed.wait_while(held, |count| *count > 0));
}

fn answer_for_interpreter(file: Arc<File>, suspensions: Arc<(Mutex<u32>, Condvar)>) {
    let again = Arc::clone(&file);
    let _ = service::when_ready(file.as_fd(), Interest::Read, move || {
        let Ok((request, descriptors)) = pipe::receive_with(&again, MESSAGE_MAX) else { return };
        if request.is_empty() {
            return;
        }
        let (mut answer, mut body) = (Writer::default(), Writer::default());
        let result = interpreter_wish(&request, descriptors, &suspensions, &mut body);
        answer.u32(result.err().unwrap_or(NtStatus::SUCCESS).0).bytes(&body.finish());
        let sent = pipe::send_with(&again, &answer.finish(), &[]);
        // Resumed, it may end before it could answer.
        suspensions.1.notify_all();
        if sent.is_ok() {
            answer_for_interpreter(again, suspensions);
        }
    });
}

fn interpreter_wish(
    request: &[u8],
    descriptors: Vec<OwnedFd>,
    suspensions: &(Mutex<u32>, Condvar),
    body: &mut Writer,
) -> Result<(), NtStatus> {
    let mut reader = Reader::new(request);
    match Wish::from_number(reader.u32()?) {
        Some(Wish::Resume) => {
            let mut count = suspensions.0.lock().unwrap_or_else(PoisonError::into_inner);
            body.u32(*count);
            *count = count.saturating_sub(1);
            Ok(())
        }
        Some(Wish::JoinJob) => {
            let mut passed = Passed::read(&mut reader, descriptors)?;
            super::job::join(&mut passed, (reader.u32()? as i32, reader.u32()? as i32))
        }
        _ => Err(NtStatus::NOT_SUPPORTED),
    }
}

/// Says "all threads" where an identifier is asked for.
pub(super) const ALL_THREADS: u32 = 0;

/// Returns the threads that a request names.
fn named_threads(process: &Process, id: u32) -> Vec<Arc<ThreadObject>> {
    if id == ALL_THREADS { process.threads.all() } else { process.threads.find(id).into_iter().collect() }
}

/// Returns the threads that a request wants resumed.
fn resumed_threads(process: &Process, request: &[u8]) -> Vec<Arc<ThreadObject>> {
    let mut reader = Reader::new(request);
    let is_resume = reader.u32() == Ok(Wish::Resume as u32);
    let id = reader.u32().ok().filter(|_| is_resume);
    id.map(|id| named_threads(process, id)).unwrap_or_default()
}

impl From<Damaged> for NtStatus {
    fn from(_: Damaged) -> Self {
        Self::INVALID_PARAMETER
    }
}

/// Descriptors that came with a message, by the numbers that they had on the other side.
pub struct Passed {
    pairs: Vec<(i32, Option<OwnedFd>)>,
}

impl Passed {
    /// Reads the numbers from the message.
    ///
    /// # Errors
    /// [`Damaged`] when they are not there.
    pub fn read(reader: &mut Reader<'_>, descriptors: Vec<OwnedFd>) -> Result<Self, Damaged> {
        let mut pairs = Vec::new();
        let count = reader.u32()?;
        let mut descriptors = descriptors.into_iter();
        for _ in 0..count {
            pairs.push((reader.u32()? as i32, descriptors.next()));
        }
        Ok(Self { pairs })
    }

    /// Writes the numbers of descriptors that go with a message.
    pub fn write(writer: &mut Writer, descriptors: &[OwnedFd]) {
        writer.u32(descriptors.len() as u32);
        for fd in descriptors {
            writer.u32(fd.as_raw_fd() as u32);
        }
    }
}

impl Descriptors for Passed {
    fn take(&mut self, number: i32) -> Option<OwnedFd> {
        self.pairs.iter_mut().find(|pair| pair.0 == number)?.1.take()
    }
}

fn carry_out(
    process: &'static Process,
    request: &[u8],
    descriptors: Vec<OwnedFd>,
    body: &mut Writer,
    given: &mut Vec<OwnedFd>,
) -> Result<(), NtStatus> {
    let mut reader = Reader::new(request);
    let reader = &mut reader;
    let wish = Wish::from_number(reader.u32()?).ok_or(NtStatus::NOT_SUPPORTED)?;
    match wish {
        Wish::Resume => {
            let threads = named_threads(process, reader.u32()?);
            body.u32(threads.first().ok_or(NtStatus::INVALID_PARAMETER)?.suspensions());
        }
        Wish::Suspend => {
            let mut before = None;
            for thread in named_threads(process, reader.u32()?) {
                before = Some(thread.suspend()?);
            }
            body.u32(before.ok_or(NtStatus::INVALID_PARAMETER)?);
        }
        Wish::Allocate | Wish::Free | Wish::Protect | Wish::Query => memory(process, wish, reader, body)?,
        Wish::Read => {
            let (address, length) = (reader.u64()?, reader.u64()?.min(MEMORY_PIECE));
            let mut bytes = vec![0; length as usize];
            pipe::read_guest_by_kernel(address, &mut bytes).map_err(partial)?;
            body.bytes(&bytes);
        }
        Wish::Write => write(process, reader.u64()?, &reader.bytes()?)?,
        Wish::CreateThread => create_thread(process, reader, body, given)?,
        Wish::PutHandle => {
            let record = HandleRecord::decode(reader)?;
            let mut passed = Passed::read(reader, descriptors)?;
            let object = inherit::named_object_of(process, &record, &mut passed)?;
            let flags = HandleFlags::from_bits_truncate(record.flags);
            body.u64(process.handles.insert(object, record.access, flags));
        }
        Wish::TakeHandle => take_handle(process, reader, body, given)?,
        Wish::CloseHandle => drop(process.handles.close(reader.u64()?)?),
        Wish::Modules => list_modules(process, body),
        Wish::Facts => {
            body.u32(u32::from(process.machine.is_64())).u64(process.peb.get().copied().unwrap_or(0));
            body.wide(&process.start.program).wide(&process.start.command_line);
        }
        Wish::JoinJob => {
            let mut passed = Passed::read(reader, descriptors)?;
            super::job::join(&mut passed, (reader.u32()? as i32, reader.u32()? as i32))?;
        }
        Wish::Threads => {
            let threads = process.threads.all();
            body.u32(threads.len() as u32);
            for thread in threads {
                body.u32(thread.id());
            }
        }
        Wish::TakeClient => process.pipes.take_over(reader, descriptors.into_iter().next())?,
    }
    Ok(())
}

fn partial(_: TransferError) -> NtStatus {
    NtStatus::PARTIAL_COPY
}

/// Returns the kind of freeing that a number means.
///
/// # Errors
/// `INVALID_PARAMETER_4` for any other number.
pub fn free_kind(kind: u32) -> Result<FreeKind, NtStatus> {
    match AllocationType::from_bits_retain(kind) {
        AllocationType::DECOMMIT => Ok(FreeKind::Decommit),
        AllocationType::RELEASE => Ok(FreeKind::Release),
        _ => Err(NtStatus::INVALID_PARAMETER_4),
    }
}

fn memory(process: &Process, wish: Wish, reader: &mut Reader<'_>, body: &mut Writer) -> Result<(), NtStatus> {
    let base = reader.u64()?;
    let space = &process.memory;
    if wish == Wish::Query {
        let run = space.books().query(Address::new(base)).ok_or(NtStatus::INVALID_PARAMETER)?;
        write_run(body, &run);
        return Ok(());
    }
    let size = reader.u64()?;
    match wish {
        Wish::Allocate => {
            let kind = AllocationType::from_bits_retain(reader.u32()?);
            let protection = PageProtection::of_program(reader.u32()?);
            let mut request = Request::new(size, kind, protection);
            request.base = (base != 0).then(|| Address::new(base));
            body.u64(space.allocate(&request)?.start.get());
        }
        Wish::Free => {
            let kind = free_kind(reader.u32()?)?;
            space.change(|books| books.free(Address::new(base), size, kind))?;
        }
        _ => {
            let protection = PageProtection::of_program(reader.u32()?);
            let before = space.change(|books| books.protect(Address::new(base), size, protection))?;
            body.u32(before.bits());
        }
    }
    Ok(())
}

fn write_run(body: &mut Writer, run: &Run) {
    let state = match run.state {
        State::Free => 0,
        State::Reserve => 1,
        State::Commit => 2,
    };
    body.u64(run.base.get()).u64(run.size).u32(state).u32(run.protection.bits());
    body.u64(run.allocation_base.map_or(0, Address::get)).u32(run.allocation_protection.bits());
    body.u32(run.kind.map_or(0, |kind| kind.bits()));
}

/// Writes memory; code that may not be written is opened for the time, as Windows does for debuggers.
fn write(process: &Process, address: u64, bytes: &[u8]) -> Result<(), NtStatus> {
    if pipe::write_guest_by_kernel(address, bytes).is_ok() {
        return Ok(());
    }
    let run = process.memory.books().query(Address::new(address)).ok_or(NtStatus::PARTIAL_COPY)?;
    let end = run.base.get() + run.size;
    let is_code = run.state == State::Commit
        && matches!(run.protection, PageProtection::EXECUTE | PageProtection::EXECUTE_READ);
    if !is_code || address + bytes.len() as u64 > end {
        return Err(NtStatus::PARTIAL_COPY);
    }
    process.memory.write_sealed(address, bytes, Access::READ | Access::EXECUTE)
}

fn create_thread(
    process: &'static Process,
    reader: &mut Reader<'_>,
    body: &mut Writer,
    given: &mut Vec<OwnedFd>,
) -> Result<(), NtStatus> {
    let plan = ThreadPlan {
        start: reader.u64()?,
        parameter: reader.u64()?,
        stack_reserve: reader.u64()?,
        stack_commit: reader.u64()?,
        is_suspended: true,
    };
    let is_suspended = reader.u32()? != 0;
    let (read, write) = File::pipe().map_err(super::path::status_of)?;
    let thread = thread_start::create(process, plan)?;
    thread.tell_end_to(write);
    if !is_suspended {
        thread.resume();
    }
    body.u32(thread.id());
    given.push(read.into_fd());
    Ok(())
}

fn take_handle(
    process: &Process,
    reader: &mut Reader<'_>,
    body: &mut Writer,
    given: &mut Vec<OwnedFd>,
) -> Result<(), NtStatus> {
    let (number, is_closed) = (reader.u64()?, reader.u32()? != 0);
    let HandleEntry { object, access, flags } = process.handles.entry(number)?;
    // It is closed even if it cannot be had; what nobody else has is given away.
    if is_closed {
        drop(process.handles.close(number)?);
    }
    let record = inherit::record(&object, given).ok_or(NtStatus::NOT_SUPPORTED)?;
    HandleRecord { number, access, flags: flags.bits(), ..record }.encode(body);
    Passed::write(body, given);
    Ok(())
}

fn list_modules(process: &Process, body: &mut Writer) {
    let modules = process.loader().modules();
    body.u32(modules.len() as u32);
    for module in modules {
        body.u64(module.base).u64(module.size).u64(module.entry_point);
        body.bytes(module.name.as_bytes()).wide(&module.path);
    }
}
