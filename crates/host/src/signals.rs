//! Processor faults: the handler leaves the signal at once and lets the gate continue as an ordinary host call.
//!
//! A fault in guest code saves the whole register state in the thread's block and returns from the signal into
//! `plat_fault_entry`, on the host's stack, in 64-bit code. A fault in a copy routine lands at its landing. Any
//! other fault is plat's own mistake: it is reported and the process aborts. The naked prologue finds the host's
//! FS base at the bottom of the alternate stack, since a signal may arrive with the guest's FS base.

use std::arch::global_asm;
use std::mem::MaybeUninit;

use crate::gate::entry::{plat_fault_entry, plat_gate_begin, plat_gate_end};
use crate::gate::{ThreadBlock, interrupt_signal};
use crate::memory::{in_arena, plat_copy_begin, plat_copy_end, plat_copy_landing};

/// Size and alignment in bytes of an alternate stack.
pub(crate) const ALTERNATE_STACK_SIZE: usize = 64 * 1024;

/// Bytes kept free at the bottom of an alternate stack for [`AlternateHeader`].
pub(crate) const ALTERNATE_HEADER_SIZE: usize = 64;

/// What the handler's prologue finds at the bottom of the alternate stack.
#[repr(C)]
pub(crate) struct AlternateHeader {
    pub(crate) host_fs: u64,
    pub(crate) block: *mut ThreadBlock,
}

global_asm!(
    ".balign 16",
    ".globl plat_signal_entry",
    "plat_signal_entry:",
    "mov rax, rsp",
    "and rax, -{size}",
    "rdfsbase rcx",
    "push rcx",
    "mov rcx, [rax]",
    "wrfsbase rcx",
    "mov rcx, rsp",
    "mov r8, [rax + 8]",
    "cld",
    "call {handler}",
    "pop rcx",
    "wrfsbase rcx",
    "ret",
    size = const ALTERNATE_STACK_SIZE,
    handler = sym handle,
);

unsafe extern "C" {
    safe static plat_signal_entry: u8;
}

/// The kernel's `struct ucontext` with its `struct sigcontext`.
///
/// Source: Linux, arch/x86/include/uapi/asm/{ucontext,sigcontext}.h.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct KernelContext {
    pub(crate) flags: u64,
    pub(crate) link: u64,
    pub(crate) stack_base: u64,
    pub(crate) stack_flags: u64,
    pub(crate) stack_size: u64,
    /// R8 to R15.
    pub r8_15: [u64; 8],
    /// Register RDI.
    pub rdi: u64,
    /// Register RSI.
    pub rsi: u64,
    /// Register RBP.
    pub rbp: u64,
    /// Register RBX.
    pub rbx: u64,
    /// Register RDX.
    pub rdx: u64,
    /// Register RAX.
    pub rax: u64,
    /// Register RCX.
    pub rcx: u64,
    /// Register RSP.
    pub rsp: u64,
    /// Register RIP.
    pub rip: u64,
    /// The flags register.
    pub rflags: u64,
    /// CS, GS, FS, SS in this order.
    pub segments: [u16; 4],
    /// The processor's error code.
    pub error: u64,
    /// The processor's exception number.
    pub trap: u64,
    pub(crate) old_mask: u64,
    /// The address of a page fault.
    pub cr2: u64,
    pub(crate) fp_state: u64,
    pub(crate) reserved: [u64; 8],
    pub(crate) mask: u64,
}

/// Bytes kept of the processor's extended state; AVX-512 needs 2.7 KiB, AMX 11 KiB.
pub const XSTATE_BYTES: usize = 12 * 1024;

/// The processor's extended state in the layout of FXSAVE or XSAVE.
#[repr(C, align(64))]
#[derive(Clone, Debug)]
pub struct Xstate {
    pub(crate) bytes: [u8; XSTATE_BYTES],
    pub(crate) length: usize,
}

/// A fault's register state, from the handler to the dispatch.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct SavedState {
    pub(crate) context: KernelContext,
    pub(crate) xstate: Xstate,
    pub(crate) signal: i32,
    pub(crate) code: i32,
}

impl SavedState {
    pub(crate) fn new() -> Self {
        let xstate = Xstate { bytes: [0; XSTATE_BYTES], length: 0 };
        Self { context: KernelContext::default(), xstate, signal: 0, code: 0 }
    }
}

