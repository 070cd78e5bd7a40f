//! Job objects: sets of processes that are counted, limited and ended together.
//!
//! A job is a page of shared memory (its limits and members) and a pipe, the life line. Who has a handle holds the
//! writing end, each member the reading end: when the last handle is gone, whoever closed or killed its owner, the
//! members hear it and end themselves if the job says so. Key type: [`JobObject`].

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use plat_host::file::File;
use plat_host::service::{self, Interest};
use plat_host::shared_words::{SharedWords, WORDS, reading_end};

use super::control::{Passed, Wish};
use super::inherit::Descriptors;
use super::object::{Object, ObjectKind};
use super::path::{lock, status_of};
use super::process_object::{ProcessObject, leave};
use super::remote::request;
use crate::NtStatus;
use crate::logic::record::Writer;
use crate::process::Process;

/// `JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE`.
pub const KILL_ON_JOB_CLOSE: u64 = 0x2000;
/// `JOB_OBJECT_LIMIT_BREAKAWAY_OK`.
pub const BREAKAWAY_OK: u64 = 0x800;
/// `JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK`.
pub const SILENT_BREAKAWAY_OK: u64 = 0x1000;

/// Words of the page.
const LIMITS: usize = 0;
const TOTAL: usize = 1;
const ENDED_BY_LIMIT: usize = 2;
const FIRST_MEMBER: usize = 16;

/// A job, as one who has a handle sees it.
#[derive(Debug)]
pub struct JobObject {
    page: Arc<SharedWords>,
    line: Option<File>,
    lease: super::names::LeaseCell,
}

/// The jobs that this process belongs to: page and reading end of each.
type Memberships = Mutex<Vec<(Arc<SharedWords>, Arc<File>)>>;
static MEMBERSHIPS: Memberships = Mutex::new(Vec::new());

impl Object for JobObject {
    fn kind(&self) -> ObjectKind {
        ObjectKind::Job
    }
    fn lease(&self) -> Option<&super::names::LeaseCell> {
        Some(&self.lease)
    }
}

fn add_member(page: &SharedWords, id: u32) {
    page.word(TOTAL).fetch_add(1, Ordering::AcqRel);
    for index in FIRST_MEMBER..WORDS {
        let word = page.word(index);
        let before = word.load(Ordering::Acquire);
        let is_free = before == 0 || !is_running(before as u32);
        let id = u64::from(id);
        if is_free && word.compare_exchange(before, id, Ordering::AcqRel, Ordering::Acquire).is_ok() {
            return;
        }
    }
}

fn is_running(id: u32) -> bool {
    plat_host::process::Linux::open(id).is_ok_and(|linux| !linux.has_ended())
}

fn members(page: &SharedWords) -> Vec<u32> {
    let all = (FIRST_MEMBER..WORDS).map(|index| page.word(index).load(Ordering::Acquire) as u32);
    let mut ids: Vec<u32> = all.filter(|&id| id != 0 && is_running(id)).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

impl JobObject {
    /// Makes a job without members.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn create() -> Result<Arc<Self>, NtStatus> {
        let page = Arc::new(SharedWords::create().map_err(status_of)?);
        let (_, line) = File::pipe().map_err(status_of)?;
        Ok(Arc::new(Self { page, line: Some(line), lease: super::names::LeaseCell::default() }))
    }

    /// Takes a job that another process shares.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn shared(page: OwnedFd, line: OwnedFd) -> Result<Self, NtStatus> {
        let page = Arc::new(SharedWords::map(page).map_err(status_of)?);
        Ok(Self { page, line: Some(File::from(line)), lease: super::names::LeaseCell::default() })
    }

    /// Returns page and writing end, to be shared.
    pub fn parts(&self) -> Option<(&SharedWords, &File)> {
        Some((&*self.page, self.line.as_ref()?))
    }

    /// Returns `JOB_OBJECT_LIMIT_…`.
    pub fn limits(&self) -> u64 {
        self.page.word(LIMITS).load(Ordering::Acquire)
    }

    /// Sets `JOB_OBJECT_LIMIT_…`.
    pub fn set_limits(&self, limits: u64) {
        self.page.word(LIMITS).store(limits, Ordering::Release);
    }

    /// Returns how many processes were ever in it, and how many a limit ended.
    pub fn counts(&self) -> (u32, u32) {
        let word = |index| self.page.word(index).load(Ordering::Acquire) as u32;
        (word(TOTAL), word(ENDED_BY_LIMIT))
    }

    /// Returns its running members.
    pub fn members(&self) -> Vec<u32> {
        members(&self.page)
    }

    /// Adds a process.
    ///
    /// # Errors
    /// `PROCESS_IS_TERMINATING` when it has ended, and what the kernel says.
    pub fn assign(&self, process: &ProcessObject) -> Result<(), NtStatus> {
        let line = self.line.as_ref().ok_or(NtStatus::INVALID_HANDLE)?;
        let end = reading_end(line.as_fd()).map_err(status_of)?;
        let Some(other) = process.as_other() else {
            enter(Arc::clone(&self.page), File::from(end));
            return Ok(());
        };
        if other.page.is_none() {
            // A Unix program is counted and ended with the job, as long as somebody with a handle does it.
            add_member(&self.page, process.id());
            return Ok(());
        }
        let page = plat_host::spawn::duplicate(self.page.as_fd()).map_err(status_of)?;
        let descriptors = vec![page, end];
        let mut asked = request(Wish::JoinJob);
        Passed::write(&mut asked, &descriptors);
        write_pair(&mut asked, &descriptors);
        let fds: Vec<_> = descriptors.iter().map(AsFd::as_fd).collect();
        process.ask(asked, &fds).map(drop)
    }

    /// Ends all its processes.
    ///
    /// # Errors
    /// That of the last which could not be ended.
    pub fn terminate(&self, process: &Process, code: u32) -> Result<(), NtStatus> {
        let own = process.threads.this_process();
        let mut outcome = Ok(());
        let ids = self.members();
        for &id in ids.iter().filter(|&&id| id != own.id()) {
            if let Ok(member) = process.children.open(id)
                && let Err(status) = member.terminate(code)
                && status != NtStatus::PROCESS_IS_TERMINATING
            {
                outcome = Err(status);
            }
        }
        if ids.contains(&own.id()) {
            leave(code);
        }
        outcome
    }
}

