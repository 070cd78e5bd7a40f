//! A process of a page of code whose address space is empty: the kernel itself, to ask what it does.
//!
//! [`Lab`] starts it, hands it system calls in batches, and takes back what each returned together with the map that
//! the kernel then showed (`PROCMAP_QUERY`, Linux 6.11) and the private pages that were in memory (`PAGEMAP_SCAN`, Linux 6.7).
//! Two batches may be under way: one worked on, one posted.

mod stub;

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use plat_regions::{Address, AddressRange};

/// Most calls in a batch.
pub const CALLS_MAX: usize = stub::CALLS_MAX as usize;
/// Words of answers that a batch has room for; what does not fit is cut off.
pub const ANSWER_WORDS_MAX: usize = ((stub::SLOT_SIZE - stub::ANSWERS) / 8 - 16) as usize;
/// Most runs of pages that are noted of one window.
pub const RUNS_MAX: usize = stub::RUNS_MAX as usize;
/// Category of a page in memory, in the third word of a run. Source: Linux, include/uapi/linux/fs.h, `PAGE_IS_PRESENT`.
pub const PAGE_PRESENT: u64 = 8;
/// Category of the shared page of zeros. Source: the same, `PAGE_IS_PFNZERO`.
pub const PAGE_ZERO: u64 = 32;
/// Category of a page of a file; such pages are not noted. Source: the same, `PAGE_IS_FILE`.
const PAGE_FILE: u64 = 4;
/// Descriptors that the lab's files have in it, in order.
pub const FILES_FD: u64 = 110;
/// Longest time that a batch may take.
const BATCH_SECONDS_MAX: u64 = 60;

/// What the lab is told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// A system call.
    System {
        /// Its number on x86-64.
        number: u64,
        /// Its arguments.
        arguments: [u64; 6],
    },
    /// A load of one byte; answers 0, or the signal and its code in the upper half.
    Load(Address),
    /// A store of one byte; answers as a load.
    Store(Address),
    /// A fork: the child is the lab from then on.
    Fork,
    /// A vfork: the child, in its parent's memory, is the lab from then on.
    Vfork,
    /// `setrlimit`; the hard limit stays.
    Limit {
        /// `RLIMIT_*`.
        resource: u32,
        /// The soft limit.
        bytes: u64,
    },
}

/// A call, and what is noted after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// What to do.
    pub call: Call,
    /// The regions that share a byte with these are noted; an empty window has none. Both ends are those of pages.
    pub windows: [AddressRange; 2],
    /// Most runs of private pages in memory that are noted of each window, at most [`RUNS_MAX`].
    pub runs: usize,
}

impl Order {
    /// Everything.
    pub const ALL: AddressRange = AddressRange { start: Address::ZERO, end: Address::new(stub::TASK_END) };
    /// Nothing.
    pub const NONE: AddressRange = AddressRange { start: Address::ZERO, end: Address::ZERO };

    /// Makes an order after which the whole map and all private pages are noted.
    pub const fn whole(call: Call) -> Self {
        Self { call, windows: [Self::ALL, Self::NONE], runs: RUNS_MAX }
    }
}

/// What the lab's process has at most.
#[derive(Clone, Copy, Debug, Default)]
pub struct LabOptions {
    /// `RLIMIT_STACK` in bytes, if not as inherited.
    pub stack: Option<u64>,
    /// `RLIMIT_MEMLOCK` in bytes, if not as inherited; `CAP_IPC_LOCK` is dropped in any case.
    pub locked: Option<u64>,
    /// `RLIMIT_AS` in bytes, if not as inherited. The lab's own mappings count.
    pub address_space: Option<u64>,
    /// `RLIMIT_DATA` in bytes, if not as inherited.
    pub data: Option<u64>,
    /// Whether mappings are placed from the bottom (`ADDR_COMPAT_LAYOUT`).
    pub bottom_up: bool,
}

/// Returns the hard limit of a resource (`RLIMIT_*`), which labs inherit and keep.
pub fn hard_limit(resource: u32) -> u64 {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: the pointer is to a local, which keeps its value when the call fails.
    unsafe { libc::getrlimit(resource, &raw mut limit) };
    limit.rlim_max
}