/// The signals that the processor's exceptions arrive as.
const FAULTS: [i32; 5] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGTRAP];

/// Installs the handler for processor faults; every thread that can fault needs an alternate stack from [`crate::gate`].
pub(crate) fn install() {
    for signal in FAULTS.into_iter().chain([interrupt_signal()]) {
        let mut action = MaybeUninit::<libc::sigaction>::zeroed();
        // SAFETY: 1. all-zero is a valid sigaction.
        let action = unsafe { action.assume_init_mut() };
        action.sa_sigaction = std::ptr::addr_of!(plat_signal_entry) as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        // A fault may come in a handler's copy routine; an interrupt waits for the handler's end, and restarts what the
        // kernel was doing.
        action.sa_flags |= if FAULTS.contains(&signal) { libc::SA_NODEFER } else { libc::SA_RESTART };
        // SAFETY: 1. the action is initialised. 2. the handler follows the signal convention and is async-signal-safe.
        let result = unsafe { libc::sigaction(signal, action, std::ptr::null_mut()) };
        debug_assert_eq!(result, 0, "these signals may always be caught");
    }
}

/// The handler, on the alternate stack, with the host's FS base.
extern "C" fn handle(
    signal: i32,
    info: *const libc::siginfo_t,
    context: *mut KernelContext,
    fs_base: *mut u64,
    block: *mut ThreadBlock,
) {
    // SAFETY: 1. the kernel passes a valid context that nobody else refers to.
    let state = unsafe { &mut *context };
    if signal == interrupt_signal() {
        if !block.is_null() {
            // SAFETY: 1. the block is this thread's; 2. `fs_base` is the prologue's slot.
            unsafe { interrupt(state, fs_base, block) };
        }
        return;
    }
    if recover_copy(state) {
        return;
    }
    // SAFETY: 1. the kernel passes a valid siginfo.
    let code = unsafe { (*info).si_code };
    if !is_guest(state) || block.is_null() {
        report_own_fault(signal, state);
    }
    // SAFETY: 1. the block is the faulting thread's own, alive while the thread is; 2. the dispatch of an earlier
    // fault has taken its state before it ran any guest code.
    unsafe { save(block, state, signal, code) };
    // SAFETY: 1. `block` as above; 2. `fs_base` is the prologue's slot.
    unsafe { leave_signal(state, fs_base, block) };
}

/// Handles another thread's wish that this one stop: guest code is left as by a fault, host code goes on to the gate.
/// In the gate, and in the 64-bit code below 4 GiB that leads there, nothing is told: the sender repeats itself.
///
/// # Safety
/// 1. `block` is this thread's own. 2. `fs_base` is the prologue's slot.
unsafe fn interrupt(state: &mut KernelContext, fs_base: *mut u64, block: *mut ThreadBlock) {
    const CODE_32: u16 = 0x23;
    let gate = std::ptr::addr_of!(plat_gate_begin) as u64..std::ptr::addr_of!(plat_gate_end) as u64;
    if gate.contains(&state.rip) {
        return;
    }
    // SAFETY: 1. by the caller: only this thread, which stands still, has references to it.
    let own = unsafe { &mut *block };
    let is_64_code = state.segments[0] != CODE_32;
    if own.is_i386 != 0 && is_64_code && in_arena(state.rip, 1) {
        return;
    }
    if is_64_code && !in_arena(state.rip, 1) {
        // SAFETY: 1. frames on the list are alive.
        own.interrupt.see(unsafe { own.top.as_ref() });
        // SAFETY: 1. the field is valid; volatile, since the interrupted code looks at it between any two instructions.
        unsafe { (&raw mut own.poke).write_volatile(1) };
        return;
    }
    own.interrupt.see(None);
    // SAFETY: 1. by the caller; 2. guest code runs, so that no earlier fault's state is in use.
    unsafe { save(block, state, interrupt_signal(), 0) };
    // SAFETY: 1. and 2. by the caller.
    unsafe { leave_signal(state, fs_base, block) };
}

/// Sends a fault inside a copy routine to its landing.
fn recover_copy(state: &mut KernelContext) -> bool {
    let (begin, end) = (std::ptr::addr_of!(plat_copy_begin) as u64, std::ptr::addr_of!(plat_copy_end) as u64);
    if state.rip < begin || state.rip >= end {
        return false;
    }
    state.rax = state.cr2;
    // Bit 1 of a page fault's error code says that it was a write.
    state.rdx = if state.error & 2 != 0 { 2 } else { 1 };
    state.rip = std::ptr::addr_of!(plat_copy_landing) as u64;
    true
}

