//! Linux processes as seen by others: waiting, ending, exit status; and the page in which a plat process tells its
//! 32-bit exit code, for which Linux has no room. Key types: [`Linux`], [`ExitPage`].

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::mm::{MapFlags, ProtFlags};
use rustix::process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, WaitIdStatus};

use crate::file_path::Errno;
use crate::spawn::Child;

/// A process of Linux, which stays the same even when its number is used anew.
#[derive(Debug)]
pub struct Linux {
    id: u32,
    pidfd: OwnedFd,
}

impl AsFd for Linux {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }
}

impl Linux {
    /// Takes a child.
    pub fn of(child: Child) -> Self {
        Self { id: child.id, pidfd: child.pidfd }
    }

    /// Takes a descriptor of a process of this number.
    pub fn from_fd(id: u32, pidfd: OwnedFd) -> Self {
        Self { id, pidfd }
    }

    /// Opens a running process.
    ///
    /// # Errors
    /// The kernel's errno: ESRCH when there is none, EINVAL when the number is a thread's.
    pub fn open(id: u32) -> Result<Self, Errno> {
        let pid = i32::try_from(id).ok().and_then(Pid::from_raw).ok_or(Errno(libc::EINVAL))?;
        Ok(Self { id, pidfd: rustix::process::pidfd_open(pid, PidfdFlags::empty())? })
    }

    /// Returns its number.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Says whether it has ended.
    pub fn has_ended(&self) -> bool {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let mut question = [PollFd::new(&self.pidfd, PollFlags::IN)];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        poll(&mut question, Some(&now)).is_ok_and(|ready| ready == 1)
    }

    /// Ends it at once.
    ///
    /// # Errors
    /// The kernel's errno: EPERM for another user's, ESRCH when it has ended.
    pub fn kill(&self) -> Result<(), Errno> {
        Ok(rustix::process::pidfd_send_signal(&self.pidfd, Signal::KILL)?)
    }

    /// Waits until it has ended; returns its exit status, 128 and the number for a signal, as shells have it. A child
    /// is gone after that; of others, the status is not known.
    ///
    /// # Errors
    /// ECHILD when it is no child of this process.
    pub fn wait(&self) -> Result<i32, Errno> {
        loop {
            match rustix::process::waitid(WaitId::PidFd(self.as_fd()), WaitIdOptions::EXITED) {
                Err(rustix::io::Errno::INTR) => {}
                Err(other) => return Err(other.into()),
                Ok(None) => return Err(Errno(libc::ECHILD)),
                Ok(Some(status)) => return Ok(status_number(&status)),
            }
        }
    }
}

fn status_number(status: &WaitIdStatus) -> i32 {
    let by_signal = status.terminating_signal().map(|signal| 128 + signal);
    status.exit_status().or(by_signal).unwrap_or(1)
}

/// The page's size in bytes, and the name under which `/proc` shows its file.
const PAGE_BYTES: usize = 4096;
const PAGE_NAME: &str = "plat process";

/// Set in the page's word beside the code.
const ENDED: u64 = 1 << 32;
/// Set in the page's word when somebody ended the process from outside: its own code comes too late.
const KILLED: u64 = 1 << 33;

/// A page of shared memory in which a process tells its exit code. Who has it open sees the code even after the
/// process is gone.
#[derive(Debug)]
pub struct ExitPage {
    fd: OwnedFd,
    word: *mut AtomicU64,
}

// SAFETY: 1. the mapping lives as long as the value; 2. it is only accessed atomically.
unsafe impl Send for ExitPage {}
// SAFETY: 1. as for Send.
unsafe impl Sync for ExitPage {}

impl Drop for ExitPage {
    fn drop(&mut self) {
        // SAFETY: 1. the page was mapped by `map` and is not used again.
        let _ = unsafe { rustix::mm::munmap(self.word.cast(), PAGE_BYTES) };
    }
}

impl AsFd for ExitPage {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl ExitPage {
    /// Makes a page for a process that is to be started.
    ///
    /// # Errors
    /// The kernel's errno.
    pub fn create() -> Result<Self, Errno> {
        let fd = rustix::fs::memfd_create(PAGE_NAME, rustix::fs::MemfdFlags::CLOEXEC)?;
        rustix::fs::ftruncate(&fd, PAGE_BYTES as u64)?;
        Self::map(fd)
    }

    /// Maps a page that another process made.
    ///
    /// # Errors
    /// The kernel's errno.
    pub fn map(fd: OwnedFd) -> Result<Self, Errno> {
        if rustix::fs::fstat(&fd)?.st_size < PAGE_BYTES as i64 {
            return Err(Errno(libc::EINVAL));
        }
        let rights = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: 1. a new mapping, wherever there is room.
        let place =
            unsafe { rustix::mm::mmap(std::ptr::null_mut(), PAGE_BYTES, rights, MapFlags::SHARED, &fd, 0)? };
        Ok(Self { fd, word: place.cast() })
    }

