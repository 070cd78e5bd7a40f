//! Asking another process to do something: the other side of [`super::control`].

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use plat_host::file::File;
use plat_host::pipe;
use plat_host::service::{self, Interest};

use super::control::{MEMORY_PIECE, MESSAGE_MAX, Passed, Wish, name_of};
use super::handle::{HandleEntry, HandleFlags};
use super::inherit;
use super::path::{lock, status_of};
use super::process_object::ProcessObject;
use super::start_record::HandleRecord;
use super::thread::ThreadObject;
use crate::NtStatus;
use crate::logic::record::{Reader, Writer};
use crate::process::Process;

/// How long a process that was just started has to begin to listen, in milliseconds.
const BEGIN_MAX: u32 = 5_000;

/// Begins a request.
pub fn request(wish: Wish) -> Writer {
    let mut writer = Writer::default();
    writer.u32(wish as u32);
    writer
}

/// A run of pages of another process, as `VirtualQueryEx` tells it.
#[derive(Clone, Copy, Debug)]
pub struct RemoteRun {
    /// First address.
    pub base: u64,
    /// Bytes.
    pub size: u64,
    /// 0 free, 1 reserved, 2 committed.
    pub state: u32,
    /// `PAGE_…`.
    pub protection: u32,
    /// The allocation's first address, or 0.
    pub allocation_base: u64,
    /// The allocation's protection.
    pub allocation_protection: u32,
    /// `MEM_PRIVATE` and its like.
    pub kind: u32,
}

/// A module of another process.
#[derive(Clone, Debug)]
pub struct RemoteModule {
    /// Where it lies.
    pub base: u64,
    /// Bytes.
    pub size: u64,
    /// Entry point or 0.
    pub entry_point: u64,
    /// File name.
    pub name: String,
    /// Full Windows path.
    pub path: Vec<u16>,
}

/// What another process tells of itself.
#[derive(Clone, Debug)]
pub struct RemoteFacts {
    /// Whether it is a 64-bit process.
    pub is_64: bool,
    /// Its PEB's address.
    pub peb: u64,
    /// The program's full Windows path.
    pub program: Vec<u16>,
    /// The command line.
    pub command_line: Vec<u16>,
}

impl ProcessObject {
    fn line(&self) -> Result<Arc<File>, NtStatus> {
        let other = self.as_other().ok_or(NtStatus::INVALID_PARAMETER)?;
        let mut control = lock(&other.control);
        if let Some(file) = &*control {
            return Ok(Arc::clone(file));
        }
        let mut waited = 0;
        loop {
            match pipe::connect(&name_of(self.id())) {
                Ok((file, _)) => {
                    let file = Arc::new(file);
                    *control = Some(Arc::clone(&file));
                    return Ok(file);
                }
                // A Unix program never listens; a Windows one does so soon.
                Err(_) if other.page.is_none() || other.linux.has_ended() || waited >= BEGIN_MAX => {
                    return Err(NtStatus::ACCESS_DENIED);
                }
                Err(_) => {
                    plat_host::thread::sleep(1_000_000);
                    waited += 1;
                }
            }
        }
    }

