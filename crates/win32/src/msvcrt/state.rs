//! The runtime's own state: [`Crt`] for the process, a block in guest memory for each thread, `errno`.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64};
use std::sync::{Mutex, OnceLock};

use plat_abi::{Fault, Memory};

use super::fd::Descriptors;
use super::locks::Locks;
use crate::Win32Error;
use crate::guest::Guest;
use crate::logic::nls::code_page::CodePage;
use crate::nt::nls;
use crate::teb::Teb;

/// The file name under which the variables are found.
const DLL: &str = "msvcrt.dll";

/// What all threads share.
#[derive(Default)]
pub struct Crt {
    /// Whether the variables were filled in.
    pub(crate) attached: AtomicBool,
    /// The console, whatever the standard streams are.
    pub(crate) conio: super::conio::Conio,
    /// Open descriptors.
    pub(crate) descriptors: Descriptors,
    /// The locks of `_lock`, and one per stream.
    pub(crate) locks: Locks,
    /// Where `_iob` lies.
    pub(crate) iob: OnceLock<u64>,
    /// Streams beyond `_iob`, made by `fopen`; they are never given back, only used again.
    pub(crate) extra_streams: Mutex<Vec<u64>>,
    /// What ends the program: see `exit.rs`.
    pub(crate) exit: super::exit::Exit,
    /// The handlers of `signal`, by number.
    pub(crate) signals: Mutex<[u64; 23]>,
    /// The locale of `setlocale`.
    pub(crate) locale: super::locale::Locale,
    /// Names and structures that functions of locales returned, by what they are.
    pub(crate) locale_texts: Mutex<HashMap<String, u64>>,
    /// The names that `tmpnam` has given so far.
    pub(crate) names_given: AtomicU32,
    /// The function of `_set_invalid_parameter_handler`, `_set_purecall_handler`, `_set_new_handler`.
    pub(crate) handlers: [AtomicU64; 3],
    /// Small tables in guest memory that functions return pointers to, by name.
    pub(crate) tables: Mutex<Vec<(&'static str, u64)>>,
    /// What `_set_app_type` was told.
    pub(crate) app_type: std::sync::atomic::AtomicI32,
    /// How many streams may be open at once.
    pub(crate) max_streams: MaxStreams,
    /// The permissions that new files do not get.
    pub(crate) mask: std::sync::atomic::AtomicI32,
    /// The processes at the other ends of `_popen`'s streams.
    pub(crate) commands: super::pipes::Commands,
    /// The functions of `at_quick_exit`.
    pub(crate) quick_exit: Mutex<Vec<u64>>,
    /// The function that destroys thread-local objects of the main thread.
    pub(crate) thread_local_exit: AtomicU64,
    /// The text of an exception that has none.
    pub(crate) unknown_exception: OnceLock<u64>,
    /// The functions of `set_terminate` and `set_unexpected`.
    pub(crate) terminate: [AtomicU64; 2],
    /// The function of `_set_se_translator`.
    pub(crate) se_translator: AtomicU64,
    /// The flags of `_set_abort_behavior`.
    pub(crate) abort_flags: AbortFlags,
    /// What `_set_new_mode` was told: whether `malloc` calls the handler too.
    pub(crate) new_mode: std::sync::atomic::AtomicI32,
    /// Whether `%n` works: `_set_printf_count_output`.
    pub(crate) count_output: AtomicBool,
    /// The tick count when `clock` was first called.
    pub(crate) first_tick: OnceLock<u32>,
}

/// How many streams may be open at once: 512 at first.
pub(crate) struct MaxStreams(std::sync::atomic::AtomicI32);

impl Default for MaxStreams {
    fn default() -> Self {
        Self(std::sync::atomic::AtomicI32::new(512))
    }
}

impl std::ops::Deref for MaxStreams {
    type Target = std::sync::atomic::AtomicI32;
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// The flags of `_set_abort_behavior`: a message and a fault report at first.
pub(crate) struct AbortFlags(AtomicU32);

impl Default for AbortFlags {
    fn default() -> Self {
        Self(AtomicU32::new(3))
    }
}

impl std::ops::Deref for AbortFlags {
    type Target = AtomicU32;
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// Where things lie in a thread's block.
pub(crate) mod block {
    /// `errno`, four bytes.
    pub(crate) const ERRNO: u64 = 0;
    /// `_doserrno`, four bytes.
    pub(crate) const DOS_ERRNO: u64 = 4;
    /// The state of `rand`, four bytes.
    pub(crate) const RANDOM: u64 = 8;
    /// Where `strtok` goes on.
    pub(crate) const TOKEN: u64 = 16;
    /// Where `wcstok` goes on.
    pub(crate) const WIDE_TOKEN: u64 = 24;
    /// The `struct tm` of `gmtime` and `localtime`.
    pub(crate) const TM: u64 = 32;
    /// The text of `asctime`.
    pub(crate) const ASCTIME: u64 = 80;
    /// The text of `_wasctime`.
    pub(crate) const WIDE_ASCTIME: u64 = 112;
    /// The text of `strerror`.
    pub(crate) const STRERROR: u64 = 192;
    /// The text of `_wcserror`.
    pub(crate) const WIDE_STRERROR: u64 = 320;
    /// The name of `tmpnam`, narrow or wide.
    pub(crate) const TMPNAM: u64 = 576;
    /// The text of `_ecvt` and `_fcvt`.
    pub(crate) const CVT: u64 = 640;
    /// The current exception's pointers: `__pxcptinfoptrs`.
    pub(crate) const EXCEPTION_POINTERS: u64 = 1008;
    /// The handler of SIGSEGV, then SIGFPE, then SIGILL: those that a thread has for itself.
    pub(crate) const SIGNALS: u64 = 1016;
    /// The record of the exception that the innermost catch block holds, and its context: `__current_exception`.
    pub(crate) const CURRENT_EXCEPTION: u64 = 1048;
    /// How many exceptions are being thrown: `__processing_throw`.
    pub(crate) const PROCESSING_THROW: u64 = 1064;
    /// The code of the last floating-point exception: `__fpecode`.
    pub(crate) const FPE_CODE: u64 = 1072;
    /// The state of conversions of characters that have no state of their own, eight bytes.
    pub(crate) const CHARACTER_STATE: u64 = 1080;
    /// All of it.
    pub(crate) const SIZE: u64 = 1088;
}

thread_local! {
    /// The block of this guest thread, or 0. Host threads and guest threads are the same.
    static BLOCK: Cell<u64> = const { Cell::new(0) };
}

impl Crt {
    /// Returns the ANSI code page, in which the program's arguments and file names are written.
    pub(crate) fn ansi(&self) -> &'static CodePage {
        nls::ansi()
    }

