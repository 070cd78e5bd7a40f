//! Guest memory, read and written with fault recovery: a bad pointer becomes [`MemoryFault`], never a crash.
//!
//! Only addresses inside the arena are accepted, so no host data can be reached. Rust holds no reference to guest
//! memory; other guest threads may write at any time. The copy routines are assembler between two labels; the
//! signal handler sends a fault there to `plat_copy_landing`. Only guest threads (inside `Thread::enter`) may call:
//! other threads have no alternate stack on which the handler could find its way.

use std::arch::global_asm;
use std::sync::atomic::{AtomicU64, Ordering};

use plat_regions::AddressRange;

use crate::gate;

global_asm!(
    ".balign 16",
    ".globl plat_copy_begin",
    "plat_copy_begin:",
    ".globl plat_copy",
    "plat_copy:",
    // RDI to, RSI from, RDX bytes; in ascending order, so that the first byte that faults is the one that is told. Up to
    // 256 bytes `rep movsb` would take longer to begin than to copy.
    "mov rcx, rdx",
    "xor edx, edx",
    "cmp rcx, 16",
    "ja 3f",
    "cmp rcx, 8",
    "jae 2f",
    "cmp rcx, 4",
    "jb 6f",
    "mov eax, [rsi]",
    "mov r8d, [rsi + rcx - 4]",
    "mov [rdi], eax",
    "mov [rdi + rcx - 4], r8d",
    "ret",
    "2: mov rax, [rsi]",
    "mov r8, [rsi + rcx - 8]",
    "mov [rdi], rax",
    "mov [rdi + rcx - 8], r8",
    "ret",
    "3: cmp rcx, 256",
    "ja 5f",
    // The last step reads again what the step before it may have overwritten, if the ranges overlap.
    "mov rax, rdi",
    "sub rax, rsi",
    "cmp rax, rcx",
    "jb 5f",
    "neg rax",
    "cmp rax, rcx",
    "jb 5f",
    "4: movups xmm0, [rsi]",
    "movups [rdi], xmm0",
    "add rsi, 16",
    "add rdi, 16",
    "sub rcx, 16",
    "cmp rcx, 16",
    "ja 4b",
    "movups xmm0, [rsi + rcx - 16]",
    "movups [rdi + rcx - 16], xmm0",
    "ret",
    "5: rep movsb",
    "ret",
    "6: test ecx, ecx",
    "je 8f",
    "7: mov al, [rsi + rdx]",
    "mov [rdi + rdx], al",
    "inc edx",
    "cmp edx, ecx",
    "jne 7b",
    "xor edx, edx",
    "8: ret",
    ".globl plat_load4",
    "plat_load4:",
    "xor edx, edx",
    "mov eax, [rdi]",
    "ret",
    ".globl plat_load8",
    "plat_load8:",
    "xor edx, edx",
    "mov rax, [rdi]",
    "ret",
    ".globl plat_store4",
    "plat_store4:",
    "xor edx, edx",
    "mov [rdi], esi",
    "ret",
    ".globl plat_store8",
    "plat_store8:",
    "xor edx, edx",
    "mov [rdi], rsi",
    "ret",
    ".globl plat_fill",
    "plat_fill:",
    "mov eax, esi",
    "mov rcx, rdx",
    "xor edx, edx",
    "rep stosb",
    "ret",
    ".globl plat_exchange4",
    "plat_exchange4:",
    "mov rcx, rdx",
    "xor edx, edx",
    "mov eax, esi",
    "lock cmpxchg [rdi], ecx",
    "ret",
    ".globl plat_exchange8",
    "plat_exchange8:",
    "mov rcx, rdx",
    "xor edx, edx",
    "mov rax, rsi",
    "lock cmpxchg [rdi], rcx",
    "ret",
    ".globl plat_copy_end",
    "plat_copy_end:",
    // The handler has put the address into RAX and 1 (read) or 2 (write) into RDX.
    ".globl plat_copy_landing",
    "plat_copy_landing:",
    "ret",
);

/// RAX and RDX of a recoverable access: the value, and 0 for done; or the address, and how it was accessed.
#[repr(C)]
#[derive(Clone, Copy)]
struct Outcome {
    value: u64,
    status: u64,
}