/// Says whether guest code faulted: 32-bit code, code in the arena, a jump to nowhere, or a thunk's first stores.
fn is_guest(state: &KernelContext) -> bool {
    const CODE_32: u16 = 0x23;
    const INSTRUCTION_FETCH: u64 = 1 << 4;
    let gate = std::ptr::addr_of!(plat_gate_begin) as u64..std::ptr::addr_of!(plat_gate_end) as u64;
    state.segments[0] == CODE_32
        || in_arena(state.rip, 1)
        || state.rip < 0x1_0000
        || (state.trap == 14 && state.error & INSTRUCTION_FETCH != 0)
        || (gate.contains(&state.rip) && in_arena(state.rsp, 1))
}

/// Copies the register state into the thread's block.
///
/// # Safety
/// 1. `block` is valid. 2. Nobody else uses its fault state.
unsafe fn save(block: *mut ThreadBlock, state: &KernelContext, signal: i32, code: i32) {
    // SAFETY: 1. by the caller.
    let saved = unsafe { (*block).fault.get() };
    // SAFETY: 1. and 2. by the caller.
    let saved = unsafe { &mut *saved };
    saved.context = *state;
    saved.signal = signal;
    saved.code = code;
    let length = xstate_length(state.fp_state).min(XSTATE_BYTES);
    saved.xstate.length = length;
    // SAFETY: 1. the kernel wrote `length` bytes at fp_state; 2. the destination has XSTATE_BYTES.
    unsafe {
        std::ptr::copy_nonoverlapping(state.fp_state as *const u8, saved.xstate.bytes.as_mut_ptr(), length)
    };
}

/// Reads how long a frame's extended state is: the legacy area, or what its software bytes say.
///
/// Source: Linux, arch/x86/include/uapi/asm/sigcontext.h, struct _fpx_sw_bytes.
fn xstate_length(fp_state: u64) -> usize {
    const LEGACY: usize = 512;
    const SOFTWARE_BYTES: u64 = 464;
    const MAGIC: u32 = 0x4650_5853;
    if fp_state == 0 {
        return 0;
    }
    // SAFETY: 1. a non-null fp_state has at least the legacy area; 2. it is 64-byte aligned.
    let [magic, extended] = unsafe { ((fp_state + SOFTWARE_BYTES) as *const [u32; 2]).read() };
    if magic == MAGIC { extended as usize } else { LEGACY }
}

/// Makes the return from the signal continue at `plat_fault_entry` on the host's stack.
///
/// # Safety
/// 1. `block` is valid. 2. `fs_base` is the prologue's slot.
unsafe fn leave_signal(state: &mut KernelContext, fs_base: *mut u64, block: *mut ThreadBlock) {
    const CODE_64: u16 = 0x33;
    const TRAP_DIRECTION_ALIGNMENT: u64 = 1 << 8 | 1 << 10 | 1 << 18;
    // SAFETY: 1. by the caller.
    let ThreadBlock { host_rsp: rsp, host_fs, .. } = *unsafe { &*block };
    state.rip = std::ptr::addr_of!(plat_fault_entry) as u64;
    state.rsp = rsp;
    state.rdi = block as u64;
    state.segments[0] = CODE_64;
    state.rflags &= !TRAP_DIRECTION_ALIGNMENT;
    // SAFETY: 2. by the caller.
    unsafe { *fs_base = host_fs };
}

/// Says that plat itself faulted, with what it takes to find out why, and aborts.
fn report_own_fault(signal: i32, state: &KernelContext) -> ! {
    crate::terminal::restore();
    let base = std::ptr::addr_of!(plat_gate_begin) as u64;
    eprintln!(
        "plat: internal error: signal {signal} at {:#x} (gate at {base:#x}), address {:#x}, rsp {:#x}; \
         this is a defect of plat, please report it with the program and its arguments",
        state.rip, state.cr2, state.rsp
    );
    for action in FAULTS.into_iter().chain([libc::SIGABRT]) {
        // SAFETY: 1. restoring the default action is always allowed.
        unsafe { libc::signal(action, libc::SIG_DFL) };
    }
    std::process::abort()
}