/// Makes a file in memory of `size` bytes that may be sealed; returns it opened for reading and writing, and for reading only.
///
/// # Errors
/// When the kernel refuses.
pub fn memory_file(size: u64) -> io::Result<(OwnedFd, OwnedFd)> {
    use rustix::fs::{MemfdFlags, Mode, OFlags};
    let file = rustix::fs::memfd_create("plat-lab-file", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    rustix::fs::ftruncate(&file, size)?;
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    let reader = rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    Ok((file, reader))
}

/// A running lab. Dropping it ends it.
#[derive(Debug)]
pub struct Lab {
    child: Child,
    ring: Ring,
    /// Number of batches posted and taken.
    posted: u64,
    taken: u64,
}

/// The memory shared with the lab.
#[derive(Debug)]
struct Ring {
    base: NonNull<u8>,
}

// SAFETY: the memory is shared with another process anyway: it is reached only by atomics and by copies of whole batches.
unsafe impl Send for Ring {}

impl Lab {
    /// The mappings that the lab itself needs, in the order of their addresses: data (shared, `rw-`) and code (private, `r-x`).
    pub const OWN: [AddressRange; 2] = [
        AddressRange {
            start: Address::new(stub::RING_START),
            end: Address::new(stub::RING_START + stub::RING_SIZE),
        },
        AddressRange {
            start: Address::new(stub::CODE_START),
            end: Address::new(stub::CODE_START + stub::CODE_SIZE),
        },
    ];

    /// Starts a lab that has `files` at the descriptors from [`FILES_FD`] on.
    ///
    /// # Errors
    /// When the kernel refuses; `Unsupported` when it has no `PROCMAP_QUERY`.
    pub fn start(options: &LabOptions, files: &[OwnedFd]) -> io::Result<Self> {
        let memory = rustix::fs::memfd_create("plat-lab", rustix::fs::MemfdFlags::CLOEXEC)?;
        rustix::fs::ftruncate(&memory, stub::RING_SIZE)?;
        let mut ring = Ring::map(&memory)?;
        ring.write(stub::PATH, b"/proc/self/maps\0");
        ring.write(stub::PAGEMAP_PATH, b"/proc/self/pagemap\0");
        ring.write(stub::SCAN, &scan());
        let program = rustix::fs::memfd_create("plat-lab-code", rustix::fs::MemfdFlags::empty())?;
        rustix::io::write(&program, &stub::elf())?;
        let child = spawn(options, &program, memory, files)?;
        let mut lab = Self { child, ring, posted: 0, taken: 0 };
        let mut answers = Vec::new();
        lab.post(&[Order::whole(Call::System { number: 39, arguments: [0; 6] })])?;
        lab.take(&mut answers)?;
        if answers.get(1).is_none_or(|regions| *regions == 0) {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "this kernel has no PROCMAP_QUERY: Linux 6.11 or later is needed",
            ));
        }
        Ok(lab)
    }

    /// Posts a batch of at most [`CALLS_MAX`] calls.
    ///
    /// # Errors
    /// `InvalidInput` for too many calls or a third batch; when the lab has ended.
    pub fn post(&mut self, orders: &[Order]) -> io::Result<()> {
        if orders.len() > CALLS_MAX || self.posted - self.taken >= stub::SLOTS {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "too many calls at once"));
        }
        let slot = stub::HEADER_SIZE + self.posted % stub::SLOTS * stub::SLOT_SIZE;
        let mut bytes = Vec::with_capacity(orders.len() * stub::CALL_SIZE as usize);
        for (index, order) in orders.iter().enumerate() {
            let (kind, number, arguments): (u64, u64, [u64; 6]) = match order.call {
                Call::System { number, arguments } => (0, number, arguments),
                Call::Load(address) => (1, 0, [address.get(), 0, 0, 0, 0, 0]),
                Call::Store(address) => (2, 0, [address.get(), 0, 0, 0, 0, 0]),
                Call::Fork => (3, 57, [0; 6]),
                Call::Vfork => (3, 58, [0; 6]),
                Call::Limit { resource, bytes } => {
                    // The structure that the call reads lies in the last arguments, which it does not look at.
                    let record = stub::RING_START + slot + stub::CALLS + index as u64 * stub::CALL_SIZE;
                    (0, 160, [resource.into(), record + 48, 0, 0, bytes, hard_limit(resource)])
                }
            };
            let windows = order.windows.into_iter().flat_map(|window| [window.start.get(), window.end.get()]);
            let kind = kind | (order.runs.min(RUNS_MAX) as u64) << 32;
            for word in [kind, number].into_iter().chain(arguments).chain(windows) {
                bytes.extend_from_slice(&word.to_le_bytes());
            }
        }
        self.ring.write(slot + stub::CALLS, &bytes);
        self.ring.write(slot + 4, &(orders.len() as u32).to_le_bytes());
        let state = self.ring.state(slot);
        state.store(1, Ordering::Release);
        wake(state)?;
        self.posted += 1;
        Ok(())
    }

    /// Takes the answers of the oldest batch: for each call its value, the number of regions, for each region its
    /// start, end, flags (1 read, 2 write, 4 execute, 8 shared) and offset, the number of runs of private pages in memory,
    /// and for each run its start, end and categories ([`PAGE_PRESENT`], [`PAGE_ZERO`]).
    ///
    /// # Errors
    /// `BrokenPipe` when the lab has ended, `TimedOut` when it does not answer.
    pub fn take(&mut self, answers: &mut Vec<u64>) -> io::Result<()> {
        answers.clear();
        if self.posted == self.taken {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "no batch is posted"));
        }
        let slot = stub::HEADER_SIZE + self.taken % stub::SLOTS * stub::SLOT_SIZE;
        self.await_done(slot)?;
        self.taken += 1;
        let mut end = [0; 8];
        self.ring.read(slot + 8, &mut end);
        let first = stub::RING_START + slot + stub::ANSWERS;
        let size = u64::from_le_bytes(end).saturating_sub(first).min(stub::SLOT_SIZE - stub::ANSWERS);
        self.ring.read_words(slot + stub::ANSWERS, size / 8, answers);
        Ok(())
    }

    fn await_done(&mut self, slot: u64) -> io::Result<()> {
        let deadline = Instant::now() + Duration::from_secs(BATCH_SECONDS_MAX);
        for _ in 0..2000 {
            if self.ring.state(slot).load(Ordering::Acquire) == 2 {
                return Ok(());
            }
            std::hint::spin_loop();
        }
        while self.ring.state(slot).load(Ordering::Acquire) != 2 {
            sleep_while(self.ring.state(slot), 1)?;
            if let Some(status) = self.child.try_wait()? {
                return Err(io::Error::new(io::ErrorKind::BrokenPipe, format!("the lab ended: {status}")));
            }
            if Instant::now() > deadline {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "the lab does not answer"));
            }
        }
        Ok(())
    }

    /// Returns the number of the lab's first process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // Children of the lab die with their parents: each asked for that.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Ring {
    fn map(memory: &OwnedFd) -> io::Result<Self> {
        use rustix::mm::{MapFlags, ProtFlags, mmap};
        let rights = ProtFlags::READ | ProtFlags::WRITE;
        let (size, flags) = (stub::RING_SIZE as usize, MapFlags::SHARED);
        // SAFETY: a new mapping at a place of the kernel's choice changes no memory that exists.
        let base = unsafe { mmap(std::ptr::null_mut(), size, rights, flags, memory, 0) }?;
        Ok(Self { base: NonNull::new(base.cast()).expect("mmap returns no null pointer") })
    }

    fn at(&self, offset: u64, size: usize) -> *mut u8 {
        assert!(offset + size as u64 <= stub::RING_SIZE, "all offsets are made of the constants of the ring");
        // SAFETY: the mapping has RING_SIZE bytes.
        unsafe { self.base.as_ptr().add(offset as usize) }
    }

    fn write(&mut self, offset: u64, bytes: &[u8]) {
        let target = self.at(offset, bytes.len());
        // SAFETY: `at` checked the bounds; the lab reads a slot only after its state says so.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), target, bytes.len()) };
    }

    fn read(&self, offset: u64, bytes: &mut [u8]) {
        let source = self.at(offset, bytes.len());
        // SAFETY: `at` checked the bounds; the lab writes a slot only until its state says that it is done.
        unsafe { std::ptr::copy_nonoverlapping(source, bytes.as_mut_ptr(), bytes.len()) };
    }

    fn read_words(&self, offset: u64, words: u64, into: &mut Vec<u64>) {
        let source = self.at(offset, words as usize * 8).cast::<u64>();
        into.resize(words as usize, 0);
        // SAFETY: `at` checked the bounds, offsets are multiples of 8, and the vector has this many words.
        unsafe { std::ptr::copy_nonoverlapping(source, into.as_mut_ptr(), words as usize) };
    }

    fn state(&self, slot: u64) -> &AtomicU32 {
        let state = self.at(slot, 4).cast();
        // SAFETY: aligned, inside the mapping, and reached only as an atomic.
        unsafe { AtomicU32::from_ptr(state) }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: the mapping is this ring's, and nothing refers to it any more.
        let unmapped = unsafe { rustix::mm::munmap(self.base.as_ptr().cast(), stub::RING_SIZE as usize) };
        debug_assert!(unmapped.is_ok(), "the ring was mapped by map()");
    }
}