unsafe extern "C" {
    pub(crate) safe static plat_copy_begin: u8;
    pub(crate) safe static plat_copy_end: u8;
    pub(crate) safe static plat_copy_landing: u8;
    fn plat_copy(to: u64, from: u64, length: u64) -> Outcome;
    fn plat_load4(address: u64) -> Outcome;
    fn plat_load8(address: u64) -> Outcome;
    fn plat_store4(address: u64, value: u32) -> Outcome;
    fn plat_store8(address: u64, value: u64) -> Outcome;
    fn plat_fill(address: u64, byte: u8, length: u64) -> Outcome;
    fn plat_exchange4(address: u64, expected: u32, new: u32) -> Outcome;
    fn plat_exchange8(address: u64, expected: u64, new: u64) -> Outcome;
}

/// An access to guest memory that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryFault {
    /// The first byte that could not be accessed.
    pub address: u64,
    /// Whether it was to be written.
    pub write: bool,
}

/// The arena's windows as numbers, readable without a lock: start and end of the lower and of the upper window.
static WINDOWS: [AtomicU64; 4] = [const { AtomicU64::new(0) }; 4];

/// Sets the ranges in which guest memory may lie: at most two.
pub(crate) fn set_windows(windows: &[AddressRange]) {
    for (index, window) in windows.iter().take(2).enumerate() {
        WINDOWS[index * 2].store(window.start.get(), Ordering::Relaxed);
        WINDOWS[index * 2 + 1].store(window.end.get(), Ordering::Relaxed);
    }
}

/// Says whether all of `length` bytes at `address` lie in the arena.
#[inline]
pub fn in_arena(address: u64, length: u64) -> bool {
    let bound = |index: usize| WINDOWS[index].load(Ordering::Relaxed);
    let Some(end) = address.checked_add(length) else { return false };
    (address >= bound(0) && end <= bound(1)) || (address >= bound(2) && end <= bound(3))
}

/// Repeats `access` while the system can make the faulting page accessible (guard pages, growing stacks).
#[inline]
fn recover(address: u64, length: u64, write: bool, access: impl Fn() -> Outcome) -> Result<u64, MemoryFault> {
    if !in_arena(address, length) {
        return Err(MemoryFault { address, write });
    }
    let outcome = access();
    if outcome.status == 0 { Ok(outcome.value) } else { retry(length, outcome, access) }
}

#[cold]
fn retry(length: u64, mut outcome: Outcome, access: impl Fn() -> Outcome) -> Result<u64, MemoryFault> {
    // Every page may be resolved once or twice (a guard page, then its protection), not more.
    for _ in 0..length / 2048 + 4 {
        let fault = MemoryFault { address: outcome.value, write: outcome.status == 2 };
        if !gate::system().is_some_and(|system| system.resolve(fault)) {
            return Err(fault);
        }
        outcome = access();
        if outcome.status == 0 {
            return Ok(outcome.value);
        }
    }
    Err(MemoryFault { address: outcome.value, write: outcome.status == 2 })
}

/// Fills `into` from guest memory.
///
/// # Errors
/// [`MemoryFault`] at the first byte that cannot be read.
#[inline]
pub fn read(address: u64, into: &mut [u8]) -> Result<(), MemoryFault> {
    let (to, length) = (into.as_mut_ptr() as u64, into.len() as u64);
    // SAFETY: 1. `to` is valid for `length` bytes: it is the slice. 2. the source is in the arena, where no Rust
    // object lives, and a fault there is recovered.
    recover(address, length, false, || unsafe { plat_copy(to, address, length) }).map(|_| ())
}

/// Copies `from` to guest memory.
///
/// # Errors
/// [`MemoryFault`] at the first byte that cannot be written.
#[inline]
pub fn write(address: u64, from: &[u8]) -> Result<(), MemoryFault> {
    let (source, length) = (from.as_ptr() as u64, from.len() as u64);
    // SAFETY: 1. the source is the slice. 2. the destination is in the arena, where no Rust object lives.
    recover(address, length, true, || unsafe { plat_copy(address, source, length) }).map(|_| ())
}