    /// Converts text in the ANSI code page to UTF-16.
    pub(crate) fn widen(&self, text: &[u8]) -> Vec<u16> {
        self.ansi().decode(text, 0).unwrap_or_default()
    }

    /// Converts UTF-16 to the ANSI code page; what has no counterpart becomes `?`.
    pub(crate) fn narrow(&self, text: &[u16]) -> Vec<u8> {
        self.ansi().encode(text, 0, None, false).map(|encoded| encoded.bytes).unwrap_or_default()
    }
}

/// Returns the runtime's state.
#[inline]
pub(crate) fn crt(guest: &Guest) -> &'static Crt {
    &guest.process().crt
}

/// Returns where an exported variable lies.
pub(crate) fn variable(guest: &Guest, name: &'static str) -> u64 {
    // The loader maps every variable of a builtin DLL before any of its functions can be called; address 0 makes the
    // access an access violation, should it ever not.
    guest.process().data_address(DLL, name).unwrap_or(0)
}

/// Returns the block of the calling thread, made when it is first needed.
///
/// # Errors
/// [`Fault`] at address 0 when memory is short.
pub(crate) fn thread_block(guest: &mut Guest) -> Result<u64, Fault> {
    let address = BLOCK.get();
    if address != 0 {
        return Ok(address);
    }
    let address = guest.process().heaps.allocate(0, block::SIZE, true).unwrap_or(0);
    // `rand` begins as if `srand(1)` had been called.
    guest.write(address + block::RANDOM, &1u32)?;
    BLOCK.set(address);
    if !guest.process().start.trace.api {
        guest.teb().set(Teb::ERRNO, address + block::ERRNO)?;
    }
    Ok(address)
}

/// Gives back the block of the calling thread, which ends. For the code that ends threads.
pub fn detach_thread(guest: &mut Guest) {
    let address = BLOCK.replace(0);
    if address != 0 {
        // Nothing runs on the TEB any more; it is released next.
        let _ = guest.teb().set(Teb::ERRNO, 0);
        guest.process().heaps.free(0, address);
    }
}

/// Sets `errno`.
///
/// # Errors
/// [`Fault`] when the thread's block cannot be made.
pub(crate) fn set_errno(guest: &mut Guest, code: i32) -> Result<(), Fault> {
    let block = thread_block(guest)?;
    guest.write(block + block::ERRNO, &code)
}

/// Reads `errno`.
///
/// # Errors
/// [`Fault`] when the thread's block cannot be made.
pub(crate) fn errno(guest: &mut Guest) -> Result<i32, Fault> {
    let block = thread_block(guest)?;
    guest.read(block + block::ERRNO)
}

/// Sets `_doserrno` to a Win32 error and `errno` to what the runtime makes of it.
///
/// # Errors
/// [`Fault`] when the thread's block cannot be made.
pub(crate) fn set_win32_errno(guest: &mut Guest, error: Win32Error) -> Result<(), Fault> {
    let block = thread_block(guest)?;
    guest.write(block + block::DOS_ERRNO, &error.0)?;
    guest.write(block + block::ERRNO, &super::errno::of_win32(error))
}

/// Allocates guest memory; `None` when it is short.
pub(crate) fn allocate(guest: &Guest, size: u64) -> Option<u64> {
    guest.process().heaps.allocate(0, size, false)
}

/// Puts bytes into newly allocated guest memory; 0 when it is short.
///
/// # Errors
/// [`Fault`] never in practice: the memory was just allocated.
pub(crate) fn place(guest: &Guest, bytes: &[u8]) -> Result<u64, Fault> {
    let Some(address) = allocate(guest, bytes.len() as u64) else { return Ok(0) };
    guest.write_bytes(address, bytes)?;
    Ok(address)
}

/// Puts UTF-16 text and a terminator into newly allocated guest memory; 0 when it is short.
///
/// # Errors
/// [`Fault`] never in practice: the memory was just allocated.
pub(crate) fn place_wide(guest: &Guest, text: &[u16]) -> Result<u64, Fault> {
    place(guest, &wide_bytes(text))
}

/// Puts a narrow text and a terminator into newly allocated guest memory; 0 when it is short.
///
/// # Errors
/// [`Fault`] never in practice: the memory was just allocated.
pub(crate) fn place_narrow(guest: &Guest, text: &[u8]) -> Result<u64, Fault> {
    let mut bytes = text.to_vec();
    bytes.push(0);
    place(guest, &bytes)
}

/// Returns UTF-16 with a terminator as bytes.
pub(crate) fn wide_bytes(text: &[u16]) -> Vec<u8> {
    text.iter().chain(&[0]).flat_map(|unit| unit.to_le_bytes()).collect()
}

/// Writes bytes and a terminator.
///
/// # Errors
/// [`Fault`] when they cannot be written.
pub(crate) fn write_narrow_z(guest: &Guest, address: u64, text: &[u8]) -> Result<(), Fault> {
    guest.write_bytes(address, text)?;
    guest.write_bytes(address.wrapping_add(text.len() as u64), &[0])
}

/// Writes UTF-16 and a terminator.
///
/// # Errors
/// [`Fault`] when it cannot be written.
pub(crate) fn write_wide_z(guest: &Guest, address: u64, text: &[u16]) -> Result<(), Fault> {
    guest.write_bytes(address, &wide_bytes(text))
}
