//! Processes as objects: this one, children, and others of the same user.
//!
//! Key types: [`ProcessObject`], [`Children`]. Linux tells that a process has ended (through a descriptor on which the
//! host's service waits); the 32-bit exit code stands in a page that the process shares with those who started it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};

use plat_host::clock::ProcessorTime;
use plat_host::file::File;
use plat_host::process::{ExitPage, Facts, Linux};
use plat_host::service::{self, Interest};

use super::object::{Object, ObjectKind};
use super::path::{lock, status_of};
use super::thread::{STILL_ACTIVE, ThreadObject};
use super::time;
use super::wait::{self, Waitable};
use crate::NtStatus;
use crate::process::{Process, exit_status};

/// What a process that is not this one is known by.
#[derive(Debug)]
pub struct Other {
    /// Linux' process.
    pub linux: Linux,
    /// Where it tells its exit code; a Unix program has none.
    pub page: Option<ExitPage>,
    /// Whether this process started it, so that Linux tells its status here and only here.
    pub is_child: bool,
    /// Through what it is asked to do things, if it was made with it.
    pub control: Mutex<Option<Arc<File>>>,
    /// What it was told to end with, plus 2^32; a Unix program cannot say that itself.
    killed_with: AtomicU64,
    /// Its first thread, for those who started it.
    main_thread: OnceLock<Weak<ThreadObject>>,
}

/// A process.
#[derive(Debug)]
pub struct ProcessObject {
    id: u32,
    has_ended: AtomicBool,
    exit_code: AtomicU32,
    /// `GetPriorityClass`'s value.
    pub priority_class: AtomicU32,
    /// When it began, as a FILETIME.
    created: OnceLock<i64>,
    /// When it ended, 0 while it runs.
    ended: AtomicI64,
    /// What another process had used when it ended.
    used: Mutex<ProcessorTime>,
    other: Option<Other>,
}

impl ProcessObject {
    fn with(id: u32, other: Option<Other>) -> Arc<Self> {
        const NORMAL_PRIORITY_CLASS: u32 = 0x20;
        // Of another process it is asked now: later its number may be another's. Of this one, when someone asks.
        let created = OnceLock::new();
        if let Some(other) = &other {
            created.get_or_init(|| time::started(Some(other.linux.id())));
        }
        Arc::new(Self {
            id,
            has_ended: AtomicBool::new(false),
            exit_code: AtomicU32::new(STILL_ACTIVE),
            priority_class: AtomicU32::new(NORMAL_PRIORITY_CLASS),
            created,
            ended: AtomicI64::new(0),
            used: Mutex::default(),
            other,
        })
    }

    /// Makes the object of this process.
    pub fn this(id: u32) -> Arc<Self> {
        Self::with(id, None)
    }

    /// Makes the object of another process, and has its end awaited.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES` when it cannot be awaited.
    pub fn other(
        linux: Linux,
        page: Option<ExitPage>,
        control: Option<Arc<File>>,
        is_child: bool,
    ) -> Result<Arc<Self>, NtStatus> {
        use std::os::fd::AsFd;
        let other = Other {
            linux,
            page,
            is_child,
            control: Mutex::new(control),
            killed_with: AtomicU64::new(0),
            main_thread: OnceLock::new(),
        };
        let object = Self::with(other.linux.id(), Some(other));
        // The wish keeps the object: a child must be taken note of even when nobody has a handle.
        let awaited = Arc::clone(&object);
        if let Some(other) = &object.other {
            service::when_ready(other.linux.as_fd(), Interest::Read, move || awaited.note_end())
                .map_err(status_of)?;
        }
        Ok(object)
    }

    /// Returns its identifier: Linux' own.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Returns what it is known by; nothing for this process.
    pub fn as_other(&self) -> Option<&Other> {
        self.other.as_ref()
    }

    /// Returns its exit code, [`STILL_ACTIVE`] while it runs.
    pub fn exit_code(&self) -> u32 {
        if !self.has_ended.load(Ordering::Acquire)
            && self.other.as_ref().is_some_and(|other| other.linux.has_ended())
        {
            self.note_end();
        }
        self.exit_code.load(Ordering::Acquire)
    }