    /// Finds the page of a running process, which has it open.
    ///
    /// # Errors
    /// ENOENT when it has none (it is no plat process), EACCES for another user's.
    pub fn of_process(id: u32) -> Result<Self, Errno> {
        let directory = format!("/proc/{id}/fd");
        for name in crate::directory::names(Path::new(&directory))? {
            let path = Path::new(&directory).join(name);
            let target = crate::file_path::link_target(&path).unwrap_or_default();
            if target.to_string_lossy().starts_with("/memfd:plat process") {
                let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::CLOEXEC;
                let fd = rustix::fs::open(path, flags, rustix::fs::Mode::empty())?;
                let page = Self::map(fd)?;
                if page.owner() == id {
                    return Ok(page);
                }
            }
        }
        Err(Errno(libc::ENOENT))
    }

    fn cell(&self, index: usize) -> &AtomicU64 {
        debug_assert!(index < PAGE_BYTES / 8);
        // SAFETY: 1. the index lies inside the page.
        let cell = unsafe { self.word.add(index) };
        // SAFETY: 1. the page is mapped as long as `self` lives, and aligned. 2. all access is atomic.
        unsafe { &*cell }
    }

    /// Returns the number of the process whose page it is; 0 before it runs.
    pub fn owner(&self) -> u32 {
        self.cell(1).load(Ordering::Acquire) as u32
    }

    /// Notes whose page it is.
    pub fn set_owner(&self, id: u32) {
        self.cell(1).store(u64::from(id), Ordering::Release);
    }

    /// Returns the exit code, once there is one.
    pub fn code(&self) -> Option<u32> {
        let word = self.cell(0).load(Ordering::Acquire);
        (word & ENDED != 0).then_some(word as u32)
    }

    /// Notes the exit code; the last counts, but nothing after a code from outside.
    pub fn set_code(&self, code: u32, from_outside: bool) {
        let new = u64::from(code) | ENDED | if from_outside { KILLED } else { 0 };
        let _ = self
            .cell(0)
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |old| (old & KILLED == 0).then_some(new));
    }
}

/// Facts about a process of Linux, as `/proc` tells them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Its number.
    pub id: u32,
    /// Its parent's number.
    pub parent: u32,
    /// Its name, at most 15 bytes.
    pub name: String,
    /// How many threads it has.
    pub threads: u32,
    /// When it began, in nanoseconds since the system did.
    pub started: u64,
    /// Processor time in the kernel and in the program, in nanoseconds.
    pub used: crate::clock::ProcessorTime,
    /// Resident memory in bytes.
    pub resident: u64,
    /// Its most resident memory in bytes, where it was asked for.
    pub resident_peak: u64,
    /// Its address space in bytes.
    pub address_space: u64,
    /// Page faults.
    pub faults: u64,
}

/// Returns the numbers of all processes.
pub fn all() -> Vec<u32> {
    let names = crate::directory::names(Path::new("/proc")).unwrap_or_default();
    let mut numbers: Vec<u32> = names.iter().filter_map(|name| name.to_str()?.parse().ok()).collect();
    numbers.sort_unstable();
    numbers
}

/// Returns when a process began, in ticks of the system's clock since it started; `None` when it has ended.
///
/// Source: proc(5), `/proc/pid/stat`.
pub fn birth(id: u32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let mut fields = text[text.rfind(')')? + 1..].split_whitespace();
    let has_ended = matches!(fields.next()?, "Z" | "X" | "x");
    if has_ended { None } else { fields.nth(18)?.parse().ok() }
}

/// Returns the facts of a process, or `None` when there is none of this number.
///
/// Source: proc(5), `/proc/pid/stat`.
pub fn facts(id: u32) -> Option<Facts> {
    const TICK: u64 = 10_000_000;
    let text = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name is in parentheses and may itself contain some.
    let (start, end) = (text.find('(')?, text.rfind(')')?);
    let fields: Vec<u64> =
        text[end + 1..].split_whitespace().skip(1).map(|field| field.parse().unwrap_or(0)).collect();
    let field = |number: usize| fields.get(number - 4).copied().unwrap_or(0);
    Some(Facts {
        id,
        parent: field(4) as u32,
        name: text[start + 1..end].to_owned(),
        threads: field(20) as u32,
        started: field(22) * TICK,
        used: crate::clock::ProcessorTime { user: field(14) * TICK, kernel: field(15) * TICK },
        resident: field(24) * 4096,
        resident_peak: resident_peak(id).unwrap_or(field(24) * 4096),
        address_space: field(23),
        faults: field(10) + field(12),
    })
}