fn write_pair(writer: &mut Writer, descriptors: &[OwnedFd]) {
    for fd in descriptors {
        writer.u32(fd.as_raw_fd() as u32);
    }
}

impl Drop for JobObject {
    fn drop(&mut self) {
        let Some(line) = self.line.take() else { return };
        let end = reading_end(line.as_fd());
        drop(line);
        // Members that are plat processes hear it by themselves; for Unix programs the last one acts.
        let is_last = end.is_ok_and(|end| File::from(end).is_hung_up());
        if is_last && self.limits() & KILL_ON_JOB_CLOSE != 0 {
            for id in self.members() {
                let is_unix = plat_host::process::ExitPage::of_process(id).is_err();
                if is_unix && let Ok(linux) = plat_host::process::Linux::open(id) {
                    // One that ended meanwhile is as it should be.
                    let _ = linux.kill();
                }
            }
        }
    }
}

/// Makes this process a member.
fn enter(page: Arc<SharedWords>, end: File) {
    add_member(&page, plat_host::sysinfo::process_id());
    let end = Arc::new(end);
    lock(&MEMBERSHIPS).push((Arc::clone(&page), Arc::clone(&end)));
    let same = Arc::clone(&end);
    // Without the service, the job's end is not heard; nothing else depends on it.
    let _ = service::when_ready(end.as_fd(), Interest::Read, move || {
        let _kept = same;
        if page.word(LIMITS).load(Ordering::Acquire) & KILL_ON_JOB_CLOSE != 0 {
            leave(0);
        }
    });
}

/// Joins a job whose page and reading end come with a request; their numbers follow.
///
/// # Errors
/// `INVALID_PARAMETER` when they are not there.
pub fn join(from: &mut dyn Descriptors, numbers: (i32, i32)) -> Result<(), NtStatus> {
    let page = from.take(numbers.0).ok_or(NtStatus::INVALID_PARAMETER)?;
    let end = from.take(numbers.1).ok_or(NtStatus::INVALID_PARAMETER)?;
    enter(Arc::new(SharedWords::map(page).map_err(status_of)?), File::from(end));
    Ok(())
}

/// Says whether this process belongs to any job.
pub fn is_member() -> bool {
    !lock(&MEMBERSHIPS).is_empty()
}

/// Makes descriptors of this process's jobs for a child, which joins them; none when it breaks away.
pub fn for_child(breaks_away: bool, list: &mut Vec<OwnedFd>) -> Vec<(i32, i32)> {
    let mut pairs = Vec::new();
    for (page, end) in lock(&MEMBERSHIPS).iter() {
        let limits = page.word(LIMITS).load(Ordering::Acquire);
        let stays_out = limits & SILENT_BREAKAWAY_OK != 0 || (breaks_away && limits & BREAKAWAY_OK != 0);
        let copies = (plat_host::spawn::duplicate(page.as_fd()), plat_host::spawn::duplicate(end.as_fd()));
        if let (false, (Ok(page), Ok(end))) = (stays_out, copies) {
            pairs.push((page.as_raw_fd(), end.as_raw_fd()));
            list.extend([page, end]);
        }
    }
    pairs
}

/// Counts a Unix child in this process's jobs.
pub fn add_unix_child(id: u32) {
    for (page, _) in lock(&MEMBERSHIPS).iter() {
        add_member(page, id);
    }
}
