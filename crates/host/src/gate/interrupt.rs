//! Stopping a guest thread from another one: a realtime signal. In guest code the thread leaves the guest at once, as by
//! a fault; in the host it stops at the gate on its way back. Between the two, a few instructions of the gate, the
//! signal tells nobody, and the sender sends it again.
//!
//! Key type: [`Interrupt`].

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::block::{CallFrame, ThreadBlock};
use super::dispatch::system;
use super::registers::Registers;
use super::thread::Thread;
use crate::memory;

/// How a guest thread is interrupted by others.
#[derive(Debug, Default)]
pub struct Interrupt {
    /// The kernel's identifier while the thread can be interrupted.
    kernel_id: Mutex<Option<i32>>,
    /// Set by the handler when the thread will stop before it runs more guest code.
    is_seen: AtomicBool,
    /// Held while one sender waits.
    sending: Mutex<()>,
    /// Of a thread in the host: the stack pointer of its innermost call, RBX, RBP, RSI, RDI, R12 to R15; a stack pointer
    /// of 0 says that there is no call, or that the thread was in guest code; last the call's index.
    caller: [AtomicU64; 10],
}

/// Returns the number of the signal.
#[inline]
pub fn interrupt_signal() -> i32 {
    // The C library keeps the first two for itself; debuggers and profilers like the next.
    libc::SIGRTMIN() + 5
}

impl Interrupt {
    /// Makes the thread stop before it runs more guest code, and returns when that is certain; at once where the thread
    /// has ended. Not for the calling thread. Returns the registers of the call that it is in, if it is in one.
    pub fn send(&self, is_i386: bool) -> Option<Box<Registers>> {
        let _sending = self.sending.lock().unwrap_or_else(PoisonError::into_inner);
        self.send_until_seen();
        self.caller(is_i386)
    }

    fn send_until_seen(&self) {
        const ATTEMPTS: u32 = 20_000;
        const LOOKS: u32 = 50;
        self.is_seen.store(false, Ordering::Release);
        for attempt in 0..ATTEMPTS {
            {
                let kernel_id = self.kernel_id.lock().unwrap_or_else(PoisonError::into_inner);
                let Some(kernel_id) = *kernel_id else { return };
                let process = rustix::process::getpid().as_raw_nonzero().get();
                // SAFETY: 1. the thread is alive: it takes its identifier away before it ends.
                unsafe { libc::syscall(libc::SYS_tgkill, process, kernel_id, interrupt_signal()) };
            }
            for _ in 0..LOOKS {
                if self.is_seen.load(Ordering::Acquire) {
                    return;
                }
                std::thread::yield_now();
            }
            if attempt > 2 {
                std::thread::sleep(Duration::from_micros(100));
            }
        }
    }

    pub(super) fn begin(&self) {
        let kernel_id = rustix::thread::gettid().as_raw_nonzero().get();
        *self.kernel_id.lock().unwrap_or_else(PoisonError::into_inner) = Some(kernel_id);
    }

    pub(super) fn end(&self) {
        *self.kernel_id.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn caller(&self, is_i386: bool) -> Option<Box<Registers>> {
        let [sp, rbx, rbp, rsi, rdi, r12, r13, r14, r15, index] =
            std::array::from_fn(|at| self.caller[at].load(Ordering::Relaxed));
        if sp == 0 {
            return None;
        }
        let word = if is_i386 { memory::read_u32(sp).map(u64::from) } else { memory::read_u64(sp) };
        let mut registers = Registers::zeroed(is_i386);
        registers.rip = word.ok()?;
        // As after the call's return, which takes the arguments of 32-bit code along.
        let arguments = system().map_or(0, |system| u64::from(system.stack_bytes(index as u32)));
        let sp = sp + if is_i386 { 4 + arguments } else { 8 };
        registers.general = [0, 0, 0, rbx, sp, rbp, rsi, rdi, 0, 0, 0, 0, r12, r13, r14, r15];
        Some(registers)
    }

    /// Called by the signal's handler; `call` is the innermost call of a thread that is in the host.
    pub(crate) fn see(&self, call: Option<&CallFrame>) {
        let words = call.filter(|call| call.is_fault == 0).map_or([0; 10], |call| {
            let index = u64::from(call.index);
            let CallFrame { guest_sp, rbx, rbp, rsi, rdi, r12, r13, r14, r15, .. } = *call;
            [guest_sp, rbx, rbp, rsi, rdi, r12, r13, r14, r15, index]
        });
        for (place, word) in self.caller.iter().zip(words) {
            place.store(word, Ordering::Relaxed);
        }
        self.is_seen.store(true, Ordering::Release);
    }
}

impl Thread {
    /// Returns how others interrupt this thread.
    pub fn interrupt(self) -> Arc<Interrupt> {
        Arc::clone(&self.block().interrupt)
    }