/// Returns the argument of `PAGEMAP_SCAN` but for the range and the runs' place and number, which the lab fills in.
///
/// Source: Linux, include/uapi/linux/fs.h, `struct pm_scan_arg`.
fn scan() -> Vec<u8> {
    let size = 96;
    let (inverted, mask, shown) = (PAGE_FILE, PAGE_PRESENT | PAGE_FILE, PAGE_PRESENT | PAGE_ZERO);
    let words = [size, 0, 0, 0, 0, 0, 0, 0, inverted, mask, 0, shown];
    words.into_iter().flat_map(u64::to_le_bytes).collect()
}

fn wake(state: &AtomicU32) -> io::Result<()> {
    rustix::thread::futex::wake(state, rustix::thread::futex::Flags::empty(), 1)?;
    Ok(())
}

/// Sleeps while `state` has the value, at most a tenth of a second.
fn sleep_while(state: &AtomicU32, value: u32) -> io::Result<()> {
    use rustix::io::Errno;
    use rustix::thread::futex;
    let timeout = rustix::time::Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
    match futex::wait(state, futex::Flags::empty(), value, Some(&timeout)) {
        Ok(()) | Err(Errno::AGAIN | Errno::INTR | Errno::TIMEDOUT) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn spawn(options: &LabOptions, program: &OwnedFd, memory: OwnedFd, files: &[OwnedFd]) -> io::Result<Child> {
    let mut command = Command::new(format!("/proc/self/fd/{}", program.as_raw_fd()));
    command.stdin(Stdio::from(memory)).stdout(Stdio::null()).stderr(Stdio::null()).env_clear();
    let files: Vec<RawFd> = files.iter().map(|file| file.as_fd().as_raw_fd()).collect();
    let options = *options;
    // SAFETY: between fork and exec only system calls are made: no allocation, no lock.
    unsafe { command.pre_exec(move || prepare(&options, &files)) };
    command.spawn()
}

/// Readies the new process: its fate, its layout, its limits, its files.
fn prepare(options: &LabOptions, files: &[RawFd]) -> io::Result<()> {
    const CAP_IPC_LOCK: u64 = 14;
    const CAP_SYS_RAWIO: u64 = 17;
    let layout = if options.bottom_up { 0x20_0000 } else { 0 };
    // SAFETY: a number in, a number out.
    let personality = unsafe { libc::personality(0x4_0000 | layout) };
    if personality < 0 {
        return Err(io::Error::last_os_error());
    }
    for capability in [CAP_IPC_LOCK, CAP_SYS_RAWIO] {
        // Who may not drop a capability does not have it.
        // SAFETY: numbers in, a number out.
        unsafe { libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) };
    }
    let limits = [
        (libc::RLIMIT_STACK, options.stack),
        (libc::RLIMIT_MEMLOCK, options.locked),
        (libc::RLIMIT_AS, options.address_space),
        (libc::RLIMIT_DATA, options.data),
    ];
    for (resource, limit) in limits {
        let Some(limit) = limit else { continue };
        let limit = libc::rlimit { rlim_cur: limit, rlim_max: hard_limit(resource) };
        // SAFETY: the pointer is to a local.
        if unsafe { libc::setrlimit(resource, &raw const limit) } < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    for (file, target) in files.iter().zip(FILES_FD as RawFd..) {
        // SAFETY: descriptors in, a descriptor out; nobody owns the target.
        if unsafe { libc::dup2(*file, target) } < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lab_maps_what_it_is_told_and_answers_faults() {
        let mut lab = Lab::start(&LabOptions::default(), &[]).expect("the kernel has PROCMAP_QUERY");
        let map = Call::System { number: 9, arguments: [0x70_0000_0000, 0x2000, 1, 0x32, u64::MAX, 0] };
        let calls = [
            map,
            Call::Load(Address::new(0x70_0000_0000)),
            Call::Store(Address::new(0x70_0000_0000)),
            Call::Load(Address::new(64)),
        ];
        lab.post(&calls.map(Order::whole)).expect("posted");
        lab.post(&[Call::Fork, map].map(Order::whole)).expect("a second batch may wait");
        let mut answers = Vec::new();
        lab.take(&mut answers).expect("answered");
        let own = Lab::OWN.map(|range| (range.start.get(), range.end.get()));
        let regions = [own[0], own[1], (0x70_0000_0000, 0x70_0000_2000)];
        let expected = [(0x70_0000_0000, 0), (0, 1), (0x2_0000_000b, 1), (0x1_0000_000b, 1)];
        let mut at = 0;
        for (value, runs) in expected {
            assert_eq!((answers[at], answers[at + 1]), (value, 3));
            for (index, region) in regions.iter().enumerate() {
                let words = &answers[at + 2 + index * 4..];
                assert_eq!((words[0], words[1]), *region);
            }
            at += 2 + 4 * 3;
            assert_eq!(answers[at], runs);
            let page = [0x70_0000_0000, 0x70_0000_1000, PAGE_PRESENT | PAGE_ZERO];
            assert!(runs == 0 || answers[at + 1..at + 4] == page);
            at += 1 + 3 * runs as usize;
        }
        lab.take(&mut answers).expect("the child answers");
        assert_eq!(answers[0], 0);
    }
}