/// How often and how much a process has read and written, by system calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Transfers {
    /// Calls that read.
    pub reads: u64,
    /// Calls that write.
    pub writes: u64,
    /// Bytes that were read.
    pub bytes_read: u64,
    /// Bytes that were written.
    pub bytes_written: u64,
}

/// Returns what a process has read and written; zeros for one that may not be looked at.
///
/// Source: proc(5), `/proc/pid/io`.
pub fn transfers(id: u32) -> Transfers {
    let text = std::fs::read_to_string(format!("/proc/{id}/io")).unwrap_or_default();
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        line.and_then(|number| number.trim().parse().ok()).unwrap_or(0)
    };
    Transfers {
        reads: field("syscr"),
        writes: field("syscw"),
        bytes_read: field("rchar"),
        bytes_written: field("wchar"),
    }
}

/// Returns each processor's time since the system began in nanoseconds: idle, in the kernel, in programs.
///
/// Source: proc(5), `/proc/stat`.
pub fn processor_times() -> Vec<(u64, u64, u64)> {
    let text = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    text.lines().skip(1).take_while(|line| line.starts_with("cpu")).map(times_of).collect()
}

/// Returns the processors' time since the system began in nanoseconds: idle, in the kernel, in programs.
///
/// Source: proc(5), `/proc/stat`.
pub fn system_times() -> (u64, u64, u64) {
    let text = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    times_of(text.lines().next().unwrap_or_default())
}

/// Reads a line of `/proc/stat`.
fn times_of(line: &str) -> (u64, u64, u64) {
    const TICK: u64 = 10_000_000;
    let fields: Vec<u64> = line.split_whitespace().skip(1).filter_map(|field| field.parse().ok()).collect();
    let field = |index: usize| fields.get(index).copied().unwrap_or(0) * TICK;
    let idle = field(3) + field(4);
    (idle, field(2) + field(5) + field(6), field(0) + field(1))
}

fn resident_peak(id: u32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

/// Returns the numbers of the processes that have a file open and that this user may look at.
///
/// Source: proc(5), `/proc/pid/fd`.
pub fn holders(path: &Path) -> Vec<u32> {
    use std::os::unix::fs::MetadataExt;
    let identity = |path: &Path| std::fs::metadata(path).ok().map(|facts| (facts.dev(), facts.ino()));
    let Some(wanted) = identity(path) else { return Vec::new() };
    let holds = |id: &u32| {
        let descriptors = std::path::PathBuf::from(format!("/proc/{id}/fd"));
        let names = crate::directory::names(&descriptors).unwrap_or_default();
        names.iter().any(|name| identity(&descriptors.join(name)) == Some(wanted))
    };
    all().into_iter().filter(holds).collect()
}

/// Returns the threads' numbers of a process.
pub fn threads(id: u32) -> Vec<u32> {
    let names = crate::directory::names(Path::new(&format!("/proc/{id}/task"))).unwrap_or_default();
    names.iter().filter_map(|name| name.to_str()?.parse().ok()).collect()
}

/// Returns how many descriptors a process has open.
pub fn descriptors(id: u32) -> usize {
    crate::directory::names(Path::new(&format!("/proc/{id}/fd"))).map_or(0, |names| names.len())
}

/// Returns the program's path of a process, if it may be seen.
pub fn program(id: u32) -> Option<std::path::PathBuf> {
    crate::file_path::link_target(Path::new(&format!("/proc/{id}/exe"))).ok()
}

/// Returns the arguments of a process.
pub fn arguments(id: u32) -> Vec<std::ffi::OsString> {
    use std::os::unix::ffi::OsStringExt;
    let bytes = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
    let bytes = bytes.strip_suffix(&[0]).unwrap_or(&bytes);
    bytes.split(|&byte| byte == 0).map(|part| std::ffi::OsString::from_vec(part.to_vec())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_from_outside_is_the_last() {
        let page = ExitPage::create().unwrap();
        assert_eq!(page.code(), None);
        page.set_code(0xc000_0005, false);
        assert_eq!(page.code(), Some(0xc000_0005));
        page.set_code(7, true);
        page.set_code(8, false);
        assert_eq!(page.code(), Some(7));
    }

    #[test]
    fn own_facts_are_true() {
        let own = facts(std::process::id()).unwrap();
        assert_eq!(own.parent, std::os::unix::process::parent_id());
        assert!(own.threads >= 1 && own.resident > 4096 && own.resident_peak >= 4096);
        assert!(all().contains(&own.id) && threads(own.id).contains(&own.id));
    }
}