    /// Has the system stop the thread if it was interrupted, until it is not and cannot be before `rt_sigreturn`;
    /// returns the registers to go on with.
    pub(super) fn stop_before_resume(self, mut registers: Box<Registers>) -> Box<Registers> {
        loop {
            set_mask(libc::SIG_BLOCK);
            if !self.block().take_poke() {
                return registers;
            }
            set_mask(libc::SIG_UNBLOCK);
            if let Some(system) = system() {
                registers = system.stop(self, registers).0;
            }
        }
    }
}

impl ThreadBlock {
    /// Takes the mark that the signal's handler left.
    fn take_poke(&mut self) -> bool {
        let poke = &raw mut self.poke;
        // SAFETY: 1. the handler that writes it runs on this thread. 2. volatile: it does so between any two instructions.
        let was_set = unsafe { poke.read_volatile() } != 0;
        // SAFETY: as above.
        unsafe { poke.write_volatile(0) };
        was_set
    }
}

/// Called by the gate before a call returns to an interrupted guest; `frame.flags` has RAX, or EDX:EAX.
pub(crate) extern "C" fn plat_stop_return(frame: &mut CallFrame) {
    let thread = Thread::from_block(frame.thread);
    if !thread.block().take_poke() {
        return;
    }
    let Some(system) = system() else { return };
    let mut registers = Registers::of_caller(frame);
    registers.general[0] = frame.flags;
    if thread.is_i386() {
        registers.general[0] &= 0xffff_ffff;
        registers.general[2] = frame.flags >> 32;
        registers.general[4] += u64::from(frame.stack_bytes);
    } else {
        registers.set_xmm(0, u128::from(frame.floats[0]));
    }
    let (registers, is_changed) = system.stop(thread, registers);
    if is_changed {
        thread.resume(registers);
    }
}

/// Called by the gate before the host calls an interrupted guest: `function` with its stack at `sp`, for 64-bit code
/// with `arguments`. Returns the registers with which to begin instead, for [`plat_resume_set`], or null.
pub(crate) extern "C" fn plat_stop_call(
    block: *mut ThreadBlock,
    function: u64,
    sp: u64,
    arguments: *const [u64; 4],
) -> *mut Registers {
    let thread = Thread::from_block(block);
    if !thread.block().take_poke() {
        return std::ptr::null_mut();
    }
    let Some(system) = system() else { return std::ptr::null_mut() };
    // What the guest's caller keeps in registers is in them as others see it, though the host uses them.
    let mut registers = thread.caller_registers().unwrap_or_else(|| Registers::zeroed(thread.is_i386()));
    (registers.rip, registers.general[4], registers.rflags) = (function, sp, 0x202);
    if !thread.is_i386() {
        const FIRST_FOUR: [usize; 4] = [1, 2, 8, 9];
        // SAFETY: 1. the gate gives the address that `call64` gave.
        let arguments = unsafe { *arguments };
        for (register, argument) in FIRST_FOUR.into_iter().zip(arguments) {
            registers.general[register] = argument;
        }
    }
    let (registers, is_changed) = system.stop(thread, registers);
    if is_changed { Box::into_raw(registers) } else { std::ptr::null_mut() }
}

/// Called by the gate instead of a function of the guest whose first registers somebody has set.
pub(crate) extern "C" fn plat_resume_set(block: *mut ThreadBlock, registers: *mut Registers) -> ! {
    // SAFETY: 1. the gate gives what `plat_stop_call` returned, once.
    let registers = unsafe { Box::from_raw(registers) };
    Thread::from_block(block).resume(registers)
}

/// Blocks or unblocks the signal for the calling thread.
fn set_mask(how: libc::c_int) {
    // SAFETY: 1. all zeros is a valid set.
    let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: 1. the set is this function's own.
    unsafe { libc::sigaddset(&raw mut set, interrupt_signal()) };
    // SAFETY: 1. only the calling thread's mask changes.
    unsafe { libc::pthread_sigmask(how, &raw const set, std::ptr::null_mut()) };
}
