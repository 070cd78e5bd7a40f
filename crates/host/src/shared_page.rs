//! The page of time that Windows shares with every process, kept going by a thread of the host.
//!
//! The guest has the page read-only; the host writes it through a mapping of its own, outside the arena.

use std::ffi::c_void;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::mm::{MapFlags, ProtFlags};

use crate::clock;
use crate::file_path::Errno;
use crate::section::Section;

/// Bytes of the page.
const PAGE_BYTES: usize = 4096;

/// How often the times move, as Windows' clock does.
const TICK: Duration = Duration::from_micros(15_625);

/// Seconds from 1601 to 1970.
const UNIX_EPOCH_SECONDS: u64 = 11_644_473_600;

/// Where the times lie in the page, as pairs of 32-bit words (low, high) with the high word again behind.
///
/// Source: Microsoft, ntddk.h, `KUSER_SHARED_DATA`: `InterruptTime`, `SystemTime`, `TickCount`.
const INTERRUPT_TIME: usize = 0x8;
const SYSTEM_TIME: usize = 0x14;
const TICK_COUNT: usize = 0x320;

/// The host's mapping of the page.
struct Page(*mut u32);

// SAFETY: 1. the mapping is never unmapped; 2. it is only accessed by atomic stores.
unsafe impl Send for Page {}

impl Page {
    fn store(&self, offset: usize, value: u32) {
        debug_assert!(offset.is_multiple_of(4) && offset < PAGE_BYTES);
        // SAFETY: 1. the offset lies inside the page.
        let word = unsafe { self.0.byte_add(offset) };
        // SAFETY: 1. the word is aligned and mapped; 2. everyone accesses it atomically or is a guest.
        unsafe { AtomicU32::from_ptr(word) }.store(value, Ordering::Release);
    }

    /// Stores a `KSYSTEM_TIME`: readers take it when both high words agree.
    fn store_time(&self, offset: usize, value: u64) {
        let high = (value >> 32) as u32;
        self.store(offset + 8, high);
        self.store(offset, value as u32);
        self.store(offset + 4, high);
    }

    fn tick(&self) {
        let up = Duration::from_nanos(clock::boot_nanoseconds());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let hundreds = |time: Duration| time.as_secs() * 10_000_000 + u64::from(time.subsec_nanos() / 100);
        self.store_time(INTERRUPT_TIME, hundreds(up));
        self.store_time(SYSTEM_TIME, hundreds(now) + UNIX_EPOCH_SECONDS * 10_000_000);
        self.store_time(TICK_COUNT, up.as_millis() as u64);
    }
}

/// Makes the page with `contents` (cut to a page), starts the thread that keeps it going, and returns it for mapping.
///
/// # Errors
/// The system's error when there is no memory or no thread to be had.
pub fn start(contents: &[u8]) -> Result<Section, Errno> {
    let errno = |errno: rustix::io::Errno| Errno(errno.raw_os_error());
    let section = Section::anonymous(PAGE_BYTES as u64)?;
    let access = ProtFlags::READ | ProtFlags::WRITE;
    // SAFETY: 1. a fresh mapping at an address of the kernel's choice touches nothing that exists.
    let mapped = unsafe {
        rustix::mm::mmap(
            std::ptr::null_mut::<c_void>(),
            PAGE_BYTES,
            access,
            MapFlags::SHARED,
            section.as_fd(),
            0,
        )
    };
    let page = Page(mapped.map_err(errno)?.cast());
    for (index, word) in contents.chunks_exact(4).take(PAGE_BYTES / 4).enumerate() {
        page.store(index * 4, u32::from_le_bytes(word.try_into().expect("four bytes")));
    }
    page.tick();
    let thread = std::thread::Builder::new().name("shared data".to_owned());
    let started = thread.stack_size(64 * 1024).spawn(move || {
        // The whole page moves into the thread, not its pointer alone.
        let page = page;
        loop {
            std::thread::sleep(TICK);
            page.tick();
        }
    });
    started.map_err(|error| Errno(error.raw_os_error().unwrap_or(libc::EAGAIN)))?;
    Ok(section)
}