/// Copies `length` bytes within guest memory; the ranges must not overlap with the destination above the source.
///
/// # Errors
/// [`MemoryFault`] at the first byte that cannot be accessed.
pub fn copy(to: u64, from: u64, length: u64) -> Result<(), MemoryFault> {
    if !in_arena(to, length) {
        return Err(MemoryFault { address: to, write: true });
    }
    // SAFETY: 1. and 2. both ranges are in the arena, where no Rust object lives; faults are recovered.
    recover(from, length, false, || unsafe { plat_copy(to, from, length) }).map(|_| ())
}

/// Fills `length` bytes of guest memory with `byte`.
///
/// # Errors
/// [`MemoryFault`] at the first byte that cannot be written.
pub fn fill(address: u64, byte: u8, length: u64) -> Result<(), MemoryFault> {
    // SAFETY: 1. the destination is in the arena, where no Rust object lives; faults are recovered.
    recover(address, length, true, || unsafe { plat_fill(address, byte, length) }).map(|_| ())
}

/// Reads four bytes of guest memory.
///
/// # Errors
/// [`MemoryFault`] when they cannot be read.
#[inline]
pub fn read_u32(address: u64) -> Result<u32, MemoryFault> {
    // SAFETY: 1. the source is in the arena; faults are recovered.
    recover(address, 4, false, || unsafe { plat_load4(address) }).map(|value| value as u32)
}

/// Reads eight bytes of guest memory.
///
/// # Errors
/// [`MemoryFault`] when they cannot be read.
#[inline]
pub fn read_u64(address: u64) -> Result<u64, MemoryFault> {
    // SAFETY: 1. the source is in the arena; faults are recovered.
    recover(address, 8, false, || unsafe { plat_load8(address) })
}

/// Writes four bytes of guest memory in one store.
///
/// # Errors
/// [`MemoryFault`] when they cannot be written.
#[inline]
pub fn write_u32(address: u64, value: u32) -> Result<(), MemoryFault> {
    // SAFETY: 1. the destination is in the arena, where no Rust object lives; faults are recovered.
    recover(address, 4, true, || unsafe { plat_store4(address, value) }).map(|_| ())
}

/// Writes eight bytes of guest memory in one store.
///
/// # Errors
/// [`MemoryFault`] when they cannot be written.
#[inline]
pub fn write_u64(address: u64, value: u64) -> Result<(), MemoryFault> {
    // SAFETY: 1. the destination is in the arena, where no Rust object lives; faults are recovered.
    recover(address, 8, true, || unsafe { plat_store8(address, value) }).map(|_| ())
}

/// Replaces four bytes of guest memory by `new` if they are `expected`, atomically; returns what was there.
///
/// # Errors
/// [`MemoryFault`] when they cannot be written.
pub fn compare_exchange_u32(address: u64, expected: u32, new: u32) -> Result<u32, MemoryFault> {
    // SAFETY: 1. the destination is in the arena, where no Rust object lives; faults are recovered.
    recover(address, 4, true, || unsafe { plat_exchange4(address, expected, new) }).map(|value| value as u32)
}

/// Replaces eight bytes of guest memory by `new` if they are `expected`, atomically; returns what was there.
///
/// # Errors
/// [`MemoryFault`] when they cannot be written.
pub fn compare_exchange_u64(address: u64, expected: u64, new: u64) -> Result<u64, MemoryFault> {
    // SAFETY: 1. the destination is in the arena, where no Rust object lives; faults are recovered.
    recover(address, 8, true, || unsafe { plat_exchange8(address, expected, new) })
}

/// Accesses every page of a range, so that guard pages and growing stacks are resolved before the kernel copies.
///
/// # Errors
/// [`MemoryFault`] at the first page that cannot be accessed.
pub fn touch(address: u64, length: u64, write: bool) -> Result<(), MemoryFault> {
    let mut at = address;
    let end = address.saturating_add(length);
    while at < end {
        // The last four bytes of an aligned page keep the access within it.
        let probe = at & !3;
        if write {
            compare_exchange_u32(probe, 0, 0)?;
        } else {
            read_u32(probe)?;
        }
        at = (at & !4095) + 4096;
    }
    Ok(())
}