    /// Asks and returns the answer.
    ///
    /// # Errors
    /// The other process's status; `PROCESS_IS_TERMINATING` when it does not answer any more, `ACCESS_DENIED` when it
    /// is none that can be asked.
    pub fn ask(
        &self,
        request: Writer,
        descriptors: &[BorrowedFd<'_>],
    ) -> Result<(Vec<u8>, Vec<OwnedFd>), NtStatus> {
        let line = self.line()?;
        let other = self.as_other().ok_or(NtStatus::INVALID_PARAMETER)?;
        // One question at a time.
        let held = lock(&other.control);
        pipe::send_with(&line, &request.finish(), descriptors)
            .map_err(|_| NtStatus::PROCESS_IS_TERMINATING)?;
        let (answer, given) =
            pipe::receive_with(&line, MESSAGE_MAX).map_err(|_| NtStatus::PROCESS_IS_TERMINATING)?;
        drop(held);
        if answer.is_empty() {
            return Err(NtStatus::PROCESS_IS_TERMINATING);
        }
        let mut reader = Reader::new(&answer);
        match NtStatus(reader.u32()?) {
            NtStatus::SUCCESS => Ok((reader.bytes()?, given)),
            status => Err(status),
        }
    }

    fn ask_plainly(&self, request: Writer) -> Result<Vec<u8>, NtStatus> {
        Ok(self.ask(request, &[])?.0)
    }

    /// Resumes or suspends a thread; returns how often it was suspended before.
    ///
    /// # Errors
    /// As for [`ProcessObject::ask`].
    pub fn move_thread(&self, id: u32, resumes: bool) -> Result<u32, NtStatus> {
        let mut request = request(if resumes { Wish::Resume } else { Wish::Suspend });
        request.u32(id);
        Ok(Reader::new(&self.ask_plainly(request)?).u32()?)
    }

    /// Suspends or resumes all threads.
    ///
    /// # Errors
    /// As for [`ProcessObject::ask`].
    pub fn move_all_threads(&self, resumes: bool) -> Result<(), NtStatus> {
        self.move_thread(super::control::ALL_THREADS, resumes).map(drop)
    }

    /// Allocates memory; returns its address.
    ///
    /// # Errors
    /// As for [`ProcessObject::ask`].
    pub fn allocate(&self, base: u64, size: u64, kind: u32, protection: u32) -> Result<u64, NtStatus> {
        let mut request = request(Wish::Allocate);
        request.u64(base).u64(size).u32(kind).u32(protection);
        Ok(Reader::new(&self.ask_plainly(request)?).u64()?)
    }

    /// Frees memory.
    ///
    /// # Errors
    /// As for [`ProcessObject::ask`].
    pub fn free(&self, base: u64, size: u64, kind: u32) -> Result<(), NtStatus> {
        let mut request = request(Wish::Free);
        request.u64(base).u64(size).u32(kind);
        self.ask_plainly(request).map(drop)
    }

    /// Changes protection; returns the one before.
    ///
    /// # Errors
    /// As for [`ProcessObject::ask`].
    pub fn protect(&self, base: u64, size: u64, protection: u32) -> Result<u32, NtStatus> {
        let mut request = request(Wish::Protect);
        request.u64(base).u64(size).u32(protection);
        Ok(Reader::new(&self.ask_plainly(request)?).u32()?)
    }

    /// Describes the pages at an address.
    ///
    /// # Errors
    /// As for [`ProcessObject::ask`].
    pub fn query(&self, address: u64) -> Result<RemoteRun, NtStatus> {
        let mut request = request(Wish::Query);
        request.u64(address);
        let answer = self.ask_plainly(request)?;
        let mut reader = Reader::new(&answer);
        let reader = &mut reader;
        Ok(RemoteRun {
            base: reader.u64()?,
            size: reader.u64()?,
            state: reader.u32()?,
            protection: reader.u32()?,
            allocation_base: reader.u64()?,
            allocation_protection: reader.u32()?,
            kind: reader.u32()?,
        })
    }

    /// Reads memory, at most [`MEMORY_PIECE`] bytes.
    ///
    /// # Errors
    /// `PARTIAL_COPY`, and as for [`ProcessObject::ask`].
    pub fn read(&self, address: u64, length: u64) -> Result<Vec<u8>, NtStatus> {
        let mut request = request(Wish::Read);
        request.u64(address).u64(length.min(MEMORY_PIECE));
        Ok(Reader::new(&self.ask_plainly(request)?).bytes()?)
    }

    /// Writes memory, at most [`MEMORY_PIECE`] bytes.
    ///
    /// # Errors
    /// `PARTIAL_COPY`, and as for [`ProcessObject::ask`].
    pub fn write(&self, address: u64, bytes: &[u8]) -> Result<(), NtStatus> {
        let mut request = request(Wish::Write);
        request.u64(address).bytes(bytes);
        self.ask_plainly(request).map(drop)
    }

    /// Makes a thread in the process.
    ///
    /// # Errors
    /// As for [`ProcessObject::ask`].
    pub fn create_thread(
        self: &Arc<Self>,
        (start, parameter): (u64, u64),
        (reserve, commit): (u64, u64),
        is_suspended: bool,
    ) -> Result<Arc<ThreadObject>, NtStatus> {
        let mut request = request(Wish::CreateThread);
        request.u64(start).u64(parameter).u64(reserve).u64(commit).u32(u32::from(is_suspended));
        let (answer, mut given) = self.ask(request, &[])?;
        let thread = ThreadObject::of_other(Arc::clone(self), Reader::new(&answer).u32()?);
        let end = File::from(given.pop().ok_or(NtStatus::INVALID_PARAMETER)?);
        await_end(&thread, end)?;
        Ok(thread)
    }

    /// Puts a handle of an object into the process; returns its number there.
    ///
    /// # Errors
    /// `NOT_SUPPORTED` for an object that lives in one process only, and as for [`ProcessObject::ask`].
    pub fn put_handle(&self, entry: &HandleEntry) -> Result<u64, NtStatus> {
        let mut descriptors = Vec::new();
        let record = inherit::record(&entry.object, &mut descriptors).ok_or(NtStatus::NOT_SUPPORTED)?;
        let mut request = request(Wish::PutHandle);
        HandleRecord { access: entry.access, flags: entry.flags.bits(), ..record }.encode(&mut request);
        Passed::write(&mut request, &descriptors);
        let descriptors: Vec<_> = descriptors.iter().map(AsFd::as_fd).collect();
        let (answer, _) = self.ask(request, &descriptors)?;
        Ok(Reader::new(&answer).u64()?)
    }

    /// Copies a handle of the process; `closes` it there.
    ///
    /// # Errors
    /// As for [`ProcessObject::put_handle`].
    pub fn take_handle(&self, process: &Process, number: u64, closes: bool) -> Result<HandleEntry, NtStatus> {
        let mut request = request(Wish::TakeHandle);
        request.u64(number).u32(u32::from(closes));
        let (answer, given) = self.ask(request, &[])?;
        let mut reader = Reader::new(&answer);
        let record = HandleRecord::decode(&mut reader)?;
        let mut passed = Passed::read(&mut reader, given)?;
        let object = inherit::named_object_of(process, &record, &mut passed)?;
        Ok(HandleEntry {
            object,
            access: record.access,
            flags: HandleFlags::from_bits_truncate(record.flags),
        })
    }

    /// Closes a handle of the process.
    ///
    /// # Errors
    /// As for [`ProcessObject::ask`].
    pub fn close_handle(&self, number: u64) -> Result<(), NtStatus> {
        let mut request = request(Wish::CloseHandle);
        request.u64(number);
        self.ask_plainly(request).map(drop)
    }

    /// Lists its modules in load order.
    ///
    /// # Errors
    /// As for [`ProcessObject::ask`].
    pub fn modules(&self) -> Result<Vec<RemoteModule>, NtStatus> {
        let answer = self.ask_plainly(request(Wish::Modules))?;
        let mut reader = Reader::new(&answer);
        let reader = &mut reader;
        let mut modules = Vec::new();
        for _ in 0..reader.u32()? {
            modules.push(RemoteModule {
                base: reader.u64()?,
                size: reader.u64()?,
                entry_point: reader.u64()?,
                name: String::from_utf8_lossy(&reader.bytes()?).into_owned(),
                path: reader.wide()?,
            });
        }
        Ok(modules)
    }

    /// Returns what it tells of itself.
    ///
    /// # Errors
    /// As for [`ProcessObject::ask`].
    pub fn remote_facts(&self) -> Result<RemoteFacts, NtStatus> {
        let answer = self.ask_plainly(request(Wish::Facts))?;
        let mut reader = Reader::new(&answer);
        let reader = &mut reader;
        Ok(RemoteFacts {
            is_64: reader.u32()? != 0,
            peb: reader.u64()?,
            program: reader.wide()?,
            command_line: reader.wide()?,
        })
    }

    /// Lists its threads' identifiers.
    ///
    /// # Errors
    /// As for [`ProcessObject::ask`].
    pub fn thread_ids(&self) -> Result<Vec<u32>, NtStatus> {
        let answer = self.ask_plainly(request(Wish::Threads))?;
        let mut reader = Reader::new(&answer);
        let count = reader.u32()?;
        (0..count).map(|_| Ok(reader.u32()?)).collect()
    }
}

/// Waits for the end of another process's thread, which writes its exit code into a pipe.
fn await_end(thread: &Arc<ThreadObject>, end: File) -> Result<(), NtStatus> {
    let ended = Arc::clone(thread);
    let end = Arc::new(end);
    let pipe = Arc::clone(&end);
    let then = move || {
        let mut code = [0; 4];
        let told = pipe.read(&mut code, None).is_ok_and(|read| read == code.len());
        ended.end_as_other(told.then(|| u32::from_le_bytes(code)));
    };
    service::when_ready(end.as_fd(), Interest::Read, then).map_err(status_of).map(drop)
}