    /// Says whether it has ended.
    pub fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Acquire)
    }

    /// Takes note of another process's end, once: its code, and those who wait for it.
    fn note_end(&self) {
        let Some(other) = &self.other else { return };
        // A child that has ended is still known until it is waited for.
        let used = self.facts().map(|facts| facts.used);
        let status = if other.is_child { other.linux.wait().ok() } else { None };
        let mut queues = wait::lock();
        if self.has_ended.swap(true, Ordering::AcqRel) {
            return;
        }
        *lock(&self.used) = used.unwrap_or_default();
        self.ended.store(time::now(), Ordering::Release);
        let killed = other.killed_with.load(Ordering::Acquire);
        let killed = (killed != 0).then_some(killed as u32);
        let told = other.page.as_ref().and_then(ExitPage::code);
        let status = status.map(|status| status as u32);
        self.exit_code.store(told.or(killed).or(status).unwrap_or(1), Ordering::Release);
        queues.release(self);
        if let Some(thread) = other.main_thread.get().and_then(Weak::upgrade) {
            queues.release(&*thread);
        }
    }

    /// Ends another process at once.
    ///
    /// # Errors
    /// `ACCESS_DENIED` for another user's, or one that has ended.
    pub fn terminate(&self, code: u32) -> Result<(), NtStatus> {
        let Some(other) = &self.other else { leave(code) };
        if other.linux.has_ended() {
            return Err(NtStatus::PROCESS_IS_TERMINATING);
        }
        other.killed_with.store(u64::from(code) | 1 << 32, Ordering::Release);
        if let Some(page) = &other.page {
            page.set_code(code, true);
        }
        other.linux.kill().map_err(status_of)
    }

    /// Notes the object of its first thread, which ends with it.
    pub fn set_main_thread(&self, thread: &Arc<ThreadObject>) {
        if let Some(other) = &self.other {
            let _ = other.main_thread.set(Arc::downgrade(thread));
        }
    }

    /// Returns when it began and when it ended (0 while it runs), as FILETIMEs.
    pub fn life(&self) -> (i64, i64) {
        let created = *self.created.get_or_init(|| time::started(None));
        (created, self.ended.load(Ordering::Acquire))
    }

    /// Returns what Linux knows about it while it runs.
    pub fn facts(&self) -> Option<Facts> {
        plat_host::process::facts(self.id)
    }

    /// Returns the processor time it has used.
    pub fn processor_time(&self) -> ProcessorTime {
        match &self.other {
            None => plat_host::clock::process_time(),
            Some(_) if self.has_ended() => *lock(&self.used),
            Some(_) => self.facts().map(|facts| facts.used).unwrap_or_default(),
        }
    }
}

impl Object for ProcessObject {
    fn kind(&self) -> ObjectKind {
        ObjectKind::Process
    }
    fn waitable(&self) -> Option<&dyn Waitable> {
        Some(self)
    }
}

impl Waitable for ProcessObject {
    fn is_signalled(&self, _: &ThreadObject) -> bool {
        self.has_ended()
    }
}

/// The processes that this one knows, and where it tells its own exit code.
#[derive(Default)]
pub struct Children {
    page: OnceLock<ExitPage>,
    known: Mutex<HashMap<u32, Weak<ProcessObject>>>,
}

impl Children {
    /// Takes the page that the parent gave.
    pub fn set_page(&self, page: ExitPage) {
        page.set_owner(plat_host::sysinfo::process_id());
        let _ = self.page.set(page);
    }

    /// Returns the page in which this process tells its exit code, if anybody wants to know it.
    pub fn page(&self) -> Option<&ExitPage> {
        self.page.get()
    }

    /// Remembers a process, so that opening it gives the same object.
    pub fn add(&self, object: &Arc<ProcessObject>) {
        let mut known = lock(&self.known);
        known.retain(|_, object| object.strong_count() > 0);
        known.insert(object.id(), Arc::downgrade(object));
    }

    /// Opens a process by its identifier.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` when there is none (Windows' own answer is `INVALID_CID`, which kernel32 turns into that).
    pub fn open(&self, id: u32) -> Result<Arc<ProcessObject>, NtStatus> {
        let known = lock(&self.known).get(&id).and_then(Weak::upgrade);
        if let Some(object) = known {
            return Ok(object);
        }
        let linux = Linux::open(id).map_err(|_| NtStatus::INVALID_PARAMETER)?;
        if linux.has_ended() {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let object = ProcessObject::other(linux, ExitPage::of_process(id).ok(), None, false)?;
        self.add(&object);
        Ok(object)
    }
}

/// Ends this process with an exit code: those who wait for it learn all 32 bits, a Unix parent the low eight.
pub fn leave(code: u32) -> ! {
    leave_with(code, exit_status(code))
}

/// Closes the files that are to vanish with their last handle; the kernel closes all else.
fn close_vanishing_files(process: &Process) {
    for (number, entry) in process.handles.all() {
        let file = super::object::downcast::<super::file::FileObject>(entry.object);
        if file.is_some_and(|file| file.is_delete_pending()) {
            // One that is protected from being closed stays.
            drop(process.handles.close(number));
        }
    }
}

/// Ends this process with an exit code for Windows and a status for Unix.
pub fn leave_with(code: u32, status: i32) -> ! {
    if let Some(process) = Process::current() {
        close_vanishing_files(process);
        if let Some(page) = process.children.page() {
            page.set_code(code, false);
        }
    }
    plat_host::thread::exit_process(status)
}
